"""Critical sets, points and their classification: limits, invariants, two roads and mistakes."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from numpy.testing import assert_allclose

import dlnlib as dln
from dlnlib import Moments, gradient_flow, landscape, loss
from dlnlib.hessian import hessian
from dlnlib.landscape import (
    canonical_spectrum,
    classify,
    critical_levels,
    critical_point,
    critical_sets,
    escape_direction,
    find_critical_points,
    predicted_index,
)
from dlnlib.network import error_correlation, gradients

EYE = np.eye(3)


def white(*s):
    return Moments.white(np.diag(np.array(s, dtype=float)))


@pytest.fixture(scope="module")
def correlated():
    """Noisy data of a random 4 x 4 teacher with correlated inputs, all strengths distinct."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 4)) @ rng.standard_normal((4, 4))
    Y = X @ rng.standard_normal((4, 4)) + 0.5 * rng.standard_normal((200, 4))
    return Moments.from_data(X, Y)


def middle_product(weights):
    M = np.eye(weights[0].shape[0])
    for W in weights[1:-1]:
        M = W @ M
    return M


# Limits


def test_the_seven_sets_of_three_modes_and_two_units():
    found = {S.modes: (S.loss, S.index) for S in critical_sets(white(3, 2, 1), 2)}
    assert found == {
        (): (7.0, 6),
        (0,): (2.5, 2),
        (1,): (5.0, 3),
        (2,): (6.5, 4),
        (0, 1): (0.5, 0),
        (0, 2): (2.0, 1),
        (1, 2): (4.5, 2),
    }
    assert [S.rank for S in critical_sets(white(3, 2, 1), 2)] == [0, 1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize(("q", "h", "count"), [(4, 3, 15), (3, 3, 8), (6, 6, 64), (6, 9, 64), (5, 2, 16)])
def test_number_of_sets(q, h, count):
    sets = critical_sets(white(*range(1, q + 1)), h)
    assert len(sets) == count == sum(comb(q, r) for r in range(min(h, q) + 1))
    assert [S.modes for S in sets] == [c for r in range(min(h, q) + 1) for c in combinations(range(q), r)]


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_the_best_set_is_the_optimum_and_the_empty_set_the_outputs_alone(correlated, depth):
    for h in (1, 3, 4, 6):
        sets = critical_sets(correlated, h, depth=depth)
        best = min(sets, key=lambda S: S.loss)
        assert best.modes == tuple(range(min(h, 4)))
        assert best.index == 0
        assert_allclose(best.loss, correlated.irreducible_loss(h), rtol=1e-13)
        assert_allclose(best.product, correlated.optimum(h), atol=1e-12)
        assert_allclose(sets[0].loss, correlated.yy_trace / 2, rtol=1e-13)
        assert_allclose(sets[0].product, 0, atol=1e-15)
        assert sum(S.index == 0 for S in sets) == (1 if depth == 2 else min(h, 4) + 1)


def test_without_correlation_the_only_set_is_the_empty_one_and_a_minimum():
    nothing = Moments(EYE, np.zeros((2, 3)), 1.5)
    (only,) = critical_sets(nothing, 2)
    assert (only.modes, only.loss, only.index) == ((), 0.75, 0)
    zero = (np.zeros((2, 3)), np.zeros((2, 2)))
    assert classify(zero, nothing).kind == "global minimum"
    degenerate = Moments(np.zeros((3, 3)), np.zeros((2, 3)), 1.5)
    assert classify((np.ones((2, 3)), np.ones((2, 2))), degenerate).kind == "global minimum"


def test_origin_of_two_layers_and_of_three():
    two = classify((np.zeros((2, 3)), np.zeros((3, 2))), white(3, 2, 1))
    assert (two.kind, two.index, two.nullity, two.loss, two.excess) == ("strict saddle", 6, 0, 7.0, 6.5)
    assert_allclose(two.eigenvalues, [-3, -3, -2, -2, -1, -1, 1, 1, 2, 2, 3, 3], atol=1e-14)
    three = classify((0 * EYE, 0 * EYE, 0 * EYE), white(3, 2, 1))
    assert (three.kind, three.index, three.nullity) == ("non-strict saddle", 0, 27)
    assert not three.eigenvalues.any()


@pytest.mark.parametrize(("depth", "sharpness"), [(2, 6.0), (3, 12.980246), (4, 20.784610), (6, 37.441509)])
def test_sharpness_of_the_balanced_global_minimum(depth, sharpness):
    spectrum = canonical_spectrum(white(3, 2, 1), (0, 1, 2), (3,) * (depth + 1))
    assert_allclose(spectrum[-1], depth * 3 ** (2 - 2 / depth), rtol=1e-14)
    assert_allclose(spectrum[-1], sharpness, rtol=1e-7)


# Two roads


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_every_set_of_correlated_data_has_its_loss_index_and_product(correlated, depth):
    rng = np.random.default_rng(1)
    widths = (4,) + (3,) * (depth - 1) + (4,)
    sets = critical_sets(correlated, 3, depth=depth)
    assert len(sets) == 15
    for S in sets:
        spare = 0 < len(S.modes) < 3
        for options in ({}, {"mix": 3.0, "rng": rng}, *[{"inactive": a, "rng": rng} for a in (1.0, 5.0) if spare]):
            point = critical_point(correlated, S.modes, widths, **options)
            result = classify(point, correlated)
            assert_allclose(dln.product(point), S.product, atol=1e-12)
            assert result.gradient_norm < 1e-11
            assert_allclose(result.loss, S.loss, rtol=1e-12)
            assert result.index == S.index == predicted_index(correlated, S.modes, 3, depth)
            if S.modes == (0, 1, 2):
                assert result.kind == "global minimum"
            else:
                assert result.kind == ("strict saddle" if S.index else "non-strict saddle")


def test_saddles_that_training_visits_are_strict_at_depth_two_only():
    task = white(3, 2, 1)
    for depth, kind in ((2, "strict saddle"), (3, "non-strict saddle"), (4, "non-strict saddle")):
        for visited in ((), (0,), (0, 1)):
            point = critical_point(task, visited, (3,) * (depth + 1))
            assert classify(point, task).kind == kind


def test_a_non_strict_saddle_is_no_minimum():
    task = white(3, 2, 1)
    for visited in ((), (0,), (0, 1)):
        point = critical_point(task, visited, (3, 3, 3, 3))
        k = len(visited)
        # Waking one unit in all three layers at once lowers the loss to third order.
        drops = []
        for eps in (0.1, 0.05, 0.025):
            moved = tuple(W + eps * np.outer(EYE[k], EYE[k]) for W in point)
            drops.append(loss(point, task) - loss(moved, task))
        assert min(drops) > 0
        assert_allclose(np.log2(np.array(drops[:-1]) / drops[1:]), 3, atol=1e-3)


@pytest.mark.parametrize(("d_in", "d_out", "h", "q"), [(5, 4, 3, 4), (3, 6, 5, 2), (4, 4, 4, 4)])
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_whole_spectrum_at_balanced_points(d_in, d_out, h, q, depth):
    rng = np.random.default_rng(2)
    task = Moments.white(rng.standard_normal((d_out, q)) @ rng.standard_normal((q, d_in)))
    widths = (d_in, *(h + i for i in range(depth - 1)), d_out)
    for S in critical_sets(task, h, depth=depth):
        want = canonical_spectrum(task, S.modes, widths)
        got = np.linalg.eigvalsh(hessian(critical_point(task, S.modes, widths), task))
        assert_allclose(got, want, atol=3e-13 * want[-1] if S.modes else 1e-13)
        assert np.sum(want < -1e-12) == S.index


@pytest.mark.parametrize("depth", [3, 4, 5])
@pytest.mark.parametrize("is_white", [True, False])
def test_middle_layers_that_carry_nothing_raise_the_index(correlated, depth, is_white):
    rng = np.random.default_rng(3)
    task = white(4, 3, 2, 1) if is_white else correlated
    hidden = (4, 3, 5, 4)[: depth - 1]
    ranks = set()
    for S in critical_sets(task, 3):
        spare = 0 < len(S.modes) < 4
        point = critical_point(task, S.modes, (4, *hidden, 4), rng=rng, middle=2.0, inactive=1.0 if spare else 0.0, mix=2.0)
        rank = np.linalg.matrix_rank(middle_product(point), tol=1e-9)
        ranks.add(rank - len(S.modes))
        result = classify(point, task)
        assert result.kind != "not critical"
        assert_allclose(result.loss, S.loss, rtol=1e-12)
        assert result.index == predicted_index(task, S.modes, 3, depth, middle_rank=int(rank))
    assert ranks == {0, 1, 2, 3}


def test_outer_layers_zero_and_a_middle_one_that_is_not():
    task = white(3, 2, 1)
    B = np.random.default_rng(4).standard_normal((3, 3))
    result = classify((0 * EYE, B, 0 * EYE), task)
    assert result.index == 9 == predicted_index(task, (), 3, 3, middle_rank=3)
    assert_allclose(result.eigenvalues[0], -3 * np.linalg.norm(B, 2), rtol=1e-13)


def test_the_deep_formula_needs_tight_ends():
    task = white(3, 2, 1)
    first, last = np.outer(EYE[0], EYE[0]), np.outer(EYE[1], EYE[0])
    point = (first, 0 * EYE, last)
    assert classify(point, task).gradient_norm == 0
    assert np.linalg.norm(error_correlation(point, task) @ first.T) > 1
    # The formula with rank(M) = 0 says 0 here: outside its class it says nothing.
    assert classify(point, task).index == 5


def test_search_finds_the_seven_levels_and_no_other():
    task = white(3, 2, 1)
    found = find_critical_points(task, (3, 2, 3), 60, rng=np.random.default_rng(2))
    assert len(found) + found.n_dropped == 60
    assert len(found) > 50
    levels = critical_levels(found.losses)
    assert_allclose([level for level, _ in levels], [0.5, 2, 2.5, 4.5, 5, 6.5, 7], rtol=1e-9)
    assert sum(n for _, n in levels) == len(found)
    by_loss = {round(2 * S.loss): S for S in critical_sets(task, 2)}
    for point in found:
        result = classify(point, task)
        assert result.index == by_loss[round(2 * result.loss)].index
        assert_allclose(dln.product(point), by_loss[round(2 * result.loss)].product, atol=1e-8)


def test_search_on_correlated_data_and_at_depth_three(correlated):
    for widths in ((4, 2, 4), (4, 2, 2, 4)):
        found = find_critical_points(correlated, widths, 12, rng=np.random.default_rng(1))
        known = np.array([S.loss for S in critical_sets(correlated, 2)])
        assert len(found.points) >= 10
        assert_allclose(np.abs(found.losses[:, None] - known).min(axis=1), 0, atol=1e-7 * known.max())


def test_search_counts_what_it_drops():
    found = find_critical_points(white(3, 2, 1), (3, 2, 3), 5, rng=np.random.default_rng(0), max_evaluations=1)
    assert (len(found), found.n_dropped, found.losses.shape) == (0, 5, (0,))


def test_escape_grows_at_the_predicted_rate(correlated):
    point = critical_point(correlated, (1,), (4, 3, 4))
    rate, direction = escape_direction(point, correlated)
    assert_allclose(rate, -classify(point, correlated).eigenvalues[0], rtol=1e-12)
    assert_allclose(sum(np.sum(D**2) for D in direction), 1, rtol=1e-12)
    errors = []
    for delta in (1e-3, 1e-4):
        start = tuple(W + delta * D for W, D in zip(point, direction, strict=True))
        t = np.log(10) / rate
        end = gradient_flow(start, correlated, [t], rtol=1e-12).final
        grown = sum(np.sum((W - P) * D) for W, P, D in zip(end, point, direction, strict=True))
        errors.append(abs(t - np.log(grown / delta) / rate) / t)
    assert errors[1] < 1e-3
    assert errors[1] < errors[0] / 5


def test_escape_from_the_origin_takes_the_logistic_half_time():
    rate, direction = escape_direction((np.zeros((1, 2)), np.zeros((2, 1))), Moments.white(np.diag([3.0, 0.5])))
    assert_allclose(rate, 3, rtol=1e-14)
    eps = 1e-3  # layers a = b = eps are sqrt(2) eps along the unit direction
    start = tuple(np.sqrt(2) * eps * D for D in direction)
    half = np.log((3 - eps**2) / eps**2) / 6
    flow = gradient_flow(start, Moments.white(np.diag([3.0, 0.5])), [half], rtol=1e-12)
    assert_allclose(flow.product[-1][0, 0], 1.5, rtol=1e-9)


# Invariants


def test_the_index_is_one_on_the_whole_orbit_while_the_curvature_is_not():
    task = white(3, 2, 1)
    lowest = []
    for size in (0.0, 1.0, 5.0):
        rng = np.random.default_rng(0)
        point = critical_point(task, (0,), (3, 2, 3), rng=rng, inactive=size)
        rows = point[0][1]
        assert_allclose(np.linalg.norm(rows), size, atol=1e-14)
        assert_allclose(error_correlation(point, task) @ rows, 0, atol=1e-14)
        result = classify(point, task)
        assert (result.index, result.kind) == (2, "strict saddle")
        # The block of the strongest unlearnt mode, s = 2, as derived at the head of the module.
        A, B = point[1].T @ point[1], point[0] @ point[0].T
        block = np.block([[A, -2 * np.eye(2)], [-2 * np.eye(2), B]])
        assert_allclose(result.eigenvalues[0], np.linalg.eigvalsh(block)[0], rtol=1e-12)
        lowest.append(result.eigenvalues[0])
    assert_allclose(lowest, [-2, -1.874258, -1.218332], atol=1e-6)


@pytest.mark.parametrize(("size", "lowest"), [(0.0, -2.0), (1.0, -1.561553), (5.0, -0.158989)])
def test_curvature_at_the_origin_shrinks_when_units_read_a_useless_input(size, lowest):
    task = Moments.white(np.array([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
    point = critical_point(task, (), (3, 1, 2), rng=np.random.default_rng(0), inactive=size)
    result = classify(point, task)
    assert (result.index, result.loss) == (2, 2.5)
    # Block [[0, -s], [-s, size^2]] with s = 2.
    assert_allclose(result.eigenvalues[0], -8 / (size**2 + np.sqrt(size**4 + 16)), rtol=1e-12)
    assert_allclose(result.eigenvalues[0], lowest, atol=1e-6)


def test_mix_moves_along_the_orbit_with_the_condition_number_asked_for(correlated):
    widths = (4, 3, 5, 4)
    plain = critical_point(correlated, (0, 2), widths)
    moved = critical_point(correlated, (0, 2), widths, rng=np.random.default_rng(0), mix=50.0)
    assert_allclose(dln.product(moved), dln.product(plain), atol=1e-12)
    assert max(np.abs(a - b).max() for a, b in zip(plain, moved, strict=True)) > 0.1
    full = critical_point(white(3, 2, 1), (0, 1, 2), (3, 3, 3), rng=np.random.default_rng(0), mix=50.0)
    unmixed = critical_point(white(3, 2, 1), (0, 1, 2), (3, 3, 3))
    C = full[0] @ np.linalg.inv(unmixed[0])
    assert_allclose(np.linalg.cond(C), 50, rtol=1e-9)
    turned = critical_point(white(3, 2), (0,), (2, 1, 2), rng=np.random.default_rng(0), mix=1.0)
    assert_allclose(np.abs(turned[0]), np.abs(critical_point(white(3, 2), (0,), (2, 1, 2))[0]), atol=1e-14)


def test_balanced_by_default(correlated):
    for imbalance in dln.network.imbalances(critical_point(correlated, (1, 3), (4, 3, 2, 4))):
        assert_allclose(imbalance, 0, atol=1e-14)


@pytest.mark.parametrize(("cx", "cy"), [(1e-3, 1.0), (1.0, 1e4), (1e3, 1e-3)])
def test_classification_does_not_depend_on_units(correlated, cx, cy):
    scaled = Moments(cx**2 * correlated.xx, cx * cy * correlated.yx, cy**2 * np.asarray(correlated.yy))
    for depth in (2, 3):
        widths = (4,) + (3,) * (depth - 1) + (4,)
        for modes in ((), (0,), (0, 2), (1, 2), (0, 1, 2)):
            one = classify(critical_point(correlated, modes, widths), correlated)
            other = classify(critical_point(scaled, modes, widths), scaled)
            assert (one.kind, one.index) == (other.kind, other.index)


@pytest.mark.parametrize(("cx", "cy"), [(1.0, 1.0), (1e-4, 1.0), (1e4, 1e-4), (1.0, 1e6)])
def test_tolerances_are_relative_to_the_natural_sizes_of_the_data(cx, cy):
    rng = np.random.default_rng(0)
    task = Moments(cx**2 * EYE, cx * cy * np.diag([3.0, 2.0, 1.0]))
    for depth in (2, 3):
        # All layers 1e-5 of the natural size (3 cy/cx)^(1/L): so are, up to powers, gradient and curvature.
        size = (3 * cy / cx) ** (1 / depth)
        near = tuple(1e-5 * size * np.linalg.qr(rng.standard_normal((3, 3)))[0] for _ in range(depth))
        small = 1e-5 ** (depth - 1)
        assert classify(near, task, tol=0.1 * small).kind == "not critical"
        assert classify(near, task, tol=10 * small).kind != "not critical"
    assert classify(near, task, tol=1e-3).nullity == 27
    assert classify(near, task, tol=1e-7).nullity < 27


def test_rounding_of_large_weights_is_no_gradient(correlated):
    point = critical_point(correlated, (0, 2), (4, 3, 4), rng=np.random.default_rng(0), mix=1e6)
    result = classify(point, correlated)
    assert max(np.abs(W).max() for W in point) > 100
    assert result.gradient_norm > 1e-8
    # The curvatures shrink relative to the largest along the orbit; for two layers the theorem still decides.
    assert (result.kind, result.index) == ("strict saddle", 0)
    assert classify(point, correlated, tol=1e-14).kind == "not critical"


def test_inputs_that_never_vary_add_flat_directions_only(correlated):
    basis = np.linalg.qr(np.random.default_rng(5).standard_normal((6, 6)))[0][:, :4]
    wide = Moments(basis @ correlated.xx @ basis.T, correlated.yx @ basis.T, correlated.yy)
    for S, T in zip(critical_sets(correlated, 3), critical_sets(wide, 3), strict=True):
        assert_allclose((T.loss, T.index), (S.loss, S.index), rtol=1e-10)
        result = classify(critical_point(wide, T.modes, (6, 3, 4)), wide)
        assert result.index == S.index
        # 3 x 2 weights read the silent inputs.
        assert result.nullity == classify(critical_point(correlated, S.modes, (4, 3, 4)), correlated).nullity + 6


def test_unused_units_may_also_write_where_outputs_are_uncorrelated():
    task = Moments.white(np.vstack([np.diag([3.0, 2.0, 1.0]), np.zeros((1, 3))]), noise=0.1)
    first, last = critical_point(task, (1,), (3, 3, 4))
    last = last.copy()
    last[3, 2] = 2.5
    result = classify((first, last), task)
    assert result.kind == "strict saddle"
    assert result.index == predicted_index(task, (1,), 3) == 5


def test_unused_units_may_read_uncorrelated_inputs_before_any_mode_is_learnt():
    task = Moments.white(np.array([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
    first, last = critical_point(task, (), (3, 2, 2), rng=np.random.default_rng(0), inactive=2.0)
    assert_allclose(np.abs(first), [[0, 0, 2], [0, 0, 2]], atol=1e-14)
    assert not last.any()
    assert classify((first, last), task).index == 4


def test_equal_strengths_are_a_continuum_and_no_swap():
    task = white(2, 2, 1)
    found = {S.modes: S.index for S in critical_sets(task, 1)}
    assert found == {(): 3, (0,): 0, (1,): 0, (2,): 2}
    point = critical_point(task, (0,), (3, 1, 3))
    assert classify(point, task).kind == "global minimum"
    rotated = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    turned = Moments.white(rotated @ np.diag([2.0, 2.0, 1.0]) @ rotated.T)
    assert [S.index for S in critical_sets(turned, 2)] == [S.index for S in critical_sets(task, 2)]


def test_points_off_the_sets_are_not_critical(correlated):
    point = critical_point(correlated, (0,), (4, 3, 4))
    nudged = (point[0] + 1e-5, point[1])
    assert classify(nudged, correlated).kind == "not critical"
    assert classify(nudged, correlated, tol=1e-3).kind != "not critical"
    assert sum(np.sum(g**2) for g in gradients(nudged, correlated)) > 0


def test_one_layer_has_a_minimum_and_no_saddle(correlated):
    result = classify((correlated.optimum(),), correlated)
    assert (result.kind, result.index) == ("global minimum", 0)


def test_a_weak_mode_left_out_is_still_a_saddle():
    task = Moments.white(np.diag([3.0, 2.0, 0.02]), noise=100.0)
    assert classify(critical_point(task, (0, 1), (3, 3, 3)), task).kind == "strict saddle"
    assert classify(critical_point(task, (0, 1), (3, 3, 3, 3)), task).kind == "non-strict saddle"
    assert classify(critical_point(task, (0, 1, 2), (3, 3, 3, 3)), task).kind == "global minimum"
    assert classify(critical_point(task, (0, 1), (3, 2, 3, 3)), task).kind == "global minimum"


def test_levels_group_neighbours():
    assert critical_levels([2.0, 1.0, 1.0 + 1e-9, 3.0]) == [(1.0 + 5e-10, 2), (2.0, 1), (3.0, 1)]
    assert len(critical_levels([1.0, 1.1, 1.2], tol=0.1)) == 1
    assert [n for _, n in critical_levels([1.5, 1.0, 1.2, 1.1], tol=0.1)] == [3, 1]
    assert critical_levels([0.0, 0.0]) == [(0.0, 2)]


def test_nothing_of_the_arguments_is_changed(correlated):
    point = critical_point(correlated, (0,), (4, 3, 4))
    before = [W.copy() for W in point]
    classify(point, correlated)
    escape_direction(point, correlated)
    for W, old in zip(point, before, strict=True):
        assert np.array_equal(W, old)
    assert landscape.__all__ == sorted(landscape.__all__)


# Mistakes


@pytest.mark.parametrize(
    ("call", "fragment"),
    [
        (lambda m: critical_sets(m, 0), "hidden must be at least 1"),
        (lambda m: critical_sets(m, 2, depth=1), "depth must be at least 2"),
        (lambda m: critical_sets(Moments.white(np.diag(np.arange(1.0, 25))), 24), "16,777,216 critical sets"),
        (lambda m: predicted_index(m, 0, 2), "modes must be a sequence"),
        (lambda m: predicted_index(m, (0, 0), 2), "same mode twice"),
        (lambda m: predicted_index(m, (1, 3), 2), r"modes must lie in 0\.\.2"),
        (lambda m: predicted_index(m, (-1,), 2), "modes must be at least 0"),
        (lambda m: predicted_index(m, (0, 1), 1), "do not pass through 1 hidden"),
        (lambda m: predicted_index(m, (0,), 3, 2, middle_rank=2), "no middle layer"),
        (lambda m: predicted_index(m, (0, 1), 3, 3, middle_rank=1), "between 2, the modes learnt, and hidden = 3"),
        (lambda m: predicted_index(m, (0, 1), 3, 3, middle_rank=4), "between 2, the modes learnt, and hidden = 3"),
        (lambda m: critical_point(m, (0,), (3, 3)), "at least two layers"),
        (lambda m: critical_point(m, (0,), (3, 2, 4)), "do not fit moments"),
        (lambda m: critical_point(m, (0, 1), (3, 2, 1, 3)), "do not pass through 1 hidden"),
        (lambda m: critical_point(m, (0,), (3, 2, 3), mix=2.0), "rng must be a numpy Generator"),
        (lambda m: critical_point(m, (0,), (3, 2, 3), inactive=2.0), "rng must be a numpy Generator"),
        (lambda m: critical_point(m, (0,), (3, 2, 3), inactive=-1.0), "inactive must not be negative"),
        (lambda m: critical_point(m, (0,), (3, 2, 3), mix=0.5, rng=np.random.default_rng(0)), "at least 1"),
        (lambda m: critical_point(m, (0, 1), (3, 2, 3), inactive=1.0, rng=np.random.default_rng(0)), "in use"),
        (lambda m: critical_point(m, (), (3, 2, 3), inactive=1.0, rng=np.random.default_rng(0)), "no inactive weights"),
        (lambda m: critical_point(m, (0,), (3, 2, 3), middle=1.0, rng=np.random.default_rng(0)), "depth 3 or more"),
        (lambda m: canonical_spectrum(Moments.from_teacher(EYE, np.diag([2.0, 1, 1])), (0,), (3, 2, 3)), "xx = I"),
        (lambda m: classify((np.ones((5, 2, 3)), np.ones((5, 3, 2))), m), "one network at a time"),
        (lambda m: classify((EYE, EYE), m, tol=0), "tol must be positive"),
        (lambda m: escape_direction((0 * EYE, 0 * EYE, 0 * EYE), m), "algebraic"),
        (lambda m: escape_direction(critical_point(m, (0, 1, 2), (3, 3, 3)), m), "least curvature"),
        (lambda m: find_critical_points(m, (3, 3), 1, rng=np.random.default_rng(0)), "at least two layers"),
        (lambda m: find_critical_points(m, (3, 2, 3), 1, rng=0), "rng must be a numpy Generator"),
        (
            lambda m: find_critical_points(Moments(EYE, 0 * EYE, 1.0), (3, 2, 3), 1, rng=np.random.default_rng(0)),
            "yx is zero",
        ),
        (lambda m: find_critical_points(m, (3, 2, 3), 1, rng=np.random.default_rng(0), spread=1e7), "at most 1e6"),
        (lambda m: critical_sets(np.eye(3), 2), "moments must be"),
        (lambda m: critical_levels([]), "losses is empty"),
    ],
)
def test_mistakes_are_named(call, fragment):
    with pytest.raises(ValueError, match=fragment):
        call(white(3, 2, 1))


def test_the_search_does_not_depend_on_units():
    task = Moments.white(np.diag([2.0, 1.0]))
    small = Moments(1e-40 * task.xx, 1e-100 * task.yx)
    found, scaled = (landscape.find_critical_points(m, (2, 1, 2), 6, rng=np.random.default_rng(3)) for m in (task, small))
    assert len(found) == len(scaled) > 0
    products = [np.array([dln.product(weights) for weights in points]) for points in (found, scaled)]
    np.testing.assert_allclose(1e60 * products[1], products[0], atol=1e-6)
