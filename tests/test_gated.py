"""Gated networks: paths, moments, gradients on random graphs, conservation, the reduction, and mistakes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import dlnlib as dln
from dlnlib import gated, hessian
from dlnlib.simulate import DivergenceError


def random_graph(seed):
    """Return a random acyclic graph (with two inputs for odd seeds), inputs, outputs and real-valued gates."""
    rng = np.random.default_rng(seed)
    names = [f"n{i}" for i in range(rng.integers(4, 8))]
    nodes = {name: int(rng.integers(1, 5)) for name in names}
    pairs = [(names[i], names[j]) for j in range(1 + seed % 2, len(names)) for i in rng.choice(j, size=min(j, 2), replace=False)]
    pairs.append(pairs[0])  # two edges between the same nodes
    net = gated.GatedNetwork(nodes, {f"e{k}": pair for k, pair in enumerate(pairs)})
    n = 9
    X = {node: rng.normal(size=(n, nodes[node])) for node in net.inputs}
    Y = {node: rng.normal(size=(n, nodes[node])) for node in net.outputs}
    gates = {
        "node_gates": {node: rng.normal(size=n) for node in nodes},
        "edge_gates": {edge: rng.normal(size=n) * (rng.random(n) < 0.8) + 0.1 for edge in net.edges},
    }
    return net, X, Y, gates, rng


def squared_error(net, weights, X, Y, gates, sample_weights):
    found = net.predict(weights, X, **gates)
    found = found if isinstance(found, dict) else {net.outputs[0]: found}
    return sum(0.5 * np.sum(sample_weights[:, None] * (found[v] - Y[v]) ** 2, axis=(-2, -1)) for v in Y)


GRAPHS = range(12)


@pytest.mark.parametrize("seed", GRAPHS)
def test_the_loss_of_the_moments_is_that_of_the_samples(seed):
    net, X, Y, gates, rng = random_graph(seed)
    share = rng.random(9)
    weights = net.gaussian(0.8, rng=rng, batch=(3,))
    assert_allclose(
        dln.loss(weights, net.task(X, Y, **gates, sample_weights=share)),
        squared_error(net, weights, X, Y, gates, share),
        rtol=1e-12,
    )
    assert_allclose(dln.loss(weights, net.task(X, Y, **gates)), squared_error(net, weights, X, Y, gates, np.full(9, 1 / 9)))


@pytest.mark.parametrize("seed", GRAPHS)
def test_gradients_agree_with_differences_of_the_samples_loss(seed):
    net, X, Y, gates, rng = random_graph(seed)
    weights, share, h = net.gaussian(0.8, rng=rng), np.full(9, 1 / 9), 1e-4
    stencil = np.array([1.0, -8.0, 8.0, -1.0]) / (12 * h)
    for edge, G in enumerate(dln.gradients(weights, net.task(X, Y, **gates))):
        found = np.zeros(G.shape)
        for index in np.ndindex(G.shape):
            moved = []
            for k in (-2, -1, 1, 2):
                shifted = [W.copy() for W in weights]
                shifted[edge][index] += k * h
                moved.append(float(squared_error(net, shifted, X, Y, gates, share)))
            found[index] = stencil @ moved
        assert_allclose(G, found, rtol=1e-6, atol=1e-9 * max(1.0, np.abs(found).max()))


@pytest.mark.parametrize("seed", GRAPHS)
def test_curvature_is_the_change_of_the_gradient(seed):
    net, X, Y, gates, rng = random_graph(seed)
    task = net.task(X, Y, **gates)
    weights, along, h = net.gaussian(0.5, rng=rng), net.gaussian(1.0, rng=rng), 1e-3
    shifted = [dln.gradients(tuple(W + k * h * D for W, D in zip(weights, along, strict=True)), task) for k in (-2, -1, 1, 2)]
    stencil = np.array([1.0, -8.0, 8.0, -1.0]) / (12 * h)
    for H, *parts in zip(hessian.hessian_vector_product(weights, task, along), *shifted, strict=True):
        assert_allclose(H, np.tensordot(stencil, parts, 1), rtol=1e-6, atol=1e-8 * np.abs(H).max())


@pytest.mark.parametrize("seed", GRAPHS)
def test_the_flow_keeps_every_imbalance_whatever_the_gates(seed):
    net, X, Y, gates, rng = random_graph(seed)
    start = net.gaussian(0.3, rng=rng, batch=(2,))
    run = dln.gradient_flow(start, net.task(X, Y, **gates), [0.0, 0.5, 2.0], rtol=1e-11)
    assert np.all(np.diff(run.loss, axis=0) < 0)
    for node in net.hidden:
        kept = net.imbalance(run.weights, node)
        assert_allclose(kept, np.broadcast_to(kept[0], kept.shape), atol=1e-9)


def test_a_chain_is_the_network_of_the_first_chapters():
    rng = np.random.default_rng(3)
    X, Y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    net = gated.GatedNetwork({"x": 3, "h": 4, "g": 3, "y": 2}, {"W1": ("x", "h"), "W2": ("h", "g"), "W3": ("g", "y")})
    task, moments = net.task(X, Y), dln.Moments.from_data(X, Y)
    weights = net.orthogonal(0.7, rng=rng, batch=(2,))
    assert_allclose(weights[0] @ np.swapaxes(weights[0], -1, -2) @ weights[0], 0.49 * weights[0], atol=1e-14)
    assert_allclose(dln.loss(weights, task), dln.loss(weights, moments), rtol=1e-13)
    for a, b in zip(dln.gradients(weights, task), dln.gradients(weights, moments), strict=True):
        assert_allclose(a, b, atol=1e-14)
    assert_allclose(net.imbalance(weights, "h"), dln.network.imbalances(weights)[0], atol=1e-15)
    one = tuple(W[0] for W in weights)
    assert_allclose(hessian.hessian(one, task), hessian.hessian(one, moments), atol=1e-13)
    assert_allclose(task.yx(0), moments.yx, atol=1e-15)
    assert_allclose(task.xx(0, gated.Path(("W1", "W2", "W3"), "x", "y")), moments.xx, atol=1e-15)
    assert dln.simulate.largest_stable_step(one, task) == pytest.approx(dln.simulate.largest_stable_step(one, moments), rel=1e-6)


def test_descent_approaches_the_flow_in_first_order():
    net, X, Y, gates, rng = random_graph(1)
    task, start = net.task(X, Y, **gates), net.gaussian(0.3, rng=rng)
    end = dln.gradient_flow(start, task, [0.2], rtol=1e-12).final
    errors = []
    for n in (100, 200, 400):
        run = dln.gradient_descent(start, task, 0.2 / n, n, record=[n])
        errors.append(max(np.abs(a - b).max() for a, b in zip(run.final, end, strict=True)))
    assert_allclose(np.log2(np.array(errors[:-1]) / errors[1:]), 1.0, atol=0.05)


@pytest.mark.parametrize("seed", [2, 6, 7])
def test_moments_are_those_of_the_definition_and_forget_how_many_samples(seed):
    net, X, Y, gates, _ = random_graph(seed)
    task = net.task(X, Y, **gates)
    on_paths = []
    for path in net.paths:
        gate = gates["node_gates"][path.source].copy()
        for edge in path.edges:
            gate *= gates["edge_gates"][edge] * gates["node_gates"][net.edges[edge][1]]
        on_paths.append(gate)
    for p, path in enumerate(net.paths):
        assert_allclose(task.yx(p), (on_paths[p][:, None] * Y[path.target]).T @ X[path.source] / 9, atol=1e-13)
        for j, other in enumerate(net.paths):
            if other.target == path.target:
                want = ((on_paths[j] * on_paths[p])[:, None] * X[other.source]).T @ X[path.source] / 9
                assert_allclose(task.xx(other, path), want, atol=1e-13)
    twice = net.task(
        {v: np.tile(x, (2, 1)) for v, x in X.items()},
        {v: np.tile(y, (2, 1)) for v, y in Y.items()},
        **{kind: {k: np.tile(g, 2) for k, g in found.items()} for kind, found in gates.items()},
    )
    for a, b in zip(task.outputs, twice.outputs, strict=True):
        assert a.zz.shape == b.zz.shape
        assert_allclose(a.zz, b.zz, atol=1e-14)
        assert_allclose(a.yz, b.yz, atol=1e-14)


def test_paths_that_see_the_same_share_their_moments():
    net = gated.GatedNetwork({"x": 3, "y": 2}, {f"e{k}": ("x", "y") for k in range(3)})
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
    task = net.task(X, Y, edge_gates={"e2": np.arange(8) % 2})
    assert task.outputs[0].zz.shape == (6, 6)
    weights = net.gaussian(0.5, rng=rng)
    assert_allclose(dln.loss(weights, task), squared_error(net, weights, X, {"y": Y}, {"edge_gates": {"e2": np.arange(8) % 2}},
                                                           np.full(8, 1 / 8)))  # fmt: skip
    assert len(net.paths) == 3 and net.hidden == ()


# -- the reduction ---------------------------------------------------------------------------------------------------


def planted(seed=0, n_tasks=2):
    """Return a network with a shared and private pathways, two inputs nodes, and data with shared frames in 3 modes."""
    rng = np.random.default_rng(seed)
    V, U = np.linalg.qr(rng.normal(size=(4, 4)))[0], np.linalg.qr(rng.normal(size=(5, 5)))[0][:, :3]
    nodes = {"x": 4, "h": 6, "y": 5}
    edges = {"shared": ("x", "h"), "out": ("h", "y")}
    gates = {}
    for k in range(n_tasks):
        nodes[f"p{k}"] = 5
        edges |= {f"in{k}": ("x", f"p{k}"), f"out{k}": (f"p{k}", "y")}
        gates[f"p{k}"] = np.repeat(np.arange(n_tasks) == k, 4).astype(float)
    strengths = np.array([[2.0, 1.0, 0.5], [1.5, 1.0, -0.3]])[:n_tasks]
    X = np.tile(2 * V.T, (n_tasks, 1))
    Y = np.concatenate([2 * (U * s @ V[:, :3].T @ V).T for s in strengths])
    net = gated.GatedNetwork(nodes, edges)
    return net, net.task(X, Y, node_gates=gates), (U, V), strengths


def test_the_reduction_finds_planted_frames():
    _, task, (U, V), strengths = planted()
    red = gated.reduce(task)
    assert red.modes == 3
    assert red.defect < 1e-12
    for k in range(3):
        match = np.abs(red.frames["x"].T @ V[:, k])
        assert match.max() == pytest.approx(1, abs=1e-10)
        assert np.abs(red.frames["y"].T @ U[:, k])[match.argmax()] == pytest.approx(1, abs=1e-10)
    assert_allclose(np.sort(np.abs(red.s[0])), np.sort(np.abs(strengths.mean(0))), atol=1e-12)
    assert_allclose(red.d[0, 0], 1.0, atol=1e-12)
    assert_allclose(red.d[0, 1], 0.5, atol=1e-12)  # a private path is open half of the time
    assert_allclose(red.d[1, 2], 0.0, atol=1e-12)  # two of them are never open together


def test_the_reduced_flow_is_the_full_one_from_a_decoupled_start():
    net, task, _, _ = planted()
    red = gated.reduce(task)
    rng = np.random.default_rng(5)
    b = tuple(0.05 + 0.1 * rng.random(3) for _ in net.edges)
    start, t = red.decoupled(b, rng=rng), np.linspace(0, 20, 9)
    full = dln.gradient_flow(start, task, t, rtol=1e-12)
    small = dln.gradient_flow(red.layers(b), red.task, t, rtol=1e-12)
    assert_allclose(red.path_strengths(full.weights), _products(red, small), atol=1e-8)
    assert_allclose(full.loss, small.loss, atol=1e-8)
    for before, after in zip(b, red.strengths(red.layers(b)), strict=True):
        assert_allclose(before, after)
    # From another start, however small, the modes are not alone.
    other = dln.gradient_flow(net.gaussian(0.05, rng=rng), task, t, rtol=1e-10)
    assert np.abs(red.path_strengths(other.weights)[-1] - _products(red, small)[-1]).max() > 1e-3


def _products(red, run):
    return np.stack([np.diagonal(P, axis1=-2, axis2=-1) for P in red.task.network.path_matrices(run.weights)], axis=-2)


def routes_task(routes, M=4):
    """Return a network of M inputs and M outputs through shared layers, and its task on some routes."""
    table = np.array([[6.0, 6, 6, 6], [4, 4, 0, 0], [0, 0, 4, 4], [3, 0, 0, 0], [0, 3, 0, 0], [0, 0, 3, 0], [0, 0, 0, 3]])
    nodes = {f"x{i}": 4 for i in range(M)} | {"h": 12, "g": 12} | {f"y{j}": 7 for j in range(M)}
    edges = {f"A{i}": (f"x{i}", "h") for i in range(M)} | {"S": ("h", "g")} | {f"B{j}": ("g", f"y{j}") for j in range(M)}
    route_of = np.repeat(np.arange(len(routes)), 4)
    ends = np.array(routes)[route_of]
    gates, X, Y = {}, {}, {}
    for i in range(M):
        gates[f"x{i}"], gates[f"y{i}"] = (ends[:, 0] == i).astype(float), (ends[:, 1] == i).astype(float)
        X[f"x{i}"] = gates[f"x{i}"][:, None] * np.tile(np.eye(4), (len(routes), 1))
        Y[f"y{i}"] = gates[f"y{i}"][:, None] * np.tile(table.T, (len(routes), 1))
    net = gated.GatedNetwork(nodes, edges)
    return net.task(X, Y, node_gates=gates)


RING = [(i, (i + k) % 4) for i in range(4) for k in range(2)]


def test_frames_are_carried_through_connected_routes():
    task = routes_task(RING)
    red = gated.reduce(task)
    assert red.modes == 4
    assert red.defect < 1e-11
    driven = np.abs(red.s[:, 0]) > 1e-6
    assert driven.sum() == len(RING)  # only trained routes are driven
    assert_allclose(np.abs(red.s[driven]) * 32, np.tile(red.s[driven][0] * 32, (8, 1)), rtol=1e-10)
    frames = [red.frames[f"x{i}"] for i in range(4)]
    for frame in frames[1:]:  # the same task on every route: the same modes, in a frame shared up to the equal pair
        assert_allclose(np.abs(frame[:, :2].T @ frames[0][:, :2]), np.eye(2), atol=1e-9)


def test_modes_that_agree_on_average_are_told_apart_by_single_paths():
    # Task 0 has the strengths (2, 1), task 1 (1, 2): what both share says nothing about the frames.
    rng = np.random.default_rng(4)
    V, U = np.linalg.qr(rng.normal(size=(2, 2)))[0], np.linalg.qr(rng.normal(size=(3, 3)))[0][:, :2]
    nodes = {"x": 2, "p0": 2, "p1": 2, "y": 3}
    net = gated.GatedNetwork(nodes, {f"{side}{k}": ends for k in (0, 1) for side, ends in
                                     (("in", ("x", f"p{k}")), ("out", (f"p{k}", "y")))})  # fmt: skip
    X = np.tile(np.sqrt(2) * np.eye(2), (2, 1))
    Y = np.concatenate([np.sqrt(2) * (U * s @ V.T).T for s in ([2.0, 1.0], [1.0, 2.0])])
    red = gated.reduce(net.task(X, Y, node_gates={"p0": [1, 1, 0, 0], "p1": [0, 0, 1, 1]}))
    assert red.defect < 1e-12
    assert_allclose(np.sort(np.abs(red.s), axis=1), [[0.5, 1.0], [0.5, 1.0]], atol=1e-12)
    assert_allclose(np.abs(red.frames["x"].T @ V).max(axis=0), 1.0, atol=1e-10)


def test_unconnected_routes_have_modes_of_their_own():
    red = gated.reduce(routes_task([(0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (2, 3), (3, 2), (3, 3)]))
    assert red.modes == 8
    for k in range(8):
        present = {node for node in red.frames if np.linalg.norm(red.frames[node][:, k]) > 0.5}
        assert present in ({"x0", "x1", "y0", "y1"}, {"x2", "x3", "y2", "y3"})


def test_a_mode_may_be_missing_at_some_nodes():
    # Output b sees one of the two modes that output a sees, and a third input direction is never asked for.
    net = gated.GatedNetwork({"x": 3, "h": 4, "a": 2, "b": 2}, {"W": ("x", "h"), "A": ("h", "a"), "B": ("h", "b")})
    X = np.sqrt(3) * np.eye(3)
    task = net.task(X, {"a": X @ np.array([[1.0, 0], [0, 2], [0, 0]]), "b": X @ np.array([[0.5, 0], [0, 0], [0, 0]])})
    red = gated.reduce(task)
    assert red.modes == 2
    assert red.defect < 1e-12
    assert sorted(np.linalg.norm(red.frames["b"], axis=0)) == pytest.approx([0, 1])
    b = (0.1, 0.1, 0.1)
    full = dln.gradient_flow(red.decoupled(b, rng=np.random.default_rng(0)), task, [0.0, 3.0], rtol=1e-12)
    small = dln.gradient_flow(red.layers(b), red.task, [0.0, 3.0], rtol=1e-12)
    assert_allclose(full.loss, small.loss, atol=1e-10)


def test_a_task_without_shared_frames_is_refused_with_its_defect():
    rng = np.random.default_rng(1)
    net, *_ = planted()
    X, Y = rng.normal(size=(8, 4)), rng.normal(size=(8, 5))
    other = net.task(X, Y, node_gates={"p0": np.arange(8) < 4, "p1": np.arange(8) >= 4})
    with pytest.raises(ValueError, match=r"share no frames: Sigma_.* keeps 0\.\d+ .*force=True"):
        gated.reduce(other)
    forced = gated.reduce(other, force=True)
    assert forced.defect > 0.1
    start, t = forced.decoupled(0.2, rng=rng), [0.0, 5.0]
    full, small = dln.gradient_flow(start, other, t), dln.gradient_flow(forced.layers(0.2), forced.task, t)
    assert np.abs(full.loss - small.loss)[-1] > 1e-2


def test_the_defect_grows_in_proportion_to_what_is_planted():
    def defect(size):
        rng = np.random.default_rng(2)
        net, *_ = planted()
        X = np.tile(2 * np.eye(4), (2, 1))
        Y = np.concatenate([np.pad(np.diag([2.0, 1, 0.5]), ((0, 1), (0, 2))), np.pad(np.diag([1.5, 1, 0.3]), ((0, 1), (0, 2)))])
        Y = Y + size * rng.normal(size=Y.shape)
        gates = {"p0": np.arange(8) < 4, "p1": np.arange(8) >= 4}
        return gated.reduce(net.task(X, Y, node_gates=gates), force=True).defect

    small, large = defect(1e-6), defect(1e-4)
    assert 30 < large / small < 300
    assert 1e-7 < small < 1e-4


# -- mistakes --------------------------------------------------------------------------------------------------------

CHAIN = {"nodes": {"x": 2, "h": 3, "y": 1}, "edges": {"W1": ("x", "h"), "W2": ("h", "y")}}
NET = gated.GatedNetwork(**CHAIN)


@pytest.mark.parametrize(
    ("nodes", "edges", "message"),
    [
        ({}, CHAIN["edges"], "nodes must be a dictionary"),
        ([("x", 2)], CHAIN["edges"], "nodes must be a dictionary"),
        (CHAIN["nodes"], {}, "edges must be a dictionary"),
        (CHAIN["nodes"], {"W1": "xh"}, "must be a pair"),
        (CHAIN["nodes"], {"W1": ("x", "z")}, "'z', which does not exist"),
        (CHAIN["nodes"], {"W1": ("x", "y")}, "no edge leaves or enters 'h'"),
        (CHAIN["nodes"], {**CHAIN["edges"], "back": ("y", "x")}, "round in a circle, .*unroll"),
        (CHAIN["nodes"], {**CHAIN["edges"], "self": ("h", "h")}, "round in a circle"),
        ({"x": 0, "y": 1}, {"W": ("x", "y")}, r"nodes\['x'\]"),
        ({"x": 1.5, "y": 1}, {"W": ("x", "y")}, r"nodes\['x'\]"),
    ],
)
def test_graphs_that_are_none(nodes, edges, message):
    with pytest.raises(ValueError, match=message):
        gated.GatedNetwork(nodes, edges)


def test_too_many_paths_are_refused():
    nodes = {f"n{i}": 1 for i in range(14)}
    edges = {f"e{i}{k}": (f"n{i}", f"n{i + 1}") for i in range(13) for k in range(2)}
    with pytest.raises(ValueError, match="more than 4,096 paths"):
        gated.GatedNetwork(nodes, edges)


X4, Y4 = np.ones((4, 2)), np.ones((4, 1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"inputs": X4[:, :1], "outputs": Y4}, r"inputs\['x'\] must have shape \(4, 2\)"),
        ({"inputs": X4, "outputs": Y4[:3]}, "4 rows and outputs 3"),
        ({"inputs": {"z": X4}, "outputs": Y4}, r"must name the nodes \['x'\]"),
        ({"inputs": X4, "outputs": {"y": Y4, "h": Y4}}, "an output is a node that no edge leaves"),
        ({"inputs": X4, "outputs": Y4, "node_gates": {"h": np.ones(3)}}, r"one gate for each of the 4 samples.*got \(3,\)"),
        ({"inputs": X4, "outputs": Y4, "node_gates": {"h": np.ones((4, 3))}}, r"got \(4, 3\)"),
        ({"inputs": X4, "outputs": Y4, "node_gates": {"W1": np.ones(4)}}, "names 'W1', which does not exist"),
        ({"inputs": X4, "outputs": Y4, "edge_gates": np.ones(4)}, "edge_gates must be a dictionary"),
        ({"inputs": X4, "outputs": Y4, "edge_gates": {"W1": [1, np.nan, 1, 1]}}, "NaN"),
        ({"inputs": X4, "outputs": Y4, "edge_gates": {"W1": [1, 0, 1, 0]}}, r"no open path reaches any output on 2 .*1, 3"),
        ({"inputs": X4, "outputs": Y4, "sample_weights": [1, 1, 1, -1]}, "none negative"),
        ({"inputs": X4, "outputs": Y4, "sample_weights": [1, 1]}, r"got shape \(2,\)"),
    ],
)
def test_data_that_do_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        NET.task(**arguments)


def test_a_target_that_no_path_reaches_is_named():
    net = gated.GatedNetwork({"x": 2, "a": 1, "b": 1}, {"A": ("x", "a"), "B": ("x", "b")})
    with pytest.raises(ValueError, match="must be a dictionary with an array for each"):
        net.task(X4, Y4)
    with pytest.raises(ValueError, match=r"output 'b' has a target, but no open path, on 1 sample\(s\) \(index 2\)"):
        net.task(X4, {"a": Y4, "b": Y4}, edge_gates={"B": [1, 1, 0, 1]})
    net.task(X4, {"a": Y4, "b": Y4 * np.array([[1], [1], [0], [1]])}, edge_gates={"B": [1, 1, 0, 1]})


def test_weights_that_do_not_fit():
    task, rng = NET.task(X4, Y4), np.random.default_rng(0)
    good = NET.gaussian(0.1, rng=rng)
    for bad, message in [
        (good[0], "weights must be a tuple of arrays"),
        (good[:1], r"one array for each of the edges \['W1', 'W2'\], got 1"),
        (good[::-1], r"the weight of W1, x -> h, must have shape \(..., 3, 2\), got \(1, 3\)"),
        ((good[0][None], good[1]), "batch axes"),
        ((good[0] * np.nan, good[1]), "weight of W1 holds NaN"),
    ]:
        with pytest.raises(ValueError, match=message):
            dln.loss(bad, task)
    with pytest.raises(ValueError, match="numpy Generator"):
        NET.gaussian(0.1, rng=0)
    with pytest.raises(ValueError, match=r"hidden nodes \['h'\], got 'x'"):
        NET.imbalance(good, "x")
    with pytest.raises(DivergenceError, match="largest stable step"):
        dln.gradient_descent(NET.gaussian(1.0, rng=rng), task, 50.0, 400)
    run = dln.gradient_flow(good, task, [0.0, 1.0])
    with pytest.raises(ValueError, match="no end-to-end matrix"):
        _ = run.product
    with pytest.raises(ValueError, match="no end-to-end matrix"):
        run.strengths()
    with pytest.raises(ValueError, match="index, 0 to 0, got 3"):
        task.yx(3)
    with pytest.raises(ValueError, match="moments must be a dlnlib Moments"):
        dln.loss(good, "task")


def test_reductions_that_cannot_be():
    task, rng = NET.task(X4, Y4), np.random.default_rng(0)
    with pytest.raises(ValueError, match="task must be GatedMoments"):
        gated.reduce(dln.Moments.white(np.eye(2)))
    with pytest.raises(ValueError, match="no path is driven"):
        gated.reduce(NET.task(X4, 0 * Y4))
    red = gated.reduce(task)
    assert red.modes == 1
    with pytest.raises(ValueError, match=r"one entry for each of the edges \['W1', 'W2'\], got 1"):
        red.layers((0.1,))
    with pytest.raises(ValueError, match=r"end with an axis of 1 modes, got \(2,\)"):
        red.layers(([0.1, 0.2], 0.1))
    wide = gated.GatedNetwork({"x": 2, "h": 1, "y": 2}, CHAIN["edges"])
    two = gated.reduce(wide.task(np.sqrt(2) * np.eye(2), np.sqrt(2) * np.diag([2.0, 1.0])))
    with pytest.raises(ValueError, match="2 modes need as many units at every node, 'h' has 1"):
        two.decoupled(0.1, rng=rng)
    two_outputs = gated.GatedNetwork({"x": 2, "a": 1, "b": 1}, {"A": ("x", "a"), "B": ("x", "b")})
    with pytest.raises(ValueError, match="share no moment"):
        two_outputs.task(X4, {"a": Y4, "b": Y4}).xx(0, 1)
