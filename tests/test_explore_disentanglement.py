"""Charts of chapter 11: what is drawn against what can be computed otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from dlnlib import disentanglement as dis
from dlnlib import explore
from dlnlib.explore import _impostors, _score_test

IMPOSTORS = explore.impostors()
SCORES = explore.score_test()


@pytest.mark.parametrize("prior", _impostors.PRIORS)
@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0])
def test_the_marginal_does_not_move(prior: str, angle: float) -> None:
    drawn = IMPOSTORS.drawn(prior=prior, angle=angle)[0]
    (x, share), (_, law) = drawn[-2:]
    assert len(x) == _impostors.BINS
    assert share == pytest.approx(law, abs=0.012)
    assert law.sum() == pytest.approx(0.996, abs=1e-9)


def test_lines_are_straight_without_a_turn_and_exchanged_by_a_quarter() -> None:
    for prior in _impostors.PRIORS:
        still = IMPOSTORS.drawn(prior=prior, angle=0.0)[0][1:7]
        assert all(np.ptp(x) < 1e-9 for x, _ in still[:3]) and all(np.ptp(y) < 1e-9 for _, y in still[3:])
        quarter = IMPOSTORS.drawn(prior=prior, angle=90.0)[0][1:7]
        assert all(np.ptp(y) < 1e-9 for _, y in quarter[:3]) and all(np.ptp(x) < 1e-9 for x, _ in quarter[3:])


def test_lines_bend_between() -> None:
    x, y = IMPOSTORS.drawn(angle=45.0)[0][1]
    chord = np.interp(x, x[[0, -1]], y[[0, -1]]) if x[0] < x[-1] else np.interp(-x, -x[[0, -1]], y[[0, -1]])
    assert np.abs(y - chord).max() > 0.3
    x, y = IMPOSTORS.drawn(prior="Gaussian", angle=45.0)[0][1]
    assert np.ptp(np.diff(y) / np.diff(x)) < 1e-9


def test_the_words_of_the_impostors() -> None:
    assert "correlation 0.69 with z₁" in IMPOSTORS.drawn()[1]
    assert IMPOSTORS.drawn(angle=0.0)[1].endswith("has the law of a factor, and is one.")
    assert IMPOSTORS.drawn(angle=90.0)[1].endswith("is the second one, up to its sign.")
    assert "correlation 0.866 with z₁" in IMPOSTORS.drawn(prior="Gaussian", angle=30.0)[1]
    assert IMPOSTORS.drawn(angle=12.3)[0][0][0].shape == (_impostors.POINTS,)


@pytest.mark.parametrize("scale", _score_test.SCALES)
@pytest.mark.parametrize("ratio", [0.5, 1.0])
def test_descent_scores_as_its_rotated_copies(ratio: float, scale: float) -> None:
    (m, own), (_, copies), (p, found), (_, even) = SCORES.drawn(ratio=ratio, scale=scale)[0]
    assert len(p) == 10 and found.sum() == pytest.approx(1) and even.sum() == pytest.approx(1)
    assert np.sum((200 * found - 20) ** 2 / 20) < 24  # chi-squared with nine degrees of freedom
    assert own.sum() == pytest.approx(1) and copies.sum() == pytest.approx(1)
    assert own @ m == pytest.approx(copies @ m, abs=0.02)
    assert "no different from" in SCORES.drawn(ratio=ratio, scale=scale)[1]


def test_equal_strengths_follow_the_law_of_the_cube() -> None:
    (m, _), (_, copies), *_ = SCORES.drawn()[0]
    edges = np.append(m - 0.01, 1.0)
    assert copies == pytest.approx(np.diff(dis.matching_cdf(edges, 3)), abs=0.012)


def test_rules_that_break_the_symmetry() -> None:
    assert ", below the " in SCORES.drawn(rule="Adam", ratio=0.5)[1]
    assert ", below the " in SCORES.drawn(rule="dropout", ratio=0.5)[1]
    assert "no different from" in SCORES.drawn(rule="dropout")[1]
    (m, own), _, (_, found), _ = SCORES.drawn(basis="singular basis", ratio=0.5)[0]
    assert own[-1] == pytest.approx(1) and m[-1] == pytest.approx(0.99)
    assert found[0] == pytest.approx(1)
    assert SCORES.drawn(basis="singular basis", ratio=0.5)[1].startswith("The singular basis scores 1 on average, above")
    assert "no different from" in SCORES.drawn(basis="singular basis")[1]
