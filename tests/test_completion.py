"""Completing a matrix: the task, flow and descent of factorisations, nuclear norm, the 2 x 2 problem, the stored table."""

import json

import numpy as np
import pytest

import dlnlib as dln
from dlnlib import completion, initialise, lowrank
from dlnlib.completion import _table

TASK = completion.random_task(6, 1, 0.6, rng=np.random.default_rng(0))
HIDDEN = completion.two_by_two()


def identity_start(depth, strength=0.1):
    return tuple(strength ** (1 / depth) * np.eye(2) for _ in range(depth))


# -- the task


def test_random_task_is_as_asked():
    task = completion.random_task(30, 2, 0.3, rng=np.random.default_rng(1))
    s = np.linalg.svd(task.target, compute_uv=False)
    assert s[0] == pytest.approx(3) and s[2] < 1e-14 and task.mask.mean() == pytest.approx(0.3, abs=0.05)


def test_loss_and_gradient_see_what_is_seen():
    W = TASK.target + np.where(TASK.mask, 0.0, 7.0)
    assert TASK.loss(W) == 0 and not TASK.gradient(W).any()
    assert TASK.error(np.zeros_like(W)) == 1
    V, D, h = np.ones_like(W), np.random.default_rng(2).standard_normal(W.shape), 1e-4
    assert np.sum(TASK.gradient(V) * D) == pytest.approx((TASK.loss(V + h * D) - TASK.loss(V - h * D)) / (2 * h), rel=1e-7)


@pytest.mark.parametrize(("m", "n", "rank"), [(5, 4, 1), (5, 4, 2), (4, 4, 4), (6, 3, 0)])
def test_degrees_of_freedom_are_the_rank_of_the_jacobian(m, n, rank):
    rng = np.random.default_rng(3)
    A, B = rng.standard_normal((m, rank)), rng.standard_normal((rank, n))
    moves = [np.outer(np.eye(m)[i], B[k]).ravel() for i in range(m) for k in range(rank)]
    moves += [np.outer(A[:, k], np.eye(n)[j]).ravel() for j in range(n) for k in range(rank)]
    found = np.linalg.matrix_rank(np.array(moves)) if rank else 0
    assert completion.degrees_of_freedom(m, n, rank) == found


# -- flow and descent


def test_flow_and_descent_are_those_of_a_network_with_white_inputs():
    """The loss of a linear network is one loss of the product among others."""
    moments = dln.Moments.white(np.diag([2.0, 1.0]))
    start = initialise.gaussian((2, 3, 2), rng=np.random.default_rng(4), scale=0.5, batch=(2,))
    t = [0.0, 0.5, 2.0]

    def gradient(W):
        return W - moments.yx

    ours = completion.factorised_flow(start, gradient, t, rtol=1e-11)
    assert np.allclose(ours.product, dln.gradient_flow(start, moments, t, rtol=1e-11).product, atol=1e-9)
    ours = completion.factorised_descent(start, gradient, 0.05, 20, record=7)
    theirs = dln.gradient_descent(start, moments, 0.05, 20, record=7)
    assert np.array_equal(ours.t, theirs.t) and np.allclose(ours.product, theirs.product, atol=1e-14)
    assert all(np.allclose(a, b) for a, b in zip(ours.final, theirs.final, strict=True))


def test_descent_tends_to_flow_at_first_order():
    start = initialise.from_product(0.3 * np.eye(6), (6, 6, 6))
    exact = completion.factorised_flow(start, TASK.gradient, [1.0], rtol=1e-11).product[-1]
    errors = [np.abs(completion.factorised_descent(start, TASK.gradient, 1 / n, n).product[-1] - exact).max() for n in (50, 100)]
    assert errors[0] / errors[1] == pytest.approx(2, abs=0.1)


def test_a_batch_runs_as_its_members():
    tasks = [completion.random_task(5, 1, 0.5, rng=np.random.default_rng(k)) for k in range(2)]
    both = completion.Completion(np.stack([t.target for t in tasks]), np.stack([t.mask for t in tasks]))
    start = initialise.gaussian((5, 5, 5), rng=np.random.default_rng(5), scale=0.1, batch=(2,))
    run = completion.factorised_descent(start, both.gradient, 0.1, 30, record=[30]).product[-1]
    for k, task in enumerate(tasks):
        single = completion.factorised_descent(tuple(W[k] for W in start), task.gradient, 0.1, 30, record=[30]).product[-1]
        assert np.allclose(run[k], single, atol=1e-14)
    assert both.loss(run).shape == both.error(run).shape == (2,)


def test_flow_at_time_zero_and_mistakes():
    start = identity_start(2)
    assert completion.factorised_flow(start, HIDDEN.gradient, [0.0]).product.shape == (1, 2, 2)
    with pytest.raises(ValueError, match="diverged within"):
        completion.factorised_descent(start, HIDDEN.gradient, 50.0, 100)
    with pytest.raises(ValueError, match="evaluations"):
        completion.factorised_flow(start, HIDDEN.gradient, [10.0], max_evaluations=5)
    with pytest.raises(ValueError, match="finite array of the shape"):
        completion.factorised_flow(start, lambda W: W[0], [1.0])
    with pytest.raises(ValueError, match="function of the product"):
        completion.factorised_descent(start, 3, 0.1, 1)
    with pytest.raises(ValueError, match="method must be"):
        completion.factorised_flow(start, HIDDEN.gradient, [1.0], method="Euler")
    with pytest.raises(ValueError, match="at least 1e-13"):
        completion.factorised_flow(start, HIDDEN.gradient, [1.0], rtol=1e-15)
    with pytest.raises(ValueError, match="at least one entry"):
        completion.Completion(np.ones((2, 2)), np.zeros((2, 2), bool))
    with pytest.raises(ValueError, match="no entry"):
        completion.random_task(2, 1, 1e-6, rng=np.random.default_rng(0))


# -- the hidden entry


@pytest.mark.parametrize("depth", [3, 4])
def test_hidden_entry_grows_as_predicted(depth):
    path = completion.factorised_flow(identity_start(depth), HIDDEN.gradient, [1e2, 1e3], rtol=1e-11, method="LSODA")
    W = path.product[:, 0, 0]
    off = np.abs(W / completion.hidden_entry(path.t, depth) - 1)
    assert off[0] < 0.06 and off[1] < 0.012
    loss = HIDDEN.loss(path.product)
    assert np.all(completion.hidden_entry_bound(loss) <= W) and W[-1] * np.sqrt(2 * loss[-1]) == pytest.approx(1, rel=0.01)


def test_two_layers_without_the_trap():
    t = [0.0, 1.0, 10.0, 1e6]
    W, log_det = completion.two_by_two_flow(t, 0.1)
    layers = completion.factorised_flow(identity_start(2), HIDDEN.gradient, t[:3], rtol=1e-12, atol=1e-15)
    assert np.allclose(W[:3], layers.product, rtol=1e-9, atol=1e-11)
    assert np.allclose(log_det[:3], np.log(np.linalg.det(layers.product)), rtol=1e-6)
    assert W[-1, 0, 0] / float(completion.hidden_entry(1e6, 2)) == pytest.approx(1, abs=2e-4)
    assert log_det[-1] == pytest.approx(-1.5 * 2 * 6 ** (-1 / 3) * 1e4, rel=2e-3)
    assert np.allclose(completion.two_by_two_flow([0.0], 0.2)[0][0], 0.2 * np.eye(2), atol=1e-15)


@pytest.mark.parametrize("error", [1e-15, -1e-15, 1e-9])
def test_the_trap_is_real(error):
    """A tiny imbalance of either sign turns the determinant negative, and the run fits with a finite entry."""
    first, second = identity_start(2)
    path = completion.factorised_flow((first + np.diag([0, error]), second), HIDDEN.gradient, [1e4], method="LSODA", atol=1e-13)
    assert np.linalg.det(path.product[-1]) == pytest.approx(-1, abs=1e-3) and HIDDEN.loss(path.product[-1]) < 1e-20
    assert path.product[-1, 0, 0] < 0.7 * completion.two_by_two_flow([1e4], 0.1)[0][0, 0, 0]


def test_a_planted_imbalance_is_conserved_and_so_grows_against_the_sum():
    """The difference of the layers' strengths in the second direction grows as one over their sum."""
    first, second = identity_start(2)
    t = [20.0, 40.0]
    path = completion.factorised_flow((first + np.diag([0, 1e-10]), second), HIDDEN.gradient, t, rtol=1e-12, atol=1e-16)
    difference = np.linalg.norm(path.weights[0] - np.swapaxes(path.weights[1], -1, -2), axis=(-2, -1))
    W, log_det = completion.two_by_two_flow(t, 0.1)
    strength = np.sqrt(np.exp(log_det) / np.linalg.norm(W, 2, axis=(-2, -1)))
    assert difference[1] / difference[0] == pytest.approx(strength[0] / strength[1], rel=5e-3)


# -- the nuclear norm


def test_least_nuclear_norm_by_its_certificate():
    best = completion.minimum_nuclear_norm(TASK)
    assert best.gap + 1e-12 >= 0 and best.gap < 1e-6
    assert np.allclose(best.matrix[TASK.mask], TASK.target[TASK.mask]) and not best.dual[~TASK.mask].any()
    worse = best.matrix + np.where(TASK.mask, 0, 0.01)
    more = np.linalg.norm(worse, "nuc") - np.linalg.norm(best.matrix, "nuc")
    assert completion.duality_gap(TASK, worse, best.dual) == pytest.approx(best.gap + more, abs=1e-9)


def test_nuclear_norm_of_a_known_completion():
    """[[1, 1], [1, ?]]: completed by 1, with norm 2."""
    task = completion.Completion(np.ones((2, 2)), np.array([[True, True], [True, False]]))
    best = completion.minimum_nuclear_norm(task)
    assert best.matrix[1, 1] == pytest.approx(1, abs=1e-3) and np.linalg.norm(best.matrix, "nuc") == pytest.approx(2, abs=1e-6)
    zero = completion.Completion(np.zeros((2, 2)), task.mask)
    assert not completion.minimum_nuclear_norm(zero).matrix.any()


def test_certificates_that_are_none_are_refused():
    with pytest.raises(ValueError, match="zero where nothing is seen"):
        completion.duality_gap(TASK, TASK.target, np.ones((6, 6)))
    batch = completion.Completion(TASK.target[None], TASK.mask[None])
    with pytest.raises(ValueError, match="not a batch"):
        completion.minimum_nuclear_norm(batch)
    with pytest.raises(ValueError, match="shape"):
        completion.duality_gap(TASK, np.ones((2, 2)), np.ones((2, 2)))


# -- the stored table


def test_stored_minimiser_is_optimal_and_is_what_the_solver_finds():
    task, best = completion.stored_minimiser()
    assert abs(best.gap) < 1e-6
    again = completion.minimum_nuclear_norm(task)
    assert np.abs(again.matrix - best.matrix).max() < 1e-4
    errors, ranks = completion.stored_table()["nuclear norm", 0.3]
    assert task.error(again.matrix) == pytest.approx(errors[0], abs=1e-4)
    assert lowrank.effective_rank(again.matrix) == pytest.approx(ranks[0], abs=1e-3)


@pytest.mark.parametrize(("method", "share"), [("L = 2, 1e-2", 0.2), ("L = 3, 3e-2", 0.3)])
def test_stored_cells_are_what_a_run_gives(method, share):
    error, rank, misfit = completion.run_cell(method, share, [0, 1])
    assert np.all(misfit < 1e-3)
    stored = completion.stored_table()[method, share]
    assert np.allclose(error, stored[0][:2], rtol=1e-2) and np.allclose(rank, stored[1][:2], rtol=1e-2)


def test_table_is_complete_and_is_built_by_the_command(tmp_path):
    table = completion.stored_table()
    assert set(table) == {(method, share) for method in completion.METHODS for share in (0.2, 0.25, 0.3)}
    assert all(len(error) == len(rank) == 10 and np.all(rank >= 1) for error, rank in table.values())
    small = _table.build(seeds=1, shares=(0.3,), methods=("L = 2, 1e-2",))
    assert json.loads(json.dumps(small))["cells"][0]["error"][0] == pytest.approx(table["L = 2, 1e-2", 0.3][0][0], rel=1e-2)


def test_small_tasks_and_their_stored_errors():
    few, many = completion.small_task(25, 1), completion.small_task(50, 1)
    assert few.mask.sum() == 25 and np.all(many.mask[few.mask]) and np.linalg.matrix_rank(few.target) == 1
    for entry in _table.small_errors():
        assert completion.stored_small_error(entry["seen"], entry["matrix"]) == pytest.approx(entry["error"], abs=1e-3)
    with pytest.raises(ValueError, match="stored are"):
        completion.stored_small_error(30, 0)
    with pytest.raises(ValueError, match="at most 100"):
        completion.small_task(101, 0)


def test_run_cell_mistakes():
    with pytest.raises(ValueError, match="method must be"):
        completion.run_cell("L = 9", 0.3, [0])
    with pytest.raises(ValueError, match="list of integers"):
        completion.run_cell("L = 2, 1e-2", 0.3, 4)
    with pytest.raises(ValueError, match="empty"):
        completion.run_cell("L = 2, 1e-2", 0.3, [])
