"""Impostors: variables with the law of independent factors that mix them, at every angle."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dlnlib import disentanglement as dis
from dlnlib._validate import Array
from dlnlib.explore._model import Choice, Explorer, Panel, Part, Series, Slider, words

__all__ = ["impostors"]

PRIORS = ("uniform", "Laplace", "Gaussian", "exponential")
ANGLES = (0.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0)
POINTS = 200
LINES = (0.15, 0.5, 0.85)  # probabilities of the factor that stays constant
ALONG = np.concatenate([[0.003, 0.01, 0.03], np.linspace(0.07, 0.93, 17), [0.97, 0.99, 0.997]])
BINS = 16


@cache
def _prior(name: str) -> Any:
    """Return the law of one factor, with mean 0 and variance 1."""
    from scipy import stats

    return {
        "uniform": stats.uniform(-np.sqrt(3), np.sqrt(12)),
        "Laplace": stats.laplace(scale=np.sqrt(0.5)),
        "Gaussian": stats.norm(),
        "exponential": stats.expon(-1),
    }[name]


@cache
def _quantiles() -> Array:
    """Return probabilities (POINTS, 2), spread evenly over the square: a lattice by golden ratios of the plane."""
    n = np.arange(1, POINTS + 1)
    return np.stack([(0.5 + 0.7548776662466927 * n) % 1, (0.5 + 0.5698402909980532 * n) % 1], axis=1)


def _turn(angle: float) -> Array:
    a = np.deg2rad(angle)
    return np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])


def _correlation(prior: Any, Q: Array) -> float:
    """Return the correlation of the first coordinate of the impostor with the first factor."""
    nodes, w = np.polynomial.hermite_e.hermegauss(40)
    from scipy.special import ndtr

    xi = np.stack(np.meshgrid(nodes, nodes), -1).reshape(-1, 2)
    weight = np.outer(w, w).ravel() / w.sum() ** 2
    kept = weight > 1e-14
    z = prior.isf(ndtr(-xi[kept]))
    return float(np.sum(weight[kept] * dis.impostor(z, Q, prior)[:, 0] * z[:, 0]))


def _cloud(prior: str, angle: float) -> dict[str, Any]:
    law, Q = _prior(prior), _turn(angle)
    found: dict[str, Any] = {}
    image = dis.impostor(law.ppf(_quantiles()), Q, law)
    found["f1"], found["f2"] = image[:, 0], image[:, 1]
    for k, level in enumerate(LINES):
        for j in (0, 1):
            line = np.empty((len(ALONG), 2))
            line[:, j], line[:, 1 - j] = law.ppf(level), law.ppf(ALONG)
            mapped = dis.impostor(line, Q, law)
            found[f"x{j}{k}"], found[f"y{j}{k}"] = mapped[:, 0], mapped[:, 1]
    own = _correlation(law, Q)
    say = f"{prior} factors, turned by {words(angle)} degrees between two maps to a Gaussian: f₁ has the law of a factor"
    if angle in (0.0, 90.0):
        say += ", and is one." if angle == 0 else ", and is the second one, up to its sign."
    else:
        say += f", correlation {words(own)} with z₁, and depends on both."
    return {**found, "say": say[0].upper() + say[1:]}


def _marginal(prior: str, angle: float) -> dict[str, Any]:
    """Return the histogram of f_1 over a fine lattice of factors, and the density of a factor."""
    law = _prior(prior)
    n = np.arange(1, 4001)
    u = np.stack([(0.5 + 0.7548776662466927 * n) % 1, (0.5 + 0.5698402909980532 * n) % 1], axis=1)
    low, high = float(law.ppf(0.002)), float(law.ppf(0.998))
    edges = np.linspace(low, high, BINS + 1)
    counts = np.histogram(dis.impostor(law.ppf(u), _turn(angle), law)[:, 0], bins=edges)[0]
    middle = (edges[1:] + edges[:-1]) / 2
    return {"f": middle, "share": counts / len(n), "prior": np.diff(law.cdf(edges))}


def impostors() -> Explorer:
    """Return the chart of impostors: a cloud, the images of lines of one constant factor, and the law of a coordinate.

    Prior and angle move (`eq-impostor`). Two independent factors of variance one. Chapter 11, `fig-impostor`.
    """
    lines = tuple(
        Series((f"z{'₁₂'[j]} constant" if k == 0 else ""), "cloud", f"x{j}{k}", f"y{j}{k}", "line", mode=j)
        for j in (0, 1)
        for k in range(len(LINES))
    )
    return Explorer(
        name="impostors",
        controls=(
            Choice("prior", "factors", PRIORS, "uniform"),
            Slider("angle", "angle (degrees)", ANGLES, 45.0),
        ),
        parts=(
            Part("cloud", _cloud, ("prior", "angle"), digits=3),
            Part("marginal", _marginal, ("prior", "angle"), digits=3),
        ),
        panels=(
            Panel("impostor f₁", "impostor f₂", square=True),
            Panel("coordinate f₁", "share of the cloud"),
        ),
        series=(
            Series("cloud", "cloud", "f1", "f2", "points"),
            *lines,
            Series("f₁", "marginal", "f", "share", "bars", mode=0, panel=1),
            Series("prior", "marginal", "f", "prior", "theory", panel=1),
        ),
    )
