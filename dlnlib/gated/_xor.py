"""XOR by four gated paths, one for each corner: the smallest task that no linear network learns at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, as_count, as_scalar, as_times, finite_result
from dlnlib.gated._graph import GatedNetwork
from dlnlib.gated._moments import GatedMoments

__all__ = ["xor_loss", "xor_network", "xor_strength", "xor_task"]

_S, _D = np.sqrt(2) / 4, 0.5  # of the one path that is open on a corner: |y| |x| / 4 and |x|^2 / 4


def xor_task() -> tuple[Array, Array, Array]:
    """Return XOR with signs: inputs (4, 2), outputs (4, 1), +1 where the signs differ, and the corner gates (4, 4).

    Column k of the gates is open on corner k alone.
    """
    X = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    return X, -X[:, :1] * X[:, 1:], np.eye(4)


def xor_network(hidden: int) -> tuple[GatedNetwork, GatedMoments]:
    """Return the network with one hidden node for each corner, and the task with the corner gates.

    hidden : units of every hidden node.
    """
    h = as_count("hidden", hidden)
    nodes = {"x": 2, **{f"corner{k}": h for k in range(4)}, "y": 1}
    edges = {f"in{k}": ("x", f"corner{k}") for k in range(4)} | {f"out{k}": (f"corner{k}", "y") for k in range(4)}
    network = GatedNetwork(nodes, edges)
    X, Y, gates = xor_task()
    return network, network.task(X, Y, node_gates={f"corner{k}": gates[:, k] for k in range(4)})


def xor_strength(t: ArrayLike, a0: float) -> Array:
    """Return the strength (n_t,) of each path at times t, a logistic curve that ends at 1/sqrt(2) (`eq-xor`).

    t : (n_t,) in units of tau. a0 : strength at the start, positive. Exact for two equal layers in every path that look
    along their corner; the loss is averaged over the four corners.
    """
    times, first = as_times("t", t), as_scalar("a0", a0, positive=True)
    fading = np.exp(-2 * _S * times)
    with np.errstate(over="ignore"):  # a start beyond the end may have any size
        return (_S / _D) / ((1 - fading) + _S / (_D * first) * fading)


def xor_loss(t: ArrayLike, a0: float) -> Array:
    """Return the loss (n_t,) of four equal paths, (1 - sqrt(2) a)^2 / 2 (`eq-xor`). Arguments as in `xor_strength`."""
    with np.errstate(over="ignore"):
        return finite_result("the loss of XOR", 0.5 * (1 - np.sqrt(2) * xor_strength(t, a0)) ** 2)
