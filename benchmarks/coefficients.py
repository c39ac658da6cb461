"""Learning coefficients of reduced-rank regression from 1,000 samples of pure noise: accuracy and seconds on one core.

Inputs and outputs are independent standard Gaussian samples, so that the truth has rank 0 and all that the network can fit is
noise. Each network is sampled exactly (block Gibbs) at n_beta = n/log n and at 0.6 of it, under a Gaussian prior of precision
0.03; the coefficient is estimated from the variance of the loss and from the two mean losses, neither of which needs a centre.
SGLD with its default settings, localised at the best fit as is usual, is printed for comparison: no better sampler would help
it, because the best fit has taken up noise.

The first data set has to come within 5 % in 7 s; the others show what luck is in that. Run with `make bench`.
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import sys
import time
import warnings

import numpy as np

import dlnlib as dln
from dlnlib import Moments, slt

NETWORKS = ((5, 3, 5), (5, 4, 5), (4, 3, 8), (8, 3, 4), (3, 8, 4))
SAMPLES = 1000
DATA_SETS = 10
PRECISION = 0.03
MOST_ERROR = 0.05
MOST_SECONDS = 7.0


def noise(widths: tuple[int, ...], seed: int) -> Moments:
    rng = np.random.default_rng(seed)
    return Moments.from_data(rng.standard_normal((SAMPLES, widths[0])), rng.standard_normal((SAMPLES, widths[-1])))


def without_centre(widths: tuple[int, ...], seed: int) -> tuple[float, float, float]:
    """Return the two estimates, and the standard error of the first."""
    moments, n_beta = noise(widths, seed), slt.wbic_temperature(SAMPLES)
    posteriors = [slt.Posterior.prior(moments, widths, n_beta * x, PRECISION) for x in (0.6, 1.0)]
    hot, cold = slt.gibbs(posteriors, 600, 48, rng=np.random.default_rng(1000 + seed))
    spread = slt.fluctuation(cold)
    return spread.value, slt.two_temperatures(hot, cold).value, spread.standard_error


def localised(widths: tuple[int, ...], seed: int) -> slt.Estimate:
    moments = noise(widths, seed)
    best = dln.initialise.from_product(moments.optimum(min(widths)), widths)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", slt.EstimateWarning)
        return slt.local_learning_coefficient(best, moments, SAMPLES, rng=np.random.default_rng(seed), method="sgld")


def main() -> None:
    print(f"Learning coefficients from {SAMPLES:,} samples of pure noise, one core, data set 1 of {DATA_SETS}")
    print("widths   exact   variance of the loss    two temperatures   seconds   SGLD at the best fit, seconds    all data sets")
    failed = []
    for widths in NETWORKS:
        exact = float(slt.learning_coefficient(widths))
        begin = time.perf_counter()
        spread, difference, error = without_centre(widths, 0)
        seconds = time.perf_counter() - begin
        begin = time.perf_counter()
        usual = localised(widths, 0)
        usual_seconds = time.perf_counter() - begin
        others = np.array([without_centre(widths, seed)[:2] for seed in range(1, DATA_SETS)])
        all_of_them = np.vstack([[spread, difference], others]) / exact - 1
        print(
            f"{'-'.join(map(str, widths))}   {exact:5.2f}   {spread:5.2f} +- {error:.2f} ({spread / exact - 1:+6.1%})   "
            f"{difference:5.2f} ({difference / exact - 1:+6.1%})   {seconds:7.2f}   "
            f"{usual.value:5.2f} +- {usual.standard_error:.2f} ({usual.value / exact - 1:+6.1%}), {usual_seconds:.1f}       "
            f"mean {all_of_them.mean(0)[0]:+.1%}, {all_of_them.mean(0)[1]:+.1%}, worst {np.abs(all_of_them).max():.1%}"
        )
        if max(abs(spread / exact - 1), abs(difference / exact - 1)) > MOST_ERROR or seconds > MOST_SECONDS:
            failed.append(widths)
    if failed:
        sys.exit(f"not within {MOST_ERROR:.0%} in {MOST_SECONDS:g} s: {failed}")


if __name__ == "__main__":
    main()
