"""Structures: how similar the items of a domain are, exactly, and random properties that share this similarity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._linalg import power_on_range
from dlnlib._validate import Array, as_array, as_count, as_rng, as_scalar, finite_result
from dlnlib.datasets._tables import MOST_LEAVES, LabelledData, as_probability, as_tree, feature_names, item_names
from dlnlib.moments import Moments

__all__ = ["Structure", "chain", "clusters", "cross_cutting", "ring", "tree"]


@dataclass(frozen=True, eq=False)
class Structure:
    """A domain of n items given by their similarity, the mean product of a property's values at two items.

    similarity : (n, n), symmetric and positive semi-definite. items : n names.
    """

    similarity: Array
    items: tuple[str, ...]

    def moments(self, features: float = 1.0) -> Moments:
        """Return the exact moments of one-hot items with this many properties: xx = I / n, yx of shape (n, n).

        The outputs are expressed in n coordinates in which T^T T = features * similarity; learning depends on no more.
        """
        count, n = as_scalar("features", features, positive=True), len(self.similarity)
        with np.errstate(over="ignore"):
            table = finite_result("the table", np.sqrt(count) * power_on_range(*np.linalg.eigh(self.similarity), 0.5))
        return Moments(np.eye(n) / n, table / n)

    def sample(self, features: int, *, rng: np.random.Generator) -> LabelledData:
        """Return one-hot items with Gaussian properties of this similarity: Y Y^T / features tends to it.

        features : how many properties are drawn.
        """
        count, generator, n = as_count("features", features), as_rng(rng), len(self.similarity)
        if n * count > 10**8:
            raise ValueError(f"{n} items with {count} features do not fit; take fewer features")
        root = power_on_range(*np.linalg.eigh(self.similarity), 0.5)
        return LabelledData(np.eye(n), root @ generator.standard_normal((n, count)), self.items, feature_names(count))


def tree(depth: int, branching: int, flip: float) -> Structure:
    """Return the exact similarity of leaves for properties that diffuse along a tree (`eq-diffusion-similarity`).

    (1 - 2 flip)^(2 (depth - k)) for two leaves whose last common ancestor is at level k. `diffusion` samples it.
    depth, branching : of the tree, branching**depth items. flip : probability of a change of sign along an edge.
    """
    levels, b = as_tree(depth, branching)
    keep = 1 - 2 * as_probability("flip", flip)
    n = b**levels
    common = np.zeros((n, n))
    for level in range(1, levels + 1):
        node = np.arange(n) // b ** (levels - level)
        common += node[:, None] == node[None, :]
    return Structure(keep ** (2 * (levels - common)), item_names(n))


def ring(n: int, length: float) -> Structure:
    """Return n items on a ring, similarity exp(-d / length) with d the number of steps the shorter way round.

    n : from 2. length : in steps, positive.
    """
    count, scale = _as_items(n), as_scalar("length", length, positive=True)
    steps = np.abs(np.arange(count)[:, None] - np.arange(count)[None, :])
    return Structure(_decay(np.minimum(steps, count - steps), scale), item_names(count))


def chain(n: int, length: float) -> Structure:
    """Return n items in a row, similarity exp(-d / length) with d the number of steps between them.

    n : from 2. length : in steps, positive.
    """
    count, scale = _as_items(n), as_scalar("length", length, positive=True)
    return Structure(_decay(np.abs(np.arange(count)[:, None] - np.arange(count)[None, :]), scale), item_names(count))


def clusters(count: int, size: int, within: float, between: float = 0.0) -> Structure:
    """Return `count` clusters of `size` items: similarity `within` a cluster, `between` them, 1 for an item with itself.

    0 <= between <= within <= 1.
    """
    k, q = as_count("count", count), as_count("size", size)
    near, far = as_probability("within", within), as_probability("between", between)
    if far > near:
        raise ValueError(f"between must not exceed within, got {far:g} and {near:g}")
    _as_items(k * q)
    group = np.arange(k * q) // q
    similarity = np.where(group[:, None] == group[None, :], near, far)
    np.fill_diagonal(similarity, 1.0)
    return Structure(similarity, tuple(f"{g + 1}.{i + 1}" for g in range(k) for i in range(q)))


def cross_cutting(rows: int, columns: int, by_row: float, by_column: float) -> Structure:
    """Return rows * columns items in a table, classified in two ways at once (`eq-cross-cutting`).

    by_row : similarity of two items of one row. by_column : of one column. Both: 1, neither: 0; by_row + by_column <= 1.
    Items are numbered along the rows.
    """
    r, c = as_count("rows", rows), as_count("columns", columns)
    alpha, beta = as_probability("by_row", by_row), as_probability("by_column", by_column)
    if alpha + beta > 1:
        raise ValueError(f"by_row + by_column must not exceed 1, got {alpha:g} and {beta:g}")
    n = _as_items(r * c)
    row, column = np.arange(n) // c, np.arange(n) % c
    similarity = alpha * (row[:, None] == row[None, :]) + beta * (column[:, None] == column[None, :])
    np.fill_diagonal(similarity, 1.0)
    return Structure(similarity, tuple(f"row {i + 1}, column {j + 1}" for i in range(r) for j in range(c)))


def _as_items(n: int) -> int:
    count = as_count("n", n, minimum=1)
    if count > MOST_LEAVES:
        raise ValueError(f"{count} items are too many to keep their similarity; at most {MOST_LEAVES}")
    return count


def _decay(steps: ArrayLike, scale: float) -> Array:
    with np.errstate(over="ignore", under="ignore"):
        return np.exp(-as_array("steps", steps) / scale)
