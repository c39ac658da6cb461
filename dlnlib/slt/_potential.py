"""The potential U = n_beta L + localisation/2 |w - centre|^2 of a tempered posterior, its slopes and its curvature."""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple

import numpy as np

from dlnlib._unchecked import back_through, chain_curvature, join, product_of, split
from dlnlib._validate import Array, Weights, finite_result
from dlnlib.slt._posterior import Posterior, as_posterior

__all__ = ["largest_curvature"]


class Batch(NamedTuple):
    xx: Array
    yx: Array


def largest_curvature(posterior: Posterior) -> float:
    """Return the largest eigenvalue of the Hessian of n_beta L + localisation/2 |w - centre|^2 at the centre.

    posterior : whose centre is meant.
    """
    from dlnlib.hessian import sharpness

    one = as_posterior(posterior)
    with np.errstate(over="ignore", invalid="ignore"):
        top = one.n_beta * float(sharpness(one.layers, one.moments)) + one.localisation
    return float(finite_result("the curvature", np.asarray(top)))


def slopes_of(posterior: Posterior, layers: Weights, batch: Batch | None = None) -> Weights:
    """Return grad U for every chain."""
    A, xx, nb, gamma = posterior.optimum, posterior.moments.xx, posterior.n_beta, posterior.localisation
    if batch is None:
        raw = back_through(layers, lambda W: nb * ((W - A) @ xx))
    else:
        raw = back_through(layers, lambda W: nb * (W @ batch.xx - batch.yx))
    return tuple(g + gamma * (W - c) for g, W, c in zip(raw, layers, posterior.layers, strict=True))


def potential_of(posterior: Posterior, layers: Weights) -> Array:
    away = sum(np.sum((W - c) ** 2, axis=(-2, -1)) for W, c in zip(layers, posterior.layers, strict=True))
    return posterior.n_beta * posterior.excess_of_product(product_of(layers)) + 0.5 * posterior.localisation * away


def laplacian_of(posterior: Posterior, layers: Weights) -> Array:
    """Return the trace of the Hessian of U: the loss is quadratic in each layer, with |B|^2 tr(C xx C^T) along it."""
    total = np.zeros(layers[0].shape[:-2])
    above = [np.eye(layers[-1].shape[-2]), *accumulate(reversed(layers[1:]), lambda B, W: B @ W)][::-1]
    below = [np.eye(layers[0].shape[-1]), *accumulate(layers[:-1], lambda C, W: W @ C)]
    for B, C in zip(above, below, strict=True):
        total = total + np.sum(B**2, axis=(-2, -1)) * np.sum((C @ posterior.moments.xx) * C, axis=(-2, -1))
    return posterior.n_beta * total + posterior.localisation * posterior.n_parameters


def stretched(posterior: Posterior, layers: Weights, direction: Array) -> Array:
    """Return the Hessian of U applied to a direction (..., n_parameters) at every chain."""
    chain = Batch(posterior.moments.xx, posterior.optimum @ posterior.moments.xx)
    parts = split(direction, [W.shape for W in posterior.layers])
    bent = join(chain_curvature(layers, chain, parts))  # type: ignore[arg-type]
    return posterior.n_beta * bent + posterior.localisation * direction
