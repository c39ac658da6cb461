"""The task of a globally gated network: inputs, gates and answers, and the kernel that its renormalisation matrix makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._linalg import TINY, asymmetry
from dlnlib._validate import Array, as_array, as_scalar, finite_result

__all__ = ["Prediction", "Task", "as_new", "as_task", "factor_of", "gate_kernel", "given", "solve_lower"]


@dataclass(frozen=True, eq=False)
class Task:
    """Examples for f(x) = (N M d)^(-1/2) sum_im a_im g_m(x) w_i . x, the network of `def-global-network`.

    X : (n, d), inputs. gates : (n, M), the gates g_m of each input, any numbers. y : (n,), answers. variance : sigma^2 of
    every weight under the prior. temperature : T of the posterior, the variance of the noise on the answers; 0 for answers
    that have to be met exactly. Raises ValueError for an example all of whose gates are zero: the network is silent there.
    """

    X: Array
    gates: Array
    y: Array
    variance: float
    temperature: float
    gram: Array  # X X^T/d

    def __init__(self, X: ArrayLike, gates: ArrayLike, y: ArrayLike, *, variance: float = 1.0, temperature: float = 0.01) -> None:
        inputs, open_, answers = as_array("X", X, ndim=2), as_array("gates", gates, ndim=2), as_array("y", y, ndim=1)
        if not len(inputs) == len(open_) == len(answers):
            raise ValueError(
                f"X, gates and y must have one row an example, got {len(inputs)}, {len(open_)} and {len(answers)} rows"
            )
        silent = np.flatnonzero(~np.any(open_, axis=1))
        if len(silent):
            raise ValueError(
                f"gates are all zero on {len(silent)} example(s), the first is number {silent[0]}: nothing can be learnt "
                "there; leave them out, or add a gate that is always open"
            )
        object.__setattr__(self, "X", inputs)
        object.__setattr__(self, "gates", open_)
        object.__setattr__(self, "y", answers)
        object.__setattr__(self, "variance", as_scalar("variance", variance, positive=True))
        object.__setattr__(self, "temperature", as_scalar("temperature", temperature, nonnegative=True))
        with np.errstate(over="ignore", invalid="ignore"):
            object.__setattr__(self, "gram", inputs @ inputs.T / inputs.shape[1])
        finite_result("the kernel", gate_kernel(self, np.eye(self.n_gates)))

    @property
    def n(self) -> int:
        """Number of examples."""
        return len(self.y)

    @property
    def n_gates(self) -> int:
        """M, the number of gates."""
        return self.gates.shape[1]

    def kernel(self, U: ArrayLike, X: ArrayLike | None = None, gates: ArrayLike | None = None) -> Array:
        """Return K_U (`def-gated-kernel`) between new inputs, or the examples themselves, and the examples.

        X : (n_new, d). gates : (n_new, M). U : (..., M, M), symmetric. Returns (..., n_new, n); without temperature.
        """
        matrix = as_renormalisation(U, self.n_gates)
        new = None if X is None and gates is None else as_new(self, X, gates)
        return finite_result("the kernel", gate_kernel(self, matrix, new))

    def predict(self, U: ArrayLike, X: ArrayLike, gates: ArrayLike) -> Prediction:
        """Return the Gaussian prediction of the kernel K_U at new inputs (`def-gated-prediction`).

        U : (M, M), symmetric, positive definite; sigma^2 I gives the infinitely wide network. X : (n_new, d). gates : (n_new,
        M); where all are zero the output is zero with certainty. Raises ValueError where K_U + T is singular.
        """
        matrix = as_renormalisation(U, self.n_gates)
        if matrix.ndim != 2:
            raise ValueError(f"U must be one matrix ({self.n_gates}, {self.n_gates}), got shape {matrix.shape}")
        return Prediction(*given(self, matrix, as_new(self, X, gates)))


@dataclass(frozen=True, eq=False)
class Prediction:
    """What is expected of f at new inputs: mean (n_new,) and variance (n_new,)."""

    mean: Array
    variance: Array


New = tuple[Array, Array]


def as_task(task: object) -> Task:
    """Return the task, or say what came instead."""
    if not isinstance(task, Task):
        raise ValueError(f"task must be a global_gates.Task, got {type(task).__name__}; make one of X, gates and y")
    return task


def as_new(task: Task, X: ArrayLike | None, gates: ArrayLike | None) -> New:
    """Return new inputs and their gates, if they fit the task."""
    if X is None or gates is None:
        raise ValueError("give X and gates of the new inputs together; gates belong to the data")
    inputs, open_ = as_array("X", X, ndim=2), as_array("gates", gates, ndim=2)
    if inputs.shape[1] != task.X.shape[1] or open_.shape != (len(inputs), task.n_gates):
        raise ValueError(
            f"new inputs need X (n_new, {task.X.shape[1]}) and gates (n_new, {task.n_gates}), "
            f"got {inputs.shape} and {open_.shape}"
        )
    return inputs, open_


def as_renormalisation(U: ArrayLike, n_gates: int) -> Array:
    """Return symmetric matrices (..., M, M)."""
    matrix = as_array("U", U)
    if matrix.ndim < 2 or matrix.shape[-2:] != (n_gates, n_gates):
        raise ValueError(f"U must have shape (..., {n_gates}, {n_gates}), a row and a column a gate, got {matrix.shape}")
    with np.errstate(over="ignore"):
        skewed = any(asymmetry(one) > 1e-8 for one in matrix.reshape(-1, n_gates, n_gates))
    if skewed:
        raise ValueError("U must be symmetric; take (U + U.T)/2 if it was meant to be")
    return matrix


def gate_kernel(task: Task, A: Array, new: New | None = None) -> Array:
    """Return (sigma^2/M) (x . x'/d) g(x)^T A g(x') for A (..., M, M), without checks, (..., n_new or n, n)."""
    with np.errstate(over="ignore", invalid="ignore"):
        gram = task.gram if new is None else new[0] @ task.X.T / task.X.shape[1]
        gates = task.gates if new is None else new[1]
        return task.variance / task.n_gates * gram * (gates @ A @ task.gates.T)


def factor_of(task: Task, K: Array) -> Array:
    """Return the Cholesky factor of K + T, (..., n, n); ValueError where it is singular to rounding."""
    Kt = finite_result("the kernel", K + task.temperature * np.eye(task.n))
    try:
        L = np.linalg.cholesky(Kt)
    except np.linalg.LinAlgError:
        L = np.zeros((1, 1))
    pivots = np.diagonal(L, axis1=-2, axis2=-1) ** 2
    size = np.diagonal(Kt, axis1=-2, axis2=-1).max()
    if np.any(pivots <= 1e-13 * max(size, TINY)):
        rank = task.n_gates * task.X.shape[1]
        raise ValueError(
            f"the kernel of {task.n} examples plus the temperature {task.temperature:g} is singular (its rank is at most "
            f"M d = {rank}): raise temperature, or leave out examples that others determine"
        )
    return np.asarray(L)


def solve_lower(L: Array, right: Array) -> Array:
    """Return L^-1 right for lower triangular L (..., n, n) and right (..., n, k)."""
    # A general solve: for batches of the sizes here it is faster than one triangular solve after another.
    return np.asarray(np.linalg.solve(L, np.broadcast_to(right, (*L.shape[:-1], right.shape[-1]))))


def given(task: Task, A: Array, new: New) -> tuple[Array, Array]:
    """Return mean and variance (..., n_new) of f at new inputs, for the kernels of A (..., M, M)."""
    L = factor_of(task, gate_kernel(task, A))
    cross = np.swapaxes(finite_result("the kernel of the new inputs", gate_kernel(task, A, new)), -1, -2)
    X, gates = new
    with np.errstate(over="ignore", invalid="ignore"):
        halves = solve_lower(L, np.concatenate([cross, np.broadcast_to(task.y[:, None], (*cross.shape[:-1], 1))], axis=-1))
        left, right = halves[..., :-1], halves[..., -1]
        mean = np.einsum("...ij,...i->...j", left, right)
        own = task.variance / (task.n_gates * X.shape[1]) * np.sum(X**2, axis=1)
        own = own * np.einsum("im,...mk,ik->...i", gates, A, gates)
        variance = np.maximum(own - np.sum(left**2, axis=-2), 0.0)
    return finite_result("the mean of the prediction", mean), finite_result("the variance of the prediction", variance)
