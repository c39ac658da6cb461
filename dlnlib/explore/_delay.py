"""How long a mode waits at each depth, and what has to be held fixed for that to have an answer."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dlnlib import exact, measure
from dlnlib._validate import Array
from dlnlib.explore._model import Choice, Explorer, Panel, Part, Series, Slider, words
from dlnlib.moments import Moments
from dlnlib.simulate import gradient_descent

__all__ = ["depth_and_delay"]

HELD = ("u₀ end to end", "a₀ of each layer")
DEPTHS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 15, 25, 50, 100)
LINE = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 32, 40, 50, 63, 80, 100)  # depths where the curves have points
AROUND = (0.87, 115.0)  # axis of depth, so that no marker is cut
STARTS = (0.001, 0.01, 0.04, 0.1, 0.2)
TARGETS = (1.0, 2.0, 4.0)
SHARE = 0.25  # of the largest stable step, which descent takes
TURN = 20  # beyond this depth the half time falls with u0 fixed, and rises with a0 fixed, at all positions
STEPS = 500  # that descent takes at most
POINTS, DOTS = 24, 8


def start_strength(held: str, start: float, depth: float) -> float:
    """Return u0 at a depth: kept as it is at depth two, or made of layers as strong as those at depth two."""
    return start if held == HELD[0] else start ** (depth / 2)


def step(s: float, depth: float) -> float:
    """Return the step that descent takes: a share of the largest one, 2/(L s^(2-2/L))   (`eq-stability-depth`)."""
    return SHARE * 2 / (depth * s ** (2 - 2 / depth))


@cache
def _descents(depth: int, ratios: tuple[float, ...]) -> Array:
    """Return u/s after 0, 1, ... steps, (STEPS + 1, n), of networks of equal layers that start at u0/s = ratios.

    In the units of s = 1: strengths over s and steps in number do not depend on s.
    """
    layer = np.array(ratios)[:, None, None] ** (1 / depth)
    path = gradient_descent((layer,) * depth, Moments.white([[1.0]]), step(1.0, depth), STEPS)
    return path.product[:, :, 0, 0]


@cache
def _grid(depth: int) -> tuple[float, ...]:
    """Return the starts u0/s of all positions of the controls, so that one batch serves them all."""
    return tuple(sorted({start_strength(held, start, depth) / s for held in HELD for start in STARTS for s in TARGETS}))


def descent(held: str, start: float, s: float, depth: int) -> Array:
    """Return the strength u after 0, 1, ..., STEPS steps of descent, (STEPS + 1,)."""
    ratio = start_strength(held, start, depth) / s
    ratios = _grid(depth)
    if depth not in DEPTHS or ratio not in ratios:
        ratios = (ratio,)
    return s * _descents(depth, ratios)[:, ratios.index(ratio)]


@cache
def steps_to_half(held: str, start: float, s: float, depth: int) -> float:
    """Return the number of steps after which descent crosses s/2, interpolated; inf when STEPS are too few."""
    path = descent(held, start, s, depth)
    last = min(int(np.argmax(path > s / 2)) + 4, STEPS)
    if path[last] < s / 2:
        return float("inf")
    return float(measure.learning_time(np.arange(last + 1.0), path[: last + 1], s / 2, missing="inf"))


def _curve(s: float, u0: float, depth: float, end: float) -> tuple[Array, Array]:
    """Return (t, u) of the exact flow up to the time `end`, points where the curve bends."""
    u = np.concatenate([np.geomspace(u0, s / 2, 250), s * (1 - np.geomspace(0.5, 1e-6, 250)[1:])])
    t = exact.time_to_strength(u, s, u0, depth)
    inside = t < end
    u, t = np.append(u[inside], np.interp(end, t, u)), np.append(t[inside], end)
    x, y = t / end, u / s
    slope = np.arctan2(np.gradient(y), np.gradient(x))
    way = np.hypot(np.diff(x), np.diff(y)) + 0.4 * np.abs(np.diff(slope))
    way = np.concatenate([[0.0], np.cumsum(way)])
    kept = np.unique(np.searchsorted(way, np.linspace(0, way[-1], POINTS)).clip(max=len(way) - 1))
    return t[kept], u[kept]


@cache
def _half(held: str, start: float, s: float, depth: int) -> float:
    return float(exact.half_time(s, start_strength(held, start, depth), depth))


@cache
def _late(held: str, start: float, s: float, depth: int) -> float:
    return float(exact.time_to_strength(0.97 * s, s, start_strength(held, start, depth), depth))


def _end(held: str, start: float, s: float, depth: int) -> float:
    """Return where the axis of time ends: most of the rise of the chosen depth and of depth two is seen."""
    return max(_late(held, start, s, depth), _late(held, start, s, 2), 1.15 * _half(held, start, s, depth))


def _chosen(held: str, start: float, s: float, depth: int) -> dict[str, Any]:
    u0, half, end = start_strength(held, start, depth), _half(held, start, s, depth), _end(held, start, s, depth)
    t, u = _curve(s, u0, depth, end)
    path = descent(held, start, s, depth)
    time = step(s, depth) * np.arange(STEPS + 1)
    seen = time <= end
    way = np.hypot(np.diff(time[seen], prepend=0) / end, np.diff(path[seen], prepend=u0) / s).cumsum()
    kept = np.unique(np.searchsorted(way, np.linspace(0, way[-1], DOTS)).clip(max=len(way) - 1))
    return {
        "t": t,
        "u": u,
        "t_two": [min(_learnt(start, s), end), end],
        "u_two": [s, s],
        "t_descent": time[kept],
        "u_descent": path[kept],
        "depth": [depth],
        "half": [half],
        "steps": [half / step(s, depth)],
        "say": _say(held, start, s, depth, u0, half),
        "x_end": end,
    }


def _say(held: str, start: float, s: float, depth: int, u0: float, half: float) -> str:
    text = f"Depth {depth}: half time {words(half)}"
    if depth != 2:
        text += f", {words(half / _half(held, start, s, 2))} times that of depth 2"
    if u0 < 0.1 * s:
        share = 100 * float(exact.time_to_strength(0.1 * s, s, u0, depth)) / half
        text += f"; {'over 99' if share > 99 else words(share, 2)} % of it below s/10"
    flow, counted = half / step(s, depth), steps_to_half(held, start, s, depth)
    text += f". In steps: {words(flow)} by the flow, "
    if not np.isfinite(counted):
        return text + f"and descent is not there after {STEPS}."
    return text + f"{words(counted)} by descent, {_more(100 * (counted / flow - 1))}."


def _more(percent: float) -> str:
    return f"{words(abs(percent), 2)} % {'more' if percent > 0 else 'fewer'}"


@cache
def _learnt(start: float, s: float) -> float:
    """Return when depth two, which both choices of what is held fixed have in common, has learnt the mode."""
    return float(exact.time_to_strength(0.999 * s, s, start, 2))


def _reference(start: float, s: float) -> dict[str, Any]:
    t, u = _curve(s, start, 2, _learnt(start, s))
    return {"t": t, "u": u}


def _against_depth(held: str, start: float, s: float) -> dict[str, Any]:
    half = np.array([_half(held, start, s, L) for L in LINE])
    plateau = np.array([float(exact.plateau_time(s, start_strength(held, start, L), L)) for L in LINE[1:]])
    a_step = np.array([step(s, L) for L in LINE])
    counted = {L: steps_to_half(held, start, s, L) for L in DEPTHS}
    counted = {L: steps for L, steps in counted.items() if np.isfinite(steps)}
    return {
        "L": LINE,
        "half": half,
        "steps": half / a_step,
        "L_plateau": LINE[1:],
        "plateau": plateau,
        "steps_plateau": plateau / a_step[1:],
        "L_descent": list(counted),
        "half_descent": [steps * step(s, L) for L, steps in counted.items()],
        "steps_descent": list(counted.values()),
        "say": _say_depths(held, start, s),
    }


def _say_depths(held: str, start: float, s: float) -> str:
    half = [_half(held, start, s, L) for L in range(1, TURN + 1)]
    if held == HELD[0]:
        deep = float(exact.half_time(s, start, np.inf)) * s**2 / (2 * SHARE)
        return f"The half time is longest at depth {int(np.argmax(half)) + 1}; the steps tend to {words(deep)}."
    return f"From depth {int(np.argmin(half)) + 1} on, each layer makes the half time longer."


def depth_and_delay() -> Explorer:
    """Return the chart of half time and steps against depth, with the strength end to end or of each layer held fixed.

    Starting from a network of two equal layers the reader adds layers, and keeps either u0 or a0 as it was. Shown are
    the flow of a mode (`eq-depth-flow`) and its descent at a quarter of the largest stable step (`eq-stability-depth`),
    half times (`eq-hypergeometric-time`) with the plateau formula (`eq-plateau-time`), and the same in steps
    (`eq-step-count-limit`). Chapter 4, A learning time without depth.
    """
    return Explorer(
        name="depth-and-delay",
        controls=(
            Choice("held", "held fixed", HELD, HELD[0]),
            Slider("depth", "depth L", DEPTHS, 8, log=True, whole=True),
            Slider("start", "u₀ at depth 2", STARTS, 0.01, log=True),
            Slider("s", "singular value s", TARGETS, 2.0),
        ),
        parts=(
            Part("two", _reference, ("start", "s"), digits=3),
            Part("chosen", _chosen, ("held", "start", "s", "depth"), digits=3),
            Part("depths", _against_depth, ("held", "start", "s"), digits=4),
        ),
        panels=(
            Panel("time t (τ)", "strength u", x_end=("chosen",)),
            Panel("depth L", "half time (τ)", x_log=True, y_log=True, x_domain=AROUND),
            Panel("depth L", "steps to half", x_log=True, y_log=True, x_domain=AROUND),
        ),
        series=(
            Series("depth 2", "two", "t", "u", "other"),
            Series("", "chosen", "t_two", "u_two", "other"),
            Series("flow, exact", "chosen", "t", "u", "theory", mode=0),
            Series("descent", "chosen", "t_descent", "u_descent", "points", mode=0),
            Series("plateau formula", "depths", "L_plateau", "plateau", "theory", mode=2, panel=1),
            Series("flow, exact", "depths", "L", "half", "theory", mode=0, panel=1),
            Series("descent", "depths", "L_descent", "half_descent", "points", mode=0, panel=1),
            Series("chosen depth", "chosen", "depth", "half", "points", mode=1, panel=1),
            Series("plateau formula", "depths", "L_plateau", "steps_plateau", "theory", mode=2, panel=2),
            Series("flow, exact", "depths", "L", "steps", "theory", mode=0, panel=2),
            Series("descent", "depths", "L_descent", "steps_descent", "points", mode=0, panel=2),
            Series("chosen depth", "chosen", "depth", "steps", "points", mode=1, panel=2),
        ),
    )
