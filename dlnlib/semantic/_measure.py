"""Measurements in a network that learns items: what it confuses, what it infers, which modes it picks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._linalg import transpose
from dlnlib._validate import Array, as_array, as_count, as_modes, as_moments, as_scalar, as_weights, finite_result
from dlnlib.moments import Modes, Moments
from dlnlib.semantic._development import levels

__all__ = ["effective_modes", "illusory_excess", "inductive_projection", "item_distances", "typicality"]


def item_distances(W1: ArrayLike) -> Array:
    """Return the distances of the items in the hidden layer, (..., n, n) (`def-hidden-distance`).

    W1 : (..., h, n), first layer; the representation of a one-hot item is a column.
    """
    layer = _as_layer(W1)
    with np.errstate(over="ignore", invalid="ignore"):
        apart = layer[..., :, :, None] - layer[..., :, None, :]
        return finite_result("the distances", np.sqrt(np.sum(apart**2, axis=-3)))


def inductive_projection(W1: ArrayLike, item: int) -> Array:
    """Return how far a new property, taught of one item, is extended to each item, (..., n) (`eq-projection`).

    The network is told that `item` has a new property (value 1) and only learns a new row of the last layer, from zero;
    the shortest such row is h_i / |h_i|^2, so that item j is given h_i . h_j / |h_i|^2.
    W1 : (..., h, n), first layer at some age. item : its index, from 0. Raises ValueError where the item is not
    represented at all (a zero column).
    """
    layer = _as_layer(W1)
    i = as_count("item", item, minimum=0)
    if i >= layer.shape[-1]:
        raise ValueError(f"item must be below the number of items {layer.shape[-1]}, got {i}")
    size = np.abs(layer).max(axis=(-2, -1), keepdims=True)
    scaled = layer / np.where(size == 0, 1.0, size)
    taught = scaled[..., :, i]
    length = np.sum(taught**2, axis=-1)
    if np.any(length == 0):
        raise ValueError(f"item {i} has no representation (its column of W1 is zero), so nothing can be projected from it")
    with np.errstate(over="ignore", invalid="ignore"):
        raw = np.einsum("...h,...hj->...j", taught, scaled) / length[..., None]
        return finite_result("the projection", raw)


def illusory_excess(product: ArrayLike, target: ArrayLike) -> Array:
    """Return by how much each entry was ever further from its target than at the start, (..., d_out, d_in).

    max over t of |W(t) - target| - |W(0) - target|, not negative (`def-illusory`). An absent property that the network
    for a while believes in has a positive excess; an entry that only approaches its target has zero.
    product : (n_t, ..., d_out, d_in), for example `Trajectory.product`. target : (d_out, d_in), or of the shape of one time.
    """
    path, goal = as_array("product", product), as_array("target", target)
    if path.ndim < 3:
        raise ValueError(f"product must have shape (n_t, ..., d_out, d_in), time first, got {path.shape}")
    if goal.ndim < 2 or goal.shape != path.shape[-goal.ndim :] or goal.ndim >= path.ndim:
        raise ValueError(f"target must have shape {path.shape[-2:]} or that of one time, got {goal.shape}")
    with np.errstate(over="ignore", invalid="ignore"):
        error = np.abs(path - goal)
        return finite_result("the excess", np.max(error - error[0], axis=0))


def typicality(properties: ArrayLike, modes: Modes) -> Array:
    """Return how typical items are of each mode's category, the component V_k of an item, (..., r) (`eq-typicality`).

    y . U_k / s_k, which needs an item's properties only, so that it serves items the network has never met.
    properties : (..., d_out), of the items. modes : of the table, `Modes.of(data.table)`. Modes with s = 0 get 0.
    """
    y = as_array("properties", properties)
    as_modes(modes)
    if y.ndim < 1 or y.shape[-1] != modes.U.shape[0]:
        raise ValueError(f"properties must have {modes.U.shape[0]} entries on the last axis, as the modes do, got {y.shape}")
    there = modes.s > 1e-13 * modes.s[0]
    with np.errstate(over="ignore", invalid="ignore"):
        return finite_result("the typicality", np.where(there, y @ modes.U / np.where(there, modes.s, 1.0), 0.0))


def effective_modes(weights: Sequence[ArrayLike], moments: Moments, *, tol: float = 1e-6) -> tuple[Modes, Array]:
    """Return the modes that a small random start picks, and the effective start u0 of each, (r,) (`eq-picked-modes`).

    The vectors W_1 V_k + W_2^T U_k grow. Those of stronger levels occupy their directions of the hidden layer first, so
    only what is orthogonal to them counts. Within a level of equal singular values the start itself picks the modes:
    the eigenvectors of the Gram matrix of what is left, whose eigenvalues over four are the effective starts.
    Where all singular values differ this is `measure.effective_start`.

    weights : (W_1, W_2), no batch. moments : of the task; xx a multiple of the identity. tol : singular values closer than
    this, relative to the largest, count as equal. Modes with m = 0 are left out; those beyond the hidden width get 0.
    Argued and measured in the book for small starts, not proved.
    """
    layers, task = as_weights(weights, as_moments(moments)), as_moments(moments)
    if len(layers) != 2 or layers[0].ndim != 2:
        raise ValueError("effective_modes is for two layers without a batch; loop over seeds")
    modes = task.modes().truncate(task.modes().rank)
    if not len(modes.s):
        raise ValueError("yx is zero: there is nothing to learn, so no mode is picked")
    with np.errstate(over="ignore", invalid="ignore"):
        vectors = layers[0] @ modes.V + transpose(modes.U.T @ layers[1])
        finite_result("the effective start", np.sum(vectors**2, axis=0))
    U, V, start = modes.U.copy(), modes.V.copy(), np.zeros(len(modes.s))
    occupied = np.zeros((vectors.shape[0], 0))
    for chosen in levels(modes.s, as_scalar("tol", tol, positive=True)):
        left = vectors[:, chosen] - occupied @ (occupied.T @ vectors[:, chosen])
        frame, size, turn = np.linalg.svd(left, full_matrices=False)
        count = min(len(size), vectors.shape[0] - occupied.shape[1])
        Q = np.linalg.qr(turn.T, mode="complete")[0] if turn.shape[0] < turn.shape[1] else turn.T
        U[:, chosen], V[:, chosen] = modes.U[:, chosen] @ Q, modes.V[:, chosen] @ Q
        start[chosen[:count]] = size[:count] ** 2 / 4
        occupied = np.linalg.qr(np.concatenate([occupied, frame[:, :count]], axis=1))[0]
    return Modes(U, modes.s, V.T), start


def _as_layer(W1: ArrayLike) -> Array:
    layer = as_array("W1", W1)
    if layer.ndim < 2:
        raise ValueError(f"W1 must have shape (..., h, n), one column an item, got {layer.shape}")
    if layer.shape[-1] ** 2 * max(layer.shape[-2], 1) * int(np.prod(layer.shape[:-2])) > 10**8:
        raise ValueError(f"W1 of shape {layer.shape} has too many pairs of items; take fewer times or items")
    return layer
