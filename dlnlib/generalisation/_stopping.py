"""When to stop, mode by mode and for all at once, and the ridge penalty that does it better."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, as_array, as_scalar, finite_result
from dlnlib.generalisation._spectrum import as_ratio, marchenko_pastur_edges, marchenko_pastur_nodes, marchenko_pastur_stieltjes
from dlnlib.generalisation._student import excess_error, prior

__all__ = ["Ridge", "Stop", "mode_stopping_time", "optimal_ridge", "optimal_stopping", "ridge_error", "stopping_window"]


@dataclass(frozen=True)
class Stop:
    """Where the excess error is least: `time`, and the `error` there."""

    time: float
    error: float


@dataclass(frozen=True)
class Ridge:
    """The best ridge penalty: `penalty` kappa, and the `error` it leads to."""

    penalty: float
    error: float


def mode_stopping_time(eigenvalue: ArrayLike, ratio: float, noise: float, teacher: float = 1.0, start: float = 0.0) -> Array:
    """Return the time at which the error of a mode is least, (...)   (`eq-mode-stop`).

    (1/lam) ln(1 + alpha lam A/sigma_e^2), A = sigma_w^2 + sigma_0^2, falls as lam grows, from alpha A/sigma_e^2 at lam = 0:
    weak modes should be trained longest.

    eigenvalue : lam >= 0, (...); at lam = 0, where nothing is learnt, the limit is returned. noise : positive, because without
    noise no mode should ever be stopped. ratio, teacher, start : as in the package. Exact as `mode_error`.
    """
    lam = as_array("eigenvalue", eigenvalue)
    if np.any(lam < 0):
        raise ValueError(f"eigenvalue must not be negative, got {lam.min():g}")
    with np.errstate(all="ignore"):
        signal = _signal(ratio, noise, teacher, start)
        # Below 1e-8 the first correction, 1 - lam * signal/2, has no digit left.
        time = np.where(
            lam * signal > 1e-8, np.log1p(lam * signal) / np.where(lam > 0, lam, 1.0), signal * (1 - lam * signal / 2)
        )
    return finite_result("the stopping time", time)


def _signal(ratio: float, noise: float, teacher: float, start: float) -> float:
    """Return alpha (sigma_w^2 + sigma_0^2)/sigma_e^2."""
    with np.errstate(all="ignore"):
        value = np.array(as_ratio(ratio) * prior(teacher, start) / np.float64(as_scalar("noise", noise, positive=True)))
    return float(finite_result("alpha (teacher + start)/noise", value))


def stopping_window(ratio: float, noise: float, teacher: float = 1.0, start: float = 0.0) -> tuple[float, float]:
    """Return the stopping times of the strongest and of the weakest mode, at the edges of the spectrum (`thm-window`).

    Before the first every mode is still improving, after the second every mode that learns is getting worse, so that the
    best single time lies between them. Arguments as `mode_stopping_time`.
    """
    low, high = mode_stopping_time(np.array(marchenko_pastur_edges(ratio)), ratio, noise, teacher, start)
    return float(high), float(low)


def optimal_stopping(ratio: float, noise: float, teacher: float = 1.0, start: float = 0.0) -> Stop:
    """Return the time at which the excess error of `excess_error` is least, and the error there   (`def-best-stop`).

    The derivative is bracketed in `stopping_window` on a scan of 80 times and its zero found to about 1e-12. We have no proof
    that there is one minimum only; 3,000 random problems had one each. Of several on the scan the deepest is taken.

    noise : positive, and teacher + start positive. ratio, teacher, start : as in the package.
    """
    from scipy.optimize import brentq

    alpha, both = as_ratio(ratio), prior(teacher, start)
    variance = as_scalar("noise", noise, positive=True)
    early, late = stopping_window(alpha, variance, teacher, start)
    if early <= 0:
        raise ValueError("teacher and start are zero, or too small beside the noise: there is nothing to learn")
    lam, weight = marchenko_pastur_nodes(alpha)

    def slope(log_time: float) -> float:
        left, gone = np.exp(-lam * np.exp(log_time)), -np.expm1(-lam * np.exp(log_time))
        return float(weight @ (left * (gone * (variance / alpha) - both * lam * left))) / max(both, variance)

    with np.errstate(all="ignore"):
        times = np.geomspace(early, late, 80) if late > early * (1 + 1e-12) else np.array([early, late])
        errors = excess_error(times, alpha, variance, teacher, start)
        best = int(np.argmin(errors))
        a, b = np.log(times[max(best - 1, 0)]), np.log(times[min(best + 1, len(times) - 1)])
        bracketed = slope(a) < 0 < slope(b)
        time = float(np.exp(brentq(slope, a, b, xtol=1e-14, rtol=1e-14))) if bracketed else float(times[best])
    return Stop(time, float(excess_error(time, alpha, variance, teacher, start)[0]))


def ridge_error(penalty: ArrayLike, ratio: float, noise: float, teacher: float = 1.0) -> Array:
    """Return the excess error of ridge regression, (...)   (`eq-ridge-error`).

    The weights minimise 1/(2n) sum (y - w x)^2 + kappa/2 |w|^2. With b = 1 - gamma + kappa, r = sqrt(b^2 + 4 gamma kappa),
    q = kappa m(kappa) and q' = 2/(r (r + b + 2 gamma)) the error is sigma_w^2 (q - kappa q') + sigma_e^2 gamma q'.

    penalty : kappa > 0, (...). ratio, noise, teacher : as in the package. Exact as n and d go to infinity together.
    """
    kappa, alpha = as_array("penalty", penalty), as_ratio(ratio)
    variance, both = as_scalar("noise", noise, nonnegative=True), prior(teacher, 0.0)
    with np.errstate(all="ignore"):
        gamma = 1 / alpha
        q = kappa * marchenko_pastur_stieltjes(kappa, alpha)
        b = 1 - gamma + kappa
        root = np.hypot(b, 2 * np.sqrt(gamma) * np.sqrt(kappa))
        slope = 2 / root / (root + b + 2 * gamma)
        found = both * (q - kappa * slope) + variance * gamma * slope
    return finite_result("the ridge error", found)


def optimal_ridge(ratio: float, noise: float, teacher: float = 1.0) -> Ridge:
    """Return the best penalty, sigma_e^2/(alpha sigma_w^2), and its excess error sigma_w^2 kappa m(kappa)   (`eq-best-ridge`).

    No estimator does better on average when teacher and noise are Gaussian. Arguments as `ridge_error`; noise and
    teacher positive.
    """
    alpha, both = as_ratio(ratio), as_scalar("teacher", teacher, positive=True)
    with np.errstate(all="ignore"):
        kappa = np.float64(as_scalar("noise", noise, positive=True)) / (alpha * both)
        finite_result("the best penalty", np.array(kappa))
        error = both * kappa * marchenko_pastur_stieltjes(kappa, alpha)
    return Ridge(float(kappa), float(finite_result("the ridge error", np.array(error))))
