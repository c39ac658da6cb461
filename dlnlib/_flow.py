"""Flow and descent of a product's layers, whatever the loss: what `simulate` and `completion` have in common.

A loss enters as `slopes`, the function from layers to the gradients of the layers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._reduce import Expand
from dlnlib._unchecked import join, split
from dlnlib._validate import Array, Weights, as_count, as_scalar

METHODS = ("DOP853", "RK45", "Radau", "LSODA")
Slopes = Callable[[Weights], Weights]


class Accuracy(NamedTuple):
    """How to integrate: errors allowed a step, method, and how many evaluations of the gradient at most."""

    rtol: float
    atol: float
    method: str
    budget: int


def as_accuracy(rtol: float, atol: float, method: str, max_evaluations: int) -> Accuracy:
    """Return the checked settings of an integration; ValueError names the one that does not fit."""
    relative = as_scalar("rtol", rtol, positive=True)
    absolute = as_scalar("atol", atol, positive=True)
    if relative < 1e-13:
        raise ValueError(f"rtol must be at least 1e-13, what float64 can hold over many steps, got {relative:g}")
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    return Accuracy(relative, absolute, method, as_count("max_evaluations", max_evaluations))


def unpacker(layers: Weights, expand: Expand = lambda weights: weights) -> Callable[[Array], Weights]:
    """Return the function that turns states (n_t, n) into layers (n_t, ..., d_l, d_{l-1})."""
    batch, shapes = layers[0].shape[:-2], [W.shape[-2:] for W in layers]

    def unpack(states: ArrayLike) -> Weights:
        flat = np.asarray(states)
        return expand(split(flat.reshape(len(flat), *batch, -1), shapes))

    return unpack


class _TooLong(Exception):
    """The integrator has used up its evaluations."""


def integrate(layers: Weights, slopes: Slopes, times: Array, accuracy: Accuracy, advice: str) -> Any:
    """Return scipy's solution of dW_l/dt = -slopes from time 0, dense, states as `join` makes them.

    advice : what to do, the end of the ValueError that is raised when the flow cannot be followed to the end.
    """
    from scipy.integrate import solve_ivp

    unpack = unpacker(layers)
    members = max(int(np.prod(layers[0].shape[:-2])), 1)
    # solve_ivp bounds the root mean square over the whole state. Dividing by sqrt(members) makes the bound hold for
    # every member of the batch by itself, however uneven the members are.
    tighten = np.sqrt(members)
    evaluations, reached = 0, 0.0

    def velocity(now: float, state: Array) -> Array:
        nonlocal evaluations, reached
        evaluations, reached = evaluations + 1, float(now)
        if evaluations > accuracy.budget:
            raise _TooLong
        current = tuple(W[0] for W in unpack(state[None]))
        return -join(slopes(current)).ravel()

    try:
        with np.errstate(over="ignore", invalid="ignore"):
            solution = solve_ivp(
                velocity,
                (0.0, float(times[-1])),
                join(layers).ravel(),
                method=accuracy.method,
                t_eval=times,
                dense_output=True,
                rtol=max(accuracy.rtol / tighten, 3e-14),
                atol=accuracy.atol / tighten,
            )
    except _TooLong:
        raise ValueError(
            f"gradient flow used {accuracy.budget:,} evaluations and reached only t = {reached:g} of {times[-1]:g}; {advice}"
        ) from None
    except (ValueError, np.linalg.LinAlgError) as error:  # an implicit method met numbers beyond float64
        raise ValueError(f"gradient flow could not be integrated to t = {times[-1]:g} ({error}); {advice}") from None
    if not solution.success or not np.all(np.isfinite(solution.y)):
        raise ValueError(f"gradient flow could not be integrated to t = {times[-1]:g} ({solution.message.strip()}); {advice}")
    return solution


def step_down(layers: Weights, slopes: Slopes, eta: float | Array) -> Weights:
    """Return the layers after one step of descent; eta may be an array that broadcasts with every layer."""
    return tuple(W - eta * g for W, g in zip(layers, slopes(layers), strict=True))


def descend(
    layers: Weights,
    slopes: Slopes,
    eta: float,
    n_steps: int,
    kept: Sequence[int],
    escaped: Callable[[Weights], bool],
    error: Callable[[int], Exception],
    every: int = 16,
) -> Weights:
    """Return the layers at the steps `kept`, stacked; raise `error(n)` when they have `escaped`.

    every : so many steps pass between two questions whether they have; 1 where the slopes refuse what overflowed.
    """
    wanted, current = set(kept), layers
    records = [current] if 0 in wanted else []
    with np.errstate(over="ignore", invalid="ignore"):
        for n in range(1, n_steps + 1):
            current = step_down(current, slopes, eta)
            if n in wanted:
                records.append(current)
            if (n % every == 0 or n == n_steps) and escaped(current):
                raise error(n)
    return tuple(np.stack([W[i] for W in records]) for i in range(len(layers)))
