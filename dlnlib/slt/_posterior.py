"""The tempered, localised posterior of a deep linear network, and what samples of it hold."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import log

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._unchecked import product_of
from dlnlib._validate import Array, Weights, as_count, as_moments, as_scalar, as_weights, as_widths, finite_result
from dlnlib.moments import Moments
from dlnlib.slt._minimum import unavoidable_excess

__all__ = ["Draws", "Posterior", "wbic_temperature"]

_MOST_SAMPLES = 10**18


@dataclass(frozen=True, eq=False)
class Posterior:
    """The density proportional to exp(-n_beta L(w) - localisation/2 |w - centre|^2) of all weights (`def-tempered-posterior`).

    moments : of the population or of a sample; L is their loss. centre : one network w*, (W_1, ..., W_L). n_beta : sample size
    times inverse temperature, 0 for the prior. localisation : gamma, the precision of the Gaussian round the centre, positive;
    with a centre of zeros it is a prior.
    """

    moments: Moments
    centre: Sequence[ArrayLike]
    n_beta: float
    localisation: float = 1.0
    layers: Weights = field(init=False, repr=False)

    def __post_init__(self) -> None:
        layers = as_weights(self.centre, as_moments(self.moments))
        if layers[0].ndim != 2:
            raise ValueError(f"centre must be one network, got batch axes {layers[0].shape[:-2]}; make a Posterior of each")
        layers = tuple(W.copy() for W in layers)
        for W in layers:
            W.setflags(write=False)
        object.__setattr__(self, "n_beta", as_scalar("n_beta", self.n_beta, nonnegative=True))
        object.__setattr__(self, "localisation", as_scalar("localisation", self.localisation, positive=True))
        object.__setattr__(self, "layers", layers)
        object.__setattr__(self, "centre", layers)

    @classmethod
    def with_prior(cls, moments: Moments, widths: Sequence[int], n_beta: float, precision: float = 1.0) -> Posterior:
        """Return the posterior under a Gaussian prior, for a network of these widths.

        The prior's precision is a localisation at weights of zero. The rest as for a `Posterior`.
        """
        sizes = as_widths(widths, moments)
        return cls(moments, [np.zeros((m, n)) for n, m in itertools.pairwise(sizes)], n_beta, precision)

    @property
    def widths(self) -> tuple[int, ...]:
        """(d_0, ..., d_L)."""
        return (self.layers[0].shape[1], *(W.shape[0] for W in self.layers))

    @property
    def n_parameters(self) -> int:
        """Number of weights."""
        return sum(W.size for W in self.layers)

    @cached_property
    def optimum(self) -> Array:
        """Matrix of least loss, of any rank, (d_out, d_in): the loss is measured from there, where rounding does no harm."""
        return self.moments.optimum()

    @property
    def least_loss(self) -> float:
        """Loss of the best matrix of any rank."""
        return self.moments.irreducible_loss()

    @property
    def best_excess(self) -> float:
        """Loss above `least_loss` that a network of these widths cannot avoid; 0 unless a layer is too narrow."""
        return unavoidable_excess(self.moments, min(self.widths))

    def excess_of_product(self, W: Array) -> Array:
        """Return the loss above `least_loss` of end-to-end matrices (..., d_out, d_in), without checks."""
        D = W - self.optimum
        return 0.5 * np.sum((D @ self.moments.xx) * D, axis=(-2, -1))

    @property
    def centre_excess(self) -> float:
        """Loss of the centre above `least_loss`."""
        with np.errstate(over="ignore", invalid="ignore"):
            return float(finite_result("the loss at the centre", self.excess_of_product(product_of(self.layers))))


@dataclass(frozen=True, eq=False)
class Draws:
    """What chains have drawn from a posterior.

    excess : (n_draws, n_chains), loss above the least loss of any matrix, after burn-in. mean_map : (d_out, d_in), mean of the
    end-to-end matrix. weights : the last state of every chain, layers (n_chains, d_l, d_{l-1}). method : "gibbs", "sgld" or
    "mala". step : of a Langevin chain. acceptance : share of accepted moves of MALA. tilt : (n_draws, n_chains), to first
    order what the step adds to the potential that is sampled; None for exact samplers. batch_heat : mean rise of the
    potential that the noise of mini-batches brings.
    """

    posterior: Posterior
    excess: Array
    mean_map: Array
    weights: Weights
    method: str
    step: float | None = None
    acceptance: float | None = None
    tilt: Array | None = None
    batch_heat: float = 0.0

    @property
    def loss(self) -> Array:
        """Loss of every draw, (n_draws, n_chains)."""
        return self.excess + self.posterior.least_loss


def wbic_temperature(n: int) -> float:
    """Return n / log n, the n_beta at which the mean of n L_n is Watanabe's WBIC (`def-wbic`).

    n : number of samples, at least 3. Source: Watanabe, JMLR 14, 867-897 (2013).
    """
    count = as_count("n", n, minimum=3)
    if count > _MOST_SAMPLES:
        raise ValueError(f"n must be at most {_MOST_SAMPLES:.0e}, got {count}; no data are as many")
    return count / log(count)


def as_posterior(posterior: object) -> Posterior:
    """Return the posterior, or say how to make one."""
    if not isinstance(posterior, Posterior):
        raise ValueError(f"posterior must be a slt.Posterior, got {type(posterior).__name__}")
    return posterior


def as_draws(draws: object, name: str = "draws") -> Draws:
    """Return the draws, or say where they come from."""
    if not isinstance(draws, Draws):
        raise ValueError(
            f"{name} must come from slt.gibbs, slt.sgld or slt.mala, got {type(draws).__name__}; of several, take each in turn"
        )
    return draws


def as_run(steps: int, n_chains: int, burn: int | None, name: str) -> tuple[int, int, int]:
    """Return the length of a run, the number of chains and the steps to forget, a third unless told."""
    total, chains = as_count(name, steps, minimum=12), as_count("n_chains", n_chains)
    forget = total // 3 if burn is None else as_count("burn", burn, minimum=0)
    if total - forget < 8:
        raise ValueError(f"{name} = {total} leaves {total - forget} after burn = {forget}; at least 8 are needed")
    return total, chains, forget
