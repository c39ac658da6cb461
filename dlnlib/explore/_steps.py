"""One layer, step by step: which direction is slow, which swings, and where descent runs away."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlnlib._validate import Array
from dlnlib.exact import linear_regression_descent
from dlnlib.explore._model import Explorer, Panel, Part, Series, Slider, words
from dlnlib.initialise import orthogonal
from dlnlib.moments import Moments
from dlnlib.network import loss
from dlnlib.simulate import gradient_descent

Mask = NDArray[np.bool_]

__all__ = ["one_layer_steps"]

CONDITIONS = (1.0, 2.0, 4.0, 10.0, 30.0, 100.0)
SHARES = (0.05, 0.1, 0.2, 0.35, 0.5, 2 / 3, 0.8, 10 / 11, 30 / 31, 100 / 101, 1.0, 1.01, 1.05, 1.1, 1.25)  # with each best step
DIRECTIONS = 4
STEPS, FLOOR = 100, 1e-9  # steps shown; what is smaller is drawn as this, below the panel
MOST_STEPS = 5000  # that are simulated for the sentence


def one_layer_steps() -> Explorer:
    """Return the chart of gradient descent on one layer (chapter 1, after `def-condition-number`).

    Four input directions of variance 1 down to 1 / (condition number), which the reader sets together with the step.
    Errors of the directions and loss, descent against `eq-regression-descent`; the factor of each direction a step,
    between its limits `eq-stability-limit` and with the best compromise `eq-best-step`; the path in the plane of the
    fastest and the slowest direction.
    """
    names = ("1, fastest", "2", "3", "4, slowest")
    series = []
    for k, name in enumerate(names):
        series.append(Series(f"direction {name}", "errors", "n", f"descent_{k + 1}", "simulation", k))
        series.append(Series("closed form", "errors", "n", f"exact_{k + 1}", "theory", k))
    series += [
        Series("", "factors", "edge_x", "edge_y", "other", None, 1),
        Series("", "factors", "curve_x", "curve_y", "theory", None, 1),
        *(Series("", "factors", f"x_{k + 1}", f"y_{k + 1}", "points", k, 1) for k in range(DIRECTIONS)),
        Series("loss", "errors", "n", "loss", "simulation", None, 2),
        Series("", "errors", "n", "loss_exact", "theory", None, 2),
        Series("equal loss", "valley", "x", "y", "other", None, 3),
        Series("", "path", "slow", "fast", "line", None, 3),
        Series("", "path", "slow", "fast", "points", None, 3),
    ]
    both = ("condition", "share")
    return Explorer(
        name="one-layer-steps",
        controls=(
            Slider("condition", "condition number", CONDITIONS, 10.0, log=True),
            Slider("share", "step η / limit", SHARES, 0.8),
        ),
        parts=(
            Part("errors", errors, both, digits=3),
            Part("factors", factors, both),
            Part("path", path, both, digits=3),
            Part("valley", valley, ("condition",), digits=3),
        ),
        panels=(
            Panel("steps n", "size of the error", y_log=True, x_domain=(0, STEPS), y_domain=(1e-4, 30), height=200),
            Panel("η λ", "factor a step, |1 − η λ|", x_domain=(0, 2.6), y_domain=(0, 1.6), height=200),
            Panel("steps n", "loss / first loss", y_log=True, x_domain=(0, STEPS), y_domain=(1e-6, 100), height=200),
            Panel("error, slowest", "error, fastest", x_domain=(-1.5, 1.5), y_domain=(-1.5, 1.5), height=200),
        ),
        series=tuple(series),
        presets={
            "half of the limit": {"condition": 100.0, "share": 0.5},
            "the best step, at 100": {"condition": 100.0, "share": 100 / 101},
            "the best step, at 10": {"condition": 10.0, "share": 10 / 11},
            "just above the limit": {"condition": 100.0, "share": 1.01},
        },
    )


def errors(condition: float, share: float) -> dict[str, Any]:
    """Return the error of each direction and the loss, step by step, and what they mean."""
    task = _task(condition)
    factor = _factors(condition, share)
    last = _in_view(factor, STEPS)
    kept = [n for n in (*range(11), *range(12, 20, 2), *range(20, STEPS + 1, 10)) if n < last] + [last]
    found: dict[str, Any] = {"n": np.array(kept)}
    for name, run in (("descent", _descent(condition, share, last, kept)), ("exact", _exact(condition, share, last, kept))):
        size = np.maximum(np.abs(run), FLOOR)
        found |= {f"{name}_{k + 1}": size[:, k] for k in range(DIRECTIONS)}
        fall = loss((_maps(run),), task) / loss((_maps(np.ones((1, DIRECTIONS))),), task)
        found["loss" if name == "descent" else "loss_exact"] = np.maximum(fall, FLOOR)
    return found | {"say": _sentence(condition, share, factor)}


def factors(condition: float, share: float) -> dict[str, Any]:
    """Return the factor of each direction in one step of descent, and the curve on which all of them lie."""
    x = 2 * share * _eigenvalues(condition)
    y = np.abs(_descent(condition, share, 1, [1])[0])
    found = {f"x_{k + 1}": x[[k]] for k in range(DIRECTIONS)} | {f"y_{k + 1}": y[[k]] for k in range(DIRECTIONS)}
    curve = {"curve_x": np.array([0.0, 1.0, 2.6]), "curve_y": np.array([1.0, 0.0, 1.6])}
    return {**found, **curve, "edge_x": np.array([0.0, 2.6]), "edge_y": np.ones(2)}


def path(condition: float, share: float) -> dict[str, Any]:
    """Return the first fifteen steps in the plane of the slowest and the fastest direction, or fewer that leave the view."""
    last = _in_view(_factors(condition, share), 15)
    run = _descent(condition, share, last, list(range(last + 1)))
    return {"slow": run[:, -1], "fast": run[:, 0]}


def valley(condition: float) -> dict[str, Any]:
    """Return the curve of the loss at the start of the path, with no error in the other two directions."""
    values = _eigenvalues(condition)
    angle = np.linspace(0, 2 * np.pi, 121)
    level = np.sqrt(values[0] + values[-1])
    return {"x": level * np.cos(angle) / np.sqrt(values[-1]), "y": level * np.sin(angle) / np.sqrt(values[0])}


# -- one layer -------------------------------------------------------------------------------------------------------


def _eigenvalues(condition: float) -> Array:
    return np.geomspace(1.0, 1.0 / condition, DIRECTIONS)


@cache
def _basis() -> Array:
    """Return directions that mix all four inputs, (4, 4), one a column."""
    return orthogonal((DIRECTIONS, DIRECTIONS), rng=np.random.default_rng(1))[0]


@cache
def _task(condition: float) -> Moments:
    """Return the task whose map has the weight -1 along every direction, so that the error of the zero map is +1."""
    Q = _basis()
    return Moments.from_teacher(-Q.sum(axis=1)[None], (Q * _eigenvalues(condition)) @ Q.T)


def _maps(components: Array) -> Array:
    """Return the maps (n, 1, 4) whose errors have these components (n, 4)."""
    return ((components - 1) @ _basis().T)[:, None]


def _descent(condition: float, share: float, last: int, kept: list[int]) -> Array:
    """Return the simulated error (n, 4), one column a direction; `share` is the step in units of 2 / λ_max, and λ_max = 1."""
    W0 = np.zeros((1, DIRECTIONS))
    return gradient_descent((W0,), _task(condition), 2 * share, last, record=kept).product[:, 0] @ _basis() + 1


def _exact(condition: float, share: float, last: int, kept: list[int]) -> Array:
    W0 = np.zeros((1, DIRECTIONS))
    return linear_regression_descent(W0, _task(condition), 2 * share, last, record=kept).product[:, 0] @ _basis() + 1


def _factors(condition: float, share: float) -> Array:
    """Return the factor of every direction, by the closed form, with rounding removed."""
    return np.round(_exact(condition, share, 1, [1])[0], 12)


def _in_view(factor: Array, most: int) -> int:
    """Return how many steps to run: fewer than `most` where an error grows more than a hundredfold."""
    worst = np.abs(factor).max()
    return most if worst <= 1 else min(most, 1 + int(np.log(100) / np.log(worst)))


# -- in words --------------------------------------------------------------------------------------------------------


def _sentence(condition: float, share: float, factor: Array) -> str:
    size = np.abs(factor)
    worst = float(size.max())
    if worst == 0:
        return "The best step: every factor is 0, and one step is enough."
    if worst == 1:
        who, s = _names(size == 1)
        rest = " The others shrink." if condition > 1 else ""
        return f"The limit: {who} change{s} sign at every step and never shrink{s}.{rest}"
    if worst > 1:
        who, s = _names(size > 1)
        after = _count(condition, share, worst, 10.0)
        by = ("up to " if np.ptp(size[size > 1]) > 1e-9 else "") + words(worst, 4)
        return f"Descent diverges: {who} grow{s} by {by} a step, changing sign; the error is tenfold after {after}."
    slow = "all alike" if condition == 1 else _names(size > worst - 1e-9)[0]
    best = "The best step. " if abs(share * (condition + 1) - condition) < 1e-9 else ""
    after = _count(condition, share, worst, 0.01)
    say = f"{best}Slowest: {slow}, factor {words(worst, 4)} a step; every error is below 1 % after {after}."
    if np.any(factor < 0):
        who, s = _names(factor < 0)
        say += f" {who.capitalize()} change{s} sign at every step."
    return say


def _names(which: Mask) -> tuple[str, str]:
    """Return the directions in words, and the s of a verb that follows."""
    numbers = [str(k + 1) for k in np.flatnonzero(which)]
    if len(numbers) == DIRECTIONS:
        return "every direction", "s"
    if len(numbers) == 1:
        return f"direction {numbers[0]}", "s"
    return "directions " + (" and ".join(numbers) if len(numbers) == 2 else ", ".join(numbers)), ""


def _count(condition: float, share: float, worst: float, level: float) -> str:
    """Return after how many steps the largest error has passed the level, simulated and by the closed form, in words."""
    exact = int(np.ceil(np.log(level) / np.log(worst) - 1e-9))
    if exact > MOST_STEPS:
        return f"{exact} steps by the formula"
    run = np.abs(_descent(condition, share, exact + 1, list(range(exact + 2)))).max(axis=1)
    passed = run <= level if level < 1 else run >= level
    return f"{int(np.argmax(passed))} steps (formula {exact})"
