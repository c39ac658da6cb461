"""Charts of chapter 10: units of exclusive or against exact flow and closed forms, stored runs of the task with contexts."""

from __future__ import annotations

import numpy as np
import pytest

from dlnlib import explore, rectified
from dlnlib.explore import _contexts, _xor_units

UNITS = explore.xor_units()
CONTEXTS = explore.context_pathways()


@pytest.mark.parametrize("draw", _xor_units.DRAWS)
@pytest.mark.parametrize("start", _xor_units.STARTS)
def test_drawn_units_have_turned_to_their_corners(draw: str, start: float) -> None:
    if start == 0.1:
        return  # there learning begins before the turn has ended
    drawn = UNITS.drawn(draw=draw, start=start, time=16.0)[0]
    x, y = (np.concatenate([up, down]) for up, down in zip(drawn[2], drawn[3], strict=True))
    assert len(x) == _xor_units.UNITS
    assert np.abs(np.abs(x) - np.abs(y)).max() < 0.2
    assert np.all(drawn[2][0] * drawn[2][1] < 0) and np.all(drawn[3][0] * drawn[3][1] > 0)  # outputs +1 and -1


def test_one_draw_against_the_exact_flow() -> None:
    rng = np.random.default_rng(_xor_units.DRAWS["A"])
    weights = 0.01 * rng.standard_normal((16, 2)), 0.01 * rng.standard_normal((1, 16))
    t, loss = UNITS.drawn()[0][4]
    kept = (t > 0) & (t <= 24)
    exact = rectified.piecewise_flow(weights, _xor_units.X, _xor_units.Y, t[kept], rtol=1e-9)
    assert loss[kept] == pytest.approx(exact.loss, abs=4e-3)
    length = np.linalg.norm(exact.weights[0][np.flatnonzero(t[kept] == 4.0)[0]], axis=1)
    drawn = UNITS.drawn(time=4.0)[0]
    radius = np.sort(np.concatenate([np.hypot(*drawn[2]), np.hypot(*drawn[3])]))
    assert radius == pytest.approx(np.sort(np.maximum(np.log10(length / 0.01) + 1, 0.05)), abs=0.02)


@pytest.mark.parametrize("draw", _xor_units.DRAWS)
def test_theory_lies_on_the_descent(draw: str) -> None:
    drawn = UNITS.drawn(draw=draw, start=0.01)[0]
    (t, loss), (late, theory), (now, at) = drawn[4:]
    assert theory == pytest.approx(np.interp(late, t, loss), abs=5e-3)
    assert at[0] == pytest.approx(np.interp(now[0], t, loss))


def test_the_words_of_the_units() -> None:
    assert UNITS.drawn()[1] == (
        "At t = 0 the loss is 0.5; 0 of 16 units are within 1° of a diagonal. By theory the last one gets there at t = 5.75."
    )
    assert "16 of 16 units" in UNITS.drawn(time=8.0)[1]


@pytest.mark.parametrize("contexts", rectified.CONTEXTS)
@pytest.mark.parametrize("scale", _contexts.SCALES)
def test_curves_begin_at_one_and_shares_add_to_one(contexts: int, scale: float) -> None:
    drawn = CONTEXTS.drawn(contexts=contexts, scale=scale)[0]
    for _, loss in drawn[:3]:
        assert loss[0] == pytest.approx(1, rel=1e-3) and np.all(np.diff(loss) < 1e-3)
    assert drawn[3][1] == pytest.approx(17 * (contexts - 1) / 2 / (32 * contexts), rel=1e-3)
    total = sum(share for _, share in drawn[4:])
    assert np.all(total < 1.002) and total[-1] > 0.995


def test_the_shift_moves_the_gated_networks_alone() -> None:
    still, moved = (CONTEXTS.drawn(shift=shift)[0] for shift in _contexts.SHIFTS)
    run = rectified.stored_run(3)
    assert np.array_equal(still[0][0], moved[0][0]) and np.array_equal(still[1][1], moved[1][1])
    for k, kind in ((1, "mixed"), (2, "modular")):
        assert moved[k][0][5:] == pytest.approx(still[k][0][5:] + run.compared[kind][1])


def test_the_words_of_the_contexts() -> None:
    words = CONTEXTS.drawn(shift=_contexts.SHIFTS[1])[1]
    assert "mixed (ReLN) 4.6 % (shift −0.031), modular 8.0 % (shift −0.039)" in words
    assert words.endswith("in all but one 64 %, in fewer 0 %.")
    assert "mixed (ReLN) 10.2 %, modular 10.2 %" in CONTEXTS.drawn()[1]


def test_between_positions_the_nearest_start_is_shown() -> None:
    a, b = CONTEXTS.drawn(scale=9e-4)[0], CONTEXTS.drawn(scale=1e-3)[0]
    assert np.array_equal(a[0][1], b[0][1])
