"""Teachers, input covariances and Gaussian samples with exact population moments."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._linalg import orthonormal, power_on_range
from dlnlib._validate import Array, as_array, as_count, as_rng, as_scalar, finite_result
from dlnlib.moments import Moments

__all__ = ["correlated_inputs", "gaussian_samples", "random_teacher"]


def random_teacher(
    singular_values: ArrayLike,
    d_in: int,
    d_out: int,
    *,
    rng: np.random.Generator,
) -> Array:
    """Return a (d_out, d_in) matrix with the given singular values and uniformly random singular vectors.

    singular_values : at most min(d_out, d_in) numbers not below zero, (r,); the rank is the number of positive ones.
    """
    s = np.atleast_1d(as_array("singular_values", singular_values))
    n, m, generator = as_count("d_in", d_in), as_count("d_out", d_out), as_rng(rng)
    if s.ndim != 1 or np.any(s < 0):
        raise ValueError(f"singular_values must be a list of numbers not below zero, got {singular_values!r}")
    if len(s) > min(n, m):
        raise ValueError(f"a {m} by {n} matrix has at most {min(n, m)} singular values, got {len(s)}")
    U, V = orthonormal(m, len(s), generator), orthonormal(n, len(s), generator)
    return (U * s) @ V.T


def correlated_inputs(eigenvalues: ArrayLike, *, rng: np.random.Generator) -> Array:
    """Return an input covariance with the given eigenvalues and uniformly random eigenvectors, (d_in, d_in).

    eigenvalues : (d_in,), not below zero.
    """
    values = np.atleast_1d(as_array("eigenvalues", eigenvalues))
    if values.ndim != 1 or np.any(values < 0):
        raise ValueError(f"eigenvalues must be a list of numbers not below zero, got {eigenvalues!r}")
    Q = orthonormal(len(values), len(values), as_rng(rng))
    with np.errstate(over="ignore", invalid="ignore"):
        S = finite_result("the covariance", (Q * values) @ Q.T)
    return S / 2 + S.T / 2


def gaussian_samples(
    teacher: ArrayLike,
    n: int,
    *,
    rng: np.random.Generator,
    xx: ArrayLike | None = None,
    noise: float = 0.0,
) -> tuple[Array, Array]:
    """Return n samples of y = teacher @ x + noise with Gaussian x of covariance xx: X (n, d_in), Y (n, d_out).

    teacher : (d_out, d_in). xx : (d_in, d_in), identity when None. noise : variance of each output.
    The exact population moments are `Moments.from_teacher(teacher, xx, noise=noise)`.
    """
    W, count, generator = as_array("teacher", teacher, ndim=2), as_count("n", n), as_rng(rng)
    variance = as_scalar("noise", noise, nonnegative=True)
    population = Moments.from_teacher(W, xx, noise=variance)
    X = generator.standard_normal((count, population.d_in)) @ power_on_range(*np.linalg.eigh(population.xx), 0.5)
    Y = X @ W.T + np.sqrt(variance) * generator.standard_normal((count, population.d_out))
    return X, Y
