"""Unbalanced layers: the flow against the closed form, the clock in the sentence, and the starts that never learn."""

from __future__ import annotations

import re

import numpy as np
import pytest

from dlnlib import exact, explore, initialise
from dlnlib.explore import _unbalanced
from dlnlib.moments import Moments
from dlnlib.simulate import gradient_flow

CHART = explore.unbalanced_modes()
ROUNDED = 5.01e-4  # strengths are drawn to three decimals


def drawn(a0: float, b0: float) -> tuple[dict[tuple[str, int], tuple[np.ndarray, np.ndarray]], str]:
    pairs, said = CHART.drawn(a0=a0, b0=b0)
    return {(series.label, series.panel): pair for series, pair in zip(CHART.series, pairs, strict=True)}, said


@pytest.mark.parametrize(
    ("a0", "b0"), [(1.0, -0.5), (2.0, 0.1), (2.0, -1.9), (-1.9, -2.0), (0.0, 0.5), (0.37, -0.2), (-0.1, 0.0)]
)
def test_flow_stays_on_its_hyperbola_and_agrees_with_the_formula(a0: float, b0: float) -> None:
    curves, _ = drawn(a0, b0)
    a, b = curves["flow", 0]
    assert np.abs(a**2 - b**2 - (a0**2 - b0**2)).max() < 8 * ROUNDED
    t, u = curves["flow", 1]
    assert np.abs(u - exact.two_layer(t, 1.0, a0, b0).u).max() < ROUNDED + 1e-9
    assert np.abs(u - curves["exact", 1][1]).max() < 2 * ROUNDED
    ha, hb = curves["exact", 0]
    assert np.abs(ha**2 - hb**2 - (a0**2 - b0**2)).max() < 1e-12
    assert np.min(np.hypot(ha - a0, hb - b0)) < 0.3, "the branch of the start is the one drawn"


@pytest.mark.parametrize(("a0", "b0"), [(1.0, -0.5), (2.0, 0.1), (-0.5, 0.1)])
def test_the_flow_is_that_of_a_mode_in_a_network(a0: float, b0: float) -> None:
    task = Moments.white(np.diag([1.0, 0.4]))
    start = initialise.decoupled(
        task.modes(), (2, 3, 2), [np.array([a0, 0.3]), np.array([b0, -0.1])], rng=np.random.default_rng(0)
    )
    t, u = drawn(a0, b0)[0]["flow", 1]
    network = gradient_flow(start, task, t, rtol=1e-12)
    assert np.abs(u - network.strengths()[:, 0]).max() < ROUNDED + 1e-9


@pytest.mark.parametrize("a0", _unbalanced.STARTS)
@pytest.mark.parametrize("b0", _unbalanced.STARTS)
def test_the_sentence_tells_the_time_and_the_fate(a0: float, b0: float) -> None:
    curves, said = drawn(a0, b0)
    u = curves["flow", 1][1]
    if a0 == -b0:
        assert re.search("never|nothing", said) and abs(u[-1]) < 2e-3
        return
    assert abs(u[-1] - 1) < 0.1
    reached = float(re.search(r"at t = ([\d.]+)", said)[1])
    close = np.abs(exact.two_layer(np.array([reached * 0.99, reached * 1.01]), 1.0, a0, b0).gap)
    assert close[1] < 0.1 and (close[0] > 0.099 or reached == 0)
    assert ("never" in said) == (a0 * b0 <= 0)
    assert ("balanced." in said) == (a0 == b0)


def test_late_slope_is_the_rate_in_the_sentence() -> None:
    curves, said = drawn(2.0, -1.0)
    kappa = float(re.search(r"κ = (\d+\.\d+)", said)[1])
    t, gap = curves["flow", 2]
    late = (gap < 1e-2) & (gap > 1e-3)
    assert -np.polyfit(t[late], np.log(gap[late]), 1)[0] == pytest.approx(kappa, rel=0.01)
    assert kappa == pytest.approx(np.sqrt(3.0**2 + 4), rel=5e-3)


def test_balanced_formula_is_right_for_balanced_layers_only() -> None:
    for start, error in ((0.1, 0.0), (-0.5, 0.0)):
        curves, _ = drawn(start, start)
        assert np.abs(curves["balanced formula", 1][1] - curves["exact", 1][1]).max() <= error + 2 * ROUNDED
    curves, said = drawn(2.0, 0.1)
    worst = np.abs(curves["balanced formula", 1][1] - curves["exact", 1][1]).max()
    assert worst == pytest.approx(float(re.search(r"errs by up to ([\d.]+)\.", said)[1]), abs=0.01)
    assert worst > 0.4


def test_the_saddle_says_that_nothing_moves() -> None:
    curves, said = drawn(0.0, 0.0)
    assert "nothing ever moves" in said
    assert np.all(curves["flow", 1][1] == 0)


def test_positions_and_values_between_them_are_one_flow() -> None:
    on, off = drawn(1.0, -0.5)[0]["flow", 1][1], drawn(1.0 + 1e-9, -0.5)[0]["flow", 1][1]
    assert np.abs(on - off).max() <= 1.1e-3
