"""The mode race: one mode at a time on the page, three together in a network; words at special settings."""

from __future__ import annotations

import numpy as np
import pytest

from dlnlib import exact, explore, initialise
from dlnlib.explore import _race
from dlnlib.moments import Moments
from dlnlib.simulate import gradient_flow

RACE = explore.mode_race()
LABELS = [series.label or series.y for series in RACE.series]


def curves(**values: float) -> dict[str, list[tuple[np.ndarray, np.ndarray]]]:
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for label, pair in zip(LABELS, RACE.drawn(**values)[0], strict=True):
        found.setdefault(label, []).append(pair)
    return found


@pytest.mark.parametrize(("depth", "u0"), [(1, 1e-3), (2, 1e-6), (2, 1e-1), (3, 1e-3), (6, 1e-2), (4, 2.5e-3)])
def test_one_mode_at_a_time_is_the_network_of_three(depth: int, u0: float) -> None:
    """A network with five inputs, six hidden units and three outputs, from a decoupled start, integrated whole."""
    s, rng = np.array([4.0, 2.0, 1.5]), np.random.default_rng(depth)
    turned = np.linalg.qr(rng.standard_normal((3, 3)))[0], np.linalg.qr(rng.standard_normal((5, 3)))[0]
    task = Moments.white(turned[0] * s @ turned[1].T)
    widths = (5, *(6,) * (depth - 1), 3)
    start = initialise.decoupled(task.modes(), widths, u0 ** (1 / depth), rng=rng)
    drawn = curves(depth=depth, u0=u0, s1=s[0], s2=s[1], s3=s[2])
    t = drawn["mode 1"][0][0]
    whole = gradient_flow(start, task, t[1:], rtol=1e-12, atol=1e-15, method="DOP853" if depth < 5 else "LSODA")
    for k in range(3):
        assert np.abs(drawn[f"mode {k + 1}"][0][1][1:] - whole.strengths()[:, k]).max() < 5.01e-4  # drawn to three decimals
    assert np.abs(drawn["loss"][0][1][1:] - (whole.loss - task.irreducible_loss())).max() < 15.1e-4


@pytest.mark.parametrize("depth", _race.DEPTHS)
@pytest.mark.parametrize("u0", [_race.STARTS[0], 3e-5, _race.STARTS[-1]])
def test_half_times_simulated_and_exact(depth: int, u0: float) -> None:
    drawn = curves(depth=depth, u0=u0)
    for (half, height), s in zip(drawn["half learnt"], (3.0, 2.0, 1.0), strict=True):
        assert height[0] == s / 2
        assert half[0] == pytest.approx(float(exact.half_time(s, u0, depth)), rel=1e-7)


@pytest.mark.parametrize("depth", _race.DEPTHS)
@pytest.mark.parametrize("u0", _race.STARTS)
def test_straight_lines_between_the_times_stay_on_the_curve(depth: int, u0: float) -> None:
    """Of an axis that ends with the mode itself, the drawn line is at most two hundredths of the height away."""
    t = _race._times(depth, u0)
    assert len(t) == _race.POINTS and t[0] == 0 and np.all(np.diff(t) > 0)
    for s in _race.TARGETS:
        end = float(exact.time_to_strength(_race.LEARNT * s, s, u0, depth))
        fine = np.unique(np.concatenate([np.linspace(0, end, 400), t[t < end]]))
        share = exact.strength(fine, s, u0, depth) / s
        height = np.abs(np.interp(fine, t, exact.strength(t, s, u0, depth) / s) - share)
        assert np.max(height / np.hypot(1, np.gradient(share, fine) * end)) < 0.02


def test_a_run_from_a_stronger_start_is_the_later_part_of_one_run() -> None:
    t = _race._times(3, 1e-2)
    direct = gradient_flow((np.full((1, 1), 1e-2 ** (1 / 3)),) * 3, Moments.white([[2.0]]), t[1:], rtol=1e-12, atol=1e-15)
    assert np.abs(direct.product[:, 0, 0] - _race._mode(3, 1e-2, 2.0)["u"][1:]).max() < 5.01e-4


def test_loss_rests_on_the_levels() -> None:
    drawn = curves(depth=3, u0=1e-6)
    t, loss = drawn["loss"][0]
    assert [drawn[f"level_{m}"][0][1][0] for m in range(3)] == [7.0, 2.5, 0.5]
    for between, level in ((40.0, 2.5), (70.0, 0.5)):
        assert np.interp(between, t, loss) == pytest.approx(level, abs=0.02)


def test_the_words() -> None:
    assert RACE.drawn()[1].startswith("s = 3: half time 1.334, formula 1.334, u within ")
    assert RACE.drawn()[1].endswith("Loss above the least: 2.5 with one mode learnt, 0.5 with two learnt.")
    assert "Modes 1, 2 and 3 move as one." in RACE.drawn(s1=2.0, s2=2.0, s3=2.0)[1]
    said = RACE.drawn(s1=1.0, s2=2.0, s3=1.0)[1]
    assert said.endswith("Modes 1 and 3 move as one. Loss above the least: 1 with one mode learnt.")
    assert RACE.drawn(s2=3.0)[1].endswith("Modes 1 and 2 move as one. Loss above the least: 0.5 with two learnt.")


def test_equal_modes_leave_no_level_between_them() -> None:
    drawn = curves(s1=3.0, s2=3.0, s3=1.0)
    assert [drawn[f"level_{m}"][0][1][0] for m in range(3)] == [9.5, 9.5, 0.5]
    assert np.array_equal(drawn["mode 1"][0][1], drawn["mode 2"][0][1])


def test_one_layer_learns_all_modes_at_one_rate() -> None:
    drawn = curves(depth=1, u0=1e-6)
    halves = [half[0] for half, _ in drawn["half learnt"]]
    assert halves == pytest.approx([np.log(2)] * 3, rel=1e-5)
