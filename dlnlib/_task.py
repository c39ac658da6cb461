"""What can be learnt: anything that tells the loss, the slope and the curvature of a tuple of layers.

`Moments` describe the task of a chain of layers. Other networks bring tasks of their own, and the solvers take them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._reduce import Expand, reduce_outputs
from dlnlib._unchecked import chain_curvature, layer_gradients, loss_of_product, product_of
from dlnlib._validate import Array, Weights, as_moments, as_weights
from dlnlib.moments import Moments

__all__ = ["Task", "as_task"]


@runtime_checkable
class Task(Protocol):
    """A problem that layers learn. All but `fit` trust their arguments, and let what overflows be infinite."""

    @property
    def zero_loss(self) -> float:
        """Loss of a network that answers zero to everything."""

    @property
    def scale(self) -> float:
        """A rate of the data, the largest of their correlations or variances: learning takes some multiples of its inverse."""

    def fit(self, weights: Sequence[ArrayLike]) -> Weights:
        """Return the layers checked against the task; ValueError names the one that does not fit."""

    def loss_of(self, layers: Weights) -> Array:
        """Return the loss of every network of the batch."""

    def slopes_of(self, layers: Weights) -> Weights:
        """Return dLoss/dW for every layer."""

    def curvature_of(self, layers: Weights, direction: Weights) -> Weights:
        """Return the Hessian of the loss applied to a direction, whose batch axes may be more than the layers'."""

    def reduced(self, layers: Weights) -> tuple[Weights, Task, Expand]:
        """Return smaller layers and task with the same flow, and the way back; unchanged where there is no shortcut."""


class _Chain:
    """The task of a chain W_L ... W_1, which moments describe."""

    def __init__(self, moments: Moments) -> None:
        self.moments = moments

    @property
    def zero_loss(self) -> float:
        return 0.5 * self.moments.yy_trace

    @property
    def scale(self) -> float:
        return max(float(np.linalg.norm(self.moments.yx, 2)), float(self.moments.input_eigenvalues[0]))

    def fit(self, weights: Sequence[ArrayLike]) -> Weights:
        return as_weights(weights, self.moments)

    def loss_of(self, layers: Weights) -> Array:
        return loss_of_product(product_of(layers), self.moments)

    def slopes_of(self, layers: Weights) -> Weights:
        return layer_gradients(layers, self.moments)

    def curvature_of(self, layers: Weights, direction: Weights) -> Weights:
        return chain_curvature(layers, self.moments, direction)

    def reduced(self, layers: Weights) -> tuple[Weights, Task, Expand]:
        small, moments, expand = reduce_outputs(layers, self.moments)
        return small, _Chain(moments), expand


def as_task(moments: Any) -> Task:
    """Return what the solvers need to know of moments, or of another kind of task."""
    if isinstance(moments, Task):
        return moments
    return _Chain(as_moments(moments))
