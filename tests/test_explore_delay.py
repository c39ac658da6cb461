"""Depth and delay: flow against an integrator, descent against networks that are not scaled, half times by quadrature."""

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

import dlnlib as dln
from dlnlib.explore import _delay, depth_and_delay

END_TO_END, LAYER = _delay.HELD
CHART = depth_and_delay()


def columns(part, **values):
    return CHART.columns(CHART.part(part), {**CHART.start, **values})


def half_by_quadrature(s, u0, depth):
    """In ln u the integrand of the time is tame."""

    def slowness(x):
        return 1 / (depth * np.exp(x * (1 - 2 / depth)) * (s - np.exp(x)))

    return quad(slowness, np.log(u0), np.log(s / 2), epsrel=1e-11, limit=400)[0]


FLOWS = [
    (END_TO_END, 1, 0.2, 1.0),
    (END_TO_END, 8, 0.01, 2.0),
    (END_TO_END, 100, 0.04, 4.0),
    (LAYER, 1, 0.001, 1.0),
    (LAYER, 6, 0.2, 1.7),
]
DESCENTS = [(END_TO_END, 3, 0.01, 2.0), (END_TO_END, 25, 0.1, 4.0), (LAYER, 5, 0.2, 1.0), (LAYER, 4, 0.15, 3.0)]


@pytest.mark.parametrize(("held", "depth", "start", "s"), FLOWS)
def test_curve_is_the_flow(held, depth, start, s):
    found = columns("chosen", held=held, depth=depth, start=start, s=s)
    u0 = start if held == END_TO_END else np.sqrt(start) ** depth
    tight = {"method": "LSODA", "rtol": 1e-11, "atol": 1e-13, "dense_output": True}
    run = solve_ivp(lambda _, u: depth * u ** (2 - 2 / depth) * (s - u), (0, found["x_end"]), [u0], **tight)
    assert np.all(np.diff(found["t"]) >= 0) and found["t"][0] == 0 and found["t"][-1] == found["x_end"]
    assert np.allclose(found["u"], run.sol(found["t"])[0], atol=3e-4 * s)
    assert run.sol(found["half"][0])[0] == pytest.approx(s / 2, rel=1e-6)


@pytest.mark.parametrize(("held", "depth", "start", "s"), DESCENTS)
def test_descent_is_that_of_a_network_that_is_not_scaled(held, depth, start, s):
    u0 = start if held == END_TO_END else np.sqrt(start) ** depth
    task = dln.Moments.white([[s]])
    minimum = tuple(np.full((1, 1), s ** (1 / depth)) for _ in range(depth))
    eta = 0.25 * 2 / float(dln.hessian.sharpness(minimum, task))
    path = dln.gradient_descent(tuple(np.full((1, 1), u0 ** (1 / depth)) for _ in range(depth)), task, eta, 500)
    u = path.product[:, 0, 0]
    assert np.allclose(_delay.descent(held, start, s, depth), u, rtol=1e-9)
    found = columns("chosen", held=held, depth=depth, start=start, s=s)
    number = np.rint(found["t_descent"] / eta).astype(int)
    assert np.allclose(found["t_descent"], number * eta, rtol=1e-9) and np.allclose(found["u_descent"], u[number], rtol=1e-9)
    counted, before = _delay.steps_to_half(held, start, s, depth), int(np.argmax(u > s / 2)) - 1
    assert before < counted < before + 1


@pytest.mark.parametrize("held", _delay.HELD)
@pytest.mark.parametrize(("start", "s"), [(0.001, 1.0), (0.01, 2.0), (0.2, 4.0)])
def test_half_times_and_plateaus_at_every_depth(held, start, s):
    found = columns("depths", held=held, start=start, s=s)
    u0 = [start if held == END_TO_END else np.sqrt(start) ** L for L in found["L"]]
    shallow = found["L"] <= 25
    half = [half_by_quadrature(s, u, L) for u, L, take in zip(u0, found["L"], shallow, strict=True) if take]
    assert np.allclose(found["half"][shallow], half, rtol=1e-7)
    eta = 0.5 / (found["L"] * s ** (2 - 2 / found["L"]))
    assert np.allclose(found["steps"] * eta, found["half"], rtol=1e-12)
    power = np.array(u0[2:]) ** (-1 + 2 / found["L"][2:])
    assert np.allclose(found["plateau"][1:], power / ((found["L"][2:] - 2) * s), rtol=1e-10)
    flow = dict(zip(found["L"], found["steps"], strict=True))
    for L, steps in zip(found["L_descent"], found["steps_descent"], strict=True):
        assert L == 1 or 0.9 < steps / flow[L] < 1.3


def test_both_choices_meet_at_depth_two_and_part_beyond():
    one, other = (columns("chosen", held=held, depth=2) for held in _delay.HELD)
    assert all(np.array_equal(one[key], other[key]) for key in one)
    fixed, falling = (columns("depths", held=held) for held in _delay.HELD)
    assert fixed["half"][-1] < fixed["half"][0] and falling["half"][-1] > 1e90
    assert len(fixed["L_descent"]) == len(_delay.DEPTHS) and list(falling["L_descent"]) == [1, 2, 3]


@pytest.mark.parametrize("start", _delay.STARTS)
@pytest.mark.parametrize("s", _delay.TARGETS)
def test_where_the_half_time_turns(start, s):
    rising = [float(dln.exact.half_time(s, start, L)) for L in range(1, 101)]
    longest = int(np.argmax(rising)) + 1
    assert np.all(np.diff(rising[_delay.TURN - 1 :]) < 0)
    said = columns("depths", held=END_TO_END, start=start, s=s)["say"]
    steps = 1e6 * s ** (2 - 2e-6) * float(dln.exact.half_time(s, start, 10**6)) / 0.5
    assert said == f"The half time is longest at depth {longest}; the steps tend to {dln.explore.words(steps)}."
    falling = [float(dln.exact.half_time(s, start ** (L / 2), L)) for L in range(1, 101)]
    least = int(np.argmin(falling)) + 1
    assert np.all(np.diff(falling[least - 1 :]) > 0)
    said = columns("depths", held=LAYER, start=start, s=s)["say"]
    assert said == f"From depth {least} on, each layer makes the half time longer."


def test_sentences():
    said = CHART.drawn()[1]
    assert said.startswith("Depth 8: half time 2.66, 2.01 times that of depth 2; 90 % of it below s/10. ")
    assert "In steps: 143 by the flow, 145 by descent, 1.2 % more." in said
    assert said.endswith("longest at depth 7; the steps tend to 407.")
    assert "times that" not in CHART.drawn(depth=2)[1]
    assert "below s/10" not in CHART.drawn(start=0.2, s=1.0)[1]
    deep = CHART.drawn(held=LAYER, depth=100)[1]
    assert "over 99 % of it" in deep and "descent is not there after 500" in deep and "× 10⁹⁵" in deep
    assert "fewer" in CHART.drawn(depth=1)[1]


def test_numbers_that_chapter_4_prints():
    assert "11.4 by descent" in CHART.drawn(depth=2)[1]
    assert "375 by descent" in CHART.drawn(depth=100)[1] and "tend to 407" in CHART.drawn(depth=100)[1]
    half = columns("depths")["half"]
    assert half.argmin() == len(half) - 1
    assert "72.4 by descent" in CHART.drawn(held=LAYER, depth=3)[1]
    assert "not there after 500" in CHART.drawn(held=LAYER, depth=4)[1]
    assert "4.48 × 10⁶ by the flow" in CHART.drawn(held=LAYER, depth=8)[1]
