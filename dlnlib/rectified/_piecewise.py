"""Gradient flow of one rectified hidden layer, piece by piece: linear gates between switches, sliding along hinges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlnlib._flow import Accuracy, as_accuracy
from dlnlib._linalg import EPS
from dlnlib._validate import Array, Weights, as_array, as_count, as_times, as_weights, finite_result

__all__ = ["PiecewiseFlow", "Switch", "piecewise_flow"]

Modes = Array  # (h, n_hinges) of +1, -1, 0: which side of each hinge a unit is on, or that it slides along it


class Switch(NamedTuple):
    """A unit that reaches or leaves a hinge: sides are +1 and -1, and 0 while it slides along the hinge."""

    t: float
    unit: int
    hinge: int
    before: int
    after: int


@dataclass(frozen=True, eq=False)
class PiecewiseFlow:
    """Gradient flow through all its switches.

    t : (n_t,). weights : (n_t, h, d_in) and (n_t, d_out, h). loss : (n_t,). share : (n_t, h, n_hinges), share of time
    that a unit spends on the + side of each hinge: 1 or 0, and between them while it slides.
    switches : in order. hinges : (n_hinges, d_in), unit normals; data along one line share one.
    """

    t: Array
    weights: Weights
    loss: Array
    share: Array
    switches: tuple[Switch, ...]
    hinges: Array


def piecewise_flow(
    weights: Sequence[ArrayLike],
    X: ArrayLike,
    Y: ArrayLike,
    t: ArrayLike,
    *,
    rtol: float = 1e-10,
    atol: float = 1e-13,
    max_switches: int = 1000,
    max_evaluations: int = 300_000,
) -> PiecewiseFlow:
    """Integrate the gradient flow of a network with one rectified hidden layer from time 0.

    Between two switches all gates are constant and the flow is that of a gated linear network. A unit that reaches a
    hinge, the plane where a sample's preactivation is zero, crosses it if both sides drive it on, and slides along it,
    with Filippov's velocity, if both drive it back (`eq-sliding-velocity`).
    weights : (W_1, W_2) of shapes (h, d_in), (d_out, h), no batch. X : (n, d_in). Y : (n, d_out). Loss is half the mean
    squared error. t : (n_t,) increasing. rtol, atol : of the integrator, DOP853. max_switches, max_evaluations : more
    switches, or evaluations of the velocity, are refused.
    Once residuals are down to rounding, the side of a unit that slides is left to chance: end before.
    Raises ValueError where a start lies on a hinge, or where both sides drive a unit away from one: no unique flow.
    Source: Filippov (1964); the integrator is scipy's.
    """
    layers = as_weights(weights)
    if len(layers) != 2 or layers[0].ndim != 2:
        raise ValueError(f"weights should be one hidden layer (W_1, W_2) without batch axes, got {[W.shape for W in layers]}")
    inputs, targets = as_array("X", X, ndim=2), as_array("Y", Y, ndim=2)
    if inputs.shape[1] != layers[0].shape[1] or targets.shape != (len(inputs), layers[1].shape[0]):
        raise ValueError(f"X {inputs.shape} and Y {targets.shape} do not fit weights {[W.shape for W in layers]}")
    times = as_times("t", t, increasing=True)
    accuracy = as_accuracy(rtol, atol, "DOP853", max_evaluations)
    budget = as_count("max_switches", max_switches)
    with np.errstate(over="ignore", invalid="ignore"):
        return _Follower(layers, inputs, targets, accuracy).follow(times, budget)


class _Follower:
    """The task, and the state of one integration."""

    def __init__(self, layers: Weights, X: Array, Y: Array, accuracy: Accuracy) -> None:
        self.X, self.Y, self.accuracy, self.evaluations = X, Y, accuracy, 0
        self.hinges, self.of, self.sign = _hinges(X)
        self.length = np.linalg.norm(X, axis=1)
        self.h, self.d = layers[0].shape
        self.state = np.concatenate([layers[0].ravel(), layers[1].ravel()])
        start = finite_result("the distance of a unit from a hinge", layers[0] @ self.hinges.T)
        size = finite_result("the length of a row of W_1", np.linalg.norm(layers[0], axis=1, keepdims=True))
        if np.any(np.abs(start) <= 8 * EPS * size):
            raise ValueError("a unit starts on a hinge, where its gate is not defined; move the start a little")
        self.modes = np.sign(start)
        self.asked: tuple[Array, Array] | None = None

    def unpack(self, state: Array) -> tuple[Array, Array]:
        cut = self.h * self.d
        return state[:cut].reshape(self.h, self.d), state[cut:].reshape(-1, self.h)

    def gates(self, modes: Modes) -> Array:
        """(n, h); a sample at zero has no hinge and no gate."""
        seen = modes[:, self.of].T * self.sign[:, None]
        return (seen > 0).astype(np.float64)

    def drive(self, state: Array, modes: Modes) -> tuple[Array, Array, Array, Array]:
        """Return the velocity of W_1 without what slides, that of W_2, and the forces along each hinge from its two sides."""
        W1, W2 = self.unpack(state)
        gate = self.gates(modes)
        active = gate * (self.X @ W1.T)
        error = (active @ W2.T - self.Y) / len(self.X)
        pull = -(error @ W2)  # (n, h): what a unit's activity should do on each sample
        along = pull * self.length[:, None]
        plus, minus = np.zeros((len(self.hinges), self.h)), np.zeros((len(self.hinges), self.h))
        np.add.at(plus, self.of[self.sign > 0], along[self.sign > 0])
        np.add.at(minus, self.of[self.sign < 0], -along[self.sign < 0])
        return (gate * pull).T @ self.X, -error.T @ active, plus.T, minus.T

    def shares(self, state: Array, modes: Modes) -> tuple[Array, Array, Array]:
        """Return both velocities and, where a unit slides, the share of time on the + side, (h, n_hinges)."""
        V1, V2, plus, minus = self.drive(state, modes)
        share = np.full(modes.shape, 0.5)
        sliding = modes == 0
        for i in np.flatnonzero(np.any(sliding, axis=1)):
            on = np.flatnonzero(sliding[i])
            D = self.hinges[on]
            force: Array = -D @ V1[i]
            if len(on) > 1:
                force = np.asarray(np.linalg.lstsq(D @ D.T, force, rcond=None)[0])
            V1[i, :] += force @ D
            width = plus[i, on] - minus[i, on]
            share[i, on] = (force - minus[i, on]) / np.where(width == 0, -1e-300, width)
        return V1, V2, share

    def velocity(self, now: float, state: Array) -> Array:
        self.evaluations += 1
        if self.evaluations > self.accuracy.budget:
            raise ValueError(
                f"gradient flow used {self.accuracy.budget:,} evaluations and reached only t = {now:g}; shorten the time, "
                "rescale the data or the weights, or raise max_evaluations"
            )
        V1, V2 = self.shares(state, self.modes)[:2]
        return finite_result(f"the velocity of the weights at t = {now:g}", np.concatenate([V1.ravel(), V2.ravel()]))

    def margins(self, state: Array) -> Array:
        """Return how far every unit is from a switch, (h, n_hinges): its distance from a hinge, or its share from 0 and 1."""
        if self.asked is None or not np.array_equal(self.asked[0], state):  # one event after the other asks for the same state
            W1, _ = self.unpack(state)
            distance = self.modes * (W1 @ self.hinges.T)
            if np.any(self.modes == 0):
                share = self.shares(state, self.modes)[2]
                distance = np.where(self.modes == 0, np.minimum(share, 1 - share), distance)
            self.asked = state.copy(), distance
        return self.asked[1]

    def side_shares(self, state: Array) -> Array:
        """Return the share of time that every unit spends on the + side of every hinge, (h, n_hinges)."""
        return np.where(self.modes == 0, self.shares(state, self.modes)[2], (self.modes + 1) / 2)

    def follow(self, times: Array, budget: int) -> PiecewiseFlow:
        from scipy.integrate import solve_ivp

        now, rows, shares = 0.0, list[Array](), list[Array]()
        switches: list[Switch] = []
        pending = list(times)
        if pending[0] == 0.0:
            rows.append(self.state.copy())
            shares.append(self.side_shares(self.state))
            pending.pop(0)
        while pending:
            solution = solve_ivp(
                self.velocity, (now, pending[-1]), self.state, method="DOP853", events=self.events(), dense_output=True,
                rtol=self.accuracy.rtol, atol=self.accuracy.atol,
            )  # fmt: skip
            if solution.status < 0:
                reached, why = solution.t[-1], solution.message.strip()
                raise ValueError(f"gradient flow could not be integrated beyond t = {reached:g} ({why}); rescale the data")
            now = float(solution.t[-1])
            while pending and pending[0] <= now:
                rows.append(solution.sol(pending.pop(0)))
                shares.append(self.side_shares(rows[-1]))
            self.state = solution.y[:, -1].copy()
            if solution.status != 1:
                break
            if len(switches) >= budget:
                raise ValueError(f"more than {budget} switches before t = {now:g}; shorten the time or raise max_switches")
            unit, hinge = divmod(int(np.flatnonzero([len(e) for e in solution.t_events])[0]), len(self.hinges))
            switches += self.switch(now, unit, hinge)
        states = np.array(rows)
        W1, W2 = (np.array(part) for part in zip(*(self.unpack(row) for row in states), strict=True))
        output = np.maximum(self.X @ np.swapaxes(W1, -1, -2), 0) @ np.swapaxes(W2, -1, -2)
        loss = 0.5 * np.sum((output - self.Y) ** 2, axis=(1, 2)) / len(self.X)
        finite_result("the loss, or the path of the weights,", np.append(loss, states))
        share = finite_result("the share of a side of a hinge", np.array(shares))
        return PiecewiseFlow(times, (W1, W2), loss, share, tuple(switches), self.hinges)

    def events(self) -> list[Callable[..., Any]]:
        """Return one terminal event for each unit and hinge."""

        self.asked = None

        def make(i: int, a: int) -> Callable[..., Any]:
            def event(_: float, state: Array) -> float:
                return float(self.margins(state)[i, a])

            event.terminal, event.direction = True, -1  # type: ignore[attr-defined]
            return event

        return [make(i, a) for i in range(self.h) for a in range(len(self.hinges))]

    def switch(self, now: float, i: int, a: int) -> list[Switch]:
        """Put unit i on its new side of hinge a, and off others along which it no longer slides."""
        before = int(self.modes[i, a])
        if before == 0:
            share = self.shares(self.state, self.modes)[2][i, a]
            self.modes[i, a] = 1 if share > 0.5 else -1
        else:
            normal = {}
            for side in (1, -1):
                trial = self.modes.copy()
                trial[i, a] = side
                normal[side] = float(self.shares(self.state, trial)[0][i] @ self.hinges[a])
            if normal[1] > 0 > normal[-1]:
                raise ValueError(f"at t = {now:g} hinge {a} repels unit {i} on both sides; the flow is not unique")
            self.modes[i, a] = 0 if normal[1] < 0 < normal[-1] else np.sign(normal[1] + normal[-1])
        found = [Switch(now, i, a, before, int(self.modes[i, a]))]
        self.settle(i)
        share = self.shares(self.state, self.modes)[2]
        for b in np.flatnonzero((self.modes[i] == 0) & ((share[i] < 0) | (share[i] > 1))):
            self.modes[i, b] = 1 if share[i, b] > 1 else -1
            found.append(Switch(now, i, int(b), 0, int(self.modes[i, b])))
        return found

    def settle(self, i: int) -> None:
        """Put a sliding unit exactly on its hinges: rounding would otherwise let it drift."""
        on = np.flatnonzero(self.modes[i] == 0)
        if len(on):
            w = self.state[i * self.d : (i + 1) * self.d]
            w -= np.linalg.lstsq(self.hinges[on], self.hinges[on] @ w, rcond=None)[0]


def _hinges(X: Array) -> tuple[Array, NDArray[np.intp], Array]:
    """Return unit normals of the hinges, the hinge of each sample, and on which side of it the sample is active."""
    normals: list[Array] = []
    of, sign = np.zeros(len(X), dtype=np.intp), np.zeros(len(X))
    for j, x in enumerate(X):
        size = float(np.linalg.norm(x))
        if size == 0 and not x.any():
            continue
        if not 0 < size < np.inf:
            raise ValueError(f"X holds a row (index {j}) whose squares are beyond float64; rescale the data")
        unit = x / size
        match = [a for a, d in enumerate(normals) if abs(abs(d @ unit) - 1) < 1e-12]
        if not match:
            normals.append(unit)
        of[j] = match[0] if match else len(normals) - 1
        sign[j] = np.sign(normals[of[j]] @ unit)
    if not normals:
        raise ValueError("every row of X is zero; a rectified unit needs some input")
    return np.array(normals), of, sign
