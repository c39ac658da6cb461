"""From draws to a learning coefficient, with an error bar, diagnostics, and reasons not to believe it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, as_count, as_scalar, finite_result
from dlnlib.moments import Moments
from dlnlib.slt._gibbs import gibbs
from dlnlib.slt._langevin import mala, sgld
from dlnlib.slt._minimum import check_minimum
from dlnlib.slt._posterior import Draws, Posterior, as_draws, wbic_temperature

__all__ = ["Estimate", "EstimateWarning", "estimate", "fluctuation", "local_learning_coefficient", "two_temperatures", "wbic"]

_LEAST_EFFECTIVE = 100.0
MOST_R_HAT = 1.05
_MOST_BIAS = 0.05
_MOST_DRIFT = 4.0


class EstimateWarning(UserWarning):
    """An estimate that its own diagnostics advise against."""


@dataclass(frozen=True)
class Estimate:
    """An estimate of the learning coefficient from samples.

    value : lambda-hat, or what else was asked for. standard_error : Monte Carlo error of its mean over all chains. step_bias :
    what the step size and the mini-batches add, to first order; 0 for exact samplers. effective : effective sample size.
    r_hat : agreement of the chains, near 1 when they have mixed. drift : change from the first to the second half of the draws,
    in its standard errors. acceptance : of MALA. warnings : reasons not to trust the value, empty if none was found.
    """

    value: float
    standard_error: float
    step_bias: float
    effective: float
    r_hat: float
    drift: float
    acceptance: float | None = None
    warnings: tuple[str, ...] = ()

    @property
    def corrected(self) -> float:
        """The value without the step bias, as far as that is known to first order."""
        return self.value - self.step_bias

    @property
    def error(self) -> float:
        """Standard error and step bias together, the root of the sum of their squares."""
        return float(np.hypot(self.standard_error, self.step_bias))

    def __float__(self) -> float:
        return self.value


def estimate(draws: Draws, reference: float | None = None) -> Estimate:
    """Return n_beta (mean loss - reference), which tends to lambda as n_beta grows (`def-local-estimator`).

    draws : of `gibbs`, `sgld` or `mala`, at n_beta above 0. reference : the loss of the point w* that the estimate is about; the
    loss of the posterior's centre unless given. Without a reference the centre has to be a minimum, and ValueError says why
    it is not one. Warns (EstimateWarning) where the chains have not mixed, drift, or the step is too large.
    """
    run = as_draws(draws)
    one = run.posterior
    _positive_temperature(run)
    notes: list[str] = []
    if reference is None:
        note = check_minimum(one.layers, one.moments, one.n_beta)
        notes += [note] if note else []
        base = one.centre_excess
    else:
        base = as_scalar("reference", reference) - one.least_loss
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = one.n_beta * (run.excess - base)
    return judged(scaled, run, notes, heat=run.batch_heat)


def fluctuation(draws: Draws) -> Estimate:
    """Return n_beta^2 times the variance of the loss, which tends to lambda and needs no reference (`eq-fluctuation`).

    For data with noise this avoids the choice of a centre: what they add to all losses alike has no variance. There n_beta has to
    be near n/log n; at n it sees the noise itself. Its standard error is larger than that of `estimate`.
    draws : of `gibbs`, `sgld` or `mala`, at n_beta above 0.
    Takio and Suzuki, arXiv:2502.09998 (2025), compare estimators of this kind.
    """
    run = as_draws(draws)
    _positive_temperature(run)
    count = run.excess.size
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = run.posterior.n_beta * run.excess
        squares = (scaled - scaled.mean()) ** 2 * (count / (count - 1))
    # What raises the mean of a Gaussian potential by a little raises its variance by twice as much.
    return judged(squares, run, [], heat=2 * run.batch_heat, mixing=scaled)


def two_temperatures(hot: Draws, cold: Draws) -> Estimate:
    """Return the learning coefficient from mean losses at two temperatures, which needs no reference (`eq-two-temperatures`).

    hot, cold : draws from posteriors of the same data, the cold one at the larger n_beta. The estimate is the difference of
    the mean losses over the difference of 1/n_beta. For data with noise both have to be near n/log n.
    Source: Watanabe, JMLR 14, 867-897 (2013).
    """
    first, second = as_draws(hot, "hot"), as_draws(cold, "cold")
    _positive_temperature(first)
    if not first.posterior.n_beta < second.posterior.n_beta:
        raise ValueError(
            f"hot must have the smaller n_beta, got {first.posterior.n_beta:g} and {second.posterior.n_beta:g}; exchange them"
        )
    if not _alike(first.posterior, second.posterior):
        raise ValueError("hot and cold must differ in n_beta alone: draw both with the same moments, centre and localisation")
    span = 1 / first.posterior.n_beta - 1 / second.posterior.n_beta
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = [(d.excess - d.excess.mean()) / span for d in (first, second)]
        value = float((first.excess.mean() - second.excess.mean()) / span)
    one, other = (
        judged(values, d, [], heat=d.batch_heat / d.posterior.n_beta / span, quiet=True)
        for values, d in zip(scaled, (first, second), strict=True)
    )
    accepted = [d.acceptance for d in (first, second) if d.acceptance is not None]
    both = Estimate(
        value=value,
        standard_error=float(np.hypot(one.standard_error, other.standard_error)),
        step_bias=one.step_bias - other.step_bias,
        effective=min(one.effective, other.effective),
        r_hat=max(one.r_hat, other.r_hat),
        drift=max(one.drift, other.drift, key=abs),
        acceptance=min(accepted, default=None),
    )
    return _warned(both, [], depth=3)


def _alike(one: Posterior, other: Posterior) -> bool:
    """Whether two posteriors are the same but for their temperature."""
    same = one.widths == other.widths and one.localisation == other.localisation
    pairs = [(getattr(one.moments, m), getattr(other.moments, m)) for m in ("xx", "yx")]
    return same and all(np.array_equal(a, b) for a, b in (*pairs, *zip(one.layers, other.layers, strict=True)))


def wbic(draws: Draws, n: int) -> Estimate:
    """Return WBIC as the value of an estimate, the mean of n times the loss at n_beta = n / log n (`def-wbic`).

    The loss is -log likelihood of one sample up to the constant log(2 pi) d_out/2, for noise of variance one.
    draws : from a posterior at `wbic_temperature(n)`. n : number of samples.
    """
    run, count = as_draws(draws), as_count("n", n, minimum=3)
    if not np.isclose(run.posterior.n_beta, wbic_temperature(count), rtol=1e-6):
        raise ValueError(f"draws must be at n_beta = n/log n = {wbic_temperature(count):.6g}, got {run.posterior.n_beta:g}")
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = count * run.loss
    return judged(scaled, run, [], heat=run.batch_heat * count / run.posterior.n_beta)


def local_learning_coefficient(
    weights: Sequence[ArrayLike],
    moments: Moments,
    n: int,
    *,
    rng: np.random.Generator,
    method: str = "gibbs",
    n_steps: int | None = None,
    n_chains: int = 16,
    localisation: float = 1.0,
) -> Estimate:
    """Return the local learning coefficient of a trained network, estimated at n_beta = n / log n.

    weights : the minimum w*. moments : of the population, or of the n samples. method : "gibbs", "sgld" or "mala".
    n_steps : sweeps (1,500 unless given) or Langevin steps (50,000 for sgld, 20,000 for mala). n_chains : independent chains.
    localisation : gamma; smaller is less biased, and less local.
    For mini-batches or a step of your own, draw with `sgld` and give the draws to `estimate`.
    Raises ValueError where w* is not a minimum, with the reason: at a saddle no coefficient is defined.
    Source: Lau et al., "The local learning coefficient" (2025).
    """
    if method not in ("gibbs", "sgld", "mala"):
        raise ValueError(f'method must be "gibbs", "sgld" or "mala", got {method!r}')
    posterior = Posterior(moments, weights, wbic_temperature(n), localisation)
    check_minimum(posterior.layers, moments, posterior.n_beta)  # before the work
    if method == "gibbs":
        return estimate(gibbs(posterior, 1500 if n_steps is None else n_steps, n_chains, rng=rng))
    sampler, default = (sgld, 50_000) if method == "sgld" else (mala, 20_000)
    return estimate(sampler(posterior, default if n_steps is None else n_steps, n_chains, rng=rng))


def _positive_temperature(draws: Draws) -> None:
    if draws.posterior.n_beta == 0:
        raise ValueError("n_beta of the draws is 0: the loss has no weight there; sample at n_beta > 0")


def judged(
    values: Array,
    draws: Draws,
    notes: list[str],
    *,
    heat: float = 0.0,
    mixing: Array | None = None,
    quiet: bool = False,
) -> Estimate:
    """Return the mean of values (n_draws, n_chains) with its diagnostics."""
    from arviz_stats.base import array_stats

    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(finite_result("the spread of the losses", values.std()))
    if not spread > 0:
        raise ValueError("all draws have the same loss: the chains did not move; use a larger step or a smaller localisation")
    scaled = (values - values.mean()) / spread
    mixing = scaled if mixing is None else mixing
    if mixing.shape[1] == 1:  # one chain is compared with itself
        mixing = np.concatenate(np.split(mixing[: len(mixing) // 2 * 2], 2), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # where chains stand still
        effective = float(array_stats.ess(scaled, chain_axis=1, draw_axis=0, method="mean"))
        r_hat = float(array_stats.rhat(mixing, chain_axis=1, draw_axis=0))
    # More than one independent draw a draw is what antithetic chains have; an error bar should not rest on it.
    effective = min(effective, float(values.size)) if np.isfinite(effective) else 1.0
    standard_error = spread / np.sqrt(effective)
    half = len(values) // 2
    drift = float((values[half:].mean() - values[:half].mean()) / (2 * standard_error))
    bias = heat if draws.tilt is None else heat - float(np.mean((draws.tilt - draws.tilt.mean()) * values))
    result = Estimate(
        value=float(values.mean()),
        standard_error=float(standard_error),
        step_bias=bias,
        effective=effective,
        r_hat=r_hat if np.isfinite(r_hat) else np.inf,
        drift=drift,
        acceptance=draws.acceptance,
    )
    return result if quiet else _warned(result, notes)


def _warned(result: Estimate, notes: list[str], depth: int = 4) -> Estimate:
    found = list(notes)
    if result.effective < _LEAST_EFFECTIVE:
        found.append(f"only {result.effective:.0f} effective draws: run longer or with more chains")
    if result.r_hat > MOST_R_HAT:
        found.append(f"R-hat is {result.r_hat:.3g}: the chains have not mixed, and the error bar is too small; run longer")
    if abs(result.drift) > _MOST_DRIFT:
        found.append(
            f"the second half differs from the first by {abs(result.drift):.1f} of its standard errors: forget more draws"
        )
    if abs(result.step_bias) > _MOST_BIAS * abs(result.value):
        found.append(
            f"the step adds about {result.step_bias:.2g} to {result.value:.4g}: take a smaller step or larger batches, or mala"
        )
    if result.acceptance is not None and not 0.2 < result.acceptance < 0.95:
        found.append(f"acceptance is {result.acceptance:.2f}, far from the best, 0.57: leave step out, or change it")
    for note in found:
        warnings.warn(note, EstimateWarning, stacklevel=depth)
    return replace(result, warnings=tuple(found))
