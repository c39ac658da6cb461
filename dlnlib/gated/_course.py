"""Time along a course that is nearly straight in z = log(x / (end - x)), and its inverse, by Gauss-Legendre quadrature."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dlnlib._validate import Array, finite_result

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_AT, _SHARE = 0.5 + 0.5 * _NODES, 0.5 * _WEIGHTS  # for the unit interval
_PANEL = 0.25
_LAST = 40.0  # beyond it x is its end in float64
Slope = Callable[[Array], Array]


def time_along(slope: Slope, first: float, z: Array) -> Array:
    """Return the integral of dt/dz from `first` to z (...), on equal panels no longer than a quarter."""
    span = z - first
    panels = max(1, int(np.ceil(np.max(np.abs(span), initial=0.0) / _PANEL)))
    where = (np.arange(panels)[:, None] + _AT).ravel() / panels
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        found = span * (slope(first + span[..., None] * where) @ np.tile(_SHARE, panels)) / panels
    return finite_result("the time", found)


def place_at(slope: Slope, first: float, t: Array) -> Array:
    """Return z (n_t,) at times t from `first`: by the panel that holds t, and Newton's method inside it."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        edges = np.arange(first, _LAST + _PANEL, _PANEL)
        lengths = slope(edges[:-1, None] + _PANEL * _AT) @ _SHARE * _PANEL
        clock = np.concatenate([[0.0], np.cumsum(lengths)])
        panel = np.clip(np.searchsorted(clock, t, side="right") - 1, 0, len(lengths) - 1)
        base, rest = edges[panel], t - clock[panel]
        z = base + np.minimum(rest / slope(base), _PANEL)
        for _ in range(5):
            width = z - base
            elapsed = width * (slope(base[:, None] + width[:, None] * _AT) @ _SHARE)
            z = base + np.clip(width - (elapsed - rest) / slope(z), 0.0, _PANEL)
    return finite_result("the place on the course", z)
