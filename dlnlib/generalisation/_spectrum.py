"""The Marchenko-Pastur law: edges, density, moments, Stieltjes transform, and nodes to integrate with."""

from __future__ import annotations

from functools import cache
from math import comb

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, as_array, as_count, as_scalar

__all__ = [
    "as_ratio",
    "marchenko_pastur_density",
    "marchenko_pastur_edges",
    "marchenko_pastur_moment",
    "marchenko_pastur_nodes",
    "marchenko_pastur_stieltjes",
]

SMALLEST, LARGEST = 1e-6, 1e6
PANELS, PER_PANEL = 60, 16


def as_ratio(ratio: float) -> float:
    """Return alpha = n/d as a float between 1e-6 and 1e6."""
    alpha = as_scalar("ratio", ratio, positive=True)
    if not SMALLEST <= alpha <= LARGEST:
        raise ValueError(f"ratio = n/d must lie between {SMALLEST:g} and {LARGEST:g}, got {alpha:g}")
    return alpha


def marchenko_pastur_edges(ratio: float) -> tuple[float, float]:
    """Return the edges (1 -+ 1/sqrt(alpha))^2 between which the nonzero eigenvalues lie   (`def-marchenko-pastur`).

    ratio : alpha = n/d. The eigenvalues are those of X^T X/n, X of shape (n, d) with independent entries of mean 0 and
    variance 1; exact as n and d go to infinity together. The law needs no more; that the outermost eigenvalues, too,
    tend to the edges needs a finite fourth moment. For Gaussian entries they then lie O(n^(-2/3)) away, except at an
    edge of 0. Source: Marchenko & Pastur 1967.
    """
    root = 1 / np.sqrt(as_ratio(ratio))
    return float((1 - root) ** 2), float((1 + root) ** 2)


def marchenko_pastur_density(eigenvalues: ArrayLike, ratio: float) -> Array:
    """Return the density of the nonzero eigenvalues of X^T X/n, (...), zero outside the edges   (`def-marchenko-pastur`).

    alpha sqrt((lam+ - lam)(lam - lam-))/(2 pi lam). It integrates to min(1, alpha); for alpha < 1 the share 1 - alpha of the
    eigenvalues is exactly zero, and not counted here. At alpha = 1 it grows as 1/(pi sqrt(lam)) towards zero.

    eigenvalues : lam, (...), positive. ratio : alpha = n/d. Assumptions as `marchenko_pastur_edges`.
    """
    lam = as_array("eigenvalues", eigenvalues)
    low, high = marchenko_pastur_edges(ratio)
    if np.any(lam <= 0):
        raise ValueError(f"eigenvalues must be positive, got {lam.min():g}; those that are zero have no density")
    inside = (lam > low) & (lam < high)
    safe = np.where(inside, lam, 0.5 * (low + high))
    return np.where(inside, as_ratio(ratio) * np.sqrt((high - safe) * (safe - low)) / (2 * np.pi * safe), 0.0)


def marchenko_pastur_moment(order: int, ratio: float) -> float:
    """Return the mean of lam^order over all d eigenvalues (`eq-narayana`).

    sum_r binom(k, r) binom(k-1, r) gamma^r/(r+1), r = 0..k-1, gamma = 1/alpha: 1, 1 + gamma, 1 + 3 gamma + gamma^2, ...
    order : k from 1 to 100. ratio : alpha = n/d. Exact as n and d go to infinity together.
    """
    k, gamma = as_count("order", order), 1 / as_ratio(ratio)
    if k > 100:
        raise ValueError(f"order must be at most 100, got {k}: the moments leave float64 soon after")
    if k * np.log10(gamma) > 200:
        raise ValueError(f"the moment of order {k} at ratio {1 / gamma:g} overflows float64; lower the order")
    return float(sum(comb(k, r) * comb(k - 1, r) / (r + 1) * gamma**r for r in range(k)))


def marchenko_pastur_nodes(ratio: float) -> tuple[Array, Array]:
    """Return eigenvalues lam and weights w, (960,) each, so that w @ f(lam) is the integral of f over the density.

    The substitution lam = 1 + gamma - 2 sqrt(gamma) cos(phi) turns the density into 2 sin(phi)^2/(pi lam) dphi on (0, pi)
    (`step-cosine`), without square roots at the ends. Where lam- is small, phi = 0 is close to a pole and, at late times, to a
    sharp corner; panels of Gauss-Legendre nodes that double in length from there resolve both on every scale.

    ratio : alpha = n/d. The weights add to min(1, alpha). For f as in `mode_error`, which varies on one scale of lam, the
    relative error is about 1e-14 for all times, alpha = 1 included.
    """
    gamma = 1 / as_ratio(ratio)
    phi, length = _angles()
    lam = (1 - np.sqrt(gamma)) ** 2 + 4 * np.sqrt(gamma) * np.sin(phi / 2) ** 2
    return lam, length * 2 * np.sin(phi) ** 2 / (np.pi * lam)


@cache
def _angles() -> tuple[Array, Array]:
    """Return angles in (0, pi) and the lengths they stand for, graded towards zero."""
    x, w = np.polynomial.legendre.leggauss(PER_PANEL)
    ends = np.pi * 2.0 ** -np.arange(PANELS, -1, -1.0)
    ends[0] = 0.0
    middle, half = (ends[1:] + ends[:-1])[:, None] / 2, np.diff(ends)[:, None] / 2
    return (middle + half * x).ravel(), (half * w).ravel()


def arcsine_nodes(ratio: float) -> tuple[Array, Array]:
    """Return eigenvalues and weights of the arcsine law between the edges, for the correction of order 1/d."""
    _, length = _angles()
    return marchenko_pastur_nodes(ratio)[0], length / np.pi


def marchenko_pastur_stieltjes(penalty: ArrayLike, ratio: float) -> Array:
    """Return the mean of 1/(lam + kappa) over all d eigenvalues, zeros included, (...)   (`eq-stieltjes`).

    The positive root m of gamma kappa m^2 + (1 - gamma + kappa) m = 1, in the form without cancellation.
    penalty : kappa > 0, (...). ratio : alpha = n/d. Exact as n and d go to infinity together.
    """
    kappa = as_array("penalty", penalty)
    if np.any(kappa <= 0):
        raise ValueError(f"penalty must be positive, got {kappa.min():g}")
    gamma = 1 / as_ratio(ratio)
    with np.errstate(all="ignore"):
        b = 1 - gamma + kappa
        root = np.hypot(b, 2 * np.sqrt(gamma) * np.sqrt(kappa))
        m = np.where(b > 0, 2 / (b + root), (root - b) / (2 * gamma * kappa))
    if not np.all(np.isfinite(m)):
        raise ValueError(f"penalty {kappa.min():g} is too small: 1/penalty leaves float64")
    return m
