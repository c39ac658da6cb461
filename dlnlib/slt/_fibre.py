"""The set of all parameters with one end-to-end map, cut into pieces by the ranks of partial products."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from itertools import product as each_of

import numpy as np
from numpy.typing import NDArray

from dlnlib._validate import Weights, as_count
from dlnlib.slt._coefficient import checked_rank

__all__ = ["Fibre", "Pattern", "fibre", "pattern_codimension", "pattern_weights", "rank_patterns"]

_MOST_PATTERNS = 200_000
Intervals = dict[tuple[int, int], int]


@dataclass(frozen=True, eq=False)
class Pattern:
    """The ranks of all partial products of one piece of the fibre.

    ranks : (L+1, L+1) integers, rank of W_j ... W_{i+1} at (i, j) for i < j, the widths on the diagonal, 0 below.
    """

    ranks: NDArray[np.int64]

    @property
    def widths(self) -> tuple[int, ...]:
        """(d_0, ..., d_L)."""
        return tuple(int(d) for d in np.diagonal(self.ranks))


@dataclass(frozen=True, eq=False)
class Fibre:
    """The parameters that represent one map of rank r.

    codimension : of the fibre, its largest pieces. largest : the patterns of these pieces; each is one irreducible component of
    top dimension. n_patterns : how many pieces there are in all.
    """

    codimension: int
    largest: tuple[Pattern, ...]
    n_patterns: int


def rank_patterns(widths: Sequence[int], rank: int = 0) -> Iterator[Pattern]:
    """Yield every pattern of ranks that parameters with an end-to-end map of this rank can have.

    Weights of one pattern are the same up to a change of basis in every layer, and a sum of chains: a chain is born in layer i,
    handed on unchanged and lost after layer j. A pattern says how many chains there are of each kind.
    widths : (d_0, ..., d_L). rank : r. Raises ValueError after 200,000 patterns, which is far beyond the small cases it is for.
    """
    sizes, r = checked_rank(widths, rank)
    return _patterns(sizes, r)


def _patterns(sizes: tuple[int, ...], rank: int) -> Iterator[Pattern]:
    for count, chains in enumerate(_chains(sizes, rank)):
        if count == _MOST_PATTERNS:
            raise ValueError(f"widths {sizes} have more than {_MOST_PATTERNS:,} rank patterns; enumerate smaller networks")
        n = len(sizes)
        ranks = np.zeros((n, n), dtype=np.int64)
        for (birth, death), number in chains.items():
            for i in range(birth, death + 1):
                ranks[i, i : death + 1] += number
        yield Pattern(ranks)


def _chains(sizes: tuple[int, ...], rank: int) -> Iterator[Intervals]:
    """Yield numbers of chains [birth, death]: walk through the layers, and choose how many of each age live on."""

    def step(layer: int, alive: tuple[int, ...]) -> Iterator[Intervals]:
        # alive[i]: chains born in layer i that are in this layer; they fill it.
        if layer == len(sizes) - 1:
            if alive[0] == rank:
                yield {(i, layer): k for i, k in enumerate(alive) if k}
            return
        for kept in each_of(*(range(k + 1) for k in alive)):
            born = sizes[layer + 1] - sum(kept)
            if born < 0 or kept[0] < rank:
                continue
            lost = {(i, layer): k - stay for i, (k, stay) in enumerate(zip(alive, kept, strict=True)) if k > stay}
            for later in step(layer + 1, (*kept, born)):
                yield lost | later

    return step(0, (sizes[0],))


def pattern_codimension(pattern: Pattern) -> int:
    """Return the codimension of the piece among all weights of these widths, of any end-to-end map (`eq-codimension`).

    pattern : from `rank_patterns`. It is the sum over i < j of (r_{i,j-1} - r_{ij}) (r_{i+1,j} - r_{ij}).
    """
    R = _as_pattern(pattern).ranks
    n = len(R)
    return int(sum((R[i, j - 1] - R[i, j]) * (R[i + 1, j] - R[i, j]) for i in range(n) for j in range(i + 1, n)))


def pattern_weights(pattern: Pattern) -> Weights:
    """Return weights of this pattern, of zeros and ones: every chain occupies one unit of each of its layers.

    pattern : from `rank_patterns`.
    """
    R = _as_pattern(pattern).ranks
    n = len(R)
    padded = np.zeros((n + 2, n + 2), dtype=np.int64)
    padded[1:-1, 1:-1] = R
    units: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    name = 0
    for i in range(n):
        for j in range(i, n):
            # Chains from i to j: those that reach j from i, less those that began earlier or go on.
            number = padded[i + 1, j + 1] - padded[i, j + 1] - padded[i + 1, j + 2] + padded[i, j + 2]
            for _ in range(int(number)):
                for layer in range(i, j + 1):
                    units[layer].append((name, len(units[layer])))
                name += 1
    layers = []
    for below, above in pairwise(units):
        W = np.zeros((len(above), len(below)))
        at = dict(below)
        for chain, row in above:
            if chain in at:
                W[row, at[chain]] = 1.0
        layers.append(W)
    return tuple(layers)


def fibre(widths: Sequence[int], rank: int = 0) -> Fibre:
    """Return the codimension of the parameters that represent one map of this rank, and their largest pieces.

    The codimension is the least of all patterns plus r (d_0 + d_L - r), the dimension of the maps of rank r. The learning
    coefficient is half of it (`eq-half-codimension`), although the fibre is singular.
    widths : (d_0, ..., d_L). rank : r. By enumeration, for small networks; see `rank_patterns`.
    Source: Pepin Lehalleur and Rimanyi, arXiv:2411.19920.
    """
    sizes, r = checked_rank(widths, rank)
    best: list[Pattern] = []
    least, count = None, 0
    for pattern in _patterns(sizes, r):
        count += 1
        codimension = pattern_codimension(pattern)
        if least is None or codimension < least:
            least, best = codimension, [pattern]
        elif codimension == least:
            best.append(pattern)
    assert least is not None  # any rank up to the smallest width has a pattern
    return Fibre(least + as_count("rank", r, minimum=0) * (sizes[0] + sizes[-1] - r), tuple(best), count)


def _as_pattern(pattern: Pattern) -> Pattern:
    if not isinstance(pattern, Pattern):
        raise ValueError(f"pattern must come from rank_patterns, got {type(pattern).__name__}")
    return pattern
