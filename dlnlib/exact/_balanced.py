"""The logistic curve of a balanced two-layer mode."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, finite_result
from dlnlib.exact._clock import log_ratio
from dlnlib.exact._modes import broadcast, refuse_before

__all__ = ["two_layer_balanced"]


def two_layer_balanced(t: ArrayLike, s: ArrayLike, u0: ArrayLike) -> Array:
    """Return the strength of a balanced two-layer mode, the logistic curve (`eq-two-layer-logistic`).

    u(t) = s / (1 + (s/u0 - 1) exp(-2 s t)) solves du/dt = 2 u (s - u); for u0 < 0 the sign of s in the
    exponent turns. Equal to `strength(t, s, u0, 2)` by another road. Arguments, units, assumptions and errors
    as there.
    """
    times, target, start = broadcast(t=t, s=s, u0=u0)
    sign = np.where(start < 0, -1.0, 1.0)
    s_, u_ = sign * target, sign * start
    refuse_before(times, _blow_up(s_, u_), "the strength was")
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        decay = np.exp(-2 * np.abs(s_ * times))
        share = np.where(s_ == 0, 2 * times, -np.expm1(-2 * np.abs(s_ * times)) / s_)
        towards = u_ / (decay + u_ * share)
        # Both terms of the sum may be below float64 when u0 is, compared with s.
        logit = log_ratio(np.abs(s_ - u_), u_) - 2 * s_ * times
        towards = np.where((decay < 1e-290) & (u_ <= s_), s_ * np.exp(-np.logaddexp(0.0, logit)), towards)
        below = np.where((s_ > 0) & (u_ <= s_), (s_ - u_) / s_ + decay * (u_ / s_), 1 - u_ * share)
        u = np.where(s_ * times >= 0, towards, u_ * decay / below)
    u = np.where((u_ == 0) | (times == 0), u_, u)
    return finite_result("the logistic curve", sign * u)[()]


def _blow_up(s: Array, u0: Array) -> Array:
    """Return ln(1 - s/u0) / (2s) for u0 > s, the limit -1/(2 u0) included; -inf elsewhere."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        x = s / u0
        log = np.where(x > 0.5, log_ratio(u0 - s, u0), np.log1p(-x))
        time = np.where(np.abs(x) < 1e-9, -(1 + x / 2) / (2 * u0), log / (2 * s))
    return np.where((u0 > 0) & (s < u0), time, -np.inf)
