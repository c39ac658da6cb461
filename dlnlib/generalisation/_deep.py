"""Students with a hidden layer: the error of modes that learn in order, and simulated two-layer students."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, as_array, as_count, as_modes, as_rng, as_scalar, as_times, finite_result
from dlnlib.generalisation._simulate import train
from dlnlib.initialise import gaussian
from dlnlib.moments import Moments
from dlnlib.simulate import gradient_flow

__all__ = ["deep_students", "strengths_error"]


def strengths_error(u: ArrayLike, modes: Any, teacher: ArrayLike) -> Array:
    """Return the excess error of a network with strengths u in the modes of noisy data, (...)   (`eq-strengths-error`).

    |W - W*|_F^2 = |W*|_F^2 + sum_k u_k (u_k - 2 o_k), W = sum_k u_k U_k V_k^T, o_k = U_k^T W* V_k: what mode k should become
    is the part of the teacher that it sees, not the singular value s_k of the data.

    u : (..., r). modes : `Modes` of the data, r of them. teacher : W*, (d_out, d_in). Exact for any W of this form, white
    new inputs.
    """
    W = as_array("teacher", teacher, ndim=2)
    found = as_modes(modes, d_in=W.shape[1], d_out=W.shape[0])
    strengths = as_array("u", u)
    r = len(found.s)
    if strengths.ndim < 1 or strengths.shape[-1] != r:
        raise ValueError(f"u must have shape (..., {r}), one strength a mode, got {strengths.shape}")
    with np.errstate(all="ignore"):
        seen = np.einsum("ik,ij,kj->k", found.U, W, found.Vt)
        return finite_result("the excess error", np.sum(W**2) + np.sum(strengths * (strengths - 2 * seen), axis=-1))


def deep_students(
    t: ArrayLike,
    inputs: int,
    samples: int,
    draws: int,
    *,
    rng: np.random.Generator,
    noise: float,
    hidden: int,
    scale: float,
    teacher: float = 1.0,
) -> tuple[Array, Array, Array]:
    """Draw examples as `students` does, and train on each a two-layer student with one output and the linear one from zero.

    Returns the excess errors of the deep students (draws, n_t), of the linear ones (draws, n_t), and what the
    deep ones have in directions without examples (draws, n_t): |w_2(t) W_1(0) N|^2, N the projector on the null space of X.

    t : (n_t,). inputs : d. samples : n. draws : at least 2. noise, teacher : as in the package. hidden : h. scale : standard
    deviation of every entry of the weights at the start. Integrated with relative tolerance 1e-6.
    """
    time, d, n = as_times("t", t, increasing=True), as_count("inputs", inputs), as_count("samples", samples)
    count, h, generator = as_count("draws", draws, minimum=2), as_count("hidden", hidden), as_rng(rng)
    if d * h > 20_000 or n > 50_000 or count > 10_000:
        raise ValueError(f"{count} draws with d = {d}, n = {n}, h = {h} are too many; take fewer")
    variance, w_var = as_scalar("noise", noise, nonnegative=True), as_scalar("teacher", teacher, nonnegative=True)
    found = []
    for _ in range(count):
        X = generator.standard_normal((n, d))
        w = np.sqrt(w_var / d) * generator.standard_normal(d)
        y = X @ w + np.sqrt(variance) * generator.standard_normal(n)
        moments = Moments.from_data(X, y[:, None])
        begin = gaussian((d, h, 1), rng=generator, scale=scale)
        deep = gradient_flow(begin, moments, time, rtol=1e-6, atol=1e-9, max_evaluations=20_000)
        linear = train(time, X, y, w, np.zeros(d), np.ones(d), 0.0)[0]
        null = np.linalg.svd(X)[2][min(n, d) :]
        thawed = np.sum((deep.weights[1] @ begin[0] @ null.T)[:, 0] ** 2, axis=1)
        found.append([np.sum((deep.product[:, 0] - w) ** 2, axis=1), linear, thawed])
    deep_error, linear_error, thawed = (finite_result("the errors", np.array(part)) for part in zip(*found, strict=True))
    return deep_error, linear_error, thawed
