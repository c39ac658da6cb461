"""How a Langevin run is laid out, which step it takes and what it keeps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dlnlib._unchecked import product_of
from dlnlib._validate import Array, Weights, as_count, as_scalar, finite_result
from dlnlib.slt._posterior import Posterior, as_run
from dlnlib.slt._potential import laplacian_of, largest_curvature, slopes_of, stretched

__all__ = ["step_rule"]

SAFE = 0.08  # step times curvature: a bias of 2 % along the stiffest direction of the median chain (`eq-step-bias`)
STABLE = 1.0  # step times curvature of the stiffest chain; it would diverge at 4
_ROUNDS = 20


def step_rule(curvature: float, bias: float = SAFE / 4) -> float:
    """Return the step at which a direction of this curvature has variance too large by the factor 1/(1 - bias) (`eq-step-bias`).

    curvature : of n_beta L + localisation/2 |w - w*|^2, its largest eigenvalue. bias : below 1; the chain diverges at 1.
    """
    h = as_scalar("curvature", curvature, positive=True)
    share = as_scalar("bias", bias, positive=True)
    if share >= 1:
        raise ValueError(f"bias must be below 1, where the chain diverges, got {share:g}")
    return float(finite_result("the step", np.asarray(4 * share / h)))


@dataclass(frozen=True)
class Run:
    total: int
    chains: int
    forget: int
    thin: int

    @classmethod
    def of(cls, n_steps: int, n_chains: int, burn: int | None, thin: int) -> Run:
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


class Steps:
    """The step of SGLD, found in the first half of the burn-in from the largest curvature of U where the chains are."""

    def __init__(self, posterior: Posterior, run: Run, fixed: float | None, rng: np.random.Generator, safe: float = SAFE) -> None:
        self.posterior = posterior
        self.safe = safe
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
        return self.safe / most

    def at(self, k: int, layers: Weights) -> float:
        """Return the step to take from here: it grows by no more than a factor 2 a round."""
        if self.adapts and (k == self.until or (k < self.until and k % self.every == 0)):
            curvature = self._curvature(layers)
            self.found.append((float(np.median(curvature)), float(curvature.max())))
            recent = self.found[-1:] if k < self.until else self.found[len(self.found) // 2 :]
            middle, top = np.mean([m for m, _ in recent]), max(t for _, t in recent)
            self.step = min(self.safe / float(middle), STABLE / top, 2 * self.step)
        return self.step

    def _curvature(self, layers: Weights) -> Array:
        """Return the largest curvature of U for every chain, by power iteration that goes on from where it was."""
        size = np.linalg.norm(self.vector, axis=1)
        for _ in range(4):
            direction = self.vector / size[:, None]
            self.vector = stretched(self.posterior, layers, direction)
            size = np.linalg.norm(self.vector, axis=1)
        return size


class Record:
    def __init__(self, posterior: Posterior, run: Run) -> None:
        self.posterior = posterior
        self.excess = np.full((run.n_draws, run.chains), np.inf)
        self.tilt = np.zeros((run.n_draws, run.chains))
        self.map = np.zeros(posterior.optimum.shape)

    def keep(self, slot: int, layers: Weights, step: float | None) -> None:
        W = product_of(layers)
        self.excess[slot] = self.posterior.excess_of_product(W)
        self.map += W.mean(axis=0)
        if step is not None:
            slope = sum(np.sum(g**2, axis=(-2, -1)) for g in slopes_of(self.posterior, layers))
            self.tilt[slot] = step / 4 * laplacian_of(self.posterior, layers) - step / 8 * slope
