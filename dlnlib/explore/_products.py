"""The singular values of products of random matrices: Gaussian ones fan out with depth, orthogonal ones stay together."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dlnlib import initialise, measure, propagation
from dlnlib._validate import Array
from dlnlib.explore._model import Explorer, Panel, Part, Series, Slider, words

__all__ = ["product_spectra"]

DEPTHS = (1, 2, 3, 5, 8, 12, 20, 32, 60, 100)
LINE = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25, 32, 40, 50, 63, 80, 100)  # depths where the curves have points
AROUND = (0.87, 115.0)  # axis of depth, so that no marker is cut
WIDTHS = (8, 20, 40)
GAINS = (0.8, 0.9, 1.0, 1.1, 1.25)
DRAWS = 3


@cache
def _logs(start: str, width: int, depth: int) -> Array:
    """Return natural logarithms of the singular values of products at gain one, (DRAWS, width), the same at each call.

    The layers of a shallow product are the first layers of a deep one. A gain g adds L ln g.
    """
    make = initialise.gaussian if start == "gaussian" else initialise.orthogonal
    found = []
    for seed in range(DRAWS):
        layers = make((width,) * (depth + 1), rng=np.random.default_rng([seed, width]))
        found.append(measure.isometry_spectrum(layers, log=True))
    return np.array(found)


def _decades(logs: Array, depth: ArrayLike, gain: float) -> Array:
    """Return logarithms to base ten at a gain; what is rounding of a zero becomes one."""
    return np.round((logs + np.asarray(depth) * np.log(gain)) / np.log(10), 9) + 0.0


@cache
def _deep(width: int, depth: int) -> Array:
    return depth * propagation.lyapunov_exponents(width)


@cache
def _wide(width: int, depth: int) -> Array:
    return np.log(propagation.fuss_catalan_quantiles(depth, (np.arange(width) + 0.5) / width))


def _spectra(width: int, depth: int, gain: float) -> dict[str, Any]:
    gaussian, orthogonal = (_decades(_logs(start, width, depth), depth, gain) for start in ("gaussian", "orthogonal"))
    return {
        "k": np.arange(1, width + 1),
        "one": gaussian[0],
        "two": gaussian[1],
        "three": gaussian[2],
        "ends": [1, width],
        "orthogonal": orthogonal[0, [0, -1]],
        "wide": _decades(_wide(width, depth), depth, gain),
        "deep": _decades(_deep(width, depth), depth, gain),
        "depth": [depth],
        "largest": [gaussian[:, 0].mean()],
        "ratio": [(gaussian[:, 0] - gaussian[:, -1]).mean()],
        "say": _say(width, depth, gain, gaussian[0], orthogonal[0]),
    }


def _say(width: int, depth: int, gain: float, gaussian: Array, orthogonal: Array) -> str:
    edge = gain**depth * propagation.fuss_catalan_edge(depth)
    deep = _decades(_deep(width, depth), depth, gain)
    return (
        f"Gaussian: largest {words(10 ** gaussian[0])} (wide limit {words(edge)}, deep limit {words(10 ** deep[0])}), "
        f"smallest {words(10 ** gaussian[-1])} (deep limit {words(10 ** deep[-1])}), "
        f"ratio {words(10 ** (gaussian[0] - gaussian[-1]))}. Orthogonal: all {words(10 ** orthogonal[0])}."
    )


def _against_depth(width: int, gain: float) -> dict[str, Any]:
    """Means of logarithms over the draws, and both limits; a gain does not change the ratio."""
    measured = [_decades(_logs("gaussian", width, L), L, gain) for L in DEPTHS]
    deep = [_decades(_deep(width, L), L, gain) for L in LINE]
    return {
        "L": DEPTHS,
        "largest": [logs[:, 0].mean() for logs in measured],
        "ratio": [(logs[:, 0] - logs[:, -1]).mean() for logs in measured],
        "L_line": LINE,
        "wide": [_decades(np.log(propagation.fuss_catalan_edge(L)), L, gain) for L in LINE],
        "deep": [logs[0] for logs in deep],
        "deep_ratio": [logs[0] - logs[-1] for logs in deep],
        "L_ends": [LINE[0], LINE[-1]],
        "orthogonal": [_decades(np.zeros(()), L, gain) for L in (LINE[0], LINE[-1])],
        "one": [0, 0],
    }


def product_spectra() -> Explorer:
    """Return the chart of the singular values of products of Gaussian and of orthogonal layers.

    Depth, gain and width move. The ranked values of three draws are compared with both limits of theory: wide layers at
    fixed depth, whose law has the edge `eq-fuss-catalan` and the spread `eq-product-spread`, and great depth at fixed
    width, the exponents of `eq-lyapunov`. Beside them the largest value and the ratio of largest to smallest against
    depth. Chapter 4, Isometry of products.
    """
    return Explorer(
        name="product-spectra",
        controls=(
            Slider("depth", "depth L", DEPTHS, 12, log=True, whole=True),
            Slider("gain", "gain g", GAINS, 1.0, log=True),
            Slider("width", "width N", WIDTHS, 20, whole=True),
        ),
        parts=(
            Part("spectra", _spectra, ("width", "depth", "gain"), digits=4),
            Part("depths", _against_depth, ("width", "gain"), digits=4),
        ),
        panels=(
            Panel("rank k", "log₁₀ σₖ"),
            Panel("depth L", "log₁₀ of largest σ", x_log=True, x_domain=AROUND),
            Panel("depth L", "log₁₀ of largest / smallest", x_log=True, x_domain=AROUND),
        ),
        series=(
            Series("two more draws", "spectra", "k", "two", "other"),
            Series("", "spectra", "k", "three", "other"),
            Series("Gaussian", "spectra", "k", "one", "simulation", mode=0),
            Series("orthogonal", "spectra", "ends", "orthogonal", "simulation", mode=1),
            Series("wide limit", "spectra", "k", "wide", "theory", mode=2),
            Series("deep limit", "spectra", "k", "deep", "theory"),
            Series("orthogonal", "depths", "L_ends", "orthogonal", "simulation", mode=1, panel=1),
            Series("wide limit", "depths", "L_line", "wide", "theory", mode=2, panel=1),
            Series("deep limit", "depths", "L_line", "deep", "theory", panel=1),
            Series("Gaussian, mean of three", "depths", "L", "largest", "points", mode=0, panel=1),
            Series("chosen depth", "spectra", "depth", "largest", "points", mode=3, panel=1),
            Series("orthogonal", "depths", "L_ends", "one", "simulation", mode=1, panel=2),
            Series("deep limit", "depths", "L_line", "deep_ratio", "theory", panel=2),
            Series("Gaussian, mean of three", "depths", "L", "ratio", "points", mode=0, panel=2),
            Series("chosen depth", "spectra", "depth", "ratio", "points", mode=3, panel=2),
        ),
    )
