"""A tree of items grows in the hidden layer: paths of the items, and their distances by last common ancestor."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dlnlib import datasets, exact, initialise, semantic
from dlnlib._validate import Array
from dlnlib.explore._model import Explorer, Panel, Part, Series, Slider, words
from dlnlib.simulate import gradient_flow
from dlnlib.trajectory import Trajectory

__all__ = ["growing_tree"]

AGES = (0.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0, 55.0, 60.0, 70.0, 80.0, 100.0)
FLIPS = (0.02, 0.05, 0.15, 0.35)
FEATURES = 15
START = 1e-6
DEEPEST = 3
WIDEST = 3
POINTS = 41


def growing_tree() -> Explorer:
    """Return the chart in which the items of a tree part in the hidden layer.

    Age, flip probability, branching and depth of the tree move. Left, every item's column of W_1 seen along two fixed
    directions of the hidden layer, chosen to lay out the tree at the end, its path and its place at this age.
    Right, the distances of two items by the level of their last common ancestor: integrated flow against
    `eq-tree-distance`. Chapter 5, `fig-growing-tree`.
    """
    domain = ("flip", "branching", "depth")
    series = [Series("paths", "life", "path_x", "path_y", "other")]
    series += [Series(f"items of branch {g + 1}", "now", f"x{g}", f"y{g}", "points", mode=g) for g in range(WIDEST)]
    for k in range(DEEPEST):
        series += [
            Series(f"parted at level {k}", "life", "t", f"flow{k}", "simulation", mode=k, panel=1),
            Series("formula", "life", "t", f"exact{k}", "theory", mode=k, panel=1),
        ]
    series.append(Series("now", "now", "age", "distances", "points", mode=3, panel=1))
    return Explorer(
        name="growing-tree",
        controls=(
            Slider("age", "age (% of life)", AGES, 50.0),
            Slider("flip", "flip probability ε", FLIPS, 0.05),
            Slider("branching", "branching B", (2, 3), 2, whole=True),
            Slider("depth", "depth D", (2, 3), 3, whole=True),
        ),
        parts=(Part("life", _life, domain, digits=3), Part("now", _now, ("age", *domain), digits=3)),
        panels=(
            Panel("one direction of the hidden layer", "another one", x_domain=(-2.0, 2.0), y_domain=(-2.0, 2.0), square=True),
            Panel("time t (τ)", "distance in the hidden layer", x_end=("life",)),
        ),
        series=tuple(series),
    )


@cache
def _run(flip: float, branching: int, depth: int) -> tuple[Trajectory, Array, Array]:
    """Return the flow from an equal decoupled start, the two directions (h, 2), and the strengths by level at its end."""
    task = datasets.tree(depth, branching, flip).moments(FEATURES)
    n = branching**depth
    m = semantic.diffusion_spectrum(depth, branching, flip).singular_values(FEATURES)
    end = float(exact.time_to_strength(0.99 * n * m[-1], n * m[-1], START, 2)) * n
    begin = initialise.decoupled(task.modes(), (n, n, n), np.sqrt(START), rng=None)
    path = gradient_flow(begin, task, np.linspace(0, end, POINTS), rtol=1e-9, atol=1e-12)
    # The first layer at the very end; the directions are those along which it shows the layout of the tree.
    modes = task.modes()
    last = np.sqrt(n * modes.s)[:, None] * modes.Vt
    directions = np.asarray(np.linalg.solve(last.T, _layout(branching, depth)), dtype=np.float64)
    return path, directions, m


def _layout(branching: int, depth: int) -> Array:
    """Return a place for each leaf, (n, 2): every level moves the branches of a node apart, half as far as the last."""
    n = branching**depth
    place = np.zeros((n, 2))
    for level in range(1, depth + 1):
        child = np.arange(n) // branching ** (depth - level) % branching
        across = np.pi / 2 * (level - 1) if branching == 2 else 0.0
        turn = 2 * np.pi * child / branching + across
        place += 0.52 ** (level - 1) * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return place


def _seen(layer: Array, directions: Array) -> Array:
    """Return the places of the items in the picture, (..., n, 2)."""
    return np.einsum("...hi,hd->...id", layer, directions)


def _life(flip: float, branching: int, depth: int) -> dict[str, Any]:
    path, directions, m = _run(flip, branching, depth)
    n = branching**depth
    places = _seen(path.weights[0], directions)[::2]
    # One line to every item and back, so that all paths are one curve.
    there_and_back = np.concatenate([np.concatenate([places[:, i], places[::-1, i]]) for i in range(n)])
    distances = semantic.item_distances(path.weights[0])[:, 0, [branching ** (depth - 1 - k) for k in range(depth)]]
    u = semantic.strength(path.t[:, None], m, 1 / n, START)
    formula = semantic.tree_distances(u, branching)
    columns: dict[str, Any] = {"t": path.t, "path_x": there_and_back[:, 0], "path_y": there_and_back[:, 1], "x_end": path.t[-1]}
    for k in range(DEEPEST):
        columns[f"flow{k}"] = np.round(distances[:, k], 3) if k < depth else np.zeros(len(path.t))
        columns[f"exact{k}"] = np.round(formula[:, k], 3) if k < depth else np.zeros(len(path.t))
    return columns


def _now(age: float, flip: float, branching: int, depth: int) -> dict[str, Any]:
    path, directions, m = _run(flip, branching, depth)
    n, t = branching**depth, age / 100 * path.t[-1]
    layer = path.at(t)[0]
    places = _seen(layer, directions)
    distances = semantic.item_distances(layer)[0, [branching ** (depth - 1 - k) for k in range(depth)]]
    ends = semantic.tree_distances(n * m, branching)
    columns: dict[str, Any] = {"age": np.full(depth, t), "distances": distances}
    for g in range(WIDEST):
        branch = np.arange(n) // branching ** (depth - 1) == g
        columns[f"x{g}"], columns[f"y{g}"] = places[branch, 0], places[branch, 1]
    listed = ", ".join(f"{words(100 * d / e, 2)}%" for d, e in zip(distances, ends, strict=True))
    return {
        **columns,
        "say": f"At t = {words(t)}, items that part at level 0 to {depth - 1} have {listed} of their final distance.",
    }
