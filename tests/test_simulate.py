"""Flow and descent: invariants, two roads with their order of convergence, batches and mistakes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import dlnlib as dln
from dlnlib import Moments, _task, gradient_descent, gradient_flow, initialise
from dlnlib.network import flatten, imbalances
from dlnlib.simulate import DivergenceError, largest_stable_step


@pytest.fixture(scope="module")
def task():
    rng = np.random.default_rng(4)
    moments = Moments.from_teacher(rng.standard_normal((3, 4)), np.diag([2.0, 1.0, 0.7, 0.3]), noise=0.1)
    return moments, initialise.gaussian((4, 5, 3), rng=rng, scale=0.3)


def test_flow_conserves_the_imbalance_and_lowers_the_loss(task):
    moments, start = task
    path = gradient_flow(start, moments, np.linspace(0, 20, 41), rtol=1e-12)
    for before, after in zip(imbalances(start), imbalances(path.weights), strict=True):
        assert_allclose(after, np.broadcast_to(before, after.shape), atol=1e-11)
    assert np.all(np.diff(path.loss) <= 1e-14)
    assert np.array_equal(path.t, np.linspace(0, 20, 41))
    assert len(path) == 41
    assert_allclose(path.loss[0], dln.loss(start, moments), rtol=1e-14)
    assert_allclose(path.strengths()[-1], np.diag(moments.modes().U.T @ path.product[-1] @ moments.modes().V))


def test_flow_has_the_semigroup_property(task):
    moments, start = task
    whole = gradient_flow(start, moments, [3.0], rtol=1e-12)
    half = gradient_flow(start, moments, [1.5], rtol=1e-12)
    rest = gradient_flow(half.final, moments, [1.5], rtol=1e-12)
    assert_allclose(flatten(rest.final), flatten(whole.final), rtol=1e-9, atol=1e-11)


def test_descent_converges_to_flow_at_first_order(task):
    moments, start = task
    exact = flatten(gradient_flow(start, moments, [2.0], rtol=1e-12).final)
    errors = []
    for n in (200, 400, 800):
        path = gradient_descent(start, moments, 2.0 / n, n, record=[n])
        errors.append(np.linalg.norm(flatten(path.final) - exact))
    order = np.log2(np.array(errors[:-1]) / errors[1:])
    assert_allclose(order, 1.0, atol=0.02)


def test_integrators_agree(task):
    moments, start = task
    results = [
        flatten(gradient_flow(start, moments, [4.0], rtol=1e-9, method=method).final)
        for method in ("DOP853", "RK45", "LSODA", "Radau")
    ]
    for result in results[1:]:
        assert_allclose(result, results[0], rtol=1e-6, atol=1e-7)


def test_dense_output_is_as_good_as_a_run_that_stops_there(task):
    moments, start = task
    path = gradient_flow(start, moments, [0.0, 5.0], rtol=1e-11)
    times = np.array([0.37, 1.234, 4.9])
    direct = gradient_flow(start, moments, times, rtol=1e-11)
    for a, b in zip(path.at(times), direct.weights, strict=True):
        assert_allclose(a, b, rtol=1e-7, atol=1e-9)
    assert path.at(1.0)[0].shape == (5, 4)
    with pytest.raises(ValueError, match="between 0 and 5"):
        path.at(5.1)
    with pytest.raises(ValueError, match="between its recorded times"):
        gradient_descent(start, moments, 0.01, 3).at(0.01)


def test_a_batch_is_as_accurate_as_its_members(task):
    moments, _ = task
    scales = np.array([1e-4, 0.1, 1.0])[:, None, None]
    rng = np.random.default_rng(0)
    start = tuple(scales * W for W in initialise.gaussian((4, 5, 3), rng=rng, scale=1.0))
    times = np.linspace(0, 6, 7)
    together = gradient_flow(start, moments, times)
    assert together.weights[0].shape == (7, 3, 5, 4)
    assert together.loss.shape == (7, 3)
    for i in range(3):
        alone = gradient_flow(tuple(W[i] for W in start), moments, times, rtol=1e-12)
        member = together.select(i)
        assert_allclose(flatten(member.weights), flatten(alone.weights), rtol=1e-7, atol=1e-9)
        assert_allclose(flatten(member.at(2.5)), flatten(alone.at(2.5)), rtol=1e-7, atol=1e-9)
    slow = gradient_descent(start, moments, 0.01, 100, record=10)
    assert slow.weights[0].shape == (11, 3, 5, 4)
    assert slow.select(slice(0, 2)).weights[1].shape == (11, 2, 3, 5)
    with pytest.raises(ValueError, match="does not fit"):
        slow.select(7)
    with pytest.raises(ValueError, match="batch axis"):
        slow.select(0).select(0)


def test_descent_records_what_was_asked(task):
    moments, start = task
    assert_allclose(gradient_descent(start, moments, 0.1, 7, record=3).t, [0, 0.3, 0.6, 0.7])
    assert_allclose(gradient_descent(start, moments, 0.1, 7, record=[7, 2]).t, [0.2, 0.7])
    none = gradient_descent(start, moments, 0.1, 0)
    assert np.array_equal(none.product[0], dln.product(start))
    assert len(gradient_flow(start, moments, [0.0])) == 1


def test_divergence_names_a_step_that_works(task):
    moments, start = task
    with pytest.raises(DivergenceError, match="largest stable step") as caught:
        gradient_descent(start, moments, 3.0, 500)
    stable = caught.value.largest_stable_step
    assert caught.value.step == 3.0
    assert caught.value.at_step <= 500
    calm = gradient_descent(start, moments, 0.95 * stable, 4000, record=1)
    assert np.all(np.diff(calm.loss) <= 1e-12)
    assert_allclose(calm.loss[-1], moments.irreducible_loss(), rtol=1e-6)


def test_largest_stable_step_of_regression_is_exact():
    moments = Moments.from_teacher(np.ones((1, 2)), np.diag([4.0, 1.0]))
    assert largest_stable_step((np.zeros((1, 2)),), moments) == 0.5
    for factor, grows in ((0.999, False), (1.001, True)):
        path = gradient_descent((np.zeros((1, 2)),), moments, 0.5 * factor, 400)
        assert (path.loss[-1] > path.loss[-2]) is np.True_ if grows else path.loss[-1] < path.loss[-2]
    assert largest_stable_step((np.zeros((1, 2)),), Moments(np.zeros((2, 2)), np.zeros((1, 2)))) == np.inf


@pytest.mark.parametrize("method", ["DOP853", "Radau"])
def test_a_flow_beyond_float64_says_so(task, method):
    moments, start = task
    with pytest.raises(ValueError, match="could not be integrated"):
        gradient_flow(tuple(1e90 * W for W in start), moments, [1.0], method=method)


def test_divergence_from_hopeless_weights_still_speaks(task):
    moments, start = task
    huge = tuple(1e80 * W for W in start)
    with pytest.raises(ValueError, match="overflows"):
        gradient_descent(huge, moments, 0.1, 100)
    with pytest.raises(ValueError, match="overflows"):
        gradient_flow(tuple(1e110 * W for W in start), moments, [1.0])
    with pytest.raises(DivergenceError, match="too stiff to follow"):
        gradient_descent(tuple(1e14 * W for W in start), moments, 0.1, 100)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda w, m: gradient_flow(w, m, [1.0, 0.5]), "increase strictly"),
        (lambda w, m: gradient_flow(w, m, [-1.0]), "not be negative"),
        (lambda w, m: gradient_flow(w, m, []), "empty"),
        (lambda w, m: gradient_flow(w, m, [[1.0]]), "one-dimensional"),
        (lambda w, m: gradient_flow(w, m, [1.0], rtol=1e-15), "1e-13"),
        (lambda w, m: gradient_flow(w, m, [1.0], method="Euler"), "DOP853"),
        (lambda w, m: gradient_descent(w, m, 0.0, 5), "positive"),
        (lambda w, m: gradient_descent(w, m, 0.1, 2.5), "integer"),
        (lambda w, m: gradient_descent(w, m, 0.1, -1), "at least 0"),
        (lambda w, m: gradient_descent(w, m, 0.1, 5, record=0), "at least 1"),
        (lambda w, m: gradient_descent(w, m, 0.1, 5, record=[6]), "from 0 to n_steps"),
        (lambda w, m: gradient_descent(w, m, 0.1, 5, record=[]), "from 0 to n_steps"),
        (lambda w, m: gradient_descent(w, m, 0.1, 5, record=1.5), "integer or a list"),
    ],
)
def test_mistakes_are_named(task, call, message):
    moments, start = task
    with pytest.raises(ValueError, match=message):
        call(start, moments)


def test_a_trajectory_checks_its_lengths(task):
    moments, start = task
    with pytest.raises(ValueError, match="one entry for each"):
        dln.Trajectory(np.arange(3.0), tuple(W[None] for W in start), moments, "by hand")


def test_a_hopelessly_stiff_flow_ends_with_an_error(task):
    moments, start = task
    with pytest.raises(ValueError, match="500 evaluations and reached only"):
        gradient_flow(tuple(50 * W for W in start), moments, [100.0], rtol=1e-8, max_evaluations=500)


@pytest.mark.parametrize("batch", [(), (2,)])
@pytest.mark.parametrize("sizes", [(2, 60), (2, 3, 60), (2, 2, 3, 60)])
def test_many_outputs_are_reduced_exactly(sizes, batch, monkeypatch):
    rng = np.random.default_rng(9)
    moments = Moments.from_teacher(rng.standard_normal((60, 2)) / 4, np.diag([2.0, 0.6]), noise=0.01)
    start = initialise.gaussian(sizes, rng=rng, scale=0.1, batch=batch)

    def run():
        flow = gradient_flow(start, moments, [0.5, 1.0], rtol=1e-11)
        descent = gradient_descent(start, moments, 0.01, 20, record=10)
        return flow.weights, flow.at([0.2, 0.7]), descent.weights

    reduced = run()
    monkeypatch.setattr(_task, "reduce_outputs", lambda layers, moments: (layers, moments, lambda weights: weights))
    full = run()
    for a, b in zip(reduced, full, strict=True):
        assert_allclose(flatten(a), flatten(b), rtol=1e-8, atol=1e-10)
    assert_allclose(reduced[2][-1], full[2][-1], rtol=0, atol=1e-13)  # descent: the same up to rounding


def test_the_stable_step_survives_the_reduction(monkeypatch):
    rng = np.random.default_rng(9)
    moments = Moments.from_teacher(rng.standard_normal((20, 2)) / 2, np.diag([2.0, 0.6]))
    start = initialise.gaussian((2, 2, 20), rng=rng, scale=0.1)
    reduced = largest_stable_step(start, moments)
    monkeypatch.setattr(_task, "reduce_outputs", lambda layers, moments: (layers, moments, lambda weights: weights))
    # Along a path integrated with rtol=1e-8, cut where the slope has fallen by 1e-6.
    assert_allclose(reduced, largest_stable_step(start, moments), rtol=1e-5)
