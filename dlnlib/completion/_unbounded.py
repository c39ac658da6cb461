"""The 2 x 2 problem in which no norm stays finite: complete [[?, 1], [1, 0]] (Razin & Cohen 2020)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, as_array, as_count, as_scalar, as_times, finite_result
from dlnlib.completion._task import Completion

__all__ = ["hidden_entry", "hidden_entry_bound", "two_by_two", "two_by_two_flow"]


def two_by_two() -> Completion:
    """Return the task [[?, 1], [1, 0]]; the hidden entry of its target is written as 0, and nothing reads it."""
    return Completion([[0.0, 1.0], [1.0, 0.0]], np.array([[False, True], [True, True]]))


def hidden_entry_bound(loss: ArrayLike) -> Array:
    """Return (1 - sqrt(2 loss))^2 / sqrt(2 loss), below which |W_11| cannot lie where det W > 0 (`eq-hidden-bound`).

    loss : (...), positive and below 1/2, half the sum of squares of the three seen errors. Returns (...).
    Source: after Razin & Cohen 2020.
    """
    values = as_array("loss", loss)
    if np.any((values <= 0) | (values >= 0.5)):
        raise ValueError(f"loss must lie between 0 and 1/2, got values from {values.min():g} to {values.max():g}")
    root = np.sqrt(2 * values)
    return (1 - root) ** 2 / root


def hidden_entry(t: ArrayLike, depth: int) -> Array:
    """Return (2 (L+1) t)^(L/(2L+2)), how the hidden entry grows at late times from a balanced start (`eq-hidden-growth`).

    t : (...), not negative, units of tau. depth : L >= 2. To leading order in 1/W_11; the loss is then 1/(2 W_11^2).
    """
    times, L = as_array("t", t), as_count("depth", depth, minimum=2)
    if np.any(times < 0):
        raise ValueError(f"t must not be negative, got {times.min():g}")
    with np.errstate(over="ignore"):
        return finite_result("the entry", (2 * (L + 1) * times) ** (L / (2 * L + 2)))


def two_by_two_flow(t: ArrayLike, start: float) -> tuple[Array, Array]:
    """Return W(t) and ln det W(t) of two balanced layers on `two_by_two`, free of the trap of rounding (`eq-log-determinant`).

    t : (n_t,) increasing, up to 1e9, units of tau. start : the flow begins at W = start * I, 1e-9 to 100.
    W stays symmetric; its entry W_11, its entry W_12 and ln det W are integrated, d ln det W/dt = -2 W_22, and W_22 is
    (W_12^2 + det W)/W_11, a sum of positive terms. In an integration of the layers any imbalance, such as rounding makes,
    is conserved while the second singular value falls to exp(-1.65 t^(2/3)); det W turns negative, and the run ends at
    det W = -1. Returns (n_t, 2, 2) and (n_t,).
    """
    from scipy.integrate import solve_ivp

    times, begin = as_times("t", t, increasing=True), as_scalar("start", start, positive=True)
    if not 1e-9 <= begin <= 100 or times[-1] > 1e9:
        raise ValueError(f"start must lie between 1e-9 and 100 and t end by 1e9, got {begin:g} and {times[-1]:g}")

    def velocity(_: float, state: Array) -> list[float]:
        w, x, log_det = state
        z = (x * x + np.exp(log_det)) / w
        g = x - 1
        return [-2 * g * x, -(g * (w + z) + z * x), -2 * z]

    first = [begin, 0.0, 2 * np.log(begin)]
    if times[-1] < 1e-16:  # nothing moves by more than rounding, and LSODA would never end
        states = np.repeat(np.array(first)[:, None], len(times), axis=1)
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            solution = solve_ivp(velocity, (0.0, times[-1]), first, method="LSODA", t_eval=times, rtol=1e-12, atol=1e-14)
        states = solution.y
        if not solution.success or not np.all(np.isfinite(states)):
            raise ValueError(f"the flow could not be followed to t = {times[-1]:g} from start = {begin:g}; take a shorter time")
    w, x, log_det = states
    z = (x * x + np.exp(log_det)) / w
    return np.stack([np.stack([w, x], -1), np.stack([x, z], -1)], -2), log_det
