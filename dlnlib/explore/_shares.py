"""Which modes of random inputs are learnt at a time, which of them should be, and what each adds to the error."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlnlib import generalisation as theory
from dlnlib._validate import Array
from dlnlib.explore._model import Explorer, Panel, Part, Series, Slider, words

__all__ = ["modes_learnt"]

RATIOS = (0.25, 0.5, 1.0, 2.0, 4.0)
NOISES = (0.01, 0.05, 0.25, 1.0)
TIMES = (0.25, 0.5, 1.0, 2.0, 4.0, 10.0, 30.0, 100.0)
WEAKEST = 1e-3  # at a ratio of one the spectrum reaches zero; the axis does not
POINTS = 38


def eigenvalues(ratio: float) -> Array:
    """Return eigenvalues over the spectrum, equal ratios apart, from the lower edge or 0.001 to the upper edge."""
    low, high = theory.marchenko_pastur_edges(ratio)
    return np.geomspace(max(low, WEAKEST), high, POINTS)


def _spectrum(ratio: float) -> dict[str, Any]:
    lam = eigenvalues(ratio)
    # On a logarithmic axis equal areas are equal numbers of modes when the density is that of ln(lambda).
    density = lam * theory.marchenko_pastur_density(lam, ratio)
    return {"lam": lam, "density": density / density.max()}


def _ideal(ratio: float, noise: float) -> dict[str, Any]:
    lam = eigenvalues(ratio)
    return {"lam": lam, "share": lam / (lam + theory.optimal_ridge(ratio, noise).penalty)}


def _at(ratio: float, noise: float, time: float) -> dict[str, Any]:
    lam = eigenvalues(ratio)
    share = -np.expm1(-lam * time)
    signal = theory.mode_error(time, lam, ratio, 0.0)
    whole = theory.mode_error(time, lam, ratio, noise)
    ideal = _ideal(ratio, noise)["share"]
    stop = theory.optimal_stopping(ratio, noise)
    error = float(theory.excess_error(time, ratio, noise)[0])
    frozen = f" {words(100 * (1 - ratio))} % of the modes are frozen." if ratio < 1 else ""
    return {
        "lam": lam,
        "share": share,
        "signal": signal,
        "noise": whole - signal,
        "say": f"Weakest mode shown: {_percent(share[0])} learnt, {_percent(ideal[0])} would be best; strongest: "
        f"{_percent(share[-1])}, best {_percent(ideal[-1])}. Excess error {words(error)}, "
        f"least {words(stop.error)} at t = {words(stop.time)}.{frozen}",
    }


def _percent(share: float) -> str:
    return f"{words(100 * share, 2)} %" if share < 0.995 else "over 99 %"


def modes_learnt() -> Explorer:
    """Return the chart of the share of each mode that is learnt at a time, beside the share that would be best.

    Time, sample ratio and noise move. Left, over the Marchenko-Pastur spectrum (`def-marchenko-pastur`), the share
    learnt, and the share that is best for each mode, which is that of ridge regression (`eq-ridge-modes`). Right, the two
    parts of the error of each mode (`eq-mode-error`). Chapter 7, `fig-modes-learnt`.
    """
    return Explorer(
        name="modes-learnt",
        controls=(
            Slider("time", "time t", TIMES, 4.0, log=True),
            Slider("ratio", "sample ratio α", RATIOS, 2.0, log=True),
            Slider("noise", "noise σₑ²", NOISES, 0.25, log=True),
        ),
        parts=(
            Part("spectrum", _spectrum, ("ratio",), digits=3),
            Part("ideal", _ideal, ("ratio", "noise"), digits=3),
            Part("at", _at, ("ratio", "noise", "time"), digits=3),
        ),
        panels=(
            Panel("eigenvalue λ", "share learnt", x_log=True, y_domain=(0.0, 1.05)),
            Panel("eigenvalue λ", "error of the mode", x_log=True),
        ),
        series=(
            Series("density of ln λ", "spectrum", "lam", "density", "other"),
            Series("learnt by now", "at", "lam", "share", "line", mode=0),
            Series("best (ridge)", "ideal", "lam", "share", "theory", mode=1),
            Series("not learnt yet", "at", "lam", "signal", "line", mode=2, panel=1),
            Series("noise learnt", "at", "lam", "noise", "line", mode=3, panel=1),
        ),
    )
