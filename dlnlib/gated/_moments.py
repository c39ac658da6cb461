"""What a gated network sees of its data: the moments of every path, and of every pair of paths to one output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._reduce import Expand
from dlnlib._validate import Array, Weights
from dlnlib.gated import _engine as engine
from dlnlib.gated._graph import GatedNetwork, Path

__all__ = ["GatedMoments"]


@dataclass(frozen=True, eq=False)
class GatedMoments:
    """The pathway-gated moments of data (`def-pathway-moments`); made by `GatedNetwork.task`.

    It stands where a chain has its `Moments`: `dlnlib.loss`, `gradients`, `gradient_flow`, `gradient_descent` and
    `hessian` take it, with weights in the order of the edges. The number of samples does not enter any more.
    network : the graph. outputs : for each output node what it sees, in the order of `network.outputs`.
    yy_trace : E of the squared length of all outputs.
    """

    network: GatedNetwork
    outputs: tuple[engine.Output, ...]
    yy_trace: float

    def yx(self, path: int | Path) -> Array:
        """Return Sigma_yx(p) = E[g_p y x^T], (width of the path's target, width of its source)."""
        output, block = self._place(path)
        return output.yz[:, block]

    def xx(self, first: int | Path, second: int | Path) -> Array:
        """Return Sigma_x(j, p) = E[g_j g_p x x^T] of two paths to one output, (width of j's source, width of p's source)."""
        output, rows = self._place(first)
        other, columns = self._place(second)
        if output is not other:
            raise ValueError(f"paths to different outputs, {output.node!r} and {other.node!r}, share no moment")
        return output.zz[rows, columns]

    def _place(self, path: int | Path) -> tuple[engine.Output, slice]:
        paths = self.network.paths
        index = paths.index(path) if isinstance(path, Path) and path in paths else path
        if not isinstance(index, (int, np.integer)) or isinstance(index, bool) or not -len(paths) <= index < len(paths):
            raise ValueError(f"path must be a path of the network or its index, 0 to {len(paths) - 1}, got {path!r}")
        return self._places[int(index) % len(paths)]

    @cached_property
    def _places(self) -> dict[int, tuple[engine.Output, slice]]:
        return {p: (output, block) for output in self.outputs for p, block in zip(output.paths, output.blocks, strict=True)}

    # What the solvers ask of a task.

    @property
    def zero_loss(self) -> float:
        """Loss of a network that answers zero to everything."""
        return 0.5 * self.yy_trace

    @property
    def scale(self) -> float:
        """Largest rate of the data: singular values of E[y z^T], eigenvalues of E[z z^T]."""
        return max(max(float(np.linalg.norm(out.yz, 2)), float(np.linalg.norm(out.zz, 2))) for out in self.outputs)

    def fit(self, weights: Sequence[ArrayLike]) -> Weights:
        """Return the weights checked against the edges of the network."""
        return self.network.fit(weights)

    def loss_of(self, layers: Weights) -> Array:
        """Return the loss of every network of the batch."""
        return engine.loss(layers, self.network.steps, self.outputs, self.yy_trace)

    def slopes_of(self, layers: Weights) -> Weights:
        """Return dLoss/dW of every edge (`eq-gated-gradient`)."""
        return engine.slopes(layers, self.network.steps, self.outputs)

    def curvature_of(self, layers: Weights, direction: Weights) -> Weights:
        """Return the Hessian of the loss applied to a direction."""
        return engine.curvature(layers, self.network.steps, self.outputs, direction)

    def reduced(self, layers: Weights) -> tuple[Weights, GatedMoments, Expand]:
        """Return layers and task as they are: there is no shortcut for a graph."""
        return layers, self, lambda weights: weights
