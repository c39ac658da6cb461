"""The life of a belief that nobody taught: an absent property that is ascribed to an item, and then is not."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dlnlib import datasets, initialise, semantic
from dlnlib._validate import Array
from dlnlib.explore._model import Choice, Explorer, Panel, Part, Series, Slider, words
from dlnlib.simulate import gradient_flow

__all__ = ["illusory_beliefs"]

# What the text of the control means: level of the node whose property it is, level at which the item leaves its path.
ENTRIES = {
    "sibling's own": (3, 2),
    "cousin's own": (3, 1),
    "stranger's own": (3, 0),
    "neighbouring pair's": (2, 1),
    "strange pair's": (2, 0),
    "other half's": (1, 0),
}
STARTS = (1e-8, 1e-6, 1e-4, 1e-3, 1e-2)
MARGINS = (0.05, 0.1, 0.2, 0.4)
POINTS = 61


def illusory_beliefs() -> Explorer:
    """Return the chart of the life of an illusory correlation in the tree of eight items.

    Whose property it is, the start, and the number of layers move. Left, the belief in it: integrated flow against
    `eq-illusory-entry`, or `eq-shallow-items` for one layer. Right, how many of the 88 absent properties are believed in by
    more than a margin at each time. Chapter 5, `fig-illusions`.
    """
    return Explorer(
        name="illusory-beliefs",
        controls=(
            Choice("entry", "whose property", tuple(ENTRIES), "sibling's own"),
            Slider("u0", "start u₀", STARTS, 1e-4, log=True),
            Slider("layers", "layers", (1, 2), 2, whole=True),
            Slider("margin", "margin", MARGINS, 0.05),
        ),
        parts=(
            Part("belief", _belief, ("entry", "u0", "layers"), digits=3),
            Part("count", _count, ("u0", "layers", "margin"), digits=3),
        ),
        panels=(
            Panel("time t (τ)", "belief (truth: 0)", x_end=("belief",), y_domain=(-0.02, 0.55)),
            Panel("time t (τ)", "absent properties believed in", x_end=("count",), y_domain=(-2.0, 92.0)),
        ),
        series=(
            Series("levels far apart", "belief", "ends", "height", "other"),
            Series("flow", "belief", "t", "flow", "simulation", mode=0),
            Series("formula", "belief", "t", "exact", "theory", mode=0),
            Series("now believed", "count", "t", "now", "line", mode=1, panel=1),
        ),
    )


@cache
def _course(u0: float, layers: int) -> tuple[Array, Array]:
    """Return times and the end-to-end maps of the integrated flow."""
    task = datasets.hierarchy(3).moments
    end = 1.6 * float(semantic.half_time(1 / 8, 1 / 8, u0, 2))
    t = np.linspace(0, end, POINTS)
    start = initialise.decoupled(task.modes(), (8, *(8,) * (layers - 1), 15), u0 ** (1 / layers), rng=None)
    return t, gradient_flow(start, task, t, rtol=1e-9, atol=1e-13).product


def _belief(entry: str, u0: float, layers: int) -> dict[str, Any]:
    node, leaves = ENTRIES[entry]
    t, product = _course(u0, layers)
    # The first node of its level, and the first item that leaves the path to it where it should.
    row, item = 2**node - 1, 2 ** (2 - leaves)
    flow = product[:, row, item]
    spectrum = semantic.node_spectrum(3, 2)
    sigma = np.sqrt(spectrum.values)
    learnt = semantic.strength(t[:, None], sigma / 8, 1 / 8, u0, layers) / sigma
    exact = semantic.tree_entries(learnt, 2, node)[:, leaves]
    peak = int(np.argmax(flow))
    if layers == 1:
        said = "With one layer this belief never arises: the entry is never further from its truth, 0, than at the start."
    else:
        apart, error = words(2.0 ** (leaves - node)), words(float(np.abs(flow - exact).max()), 1)
        said = f"The belief peaks at {words(flow[peak])} near t = {words(t[peak])}; far apart levels would give {apart}. "
        said += f"Formula off by at most {error}."
    return {
        "t": t,
        "flow": np.round(flow, 4),
        "exact": np.round(exact, 4),
        "ends": [0.0, t[-1]],
        "height": np.full(2, 2.0 ** (leaves - node)) if layers == 2 else np.zeros(2),
        "x_end": t[-1],
        "say": said,
    }


def _count(u0: float, layers: int, margin: float) -> dict[str, Any]:
    table = datasets.hierarchy(3).table
    t, product = _course(u0, layers)
    believed = product[:, table == 0] > margin
    ever = int(np.sum(semantic.illusory_excess(product, table)[table == 0] > margin))
    return {
        "t": t,
        "now": np.sum(believed, axis=1),
        "x_end": t[-1],
        "say": f"Of 88 absent properties {ever} are believed in by more than {words(margin)} at some time.",
    }
