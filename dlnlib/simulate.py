"""Gradient flow by scipy's high-order integrators, and gradient descent step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._flow import Slopes, as_accuracy, descend, integrate, step_down, unpacker
from dlnlib._linalg import TINY
from dlnlib._task import Task, as_task
from dlnlib._validate import Array, Weights, as_count, as_scalar, as_steps, as_times, finite_result
from dlnlib.hessian import sharpness
from dlnlib.moments import Moments
from dlnlib.trajectory import Trajectory

__all__ = ["DivergenceError", "gradient_descent", "gradient_flow", "largest_stable_step", "steps_to_loss"]


class DivergenceError(ValueError):
    """Gradient descent grew without bound; `largest_stable_step` is the step that would have been safe."""

    def __init__(self, message: str, step: float, at_step: int, largest_stable_step: float) -> None:
        super().__init__(message)
        self.step = step
        self.at_step = at_step
        self.largest_stable_step = largest_stable_step


def gradient_flow(
    weights: Sequence[ArrayLike],
    moments: Moments | Task,
    t: ArrayLike,
    *,
    rtol: float = 1e-10,
    atol: float = 1e-14,
    method: str = "DOP853",
    max_evaluations: int = 300_000,
) -> Trajectory:
    """Integrate dW_l/dt = -dLoss/dW_l from time 0 and return the weights at the times t (`def-gradient-flow`).

    weights : layers (..., d_l, d_{l-1}); leading axes are a batch, integrated in one call.
    t : (n_t,) strictly increasing, not negative, in units of tau = 1/eta.
    rtol, atol : local error allowed per step and per weight, relative and absolute, for each member of the batch.
    method : "DOP853" (order 8), "RK45", or "Radau" and "LSODA" for data whose condition number makes the flow stiff.
    max_evaluations : of the gradient; more than that is refused, so that a hopelessly stiff flow ends with an error.
    Returns a Trajectory with dense output (`Trajectory.at`). Global error is usually one to two digits above rtol,
    and up to three in the tail of a mode that is almost learnt: ask for rtol=1e-12 where 1e-9 is needed.
    Cost per evaluation is a few products of layers; the number of samples does not enter.
    Source: the integrators are scipy's (Hairer, Norsett & Wanner 1993).
    """
    task = as_task(moments)
    layers = task.fit(weights)
    times = as_times("t", t, increasing=True)
    accuracy = as_accuracy(rtol, atol, method, max_evaluations)
    if not all(np.all(np.isfinite(g)) for g in _slopes(task)(layers)):
        raise ValueError("the gradient overflows float64 at the start; rescale the data or the weights")
    settings: dict[str, Any] = {"rtol": accuracy.rtol, "atol": accuracy.atol, "method": method, "t_start": 0.0}
    if times[-1] == 0.0:
        start = tuple(W[None] for W in layers)
        return Trajectory(times, start, moments, "gradient flow", settings)
    small, reduced, expand = task.reduced(layers)
    advice = 'if the inputs have a large condition number or the weights are large, use method="Radau" or rescale them'
    solution = integrate(small, _slopes(reduced), times, accuracy, advice)
    unpack = unpacker(small, expand)
    dense = solution.sol
    settings["evaluations"] = int(solution.nfev)
    return Trajectory(times, unpack(solution.y.T), moments, "gradient flow", settings, lambda s: unpack(dense(s).T))


def _slopes(task: Task) -> Slopes:
    """Return the function from layers to their gradients; what overflows is for the caller to see."""

    def slopes(layers: Weights) -> Weights:
        with np.errstate(over="ignore", invalid="ignore"):
            return task.slopes_of(layers)

    return slopes


def gradient_descent(
    weights: Sequence[ArrayLike],
    moments: Moments | Task,
    step: float,
    n_steps: int,
    *,
    record: int | Sequence[int] = 1,
) -> Trajectory:
    """Run full-batch gradient descent W_l <- W_l - step * dLoss/dW_l (`def-gradient-descent`).

    weights : layers (..., d_l, d_{l-1}); leading axes are a batch. step : the learning rate eta. n_steps : from 0.
    record : keep every `record`-th step (the first and the last always), or the listed steps only.
    Returns a Trajectory with t = step * (number of steps).
    Raises DivergenceError when the loss runs away, stating the largest stable step.
    """
    task = as_task(moments)
    layers = task.fit(weights)
    eta = as_scalar("step", step, positive=True)
    count = as_count("n_steps", n_steps, minimum=0)
    kept = as_steps(record, count)
    with np.errstate(over="ignore", invalid="ignore"):
        first = task.loss_of(layers)
    if not np.all(np.isfinite(first)):
        raise ValueError("the loss overflows float64 at the start; rescale the data or the weights")
    # Growth by this factor over the larger of the first loss and that of W = 0 is never a transient: it is escape.
    limit = 1e6 * max(float(np.max(first)), task.zero_loss, TINY)
    small, reduced, expand = task.reduced(layers)

    def escaped(current: Weights) -> bool:
        return not np.all(reduced.loss_of(current) <= limit)

    run = descend(small, _slopes(reduced), eta, count, kept, escaped, lambda n: _divergence(layers, task, eta, n))
    stacked = expand(run)
    settings = {"step": eta, "n_steps": count}
    return Trajectory(eta * np.array(kept, dtype=float), stacked, moments, "gradient descent", settings)


def steps_to_loss(weights: Sequence[ArrayLike], moments: Moments | Task, step: float, target: float, *, max_steps: int) -> Array:
    """Return after how many steps of gradient descent the loss is first at or below a target, shape (...) of the batch.

    For comparisons of starts, depths and steps: nothing is recorded, the run ends as soon as every member has arrived,
    and what does not arrive within max_steps, or diverges, gives np.inf instead of an error.
    step : the learning rate eta. target : loss to reach, of the units of `network.loss`. 0 where it is met at the start.
    """
    task = as_task(moments)
    layers = task.fit(weights)
    eta, goal = as_scalar("step", step, positive=True), as_scalar("target", target, nonnegative=True)
    count = as_count("max_steps", max_steps, minimum=0)
    needed, slopes = np.full(layers[0].shape[:-2], np.inf), _slopes(task)
    with np.errstate(over="ignore", invalid="ignore"):
        for n in range(count + 1):
            if n > 0:
                layers = step_down(layers, slopes, eta)
            values = task.loss_of(layers)
            needed = np.where(np.isinf(needed) & (values <= goal), n, needed)
            # A loss that has overflowed never comes back.
            if np.all(np.isfinite(needed) | ~np.isfinite(values)):
                break
    return needed[()]


def largest_stable_step(weights: Sequence[ArrayLike], moments: Moments | Task) -> float:
    """Return 2 over the largest sharpness met by gradient flow from these weights (`def-largest-stable-step`).

    Below it every point of the flow's path is locally stable for gradient descent, so the descent stays near the flow.
    Above it the descent may still survive by moving to flatter weights, or diverge. For one layer it is exactly
    2 / lambda_max(xx). Of a batch the smallest over the members is returned. Sharpness is sampled at 33 times of the
    path, up to the time at which the slope has fallen to 1e-6 of its largest value (or t = 1000 / scale of the data).
    """
    task = as_task(moments)
    layers, task, _ = task.reduced(task.fit(weights))
    if len(layers) == 1:
        # The Hessian of one layer is the same everywhere.
        top = float(np.max(sharpness(layers, task)))
        return float("inf") if top <= 0 else 2.0 / top
    path = _path_to_rest(layers, task)
    top = max(float(np.max(sharpness(tuple(W[i] for W in path), task))) for i in range(len(path[0])))
    return float("inf") if top <= 0 else 2.0 / top


def _path_to_rest(layers: Weights, task: Task) -> Weights:
    """Return weights along gradient flow at 33 times that reach from the start to where the slope has gone."""

    def slope(current: Weights) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            lengths = np.array([np.linalg.norm(g) for g in task.slopes_of(current)])
        return float(finite_result("the slope of the loss", lengths).max())

    scale = max(task.scale, TINY)
    # The way to rest ends in a stiff crawl, which an implicit method shortens where its Jacobian is affordable.
    method = "LSODA" if sum(W.size for W in layers) <= 400 else "DOP853"
    end, steepest = 1.0 / scale, slope(layers)
    while True:
        times = np.linspace(0.0, end, 33)
        path = gradient_flow(layers, task, times, rtol=1e-8, atol=1e-12, method=method, max_evaluations=50_000)
        steepest = max(steepest, slope(path.weights))
        if slope(path.final) <= 1e-6 * steepest or end >= 1000.0 / scale:
            return path.weights
        end *= 4.0


def _divergence(layers: Weights, task: Task, eta: float, n: int) -> DivergenceError:
    try:
        stable = largest_stable_step(layers, task)
        where = "2 over the largest sharpness on the way of gradient flow"
    except ValueError:  # the flow from such weights is too stiff to follow
        stable = 2.0 / float(np.max(sharpness(layers, task)))
        where = "2 over the sharpness at the start; the flow from these weights is too stiff to follow further"
    return DivergenceError(
        f"gradient descent with step {eta:g} diverged within {n} steps. "
        f"The largest stable step from these weights is {stable:.4g} ({where}).",
        eta,
        n,
        stable,
    )
