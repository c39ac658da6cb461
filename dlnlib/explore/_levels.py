"""The race of a tree's levels: singular values by level, and which level is learnt when."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dlnlib import datasets, exact, semantic
from dlnlib._validate import Array
from dlnlib.explore._model import Explorer, Panel, Part, Series, Slider, words
from dlnlib.moments import Moments
from dlnlib.simulate import gradient_flow

__all__ = ["level_race"]

DEPTHS = (2, 3, 4)
BRANCHINGS = (2, 3, 4)
FLIPS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.45)
FEATURES = 15
SHARE = 1e-3  # of its end, that each level starts with
POINTS = 36


def level_race() -> Explorer:
    """Return the chart in which the levels of a tree race.

    Depth, branching and flip probability move. Left, the singular values of yx by level: the formula
    `eq-diffusion-spectrum` against a numerical decomposition of the whole similarity. Right, the learnt share of each
    level, `eq-item-modes`, the flow integrated and in closed form, and half times `eq-level-times`; a single layer learns
    all levels at one rate, `eq-shallow-items`. Chapter 5, `fig-level-race`.
    """
    most = max(DEPTHS)
    series = [
        Series("formula", "spectrum", "level", "formula", "theory"),
        Series("decomposition", "spectrum", "level", "measured", "points"),
    ]
    for j in range(most + 1):
        series += [
            Series(f"level {j}", "race", f"t{j}", f"flow{j}", "simulation", mode=j, panel=1),
            Series("closed form", "race", f"t{j}", f"exact{j}", "theory", mode=j, panel=1),
            Series("", "race", f"half{j}", f"at{j}", "points", mode=j, panel=1),
        ]
    series.append(Series("one layer, all levels", "race", "t_single", "single", "other", panel=1))
    names = ("depth", "branching", "flip")
    return Explorer(
        name="level-race",
        controls=(
            Slider("depth", "depth D", DEPTHS, 3, whole=True),
            Slider("branching", "branching B", BRANCHINGS, 2, whole=True),
            Slider("flip", "flip probability ε", FLIPS, 0.1),
        ),
        parts=(Part("spectrum", _spectrum, names), Part("race", _race, names)),
        panels=(
            Panel("level j", "singular value of Σyx"),
            Panel("time t (τ)", "learnt share u / σ", x_end=("race",)),
        ),
        series=tuple(series),
    )


def _spectrum(depth: int, branching: int, flip: float) -> dict[str, Any]:
    spectrum = semantic.diffusion_spectrum(depth, branching, flip)
    m = spectrum.singular_values(FEATURES)
    # The last of each group of equal values of the numerical decomposition.
    last = np.cumsum(spectrum.multiplicities).astype(int) - 1
    measured = np.linalg.svd(datasets.tree(depth, branching, flip).moments(FEATURES).yx, compute_uv=False)[last]
    return {"level": np.arange(depth + 1), "formula": m, "measured": measured}


def _race(depth: int, branching: int, flip: float) -> dict[str, Any]:
    spectrum = semantic.diffusion_spectrum(depth, branching, flip)
    m, n = spectrum.singular_values(FEATURES), spectrum.n
    clock, flow = _one_mode()
    columns: dict[str, Any] = {}
    for j in range(max(DEPTHS) + 1):
        here = j <= depth
        t = clock / m[j] if here else np.zeros(0)
        sigma = n * m[j] if here else 1.0
        columns[f"t{j}"] = t
        columns[f"flow{j}"] = flow if here else t
        columns[f"exact{j}"] = np.round(semantic.strength(t, m[j], 1 / n, SHARE * sigma) / sigma, 3) if here else t
        columns[f"half{j}"] = [float(semantic.half_time(m[j], 1 / n, SHARE * sigma))] if here else t
        columns[f"at{j}"] = [0.5] if here else t
    end = float(clock[-1] / m[-1])
    single = np.linspace(0, end, POINTS)
    halves = ", ".join(words(columns[f"half{j}"][0]) for j in range(depth + 1))
    return {
        **columns,
        "t_single": single,
        "single": np.round(1 - np.exp(-single / n), 3),
        "x_end": end,
        "say": f"{n} items. Levels 0 to {depth} are half learnt at t = {halves}; by one layer all at {words(n * np.log(2))}. "
        f"Singular values from {words(m[0])} to {words(m[-1])}.",
    }


@cache
def _one_mode() -> tuple[Array, Array]:
    """Return times in units of one over m, and the integrated share of a mode: a level differs by its unit of time alone."""
    shares = np.concatenate([[SHARE], 1 / (1 + np.exp(-np.linspace(-4.6, 4.6, POINTS - 2))), [0.995]])
    clock = exact.time_to_strength(shares, 1.0, SHARE, 2)
    start = (np.full((1, 1), SHARE**0.5),) * 2
    path = gradient_flow(start, Moments.white([[1.0]]), clock, rtol=1e-12, atol=1e-15)
    return clock, np.round(path.product[:, 0, 0], 3)
