"""Exact learning coefficients against rank and depth: how far below half the number of parameters, and where."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dlnlib.explore._model import Explorer, Panel, Part, Series, Slider, words
from dlnlib.slt import LearningCoefficient, learning_coefficient

__all__ = ["learning_coefficients"]

ENDS = 5  # inputs, and outputs
HIDDEN = (1, 2, 3, 4, 5, 6, 7, 8)
LAYERS = (2, 3, 4, 5, 6, 7, 8)
DEEP = 40  # layers, after which nothing changes any more
TOP = 16.0  # of the axis; no coefficient is above 25/2, that of one layer


@cache
def coefficient(hidden: int, layers: int, rank: int) -> LearningCoefficient:
    """Return lambda and m of five inputs, equally wide hidden layers and five outputs, at the rank or the next that exists."""
    return learning_coefficient((ENDS, *(hidden,) * (layers - 1), ENDS), min(rank, hidden))


def _marks(found: list[LearningCoefficient], at: list[int], name: str) -> dict[str, Any]:
    """Return the columns of two kinds of marks, multiplicity 1 and above, and of the numbers beside the latter."""
    many = [one.multiplicity > 1 for one in found]
    return {
        f"one_{name}": [x for x, more in zip(at, many, strict=True) if not more],
        "one": [float(one) for one, more in zip(found, many, strict=True) if not more],
        f"many_{name}": [x for x, more in zip(at, many, strict=True) if more],
        "many": [float(one) for one, more in zip(found, many, strict=True) if more],
        "m": np.array([str(one.multiplicity) for one in found if one.multiplicity > 1], dtype=str),
    }


def _ranks(hidden: int, layers: int) -> dict[str, Any]:
    ranks = list(range(min(hidden, ENDS) + 1))
    found = [coefficient(hidden, layers, r) for r in ranks]
    half = float(found[0].regular)
    fits = half < TOP - 2
    return {
        **_marks(found, ranks, "rank"),
        "rank": ranks,
        "maps": [r * (2 * ENDS - r) / 2 for r in ranks],
        "ends": [-0.5, 5.5] if fits else [],
        "half": [half, half] if fits else [],
        "half_at": [4.2 if fits else 1.1],
        "half_height": [half if fits else TOP - 1.8],
        "half_text": [f"d/2 = {words(half)}" + ("" if fits else " ↑")],
    }


def _depths(hidden: int, rank: int) -> dict[str, Any]:
    found = [coefficient(hidden, L, rank) for L in LAYERS]
    bound = float(coefficient(hidden, DEEP, rank))
    return {
        **_marks(found, list(LAYERS), "layers"),
        "layers": LAYERS,
        "half": [float(one.regular) for one in found],
        "ends": [LAYERS[0], LAYERS[-1]],
        "bound": [bound, bound],
    }


def _chosen(hidden: int, layers: int, rank: int) -> dict[str, Any]:
    one = coefficient(hidden, layers, rank)
    half, value, bound = float(one.regular), float(one), float(coefficient(hidden, DEEP, rank))
    fits = f", the most that fits through h = {hidden}" if one.rank < rank else ""
    said = f"{layers} layers at rank {one.rank}{fits}: λ = {words(value)}, multiplicity {one.multiplicity}, "
    said += f"while d/2 = {words(half, 4)} is {words(half / value)} times as much. "
    if value > bound:
        said += f"With more layers λ falls to {words(bound)}."
    elif float(coefficient(hidden, LAYERS[0], rank)) > bound:
        said += "It falls no further."
    else:
        said += "More layers change nothing."
    return {
        "rank": [one.rank] * 2,
        "above": [one.rank * (2 * ENDS - one.rank) / 2, value],
        "layers": [layers] * 2,
        "below": [min(1.4 * value, half), half],  # clear of the number above the mark
        "say": said,
    }


def learning_coefficients() -> Explorer:
    """Return the chart of exact learning coefficients, against rank and against the number of layers.

    Five inputs and outputs; hidden width, number of layers and rank move. Left, lambda at every rank (`eq-deep-coefficient`)
    above half the dimension of the maps of that rank (dashed); right, lambda at one rank and every depth, the bound that
    it falls to (`eq-depth-bound`, dashed) and d/2 (grey). Squares have multiplicity above 1. Chapter 12,
    `fig-learning-coefficients`.
    """
    one, many = "multiplicity 1", "multiplicity above 1, given above"
    return Explorer(
        name="learning-coefficients",
        controls=(
            Slider("hidden", "hidden width h", HIDDEN, 5, whole=True),
            Slider("layers", "layers L", LAYERS, 3, whole=True),
            Slider("rank", "rank r", tuple(range(ENDS + 1)), 0, whole=True),
        ),
        parts=(
            Part("ranks", _ranks, ("hidden", "layers")),
            Part("depths", _depths, ("hidden", "rank")),
            Part("chosen", _chosen, ("hidden", "layers", "rank")),
        ),
        panels=(
            Panel("rank r", "learning coefficient λ", x_domain=(-0.5, 5.5), y_domain=(0.0, TOP)),
            Panel("layers L", "λ and d/2", y_log=True, x_domain=(1.6, 8.5)),
        ),
        series=(
            Series("d/2", "ranks", "ends", "half", "other"),
            Series("", "chosen", "rank", "above", "other"),
            Series("half the dimension of the maps", "ranks", "rank", "maps", "theory", mode=2),
            Series(one, "ranks", "one_rank", "one", "points", mode=0),
            Series(many, "ranks", "many_rank", "many", "points", mode=1),
            Series("", "ranks", "many_rank", "many", "text", text="m"),
            Series("", "ranks", "half_at", "half_height", "text", text="half_text"),
            Series("d/2", "depths", "layers", "half", "other", panel=1),
            Series("", "chosen", "layers", "below", "other", panel=1),
            Series("bound for any depth", "depths", "ends", "bound", "theory", mode=3, panel=1),
            Series(one, "depths", "one_layers", "one", "points", mode=0, panel=1),
            Series(many, "depths", "many_layers", "many", "points", mode=1, panel=1),
            Series("", "depths", "many_layers", "many", "text", text="m", panel=1),
        ),
    )
