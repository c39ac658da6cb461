"""One orthonormal frame at every input and output node in which all moments of a gated task are diagonal, if there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dlnlib._linalg import TINY
from dlnlib._validate import Array
from dlnlib.gated._moments import GatedMoments

_NEGLIGIBLE = 1e-10  # of the largest: a moment or a direction below this is rounding


@dataclass(frozen=True, eq=False)
class Family:
    """The moments of a task, each once. yx : (path, matrix). xx : (path j, path p, matrix), for j <= p with one output."""

    task: GatedMoments
    yx: tuple[tuple[int, Array], ...]
    xx: tuple[tuple[int, int, Array], ...]

    @classmethod
    def of(cls, task: GatedMoments) -> Family:
        """Return the moments of a task."""
        pairs = [(j, p) for out in task.outputs for j in out.paths for p in out.paths if j <= p]
        yx = tuple((p, task.yx(p)) for p in range(len(task.network.paths)))
        return cls(task, yx, tuple((j, p, task.xx(j, p)) for j, p in pairs))

    @property
    def blocks(self) -> list[tuple[str, str, Array]]:
        """All moments as (node of the rows, node of the columns, matrix divided by the largest of its kind)."""
        paths = self.task.network.paths
        large_yx, large_xx = self._sizes()
        found = [(paths[p].target, paths[p].source, A / large_yx) for p, A in self.yx]
        return found + [(paths[j].source, paths[p].source, A / large_xx) for j, p, A in self.xx]

    def _sizes(self) -> tuple[float, float]:
        return (
            max(max(float(np.linalg.norm(A)) for *_, A in self.yx), TINY),
            max(max(float(np.linalg.norm(A)) for *_, A in self.xx), TINY),
        )

    def diagonals(self, frames: Mapping[str, Array], count: int) -> tuple[Array, Array]:
        """Return s (P, K) and d (P, P, K), the diagonals of all moments in the frames."""
        paths = self.task.network.paths
        s, d = np.zeros((len(paths), count)), np.zeros((len(paths), len(paths), count))
        for p, A in self.yx:
            s[p] = np.einsum("ik,ij,jk->k", frames[paths[p].target], A, frames[paths[p].source])
        for j, p, A in self.xx:
            d[j, p] = d[p, j] = np.einsum("ik,ij,jk->k", frames[paths[j].source], A, frames[paths[p].source])
        return s, d

    def defect(self, frames: Mapping[str, Array]) -> tuple[float, str]:
        """Return the largest part of a moment outside its diagonal, relative to the largest of its kind, and its name."""
        paths = self.task.network.paths
        large_yx, large_xx = self._sizes()
        names = [f"Sigma_yx of {' -> '.join(paths[p].edges)}" for p, _ in self.yx]
        names += [f"Sigma_x of {' -> '.join(paths[j].edges)} and {' -> '.join(paths[p].edges)}" for j, p, _ in self.xx]
        ends = [(paths[p].target, paths[p].source, A, large_yx) for p, A in self.yx]
        ends += [(paths[j].source, paths[p].source, A, large_xx) for j, p, A in self.xx]
        left = []
        for a, b, A, large in ends:
            inner = frames[a].T @ A @ frames[b]
            outside = A - (frames[a] * np.diagonal(inner)) @ frames[b].T
            left.append(float(np.linalg.norm(outside)) / large)
        worst = int(np.argmax(left))
        return left[worst], names[worst]


def shared_frames(family: Family) -> tuple[dict[str, Array], int]:
    """Return {input or output node: (width, K)} and K; columns are orthonormal, or zero where a mode has no part.

    Put all moments, each times a generic number, into one symmetric matrix B over all nodes. If frames exist, B splits
    into one small matrix for each mode, and the block (v, r) of every function f(B) is F_v times a diagonal times F_r^T.
    So the eigenvectors of the block (r, r) are the frame at r, and the other blocks carry it to every node that the modes
    reach. What they do not reach is taken out, and the rest is treated in the same way.
    """
    network = family.task.network
    nodes = [*network.inputs, *network.outputs]
    ends = np.cumsum([0, *(network.nodes[node] for node in nodes)])
    places = {node: slice(ends[i], ends[i + 1]) for i, node in enumerate(nodes)}
    B = np.zeros((ends[-1], ends[-1]))
    # Generic numbers between 1 and 2, so that no two modes agree in B that do not agree in every moment.
    for k, (a, b, A) in enumerate(family.blocks):
        part = (1 + np.sqrt(2) * (k + 1) % 1.0) * A
        B[places[a], places[b]] += part
        B[places[b], places[a]] += part.T
    found: dict[str, list[Array]] = {node: [] for node in nodes}
    largest = max(float(np.linalg.norm(B, 2)), TINY)
    rest = B
    while float(np.linalg.norm(rest, 2)) > _NEGLIGIBLE * largest:
        columns = _carried(rest, places)
        for node in nodes:
            found[node].append(columns[places[node]])
        rest = _without(B, {node: np.concatenate(found[node], axis=1) for node in nodes}, places)
    empty = {node: np.zeros((network.nodes[node], 0)) for node in nodes}
    frames = {node: np.concatenate([empty[node], *found[node]], axis=1) for node in nodes}
    return frames, next(iter(frames.values())).shape[1]


def _carried(B: Array, places: Mapping[str, slice]) -> Array:
    """Return the frame of the node with the largest block, carried to all nodes: (all units, modes), columns of length 1 or 0."""
    values, vectors = np.linalg.eigh(B)
    # A function with a long memory, so that what is many moments away is still reached with all digits.
    f = (vectors * (values / (1.05 * np.abs(values).max() - values))) @ vectors.T
    reference = max(places.values(), key=lambda place: float(np.linalg.norm(f[place, place])))
    inner, frame = np.linalg.eigh(f[reference, reference])
    frame = frame[:, np.abs(inner) > _NEGLIGIBLE * np.abs(inner).max()]
    columns = f[:, reference] @ frame
    columns[reference] = frame
    for place in places.values():
        lengths = np.linalg.norm(columns[place], axis=0)
        reached = lengths > _NEGLIGIBLE
        columns[place] = np.where(reached, columns[place] / np.where(reached, lengths, 1.0), 0.0)
    return columns


def _without(B: Array, frames: Mapping[str, Array], places: Mapping[str, slice]) -> Array:
    """Return B with the directions of the frames taken out at every node."""
    keep = np.eye(len(B))
    for node, place in places.items():
        # In a family without shared frames the columns need not be orthogonal.
        Q, sizes, _ = np.linalg.svd(frames[node], full_matrices=False)
        Q = Q[:, sizes > _NEGLIGIBLE]
        keep[place, place] -= Q @ Q.T
    return np.asarray(keep @ B @ keep)
