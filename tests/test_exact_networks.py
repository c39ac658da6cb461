"""Exact solutions of whole networks: one layer with any inputs, and any depth from a decoupled start."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dlnlib as dln
from dlnlib import Modes, Moments, exact, initialise


def random_moments(seed, d_in=5, d_out=3, null=0):
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((d_in, d_in - null))
    return Moments.from_teacher(rng.standard_normal((d_out, d_in)), mixing @ mixing.T / d_in, noise=0.1)


def worst(exactly, other):
    return max(float(np.abs(a - b).max()) for a, b in zip(exactly.weights, other.weights, strict=True))


# ---------------------------------------------------------------------------------- linear regression


@pytest.mark.parametrize("null", [0, 2])
def test_regression_flow_against_the_integrated_flow(null):
    moments, t = random_moments(1, null=null), np.array([0.0, 0.1, 1.0, 7.0])
    W0 = np.random.default_rng(2).standard_normal((4, 3, 5))
    flow = exact.linear_regression_flow(W0, moments, t)
    assert worst(flow, dln.gradient_flow((W0,), moments, t, rtol=1e-12)) < 1e-11
    assert flow.weights[0].shape == (4, 4, 3, 5)
    np.testing.assert_array_equal(flow.weights[0][0], W0)


@pytest.mark.parametrize("null", [0, 2])
@pytest.mark.parametrize("fraction", [0.01, 0.7, 1.0, 1.3, 1.99, 2.0, 2.02])
def test_regression_descent_against_the_steps_themselves(null, fraction):
    """Steps on both sides of 1/lambda_max and of 2/lambda_max."""
    moments = random_moments(1, null=null)
    W0 = np.random.default_rng(2).standard_normal((2, 3, 5))
    step = fraction / moments.input_eigenvalues[0]
    got = exact.linear_regression_descent(W0, moments, step, 60, record=7)
    want = dln.gradient_descent((W0,), moments, step, 60, record=7)
    np.testing.assert_array_equal(got.t, want.t)
    assert worst(got, want) < 1e-12 * np.abs(want.weights[0]).max()


def test_each_error_component_decays_at_its_own_rate():
    moments, t = random_moments(3), np.array([0.0, 0.5, 2.0])
    W0 = np.random.default_rng(4).standard_normal((3, 5))
    rates = moments.input_eigenvalues
    start = exact.error_components(W0, moments)
    e = exact.error_components(exact.linear_regression_flow(W0, moments, t).product, moments)
    np.testing.assert_allclose(e, start * np.exp(-t[:, None, None] * rates), rtol=1e-10, atol=1e-13)
    step = 1.4 / rates[0]
    e = exact.error_components(exact.linear_regression_descent(W0, moments, step, 5).product, moments)
    powers = np.arange(6)[:, None, None]
    np.testing.assert_allclose(e, start * (1 - step * rates) ** powers, rtol=1e-10, atol=1e-13)


def test_directions_that_never_vary_do_not_move():
    moments = random_moments(5, null=2)
    W0 = np.random.default_rng(6).standard_normal((3, 5))
    idle = np.linalg.eigh(moments.xx)[1][:, :2]
    for path in (
        exact.linear_regression_flow(W0, moments, [0.0, 1e6]),
        exact.linear_regression_descent(W0, moments, 0.1, 10**9, record=[10**9]),
    ):
        np.testing.assert_allclose(path.final[0] @ idle, W0 @ idle, atol=1e-14)
        assert path.loss[-1] == pytest.approx(moments.irreducible_loss(), rel=1e-12)


def test_inputs_that_are_all_zero_teach_nothing():
    moments = Moments(np.zeros((3, 3)), np.zeros((2, 3)), np.eye(2))
    W0 = np.ones((2, 3))
    np.testing.assert_array_equal(exact.linear_regression_flow(W0, moments, [5.0]).final[0], W0)
    np.testing.assert_array_equal(exact.linear_regression_descent(W0, moments, 1.0, 5).final[0], W0)


@given(st.integers(0, 10**6), st.floats(0, 30), st.floats(0, 30))
@settings(max_examples=40, deadline=None)
def test_regression_flow_is_a_semigroup_that_lowers_the_loss(seed, first, second):
    moments = random_moments(seed, null=seed % 3)
    W0 = np.random.default_rng(seed).standard_normal((3, 5))
    once = exact.linear_regression_flow(W0, moments, [0.0, first, first + second])
    twice = exact.linear_regression_flow(once.weights[0][1], moments, [second])
    np.testing.assert_allclose(twice.final[0], once.final[0], rtol=0, atol=1e-12 * np.abs(once.weights[0]).max())
    assert np.all(np.diff(once.loss) <= 1e-13 * once.loss[0])


def test_regression_descent_converges_to_the_flow_at_first_order():
    moments = random_moments(7)
    W0 = np.random.default_rng(8).standard_normal((3, 5))
    flow = exact.linear_regression_flow(W0, moments, [1.0]).final[0]
    errors = [
        np.abs(exact.linear_regression_descent(W0, moments, 2.0**-k, 2**k, record=[2**k]).final[0] - flow).max()
        for k in range(6, 12)
    ]
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 2.0, rtol=0.05)


def test_regression_trajectories_answer_at_any_time():
    moments = random_moments(9)
    W0 = np.zeros((3, 5))
    path = exact.linear_regression_flow(W0, moments, [0.5, 3.0])
    np.testing.assert_array_equal(path.at(0.5)[0], path.weights[0][0])
    np.testing.assert_array_equal(path.at([0.0, 3.0])[0][1], path.weights[0][1])
    np.testing.assert_array_equal(path.at(0.0)[0], W0)
    assert path.source == "linear regression flow"


def test_mistakes_in_regression():
    moments = random_moments(9)
    for W0, pattern in (
        (np.zeros((3, 4)), "takes 4 inputs"),
        (np.zeros((2, 5)), "gives 2 outputs"),
        (np.full((3, 5), np.nan), "W0 holds NaN"),
        ("weights", "W0 must hold numbers"),
        (np.zeros(5), "must have shape"),
    ):
        with pytest.raises(ValueError, match=pattern):
            exact.linear_regression_flow(W0, moments, [1.0])
        with pytest.raises(ValueError, match=pattern):
            exact.linear_regression_descent(W0, moments, 0.1, 3)
    W0 = np.zeros((3, 5))
    for step, n, record in (
        (0.0, 3, 1),
        (-1.0, 3, 1),
        (np.inf, 3, 1),
        (0.1, -1, 1),
        (0.1, 2.5, 1),
        (0.1, 3, 0),
    ):
        with pytest.raises(ValueError):
            exact.linear_regression_descent(W0, moments, step, n, record=record)
    for t in ([-1.0], [np.nan], [[1.0]], []):
        with pytest.raises(ValueError, match="t "):
            exact.linear_regression_flow(W0, moments, t)
    with pytest.raises(ValueError, match="must have shape|takes"):
        exact.error_components(np.zeros((3, 4)), moments)
    stable = 2 / moments.input_eigenvalues[0]
    with pytest.raises(ValueError, match=f"largest stable step is {stable:.4g}"):
        exact.linear_regression_descent(W0, moments, 3.0, 10**5)


# ------------------------------------------------------------------------------------- decoupled flow

TIMES = np.array([0.0, 0.3, 1.0, 3.0, 8.0])


@pytest.mark.parametrize(
    ("widths", "strengths"),
    [
        ((6, 5, 4), 0.1),
        ((6, 5, 4), [0.1, -0.2, 0.3, 0.05]),
        ((6, 5, 4), [[0.1, -0.2, 0.3, 0.0], [0.4, 0.5, -0.1, 0.2]]),
        ((6, 5, 4), [[0.0, 0.1, 0.0, 0.2], [0.3, 0.0, 0.0, 0.1]]),
        ((6, 3, 4), 0.2),
        ((6, 4), 0.3),
        ((6, 7, 5, 4), 0.3),
        ((6, 3, 3, 4), [0.3, -0.4, 0.0, 0.2]),
        ((6, 7, 5, 4), [[0.3, 0.4, 0.5, 0.6], [-0.3, 0.4, -0.5, 0.6], [0.3, 0.4, 0.5, -0.6]]),
        ((6, 7, 5, 8, 4), -0.4),
    ],
)
def test_every_layer_against_the_integrated_flow(widths, strengths):
    rng = np.random.default_rng(10)
    moments = Moments.white(rng.standard_normal((4, 6)), noise=0.2)
    start = initialise.decoupled(moments.modes(), widths, strengths, rng=rng)
    got = exact.decoupled_flow(start, moments, TIMES)
    want = dln.gradient_flow(start, moments, TIMES, rtol=1e-13, atol=1e-16)
    assert worst(got, want) < 1e-10
    for W, W0 in zip(got.weights, start, strict=True):
        np.testing.assert_array_equal(W[0], W0)
    np.testing.assert_allclose(got.loss, want.loss, rtol=1e-10)


@pytest.mark.parametrize("widths", [(5, 6, 4), (5, 6, 7, 4)])
def test_inputs_that_share_the_modes_need_not_be_white(widths):
    rng = np.random.default_rng(11)
    V, U = (np.linalg.qr(rng.standard_normal((d, d)))[0] for d in (5, 4))
    moments = Moments((V * [3.0, 2.0, 1.0, 0.5, 0.0]) @ V.T, (U * [2.0, 1.5, 0.7, 0.2]) @ V[:, :4].T)
    start = initialise.decoupled(moments.modes(), widths, 0.3, rng=rng)
    want = dln.gradient_flow(start, moments, TIMES, rtol=1e-13, atol=1e-16)
    assert worst(exact.decoupled_flow(start, moments, TIMES), want) < 1e-10


def test_modes_along_inputs_that_never_vary_stand_still():
    moments = Moments(np.diag([1.0, 0.0]), np.diag([2.0, 0.0]))
    start = (np.diag([0.1, 0.3]), np.diag([0.2, 0.4]))
    got = exact.decoupled_flow(start, moments, TIMES)
    np.testing.assert_array_equal(got.weights[0][:, 1, 1], 0.3)
    assert worst(got, dln.gradient_flow(start, moments, TIMES, rtol=1e-13, atol=1e-16)) < 1e-10


def test_equal_singular_values_leave_the_basis_to_the_start():
    """A start that is decoupled in another basis of the degenerate space than the one that the SVD returned."""
    rng = np.random.default_rng(12)
    R, R2 = (np.linalg.qr(rng.standard_normal((4, 4)))[0] for _ in range(2))
    moments, a = Moments.white(2 * np.eye(4)), np.array([0.1, 0.2, 0.3, 0.4])
    start = ((R2 * a) @ R.T, (R * a) @ R2.T)
    want = dln.gradient_flow(start, moments, TIMES, rtol=1e-13, atol=1e-16)
    assert worst(exact.decoupled_flow(start, moments, TIMES), want) < 1e-10


def test_a_task_without_correlation_is_forgotten():
    rng = np.random.default_rng(13)
    moments = Moments.white(np.zeros((4, 5)))
    start = initialise.decoupled(Modes.of(rng.standard_normal((4, 5))), (5, 6, 4), [0.3, 0.4, 0.5, 0.6], rng=rng)
    want = dln.gradient_flow(start, moments, TIMES, rtol=1e-13, atol=1e-16)
    assert worst(exact.decoupled_flow(start, moments, TIMES), want) < 1e-10


def test_zero_weights_are_a_saddle():
    moments = Moments.white(np.diag([2.0, 1.0]))
    for depth in (2, 3):
        got = exact.decoupled_flow((np.zeros((2, 2)),) * depth, moments, TIMES)
        assert all(np.all(W == 0) for W in got.weights)


def test_hidden_content_that_feels_no_gradient_stays():
    """Units that nothing enters and that reach no target do not stop the modes from being exact."""
    moments = Moments.white(np.diag([2.0, 0.0]))
    start = (np.array([[0.1, 0.0], [0.0, 0.0]]), np.array([[0.2, 0.0], [0.0, 0.7]]))
    got = exact.decoupled_flow(start, moments, TIMES)
    assert worst(got, dln.gradient_flow(start, moments, TIMES, rtol=1e-13, atol=1e-16)) < 1e-10
    np.testing.assert_array_equal(got.weights[1][:, 1, 1], 0.7)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_batches_and_any_time(depth):
    rng = np.random.default_rng(14)
    moments = Moments.white(rng.standard_normal((3, 4)))
    single = initialise.decoupled(moments.modes(), (4, *[5] * (depth - 1), 3), 0.2, rng=rng)
    batch = tuple(np.stack([[W, 2 * W, 3 * W]] * 2) for W in single)
    got = exact.decoupled_flow(batch, moments, TIMES)
    assert [W.shape for W in got.weights] == [(5, 2, 3, *W.shape) for W in single]
    alone = exact.decoupled_flow(tuple(3 * W for W in single), moments, TIMES)
    for W, V in zip(got.weights, alone.weights, strict=True):
        np.testing.assert_allclose(W[:, 1, 2], V, rtol=1e-14, atol=1e-15)
    np.testing.assert_array_equal(got.at(1.0)[0], got.weights[0][2])
    assert got.source == "decoupled flow"


def test_descent_converges_to_the_decoupled_flow_at_first_order():
    rng = np.random.default_rng(15)
    moments = Moments.white(np.diag([2.0, 1.0]))
    start = initialise.decoupled(moments.modes(), (2, 3, 3, 2), 0.5, rng=rng)
    flow = exact.decoupled_flow(start, moments, [1.0])
    errors = []
    for k in range(6, 10):
        path = dln.gradient_descent(start, moments, 2.0**-k, 2**k, record=[2**k])
        errors.append(worst(flow, path))
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 2.0, rtol=0.05)


def test_what_is_not_decoupled_is_refused_with_its_defect():
    rng = np.random.default_rng(16)
    yx = rng.standard_normal((4, 6))
    moments = Moments.white(yx)
    good = initialise.decoupled(moments.modes(), (6, 5, 4), 0.1, rng=rng)
    with pytest.raises(ValueError, match="not decoupled: relative defect 0"):
        exact.decoupled_flow(initialise.gaussian((6, 5, 4), rng=rng), moments, TIMES)
    slightly = tuple(W + 1e-6 * rng.standard_normal(W.shape) for W in good)
    with pytest.raises(ValueError, match="relative defect .*e-0[45]"):
        exact.decoupled_flow(slightly, moments, TIMES)
    assert (
        worst(
            exact.decoupled_flow(slightly, moments, [0.1], tol=1e-3),
            exact.decoupled_flow(good, moments, [0.1]),
        )
        < 1e-5
    )
    coloured = Moments(np.diag([1.0, 2, 3, 4, 5, 6]), yx)
    with pytest.raises(ValueError, match="whiten the inputs first"):
        exact.decoupled_flow(initialise.decoupled(coloured.modes(), (6, 5, 4), 0.1, rng=rng), coloured, TIMES)
    # Each layer pair fits by itself, but the frames in between do not meet.
    other = initialise.decoupled(moments.modes(), (6, 5, 4), 0.1, rng=rng)
    with pytest.raises(ValueError, match="not decoupled"):
        exact.decoupled_flow((good[0], other[1]), moments, TIMES)


def test_a_hidden_unit_that_would_start_to_learn_is_noticed():
    """Two hidden units feed mode 1, only one of them is reached: the gradient mixes them."""
    moments = Moments.white(np.diag([2.0, 1.0]))
    start = (np.diag([0.1, 0.3]), np.array([[0.2, 0.0], [0.5, 0.4]]))
    with pytest.raises(ValueError, match="not decoupled"):
        exact.decoupled_flow(start, moments, TIMES)
    # Three layers, one of them zero along mode 2: it starts to move, in a direction no frame describes.
    start = (np.diag([0.2, 0.0]), np.diag([0.2, 0.3]), np.diag([0.2, 0.3]))
    with pytest.raises(ValueError, match="not decoupled"):
        exact.decoupled_flow(start, moments, TIMES)


def test_deep_modes_need_equal_layers():
    rng = np.random.default_rng(17)
    moments = Moments.white(np.diag([2.0, 1.0]))
    start = initialise.decoupled(moments.modes(), (2, 2, 2, 2), [[0.1, 0.1], [0.1, 0.2], [0.1, 0.1]], rng=rng)
    with pytest.raises(ValueError, match="same strength in modulus; they differ by a relative 0.5"):
        exact.decoupled_flow(start, moments, TIMES)


def test_mistakes_in_the_arguments():
    moments = Moments.white(np.diag([2.0, 1.0]))
    start = (0.1 * np.eye(2), 0.1 * np.eye(2))
    for t in ([-1.0], [np.nan], [[1.0]], []):
        with pytest.raises(ValueError, match="t "):
            exact.decoupled_flow(start, moments, t)
    with pytest.raises(ValueError, match="tol"):
        exact.decoupled_flow(start, moments, TIMES, tol=0.0)
    with pytest.raises(ValueError, match="takes 3 inputs"):
        exact.decoupled_flow((np.eye(2, 3), np.eye(2)), moments, TIMES)
