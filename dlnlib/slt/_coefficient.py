"""Learning coefficients of deep linear networks as exact fractions: four cases for two layers, one rule for any depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from math import log

from dlnlib._validate import as_count, as_scalar, as_widths

__all__ = [
    "LearningCoefficient",
    "coefficients_by_depth",
    "deep_limit",
    "finite_temperature",
    "learning_coefficient",
    "reduced_rank_coefficient",
]

_DEEPEST = 100_000


@dataclass(frozen=True)
class LearningCoefficient:
    """How fast the volume of nearly optimal parameters vanishes, eps^value (-log eps)^(multiplicity - 1).

    value : lambda, an exact fraction. multiplicity : m, a positive integer. widths : (d_0, ..., d_L). rank : r, of the map that
    the parameters represent. active : places s = 0..L of the widths whose deficiencies d_s - r decide, the least first; the
    others, being wider, do not matter.
    """

    value: Fraction
    multiplicity: int
    widths: tuple[int, ...]
    rank: int
    active: tuple[int, ...]

    @property
    def n_parameters(self) -> int:
        """Number of weights d; a regular model with as many has the coefficient d/2."""
        return sum(self.widths[i] * self.widths[i + 1] for i in range(len(self.widths) - 1))

    @property
    def regular(self) -> Fraction:
        """Coefficient d/2 of a regular model with as many parameters."""
        return Fraction(self.n_parameters, 2)

    def __float__(self) -> float:
        return float(self.value)


def learning_coefficient(widths: Sequence[int], rank: int = 0) -> LearningCoefficient:
    """Return the learning coefficient of a network where its end-to-end map has this rank (`eq-deep-coefficient`).

    widths : (d_0, ..., d_L), one layer or more. rank : r, at most the smallest width.
    Exact for full-rank inputs, squared loss and a prior that is positive and smooth where the map is reproduced.
    Raises ValueError if no network of these widths has this rank.
    Source: Aoyagi, Neural Networks 172, 106132 (2024).
    """
    sizes, r = checked_rank(widths, rank)
    order = sorted(range(len(sizes)), key=lambda s: (sizes[s], s))
    slack = [sizes[s] - r for s in order]
    sums = list(accumulate(slack))
    ell = max(i for i in range(1, len(slack)) if sums[i] >= i * slack[i])
    active, total = slack[: ell + 1], sums[ell]
    a = total - (-(-total // ell) - 1) * ell
    value = (
        Fraction(r * (sizes[0] + sizes[-1] - r), 2)
        + Fraction(a * (ell - a), 4 * ell)
        - Fraction((ell - 1) * total**2, 4 * ell)
        + Fraction(total**2 - sum(M**2 for M in active), 4)  # half the sum of M_i M_j over pairs
    )
    return LearningCoefficient(value, a * (ell - a) + 1, sizes, r, tuple(order[: ell + 1]))


def reduced_rank_coefficient(widths: Sequence[int], rank: int = 0) -> tuple[Fraction, int]:
    """Return lambda and m of a network with one hidden layer, by the four cases of reduced-rank regression (`eq-reduced-rank`).

    widths : (d_0, d_1, d_2). rank : r, at most the smallest width. Raises ValueError for other depths.
    Source: Aoyagi and Watanabe, Neural Networks 18, 924-933 (2005).
    """
    sizes, r = checked_rank(widths, rank)
    if len(sizes) != 3:
        raise ValueError(f"widths must be (d_0, d_1, d_2) of a network with one hidden layer, got {sizes}")
    N, H, M = sizes
    if N + r > M + H:
        return Fraction(H * M - H * r + N * r, 2), 1
    if M + r > N + H:
        return Fraction(H * N - H * r + M * r, 2), 1
    if H + r > M + N:
        return Fraction(M * N, 2), 1
    odd = (M + N + H + r) % 2
    return Fraction(2 * (H + r) * (M + N) + 2 * M * N - (H + r) ** 2 - M**2 - N**2 + odd, 8), 1 + odd


def coefficients_by_depth(width: int, depths: Sequence[int], rank: int = 0) -> tuple[LearningCoefficient, ...]:
    """Return the learning coefficients of networks whose layers all have one width, for each number of layers.

    width : of every layer, input and output included. depths : numbers of layers L, at most 100,000. rank : r, at most the width.
    """
    d = as_count("width", width)
    try:
        layers = [as_count("depths", depth) for depth in depths]
    except TypeError:
        raise ValueError(f"depths must be a list of numbers of layers, got {depths!r}") from None
    if max(layers, default=0) > _DEEPEST:
        raise ValueError(f"depths must be at most {_DEEPEST:,}, got {max(layers)}; the limit of deep networks is deep_limit")
    return tuple(learning_coefficient((d,) * (L + 1), rank) for L in layers)


def deep_limit(width: int, rank: int = 0) -> Fraction:
    """Return the coefficient that equally wide networks have once L >= width - rank (`eq-depth-bound`).

    With M = width - rank it is r (2 width - r)/2 + M (M + 1)/4, whatever the number of layers.
    width : of every layer. rank : r, at most the width.
    """
    d = as_count("width", width)
    r = as_count("rank", rank, minimum=0)
    if r > d:
        raise ValueError(f"rank must be at most width = {d}, got {r}")
    return Fraction(r * (2 * d - r), 2) + Fraction((d - r) * (d - r + 1), 4)


def finite_temperature(coefficient: LearningCoefficient, n_beta: float) -> float:
    """Return lambda - (m - 1)/log(n_beta), the leading order of n_beta E[K] (`eq-finite-temperature`).

    coefficient : of `learning_coefficient`. n_beta : sample size times inverse temperature, above 1. What is left out is of order
    1/log(n_beta)^2 for m > 1, and a power of n_beta, up to logarithms, for m = 1.
    """
    if not isinstance(coefficient, LearningCoefficient):
        raise ValueError(f"coefficient must come from learning_coefficient, got {type(coefficient).__name__}")
    nb = as_scalar("n_beta", n_beta, positive=True)
    if nb <= 1:
        raise ValueError(f"n_beta must be above 1, where its logarithm is positive, got {nb:g}")
    try:
        return float(coefficient.value) - (coefficient.multiplicity - 1) / log(nb)
    except OverflowError:
        raise ValueError(f"the coefficient of widths {coefficient.widths} is beyond float64; take its exact value") from None


def checked_rank(widths: Sequence[int], rank: int) -> tuple[tuple[int, ...], int]:
    sizes, r = as_widths(widths), as_count("rank", rank, minimum=0)
    if r > min(sizes):
        raise ValueError(f"rank must be at most {min(sizes)}, the smallest of the widths {sizes}, got {r}")
    return sizes, r
