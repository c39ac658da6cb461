"""The free energy, by integrating the mean loss over temperatures."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, as_array, as_times, finite_result
from dlnlib.moments import Moments
from dlnlib.slt._estimate import MOST_R_HAT, EstimateWarning, judged
from dlnlib.slt._gibbs import gibbs
from dlnlib.slt._posterior import Posterior

__all__ = ["FreeEnergy", "free_energy"]


@dataclass(frozen=True, eq=False)
class FreeEnergy:
    """Free energy along a ladder of temperatures.

    n_beta : (k,), from 0. value : (k,), -log E_prior exp(-n_beta (L - least)), 0 at 0, where least is the loss of the best matrix
    of any rank. energy : (k,), n_beta times the mean of L - least. value_error, energy_error : (k,), their standard errors, that
    of the value without the error of the quadrature. r_hat : the worst agreement of chains, over temperatures.
    """

    n_beta: Array
    value: Array
    value_error: Array
    energy: Array
    energy_error: Array
    r_hat: float

    def slope(self, low: float, high: float) -> float:
        """Return the slope of the free energy against log n_beta, by least squares over low <= n_beta <= high."""
        bounds = as_times("low and high", [low, high], increasing=True)
        inside = (self.n_beta >= bounds[0]) & (self.n_beta <= bounds[1]) & (self.n_beta > 0)
        if np.sum(inside) < 2:
            raise ValueError(f"fewer than two temperatures lie between {low:g} and {high:g}; widen the range")
        return float(np.polyfit(np.log(self.n_beta[inside]), self.value[inside], 1)[0])


def free_energy(
    moments: Moments,
    widths: Sequence[int],
    n_beta: ArrayLike,
    *,
    n_sweeps: int,
    n_chains: int,
    rng: np.random.Generator,
    precision: float = 1.0,
) -> FreeEnergy:
    """Return the free energy under a Gaussian prior by thermodynamic integration (`eq-thermodynamic-integration`).

    moments, widths : the task and the network. n_beta : (k,), increasing, at least five and dense enough for a cubic spline of
    the energy in log(1 + n_beta); a first temperature of 0 is put in front. n_sweeps, n_chains : of Gibbs sampling, of all
    temperatures at once. precision : of the prior of every weight.
    """
    from scipy.interpolate import CubicSpline

    ladder = as_times("n_beta", as_array("n_beta", n_beta), increasing=True)
    if len(ladder) < 5:
        raise ValueError(f"n_beta must hold at least five temperatures, got {len(ladder)}; the integral would be a guess")
    ladder = ladder if ladder[0] == 0 else np.concatenate([[0.0], ladder])
    draws = gibbs([Posterior.with_prior(moments, widths, b, precision) for b in ladder], n_sweeps, n_chains, rng=rng)
    mean = np.array([d.excess.mean() for d in draws])
    found = [judged(d.excess, d, [], quiet=True) for d in draws]
    errors, r_hat = np.array([e.standard_error for e in found]), max(e.r_hat for e in found)
    if r_hat > MOST_R_HAT:
        warnings.warn(
            f"R-hat is {r_hat:.3g} at one temperature or more: chains have not mixed; run longer", EstimateWarning, stacklevel=2
        )
    u = np.log1p(ladder)
    with np.errstate(over="ignore", invalid="ignore"):
        energy = finite_result("the energy", ladder * mean)
        value = CubicSpline(u, finite_result("the energy", mean + energy)).antiderivative()(u)
        # The integral is linear in the means, whose errors are independent.
        each = CubicSpline(u, np.diag((1 + ladder) * errors)).antiderivative()(u)
        value_error = finite_result("the error of the free energy", np.sqrt(np.sum(each**2, axis=1)))
    return FreeEnergy(
        ladder, finite_result("the free energy", value), value_error, energy, finite_result("the error", ladder * errors), r_hat
    )
