"""Spectra of structured domains in closed form: trees of both kinds, rings; what follows from them for a tree's items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, as_array, as_count, as_scalar, finite_result

__all__ = ["LevelSpectrum", "diffusion_spectrum", "node_spectrum", "ring_spectrum", "tree_distances", "tree_entries"]


@dataclass(frozen=True, eq=False)
class LevelSpectrum:
    """Eigenvalues of the similarity of a tree's leaves, by level.

    values : (depth + 1,); values[0] belongs to the mean of all leaves, values[j] to the differences between nodes of
    level j that share their parent. multiplicities : (depth + 1,), 1 and branching**(j - 1) (branching - 1).
    """

    values: Array
    multiplicities: Array

    @property
    def n(self) -> int:
        """Number of leaves."""
        return int(np.sum(self.multiplicities))

    @property
    def eigenvalues(self) -> Array:
        """All eigenvalues with their multiplicities, level by level, (n,)."""
        return np.repeat(self.values, self.multiplicities.astype(int))

    def singular_values(self, features: float = 1.0) -> Array:
        """Return the singular values of yx by level for one-hot leaves with this many properties, (depth + 1,).

        sqrt(features * values) / n.
        """
        count = as_scalar("features", features, positive=True)
        with np.errstate(over="ignore"):
            return finite_result("the singular values", np.sqrt(count) * np.sqrt(self.values) / self.n)


def diffusion_spectrum(depth: int, branching: int, flip: float) -> LevelSpectrum:
    """Return the spectrum of `datasets.tree`, of properties that diffuse along a tree (`eq-diffusion-spectrum`).

    values[j] = sum_{i >= j} branching^(depth - i) (c_i - c_{i-1}), c_k = (1 - 2 flip)^(2 (depth - k)) and c_{-1} = 0.
    depth, branching : of the tree, branching**depth below 10**15. flip : probability of a change of sign along an edge.
    """
    levels, b = _as_tree(depth, branching)
    epsilon = as_scalar("flip", flip, nonnegative=True)
    if epsilon > 1:
        raise ValueError(f"flip is a probability, from 0 to 1, got {epsilon:g}")
    # c_j - c_{j-1} = c_j (1 - (1 - 2 flip)^2), without the cancellation for small flips
    leap = 4 * epsilon * (1 - epsilon)
    c = (1 - 2 * epsilon) ** (2.0 * np.arange(levels, -1, -1))
    steps = np.concatenate([c[:1], c[1:] * leap])
    return _from_steps(steps, levels, b)


def node_spectrum(depth: int, branching: int, *, copies: Sequence[int] | None = None) -> LevelSpectrum:
    """Return the spectrum of `datasets.hierarchy`, of one property (or `copies` of it) for each node (`eq-node-spectrum`).

    values[j] = sum_{i >= j} copies_i branching^(depth - i): leaves below a node, added up from level j downwards.
    depth, branching, copies : as in `datasets.hierarchy`; copies need not be whole numbers, (depth + 1,).
    """
    levels, b = _as_tree(depth, branching)
    repeats = np.ones(levels + 1) if copies is None else np.atleast_1d(as_array("copies", copies))
    if repeats.shape != (levels + 1,) or np.any(repeats < 0):
        raise ValueError(f"copies must be {levels + 1} numbers not below zero, one a level, got {copies!r}")
    return _from_steps(repeats, levels, b)


def _from_steps(steps: Array, levels: int, b: int) -> LevelSpectrum:
    sizes = float(b) ** np.arange(levels, -1, -1)
    with np.errstate(over="ignore"):
        values = finite_result("the spectrum", np.cumsum((steps * sizes)[::-1])[::-1])
    counts = [1, *(b**h * (b - 1) for h in range(levels))]
    return LevelSpectrum(values.copy(), np.array(counts, dtype=float))


def ring_spectrum(similarity: ArrayLike) -> Array:
    """Return the eigenvalues on a ring, whose modes are Fourier modes, in the order of their frequency (`eq-ring-spectrum`).

    similarity : (n,), of item 0 with items 0, 1, ..., n - 1, symmetric: entry d equals entry n - d.
    Returns (n // 2 + 1,), sum_d similarity_d cos(2 pi f d / n) for f = 0, 1, ...; all but f = 0 and f = n / 2 are double.
    """
    row = np.atleast_1d(as_array("similarity", similarity))
    if row.ndim != 1:
        raise ValueError(f"similarity must be the row of one item, (n,), got shape {row.shape}")
    if np.abs(row[1:] - row[1:][::-1]).max(initial=0.0) > 1e-10 * np.abs(row).max():
        raise ValueError("similarity is not that of a ring: it must be the same on both ways round, row[d] = row[n - d]")
    n = len(row)
    with np.errstate(over="ignore", invalid="ignore"):
        waves = np.cos(2 * np.pi * np.outer(np.arange(n // 2 + 1), np.arange(n)) / n)
        return finite_result("the spectrum", waves @ row)


def tree_distances(strengths: ArrayLike, branching: int) -> Array:
    """Return the distances of leaves in the hidden layer by the level of their last common ancestor (`eq-tree-distance`).

    strengths : (..., depth + 1), mode strengths by level in the order of `LevelSpectrum`, not negative.
    branching : of the tree. Returns (..., depth), for common levels 0, ..., depth - 1.
    For two balanced layers: squared, 2 u_{k+1} / n_{k+1} + 2 sum_{j > k+1} u_j (1 / n_j - 1 / n_{j-1}) with
    n_j = branching^(depth - j) leaves below a node of level j.
    """
    u, b = _as_strengths(strengths), as_count("branching", branching, minimum=2)
    if np.any(u < 0):
        raise ValueError("strengths must not be negative: in two balanced layers they are squares")
    depth = u.shape[-1] - 1
    share = _shares(depth, b)
    split = u[..., 1:]
    with np.errstate(over="ignore"):
        within = split * (share[1:] - share[:-1])
        later = np.cumsum(within[..., ::-1], axis=-1)[..., ::-1] - within
        squared = finite_result("the squared distances", 2 * (split * share[1:] + later))
    return np.sqrt(np.maximum(squared, 0.0))


def tree_entries(learnt: ArrayLike, branching: int, level: int) -> Array:
    """Return what a network believes of the property of one node, by the level at which an item leaves its path.

    learnt : (..., depth + 1), learnt fractions of the modes by level, u / target, in the order of `LevelSpectrum`.
    branching : of the tree `datasets.hierarchy`. level : of the node, from 0 to depth.
    Returns (..., level + 1): entry k for items whose last common ancestor with the node is at level k; the last entry is
    for items below the node, which have the property. Entry k < level rises towards branching^(k - level) with level k,
    and falls to zero with level k + 1 (`eq-illusory-entry`).
    """
    r, b = _as_strengths(learnt), as_count("branching", branching, minimum=2)
    depth, node = r.shape[-1] - 1, as_count("level", level, minimum=0)
    if node > depth:
        raise ValueError(f"level must be at most the depth {depth} of the tree, got {node}")
    share = _shares(depth, b) / _shares(depth, b)[node]
    with np.errstate(over="ignore", invalid="ignore"):
        # Sum by parts: every common ancestor contributes what the next split has not yet taken back.
        drops = (r[..., :-1] - r[..., 1:]) * share[:-1]
        sums = np.cumsum(drops, axis=-1)[..., :node]
        # Below the node: what the splits above it have learnt, and the node's own share of the later ones.
        own = r[..., :1] * share[0] + np.sum(r[..., 1 : node + 1] * np.diff(share)[:node], axis=-1, keepdims=True)
        return finite_result("the entries", np.concatenate([sums, own], axis=-1))


def _shares(depth: int, b: int) -> Array:
    """Return 1 / n_j for j = 0, ..., depth."""
    return np.asarray(float(b) ** (np.arange(depth + 1) - float(depth)), dtype=np.float64)


def _as_strengths(strengths: ArrayLike) -> Array:
    u = np.atleast_1d(as_array("strengths by level", strengths))
    if u.shape[-1] < 2:
        raise ValueError(f"strengths need one number for each level of a tree, (..., depth + 1) with depth >= 1, got {u.shape}")
    if u.shape[-1] > 1000:
        raise ValueError(f"a tree of depth {u.shape[-1] - 1} is too deep; the levels are on the last axis")
    return u


def _as_tree(depth: int, branching: int) -> tuple[int, int]:
    levels, b = as_count("depth", depth, minimum=0), as_count("branching", branching)
    if levels > 1000 or levels * np.log(b) > np.log(1e15):
        raise ValueError(f"a tree of depth {levels} and branching {b} has more than 10**15 leaves; take a smaller one")
    return levels, b
