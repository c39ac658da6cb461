"""Semantic development: closed forms against decompositions, flow and descent; measurements on cases known by hand."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import solve_ivp

import dlnlib as dln
from dlnlib import Modes, Moments, datasets, semantic

TREE = datasets.hierarchy(3)
T = np.linspace(0.0, 120.0, 61)


# -- spectra ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", range(5))
@pytest.mark.parametrize("branching", [2, 3, 5])
@pytest.mark.parametrize("flip", [0.0, 1e-6, 0.1, 0.35, 0.5, 0.9, 1.0])
def test_diffusion_spectrum_is_that_of_the_tree(depth, branching, flip):
    spectrum = semantic.diffusion_spectrum(depth, branching, flip)
    n = branching**depth
    assert spectrum.n == n
    numerical = np.linalg.eigvalsh(datasets.tree(depth, branching, flip).similarity)[::-1]
    assert_allclose(spectrum.eigenvalues, numerical, atol=1e-12 * n)
    assert_allclose(np.sum(spectrum.eigenvalues), n)
    assert np.all(np.diff(spectrum.values) <= 0)


def test_small_flips_lose_no_digits():
    """For flip e -> 0 a contrast of the last level has the eigenvalue 4 e (1 - e)."""
    e = 1e-9
    assert_allclose(semantic.diffusion_spectrum(2, 2, e).values[-1], 4 * e * (1 - e), rtol=1e-14)


@pytest.mark.parametrize("copies", [None, (1, 1, 1, 1), (2, 0, 3, 1), (0, 0, 0, 1)])
def test_node_spectrum_is_that_of_the_table(copies):
    data = datasets.hierarchy(3, 2, copies=copies)
    spectrum = semantic.node_spectrum(3, 2, copies=copies)
    assert_allclose(spectrum.eigenvalues, np.linalg.svd(data.table)[1] ** 2, atol=1e-13)
    m = np.repeat(spectrum.singular_values(), spectrum.multiplicities.astype(int))
    assert_allclose(m, data.moments.modes().s, atol=1e-14)


@pytest.mark.parametrize("n", [2, 3, 8, 9])
def test_ring_spectrum(n):
    C = datasets.ring(n, 1.7).similarity
    values = semantic.ring_spectrum(C[0])
    double = np.concatenate([values, values[1 : (n + 1) // 2]])
    assert_allclose(np.sort(double), np.linalg.eigvalsh(C), atol=1e-13)


# -- development -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_development_is_the_flow(depth):
    widths = (8, *(10,) * (depth - 1), 15)
    modes, u0 = TREE.moments.modes(), 1e-3
    start = dln.initialise.decoupled(modes, widths, u0 ** (1 / depth), rng=np.random.default_rng(0))
    flow = dln.gradient_flow(start, TREE.moments, T, rtol=1e-12, atol=1e-15)
    assert_allclose(semantic.development(TREE.moments, T, u0, depth), flow.product, atol=1e-10)
    if depth == 2:
        hidden = np.einsum("thi,thj->tij", flow.weights[0], flow.weights[0])
        assert_allclose(semantic.hidden_similarity(TREE.moments, T, u0), hidden, atol=1e-10)


def test_end_points_and_times_for_commuting_inputs():
    """The singular values 3, 2, 1 set the pace, the variances 0.5, 2, 4 the ends."""
    m, lam, u0 = np.array([3.0, 2, 1]), np.array([0.5, 2, 4]), 1e-3
    Q = np.linalg.qr(np.random.default_rng(1).standard_normal((3, 3)))[0]
    task = Moments((Q * lam) @ Q.T, np.diag(m) @ Q.T)
    modes, variance = semantic.commuting_modes(task)
    assert_allclose(variance, lam)
    start = dln.initialise.decoupled(modes, (3, 4, 3), np.sqrt(u0), rng=None)
    t = np.linspace(0, 20, 41)
    flow = dln.gradient_flow(start, task, t, rtol=1e-12, atol=1e-15)
    assert_allclose(semantic.development(task, t, u0), flow.product, atol=1e-10)
    assert_allclose(semantic.strength(1e3, m, lam, u0), [6, 1, 0.25])
    half = semantic.half_time(m, lam, u0)
    assert_allclose(half, np.log(m / lam / u0 - 1) / (2 * m))
    assert_allclose(semantic.strength(half, m, lam, u0), m / lam / 2)
    assert_allclose(semantic.final_similarity(task), (Q * (m / lam)) @ Q.T, atol=1e-14)


def test_equal_modes_are_turned_to_the_inputs():
    """The task treats three directions alike, the inputs do not: only the eigenvectors of xx develop independently."""
    Q = np.linalg.qr(np.random.default_rng(2).standard_normal((3, 3)))[0]
    task = Moments((Q * [1.0, 2, 3]) @ Q.T, np.eye(3))
    modes, variance = semantic.commuting_modes(task)
    assert_allclose(modes.matrix(), np.eye(3), atol=1e-14)
    assert_allclose(np.sort(variance), [1, 2, 3])
    assert_allclose(semantic.development(task, [1e4], 1e-3)[0], np.linalg.inv(task.xx), atol=1e-9)


def test_what_does_not_commute_is_refused():
    with pytest.raises(ValueError, match="do not commute"):
        semantic.commuting_modes(Moments(np.diag([1.0, 0.5]), np.array([[1.0, 0.2], [0.2, 0.3]])))
    with pytest.raises(ValueError, match="nothing to learn"):
        semantic.commuting_modes(Moments(np.eye(2), np.zeros((2, 2))))
    with pytest.raises(ValueError, match="one for each mode"):
        semantic.development(TREE.moments, T, [1e-3, 1e-3])
    with pytest.raises(ValueError, match="must not be negative"):
        semantic.hidden_similarity(TREE.moments, T, -1e-3)
    with pytest.raises(ValueError, match="variance must be positive"):
        semantic.strength(1.0, 1.0, 0.0, 0.1)
    with pytest.raises(ValueError, match="do not broadcast"):
        semantic.strength(1.0, [1.0, 2.0], [1.0, 1.0, 1.0], 0.1)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("step", [0.05, 0.6])
def test_descent_strength_is_descent(depth, step):
    modes, u0 = TREE.moments.modes(), 1e-2
    widths = (8, *(8,) * (depth - 1), 15)
    start = dln.initialise.decoupled(modes, widths, u0 ** (1 / depth), rng=None)
    run = dln.gradient_descent(start, TREE.moments, step, 60)
    assert_allclose(semantic.descent_strength(modes.s, 1 / 8, u0, step, 60, depth=depth), run.strengths(), rtol=1e-11)


def test_descent_strength_tends_to_the_flow_at_first_order():
    errors = [
        np.abs(semantic.descent_strength(2.0, 1.0, 0.1, h, round(1 / h))[-1] - semantic.strength(1.0, 2.0, 1.0, 0.1))
        for h in (0.002, 0.001)
    ]
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.03)


def test_descent_strength_says_what_is_wrong():
    assert np.abs(semantic.descent_strength(1.0, 1.0, 0.5, 0.99, 4000)[-1] - 1) < 1e-9
    assert np.abs(semantic.descent_strength(1.0, 1.0, 0.5, 1.01, 4000)[-1] - 1) > 0.05
    with pytest.raises(ValueError, match="leaves float64"):
        semantic.descent_strength(1.0, 1.0, 0.5, 30.0, 50)
    with pytest.raises(ValueError, match="must not be negative"):
        semantic.descent_strength(1.0, 1.0, -0.5, 0.1, 5)
    with pytest.raises(ValueError, match="do not fit into memory"):
        semantic.descent_strength(1.0, 1.0, 0.5, 0.1, 10**9)
    with pytest.raises(ValueError, match="do not broadcast"):
        semantic.descent_strength([1.0, 2.0], 1.0, [0.5, 0.1, 0.2], 0.1, 5)


# -- trees in closed form --------------------------------------------------------------------------------------------------


def common_level(i, j, depth, branching):
    """Level of the last common ancestor of two leaves, found by walking up."""
    level = depth
    while i != j:
        i, j, level = i // branching, j // branching, level - 1
    return level


@pytest.mark.parametrize(("depth", "branching"), [(1, 2), (3, 2), (2, 4), (4, 3)])
def test_distances_and_entries_of_a_tree(depth, branching):
    data, n = datasets.hierarchy(depth, branching), branching**depth
    modes, rng = data.moments.modes(), np.random.default_rng(3)
    by_level = np.sort(rng.uniform(0.1, 1, depth + 1))[::-1]
    r = np.repeat(by_level, semantic.node_spectrum(depth, branching).multiplicities.astype(int))
    H = (modes.V * r) @ modes.Vt
    distances = semantic.item_distances(np.linalg.cholesky(H).T)
    formula = semantic.tree_distances(by_level, branching)
    W = n * (modes.U * (modes.s * r)) @ modes.Vt
    for j in range(1, n):
        assert distances[0, j] == pytest.approx(formula[common_level(0, j, depth, branching)], abs=1e-12)
    row = 0
    for level in range(depth + 1):
        entries = semantic.tree_entries(by_level, branching, level)
        size = branching ** (depth - level)
        for node in range(branching**level):
            for i in range(n):
                k = min(common_level(node * size, i, depth, branching), level)
                assert W[row, i] == pytest.approx(entries[k], abs=1e-12)
            row += 1


def test_entries_begin_and_end_where_they_should():
    assert_allclose(semantic.tree_entries([1, 1, 1, 1], 2, 2), [0, 0, 1])
    assert_allclose(semantic.tree_entries([1, 0, 0, 0], 2, 2), [0.25] * 3)  # everything is given to everybody
    assert_allclose(semantic.tree_entries([1, 1, 0, 0], 2, 2), [0, 0.5, 0.5])  # to nobody in the other half
    assert_allclose(semantic.tree_entries(np.zeros((5, 4)), 3, 0), np.zeros((5, 1)))
    assert_allclose(semantic.tree_distances([1, 1, 1, 1], 2), [np.sqrt(2)] * 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: semantic.tree_entries([1, 1], 2, 2), "at most the depth"),
        (lambda: semantic.tree_entries([1], 2, 0), "each level"),
        (lambda: semantic.tree_entries([1, 1], 1, 0), "at least 2"),
        (lambda: semantic.tree_distances([1, -1], 2), "not be negative"),
        (lambda: semantic.tree_distances(np.ones(2000), 2), "too deep"),
        (lambda: semantic.diffusion_spectrum(2, 2, 1.1), "probability"),
        (lambda: semantic.diffusion_spectrum(60, 2, 0.1), r"10\*\*15"),
        (lambda: semantic.node_spectrum(2, 2, copies=[1, 1]), "3 numbers"),
        (lambda: semantic.ring_spectrum([1, 0.5, 0.2]), "both ways"),
        (lambda: semantic.ring_spectrum(np.eye(3)), "row of one item"),
    ],
)
def test_mistakes_about_trees_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# -- measurements ----------------------------------------------------------------------------------------------------------


def test_all_absent_properties_are_illusions_for_a_while_and_none_without_a_hidden_layer():
    deep = semantic.development(TREE.moments, np.linspace(0, 200, 801), 1e-5)
    shallow = semantic.development(TREE.moments, np.linspace(0, 200, 801), 1e-5, 1)
    excess = semantic.illusory_excess(deep, TREE.table)
    assert np.sum(excess > 0.05) == 88 == np.sum(TREE.table == 0)
    assert np.all(excess[TREE.table == 1] < 1e-4)
    assert np.all(semantic.illusory_excess(shallow, TREE.table) < 1e-15)


def test_illusory_excess_by_hand():
    path = np.array([0.1, 0.5, -0.4, 0.05, 0.0])[:, None, None]
    assert_allclose(semantic.illusory_excess(path, np.zeros((1, 1))), 0.4)
    assert_allclose(semantic.illusory_excess(np.array([0.0, 1.3, 1.0])[:, None, None], np.ones((1, 1))), 0.0)
    batch = np.stack([path, 2 * path], axis=1)
    assert_allclose(semantic.illusory_excess(batch, np.zeros((1, 1))).ravel(), [0.4, 0.8])
    for product, target, message in [
        (np.ones((2, 2)), np.ones((2, 2)), "time first"),
        (np.ones((3, 2, 2)), np.ones((2, 3)), "target must have shape"),
    ]:
        with pytest.raises(ValueError, match=message):
            semantic.illusory_excess(product, target)


def test_projection_is_what_a_new_row_of_the_readout_learns():
    rng = np.random.default_rng(4)
    W1 = rng.standard_normal((5, 4))
    # Gradient flow of one row w from zero on (1 - w . h_0)^2 / 2.
    row = solve_ivp(lambda _, w: (1 - w @ W1[:, 0]) * W1[:, 0], (0, 60), np.zeros(5), rtol=1e-12, atol=1e-14).y[:, -1]
    assert_allclose(semantic.inductive_projection(W1, 0), row @ W1, atol=1e-9)
    assert semantic.inductive_projection(np.stack([W1, 2 * W1]), 1).shape == (2, 4)
    assert_allclose(semantic.inductive_projection(1e-200 * W1, 0), row @ W1, atol=1e-9)
    with pytest.raises(ValueError, match="no representation"):
        semantic.inductive_projection(np.zeros((2, 3)), 0)
    with pytest.raises(ValueError, match="below the number of items"):
        semantic.inductive_projection(W1, 4)
    with pytest.raises(ValueError, match="one column an item"):
        semantic.item_distances(np.ones(3))
    with pytest.raises(ValueError, match="too many pairs"):
        semantic.item_distances(np.ones((100, 2000)))


def test_typicality_is_the_component_of_the_item():
    modes = Modes.of(TREE.table)
    assert_allclose(semantic.typicality(TREE.Y, modes), modes.V, atol=1e-13)
    with pytest.raises(ValueError, match="15 entries"):
        semantic.typicality(np.ones(4), modes)


@pytest.mark.parametrize("seed", range(4))
def test_effective_modes_give_the_half_times_of_a_random_start(seed):
    """Within a level singular values are equal, so the start picks the modes; one per mille in the half times."""
    start = dln.initialise.gaussian((8, 16, 15), rng=np.random.default_rng(seed), scale=1e-3)
    flow = dln.gradient_flow(start, TREE.moments, np.linspace(0, 160, 641), rtol=1e-9, atol=1e-13)
    modes, u0 = semantic.effective_modes(start, TREE.moments)
    assert_allclose(modes.matrix(), TREE.moments.yx, atol=1e-14)
    half = dln.measure.learning_time(flow.t, flow.strengths(modes), 4 * modes.s)
    assert_allclose(semantic.half_time(modes.s, 1 / 8, u0), half, rtol=2e-3)


def test_effective_modes_without_ties_are_the_effective_start():
    rng = np.random.default_rng(6)
    task = Moments.white(np.diag([3.0, 2.0, 1.0]))
    for hidden in (5, 3, 2):
        start = dln.initialise.gaussian((3, hidden, 3), rng=rng, scale=0.1)
        modes, u0 = semantic.effective_modes(start, task)
        assert_allclose(u0, dln.measure.effective_start(start, task.modes()), rtol=1e-9, atol=1e-16)
        assert_allclose(np.abs(modes.V), np.eye(3), atol=1e-14)
    narrow = dln.initialise.gaussian((8, 5, 15), rng=rng, scale=0.1)
    modes, u0 = semantic.effective_modes(narrow, TREE.moments)
    assert np.sum(u0 > 0) == 5
    assert_allclose(modes.V.T @ modes.V, np.eye(8), atol=1e-13)
    with pytest.raises(ValueError, match="two layers"):
        semantic.effective_modes((np.eye(3),), task)
    with pytest.raises(ValueError, match="nothing to learn"):
        semantic.effective_modes((np.eye(3), np.eye(3)), Moments.white(np.zeros((3, 3))))


# -- a planted category ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theta", [0.5, 1.2, 2.5])
@pytest.mark.parametrize("ratio", [0.25, 2.0])
def test_a_planted_category_in_a_large_table(theta, ratio):
    features, rng, found = 800, np.random.default_rng(8), []
    items = round(ratio * features)
    for _ in range(3):
        data = datasets.planted_category(
            features, items, shared=200, members=50, mean=theta * np.sqrt(features / (200 * 50)), rng=rng
        )
        assert semantic.coherence(features, 200, 50, theta * np.sqrt(features / 10_000)) == pytest.approx(theta)
        A = data.table / np.sqrt(features)
        small = A @ A.T if features < items else A.T @ A
        values, vectors = np.linalg.eigh(small)
        top = vectors[:, -1]
        u = top if features < items else A @ top / np.sqrt(values[-1])
        v = A.T @ top / np.sqrt(values[-1]) if features < items else top
        found.append([np.sqrt(values[-1]), np.sum(v[:50]) ** 2 / 50, np.sum(u[:200]) ** 2 / 200])
    s, item_side, feature_side = np.mean(found, axis=0)
    assert s == pytest.approx(float(semantic.category_singular_value(theta, ratio)), rel=0.02)
    assert item_side == pytest.approx(float(semantic.category_overlap(theta, ratio)), abs=0.06)
    assert feature_side == pytest.approx(float(semantic.category_overlap(theta, ratio, side="features")), abs=0.06)


def test_the_limits_of_a_category():
    for ratio in (0.1, 1.0, 3.0):
        edge = semantic.category_threshold(ratio)
        just = edge * (1 + 1e-9)
        assert semantic.category_singular_value(just, ratio) == pytest.approx(1 + np.sqrt(ratio), rel=1e-8)
        for side in ("items", "features"):
            assert semantic.category_overlap(just, ratio, side=side) == pytest.approx(0, abs=1e-7)
            assert semantic.category_overlap(edge * 0.99, ratio, side=side) == 0
            assert semantic.category_overlap(1e8, ratio, side=side) == pytest.approx(1)
    for call, message in [
        (lambda: semantic.category_overlap(1.0, 1.0, side="rows"), "side must be"),
        (lambda: semantic.category_overlap(-1.0, 1.0), "not be negative"),
        (lambda: semantic.coherence(3, 4, 1, 1.0), "at most features"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
