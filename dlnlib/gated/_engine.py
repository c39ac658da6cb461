"""Loss, slope and curvature of a gated network from its pathway-gated moments, without checks.

Paths that begin alike share the products of their beginnings, so that one step of the recursion costs three products of
matrices. Outputs of node v are W_v z_v: W_v holds the products of its paths side by side, z_v the gated inputs one above
the other, and paths that always see the same share a block. In these terms every output is a linear regression.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from dlnlib._linalg import transpose
from dlnlib._validate import Array, Weights

Steps = Sequence[tuple[int, int]]


@dataclass(frozen=True, eq=False)
class Output:
    """What one output node sees: E[y z^T] and E[z z^T], where in z the block of each of its paths lies, and their ends.

    yz : (d, D). zz : (D, D). paths : indices. ends : their last steps. blocks : their slices of z.
    """

    node: str
    yz: Array
    zz: Array
    paths: tuple[int, ...]
    ends: tuple[int, ...]
    blocks: tuple[slice, ...]


def beginnings(layers: Weights, steps: Steps) -> list[Array]:
    """Return the product of the weights along every beginning of a path."""
    found: list[Array] = []
    for parent, edge in steps:
        found.append(layers[edge] if parent < 0 else layers[edge] @ found[parent])
    return found


def side_by_side(products: Sequence[Array], output: Output) -> Array:
    """Return W_v, (..., d, D): the products of the node's paths, those of one block added."""
    lead = np.broadcast_shapes(*(products[end].shape[:-2] for end in output.ends))
    W = np.zeros((*lead, *output.yz.shape))
    for end, block in zip(output.ends, output.blocks, strict=True):
        W[..., block] += products[end]
    return W


def loss(layers: Weights, steps: Steps, outputs: Iterable[Output], yy_trace: float) -> Array:
    """Return the loss of every network of the batch."""
    products = beginnings(layers, steps)
    total = np.asarray(yy_trace)
    for output in outputs:
        W = side_by_side(products, output)
        total = total + np.einsum("...ij,...ij->...", W @ output.zz - 2 * output.yz, W)
    # Rounding can leave -1e-17 where the loss is exactly zero.
    return np.maximum(0.5 * total, 0.0)


def slopes(layers: Weights, steps: Steps, outputs: Iterable[Output]) -> Weights:
    """Return dLoss/dW of every edge (`eq-gated-gradient`)."""
    products = beginnings(layers, steps)
    signals: dict[int, Array] = {}
    for output in outputs:
        error = side_by_side(products, output) @ output.zz - output.yz
        signals.update({end: error[..., block] for end, block in zip(output.ends, output.blocks, strict=True)})
    result: list[Array | None] = [None] * len(layers)
    for step in range(len(steps) - 1, -1, -1):
        parent, edge = steps[step]
        signal = signals.pop(step)
        _add(result, edge, signal if parent < 0 else signal @ transpose(products[parent]))
        if parent >= 0:
            _add(signals, parent, transpose(layers[edge]) @ signal)
    return tuple(part for part in result if part is not None)


def curvature(layers: Weights, steps: Steps, outputs: Iterable[Output], direction: Weights) -> Weights:
    """Return the Hessian applied to a direction: `slopes` differentiated by the product rule."""
    products = beginnings(layers, steps)
    changes: list[Array] = []
    for parent, edge in steps:
        D = direction[edge]
        changes.append(D if parent < 0 else D @ products[parent] + layers[edge] @ changes[parent])
    signals: dict[int, Array] = {}
    turns: dict[int, Array] = {}
    for output in outputs:
        error = side_by_side(products, output) @ output.zz - output.yz
        turn = side_by_side(changes, output) @ output.zz
        for end, block in zip(output.ends, output.blocks, strict=True):
            signals[end], turns[end] = error[..., block], turn[..., block]
    result: list[Array | None] = [None] * len(layers)
    for step in range(len(steps) - 1, -1, -1):
        parent, edge = steps[step]
        signal, turn = signals.pop(step), turns.pop(step)
        if parent < 0:
            _add(result, edge, turn)
            continue
        _add(result, edge, turn @ transpose(products[parent]) + signal @ transpose(changes[parent]))
        _add(signals, parent, transpose(layers[edge]) @ signal)
        _add(turns, parent, transpose(direction[edge]) @ signal + transpose(layers[edge]) @ turn)
    return tuple(part for part in result if part is not None)


def _add(store: dict[int, Array] | list[Array | None], key: int, value: Array) -> None:
    """Add to what is stored under the key, if anything is."""
    before = store[key] if isinstance(store, list) else store.get(key)
    store[key] = value if before is None else before + value
