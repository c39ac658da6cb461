"""The set of all parameters with one end-to-end map, cut into pieces by the ranks of partial products."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dlnlib._validate import Weights, as_array
from dlnlib.slt._coefficient import checked_rank

__all__ = ["Fibre", "Pattern", "fibre", "pattern_codimension", "pattern_weights", "rank_patterns"]

_MOST_PATTERNS = 200_000
_MOST_WIDTHS = 50
_MOST_UNITS = 1000
Intervals = dict[tuple[int, int], int]


@dataclass(frozen=True, eq=False)
class Pattern:
    """The ranks of all partial products of one piece of the fibre.

    ranks : (L+1, L+1) integers, rank of W_j ... W_{i+1} at (i, j) for i < j, the widths on the diagonal, 0 below.
    Raises ValueError for ranks that no weights have.
    """

    ranks: NDArray[np.int64]

    def __post_init__(self) -> None:
        R = as_array("ranks", self.ranks, ndim=2)
        if R.shape[0] != R.shape[1] or len(R) < 2 or np.any(np.round(R) != R) or np.any(np.abs(R) > _MOST_UNITS):
            raise ValueError(f"ranks must be a square table of integers up to {_MOST_UNITS}, two rows or more, got {R.shape}")
        ranks = R.astype(np.int64)
        if np.any(np.tril(ranks, -1)) or np.any(_chain_numbers(ranks) < 0) or np.any(np.diagonal(ranks) < 1):
            raise ValueError(f"no weights have the ranks {ranks.tolist()}; take patterns from rank_patterns")
        ranks.setflags(write=False)
        object.__setattr__(self, "ranks", ranks)

    @classmethod
    def trusted(cls, ranks: NDArray[np.int64]) -> Pattern:
        """Return the pattern of ranks that are known to be right, without checks: enumerations make many."""
        pattern = object.__new__(cls)
        ranks.setflags(write=False)
        object.__setattr__(pattern, "ranks", ranks)
        return pattern

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
    widths : (d_0, ..., d_L). rank : r. Raises ValueError for more than 200,000 patterns, far beyond the small cases it is for.
    """
    sizes, r = _small(widths, rank)
    return _patterns(sizes, r)


def _small(widths: Sequence[int], rank: int) -> tuple[tuple[int, ...], int]:
    sizes, r = checked_rank(widths, rank)
    if len(sizes) > _MOST_WIDTHS or max(sizes) > _MOST_UNITS:
        raise ValueError(
            f"at most {_MOST_WIDTHS} widths up to {_MOST_UNITS} can be enumerated, got {len(sizes)} widths up to {max(sizes)}"
        )
    if _count(sizes, r) > _MOST_PATTERNS:
        raise ValueError(f"widths {sizes} have more than {_MOST_PATTERNS:,} rank patterns; enumerate smaller networks")
    return sizes, r


def _count(sizes: tuple[int, ...], rank: int) -> int:
    """Return the number of patterns, or something above the most that is allowed."""
    known: dict[tuple[int, ...], int] = {}

    def after(layer: int, first: int, others: tuple[int, ...]) -> int:
        if layer == len(sizes) - 1:
            return 1
        # Which layer the others were born in makes no difference to their number.
        alive = (first, *sorted(k for k in others if k))
        key = (layer, *alive)
        if key not in known:
            total = 0
            for kept in _living(sizes, rank, layer, alive):
                total += after(layer + 1, kept[0], (*kept[1:], sizes[layer + 1] - sum(kept)))
                if total > _MOST_PATTERNS:
                    break
            known[key] = total
        return known[key]

    return after(0, sizes[0], ())


def _patterns(sizes: tuple[int, ...], rank: int) -> Iterator[Pattern]:
    for chains in _chains(sizes, rank):
        numbers = np.zeros((len(sizes), len(sizes)), dtype=np.int64)
        for interval, number in chains.items():
            numbers[interval] = number
        # The rank from i to j counts the chains that were born by i and reach j.
        ranks = np.triu(numbers.cumsum(axis=0)[:, ::-1].cumsum(axis=1)[:, ::-1])
        yield Pattern.trusted(ranks)


def _chains(sizes: tuple[int, ...], rank: int) -> Iterator[Intervals]:
    """Yield numbers of chains [birth, death]: walk through the layers, and choose how many of each age live on."""

    def step(layer: int, alive: tuple[int, ...]) -> Iterator[Intervals]:
        # alive[i]: chains born in layer i that are in this layer; they fill it.
        if layer == len(sizes) - 1:
            yield {(i, layer): k for i, k in enumerate(alive) if k}
            return
        for kept in _living(sizes, rank, layer, alive):
            lost = {(i, layer): k - stay for i, (k, stay) in enumerate(zip(alive, kept, strict=True)) if k > stay}
            for later in step(layer + 1, (*kept, sizes[layer + 1] - sum(kept))):
                yield lost | later

    return step(0, (sizes[0],))


def _living(sizes: tuple[int, ...], rank: int, layer: int, alive: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield how many of each age can live on: of those born first, `rank` in the end and no fewer on the way."""
    return _choices(alive, sizes[layer + 1], rank, rank if layer + 2 == len(sizes) else alive[0])


def _choices(alive: tuple[int, ...], room: int, least: int, most: int) -> Iterator[tuple[int, ...]]:
    """Yield how many of each age live on where there is room for so many, `least` to `most` of the first."""
    for first in range(least, min(most, room) + 1):
        if len(alive) == 1:
            yield (first,)
        else:
            for others in _choices(alive[1:], room - first, 0, alive[1]):
                yield (first, *others)


def pattern_codimension(pattern: Pattern) -> int:
    """Return the codimension of the piece among all weights of these widths, of any end-to-end map (`eq-codimension`).

    pattern : from `rank_patterns`. It is the sum over i < j of (r_{i,j-1} - r_{ij}) (r_{i+1,j} - r_{ij}).
    """
    R = _as_pattern(pattern).ranks
    here = R[:-1, 1:]
    return int(np.sum(np.triu((R[:-1, :-1] - here) * (R[1:, 1:] - here))))


def pattern_weights(pattern: Pattern) -> Weights:
    """Return weights of this pattern, of zeros and ones: every chain occupies one unit of each of its layers.

    pattern : from `rank_patterns`.
    """
    numbers = _chain_numbers(_as_pattern(pattern).ranks)
    n = len(numbers)
    units: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    name = 0
    for i in range(n):
        for j in range(i, n):
            for _ in range(int(numbers[i, j])):
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


def _chain_numbers(ranks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many chains go from i to j, at (i, j): those that reach j from i, less those that began earlier or go on."""
    padded = np.pad(ranks, 1)
    return np.triu(padded[1:-1, 1:-1] - padded[:-2, 1:-1] - padded[1:-1, 2:] + padded[:-2, 2:])


def fibre(widths: Sequence[int], rank: int = 0) -> Fibre:
    """Return the codimension of the parameters that represent one map of this rank, and their largest pieces.

    The codimension is the least of all patterns plus r (d_0 + d_L - r), the dimension of the maps of rank r. The learning
    coefficient is half of it (`eq-half-codimension`), although the fibre is singular.
    widths : (d_0, ..., d_L). rank : r. By enumeration, for small networks; see `rank_patterns`.
    Source: Pepin Lehalleur and Rimanyi, arXiv:2411.19920.
    """
    sizes, r = _small(widths, rank)
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
    return Fibre(least + r * (sizes[0] + sizes[-1] - r), tuple(best), count)


def _as_pattern(pattern: Pattern) -> Pattern:
    if not isinstance(pattern, Pattern):
        raise ValueError(f"pattern must come from rank_patterns, got {type(pattern).__name__}")
    return pattern
