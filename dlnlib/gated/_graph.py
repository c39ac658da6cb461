"""The graph of a gated network: nodes with widths, edges with weights, and the paths from inputs to outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._linalg import orthonormal, transpose
from dlnlib._validate import Array, Weights, as_array, as_batch, as_count, as_rng, as_scalar, finite_result

if TYPE_CHECKING:
    from dlnlib.gated._moments import GatedMoments

__all__ = ["GatedNetwork", "Path"]

MOST_PATHS = 4096


class Path(NamedTuple):
    """A chain of edges, first to last, from an input node to an output node (`def-path`)."""

    edges: tuple[str, ...]
    source: str
    target: str


class Step(NamedTuple):
    """The beginning of one path or several: the beginning that it prolongs (-1 for none) and the edge it adds."""

    parent: int
    edge: int


class GatedNetwork:
    """A directed acyclic graph of linear layers (`def-gated-network`).

    nodes : name -> number of units. edges : name -> (node it leaves, node it enters); several edges may join two nodes.
    Weights are a tuple in the order of the edges, W_q of shape (..., width entered, width left).
    Nodes that no edge enters are the inputs, nodes that no edge leaves are the outputs.
    Raises ValueError for a cycle, for a node without edges, and for more than 4,096 paths.
    Source: Saxe, Sodhani & Lewallen 2022.
    """

    def __init__(self, nodes: Mapping[str, int], edges: Mapping[str, tuple[str, str]]) -> None:
        for name, value in (("nodes", nodes), ("edges", edges)):
            if not isinstance(value, Mapping) or not value or not all(isinstance(key, str) and key for key in value):
                raise ValueError(f"{name} must be a dictionary with names as keys, and not empty, got {value!r}")
        self.nodes = {name: as_count(f"nodes[{name!r}]", width) for name, width in nodes.items()}
        self.edges = {name: self._ends(name, ends) for name, ends in edges.items()}
        left, entered = {a for a, _ in self.edges.values()}, {b for _, b in self.edges.values()}
        alone = [name for name in self.nodes if name not in left | entered]
        if alone:
            raise ValueError(f"no edge leaves or enters {', '.join(map(repr, alone))}; connect the node or leave it out")
        self.order = self._sorted()
        self.inputs = tuple(name for name in self.nodes if name not in entered)
        self.outputs = tuple(name for name in self.nodes if name not in left)
        self.hidden = tuple(name for name in self.nodes if name in left & entered)
        self.steps, self.paths, self.ends = self._walk()

    def __repr__(self) -> str:
        return f"GatedNetwork(nodes={self.nodes}, edges={self.edges})"

    def _ends(self, name: str, ends: tuple[str, str]) -> tuple[str, str]:
        if isinstance(ends, str) or not isinstance(ends, Sequence) or len(ends) != 2:
            raise ValueError(f"edge {name!r} must be a pair (node it leaves, node it enters), got {ends!r}")
        for node in ends:
            if node not in self.nodes:
                raise ValueError(f"edge {name!r} names the node {node!r}, which does not exist; there are {list(self.nodes)}")
        return ends[0], ends[1]

    def _sorted(self) -> tuple[str, ...]:
        """Return the nodes so that every edge goes forward."""
        from graphlib import CycleError, TopologicalSorter

        before: dict[str, set[str]] = {name: set() for name in self.nodes}
        for source, target in self.edges.values():
            before[target].add(source)
        try:
            return tuple(TopologicalSorter(before).static_order())
        except CycleError as error:
            raise ValueError(
                f"the edges go round in a circle, {' -> '.join(error.args[1])}; a gated network is acyclic, unroll the circle"
            ) from None

    def _walk(self) -> tuple[tuple[Step, ...], tuple[Path, ...], tuple[int, ...]]:
        """Return all beginnings of paths, parents first; the paths; and for each path the step at which it ends."""
        leaving: dict[str, list[tuple[int, str, str]]] = {name: [] for name in self.nodes}
        for index, (name, (source, target)) in enumerate(self.edges.items()):
            leaving[source].append((index, name, target))
        steps: list[Step] = []
        found: list[tuple[Path, int]] = []

        def prolong(parent: int, done: tuple[str, ...], source: str, node: str) -> None:
            for index, name, target in leaving[node]:
                steps.append(Step(parent, index))
                here = len(steps) - 1
                if leaving[target]:
                    prolong(here, (*done, name), source, target)
                else:
                    found.append((Path((*done, name), source, target), here))
                    if len(found) > MOST_PATHS:
                        raise ValueError(
                            f"there are more than {MOST_PATHS:,} paths from inputs to outputs; "
                            "join edges that are gated alike into one, or take fewer layers"
                        )

        for node in self.inputs:
            prolong(-1, (), node, node)
        return tuple(steps), tuple(path for path, _ in found), tuple(end for _, end in found)

    @cached_property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Shapes of the weights, in the order of the edges."""
        return tuple((self.nodes[target], self.nodes[source]) for source, target in self.edges.values())

    def fit(self, weights: Sequence[ArrayLike]) -> Weights:
        """Return the weights as float64 arrays, checked against the edges; leading axes are a batch."""
        if isinstance(weights, np.ndarray) or not isinstance(weights, Sequence) or isinstance(weights, str):
            raise ValueError(f"weights must be a tuple of arrays, one for each edge, got {type(weights).__name__}")
        if len(weights) != len(self.edges):
            raise ValueError(f"weights must hold one array for each of the edges {list(self.edges)}, got {len(weights)}")
        layers = tuple(as_array(f"the weight of {name}", W) for name, W in zip(self.edges, weights, strict=True))
        for name, W, shape in zip(self.edges, layers, self.shapes, strict=True):
            if W.shape[-2:] != shape:
                way, wanted = " -> ".join(self.edges[name]), f"(..., {shape[0]}, {shape[1]})"
                raise ValueError(f"the weight of {name}, {way}, must have shape {wanted}, got {W.shape}")
            if W.shape[:-2] != layers[0].shape[:-2]:
                raise ValueError(f"the weight of {name} has batch axes {W.shape[:-2]}, the first {layers[0].shape[:-2]}")
        return layers

    def gaussian(self, scale: float, *, rng: np.random.Generator, batch: tuple[int, ...] = ()) -> Weights:
        """Return weights of independent Gaussian entries with standard deviation `scale`; batch : leading axes."""
        deviation, generator, lead = as_scalar("scale", scale, nonnegative=True), as_rng(rng), as_batch(batch)
        return tuple(deviation * generator.standard_normal((*lead, *shape)) for shape in self.shapes)

    def orthogonal(self, gain: float, *, rng: np.random.Generator, batch: tuple[int, ...] = ()) -> Weights:
        """Return weights with orthonormal rows or columns, uniformly distributed, times `gain`; batch : leading axes."""
        factor, generator, lead = as_scalar("gain", gain), as_rng(rng), as_batch(batch)
        return tuple(factor * orthonormal(m, n, generator, lead) for m, n in self.shapes)

    def path_matrices(self, weights: Sequence[ArrayLike]) -> Weights:
        """Return the product of the weights along each path, (..., width of its target, width of its source)."""
        from dlnlib.gated._engine import beginnings

        with np.errstate(over="ignore", invalid="ignore"):
            products = beginnings(self.fit(weights), self.steps)
        return tuple(finite_result("the product along a path", products[end]) for end in self.ends)

    def imbalance(self, weights: Sequence[ArrayLike], node: str) -> Array:
        """Return sum W^T W over the edges that leave a hidden node minus sum W W^T over those that enter it.

        node : name of a hidden node. Shape (..., width, width). Gradient flow keeps it, whatever the gates
        (`eq-gated-conservation`).
        """
        if node not in self.hidden:
            raise ValueError(f"node must be one of the hidden nodes {list(self.hidden)}, got {node!r}")
        result: Any = 0.0
        with np.errstate(over="ignore", invalid="ignore"):
            for W, (source, target) in zip(self.fit(weights), self.edges.values(), strict=True):
                if source == node:
                    result = result + transpose(W) @ W
                if target == node:
                    result = result - W @ transpose(W)
        return finite_result("the imbalance", np.asarray(result))

    def predict(
        self,
        weights: Sequence[ArrayLike],
        inputs: ArrayLike | Mapping[str, ArrayLike],
        *,
        node_gates: Mapping[str, ArrayLike] | None = None,
        edge_gates: Mapping[str, ArrayLike] | None = None,
    ) -> Array | dict[str, Array]:
        """Return the outputs of samples by a forward pass, node by node; paths are not used.

        inputs : (n, d), or {node: (n, d)} where there are several input nodes. node_gates, edge_gates : as in `task`.
        Returns (..., n, d), or {node: (..., n, d)} where there are several output nodes.
        """
        from dlnlib.gated._samples import as_gates, as_signals

        layers = self.fit(weights)
        X = as_signals("inputs", inputs, self, self.inputs)
        n = len(next(iter(X.values())))
        on_nodes, on_edges = as_gates("node_gates", node_gates, self.nodes, n), as_gates("edge_gates", edge_gates, self.edges, n)
        activity: dict[str, Array] = {}
        with np.errstate(over="ignore", invalid="ignore"):
            for node in self.order:
                total: Any = X.get(node, 0.0)
                for W, (name, (source, target)) in zip(layers, self.edges.items(), strict=True):
                    if target == node:
                        total = total + on_edges[name][:, None] * (activity[source] @ transpose(W))
                activity[node] = on_nodes[node][:, None] * total
        answers = {node: finite_result("the output", activity[node]) for node in self.outputs}
        return answers if len(answers) > 1 else answers[self.outputs[0]]

    def task(
        self,
        inputs: ArrayLike | Mapping[str, ArrayLike],
        outputs: ArrayLike | Mapping[str, ArrayLike],
        *,
        node_gates: Mapping[str, ArrayLike] | None = None,
        edge_gates: Mapping[str, ArrayLike] | None = None,
        sample_weights: ArrayLike | None = None,
    ) -> GatedMoments:
        """Return the pathway-gated moments of data, all that learning sees of them (`def-pathway-moments`).

        inputs, outputs : (n, d) samples along rows, or {node: (n, d)} where there are several such nodes.
        node_gates, edge_gates : name -> (n,), the gate at each sample; 1 where a name is missing. They are data, not learnt.
        sample_weights : (n,), not negative; 1/n each by default, which makes the loss a mean. Ones make it a sum.
        An output that a sample does not ask for: gate its node with 0 there, and give 0 as its target.
        Raises ValueError for gates of the wrong shape, and for samples that no open path reaches.
        """
        from dlnlib.gated._samples import moments_of

        return moments_of(self, inputs, outputs, node_gates, edge_gates, sample_weights)
