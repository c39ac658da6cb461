"""Globally gated networks: limits, invariants, two roads to the same posterior, and mistakes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import gamma, kv, kve

from dlnlib import gated
from dlnlib import global_gates as gg
from dlnlib.global_gates import _table


def small(n: int = 9, d: int = 6, M: int = 3, seed: int = 0, **kind: float) -> gg.Task:
    rng = np.random.default_rng(seed)
    gates = (rng.random((n, M)) < 0.6).astype(float)
    gates[:, 0] = 1.0
    return gg.Task(rng.standard_normal((n, d)), gates, rng.standard_normal(n), **{"temperature": 0.1, **kind})


def new(task: gg.Task, k: int = 5, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((k, task.X.shape[1])), rng.random((k, task.n_gates))


def positive(M: int, seed: int = 2) -> np.ndarray:
    root = np.random.default_rng(seed).standard_normal((M, M))
    return root @ root.T + 0.5 * np.eye(M)


# -- the kernel and the prediction


def test_kernel_is_the_covariance_of_the_network():
    task = small(variance=1.7)
    X, gates = new(task)
    a, _ = gg.draw_network(task, 5, rng=np.random.default_rng(3))
    units = np.repeat(a, 30, axis=0), np.sqrt(task.variance) * np.eye(30).reshape(-1, 5, 6)
    here, there = (gg.network_outputs(*units, *where) for where in ((task.X, task.gates), (X, gates)))
    A = a[0].T @ a[0] / 5
    assert task.kernel(A) == pytest.approx(here.T @ here, abs=1e-12)
    assert task.kernel(A, X, gates) == pytest.approx(there.T @ here, abs=1e-12)
    assert task.kernel(np.stack([A, 2 * A]))[1] == pytest.approx(2 * task.kernel(A))


def test_network_is_a_gated_graph():
    task = small()
    X, gates = new(task)
    a, W = gg.draw_network(task, 4, rng=np.random.default_rng(0))
    edges = {"W": ("x", "h"), **{f"a{m}": ("h", "y") for m in range(3)}}
    graph = gated.GatedNetwork(nodes={"x": 6, "h": 4, "y": 1}, edges=edges)
    weights = (W[0], *(a[0, :, [m]] / np.sqrt(4 * 3 * 6) for m in range(3)))
    found = graph.predict(weights, X, edge_gates={f"a{m}": gates[:, m] for m in range(3)})
    assert found[:, 0] == pytest.approx(gg.network_outputs(a, W, X, gates)[0], abs=1e-14)


def test_prediction_is_that_of_weights_in_feature_space():
    """Ridge regression on the M d features g_m(x) x_j with prior covariance U, an independent road to mean and variance."""
    task, U = small(variance=0.8), positive(3)
    X, gates = new(task)
    features, test = (np.einsum("nm,nd->nmd", g, x).reshape(len(x), -1) for x, g in ((task.X, task.gates), (X, gates)))
    prior = 0.8 / (3 * 6) * np.kron(U, np.eye(6))
    S = np.linalg.inv(np.linalg.inv(prior) + features.T @ features / 0.1)
    found = task.predict(U, X, gates)
    assert found.mean == pytest.approx(test @ S @ features.T @ task.y / 0.1)
    assert found.variance == pytest.approx(np.einsum("ni,ij,nj->n", test, S, test))


def test_shut_gates_give_zero_with_certainty_and_scaled_gates_scale_the_kernel():
    task, U = small(), positive(3)
    found = task.predict(U, np.ones((2, 6)), np.zeros((2, 3)))
    assert not found.mean.any() and not found.variance.any()
    double = gg.Task(task.X, 2 * task.gates, task.y, temperature=0.4)
    X, gates = new(task)
    assert double.predict(U, X, 2 * gates).mean == pytest.approx(task.predict(U, X, gates).mean)


def test_interpolation_at_zero_temperature():
    task = small(temperature=0.0)
    found = task.predict(positive(3), task.X, task.gates)
    assert found.mean == pytest.approx(task.y, abs=1e-9) and np.all(found.variance < 1e-9)


# -- the saddle point


def test_action_and_slope_by_differences():
    task, U = small(), positive(3)
    E = np.random.default_rng(4).standard_normal((3, 3))
    E = (E + E.T) / 2
    h = 1e-5
    slope = (gg.action(task, U + h * E, 7) - gg.action(task, U - h * E, 7)) / (2 * h)
    assert np.sum(gg.action_slope(task, U, 7) * E) == pytest.approx(slope, rel=1e-8)
    Kt = task.kernel(U) + 0.1 * np.eye(9)
    by_hand = 7 * np.trace(U) - 7 * np.log(np.linalg.det(U)) + np.log(np.linalg.det(Kt)) + task.y @ np.linalg.inv(Kt) @ task.y
    assert gg.action(task, U, 7) == pytest.approx(by_hand)


@pytest.mark.parametrize("width", [1, 3, 20, 10_000])
@pytest.mark.parametrize("seed", [0, 1])
def test_saddle_is_a_minimum_from_every_start(width: int, seed: int):
    task = small(seed=seed, variance=1.3)
    found = gg.saddle(task, width)
    assert found.residual < 1e-9
    assert np.abs(gg.action_slope(task, found.U, width)).max() * 1.3 / width == pytest.approx(found.residual, abs=1e-9)
    assert found.action == pytest.approx(gg.action(task, found.U, width))
    for start in range(3):
        again = gg.saddle(task, width, start=positive(3, start))
        assert pytest.approx(found.U, abs=1e-6) == again.U
    for e in np.random.default_rng(0).standard_normal((20, 3, 3)):
        root = np.linalg.cholesky(found.U) @ (np.eye(3) + 0.1 * e)
        assert gg.action(task, root @ root.T, width) > found.action


def test_saddle_without_information_is_the_prior():
    far = small(temperature=1e9, variance=1.6)
    assert pytest.approx(1.6 * np.eye(3), abs=1e-6) == gg.saddle(far, 12).U
    flat = gg.saddle(far, 12, measure="flat").U
    assert flat == pytest.approx(1.6 * (12 - 4) / 12 * np.eye(3), abs=1e-6)


def test_saddle_moves_from_the_prior_at_first_order():
    task = small()
    data = gg.action_slope(task, np.eye(3), 1)  # the prior's part vanishes at the prior's mean
    off = [np.abs(N * (gg.saddle(task, N).U - np.eye(3)) + data).max() for N in (1000, 2000, 4000)]
    assert off[0] / off[1] == pytest.approx(2, rel=0.05) and off[1] / off[2] == pytest.approx(2, rel=0.03)


def test_rotated_gates_rotate_the_saddle():
    """The network with gates g R has the same kernel as that with g, for A turned by R: nothing else may change."""
    task = small()
    R = np.linalg.qr(np.random.default_rng(5).standard_normal((3, 3)))[0]
    turned = gg.Task(task.X, task.gates @ R, task.y, temperature=0.1)
    one, two = gg.saddle(task, 6), gg.saddle(turned, 6)
    assert pytest.approx(R.T @ one.U @ R, abs=1e-8) == two.U
    assert two.action == pytest.approx(one.action)


def test_one_gate_at_zero_temperature_is_the_scalar_theory():
    rng = np.random.default_rng(6)
    X, y = rng.standard_normal((8, 15)), rng.standard_normal(8)
    task = gg.Task(X, np.ones((8, 1)), y, variance=1.4, temperature=0)
    u = gg.saddle_scale(8 / 5, gg.task_scale(X, y, 1.4), 1.4, 2)
    assert gg.saddle(task, 5).U[0, 0] == pytest.approx(float(u), rel=1e-10)


def test_nearly_equal_answers_at_zero_temperature():
    """U is nearly singular, and long trial steps of the optimiser meet kernels that are."""
    rng = np.random.default_rng(6)
    X, w = rng.standard_normal((10, 20)), rng.standard_normal(20)
    Y = np.column_stack([X @ w, X @ (w + 0.1 * rng.standard_normal(20))])
    task = gg.Task(np.tile(X, (2, 1)), np.sqrt(2) * gg.one_hot_gates(np.repeat([0, 1], 10), 2), Y.T.ravel(), temperature=0)
    assert pytest.approx(gg.output_scales(X, Y, 4, 1.0), rel=1e-6) == gg.saddle(task, 4).U


def test_outputs_are_gates():
    rng = np.random.default_rng(7)
    X, Y = rng.standard_normal((7, 11)), rng.standard_normal((7, 3))
    stacked = gg.Task(np.tile(X, (3, 1)), gg.output_gates(np.ones((7, 1)), 3), Y.T.ravel(), variance=0.7, temperature=0)
    for width in (2, 7, 30):
        U = gg.output_scales(X, Y, width, 0.7)
        assert pytest.approx(gg.saddle(stacked, width).U, abs=1e-9) == U
    assert stacked.kernel(np.eye(3)) == pytest.approx(0.7 * np.kron(np.eye(3), X @ X.T / 11))
    gates = rng.random((4, 2))
    assert gg.output_gates(gates, 1) == pytest.approx(gates)


# -- the posterior


def test_two_samplers_agree_and_their_errors_are_honest():
    task = small(n=12)
    X, gates = new(task, 8)
    chain = gg.gibbs(task, 9, X, gates, rng=np.random.default_rng(0), sweeps=150, burn=40, chains=24)
    mixed = gg.mixture(task, 9, X, gates, rng=np.random.default_rng(1), draws=4000)
    z = (chain.mean - mixed.mean) / np.hypot(chain.standard_error, mixed.standard_error)
    z_A = (chain.A - mixed.A) / np.hypot(chain.A_error, mixed.A_error)
    assert np.abs(z).max() < 4 and np.abs(z_A).max() < 4
    assert chain.variance == pytest.approx(mixed.variance, rel=0.06)
    assert chain.agreement < 1.05 and mixed.effective > 800 and chain.effective > 200


def test_gibbs_networks_are_draws_of_the_posterior():
    """One gate, T = 0: interpolation exactly, mean by the wide kernel, scale by Bessel functions."""
    rng = np.random.default_rng(8)
    X, y = rng.standard_normal((4, 9)), rng.standard_normal(4)
    task = gg.Task(X, np.ones((4, 1)), y, temperature=0)
    test, one = rng.standard_normal((3, 9)), np.ones((3, 1))
    found = gg.gibbs(task, 6, test, one, rng=rng, sweeps=30, burn=40, chains=600)
    f = gg.network_outputs(*found.networks, test, one)
    assert gg.network_outputs(*found.networks, X, np.ones((4, 1))) == pytest.approx(np.tile(y, (600, 1)), abs=1e-10)
    wide = task.predict([[1.0]], test, one)
    scale = gg.mean_scale_two_layers(4, 6, gg.task_scale(X, y, 1.0), 1.0)
    assert np.abs((f.mean(0) - wide.mean) / (f.std(0) / np.sqrt(600))).max() < 4
    assert abs(found.A[0, 0] - scale) < 4 * found.A_error[0, 0]
    assert found.variance == pytest.approx(scale * wide.variance, rel=0.03)


def test_mixture_of_one_gate_is_the_quadrature():
    task = small(M=1, variance=1.2)
    X, gates = new(task)
    mixed = gg.mixture(task, 7, X, gates, rng=np.random.default_rng(2), draws=6000)
    lam, V = np.linalg.eigh(task.kernel([[1.0]]))
    exact = gg.scale_posterior((V.T @ task.y) ** 2, np.maximum(lam, 0), [7], 1.2, 0.1)
    # With one layer of readouts the kernel of A is A times that of 1, and A = q.
    assert abs(mixed.A[0, 0] - exact.mean) < 4 * mixed.A_error[0, 0]
    means = np.array([task.predict([[q]], X, gates).mean for q in exact.q])
    assert np.abs((mixed.mean - exact.weight @ means) / np.maximum(mixed.standard_error, 1e-12)).max() < 4


def test_error_of_the_saddle_point_falls_with_width():
    task = small(n=14, seed=3)
    X, gates = new(task, 40)
    off = []
    for width in (15, 120):
        exact = gg.mixture(task, width, X, gates, rng=np.random.default_rng(3), draws=8000)
        off.append(np.sqrt(np.mean((task.predict(gg.saddle(task, width).U, X, gates).mean - exact.mean) ** 2)))
    assert off[1] < off[0] / 4


def test_prior_moments():
    task = small()
    a, W = gg.draw_network(task, 20, rng=np.random.default_rng(4), draws=4000)
    A = np.swapaxes(a, 1, 2) @ a / 20
    assert A.mean(0) == pytest.approx(np.eye(3), abs=0.03)
    assert A[:, 0, 1].var() == pytest.approx(1 / 20, rel=0.1) and A[:, 0, 0].var() == pytest.approx(2 / 20, rel=0.1)
    assert W.shape == (4000, 20, 6) and W.var() == pytest.approx(1, rel=0.02)


# -- one number


@pytest.mark.parametrize("width", [1, 2, 5, 60])
def test_density_of_one_hidden_layer_is_chi_square(width: int):
    s = np.linspace(-4, 1.2, 14)
    q = np.exp(s) * width / 1.3
    assert gg.scale_density(s, [width], 1.3) == pytest.approx(stats.chi2.pdf(q, width) * q, rel=1e-10)


@pytest.mark.parametrize("width", [2, 9, 30])
def test_density_of_two_hidden_layers_is_a_bessel_function(width: int):
    s = np.linspace(-2.5, 1.5, 9)
    x = np.exp(s) * width**2 / 1.3**2
    want = x ** (width / 2) * kv(0, np.sqrt(x)) / (2 ** (width - 1) * gamma(width / 2) ** 2)
    assert gg.scale_density(s, [width, width], 1.3) == pytest.approx(want, rel=1e-9)


def test_density_of_unequal_widths_has_its_moments():
    s = np.linspace(-9, 4, 261)
    p = gg.scale_density(s, [3, 8, 20], 0.9)
    moments = [np.trapezoid(p * np.exp(k * s), s) for k in (0, 1, 2)]
    want = [1, 0.9**3, 0.9**6 * np.prod([1 + 2 / N for N in (3, 8, 20)])]
    assert moments == pytest.approx(want, rel=1e-5)


@pytest.mark.parametrize(("n", "width"), [(3, 20), (20, 20), (30, 9), (21, 20), (9, 8), (1, 400), (400, 3)])
def test_mean_scale_by_two_roads(n: int, width: int):
    for r0 in (0.2, 1.0, 6.0):
        z, nu = np.sqrt(width * n * r0 / 1.5), (width - n) / 2
        found = gg.mean_scale_two_layers(n, width, r0, 1.5)
        if abs(nu) < 60:
            assert found == pytest.approx(np.sqrt(n * r0 * 1.5 / width) * kve(nu + 1, z) / kve(nu, z), rel=1e-11)
        exact = gg.scale_posterior(np.full(n, r0), np.ones(n), [width], 1.5)
        assert exact.mean == pytest.approx(found, rel=1e-9)


def test_posterior_of_three_layers_by_double_integral():
    n, r0 = 6, 1.7
    # Equal steps in the logarithms of both chi-square variables, where the integrand is smooth and dies at both ends.
    x, step = np.linspace(-14, 5, 761), 19 / 760
    one, two = (stats.chi2.pdf(np.exp(x), N) * np.exp(x) for N in (5, 4))
    q = np.exp(x[:, None] + x) / 20
    joint = step**2 * one[:, None] * two * q ** (-n / 2) * np.exp(-n * r0 / (2 * q))
    area = [joint.sum(), np.sum(joint * q)]
    found = gg.scale_posterior(np.full(n, r0), np.ones(n), [5, 4], 1.0)
    assert found.mean == pytest.approx(area[1] / area[0], rel=1e-9)
    assert found.evidence == pytest.approx(np.log(area[0] / (2 * np.pi) ** (n / 2)), abs=1e-9)
    assert found.weight.sum() == pytest.approx(1)


def test_evidence_at_finite_temperature():
    lam, square = np.array([0.0, 0.4, 2.0]), np.array([0.1, 1.0, 3.0])
    found = gg.scale_posterior(square, lam, [6], 1.1, 0.2)

    def joint(q: float) -> float:
        v = q * lam + 0.2
        return stats.chi2.pdf(q * 6 / 1.1, 6) * 6 / 1.1 * np.prod(np.exp(-square / (2 * v)) / np.sqrt(2 * np.pi * v))

    assert found.evidence == pytest.approx(np.log(integrate.quad(joint, 0, 30, epsabs=1e-14)[0]), abs=1e-8)


def test_saddle_scale_limits_and_equation():
    load, r0 = np.array([1e-9, 0.3, 1.0, 4.0, 1e9]), np.array([0.2, 3.0])[:, None]
    for depth in (2, 3, 6):
        u = gg.saddle_scale(load, r0, 1.7, depth)
        assert 1 - u / 1.7 == pytest.approx(load * (1 - r0 / u ** (depth - 1)), abs=1e-6, rel=1e-6)
        assert u[:, 0] == pytest.approx([1.7, 1.7], rel=1e-7)
        assert u[:, -1] ** (depth - 1) == pytest.approx(r0[:, 0], rel=1e-7)
    assert gg.saddle_scale_two_layers(load, r0, 1.7) == pytest.approx(gg.saddle_scale(load, r0, 1.7, 2), rel=1e-12)
    assert gg.saddle_scale_two_layers([0.5, 2.0], 0.0, 2.0) == pytest.approx([1.0, 0.0])
    assert gg.saddle_scale([0.1, 10], 1.7**3, 1.7, 4) == pytest.approx([1.7, 1.7])


def test_correction_of_the_saddle_scale():
    for k, r0 in ((0.5, 2.0), (2.0, 0.3)):
        u, first = gg.saddle_scale(k, r0, 1.3, 2), gg.scale_correction(k, r0, 1.3)
        left = [gg.mean_scale_two_layers(int(k * N), N, r0, 1.3) / u - 1 - first / N for N in (100, 200)]
        assert abs(left[0] / left[1]) == pytest.approx(4, rel=0.1)


# -- gates and tasks


def test_half_spaces():
    rng = np.random.default_rng(9)
    X = rng.standard_normal((3, 4))
    gates = gg.half_space_gates(X, rng.standard_normal((200_000, 4)))
    assert (X @ X.T) * (gates @ gates.T) / 200_000 == pytest.approx(gg.half_space_kernel(X), abs=0.02)
    both = gg.half_space_gates(X, rng.standard_normal((5, 4)), both_sides=True)
    assert both.shape == (3, 10) and np.all(both.sum(axis=1) == 5)
    assert np.diag(gg.half_space_kernel(X)) == pytest.approx(np.sum(X**2, axis=1) / 2)
    assert gg.half_space_kernel(X, -X)[0, 0] == pytest.approx(0, abs=1e-12)


def test_relu_kernel():
    rng = np.random.default_rng(10)
    X, Z = rng.standard_normal((2, 3)), rng.standard_normal((4, 3))
    v = rng.standard_normal((400_000, 3))
    drawn = np.maximum(v @ X.T, 0).T @ np.maximum(v @ Z.T, 0) / 400_000
    assert gg.relu_kernel(X, Z) == pytest.approx(drawn, abs=0.03)
    assert np.diag(gg.relu_kernel(X)) == pytest.approx(np.sum(X**2, axis=1) / 2)
    assert not gg.relu_kernel(np.zeros((1, 3)), X).any()


def test_tasks_are_strangers_in_the_wide_limit_and_one_when_pooled():
    task, teachers = gg.related_tasks(0.5, examples=10, inputs=8)
    labels = task.gates.argmax(axis=1)
    own = [np.linalg.lstsq(task.X[labels == m], task.y[labels == m], rcond=None)[0] for m in range(3)]
    assert own == pytest.approx(teachers, abs=1e-9)  # ten examples of eight inputs without noise
    assert gg.task_error(task, np.eye(3), teachers) < 2e-2
    hard, teachers = gg.related_tasks(1.0, seed=1)
    assert teachers[0] == pytest.approx(teachers[1])
    assert gg.task_error(hard, np.ones((3, 3)), teachers) < 0.01 < gg.task_error(hard, np.eye(3), teachers)


def test_task_error_is_the_error_on_new_inputs():
    task, teachers = gg.related_tasks(0.7, seed=2)
    U = gg.saddle(task, 5).U
    X = np.random.default_rng(11).standard_normal((40_000, 30))
    off = [np.mean((task.predict(U, X, np.eye(3)[[m] * len(X)]).mean - X @ teachers[m]) ** 2) for m in range(3)]
    assert gg.task_error(task, U, teachers) == pytest.approx(np.mean(off), rel=0.03)


def test_common_inputs_without_noise_cancel_transfer():
    rng = np.random.default_rng(12)
    X, Y = rng.standard_normal((5, 9)), rng.standard_normal((5, 2))
    task = gg.Task(np.tile(X, (2, 1)), gg.one_hot_gates(np.repeat([0, 1], 5), 2), Y.T.ravel(), temperature=0)
    test = rng.standard_normal((3, 9))
    alone = test @ np.linalg.pinv(X) @ Y
    for U in (np.eye(2), gg.saddle(task, 2).U, np.array([[1, 0.999], [0.999, 1]])):
        for m in (0, 1):
            assert task.predict(U, test, np.eye(2)[[m] * 3]).mean == pytest.approx(alone[:, m], abs=1e-9)


def test_task_correlation():
    assert gg.task_correlation([[4.0, 1.0], [1.0, 1.0]]) == pytest.approx(0.5)


# -- the stored table


def test_stored_regression_is_complete_and_spot_checked():
    table = gg.stored_regression()
    assert set(table) == {(s2, N) for s2 in _table.VARIANCES for N in _table.WIDTHS}
    task, X, gates, y = gg.regression(4.0)
    cell = table[4.0, 40]
    theory = task.predict(gg.saddle(task, 40).U, X, gates)
    assert np.mean((theory.mean - y) ** 2) == pytest.approx(cell["error_theory"], rel=1e-3)
    assert theory.variance.mean() == pytest.approx(cell["variance_theory"], rel=1e-3)
    few = gg.regression_cell(4.0, 40, draws=400, sweeps=24, chains=4)
    assert few["variance_mixture"] == pytest.approx(cell["variance_mixture"], rel=0.05)
    assert few["wide"] == pytest.approx(cell["wide"], rel=0.15)
    assert few["error_wide"] == pytest.approx(cell["error_wide"], rel=1e-3)
    for cell in table.values():  # two samplers, within their errors
        assert cell["gibbs"] < 2 * np.hypot(cell["gibbs_error"], cell["mixture_error"])


def test_stored_transfer_and_curves_are_complete_and_spot_checked():
    table, curves = gg.stored_transfer(), gg.stored_curves()
    assert set(table) == {(c, N) for c in _table.CORRELATIONS for N in _table.TRANSFER_WIDTHS}
    assert set(curves) == {(c, n) for c in gg.CHART_CORRELATIONS for n in gg.CHART_EXAMPLES}
    found = gg.transfer_cell(0.8, 12, [0, 1], draws=400)
    for key in ("theory", "correlation", "wide", "pooled"):
        assert found[key] == pytest.approx(table[0.8, 12][key][:2], rel=2e-3)
    assert found["exact"] == pytest.approx(table[0.8, 12]["exact"][:2], rel=0.1)
    some = gg.transfer_curve(0.6, 6, widths=[30])
    i = gg.CHART_WIDTHS.index(30)
    assert some["theory"][0] == pytest.approx(curves[0.6, 6]["theory"][i], rel=2e-3)
    assert some["pooled"] == pytest.approx(curves[0.6, 6]["pooled"], rel=2e-3)


def test_the_command_builds_what_is_stored():
    found = _table.build((1.0,), (10,), (1.0,), (6,), (0.3,), (6,), seeds=1, draws=800, sweeps=8)
    again = json.loads(json.dumps(found))
    assert set(again["regression"][0]) == set(gg.stored_regression()[1.0, 10])
    assert set(again["transfer"][0]) == set(gg.stored_transfer()[1.0, 6])
    assert set(again["curves"][0]) == set(gg.stored_curves()[0.3, 6])


# -- mistakes


def test_mistakes_in_a_task():
    X, gates, y = np.ones((3, 2)), np.ones((3, 2)), np.ones(3)
    with pytest.raises(ValueError, match="one row an example, got 3, 3 and 2"):
        gg.Task(X, gates, y[:2])
    shut = gates.copy()
    shut[1] = 0
    with pytest.raises(ValueError, match="all zero on 1 example.*number 1.*always open"):
        gg.Task(X, shut, y)
    with pytest.raises(ValueError, match="variance must be positive"):
        gg.Task(X, gates, y, variance=0)
    with pytest.raises(ValueError, match="temperature must not be negative"):
        gg.Task(X, gates, y, temperature=-1)
    with pytest.raises(ValueError, match="kernel overflows"):
        gg.Task(1e200 * X, gates, y)
    task = gg.Task(X, gates, y, temperature=0)
    with pytest.raises(ValueError, match="singular.*raise temperature"):
        task.predict(np.eye(2), X, gates)
    with pytest.raises(ValueError, match="singular"):
        gg.saddle(task, 5)


def test_mistakes_in_new_inputs_and_matrices():
    task = small()
    X, gates = new(task)
    with pytest.raises(ValueError, match="give X and gates .* together"):
        task.kernel(np.eye(3), X)
    with pytest.raises(ValueError, match=r"X \(n_new, 6\) and gates \(n_new, 3\)"):
        task.predict(np.eye(3), X, gates[:, :2])
    with pytest.raises(ValueError, match=r"U must have shape \(..., 3, 3\)"):
        task.kernel(np.eye(2))
    with pytest.raises(ValueError, match="symmetric"):
        task.kernel(np.triu(np.ones((3, 3))))
    with pytest.raises(ValueError, match="one matrix"):
        task.predict(np.stack([np.eye(3)] * 2), X, gates)
    with pytest.raises(ValueError, match="positive definite"):
        gg.action(task, np.diag([1.0, 1.0, -1.0]), 5)
    with pytest.raises(ValueError, match="Task, got str"):
        gg.saddle("task", 5)


def test_mistakes_in_widths_and_measures():
    task = small()
    X, gates = new(task)
    with pytest.raises(ValueError, match="width must be at least 1"):
        gg.saddle(task, 0)
    with pytest.raises(ValueError, match='measure must be "log" or "flat"'):
        gg.saddle(task, 5, measure="linear")
    with pytest.raises(ValueError, match=r"width > M \+ 1 = 4, got 4"):
        gg.saddle(task, 4, measure="flat")
    with pytest.raises(ValueError, match="residual .* above tolerance"):
        gg.saddle(task, 5, tolerance=0)
    with pytest.raises(ValueError, match="at least M = 3.*use gibbs"):
        gg.mixture(task, 2, X, gates, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="chains must be at least 2"):
        gg.gibbs(task, 2, X, gates, rng=np.random.default_rng(0), chains=1)
    with pytest.raises(ValueError, match="rng"):
        gg.draw_network(task, 2, rng=0)


def test_a_mixture_worth_nothing_says_so():
    task = small(n=9, temperature=1e-4)
    X, gates = new(task)
    with pytest.raises(ValueError, match="worth .* only"):
        gg.mixture(task, 3, X, gates, rng=np.random.default_rng(0), draws=100)


def test_gibbs_at_zero_temperature_needs_room():
    task = small(n=9, d=12, M=1, temperature=0.0)
    X, gates = new(task)
    with pytest.raises(ValueError, match="singular"):
        gg.gibbs(task, 4, X, gates, rng=np.random.default_rng(0), sweeps=4, chains=2)


def test_mistakes_in_networks():
    a, W = np.ones((1, 4, 2)), np.ones((1, 4, 3))
    with pytest.raises(ValueError, match="same units"):
        gg.network_outputs(a, W[:, :3], np.ones((2, 3)), np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"X must be \(n, 3\)"):
        gg.network_outputs(a, W, np.ones((2, 2)), np.ones((2, 2)))


def test_mistakes_in_gates():
    with pytest.raises(ValueError, match="integers"):
        gg.one_hot_gates([0.5], 2)
    with pytest.raises(ValueError, match="between 0 and tasks - 1 = 1"):
        gg.one_hot_gates([0, 2], 2)
    with pytest.raises(ValueError, match="one column an input"):
        gg.half_space_gates(np.ones((2, 3)), np.ones((2, 2)))
    with pytest.raises(ValueError, match="equally many columns"):
        gg.relu_kernel(np.ones((2, 3)), np.ones((2, 2)))
    with pytest.raises(ValueError, match="correlation must be at most 1"):
        gg.related_tasks(1.5)
    with pytest.raises(ValueError, match="one row an example"):
        gg.output_scales(np.ones((2, 3)), np.ones((3, 1)), 5, 1.0)
    with pytest.raises(ValueError, match="singular"):
        gg.output_scales(np.ones((4, 3)), np.ones((4, 1)), 5, 1.0)


def test_mistakes_in_scales():
    with pytest.raises(ValueError, match="load must not be negative"):
        gg.saddle_scale(-1, 1.0, 1.0, 2)
    with pytest.raises(ValueError, match="must not be negative"):
        gg.saddle_scale_two_layers(1.0, -1.0, 1.0)
    with pytest.raises(ValueError, match="depth must be at least 2"):
        gg.saddle_scale(1, 1.0, 1.0, 1)
    with pytest.raises(ValueError, match="singular"):
        gg.task_scale(np.ones((3, 2)), np.ones(3), 1.0)
    with pytest.raises(ValueError, match="one row an example"):
        gg.task_scale(np.ones((3, 4)), np.ones(2), 1.0)
    with pytest.raises(ValueError, match="widths is empty"):
        gg.scale_density([0.0], [], 1.0)
    with pytest.raises(ValueError, match="list of hidden widths"):
        gg.scale_density([0.0], 3, 1.0)
    with pytest.raises(ValueError, match="one shape"):
        gg.scale_posterior([1.0], [1.0, 2.0], [3], 1.0)
    with pytest.raises(ValueError, match="eigenvalue is zero"):
        gg.scale_posterior([1.0, 1.0], [1.0, 0.0], [3], 1.0)
