"""Excess error against the ratio of examples to inputs: at a time, at the best time, and when training never stops."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dlnlib import generalisation as theory
from dlnlib._validate import Array
from dlnlib.explore._model import Explorer, Panel, Part, Series, Slider, words

__all__ = ["double_descent"]

TIMES = (0.5, 1.0, 3.0, 10.0, 30.0, 100.0, 200.0, 1000.0)
NOISES = (0.01, 0.05, 0.25, 1.0)
STARTS = (0.0, 0.3, 1.0)
RATIOS = np.unique(
    np.concatenate([np.geomspace(0.2, 5.0, 25), 1 + np.array([-0.12, -0.07, -0.03, -0.01, 0.0, 0.01, 0.03, 0.07, 0.12])])
)
DRAWN = (0.2, 0.4, 0.6, 0.8, 0.9, 1.0, 1.1, 1.25, 1.6, 2.5, 5.0)
AROUND = (0.18, 5.6)  # so that no marker is cut by the edge
INPUTS, SPECTRA = 60, 40


@cache
def _spectra(ratio: float) -> Array:
    """Return the eigenvalues of drawn inputs, (SPECTRA, INPUTS)."""
    n = round(ratio * INPUTS)
    X = np.random.default_rng(n).standard_normal((SPECTRA, n, INPUTS))
    return np.asarray(np.maximum(np.linalg.eigvalsh(np.swapaxes(X, 1, 2) @ X / n), 0.0))


def drawn_error(time: float, ratio: float, noise: float, start: float) -> float:
    """Return the excess error for drawn inputs, averaged exactly over teacher, start and noise."""
    spectra = _spectra(ratio)
    clean = np.where(spectra > 1e-10, spectra, 0.0)
    return float(theory.error_given_spectrum(time, clean, round(ratio * INPUTS), noise, start=start).mean())


def _at(time: float, noise: float, start: float) -> dict[str, Any]:
    exact = np.array([theory.excess_error(time, ratio, noise, start=start)[0] for ratio in RATIOS])
    inner = np.flatnonzero((exact[1:-1] > exact[:-2]) & (exact[1:-1] > exact[2:])) + 1
    if len(inner):
        top = inner[np.argmax(exact[inner])]
        said = f"At t = {words(time)} the error peaks at α = {words(float(RATIOS[top]))} with {words(float(exact[top]))}."
    else:
        said = f"At t = {words(time)} there is no peak: more examples help."
    return {
        "ratio": RATIOS,
        "exact": exact,
        "drawn_ratio": DRAWN,
        "drawn": [drawn_error(time, ratio, noise, start) for ratio in DRAWN],
        "time": [time, time],
        "ends": [RATIOS[0], RATIOS[-1]],
        "say": said,
    }


def _best(noise: float, start: float) -> dict[str, Any]:
    stops = [theory.optimal_stopping(ratio, noise, start=start) for ratio in RATIOS]
    below, above = RATIOS[RATIOS < 0.985], RATIOS[RATIOS > 1.015]
    late = [[theory.late_error(ratio, noise, start=start) for ratio in side] for side in (below, above)]
    at_one = theory.optimal_stopping(1.0, noise, start=start)
    return {
        "ratio": RATIOS,
        "error": [stop.error for stop in stops],
        "time": [stop.time for stop in stops],
        "below": below,
        "late_below": late[0],
        "above": above,
        "late_above": late[1],
        "say": f"At α = 1 the best time is {words(at_one.time)}, with the error {words(at_one.error)}.",
    }


def double_descent() -> Explorer:
    """Return the chart of the excess error against the sample ratio, at a time that moves and at the best time.

    Time, noise and variance of the start move. Points are drawn inputs, 60 of them, dashed is `eq-excess-error`, solid
    the error at the best time (`def-best-stop`), grey the late error (`eq-late-error`); right, the best time.
    Chapter 7, `fig-double-descent`.
    """
    return Explorer(
        name="double-descent",
        controls=(
            Slider("time", "time t", TIMES, 200.0, log=True),
            Slider("noise", "noise σₑ²", NOISES, 0.25, log=True),
            Slider("start", "start σ₀²", STARTS, 0.0),
        ),
        parts=(
            Part("at", _at, ("time", "noise", "start"), digits=3),
            Part("best", _best, ("noise", "start"), digits=3),
        ),
        panels=(
            Panel("sample ratio α", "excess error G", x_log=True, y_log=True, x_domain=AROUND),
            Panel("sample ratio α", "time t (τ)", x_log=True, y_log=True, x_domain=AROUND),
        ),
        series=(
            Series("never stopped", "best", "below", "late_below", "other"),
            Series("", "best", "above", "late_above", "other"),
            Series("drawn", "at", "drawn_ratio", "drawn", "points", mode=0),
            Series("chosen time", "at", "ratio", "exact", "theory", mode=0),
            Series("best time", "best", "ratio", "error", "line", mode=1),
            Series("chosen time", "at", "ends", "time", "theory", mode=0, panel=1),
            Series("best time", "best", "ratio", "time", "line", mode=1, panel=1),
        ),
    )
