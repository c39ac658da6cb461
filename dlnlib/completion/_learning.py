"""Flow and descent of a factorisation W_L ... W_1 on any smooth loss of the product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._flow import Slopes, as_accuracy, descend, integrate, unpacker
from dlnlib._unchecked import back_through, product_of
from dlnlib._validate import Array, Weights, as_count, as_scalar, as_steps, as_times, as_weights

__all__ = ["Path", "factorised_descent", "factorised_flow"]

Gradient = Callable[[Array], Array]


@dataclass(frozen=True, eq=False)
class Path:
    """A path of weights in time. t : (n_t,). weights : layers (n_t, ..., d_l, d_{l-1}). source : what made it."""

    t: Array
    weights: Weights
    source: str

    @cached_property
    def product(self) -> Array:
        """End-to-end matrices, (n_t, ..., d_L, d_0)."""
        return product_of(self.weights)

    @property
    def final(self) -> Weights:
        """Weights at the last time."""
        return tuple(W[-1] for W in self.weights)


def factorised_descent(
    weights: Sequence[ArrayLike],
    gradient: Gradient,
    step: float,
    n_steps: int,
    *,
    record: int | Sequence[int] = 1,
) -> Path:
    """Run gradient descent on the layers of a product, for any loss of it (`def-factorised-flow`).

    weights : layers (..., d_l, d_{l-1}), leading axes a batch. gradient : W (..., d_L, d_0) -> dLoss/dW of the same
    shape, for example `Completion.gradient`. step : eta. n_steps : from 0. record : keep every `record`-th step (first
    and last always), or the listed ones. Raises ValueError when the weights run away; take a smaller step then.
    """
    layers = as_weights(weights)
    eta, count = as_scalar("step", step, positive=True), as_count("n_steps", n_steps, minimum=0)
    kept = as_steps(record, count)
    _check_gradient(layers, gradient)

    def escaped(current: Weights) -> bool:
        return not all(np.all(np.abs(W) < 1e100) for W in current)

    def error(n: int) -> ValueError:
        return ValueError(f"descent with step {eta:g} diverged within {n} steps; take a smaller step")

    stacked = descend(layers, _slopes(gradient), eta, count, kept, escaped, error, every=1)
    return Path(eta * np.array(kept, dtype=float), stacked, "gradient descent")


def factorised_flow(
    weights: Sequence[ArrayLike],
    gradient: Gradient,
    t: ArrayLike,
    *,
    rtol: float = 1e-10,
    atol: float = 1e-14,
    method: str = "DOP853",
    max_evaluations: int = 100_000,
) -> Path:
    """Integrate dW_l/dt = -dLoss/dW_l for any loss of the product, from time 0 (`def-factorised-flow`).

    weights, gradient : as in `factorised_descent`. t : (n_t,) increasing, units of tau. rtol, atol : local error allowed.
    method : "DOP853", "RK45", or "Radau" and "LSODA" where the flow is stiff. max_evaluations : of the gradient; more
    are refused. Each member of a batch keeps the bounds. Raises ValueError when the flow cannot be followed to the end.
    """
    layers, times = as_weights(weights), as_times("t", t, increasing=True)
    accuracy = as_accuracy(rtol, atol, method, max_evaluations)
    _check_gradient(layers, gradient)
    if times[-1] == 0.0:
        return Path(times, tuple(W[None] for W in layers), "gradient flow")
    solution = integrate(layers, _slopes(gradient), times, accuracy, "try another method or a shorter time")
    return Path(times, unpacker(layers)(solution.y.T), "gradient flow")


def _slopes(gradient: Gradient) -> Slopes:
    return lambda layers: back_through(layers, gradient)


def _check_gradient(layers: Weights, gradient: Gradient) -> None:
    """Refuse what is no function of the product, or does not return a finite array of its shape."""
    if not callable(gradient):
        raise ValueError(f"gradient must be a function of the product W, got {type(gradient).__name__}")
    with np.errstate(over="ignore", invalid="ignore"):
        W = product_of(layers)
        if not np.all(np.isfinite(W)):
            raise ValueError("the product of the layers overflows float64; rescale the weights")
        G = gradient(W)
    if not isinstance(G, np.ndarray) or G.shape != W.shape or not np.all(np.isfinite(G)):
        raise ValueError(f"gradient must return a finite array of the shape {W.shape} of the product")
