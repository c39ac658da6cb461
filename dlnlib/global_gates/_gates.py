"""Gates, and the kernels to which many random half-spaces lead."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, as_array, as_count, as_scalar, finite_result
from dlnlib.global_gates._scale import saddle_scale_two_layers
from dlnlib.global_gates._task import Task, as_task

__all__ = [
    "half_space_gates",
    "half_space_kernel",
    "one_hot_gates",
    "output_gates",
    "output_scales",
    "related_tasks",
    "relu_kernel",
    "task_error",
]


def one_hot_gates(labels: ArrayLike, tasks: int) -> Array:
    """Return gates (n, M) that are open where the label is theirs: g_m = 1 for task m, 0 for others.

    labels : (n,), integers from 0 to tasks - 1. tasks : M.
    """
    label, M = np.asarray(labels), as_count("tasks", tasks)
    if label.ndim != 1 or label.dtype.kind not in "iu" or not len(label):
        raise ValueError(f"labels must be a list of integers, one an example, got {label.dtype} of shape {label.shape}")
    if label.min() < 0 or label.max() >= M:
        raise ValueError(f"labels must lie between 0 and tasks - 1 = {M - 1}, got {label.min()} to {label.max()}")
    return np.eye(M)[label]


def half_space_gates(X: ArrayLike, directions: ArrayLike, both_sides: bool = False) -> Array:
    """Return gates that are open on one side of a hyperplane through zero: g_m(x) = 1 where v_m . x > 0.

    X : (n, d). directions : (k, d), the v_m. both_sides : also gates for the -v_m, behind the others, so that no input finds
    all gates closed. Returns (n, k) or (n, 2 k).
    """
    inputs, v = as_array("X", X, ndim=2), as_array("directions", directions, ndim=2)
    if inputs.shape[1] != v.shape[1]:
        raise ValueError(f"directions must have one column an input, {inputs.shape[1]}, got {v.shape}")
    with np.errstate(over="ignore", invalid="ignore"):
        side = finite_result("X directions^T", inputs @ v.T)
    return np.asarray(np.hstack([side > 0, side < 0] if both_sides else [side > 0]), dtype=np.float64)


def output_gates(gates: ArrayLike, outputs: int) -> Array:
    """Return gates (C n, C M) that turn C outputs of one network into C answers of a network with one output.

    Output c of input x becomes the answer to x with the gates sqrt(C) e_c (x) g(x); rows run through all inputs for the first
    output, then for the second, so that inputs are np.tile(X, (C, 1)) and answers Y.T.ravel(). gates : (n, M), of the inputs.
    outputs : C. The kernel is then exactly that of the network with C outputs (`def-output-gates`).
    """
    open_, C = as_array("gates", gates, ndim=2), as_count("outputs", outputs)
    with np.errstate(over="ignore"):
        return finite_result("sqrt(C) times a gate", np.asarray(np.sqrt(C) * np.kron(np.eye(C), open_)))


def output_scales(X: ArrayLike, Y: ArrayLike, width: int, variance: float) -> Array:
    """Return U (C, C) of a two-layer linear network with C outputs at T = 0, in closed form (`eq-mode-scales`).

    U has the eigenvectors of S = Y^T (sigma^2 X X^T/d)^-1 Y/n, and each eigenvalue solves `eq-scale-closed` with that of S
    in the place of r_0. X : (n, d), n <= d and of full rank. Y : (n, C). width : N. variance : sigma^2.
    """
    inputs, answers = as_array("X", X, ndim=2), as_array("Y", Y, ndim=2)
    N, s2 = as_count("width", width), as_scalar("variance", variance, positive=True)
    n, d = inputs.shape
    if len(answers) != n:
        raise ValueError(f"X and Y must have one row an example, got {n} and {len(answers)}")
    with np.errstate(over="ignore", invalid="ignore"):
        K = finite_result("the kernel", s2 * inputs @ inputs.T / d)
    if n > d or np.linalg.cond(K) > 1e12:
        raise ValueError(f"the kernel X X^T of {n} examples with {d} inputs is singular; give at most d independent examples")
    with np.errstate(over="ignore", invalid="ignore"):
        S = finite_result("the matrix S that the answers ask for", answers.T @ np.linalg.solve(K, answers) / n)
    asked, basis = np.linalg.eigh(S)
    scales = saddle_scale_two_layers(n / N, np.maximum(asked, 0.0), s2)
    with np.errstate(over="ignore", invalid="ignore"):
        return finite_result("U", np.asarray((basis * scales) @ basis.T))


def _angle(X: ArrayLike, X2: ArrayLike | None) -> tuple[Array, Array, Array]:
    """Return x . x', |x||x'| and the angle between all pairs of rows, (n, n_2) each."""
    first = as_array("X", X, ndim=2)
    second = first if X2 is None else as_array("X2", X2, ndim=2)
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"X and X2 must have equally many columns, got {first.shape} and {second.shape}")
    with np.errstate(over="ignore", invalid="ignore"):
        inner = finite_result("x . x'", first @ second.T)
        sizes = finite_result("|x||x'|", np.outer(np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1)))
    unit = np.where(sizes > 0, sizes, 1.0)
    return inner, sizes, np.arccos(np.clip(inner / unit, -1.0, 1.0))


def half_space_kernel(X: ArrayLike, X2: ArrayLike | None = None) -> Array:
    """Return x . x' (pi - theta)/(2 pi), the kernel of infinitely many random half-space gates (`eq-half-space`).

    X : (n, d). X2 : (n_2, d), or None for X itself. theta : angle between x and x'. Returns (n, n_2), without sigma^2/d.
    """
    inner, _, theta = _angle(X, X2)
    return np.asarray(inner * (np.pi - theta) / (2 * np.pi))


def relu_kernel(X: ArrayLike, X2: ArrayLike | None = None) -> Array:
    """Return E[relu(v . x) relu(v . x')] for v ~ N(0, I), the kernel of a wide layer of ReLU units (`eq-relu-gap`).

    X : (n, d). X2 : (n_2, d), or None for X itself. Returns (n, n_2). Source: Cho & Saul 2009.
    """
    inner, sizes, theta = _angle(X, X2)
    return np.asarray((sizes * np.sin(theta) + inner * (np.pi - theta)) / (2 * np.pi))


def related_tasks(
    correlation: float, *, tasks: int = 3, examples: int = 24, inputs: int = 30, temperature: float = 0.01, seed: int = 0
) -> tuple[Task, Array]:
    """Return tasks with related linear teachers, each with inputs of its own, as one `Task` with one-hot gates; and the teachers.

    Teacher m is sqrt(c) v_0 + sqrt(1 - c) v_m with independent v of entries N(0, 1/d), answers are w_m . x without noise, and
    inputs are N(0, I). correlation : c in [0, 1]. tasks : M. examples : of each task. inputs : d. temperature : T.
    seed : a count; the same v and inputs for every correlation. Returns a Task of M examples rows and teachers (M, d).
    """
    c = as_scalar("correlation", correlation, nonnegative=True)
    M, n, d = as_count("tasks", tasks), as_count("examples", examples), as_count("inputs", inputs)
    if c > 1:
        raise ValueError(f"correlation must be at most 1, got {c:g}")
    rng = np.random.default_rng([as_count("seed", seed, minimum=0), 9])
    common, own = rng.standard_normal(d), rng.standard_normal((M, d))
    X = rng.standard_normal((M, 200, d))[:, :n] if n <= 200 else rng.standard_normal((M, n, d))
    teachers = (np.sqrt(c) * common + np.sqrt(1 - c) * own) / np.sqrt(d)
    y = np.einsum("mnd,md->mn", X, teachers)
    labels = np.repeat(np.arange(M), n)
    return Task(X.reshape(-1, d), one_hot_gates(labels, M), y.ravel(), temperature=temperature), teachers


def task_error(task: Task, U: ArrayLike, teachers: ArrayLike) -> float:
    """Return the mean square error of the predicted mean on new inputs N(0, I), averaged over tasks.

    The prediction is linear within a task, so that its weights are read off at the unit vectors and no test set is drawn.
    task : from `related_tasks`. U : (M, M). teachers : (M, d).
    """
    X, gates = unit_inputs(as_task(task))
    return error_of_mean(task.predict(U, X, gates).mean, teachers)


def unit_inputs(task: Task) -> tuple[Array, Array]:
    """Return all unit vectors for each one-hot gate in turn: (M d, d) and (M d, M)."""
    M, d = task.n_gates, task.X.shape[1]
    return np.tile(np.eye(d), (M, 1)), np.repeat(np.eye(M), d, axis=0)


def error_of_mean(mean: Any, teachers: ArrayLike) -> float:
    """Return the mean over tasks of |w - w*|^2 for means at `unit_inputs`."""
    w = as_array("teachers", teachers, ndim=2)
    if w.size != np.size(mean):
        raise ValueError(f"teachers must hold one weight a task and input, {np.size(mean)} in all, got shape {w.shape}")
    with np.errstate(over="ignore", invalid="ignore"):
        error = np.mean(np.sum((np.reshape(mean, w.shape) - w) ** 2, axis=1))
    return float(finite_result("the error", np.asarray(error)))
