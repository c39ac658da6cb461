"""When a mode reaches a given strength, half of it, or the end of its plateau."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, finite_result
from dlnlib.exact._clock import Leg, elapsed, is_low, kind_masks, log_ratio, make_leg
from dlnlib.exact._modes import as_depth, broadcast

__all__ = ["half_time", "plateau_time", "time_to_strength"]


def time_to_strength(u: ArrayLike, s: ArrayLike, u0: ArrayLike, depth: float) -> Array:
    """Return the time at which a mode that starts at u0 has strength u (`eq-hypergeometric-time`,
    `eq-learning-time`).

    The inverse of `strength`: L t = F(u) - F(u0), with F the hypergeometric time, summed so that L = 2,
    infinite depth and nearby strengths lose no digits.

    u, s, u0 : strength to reach, target and start, any signs, broadcast against one another. depth : as in
    `strength`.
    Returns times in units of tau = 1/eta (for depth = inf: of L t), negative for strengths that lie in the
    past, +inf or -inf for the fixed points 0 and s, which are only approached.
    Raises ValueError for strengths that are never reached: those beyond a fixed point as seen from u0, or any
    but u0 itself when u0 is a fixed point.
    Assumptions and source as in `strength`.
    """
    q, layers = as_depth(depth)
    level, target, start = broadcast(u=u, s=s, u0=u0)
    shape = level.shape
    level, target, start = level.ravel(), target.ravel(), start.ravel()
    sign = np.where(start < 0, -1.0, 1.0)
    _check_reachable(level, target, start, deep=q >= 0)
    turned = (sign * level, sign * target, sign * start)
    result = _single_layer(level, target, start) if q == -1.0 else _deep(*turned, q, layers)
    proper = (level != target) & ((level != 0) | (q == -1.0))
    finite_result("the time", result[proper])
    return result.reshape(shape)[()]


def half_time(s: ArrayLike, u0: ArrayLike, depth: float) -> Array:
    """Return the time at which a mode reaches half its target, u = s/2 (`eq-half-time`).

    For L = 2 it is ln(s/u0 - 1) / (2s). Negative when u0 is already past s/2.
    s : target, not 0. u0 : start, of the sign of s and closer to 0 (for L = 1: any on its side of s). depth : L.
    Units, assumptions and errors as in `time_to_strength`.
    """
    target, start = broadcast(s=s, u0=u0)
    if np.any(target == 0):
        raise ValueError("s must not be 0: half of nothing is reached only in the limit")
    return time_to_strength(target / 2, target, start, depth)


def plateau_time(s: ArrayLike, u0: ArrayLike, depth: float, *, corrected: bool = False) -> Array:
    """Return the length of the plateau of a mode that starts small, u0 << s (`eq-plateau-time`).

    Leading asymptotics of the half time as u0 -> 0: ln(s/u0)/(2s) for L = 2, a0^-(L-2) / ((L-2) s) beyond,
    where a0 = u0^(1/L) is the layer strength, and 1/(s u0) at infinite depth (in units of L t).
    corrected : keep every term of the half time that does not vanish as u0/s -> 0, and the first that does.
    What is left out is then of relative order (u0/s)^2 or smaller, at every depth alike.

    s : target. u0 : start of the same sign with 0 < |u0| < |s|. depth : at least 2; one layer has no plateau.
    Units, assumptions and source as in `strength`. Raises ValueError outside these ranges.
    """
    q, layers = as_depth(depth)
    if q == -1.0:
        raise ValueError("depth must be at least 2: a single layer learns at once, it has no plateau")
    target, start = broadcast(s=s, u0=u0)
    if np.any(start * np.sign(target) <= 0) or np.any(np.abs(start) >= np.abs(target)):
        raise ValueError("u0 must have the sign of s and lie strictly between 0 and s; otherwise there is no plateau")
    size, small = np.abs(target), np.abs(start)
    with np.errstate(over="ignore"):
        leading = log_ratio(size, small) if q == 0.0 else (small / size) ** -q / q
        scaled = _half_time_terms(log_ratio(size, small), q) if corrected else leading
        return finite_result("the plateau time", scaled / (layers * size * size**q))[()]


def _half_time_terms(log_s_over_u: Array, q: float) -> Array:
    """Return the scaled half time without what vanishes faster than (u0/s)^(1 - q)."""
    half = -np.log(2.0)

    def between(m: float) -> Array:
        """Return the integral of w^(m-1) from u0/s to 1/2."""
        return half + log_s_over_u if m == 0.0 else (np.exp(m * half) - np.exp(-m * log_s_over_u)) / m

    rest = sum(0.5 ** (k - q) / (k - q) for k in range(2, 64))
    return between(-q) + between(1 - q) + rest


def _check_reachable(level: Array, s: Array, u0: Array, *, deep: bool) -> None:
    away = level != u0
    at_rest = away & ((u0 == s) | (deep & (u0 == 0)))
    if np.any(at_rest):
        where = float(u0[at_rest][0])
        raise ValueError(f"u0 = {where:g} is a fixed point of the flow, so no other strength is ever reached")
    beyond_target = away & (np.sign(level - s) * np.sign(u0 - s) < 0)
    beyond_zero = away & deep & (np.sign(level) * np.sign(u0) < 0)
    for wrong, name in ((beyond_target, "the target s"), (beyond_zero, "0")):
        if np.any(wrong):
            raise ValueError(
                f"u = {float(level[wrong][0]):g} is never reached from u0 = {float(u0[wrong][0]):g} with "
                f"s = {float(s[wrong][0]):g}: it lies beyond {name}, which the flow cannot cross"
            )


def _single_layer(u: Array, s: Array, u0: Array) -> Array:
    time = np.zeros_like(u)
    time[u == s] = np.inf
    i = (u != u0) & (u != s)
    with np.errstate(over="ignore"):
        change = (u0[i] - u[i]) / (s[i] - u0[i])
        near = -np.log1p(np.clip(change, -0.5, 0.5))
    time[i] = np.where(np.abs(change) < 0.5, near, log_ratio(np.abs(s[i] - u0[i]), np.abs(s[i] - u[i])))
    time[u == u0] = 0.0
    return time


def _deep(u: Array, s: Array, u0: Array, q: float, layers: float) -> Array:
    result = np.zeros_like(u)
    moving = u != u0
    result[moving & (u == s)] = np.inf
    to_zero = moving & (u == 0)
    result[to_zero] = np.where(s[to_zero] > 0, -np.inf, np.inf)
    proper = moving & (u != s) & (u != 0)
    idle = proper & (s == 0)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        result[idle] = np.expm1(-(1 + q) * log_ratio(u[idle], u0[idle])) * u0[idle] ** -(1 + q) / (layers * (1 + q))
    for kind, mask in kind_masks(s, u0):
        from_low, to_low = is_low(kind, s, u0), is_low(kind, s, u)
        for first in (True, False):
            for last in (True, False):
                i = np.flatnonzero(mask & proper & (from_low == first) & (to_low == last))
                if i.size:
                    result[i] = _between(kind, first, last, s[i], u0[i], u[i], q, layers)
    return result


def _between(kind: str, first: bool, last: bool, s: Array, u0: Array, u: Array, q: float, layers: float) -> Array:
    leg = make_leg(kind, first, s, u0, q, layers)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        if first != last:
            return leg.end() - make_leg(kind, last, s, u, q, layers).end()
        return elapsed(leg, _log_step(leg, u)) / leg.rate


def _log_step(leg: Leg, u: Array) -> Array:
    """Return log(v(u) / v(u0)) on one leg, exact also when u is close to u0."""
    size, u0 = np.abs(leg.s), leg.u
    if leg.kind == "decay":
        change = size * (u - u0) / (u0 * (u + size)) if leg.low else (u0 - u) / (u + size)
    elif leg.low:
        change = (u - u0) / u0 if leg.kind == "grow" else (u0 - u) / u
    else:
        change = (u0 - u) / (size - u0) if leg.kind == "grow" else (size / u) * ((u - u0) / (u0 - size))
    parts = {
        ("grow", True): (u, u0),
        ("grow", False): (size - u, size - u0),
        ("shrink", True): (u0, u),
        ("shrink", False): ((u - size) / u, (u0 - size) / u0),
        ("decay", True): (u / (u + size), u0 / (u0 + size)),
        ("decay", False): (u0 + size, u + size),
    }[leg.kind, leg.low]
    return np.where(np.abs(change) < 0.5, np.log1p(np.clip(change, -0.5, 0.5)), log_ratio(*parts))
