"""The contextual task: items of a tree, described in several contexts at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dlnlib._validate import Array, as_count, as_scalar

__all__ = ["ContextualTask", "contextual_task", "item_task"]

ITEMS, LEVELS = 8, 4


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
    context: Array
    item: Array


def contextual_task(contexts: int) -> ContextualTask:
    """Return the task of 8 items with the properties of a binary tree of depth 3, in this many contexts.

    contexts : C, from 2.
    Source: Jarvis et al. (2025), the variant in which every context has the same tree.
    """
    C = as_count("contexts", contexts, minimum=2)
    table = np.vstack([np.kron(np.eye(2**level), np.ones(ITEMS // 2**level)) for level in range(LEVELS)])
    context, item = np.repeat(np.arange(C), ITEMS), np.tile(np.arange(ITEMS), C)
    X = np.hstack([np.eye(ITEMS)[item], np.eye(C)[context]])
    shown = np.hstack([np.ones((ITEMS * C, 1)), np.eye(C)[context]])
    Y = (shown[:, :, None] * table.T[item][:, None, :]).reshape(ITEMS * C, -1)
    return ContextualTask(X, Y, table, C, context, item)


def item_task(contexts: int, sigma: float) -> tuple[Array, Array]:
    """Return what one item mode of the contextual task learns by itself: inputs (C, 1) and outputs (C, C + 1) (`def-item-task`).

    One sample a context, the input always 1; outputs are sigma in the common block and sigma in the block of the context.
    contexts : C, from 2. sigma : singular value of the property table, of any mode but the uniform one.
    """
    C, size = as_count("contexts", contexts, minimum=2), as_scalar("sigma", sigma, positive=True)
    return np.ones((C, 1)), size * np.hstack([np.ones((C, 1)), np.eye(C)])
