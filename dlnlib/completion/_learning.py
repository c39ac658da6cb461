"""Flow and descent of a factorisation W_L ... W_1 on any smooth loss of the product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._linalg import transpose
from dlnlib._unchecked import join, product_of, split
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
    wanted, current = set(kept), layers
    records = [current] if 0 in wanted else []
    with np.errstate(over="ignore", invalid="ignore"):
        for n in range(1, count + 1):
            current = tuple(W - eta * g for W, g in zip(current, _slopes(current, gradient), strict=True))
            if (n % 16 == 0 or n == count or n in wanted) and not all(np.all(np.abs(W) < 1e100) for W in current):
                raise ValueError(f"descent with step {eta:g} diverged within {n} steps; take a smaller step")
            if n in wanted:
                records.append(current)
    stacked = tuple(np.stack([W[i] for W in records]) for i in range(len(layers)))
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
    are refused. A batch shares its steps. Raises ValueError when the flow cannot be followed to the end.
    """
    from scipy.integrate import solve_ivp

    layers, times = as_weights(weights), as_times("t", t, increasing=True)
    relative, absolute = as_scalar("rtol", rtol, positive=True), as_scalar("atol", atol, positive=True)
    budget = as_count("max_evaluations", max_evaluations)
    if method not in ("DOP853", "RK45", "Radau", "LSODA"):
        raise ValueError(f"method must be DOP853, RK45, Radau or LSODA, got {method!r}")
    if relative < 1e-13:
        raise ValueError(f"rtol must be at least 1e-13, what float64 can hold over many steps, got {relative:g}")
    _check_gradient(layers, gradient)
    if times[-1] == 0.0:
        return Path(times, tuple(W[None] for W in layers), "gradient flow")
    batch, shapes = layers[0].shape[:-2], [W.shape[-2:] for W in layers]
    used = 0

    def unpack(flat: Array) -> Weights:
        return split(flat.reshape(*flat.shape[:-1], *batch, -1), shapes)

    def velocity(_: float, state: Array) -> Array:
        nonlocal used
        used += 1
        if used > budget:
            raise ValueError(f"it used {budget:,} evaluations")
        return -join(_slopes(unpack(state), gradient)).ravel()

    start, failed = join(layers).ravel(), f"the flow could not be followed to t = {times[-1]:g}"
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            solution = solve_ivp(
                velocity, (0.0, float(times[-1])), start, method=method, t_eval=times, rtol=relative, atol=absolute
            )
    except (ValueError, np.linalg.LinAlgError) as error:
        raise ValueError(f"{failed} ({error}); try another method or a shorter time") from None
    if not solution.success or not np.all(np.isfinite(solution.y)):
        raise ValueError(f"{failed} ({solution.message.strip()}); try another method or a shorter time")
    return Path(times, unpack(solution.y.T), "gradient flow")


def _slopes(layers: Weights, gradient: Gradient) -> Weights:
    """Return dLoss/dW_l for every layer, by prefix products and the signal that comes back."""
    below = list(accumulate(layers, lambda lower, W: W @ lower))
    signal, result = gradient(below[-1]), []
    for i in range(len(layers) - 1, 0, -1):
        result.append(signal @ transpose(below[i - 1]))
        signal = transpose(layers[i]) @ signal
    result.append(signal)
    return tuple(reversed(result))


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
