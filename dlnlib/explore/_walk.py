"""The landscape of two numbers: flow and descent from any start, at any step, in the plane of a and b."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from dlnlib import exact, hessian
from dlnlib._flow import step_down
from dlnlib._unchecked import layer_gradients
from dlnlib._validate import Array, Weights
from dlnlib.explore._model import Explorer, Panel, Part, Series, Slider, words
from dlnlib.moments import Moments

__all__ = ["landscape_walk"]

S = 1.0  # the target; both axes in units of sqrt(s) and time in units of 1/s make every target this one
TASK = Moments.white([[S]])
STARTS = (-2.4, -1.8, -1.2, -0.6, -0.2, 0.0, 0.2, 0.6, 1.2, 1.8, 2.4)
STEPS = (0.05, 0.2, 0.35, 0.5, 0.7, 0.9, 1.1)
WINDOW = 3.0  # half the width of the plane
LAST = 400  # steps of descent
SEEN = 1e-6  # losses below it are not drawn
RUNAWAY = 1e6
LEFT = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.03)  # of the error at the start, where the flow's curve gets points
KEPT = (0, 1, 2, 3, 4, 5, 6, 7, 10, 15, 22, 33, 50, 77, 116)  # odd strides show both sides of a bounce


def landscape_walk() -> Explorer:
    """Return the chart in which a reader starts flow and descent anywhere in the plane of a two-layer scalar network.

    Two weights, product u = a b, target s = 1, loss (1 - ab)^2 / 2 up to a constant. Seen are both branches of minima,
    the part of them that can hold descent at the chosen step (`eq-scalar-sharpness` at most 2/eta), the saddle with its
    stable manifold a = -b, the hyperbola through the start on which flow stays (`eq-hyperbola`), flow in closed form, and
    descent, which leaves the hyperbola (`eq-descent-hyperbola`). In chapter 2, before the critical points are listed.
    """
    plane = (-WINDOW, WINDOW)
    start = ("a0", "b0")
    return Explorer(
        name="landscape-walk",
        controls=(
            Slider("a0", "start a₀", STARTS, 2.4),
            Slider("b0", "start b₀", STARTS, 0.2),
            Slider("step", "step size η", STEPS, 0.5),
        ),
        parts=(
            Part("ground", _ground, (), digits=3),
            Part("flow", _flow, start, digits=3),
            Part("edge", _edge, ("step",), digits=3),
            Part("descent", _descent, (*start, "step"), digits=3),
        ),
        panels=(
            Panel("weight a", "weight b", x_domain=plane, y_domain=plane, square=True, pick=start, height=250),
            Panel("time t = η · steps", "loss", x_end=("flow", "descent"), y_log=True, y_domain=(SEEN, 1e3), height=250),
        ),
        series=(
            Series("minima ab = 1", "ground", "a", "b", "other"),
            Series("", "ground", "other_a", "other_b", "other"),
            Series("minima that hold η", "edge", "a", "b", "line", mode=2),
            Series("", "edge", "other_a", "other_b", "line", mode=2),
            Series("gradient flow", "flow", "a", "b", "simulation", mode=0),
            Series("a² − b² = c", "flow", "branch_a", "branch_b", "theory", mode=0),
            Series("", "descent", "a", "b", "other"),
            Series("gradient descent", "descent", "a", "b", "points", mode=1),
            Series("saddle", "ground", "saddle", "saddle", "points"),
            Series("start", "flow", "start_a", "start_b", "points", mode=3),
            Series("", "flow", "t", "loss", "simulation", mode=0, panel=1),
            Series("", "descent", "t", "loss", "other", panel=1),
            Series("", "descent", "t", "loss", "points", mode=1, panel=1),
        ),
        presets={
            "small step": {"a0": 2.4, "b0": -1.8, "step": 0.05},
            "just below the edge": {"a0": 1.8, "b0": -0.6, "step": 0.5},
            "catapult": {"a0": 2.4, "b0": 0.2, "step": 0.5},
            "divergence": {"a0": 2.4, "b0": 0.2, "step": 0.7},
            "no minimum holds": {"a0": 0.6, "b0": 0.2, "step": 1.1},
            "past the saddle": {"a0": -0.2, "b0": 0.6, "step": 0.05},
            "into the saddle": {"a0": 1.8, "b0": -1.8, "step": 0.2},
        },
        presets_label="Go to",
    )


def _ground() -> dict[str, Any]:
    """Return what stands still: the branches of minima within the plane, and the saddle."""
    a, b = _minima(np.log(WINDOW))
    return {"a": a, "b": b, "other_a": -a, "other_b": -b, "saddle": [0.0]}


def _minima(reach: float, n: int = 25) -> tuple[Array, Array]:
    x = np.linspace(-reach, reach, n)
    return np.sqrt(S) * np.exp(x), np.sqrt(S) * np.exp(-x)


def _edge(step: float) -> dict[str, Any]:
    """Return the minima whose sharpness a^2 + b^2 = 2 s cosh(2x) is at most 2/eta; above eta = 1/s there is none."""
    flat = step * S <= 1
    a, b = _minima(min(np.arccosh(1 / (step * S)) / 2, np.log(WINDOW)), 17) if flat else (np.empty(0), np.empty(0))
    say = f"Edge of stability: 2/η = {words(2 / step)}."
    return {"a": a, "b": b, "other_a": -a, "other_b": -b, "say": say}


def _flow(a0: float, b0: float) -> dict[str, Any]:
    c, missing, end = a0**2 - b0**2, S - a0 * b0, np.sqrt(2 * SEEN)
    kappa = float(exact.late_rate(S, c))
    if a0 == -b0:
        t = np.linspace(0.0, 6.0, 13) if a0 else np.array([0.0, 6.0])
        say = "Flow runs along a = −b into the saddle and stays." if a0 else "The start is the saddle: flow does not move."
    elif abs(missing) <= end:
        t = np.array([0.0, 6.0])
        say = f"The start is a minimum of sharpness {words(kappa)}: flow does not move."
    else:
        left = [*(f * missing for f in LEFT if abs(f * missing) > end), np.copysign(end, missing)]
        t = np.append(0.0, exact.two_layer_time(S - np.array(left), S, a0, b0))
        say = f"Flow keeps c = a² − b² = {words(c)}, final sharpness {words(kappa)}."
    path = exact.two_layer(t, S, a0, b0)
    branch_a, branch_b = _branch(a0, b0, c)
    return {
        "t": t,
        "a": path.a,
        "b": path.b,
        "loss": np.maximum(path.gap**2 / 2, SEEN / 10),
        "branch_a": branch_a,
        "branch_b": branch_b,
        "start_a": [a0],
        "start_b": [b0],
        "x_end": t[-1],
        "say": say,
    }


def _branch(a0: float, b0: float, c: float) -> tuple[Array, Array]:
    """Return the branch of the hyperbola that holds the start; where c = 0, the straight line."""
    if c == 0:
        ends = np.array([-WINDOW, WINDOW])
        return ends, ends * (1.0 if a0 == b0 else -1.0)
    wide, near = exact.hyperbola(c, WINDOW, 9), exact.hyperbola(c, WINDOW / 5, 7)
    free = 1 if c > 0 else 0
    order = np.argsort(np.concatenate([wide[free], near[free]]))
    side = np.sign(a0 if c > 0 else b0)
    a, b = (side * np.concatenate(pair)[order] for pair in zip(wide, near, strict=True))
    return a, b


def _descent(a0: float, b0: float, step: float) -> dict[str, Any]:
    a, b = _walked(a0, b0, step)
    with np.errstate(over="ignore", invalid="ignore"):
        loss = (S - a * b) ** 2 / 2
    out = np.flatnonzero(~(loss <= RUNAWAY))
    still, low = np.hypot(a, b)[-1] < 1e-6, loss < SEEN
    if len(out):
        end, say = int(out[0]), f"Descent diverges: loss above 10⁶ after {out[0]} steps."
    elif still:
        end = 40
        say = "Descent ends at the saddle too." if a0 == -b0 else "A step of descent lands on a = −b and leads to the saddle."
        say = say if a0 or b0 else "Descent does not move either."
    elif low[-1]:
        end = int(np.flatnonzero(~low)[-1]) + 1 if not np.all(low) else 0
        say = _settled(a0, b0, step, end, float(a[-1]), float(b[-1]), rose=bool(np.any(np.diff(loss[: end + 1]) > 0)))
    else:
        why = ": every minimum has sharpness 2 or more" if step * S > 1 else ""
        end, say = 48, f"Descent has not settled after {LAST} steps{why}."
    keep = np.array([*(n for n in KEPT if n < end), end])
    if len(out):
        # What has left both windows once and for all is not drawn further than the first point outside.
        keep = np.arange(end)
        gone = (np.abs(a[:end]) > WINDOW) | (np.abs(b[:end]) > WINDOW)
        first = int(np.flatnonzero(~gone)[-1]) + 2
        keep = keep[: min(first + 1, end)]
    loss = np.maximum(loss[keep], SEEN / 10)
    return {"a": a[keep], "b": b[keep], "t": step * keep, "loss": loss, "x_end": step * max(keep[-1], 1), "say": say}


def _settled(a0: float, b0: float, step: float, n: int, a: float, b: float, *, rose: bool) -> str:
    sharp = float(hessian.sharpness(([[a]], [[b]]), TASK))
    if n == 0:
        return "Descent does not move either."
    where = f"after {n} step{'s' if n > 1 else ''}: sharpness {words(sharp)}, c = {words(a**2 - b**2)}"
    if step * sharp > 2:
        return f"Descent hits, by chance, a minimum that would not hold it, {where}."
    if step * float(exact.late_rate(S, a0**2 - b0**2)) > 2:
        return f"{'Catapult: the' if rose else 'The'} minimum of flow is too sharp; descent settles {where}."
    return f"Descent settles {where}."


def _walked(a0: float, b0: float, step: float) -> tuple[Array, Array]:
    """Return a and b after 0, 1, ..., LAST steps; inf or nan once they have left float64."""
    found = _grid().get((a0, b0, step))
    a, b = found if found is not None else _run(np.array(a0), np.array(b0), np.array(step))
    return a, b


@cache
def _grid() -> Mapping[tuple[float, float, float], tuple[Array, Array]]:
    """Return all paths of the built page, computed in one batch."""
    a0, b0, step = (x.ravel() for x in np.meshgrid(STARTS, STARTS, STEPS, indexing="ij"))
    a, b = _run(a0, b0, step)
    return {key: (a[:, i], b[:, i]) for i, key in enumerate(zip(a0.tolist(), b0.tolist(), step.tolist(), strict=True))}


def _run(a0: Array, b0: Array, step: Array) -> tuple[Array, Array]:
    """Descend from a batch of starts, each with a step of its own, which `simulate.gradient_descent` does not offer."""
    W: Weights = (a0[..., None, None], b0[..., None, None])
    eta, path = step[..., None, None], [W]
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(LAST):
            W = step_down(W, lambda layers: layer_gradients(layers, TASK), eta)
            path.append(W)
    a, b = (np.stack([W[i] for W in path])[..., 0, 0] for i in (0, 1))
    return a, b
