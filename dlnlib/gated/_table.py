"""Stored runs of the routing network: errors on untrained routes by topology and gain, and the signs of separate groups."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import numpy as np

from dlnlib._validate import Array
from dlnlib.gated._blocks import RoutingRun, routing_descent
from dlnlib.gated._routing import Route, blocks, circulant

__all__ = ["GAINS", "TOPOLOGIES", "build", "routing_cell", "routing_topology", "stored_routing", "stored_signs"]

DOMAINS, SEEDS = 10, 20
#: label -> number of routes an input has in the circle, or what the groups are.
TOPOLOGIES = ("K = 1", "K = 2", "K = 3", "K = 5", "K = 8", "two groups", "two groups and a bridge")
#: gain of the start -> step size, stable for all topologies.
GAINS = {0.1: 0.1, 0.2: 0.1, 0.5: 0.1, 1.0: 0.05, 2.0: 0.01}
SIGN_GAIN, SIGN_SEEDS, SIGN_STEPS = 0.02, 100, 32_000


def routing_topology(name: str) -> list[Route]:
    """Return the trained routes among ten inputs and ten outputs.

    name : one of TOPOLOGIES. "K = k" is `circulant`, and the two groups are two `blocks` of five, 50 routes, with one more
    route between them where there is a bridge.
    """
    if name not in TOPOLOGIES:
        raise ValueError(f"name must be one of {', '.join(TOPOLOGIES)}, got {name!r}")
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


def signs_of(seeds: Sequence[int]) -> tuple[Array, Array]:
    """Return the strengths (n_seeds, 2) of the two leading modes from one group to the other, and the untrained loss."""
    run = routing_descent(
        routing_topology("two groups"), SIGN_GAIN, seeds, domains=DOMAINS, hidden=16, step=0.1, n_steps=SIGN_STEPS, stop=1e-4
    )
    return run.strengths[:, DOMAINS // 2 :, : DOMAINS // 2, :2].mean(axis=(1, 2)), run.untrained[-1]


def build(seeds: int = SEEDS, sign_seeds: int = SIGN_SEEDS) -> dict[str, Any]:
    """Compute what is stored: every cell over the seeds, and the signs of two groups from a small start."""
    cells = []
    for name in TOPOLOGIES:
        for gain in GAINS:
            found = routing_cell(name, gain, range(seeds)).at_stop
            cells.append({"routes": name, "gain": gain, "untrained": _short(found, 3)})
    strengths, untrained = signs_of(range(sign_seeds))
    return {"cells": cells, "signs": [_short(row, 5) for row in strengths], "sign_losses": _short(untrained, 4)}


def stored_routing() -> dict[tuple[str, float], Array]:
    """Return (topology, gain) -> untrained loss over that of the start, for twenty seeds, as `python -m dlnlib.gated` computed it."""
    return {(cell["routes"], cell["gain"]): np.array(cell["untrained"]) for cell in _stored()["cells"]}


def stored_signs() -> tuple[Array, Array]:
    """Return the strengths (100, 2) of the two leading modes between two groups, over s_k, and the untrained losses (100,).

    From starts of gain 0.02, trained until the loss is a ten-thousandth.
    """
    found = _stored()
    return np.array(found["signs"]), np.array(found["sign_losses"])


def _stored() -> dict[str, Any]:
    return json.loads(files("dlnlib.gated").joinpath("table.json").read_text(encoding="utf-8"))


def _short(values: Array, digits: int) -> list[float]:
    return [float(f"{float(value):.{digits}g}") for value in values]
