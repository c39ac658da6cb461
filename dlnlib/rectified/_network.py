"""Networks of rectified linear units: their gates, loss and gradients, with gates of their own or gates that are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._linalg import transpose
from dlnlib._validate import Array, Weights, as_array, as_count, as_scalar, as_steps, as_weights, finite_result

__all__ = ["Run", "gates", "gradient_descent", "gradients", "loss", "predict"]

Gates = tuple[Array, ...]


@dataclass(frozen=True, eq=False)
class Run:
    """A descent of a rectified network, or of the same network with given gates.

    t : (n_t,) recorded times, step size times number of steps. weights : layers (n_t, ..., d_l, d_{l-1}).
    loss : (n_t, ...). history : (n_steps + 1, ...), the loss at every step, recorded or not.
    X : the inputs, of which `gates` says who is active at the recorded times.
    """

    t: Array
    weights: Weights
    loss: Array
    history: Array
    X: Array

    @property
    def final(self) -> Weights:
        """Weights at the last time."""
        return tuple(W[-1] for W in self.weights)

    @cached_property
    def gates(self) -> Gates:
        """Gates of each hidden layer at the recorded times, (n_t, ..., n, d_l) of zeros and ones."""
        return _forward(self.weights, self.X, None)[1]


def gates(weights: Sequence[ArrayLike], X: ArrayLike) -> Gates:
    """Return which units are active on which samples, one array (..., n, d_l) of zeros and ones a hidden layer (`def-own-gates`).

    X : (n, d_in), samples along the rows. A preactivation of exactly zero counts as inactive.
    """
    layers, inputs = _as_network(weights, X)
    with np.errstate(over="ignore", invalid="ignore"):
        activities, used, _ = _forward(layers, inputs, None)
    for activity in activities:
        finite_result("an activity of a hidden layer", activity)
    return used


def predict(weights: Sequence[ArrayLike], X: ArrayLike, *, gates: Any = None) -> Array:
    """Return the outputs (..., n, d_out) of a rectified network, or of the linear one with these gates.

    X : (n, d_in). gates : None for the network's own; else one array (..., n, d_l) a hidden layer.
    """
    layers, inputs = _as_network(weights, X)
    given = _as_gates(gates, layers, inputs)
    with np.errstate(over="ignore", invalid="ignore"):
        return finite_result("the output of the network", _forward(layers, inputs, given)[2])


def loss(
    weights: Sequence[ArrayLike], X: ArrayLike, Y: ArrayLike, *, gates: Any = None, sample_weights: ArrayLike | None = None
) -> Array:
    """Return half the mean squared error (...), summed over outputs, with the network's own gates or given ones.

    X : (n, d_in). Y : (n, d_out). gates : as in `predict`. sample_weights : (n,), 1/n each unless given; ones give a sum.
    """
    layers, inputs, targets, share = _as_task(weights, X, Y, sample_weights)
    given = _as_gates(gates, layers, inputs)
    with np.errstate(over="ignore", invalid="ignore"):
        error = _forward(layers, inputs, given)[2] - targets
        return finite_result("the loss", _half_square(error, share))


def gradients(
    weights: Sequence[ArrayLike], X: ArrayLike, Y: ArrayLike, *, gates: Any = None, sample_weights: ArrayLike | None = None
) -> Weights:
    """Return dLoss/dW_l of every layer, (..., d_l, d_{l-1}), with the gates held fixed (`eq-recorded-gradient`).

    Where no preactivation is zero this is the gradient of the rectified network as well: its gates do not move.
    Arguments as in `loss`.
    """
    layers, inputs, targets, share = _as_task(weights, X, Y, sample_weights)
    given = _as_gates(gates, layers, inputs)
    with np.errstate(over="ignore", invalid="ignore"):
        slopes = _backward(layers, inputs, targets, share, given)[0]
    return tuple(finite_result(f"the gradient of W_{i}", slope) for i, slope in enumerate(slopes, start=1))


def gradient_descent(
    weights: Sequence[ArrayLike],
    X: ArrayLike,
    Y: ArrayLike,
    step: float,
    n_steps: int,
    *,
    gates: Any = None,
    sample_weights: ArrayLike | None = None,
    record: int | Sequence[int] = 1,
) -> Run:
    """Run full-batch gradient descent of a rectified network, or of the linear one with given gates.

    X, Y, sample_weights : as in `loss`. step : the learning rate eta. n_steps : from 0. record : keep every so many steps,
    or the listed ones. gates : None for the network's own, new at each step; one array a hidden layer, (n, d_l), to hold
    them; or (n_steps + 1, n, d_l), those of every step in turn, as `Run.gates` records them (the last ones for the last loss
    only). Raises ValueError when the loss runs away.
    """
    layers, inputs, targets, share = _as_task(weights, X, Y, sample_weights)
    eta, count = as_scalar("step", step, positive=True), as_count("n_steps", n_steps, minimum=0)
    kept = as_steps(record, count)
    plan = _Plan(gates, layers, inputs, count)
    wanted, records, history = set(kept), [], []
    with np.errstate(over="ignore", invalid="ignore"):
        first = np.append(_backward(layers, inputs, targets, share, plan.at(0))[1], _half_square(targets, share))
        limit = 1e6 * max(float(np.max(finite_result("the loss at the start, or that of zero outputs,", first))), 1e-300)
        for n in range(count + 1):
            slopes, value = _backward(layers, inputs, targets, share, plan.at(n))
            history.append(value)
            if n in wanted:
                records.append(layers)
            if not np.all(value <= limit):
                raise ValueError(f"gradient descent with step {eta:g} diverged at step {n}; take a smaller step")
            layers = tuple(W - eta * g for W, g in zip(layers, slopes, strict=True))
        times = finite_result("step times the number of steps", eta * np.array(kept, dtype=float))
    stacked = tuple(finite_result(f"W_{i + 1}", np.stack([W[i] for W in records])) for i in range(len(layers)))
    losses = np.stack(history)
    return Run(times, stacked, losses[kept], losses, inputs)


class _Plan:
    """The gates of every step: the network's own, fixed ones, or a list."""

    def __init__(self, given: Any, layers: Weights, X: Array, n_steps: int) -> None:
        parts = None if given is None else _as_parts(given, layers)
        self.moving = parts is not None and parts[0].ndim == layers[0].ndim + 1
        if parts is None or not self.moving:
            self.given = _as_gates(given, layers, X)
            return
        self.given = parts
        if any(part.ndim != parts[0].ndim for part in parts):
            raise ValueError(f"gates should move in every layer or in none, got shapes {[part.shape for part in parts]}")
        if any(len(part) != n_steps + 1 for part in parts):
            raise ValueError(
                f"gates that move need {n_steps + 1} entries, for the start and every step, got {len(self.given[0])}"
            )
        _as_gates(tuple(part[0] for part in self.given), layers, X)

    def at(self, n: int) -> Gates | None:
        return tuple(part[n] for part in self.given) if self.moving and self.given else self.given


def _as_network(weights: Sequence[ArrayLike], X: ArrayLike) -> tuple[Weights, Array]:
    layers, inputs = as_weights(weights), as_array("X", X, ndim=2)
    if len(layers) < 2:
        raise ValueError("a rectified network has at least two layers, (W_1, W_2); with one there is nothing to rectify")
    if inputs.shape[1] != layers[0].shape[-1]:
        raise ValueError(f"X has {inputs.shape[1]} columns, W_1 takes {layers[0].shape[-1]} inputs; samples are rows of X")
    return layers, inputs


def _as_task(
    weights: Sequence[ArrayLike], X: ArrayLike, Y: ArrayLike, sample_weights: ArrayLike | None
) -> tuple[Weights, Array, Array, Array]:
    layers, inputs = _as_network(weights, X)
    targets = as_array("Y", Y, ndim=2)
    n = len(inputs)
    if targets.shape != (n, layers[-1].shape[-2]):
        raise ValueError(f"Y should have shape {(n, layers[-1].shape[-2])}, one row a sample, got {targets.shape}")
    share = np.full(n, 1 / n) if sample_weights is None else as_array("sample_weights", sample_weights)
    if share.shape != (n,) or np.any(share < 0):
        raise ValueError(f"sample_weights should be {n} numbers, none negative, got shape {share.shape}")
    return layers, inputs, targets, share


def _as_parts(given: Any, layers: Weights) -> Gates:
    """Return one array for each hidden layer."""
    if not isinstance(given, Sequence) or isinstance(given, (str, bytes)) or len(given) != len(layers) - 1:
        raise ValueError(f"gates should be a tuple of {len(layers) - 1} arrays, one for each hidden layer")
    return tuple(as_array(f"gates[{i}]", part) for i, part in enumerate(given))


def _as_gates(given: Any, layers: Weights, X: Array) -> Gates | None:
    if given is None:
        return None
    parts = _as_parts(given, layers)
    for i, (part, W) in enumerate(zip(parts, layers, strict=False)):
        if part.shape[-2:] != (len(X), W.shape[-2]):
            raise ValueError(f"gates[{i}] should have shape (..., {len(X)}, {W.shape[-2]}), samples by units, got {part.shape}")
    return parts


def _forward(layers: Weights, X: Array, given: Gates | None) -> tuple[list[Array], Gates, Array]:
    """Return the activities that enter each layer, the gates, and the outputs."""
    activities, used = [X], []
    for i, W in enumerate(layers[:-1]):
        z = activities[-1] @ transpose(W)
        gate = (z > 0).astype(np.float64) if given is None else given[i]
        used.append(gate)
        activities.append(gate * z)
    return activities, tuple(used), activities[-1] @ transpose(layers[-1])


def _backward(layers: Weights, X: Array, Y: Array, share: Array, given: Gates | None) -> tuple[Weights, Array]:
    """Return the gradients and the loss."""
    activities, used, output = _forward(layers, X, given)
    error = output - Y
    signal, found = share[:, None] * error, []
    for i in range(len(layers) - 1, -1, -1):
        found.append(transpose(signal) @ activities[i])
        if i:
            signal = used[i - 1] * (signal @ layers[i])
    return tuple(reversed(found)), _half_square(error, share)


def _half_square(error: Array, share: Array) -> Array:
    return np.asarray(0.5 * np.einsum("...ij,...ij,i->...", error, error, share))
