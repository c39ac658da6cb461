"""From a trained rectified network to pathways: which units share their gates, and the gated network made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._linalg import transpose
from dlnlib._validate import Array, as_array, as_count, as_scalar, as_weights, finite_result
from dlnlib.gated import GatedMoments, GatedNetwork

__all__ = ["Pathways", "contributions", "extract_pathways", "pathway_network", "relative_gates"]


@dataclass(frozen=True, eq=False)
class Pathways:
    """Units of a hidden layer, grouped by the samples on which they are active.

    gates : (K, n) of zeros and ones, what the majority of each group does, by contribution; the strongest group first.
    share : (K,), of all contributions; what is missing from 1 belongs to units too weak to count.
    agreement : (K,), mean share of samples on which a unit of the group does what the majority does.
    units : K arrays of numbers of units.
    """

    gates: Array
    share: Array
    agreement: Array
    units: tuple[Array, ...]


def relative_gates(weights: Sequence[ArrayLike], X: ArrayLike, threshold: float = 0.01) -> Array:
    """Return which units are clearly active on which samples, (n, h) of zeros and ones (`def-relative-gate`).

    A unit counts as active where its preactivation is above `threshold` times its largest one on the data: units that
    slide along a hinge chatter about zero there, and the raw sign would be left to chance.
    weights : (W_1, W_2), no batch. X : (n, d_in).
    """
    W1, _, inputs = _as_layer(weights, X)
    level = as_scalar("threshold", threshold, nonnegative=True)
    with np.errstate(over="ignore", invalid="ignore"):
        z = finite_result("a preactivation", inputs @ transpose(W1))
        return np.asarray(z > level * np.maximum(z.max(axis=0), 0.0), dtype=np.float64)


def contributions(weights: Sequence[ArrayLike], X: ArrayLike) -> Array:
    """Return how much each unit adds to the outputs, (h,): the length of its activity times that of its output weights.

    It is the Frobenius norm of what the unit alone contributes to all outputs on all samples. Arguments as in
    `relative_gates`.
    """
    W1, W2, inputs = _as_layer(weights, X)
    with np.errstate(over="ignore", invalid="ignore"):
        activity = np.maximum(inputs @ transpose(W1), 0.0)
        size = np.asarray(np.linalg.norm(activity, axis=0) * np.linalg.norm(W2, axis=0))
    return finite_result("the contribution of a unit", size)


def extract_pathways(
    weights: Sequence[ArrayLike], X: ArrayLike, count: int, *, threshold: float = 0.01, weakest: float = 0.01
) -> Pathways:
    """Group the units of a rectified layer into at most `count` pathways by their relative gates.

    Clusters of average linkage under the Hamming distance (scipy), which is the share of samples on which two units
    differ. Units whose contribution is below `weakest` times the largest are left out.
    count : how many groups at most. threshold : as in `relative_gates`. Other arguments as there.
    """
    from scipy.cluster.hierarchy import fcluster, linkage

    groups, least = as_count("count", count), as_scalar("weakest", weakest, nonnegative=True)
    gate, size = relative_gates(weights, X, threshold).T, contributions(weights, X)
    if least > 1:
        raise ValueError(f"weakest should be at most 1, the share of the strongest unit itself, got {least:g}")
    with np.errstate(over="ignore"):
        finite_result("the sum of all contributions", size.sum())
    if not size.max() > 0:
        raise ValueError("no unit is active on any sample; train the network first, or start it anew")
    strong = np.flatnonzero((size >= least * size.max()) & (size > 0))
    label = np.ones(len(strong), dtype=int)
    if len(strong) > 1:
        label = fcluster(linkage(gate[strong], "average", metric="hamming"), groups, "maxclust")
    members = [strong[label == k] for k in np.unique(label)]
    members.sort(key=lambda units: -size[units].sum())
    majority = np.array([np.average(gate[units], axis=0, weights=size[units]) > 0.5 for units in members], dtype=np.float64)
    agreement = [np.average(np.mean(gate[u] == m, axis=1), weights=size[u]) for u, m in zip(members, majority, strict=True)]
    share = [size[units].sum() / size.sum() for units in members]
    return Pathways(majority, np.array(share), np.array(agreement), tuple(members))


def pathway_network(
    gates: ArrayLike, X: ArrayLike, Y: ArrayLike, width: int, *, sample_weights: ArrayLike | None = None
) -> tuple[GatedNetwork, GatedMoments]:
    """Return a gated network with one hidden pathway for each row of gates, and what it sees of the data.

    gates : (K, n), one row a pathway. X : (n, d_in), seen by every pathway. Y : (n, d_out). width : hidden units of each.
    sample_weights : as in `GatedNetwork.task`. Weights come in the order in, out, in, out of the pathways.
    """
    rows, inputs, targets = as_array("gates", gates, ndim=2), as_array("X", X, ndim=2), as_array("Y", Y, ndim=2)
    if rows.shape[1] != len(inputs):
        raise ValueError(f"gates should have one column for each of the {len(inputs)} samples, got shape {rows.shape}")
    names = [f"path {k + 1}" for k in range(len(rows))]
    nodes = {"x": inputs.shape[1], **dict.fromkeys(names, as_count("width", width)), "y": targets.shape[1]}
    edges = {f"{way} {name}": ("x", name) if way == "to" else (name, "y") for name in names for way in ("to", "from")}
    network = GatedNetwork(nodes, edges)
    gated = dict(zip(names, rows, strict=True))
    return network, network.task(inputs, targets, node_gates=gated, sample_weights=sample_weights)


def _as_layer(weights: Sequence[ArrayLike], X: ArrayLike) -> tuple[Array, Array, Array]:
    layers: Any = as_weights(weights)
    if len(layers) != 2 or layers[0].ndim != 2:
        raise ValueError(f"weights should be one hidden layer (W_1, W_2) without batch axes, got {[W.shape for W in layers]}")
    inputs = as_array("X", X, ndim=2)
    if inputs.shape[1] != layers[0].shape[1]:
        raise ValueError(f"X has {inputs.shape[1]} columns, W_1 takes {layers[0].shape[1]} inputs; samples are rows of X")
    return layers[0], layers[1], inputs
