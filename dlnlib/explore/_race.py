"""The mode race: three modes of a network of any depth, simulated and exact, and the staircase of the loss."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dlnlib._validate import Array
from dlnlib.exact import half_time, strength, time_to_strength
from dlnlib.explore._model import Explorer, Panel, Part, Series, Slider, words
from dlnlib.measure import loss_plateaus
from dlnlib.moments import Moments
from dlnlib.simulate import gradient_flow
from dlnlib.trajectory import Trajectory

__all__ = ["mode_race"]

DEPTHS = (1, 2, 3, 4, 5, 6)
STARTS = (1e-6, 1e-4, 1e-3, 1e-2, 1e-1)
TARGETS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
POINTS = 46
FAR = 1e5  # where the lines of the levels end, beyond every axis
LEARNT = 0.99  # the axis ends when the slowest mode has this share of its target


def mode_race() -> Explorer:
    """Return the chart in which three modes of a network race, and the loss falls in stairs.

    Depth, initial strength and the three targets move. Left, the strengths of the modes: gradient flow of the network
    against the closed form (`eq-two-layer-logistic`, `eq-shallow-modes`, beyond two layers `eq-depth-flow`), with the
    half times (`eq-half-time`) as dots. Right, the loss (`eq-loss-modes`) above its least value, and the levels on which
    it can rest. Chapter 3, `fig-race`.
    """
    sliders = [
        Slider(f"s{k}", f"target s{sub}", TARGETS, start) for k, sub, start in zip((1, 2, 3), "₁₂₃", (3.0, 2.0, 1.0), strict=True)
    ]
    parts = [Part(f"mode {k}", _mode, {"depth": "depth", "u0": "u0", "s": f"s{k}"}, digits=4) for k in (1, 2, 3)]
    names = tuple(part.name for part in parts)
    series = [Series(name, name, "t", "u", "simulation", mode=k) for k, name in enumerate(names)]
    series += [Series("exact", name, "t", "exact", "theory", mode=k) for k, name in enumerate(names)]
    series += [Series("half learnt", name, "half", "half_u", "points", mode=k) for k, name in enumerate(names)]
    series += [Series("", "levels", "x", f"level_{m}", "other", panel=1) for m in range(3)]
    series += [Series("loss", names, "t", "loss", "line", panel=1)]
    return Explorer(
        name="mode-race",
        controls=(
            Slider("depth", "depth L", DEPTHS, 2, whole=True),
            Slider("u0", "start u₀", STARTS, 1e-3, log=True),
            *sliders,
        ),
        parts=(*parts, Part("levels", _levels, ("s1", "s2", "s3"))),
        panels=(
            Panel("time t (τ)", "mode strength u", x_end=names),
            Panel("time t (τ)", "loss above the least", x_end=names),
        ),
        series=tuple(series),
        presets={
            "well apart: 3, 2, 1": {"s1": 3.0, "s2": 2.0, "s3": 1.0},
            "one dominant: 5, 1.5, 1": {"s1": 5.0, "s2": 1.5, "s3": 1.0},
            "close: 3, 2.5, 1": {"s1": 3.0, "s2": 2.5, "s3": 1.0},
            "two equal: 3, 3, 1": {"s1": 3.0, "s2": 3.0, "s3": 1.0},
            "weak ones equal: 4, 2, 2": {"s1": 4.0, "s2": 2.0, "s3": 2.0},
            "all equal: 2, 2, 2": {"s1": 2.0, "s2": 2.0, "s3": 2.0},
        },
        presets_label="Spectrum",
    )


def _mode(depth: int, u0: float, s: float) -> dict[str, Any]:
    """Return one mode's way to its target, simulated and exact, at the times that all modes share."""
    t = _times(depth, u0)
    path = _run(depth, s)
    begin = _passing(path, u0, float(time_to_strength(u0, s, STARTS[0], depth))) if u0 > STARTS[0] * (1 + 1e-9) else 0.0
    u = _strength(path, begin + t)
    exact = strength(t, s, u0, depth)
    half_exact = float(half_time(s, u0, depth))
    half = _passing(path, s / 2, begin + half_exact) - begin
    return {
        "t": t,
        # Strengths of 1e-6 are zero to the eye; three decimals keep the page small.
        "u": np.round(u, 3),
        "exact": np.round(exact, 3),
        "loss": np.round((s - u) ** 2 / 2, 3),
        "half": [half],
        "half_u": [s / 2],
        "x_end": 1.04 * time_to_strength(LEARNT * s, s, u0, depth),
        "say": f"s = {words(s)}: half time {words(half, 4)}, formula {words(half_exact, 4)}, "
        f"u within {words(float(np.abs(u - exact).max()), 1)}.",
    }


def _levels(s1: float, s2: float, s3: float) -> dict[str, Any]:
    """Return the loss with the m strongest modes learnt and the others not; equal modes leave no level between them."""
    s = np.sort([s1, s2, s3])[::-1]
    levels = [float(level) for level in loss_plateaus(Moments.white(np.diag([s1, s2, s3])))]
    rests = [m for m in range(3) if m == 0 or s[m] < s[m - 1]]
    columns = {f"level_{m}": np.full(2, levels[max(r for r in rests if r <= m)]) for m in range(3)}
    twins = " and ".join(name for name, value in zip(("1", "2", "3"), (s1, s2, s3), strict=True) if [s1, s2, s3].count(value) > 1)
    learnt = [f"{words(levels[m])} with {('one mode', 'two')[m - 1]} learnt" for m in rests[1:]]
    say = f"Loss above the least: {', '.join(learnt)}." if learnt else ""
    if twins:
        say = f"Modes {twins.replace(' and ', ', ', 1) if len(rests) == 1 else twins} move as one. {say}".strip()
    return {"x": [0.0, FAR], **columns, "say": say}


@cache
def _times(depth: int, u0: float) -> Array:
    """Return the times that all curves share, chosen one by one where straight lines between them err most.

    The error is the distance from the curve of any of the targets, on an axis that ends with that curve.
    """
    targets = np.array(TARGETS)[:, None]
    ends = time_to_strength(LEARNT * targets, targets, u0, depth)
    risen = time_to_strength(u0 + (targets - u0) * np.linspace(0.01, 0.99, 21), targets, u0, depth)
    fine = np.unique(np.concatenate([np.linspace(0.0, 1.05 * ends.max(), 64), risen.ravel()]))
    share = strength(fine, targets, u0, depth) / targets
    steepness = np.hypot(1.0, np.gradient(share, fine, axis=1) * ends)
    chosen = [0, len(fine) - 1]
    while len(chosen) < POINTS:
        drawn = [np.interp(fine, fine[chosen], row[chosen]) for row in share]
        chosen.append(int(np.argmax(np.max(np.abs(drawn - share) / steepness, axis=0))))
        chosen.sort()
    return fine[chosen]


@cache
def _run(depth: int, s: float) -> Trajectory:
    """Return one integration of the network with one mode, from the weakest start to the end of the slowest mode.

    A run from a stronger start is the later part of it: the flow does not depend on time, and equal layers stay equal.
    """
    end = 1.1 * float(time_to_strength(LEARNT * TARGETS[0], TARGETS[0], STARTS[0], depth))
    layers = (np.full((1, 1), STARTS[0] ** (1 / depth)),) * depth
    return gradient_flow(layers, Moments.white([[s]]), [0.0, end], rtol=1e-12, atol=1e-15, method="LSODA")


def _strength(path: Trajectory, t: Array | float) -> Array:
    return np.prod([W[..., 0, 0] for W in path.at(t)], axis=0)


def _passing(path: Trajectory, level: float, expected: float) -> float:
    """Return when the integrated strength passes a level; the time is expected to one part in ten thousand."""
    from scipy.optimize import brentq

    bracket = expected * (1 - 1e-4), expected * (1 + 1e-4)
    return float(brentq(lambda time: float(_strength(path, time)) - level, *bracket, xtol=1e-14, rtol=1e-14))
