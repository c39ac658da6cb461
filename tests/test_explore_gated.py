"""Charts of chapter 8: the neural race, and the trained routes."""

from __future__ import annotations

import numpy as np
import pytest

import dlnlib as dln
from dlnlib import explore, gated
from dlnlib.explore import _gated_race, _routes

RACE = explore.neural_race()
ROUTES = explore.trained_routes()


@pytest.mark.parametrize("depth", _gated_race.DEPTHS)
@pytest.mark.parametrize("agreement", [0.5, 0.8, 1.0])
def test_curves_come_to_the_ends(depth: int, agreement: float) -> None:
    (t, shared), (_, agree), (_, against), (q, ends), (chosen, end) = RACE.drawn(depth=depth, agreement=agreement, tasks=4)[0]
    assert shared[0] == pytest.approx(1e-3) and agree[0] == pytest.approx(1e-3)
    assert chosen[0] == agreement and end[0] == pytest.approx(np.interp(agreement, q, ends), abs=1e-9)
    assert max(abs(1 - shared[-1] - agree[-1]), 0) < 0.1
    assert np.all(against <= 0) and (agreement < 1.0 or not np.any(against))
    assert np.all(np.diff(t) > 0) and np.all(np.diff(ends) > 0)


def test_a_race_by_the_gated_network() -> None:
    """Four tasks of which three agree, as the chart draws them, by the flow of all weights."""
    (t, shared), (_, agree), (_, against), *_ = RACE.drawn(agreement=0.75, tasks=4, start=1e-2)[0]
    net = gated.race_network(4, (1, 1, 1))
    signs = np.array([1.0, 1.0, 1.0, -1.0])
    start = [np.full((1, 1), 0.1) for _ in net.edges]
    start[-1] = -start[-1]
    run = dln.gradient_flow(tuple(start), gated.race_task(net, signs.reshape(4, 1, 1)), t)
    paths = [W.ravel() for W in net.path_matrices(run.weights)]
    assert paths[0] == pytest.approx(shared, rel=1e-5)
    assert paths[1] == pytest.approx(agree, rel=1e-5) and paths[4] == pytest.approx(against, rel=1e-5)


def test_the_words_of_the_race() -> None:
    assert "ahead by 10: more than one" in RACE.drawn(agreement=1.0)[1]
    assert "ahead by 1: not more than one" in RACE.drawn(agreement=0.55)[1]
    assert RACE.drawn()[1].endswith("for the others.")


def test_losses_are_the_stored_kind() -> None:
    run = gated.routing_descent(gated.hub(10), 0.1, [0, 1, 2], hidden=_routes.HIDDEN)
    drawn, said = ROUTES.drawn(routes="hub", start="second")
    last = run.stopped[1]
    assert drawn[0][1][-1] == pytest.approx(run.trained[last, 1]) and drawn[1][1][-1] == pytest.approx(run.untrained[last, 1])
    assert drawn[0][0][-1] == pytest.approx(run.t[last])
    assert said.startswith("19 of 100 routes are trained, in one component.")


def test_the_graph_has_all_routes() -> None:
    for name in gated.TOPOLOGIES:
        drawn = _routes._graph(name)
        edges = set()
        for i in range(10):
            ends = drawn[f"y{i}"][drawn[f"x{i}"] == 1.0]
            edges |= {(i, int(j) - 1) for j in ends}
        assert edges == set(gated.routing_topology(name))
        assert len(drawn["with_x"]) + len(drawn["apart_x"]) == 20
    assert len(_routes._graph("two groups")["apart_x"]) == 10
    assert "in 2 components" in ROUTES.drawn(routes="two groups", gain="1")[1]
