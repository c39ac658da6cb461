"""The routing network: closed forms, blocks, training, stored runs."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import dlnlib as dln
from dlnlib import gated
from dlnlib.gated import _table

# -- two roads --


@pytest.mark.parametrize("domains", [1, 7, (3, 5)])
@pytest.mark.parametrize("start", [0.08, (0.05, 0.2, 0.1)])
def test_strengths_and_time_follow_the_flow(domains, start):
    M_in, M_out = domains if isinstance(domains, tuple) else (domains, domains)
    share = np.array([0.01, 0.2, 0.7, 0.99, 1 - 1e-6])
    t = gated.routing_time(share, 3.2, start, domains)

    def velocity(_, b):
        error = 3.2 - b.prod()
        return [b[1] * b[2] * error / M_in, b[0] * b[2] * error, b[0] * b[1] * error / M_out]

    first = np.broadcast_to(np.asarray(start, dtype=float), 3)
    b = solve_ivp(velocity, (0, t[-1]), first, method="DOP853", t_eval=t, rtol=1e-13, atol=1e-15).y
    assert np.prod(b, axis=0) == pytest.approx(3.2 * share, rel=1e-10)
    assert gated.routing_strengths(t, 3.2, start, domains) == pytest.approx(b, rel=1e-10)
    assert gated.routing_time(np.prod(first) / 3.2, 3.2, start, domains) == pytest.approx(0, abs=1e-12)
    end = gated.routing_end(3.2, start, domains)
    assert gated.routing_strengths(1e6, 3.2, start, domains)[:, 0] == pytest.approx(end, rel=1e-12)
    assert np.prod(end) == pytest.approx(3.2, rel=1e-13)
    kept = [first[1] ** 2 - M_in * first[0] ** 2, first[1] ** 2 - M_out * first[2] ** 2]
    assert [end[1] ** 2 - M_in * end[0] ** 2, end[1] ** 2 - M_out * end[2] ** 2] == pytest.approx(kept, abs=1e-12)


def test_descent_is_that_of_the_gated_network():
    routes = gated.circulant(4, 2)
    net = gated.routing_network(4, 6)
    task = gated.routing_task(net, routes)
    others = gated.routing_task(net, [(i, j) for i in range(4) for j in range(4) if (i, j) not in routes])
    run = gated.routing_descent(routes, 0.4, [3, 8], domains=4, hidden=6, step=0.05, n_steps=60, record=20)
    for k, seed in enumerate((3, 8)):
        start = net.orthogonal(0.4, rng=np.random.default_rng(seed))
        path = dln.gradient_descent(start, task, 0.05, 60, record=20)
        assert run.t == pytest.approx(path.t)
        assert run.trained[:, k] == pytest.approx(path.loss / path.loss[0], rel=1e-11)
        other = dln.loss(path.weights, others)
        assert run.untrained[:, k] == pytest.approx(other / other[0], rel=1e-11)
        maps = np.array(net.path_matrices(path.final)).reshape(4, 4, 7, 4)  # paths run over inputs, then outputs
        X, Y = gated.routing_table()
        U, s, Vt = np.linalg.svd(Y.T @ X / 4, full_matrices=False)
        strengths = np.einsum("ak,ijab,kb->jik", U, maps, Vt) / s
        assert run.strengths[k, :, :, :2] == pytest.approx(strengths[..., :2], rel=1e-9)
        whole = np.concatenate([np.concatenate(list(maps[:, j]), axis=1) for j in range(4)], axis=0)
        assert run.singular_values[k] == pytest.approx(np.linalg.svd(whole, compute_uv=False) / 6, rel=1e-9, abs=1e-12)
    assert np.all(run.stopped == 3) and run.at_stop == pytest.approx(run.untrained[-1])


def test_the_chain_is_the_network():
    net = gated.routing_network((2, 3), 5)
    weights = net.gaussian(1.0, rng=np.random.default_rng(0), batch=(2,))
    W1, W2, W3 = gated.routing_chain(weights, (2, 3))
    P = W3 @ W2 @ W1
    for path, W in zip(net.paths, net.path_matrices(weights), strict=True):
        i, j = int(path.source[1:]), int(path.target[1:])
        assert P[:, 7 * j : 7 * j + 7, 4 * i : 4 * i + 4] == pytest.approx(W)


def test_components_by_another_road():
    rng = np.random.default_rng(4)
    for _ in range(20):
        routes = [tuple(pair) for pair in np.unique(rng.integers(0, 6, (7, 2)), axis=0).tolist()]
        step = np.eye(12)
        for i, j in routes:
            step[i, 6 + j] = step[6 + j, i] = 1
        reach = np.linalg.matrix_power(step, 12) > 0
        found = gated.components(routes, 6)
        assert sum(len(a) + len(b) for a, b in found) == 12
        for inputs, outputs in found:
            nodes = [*inputs, *(6 + j for j in outputs)]
            assert np.all(reach[np.ix_(nodes, nodes)]) and reach[nodes[0]].sum() == len(nodes)


# -- limits and invariants --


def test_small_starts():
    s = np.array([6.8007, 3.2016, 1.5])
    b1, b2, b3 = gated.routing_end(s, 1e-6, 7)
    assert b2 == pytest.approx((7 * s) ** (1 / 3), rel=1e-9) and b1 == pytest.approx((s / np.sqrt(7)) ** (1 / 3), rel=1e-9)
    assert b3 == pytest.approx(b1)
    assert gated.routing_end([[2.0]], 0.1, 3).shape == (3, 1, 1) and gated.routing_end(2.0, 0.1, 3).shape == (3,)


def test_table_and_routes():
    X, Y = gated.routing_table()
    assert np.array_equal(X.T @ X / 4, np.eye(4))
    assert np.linalg.svd(Y.T @ X / 4, compute_uv=False) == pytest.approx([185**0.5 / 2, 41**0.5 / 2, 1.5, 1.5])
    assert gated.circulant(3, 2) == [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 0)]
    assert len(gated.blocks(6, 2)) == 18 and len(gated.components(gated.blocks(6, 2), 6)) == 2
    for routes in (gated.hub(5), gated.staircase(5)):
        assert len(routes) == 9 and len(gated.components(routes, 5)) == 1
        assert len(gated.components(routes[:-1], 5)) == 2
    net = gated.routing_network(3, 4)
    task = gated.routing_task(net, [(0, 1), (2, 2)])
    assert task.yx(net.paths[1]) == pytest.approx(Y.T @ X / 8) and not np.any(task.yx(net.paths[0]))
    assert task.zero_loss == pytest.approx(0.5 * np.sum((Y.T @ X / 4) ** 2))
    x, y = np.random.default_rng(0).normal(size=(5, 2)), np.ones((5, 3))
    own = gated.routing_task(gated.routing_network(2, 4, inputs=2, outputs=3), [(0, 0)], x, y)
    assert own.yx(0) == pytest.approx(y.T @ x / 5)


# -- stored runs --


def test_topologies():
    count = {name: len(gated.routing_topology(name)) for name in gated.TOPOLOGIES}
    assert count["K = 3"] == 30 and count["two groups"] == 50 and count["two groups and a bridge"] == 51
    assert count["hub"] == count["staircase"] == 19
    pieces = {name: len(gated.components(gated.routing_topology(name), 10)) for name in gated.TOPOLOGIES}
    assert pieces["K = 1"] == 10 and pieces["two groups"] == 2 and sum(n == 1 for n in pieces.values()) == 7


@pytest.mark.parametrize(("name", "gain"), [("hub", 0.5), ("K = 3", 1.0), ("two groups", 0.2)])
def test_stored_cells_are_reproduced(name, gain):
    assert gated.routing_cell(name, gain, [0, 5]).at_stop == pytest.approx(gated.stored_routing()[name, gain][[0, 5]], rel=6e-3)


def test_stored_small_starts_are_reproduced():
    stored, again = gated.stored_small()["two groups"], gated.small_cell("two groups", [0, 3])
    for key, allowed in (("first", 0.02), ("second", 0.02), ("fifth", 0.02), ("untrained", 0.05)):
        assert again[key] == pytest.approx(stored[key][[0, 3]], abs=allowed)
    assert set(gated.stored_small()) == set(_table.SMALL) and all(len(c["fifth"]) == 40 for c in gated.stored_small().values())


def test_build_has_the_stored_shape(monkeypatch):
    monkeypatch.setattr(_table, "TOPOLOGIES", ("K = 8", "K = 5"))
    monkeypatch.setattr(_table, "GAINS", {0.5: 0.1})
    monkeypatch.setattr(_table, "SMALL", ("K = 5",))
    monkeypatch.setattr(_table, "SMALL_STEPS", 40)
    found = json.loads(json.dumps(_table.build(2, 2)))
    assert found["cells"][0]["untrained"] == pytest.approx(gated.stored_routing()["K = 8", 0.5][:2], rel=6e-3)
    assert set(found["small"][0]) == {"routes", "untrained", "fifth", "first", "second"}


# -- mistakes --

NET = gated.routing_network(2, 3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: gated.circulant(3, 4), "k must be at most"),
        (lambda: gated.blocks(5, 2), "must divide"),
        (lambda: gated.components([(0, 3)], 3), "j below 3"),
        (lambda: gated.components([], 3), "at least one"),
        (lambda: gated.components([(0, 0), (0, 0)], 3), "each once"),
        (lambda: gated.components(5, 3), "list of pairs"),
        (lambda: gated.components([(0, 0)], (1, 2, 3)), "number of inputs"),
        (lambda: gated.routing_task("net", [(0, 0)]), "made by routing_network"),
        (lambda: gated.routing_task(NET, [(0, 0)], np.ones((3, 4)), np.ones((2, 7))), r"X and Y must be \(n, 4\)"),
        (lambda: gated.routing_end(-1.0, 0.1, 3), "s must be positive"),
        (lambda: gated.routing_end(1.0, [0.1, 0.1], 3), "three of them"),
        (lambda: gated.routing_end(1.0, 2.0, 3), "below the target"),
        (lambda: gated.routing_time(1.0, 2.0, 0.1, 3), "share must lie between"),
        (lambda: gated.routing_time(1e-9, 2.0, 0.1, 3), "share must lie between"),
        (lambda: gated.routing_chain((np.ones((2, 2)),), 2), r"2 \+ 1 \+ 2 layers"),
        (lambda: gated.routing_descent(gated.circulant(2, 2), 0.1, [0], domains=2), "every route is trained"),
        (lambda: gated.routing_descent([(0, 0)], 0.1, [], domains=2), "seeds is empty"),
        (lambda: gated.routing_descent([(0, 0)], 0.1, 3, domains=2), "list of integers"),
        (lambda: gated.routing_descent([(0, 0)], 3.0, [0], domains=2, hidden=8, step=1.0), "diverged"),
        (lambda: gated.routing_topology("ring"), "name must be one of"),
        (lambda: gated.routing_cell("hub", 0.3, [0]), "gain must be one of"),
    ],
)
def test_mistakes_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("start", [1e-9, 1e-12, 1e-20])
@pytest.mark.parametrize("domains", [1, 2, 3, 10])
def test_ends_are_found_from_starts_below_rounding(start, domains):
    s = np.linspace(1.0, 7.0, 9)
    Q = (domains**2 * s**2) ** (1 / 3)
    assert gated.routing_end(s, start, domains) == pytest.approx(np.sqrt([Q / domains, Q, Q / domains]), rel=1e-12)
