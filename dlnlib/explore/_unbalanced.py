"""One mode of two layers that need not be balanced: its path in the plane and its clock."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any

import numpy as np

from dlnlib._validate import Array
from dlnlib.exact import hyperbola, late_rate, strength, time_to_strength, two_layer, two_layer_time
from dlnlib.explore._model import Explorer, Panel, Part, Series, Slider, words
from dlnlib.moments import Moments
from dlnlib.simulate import gradient_flow

__all__ = ["unbalanced_modes"]

TARGET = 1.0
STARTS = (-2.0, -1.9, -1.0, -0.5, -0.1, 0.0, 0.1, 0.5, 1.0, 1.9, 2.0)
TIMES = 7.0 * np.linspace(0.0, 1.0, 41) ** 1.6
REACH = 2.4  # of the plane
OTHERS = (-2.5, -0.7, 0.7, 2.5)  # imbalances whose hyperbolas stand behind every path
FLOOR = 1e-4  # of the logarithmic axis


def unbalanced_modes() -> Explorer:
    """Return the chart of one mode with target 1 whose two layers start at any strengths, of any signs.

    Both strengths move, by sliders or by a click into the plane. First panel: the path of the integrated flow on its
    hyperbola (`eq-conserved`), the minima, and the line from which nothing is learnt (`eq-stable-manifold`). The others:
    strength and missing part over time, flow against `eq-unbalanced-strength`, and what the formula for balanced layers
    (`eq-two-layer-logistic`) makes of the same initial strength. Chapter 3, `fig-unbalanced`.
    """
    controls = ("a0", "b0")
    return Explorer(
        name="unbalanced-modes",
        controls=(Slider("a0", "layer 1: start a₀", STARTS, 1.0), Slider("b0", "layer 2: start b₀", STARTS, -0.5)),
        parts=(
            Part("plane", _plane, ()),
            Part("branch", _branch, controls, digits=3),
            Part("path", _path, controls),
            Part("missing", _missing, controls, digits=3),
        ),
        panels=(
            Panel("layer 1: a", "layer 2: b", x_domain=(-REACH, REACH), y_domain=(-REACH, REACH), square=True, pick=controls),
            Panel("time t (τ)", "strength u", x_end=("path",)),
            Panel("time t (τ)", "missing |s − u|", y_log=True, y_domain=(FLOOR, 8.0), x_end=("path",)),
        ),
        series=(
            *(Series("", "plane", f"a_{k}", f"b_{k}", "other") for k in range(2 * len(OTHERS))),
            Series("minima ab = 1", "plane", "a_up", "b_up", "line"),
            Series("minima ab = 1", "plane", "a_down", "b_down", "line"),
            Series("never learnt, a = −b", "plane", "a_never", "b_never", "line", mode=3),
            Series("exact", "branch", "a", "b", "theory", mode=0),
            Series("flow", "path", "a", "b", "simulation", mode=0),
            Series("", "path", "a0", "b0", "points", mode=0),
            Series("flow", "path", "t", "u", "simulation", mode=0, panel=1),
            Series("exact", "path", "t", "exact", "theory", mode=0, panel=1),
            Series("balanced formula", "path", "t", "balanced", "theory", mode=1, panel=1),
            Series("flow", "missing", "t", "gap", "simulation", mode=0, panel=2),
            Series("exact", "missing", "t", "exact", "theory", mode=0, panel=2),
            Series("balanced formula", "missing", "t", "balanced", "theory", mode=1, panel=2),
        ),
        presets={
            "balanced and small": {"a0": 0.1, "b0": 0.1},
            "one layer strong": {"a0": 2.0, "b0": 0.1},
            "second layer zero": {"a0": 0.1, "b0": 0.0},
            "wrong sign, round the saddle": {"a0": 1.0, "b0": -0.5},
            "wrong sign, close to the line": {"a0": 2.0, "b0": -1.9},
            "never learnt": {"a0": 1.0, "b0": -1.0},
            "beyond the target": {"a0": 2.0, "b0": 1.9},
        },
        presets_label="Starts",
    )


def _plane() -> dict[str, Any]:
    """Return what is the same for every start: hyperbolas, both branches of the minima, and the stable manifold of the saddle."""
    a = np.geomspace(TARGET / REACH, REACH, 31)
    line = np.array([-REACH, REACH])
    behind = {}
    for k, (c, sign) in enumerate(product(OTHERS, (1, -1))):
        behind[f"a_{k}"], behind[f"b_{k}"] = (sign * values for values in hyperbola(c, REACH, 25))
    return {**behind, "a_up": a, "b_up": TARGET / a, "a_down": -a, "b_down": -TARGET / a, "a_never": line, "b_never": -line}


def _branch(a0: float, b0: float) -> dict[str, Any]:
    """Return the branch of the hyperbola a^2 - b^2 = c on which the start lies; for c = 0 the diagonal."""
    c = a0**2 - b0**2
    if c == 0:
        ends = np.array([-REACH, REACH])
        return {"a": ends, "b": ends if a0 == b0 else -ends}
    a, b = hyperbola(c, REACH, 25)
    sign = np.sign(a0 if c > 0 else b0)
    return {"a": sign * a, "b": sign * b}


def _path(a0: float, b0: float) -> dict[str, Any]:
    """Return both strengths and their product over time, simulated, exact, and by the balanced formula."""
    a, b = _layers(a0, b0)
    exact = two_layer(TIMES, TARGET, a0, b0).u
    balanced = strength(TIMES, TARGET, a0 * b0, 2)
    return {
        "t": TIMES,
        # Three decimals are finer than the picture and keep the page small.
        **{
            name: np.round(values, 3)
            for name, values in (("a", a), ("b", b), ("u", a * b), ("exact", exact), ("balanced", balanced))
        },
        "a0": [a0],
        "b0": [b0],
        "x_end": _end(a0, b0),
        "say": _say(a0, b0, float(np.abs(a * b - exact).max()), float(np.abs(balanced - exact).max())),
    }


def _missing(a0: float, b0: float) -> dict[str, Any]:
    """Return how far the strength is from its target, not below a tenth of the axis' lower end."""
    a, b = _layers(a0, b0)
    gaps = {
        "gap": TARGET - a * b,
        "exact": two_layer(TIMES, TARGET, a0, b0).gap,
        "balanced": TARGET - strength(TIMES, TARGET, a0 * b0, 2),
    }
    return {"t": TIMES, **{name: np.maximum(np.abs(gap), FLOOR / 10) for name, gap in gaps.items()}}


def _layers(a0: float, b0: float) -> tuple[Array, Array]:
    """Return both layer strengths along the integrated flow, shape (n_t,) each."""
    if a0 in STARTS and b0 in STARTS:
        a, b = _all_starts()
        return a[:, STARTS.index(a0), STARTS.index(b0)], b[:, STARTS.index(a0), STARTS.index(b0)]
    a, b = _flow(np.array(a0), np.array(b0))
    return a, b


@cache
def _all_starts() -> tuple[Array, Array]:
    a0, b0 = np.meshgrid(STARTS, STARTS, indexing="ij")
    return _flow(a0, b0)


def _flow(a0: Array, b0: Array) -> tuple[Array, Array]:
    path = gradient_flow((a0[..., None, None], b0[..., None, None]), Moments.white([[TARGET]]), TIMES, rtol=1e-11)
    return path.weights[0][..., 0, 0], path.weights[1][..., 0, 0]


def _near(u0: float) -> float:
    """Return the strength at which what starts at u0 has come within a tenth of its target."""
    return float(np.clip(u0, 0.9 * TARGET, 1.1 * TARGET))


def _end(a0: float, b0: float) -> float:
    """Return where the time axis ends: when flow and balanced formula have both come close, if they do."""
    late = [0.5]
    u0 = a0 * b0
    close = u0 if abs(u0 - TARGET) < 0.005 else TARGET + 0.005 * np.sign(u0 - TARGET)
    late += [float(two_layer_time(close, TARGET, a0, b0))] if a0 != -b0 else [TIMES[-1]]
    late += [float(time_to_strength(close, TARGET, u0, 2))] if u0 > 0 else [TIMES[-1]]
    return min(1.05 * max(late), TIMES[-1])


def _say(a0: float, b0: float, error: float, balanced_error: float) -> str:
    u0, c = a0 * b0, a0**2 - b0**2
    if a0 == b0 == 0:
        return "Both layers are zero: the start is the saddle, and nothing ever moves."
    agree = f"Flow and exact formula differ by at most {words(error, 1)}."
    if a0 == -b0:
        return f"a₀ = −b₀: the mode ends in the saddle and is never learnt, u goes from {words(u0)} to 0. {agree}"
    reached = words(float(two_layer_time(_near(u0), TARGET, a0, b0)))
    said = f"c = {words(c)}, late rate κ = {words(float(late_rate(TARGET, c)))}. Within 10% of the target at t = {reached}"
    if c == 0:
        return f"{said}; the layers are balanced. {agree}"
    if u0 <= 0:
        return f"{said}; the balanced formula with u₀ = {words(u0)} says never. {agree}"
    balanced = words(float(time_to_strength(_near(u0), TARGET, u0, 2)))
    return f"{said}, by the balanced formula at {balanced}, which errs by up to {words(balanced_error, 2)}. {agree}"
