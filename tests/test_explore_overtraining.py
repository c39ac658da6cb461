"""Charts of chapter 7: what is drawn against students drawn one by one, closed forms and scans."""

from __future__ import annotations

import numpy as np
import pytest

from dlnlib import explore
from dlnlib import generalisation as theory
from dlnlib.explore import _descents, _overtraining, _shares

OVER_TIME = explore.error_over_time()
DESCENT = explore.double_descent()
SHARES = explore.modes_learnt()


@pytest.mark.parametrize("ratio", [0.25, 1.0, 4.0])
def test_drawn_students_are_the_package_students(ratio: float) -> None:
    """The curves put together from parts, against means over students that learn from one data set each."""
    t = _overtraining.TIMES[::8]
    n = round(ratio * _overtraining.INPUTS)
    other = theory.students(t, _overtraining.INPUTS, n, 60, rng=np.random.default_rng(1), noise=0.25, start=0.3)
    test, train = _overtraining.drawn_errors(ratio, 0.25, 0.3)
    assert test[::8] == pytest.approx(other.mean, rel=0.11)
    assert train[::8] == pytest.approx(other.train.mean(0), rel=0.11, abs=2e-3)


@pytest.mark.parametrize("ratio", _overtraining.RATIOS)
@pytest.mark.parametrize(("noise", "start"), [(0.01, 0.0), (0.25, 1.0), (4.0, 0.0)])
def test_drawn_and_theory_agree(ratio: float, noise: float, start: float) -> None:
    drawn = OVER_TIME.drawn(ratio=ratio, noise=noise, start=start)[0]
    (_, ridge), (_, test), (t, exact), (stop, least), (_, train), (_, fit) = drawn
    assert test == pytest.approx(exact, rel=0.12)
    assert train == pytest.approx(fit, rel=0.12, abs=2e-2)
    assert least[0] == pytest.approx(exact.min(), rel=6e-3) and least[0] <= exact.min() * (1 + 1e-9)
    assert t[0] < stop[0] < t[-1] * 2
    if start == 0:
        assert ridge[0] < least[0]


def test_one_student_by_hand() -> None:
    """The products of the parts are those of one flow: teacher, start and noise of size one."""
    a, b, c = np.ones((2, 3)), 2 * np.ones((2, 3)), np.array([[1.0, 0.0, -1.0]] * 2)
    parts = _overtraining._products(a, b, c)
    whole = np.sum((a + 0.5 * b + 0.3 * c) ** 2, axis=1)
    assert np.array([1, 0.25, 0.09, 1.0, 0.6, 0.3]) @ parts == pytest.approx(whole)


def test_the_words_over_time() -> None:
    assert OVER_TIME.drawn()[1].startswith("Best time 2.47, excess error 0.4; at t = 300 2.76, 6.9 times as much.")
    assert "no more" in OVER_TIME.drawn(ratio=4.0, noise=0.01)[1]
    assert "forgets the start" in OVER_TIME.drawn(start=1.0)[1]


@pytest.mark.parametrize("time", _descents.TIMES)
def test_points_lie_on_the_curve(time: float) -> None:
    _, _, (ratio, drawn), (a, exact), (_, best), *_ = DESCENT.drawn(time=time)[0]
    curve = np.interp(np.log(ratio), np.log(a), exact)
    assert drawn == pytest.approx(curve, rel=0.2)  # 60 inputs at the peak
    assert np.all(best <= exact * (1 + 1e-12))
    assert np.all(np.diff(best) < 0)


def test_late_curve_is_the_limit() -> None:
    (below, late_below), (above, late_above), *_ = DESCENT.drawn(noise=0.05, start=0.3)[0]
    assert late_below == pytest.approx([theory.excess_error(1e7, r, 0.05, start=0.3)[0] for r in below], rel=1e-8)
    assert late_above == pytest.approx([theory.excess_error(1e7, r, 0.05, start=0.3)[0] for r in above], rel=1e-8)
    assert below[-1] < 1 < above[0]


def test_the_words_of_the_descent() -> None:
    assert DESCENT.drawn(time=10.0)[1].startswith("At t = 10 there is no peak")
    assert "peaks at α = 0.99 with 2.25" in DESCENT.drawn()[1]
    assert "best time is 2.47, with the error 0.4" in DESCENT.drawn()[1]


def test_between_positions() -> None:
    assert np.all(np.isfinite(OVER_TIME.drawn(ratio=0.613, noise=0.1, start=0.05)[0][1][1]))
    assert np.all(np.isfinite(DESCENT.drawn(time=44.0, noise=0.1, start=0.05)[0][3][1]))


@pytest.mark.parametrize("ratio", _shares.RATIOS)
def test_modes_add_to_the_error(ratio: float) -> None:
    """The two parts of the error, integrated over the drawn density, against the curve over time."""
    drawn = SHARES.drawn(ratio=ratio, time=2.0)[0]
    (lam, signal), (_, noise) = drawn[3], drawn[4]
    nodes, weight = theory.marchenko_pastur_nodes(ratio)
    total = weight @ np.interp(nodes, lam, signal + noise) + max(0, 1 - ratio)
    assert total == pytest.approx(theory.excess_error(2.0, ratio, 0.25)[0], rel=2e-3)


def test_the_best_share_is_the_one_of_ridge_regression_on_data() -> None:
    X = np.random.default_rng(2).standard_normal((40, 20))
    lam, V = np.linalg.eigh(X.T @ X / 40)
    kappa = theory.optimal_ridge(2.0, 0.25).penalty
    shrunk = np.diag(V.T @ np.linalg.solve(X.T @ X / 40 + kappa * np.eye(20), X.T @ X / 40) @ V)
    x, share = SHARES.drawn()[0][2]
    inside = (lam > x[0]) & (lam < x[-1])
    assert np.interp(lam[inside], x, share) == pytest.approx(shrunk[inside], abs=2e-3)


def test_density_has_its_mass() -> None:
    lam, density = SHARES.drawn(ratio=2.0)[0][0]
    top = np.max(lam * theory.marchenko_pastur_density(lam, 2.0))
    assert np.trapezoid(density * top, np.log(lam)) == pytest.approx(1, abs=0.01)


def test_the_words_of_the_shares() -> None:
    assert SHARES.drawn()[1].startswith("Weakest mode shown: 29 % learnt, 41 % would be best; strongest: over 99 %, best 96 %.")
    assert SHARES.drawn(ratio=0.25)[1].endswith("75 % of the modes are frozen.")
