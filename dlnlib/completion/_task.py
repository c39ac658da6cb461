"""The task: a matrix, and which of its entries are seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlnlib._validate import Array, as_array, as_count, as_rng, as_scalar, finite_result

__all__ = ["Completion", "degrees_of_freedom", "random_task"]


@dataclass(frozen=True, eq=False)
class Completion:
    """A matrix to complete, or a batch of them.

    target : (..., m, n), the whole matrix; only its seen entries enter the loss. mask : same shape, True where seen.
    """

    target: Array
    mask: NDArray[np.bool_]

    def __init__(self, target: ArrayLike, mask: ArrayLike) -> None:
        M, seen = as_array("target", target), np.asarray(mask)
        if M.ndim < 2 or seen.shape != M.shape or seen.dtype != np.bool_:
            raise ValueError(
                f"target must be (..., m, n) and mask truth values of its shape, got {M.shape} and {seen.dtype} {seen.shape}"
            )
        if not np.all(seen.any(axis=(-2, -1))):
            raise ValueError("mask must show at least one entry")
        object.__setattr__(self, "target", M)
        object.__setattr__(self, "mask", seen)

    def loss(self, W: ArrayLike) -> Array:
        """Return half the sum of squared errors on the seen entries (`def-completion-loss`), (...)."""
        with np.errstate(over="ignore", invalid="ignore"):
            return finite_result("the loss", 0.5 * np.sum(self.gradient(W) ** 2, axis=(-2, -1)))

    def gradient(self, W: ArrayLike) -> Array:
        """Return dLoss/dW, the error on the seen entries and zero elsewhere, of the shape of W."""
        with np.errstate(over="ignore"):
            return finite_result("the gradient", np.where(self.mask, self._fits(W) - self.target, 0.0))

    def error(self, W: ArrayLike) -> Array:
        """Return ||W - M||_F / ||M||_F over all entries, seen or not, (...)."""
        # Divided by its largest entry, so that squares of extreme targets stay inside float64.
        size = np.abs(self.target).max(axis=(-2, -1), keepdims=True)
        if np.any(size == 0):
            raise ValueError("the target is zero: there is nothing to be relative to")
        with np.errstate(over="ignore", invalid="ignore"):
            off = np.linalg.norm(self._fits(W) / size - self.target / size, axis=(-2, -1))
            return finite_result("the error", off / np.linalg.norm(self.target / size, axis=(-2, -1)))

    def _fits(self, W: ArrayLike) -> Array:
        matrix = as_array("W", W)
        if matrix.ndim < 2 or matrix.shape[-2:] != self.target.shape[-2:]:
            raise ValueError(f"W must have shape (..., {self.target.shape[-2]}, {self.target.shape[-1]}), got {matrix.shape}")
        return matrix


def random_task(size: int, rank: int, share: float, *, rng: np.random.Generator, norm: float = 3.0) -> Completion:
    """Return a random low-rank matrix A B^T, scaled, of which each entry is seen with a given probability.

    size : of the square matrix. rank : of it; A and B are (size, rank) with Gaussian entries. share : probability, above
    0. norm : largest singular value after scaling.
    """
    n, r = as_count("size", size), as_count("rank", rank)
    p, top, generator = as_scalar("share", share), as_scalar("norm", norm, positive=True), as_rng(rng)
    if r > n:
        raise ValueError(f"rank must be at most size = {n}, got {r}")
    if not 0 < p <= 1:
        raise ValueError(f"share must lie above 0 and at most at 1, got {p:g}")
    M = generator.standard_normal((n, r)) @ generator.standard_normal((r, n))
    seen = generator.random((n, n)) < p
    if not seen.any():
        raise ValueError(f"with share = {p:g} no entry of the {n} x {n} matrix was drawn; take a larger share")
    return Completion(top * (M / np.linalg.norm(M, 2)), seen)


def degrees_of_freedom(m: int, n: int, rank: int) -> int:
    """Return r (m + n - r), the dimension of the set of m x n matrices of rank r (`eq-degrees-of-freedom`).

    m, n : shape. rank : r, at most the smaller of them. With fewer seen entries no matrix of this rank is singled out.
    """
    rows, columns, r = as_count("m", m), as_count("n", n), as_count("rank", rank, minimum=0)
    if r > min(rows, columns):
        raise ValueError(f"rank must be at most {min(rows, columns)}, got {r}")
    return r * (rows + columns - r)
