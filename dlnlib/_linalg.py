"""Matrix tools that more than one module needs. Like `_unchecked`, they trust their arguments."""

from __future__ import annotations

import numpy as np

from dlnlib._validate import Array

EPS = float(np.finfo(np.float64).eps)
TINY = float(np.finfo(np.float64).tiny)


def transpose(matrix: Array) -> Array:
    """Return the matrices (..., n, m) transposed, batch axes left alone."""
    return np.swapaxes(matrix, -1, -2)


def orthonormal(m: int, n: int, rng: np.random.Generator, lead: tuple[int, ...] = ()) -> Array:
    """Return uniformly distributed matrices (*lead, m, n) with orthonormal columns (or rows, when m < n)."""
    tall = rng.standard_normal((*lead, max(m, n), min(m, n)))
    Q, R = np.linalg.qr(tall)
    # Without this sign the distribution of Q depends on the convention of the QR routine.
    Q = Q * np.where(np.diagonal(R, axis1=-2, axis2=-1) < 0, -1.0, 1.0)[..., None, :]
    return Q if m >= n else transpose(Q)


def asymmetry(matrix: Array) -> float:
    """Return the largest |A - A^T| relative to the largest |A|; 0 for a zero matrix."""
    return float(np.abs(matrix - matrix.T).max() / max(np.abs(matrix).max(), TINY))


def count_positive(eigenvalues: Array) -> int:
    """Return how many eigenvalues of a positive semi-definite matrix, in increasing order, are above rounding."""
    return int(np.sum(eigenvalues > len(eigenvalues) * EPS * max(eigenvalues[-1], 0.0)))


def power_on_range(eigenvalues: Array, basis: Array, exponent: float) -> Array:
    """Return a power of the positive semi-definite matrix with this `np.linalg.eigh`, zero on its null space."""
    first = len(eigenvalues) - count_positive(eigenvalues)
    kept = basis[:, first:]
    return (kept * eigenvalues[first:] ** exponent) @ kept.T
