"""Units that learn exclusive or: they find their gates while the loss stands still, and then grow along four diagonals."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dlnlib import rectified
from dlnlib._validate import Array
from dlnlib.explore._model import Choice, Explorer, Panel, Part, Series, Slider, words

__all__ = ["xor_units"]

STEP, END, UNITS = 0.01, 32.0, 16
TIMES = tuple(float(t) for t in [*np.arange(0, 8, 0.5), *np.arange(8, END + 0.1, 1.0)])
STARTS = (0.001, 0.01, 0.1)
DRAWS = {"A": 3, "B": 1, "C": 5}
X = rectified.CORNERS
Y = -X[:, :1] * X[:, 1:]
REACH = 4.2


@cache
def _run(draw: str, start: float) -> tuple[Array, Array, Array]:
    """Return W_1 (n_t, h, 2), v (n_t, h) and the loss (n_t,) at multiples of a quarter, by descent."""
    rng = np.random.default_rng(DRAWS[draw])
    weights = start * rng.standard_normal((UNITS, 2)), start * rng.standard_normal((1, UNITS))
    run = rectified.gradient_descent(weights, X, Y, STEP, round(END / STEP), record=25)
    return run.weights[0], run.weights[1][:, 0], run.loss


@cache
def _theory(draw: str, start: float) -> tuple[Array, Array]:
    """Return times from the last turn on, and the loss of four logistic curves that begin there (`eq-relu-xor-strength`)."""
    W, v, _ = _run(draw, start)
    first = min(int(np.ceil(4 * (_fates(draw, start).time.max() + 2))), len(W) - 40)
    t = np.arange(first, len(W)) / 4
    corner = np.argmax(W[first] @ X.T, axis=1)
    size = np.abs(v[first]) * np.linalg.norm(W[first], axis=1)
    s, d = np.sqrt(2) / 4, 0.5
    loss = np.zeros(len(t))
    for k in range(4):
        u0 = size[corner == k].sum()
        u = (s / d) / (1 + (s / (d * u0) - 1) * np.exp(-2 * s * (t - t[0]))) if u0 > 0 else np.zeros(len(t))
        loss += (1 - np.sqrt(2) * u) ** 2 / 8
    return t, loss


def _fates(draw: str, start: float) -> rectified.Fates:
    W, v, _ = _run(draw, start)
    return rectified.xor_fates((W[0], v[0][None]))


def _units(draw: str, start: float, time: float) -> dict[str, Any]:
    W, v, loss = _run(draw, start)
    now = round(4 * time)
    length = np.linalg.norm(W[now], axis=1)
    # One unit of length on the page is a factor of ten, and the circle of radius one is a tenth of the start.
    shown = W[now] / length[:, None] * np.maximum(np.log10(length / start) + 1, 0.05)[:, None]
    angle = np.degrees(np.arctan2(*W[now].T))
    off = np.abs(np.abs((angle % 90) - 45))
    there = int(np.sum(off < 1))
    up = v[now] > 0
    say = f"At t = {words(time)} the loss is {words(float(loss[now]))}; {there} of {UNITS} units are within 1° of a diagonal."
    if time == 0:
        say += f" By theory the last one gets there at t = {words(float(_fates(draw, start).time.max()))}."
    return {
        "x_up": shown[up, 0], "y_up": shown[up, 1], "x_down": shown[~up, 0], "y_down": shown[~up, 1],
        "t": [time], "loss": [loss[now]], "say": say,
    }  # fmt: skip


def _losses(draw: str, start: float) -> dict[str, Any]:
    loss = _run(draw, start)[2]
    t, theory = _theory(draw, start)
    return {"t": np.arange(len(loss))[::2] / 4, "loss": loss[::2], "late": t[::2], "theory": theory[::2]}


def _lines() -> dict[str, Any]:
    ends = np.array([-REACH, REACH])
    return {"x": ends, "rise": ends, "fall": -ends}


def _diagonals(draw: str) -> dict[str, Any]:
    return _lines()


def xor_units() -> Explorer:
    """Return the chart of units that learn exclusive or.

    Time, size of the start and draw move. Left, the weights of every unit, the length on a logarithmic scale; right, the
    loss of a descent and the four logistic curves from two units of time after the last turn (`eq-xor-fate`,
    `eq-relu-xor-strength`). Chapter 10, `fig-xor-units`.
    """
    return Explorer(
        name="xor-units",
        controls=(
            Slider("time", "time t (τ)", TIMES, 0.0),
            Slider("start", "size of the start", STARTS, 0.01, log=True),
            Choice("draw", "draw", tuple(DRAWS), "A"),
        ),
        parts=(
            Part("diagonals", _diagonals, ("draw",)),
            Part("units", _units, ("draw", "start", "time"), digits=3),
            Part("losses", _losses, ("draw", "start"), digits=3),
        ),
        panels=(
            Panel("w₁, logarithmic length", "w₂", x_domain=(-REACH, REACH), y_domain=(-REACH, REACH), square=True),
            Panel("time t (τ)", "loss", y_domain=(0.0, 0.55)),
        ),
        series=(
            Series("diagonals", "diagonals", "x", "rise", "other"),
            Series("", "diagonals", "x", "fall", "other"),
            Series("output weight > 0", "units", "x_up", "y_up", "points", mode=0),
            Series("output weight < 0", "units", "x_down", "y_down", "points", mode=1),
            Series("descent", "losses", "t", "loss", "simulation", mode=2, panel=1),
            Series("theory", "losses", "late", "theory", "theory", mode=2, panel=1),
            Series("chosen time", "units", "t", "loss", "points", mode=3, panel=1),
        ),
    )
