"""Which routes of a routing network are trained, and what becomes of the others."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dlnlib.explore._model import Choice, Explorer, Panel, Part, Series, words
from dlnlib.gated import GAINS, TOPOLOGIES, RoutingRun, components, routing_descent, routing_topology

__all__ = ["trained_routes"]

STARTS = {"first": 0, "second": 1, "third": 2}
SIZES = {"0.1": 0.1, "0.2": 0.2, "0.5": 0.5, "1": 1.0}
M, HIDDEN, POINTS = 10, 24, 28


@cache
def _run(routes: str, gain: str) -> RoutingRun:
    """Return the training from all three starts."""
    size = SIZES[gain]
    return routing_descent(
        routing_topology(routes), size, tuple(STARTS.values()), domains=M, hidden=HIDDEN, step=GAINS[size], stop=1e-3
    )


def _losses(routes: str, gain: str, start: str) -> dict[str, Any]:
    run, seed = _run(routes, gain), STARTS[start]
    last = int(run.stopped[seed])
    kept = np.unique(np.geomspace(1, last, POINTS).round().astype(int))
    trained = routing_topology(routes)
    untrained = [(i, j) for i in range(M) for j in range(M) if (i, j) not in set(trained)]
    final = float(run.untrained[last, seed])
    turned = sum(run.strengths[seed, j, i, 0] < 0 for i, j in untrained)
    count = len(components(trained, M))
    parts = "in one component" if count == 1 else f"in {count} components"
    return {
        "t": run.t[kept],
        "trained": np.maximum(run.trained[kept, seed], 1e-4),
        "untrained": np.maximum(run.untrained[kept, seed], 1e-4),
        "say": f"{len(trained)} of {M * M} routes are trained, {parts}. When they are learnt, the others have {words(final)} of "
        f"their first loss, and {turned} of {len(untrained)} have the wrong sign in the strongest mode.",
    }


def _graph(routes: str) -> dict[str, Any]:
    trained = routing_topology(routes)
    inputs, outputs = next(part for part in components(trained, M) if 0 in part[0])
    found: dict[str, Any] = {}
    for i in range(M):
        ends = [j for source, j in trained if source == i]
        # There and back, so that all routes of an input are one line.
        found[f"x{i}"] = np.array([x for _ in ends for x in (0.0, 1.0)] + [0.0])
        found[f"y{i}"] = np.array([y for j in ends for y in (i + 1.0, j + 1.0)] + [i + 1.0])
    with_first = {(0, i) for i in inputs} | {(1, j) for j in outputs}
    everything = [(side, k) for side in (0, 1) for k in range(M)]
    for name, chosen in (("with", with_first), ("apart", set(everything) - with_first)):
        nodes = [node for node in everything if node in chosen]
        found[f"{name}_x"] = np.array([float(side) for side, _ in nodes])
        found[f"{name}_y"] = np.array([k + 1.0 for _, k in nodes])
    return found


def trained_routes() -> Explorer:
    """Return the chart of a routing network with ten input and ten output domains, of which some routes are trained.

    The set of trained routes, the gain of the start and the start itself move. Left, the loss of trained and of untrained
    routes over time; right, the trained routes as a graph, and what hangs together with the first input (`eq-component`).
    Chapter 8, What was never trained.
    """
    edges = tuple(Series("", "graph", f"x{i}", f"y{i}", "other", panel=1) for i in range(M))
    return Explorer(
        name="trained-routes",
        controls=(
            Choice("routes", "trained routes", TOPOLOGIES, "K = 3"),
            Choice("gain", "gain of the start", tuple(SIZES), "0.1"),
            Choice("start", "start", tuple(STARTS), "first"),
        ),
        parts=(Part("losses", _losses, ("routes", "gain", "start"), digits=3), Part("graph", _graph, ("routes",), digits=3)),
        panels=(
            Panel("time t (τ)", "loss over first loss", x_log=True, y_log=True, y_domain=(1e-4, 20.0)),
            Panel("inputs, left; outputs, right", "domain", x_domain=(-0.15, 1.15), y_domain=(0.3, 10.7)),
        ),
        series=(
            Series("trained routes", "losses", "t", "trained", "line", mode=0),
            Series("untrained routes", "losses", "t", "untrained", "line", mode=1),
            *edges,
            Series("connected with input 1", "graph", "with_x", "with_y", "points", mode=0, panel=1),
            Series("not connected", "graph", "apart_x", "apart_y", "points", mode=1, panel=1),
        ),
    )
