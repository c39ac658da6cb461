"""Impostors: other latent variables with the same law as the factors, and mixtures of all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, as_array, finite_result

__all__ = ["impostor", "impostor_correlation", "impostor_jacobian"]


def impostor(z: ArrayLike, Q: ArrayLike, prior: Any) -> Array:
    """Return f(z), which has the law of z and mixes its coordinates (`eq-impostor`).

    Each coordinate is made Gaussian, xi = Phi^-1(F(z)); the vector is rotated, Q xi; each coordinate is mapped back.
    z : (..., k), inside the support of the prior. Q : (k, k), orthogonal. prior : the law of every coordinate, a frozen
    continuous distribution of scipy.stats or anything else with cdf, sf, ppf and isf.
    Upper tails go through sf and isf, so that both tails keep their digits. Source: Locatello et al. 2019.
    """
    points, rotation = _as_pair(z, Q)
    _check_prior(prior, ("cdf", "sf", "ppf", "isf"))
    return _to_prior(_to_gaussian(points, prior) @ rotation.T, prior)


def impostor_jacobian(z: ArrayLike, Q: ArrayLike, prior: Any) -> Array:
    """Return df_i/dz_j = Q_ij g'(Q xi)_i / g'(xi)_j, (..., k, k), with g' = phi/p (`eq-impostor-jacobian`).

    Arguments as in `impostor`; the prior needs pdf too. An entry is zero only where Q_ij is.
    """
    points, rotation = _as_pair(z, Q)
    _check_prior(prior, ("cdf", "sf", "ppf", "isf", "pdf"))
    xi = _to_gaussian(points, prior)
    turned = xi @ rotation.T
    image = _to_prior(turned, prior)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        before = _normal(xi) / np.asarray(prior.pdf(points))
        after = _normal(turned) / np.asarray(prior.pdf(image))
        jacobian = rotation * after[..., :, None] / before[..., None, :]
    return finite_result("the Jacobian", jacobian)


def impostor_correlation(Q: ArrayLike) -> Array:
    """Return the correlation of f_i(z) with z_j for uniform factors, 6/pi arcsin(Q_ij/2), (k, k) (`eq-impostor-correlation`).

    Q : (k, k), orthogonal. For other continuous priors it is their rank correlation (Spearman's).
    """
    rotation = as_array("Q", Q, ndim=2)
    _check_orthogonal(rotation)
    return 6 / np.pi * np.arcsin(np.clip(rotation, -1, 1) / 2)


def _to_gaussian(z: Array, prior: Any) -> Array:
    from scipy.special import ndtri

    low, high = np.asarray(prior.cdf(z), dtype=float), np.asarray(prior.sf(z), dtype=float)
    if np.any((low <= 0) | (high <= 0)):
        raise ValueError("z holds points at or beyond the ends of the prior's support, or so far out that float64 cannot tell")
    return np.where(low < 0.5, ndtri(low), -ndtri(high))


def _to_prior(xi: Array, prior: Any) -> Array:
    from scipy.special import ndtr

    upper = xi > 0
    tail = ndtr(-np.abs(xi))
    return finite_result("the impostor", np.where(upper, prior.isf(tail), prior.ppf(tail)))


def _normal(x: Array) -> Array:
    return np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)


def _as_pair(z: ArrayLike, Q: ArrayLike) -> tuple[Array, Array]:
    points, rotation = as_array("z", z), as_array("Q", Q, ndim=2)
    _check_orthogonal(rotation)
    if points.ndim < 1 or points.shape[-1] != rotation.shape[0]:
        raise ValueError(f"z must have shape (..., {rotation.shape[0]}) to be turned by Q {rotation.shape}, got {points.shape}")
    return points, rotation


def _check_prior(prior: Any, wanted: tuple[str, ...]) -> None:
    missing = [name for name in wanted if not callable(getattr(prior, name, None))]
    if missing:
        raise ValueError(
            f"prior must have the methods {', '.join(wanted)}, as scipy.stats.uniform(-1, 2) has; "
            f"{type(prior).__name__} lacks {', '.join(missing)}"
        )


def _check_orthogonal(Q: Array) -> None:
    # Large entries are refused first: their squares may overflow.
    if Q.shape[0] != Q.shape[1] or np.abs(Q).max() > 2 or np.abs(Q @ Q.T - np.eye(len(Q))).max() > 1e-10:
        raise ValueError(f"Q must be orthogonal, Q Q^T = I; the one given, of shape {Q.shape}, is not")
