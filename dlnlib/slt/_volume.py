"""The volume of nearly optimal parameters, by counting random ones; exact where every layer has one unit."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._unchecked import product_of
from dlnlib._validate import Array, as_array, as_count, as_rng, as_scalar, as_widths, finite_result

__all__ = ["Volume", "scalar_volume", "volume"]

_CHUNK = 20_000
_MOST_ENTRIES = 10_000_000  # of one layer of a chunk: 80 MB
_DEEPEST = 100_000  # where the sum over layers has long converged for every number that float64 can hold


class Volume(NamedTuple):
    """Shares of the cube with K < eps, one for every eps, and their standard errors.

    Where no network was counted both are 0, which says no more than that the share is below about 3/n_samples.
    """

    share: Array
    standard_error: Array


def volume(
    widths: Sequence[int],
    teacher: ArrayLike,
    eps: ArrayLike,
    n_samples: int,
    *,
    rng: np.random.Generator,
    half_width: float = 1.0,
) -> Volume:
    """Return the share of parameters in the cube [-half_width, half_width]^d with K = |W - teacher|^2/2 < eps (`def-volume`).

    widths : (d_0, ..., d_L). teacher : (d_L, d_0). eps : (k,), positive. n_samples : uniformly drawn networks; a share p has the
    relative error (p n_samples)^(-1/2), so that shares below 10/n_samples say little.
    """
    sizes = as_widths(widths)
    A = as_array("teacher", teacher, ndim=2)
    if A.shape != (sizes[-1], sizes[0]):
        raise ValueError(f"teacher must have shape {(sizes[-1], sizes[0])} to fit the widths {sizes}, got {A.shape}")
    levels = np.atleast_1d(as_array("eps", eps))
    if levels.ndim != 1 or np.any(levels <= 0):
        raise ValueError(f"eps must be positive numbers in one dimension, got {eps!r}")
    count, generator = as_count("n_samples", n_samples), as_rng(rng)
    a = as_scalar("half_width", half_width, positive=True)
    hits = np.zeros(len(levels))
    chunk = max(1, min(_CHUNK, _MOST_ENTRIES // max(m * n for n, m in itertools.pairwise(sizes))))
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, count, chunk):
            lead = min(chunk, count - start)
            layers = tuple(generator.uniform(-a, a, size=(lead, m, n)) for n, m in itertools.pairwise(sizes))
            K = finite_result("the loss", 0.5 * np.sum((product_of(layers) - A) ** 2, axis=(-2, -1)))
            hits += np.searchsorted(np.sort(K), levels)
    share = hits / count
    return Volume(share, np.sqrt(share * (1 - share) / count))


def scalar_volume(eps: ArrayLike, depth: int) -> Array:
    """Return the share of [-1, 1]^depth with (w_1 ... w_depth)^2/2 < eps, shape of eps (`eq-scalar-volume`).

    With s = (2 eps)^(1/2) at most 1 it is s sum_{k < depth} (-log s)^k / k!, an incomplete Gamma function of -log s.
    depth : number of layers of one unit.
    """
    from scipy.special import gammaincc

    levels, L = as_array("eps", eps), as_count("depth", depth)
    if np.any(levels <= 0):
        raise ValueError(f"eps must be positive, got {levels.min():g}")
    x = np.maximum(-0.5 * np.log(2 * np.minimum(levels, 1.0)), 0.0)
    return np.asarray(gammaincc(float(min(L, _DEEPEST)), x))
