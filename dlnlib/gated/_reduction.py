"""The neural race reduction: when the modes of a gated task learn independently, and the reduced network that they follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._linalg import EPS, orthonormal
from dlnlib._validate import Array, Weights, as_array, as_rng, as_scalar
from dlnlib.gated import _engine as engine
from dlnlib.gated._frames import Family, shared_frames
from dlnlib.gated._graph import GatedNetwork
from dlnlib.gated._moments import GatedMoments

__all__ = ["Reduction", "reduce"]


@dataclass(frozen=True, eq=False)
class Reduction:
    """The modes of a gated task and the network that remains for each of them (`eq-reduction`).

    full : the task that was reduced. frames : input or output node -> (width, K), a column for each mode; columns are
    orthonormal, and zero for a mode that the node has no part in. s : (P, K), strength of each mode in Sigma_yx(p).
    d : (P, P, K), in Sigma_x(j, p); zero for paths to different outputs. defect : the largest part of a moment, relative
    to the largest moment of its kind, that is not diagonal in the frames; rounding where the reduction is exact.
    worst : the moment in words. task : the moments of the reduced network, in which every node has one unit a mode.
    """

    full: GatedMoments
    frames: Mapping[str, Array]
    s: Array
    d: Array
    defect: float
    worst: str
    task: GatedMoments

    @property
    def modes(self) -> int:
        """Number K of modes that some path is driven to learn."""
        return self.s.shape[1]

    def layers(self, b: ArrayLike | Sequence[ArrayLike]) -> Weights:
        """Return strengths as weights of the reduced network, one (..., K, K) diagonal matrix an edge.

        b : one number, or array (..., K), for all edges, or a tuple with one of these for each edge. A strength is set to
        zero where the edge touches an input or output that has no part in the mode.
        """
        eye = np.eye(self.modes)
        return tuple(part[..., None] * eye for part in self._strengths(b))

    def strengths(self, layers: Sequence[ArrayLike]) -> tuple[Array, ...]:
        """Return the strengths (..., K) of every edge, the diagonals of layers of the reduced network; undoes `layers`."""
        return tuple(np.diagonal(W, axis1=-2, axis2=-1).copy() for W in self.task.fit(layers))

    def decoupled(self, b: ArrayLike | Sequence[ArrayLike], *, rng: np.random.Generator) -> Weights:
        """Return weights of the full network in which every mode stands by itself, W_q = R_t diag(b_q) R_s^T.

        b : as in `layers`. R is the node's frame at inputs and outputs, and random at hidden nodes (`def-decoupled-gated`).
        Raises ValueError when a hidden node has fewer units than there are modes.
        """
        network, generator = self.full.network, as_rng(rng)
        strengths = self._strengths(b)
        frames = dict(self.frames)
        for node in network.hidden:
            if network.nodes[node] < self.modes:
                raise ValueError(f"{self.modes} modes need as many units at every node, {node!r} has {network.nodes[node]}")
            frames[node] = orthonormal(network.nodes[node], self.modes, generator)
        ends = network.edges.values()
        return tuple((frames[to] * part[..., None, :]) @ frames[at].T for part, (at, to) in zip(strengths, ends, strict=True))

    def path_strengths(self, weights: Sequence[ArrayLike]) -> Array:
        """Return the strength of every mode in every path, (..., P, K), for weights of the full network."""
        network = self.full.network
        found = [
            np.einsum("ik,...ij,jk->...k", self.frames[path.target], W, self.frames[path.source])
            for path, W in zip(network.paths, network.path_matrices(weights), strict=True)
        ]
        return np.stack(found, axis=-2)

    def _strengths(self, b: ArrayLike | Sequence[ArrayLike]) -> tuple[Array, ...]:
        edges = list(self.full.network.edges)
        parts: list[Any] = list(b) if isinstance(b, Sequence) else [b] * len(edges)
        if len(parts) != len(edges):
            raise ValueError(f"b, given as a tuple, must hold one entry for each of the edges {edges}, got {len(parts)}")
        arrays = [as_array(f"b of {name}", part) for name, part in zip(edges, parts, strict=True)]
        for name, part in zip(edges, arrays, strict=True):
            if part.ndim and part.shape[-1] != self.modes:
                raise ValueError(f"b of {name} must be a number or end with an axis of {self.modes} modes, got {part.shape}")
        lead = np.broadcast_shapes(*(part.shape[:-1] for part in arrays))
        ends = self.full.network.edges.values()
        return tuple(
            np.broadcast_to(part, (*lead, self.modes)) * self._part(at) * self._part(to)
            for part, (at, to) in zip(arrays, ends, strict=True)
        )

    def _part(self, node: str) -> Array:
        """Return 1 for each mode that the node takes part in, and 0 for the others, (K,)."""
        return np.linalg.norm(self.frames[node], axis=0).round() if node in self.frames else np.ones(self.modes)


def reduce(task: GatedMoments, *, tol: float = 1e-9, force: bool = False) -> Reduction:
    """Return the reduction of a task to one scalar network a mode, if all its moments are diagonal in shared frames.

    task : `GatedMoments`. tol : the largest defect that is taken for rounding. force : return the reduction of a task
    that fails the test, so that its error can be seen.
    The test looks for one orthonormal frame at each input and output node such that all Sigma_yx(p) and Sigma_x(j, p)
    are diagonal (`def-shared-frames`). Found frames prove that they exist; the defect of a task without any is the one of
    the frames that were found, which need not be the best.
    From a decoupled start the full flow is then the reduced one; from another start it is not, however small the defect.
    Raises ValueError with the defect and the worst moment when the task fails. Source: Saxe, Sodhani & Lewallen 2022.
    """
    if not isinstance(task, GatedMoments):
        raise ValueError(f"task must be GatedMoments, made by GatedNetwork.task, got {type(task).__name__}")
    allowed = as_scalar("tol", tol, nonnegative=True)
    family = Family.of(task)
    frames, count = shared_frames(family)
    defect, worst = family.defect(frames)
    if defect > allowed and not force:
        raise ValueError(
            f"the moments share no frames: {worst} keeps {defect:.2g} of the largest such moment off its diagonal "
            f"(allowed {allowed:g}), so that the modes do not learn independently; "
            "pass force=True to reduce anyway and compare with the full flow"
        )
    s, d = family.diagonals(frames, count)
    driven = np.max(np.abs(s), axis=0, initial=0.0) > 1e3 * EPS * np.abs(s).max(initial=0.0)
    if not np.any(driven):
        raise ValueError("no path is driven: Sigma_yx is zero for every path, so there is nothing to learn")
    order = np.flatnonzero(driven)[np.argsort(-np.sum(s[:, driven] ** 2, axis=0), kind="stable")]
    kept = {node: frame[:, order] for node, frame in frames.items()}
    s, d = s[:, order], d[:, :, order]
    return Reduction(task, kept, s, d, defect, worst, _reduced_task(task, s, d))


def _reduced_task(task: GatedMoments, s: Array, d: Array) -> GatedMoments:
    """Return the same graph with one unit a mode at every node, and diagonal moments."""
    graph, K = task.network, int(s.shape[1])
    small = GatedNetwork(dict.fromkeys(graph.nodes, K), graph.edges)
    outputs = []
    for out in task.outputs:
        columns = {p: slice(i * K, (i + 1) * K) for i, p in enumerate(out.paths)}
        yz, zz = np.zeros((K, K * len(columns))), np.zeros((K * len(columns), K * len(columns)))
        for p, block in columns.items():
            yz[:, block] = np.diag(s[p])
            for j, rows in columns.items():
                zz[rows, block] = np.diag(d[j, p])
        outputs.append(engine.Output(out.node, yz, zz, out.paths, out.ends, tuple(columns.values())))
    return GatedMoments(small, tuple(outputs), task.yy_trace)
