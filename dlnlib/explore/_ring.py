"""A gated network on a ring of inputs: how its kernel changes shape with the width, and its prediction with it."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dlnlib._validate import Array
from dlnlib.explore._model import Choice, Explorer, Panel, Part, Series, Slider, words
from dlnlib.global_gates import Task, half_space_gates, saddle

__all__ = ["kernel_on_ring"]

GATES = {"one, always open": 1, "5 half-planes": 5, "9 half-planes": 9}
WIDTHS = (1, 2, 4, 8, 16, 64)
VARIANCES = (0.3, 1.0, 3.0)
TEMPERATURES = (0.01, 0.1)
EXAMPLES = 7
DEGREES = np.linspace(-180.0, 180.0, 73)


def gates_at(X: Array, count: int) -> Array:
    """Return gates of half-planes whose directions are equally spaced; an odd number leaves no point of the ring in the dark."""
    if count == 1:
        return np.ones((len(X), 1))
    turn = 2 * np.pi * np.arange(count) / count + 0.05  # no border falls on a drawn point
    return half_space_gates(X, np.column_stack([np.cos(turn), np.sin(turn)]))


def points(degrees: Array) -> Array:
    """Return inputs on the circle of radius sqrt(2), so that x . x'/d is the cosine of the angle between them."""
    angle = np.radians(degrees)
    return np.sqrt(2) * np.column_stack([np.cos(angle), np.sin(angle)])


def target(degrees: Array) -> Array:
    """Return the answers: a bump of height two at 60 degrees."""
    return np.asarray(2 * np.exp(3 * (np.cos(np.radians(degrees - 60)) - 1)))


@cache
def _task(gates: int, variance: float, temperature: float) -> tuple[Task, Array]:
    seen = np.random.default_rng(3).uniform(-180, 180, EXAMPLES)
    X = points(seen)
    return Task(X, gates_at(X, gates), target(seen), variance=variance, temperature=temperature), seen


def ring_kernel(task: Task, U: Array, degrees: Array, reference: float = 60.0) -> Array:
    """Return K_U between points of the ring and one point of it, over the value that the wide network has there."""
    M = task.n_gates
    centre, around = (points(np.atleast_1d(angle)) for angle in (reference, degrees))
    first, second = gates_at(around, M), gates_at(centre, M)
    own = np.einsum("im,mk,jk->ij", first, U, second)[:, 0] * np.cos(np.radians(degrees - reference))
    return np.asarray(own / (task.variance * np.sum(second**2)))


def _ring(gates: str, width: int, variance: float, temperature: float) -> dict[str, Any]:
    task, _ = _task(GATES[gates], variance, temperature)
    U, X = saddle(task, width).U, points(DEGREES)
    here = task.predict(U, X, gates_at(X, task.n_gates))
    spread = np.sqrt(here.variance)
    scales = np.linalg.eigvalsh(U) / variance
    if task.n_gates == 1:
        say = f"the kernel is {words(scales[0])} times that of the wide limit, and has its shape."
    else:
        say = f"U/σ² has eigenvalues from {words(scales[0], 2)} to {words(scales[-1], 2)}: the kernel has another shape."
    return {
        "angle": DEGREES,
        "mean": here.mean,
        "low": here.mean - spread,
        "high": here.mean + spread,
        "kernel": ring_kernel(task, U, DEGREES),
        "say": f"Width {width}: {say} Error of the mean {words(_error(here.mean), 2)} (root mean square),",
    }


def _wide(gates: str, variance: float, temperature: float) -> dict[str, Any]:
    task, seen = _task(GATES[gates], variance, temperature)
    U, X = variance * np.eye(task.n_gates), points(DEGREES)
    mean = task.predict(U, X, gates_at(X, task.n_gates)).mean
    return {
        "angle": DEGREES,
        "mean": mean,
        "truth": target(DEGREES),
        "seen": seen,
        "answer": task.y,
        "kernel": ring_kernel(task, U, DEGREES),
        "say": f"in the wide limit {words(_error(mean), 2)}.",
    }


def _error(mean: Array) -> float:
    return float(np.sqrt(np.mean((mean - target(DEGREES)) ** 2)))


def kernel_on_ring() -> Explorer:
    """Return the chart of a gated network that learns a bump on a ring from seven examples.

    Width, gates, prior variance and temperature move. Left, the mean prediction of the saddle point (`eq-saddle-point`) with
    one standard deviation, and that of the wide limit; right, the kernel (`def-gated-kernel`) between every point and the one
    at 60 degrees. Chapter 9, `fig-kernel-on-ring`.
    """
    return Explorer(
        name="kernel-on-ring",
        controls=(
            Slider("width", "width N", WIDTHS, 2, log=True, whole=True),
            Choice("gates", "gates", tuple(GATES), "5 half-planes"),
            Slider("variance", "prior variance σ²", VARIANCES, 0.3, log=True),
            Slider("temperature", "temperature T", TEMPERATURES, 0.01, log=True),
        ),
        parts=(
            Part("ring", _ring, ("gates", "width", "variance", "temperature"), digits=3),
            Part("wide", _wide, ("gates", "variance", "temperature"), digits=3),
        ),
        panels=(
            Panel("angle (degrees)", "prediction", x_domain=(-180.0, 180.0)),
            Panel("angle (degrees)", "kernel with 60°", x_domain=(-180.0, 180.0)),
        ),
        series=(
            Series("target", "wide", "angle", "truth", "other"),
            Series("one s.d.", "ring", "angle", "low", "simulation", mode=4),
            Series("one s.d.", "ring", "angle", "high", "simulation", mode=4),
            Series("width N", "ring", "angle", "mean", "line", mode=0),
            Series("wide limit", "wide", "angle", "mean", "theory"),
            Series("examples", "wide", "seen", "answer", "points", mode=3),
            Series("width N", "ring", "angle", "kernel", "line", mode=0, panel=1),
            Series("wide limit", "wide", "angle", "kernel", "theory", panel=1),
        ),
    )
