"""From samples and their gates to pathway-gated moments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlnlib._validate import Array, as_array, finite_result
from dlnlib.gated._engine import Output
from dlnlib.gated._graph import GatedNetwork
from dlnlib.gated._moments import GatedMoments


def as_signals(
    name: str, value: ArrayLike | Mapping[str, ArrayLike], network: GatedNetwork, nodes: tuple[str, ...]
) -> dict[str, Array]:
    """Return {node: (n, width)} for the nodes, from a dictionary or, where there is one node, from its array."""
    if not isinstance(value, Mapping):
        if len(nodes) > 1:
            raise ValueError(f"{name} must be a dictionary with an array for each of the nodes {list(nodes)}")
        value = {nodes[0]: value}
    if set(value) != set(nodes):
        raise ValueError(
            f"{name} must name the nodes {list(nodes)}, got {list(value)}; "
            "an output is a node that no edge leaves, an input one that no edge enters"
        )
    signals = {node: as_array(f"{name}[{node!r}]", value[node], ndim=2) for node in nodes}
    n = len(signals[nodes[0]])
    for node, array in signals.items():
        if array.shape != (n, network.nodes[node]):
            raise ValueError(f"{name}[{node!r}] must have shape ({n}, {network.nodes[node]}), got {array.shape}")
    return signals


def as_gates(name: str, gates: Mapping[str, ArrayLike] | None, allowed: Iterable[str], n: int) -> dict[str, Array]:
    """Return {name: (n,)} for all that is allowed, ones where nothing is given."""
    if gates is not None and not isinstance(gates, Mapping):
        raise ValueError(f"{name} must be a dictionary, name -> ({n},) array, got {type(gates).__name__}")
    found = {key: np.ones(n) for key in allowed}
    for key, value in (gates or {}).items():
        if key not in found:
            raise ValueError(f"{name} names {key!r}, which does not exist; there are {list(found)}")
        gate = as_array(f"{name}[{key!r}]", value)
        if gate.shape != (n,):
            raise ValueError(f"{name}[{key!r}] must have one gate for each of the {n} samples, shape ({n},), got {gate.shape}")
        found[key] = gate
    return found


def path_gates(network: GatedNetwork, on_nodes: Mapping[str, Array], on_edges: Mapping[str, Array]) -> list[Array]:
    """Return the gate of every path, (n,): the product of all gates on its way."""
    found = []
    for path in network.paths:
        gate = on_nodes[path.source]
        with np.errstate(over="ignore", invalid="ignore"):
            for edge in path.edges:
                gate = gate * on_edges[edge] * on_nodes[network.edges[edge][1]]
        found.append(finite_result("the gate of a path", gate))
    return found


def moments_of(
    network: GatedNetwork,
    inputs: ArrayLike | Mapping[str, ArrayLike],
    outputs: ArrayLike | Mapping[str, ArrayLike],
    node_gates: Mapping[str, ArrayLike] | None,
    edge_gates: Mapping[str, ArrayLike] | None,
    sample_weights: ArrayLike | None,
) -> GatedMoments:
    """Return the moments; arguments as in `GatedNetwork.task`."""
    X, Y = as_signals("inputs", inputs, network, network.inputs), as_signals("outputs", outputs, network, network.outputs)
    n = len(X[network.inputs[0]])
    if len(Y[network.outputs[0]]) != n:
        raise ValueError(f"inputs have {n} rows and outputs {len(Y[network.outputs[0]])}; samples go along rows in both")
    weights = np.full(n, 1 / n) if sample_weights is None else as_array("sample_weights", sample_weights)
    if weights.shape != (n,) or np.any(weights < 0):
        raise ValueError(f"sample_weights must be {n} numbers, one a sample, none negative, got shape {weights.shape}")
    on_nodes = as_gates("node_gates", node_gates, network.nodes, n)
    on_edges = as_gates("edge_gates", edge_gates, network.edges, n)
    gates = path_gates(network, on_nodes, on_edges)
    _check_reached(network, gates, Y)
    found = tuple(_output(network, node, gates, X, Y[node], weights) for node in network.outputs)
    with np.errstate(over="ignore", invalid="ignore"):
        yy = finite_result("yy", np.asarray(sum(np.einsum("n,ni,ni->", weights, array, array) for array in Y.values())))
    return GatedMoments(network, found, float(yy))


def _check_reached(network: GatedNetwork, gates: list[Array], Y: Mapping[str, Array]) -> None:
    opened = {node: np.zeros(len(gates[0]), dtype=bool) for node in network.outputs}
    for path, gate in zip(network.paths, gates, strict=True):
        opened[path.target] |= gate != 0
    silent = np.flatnonzero(~np.any(list(opened.values()), axis=0))
    if len(silent):
        raise ValueError(f"no open path reaches any output on {_some(silent)}; open a gate there or leave the samples out")
    for node, array in Y.items():
        missed = np.flatnonzero(~opened[node] & np.any(array != 0, axis=1))
        if len(missed):
            raise ValueError(
                f"output {node!r} has a target, but no open path, on {_some(missed)}; "
                "open a gate there, or set the target to 0 where it is not asked for"
            )


def _some(indices: NDArray[np.intp]) -> str:
    shown = ", ".join(str(i) for i in indices[:5])
    return f"{len(indices)} sample(s) (index {shown}{', ...' if len(indices) > 5 else ''})"


def _output(network: GatedNetwork, node: str, gates: list[Array], X: Mapping[str, Array], Y: Array, weights: Array) -> Output:
    """Return the moments of one output node; paths that always see the same share a block of z."""
    paths = [p for p, path in enumerate(network.paths) if path.target == node]
    places: dict[tuple[str, bytes], slice] = {}
    columns: list[Array] = []
    blocks, size = [], 0
    for p in paths:
        source = network.paths[p].source
        key = source, (gates[p] + 0.0).tobytes()  # + 0.0: a gate of -0 is a gate of 0
        if key not in places:
            places[key] = slice(size, size + network.nodes[source])
            size += network.nodes[source]
            with np.errstate(over="ignore", invalid="ignore"):
                columns.append(gates[p][:, None] * X[source])
        blocks.append(places[key])
    z = np.concatenate(columns, axis=1)
    with np.errstate(over="ignore", invalid="ignore"):
        weighted = weights[:, None] * z
        zz, yz = finite_result("E[z z^T]", weighted.T @ z), finite_result("E[y z^T]", Y.T @ weighted)
    return Output(node, yz, zz / 2 + zz.T / 2, tuple(paths), tuple(network.ends[p] for p in paths), tuple(blocks))
