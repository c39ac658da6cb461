"""The table of completion errors over depths, starts and seen shares: computed by a command, stored, read by the book."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlnlib import _stored
from dlnlib._validate import Array, as_count, as_scalar, as_seeds
from dlnlib.completion._learning import factorised_descent
from dlnlib.completion._nuclear import Minimiser, duality_gap, minimum_nuclear_norm
from dlnlib.completion._task import Completion, random_task
from dlnlib.initialise import gaussian
from dlnlib.lowrank import effective_rank

__all__ = ["METHODS", "build", "run_cell", "small_task", "stored_minimiser", "stored_small_error", "stored_table", "task_of"]

SIZE, RANK, SHARES, SEEDS = 30, 2, (0.2, 0.25, 0.3), 10
#: label -> (depth, standard deviation of every starting entry, step size, number of steps); None is the nuclear norm.
METHODS: dict[str, tuple[int, float, float, int] | None] = {
    "L = 2, 1e-2": (2, 1e-2, 0.1, 10_000),
    "L = 2, 1e-4": (2, 1e-4, 0.1, 10_000),
    "L = 3, 3e-2": (3, 3e-2, 0.05, 20_000),
    "L = 3, 1e-2": (3, 1e-2, 0.05, 20_000),
    "L = 3, 3e-3": (3, 3e-3, 0.05, 30_000),
    "nuclear norm": None,
}


def task_of(share: float, seed: int) -> Completion:
    """Return the task of one cell and seed: 30 x 30, rank 2, largest singular value 3."""
    return random_task(SIZE, RANK, share, rng=np.random.default_rng([seed, round(100 * share)]))


def run_cell(method: str, share: float, seeds: Sequence[int]) -> tuple[Array, Array, Array]:
    """Return relative error, effective rank and misfit of one method on the tasks of a seen share, (n_seeds,) each.

    method : a label of METHODS; all but "nuclear norm" are gradient descents, run as one batch. share : of the entries
    that are seen, one of 0.2, 0.25, 0.3 for what is stored, any in (0, 1] otherwise. seeds : of tasks and starts.
    misfit : relative error on the seen entries alone; what has not converged shows here.
    """
    if not isinstance(method, str) or method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    p = as_scalar("share", share)
    numbers = as_seeds(seeds)
    tasks = [task_of(p, seed) for seed in numbers]
    recipe = METHODS[method]
    whole = Completion(np.stack([task.target for task in tasks]), np.stack([task.mask for task in tasks]))
    if recipe is None:
        found = np.stack([minimum_nuclear_norm(task).matrix for task in tasks])
    else:
        depth, scale, step, n_steps = recipe
        starts = [gaussian((SIZE,) * (depth + 1), rng=np.random.default_rng([seed, 7]), scale=scale) for seed in numbers]
        start = tuple(np.stack(layers) for layers in zip(*starts, strict=True))
        found = factorised_descent(start, whole.gradient, step, n_steps, record=[n_steps]).product[-1]
    seen = np.linalg.norm(np.where(whole.mask, whole.target, 0.0), axis=(-2, -1))
    return whole.error(found), effective_rank(found), np.sqrt(2 * whole.loss(found)) / seen


def small_task(seen: int, matrix: int) -> Completion:
    """Return a 10 x 10 matrix of rank one, largest singular value 3, with `seen` of its 100 entries seen.

    seen : from 1 to 100; what is seen with fewer is also seen with more. matrix : its number, any count from 0.
    """
    generator = np.random.default_rng([as_count("matrix", matrix, minimum=0), 10])
    if as_count("seen", seen) > 100:
        raise ValueError(f"seen must be at most 100, got {seen}")
    M = np.outer(generator.standard_normal(10), generator.standard_normal(10))
    order = generator.permutation(100).reshape(10, 10)
    return Completion(3.0 * M / np.linalg.norm(M, 2), order < seen)


def stored_small_error(seen: int, matrix: int) -> float:
    """Return the relative error of the least nuclear norm on a `small_task`, as stored.

    seen : 25, 35 or 50. matrix : 0 or 1. Raises ValueError for what is not stored.
    """
    for entry in _stored.read("dlnlib.completion")["small"]:
        if (entry["seen"], entry["matrix"]) == (seen, matrix):
            return float(entry["error"])
    raise ValueError(f"stored are seen = 25, 35, 50 and matrix = 0, 1; got {seen!r} and {matrix!r}")


def small_errors() -> list[dict[str, Any]]:
    """Compute what `stored_small_error` reads."""
    found = []
    for seen in (25, 35, 50):
        for matrix in (0, 1):
            task = small_task(seen, matrix)
            error = task.error(minimum_nuclear_norm(task).matrix)
            found.append({"seen": seen, "matrix": matrix, "error": _stored.short(error, 4)})
    return found


def build(seeds: int = SEEDS, shares: Sequence[float] = SHARES, methods: Sequence[str] = tuple(METHODS)) -> dict[str, Any]:
    """Compute what is stored: errors and effective ranks of every cell, and one minimiser with its certificate."""
    cells = []
    for method in methods:
        for share in shares:
            error, rank, _ = run_cell(method, share, range(seeds))
            cells.append({"method": method, "share": share, "error": _stored.short(error, 4), "rank": _stored.short(rank, 4)})
    best = minimum_nuclear_norm(task_of(0.3, 0))
    return {
        "cells": cells,
        "small": small_errors(),
        "minimiser": _stored.short(best.matrix, 11),
        "dual": _stored.short(best.dual, 11),
    }


def stored_table() -> dict[tuple[str, float], tuple[Array, Array]]:
    """Return (method, share) -> (errors, effective ranks) over ten seeds, as `python -m dlnlib.completion` computed them."""
    cells = _stored.read("dlnlib.completion")["cells"]
    return {(cell["method"], cell["share"]): (np.array(cell["error"]), np.array(cell["rank"])) for cell in cells}


def stored_minimiser() -> tuple[Completion, Minimiser]:
    """Return the task of share 0.3 and seed 0 with its stored completion of least nuclear norm and certificate."""
    found, task = _stored.read("dlnlib.completion"), task_of(0.3, 0)
    matrix, dual = np.array(found["minimiser"]), np.array(found["dual"])
    return task, Minimiser(matrix, dual, duality_gap(task, matrix, dual))
