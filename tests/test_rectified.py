"""Rectified networks: own and given gates, flow through switches, exclusive or, pathways, curves side by side."""

import numpy as np
import pytest

import dlnlib as dln
from dlnlib import rectified


def problem(seed, n=6, d=3, h=4, o=2, scale=0.5):
    rng = np.random.default_rng(seed)
    X = np.hstack([rng.standard_normal((n, d - 1)), np.ones((n, 1))])
    return (scale * rng.standard_normal((h, d)), scale * rng.standard_normal((o, h))), X, rng.standard_normal((n, o))


def deep(seed):
    rng = np.random.default_rng(seed)
    weights = tuple(0.7 * rng.standard_normal(shape) for shape in ((5, 3), (4, 5), (2, 4)))
    return weights, rng.standard_normal((7, 3)), rng.standard_normal((7, 2))


XOR = rectified.CORNERS, -rectified.CORNERS[:, :1] * rectified.CORNERS[:, 1:]


def xor_start(scale, seed=3, units=16):
    rng = np.random.default_rng(seed)
    return scale * rng.standard_normal((units, 2)), scale * rng.standard_normal((1, units))


# -- limits


def test_open_gates_make_a_linear_network():
    weights, X, Y = problem(0)
    ones = (np.ones((6, 4)),)
    moments = dln.Moments.from_data(X, Y)
    assert rectified.loss(weights, X, Y, gates=ones) == pytest.approx(float(dln.loss(weights, moments)), rel=1e-13)
    for got, want in zip(rectified.gradients(weights, X, Y, gates=ones), dln.gradients(weights, moments), strict=True):
        assert np.allclose(got, want, atol=1e-14)
    run = rectified.gradient_descent(weights, X, Y, 0.05, 50, gates=ones)
    assert np.allclose(run.loss, dln.gradient_descent(weights, moments, 0.05, 50).loss, atol=1e-13)


def test_closed_gates_leave_nothing_to_learn():
    weights, X, Y = problem(1)
    shut = (np.zeros((6, 4)),)
    assert not np.any(rectified.predict(weights, X, gates=shut))
    run = rectified.gradient_descent(weights, X, Y, 0.1, 5, gates=shut)
    assert all(np.array_equal(W[0], W[-1]) for W in run.weights)
    assert run.loss[0] == pytest.approx(0.5 * np.mean(np.sum(Y**2, axis=1)))


def test_no_steps_and_times_at_the_start():
    weights, X, Y = problem(2)
    run = rectified.gradient_descent(weights, X, Y, 0.1, 0)
    assert len(run.t) == 1 and all(np.array_equal(a, b) for a, b in zip(run.final, weights, strict=True))
    flow = rectified.piecewise_flow(weights, X, Y, [0.0])
    assert flow.loss[0] == pytest.approx(float(run.loss[0])) and not flow.switches
    assert set(np.unique(flow.share)) <= {0.0, 1.0}


def test_a_flow_without_switches_is_that_of_its_gated_network():
    """One unit far from all hinges stays there: the gated flow of the core, an independent solver."""
    X, Y = np.array([[1.0, 0.2], [1.0, -0.1], [0.9, 0.1]]), np.array([[0.7], [0.5], [0.3]])
    weights = np.array([[0.6, 0.1]]), np.array([[0.6]])
    t = np.linspace(0, 5, 11)
    flow = rectified.piecewise_flow(weights, X, Y, t, rtol=1e-11)
    network, task = rectified.pathway_network(np.ones((1, 3)), X, Y, 1)
    assert not flow.switches
    assert np.allclose(flow.loss, dln.gradient_flow(weights, task, t, rtol=1e-11).loss, atol=1e-9)
    assert network.shapes == ((1, 2), (1, 1))


def test_time_to_and_shift_of_known_curves():
    t = np.linspace(0, 10, 2001)
    a, b = np.exp(-t), np.exp(-(t - 1.0))
    found = rectified.compare_losses(t, a + 0.5, np.minimum(b, 1.0) + 0.5, most=2.0, trials=401)
    assert (
        found.shift == pytest.approx(-1.0)
        and found.shifted < 1e-6
        and found.raw == pytest.approx((1 - np.exp(-1)) / 1.5, rel=1e-3)
    )
    assert rectified.compare_losses(t, a, a, most=1.0) == (0.0, 0.0, 0.0)
    assert rectified.time_to(t, a, 0.1) == pytest.approx(np.log(10), abs=1e-5)
    assert rectified.time_to(t, a, 1.0) == 0.0
    assert rectified.time_to(t, a, 1e-9) == np.inf


def test_floor_and_modes_by_hand():
    assert [rectified.linear_floor(C) for C in (2, 3, 4, 5)] == pytest.approx([8.5, 17, 25.5, 34])
    assert rectified.table_modes() == pytest.approx(np.linalg.svd(rectified.contextual_task(2).table)[1])
    s, d = rectified.common_modes(3)
    assert s[:4] == pytest.approx([np.sqrt(15 * 44), np.sqrt(120), np.sqrt(120), np.sqrt(84)])
    assert d.tolist() == [11, 8, 8, *[3] * 7]
    assert rectified.race_rates(3) == pytest.approx(
        {"common": 12**0.5, "mixed": 6**0.5, "single": 2**0.5, "residual": (2 / 3) ** 0.5}
    )


def test_two_contexts_do_not_tell_mixed_from_single():
    assert rectified.leading_time(2, "mixed") == pytest.approx(rectified.leading_time(2, "single"), rel=1e-14)


def test_curves_of_closed_forms_begin_and_end():
    for C in (2, 3, 5):
        whole = (
            rectified.linear_floor(C)
            + np.sum(np.divide(*[v**k for v, k in zip(rectified.common_modes(C), (2, 1), strict=True)])) / 2
        )
        assert whole == pytest.approx(32 * C)
        assert rectified.common_loss([0.0, 40.0], C, 1e-9) == pytest.approx([32 * C, rectified.linear_floor(C)], rel=1e-6)
        assert rectified.residual_loss([0.0, 60.0], C, 1e-9) == pytest.approx([rectified.linear_floor(C), 0.0], abs=1e-6)


# -- invariants


@pytest.mark.parametrize("seed", range(3))
def test_recorded_gates_give_the_same_run_bit_for_bit(seed):
    weights, X, Y = deep(seed)
    run = rectified.gradient_descent(weights, X, Y, 0.1, 200)
    again = rectified.gradient_descent(weights, X, Y, 0.1, 200, gates=run.gates)
    assert np.array_equal(run.loss, again.loss)
    assert all(np.array_equal(a, b) for a, b in zip(run.weights, again.weights, strict=True))
    assert np.abs(np.diff(run.gates[0], axis=0)).sum() > 0


@pytest.mark.parametrize("seed", [0, 3, 6, 8])
def test_every_unit_keeps_its_imbalance_through_all_switches(seed):
    weights, X, Y = problem(seed)
    flow = rectified.piecewise_flow(weights, X, Y, np.linspace(0, 4, 21), rtol=1e-11)
    kept = np.sum(flow.weights[1] ** 2, axis=1) - np.sum(flow.weights[0] ** 2, axis=2)
    assert len(flow.switches) >= 3
    assert np.allclose(kept, kept[0], atol=1e-10)
    assert np.all(np.diff(flow.loss) < 1e-12)


def test_sliding_units_stay_on_their_hinge():
    weights, X, Y = problem(3)
    flow = rectified.piecewise_flow(weights, X, Y, np.linspace(0, 4, 401), rtol=1e-11)
    slides = (flow.share > 0) & (flow.share < 1)
    distance = np.abs(flow.weights[0] @ flow.hinges.T)
    assert slides.sum() > 200
    assert distance[slides].max() < 1e-12
    assert distance[~slides].min() > 0


def test_batches_are_networks_side_by_side():
    many = [problem(seed)[0] for seed in (0, 1)]
    _, X, Y = problem(5)
    both = tuple(np.stack(layers) for layers in zip(*many, strict=True))
    run = rectified.gradient_descent(both, X, Y, 0.05, 30, record=10)
    for i, weights in enumerate(many):
        alone = rectified.gradient_descent(weights, X, Y, 0.05, 30, record=10)
        assert np.array_equal(run.loss[:, i], alone.loss)
        assert np.allclose(rectified.gates(both, X)[0][i], rectified.gates(weights, X)[0])
    assert run.history.shape == (31, 2)


def test_scaling_a_unit_changes_nothing_of_its_gates():
    weights, X, _ = problem(4)
    stretch = np.array([1.0, 10.0, 0.1, 3.0])
    other = weights[0] * stretch[:, None], weights[1] / stretch
    assert np.array_equal(rectified.relative_gates(weights, X), rectified.relative_gates(other, X))
    assert rectified.contributions(other, X) == pytest.approx(rectified.contributions(weights, X), rel=1e-13)
    assert np.allclose(rectified.predict(other, X), rectified.predict(weights, X), atol=1e-14)


@pytest.mark.parametrize("contexts", [2, 3, 5])
def test_the_task_is_complete_and_symmetric(contexts):
    task = rectified.contextual_task(contexts)
    assert task.X.shape == (8 * contexts, 8 + contexts) and task.Y.shape == (8 * contexts, 15 * (contexts + 1))
    assert np.all(task.X.sum(axis=1) == 2) and len({tuple(row) for row in task.X}) == 8 * contexts
    assert np.all(task.Y.sum(axis=1) == 8)  # four nodes, twice
    for row, c, i in zip(task.Y, task.context, task.item, strict=True):
        blocks = row.reshape(contexts + 1, 15)
        assert np.array_equal(blocks[0], task.table[:, i]) and np.array_equal(blocks[c + 1], task.table[:, i])
    with_gates = rectified.context_gates(task.context, "mixed")
    without = rectified.context_gates(task.context, "modular")
    for c in range(contexts):
        assert np.array_equal(with_gates[f"off {c + 1}"], 1 - without[f"on {c + 1}"])


# -- two roads


@pytest.mark.parametrize("seed", range(3))
def test_gradients_against_differences_of_the_loss(seed):
    weights, X, Y = deep(seed)
    share = np.random.default_rng(seed).uniform(0.1, 1, 7)
    found = rectified.gradients(weights, X, Y, sample_weights=share)
    for k, W in enumerate(weights):
        for index in np.ndindex(W.shape):
            up, down = [[V.copy() for V in weights] for _ in range(2)]
            up[k][index] += 1e-6
            down[k][index] -= 1e-6
            slope = (rectified.loss(up, X, Y, sample_weights=share) - rectified.loss(down, X, Y, sample_weights=share)) / 2e-6
            assert found[k][index] == pytest.approx(float(slope), abs=1e-8)


def test_gradients_against_the_moments_of_one_pathway_a_unit():
    weights, X, Y = problem(6)
    network, task = rectified.pathway_network(rectified.gates(weights, X)[0].T, X, Y, 1)
    parts = tuple(part for i in range(4) for part in (weights[0][i : i + 1], weights[1][:, i : i + 1]))
    assert float(dln.loss(parts, task)) == pytest.approx(float(rectified.loss(weights, X, Y)), rel=1e-13)
    G1, G2 = rectified.gradients(weights, X, Y)
    found = dln.gradients(parts, task)
    assert np.allclose(np.vstack(found[::2]), G1, atol=1e-14) and np.allclose(np.hstack(found[1::2]), G2, atol=1e-14)
    assert len(network.paths) == 4


@pytest.mark.parametrize("seed", [2, 3, 6])
def test_descent_tends_to_the_flow_at_first_order(seed):
    weights, X, Y = problem(seed)
    flow = rectified.piecewise_flow(weights, X, Y, np.linspace(0, 4, 41), rtol=1e-11)
    assert any(switch.after == 0 for switch in flow.switches)
    errors = []
    for step in (0.02, 0.005, 0.00125):
        run = rectified.gradient_descent(weights, X, Y, step, round(4 / step), record=round(0.1 / step))
        errors.append(max(np.abs(a - b).max() for a, b in zip(run.weights, flow.weights, strict=True)))
    orders = np.log(np.divide(errors[:-1], errors[1:])) / np.log(4)
    assert np.all((orders > 0.75) & (orders < 1.4)), (errors, orders)


def test_the_flow_does_not_depend_on_where_it_is_asked():
    weights, X, Y = problem(3)
    often = rectified.piecewise_flow(weights, X, Y, np.linspace(0, 4, 81), rtol=1e-11)
    rarely = rectified.piecewise_flow(weights, X, Y, [1.0, 4.0], rtol=1e-11)
    assert [s[1:] for s in often.switches] == [s[1:] for s in rarely.switches]
    assert np.allclose(often.weights[0][[20, 80]], rarely.weights[0], atol=1e-9)


def test_a_unit_may_slide_along_two_hinges_at_once():
    """Two neighbours of the wrong sign, which the sample that is learnt leans towards, hold the unit on both of their hinges."""
    X, Y = np.eye(3) + np.outer([1, 0, 0], [0, 0.3, 0.3]), np.array([[1.0], [-1.0], [-1.0]])
    start = np.array([[0.02, 0.03, 0.04]]), np.array([[0.1]])
    flow = rectified.piecewise_flow(start, X, Y, np.linspace(0, 30, 31), rtol=1e-11)
    assert [s.after for s in flow.switches] == [0, 0]
    assert np.abs(flow.weights[0][-1, 0, 1:]).max() < 1e-12
    assert flow.loss[-1] == pytest.approx(1 / 3, abs=1e-6)
    run = rectified.gradient_descent(start, X, Y, 1e-3, 30_000, record=1000)
    assert np.abs(run.loss - flow.loss).max() < 1e-3


def test_exclusive_or_turns_where_the_closed_form_says():
    misses = []
    for scale in (1e-2, 1e-3):
        start = xor_start(scale)
        fates, flow = rectified.xor_fates(start), rectified.piecewise_flow(start, *XOR, [8.0], rtol=1e-11)
        first = {s.unit: s for s in reversed(flow.switches)}
        misses.append(max(abs(first[i].t - fates.time[i]) for i in range(16)))
        W = flow.weights[0][0]
        assert np.allclose(np.sum(W * fates.corner, axis=1), np.linalg.norm(W, axis=1) * np.sqrt(2), rtol=1e-12)
        assert np.array_equal(np.sign(flow.weights[1][0, 0]), -np.prod(fates.corner, axis=1))
    assert misses[0] / misses[1] == pytest.approx(100, rel=0.1)  # quadratic in the size of the weights


def test_each_corner_is_the_fate_of_a_quarter():
    rng = np.random.default_rng(0)
    fates = rectified.xor_fates((rng.standard_normal((40_000, 2)), rng.standard_normal((1, 40_000))))
    counts = [np.sum(np.all(fates.corner == corner, axis=1)) for corner in rectified.CORNERS]
    assert np.abs(np.array(counts) - 10_000).max() < 4 * np.sqrt(40_000 * 3 / 16)
    assert np.all(fates.time > 0)


@pytest.mark.parametrize("kind", ["mixed", "modular", "linear", "mixed alone", "modular alone"])
def test_networks_of_contexts_against_masks_on_one_layer(kind):
    """Gradients by pathway moments, against one rectified layer whose gates are given and whose weights see all inputs."""
    task = rectified.contextual_task(3)
    network, seen = rectified.contextual_network(task, kind, 2)
    weights = dict(zip(network.edges, network.gaussian(0.3, rng=np.random.default_rng(1)), strict=True))
    gates = rectified.context_gates(task.context, kind)
    W1, W2, rows = [], [], []
    for name, gate in gates.items():
        context = weights.get(f"context to {name}", np.zeros((2, 3)))
        W1.append(np.hstack([weights[f"item to {name}"], context]))
        W2.append(weights[f"{name} to properties"])
        rows += [gate, gate]
    layers, ones = (np.vstack(W1), np.hstack(W2)), np.ones(24)
    given = (np.array(rows).T,)
    assert float(dln.loss(tuple(weights.values()), seen)) == pytest.approx(
        float(rectified.loss(layers, task.X, task.Y, gates=given, sample_weights=ones)), rel=1e-12
    )
    G1, G2 = rectified.gradients(layers, task.X, task.Y, gates=given, sample_weights=ones)
    found = dict(zip(network.edges, dln.gradients(tuple(weights.values()), seen), strict=True))
    for k, name in enumerate(gates):
        assert np.allclose(found[f"item to {name}"], G1[2 * k : 2 * k + 2, :8], atol=1e-12)
        assert np.allclose(found[f"{name} to properties"], G2[:, 2 * k : 2 * k + 2], atol=1e-12)


@pytest.mark.parametrize("kind", ["mixed", "modular"])
def test_item_modes_are_learnt_as_if_alone(kind):
    """The whole network from a decoupled start, against seven networks of one mode each."""
    # Later the modes that are not in the start, a saddle, grow out of rounding.
    task, t = rectified.contextual_task(3), np.linspace(0, 0.9, 7)
    network, seen = rectified.contextual_network(task, kind, 7)
    U, sigma, Vt = np.linalg.svd(task.table, full_matrices=False)
    rng = np.random.default_rng(2)
    paths = list(rectified.context_gates(task.context, kind))
    inputs, outputs = 0.1 + 0.1 * rng.random((7, len(paths))), 0.2 * rng.standard_normal((7, len(paths), 4))
    start = {}
    for p, name in enumerate(paths):
        start[f"item to {name}"] = inputs[:, p, None] * Vt[1:]
        start[f"context to {name}"] = np.zeros((7, 3))
        start[f"{name} to properties"] = np.einsum("kb,ik->bik", outputs[:, p], U[:, 1:]).reshape(60, 7)
    whole = dln.gradient_flow(tuple(start[edge] for edge in network.edges), seen, t, rtol=1e-9).loss
    parts = np.full(len(t), 0.5 * 15 * 3 * 2)
    for k in range(7):
        single, small = rectified.item_network(3, kind, float(sigma[k + 1]))
        layers = {f"to {name}": inputs[k, p].reshape(1, 1) for p, name in enumerate(paths)}
        layers |= {f"from {name}": outputs[k, p][:, None] for p, name in enumerate(paths)}
        parts += dln.gradient_flow(tuple(layers[edge] for edge in single.edges), small, t, rtol=1e-9).loss
    assert np.allclose(whole, parts, rtol=1e-7)


@pytest.mark.parametrize("kind", ["mixed", "single"])
def test_learning_time_against_the_gated_flow(kind):
    _, task = rectified.item_network(3, "mixed" if kind == "mixed" else "modular")
    a0 = 1e-3
    rng = np.random.default_rng(5)
    outputs = a0 * rng.standard_normal((4, 4))
    start = (*[np.array([[a0]])] * 4, *[row[:, None] for row in outputs])
    t = np.linspace(0, 20, 4001)
    loss = dln.gradient_flow(start, task, t, rtol=1e-9).loss
    got = rectified.learning_time(3, kind, a0, rng=np.random.default_rng(5))
    assert got == pytest.approx(rectified.time_to(t, loss, 0.5 / loss[0]), abs=1e-3)


@pytest.mark.parametrize(("contexts", "kind"), [(3, "mixed"), (4, "single"), (7, "mixed")])
def test_leading_time_is_the_slope_of_learning_times(contexts, kind):
    times = [rectified.learning_time(contexts, kind, a0, rng=np.random.default_rng(0)) for a0 in (1e-6, 1e-9, 1e-12)]
    slopes = np.diff(times) / np.log(1e3)
    limit = rectified.leading_time(contexts, kind)
    assert slopes[1] == pytest.approx(limit, rel=0.01)
    assert abs(slopes[1] - limit) < abs(slopes[0] - limit)


def test_pathways_of_exclusive_or():
    start = xor_start(1e-3, units=32)
    run = rectified.gradient_descent(start, *XOR, 0.02, 1000, record=[1000])
    found = rectified.extract_pathways(run.final, XOR[0], 4)
    assert sorted(map(tuple, found.gates)) == sorted(map(tuple, np.eye(4)))
    assert found.agreement == pytest.approx(np.ones(4))
    assert found.share.sum() == pytest.approx(1, abs=0.03) and np.all(np.diff(found.share) <= 0)
    raw = rectified.relative_gates(run.final, XOR[0], 0.0)[:, np.concatenate(found.units)]
    assert np.all(raw.sum(axis=0) == 2)  # the sign alone puts a neighbour, left or right, to every corner
    network, task = rectified.pathway_network(found.gates, *XOR, 5)
    again = dln.gradient_descent(network.gaussian(1e-3, rng=np.random.default_rng(0)), task, 0.02, 3000, record=100)
    assert again.loss[-1] < 1e-8


@pytest.mark.parametrize(("weight", "third"), [(1.0, 0.0), (10.0, 1.0)])
def test_the_majority_counts_by_contribution(weight, third):
    """One-hot samples, so that the gates are the signs of the weights; the odd unit of a group weighs 1 or 10."""
    W1 = np.array([[1.0, 1, -1, -1], [1, 1, 1, -1], [1, 1, -1, -1], [-1, -1, -1, 1]])
    found = rectified.extract_pathways((W1, np.array([[1.0, weight, 1.0, 0.5]])), np.eye(4), 2)
    assert found.gates.tolist() == [[1, 1, third, 0], [0, 0, 0, 1]]
    assert [units.tolist() for units in found.units] == [[0, 1, 2], [3]]
    size = np.array([np.sqrt(2), np.sqrt(3) * weight, np.sqrt(2), 0.5])
    assert found.share == pytest.approx([1 - size[3] / size.sum(), size[3] / size.sum()])
    odd = size[1] / size[:3].sum()
    assert found.agreement == pytest.approx([1 - 0.25 * (odd if third == 0 else 1 - odd), 1.0])


def test_fewer_groups_than_asked_for():
    weights = np.array([[1.0, 0.0]]), np.array([[1.0]])
    found = rectified.extract_pathways(weights, np.eye(2), 3)
    assert found.gates.tolist() == [[1.0, 0.0]] and found.share == pytest.approx([1.0])


# -- mistakes


def test_descent_that_diverges_says_so():
    weights, X, Y = problem(0)
    with pytest.raises(ValueError, match="diverged at step"):
        rectified.gradient_descent(weights, X, 10 * Y, 50.0, 200)


def test_the_budget_of_switches():
    weights, X, Y = problem(3)
    with pytest.raises(ValueError, match="more than 2 switches"):
        rectified.piecewise_flow(weights, X, Y, [4.0], max_switches=2)


def test_the_budget_of_evaluations():
    weights, X, Y = problem(3)
    with pytest.raises(ValueError, match="used 50 evaluations and reached only"):
        rectified.piecewise_flow(weights, X, Y, [4.0], max_evaluations=50)


def test_a_flow_that_the_integrator_gives_up_is_refused(monkeypatch):
    import scipy.integrate

    def gives_up(*args, **settings):
        found = solve_ivp(*args, **settings)
        found.status, found.message = -1, "Required step size is less than spacing between numbers."
        return found

    solve_ivp = scipy.integrate.solve_ivp
    monkeypatch.setattr(scipy.integrate, "solve_ivp", gives_up)
    weights, X, Y = problem(3)
    with pytest.raises(ValueError, match="could not be integrated beyond"):
        rectified.piecewise_flow(weights, X, Y, [0.5, 1.0])


def test_targets_of_zero_can_be_learnt():
    weights, X, Y = problem(0)
    run = rectified.gradient_descent(weights, X, 0 * Y, 0.05, 20)
    assert np.all(np.diff(run.history) < 0)


@pytest.mark.parametrize("scale", [2.0**-700, 2.0**-600, 2.0**600])
def test_fates_do_not_depend_on_the_size_of_the_start(scale):
    rng = np.random.default_rng(3)
    start = rng.normal(size=(16, 2)), rng.normal(size=(1, 16))
    usual, scaled = rectified.xor_fates(start), rectified.xor_fates(tuple(scale * V for V in start))
    assert np.array_equal(usual.corner, scaled.corner)
    assert np.array_equal(usual.time, scaled.time)


W, X0, Y0 = problem(0)
BAD = {
    "one layer": (lambda: rectified.gates(W[:1], X0), "at least two layers"),
    "inputs": (lambda: rectified.gates(W, X0[:, :2]), "X has 2 columns, W_1 takes 3"),
    "outputs": (lambda: rectified.loss(W, X0, Y0[:, :1]), r"Y should have shape \(6, 2\)"),
    "weights of samples": (lambda: rectified.loss(W, X0, Y0, sample_weights=-np.ones(6)), "none negative"),
    "number of weights": (lambda: rectified.loss(W, X0, Y0, sample_weights=np.ones(5)), "6 numbers"),
    "gates as one array": (lambda: rectified.predict(W, X0, gates=np.ones((6, 4))), "tuple of 1 arrays"),
    "gates transposed": (lambda: rectified.predict(W, X0, gates=(np.ones((4, 6)),)), r"shape \(..., 6, 4\)"),
    "gates too few": (lambda: rectified.gradient_descent(W, X0, Y0, 0.1, 5, gates=(np.ones((5, 6, 4)),)), "need 6 entries"),
    "step": (lambda: rectified.gradient_descent(W, X0, Y0, -0.1, 5), "step must be positive"),
    "deep flow": (lambda: rectified.piecewise_flow(deep(0)[0], X0, Y0, [1.0]), "one hidden layer"),
    "flow that does not fit": (lambda: rectified.piecewise_flow(W, X0[:, :2], Y0, [1.0]), "do not fit weights"),
    "start on a hinge": (lambda: rectified.piecewise_flow((np.ones((1, 2)), np.ones((1, 1))), *XOR, [1.0]), "starts on a hinge"),
    "no input": (lambda: rectified.piecewise_flow(W, 0 * X0, Y0, [1.0]), "every row of X is zero"),
    "fate of three inputs": (lambda: rectified.xor_fates(W), r"shapes \(..., h, 2\)"),
    "fate on a diagonal": (lambda: rectified.xor_fates((np.ones((1, 2)), np.ones((1, 1)))), "starts on a diagonal"),
    "no fate": (lambda: rectified.xor_fates((np.array([[2.0, 1.0]]), np.ones((1, 1)))), "which decays"),
    "dead layer": (lambda: rectified.extract_pathways((-np.ones((2, 2)), np.ones((1, 2))), np.eye(2), 2), "no unit is active"),
    "groups": (lambda: rectified.extract_pathways(W, X0, 0), "count must be at least 1"),
    "units of what": (lambda: rectified.contributions(W, X0[:, :2]), "X has 2 columns"),
    "batch of layers": (lambda: rectified.relative_gates(tuple(np.stack([V, V]) for V in W), X0), "without batch axes"),
    "gates of pathways": (lambda: rectified.pathway_network(np.ones((2, 5)), X0, Y0, 3), "one column for each of the 6 samples"),
    "one context": (lambda: rectified.contextual_task(1), "contexts must be at least 2"),
    "kind": (lambda: rectified.context_gates(np.arange(3), "single"), "kind should be one of mixed, modular"),
    "kind of pathway": (lambda: rectified.leading_time(3, "modular"), '"mixed" or "single"'),
    "size": (lambda: rectified.learning_time(3, "mixed", 1e-20, rng=np.random.default_rng(0)), "between 1e-14 and 0.1"),
    "lengths": (lambda: rectified.compare_losses([0, 1, 2], [1, 2, 3], [1, 2], most=1), "equally long"),
    "most": (lambda: rectified.compare_losses([0, 1, 2], [1, 2, 3], [1, 2, 3], most=2), "below the length"),
    "nothing to measure by": (lambda: rectified.compare_losses([0, 1], [0, 1], [1, 1], most=0.5), "positive at the start"),
    "lengths of one curve": (lambda: rectified.time_to([0, 1, 2], [1, 0.5], 0.1), "equally long"),
    "gates as a number": (lambda: rectified.predict(W, X0, gates=1), "tuple of 1 arrays"),
    "gates of text": (lambda: rectified.gradient_descent(W, X0, Y0, 0.1, 5, gates="a"), "tuple of 1 arrays"),
    "tiny rows": (lambda: rectified.piecewise_flow(W, 1e-200 * X0, Y0, [1.0]), "beyond float64"),
    "contexts by name": (lambda: rectified.context_gates([0.5, 1.0], "mixed"), "whole numbers counted from 0"),
    "weakest": (lambda: rectified.extract_pathways(W, X0, 2, weakest=2), "weakest should be at most 1"),
    "no task": (lambda: rectified.rectified_run(3, 0.1, 0), "task should come from contextual_task"),
    "no list of steps": (
        lambda: rectified.rectified_run(rectified.contextual_task(2), 0.1, 0, record=None),
        "record should be a list of steps",
    ),
    "nothing contributed": (
        lambda: rectified.shares_by_contexts((np.zeros((1, 10)), np.zeros((45, 1))), rectified.contextual_task(2)),
        "no unit contributes",
    ),
    "not stored": (lambda: rectified.stored_run(6), "stored are contexts"),
}


@pytest.mark.parametrize("name", BAD)
def test_mistakes_are_named(name):
    attempt, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        attempt()


def test_a_hinge_that_repels_has_no_unique_flow():
    """No flow arrives at a hinge that repels on both sides, so that the forces are planted."""
    from dlnlib._flow import Accuracy
    from dlnlib.rectified._piecewise import _Follower

    follower = _Follower(
        (np.array([[1.0, 0.5]]), np.array([[1.0]])), np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0], [5.0]]),
        Accuracy(1e-9, 1e-12, "DOP853", 1000),
    )  # fmt: skip
    follower.drive = lambda state, modes: (  # type: ignore[method-assign]
        modes[:, :1] * follower.hinges[:1], np.zeros((1, 1)), np.zeros((1, 2)), np.zeros((1, 2)),
    )  # fmt: skip
    with pytest.raises(ValueError, match="repels unit 0"):
        follower.switch(1.0, 0, 0)


# -- what is stored


def test_the_stored_runs_begin_as_they_should():
    """The first 600 steps again, of the rectified network and of the mixed one."""
    stored = rectified.stored_run(3)
    task = rectified.contextual_task(3)
    again = rectified.rectified_run(task, stored.scale, 0, n_steps=600)
    t, first = stored.t, stored.t <= 0.6
    assert stored.losses["relu"][first] == pytest.approx(again.loss, rel=2e-4)
    shares = [rectified.shares_by_contexts(tuple(W[k] for W in again.weights), task) for k in range(first.sum())]
    assert stored.shares[first] == pytest.approx(np.array(shares), abs=2e-3)
    network, seen = rectified.contextual_network(task, "mixed", 100)
    start = network.gaussian(stored.scale, rng=np.random.default_rng(0))
    run = dln.gradient_descent(start, seen, 1e-3, 600, record=[round(1000 * x) for x in t[first]])
    assert stored.losses["mixed"][first] == pytest.approx(run.loss, rel=2e-4)


def test_the_stored_numbers_belong_together():
    for run in rectified.stored_runs():
        if run.losses:
            for kind, loss in run.losses.items():
                for level, time in zip((0.5, 0.1, 0.01), run.times[kind], strict=True):
                    near = rectified.time_to(run.t, loss, level)
                    assert near == pytest.approx(time, abs=0.04) or near == time == np.inf  # the stored times are thinned
            found = rectified.compare_losses(run.t, run.losses["relu"], run.losses["mixed"], most=0.5)
            assert found.shifted == pytest.approx(run.compared["mixed"][2], abs=0.02)
            assert run.shares[-1].sum() == pytest.approx(1, abs=0.01)
        assert run.compared["mixed"][2] <= run.compared["mixed"][0]
    assert len(rectified.stored_runs()) == 18 and len(rectified.stored_groups()) == 6 and len(rectified.stored_tiny()) == 8


def test_one_entry_of_the_table_is_computed_anew(monkeypatch):
    """The whole way of the command on a short run: two contexts, few steps."""
    from dlnlib.rectified import _table

    monkeypatch.setattr(_table, "STEPS", 1500)
    monkeypatch.setattr(_table, "FINE", [*range(0, 1501, 10)])
    monkeypatch.setattr(_table, "THIN", [0, 500, 1000, 1500])
    monkeypatch.setattr(_table, "CONTEXTS", (2,))
    monkeypatch.setattr(_table, "SCALES", (1e-3,))
    monkeypatch.setattr(_table, "TINY", (1e-3,))
    monkeypatch.setattr(_table, "SEEDS", (0, 1))
    monkeypatch.setattr(_table, "UNITS", 40)
    monkeypatch.setattr(_table, "WIDTH", 5)
    monkeypatch.setattr(_table, "tiny_start", lambda C, scale, real=_table.tiny_start: real(C, scale, 1500))
    monkeypatch.setattr(_table.rectified_run, "__kwdefaults__", {"n_steps": 1500, "record": (0, 500, 1000, 1500)})
    table = _table.build()
    first, second = table["runs"]
    assert table["t"] == [0.0, 0.5, 1.0, 1.5]
    assert set(first["times"]) == {"relu", "mixed", "modular", "linear", "mixed alone", "modular alone"}
    assert set(first["losses"]) == {"relu", "mixed", "modular"} and "losses" not in second
    assert first["times"]["linear"][2] is None
    assert [entry["seed"] for entry in table["groups"]] == [0, 1]
    assert 0 < table["tiny"][0]["grown"] < 1
