"""The network without checks, for the solvers, which call it thousands of times. `network` is the checked edge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

import numpy as np

from dlnlib._linalg import transpose
from dlnlib._validate import Array, Weights
from dlnlib.moments import Modes, Moments


def product_of(layers: Weights) -> Array:
    """Return W_L ... W_1, (..., d_L, d_0)."""
    result = layers[0]
    for W in layers[1:]:
        result = W @ result
    return result


def loss_of_product(W: Array, moments: Moments) -> Array:
    """Return the loss (...) of end-to-end matrices W (..., d_out, d_in)."""
    quadratic = np.einsum("...ij,...ij->...", W @ moments.xx, W)
    linear = np.einsum("...ij,ij->...", W, moments.yx)
    # Rounding can leave -1e-17 where the loss is exactly zero.
    return np.maximum(0.5 * (moments.yy_trace - 2 * linear + quadratic), 0.0)


def strengths_of_product(W: Array, modes: Modes) -> Array:
    """Return U_k^T W V_k, (..., r), of end-to-end matrices W (..., d_out, d_in)."""
    return np.einsum("ik,...ij,kj->...k", modes.U, W, modes.Vt)


def back_through(layers: Weights, signal_of: Callable[[Array], Array]) -> Weights:
    """Return dLoss/dW_l for every layer, by prefix and suffix products; signal_of turns the product W into dLoss/dW."""
    prefixes = list(accumulate(layers, lambda below, W: W @ below))
    signal = signal_of(prefixes[-1])
    result: list[Array] = []
    for i in range(len(layers) - 1, 0, -1):
        result.append(signal @ transpose(prefixes[i - 1]))
        signal = transpose(layers[i]) @ signal
    result.append(signal)
    return tuple(reversed(result))


def layer_gradients(layers: Weights, moments: Moments) -> Weights:
    """Return dLoss/dW_l of the squared error for every layer."""
    return back_through(layers, lambda W: W @ moments.xx - moments.yx)


def chain_curvature(layers: Weights, moments: Moments, D: Weights) -> Weights:
    """Return the Hessian applied to D: the gradient differentiated by the product rule, with prefix and suffix products."""
    depth = len(layers)
    below: list[tuple[Array | None, Array | None]] = [(None, None)]  # prefix product and its derivative
    for W, V in zip(layers, D, strict=True):
        P, dP = below[-1]
        if P is None or dP is None:
            below.append((W, V))
        else:
            below.append((W @ P, V @ P + W @ dP))
    P, dP = below[-1]
    assert P is not None and dP is not None
    G, dG = P @ moments.xx - moments.yx, dP @ moments.xx
    result: list[Array] = []
    for i in range(depth - 1, -1, -1):
        P, dP = below[i]
        result.append(dG if P is None or dP is None else dG @ transpose(P) + G @ transpose(dP))
        G, dG = transpose(layers[i]) @ G, transpose(D[i]) @ G + transpose(layers[i]) @ dG
    return tuple(reversed(result))


def join(layers: Weights) -> Array:
    """Return all entries as one vector (..., n_parameters), layer 1 first, each layer row by row."""
    return np.concatenate([W.reshape(*W.shape[:-2], -1) for W in layers], axis=-1)


def split(flat: Array, shapes: Sequence[tuple[int, ...]]) -> Weights:
    """Cut vectors (..., n_parameters) into layers of the given shapes (d_l, d_{l-1}); undoes `join`."""
    ends = np.cumsum([m * n for m, n in shapes])[:-1]
    parts = np.split(flat, ends, axis=-1)
    return tuple(part.reshape(*flat.shape[:-1], *shape) for part, shape in zip(parts, shapes, strict=True))


def members(layers: Weights) -> Iterator[Weights]:
    """Yield each network of a batch, in the order in which `reshape(*batch)` puts their results back."""
    for index in np.ndindex(layers[0].shape[:-2]):
        yield tuple(W[index] for W in layers)
