"""The strength of one mode at any depth, when all its layers are equally strong."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, as_array, finite_result
from dlnlib.exact._clock import arrive, elapsed, is_low, kind_masks, make_leg, middle, solve

__all__ = ["gap", "strength"]

_LARGEST = 1e140


def strength(t: ArrayLike, s: ArrayLike, u0: ArrayLike, depth: float) -> Array:
    """Return the strength u(t) of a mode whose layers are equally strong (`eq-depth-flow`).

    Solves du/dt = L |u|^(2-2/L) (s - u) from u(0) = u0: exponential for L = 1, the logistic curve for L = 2
    (`eq-two-layer-logistic`), the inverse of the hypergeometric
    time (`eq-hypergeometric-time`) beyond. Accurate to a few rounding
    errors times the condition number of the problem itself, for any L, however small u0.

    t : times in units of tau = 1/eta (for depth = inf in units of L t, so that du/dt = u^2 (s - u)); may be
    negative.
    s : target strength, any sign. u0 : strength at t = 0, any sign. t, s and u0 broadcast against one
    another.
    depth : number of layers L, an integer from 1, or np.inf.
    Returns u of the broadcast shape (a float for scalars). u0 = 0 stays 0 when L > 1: it is a saddle.

    Assumes white inputs, a decoupled start, and layer strengths of equal modulus |u0|^(1/L). For two unequal
    layers use `two_layer`; beyond two layers unequal strengths have no closed form here and `gradient_flow`
    integrates them.
    Raises ValueError for arguments that are not finite numbers or exceed 1e140, for a depth that is not a
    count, and for negative times before which the strength was infinite, naming that time.
    Source: Saxe, McClelland & Ganguli 2014.
    """
    return _evolve(t, s, u0, depth)[0][()]


def gap(t: ArrayLike, s: ArrayLike, u0: ArrayLike, depth: float) -> Array:
    """Return what is still missing, s - u(t), to full precision even if u(t) rounds to s (`eq-depth-flow`).

    Arguments, units, assumptions and errors as in `strength`. A mode's share of the loss is gap^2 / 2.
    """
    return _evolve(t, s, u0, depth)[1][()]


def as_depth(depth: Any) -> tuple[float, float]:
    """Return (q, factor) of du/dt = factor |u|^(1 + q) (s - u); q = -1 for one layer."""
    if isinstance(depth, (float, np.floating)) and np.isposinf(depth):
        return 1.0, 1.0
    if isinstance(depth, (bool, np.bool_)) or not isinstance(depth, (int, np.integer)):
        raise ValueError(f"depth must be a number of layers, an integer from 1 or np.inf, got {depth!r}")
    if not 1 <= depth <= 10**6:
        raise ValueError(f"depth must be from 1 to 10**6 layers, or np.inf, got {depth}")
    return (int(depth) - 2) / int(depth), float(depth)


def broadcast(**values: ArrayLike) -> list[Array]:
    """Return the named arguments broadcast against one another, as fresh arrays."""
    arrays = {name: as_array(name, value) for name, value in values.items()}
    for name, array in arrays.items():
        if name != "t" and np.abs(array).max() > _LARGEST:
            raise ValueError(f"{name} must not exceed {_LARGEST:g} in modulus, got {np.abs(array).max():g}; rescale")
    try:
        return [np.array(a) for a in np.broadcast_arrays(*arrays.values())]
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(f"these shapes do not broadcast: {shapes}; add axes, for example s[:, None]") from None


def _evolve(t: ArrayLike, s: ArrayLike, u0: ArrayLike, depth: float) -> tuple[Array, Array]:
    q, layers = as_depth(depth)
    times, target, start = broadcast(t=t, s=s, u0=u0)
    shape = times.shape
    times, target, start = times.ravel(), target.ravel(), start.ravel()
    if q == -1.0:
        u, missing = _single_layer(times, target, start)
    else:
        # The flow is odd: (u, s) -> (-u, -s) is a symmetry, so u0 > 0 is enough.
        sign = np.where(start < 0, -1.0, 1.0)
        u, missing = _deep(times, sign * target, sign * start, q, layers)
        u, missing = sign * u, sign * missing
    still = times == 0.0
    u[still], missing[still] = start[still], (target - start)[still]
    what = "the strength at these negative times"
    return finite_result(what, u).reshape(shape), finite_result(what, missing).reshape(shape)


def _single_layer(t: Array, s: Array, u0: Array) -> tuple[Array, Array]:
    with np.errstate(over="ignore", invalid="ignore"):
        return u0 * np.exp(-t) - s * np.expm1(-t), (s - u0) * np.exp(-t)


def _deep(t: Array, s: Array, u0: Array, q: float, layers: float) -> tuple[Array, Array]:
    """Return u and s - u for u0 >= 0 and q >= 0."""
    u, missing = u0.copy(), s - u0  # right for the fixed points u0 = 0 and u0 = s
    idle = (s == 0) & (u0 > 0)
    u[idle] = _without_target(t[idle], u0[idle], q, layers)
    missing[idle] = -u[idle]
    for kind, mask in kind_masks(s, u0):
        low = is_low(kind, s, u0)
        for side in (True, False):
            chosen = np.flatnonzero(mask & (u0 > 0) & (low == side))
            if chosen.size:
                found = _advance(kind, side, t[chosen], s[chosen], u0[chosen], q, layers, 0.0)
                u[chosen], missing[chosen] = found
    return u, missing


def _advance(
    kind: str, low: bool, t: Array, s: Array, u0: Array, q: float, layers: float, before: Array | float
) -> tuple[Array, Array]:
    """Follow each mode through the leg it starts on and, if its time is not up at the middle, through the
    other one.

    before : time already spent, for the message.
    """
    leg = make_leg(kind, low, s, u0, q, layers)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        blow_up = leg.blow_up()
        scaled = leg.rate * t
        over = scaled > elapsed(leg, leg.longest)
        rest = t - leg.end()
    refuse_before(t + before, blow_up + before, "the strength was")
    x = solve(leg, np.where(over, 0.0, scaled))
    u, missing = arrive(leg, x)
    if np.any(over):
        turn = (t - rest + before)[over]
        other = (kind, not low, rest[over], s[over], middle(kind, s[over]), q, layers, turn)
        u[over], missing[over] = _advance(*other)
    return u, missing


def _without_target(t: Array, u0: Array, q: float, layers: float) -> Array:
    """Return u for s = 0: u^-(1 + q) grows linearly in time."""
    with np.errstate(over="ignore"):
        grown = layers * (1 + q) * u0 * u0**q * t
        blow_up = np.where(grown < 0, t / -np.minimum(grown, -1e-300), -np.inf)
    refuse_before(t, blow_up, "the strength was")
    return u0 * np.exp(-np.log1p(np.minimum(grown, 1e300)) / (1 + q))


def refuse_before(t: Array, blow_up: Array, what: str) -> None:
    """Raise ValueError for times at or before the moment at which the solution was infinite."""
    early = t <= blow_up
    if np.any(early):
        raise ValueError(
            f"t reaches back to or before t = {float(np.max(blow_up[early])):.6g}, where {what} infinite: "
            "a strength that falls can be followed backwards only so far; use later times"
        )
