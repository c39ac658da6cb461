"""Langevin chains for the tempered posterior: SGLD, which is biased by its step, and MALA, which corrects it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlnlib._linalg import transpose
from dlnlib._unchecked import back_through, chain_curvature, join, members, product_of, split
from dlnlib._validate import Array, Weights, as_array, as_count, as_rng, as_scalar, finite_result
from dlnlib.slt._posterior import Draws, Posterior, as_posterior, as_run

__all__ = ["largest_curvature", "mala", "sgld", "step_rule"]

SAFE = 0.08  # step times curvature: a bias of 2 % along the stiffest direction of the median chain (`eq-step-bias`)
STABLE = 1.0  # step times curvature of the stiffest chain; it would diverge at 4
ACCEPTED = 0.574  # the best rate for MALA in high dimension (Roberts and Rosenthal 1998)
_ROUNDS = 20
_CHECK_EVERY = 50


def step_rule(curvature: float, bias: float = SAFE / 4) -> float:
    """Return the step at which a direction of this curvature has variance too large by the factor 1/(1 - bias) (`eq-step-bias`).

    curvature : of n_beta L + localisation/2 |w - w*|^2, its largest eigenvalue. bias : below 1; the chain diverges at 1.
    """
    h = as_scalar("curvature", curvature, positive=True)
    share = as_scalar("bias", bias, positive=True)
    if share >= 1:
        raise ValueError(f"bias must be below 1, where the chain diverges, got {share:g}")
    return float(finite_result("the step", np.asarray(4 * share / h)))


def largest_curvature(posterior: Posterior) -> float:
    """Return the largest eigenvalue of the Hessian of n_beta L + localisation/2 |w - centre|^2 at the centre.

    posterior : whose centre is meant.
    """
    from dlnlib.hessian import sharpness

    one = as_posterior(posterior)
    with np.errstate(over="ignore", invalid="ignore"):
        top = one.n_beta * float(sharpness(one.layers, one.moments)) + one.localisation
    return float(finite_result("the curvature", np.asarray(top)))


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
    the curvature that the chains meet in the first half of the burn-in: of their median, kept stable for the stiffest.
    data, batch_size : samples X (n, d_in) and Y (n, d_out) whose moments the posterior has, and how many of them a step sees;
    all of them, from the moments, unless given. burn : steps to forget, a third unless given. thin : the loss is recorded
    every so many steps.
    Raises ValueError for a step at which the chain cannot be stable, saying the largest that can.
    Source: Welling and Teh (2011); with a localisation, Lau et al. (2025).
    """
    one, generator = as_posterior(posterior), as_rng(rng)
    batches = _as_batches(one, data, batch_size)
    run = _Run.of(n_steps, n_chains, burn, thin)
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
    run = _Run.of(n_steps, n_chains, burn, thin)
    fixed = None if step is None else as_scalar("step", step, positive=True)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return _mala(one, run, fixed, generator)


@dataclass(frozen=True)
class _Run:
    total: int
    chains: int
    forget: int
    thin: int

    @classmethod
    def of(cls, n_steps: int, n_chains: int, burn: int | None, thin: int) -> _Run:
        total, chains, forget = as_run(n_steps, n_chains, burn, "n_steps")
        every = as_count("thin", thin)
        if (total - forget) // every < 8:
            raise ValueError(f"n_steps = {total} after burn = {forget} leaves fewer than 8 draws at thin = {every}; run longer")
        return cls(total, chains, forget, every)

    @property
    def n_draws(self) -> int:
        return (self.total - self.forget) // self.thin

    def slot(self, step: int) -> int | None:
        """Return where a step is recorded, if it is."""
        after = step + 1 - self.forget
        return after // self.thin - 1 if after > 0 and after % self.thin == 0 else None


class _Batch(NamedTuple):
    xx: Array
    yx: Array


@dataclass(frozen=True, eq=False)
class _Batches:
    X: Array
    Y: Array
    size: int

    def draw(self, chains: int, rng: np.random.Generator) -> _Batch:
        """Return the moments of a batch for every chain, drawn with replacement."""
        rows = rng.integers(len(self.X), size=(chains, self.size))
        X, Y = self.X[rows], self.Y[rows]
        return _Batch(transpose(X) @ X / self.size, transpose(Y) @ X / self.size)

    def heat(self, posterior: Posterior, chains: Weights, step: float) -> float:
        """Return step/8 times the trace of the covariance of the noise, mean over where the chains are (`eq-batch-noise`)."""
        spread = float(np.mean([self._spread(layers) for layers in members(chains)]))
        heat = step / 8 * posterior.n_beta**2 * spread / self.size
        return float(finite_result("the noise of the mini-batches", np.asarray(heat)))

    def _spread(self, layers: Weights) -> float:
        """Return the trace of the covariance of the gradients of single samples."""
        X = self.X
        below = [X, *(X @ transpose(P) for P in accumulate(layers, lambda P, W: W @ P))]
        signal = below[-1] - self.Y
        square = 0.0
        for i in range(len(layers) - 1, -1, -1):
            each = np.sum(signal**2, axis=1) * np.sum(below[i] ** 2, axis=1)
            square += float(each.mean() - np.sum((transpose(signal) @ below[i] / len(X)) ** 2))
            signal = signal @ layers[i]
        return square


def _as_batches(posterior: Posterior, data: tuple[ArrayLike, ArrayLike] | None, batch_size: int | None) -> _Batches | None:
    if (data is None) != (batch_size is None):
        raise ValueError("give data and batch_size together, or neither for steps that see all samples")
    if data is None or batch_size is None:
        return None
    try:
        X, Y = data
    except (TypeError, ValueError):
        raise ValueError(f"data must be a pair (X, Y), got {type(data).__name__}") from None
    from dlnlib.moments import Moments

    inputs, outputs = as_array("X", X, ndim=2), as_array("Y", Y, ndim=2)
    own = Moments.from_data(inputs, outputs, full_yy=False)
    size = as_count("batch_size", batch_size)
    same = own.xx.shape == posterior.moments.xx.shape and own.yx.shape == posterior.moments.yx.shape
    if not same or not all(
        np.allclose(a, b, rtol=1e-6, atol=1e-9 * max(np.abs(a).max(), 1e-300))
        for a, b in ((own.xx, posterior.moments.xx), (own.yx, posterior.moments.yx))
    ):
        raise ValueError("the posterior's moments are not those of data; make it with Moments.from_data(X, Y)")
    return _Batches(inputs, outputs, size)


def _slopes(posterior: Posterior, layers: Weights, batch: _Batch | None = None) -> Weights:
    """Return grad U for every chain."""
    A, xx, nb, gamma = posterior.optimum, posterior.moments.xx, posterior.n_beta, posterior.localisation
    if batch is None:
        raw = back_through(layers, lambda W: nb * ((W - A) @ xx))
    else:
        raw = back_through(layers, lambda W: nb * (W @ batch.xx - batch.yx))
    return tuple(g + gamma * (W - c) for g, W, c in zip(raw, layers, posterior.layers, strict=True))


def _potential(posterior: Posterior, layers: Weights) -> Array:
    away = sum(np.sum((W - c) ** 2, axis=(-2, -1)) for W, c in zip(layers, posterior.layers, strict=True))
    return posterior.n_beta * posterior.excess_of_product(product_of(layers)) + 0.5 * posterior.localisation * away


def _laplacian(posterior: Posterior, layers: Weights) -> Array:
    """Return the trace of the Hessian of U: the loss is quadratic in each layer, with |B|^2 tr(C xx C^T) along it."""
    total = np.zeros(layers[0].shape[:-2])
    above = [np.eye(layers[-1].shape[-2]), *accumulate(reversed(layers[1:]), lambda B, W: B @ W)][::-1]
    below = [np.eye(layers[0].shape[-1]), *accumulate(layers[:-1], lambda C, W: W @ C)]
    for B, C in zip(above, below, strict=True):
        total = total + np.sum(B**2, axis=(-2, -1)) * np.sum((C @ posterior.moments.xx) * C, axis=(-2, -1))
    return posterior.n_beta * total + posterior.localisation * posterior.n_parameters


class _Steps:
    """The step of SGLD, found in the first half of the burn-in from the largest curvature of U where the chains are."""

    def __init__(self, posterior: Posterior, run: _Run, fixed: float | None, rng: np.random.Generator) -> None:
        self.posterior = posterior
        self.shapes = [W.shape for W in posterior.layers]
        self.until = run.forget // 2
        self.every = max(self.until // _ROUNDS, 1)
        self.adapts = fixed is None
        self.found: list[tuple[float, float]] = []
        self.vector = rng.standard_normal((run.chains, posterior.n_parameters))
        self.step = self._first(run.chains, rng) if fixed is None else fixed

    def _first(self, chains: int, rng: np.random.Generator) -> float:
        """Return a step that is safe before the chains have spread: all layers but one may be as far out as gamma allows.

        At a centre of zeros the curvature is gamma alone, and says nothing of what the chains will meet.
        """
        layers = self.posterior.layers
        most = largest_curvature(self.posterior)
        for i in range(len(layers)):
            spread = tuple(
                W + (k != i) * rng.standard_normal((chains, *W.shape)) * self.posterior.localisation**-0.5
                for k, W in enumerate(layers)
            )
            most = max(most, float(self._curvature(spread).max()))
        return SAFE / most

    def at(self, k: int, layers: Weights) -> float:
        """Return the step to take from here: it grows by no more than a factor 2 a round."""
        if self.adapts and (k == self.until or (k < self.until and k % self.every == 0)):
            curvature = self._curvature(layers)
            self.found.append((float(np.median(curvature)), float(curvature.max())))
            recent = self.found[-1:] if k < self.until else self.found[len(self.found) // 2 :]
            middle, top = np.mean([m for m, _ in recent]), max(t for _, t in recent)
            self.step = min(SAFE / float(middle), STABLE / top, 2 * self.step)
        return self.step

    def _curvature(self, layers: Weights) -> Array:
        """Return the largest curvature of U for every chain, by power iteration that goes on from where it was."""
        one = self.posterior
        chain = _Batch(one.moments.xx, one.optimum @ one.moments.xx)
        size = np.linalg.norm(self.vector, axis=1)
        for _ in range(4):
            direction = self.vector / size[:, None]
            bent = join(chain_curvature(layers, chain, split(direction, self.shapes)))  # type: ignore[arg-type]
            self.vector = one.n_beta * bent + one.localisation * direction
            size = np.linalg.norm(self.vector, axis=1)
        return size


def _sgld(posterior: Posterior, run: _Run, fixed: float | None, batches: _Batches | None, rng: np.random.Generator) -> Draws:
    at_centre = largest_curvature(posterior)
    if fixed is not None and fixed * at_centre >= 4:
        raise ValueError(
            f"step = {fixed:g} is too large: the curvature at the centre is {at_centre:.4g} and chains diverge from "
            f"4/curvature = {4 / at_centre:.3g} on; take at most {SAFE / at_centre:.2g}"
        )
    layers = tuple(np.repeat(W[None], run.chains, axis=0) for W in posterior.layers)
    steps = _Steps(posterior, run, fixed, rng)
    record = _Record(posterior, run)
    for k in range(run.total):
        step = steps.at(k, layers)
        slopes = _slopes(posterior, layers, None if batches is None else batches.draw(run.chains, rng))
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


class _Record:
    def __init__(self, posterior: Posterior, run: _Run) -> None:
        self.posterior = posterior
        self.excess = np.full((run.n_draws, run.chains), np.inf)
        self.tilt = np.zeros((run.n_draws, run.chains))
        self.map = np.zeros(posterior.optimum.shape)

    def keep(self, slot: int, layers: Weights, step: float | None) -> None:
        W = product_of(layers)
        self.excess[slot] = self.posterior.excess_of_product(W)
        self.map += W.mean(axis=0)
        if step is not None:
            slope = sum(np.sum(g**2, axis=(-2, -1)) for g in _slopes(self.posterior, layers))
            self.tilt[slot] = step / 4 * _laplacian(self.posterior, layers) - step / 8 * slope


def _mala(posterior: Posterior, run: _Run, fixed: float | None, rng: np.random.Generator) -> Draws:
    layers = tuple(np.repeat(W[None], run.chains, axis=0) for W in posterior.layers)
    # Between the centre's curvature and the first refusals the step finds its own size.
    step = SAFE / largest_curvature(posterior) if fixed is None else fixed
    potential, slopes = _potential(posterior, layers), _slopes(posterior, layers)
    record = _Record(posterior, run)
    adapt, accepted = run.forget, 0.0
    for k in range(run.total):
        noise = tuple(np.sqrt(step) * rng.standard_normal(W.shape) for W in layers)
        new = tuple(W - 0.5 * step * g + e for W, g, e in zip(layers, slopes, noise, strict=True))
        new_potential, new_slopes = _potential(posterior, new), _slopes(posterior, new)
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
