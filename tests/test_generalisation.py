"""Generalisation over time: the exact curves against limits, closed forms, matrices written out, and drawn students."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.linalg import expm
from scipy.optimize import minimize_scalar
from scipy.special import i0e, i1e

import dlnlib as dln
from dlnlib import generalisation as g
from dlnlib.moments import Moments

RATIOS = (0.05, 0.5, 0.97, 1.0, 1.03, 2.0, 20.0)


def errors_by_propagation(X, t, noise, teacher, start):
    """Excess and training error averaged over Gaussian w*, w(0), e: every one of them is propagated by matrix exponentials."""
    n, d = X.shape
    S = X.T @ X / n
    decay = expm(-S * t)
    steps = np.linspace(0, t, 20001)
    lam, V = np.linalg.eigh(S)
    kernel = (V * np.trapezoid(np.exp(-np.outer(steps, lam)), steps, axis=0)) @ V.T  # integral of e^{-S s}
    from_noise = kernel @ X.T / n
    both = (teacher + start) / d
    test = both * np.sum(decay**2) + noise * np.sum(from_noise**2)
    train = (both * np.sum((X @ decay) ** 2) + noise * np.sum((np.eye(n) - X @ from_noise) ** 2)) / n
    return test, train


@pytest.mark.parametrize(("n", "d"), [(5, 8), (8, 8), (12, 8)])
def test_errors_given_the_spectrum_are_those_of_the_propagated_matrices(n, d):
    X = np.random.default_rng(n).standard_normal((n, d))
    lam = np.linalg.eigvalsh(X.T @ X / n)
    for t in (0.0, 0.7, 5.0):
        test, train = errors_by_propagation(X, t, 0.3, 0.8, 0.4)
        assert g.error_given_spectrum(t, lam, n, 0.3, 0.8, 0.4)[0] == pytest.approx(test, rel=1e-6)
        assert g.training_error_given_spectrum(t, lam, n, 0.3, 0.8, 0.4)[0] == pytest.approx(train, rel=1e-6, abs=1e-9)


def test_students_solve_the_flow():
    """One student of `students` against the integrated flow of the same data."""
    t = np.array([0.0, 0.5, 3.0, 20.0])
    drawn = g.students(t, 6, 4, 2, rng=np.random.default_rng(0), noise=0.2, teacher=1.5, start=0.5)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4, 6))
    w, w0 = np.sqrt(1.5 / 6) * rng.standard_normal(6), np.sqrt(0.5 / 6) * rng.standard_normal(6)
    y = X @ w + np.sqrt(0.2) * rng.standard_normal(4)
    flow = dln.gradient_flow((w0[None],), Moments.from_data(X, y[:, None]), t, rtol=1e-11)
    assert drawn.test[0] == pytest.approx(np.sum((flow.product[:, 0] - w) ** 2, 1), rel=1e-8)
    assert drawn.train[0] == pytest.approx(2 * flow.loss, rel=1e-8, abs=1e-12)
    kappa = 0.2 * 6 / (4 * 1.5)
    ridge = np.linalg.solve(X.T @ X / 4 + kappa * np.eye(6), X.T @ y / 4)
    assert drawn.ridge[0] == pytest.approx(np.sum((ridge - w) ** 2), rel=1e-10)
    assert drawn.eigenvalues.shape == (2, 6) and np.all(np.sum(drawn.eigenvalues > 0, 1) == 4)


@pytest.mark.parametrize("ratio", RATIOS)
def test_nodes_against_moments_and_mass(ratio):
    lam, w = g.marchenko_pastur_nodes(ratio)
    low, high = g.marchenko_pastur_edges(ratio)
    assert low * (1 - 1e-12) <= lam.min() and lam.max() <= high
    assert w.sum() == pytest.approx(min(1, ratio), rel=1e-13)
    for k in range(1, 9):
        assert w @ lam**k == pytest.approx(g.marchenko_pastur_moment(k, ratio), rel=1e-12)
    for kappa in (1e-4, 0.1, 10.0):
        zeros = max(0, 1 - ratio) / kappa
        assert w @ (1 / (lam + kappa)) + zeros == pytest.approx(float(g.marchenko_pastur_stieltjes(kappa, ratio)), rel=1e-11)


@pytest.mark.parametrize("ratio", [0.5, 2.0])
def test_density_integrates_to_the_share_of_eigenvalues_that_are_not_zero(ratio):
    mass = quad(lambda lam: float(g.marchenko_pastur_density(lam, ratio)), *g.marchenko_pastur_edges(ratio))[0]
    assert mass == pytest.approx(min(1, ratio), rel=1e-7)
    assert np.all(g.marchenko_pastur_density([1e-9, 50.0], ratio) == 0)


def test_density_is_that_of_drawn_eigenvalues():
    drawn = g.students([0.0], 300, 600, 4, rng=np.random.default_rng(2), noise=0.0).eigenvalues.ravel()
    low = g.marchenko_pastur_edges(2.0)[0]
    for point in np.linspace(0.2, 2.6, 9):
        share = quad(lambda lam: float(g.marchenko_pastur_density(lam, 2.0)), low, point)[0]
        assert np.mean(drawn < point) == pytest.approx(share, abs=0.003)


def test_errors_at_the_peak_are_closed_forms():
    t = np.concatenate([[0.0], np.geomspace(1e-3, 1e9, 25)])
    assert g.excess_error(t, 1.0, 0.3, 0.9, 0.2) == pytest.approx(g.peak_error(t, 0.3, 0.9, 0.2), rel=1e-12)
    t = t[1:]
    semicircle = 0.3 * (i0e(4 * t) + i1e(4 * t)) + 1.1 * i1e(4 * t) / (2 * t)
    assert g.training_error(t, 1.0, 0.3, 0.9, 0.2) == pytest.approx(semicircle, rel=1e-12)
    late = np.array([1e6, 1e8])
    growth = 4 * (1 - 1 / np.sqrt(2)) / np.sqrt(np.pi)
    assert g.peak_error(late, 1.0, 0.0) == pytest.approx(growth * np.sqrt(late) - 0.5, rel=1e-6)


@pytest.mark.parametrize("ratio", [r for r in RATIOS if r != 1])
def test_limits_in_time(ratio):
    assert g.excess_error(0, ratio, 0.3, 0.9, 0.2)[0] == pytest.approx(1.1, rel=1e-12)
    assert g.training_error(0, ratio, 0.3, 0.9, 0.2)[0] == pytest.approx(1.4, rel=1e-12)
    assert g.excess_error(1e9, ratio, 0.3, 0.9, 0.2)[0] == pytest.approx(g.late_error(ratio, 0.3, 0.9, 0.2), rel=1e-10)
    assert g.training_error(1e9, ratio, 0.3, 0.9, 0.2)[0] == pytest.approx(max(0, 1 - 1 / ratio) * 0.3, rel=1e-9, abs=1e-12)


def test_no_noise_never_gets_worse():
    t = np.geomspace(0.01, 100, 50)
    for ratio in RATIOS:
        assert np.all(np.diff(g.excess_error(t, ratio, 0.0)) < 1e-13)


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
def test_drawn_students_within_the_standard_error(ratio):
    t = np.array([0.3, 1.0, 3.0, 10.0, 30.0])
    drawn = g.students(t, 100, int(100 * ratio), 60, rng=np.random.default_rng(3), noise=0.25, start=0.3)
    z = (drawn.mean - g.excess_error(t, ratio, 0.25, start=0.3, inputs=100)) / drawn.standard_error
    assert np.abs(z).max() < 3
    fit = drawn.train - g.training_error(t, ratio, 0.25, start=0.3)
    assert np.abs(fit.mean(0)).max() < 0.02
    assert drawn.ridge.std() > 0


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
def test_size_correction_halves_twice(ratio):
    """Against many small spectra: what is left is far below the correction itself."""
    d, t = 24, np.array([0.5, 3.0, 10.0])
    X = np.random.default_rng(4).standard_normal((4000, int(ratio * d), d))
    lam = np.linalg.eigvalsh(np.swapaxes(X, 1, 2) @ X / X.shape[1])
    each = g.error_given_spectrum(t, lam, X.shape[1], 0.25)
    error = each.std(0) / np.sqrt(len(each))
    plain, corrected = g.excess_error(t, ratio, 0.25), g.excess_error(t, ratio, 0.25, inputs=d)
    assert np.all(np.abs(each.mean(0) - corrected) < 3.5 * error + 3 * (corrected - plain) ** 2)
    assert np.all(np.abs(each.mean(0) - plain) > 5 * error)


def test_correction_agrees_with_the_exact_mean_at_late_times():
    """d/(n - d - 1), expanded in 1/d, is the limit and its correction."""
    for ratio in (0.5, 2.0):
        gaps = []
        for d in (100, 200):
            gaps.append(g.excess_error(1e6, ratio, 0.25, inputs=d)[0] - g.late_error(ratio, 0.25, inputs=d))
        assert gaps[0] / gaps[1] == pytest.approx(4, rel=0.05)


def test_descent_is_exact_for_steps():
    X = np.random.default_rng(5).standard_normal((8, 5))
    lam = np.linalg.eigvalsh(X.T @ X / 8)
    left = (1 - 0.1 * lam) ** 30
    by_hand = np.mean(left**2 + 0.3 / (1.6 * lam) * (1 - left) ** 2)
    w, w0 = np.zeros((1, 5)), np.eye(5)
    paths = [dln.gradient_descent((e[None],), Moments(X.T @ X / 8, w), 0.1, 30).product[-1, 0] for e in w0]
    assert np.sum(np.square(paths)) / 5 == pytest.approx(np.mean(left**2), rel=1e-12)
    nodes, weight = g.marchenko_pastur_nodes(1.6)
    left = (1 - 0.1 * nodes) ** 30
    assert g.excess_error(3.0, 1.6, 0.3, step=0.1)[0] == pytest.approx(
        weight @ (left**2 + 0.3 / (1.6 * nodes) * (1 - left) ** 2), rel=1e-12
    )
    assert by_hand > 0
    fine = [g.excess_error(3.0, 1.6, 0.3, step=eta)[0] - g.excess_error(3.0, 1.6, 0.3)[0] for eta in (0.01, 0.005)]
    assert fine[0] / fine[1] == pytest.approx(2, rel=0.05)


def test_mode_stopping_time_is_the_minimum_of_its_mode():
    for lam in (0.03, 0.5, 4.0):
        time = float(g.mode_stopping_time(lam, 0.7, 0.3, 0.9, 0.2))
        found = minimize_scalar(
            lambda t, lam=lam: float(g.mode_error(t, lam, 0.7, 0.3, 0.9, 0.2)), (0.5 * time, time, 2 * time), tol=1e-12
        )
        assert found.x == pytest.approx(time, rel=1e-6)
    assert float(g.mode_stopping_time(0.0, 0.7, 0.3)) == pytest.approx(0.7 / 0.3)
    small = g.mode_stopping_time(np.array([1.01e-8, 0.99e-8]) * 0.3 / 0.7, 0.7, 0.3)
    assert small[0] == pytest.approx(small[1], rel=1e-8)


@pytest.mark.parametrize("ratio", [0.5, 2.0])
def test_window_is_from_the_first_mode_that_turns_to_the_last(ratio):
    early, late = g.stopping_window(ratio, 0.3, 0.9, 0.2)
    lam = g.marchenko_pastur_nodes(ratio)[0]

    def rising(t):
        before, after = (g.mode_error(t * factor, lam, ratio, 0.3, 0.9, 0.2) for factor in (1 - 1e-5, 1 + 1e-5))
        return np.mean(after > before)

    assert rising(0.999 * early) == 0 < rising(1.001 * early)
    assert rising(0.999 * late) < 1 == rising(1.001 * late)


def test_each_mode_at_its_own_time_is_the_best_ridge():
    lam, w = g.marchenko_pastur_nodes(0.7)
    own = g.mode_error(g.mode_stopping_time(lam, 0.7, 0.3, 0.9), lam, 0.7, 0.3, 0.9) @ w + 0.3 * 0.9
    assert own == pytest.approx(g.optimal_ridge(0.7, 0.3, 0.9).error, rel=1e-12)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("noise", [0.01, 0.25, 5.0])
def test_best_stop_and_best_ridge(ratio, noise):
    stop, ridge = g.optimal_stopping(ratio, noise, 0.9), g.optimal_ridge(ratio, noise, 0.9)
    early, late = g.stopping_window(ratio, noise, 0.9)
    assert early < stop.time < late <= 1 / ridge.penalty * (1 + 1e-12)
    around = g.excess_error(np.array([0.999, 1.001]) * stop.time, ratio, noise, 0.9)
    assert np.all(around > stop.error)
    scan = g.excess_error(np.geomspace(early, late, 400), ratio, noise, 0.9)
    assert stop.error <= scan.min() and np.sum(np.diff(np.sign(np.diff(scan))) != 0) == 1
    assert 1 < stop.error / ridge.error < 1.041
    assert float(g.ridge_error(ridge.penalty, ratio, noise, 0.9)) == pytest.approx(ridge.error, rel=1e-12)
    assert np.all(g.ridge_error(np.array([0.99, 1.01]) * ridge.penalty, ratio, noise, 0.9) > ridge.error)


def test_ridge_error_is_the_integral_over_the_spectrum():
    for ratio in RATIOS:
        lam, w = g.marchenko_pastur_nodes(ratio)
        for kappa in (0.01, 0.5):
            shrunk = 0.9 * (kappa / (lam + kappa)) ** 2 + 0.3 / ratio * lam / (lam + kappa) ** 2
            direct = w @ shrunk + max(0, 1 - ratio) * 0.9
            assert float(g.ridge_error(kappa, ratio, 0.3, 0.9)) == pytest.approx(direct, rel=1e-11)


def test_late_error_at_finite_size_is_the_mean_of_the_inverse():
    rng = np.random.default_rng(6)
    for n, d in ((30, 12), (12, 30)):
        X = rng.standard_normal((20_000, n, d))
        lam = np.linalg.eigvalsh(X @ np.swapaxes(X, 1, 2) if n < d else np.swapaxes(X, 1, 2) @ X) / n
        noise = np.sum(1 / lam, axis=1) / n
        exact = g.late_error(n / d, 1.0, 0.0, inputs=d)
        assert abs(noise.mean() - exact) < 4 * noise.std() / np.sqrt(len(noise))
    assert g.late_error(0.4, 0.0, 2.0, inputs=30) == pytest.approx(1.2)


def test_strengths_error_is_the_distance_to_the_teacher():
    rng = np.random.default_rng(7)
    teacher = rng.standard_normal((3, 5))
    modes = Moments.white(teacher + rng.standard_normal((3, 5))).modes()
    u = rng.standard_normal((4, 3))
    direct = [np.sum(((modes.U * row) @ modes.Vt - teacher) ** 2) for row in u]
    assert g.strengths_error(u, modes, teacher) == pytest.approx(direct, rel=1e-12)


def test_deep_students_end_where_the_linear_ones_do():
    t = np.array([1.0, 200.0])
    deep, linear, thawed = g.deep_students(t, 6, 18, 3, rng=np.random.default_rng(8), noise=0.1, hidden=2, scale=1e-3)
    assert deep[:, -1] == pytest.approx(linear[:, -1], rel=1e-3)
    assert np.all(deep[:, 0] > linear[:, 0]) and np.all(thawed == 0)
    deep, linear, thawed = g.deep_students([50.0], 8, 4, 3, rng=np.random.default_rng(8), noise=0.1, hidden=2, scale=0.3)
    assert np.all(thawed > 1e-3) and deep.shape == linear.shape == thawed.shape == (3, 1)


def test_students_of_every_kind():
    options = {"rng": np.random.default_rng(9), "noise": 0.2}
    for entries in ("gaussian", "sign", "heavy"):
        assert np.all(g.students([1.0], 5, 9, 2, entries=entries, **options).test > 0)
    spread = np.array([2.0, 1.0, 0.5, 0.5, 0.0])
    assert np.all(g.students([1.0], 5, 9, 2, population=spread, **options).eigenvalues[:, 0] == 0)
    quiet = g.students([50.0], 5, 90, 2, residual=lambda X, w, rng: np.zeros(len(X)), **options)
    assert quiet.test.max() < 1e-10


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: g.late_error(1.0, 0.2), "without bound"),
        (lambda: g.late_error(1.01, 0.2, inputs=100), "without bound"),
        (lambda: g.late_error(0.55, 0.2, inputs=10), "whole number"),
        (lambda: g.excess_error(1.0, 1.0, 0.2, step=0.6), "not stable"),
        (lambda: g.excess_error(1.0, 1.0, 0.2, step=0.3), "whole multiples"),
        (lambda: g.excess_error(1.0, 1e9, 0.2), "between"),
        (lambda: g.optimal_stopping(1.0, 0.0), "positive"),
        (lambda: g.optimal_stopping(1.0, 0.1, 0.0), "nothing to learn"),
        (lambda: g.marchenko_pastur_density(0.0, 2.0), "positive"),
        (lambda: g.marchenko_pastur_moment(101, 2.0), "at most 100"),
        (lambda: g.marchenko_pastur_moment(90, 1e-5), "overflows"),
        (lambda: g.marchenko_pastur_stieltjes(-1.0, 2.0), "positive"),
        (lambda: g.mode_error(-1.0, 1.0, 1.0, 1.0), "negative"),
        (lambda: g.mode_error([1.0, 2.0], [1.0, 2.0, 3.0], 1.0, 1.0), "broadcast"),
        (lambda: g.mode_stopping_time(-1.0, 1.0, 1.0), "negative"),
        (lambda: g.error_given_spectrum(1.0, [-1.0, 2.0], 5, 0.1), "not negative"),
        (lambda: g.training_error_given_spectrum(1.0, [1.0, 2.0], 1, 0.1), "count the samples"),
        (lambda: g.peak_error(1e16, 0.1), "at most"),
        (lambda: g.strengths_error(np.ones(2), Moments.white(np.eye(3)).modes(), np.eye(3)), "one strength a mode"),
        (lambda: g.students([1.0], 5, 9, 2, rng=np.random.default_rng(0), noise=0.1, entries="odd"), "entries"),
        (lambda: g.students([1.0], 5, 9, 2, rng=np.random.default_rng(0), noise=0.1, population=[1.0]), "population"),
        (lambda: g.students([1.0], 5, 9, 2, rng=np.random.default_rng(0), noise=0.1, residual=3), "function"),
        (lambda: g.students([1.0], 5, 9, 2, rng=np.random.default_rng(0), noise=0.1, residual=lambda *a: [1.0]), "each of the 9"),
        (lambda: g.students([1.0], 6000, 9, 2, rng=np.random.default_rng(0), noise=0.1), "take fewer"),
        (
            lambda: g.deep_students([1.0], 600, 9, 2, rng=np.random.default_rng(0), noise=0.1, hidden=99, scale=0.1),
            "take fewer",
        ),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
