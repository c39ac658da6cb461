"""Related tasks in one network: what the width does to the transfer between them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dlnlib.explore._model import Explorer, Panel, Part, Series, Slider, words
from dlnlib.global_gates import CHART_CORRELATIONS, CHART_EXAMPLES, CHART_WIDTHS, stored_curves, transfer_curve

__all__ = ["transfer_between_tasks"]

LIVE_SEEDS = 2  # between the positions of the page, where nothing is stored


@cache
def _curve(correlation: float, examples: int) -> dict[str, Any]:
    stored = stored_curves().get((correlation, examples))
    return stored if stored is not None else dict(transfer_curve(correlation, examples, seeds=LIVE_SEEDS))


def _curves(correlation: float, examples: int) -> dict[str, Any]:
    found, ends = _curve(correlation, examples), [CHART_WIDTHS[0], CHART_WIDTHS[-1]]
    return {
        "N": CHART_WIDTHS,
        "error": found["theory"],
        "alike": found["correlation"],
        "ends": ends,
        "wide": [found["wide"]] * 2,
        "pooled": [found["pooled"]] * 2,
        "truth": [correlation] * 2,
    }


def _chosen(correlation: float, examples: int, width: int) -> dict[str, Any]:
    found = _curve(correlation, examples)
    at = np.log(CHART_WIDTHS)
    error = float(np.exp(np.interp(np.log(width), at, np.log(found["theory"]))))
    alike = float(np.interp(np.log(width), at, found["correlation"]))
    ratio = found["wide"] / error
    verdict = f"{words(ratio, 2)} times less than" if ratio > 1.05 else "about as much as" if ratio > 0.95 else "more than"
    return {
        "N": [width],
        "error": [error],
        "alike": [alike],
        "say": f"Width {width}: test error {words(error, 2)}, {verdict} in the wide limit ({words(found['wide'], 2)}); "
        f"tasks taken for one: {words(found['pooled'], 2)}. Correlation of the tasks in U {words(round(alike, 2), 2)}, "
        f"of their teachers {words(correlation, 2)}.",
    }


def transfer_between_tasks() -> Explorer:
    """Return the chart of three related tasks in one network with one gate a task.

    Correlation of the teachers, examples of each task and width move. Left, the test error of the saddle point
    (`eq-saddle-point`) over widths, that of the wide limit (`eq-strangers`) and that of pooled tasks; right, the correlation
    between tasks in U. Means over five draws of tasks. Chapter 9, `fig-transfer`.
    """
    return Explorer(
        name="transfer-between-tasks",
        controls=(
            Slider("correlation", "correlation of the teachers", CHART_CORRELATIONS, 0.8),
            Slider("examples", "examples of each task", CHART_EXAMPLES, 24, whole=True),
            Slider("width", "width N", CHART_WIDTHS, 6, log=True, whole=True),
        ),
        parts=(
            Part("curves", _curves, ("correlation", "examples"), digits=3),
            Part("chosen", _chosen, ("correlation", "examples", "width"), digits=3),
        ),
        panels=(
            Panel("width N", "test error", x_log=True, y_log=True, x_domain=(1.7, 1200.0)),
            Panel("width N", "correlation in U", x_log=True, x_domain=(1.7, 1200.0), y_domain=(-0.3, 1.05)),
        ),
        series=(
            Series("one network, a gate a task", "curves", "N", "error", "line", mode=0),
            Series("wide limit", "curves", "ends", "wide", "theory"),
            Series("tasks taken for one", "curves", "ends", "pooled", "other"),
            Series("chosen width", "chosen", "N", "error", "points", mode=3),
            Series("in U", "curves", "N", "alike", "line", mode=0, panel=1),
            Series("of the teachers", "curves", "ends", "truth", "theory", mode=1, panel=1),
            Series("chosen width", "chosen", "N", "alike", "points", mode=3, panel=1),
        ),
    )
