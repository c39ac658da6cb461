"""Exact sampling of the tempered posterior: the loss is quadratic in each layer, which is Gaussian given the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np

from dlnlib._linalg import transpose
from dlnlib._validate import Array, as_rng, finite_result
from dlnlib.slt._posterior import Draws, Posterior, as_posterior, as_run

__all__ = ["gibbs"]


@overload
def gibbs(posterior: Posterior, n_sweeps: int, n_chains: int, *, rng: np.random.Generator, burn: int | None = None) -> Draws: ...
@overload
def gibbs(
    posterior: Sequence[Posterior], n_sweeps: int, n_chains: int, *, rng: np.random.Generator, burn: int | None = None
) -> tuple[Draws, ...]: ...
def gibbs(
    posterior: Posterior | Sequence[Posterior],
    n_sweeps: int,
    n_chains: int,
    *,
    rng: np.random.Generator,
    burn: int | None = None,
) -> Draws | tuple[Draws, ...]:
    """Return draws of the tempered posterior by block Gibbs sampling, without a step (`eq-layer-conditional`); once mixed, exact.

    posterior : one, or several of equal widths, which are sampled together at little more than the cost of one; the answer is
    then a tuple. n_sweeps : times that every layer is drawn anew. n_chains : independent chains, from the centre.
    burn : sweeps to forget, a third unless given. One sweep costs O(n_chains sum d^3), whatever the number of samples.
    """
    single = isinstance(posterior, Posterior)
    several = [as_posterior(posterior)] if single else _as_several(posterior)
    total, chains, forget = as_run(n_sweeps, n_chains, burn, "n_sweeps")
    generator = as_rng(rng)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        excess, mean_map, layers = _run(several, total, chains, forget, generator)
    finite_result("the loss of the draws", excess)
    draws = tuple(Draws(one, excess[:, i], mean_map[i], tuple(W[i] for W in layers), "gibbs") for i, one in enumerate(several))
    return draws[0] if single else draws


def _as_several(posteriors: object) -> list[Posterior]:
    try:
        several = [as_posterior(one) for one in posteriors]  # type: ignore[attr-defined]
    except TypeError:
        raise ValueError(f"posterior must be a slt.Posterior or a list of them, got {type(posteriors).__name__}") from None
    if not several:
        raise ValueError("posterior is an empty list; give at least one")
    for one in several:
        if one.widths != several[0].widths:
            raise ValueError(f"posteriors sampled together need equal widths, got {several[0].widths} and {one.widths}")
    return several


def _run(
    several: list[Posterior], total: int, chains: int, forget: int, rng: np.random.Generator
) -> tuple[Array, Array, list[Array]]:
    """Sweep all chains of all posteriors, with axes (posterior, chain, row, column)."""
    xx = np.stack([one.moments.xx for one in several])[:, None]
    optimum = np.stack([one.optimum for one in several])[:, None]
    yx = optimum @ xx
    n_beta = np.array([one.n_beta for one in several])[:, None, None, None]
    gamma = np.array([one.localisation for one in several])[:, None, None, None]
    centre = [np.stack([one.layers[i] for one in several])[:, None] for i in range(len(several[0].layers))]
    layers = [np.repeat(W, chains, axis=1) for W in centre]
    inputs = np.linalg.eigh(xx)
    excess = np.empty((total - forget, len(several), chains))
    mean_map = np.zeros(optimum[:, 0].shape)
    for sweep in range(total):
        above = _suffixes(layers)
        below: Array | None = None
        for i, W in enumerate(layers):
            layers[i] = _draw_layer(above[i], below, xx, yx, inputs, n_beta, gamma, centre[i], W.shape, rng)
            below = layers[i] if below is None else layers[i] @ below
        if sweep >= forget:
            assert below is not None
            D = below - optimum
            excess[sweep - forget] = 0.5 * np.sum((D @ xx) * D, axis=(-2, -1))
            mean_map += below.mean(axis=1)
    return excess, mean_map / (total - forget), layers


def _suffixes(layers: list[Array]) -> list[Array | None]:
    """Return W_L ... W_{l+1} for every l; None, for the identity, at the last."""
    result: list[Array | None] = [None]
    for W in reversed(layers[1:]):
        result.append(W if result[-1] is None else result[-1] @ W)
    return result[::-1]


def _draw_layer(
    B: Array | None,
    C: Array | None,
    xx: Array,
    yx: Array,
    inputs: tuple[Array, Array],
    n_beta: Array,
    gamma: Array,
    centre: Array,
    shape: tuple[int, ...],
    rng: np.random.Generator,
) -> Array:
    """Draw W given B above and C below: in the eigenvectors of B^T B and C xx C^T its entries are independent."""
    q, V = inputs if C is None else np.linalg.eigh(C @ xx @ transpose(C))
    slope = yx if C is None else yx @ transpose(C)
    pull = n_beta * (slope if B is None else transpose(B) @ slope) + gamma * centre
    # The noise is drawn in the weights' own basis: eigenvectors, whose signs differ from machine to machine, cancel.
    noise = rng.standard_normal(shape)
    if B is None:
        precision = n_beta * np.maximum(q, 0)[..., None, :] + gamma
        return ((pull @ V) / precision + (noise @ V) / np.sqrt(precision)) @ transpose(V)
    p, U = np.linalg.eigh(transpose(B) @ B)
    precision = n_beta * np.maximum(p, 0)[..., :, None] * np.maximum(q, 0)[..., None, :] + gamma
    Ut = transpose(U)
    return U @ ((Ut @ pull @ V) / precision + (Ut @ noise @ V) / np.sqrt(precision)) @ transpose(V)
