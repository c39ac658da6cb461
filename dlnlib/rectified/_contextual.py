"""The contextual task: items of a tree, described in several contexts at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlnlib._validate import Array, as_array, as_count, as_scalar
from dlnlib.gated import GatedMoments, GatedNetwork

__all__ = ["PATHWAYS", "ContextualTask", "context_gates", "contextual_network", "contextual_task", "item_network", "item_task"]

ITEMS, LEVELS = 8, 4
#: name -> (is there a common path, and which further ones: "off" in one context each, "on" in one each, or none).
PATHWAYS: dict[str, tuple[bool, str]] = {
    "mixed": (True, "off"),
    "modular": (True, "on"),
    "linear": (True, ""),
    "mixed alone": (False, "off"),
    "modular alone": (False, "on"),
}


@dataclass(frozen=True, eq=False)
class ContextualTask:
    """8 items in each of C contexts, 8 C samples (`def-contextual`).

    X : (8C, 8 + C), the item one-hot, then the context one-hot. Y : (8C, 15 (C + 1)), the properties of the item once
    for every context and once more in the block of the sample's own. table : (15, 8), properties of the items alone.
    contexts : C. context, item : (8C,), numbers of each sample.
    """

    X: Array
    Y: Array
    table: Array
    contexts: int
    context: NDArray[np.intp]
    item: NDArray[np.intp]


def contextual_task(contexts: int) -> ContextualTask:
    """Return the task of 8 items with the properties of a binary tree of depth 3, in this many contexts.

    contexts : C, from 2.
    Source: Jarvis et al. (2025), the variant in which every context has the same tree.
    """
    C = as_count("contexts", contexts, minimum=2)
    table = np.vstack([np.kron(np.eye(2**level), np.ones(ITEMS // 2**level)) for level in range(LEVELS)])
    context = np.repeat(np.arange(C, dtype=np.intp), ITEMS)
    item = np.tile(np.arange(ITEMS, dtype=np.intp), C)
    X = np.hstack([np.eye(ITEMS)[item], np.eye(C)[context]])
    shown = np.hstack([np.ones((ITEMS * C, 1)), np.eye(C)[context]])
    Y = (shown[:, :, None] * table.T[item][:, None, :]).reshape(ITEMS * C, -1)
    return ContextualTask(X, Y, table, C, context, item)


def as_task(task: Any) -> ContextualTask:
    """Return the contextual task, or say what was given instead."""
    if not isinstance(task, ContextualTask):
        raise ValueError(f"task should come from contextual_task, for example contextual_task(3), got {type(task).__name__}")
    return task


def item_task(contexts: int, sigma: float) -> tuple[Array, Array]:
    """Return what one item mode of the contextual task learns by itself: inputs (C, 1) and outputs (C, C + 1) (`def-item-task`).

    One sample a context, the input always 1; outputs are sigma in the common block and sigma in the block of the context.
    contexts : C, from 2. sigma : singular value of the property table, of any mode but the uniform one.
    """
    C, size = as_count("contexts", contexts, minimum=2), as_scalar("sigma", sigma, positive=True)
    return np.ones((C, 1)), size * np.hstack([np.ones((C, 1)), np.eye(C)])


def context_gates(context: ArrayLike, kind: str) -> dict[str, Array]:
    """Return the gate (n,) of every pathway by name: "common", and "off 1" or "on 1" and so on for the contexts.

    context : (n,), the context of each sample, counted from 0. kind : a name of PATHWAYS.
    """
    if not isinstance(kind, str) or kind not in PATHWAYS:
        raise ValueError(f"kind should be one of {', '.join(PATHWAYS)}, got {kind!r}")
    where, (common, further) = as_array("context", context, ndim=1), PATHWAYS[kind]
    if np.any(where < 0) or np.any(where != np.round(where)):
        raise ValueError("context should number the contexts of the samples, whole numbers counted from 0")
    gates = {"common": np.ones(len(where))} if common else {}
    for c in np.unique(where) if further else ():
        on = (where == c).astype(np.float64)
        gates[f"{further} {int(c) + 1}"] = on if further == "on" else 1 - on
    return gates


def contextual_network(task: ContextualTask, kind: str, width: int) -> tuple[GatedNetwork, GatedMoments]:
    """Return a gated network for the contextual task and what it sees of it, the loss summed over the samples.

    The common path sees item and context, every other path the item alone.
    task : from `contextual_task`. kind : a name of PATHWAYS; "mixed" is the rectified linear network of the source.
    width : hidden units of each pathway.
    """
    gates, size = context_gates(as_task(task).context, kind), as_count("width", width)
    nodes, edges = {"item": ITEMS, "context": task.contexts}, {}
    for name in gates:
        nodes[name] = size
        edges[f"item to {name}"] = ("item", name)
        if name == "common":
            edges["context to common"] = ("context", name)
        edges[f"{name} to properties"] = (name, "properties")
    inputs = {"item": task.X[:, :ITEMS], "context": task.X[:, ITEMS:]}
    if "common" not in gates:
        del nodes["context"], inputs["context"]
    network = GatedNetwork({**nodes, "properties": task.Y.shape[1]}, edges)
    shown = inputs if len(inputs) > 1 else inputs["item"]
    return network, network.task(shown, task.Y, node_gates=gates, sample_weights=np.ones(len(task.X)))


def item_network(contexts: int, kind: str, sigma: float = 1.0, width: int = 1) -> tuple[GatedNetwork, GatedMoments]:
    """Return the gated network of one item mode, with `item_task` as its data, the loss summed (`eq-context-modes`).

    contexts, sigma : as in `item_task`. kind, width : as in `contextual_network`.
    """
    (X, Y), size = item_task(contexts, sigma), as_count("width", width)
    gates = context_gates(np.arange(contexts), kind)
    edges = {f"to {name}": ("item", name) for name in gates} | {f"from {name}": (name, "properties") for name in gates}
    network = GatedNetwork({"item": 1, **dict.fromkeys(gates, size), "properties": contexts + 1}, edges)
    return network, network.task(X, Y, node_gates=gates, sample_weights=np.ones(contexts))
