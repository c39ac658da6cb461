"""The deep linear network: product, loss, gradients and conserved quantities, batched over leading axes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, Weights, as_array, as_weights, as_widths, finite_result
from dlnlib.moments import Moments

__all__ = [
    "error_correlation",
    "flatten",
    "gradients",
    "imbalances",
    "loss",
    "product",
    "unflatten",
    "widths",
]


def product(weights: Sequence[ArrayLike]) -> Array:
    """Return the end-to-end matrix W_L ... W_1, shape (..., d_L, d_0) (`def-network`)."""
    layers = as_weights(weights)
    with np.errstate(over="ignore", invalid="ignore"):
        return finite_result("the product of the layers", _product(layers))


def error_correlation(weights: Sequence[ArrayLike], moments: Moments) -> Array:
    """Return E = yx - W xx, the correlation of the error with the input, shape (..., d_out, d_in)."""
    layers = as_weights(weights, moments)
    with np.errstate(over="ignore", invalid="ignore"):
        return finite_result("the error correlation", moments.yx - _product(layers) @ moments.xx)


def loss(weights: Sequence[ArrayLike], moments: Moments) -> Array:
    """Return 1/2 E||y - W x||^2 from the moments, shape (...) of the batch axes (`eq-loss-moments`)."""
    layers = as_weights(weights, moments)
    with np.errstate(over="ignore", invalid="ignore"):
        return finite_result("the loss", loss_of_product(_product(layers), moments))


def gradients(weights: Sequence[ArrayLike], moments: Moments) -> Weights:
    """Return dLoss/dW_l for every layer, each shaped like its layer (`eq-layer-gradient`).

    dLoss/dW_l = -(W_L...W_{l+1})^T (yx - W xx) (W_{l-1}...W_1)^T, by prefix and suffix products: the cost grows
    linearly with depth and does not depend on the number of samples.
    """
    layers = as_weights(weights, moments)
    with np.errstate(over="ignore", invalid="ignore"):
        result = layer_gradients(layers, moments)
    for i, g in enumerate(result, start=1):
        finite_result(f"the gradient of W_{i}", g)
    return result


def imbalances(weights: Sequence[ArrayLike]) -> Weights:
    """Return W_{l+1}^T W_{l+1} - W_l W_l^T for l = 1..L-1, each (..., d_l, d_l).

    Gradient flow keeps every one of them (`eq-conservation`); all zero means balanced. Empty for one layer.
    """
    layers = as_weights(weights)
    with np.errstate(over="ignore", invalid="ignore"):
        return tuple(finite_result("the imbalance", _t(upper) @ upper - lower @ _t(lower)) for lower, upper in pairwise(layers))


def widths(weights: Sequence[ArrayLike]) -> tuple[int, ...]:
    """Return (d_0, d_1, ..., d_L)."""
    layers = as_weights(weights)
    return (layers[0].shape[-1], *(W.shape[-2] for W in layers))


def flatten(weights: Sequence[ArrayLike]) -> Array:
    """Return all parameters as one vector (..., n_parameters), layer 1 first, each layer row by row."""
    layers = as_weights(weights)
    return np.concatenate([W.reshape(*W.shape[:-2], -1) for W in layers], axis=-1)


def unflatten(vector: ArrayLike, widths: Sequence[int]) -> Weights:
    """Return the layers of the given widths (d_0, ..., d_L) from a vector made by `flatten`."""
    flat, sizes = as_array("vector", vector), as_widths(widths)
    shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
    total = sum(m * n for m, n in shapes)
    if flat.ndim < 1 or flat.shape[-1] != total:
        raise ValueError(f"widths {sizes} need {total} parameters along the last axis, got shape {flat.shape}")
    return split(flat, shapes)


# What follows trusts its arguments: the solvers call it thousands of times.


def split(flat: Array, shapes: Sequence[tuple[int, int]]) -> Weights:
    """Cut vectors (..., n_parameters) into layers of the given shapes."""
    ends = np.cumsum([m * n for m, n in shapes])[:-1]
    parts = np.split(flat, ends, axis=-1)
    return tuple(part.reshape(*flat.shape[:-1], *shape) for part, shape in zip(parts, shapes, strict=True))


def _t(matrix: Array) -> Array:
    return np.swapaxes(matrix, -1, -2)


def _product(layers: Weights) -> Array:
    result = layers[0]
    for W in layers[1:]:
        result = W @ result
    return result


def loss_of_product(W: Array, moments: Moments) -> Array:
    """Return the loss of end-to-end matrices W (..., d_out, d_in)."""
    quadratic = np.einsum("...ij,...ij->...", W @ moments.xx, W)
    linear = np.einsum("...ij,ij->...", W, moments.yx)
    # Rounding can leave -1e-17 where the loss is exactly zero.
    return np.maximum(0.5 * (moments.yy_trace - 2 * linear + quadratic), 0.0)


def layer_gradients(layers: Weights, moments: Moments) -> Weights:
    """Return the gradients without checking the arguments."""
    prefixes = list(accumulate(layers, lambda below, W: W @ below))
    signal = prefixes[-1] @ moments.xx - moments.yx
    result: list[Array] = []
    for i in range(len(layers) - 1, 0, -1):
        result.append(signal @ _t(prefixes[i - 1]))
        signal = _t(layers[i]) @ signal
    result.append(signal)
    return tuple(reversed(result))
