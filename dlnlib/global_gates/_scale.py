"""One gate that is always open: a deep linear network, whose posterior is a mixture over one number q."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, as_array, as_count, as_scalar, finite_result

__all__ = [
    "ScalePosterior",
    "mean_scale_two_layers",
    "saddle_scale",
    "saddle_scale_two_layers",
    "scale_correction",
    "scale_density",
    "scale_posterior",
    "task_scale",
]


@dataclass(frozen=True, eq=False)
class ScalePosterior:
    """The posterior of the scale q of the kernel.

    q : (n_nodes,), nodes. weight : (n_nodes,), of each, with sum 1. mean : E[q | y]. evidence : ln p(y).
    """

    q: Array
    weight: Array
    mean: float
    evidence: float


def task_scale(X: ArrayLike, y: ArrayLike, variance: float) -> float:
    """Return r_0 = y^T (sigma^2 X X^T/d)^-1 y/n, the scale that the examples ask for (`def-task-scale`).

    X : (n, d), n <= d and of full rank. y : (n,). variance : sigma^2.
    """
    inputs, answers = as_array("X", X, ndim=2), as_array("y", y, ndim=1)
    s2 = as_scalar("variance", variance, positive=True)
    if len(answers) != len(inputs):
        raise ValueError(f"X and y must have one row an example, got {len(inputs)} and {len(answers)}")
    with np.errstate(over="ignore", invalid="ignore"):
        K = finite_result("the kernel", s2 * inputs @ inputs.T / inputs.shape[1])
    if len(K) > inputs.shape[1] or np.linalg.cond(K) > 1e12:
        raise ValueError(
            f"the kernel X X^T of {len(K)} examples with {inputs.shape[1]} inputs is singular: at most d independent ones"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        scale = answers @ np.linalg.solve(K, answers) / len(answers)
    return float(finite_result("r_0", np.asarray(scale)))


# -- the saddle point


def saddle_scale(load: ArrayLike, r0: ArrayLike, variance: float, depth: int) -> Array:
    """Return the scale u of one layer, 1 - u/sigma^2 = (n/N)(1 - r_0/u^(L-1)) (`eq-scale-saddle`); the kernel's is u^(L-1).

    load : n/N, not negative. r0 : positive, shapes that broadcast with load. variance : sigma^2. depth : L >= 2, layers, with
    hidden widths N. Valid for n and N large; the left side minus the right one decreases in u, so that there is one root.
    Source: Li & Sompolinsky 2021.
    """
    alpha, ask = _broadcast(load, r0)
    s2, hidden = as_scalar("variance", variance, positive=True), as_count("depth", depth, minimum=2) - 1
    if np.any(alpha < 0) or np.any(ask <= 0):
        raise ValueError(f"load must not be negative and r0 must be positive, got {alpha.min():g} and {ask.min():g}")
    # In ln u the root lies between ln sigma^2 and ln r0/(L - 1); bisection there cannot fail.
    ends = np.stack([np.full(ask.shape, np.log(s2)), np.log(ask) / hidden])
    low, high = ends.min(axis=0), ends.max(axis=0)
    with np.errstate(all="ignore"):
        log_load = np.log(alpha)
    for _ in range(200):
        middle = (low + high) / 2
        with np.errstate(all="ignore"):
            # 1 - n/N first, or small u and r_0 drown where n = N.
            shrink = np.exp(-hidden * middle)
            left = (1 - alpha) - np.exp(middle) / s2 + alpha * (ask * shrink)
        above, held = left > 0, np.isfinite(left) & (shrink > 1e-290)
        if not np.all(held):  # compare u/sigma^2 + n/N with 1 + (n/N) r_0/u^(L-1) by their logarithms
            right = np.logaddexp(0.0, log_load + np.log(ask) - hidden * middle)
            above = np.where(held, above, np.logaddexp(middle - np.log(s2), log_load) < right)
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.asarray(np.exp((low + high) / 2))


def saddle_scale_two_layers(load: ArrayLike, r0: ArrayLike, variance: float) -> Array:
    """Return u for two layers in closed form (`eq-scale-closed`). Arguments as in `saddle_scale`; r0 may be zero."""
    (alpha, ask), s2 = _broadcast(load, r0), as_scalar("variance", variance, positive=True)
    if np.any(alpha < 0) or np.any(ask < 0):
        raise ValueError(f"load and r0 must not be negative, got {alpha.min():g} and {ask.min():g}")
    with np.errstate(over="ignore"):
        b, half = (1 - alpha) * s2, np.sqrt(alpha) * np.sqrt(s2) * np.sqrt(ask)
        root = np.hypot(b, 2 * half)
        finite_result("the scale", root + np.abs(b))
        # The second form does not cancel where b is negative.
        return np.asarray(np.where(b >= 0, (b + root) / 2, 2 * half * (half / np.where(b >= 0, 1.0, root - b))))


def _broadcast(load: ArrayLike, r0: ArrayLike) -> tuple[Array, Array]:
    alpha, ask = as_array("load", load), as_array("r0", r0)
    try:
        shape = np.broadcast_shapes(alpha.shape, ask.shape)
    except ValueError:
        raise ValueError(f"load and r0 must have shapes that broadcast, got {alpha.shape} and {ask.shape}") from None
    return np.broadcast_to(alpha, shape), np.broadcast_to(ask, shape)


def scale_correction(load: ArrayLike, r0: ArrayLike, variance: float) -> Array:
    """Return the factor of 1/N in E[q | y]/u - 1 for two layers (`eq-scale-correction`).

    It is 2 rho/(u/sigma^2 + rho)^2 with rho = (n/N) r_0/u, and positive. Arguments as in `saddle_scale`.
    """
    u = saddle_scale(load, r0, variance, 2)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        rho = np.asarray(load) * np.asarray(r0) / u
        both = u / as_scalar("variance", variance) + rho
        return finite_result("the correction", np.asarray(2 * (rho / both) / both))


# -- exact, at any width


def mean_scale_two_layers(samples: int, width: int, r0: float, variance: float) -> float:
    """Return E[q | y] at T = 0 for two layers, a ratio of Bessel functions (`eq-scale-mean`).

    samples : n. width : N. r0 : `task_scale`. variance : sigma^2. Exact. The ratio K_(nu+1)/K_nu is climbed by its stable
    recurrence from an order in [0, 1), because K itself overflows.
    """
    from scipy.special import kve

    n, N = as_count("samples", samples), as_count("width", width)
    ask, s2 = as_scalar("r0", r0, positive=True), as_scalar("variance", variance, positive=True)
    z, nu = float(np.sqrt(N * n) * np.sqrt(ask) / np.sqrt(s2)), (N - n) / 2
    if not 1e-150 < z < 1e150:
        raise ValueError(f"r0/variance must be of a moderate size, got {ask:g} and {s2:g}; rescale y or the variance")
    # K_-mu = K_mu, so that a negative order asks for one over the ratio of order mu - 1.
    target = nu if nu >= 0 else -nu - 1
    order = target % 1.0
    ratio = kve(order + 1, z) / kve(order, z)
    for k in range(round(target - order)):
        ratio = 2 * (order + 1 + k) / z + 1 / ratio
    if target < 0:  # nu = -1/2: K_(1/2)/K_(-1/2) = 1
        ratio = 1.0
    ratio = ratio if nu >= 0 else 1 / ratio
    return float(finite_result("the mean", np.asarray(np.sqrt(n * ask * s2 / N) * ratio)))


def scale_density(log_q: ArrayLike, widths: Sequence[int], variance: float) -> Array:
    """Return the prior density of ln q, q = prod_l sigma^2 chi^2_(N_l)/N_l (`def-scale`), by its Mellin transform.

    log_q : (n,). widths : hidden widths N_1, ..., N_(L-1), any. variance : sigma^2. Returns (n,).
    Each value is computed on the line that crosses its own saddle point, so that tails keep their relative accuracy.
    """
    s, N = as_array("log_q", log_q, ndim=1), _hidden(widths)
    s2 = as_scalar("variance", variance, positive=True)
    with np.errstate(over="ignore"):
        density = np.exp([_log_prior(float(x), N, s2) for x in s])
    return finite_result("the density", density)


def scale_posterior(
    y_squared: ArrayLike, eigenvalues: ArrayLike, widths: Sequence[int], variance: float, temperature: float = 0.0
) -> ScalePosterior:
    """Return the posterior of q for a deep linear network of any depth and widths, by quadrature over the density of `def-scale`.

    y_squared : (n,), squares of the answers in the eigenbasis of sigma^2 X X^T/d. eigenvalues : (n,), of that matrix.
    widths, variance : as in `scale_density`. temperature : T >= 0. Exact at every width, to about ten digits.
    """
    from scipy.optimize import minimize_scalar

    square, lam = as_array("y_squared", y_squared, ndim=1), as_array("eigenvalues", eigenvalues, ndim=1)
    N, s2, T = (
        _hidden(widths),
        as_scalar("variance", variance, positive=True),
        as_scalar("temperature", temperature, nonnegative=True),
    )
    if square.shape != lam.shape or np.any(square < 0) or np.any(lam < 0):
        raise ValueError(f"y_squared and eigenvalues must be of one shape and not negative, got {square.shape} and {lam.shape}")
    if T == 0 and lam.min() <= 1e-13 * lam.max():
        raise ValueError("an eigenvalue is zero and temperature is 0: raise temperature, or leave out dependent examples")

    def log_likelihood(s: Array) -> Array:
        with np.errstate(all="ignore"):
            v = np.exp(s)[:, None] * lam + T
            value = np.asarray(-0.5 * np.sum(np.log(2 * np.pi * v) + square / v, axis=1))
        return np.where(np.isfinite(value), value, -np.inf)  # where v overflows or is zero nothing is likely

    def log_joint(x: float) -> float:
        return float(log_likelihood(np.array([x]))[0]) + _log_prior(x, N, s2)

    # The posterior lies between what the prior and what the examples ask for.
    with np.errstate(over="ignore"):
        wanted = float(finite_result("y_squared over eigenvalues", np.asarray(np.mean(square / np.maximum(lam, 1e-300)))))
    ask = np.log(max(wanted, 1e-300)) if T == 0 else np.log(s2) * len(N)
    centre = np.log(s2) * len(N)
    spread = 3 + 3 / np.sqrt(N.min())
    with np.errstate(invalid="ignore"):
        found = minimize_scalar(
            lambda x: -log_joint(x), bounds=(min(ask, centre) - spread, max(ask, centre) + spread), method="bounded"
        )
    peak, h = float(found.x), 1e-3
    if not np.isfinite([log_joint(peak), log_joint(peak + h), log_joint(peak - h)]).all():
        raise ValueError(
            f"y_squared, eigenvalues, variance and temperature are too far from each other: float64 holds no scale q near "
            f"exp({peak:.3g}) that prior and answers allow; rescale the answers"
        )
    curve = (log_joint(peak + h) + log_joint(peak - h) - 2 * log_joint(peak)) / h**2
    step = 0.5 / np.sqrt(max(-curve, 1e-6))
    grid, top = [peak], log_joint(peak)
    logs = [top]
    for sign in (1, -1):
        x = peak
        while True:
            x += sign * step
            value = log_joint(x)
            grid.append(x)
            logs.append(value)
            if value < top - 38:
                break
            if len(grid) > 4000:
                raise ValueError("the posterior of q is too wide for its nodes; rescale the answers, or raise temperature")
    order = np.argsort(grid)
    s, log_p = np.array(grid)[order], np.array(logs)[order]
    weight = np.exp(log_p - top)
    evidence = top + float(np.log(step * weight.sum()))
    weight /= weight.sum()
    with np.errstate(over="ignore", invalid="ignore"):
        q = finite_result("the scale q", np.exp(s))
        return ScalePosterior(q, weight, float(finite_result("the mean of q", np.asarray(weight @ q))), evidence)


def _hidden(widths: Sequence[int]) -> Array:
    try:
        values = [as_count("widths", width) for width in widths]
    except TypeError:
        raise ValueError(f"widths must be a list of hidden widths, got {widths!r}") from None
    if not values:
        raise ValueError("widths is empty; a single layer has no hidden width, and its scale is 1")
    return np.array(values, dtype=np.float64)


def _log_prior(s: float, N: Array, variance: float) -> float:
    """Return ln p(s) of s = ln q; minus infinity far out, where p is zero in float64 at any width."""
    away = s - len(N) * float(np.log(variance))
    if not -2000 < away < 100 * len(N):
        return -np.inf
    return _log_density(s, N, variance, _tilt(s, N, variance))


def _tilt(s: float, N: Array, variance: float) -> float:
    """Return c at which q^c times the density of ln q has its peak near s: d/dc ln E q^c = s."""
    from scipy.special import digamma, polygamma

    # E q^c = prod_l (2 sigma^2/N_l)^c Gamma(N_l/2 + c)/Gamma(N_l/2), defined for c > -min N/2; Newton steps in its logarithm.
    floor = -N.min() / 2
    base = float(np.sum(np.log(2 * variance / N)))
    x = 0.0  # ln((c - floor)/(-floor))
    for _ in range(100):
        c = floor - floor * np.exp(x)
        miss = base + float(np.sum(digamma(N / 2 + c))) - s
        slope = float(np.sum(polygamma(1, N / 2 + c))) * (c - floor)
        move = float(np.clip(miss / slope, -2, 2))
        x -= move
        if abs(move) < 1e-12:
            break
    return float(floor - floor * np.exp(x))


def _log_density(s: float, N: Array, variance: float, c: float) -> float:
    """Return ln p(s) of s = ln q: the inverse Mellin transform along the line c + i k, by the trapezoidal rule."""
    from scipy.special import loggamma, polygamma

    # On the line the integrand is a bell of width 1/sqrt(curvature) that decays like exp(-pi |k|/2) for each layer.
    spread = 1 / np.sqrt(float(np.sum(polygamma(1, N / 2 + c))))
    # Steps of h fold the density with the period 2 pi/h, over which its left tail, exp((N/2 + c) s), has to die.
    step, end = min(spread / 3, 2 * np.pi * (N.min() / 2 + c) / 45), 12 * spread + 30.0 / len(N)
    k = step * np.arange(1 + int(np.ceil(end / step)))
    base = float(np.sum(np.log(2 * variance / N)))
    at = c + 1j * k
    log_phi = base * at + np.sum(loggamma(N[:, None] / 2 + at) - loggamma(N[:, None] / 2), axis=0) - at * s
    top = float(log_phi[0].real)
    value = np.exp(log_phi - top).real
    integral = step * (value.sum() - value[0] / 2) / np.pi
    return top + float(np.log(max(integral, 1e-300)))
