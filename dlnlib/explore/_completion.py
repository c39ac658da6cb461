"""Completing a small matrix by depth: error and effective rank in time, beside the least nuclear norm."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dlnlib._validate import Array
from dlnlib.completion import Completion, factorised_descent, small_task, stored_small_error
from dlnlib.explore._model import Choice, Explorer, Panel, Part, Series, Slider, words
from dlnlib.initialise import gaussian
from dlnlib.lowrank import effective_rank

__all__ = ["completion_paths"]

DEPTHS = (1, 2, 3, 4)
STARTS = (0.01, 0.03, 0.1, 0.3)
SEEN = {"25 of 100": 25, "35 of 100": 35, "50 of 100": 50}
MATRICES = {"first": 0, "second": 1}
STEP, STEPS = 0.05, 6000
KEPT = tuple(np.unique(np.geomspace(8, STEPS, 64).round().astype(int)).tolist())


def _run(depth: int, cases: tuple[tuple[float, int, int], ...]) -> tuple[Array, Array, Array]:
    """Return error, effective rank (n_t, n_cases) and last loss (n_cases,) of descents (start, seen, matrix), in one batch."""
    tasks = [small_task(seen, matrix) for _, seen, matrix in cases]
    whole = Completion(np.stack([task.target for task in tasks]), np.stack([task.mask for task in tasks]))
    # Every start is the same draw, scaled.
    layers = gaussian((10,) * (depth + 1), rng=np.random.default_rng(0), scale=1.0)
    scale = np.array([start for start, _, _ in cases])[:, None, None]
    path = factorised_descent(tuple(scale * W for W in layers), whole.gradient, STEP, STEPS, record=KEPT).product
    return whole.error(path), effective_rank(path), whole.loss(path[-1])


@cache
def _grid(depth: int) -> dict[tuple[float, int, int], tuple[Array, Array, float]]:
    cases = tuple((start, seen, matrix) for start in STARTS for seen in SEEN.values() for matrix in MATRICES.values())
    error, rank, loss = _run(depth, cases)
    return {case: (error[:, i], rank[:, i], float(loss[i])) for i, case in enumerate(cases)}


def _path(depth: int, start: float, seen: str, matrix: str) -> dict[str, Any]:
    case = (start, SEEN[seen], MATRICES[matrix])
    if start in STARTS:
        error, rank, loss = _grid(depth)[case]
    else:
        errors, ranks, losses = _run(depth, (case,))
        error, rank, loss = errors[:, 0], ranks[:, 0], float(losses[0])
    nuclear = stored_small_error(case[1], case[2])
    t = STEP * np.array(KEPT)
    return {
        "t": t,
        "error": error,
        "rank": rank,
        "ends": t[[0, -1]],
        "nuclear": [nuclear, nuclear],
        "one": [1.0, 1.0],
        "say": _say(depth, float(error[-1]), float(rank[-1]), loss, nuclear),
    }


def _say(depth: int, error: float, rank: float, loss: float, nuclear: float) -> str:
    ends = f"relative error {words(error)}, effective rank {words(rank)}; least nuclear norm: error {words(nuclear)}."
    if loss > 1e-2:
        return f"Not yet fitted at t = {words(STEP * STEPS)}: {ends}"
    if depth == 1:
        return f"One layer fits what is seen and leaves the rest as it was: {ends}"
    verdict = (
        "recovered" if error < 0.02 else "of low rank, but not the right one" if rank < 1.1 and error > 0.5 else "not recovered"
    )
    return f"What is seen is fitted, the matrix is {verdict}: {ends}"


def completion_paths() -> Explorer:
    """Return the chart of completing a 10 x 10 matrix of rank one by gradient descent on one to four layers.

    Depth, start, the number of seen entries and the matrix move (`def-completion-loss`). Left, the relative error over
    all entries against time and that of the least nuclear norm (`eq-nuclear-dual`); right, the effective rank
    (`def-effective-rank`). Chapter 6, Completing a matrix.
    """
    return Explorer(
        name="completion-paths",
        controls=(
            Slider("depth", "depth L", DEPTHS, 3, whole=True),
            Slider("start", "size of the start", STARTS, 0.03, log=True),
            Choice("seen", "seen entries", tuple(SEEN), "35 of 100"),
            Choice("matrix", "matrix", tuple(MATRICES), "first"),
        ),
        parts=(Part("path", _path, ("depth", "start", "seen", "matrix"), digits=3),),
        panels=(
            Panel("time t (τ)", "relative error", x_log=True, x_domain=(0.4, 300.0)),
            Panel("time t (τ)", "effective rank", x_log=True, x_domain=(0.4, 300.0), y_domain=(0.0, 10.0)),
        ),
        series=(
            Series("error", "path", "t", "error", "simulation", mode=0),
            Series("least nuclear norm", "path", "ends", "nuclear", "theory"),
            Series("effective rank", "path", "t", "rank", "simulation", mode=1, panel=1),
            Series("rank of the matrix", "path", "ends", "one", "theory", panel=1),
        ),
    )
