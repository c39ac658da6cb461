"""The singular basis of a hidden layer: how to read it, and how well it finds factors of nearly equal strength."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, Weights, as_array, as_modes, as_scalar, as_weights, finite_result
from dlnlib.disentanglement._baselines import random_matching_score
from dlnlib.disentanglement._scale import to_unit
from dlnlib.moments import Modes

__all__ = ["hidden_basis", "mix_hidden", "singular_readout", "singular_score"]

# Above this squared ratio of gap to noise the series needs thousands of terms and its limit is good to 1e-11.
PERTURBATIVE = 2e5
# The modified Bessel functions of scipy are NaN beyond 2^30.
LARGE = 1e9


def mix_hidden(weights: Sequence[ArrayLike], C: ArrayLike) -> Weights:
    """Return (C W_1, W_2 C^-1), the same function in another basis of the hidden layer (`eq-gauge-metric`).

    weights : (W_1, W_2), leading axes are a batch. C : (..., h, h), invertible; orthogonal ones are also symmetries of the
    flow (`eq-gauge-flow`). Raises ValueError where C is singular to rounding.
    """
    W1, W2 = _as_two(weights)
    M, h = as_array("C", C), W1.shape[-2]
    if M.shape[-2:] != (h, h):
        raise ValueError(f"C must have shape (..., {h}, {h}) to mix {h} hidden units, got {M.shape}")
    s = np.linalg.svd(M, compute_uv=False)
    if np.any(s[..., -1] <= 1e-13 * s[..., 0]):
        raise ValueError("C is singular: it loses a direction of the hidden layer, and cannot be undone")
    if M.ndim > 2 and W1.ndim > 2 and M.shape[:-2] != W1.shape[:-2]:
        raise ValueError(f"C has batch axes {M.shape[:-2]}, the weights have {W1.shape[:-2]}; make them equal or give one C")
    with np.errstate(over="ignore", invalid="ignore"):
        first, second = M @ W1, W2 @ np.linalg.inv(M)
    return finite_result("C W_1", first), finite_result("W_2 C^-1", second)


def hidden_basis(W1: ArrayLike, modes: Modes) -> Array:
    """Return R, (..., h, r), the orthonormal directions of the hidden layer nearest to those of the modes (`def-hidden-basis`).

    The polar factor of W_1 V, R = W_1 V (V^T W_1^T W_1 V)^(-1/2). For balanced layers W_1 = R sqrt(S) V^T it is that R;
    for any layer it turns with the neurons: W_1 -> Q W_1 gives Q R. W1 : (..., h, d_in). modes : r <= h of them.
    """
    first = as_array("W1", W1)
    if first.ndim < 2 or first.shape[-1] != as_modes(modes).Vt.shape[1]:
        raise ValueError(f"W1 must have shape (..., h, {modes.Vt.shape[1]}) to take the inputs of the modes, got {first.shape}")
    if len(modes.s) == 0:
        raise ValueError("modes holds no mode, so that there is no direction to find; keep at least one")
    if first.shape[-2] < len(modes.s):
        raise ValueError(f"{first.shape[-2]} hidden units cannot hold {len(modes.s)} modes; truncate the modes")
    U, s, Vt = np.linalg.svd(to_unit(first, (-2, -1)) @ modes.V, full_matrices=False)
    if np.any(s[..., -1] <= 1e-13 * s[..., 0]):
        raise ValueError("W1 does not carry every mode, so that the hidden layer has no direction for it; truncate the modes")
    return U @ Vt


def singular_readout(W1: ArrayLike) -> Array:
    """Return the rows V^T, (..., min(h, d_in), d_in), by which the singular basis of a layer reads the input.

    W1 = U diag(s) V^T : (..., h, d_in). Rotating the hidden layer by U^T gives activities s_j V_j^T x, whose correlations
    with anything are those of V_j^T x. Rows of equal s are one choice of many.
    """
    layer = as_array("W1", W1)
    if layer.ndim < 2:
        raise ValueError(f"W1 must have shape (..., h, d_in), got {layer.shape}")
    return np.linalg.svd(layer, full_matrices=False)[2]


def singular_score(s1: float, s2: float, noise: float) -> float:
    """Return the mean matching score of the right singular vectors of a noisy 2 x 2 matrix (`eq-singular-score`).

    The matrix is diag(s1, s2) plus independent Gaussian entries of standard deviation `noise`, such as the correlation
    of two whitened factors with two noisy outputs, estimated from n samples: noise = sigma_e / sqrt(n).
    s1, s2 : strengths, not negative. Between 2 sqrt(2)/pi for equal ones, at any noise, and 1 for a gap far above it.
    The sum over harmonics is exact to 1e-12; where the gap exceeds 900 times the noise its limit
    1 - noise^2 (s1^2 + s2^2)/(2 (s1^2 - s2^2)^2) is used.
    """
    first, second = as_scalar("s1", s1, nonnegative=True), as_scalar("s2", s2, nonnegative=True)
    sigma = as_scalar("noise", noise, positive=True)
    with np.errstate(over="ignore"):
        gap, total = np.square(0.5 * np.array([first - second, first + second]) / sigma).tolist()
    finite_result("the squared ratio of strengths to noise", np.array(total))
    if gap > PERTURBATIVE:
        return float(1 - 0.0625 * (1 / gap + 1 / total))
    m = np.arange(1.0, int(12 * np.sqrt(gap)) + 60)
    signs = np.where(m % 2 == 1, 1.0, -1.0)
    series = np.sum(signs / (16.0 * m**2 - 1) * _harmonic(2 * m, gap) * _harmonic(2 * m, total))
    return random_matching_score(2) * (1 + 2 * float(series))


def _harmonic(n: Array, x: float) -> Array:
    """Return E cos(n phi), phi the phase of sqrt(x) + (g1 + i g2)/sqrt(2), g standard Gaussian (`step-phase`)."""
    from scipy.special import ive

    half = 0.5 * x
    if half > LARGE:
        # Hankel's expansion of the Bessel functions in n^2/half, to the third order.
        mu = np.array([(n - 1) ** 2, (n + 1) ** 2])
        bracket = 1 - (mu - 9) / (16 * half) * (1 - (mu - 25) / (24 * half))
        return np.mean(1 - (mu - 1) / (8 * half) * bracket, axis=0)
    return 0.5 * np.sqrt(np.pi * x) * (ive((n - 1) / 2, half) + ive((n + 1) / 2, half))


def _as_two(weights: Sequence[ArrayLike]) -> tuple[Array, Array]:
    layers = as_weights(weights)
    if len(layers) != 2:
        raise ValueError(f"two layers (W_1, W_2) are wanted, got {len(layers)}")
    return layers[0], layers[1]
