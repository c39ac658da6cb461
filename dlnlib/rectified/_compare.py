"""Loss curves side by side: how far apart, at equal times and after one fitted shift of time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, as_array, as_count, as_scalar, as_times, finite_result

__all__ = ["Comparison", "compare_losses", "time_to"]


class Comparison(NamedTuple):
    """raw, shifted : largest difference of two losses over the loss at the start, at equal times and after the shift.

    shift : time by which the other curve has to be moved to the right.
    """

    raw: float
    shift: float
    shifted: float


def compare_losses(t: ArrayLike, loss: ArrayLike, other: ArrayLike, *, most: float, trials: int = 801) -> Comparison:
    """Compare two losses at the times t, and again after the one shift of time that brings them closest.

    t : (n_t,) increasing. loss, other : (n_t,). most : shifts between -most and +most are tried, `trials` of them.
    Compared are the times at which both curves are known; between times the curves are interpolated linearly.
    """
    times = as_times("t", t, increasing=True)
    a, b = as_array("loss", loss, ndim=1), as_array("other", other, ndim=1)
    if not len(times) == len(a) == len(b) or len(times) < 2:
        raise ValueError(f"t, loss and other should be equally long, two values or more, got {len(times)}, {len(a)}, {len(b)}")
    limit, number = as_scalar("most", most, nonnegative=True), as_count("trials", trials)
    if limit >= times[-1] - times[0]:
        raise ValueError(f"most should be below the length of the curves, {times[-1] - times[0]:g}, got {limit:g}")
    if not a[0] > 0:
        raise ValueError("loss should be positive at the start; it is what differences are measured by")
    with np.errstate(over="ignore", invalid="ignore"):
        raw = finite_result("the difference of the losses over the first one", np.max(np.abs(a - b)) / a[0])
        shifts = finite_result("twice the largest shift, most,", np.linspace(-limit, limit, number))
        apart = np.array([_apart(times, a, b, shift) / a[0] for shift in shifts])
    finite_result("the difference of the shifted losses over the first one", apart)
    best, _, shift = min(zip(apart, np.abs(shifts), shifts, strict=True))
    return Comparison(float(raw), float(shift), float(best))


def _apart(t: Array, a: Array, b: Array, shift: float) -> float:
    """Return the largest |a(t) - b(t - shift)| over the times at which both are known."""
    both = (t - shift >= t[0]) & (t - shift <= t[-1])
    return float(np.max(np.abs(a[both] - np.interp(t[both] - shift, t, b))))


def time_to(t: ArrayLike, loss: ArrayLike, share: float) -> float:
    """Return the first time at which a loss is at or below a share of its first value, by linear interpolation; inf if never.

    t, loss : (n_t,). share : between 0 and 1.
    """
    times, values = as_times("t", t, increasing=True), as_array("loss", loss, ndim=1)
    part = as_scalar("share", share, positive=True)
    if len(times) != len(values):
        raise ValueError(f"t and loss should be equally long, got {len(times)} and {len(values)}")
    with np.errstate(over="ignore"):
        goal = finite_result("share times the first loss", part * values[0])
    below = np.flatnonzero(values <= goal)
    if not len(below):
        return float("inf")
    k = int(below[0])
    if k == 0:
        return float(times[0])
    with np.errstate(over="ignore"):
        fall = finite_result("the fall of the loss", values[k - 1] - values[k])
    part = (values[k - 1] - goal) / fall
    return float(times[k - 1] + part * (times[k] - times[k - 1]))
