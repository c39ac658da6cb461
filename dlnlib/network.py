"""The deep linear network: product, loss, gradients and conserved quantities, batched over leading axes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._linalg import transpose
from dlnlib._task import Task, as_task
from dlnlib._unchecked import join, product_of, split
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
        return finite_result("the product of the layers", product_of(layers))


def error_correlation(weights: Sequence[ArrayLike], moments: Moments) -> Array:
    """Return E = yx - W xx, the correlation of the error with the input, shape (..., d_out, d_in)."""
    layers = as_weights(weights, moments)
    with np.errstate(over="ignore", invalid="ignore"):
        return finite_result("the error correlation", moments.yx - product_of(layers) @ moments.xx)


def loss(weights: Sequence[ArrayLike], moments: Moments | Task) -> Array:
    """Return 1/2 E||y - W x||^2 from the moments, shape (...) of the batch axes (`eq-loss-moments`)."""
    task = as_task(moments)
    layers = task.fit(weights)
    with np.errstate(over="ignore", invalid="ignore"):
        return finite_result("the loss", task.loss_of(layers))


def gradients(weights: Sequence[ArrayLike], moments: Moments | Task) -> Weights:
    """Return dLoss/dW_l for every layer, each shaped like its layer (`eq-layer-gradient`).

    dLoss/dW_l = -(W_L...W_{l+1})^T (yx - W xx) (W_{l-1}...W_1)^T, by prefix and suffix products: the cost grows
    linearly with depth and does not depend on the number of samples.
    """
    task = as_task(moments)
    layers = task.fit(weights)
    with np.errstate(over="ignore", invalid="ignore"):
        result = task.slopes_of(layers)
    for i, g in enumerate(result, start=1):
        finite_result(f"the gradient of W_{i}", g)
    return result


def imbalances(weights: Sequence[ArrayLike]) -> Weights:
    """Return W_{l+1}^T W_{l+1} - W_l W_l^T for l = 1..L-1, each (..., d_l, d_l).

    Gradient flow keeps every one of them (`eq-conservation`); all zero means balanced. Empty for one layer.
    """
    layers = as_weights(weights)
    with np.errstate(over="ignore", invalid="ignore"):
        differences = [transpose(upper) @ upper - lower @ transpose(lower) for lower, upper in pairwise(layers)]
    return tuple(finite_result("the imbalance", D) for D in differences)


def widths(weights: Sequence[ArrayLike]) -> tuple[int, ...]:
    """Return (d_0, d_1, ..., d_L)."""
    layers = as_weights(weights)
    return (layers[0].shape[-1], *(W.shape[-2] for W in layers))


def flatten(weights: Sequence[ArrayLike]) -> Array:
    """Return all parameters as one vector (..., n_parameters), layer 1 first, each layer row by row."""
    return join(as_weights(weights))


def unflatten(vector: ArrayLike, widths: Sequence[int]) -> Weights:
    """Return the layers of the given widths (d_0, ..., d_L) from a vector made by `flatten`."""
    flat, sizes = as_array("vector", vector), as_widths(widths)
    shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
    total = sum(m * n for m, n in shapes)
    if flat.ndim < 1 or flat.shape[-1] != total:
        raise ValueError(f"widths {sizes} need {total} parameters along the last axis, got shape {flat.shape}")
    return split(flat, shapes)
