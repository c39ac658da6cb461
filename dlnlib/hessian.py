"""Second derivatives of the loss: the exact Hessian, its action on a direction, and its largest eigenvalue."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._task import Task, as_task
from dlnlib._unchecked import join, members, split
from dlnlib._validate import Array, Weights, finite_result
from dlnlib.moments import Moments

__all__ = ["hessian", "hessian_vector_product", "sharpness"]

_DENSE_LIMIT = 400


def hessian_vector_product(weights: Sequence[ArrayLike], moments: Moments | Task, direction: Sequence[ArrayLike]) -> Weights:
    """Return the Hessian of the loss applied to a direction, as a tuple shaped like the weights (`eq-hessian-vector`).

    weights, direction : tuples (W_1, ..., W_L) and (D_1, ..., D_L) of equal layer shapes; the batch axes of the
    direction may be more than those of the weights. Exact; costs a small multiple of one gradient (Pearlmutter 1994).
    """
    task = as_task(moments)
    layers, D = task.fit(weights), task.fit(direction)
    for i, (W, V) in enumerate(zip(layers, D, strict=False), start=1):
        if len(layers) != len(D) or W.shape[-2:] != V.shape[-2:]:
            raise ValueError(f"direction must have the layer shapes of the weights; layer {i} is {V.shape} against {W.shape}")
    with np.errstate(over="ignore", invalid="ignore"):
        result = task.curvature_of(layers, D)
    for H in result:
        finite_result("the Hessian-vector product", H)
    return result


def hessian(weights: Sequence[ArrayLike], moments: Moments | Task) -> Array:
    """Return the exact Hessian of the loss, (n_parameters, n_parameters), in the order of `network.flatten`.

    The weights must not have batch axes. It is dense: use `hessian_vector_product` for more than a few thousand
    parameters.
    """
    task = as_task(moments)
    layers = task.fit(weights)
    if layers[0].ndim != 2:
        raise ValueError(f"hessian takes one network at a time, got batch axes {layers[0].shape[:-2]}")
    count = sum(W.size for W in layers)
    with np.errstate(over="ignore", invalid="ignore"):
        H = join(task.curvature_of(layers, split(np.eye(count), [W.shape for W in layers])))
    return finite_result("the Hessian", (H + H.T) / 2)


def sharpness(weights: Sequence[ArrayLike], moments: Moments | Task) -> Array:
    """Return the largest eigenvalue of the Hessian for each network of the batch, shape (...) (`def-sharpness`).

    Gradient descent can settle at a minimum only if its step is at most 2 / sharpness there.
    """
    task = as_task(moments)
    layers = task.fit(weights)
    values = [_top(network, task) for network in members(layers)]
    return np.array(values).reshape(layers[0].shape[:-2])


def _top(layers: Weights, task: Task) -> float:
    count = sum(W.size for W in layers)
    if count <= _DENSE_LIMIT:
        return float(np.linalg.eigvalsh(hessian(layers, task))[-1])
    from scipy.sparse.linalg import LinearOperator, eigsh

    shapes = [W.shape for W in layers]

    def apply(vector: Array) -> Array:
        return join(task.curvature_of(layers, split(vector.reshape(-1), shapes)))

    operator = LinearOperator((count, count), matvec=apply, dtype=np.float64)
    # A fixed start makes the answer the same on every run; a random one cannot miss the top direction by symmetry.
    start = np.random.default_rng(0).standard_normal(count)
    return float(eigsh(operator, k=1, which="LA", v0=start, return_eigenvectors=False, tol=1e-12)[0])
