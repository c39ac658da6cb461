"""The whole course of development in closed form, for inputs whose covariance commutes with the task."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dlnlib import exact
from dlnlib._linalg import TINY
from dlnlib._validate import Array, as_array, as_count, as_moments, as_scalar, as_times, finite_result
from dlnlib.moments import Modes, Moments

__all__ = [
    "commuting_modes",
    "descent_strength",
    "development",
    "final_similarity",
    "half_time",
    "hidden_similarity",
    "strength",
]


def strength(t: ArrayLike, m: ArrayLike, variance: ArrayLike, u0: ArrayLike, depth: float = 2) -> Array:
    """Return the strength of a mode whose inputs have this variance (`eq-item-modes`).

    Solves du/dt = L |u|^(2-2/L) (m - variance * u): the singular value m of yx sets the pace, the end is m / variance.

    t : units of tau. m : singular values of yx. variance : V_k^T xx V_k, positive; 1 / n for one-hot items. u0 : start.
    All broadcast. depth : layers L, as in `exact.strength`, whose assumptions and errors hold too.
    """
    pace, lam = _pace(m, variance)
    with np.errstate(over="ignore"):
        target, clock = finite_result("m / variance", pace / lam), finite_result("time", lam * as_array("t", t))
    return exact.strength(clock, target, u0, depth)


def half_time(m: ArrayLike, variance: ArrayLike, u0: ArrayLike, depth: float = 2) -> Array:
    """Return when a mode reaches half of its end m / variance (`eq-level-times`). Arguments as in `strength`: m, variance,
    u0, depth. For two layers it is ln(m / (variance u0) - 1) / (2 m), in units of tau.
    """
    pace, lam = _pace(m, variance)
    with np.errstate(over="ignore"):
        half = exact.half_time(finite_result("m / variance", pace / lam), u0, depth)
        return finite_result("the half time", np.asarray(half / lam))[()]


def _pace(m: ArrayLike, variance: ArrayLike) -> tuple[Array, Array]:
    pace, lam = as_array("m", m), as_array("variance", variance)
    if np.any(lam <= 0):
        raise ValueError(f"variance must be positive, got {lam.min():g}; a direction that never varies is never learnt")
    try:
        np.broadcast_shapes(pace.shape, lam.shape)
    except ValueError:
        raise ValueError(f"m {pace.shape} and variance {lam.shape} do not broadcast; add axes") from None
    return pace, lam


def commuting_modes(moments: Moments, *, tol: float = 1e-8) -> tuple[Modes, Array]:
    """Return modes of yx in which xx is diagonal as well, and the variance of the inputs along each, (r,).

    Modes with m = 0 are left out. Within a group of equal m the modes are turned to eigenvectors of xx.
    tol : how far xx may be from mapping each V_k to a multiple of itself, relative to its largest entry.
    Raises ValueError where xx and yx^T yx do not commute: then no set of modes develops independently.
    """
    task, allowed = as_moments(moments), as_scalar("tol", tol, nonnegative=True)
    modes = task.modes()
    modes = modes.truncate(modes.rank)
    if len(modes.s) == 0:
        raise ValueError("yx is zero: there is nothing to learn, so there are no modes")
    U, V = modes.U.copy(), modes.V.copy()
    for chosen in levels(modes.s):
        Q = np.linalg.eigh(V[:, chosen].T @ task.xx @ V[:, chosen])[1][:, ::-1]
        if len(chosen) > 1:
            U[:, chosen], V[:, chosen] = U[:, chosen] @ Q, V[:, chosen] @ Q
    mapped = task.xx @ V
    variance = np.sum(V * mapped, axis=0)
    if np.abs(mapped - variance * V).max() / max(np.abs(task.xx).max(), TINY) > allowed:
        raise ValueError(
            "xx and yx^T yx do not commute, so the modes do not develop independently; use gradient_flow, "
            "or whiten the inputs first"
        )
    return Modes(U, modes.s, V.T), variance


def levels(s: Array, rtol: float = 1e-6) -> list[Array]:
    """Return the indices of each group of equal values in a decreasing list."""
    breaks = np.flatnonzero((s[:-1] - s[1:]) / s[0] > rtol) + 1
    return np.split(np.arange(len(s)), breaks)


def development(moments: Moments, t: ArrayLike, u0: ArrayLike, depth: float = 2) -> Array:
    """Return the end-to-end map at each time from a decoupled start of strength u0, (n_t, d_out, d_in) (`eq-item-modes`).

    t : (n_t,), units of tau. u0 : the same for every mode, or one for each of `commuting_modes`. depth : layers L.
    Modes with m = 0 start at zero. Raises ValueError where xx does not commute with the task.
    """
    modes, variance = commuting_modes(moments)
    u = _strengths(modes, variance, t, u0, depth)
    return (modes.U * u[:, None, :]) @ modes.Vt


def hidden_similarity(moments: Moments, t: ArrayLike, u0: ArrayLike) -> Array:
    """Return W_1^T W_1, the similarity of inputs in the hidden layer of two balanced layers, (n_t, d_in, d_in).

    V diag(u) V^T, since both layers share the strength (`eq-hidden-similarity`). Arguments t, u0 as in `development`.
    """
    modes, variance = commuting_modes(moments)
    u = _strengths(modes, variance, t, u0, 2)
    if np.any(u < 0):
        raise ValueError("u0 must not be negative: two balanced layers of one sign have u = a^2")
    return (modes.V * u[:, None, :]) @ modes.Vt


def _strengths(modes: Modes, variance: Array, t: ArrayLike, u0: ArrayLike, depth: float) -> Array:
    start = as_array("u0", u0)
    if start.shape not in ((), (len(modes.s),)):
        raise ValueError(f"u0 must be one number or ({len(modes.s)},), one for each mode, got shape {start.shape}")
    return strength(as_times("t", t)[:, None], modes.s, variance, start, depth)


def final_similarity(moments: Moments) -> Array:
    """Return the similarity of inputs in the hidden layer where two balanced layers end, V diag(m / variance) V^T, (d_in, d_in).

    For one-hot items it is (T^T T)^(1/2) with T the table of properties (`eq-balanced-similarity`). Inputs must commute with
    the task (`commuting_modes`); modes with m = 0 are taken to have died out.
    """
    modes, variance = commuting_modes(moments)
    with np.errstate(over="ignore"):
        return finite_result("the similarity", (modes.V * (modes.s / variance)) @ modes.Vt)


def descent_strength(m: ArrayLike, variance: ArrayLike, u0: ArrayLike, step: float, n_steps: int, *, depth: int = 2) -> Array:
    """Return the strength of a mode after 0, 1, ..., n_steps steps of gradient descent, (n_steps + 1, ...) (`eq-descent-map`).

    Each of L equal layers follows a <- a + step * a^(L-1) (m - variance * a^L), and u = a^L. Exact for any step.
    m, variance, u0 : as in `strength`, broadcast; u0 not negative when depth is even. step : the learning rate eta.
    Near the end it is stable for step below 2 / (L m (m / variance)^(1 - 2/L)), which is 1 / m for two layers.
    Raises ValueError once the strength leaves float64.
    """
    pace, lam = _pace(m, variance)
    eta, count, layers = as_scalar("step", step, positive=True), as_count("n_steps", n_steps, minimum=0), as_count("depth", depth)
    begin = as_array("u0", u0)
    if np.any(begin < 0) and layers > 1:
        raise ValueError("u0 must not be negative where layers are equal and there are several")
    try:
        pace, lam, begin = np.broadcast_arrays(pace, lam, begin)
    except ValueError:
        raise ValueError(f"shapes of m {pace.shape}, variance {lam.shape} and u0 {begin.shape} do not broadcast") from None
    if count * begin.size > 10**8:
        raise ValueError(f"{count} steps of {begin.size} modes do not fit into memory; take fewer")
    a = np.array(begin) if layers == 1 else begin ** (1 / layers)
    found = [a]
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(count):
            a = a + eta * a ** (layers - 1) * (pace - lam * a**layers)
            found.append(a)
        result = np.stack(found) ** layers
    if not np.all(np.isfinite(result)):
        raise ValueError(f"descent with step {eta:g} leaves float64 within {count} steps; take a smaller step")
    return result
