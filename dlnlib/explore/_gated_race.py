"""The race of one shared path with private ones, of tasks that agree and of tasks that ask for the opposite."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dlnlib._validate import Array
from dlnlib.explore._model import Explorer, Panel, Part, Series, Slider, words
from dlnlib.gated import race_end, race_flow, race_strengths

__all__ = ["neural_race"]

TASKS = (2, 4, 10)
DEPTHS = (2, 3, 4)
STARTS = (1e-4, 1e-3, 1e-2)
AGREEMENTS = (0.5, 0.55, 0.6, 0.7, 0.8, 0.9, 1.0)
POINTS = 41
GRID = np.linspace(0.5, 1.0, 41)


def _end(tasks: int, depth: int, start: float, agreement: float) -> tuple[float, float, float]:
    """Return the ends of the shared path and of private ones, of tasks that agree and of others (0 if there are none)."""
    if agreement == 1.0:
        alpha, beta = race_end([1.0], start, start, depth, counts=[tasks])
        return alpha, float(beta[0]), 0.0
    counts = [agreement * tasks, (1 - agreement) * tasks]
    alpha, beta = race_end([1.0, 1.0], start, start, depth, counts=counts, votes=[1, -1])
    return alpha, float(beta[0]), float(beta[1])


def _span(tasks: int, depth: int, start: float, agreement: float) -> float:
    """Return a time by which the race is decided: that of the faster path, and, where tasks differ, that of overriding it."""
    rate = max(2 * agreement - 1, 1 / tasks)
    p = 1 - 2 / depth
    way = -np.log(2 * start) if p == 0 else (start**-p - 0.5**-p) / p
    second = 0.0 if agreement == 1.0 else 0.8 * way * tasks
    return float((1.8 * way / rate + second) / depth + 4 * tasks**0.5)


def _course(tasks: int, depth: int, start: float, agreement: float) -> dict[str, Any]:
    t = np.linspace(0.0, _span(tasks, depth, start, agreement), POINTS)
    against: Array = np.zeros(POINTS)
    if agreement == 1.0:
        alpha, agree = race_strengths(t, 1.0, start, start, tasks, depth)
    else:
        q, own = agreement, 1 / tasks
        alpha, both = race_flow(t, [1, 1], start, start, depth, probabilities=[q, 1 - q], votes=[1, -1], shares=[own, own])
        agree, against = both
    ends = _end(tasks, depth, start, agreement)
    ahead = (2 * agreement - 1) * tasks
    verdict = (
        "more than one, so that small starts share"
        if ahead > 1 + 1e-9
        else "not more than one, so that small starts do not share"
    )
    others = "" if agreement == 1.0 else f", {words(ends[2])} for the others"
    return {
        "t": t,
        "shared": alpha,
        "agree": agree,
        "against": -against,
        "q": [agreement],
        "end": [ends[0]],
        "x_end": t[-1],
        "say": f"Those who agree are ahead by {words(ahead)}: {verdict}. In the end the shared path has {words(ends[0])} of 1; "
        f"private paths {words(ends[1])} for those who agree{others}.",
    }


@cache
def _ends(tasks: int, depth: int, start: float) -> dict[str, Any]:
    return {"q": GRID, "end": [_end(tasks, depth, start, float(q))[0] for q in GRID]}


def neural_race() -> Explorer:
    """Return the chart of the race of one shared path with a private path for each task.

    Number of tasks, depth, start of all paths and the share of tasks that agree move. Left, the strengths over time
    (`def-race-flow`); right, the shared strength at the end against that share (`eq-race-end`). Chapter 8, The race.
    """
    domain = ("tasks", "depth", "start")
    return Explorer(
        name="neural-race",
        controls=(
            Slider("agreement", "agreeing share", AGREEMENTS, 0.8),
            Slider("tasks", "tasks T", TASKS, 10, whole=True),
            Slider("depth", "depth L", DEPTHS, 2, whole=True),
            Slider("start", "start of all paths", STARTS, 1e-3, log=True),
        ),
        parts=(Part("course", _course, (*domain, "agreement"), digits=3), Part("ends", _ends, domain, digits=3)),
        panels=(
            Panel("time t (τ)", "strength of the path", x_end=("course",), y_domain=(-2.1, 1.1)),
            Panel("share of tasks that agree", "shared strength at the end", x_domain=(0.48, 1.02), y_domain=(-0.05, 1.05)),
        ),
        series=(
            Series("shared", "course", "t", "shared", "line", mode=0),
            Series("private, agrees", "course", "t", "agree", "line", mode=2),
            Series("private, opposite", "course", "t", "against", "line", mode=1),
            Series("end", "ends", "q", "end", "theory", panel=1),
            Series("chosen share", "course", "q", "end", "points", mode=0, panel=1),
        ),
    )
