"""Which hidden width the evidence prefers at a finite number of samples, and which one counting parameters would."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dlnlib._validate import Array
from dlnlib.explore._model import Explorer, Panel, Part, Series, Slider, words
from dlnlib.slt import LearningCoefficient, learning_coefficient

__all__ = ["choose_width"]

ENDS, STRONG = 5, (2.0, 0.5)
WIDTHS = tuple(range(ENDS + 1))
SIZES = (*(float(m * 10**k) for k in range(1, 6) for m in (1, 2, 5)), 1e6)
STRENGTHS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
GRID = np.logspace(1, 6, 251)
TOP = 16.0  # of the axis


@cache
def coefficient(hidden: int, rank: int) -> LearningCoefficient:
    """Return lambda and m of five inputs, these hidden neurons and five outputs, at the rank or the most that fits through."""
    return learning_coefficient((ENDS, hidden, ENDS), min(rank, hidden))


def free_energies(n: float, s3: float) -> tuple[Array, Array]:
    """Return the leading orders of the expected free energy for h = 0..5, with lambda and m, and with d/2 (`eq-model-selection`).

    n : sample size. s3 : third singular value of the teacher, beside 2 and 1/2; noise of variance one. Without hidden neurons
    the map is zero, and has no parameters.
    """
    strengths = np.sort([*STRONG, s3])[::-1]
    misfit = n * np.array([0.5 * np.sum(strengths[h:] ** 2) for h in WIDTHS])
    found = [coefficient(h, int(np.sum(strengths > 0))) for h in WIDTHS[1:]]
    exact = [float(one) * np.log(n) - (one.multiplicity - 1) * np.log(np.log(n)) for one in found]
    counted = [float(one.regular) * np.log(n) for one in found]
    return misfit + np.array([0.0, *exact]), misfit + np.array([0.0, *counted])


def _at(n: float, s3: float) -> dict[str, Any]:
    exact, counted = (F / np.log(n) for F in free_energies(n, s3))
    best, other = int(np.argmin(exact)), int(np.argmin(counted))
    rank = 3 if s3 > 0 else 2
    said = f"The teacher has rank {rank}. At n = {words(n)} the free energy prefers h = {best}, "
    said += f"and BIC {'as well' if best == other else f'h = {other}'}. "
    wide = [words(float(F[ENDS] - F[rank])) for F in (exact, counted)]
    said += f"Above a width of {rank}, h = {ENDS} costs {wide[0]} ln n, by BIC {wide[1]} ln n."
    return {
        "h": WIDTHS,
        "exact": exact - exact.min(),
        "counted": counted - counted.min(),
        "n": [np.log10(n)],
        "best": [best],
        "other": [other],
        "say": said,
    }


def _preferred(s3: float) -> dict[str, Any]:
    chosen = np.array([[np.argmin(F) for F in free_energies(n, s3)] for n in GRID])
    return {**_stairs("exact", chosen[:, 0]), **_stairs("counted", chosen[:, 1])}


def _stairs(name: str, chosen: Array) -> dict[str, Any]:
    """Return the corners of a line that jumps between grid points where the choice changes."""
    jumps = np.flatnonzero(np.diff(chosen)) + 1
    at = np.log10([GRID[0], *np.repeat(np.sqrt(GRID[jumps - 1] * GRID[jumps]), 2), GRID[-1]])
    return {f"{name}_n": at, name: np.repeat(chosen[[0, *jumps]], 2)}


def choose_width() -> Explorer:
    """Return the chart of free energies of networks of several hidden widths, and of the width that is preferred.

    Number of samples and third singular value of the teacher move; the others are 2 and 1/2. Left, how far the free energy
    is above its least, in units of ln n, with the learning coefficient and with d/2 (`eq-model-selection`); right, the width
    of the least, against the number of samples. Chapter 12, `fig-choose-width`.
    """
    ours, bic = "learning coefficient", "BIC, d/2"
    return Explorer(
        name="choose-width",
        controls=(
            Slider("n", "samples n", SIZES, 1000.0, log=True),
            Slider("s3", "third strength s₃", STRENGTHS, 0.2),
        ),
        parts=(
            Part("at", _at, ("n", "s3")),
            Part("preferred", _preferred, ("s3",)),
        ),
        panels=(
            Panel("hidden width h", "(F − min F) / ln n", x_domain=(-0.3, 5.3), y_domain=(-0.7, TOP)),
            Panel("log₁₀ samples n", "preferred h", x_domain=(0.8, 6.2), y_domain=(-0.3, 5.3)),
        ),
        series=(
            Series("", "at", "h", "exact", "theory", mode=0),
            Series("", "at", "h", "counted", "theory", mode=1),
            Series(ours, "at", "h", "exact", "points", mode=0),
            Series(bic, "at", "h", "counted", "points", mode=1),
            Series("", "preferred", "exact_n", "exact", "line", mode=0, panel=1),
            Series("", "preferred", "counted_n", "counted", "theory", mode=1, panel=1),
            Series(ours, "at", "n", "best", "points", mode=0, panel=1),
            Series(bic, "at", "n", "other", "points", mode=1, panel=1),
        ),
    )
