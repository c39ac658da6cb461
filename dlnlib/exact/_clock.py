"""The clock of one mode: how long the flow du/dt = L |u|^(2-2/L) (s - u) takes, for u > 0 and s not 0.

With p = 2 - 2/L the time is an incomplete-beta integral in a variable w that stays between 0 and 1:

    "grow"    0 < u < s :  w = u/s,          L s^p dt   =  w^-p (1-w)^-1 dw
    "shrink"  u > s > 0 :  w = s/u,          L s^p dt   =  w^(p-1) (1-w)^-1 dw
    "decay"   s < 0     :  w = u/(u+|s|),    L |s|^p dt = -w^-p (1-w)^(p-1) dw

Below 1/2 the integral is a series in w, above 1/2 a series in y = 1 - w. Each half is a *leg*: v (which is w
or y) stays at or below 1/2, and x = log(v / v at the anchor) is what one solves for, so that u and s - u both
keep their leading digits. The integral is the hypergeometric time of the text without its 0/0 at L = 2 and at
infinite depth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlnlib._linalg import EPS
from dlnlib._validate import Array

Mask = NDArray[np.bool_]
KINDS = ("grow", "shrink", "decay")
_LONGEST = 1e300  # scaled times beyond it are cut: by then the strength is 0 or s to all digits


@dataclass(frozen=True, eq=False)
class Leg:
    """One half of the clock, for modes of one kind anchored at strengths u.

    rate * t = integral of v^(alpha-1) (1-v)^gamma dv from the anchor, divided by v_anchor^alpha.
    longest is x at v = 1/2, where the leg ends.
    """

    kind: str
    low: bool
    s: Array
    u: Array
    alpha: float
    gamma: float
    v: Array
    rate: Array
    longest: Array

    def end(self) -> Array:
        """Return the time at which w = 1/2."""
        return elapsed(self, self.longest) / self.rate

    def blow_up(self) -> Array:
        """Return the time, in the past, at which the strength was infinite; -inf where it never was."""
        if self.alpha <= 0:
            return np.full_like(self.v, -np.inf)
        return elapsed(self, np.full_like(self.v, -np.inf)) / self.rate


def kind_masks(s: Array, u: Array) -> list[tuple[str, Mask]]:
    """Return which modes (u > 0, s not 0, u not s) rise to s, fall to s, or fall to 0."""
    return list(zip(KINDS, ((s > 0) & (u < s), (s > 0) & (u > s), s < 0), strict=True))


def is_low(kind: str, s: Array, u: Array) -> Mask:
    """Tell where w <= 1/2."""
    return u >= middle(kind, s) if kind == "shrink" else u <= middle(kind, s)


def middle(kind: str, s: Array) -> Array:
    """Return the strength at w = 1/2."""
    return np.abs(s) * {"grow": 0.5, "shrink": 2.0, "decay": 1.0}[kind]


def log_ratio(above: Array, below: Array) -> Array:
    """Return log(above / below) for positive numbers, also where the quotient leaves the range of float64."""
    with np.errstate(over="ignore", divide="ignore"):
        quotient = above / below
        direct = np.log(quotient)
    return np.where((quotient > 1e-300) & (quotient < 1e300), direct, np.log(above) - np.log(below))


def make_leg(kind: str, low: bool, s: Array, u: Array, q: float, layers: float) -> Leg:
    """Return the leg anchored at the strengths u; q = p - 1, which is exact where p itself would round."""
    size, alpha, gamma = np.abs(s), 0.0, -1.0 - q
    # (part, whole) with v = part / whole; rates may underflow to 0 when the mode would move over 1e300 units
    # of time.
    with np.errstate(over="ignore"):
        if kind == "decay":
            part, whole = (u, u + size) if low else (size, u + size)
            alpha, gamma = (-q, q) if low else (1 + q, -1 - q)
            rate = -size * (u * (size / whole)) ** q if low else whole * whole**q
        elif low:
            part, whole = (u, size) if kind == "grow" else (size, u)
            alpha, gamma = (-q if kind == "grow" else 1 + q), -1.0
            rate = size * u**q if kind == "grow" else u * u**q
        else:
            part, whole = (size - u, size) if kind == "grow" else (u - size, u)
            gamma = -1 - q if kind == "grow" else q
            rate = -size * size**q
        longest = np.maximum(log_ratio(whole, part) - np.log(2.0), 0.0)
        return Leg(kind, low, s, u, alpha, gamma, part / whole, layers * rate, longest)


def elapsed(leg: Leg, x: Array) -> Array:
    """Return the scaled time from the anchor to v e^x.

    The binomial series of (1-v)^gamma, integrated term by term: sum_k c_k v^k (e^(m x) - 1)/m with m = k +
    alpha, where the term with m = 0 is x itself. At most 64 terms, of ratio at most 1/2.
    """
    with np.errstate(over="ignore"):
        growth, end = np.exp(leg.alpha * x), _reached(leg, x)
        largest = max(float(np.max(leg.v, initial=0.0)), float(np.max(end, initial=0.0)))
        result = np.zeros_like(leg.v)
        coefficient, at_start, at_end = 1.0, np.ones_like(leg.v), np.ones_like(leg.v)
        for k in range(64):
            m = k + leg.alpha
            if m == 0.0:
                term = at_start * x
            else:
                # Far from the start e^(m x) alone may overflow although v^k e^(m x) does not.
                far, near = m * x > 1.0, at_start * np.expm1(np.minimum(m * x, 1.0))
                term = np.where(far, at_end * np.where(far, growth, 0.0) - at_start, near) / m
            result = result + coefficient * term
            coefficient *= (k - leg.gamma) / (k + 1)
            at_start, at_end = at_start * leg.v, at_end * end
            if (k + 2) * largest ** (k + 1) < 1e-19:
                break
    return result


def _reached(leg: Leg, x: Array) -> Array:
    """Return v e^x."""
    with np.errstate(over="ignore", invalid="ignore"):
        value = leg.v * np.exp(x)
    # A start below the smallest float (v = 0) still reaches 1/2 when x does.
    return np.where(leg.v > 0, np.minimum(value, 0.5), 0.5 * np.exp(np.minimum(x - leg.longest, 0.0)))


def solve(leg: Leg, scaled: Array) -> Array:
    """Return x with elapsed(x) = scaled, for scaled times within the leg.

    Newton's method in the local power of v: the slope is v^alpha (1-v)^gamma, which near any point is like
    e^(k x) with k = alpha - gamma v/(1-v); a step that takes this as exact is of third order. A bracket
    catches what overshoots.
    """
    target = np.clip(scaled, -_LONGEST, _LONGEST)
    # (1-v)^gamma lies between 1/2 and 4 on a leg, so the root lies between two elementary inverses.
    ends = _inverse_power(leg.alpha, 2.0 * target), _inverse_power(leg.alpha, 0.25 * target)
    high = np.clip(np.maximum(*ends), 0.0, leg.longest)
    low = np.clip(np.minimum(*ends), -1000.0 if leg.alpha > 0 else -4 * _LONGEST, high)
    x = np.clip(_first_guess(leg, target), low, high)
    x[target == 0.0] = 0.0
    todo = np.flatnonzero(target != 0.0)
    for _ in range(100):
        if todo.size == 0:
            break
        part = _subset(leg, todo)
        here, wanted = x[todo], target[todo]
        missing = wanted - elapsed(part, here)
        low[todo] = np.where(missing > 0, here, low[todo])
        high[todo] = np.where(missing < 0, here, high[todo])
        there = here + _power_step(part, here, missing)
        inside = (there >= low[todo]) & (there <= high[todo])
        there = np.where(inside, there, (low[todo] + high[todo]) / 2)
        x[todo] = there
        settled = np.abs(there - here) <= 2 * EPS * np.abs(there)
        settled |= inside & (np.abs(missing) <= 2 * EPS * np.abs(wanted))
        todo = todo[~settled]
    return x


def _subset(leg: Leg, index: NDArray[np.intp]) -> Leg:
    cut = (leg.v[index], leg.rate[index], leg.longest[index])
    return Leg(leg.kind, leg.low, leg.s[index], leg.u[index], leg.alpha, leg.gamma, *cut)


def _power_step(leg: Leg, x: Array, missing: Array) -> Array:
    with np.errstate(all="ignore"):
        w = _reached(leg, x)
        newton = missing / (np.exp(leg.alpha * x) * (1 - w) ** leg.gamma)
        k = leg.alpha - leg.gamma * w / (1 - w)
        return np.where(np.abs(k) < 1e-12, newton, np.log1p(k * newton) / np.where(k == 0.0, 1.0, k))


def _inverse_power(alpha: float, value: Array) -> Array:
    """Return x with (e^(alpha x) - 1)/alpha = value, or the infinity that value points to."""
    if alpha == 0.0:
        return value.copy()
    inner = alpha * value
    possible = inner > -1.0
    return np.where(possible, np.log1p(np.where(possible, inner, 0.0)) / alpha, np.copysign(np.inf, value))


def _first_guess(leg: Leg, target: Array) -> Array:
    guess = _inverse_power(leg.alpha, target)
    if leg.alpha > 0:
        # Near the blow-up what counts is the time since it, v^alpha / alpha.
        since = np.maximum(target - leg.blow_up() * leg.rate, 1e-300)
        guess = np.where(target < 0, np.log(leg.alpha * since) / leg.alpha, guess)
    return guess


def arrive(leg: Leg, x: Array) -> tuple[Array, Array]:
    """Return u and s - u at the point x of the leg, each with its leading digits."""
    size = np.abs(leg.s)
    with np.errstate(over="ignore"):
        factor = np.exp(x)
        shift = (1 - leg.v) / (1 - _reached(leg, x))
        if leg.kind == "decay":
            u = leg.u * factor * shift if leg.low else leg.u * np.exp(-x) / shift
            return u, -size - u
        if leg.low:
            u = leg.u * factor if leg.kind == "grow" else leg.u * np.exp(-x)
            return u, size - u
        gap = (size - leg.u) * factor * (shift if leg.kind == "shrink" else 1.0)
        return size - gap, gap
