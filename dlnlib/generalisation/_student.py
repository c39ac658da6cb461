"""Exact errors of a linear student over time: mode by mode, for a given spectrum, and in the limit of many inputs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, as_array, as_count, as_scalar, as_times, finite_result
from dlnlib.generalisation._spectrum import arcsine_nodes, as_ratio, marchenko_pastur_edges, marchenko_pastur_nodes

__all__ = [
    "error_given_spectrum",
    "excess_error",
    "late_error",
    "mode_error",
    "peak_error",
    "prior",
    "training_error",
    "training_error_given_spectrum",
]


def prior(teacher: float, start: float) -> float:
    """Return sigma_w^2 + sigma_0^2, the mean of |w(0) - w*|^2."""
    both = as_scalar("teacher", teacher, nonnegative=True) + as_scalar("start", start, nonnegative=True)
    return float(finite_result("teacher + start", np.array(both)))


def _decay(t: Array, lam: Array, step: float | None) -> tuple[Array, Array]:
    """Return what is left of a mode at time t, e^(-lam t) or (1 - step lam)^(t/step), and one minus it, without cancellation."""
    if step is None:
        return np.exp(-lam * t), -np.expm1(-lam * t)
    eta = as_scalar("step", step, positive=True)
    if eta * lam.max() >= 2:
        raise ValueError(f"step = {eta:g} is not stable: it must be below 2/{lam.max():g} = {2 / lam.max():g}")
    m = np.rint(t / eta)
    if np.any(np.abs(t / eta - m) > 1e-6 * np.maximum(1.0, m)):
        raise ValueError(f"t must be whole multiples of step = {eta:g}")
    left = (1 - eta * lam) ** m
    small = eta * lam < 0.5
    gone = np.where(small, -np.expm1(m * np.log1p(-np.where(small, eta * lam, 0.0))), 1 - left)
    return left, gone


def _of_mode(t: Array, lam: Array, ratio: float, noise: float, both: float, step: float | None = None) -> Array:
    left, gone = _decay(t, lam, step)
    safe = np.where(lam > 0, lam, 1.0)
    return both * left**2 + np.where(lam > 0, noise / ratio * gone**2 / safe, 0.0)


def mode_error(
    t: ArrayLike, eigenvalue: ArrayLike, ratio: float, noise: float, teacher: float = 1.0, start: float = 0.0
) -> Array:
    """Return d times the mean squared error of a mode with this eigenvalue at time t (`eq-mode-error`), broadcast (...).

    (sigma_w^2 + sigma_0^2) e^(-2 lam t) + sigma_e^2/(alpha lam) (1 - e^(-lam t))^2: what is not learnt yet, and the noise that
    is. A mode with lam = 0 keeps its first error for ever.

    t : time >= 0. eigenvalue : lam >= 0. ratio, noise, teacher, start : as in the package. Exact for gradient flow, at any
    size and for any inputs, as an average over teacher, start and noise that are white and independent of the inputs.
    """
    time, lam = as_array("t", t), as_array("eigenvalue", eigenvalue)
    if np.any(time < 0) or np.any(lam < 0):
        raise ValueError("t and eigenvalue must not be negative")
    alpha, variance, both = as_ratio(ratio), as_scalar("noise", noise, nonnegative=True), prior(teacher, start)
    try:
        shape = np.broadcast_shapes(time.shape, lam.shape)
    except ValueError:
        raise ValueError(f"t of shape {time.shape} and eigenvalue of shape {lam.shape} do not broadcast") from None
    with np.errstate(all="ignore"):
        return finite_result("the error of a mode", np.broadcast_to(_of_mode(time, lam, alpha, variance, both), shape).copy())


def error_given_spectrum(
    t: ArrayLike, eigenvalues: ArrayLike, samples: int, noise: float, teacher: float = 1.0, start: float = 0.0
) -> Array:
    """Return the excess error |w - w*|^2 at the times t for inputs with these eigenvalues, (..., n_t)   (`eq-error-given`).

    The mean over the modes of `mode_error`: an average over teacher, start and noise, not over inputs.

    t : (n_t,), >= 0. eigenvalues : (..., d), all d of X^T X/n, zeros included. samples : n. Others as in the package.
    Exact for gradient flow at any size, if teacher, start and noise are white and independent of the inputs, whatever
    the distribution of the inputs; new inputs are white.
    """
    time, lam = as_times("t", t), _spectrum(eigenvalues)
    n = as_count("samples", samples)
    alpha, variance, both = as_ratio(n / lam.shape[-1]), as_scalar("noise", noise, nonnegative=True), prior(teacher, start)
    with np.errstate(all="ignore"):
        found = _of_mode(time[:, None], lam[..., None, :], alpha, variance, both).mean(-1)
    return finite_result("the excess error", found)


def training_error_given_spectrum(
    t: ArrayLike, eigenvalues: ArrayLike, samples: int, noise: float, teacher: float = 1.0, start: float = 0.0
) -> Array:
    """Return the mean squared residual on the n examples, for inputs with these eigenvalues, (..., n_t)   (`eq-train-given`).

    1/n sum over lam > 0 of e^(-2 lam t) (sigma_e^2 + alpha lam (sigma_w^2 + sigma_0^2)), plus the part of the noise that no
    weights can fit, (1 - rank/n) sigma_e^2. Arguments as in `error_given_spectrum`, under the same assumptions.
    """
    time, lam = as_times("t", t), _spectrum(eigenvalues)
    n = as_count("samples", samples)
    alpha, variance, both = as_ratio(n / lam.shape[-1]), as_scalar("noise", noise, nonnegative=True), prior(teacher, start)
    tiny = 1e-10 * lam.max(-1, keepdims=True)
    rank = np.sum(lam > tiny, axis=-1)
    if np.any(rank > n):
        raise ValueError(f"{rank.max()} eigenvalues are not zero, and {n} samples allow at most {n}; count the samples again")
    with np.errstate(all="ignore"):
        left = np.exp(-2 * lam[..., None, :] * time[:, None])
        fitted = np.where(lam > tiny, variance + alpha * lam * both, 0.0)[..., None, :] * left
        found = fitted.sum(-1) / n + ((1 - rank / n) * variance)[..., None]
    return finite_result("the training error", found)


def _spectrum(eigenvalues: ArrayLike) -> Array:
    lam = np.atleast_1d(as_array("eigenvalues", eigenvalues))
    if np.any(lam < -1e-9 * np.abs(lam).max()):
        raise ValueError(f"eigenvalues of X^T X/n are not negative, got {lam.min():g}")
    return np.maximum(lam, 0.0)


def excess_error(
    t: ArrayLike,
    ratio: float,
    noise: float,
    teacher: float = 1.0,
    start: float = 0.0,
    inputs: int | None = None,
    step: float | None = None,
) -> Array:
    """Return the excess error of a linear student at the times t, (n_t,)   (`eq-excess-error`).

    The integral of `mode_error` over the Marchenko-Pastur law, plus (1 - alpha)(sigma_w^2 + sigma_0^2) for the modes that
    no example reaches, alpha < 1.

    t : (n_t,) or a number, >= 0. ratio, noise, teacher, start : as in the package.
    inputs : d, to add the correction of order 1/d for real Gaussian inputs (`eq-size-correction`); None for the limit.
    step : step size of gradient descent instead of flow, t whole multiples of it (`eq-descent-error`); None for the flow.
    Exact as n and d go to infinity together for white inputs with independent entries; the correction leaves an error of
    order 1/d^2 at fixed times, and fails at alpha = 1 as t comes near d^2. Raises ValueError for an unstable step.
    Source: Advani & Saxe 2017, in our units of time.
    """
    time, alpha = as_times("t", t), as_ratio(ratio)
    variance, both = as_scalar("noise", noise, nonnegative=True), prior(teacher, start)

    def of(lam: Array) -> Array:
        return _of_mode(time[:, None], lam, alpha, variance, both, step)

    with np.errstate(all="ignore"):
        lam, weight = marchenko_pastur_nodes(alpha)
        found = of(lam) @ weight + max(0.0, 1 - alpha) * both
        if inputs is not None:
            around, share = arcsine_nodes(alpha)
            edges = of(np.array(marchenko_pastur_edges(alpha))).sum(1)
            found = found + (edges / 4 - of(around) @ share / 2) / as_count("inputs", inputs)
    return finite_result("the excess error", found)


def training_error(t: ArrayLike, ratio: float, noise: float, teacher: float = 1.0, start: float = 0.0) -> Array:
    """Return the mean squared residual on the examples at the times t, (n_t,)   (`eq-training-error`).

    1/alpha times the integral of e^(-2 lam t) (sigma_e^2 + alpha lam (sigma_w^2 + sigma_0^2)) over the Marchenko-Pastur law,
    plus max(0, 1 - 1/alpha) sigma_e^2, which no weights can fit. Twice the training loss of the book.
    Arguments as in `excess_error`, under the same assumptions.
    """
    time, alpha = as_times("t", t), as_ratio(ratio)
    variance, both = as_scalar("noise", noise, nonnegative=True), prior(teacher, start)
    with np.errstate(all="ignore"):
        lam, weight = marchenko_pastur_nodes(alpha)
        found = np.exp(-2 * lam * time[:, None]) @ (weight * (variance / alpha + lam * both)) + max(0.0, 1 - 1 / alpha) * variance
    return finite_result("the training error", found)


def late_error(ratio: float, noise: float, teacher: float = 1.0, start: float = 0.0, inputs: int | None = None) -> float:
    """Return the excess error that is left when training never stops   (`eq-late-error`, with inputs `eq-late-finite`).

    sigma_e^2/(alpha - 1) for alpha > 1; (1 - alpha)(sigma_w^2 + sigma_0^2) + sigma_e^2 alpha/(1 - alpha) for alpha < 1.

    ratio, noise, teacher, start : as in the package. inputs : d, for the exact mean at finite size with Gaussian inputs,
    sigma_e^2 d/(n - d - 1) for n > d + 1 and sigma_e^2 n/(d - n - 1) + (1 - n/d)(sigma_w^2 + sigma_0^2) for n < d - 1.
    Raises ValueError where the mean is infinite: alpha = 1, or |n - d| <= 1.
    """
    alpha, variance, both = as_ratio(ratio), as_scalar("noise", noise, nonnegative=True), prior(teacher, start)
    if inputs is None:
        n, d, apart = alpha, 1.0, 0
    else:
        d = float(as_count("inputs", inputs))
        n, apart = float(np.rint(alpha * d)), 1
        if n < 1 or abs(n - alpha * d) > 1e-9 * n:
            raise ValueError(f"ratio * inputs must be a whole number of samples, got {alpha:g} * {d:g}")
    gap = abs(n - d) - apart
    if gap <= 0:
        raise ValueError(f"the mean error grows without bound at n = {n:g}, d = {d:g}; stop at a finite time (excess_error)")
    value = variance * min(n, d) / gap + max(0.0, 1 - n / d) * both
    return float(finite_result("the late error", np.array(value)))


def peak_error(t: ArrayLike, noise: float, teacher: float = 1.0, start: float = 0.0) -> Array:
    """Return the excess error at alpha = 1 in closed form, (n_t,)   (`eq-peak-bessel`).

    With p(t) = e^(-2t) (I_0(2t) + I_1(2t)) and its integral q(t) = 2t p(t) + (e^(-2t) I_0(2t) - 1)/2 it is
    (sigma_w^2 + sigma_0^2) p(2t) + sigma_e^2 (2 q(t) - q(2t)): for large t it grows as 0.661 sigma_e^2 sqrt(t).

    t : (n_t,), from 0 to 1e15. noise, teacher, start : as in the package. Assumptions as `excess_error`.
    """
    from scipy.special import i0e, i1e

    time = as_times("t", t)
    if np.any(time > 1e15):
        raise ValueError(f"t must be at most 1e15, got {time.max():g}")
    variance, both = as_scalar("noise", noise, nonnegative=True), prior(teacher, start)

    def p(s: Array) -> Array:
        return np.asarray(i0e(2 * s) + i1e(2 * s))

    def q(s: Array) -> Array:
        return np.asarray(2 * s * p(s) + (i0e(2 * s) - 1) / 2)

    with np.errstate(all="ignore"):
        return finite_result("the excess error", both * p(2 * time) + variance * (2 * q(time) - q(2 * time)))
