"""Stored runs of the routing network: errors on untrained routes by topology and gain, and the signs of separate groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlnlib import _stored
from dlnlib._validate import Array
from dlnlib.gated._blocks import RoutingRun, routing_descent
from dlnlib.gated._routing import Route, blocks, circulant, hub, staircase

__all__ = ["GAINS", "TOPOLOGIES", "build", "routing_cell", "routing_topology", "small_cell", "stored_routing", "stored_small"]

DOMAINS, SEEDS = 10, 12
TOPOLOGIES = ("K = 1", "K = 2", "K = 3", "K = 5", "K = 8", "hub", "staircase", "two groups", "two groups and a bridge")
#: gain of the start -> step size, stable for all topologies.
GAINS = {0.1: 0.1, 0.2: 0.1, 0.5: 0.1, 1.0: 0.05, 2.0: 0.01}
#: what is run from a small start, with a narrower shared layer: gain, seeds, hidden units, steps at most, stop.
SMALL = ("two groups", "two groups and a bridge", "staircase", "K = 2", "K = 3", "hub", "K = 5")
SMALL_GAIN, SMALL_SEEDS, SMALL_HIDDEN, SMALL_STEPS, SMALL_STOP = 0.02, 40, 16, 32_000, 1e-4


def routing_topology(name: str) -> list[Route]:
    """Return the trained routes among ten inputs and ten outputs.

    name : one of TOPOLOGIES. "K = k" is `circulant`, the two groups are two `blocks` of five, 50 routes, with one more route
    between them where there is a bridge, "hub" and "staircase" are `hub` and `staircase`, 19 routes each.
    """
    if name not in TOPOLOGIES:
        raise ValueError(f"name must be one of {', '.join(TOPOLOGIES)}, got {name!r}")
    if name in ("hub", "staircase"):
        return (hub if name == "hub" else staircase)(DOMAINS)
    if name.startswith("K"):
        return circulant(DOMAINS, int(name.split()[-1]))
    return blocks(DOMAINS, 2) + ([(0, DOMAINS - 1)] if "bridge" in name else [])


def routing_cell(name: str, gain: float, seeds: Sequence[int]) -> RoutingRun:
    """Return the training of one cell of the table until the trained loss is a thousandth of its start.

    name : of the topology. gain : a key of GAINS. seeds : of the starts.
    """
    if gain not in GAINS:
        raise ValueError(f"gain must be one of {', '.join(map(str, GAINS))}, got {gain!r}")
    return routing_descent(routing_topology(name), gain, seeds, domains=DOMAINS, step=GAINS[gain])


def small_cell(name: str, seeds: Sequence[int]) -> dict[str, Array]:
    """Return what is stored of runs from small starts: "untrained", "fifth" and "first", "second", (n_seeds,) each.

    name : of the topology. seeds : of the starts. "untrained" is the loss of the untrained routes over that of the start,
    "fifth" the fifth singular value of all routes together, in units of the weakest mode, and "first" and "second" the
    strengths of the two leading modes from the first five inputs to the last five outputs, over their targets.
    """
    run = routing_descent(
        routing_topology(name),
        SMALL_GAIN,
        seeds,
        domains=DOMAINS,
        hidden=SMALL_HIDDEN,
        n_steps=SMALL_STEPS,
        stop=SMALL_STOP,
    )
    across = run.strengths[:, DOMAINS // 2 :, : DOMAINS // 2].mean(axis=(1, 2))
    fifth = run.singular_values[:, 4]
    return {"untrained": run.untrained[-1], "fifth": fifth, "first": across[:, 0], "second": across[:, 1]}


def build(seeds: int = SEEDS, small_seeds: int = SMALL_SEEDS) -> dict[str, Any]:
    """Compute what is stored: every cell over the seeds, and the runs from small starts."""
    cells = []
    for name in TOPOLOGIES:
        for gain in GAINS:
            found = routing_cell(name, gain, range(seeds)).at_stop
            cells.append({"routes": name, "gain": gain, "untrained": _stored.short(found, 3)})
    small = [
        {"routes": name} | {k: _stored.short(v, 4) for k, v in small_cell(name, range(small_seeds)).items()} for name in SMALL
    ]
    return {"cells": cells, "small": small}


def stored_routing() -> dict[tuple[str, float], Array]:
    """Return (topology, gain) -> untrained loss over that of the start (12 seeds), by `python -m dlnlib.gated`."""
    return {(cell["routes"], cell["gain"]): np.array(cell["untrained"]) for cell in _stored.read("dlnlib.gated")["cells"]}


def stored_small() -> dict[str, dict[str, Array]]:
    """Return topology -> what `small_cell` gives for forty seeds, as `python -m dlnlib.gated` computed it."""
    cells = _stored.read("dlnlib.gated")["small"]
    return {cell["routes"]: {key: np.array(value) for key, value in cell.items() if key != "routes"} for cell in cells}
