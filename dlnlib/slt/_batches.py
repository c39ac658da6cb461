"""Mini-batches of samples, and how much their noise heats a chain."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._linalg import transpose
from dlnlib._unchecked import members
from dlnlib._validate import Array, Weights, as_array, as_count, finite_result
from dlnlib.moments import Moments
from dlnlib.slt._posterior import Posterior
from dlnlib.slt._potential import Batch

__all__: list[str] = []


@dataclass(frozen=True, eq=False)
class Batches:
    X: Array
    Y: Array
    size: int

    def draw(self, chains: int, rng: np.random.Generator) -> Batch:
        """Return the moments of a batch for every chain, drawn with replacement."""
        rows = rng.integers(len(self.X), size=(chains, self.size))
        X, Y = self.X[rows], self.Y[rows]
        return Batch(transpose(X) @ X / self.size, transpose(Y) @ X / self.size)

    def heat(self, posterior: Posterior, chains: Weights, step: float) -> float:
        """Return step/8 times the trace of the covariance of the noise, mean over where the chains are (`eq-batch-noise`)."""
        spread = float(np.mean([self._spread(layers) for layers in members(chains)]))
        heat = step / 8 * posterior.n_beta**2 * spread / self.size
        return float(finite_result("the noise of the mini-batches", np.asarray(heat)))

    def _spread(self, layers: Weights) -> float:
        """Return the trace of the covariance of the gradients of single samples."""
        X = self.X
        below = [X, *(X @ transpose(P) for P in accumulate(layers, lambda P, W: W @ P))]
        signal = below[-1] - self.Y
        square = 0.0
        for i in range(len(layers) - 1, -1, -1):
            each = np.sum(signal**2, axis=1) * np.sum(below[i] ** 2, axis=1)
            square += float(each.mean() - np.sum((transpose(signal) @ below[i] / len(X)) ** 2))
            signal = signal @ layers[i]
        return square


def as_batches(posterior: Posterior, data: tuple[ArrayLike, ArrayLike] | None, batch_size: int | None) -> Batches | None:
    if (data is None) != (batch_size is None):
        raise ValueError("give data and batch_size together, or neither for steps that see all samples")
    if data is None or batch_size is None:
        return None
    try:
        X, Y = data
    except (TypeError, ValueError):
        raise ValueError(f"data must be a pair (X, Y), got {type(data).__name__}") from None
    inputs, outputs = as_array("X", X, ndim=2), as_array("Y", Y, ndim=2)
    own = Moments.from_data(inputs, outputs, full_yy=False)
    size = as_count("batch_size", batch_size)
    same = own.xx.shape == posterior.moments.xx.shape and own.yx.shape == posterior.moments.yx.shape
    if not same or not all(
        np.allclose(a, b, rtol=1e-6, atol=1e-9 * max(np.abs(a).max(), 1e-300))
        for a, b in ((own.xx, posterior.moments.xx), (own.yx, posterior.moments.yx))
    ):
        raise ValueError("the posterior's moments are not those of data; make it with Moments.from_data(X, Y)")
    return Batches(inputs, outputs, size)
