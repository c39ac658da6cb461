"""What can tell one basis of the hidden layer from another: noise on units, non-negative activities, higher moments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._unchecked import layer_gradients, loss_of_product, product_of
from dlnlib._validate import Array, Weights, as_array, as_count, as_scalar, as_weights, finite_result
from dlnlib.disentanglement._scale import to_unit
from dlnlib.moments import Moments

__all__ = ["dropout_loss", "fourth_moment_angle", "nonnegative_energy", "train", "unmix_pair"]

RULES = ("descent", "momentum", "adam")


def dropout_loss(weights: Sequence[ArrayLike], moments: Moments, keep: float) -> Array:
    """Return the mean loss when hidden units are kept with a probability and then divided by it (`eq-dropout`).

    The loss of the full network plus (1 - keep)/(2 keep) sum_i |W_2 e_i|^2 (W_1 xx W_1^T)_ii. weights : (W_1, W_2), leading
    axes a batch. keep : in (0, 1]. Exact. Source: Mianjy, Arora & Vidal 2018.
    """
    layers, odds = _as_dropout(weights, moments, keep)
    W1, W2 = layers
    with np.errstate(over="ignore", invalid="ignore"):
        activity = np.einsum("...hi,ij,...hj->...h", W1, moments.xx, W1)
        penalty = 0.5 * odds * np.sum(activity * np.sum(W2**2, axis=-2), axis=-1)
        loss = loss_of_product(product_of(layers), moments) + penalty
    return finite_result("the loss", loss)


def train(
    weights: Sequence[ArrayLike],
    moments: Moments,
    step: float,
    n_steps: int,
    *,
    rule: str = "descent",
    decay: float = 0.0,
    keep: float = 1.0,
) -> Weights:
    """Return two layers after so many full-batch steps, by descent, by descent with momentum 0.9, or by Adam.

    weights : (W_1, W_2), leading axes a batch. step : eta. n_steps : from 0.
    rule : "descent" and "momentum" treat all orthonormal bases of the hidden layer alike, "adam" (0.9, 0.999, 1e-8, its step
    falling linearly to zero) works on single entries and does not.
    decay : omega, of omega/2 (|W_1|^2 + |W_2|^2). keep : as in `dropout_loss`, whose mean is descended, without sampling.
    Raises ValueError when the weights run away; take a smaller step then.
    """
    current, odds = _as_dropout(weights, moments, keep)
    eta, count = as_scalar("step", step, positive=True), as_count("n_steps", n_steps, minimum=0)
    omega = as_scalar("decay", decay, nonnegative=True)
    if not isinstance(rule, str) or rule not in RULES:
        raise ValueError(f"rule must be one of {', '.join(RULES)}, got {rule!r}")
    mean = [np.zeros_like(W) for W in current]
    square = [np.zeros_like(W) for W in current]
    with np.errstate(over="ignore", invalid="ignore"):
        for n in range(1, count + 1):
            slopes = _slopes(current, moments, odds, omega)
            moved = []
            for i, (W, slope) in enumerate(zip(current, slopes, strict=True)):
                if rule == "descent":
                    moved.append(W - eta * slope)
                elif rule == "momentum":
                    mean[i] = 0.9 * mean[i] + slope
                    moved.append(W - eta * mean[i])
                else:
                    mean[i] = 0.9 * mean[i] + 0.1 * slope
                    square[i] = 0.999 * square[i] + 0.001 * slope**2
                    size = np.sqrt(square[i] / (1 - 0.999**n)) + 1e-8
                    moved.append(W - eta * (1 - n / (count + 1)) * mean[i] / (1 - 0.9**n) / size)
            current = tuple(moved)
    if not all(np.all(np.abs(W) < 1e100) for W in current):
        raise ValueError(f"the weights ran away with step {eta:g}; take a smaller one")
    for S in square:  # an infinite one would stop its weight without a word
        finite_result("the square of the gradient", S)
    return current


def _slopes(layers: Weights, moments: Moments, odds: float, decay: float) -> Weights:
    g1, g2 = layer_gradients(layers, moments)
    W1, W2 = layers
    if odds > 0:
        read = W1 @ moments.xx
        activity = np.sum(read * W1, axis=-1)
        g1 = g1 + odds * np.sum(W2**2, axis=-2)[..., :, None] * read
        g2 = g2 + odds * activity[..., None, :] * W2
    return g1 + decay * W1, g2 + decay * W2


def nonnegative_energy(readout: ArrayLike, half_width: float = np.sqrt(3.0)) -> Array:
    """Return the mean squared activity of neurons with the least bias that keeps each of them non-negative (`eq-energy`).

    readout : (..., h, k), rows that neurons apply to k independent factors, uniform on [-half_width, half_width] (variance
    1 for sqrt(3)). A neuron with row r needs the bias half_width * sum_j |r_j|. Returns (...), summed over the neurons:
    half_width^2 sum_i (|r_i|^2/3 + (sum_j |r_ij|)^2).
    """
    rows, a = as_array("readout", readout), as_scalar("half_width", half_width, positive=True)
    if rows.ndim < 2:
        raise ValueError(f"readout must have shape (..., h, k), got {rows.shape}")
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = a * rows
        bias = np.sum(np.abs(scaled), axis=-1)
        energy = np.sum(np.sum(scaled**2, axis=-1) / 3 + bias**2, axis=-1)
    return finite_result("the energy", energy)


def fourth_moment_angle(x: ArrayLike, sign: int) -> float:
    """Return the angle, in (-pi/4, pi/4], by which two white signals are rotated independent factors (`eq-fourth-moment`).

    x : (n, 2), samples of a rotation by theta of two independent factors with mean 0 and variance 1. sign : of the sum of
    their excess kurtoses, -1 for flat laws such as the uniform, +1 for heavy tails. The angle of the mean of (x_1 + i x_2)^4,
    over 4; factors that are exchanged or change sign turn it by a quarter, which cannot be told.
    """
    points = as_array("x", x, ndim=2)
    if points.shape[1] != 2:
        raise ValueError(f"x must have shape (n, 2), one row a sample, got {points.shape}")
    direction = as_scalar("sign", sign)
    if direction not in (-1, 1):
        raise ValueError(f"sign must be 1 or -1, that of the excess kurtosis of the factors, got {sign!r}")
    points = to_unit(points)
    mean = direction * np.mean((points[:, 0] + 1j * points[:, 1]) ** 4)
    if abs(mean) <= 1e-12 * np.mean(np.abs(points) ** 4):
        raise ValueError("the fourth moment vanishes: as for Gaussian factors, there is no angle to be seen")
    return float(np.angle(mean) / 4)


def unmix_pair(activities: ArrayLike, sign: int) -> Array:
    """Return two components (n, 2), centred, white, and turned back by `fourth_moment_angle`.

    activities : (n, 2), samples of an invertible mixture of two independent factors, such as those of two neurons. sign : as
    there. Whitening uses second moments and leaves a rotation, which the fourth moments fix up to order and signs.
    Source: independent component analysis, Comon 1994.
    """
    points = as_array("activities", activities, ndim=2)
    if points.shape[1] != 2:
        raise ValueError(f"activities must have shape (n, 2), one row a sample, got {points.shape}")
    points = to_unit(points)
    centred = to_unit(points - points.mean(axis=0))
    values, basis = np.linalg.eigh(centred.T @ centred / len(points))
    if values[0] <= 1e-12 * values[1]:
        raise ValueError("the two activities are proportional to one another, so that they hold one factor at most")
    white = centred @ (basis / np.sqrt(values))
    angle = fourth_moment_angle(white, sign)
    back = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return white @ back


def _as_dropout(weights: Sequence[ArrayLike], moments: Moments, keep: float) -> tuple[Weights, float]:
    layers = as_weights(weights, moments)
    if len(layers) != 2:
        raise ValueError(f"two layers (W_1, W_2) are wanted, got {len(layers)}")
    p = as_scalar("keep", keep, positive=True)
    if p > 1:
        raise ValueError(f"keep is a probability in (0, 1], got {p:g}")
    return layers, (1 - p) / p
