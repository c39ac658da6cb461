"""One layer: linear regression by gradient flow and by gradient descent, exactly, for any inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import (
    Array,
    Weights,
    as_array,
    as_count,
    as_scalar,
    as_steps,
    as_times,
    as_weights,
    finite_result,
)
from dlnlib.moments import Moments
from dlnlib.trajectory import Trajectory

__all__ = ["error_components", "linear_regression_descent", "linear_regression_flow"]


def linear_regression_flow(W0: ArrayLike, moments: Moments, t: ArrayLike) -> Trajectory:
    """Return the exact gradient flow of a single layer (`eq-regression-flow`).

    In the eigenbasis of xx every error component decays by itself: (W - W*) v_k = exp(-lambda_k t) (W_0 - W*)
    v_k. Inputs need not be white; xx may be singular, and directions that never vary do not move.

    W0 : (..., d_out, d_in), leading axes are a batch. t : (n_t,) not negative, in units of tau = 1/eta, any
    order.
    Returns a one-layer Trajectory with exact values at any other time (`Trajectory.at`).
    No assumption beyond a single layer. Raises ValueError for shapes that do not fit.
    Source: the shallow case of Saxe, McClelland & Ganguli 2014.
    """
    start, towards, basis, rates = _eigenbasis(W0, moments)
    times = as_times("t", t)

    def weights(at: Array) -> Weights:
        with np.errstate(over="ignore"):
            done = -np.expm1(-at[:, None] * rates)
        return (_moved(start, towards, basis, done),)

    # Trajectory.at serves times up to the last recorded one.
    settings = {"t_start": 0.0}
    return Trajectory(times, weights(times), moments, "linear regression flow", settings, weights)


def linear_regression_descent(
    W0: ArrayLike,
    moments: Moments,
    step: float,
    n_steps: int,
    *,
    record: int | Sequence[int] = 1,
) -> Trajectory:
    """Return the exact gradient descent of a single layer (`eq-regression-descent`).

    Every error component is multiplied by 1 - step * lambda_k at each step; it shrinks if and only if
    step < 2 / lambda_k. The cost does not grow with the number of steps that are not recorded.

    W0 : (..., d_out, d_in). step : the learning rate eta. n_steps, record : as in `gradient_descent`.
    Returns a one-layer Trajectory with t = step * (number of steps). A step beyond the stable one is not an
    error: the result is exact, and grows; ValueError once it leaves float64, with the largest stable step.
    No assumption beyond a single layer. Source: as `linear_regression_flow`.
    """
    start, towards, basis, rates = _eigenbasis(W0, moments)
    eta = as_scalar("step", step, positive=True)
    count = as_count("n_steps", n_steps, minimum=0)
    steps = np.array(as_steps(record, count), dtype=float)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        x = eta * rates
        # log|1 - x|, from the side on which 1 - x loses nothing.
        log_factor = np.log1p(np.where(x < 1, -x, x - 2))
        exponent = np.where(steps[:, None] == 0, 0.0, steps[:, None] * np.where(steps[:, None] == 0, 0.0, log_factor))
        odd = (x > 1) & (steps[:, None] % 2 == 1)
        done = np.where(odd, 1 + np.exp(exponent), -np.expm1(exponent))
        W = _moved(start, towards, basis, done)
    if not np.all(np.isfinite(W)):
        raise ValueError(
            f"gradient descent with step {eta:g} leaves float64 within {count} steps. "
            f"The largest stable step is {2 / rates.max():.4g} (2 over the largest eigenvalue of xx)."
        )
    settings = {"step": eta, "n_steps": count}
    return Trajectory(eta * steps, (W,), moments, "linear regression descent", settings)


def error_components(W: ArrayLike, moments: Moments) -> Array:
    """Return the error (W - W*) V in the eigenbasis of xx, (..., d_out, d_in) (`eq-regression-flow`).

    Column k belongs to `moments.input_eigenvalues[k]` (decreasing). W : (..., d_out, d_in), for example a
    `Trajectory.product`. W* is the optimum of least norm. Raises ValueError for shapes that do not fit.
    """
    matrix = as_weights((as_array("W", W),), moments)[0]
    return (matrix - moments.optimum()) @ _basis(moments)


def _basis(moments: Moments) -> Array:
    return np.linalg.eigh(moments.xx)[1][:, ::-1]


def _eigenbasis(W0: ArrayLike, moments: Moments) -> tuple[Array, Array, Array, Array]:
    """Return W0, (W* - W0) V, V and the eigenvalues, zero where no input varies."""
    start = as_weights((as_array("W0", W0),), moments)[0]
    basis, rates = _basis(moments), moments.input_eigenvalues.copy()
    rates[moments.rank_xx :] = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        return start, finite_result("W* - W0", (moments.optimum() - start) @ basis), basis, rates


def _moved(start: Array, towards: Array, basis: Array, done: Array) -> Array:
    """Return start + (towards * done_k) V^T for each time, (n_t, ..., d_out, d_in)."""
    share = done.reshape(done.shape[0], *(1,) * (start.ndim - 1), done.shape[1])
    return start + (towards * share) @ basis.T
