"""What a solver returns, simulated or exact: times, weights at those times, and what produced them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from numpy.typing import ArrayLike

from dlnlib._task import Task, as_task
from dlnlib._unchecked import product_of, strengths_of_product
from dlnlib._validate import Array, Weights, as_array, as_modes, as_times
from dlnlib.moments import Modes, Moments

__all__ = ["Trajectory"]


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A path of weights in time; simulated and exact solutions are the same type.

    t : (n_t,) in units of tau = 1/eta (gradient descent: t = eta * step).
    weights : tuple of arrays (n_t, ..., d_l, d_{l-1}); the first axis is time, then the batch axes.
    moments : what was learnt, of a chain of layers its moments.
    source : "gradient flow", "gradient descent" or the name of the closed form.
    settings : what the solver was given.
    dense : t -> weights between the recorded times, where the solver has it.
    """

    t: Array
    weights: Weights
    moments: Moments | Task
    source: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    dense: Callable[[Array], Weights] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for W in self.weights:
            if W.shape[0] != len(self.t):
                raise ValueError(f"every layer needs one entry for each of the {len(self.t)} times, got {W.shape}")

    def __len__(self) -> int:
        return len(self.t)

    @cached_property
    def product(self) -> Array:
        """End-to-end matrices, (n_t, ..., d_out, d_in), of a chain of layers."""
        self._chain()
        return product_of(self.weights)

    @cached_property
    def loss(self) -> Array:
        """Loss at each time, (n_t, ...)."""
        return as_task(self.moments).loss_of(self.weights)

    @property
    def final(self) -> Weights:
        """Weights at the last time."""
        return tuple(W[-1] for W in self.weights)

    def strengths(self, modes: Modes | None = None) -> Array:
        """Return the mode strengths u_k = U_k^T W V_k, (n_t, ..., r) (`def-strength`); modes of yx by default."""
        task = self._chain()
        chosen = task.modes() if modes is None else as_modes(modes, d_in=task.d_in, d_out=task.d_out)
        return strengths_of_product(self.product, chosen)

    def _chain(self) -> Moments:
        if not isinstance(self.moments, Moments):
            raise ValueError(
                "this network is no chain of layers, so it has no end-to-end matrix; use its own methods, such as path_matrices"
            )
        return self.moments

    def at(self, t: ArrayLike) -> Weights:
        """Return the weights at one time or at several, from the solver's own interpolant.

        t : scalar or (m,), within the simulated span. Gives arrays (..., d_l, d_{l-1}), with a leading m for several.
        """
        if self.dense is None:
            raise ValueError(f"a trajectory by {self.source} has no values between its recorded times; use .weights")
        times = as_times("t", t)
        low, high = float(self.settings.get("t_start", self.t[0])), float(self.t[-1])
        if times.min() < low or times.max() > high:
            raise ValueError(f"t must lie between {low:g} and {high:g}, the span that was simulated")
        layers = self.dense(times)
        return tuple(W[0] for W in layers) if as_array("t", t).ndim == 0 else layers

    def select(self, index: Any) -> Trajectory:
        """Return the trajectory of one member (or a slice) of the first batch axis."""
        if self.weights[0].ndim < 4:
            raise ValueError("select needs a batch axis, and these weights have none")
        try:
            chosen = tuple(W[:, index] for W in self.weights)
        except IndexError as error:
            raise ValueError(f"index {index!r} does not fit the batch axis: {error}") from None
        dense = self.dense
        part = None if dense is None else (lambda t: tuple(W[:, index] for W in dense(t)))
        return Trajectory(self.t, chosen, self.moments, self.source, self.settings, part)
