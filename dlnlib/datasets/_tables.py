"""Tables of items and properties, with names: one-hot items in, their properties out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, as_array, as_count, as_rng, as_scalar
from dlnlib.moments import Moments

__all__ = ["LabelledData", "diffusion", "four_items", "hierarchy", "node_names", "planted_category"]

MOST_LEAVES = 4096


@dataclass(frozen=True, eq=False)
class LabelledData:
    """Samples along rows with names: X (n, d_in), Y (n, d_out), items (d_in names), properties (d_out names)."""

    X: Array
    Y: Array
    items: tuple[str, ...]
    properties: tuple[str, ...]

    @property
    def table(self) -> Array:
        """Properties along rows, items along columns, (d_out, n) (`def-table`)."""
        return self.Y.T

    @property
    def moments(self) -> Moments:
        """Second moments of exactly these samples; only the trace of yy is kept."""
        return Moments.from_data(self.X, self.Y, full_yy=False)


def four_items() -> LabelledData:
    """Return four one-hot items (canary, salmon, oak, rose) with seven properties of a small tree of living things.

    All grow; animals move, plants have roots; each item has one property of its own.
    Source: the example of Saxe, McClelland & Ganguli 2019; the entries are ours.
    """
    has = {
        "grow": (1, 1, 1, 1),
        "move": (1, 1, 0, 0),
        "roots": (0, 0, 1, 1),
        "fly": (1, 0, 0, 0),
        "swim": (0, 1, 0, 0),
        "leaves": (0, 0, 1, 0),
        "petals": (0, 0, 0, 1),
    }
    table = np.array(list(has.values()), dtype=float)
    return LabelledData(np.eye(4), table.T, ("canary", "salmon", "oak", "rose"), tuple(has))


def hierarchy(depth: int = 3, branching: int = 2, *, copies: Sequence[int] | None = None) -> LabelledData:
    """Return the complete tree data set: one-hot items are the leaves, each node of the tree is one property.

    A leaf has the property of every node on its path from the root. X is the identity of size branching**depth, so the
    input covariance is I / n. Properties are named by the path from the root, items by their leaf.

    copies : how many identical properties a node has, one number for each level from the root, (depth + 1,); 1 when None.
    """
    levels, b = as_tree(depth, branching)
    repeats = as_copies(copies, levels)
    n = b**levels
    rows, names = [], []
    for level in range(levels + 1):
        size = b ** (levels - level)
        for node, name in enumerate(node_names(level, b)):
            member = (np.arange(n) // size == node).astype(float)
            for copy in range(repeats[level]):
                rows.append(member)
                names.append(name if repeats[level] == 1 else f"{name} ({copy + 1})")
    if not rows:
        raise ValueError("copies leaves no property at all; give at least one level a positive number")
    return LabelledData(np.eye(n), np.array(rows).T, item_names(n), tuple(names))


def diffusion(depth: int, branching: int, flip: float, features: int, *, rng: np.random.Generator) -> LabelledData:
    """Return sampled binary properties of the leaves of a tree, along which each of them diffuses (`def-diffusion`).

    A property is +1 or -1 with equal probability at the root; along every edge down it changes sign with probability
    flip, independently. Items are one-hot leaves. `tree` has the exact population similarity, to which Y Y^T / features
    tends.

    depth, branching : of the tree, branching**depth items. flip : from 0 (identical items) to 1. features : how many
    properties are drawn.
    """
    levels, b = as_tree(depth, branching)
    epsilon, count, generator = as_probability("flip", flip), as_count("features", features), as_rng(rng)
    if b**levels * count > 10**8:
        raise ValueError(f"{b**levels} items with {count} features do not fit; take fewer features or a smaller tree")
    values = generator.choice([-1.0, 1.0], size=(1, count))
    for _ in range(levels):
        values = np.repeat(values, b, axis=0)
        values = values * np.where(generator.random(values.shape) < epsilon, -1.0, 1.0)
    n = len(values)
    return LabelledData(np.eye(n), values, item_names(n), feature_names(count))


def planted_category(
    features: int,
    items: int,
    *,
    shared: int,
    members: int,
    mean: float,
    rng: np.random.Generator,
) -> LabelledData:
    """Return noise in which one category is planted: a block of shared features of its members, of this mean.

    Entries are independent Gaussians of variance 1; those of the first `shared` features for the first `members` items
    have this mean instead of zero. The block is visible in the singular vectors or not, see
    `semantic.category_overlap` (`def-coherence`).

    features, items : shape of the table. shared, members : shape of the block, at most those.
    """
    rows, n = as_count("features", features), as_count("items", items)
    k_rows, k_items = as_count("shared", shared), as_count("members", members)
    height, generator = as_scalar("mean", mean), as_rng(rng)
    if k_rows > rows or k_items > n:
        raise ValueError(f"a block of {k_rows} by {k_items} does not fit into a table of {rows} by {n}; make it smaller")
    if n > MOST_LEAVES or rows * n > 10**8:
        raise ValueError(f"a table of {rows} by {n} is too large to keep; at most {MOST_LEAVES} items, and 10**8 entries")
    Y = generator.standard_normal((n, rows))
    Y[:k_items, :k_rows] += height
    return LabelledData(np.eye(n), Y, item_names(n), feature_names(rows))


def as_tree(depth: int, branching: int) -> tuple[int, int]:
    """Return depth and branching of a tree that is small enough to be kept as a dense table."""
    levels, b = as_count("depth", depth, minimum=0), as_count("branching", branching)
    if levels * np.log(b) > np.log(MOST_LEAVES) + 1e-9:
        raise ValueError(
            f"a tree of depth {levels} and branching {b} has more than {MOST_LEAVES} leaves; at most {MOST_LEAVES} are kept dense"
        )
    return levels, b


def as_probability(name: str, value: ArrayLike) -> float:
    """Return a number from 0 to 1."""
    number = as_scalar(name, value, nonnegative=True)
    if number > 1:
        raise ValueError(f"{name} is a probability, from 0 to 1, got {number:g}")
    return number


def as_copies(copies: Sequence[int] | None, levels: int) -> tuple[int, ...]:
    """Return how many identical properties the nodes of each level have."""
    if copies is None:
        return (1,) * (levels + 1)
    raw = np.atleast_1d(as_array("copies", copies))
    if raw.shape != (levels + 1,) or np.any(raw < 0) or np.any(raw != np.round(raw)) or np.any(raw > 1000):
        raise ValueError(f"copies must be {levels + 1} whole numbers from 0 to 1000, one a level, got {copies!r}")
    return tuple(int(q) for q in raw)


def node_names(level: int, branching: int) -> tuple[str, ...]:
    """Return the names of the nodes of one level, by the path from the root, in the order of their leaves."""
    return tuple(_path(node, level, branching) for node in range(branching**level))


def _path(node: int, level: int, branching: int) -> str:
    digits: list[str] = []
    for _ in range(level):
        node, digit = divmod(node, branching)
        digits.append(str(digit + 1))
    return "root" if not digits else "root." + ".".join(reversed(digits))


def item_names(n: int) -> tuple[str, ...]:
    """Return "item 1" to "item n"."""
    return tuple(f"item {i + 1}" for i in range(n))


def feature_names(count: int) -> tuple[str, ...]:
    """Return "feature 1" to "feature count"."""
    return tuple(f"feature {i + 1}" for i in range(count))
