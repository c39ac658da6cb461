"""Second derivatives of the loss: the exact Hessian, its action on a direction, and its largest eigenvalue."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._linalg import transpose
from dlnlib._unchecked import join, members
from dlnlib._validate import Array, Weights, as_weights, finite_result
from dlnlib.moments import Moments
from dlnlib.network import unflatten, widths

__all__ = ["hessian", "hessian_vector_product", "sharpness"]

_DENSE_LIMIT = 400


def hessian_vector_product(weights: Sequence[ArrayLike], moments: Moments, direction: Sequence[ArrayLike]) -> Weights:
    """Return the Hessian of the loss applied to a direction, as a tuple shaped like the weights (`eq-hessian-vector`).

    weights, direction : tuples (W_1, ..., W_L) and (D_1, ..., D_L) of equal layer shapes; the batch axes of the
    direction may be more than those of the weights. Exact; costs a small multiple of one gradient (Pearlmutter 1994).
    """
    layers, D = as_weights(weights, moments), as_weights(direction, moments)
    for i, (W, V) in enumerate(zip(layers, D, strict=False), start=1):
        if len(layers) != len(D) or W.shape[-2:] != V.shape[-2:]:
            raise ValueError(f"direction must have the layer shapes of the weights; layer {i} is {V.shape} against {W.shape}")
    with np.errstate(over="ignore", invalid="ignore"):
        result = _hvp(layers, moments, D)
    for H in result:
        finite_result("the Hessian-vector product", H)
    return result


def hessian(weights: Sequence[ArrayLike], moments: Moments) -> Array:
    """Return the exact Hessian of the loss, (n_parameters, n_parameters), in the order of `network.flatten`.

    The weights must not have batch axes. It is dense: use `hessian_vector_product` for more than a few thousand
    parameters.
    """
    layers = as_weights(weights, moments)
    if layers[0].ndim != 2:
        raise ValueError(f"hessian takes one network at a time, got batch axes {layers[0].shape[:-2]}")
    sizes = widths(layers)
    count = sum(W.size for W in layers)
    with np.errstate(over="ignore", invalid="ignore"):
        rows = _hvp(layers, moments, unflatten(np.eye(count), sizes))
        H = join(rows)
    return finite_result("the Hessian", (H + H.T) / 2)


def sharpness(weights: Sequence[ArrayLike], moments: Moments) -> Array:
    """Return the largest eigenvalue of the Hessian for each network of the batch, shape (...) (`def-sharpness`).

    Gradient descent can settle at a minimum only if its step is at most 2 / sharpness there.
    """
    layers = as_weights(weights, moments)
    values = [_top(network, moments) for network in members(layers)]
    return np.array(values).reshape(layers[0].shape[:-2])


def _top(layers: Weights, moments: Moments) -> float:
    count = sum(W.size for W in layers)
    if count <= _DENSE_LIMIT:
        return float(np.linalg.eigvalsh(hessian(layers, moments))[-1])
    from scipy.sparse.linalg import LinearOperator, eigsh

    sizes = widths(layers)

    def apply(vector: Array) -> Array:
        return join(_hvp(layers, moments, unflatten(vector.reshape(-1), sizes)))

    operator = LinearOperator((count, count), matvec=apply, dtype=np.float64)
    # A fixed start makes the answer the same on every run; a random one cannot miss the top direction by symmetry.
    start = np.random.default_rng(0).standard_normal(count)
    return float(eigsh(operator, k=1, which="LA", v0=start, return_eigenvectors=False, tol=1e-12)[0])


def _hvp(layers: Weights, moments: Moments, D: Weights) -> Weights:
    """Differentiate the gradient along D by the product rule, with prefix and suffix products."""
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
