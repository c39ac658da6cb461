"""The effective start of a mode: two roads, invariants and mistakes."""

import numpy as np
import pytest

import dlnlib as dln
from dlnlib.measure import effective_start

MOMENTS = dln.Moments.white(np.diag([3.0, 2.0, 1.0]) @ np.eye(3, 5))
MODES = MOMENTS.modes()


def test_decoupled_start_gives_quarter_of_squared_sum():
    a, b = np.array([0.3, 0.1, 0.2]), np.array([-0.1, 0.1, 0.4])
    start = dln.initialise.decoupled(MODES, (5, 6, 3), [a, b], rng=np.random.default_rng(0))
    for competing in (True, False):
        np.testing.assert_allclose(effective_start(start, MODES, competing=competing), (a + b) ** 2 / 4, rtol=1e-12)


def test_predicts_half_times_of_a_small_random_start():
    start = dln.initialise.gaussian((5, 8, 3), rng=np.random.default_rng(1), scale=1e-5)
    t = np.linspace(0, 18, 4001)
    u = dln.gradient_flow(start, MOMENTS, t, rtol=1e-10, atol=1e-17).strengths()
    measured = dln.measure.learning_time(t, u, MODES.s / 2)
    predicted = dln.exact.half_time(MODES.s, effective_start(start, MODES), 2)
    # The modes influence each other by (1e-5)^(2/3), about 5e-4.
    np.testing.assert_allclose(predicted, measured, rtol=5e-4)
    plain = dln.exact.half_time(MODES.s, effective_start(start, MODES, competing=False), 2)
    assert np.abs(plain / measured - 1).max() > 5 * np.abs(predicted / measured - 1).max()


def test_orthogonal_part_never_exceeds_the_whole_and_the_first_mode_is_free():
    start = dln.initialise.gaussian((5, 4, 3), rng=np.random.default_rng(2), batch=(7,))
    whole, part = effective_start(start, MODES, competing=False), effective_start(start, MODES)
    assert whole.shape == part.shape == (7, 3)
    assert np.all(part <= whole * (1 + 1e-12))
    np.testing.assert_allclose(part[:, 0], whole[:, 0], rtol=1e-12)


def test_modes_beyond_the_hidden_width_get_nothing():
    start = dln.initialise.gaussian((5, 2, 3), rng=np.random.default_rng(3))
    part = effective_start(start, MODES)
    assert part.shape == (3,)
    assert part[2] == 0
    assert np.all(part[:2] > 0)


def test_mistakes():
    rng = np.random.default_rng(4)
    with pytest.raises(ValueError, match="two layers"):
        effective_start(dln.initialise.gaussian((5, 4, 4, 3), rng=rng), MODES)
    with pytest.raises(ValueError, match="modes map"):
        effective_start(dln.initialise.gaussian((4, 4, 3), rng=rng), MODES)
