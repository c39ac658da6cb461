"""The exact posterior of a network of finite width, on two roads: Gibbs sampling of weights, and draws of their moments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._linalg import transpose
from dlnlib._validate import Array, as_array, as_count, as_rng, finite_result
from dlnlib.global_gates._saddle import data_term, gradient_and_hessian, in_coordinates, lower, minimise, pack, saddle, unpack
from dlnlib.global_gates._task import New, Task, as_new, as_task, factor_of, gate_kernel, given, solve_lower

__all__ = ["Posterior", "draw_network", "gibbs", "mixture", "network_outputs"]


@dataclass(frozen=True, eq=False)
class Posterior:
    """What samples of the posterior say of f at new inputs, with the errors of sampling.

    mean, variance : (n_new,), of f. standard_error : (n_new,), of the mean. A : (M, M), mean of A = sum_i a_i a_i^T/N.
    A_error : (M, M), its standard errors. effective : number of independent draws that would say as much of A. agreement :
    potential scale reduction of the chains, near 1 when they have mixed (1 for independent draws). networks : the last
    a (chains, N, M) and W (chains, N, d) of Gibbs chains, draws of the posterior; None where no weights were drawn.
    """

    mean: Array
    variance: Array
    standard_error: Array
    A: Array
    A_error: Array
    effective: float
    agreement: float
    networks: tuple[Array, Array] | None = None


def draw_network(task: Task, width: int, *, rng: np.random.Generator, draws: int = 1) -> tuple[Array, Array]:
    """Return readouts a (draws, N, M) and first-layer weights W (draws, N, d) drawn from the prior.

    task : gives M, d and sigma^2. width : N. draws : how many networks.
    """
    one, N, count, generator = as_task(task), as_count("width", width), as_count("draws", draws), as_rng(rng)
    s = np.sqrt(one.variance)
    return (
        s * generator.standard_normal((count, N, one.n_gates)),
        s * generator.standard_normal((count, N, one.X.shape[1])),
    )


def network_outputs(a: ArrayLike, W: ArrayLike, X: ArrayLike, gates: ArrayLike) -> Array:
    """Return f (..., n) of `def-global-network`.

    a : (..., N, M), readouts. W : (..., N, d), first layer. X : (n, d). gates : (n, M).
    """
    readout, first = as_array("a", a), as_array("W", W)
    inputs, open_ = as_array("X", X, ndim=2), as_array("gates", gates, ndim=2)
    if readout.ndim < 2 or first.ndim < 2 or readout.shape[:-1] != first.shape[:-1]:
        raise ValueError(f"a (..., N, M) and W (..., N, d) must have the same units, got {readout.shape} and {first.shape}")
    if (len(inputs), inputs.shape[1], open_.shape[1]) != (len(open_), first.shape[-1], readout.shape[-1]):
        raise ValueError(
            f"X must be (n, {first.shape[-1]}) and gates (n, {readout.shape[-1]}), got {inputs.shape} and {open_.shape}"
        )
    return finite_result("the output", outputs(readout, first, inputs, open_))


def outputs(a: Array, W: Array, X: Array, gates: Array) -> Array:
    """Return the same without checks."""
    factor = (a.shape[-2] * a.shape[-1] * X.shape[1]) ** -0.5
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(factor * np.sum((X @ transpose(W)) * (gates @ transpose(a)), axis=-1))


def _sweep(task: Task, a: Array, W: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return new weights: W given a, then a given W, each drawn exactly by Matheron's rule."""
    n, d, M, N = task.n, task.X.shape[1], task.n_gates, a.shape[-2]
    s, factor = np.sqrt(task.variance), (N * M * d) ** -0.5
    noise = np.sqrt(task.temperature)
    gated = task.gates @ transpose(a)  # (chains, n, N)
    prior = s * rng.standard_normal(W.shape)
    miss = task.y - outputs(a, prior, task.X, task.gates) - noise * rng.standard_normal((len(a), n))
    K = gate_kernel(task, transpose(a) @ a / N)
    pull = _solve(task, K, miss)
    W = prior + task.variance * factor * transpose(gated * pull[..., None]) @ task.X
    hidden = task.X @ transpose(W)
    prior = s * rng.standard_normal(a.shape)
    miss = task.y - outputs(prior, W, task.X, task.gates) - noise * rng.standard_normal((len(a), n))
    K = task.variance * factor**2 * (hidden @ transpose(hidden)) * (task.gates @ task.gates.T)
    pull = _solve(task, K, miss)
    return prior + task.variance * factor * transpose(hidden * pull[..., None]) @ task.gates, W


def _solve(task: Task, K: Array, right: Array) -> Array:
    L = factor_of(task, K)
    return np.asarray(solve_lower(transpose(L), solve_lower(L, right[..., None]))[..., 0])


def gibbs(
    task: Task,
    width: int,
    X: ArrayLike,
    gates: ArrayLike,
    *,
    rng: np.random.Generator,
    sweeps: int = 400,
    burn: int = 100,
    chains: int = 16,
) -> Posterior:
    """Return the posterior of f at new inputs by block Gibbs sampling of all weights.

    A sweep draws all first-layer weights given the readouts, then all readouts given them; both conditionals are Gaussian.
    f is linear in the first layer, so that mean and variance given the readouts enter instead of a draw of f.
    task : a Task. width : N >= 1, any. X : (n_new, d). gates : (n_new, M). sweeps : kept, of each chain; burn : before that,
    from a draw of the prior. chains : at least 2, independent, which gives the errors. Exact as sweeps grow; look at
    `agreement`, above all where n exceeds N M and the temperature is small. At T = 0 it needs n <= M min(N, d).
    """
    one, N, new, generator = as_task(task), as_count("width", width), as_new(task, X, gates), as_rng(rng)
    kept, before, count = as_count("sweeps", sweeps, minimum=4), as_count("burn", burn, minimum=0), as_count("chains", chains)
    if count < 2:
        raise ValueError(f"chains must be at least 2, so that their spread gives the error, got {count}")
    a, W = draw_network(one, N, rng=generator, draws=count)
    means, seconds, moments = np.zeros((count, len(new[0]))), np.zeros((count, len(new[0]))), []
    for step in range(before + kept):
        a, W = _sweep(one, a, W, generator)
        if step >= before:
            A = transpose(a) @ a / N
            mean, variance = given(one, A, new)
            means += mean / kept
            seconds += _second(mean, variance) / kept
            moments.append(A)
    path = np.array(moments)  # (kept, chains, M, M)
    own = path.mean(axis=0)
    spread = own.std(axis=0, ddof=1) / np.sqrt(count)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = means.mean(axis=0)
        found = Posterior(
            mean,
            seconds.mean(axis=0) - mean**2,
            means.std(axis=0, ddof=1) / np.sqrt(count),
            own.mean(axis=0),
            spread,
            _effective(path, spread),
            _agreement(path),
            (a, W),
        )
    return _checked(found)


def _effective(path: Array, spread: Array) -> float:
    i = np.arange(path.shape[-1])
    within = path.reshape(-1, *path.shape[2:]).var(axis=0)
    return float(np.min(within[i, i] / np.maximum(spread[i, i] ** 2, 1e-300)))


def _agreement(path: Array) -> float:
    """Return the largest potential scale reduction over the entries of A, from halves of chains (Gelman & Rubin 1992)."""
    half = len(path) // 2
    halves = np.concatenate([path[:half], path[half : 2 * half]], axis=1)
    within = halves.var(axis=0, ddof=1).mean(axis=0)
    between = halves.mean(axis=0).var(axis=0, ddof=1)
    return float(np.sqrt(np.max((half - 1) / half + between / within)))


def mixture(
    task: Task, width: int, X: ArrayLike, gates: ArrayLike, *, rng: np.random.Generator, draws: int = 2000, batch: int = 200
) -> Posterior:
    """Return the same posterior as `gibbs`, by weighted independent draws of the M x M matrix A (`eq-mixture`).

    No weights appear: A has a Wishart prior, and given A the network is a Gaussian process. Draws come from a Student t (seven
    degrees of freedom) around the mode, in the coordinates of the Cholesky factor, and are weighted by the exact density.
    task : a Task. width : N >= M. X : (n_new, d). gates : (n_new, M). draws : at least 100. batch : handled together.
    Exact as draws grow; `effective` is how many unweighted draws they are worth. Meant for a few gates, M (M + 1)/2 <= 40.
    """
    one, N, new, generator = as_task(task), as_count("width", width), as_new(task, X, gates), as_rng(rng)
    count, size, M = as_count("draws", draws, minimum=100), as_count("batch", batch), one.n_gates
    if N < M:
        raise ValueError(f"width must be at least M = {M}, or A is singular and has no density, got {N}; use gibbs")
    mode, spread = _proposal(one, N)
    dof, k = 7.0, len(mode)
    normal = generator.standard_normal((count, k))
    stretch = np.sqrt(dof / generator.chisquare(dof, count))[:, None]
    drawn = mode + stretch * normal @ spread.T
    log_q = -0.5 * (dof + k) * np.log1p(np.sum((stretch * normal) ** 2, axis=1) / dof)
    C = unpack(drawn, M)
    trace = N / (2 * one.variance) * np.sum(C**2, axis=(1, 2))
    log_p = np.log(np.diagonal(C, axis1=-2, axis2=-1)) @ (N - np.arange(M)) - trace
    # A draw far out in the tails has weight zero to every digit, and a kernel too large for its temperature.
    near = trace < trace.min() + one.n + 300
    C, log_p, log_q = C[near], log_p[near], log_q[near]
    A = C @ transpose(C)
    parts = [_weighed(one, A[i : i + size], new) for i in range(0, len(A), size)]
    evidence, mean, variance = (np.concatenate(part) for part in zip(*parts, strict=True))
    second = _second(mean, variance)
    log_weight = log_p - 0.5 * evidence - log_q
    weight = np.exp(log_weight - np.max(log_weight))
    weight /= weight.sum()
    if 1 / np.sum(weight**2) < 20:
        raise ValueError(
            f"the {count} draws are worth {1 / np.sum(weight**2):.0f} only, too few to trust their mean: give more draws, "
            "or use gibbs, which suits narrow networks"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        centre, A_mean = weight @ mean, np.einsum("b,bmn->mn", weight, A)
        square = weight**2
        found = Posterior(
            centre,
            weight @ second - centre**2,
            np.sqrt(square @ (mean - centre) ** 2),
            A_mean,
            np.sqrt(np.einsum("b,bmn->mn", square, (A - A_mean) ** 2)),
            float(1 / square.sum()),
            1.0,
        )
    return _checked(found)


def _second(mean: Array, variance: Array) -> Array:
    """Return E f^2, if float64 holds it."""
    with np.errstate(over="ignore"):
        return finite_result("the second moment of the prediction", variance + mean**2)


def _checked(found: Posterior) -> Posterior:
    """Return what was found, if float64 held its sums."""
    for what, value in (("mean", found.mean), ("variance", found.variance), ("standard error", found.standard_error)):
        finite_result(f"the {what} of the posterior", value)
    return found


def _weighed(task: Task, A: Array, new: New) -> tuple[Array, Array, Array]:
    L = factor_of(task, gate_kernel(task, A))
    half = solve_lower(L, task.y[:, None])[..., 0]
    evidence = 2 * np.sum(np.log(np.diagonal(L, axis1=-2, axis2=-1)), axis=-1) + np.sum(half**2, axis=-1)
    return evidence, *given(task, A, new)


def _proposal(task: Task, width: int) -> tuple[Array, Array]:
    """Return mode and root of the covariance of the posterior of A, in the coordinates of its Cholesky factor."""
    M = task.n_gates
    diagonal = np.flatnonzero(np.equal(*lower(M)))
    powers = width - np.arange(M)  # dA = 2^M prod_i C_ii^(M + 1 - i) dC, and one more power from the logarithm

    def slope_of(A: Array) -> tuple[float, Array]:
        value, slope = data_term(task, A)
        return value + width / task.variance * float(np.trace(A)), slope + width / task.variance * np.eye(M)

    def twice_minus_log(p: Array) -> tuple[float, Array]:
        value, gradient = in_coordinates(slope_of, p, M)
        gradient[diagonal] -= 2 * powers
        return value - 2 * float(powers @ p[diagonal]), gradient

    mode, _ = minimise(twice_minus_log, pack(saddle(task, width).U), float(width))
    _, H = gradient_and_hessian(twice_minus_log, mode)
    if not np.all(np.isfinite(H)) or not np.linalg.eigvalsh(H)[0] > 0:
        raise ValueError(
            "the mode of the posterior of A was not found: raise temperature, rescale y to be of order one, or use gibbs"
        )
    return mode, np.linalg.cholesky(np.linalg.inv(H / 2))
