"""Signals through many layers: products of random matrices, and tanh networks with their mean-field limit.

A tanh network is h_l = tanh(W_l h_{l-1}), h_0 = x; its gain g is part of the weights: orthogonal layers times g, or
Gaussian entries of variance g^2 / d_{l-1}. Mean-field results are for infinite width at finite depth.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._unchecked import product_of
from dlnlib._validate import Array, Weights, as_array, as_count, as_scalar, as_weights, finite_result

__all__ = [
    "fuss_catalan_edge",
    "fuss_catalan_quantiles",
    "lyapunov_exponents",
    "mean_field_slope",
    "mean_field_trajectory",
    "mean_field_variance",
    "tanh_forward",
    "tanh_jacobian",
    "tanh_layer_jacobians",
]


def fuss_catalan_edge(depth: int) -> float:
    """Return the limit of the largest singular value of a product of `depth` square Gaussian layers of variance 1/N.

    sqrt((L+1)^{L+1} / L^L)   (`eq-fuss-catalan`): 2 for L = 1, and close to sqrt(e (L + 1/2)) for large L.

    Exact as N -> inf at fixed L, for independent entries of mean 0, variance 1/N and finite fourth moment; at finite N the
    largest singular value lies O(N^{-2/3}) around it, for Gaussian entries typically below. The mean of s^2 is 1 for
    every N and L: only the spread grows. Source: the edge of the Fuss-Catalan law; Penson & Zyczkowski 2011.
    """
    L = as_count("depth", depth)
    return float(np.sqrt(L + 1.0) * np.exp(0.5 * L * np.log1p(1 / L)))


def fuss_catalan_quantiles(depth: int, shares: ArrayLike) -> Array:
    """Return the values that given shares of the singular values exceed, for wide products of square Gaussian layers.

    depth : L layers, entries of variance 1/N. shares : (...), each in [0, 1]; 0 gives `fuss_catalan_edge`, 1 gives 0.
    For the ranked singular values of one product take shares (k - 1/2)/N, k = 1..N. Returns (...).

    The Fuss-Catalan numbers are the moments of s^2 (`eq-fuss-catalan`); their generating function B = 1 + B^(L+1)/s^2 is
    solved on the cut by B = sin((L+1)p)/sin(Lp) e^(ip), 0 < p < pi/(L+1), and integrating its imaginary part gives
    share = [(L+1) p - L sin(p) sin((L+1)p)/sin(Lp)]/pi, which is inverted by bisection to about 1e-14.
    Exact as N -> inf at fixed L. Where L is of the order of N the small values are smaller still: see
    `lyapunov_exponents`. Source of the law: Penson & Zyczkowski 2011.
    """
    L = as_count("depth", depth)
    wanted = as_array("shares", shares)
    if np.any((wanted < 0) | (wanted > 1)):
        raise ValueError(f"shares must lie between 0 and 1, got values from {wanted.min():g} to {wanted.max():g}")
    low, high = np.zeros(wanted.shape), np.full(wanted.shape, np.pi / (L + 1))
    for _ in range(52):
        p = 0.5 * (low + high)
        above = (L + 1) * p - L * np.sin(p) * np.sin((L + 1) * p) / np.sin(L * p) > np.pi * wanted
        low, high = np.where(above, low, p), np.where(above, p, high)
    p = 0.5 * (low + high)
    logs = (L + 1) * np.log(np.sin((L + 1) * p)) - np.log(np.sin(p)) - L * np.log(np.sin(L * p))
    inner = np.where(wanted == 0, fuss_catalan_edge(L), np.exp(0.5 * logs))
    return np.where(wanted == 1, 0.0, inner)


def lyapunov_exponents(width: int) -> Array:
    """Return the growth rates per layer of the singular values of a product of N x N Gaussian layers of variance 1/N.

    mu_k = 1/2 [digamma((N - k + 1)/2) + ln(2/N)], k = 1..N, in decreasing order, shape (N,)   (`eq-lyapunov`):
    (1/L) ln s_k -> mu_k almost surely as the depth L -> inf.

    width : N. Exact at every finite N for independent real Gaussian entries. All are negative: about -1/(2N) for k = 1 and
    -(ln N + 1.27)/2 for k = N, so the ratio of extreme singular values grows exponentially with depth. A gain g adds
    ln g to each. Source: Newman 1986.
    """
    from scipy.special import digamma

    N = as_count("width", width)
    k = np.arange(1, N + 1)
    return 0.5 * (digamma((N - k + 1) / 2) + np.log(2 / N))


def tanh_forward(weights: Sequence[ArrayLike], x: ArrayLike) -> tuple[Array, ...]:
    """Return the activities (h_0, ..., h_L) of h_l = tanh(W_l h_{l-1}), h_0 = x, the network of `def-tanh-jacobian`.

    weights : layers (..., d_l, d_{l-1}). x : (d_0,) or (..., d_0) with the batch axes of the weights (or broadcasting
    against them). Every layer is nonlinear, the last included.
    """
    layers = as_weights(weights)
    h = as_array("x", x)
    if h.ndim < 1 or h.shape[-1] != layers[0].shape[-1]:
        raise ValueError(f"x must have shape (..., {layers[0].shape[-1]}) to enter W_1, got {h.shape}")
    result = [h]
    for i, W in enumerate(layers, start=1):
        # einsum overflows without a warning, and infinities of both signs would make a NaN.
        h = np.tanh(finite_result(f"what enters the units of layer {i}", np.einsum("...ij,...j->...i", W, h)))
        result.append(h)
    return tuple(result)


def tanh_layer_jacobians(weights: Sequence[ArrayLike], x: ArrayLike) -> Weights:
    """Return the factors D_l W_l of the input-output Jacobian, D_l = diag(1 - h_l^2), as a tuple like the weights.

    Their product is the Jacobian dh_L/dx at x; give them to `measure.isometry_spectrum` for its singular values, which
    span far more decades in a deep network than the multiplied-out Jacobian can hold. Exact. Arguments as `tanh_forward`.
    """
    layers = as_weights(weights)
    activities = tanh_forward(layers, x)
    return tuple((1 - h**2)[..., :, None] * W for h, W in zip(activities[1:], layers, strict=True))


def tanh_jacobian(weights: Sequence[ArrayLike], x: ArrayLike) -> Array:
    """Return the input-output Jacobian dh_L/dx of a tanh network at x, (..., d_L, d_0) (`def-tanh-jacobian`).

    D_L W_L ... D_1 W_1 with D_l = diag(1 - h_l^2). Exact up to rounding of size 1e-16 times its largest singular value:
    for its small singular values use `tanh_layer_jacobians`.
    """
    factors = tanh_layer_jacobians(weights, x)
    with np.errstate(over="ignore", invalid="ignore"):
        return finite_result("the Jacobian", product_of(factors))


def mean_field_variance(gain: float) -> float:
    """Return the stable fixed point q* = g^2 E tanh^2(sqrt(q*) z), z ~ N(0, 1) (`eq-mean-field-fixed-point`).

    q is the variance of the pre-activations W_l h_{l-1}. q* = 0 for g <= 1; for g > 1 the positive root, unique because
    E tanh^2(sqrt(q) z)/q decreases in q. gain : g > 0.

    Exact as the width goes to infinity, for Gaussian layers of variance g^2/N and for orthogonal layers times g alike.
    The relative error is about 1e-15 / (g - 1), from float64; the root is bracketed, so it cannot be missed.
    Source: Poole, Lahiri, Raghu, Sohl-Dickstein & Ganguli 2016, without biases.
    """
    g = _as_gain(gain)
    if g <= 1:
        return 0.0
    from scipy.optimize import brentq

    # tanh^2 x >= x^2 - 2 x^4 / 3 puts the root above `known`, half of which is a bracket even after rounding.
    known = 0.5 * (1 - 1 / g) * (1 + 1 / g)
    low, high = 0.5 * known, g**2
    return float(brentq(lambda q: g**2 * _mean_square(q) / q - 1, low, high, xtol=1e-300, rtol=1e-15))


def mean_field_slope(gain: float, variance: float | None = None) -> float:
    """Return chi_1 = g^2 E sech^4(sqrt(q) z), the mean squared gain of a small perturbation per layer (`eq-chi`).

    A perturbation orthogonal to the activities, and the squared Frobenius norm of the Jacobian over its width, changes by
    chi_1 per layer: gradients vanish below 1 and explode above.

    gain : g > 0. variance : q; by default the fixed point `mean_field_variance(gain)`.
    At the fixed point it is g^2 for g <= 1 and, beyond, 1 + (4/3)(g - 1)^2 + ...: only quadratically above 1, which is
    why a slightly supercritical network keeps gradients alive for many layers. Exact as the width goes to infinity.
    Source: Poole et al. 2016; Schoenholz, Gilmer, Ganguli & Sohl-Dickstein 2017.
    """
    g = _as_gain(gain)
    q = mean_field_variance(g) if variance is None else as_scalar("variance", variance, nonnegative=True)
    if q == 0:
        return g**2
    y, weight = _nodes(q)
    return float(g**2 * np.sum(weight / np.cosh(y) ** 4))


def mean_field_trajectory(variance: float, gain: float, depth: int) -> Array:
    """Return the variances q_1, ..., q_depth under q_{l+1} = g^2 E tanh^2(sqrt(q_l) z), shape (depth,) (`eq-variance-map`).

    variance : q_1, that of the first pre-activations: g^2 |x|^2 / d_0. gain : g > 0. Exact as the width goes to infinity;
    at width N each layer adds a relative fluctuation of order 1/sqrt(N). At g = 1 it decays as 1/(2 l), not exponentially.
    """
    q = as_scalar("variance", variance, nonnegative=True)
    g, L = _as_gain(gain), as_count("depth", depth)
    result = np.empty(L)
    for i in range(L):
        result[i] = q
        q = g**2 * _mean_square(q)
    return result


def _nodes(q: float) -> tuple[Array, Array]:
    """Return nodes y = sqrt(q) z and weights for Gaussian averages of functions of y that are even and settle by |y| = 20.

    The trapezoidal rule converges exponentially here: its step resolves both the Gaussian and the poles at i pi/2, so
    some hundred nodes give full precision at every q, where Gauss-Hermite needs ever more of them as q grows.
    """
    width = float(np.sqrt(q))
    step, end = min(0.22, 0.6 * width), min(20.0, 9.5 * width)
    y: Array = step * np.arange(-int(end / step), int(end / step) + 1, dtype=np.float64)
    return y, step / (width * np.sqrt(2 * np.pi)) * np.exp(-0.5 * (y / width) ** 2)


def _mean_square(q: float) -> float:
    """Return E tanh^2(sqrt(q) z)."""
    if q == 0:
        return 0.0
    y, weight = _nodes(q)
    if q < 4:
        return float(np.sum(weight * np.tanh(y) ** 2))
    # Beyond the nodes tanh^2 is 1: integrate what is missing from 1.
    return 1 - float(np.sum(weight / np.cosh(y) ** 2))


def _as_gain(gain: float) -> float:
    g = as_scalar("gain", gain, positive=True)
    if g > 1e100:
        raise ValueError(f"gain must be at most 1e100, got {g:g}: every unit is saturated long before")
    return g
