"""Measurements of weights and curves: limits, invariants, two roads and mistakes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import dlnlib as dln
from dlnlib import Modes, Moments, gradient_flow, initialise, product
from dlnlib.measure import (
    balance,
    isometry_spectrum,
    layer_alignment,
    learning_time,
    loss_plateaus,
    mode_strengths,
    off_diagonal,
    subspace_overlap,
)

GENERATOR = np.random.default_rng


def rotation(n, rng):
    return np.linalg.qr(rng.standard_normal((n, n)))[0]


def logistic(t, s, u0):
    return s / (1 + (s / u0 - 1) * np.exp(-2 * s * t))


# Strengths


def test_strengths_of_a_matrix_made_of_the_modes():
    modes = Modes.of(GENERATOR(0).standard_normal((3, 5)))
    u = np.array([[2.0, -0.5, 0.0], [1.0, 1.0, 1e-9]])
    W = np.einsum("ik,nk,kj->nij", modes.U, u, modes.Vt)
    assert_allclose(mode_strengths(W, modes), u, atol=1e-15)
    assert_allclose(off_diagonal(W, modes), 0, atol=1e-15)
    assert_allclose(mode_strengths(modes.matrix(), modes), modes.s, rtol=1e-13)
    assert mode_strengths(W, modes.truncate(1)).shape == (2, 1)


def test_strengths_agree_with_a_trajectory_and_decoupled_flow_stays_diagonal():
    rng = GENERATOR(1)
    task = Moments.white(rng.standard_normal((3, 4)))
    start = initialise.decoupled(task.modes(), (4, 5, 3), 0.1, rng=rng)
    path = gradient_flow(start, task, [0.5, 2.0])
    assert_allclose(mode_strengths(path.product, task.modes()), path.strengths(), rtol=1e-14)
    assert_allclose(mode_strengths(path.product[1], task.modes()), logistic(2.0, task.modes().s, 0.01), rtol=1e-8)
    assert np.all(off_diagonal(path.product, task.modes()) < 1e-10)


def test_off_diagonal_sees_one_entry_and_its_size():
    modes = Modes.of(np.diag([3.0, 2.0, 1.0]))
    W = np.diag([4.0, -8.0, 0.0])
    W[0, 2] = -2.0
    assert off_diagonal(W, modes) == 0.25
    assert off_diagonal(W, modes, relative=False) == 2.0
    assert off_diagonal(1e-8 * W, modes) == pytest.approx(0.25, rel=1e-14)
    assert_allclose(off_diagonal(np.stack([W, 0 * W]), modes), [0.25, 0.0])


# Overlap, alignment, balance


def test_overlap_is_the_cosine_and_forgets_the_basis():
    rng = GENERATOR(2)
    angle = 0.3
    a, b = np.array([[1.0], [0.0], [0.0]]), np.array([[-np.cos(angle)], [np.sin(angle)], [0.0]])
    assert_allclose(subspace_overlap(a, 5 * b), np.cos(angle), rtol=1e-14)
    A, B = rng.standard_normal((2, 6, 3))
    value = subspace_overlap(A, B)
    assert_allclose(subspace_overlap(A @ rng.standard_normal((3, 3)), -B), value, rtol=1e-12)
    assert_allclose(subspace_overlap(B, A), value, rtol=1e-12)
    assert_allclose(subspace_overlap(A, A @ rng.standard_normal((3, 3))), 1, rtol=1e-13)
    assert subspace_overlap(np.eye(4)[:, :2], np.eye(4)[:, 1:3]) == 0
    assert subspace_overlap(np.stack([A, A]), np.stack([A, B])).shape == (2,)
    # The largest principal angle: one shared direction does not make two planes overlap.
    tilted = np.array([[1.0, 0.0], [0.0, np.cos(angle)], [0.0, np.sin(angle)]])
    assert_allclose(subspace_overlap(np.eye(3)[:, :2], tilted), np.cos(angle), rtol=1e-14)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_balanced_layers_are_aligned_and_balanced(rank):
    weights = initialise.balanced((5, 4, 6, 3), rng=GENERATOR(3), scale=1.0)
    assert_allclose(layer_alignment(weights, rank), 1, rtol=1e-12)
    assert_allclose(balance(weights), 0, atol=1e-14)


def test_alignment_by_hand_and_under_rotations_of_the_hidden_layer():
    rng = GENERATOR(4)
    angle = 0.4
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    lower, upper = np.diag([3.0, 1.0]), np.diag([2.0, 0.5]) @ turn
    assert_allclose(layer_alignment((lower, upper)), [np.cos(angle)], rtol=1e-13)
    assert_allclose(layer_alignment((lower, upper), 2), [1.0], rtol=1e-13)
    weights = initialise.gaussian((4, 6, 5, 3), rng=rng, batch=(2,))
    R, Q = rotation(6, rng), rotation(5, rng)
    turned = (-R @ weights[0], Q @ weights[1] @ R.T, 7 * weights[2] @ Q.T)
    for k in (1, 2, 3):
        values = layer_alignment(weights, k)
        assert values.shape == (2, 2)
        assert np.all((values >= 0) & (values <= 1))
        assert_allclose(layer_alignment(turned, k), values, rtol=1e-10)


def test_alignment_of_random_layers_is_one_over_root_width():
    weights = initialise.gaussian((50, 50, 50), rng=GENERATOR(5), batch=(400,))
    # A random unit vector has mean square overlap 1/d with any other.
    assert_allclose(np.mean(layer_alignment(weights) ** 2), 1 / 50, rtol=0.2)


def test_alignment_obeys_the_perturbation_bound_along_training():
    rng = GENERATOR(0)
    task = Moments.white(np.diag([4.0, 3.0, 2.2, 1.5, 1.0]))
    start = initialise.gaussian((5, 20, 5), rng=rng, scale=1e-3)
    path = gradient_flow(start, task, [1.0, 2.0, 4.0])
    sine = np.sqrt(1 - layer_alignment(path.weights)[:, 0] ** 2)
    H = np.linalg.norm(dln.network.imbalances(start)[0], 2)
    values = np.linalg.eigvalsh(path.weights[0] @ np.swapaxes(path.weights[0], -1, -2))
    assert np.all(sine <= 2 * H / (values[:, -1] - values[:, -2]))
    assert np.all(sine[1:] < 1e-4)


def test_balance_by_hand_and_its_bounds():
    a, b = 3.0, 1.0
    assert_allclose(balance((np.array([[a]]), np.array([[b]]))), [(a**2 - b**2) / (a**2 + b**2)], rtol=1e-15)
    assert_allclose(balance((np.zeros((2, 2)), np.eye(2), np.eye(2))), [1.0, 0.0], atol=1e-15)
    assert_allclose(balance((np.zeros((2, 2)), np.zeros((2, 2)))), [0.0])
    weights = initialise.gaussian((4, 3, 5), rng=GENERATOR(6), batch=(7,))
    values = balance(weights)
    assert values.shape == (7, 1)
    assert np.all((values > 0) & (values < 1))
    assert_allclose(balance(tuple(1e200 * W for W in weights)), values, rtol=1e-12)
    assert_allclose(balance(tuple(1e-200 * W for W in weights)), values, rtol=1e-12)


# Learning times


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9])
def test_learning_time_of_a_logistic_converges_at_fourth_order(fraction):
    exact = np.log(fraction * (1 - 0.01) / (0.01 * (1 - fraction))) / 2
    errors = []
    for dt in (0.1, 0.05, 0.025):
        # Average over where the grid falls, so that the order is not that of one lucky position.
        offsets = np.linspace(0, dt, 20, endpoint=False)
        t = np.arange(0, 6, dt)
        values = [learning_time(t + o, logistic(t + o, 1.0, 0.01), fraction, missing="raise") - exact for o in offsets]
        errors.append(np.sqrt(np.mean(np.square(values))))
    assert errors[0] < 1.2e-5
    assert np.all(np.log2(np.array(errors[:-1]) / errors[1:]) > 3.7)


def test_learning_time_of_half_strength_matches_the_closed_form():
    s, t = np.array([3.0, 2.0, 1.0]), np.linspace(0, 8, 801)
    times = learning_time(t, logistic(t[:, None], s, 1e-3), s / 2)
    assert_allclose(times, np.log(s / 1e-3 - 1) / (2 * s), atol=1e-7)
    assert_allclose(times, [1.334, 1.900, 3.453], atol=6e-4)
    t = np.linspace(0, 20, 2001)
    assert_allclose(learning_time(t, logistic(t[:, None], s, 1e-3), 0.5, of_final=True), times, atol=1e-9)


def test_learning_time_is_exact_on_cubics_and_short_records():
    t = np.array([0.0, 0.7, 1.1, 2.0, 3.0])
    assert_allclose(learning_time(t, t**3, 1.5**3), 1.5, rtol=1e-14)
    assert_allclose(learning_time(t, t**3, 0.2**3), 0.2, rtol=1e-12)
    assert_allclose(learning_time(t, t**3, 2.9**3), 2.9, rtol=1e-14)
    assert_allclose(learning_time([1.0, 3.0], [0.0, 1.0], 0.25), 1.5, rtol=1e-14)
    assert_allclose(learning_time([0.0, 1.0, 2.0], [0.0, 1.0, 4.0], 2.25), 1.5, rtol=1e-14)


def test_learning_time_takes_the_first_crossing_in_either_direction():
    t = np.linspace(0, 10, 201)
    assert_allclose(learning_time(t, np.cos(t), 0.0), np.pi / 2, rtol=1e-6)
    assert_allclose(learning_time(t, -np.cos(t), 0.0), np.pi / 2, rtol=1e-6)
    assert learning_time(t, 1 + t, 1.0) == 0.0
    assert_allclose(learning_time(t - 5, t, 5.0), 0.0, atol=1e-12)
    step = np.where(t < 4.01, 0.0, 1.0)
    assert 4.0 <= learning_time(t, step, 0.5) <= 4.05
    assert_allclose(learning_time(t, np.round(t, 12), 2.0), 2.0, rtol=1e-12)


def test_learning_time_keeps_the_axes_and_can_say_never():
    t = np.linspace(0, 4, 81)
    curves = t[:, None, None] * np.array([[1.0, 2.0, 0.1], [4.0, 0.0, 1.0]])
    assert_allclose(learning_time(t, curves, 1.0, missing="inf"), [[1.0, 0.5, np.inf], [0.25, np.inf, 1.0]], rtol=1e-12)
    with pytest.raises(ValueError, match=r"the curve \(0, 2\) never crosses 1: it goes from 0 to 0.4 by t = 4"):
        learning_time(t, curves, 1.0)


# Isometry


def test_spectrum_of_few_layers_is_that_of_the_product():
    rng = GENERATOR(7)
    for widths in ((5, 5), (7, 5, 6, 4, 9), (4, 6, 3), (3, 8, 8, 5), (6, 6, 6, 2)):
        weights = initialise.gaussian(widths, rng=rng, batch=(2,))
        want = np.linalg.svd(product(weights), compute_uv=False)
        got = isometry_spectrum(weights)
        assert got.shape == want.shape == (2, min(widths[0], widths[-1]))
        rank = min(widths)
        assert_allclose(got[:, :rank], want[:, :rank], rtol=1e-11)
        assert not got[:, rank:].any()
        with np.errstate(divide="ignore"):
            assert_allclose(isometry_spectrum(weights, log=True), np.log(got), rtol=1e-12, atol=1e-12)


def test_spectrum_of_a_hundred_layers_keeps_the_smallest_values():
    rng = GENERATOR(8)
    n, depth = 30, 100
    rates = np.linspace(0, -2.5, n) * np.log(10)
    frames = [rotation(n, rng) for _ in range(depth + 1)]
    weights = tuple((frames[i + 1] * np.exp(rates)) @ frames[i].T for i in range(depth))
    got = isometry_spectrum(weights, log=True)
    assert got[-1] < -570
    assert_allclose(got, depth * rates, atol=1e-11)
    assert_allclose(isometry_spectrum(weights)[-1] / 1e-250, 1, rtol=1e-11)


def test_spectrum_of_the_transpose_and_the_determinant():
    weights = initialise.gaussian((40,) * 101, rng=GENERATOR(9))
    logs = isometry_spectrum(weights, log=True)
    assert_allclose(isometry_spectrum(tuple(W.T for W in reversed(weights)), log=True), logs, atol=1e-10)
    assert_allclose(logs.sum(), sum(np.linalg.slogdet(W)[1] for W in weights), atol=1e-10)
    assert logs[-1] - logs[0] < -150
    multiplied = np.linalg.svd(product(weights), compute_uv=False)
    assert multiplied[0] / multiplied[-1] < 1e22  # what rounding leaves of 100 decades
    assert_allclose(np.exp(logs[0]), multiplied[0], rtol=1e-12)


def test_orthogonal_layers_are_isometric_at_any_depth():
    assert_allclose(isometry_spectrum(initialise.orthogonal((20,) * 101, rng=GENERATOR(10))), 1, rtol=1e-13)
    scaled = initialise.orthogonal((8,) * 2001, rng=GENERATOR(10), gain=2.0)
    assert_allclose(isometry_spectrum(scaled, log=True), 2000 * np.log(2), rtol=1e-13)


def test_zeros_stay_zeros():
    assert not isometry_spectrum((np.eye(3), np.zeros((3, 3)))).any()
    assert_allclose(isometry_spectrum((np.diag([1, 1e-200, 0]), np.diag([1, 1e-60, 2]))), [1, 1e-260, 0], rtol=1e-13)
    assert_allclose(isometry_spectrum((np.diag([1e-120, 1, 1e-60]),) * 2), [1, 1e-120, 1e-240], rtol=1e-13)
    assert isometry_spectrum((np.ones((1, 3)), np.ones((2, 1))), log=True).tolist()[1] == -np.inf


def test_a_failure_of_the_linear_algebra_is_reported(monkeypatch):
    import scipy.linalg.lapack as lapack

    failing = (np.ones(2), None, None, np.ones(7), None, 3)
    monkeypatch.setattr(lapack, "dgejsv", lambda *_, **__: failing)
    with pytest.raises(ValueError, match="did not converge"):
        isometry_spectrum((np.eye(2),))


# Plateaus


def test_plateaus_are_the_staircase():
    task = Moments.white(np.diag([4.0, 3.0, 2.2, 1.5, 1.0]), noise=0.2)
    assert_allclose(loss_plateaus(task) - 0.5, [16.545, 8.545, 4.045, 1.625, 0.5, 0.0], atol=1e-12)
    assert_allclose(loss_plateaus(task, 2), loss_plateaus(task)[:3])
    sets = {S.modes: S.loss for S in dln.landscape.critical_sets(task, 5)}
    assert_allclose(loss_plateaus(task), [sets[tuple(range(m))] for m in range(6)], rtol=1e-14)
    assert loss_plateaus(Moments.white(np.diag([1.0, 0.0])), 7).tolist() == [0.5, 0.0]


def test_training_pauses_at_the_plateaus():
    task = Moments.white(np.diag([3.0, 1.0]))
    start = initialise.decoupled(task.modes(), (2, 2, 2), 1e-4, rng=GENERATOR(0))
    path = gradient_flow(start, task, [1.0, 5.0, 15.0])
    assert_allclose(path.loss, loss_plateaus(task), atol=1e-3)


# Mistakes

MODES = Modes.of(np.diag([2.0, 1.0]))
EYE = np.eye(2)


@pytest.mark.parametrize(
    ("call", "fragment"),
    [
        (lambda: mode_strengths(np.eye(3), MODES), r"W must have shape \(..., 2, 2\)"),
        (lambda: mode_strengths(np.eye(2), np.eye(2)), "modes must be dlnlib Modes"),
        (lambda: off_diagonal(np.array([[0.0, 1.0], [0.0, 0.0]]), MODES), "every strength is zero"),
        (lambda: subspace_overlap(np.eye(3)[:, :1], np.eye(3)[:, :2]), "A and B must both be"),
        (lambda: subspace_overlap(np.ones(3), np.ones(3)), "A and B must both be"),
        (lambda: subspace_overlap(np.ones((2, 3)), np.ones((2, 3))), "k <= d"),
        (lambda: subspace_overlap(np.eye(3)[:, :2], np.ones((3, 2))), "the columns of B are dependent"),
        (lambda: subspace_overlap(np.zeros((3, 1)), np.ones((3, 1))), "the columns of A are dependent"),
        (lambda: layer_alignment((EYE,)), "only one"),
        (lambda: layer_alignment((EYE, np.diag([2.0, 1.0])), 3), "rank must be at most 2"),
        (lambda: layer_alignment((np.diag([2.0, 1.0]), EYE)), "W_2 has no leading subspace of rank 1"),
        (lambda: layer_alignment((0 * EYE, np.diag([2.0, 1.0]))), "W_1 has no leading subspace"),
        (lambda: layer_alignment((np.diag([2.0, 0.0]), np.diag([2.0, 1.0])), 2), "W_1 has no leading subspace of rank 2"),
        (lambda: balance((EYE,)), "only one"),
        (lambda: learning_time([0.0, 1.0], [0.0, 1.0, 2.0], 0.5), "n_t = 2"),
        (lambda: learning_time([0.0], [0.0], 0.5), "n_t = 1 >= 2"),
        (lambda: learning_time([1.0, 0.0], [0.0, 1.0], 0.5), "increase strictly"),
        (lambda: learning_time([0.0, 1.0], [0.0, np.nan], 0.5), "NaN"),
        (lambda: learning_time([0.0, 1.0], [0.0, 1.0], [0.5, 0.6]), "level must be a number or fit"),
        (lambda: learning_time([0.0, 1.0], [[0.0, 0.0], [1.0, 1.0]], [0.5, 0.6, 0.7]), "level must be a number or fit"),
        (lambda: learning_time([0.0, 1.0], [0.0, 1.0], 0.5, missing="nan"), 'missing must be "raise" or "inf"'),
        (lambda: learning_time([0.0, 1.0], [0.0, 1.0], 2.0), r"the curve \(\) never crosses 2"),
        (lambda: isometry_spectrum((1e200 * EYE, 1e200 * EYE)), "use log=True"),
        (lambda: isometry_spectrum((np.diag([1e-200, 1, 1e-100]),) * 2), "280 decades"),
        (lambda: isometry_spectrum([[1.0]]), "W_1 must have shape"),
        (lambda: loss_plateaus(Moments.white(EYE), 0), "hidden must be at least 1"),
    ],
)
def test_mistakes_are_named(call, fragment):
    with pytest.raises(ValueError, match=fragment):
        call()
