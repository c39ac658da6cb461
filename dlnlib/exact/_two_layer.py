"""One mode of a two-layer network with any pair of layer strengths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlnlib._validate import Array, as_count, as_scalar, finite_result
from dlnlib.exact._modes import broadcast, refuse_before

__all__ = ["TwoLayer", "hyperbola", "late_rate", "two_layer", "two_layer_time"]


@dataclass(frozen=True, eq=False)
class TwoLayer:
    """The state of one mode of a two-layer network; every field has the broadcast shape of the arguments.

    a, b : strengths of layer 1 and layer 2. u = a b. gap = s - u.
    c = a^2 - b^2, conserved. kappa = sqrt(c^2 + 4 s^2), the late rate.
    """

    a: Array
    b: Array
    u: Array
    gap: Array
    c: Array
    kappa: Array


@dataclass(frozen=True, eq=False)
class _Constants:
    """Constants of the motion: X0 = a0 + b0, Y0 = a0 - b0, P0 = X0^2, Q0 = Y0^2, kp and km = kappa +- 2s."""

    X0: Array
    Y0: Array
    P0: Array
    Q0: Array
    c: Array
    kappa: Array
    kp: Array
    km: Array
    P0_below: Array  # kp - P0 and km - Q0, without cancellation
    Q0_below: Array


def two_layer(t: ArrayLike, s: ArrayLike, a0: ArrayLike, b0: ArrayLike) -> TwoLayer:
    """Return both layer strengths of a two-layer mode at any time (`eq-unbalanced-strength`, `eq-conserved`).

    Solves da/dt = b (s - ab), db/dt = a (s - ab) from any (a0, b0). With
    kappa = sqrt(c^2 + 4s^2) and E = exp(-kappa t),

        A = kappa + 2s + (kappa - 2s) E + (a0 - b0)^2 (1 - E),
        D = kappa - 2s + (kappa + 2s) E + (a0 + b0)^2 (1 - E),

    a + b = (a0 + b0) sqrt(A/D), a - b = (a0 - b0) sqrt(D/A) and s - u = 4 kappa^2 E (s - u0) / (A D). For
    t >= 0 every term is positive, so nothing cancels; c = 0, s = 0 and a0 = -b0 need no case of their own.

    t : times in units of tau = 1/eta, may be negative. s : target, any sign. a0, b0 : layer strengths at
    t = 0, any signs. All broadcast against one another. Returns a `TwoLayer`.

    Assumes white inputs and a decoupled start. a0 = -b0 with s > 0 (a0 = b0 with s < 0) lies on the stable
    manifold of the saddle and never learns.
    Raises ValueError for arguments that are not finite numbers or exceed 1e140, for a0 + b0 or a0 - b0 so
    small (below 1e-150, but not 0) that their squares leave float64, and for times at or before the moment
    in the past at which the weights were infinite, naming it.
    Source: after Saxe, McClelland & Ganguli 2014, who give it in hyperbolic coordinates.
    """
    times, target, a, b = broadcast(t=t, s=s, a0=a0, b0=b0)
    const = _constants(target, a, b)
    refuse_before(times, _blow_up(const), "the weights were")
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        A, D, decay = _growth(times, const)
        total = np.where(const.X0 == 0, 0.0, const.X0 * np.sqrt(A / D))
        difference = np.where(const.Y0 == 0, 0.0, const.Y0 * np.sqrt(D / A))
        first, second = (total + difference) / 2, (total - difference) / 2
        ratio = _small_ratio(times, target, a, b, const, decay)
        # A strength much smaller than the other would lose its digits in the difference; its ratio to the
        # other has them.
        second = np.where((const.c > 0) & (np.abs(ratio) < 0.5), first * ratio, second)
        first = np.where((const.c < 0) & (np.abs(ratio) < 0.5), second * ratio, first)
        # On the stable manifold D (or A) tends to 0 with E, and u to 0.
        gap = np.where(A * D > 0, (target - a * b) * (4 * decay / A / D), target - first * second)
    still = times == 0
    first, second = np.where(still, a, first), np.where(still, b, second)
    gap = np.where(still, target - a * b, gap)
    what = "the two-layer solution"
    for value in (first, second, gap):
        finite_result(what, value)
    fields = (first, second, first * second, gap, const.c, const.kappa)
    return TwoLayer(*(field[()] for field in fields))


def two_layer_time(u: ArrayLike, s: ArrayLike, a0: ArrayLike, b0: ArrayLike) -> Array:
    """Return the time at which a two-layer mode has strength u (`eq-unbalanced-time`).

    t = ln(1 + kappa x) / kappa with x = 2 (u - u0)/(s - u) * (P + P0)(R + kappa) / ((R + R0)(P + kp)(P0 +
    km)), where R = a^2 + b^2 = sqrt(c^2 + 4u^2), P = R + 2u = (a + b)^2, kp and km = kappa +- 2s, and 0 marks
    the start.
    For c = 0 this is ln[u (s - u0) / (u0 (s - u))] / (2s), the balanced learning time.

    u, s, a0, b0 : strength to reach, target, start; broadcast. Returns times in units of tau = 1/eta,
    negative for strengths in the past, +inf or -inf for fixed points.
    Raises ValueError for a strength that is never reached.
    Assumptions and source as in `two_layer`.
    """
    level, target, a, b = broadcast(u=u, s=s, a0=a0, b0=b0)
    # (u, s, b) -> (-u, -s, -b) is a symmetry; with u0 >= 0 the sum a + b is the larger of the two.
    sign = np.where(a * b < 0, -1.0, 1.0)
    v, goal, b = sign * level, sign * target, sign * b
    u0 = a * b
    const = _constants(goal, a, b)
    with np.errstate(all="ignore"):
        R, R0 = np.hypot(const.c, 2 * v), a * a + b * b
        P = np.where(v >= 0, R + 2 * v, const.c * (const.c / (R - 2 * v)))
        shape = ((P + const.P0) / (R + R0)) * ((R + const.kappa) / (P + const.kp)) / (const.P0 + const.km)
        shape = np.where((goal == 0) & (const.c == 0), 1 / const.P0, shape)
        inner = 2 * ((v - u0) / (goal - v)) * shape
        grown = const.kappa * inner
        # The same 1 + kappa x as a product, which loses nothing far from the start.
        far = ((goal - u0) / (goal - v)) * ((P + const.km) / (const.P0 + const.km))
        far = far * ((const.P0 + const.kp) / (P + const.kp)) * ((R + const.kappa) / (R0 + const.kappa))
        log = np.where(np.abs(grown) < 0.5, np.log1p(grown), np.log(far))
        time = np.where(const.kappa > 0, log / np.where(const.kappa > 0, const.kappa, 1.0), inner)
    here = v == u0
    # On the lines a = b and a = -b (c = 0) the strength never changes sign, and the saddle is a fixed point.
    allowed = (R0 > 0) & (u0 != goal) & ((const.c != 0) | (v >= 0))
    limit = allowed & ((v == goal) | ((v == 0) & (const.c == 0)))
    reached = allowed & np.where(const.kappa > 0, far > 0, v > 0)
    never = ~here & ~limit & ~reached
    if np.any(never):
        i = np.flatnonzero(never.ravel())[0]
        raise ValueError(
            f"u = {level.ravel()[i]:g} is never reached from a0 b0 = {(sign * u0).ravel()[i]:g} with "
            f"s = {target.ravel()[i]:g}: the strength moves from its start to s, and came from the side "
            "away from s; or the start is the saddle a0 = b0 = 0, a minimum, or on the stable manifold"
        )
    ahead = np.sign(v - u0) * np.sign(goal - u0) >= 0
    result = np.where(here, 0.0, np.where(limit, np.where(ahead, np.inf, -np.inf), time))
    finite_result("the time", result[here | ~limit])
    return result[()]


def late_rate(s: ArrayLike, c: ArrayLike) -> Array:
    """Return kappa = sqrt(c^2 + 4 s^2), the rate at which a two-layer mode finally converges
    (`eq-late-rate`).

    It is also the sharpness a^2 + b^2 of the minimum that the flow ends in. s : target; c = a0^2 - b0^2;
    broadcast. Rates are per unit of time tau = 1/eta. Raises ValueError for arguments that are not finite
    numbers.
    """
    target, conserved = broadcast(s=s, c=c)
    return np.hypot(conserved, 2 * target)[()]


def hyperbola(c: float, extent: float, n: int = 201) -> tuple[Array, Array]:
    """Return n points (a, b) of one branch of a^2 - b^2 = c, on which the flow stays (`eq-conserved`).

    extent : largest modulus of the coordinate that can vanish. For c >= 0 the branch with a >= 0, else with b
    >= 0; negate both coordinates for the other branch.
    """
    value, reach = as_scalar("c", c), as_scalar("extent", extent, positive=True)
    free = np.linspace(-reach, reach, as_count("n", n, minimum=2))
    bound = np.hypot(np.sqrt(abs(value)), free)
    return (bound, free) if value >= 0 else (free, bound)


def _constants(s: Array, a0: Array, b0: Array) -> _Constants:
    X0, Y0 = a0 + b0, a0 - b0
    if any(np.any((np.abs(Z) < 1e-150) & (Z != 0)) for Z in (X0, Y0)):
        raise ValueError("a0 + b0 or a0 - b0 is below 1e-150 in modulus but not 0, too small to square; rescale or use 0")
    with np.errstate(over="ignore"):
        c = finite_result("a0^2 - b0^2", X0 * Y0)
        P0, Q0, kappa = X0 * X0, Y0 * Y0, np.hypot(c, 2 * s)
        large = kappa + 2 * np.abs(s)
        small = c * (c / np.where(large > 0, large, 1.0))
        kp, km = np.where(s >= 0, large, small), np.where(s >= 0, small, large)
        missing = s - a0 * b0
        around = a0 * a0 + b0 * b0 + kappa
        half = 2 * missing / np.where(around > 0, around, 1.0)
    return _Constants(X0, Y0, P0, Q0, c, kappa, kp, km, half * (P0 + kp), -half * (Q0 + km))


def _growth(t: Array, const: _Constants) -> tuple[Array, Array, Array]:
    """Return A / kappa, D / kappa (times exp(-kappa |t|) in the past) and exp(-kappa |t|)."""
    still = const.kappa == 0
    kappa = np.where(still, 1.0, const.kappa)
    up, down = np.where(still, 1.0, const.kp / kappa), np.where(still, 1.0, const.km / kappa)
    decay = np.exp(-const.kappa * np.abs(t))
    passed = np.where(still, np.abs(t), -np.expm1(-const.kappa * np.abs(t)) / kappa)
    A, D = up + down * decay + const.Q0 * passed, down + up * decay + const.P0 * passed
    A_past = _past(const.Q0_below / kappa, decay * ((const.kp + const.Q0) / kappa), passed * (const.kp + const.Q0), still)
    D_past = _past(const.P0_below / kappa, decay * ((const.km + const.P0) / kappa), passed * (const.km + const.P0), still)
    past = t < 0
    return np.where(past, A_past, A), np.where(past, D_past, D), decay


def _past(below: Array, tail: Array, fall: Array, still: NDArray[np.bool_]) -> Array:
    """Return below + tail = 2 - fall by whichever of the two cancels less."""
    return np.where(still | (np.abs(below) + tail > 2), 2 - fall, below + tail)


def _small_ratio(t: Array, s: Array, a0: Array, b0: Array, const: _Constants, decay: Array) -> Array:
    """Return b/a for c > 0 and a/b for c < 0, which obeys dz/dt = s (1 - z^2) - |c| z; anything for c = 0."""
    c, kappa = np.abs(const.c), const.kappa
    z0 = np.where(const.c > 0, b0 / a0, a0 / b0)
    fast, slow = kappa + c, 2 * s * (2 * s / (kappa + c))
    drift = 2 * s * -np.expm1(-kappa * np.abs(t))
    forward = (z0 * (slow + decay * fast) + drift) / (fast + decay * slow + z0 * drift)
    backward = (z0 * (slow * decay + fast) - drift) / (fast * decay + slow - z0 * drift)
    return np.where(t < 0, backward, forward)


def _blow_up(const: _Constants) -> Array:
    """Return the time in the past at which the weights were infinite, -inf where they never were."""
    moments = []
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        for below in (const.P0_below, const.Q0_below):
            excess = np.where(below < 0, -below, 1.0)
            time = np.where(const.kappa > 0, np.log1p(2 * const.kappa / excess) / const.kappa, 2 / excess)
            moments.append(np.where(below < 0, -time, -np.inf))
    return np.maximum(*moments)
