"""Two layers with any strengths: limits, invariants, independent roads, mistakes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from dlnlib import exact

EPS = float(np.finfo(float).eps)
FIELDS = ("a", "b", "u", "gap", "c", "kappa")

sizes = st.floats(-12, 6).map(lambda e: 10.0**e)
targets = st.one_of(sizes, sizes.map(lambda x: -x), st.just(0.0))
layers = st.one_of(sizes, sizes.map(lambda x: -x), st.just(0.0))


# --------------------------------------------------------------------------------------------- limits


@given(targets, layers, layers)
@settings(max_examples=150, deadline=None)
def test_at_time_zero_nothing_has_moved(s, a0, b0):
    state = exact.two_layer(0.0, s, a0, b0)
    assert (state.a, state.b, state.u, state.gap) == (a0, b0, a0 * b0, s - a0 * b0)


@pytest.mark.parametrize("s", [2.0, -2.0])
@pytest.mark.parametrize(("a0", "b0"), [(0.1, 0.2), (0.3, -0.299), (-3.0, 0.1), (0.0, 1e-9), (1e-6, 50.0)])
def test_the_end_is_the_minimum_on_the_same_hyperbola(s, a0, b0):
    state = exact.two_layer(1e5, s, a0, b0)
    assert state.u == pytest.approx(s, rel=1e-15)
    assert state.gap == 0.0
    assert state.a**2 - state.b**2 == pytest.approx(a0**2 - b0**2, rel=1e-9, abs=1e-15)
    assert state.a**2 + state.b**2 == pytest.approx(state.kappa, rel=1e-14)
    assert exact.late_rate(s, state.c) == state.kappa


@given(sizes, targets, st.floats(0, 30), st.sampled_from([1.0, -1.0]))
@settings(max_examples=150, deadline=None)
def test_equal_layers_follow_the_logistic_curve(size, s, scaled, sign):
    u0 = size * size * sign
    t = scaled / max(abs(s), abs(u0))
    state = exact.two_layer(t, s, size, sign * size)
    tolerance = 40 * EPS * (1 + 2 * scaled)
    assert state.u == pytest.approx(exact.strength(t, s, u0, 2), rel=tolerance)
    assert state.gap == pytest.approx(exact.gap(t, s, u0, 2), rel=tolerance)
    assert exact.two_layer_balanced(t, s, u0) == pytest.approx(state.u, rel=tolerance)
    assert state.c == 0.0
    assert abs(state.a) == pytest.approx(abs(state.b), rel=1e-15)


def test_nearly_equal_layers_are_nearly_logistic():
    """The difference vanishes with c, and in proportion to it: nothing is divided by it."""
    t = np.linspace(0, 4, 9)
    for gain in (1e-3, 1e-6, 1e-9, 1e-12, 1e-15):
        state = exact.two_layer(t, 2.0, 0.1 * (1 + gain), 0.1)
        balanced = exact.two_layer(t, 2.0, 0.1, 0.1)
        assert np.abs(state.u / balanced.u - 1).max() <= 1.2 * gain + 1e-15


@pytest.mark.parametrize("s", [2.0, -2.0])
def test_the_stable_manifold_leads_to_the_saddle(s):
    t = np.array([0.0, 1.0, 10.0, 1e3, 1e100])
    state = exact.two_layer(t, s, 0.3, -np.copysign(0.3, s))
    expected = exact.strength(t, s, -np.copysign(0.09, s), 2)
    np.testing.assert_allclose(state.u, expected, rtol=1e-13, atol=1e-300)
    np.testing.assert_allclose(state.gap, s - state.u, rtol=1e-14)
    assert state.a[-1] == 0.0 and state.b[-1] == 0.0


def test_without_a_target_and_without_balance():
    """s = 0: P = (a+b)^2 and c alone; c = 0 is the power law."""
    t = np.array([0.0, 0.5, 3.0, 1e6])
    np.testing.assert_allclose(exact.two_layer(t, 0.0, 0.5, 0.5).u, 0.25 / (1 + 0.5 * t), rtol=1e-15)
    np.testing.assert_allclose(exact.two_layer(t, 0.0, 0.5, -0.5).u, -0.25 / (1 + 0.5 * t), rtol=1e-15)
    state = exact.two_layer(t, 0.0, 2.0, 1.0)
    np.testing.assert_allclose(state.b / state.a, 0.5 * np.exp(-3.0 * t), rtol=1e-14, atol=0)
    zero = exact.two_layer(t, 1.0, 0.0, 0.0)
    np.testing.assert_array_equal(zero.u, 0.0)
    np.testing.assert_array_equal(zero.gap, 1.0)


def test_a_much_weaker_layer_keeps_its_digits():
    """For |c| >> s the weak layer relaxes exponentially: b = s/a + (b0 - s/a) exp(-a^2 t) to order s^2/c^2."""
    t = np.array([1e-5, 1e-4, 1e-3])
    lazy = 1e-8 / 100.0 + (1e-13 - 1e-10) * np.exp(-1e4 * t)
    np.testing.assert_allclose(exact.two_layer(t, 1e-8, 100.0, 1e-13).b, lazy, rtol=1e-13)
    np.testing.assert_allclose(exact.two_layer(t, 1e-8, 1e-13, -100.0).a, 2e-13 * np.exp(-1e4 * t) - lazy, rtol=1e-2)


# ----------------------------------------------------------------------------------------- invariants


@given(targets, layers, layers, st.floats(0, 50))
@settings(max_examples=300, deadline=None)
def test_c_is_conserved_and_the_gap_is_the_gap(s, a0, b0, scaled):
    assume(abs(a0 + b0) > 1e-150 or a0 == -b0)
    kappa = exact.late_rate(s, (a0 + b0) * (a0 - b0))
    t = scaled / kappa if kappa > 0 else scaled
    state = exact.two_layer(t, s, a0, b0)
    scale = state.a**2 + state.b**2
    assert abs((state.a - state.b) * (state.a + state.b) - state.c) <= 16 * EPS * max(scale, abs(state.c))
    assert abs(state.u + state.gap - s) <= 16 * EPS * max(abs(s), abs(state.u), abs(state.gap))
    assert state.u == state.a * state.b
    assert abs(state.gap) <= abs(s - a0 * b0) * (1 + 16 * EPS)
    assert scale <= max(a0 * a0 + b0 * b0, state.kappa) * (1 + 64 * EPS)


@given(targets, layers, layers, st.floats(0, 20))
@settings(max_examples=150, deadline=None)
def test_symmetries(s, a0, b0, scaled):
    kappa = exact.late_rate(s, (a0 + b0) * (a0 - b0))
    t = scaled / kappa if kappa > 0 else scaled
    state = exact.two_layer(t, s, a0, b0)
    swapped = exact.two_layer(t, s, b0, a0)
    turned = exact.two_layer(t, s, -a0, -b0)
    mirrored = exact.two_layer(t, -s, a0, -b0)
    near = {"rel": 16 * EPS, "abs": 8 * EPS * max(abs(state.a), abs(state.b))}
    for other, signs in ((swapped, (1, 1)), (turned, (-1, -1)), (mirrored, (1, -1))):
        a, b = (other.b, other.a) if other is swapped else (other.a, other.b)
        assert signs[0] * a == pytest.approx(state.a, **near)
        assert signs[1] * b == pytest.approx(state.b, **near)


@given(targets, layers, layers, st.floats(0, 3), st.floats(0, 3))
@settings(max_examples=200, deadline=None)
def test_two_legs_of_time_make_one(s, a0, b0, first, second):
    kappa = exact.late_rate(s, (a0 + b0) * (a0 - b0))
    unit = 1 / kappa if kappa > 0 else 1.0
    once = exact.two_layer((first + second) * unit, s, a0, b0)
    middle = exact.two_layer(first * unit, s, a0, b0)
    twice = exact.two_layer(second * unit, s, middle.a, middle.b)
    # A start near the stable manifold is taken away from it: rounding then grows by exp(kappa t) at most.
    allowed = 64 * EPS * max(abs(once.a), abs(once.b), abs(a0), abs(b0)) * np.exp(second)
    assert abs(once.a - twice.a) <= allowed
    assert abs(once.b - twice.b) <= allowed


@given(targets, layers, layers, st.floats(0.001, 10))
@settings(max_examples=200, deadline=None)
def test_the_past_undoes_the_future(s, a0, b0, scaled):
    kappa = exact.late_rate(s, (a0 + b0) * (a0 - b0))
    assume(kappa > 0)
    t = scaled / kappa
    later = exact.two_layer(t, s, a0, b0)
    moved = 1e3 * EPS * np.exp(2 * scaled) * max(1.0, (a0 * a0 + b0 * b0) / kappa) ** 2
    assume(moved < 1e-3)
    back = exact.two_layer(-t, s, later.a, later.b)
    size = max(abs(a0), abs(b0), abs(later.a), abs(later.b))
    assert abs(back.a - a0) <= moved * size
    assert abs(back.b - b0) <= moved * size


@pytest.mark.parametrize(("s", "a0", "b0"), [(1.0, 0.1, 0.2), (-1.0, 0.5, 0.2), (2.0, 0.3, -0.299), (0.5, 3.0, 0.01)])
def test_the_gap_keeps_its_digits_and_falls_at_the_late_rate(s, a0, b0):
    state = exact.two_layer(np.array([60.0, 61.0]), s, a0, b0)
    assert np.log(state.gap[0] / state.gap[1]) == pytest.approx(state.kappa[0], rel=1e-12)
    assert np.abs(state.gap).max() < 1e-20


# ------------------------------------------------------------------------------------------ two roads


@pytest.mark.parametrize(
    ("s", "a0", "b0"),
    [
        (2.0, 0.1, 0.1),
        (2.0, 0.1, 0.3),
        (1.0, 0.3, -0.299),
        (-1.5, 0.2, 0.1),
        (1.0, 3.0, 0.1),
        (1.0, 0.0, 0.2),
        (0.0, 1.0, 0.5),
        (0.5, 2.0, 2.0),
        (1.0, -0.5, 0.2),
        (3.0, -0.1, -0.4),
        (0.7, 1.5, -1.5),
    ],
)
def test_against_the_integrated_equation(s, a0, b0):
    t = np.linspace(0, 6, 13)

    def velocity(_, x):
        return [x[1] * (s - x[0] * x[1]), x[0] * (s - x[0] * x[1])]

    path = solve_ivp(velocity, (0, 6), [a0, b0], "DOP853", t, rtol=1e-13, atol=1e-15)
    state = exact.two_layer(t, s, a0, b0)
    np.testing.assert_allclose(path.y, [state.a, state.b], rtol=0, atol=3e-11)
    np.testing.assert_allclose(state.gap, s - path.y[0] * path.y[1], rtol=0, atol=1e-10)


def test_against_the_hyperbolic_solution_of_the_paper():
    """a = sqrt(c) cosh(theta/2), b = sqrt(c) sinh(theta/2), z = tanh(theta/2), for c > 0."""
    s, a0, b0, t = 1.3, 0.9, 0.2, np.linspace(0, 5, 11)
    c = a0**2 - b0**2
    kappa = np.sqrt(c**2 + 4 * s**2)
    C, S, z0 = np.cosh(kappa * t / 2), np.sinh(kappa * t / 2), b0 / a0
    z = (z0 * kappa * C + (2 * s - c * z0) * S) / (kappa * C + (c + 2 * s * z0) * S)
    theta = 2 * np.arctanh(z)
    state = exact.two_layer(t, s, a0, b0)
    np.testing.assert_allclose(state.a, np.sqrt(c) * np.cosh(theta / 2), rtol=1e-13)
    np.testing.assert_allclose(state.b, np.sqrt(c) * np.sinh(theta / 2), rtol=1e-13)
    np.testing.assert_allclose(state.u, c * np.sinh(theta) / 2, rtol=1e-13)


def test_against_the_riccati_root_form():
    """P = (P_+ - P_- r E) / (1 - r E) with P_+- = 2s +- kappa, r = (P0 - P_+)/(P0 - P_-)."""
    s, a0, b0, t = -0.8, 1.1, 0.3, np.linspace(0, 5, 11)
    c = a0**2 - b0**2
    kappa = np.hypot(c, 2 * s)
    up, down, P0 = 2 * s + kappa, 2 * s - kappa, (a0 + b0) ** 2
    rE = (P0 - up) / (P0 - down) * np.exp(-kappa * t)
    P = (up - down * rE) / (1 - rE)
    np.testing.assert_allclose(exact.two_layer(t, s, a0, b0).u, (P - c**2 / P) / 4, rtol=1e-12, atol=1e-14)


def test_descent_converges_to_the_flow_at_first_order():
    def descend(eta):
        a, b = 0.1, 0.3
        for _ in range(round(2.0 / eta)):
            a, b = a + eta * b * (1 - a * b), b + eta * a * (1 - a * b)
        return a * b

    flow = exact.two_layer(2.0, 1.0, 0.1, 0.3).u
    errors = np.array([descend(2.0**-k) - flow for k in range(6, 11)])
    assert np.all(errors < 0)
    np.testing.assert_allclose(errors[:-1] / errors[1:], 2.0, rtol=0.02)


# ---------------------------------------------------------------------------------------------- times


@given(targets, layers, layers, st.floats(0.01, 20))
@settings(max_examples=300, deadline=None)
def test_the_time_to_a_strength(s, a0, b0, scaled):
    kappa = exact.late_rate(s, (a0 + b0) * (a0 - b0))
    assume(kappa > 0)
    t = scaled / kappa
    state = exact.two_layer(t, s, a0, b0)
    rate = (state.a**2 + state.b**2) * abs(state.gap)
    # The strength is one float64 number, and the start is three: what they leave undecided about the time.
    size = max(abs(state.u), abs(s - state.gap), a0 * a0 + b0 * b0 if scaled < 1 else 0.0)
    assume(rate > 0)
    assume(abs(state.gap) > 1e-6 * abs(s) and size * EPS / rate < 1e-6 * t and abs(state.u - a0 * b0) > 1e-6 * abs(a0 * b0))
    assert exact.two_layer_time(state.u, s, a0, b0) == pytest.approx(t, rel=1e-4)


@pytest.mark.parametrize("s", [1.5, -1.5, 0.0])
@pytest.mark.parametrize(("a0", "b0"), [(0.1, 0.3), (0.3, -0.2), (2.0, 1.0), (1.0, 1.0), (0.5, 1e-3), (0.4, -0.4)])
@pytest.mark.parametrize("t", [-0.05, 0.0, 1e-9, 0.3, 1.0, 4.0])
def test_times_of_known_states(s, a0, b0, t):
    state = exact.two_layer(t, s, a0, b0)
    # What rounding the strength to one float64 number leaves undecided.
    blurred = 8 * EPS * max(abs(state.u), abs(a0 * b0)) / ((state.a**2 + state.b**2) * abs(state.gap))
    assert abs(exact.two_layer_time(state.u, s, a0, b0) - t) <= 64 * EPS * abs(t) + blurred


def test_balanced_times_agree_with_the_general_clock():
    u = np.array([0.02, 0.5, 1.0, 1.9])
    expected = exact.time_to_strength(u, 2.0, 0.01, 2)
    np.testing.assert_allclose(exact.two_layer_time(u, 2.0, 0.1, 0.1), expected, rtol=1e-13)
    np.testing.assert_allclose(exact.two_layer_time(-u, -2.0, 0.1, -0.1), expected, rtol=1e-13)
    np.testing.assert_allclose(exact.two_layer_time(0.1, 0.0, 0.5, 0.5), exact.time_to_strength(0.1, 0.0, 0.25, 2), rtol=1e-13)


def test_fixed_points_are_reached_only_in_the_limit():
    assert exact.two_layer_time(1.0, 1.0, 0.1, 0.3) == np.inf
    assert exact.two_layer_time(0.0, -1.0, 0.3, 0.3) == np.inf
    assert exact.two_layer_time(0.0, 1.0, 0.3, 0.3) == -np.inf
    assert exact.two_layer_time(0.0, 1.0, 0.3, -0.3) == np.inf
    assert exact.two_layer_time(0.0, 1.0, 0.0, 0.0) == 0.0


@pytest.mark.parametrize(
    ("u", "s", "a0", "b0"),
    [
        (1.5, 1.0, 0.1, 0.3),  # beyond the target
        (0.5, 1.0, 2.0, 2.0),
        (0.5, 1.0, 0.0, 0.0),  # the saddle
        (0.5, 1.0, 0.3, -0.3),  # its stable manifold
        (1.0, 1.0, 0.3, -0.3),
        (-0.5, 1.0, 0.3, 0.3),  # across zero on a = b
        (-0.5, -1.0, 0.3, 0.3),
        (-0.5, 0.0, 0.3, 0.3),
        (0.5, 1.0, 2.0, 0.5),  # a minimum
    ],
)
def test_strengths_that_are_never_reached(u, s, a0, b0):
    with pytest.raises(ValueError, match="never reached"):
        exact.two_layer_time([u, a0 * b0], s, a0, b0)


# ---------------------------------------------------------------------------------- past and extremes


@pytest.mark.parametrize(
    ("s", "a0", "b0", "expected"),
    [
        (1.0, 2.0, 2.0, -np.log(4 / 3) / 2),
        (0.0, 1.0, 1.0, -0.5),
        (0.0, 1.0, -1.0, -0.5),
        (-1.0, 1.0, 1.0, -np.log(2.0) / 2),
        (1.0, 1.0, 0.5, None),
        (1.0, 1.0, 3.0, None),
        (-2.0, 0.3, -0.1, None),
    ],
)
def test_the_past_ends_where_the_weights_were_infinite(s, a0, b0, expected):
    with pytest.raises(ValueError, match="infinite") as caught:
        exact.two_layer([0.0, -1e3], s, a0, b0)
    limit = float(str(caught.value).split("t = ")[1].split(",")[0])
    if expected is not None:
        assert limit == pytest.approx(expected, rel=1e-5)
    # Near the limit a^2 + b^2 grows like 1 / (t - limit).
    state = exact.two_layer(limit + np.array([1e-3, 2e-3]) * abs(limit), s, a0, b0)
    size = state.a**2 + state.b**2
    assert size[0] / size[1] == pytest.approx(2.0, rel=2e-2)


def test_the_logistic_curve_has_the_same_past():
    t = -0.1
    for s, u0 in ((1.0, 4.0), (0.0, 1.0), (-1.0, 1.0), (1.0, 0.3), (1e-12, 1.0), (1.0, 1.3), (2.0, 2.0)):
        assert exact.two_layer_balanced(t, s, u0) == pytest.approx(exact.strength(t, s, u0, 2), rel=1e-13)
        assert exact.two_layer_balanced(t, -s, -u0) == -exact.two_layer_balanced(t, s, u0)
    for s, u0 in ((1.0, 4.0), (0.0, 1.0), (-1.0, 1.0), (1e-12, 1.0), (1.0, 1.3)):
        limit = exact.time_to_strength(1e30, s, u0, 2)
        with pytest.raises(ValueError, match=f"t = {limit:.6g}"):
            exact.two_layer_balanced(2 * limit, s, u0)
    assert exact.two_layer_balanced(-1e5, 1.0, 0.3) == 0.0
    assert exact.two_layer_balanced(7.0, 1.0, 0.0) == 0.0
    assert exact.two_layer_balanced(1e3, 1e100, 1e-300) == 1e100


def test_extremes_give_finite_numbers_without_warnings():
    s = np.array([0.0, 1e-12, 2.0, -2.0, 1e6, -1e100])[:, None, None, None]
    a0 = np.array([0.0, 1e-12, 1.0, -2.0, 1e6, 1e-100])[:, None, None]
    b0 = np.array([0.0, 1e-12, -1.0, 2.0, 1e6])[:, None]
    t = np.array([0.0, 1e-300, 1e-5, 1.0, 1e5, 1e100, 1e308])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        state = exact.two_layer(t, s, a0, b0)
        balanced = exact.two_layer_balanced(t, s, b0)
    for field in (*(getattr(state, name) for name in FIELDS), balanced):
        assert np.all(np.isfinite(field))
    assert state.u.shape == (6, 6, 5, 7)


def test_shapes_and_immutability():
    state = exact.two_layer(1, 1, 0.1, 0.2)
    assert all(np.ndim(getattr(state, name)) == 0 for name in FIELDS)
    with pytest.raises(dataclasses.FrozenInstanceError):
        state.a = 1.0
    state = exact.two_layer(np.linspace(0, 1, 5), np.ones((2, 1)), 0.1, 0.2)
    assert {getattr(state, name).shape for name in FIELDS} == {(2, 5)}
    assert exact.late_rate([3.0, 0.0], 8.0).tolist() == [10.0, 8.0]


def test_the_hyperbola():
    for c in (0.75, -0.75, 0.0):
        a, b = exact.hyperbola(c, 2.0, 7)
        np.testing.assert_allclose(a**2 - b**2, c, atol=1e-14)
        free, bound = (b, a) if c >= 0 else (a, b)
        assert free[0] == -2.0 and free[-1] == 2.0 and len(free) == 7
        assert np.all(bound >= 0)
    for arguments in ((np.nan, 1.0), (1.0, 0.0), (1.0, 1.0, 1), ([1.0, 2.0], 1.0)):
        with pytest.raises(ValueError, match="must|NaN"):
            exact.hyperbola(*arguments)


@pytest.mark.parametrize("bad", [np.nan, np.inf, "x", 1j, None, [], 1e200])
def test_arguments_must_be_numbers_in_range(bad):
    for name in ("s", "a0", "b0"):
        arguments = {"t": 1.0, "s": 1.0, "a0": 0.1, "b0": 0.2, name: bad}
        with pytest.raises(ValueError, match=name):
            exact.two_layer(**arguments)
    with pytest.raises(ValueError, match="c "):
        exact.late_rate(1.0, bad)
    with pytest.raises(ValueError, match="u "):
        exact.two_layer_time(bad, 1.0, 0.1, 0.2)


def test_sums_too_small_to_square_are_refused():
    for a0, b0 in ((1e-200, 0.0), (1e-200, 1e-200), (-1e-200, 1e-200)):
        with pytest.raises(ValueError, match="1e-150"):
            exact.two_layer(1.0, 1.0, a0, b0)
    with pytest.raises(ValueError, match="do not broadcast"):
        exact.two_layer(np.ones(3), np.ones(2), 0.1, 0.1)
