"""The renormalisation matrix U: the saddle point of the posterior over the readouts' second moments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlnlib._linalg import EPS, TINY
from dlnlib._validate import Array, as_count, as_scalar, finite_result
from dlnlib.global_gates._task import Task, as_renormalisation, as_task, factor_of, gate_kernel

__all__ = ["Saddle", "action", "action_slope", "data_term", "gradient_and_hessian", "lower", "pack", "saddle", "unpack"]

Measure = Literal["log", "flat"]


@dataclass(frozen=True, eq=False)
class Saddle:
    """A stationary point of the action.

    U : (M, M), the renormalisation matrix. action : S(U). residual : largest entry of the stationarity condition
    `eq-saddle-point`, times sigma^2, so that it is relative to the wide limit. steps : evaluations of the action.
    """

    U: Array
    action: float
    residual: float
    steps: int


def data_term(task: Task, A: Array) -> tuple[float, Array]:
    """Return log det(K_A + T) + y^T (K_A + T)^-1 y and its derivative in A, (M, M)."""
    L = factor_of(task, gate_kernel(task, A))
    with np.errstate(over="ignore", invalid="ignore"):
        inverse = np.linalg.inv(L)
        precision = inverse.T @ inverse
        weights = precision @ task.y
        value = 2 * float(np.sum(np.log(np.diag(L)))) + float(task.y @ weights)
        # d K_A/dA_mn = (sigma^2/M) diag(g_m) K_0 diag(g_n).
        inner = (precision - np.outer(weights, weights)) * task.gram
        slope = task.variance / task.n_gates * task.gates.T @ inner @ task.gates
        slope = (slope + slope.T) / 2
    return float(finite_result("the fit of the answers", np.asarray(value))), finite_result("the slope of the fit", slope)


def exponent(task: Task, width: int, measure: str) -> float:
    """Return the factor of -log det A in the action: N, or N - M - 1."""
    if not isinstance(measure, str) or measure not in ("log", "flat"):
        raise ValueError(f'measure must be "log" or "flat", got {measure!r}')
    value = width if measure == "log" else width - task.n_gates - 1
    if value < 1:
        raise ValueError(
            f'measure "flat" needs width > M + 1 = {task.n_gates + 1}, got {width}: the density of A has no maximum; '
            'take measure="log"'
        )
    return float(value)


def action(task: Task, U: ArrayLike, width: int) -> float:
    """Return S(U) = N tr U/sigma^2 - N log det U + log det(K_U + T) + y^T (K_U + T)^-1 y (`def-action`).

    task : a Task. U : (M, M), symmetric, positive definite. width : N.
    """
    value, _ = _slope(as_task(task), _positive(task, U), as_count("width", width), "log")
    return value


def action_slope(task: Task, U: ArrayLike, width: int) -> Array:
    """Return dS/dU, (M, M), zero at the saddle point (`eq-saddle-point`). Arguments as in `action`."""
    return _slope(as_task(task), _positive(task, U), as_count("width", width), "log")[1]


def _positive(task: Task, U: ArrayLike) -> Array:
    matrix = as_renormalisation(U, as_task(task).n_gates)
    if matrix.ndim != 2:
        raise ValueError(f"U must be one positive definite matrix (M, M), got shape {matrix.shape}")
    sizes = np.linalg.eigvalsh(matrix)
    if not sizes[0] > max(TINY, EPS * sizes[-1]):
        raise ValueError(
            f"U must be one positive definite matrix (M, M), got eigenvalues from {sizes[0]:.3g} to {sizes[-1]:.3g}; "
            "the smallest has to be above rounding"
        )
    return matrix


def _slope(task: Task, A: Array, width: int, measure: str) -> tuple[float, Array]:
    power = exponent(task, width, measure)
    value, slope = data_term(task, A)
    with np.errstate(over="ignore", invalid="ignore"):
        trace = width / task.variance
        logdet = float(np.linalg.slogdet(A)[1])
        total = trace * float(np.trace(A)) - power * logdet + value
        slope = trace * np.eye(len(A)) - power * np.linalg.inv(A) + slope
    return float(finite_result("the action", np.asarray(total))), finite_result("the slope of the action", slope)


# A = C C^T with C lower triangular and the logarithms of its diagonal as coordinates: every vector is a positive matrix.


@cache
def lower(M: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return rows and columns of the lower triangle, in the order of the coordinates."""
    return np.tril_indices(M)


def unpack(p: Array, M: int) -> Array:
    """Return the Cholesky factors C (..., M, M) of coordinates (..., M (M + 1)/2)."""
    C = np.zeros((*p.shape[:-1], M, M))
    C[(..., *lower(M))] = p
    i = np.arange(M)
    C[..., i, i] = np.exp(C[..., i, i])
    return C


def pack(A: Array) -> Array:
    """Return the coordinates of a positive definite matrix (M, M)."""
    C = np.linalg.cholesky(A)
    i = np.arange(len(A))
    C[i, i] = np.log(C[i, i])
    return np.asarray(C[lower(len(A))])


def in_coordinates(slope_of: Callable[[Array], tuple[float, Array]], p: Array, M: int) -> tuple[float, Array]:
    """Return a function of A and its gradient in the coordinates p."""
    C = unpack(p, M)
    value, slope = slope_of(C @ C.T)
    gradient = 2 * slope @ C
    i = np.arange(M)
    gradient[i, i] *= C[i, i]
    return value, np.asarray(gradient[lower(M)])


def gradient_and_hessian(value_and_gradient: Callable[[Array], tuple[float, Array]], p: Array) -> tuple[Array, Array]:
    """Return the gradient at p and the Hessian by central differences of gradients."""
    h = 1e-5
    rows = [(value_and_gradient(p + h * e)[1] - value_and_gradient(p - h * e)[1]) / (2 * h) for e in np.eye(len(p))]
    H = np.array(rows)
    return value_and_gradient(p)[1], (H + H.T) / 2


def minimise(value_and_gradient: Callable[[Array], tuple[float, Array]], start: Array, scale: float) -> tuple[Array, int]:
    """Return a minimum near `start` and the number of evaluations: BFGS, then Newton steps while they help."""
    from scipy.optimize import minimize

    count = 0

    def scaled(p: Array) -> tuple[float, Array]:
        nonlocal count
        count += 1
        try:
            value, gradient = value_and_gradient(p)
        except ValueError:  # a trial step so long that the kernel is singular or overflows there: no step to take
            return np.inf, np.zeros_like(p)
        return value / scale, gradient / scale

    value_and_gradient(start)  # where it is singular at the start, say so
    with np.errstate(all="ignore"):  # a trial step may overflow, and is refused
        best = np.asarray(minimize(scaled, start, jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 2000}).x)
    size = np.abs(scaled(best)[1]).max()
    for _ in range(3):
        if size < 1e-11:
            break
        gradient, H = gradient_and_hessian(scaled, best)
        if not np.all(np.isfinite(H)) or np.linalg.eigvalsh(H)[0] <= 0:
            break
        trial = best - np.linalg.solve(H, gradient)
        found = np.abs(scaled(trial)[1]).max()
        if not found < size:
            break
        best, size = trial, found
    return best, count


def saddle(
    task: Task, width: int, *, measure: Measure = "log", start: ArrayLike | None = None, tolerance: float = 1e-8
) -> Saddle:
    """Return the renormalisation matrix U of a network of this width (`eq-saddle-point`).

    The action is minimised over the Cholesky factor of U by BFGS with the exact gradient, and polished by Newton steps.
    task : a Task. width : N >= 1; the theory asks for N much larger than M. measure : "log" is the theory's saddle,
    exponent N of det U; "flat" is the mode of the density of A itself, exponent N - M - 1, for comparison. start : (M, M),
    where to begin; sigma^2 I by default. tolerance : largest residual accepted. Raises ValueError when it is not reached.
    Source: Li & Sompolinsky 2022, re-derived in the chapter.
    """
    one, N = as_task(task), as_count("width", width)
    exponent(one, N, measure)
    accepted = as_scalar("tolerance", tolerance, nonnegative=True)
    M = one.n_gates
    first = one.variance * np.eye(M) if start is None else _positive(one, start)

    def slope_of(A: Array) -> tuple[float, Array]:
        return _slope(one, A, N, measure)

    best, steps = minimise(lambda p: in_coordinates(slope_of, p, M), pack(first), float(N))
    C = unpack(best, M)
    U = finite_result("U", C @ C.T)
    value, slope = slope_of(U)
    residual = float(np.abs(slope).max()) * one.variance / N
    if not residual <= accepted:
        raise ValueError(
            f"the saddle point was not found: residual {residual:.1e} is above tolerance {accepted:.0e}; raise temperature, "
            "rescale y to be of order one, or give another start"
        )
    return Saddle(U, value, residual, steps)
