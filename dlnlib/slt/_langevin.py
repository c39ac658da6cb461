"""Langevin chains for the tempered posterior: SGLD, which is biased by its step, and MALA, which corrects it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlnlib._validate import Weights, as_rng, as_scalar, finite_result
from dlnlib.slt._batches import Batches, as_batches
from dlnlib.slt._posterior import Draws, Posterior, as_posterior
from dlnlib.slt._potential import largest_curvature, potential_of, slopes_of
from dlnlib.slt._steps import SAFE, Record, Run, Steps

__all__ = ["mala", "sgld"]

ACCEPTED = 0.574  # the best rate for MALA in high dimension (Roberts and Rosenthal 1998)
_CHECK_EVERY = 50


def sgld(
    posterior: Posterior,
    n_steps: int,
    n_chains: int,
    *,
    rng: np.random.Generator,
    step: float | None = None,
    data: tuple[ArrayLike, ArrayLike] | None = None,
    batch_size: int | None = None,
    burn: int | None = None,
    thin: int = 10,
) -> Draws:
    """Return draws by Langevin steps w <- w - step/2 grad U + sqrt(step) noise, U = n_beta L + localisation/2 |w - w*|^2.

    n_steps, n_chains : length and number of chains, which start at the centre. step : fixed if given; otherwise `step_rule` of
    the curvature that the chains meet in the first half of the burn-in: of their median, kept stable for the stiffest; with
    batches it is divided by 1 + n_beta/batch_size, so that step and batches together add what the step alone would.
    data, batch_size : samples X (n, d_in) and Y (n, d_out) whose moments the posterior has, and how many of them a step sees,
    drawn with replacement; all of them, from the moments, unless given. burn : steps to forget, a third unless given.
    thin : the loss is recorded every so many steps.
    Raises ValueError for a step at which the chain cannot be stable, saying the largest that can.
    Source: Welling and Teh (2011); with a localisation, Lau et al. (2025).
    """
    one, generator = as_posterior(posterior), as_rng(rng)
    batches = as_batches(one, data, batch_size)
    run = Run.of(n_steps, n_chains, burn, thin)
    fixed = None if step is None else as_scalar("step", step, positive=True)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return _sgld(one, run, fixed, batches, generator)


def mala(
    posterior: Posterior,
    n_steps: int,
    n_chains: int,
    *,
    rng: np.random.Generator,
    step: float | None = None,
    burn: int | None = None,
    thin: int = 10,
) -> Draws:
    """Return draws by Langevin steps that are accepted or refused so that they have no bias (Metropolis adjusted Langevin).

    posterior, n_steps, n_chains, burn, thin : as in `sgld`. step : fixed if given; otherwise adapted to an acceptance of 57 %
    during the burn-in, and fixed from there.
    Source: Roberts and Tweedie (1996); Roberts and Rosenthal (1998) for the rate.
    """
    one, generator = as_posterior(posterior), as_rng(rng)
    run = Run.of(n_steps, n_chains, burn, thin)
    fixed = None if step is None else as_scalar("step", step, positive=True)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return _mala(one, run, fixed, generator)


def _sgld(posterior: Posterior, run: Run, fixed: float | None, batches: Batches | None, rng: np.random.Generator) -> Draws:
    at_centre = largest_curvature(posterior)
    if fixed is not None and fixed * at_centre >= 4:
        raise ValueError(
            f"step = {fixed:g} is too large: the curvature at the centre is {at_centre:.4g} and chains diverge from "
            f"4/curvature = {4 / at_centre:.3g} on; take at most {SAFE / at_centre:.2g}"
        )
    layers = tuple(np.repeat(W[None], run.chains, axis=0) for W in posterior.layers)
    # The noise of batches multiplies the bias of the step by 1 + n_beta/size (`eq-batch-noise`).
    safe = SAFE if batches is None else SAFE / (1 + posterior.n_beta / batches.size)
    steps = Steps(posterior, run, fixed, rng, safe)
    record = Record(posterior, run)
    for k in range(run.total):
        step = steps.at(k, layers)
        slopes = slopes_of(posterior, layers, None if batches is None else batches.draw(run.chains, rng))
        layers = tuple(
            W - 0.5 * step * g + np.sqrt(step) * rng.standard_normal(W.shape) for W, g in zip(layers, slopes, strict=True)
        )
        slot = run.slot(k)
        if slot is not None:
            record.keep(slot, layers, step)
        if k % _CHECK_EVERY == 0 and not np.isfinite(layers[0]).all():
            break
    if not all(np.isfinite(found).all() for found in (record.excess, record.tilt, record.map, *layers)):
        way_out = f"take a tenth of step = {fixed:g}" if fixed is not None else "rescale the data, or take a larger localisation"
        raise ValueError(f"the chains left float64: the step is too large for the curvature that they met; {way_out}")
    heat = 0.0 if batches is None else batches.heat(posterior, layers, step)
    return Draws(posterior, record.excess, record.map / run.n_draws, layers, "sgld", step=step, tilt=record.tilt, batch_heat=heat)


def _mala(posterior: Posterior, run: Run, fixed: float | None, rng: np.random.Generator) -> Draws:
    layers = tuple(np.repeat(W[None], run.chains, axis=0) for W in posterior.layers)
    # Between the centre's curvature and the first refusals the step finds its own size.
    step = SAFE / largest_curvature(posterior) if fixed is None else fixed
    potential, slopes = potential_of(posterior, layers), slopes_of(posterior, layers)
    record = Record(posterior, run)
    adapt, accepted = run.forget, 0.0
    for k in range(run.total):
        noise = tuple(np.sqrt(step) * rng.standard_normal(W.shape) for W in layers)
        new = tuple(W - 0.5 * step * g + e for W, g, e in zip(layers, slopes, noise, strict=True))
        new_potential, new_slopes = potential_of(posterior, new), slopes_of(posterior, new)
        # log q(w | new) - log q(new | w), with w - new = step/2 grad - noise
        ratio = potential - new_potential
        for e, g, h in zip(noise, slopes, new_slopes, strict=True):
            back = -e + 0.5 * step * (g + h)
            ratio = ratio + (np.sum(e**2, axis=(-2, -1)) - np.sum(back**2, axis=(-2, -1))) / (2 * step)
        take = np.log(rng.random(run.chains)) < np.where(np.isfinite(ratio), ratio, -np.inf)
        layers, slopes = _chosen(take, new, layers), _chosen(take, new_slopes, slopes)
        potential = np.where(take, new_potential, potential)
        if fixed is None and k < adapt:
            step *= float(np.exp((take.mean() - ACCEPTED) / np.sqrt(1 + k / 10)))
        if k >= run.forget:
            accepted += float(take.mean())
        slot = run.slot(k)
        if slot is not None:
            record.keep(slot, layers, None)
    finite_result("the loss of the draws", record.excess)
    rate = accepted / (run.total - run.forget)
    return Draws(posterior, record.excess, record.map / run.n_draws, layers, "mala", step=step, acceptance=rate)


def _chosen(take: NDArray[np.bool_], new: Weights, old: Weights) -> Weights:
    return tuple(np.where(take[:, None, None], n, o) for n, o in zip(new, old, strict=True))
