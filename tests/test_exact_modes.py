"""One mode at any depth: limits, invariants, independent roads, mistakes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp
from scipy.special import hyp2f1

from dlnlib import exact

DEPTHS = [1, 2, 3, 4, 5, 8, 20, 100, np.inf]
DEEP = DEPTHS[1:]
EPS = float(np.finfo(float).eps)

depths = st.sampled_from(DEPTHS)
sizes = st.floats(-12, 6).map(lambda e: 10.0**e)
targets = st.one_of(sizes, sizes.map(lambda x: -x), st.just(0.0))
starts = st.one_of(sizes, sizes.map(lambda x: -x))


def speed(u, s, depth):
    """The right-hand side of the flow, written from the definition."""
    layers = 1.0 if depth == np.inf else depth
    return layers * np.abs(u) ** (2 - 2 / depth) * (s - u)


# --------------------------------------------------------------------------------------------- limits


@given(depths, targets, starts)
@settings(max_examples=100, deadline=None)
def test_at_time_zero_nothing_has_moved(depth, s, u0):
    assert exact.strength(0.0, s, u0, depth) == u0
    assert exact.gap(0.0, s, u0, depth) == s - u0
    assert exact.time_to_strength(u0, s, u0, depth) == 0.0


@given(depths, sizes, st.floats(-6, 6))
@settings(max_examples=100, deadline=None)
def test_in_the_end_the_target_is_reached(depth, s, ratio):
    u0 = s * 10.0**ratio
    assume(u0 != s)
    assert exact.strength(1e250, s, u0, depth) == s
    assert exact.gap(1e250, s, u0, depth) == 0.0


@pytest.mark.parametrize("depth", DEEP)
def test_a_target_of_the_other_sign_is_never_reached(depth):
    u = exact.strength([1.0, 1e3, 1e6, 1e9], -2.0, 0.5, depth)
    assert np.all(u >= 0)
    assert np.all(np.diff(u) <= 0)
    assert u[-1] < 1e-8
    np.testing.assert_allclose(exact.gap([1.0, 10.0], -2.0, 0.5, depth), -2.0 - u_at(depth), rtol=1e-15)


def u_at(depth):
    return exact.strength([1.0, 10.0], -2.0, 0.5, depth)


def test_one_layer_crosses_zero_on_its_way():
    t = np.linspace(0, 5, 11)
    np.testing.assert_allclose(exact.strength(t, -2.0, 0.5, 1), -2 + 2.5 * np.exp(-t), rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(exact.gap(t, -2.0, 0.5, 1), -2.5 * np.exp(-t), rtol=1e-15)
    assert exact.time_to_strength(-1.0, -2.0, 0.5, 1) == pytest.approx(np.log(2.5), rel=1e-15)
    assert exact.time_to_strength(0.5 + 1e-12, 3.0, 0.5, 1) == pytest.approx(4e-13, rel=1e-3)


@pytest.mark.parametrize("depth", DEEP)
def test_zero_and_the_target_are_fixed_points(depth):
    np.testing.assert_array_equal(exact.strength([0.0, 1.0, 1e9, -1e9], 2.0, 0.0, depth), 0.0)
    np.testing.assert_array_equal(exact.gap([0.0, 1.0, 1e9, -1e9], 2.0, 0.0, depth), 2.0)
    np.testing.assert_array_equal(exact.strength([0.0, 1.0, 1e9, -1e9], 2.0, 2.0, depth), 2.0)
    np.testing.assert_array_equal(exact.gap([0.0, 1.0, 1e9, -1e9], 2.0, 2.0, depth), 0.0)
    np.testing.assert_array_equal(exact.strength([0.0, 1.0, -1.0], 0.0, 0.0, depth), 0.0)


def test_two_layers_give_the_logistic_curve():
    t = np.linspace(-3, 6, 37)
    expected = 2.0 / (1 + (2.0 / 0.01 - 1) * np.exp(-4.0 * t))
    np.testing.assert_allclose(exact.strength(t, 2.0, 0.01, 2), expected, rtol=1e-14)
    np.testing.assert_allclose(exact.two_layer_balanced(t, 2.0, 0.01), expected, rtol=1e-14)
    assert exact.half_time(2.0, 0.01, 2) == pytest.approx(np.log(199) / 4, rel=1e-15)


def test_infinite_depth_is_the_limit_of_many_layers():
    """In units of L t the difference falls like 1/L."""
    t = np.linspace(1.0, 60.0, 9)
    limit = exact.strength(t, 2.0, 0.01, np.inf)
    errors = [np.abs(exact.strength(t / L, 2.0, 0.01, L) - limit).max() for L in (10**4, 10**5, 10**6)]
    assert errors[2] < 1e-3
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 10.0, rtol=0.1)


def test_no_target_is_a_power_law():
    t = np.array([0.0, 0.5, 3.0, 1e8])
    for L in (2, 3, 7):
        p = 2 - 2 / L
        np.testing.assert_allclose(exact.strength(t, 0.0, 0.5, L), (0.5**-p + L * p * t) ** (-1 / p), rtol=1e-13)
    assert exact.strength(1.5, 0.0, 2.0, np.inf) == pytest.approx(1 / np.sqrt(0.25 + 3.0), rel=1e-15)
    assert exact.strength(3.0, 0.0, 0.5, 4) == pytest.approx(exact.strength(3.0, 1e-14, 0.5, 4), rel=1e-12)
    assert exact.strength(3.0, 0.0, 0.5, 4) == pytest.approx(exact.strength(3.0, -1e-14, 0.5, 4), rel=1e-12)


# ----------------------------------------------------------------------------------------- invariants


@given(depths, targets, starts, st.floats(0.0, 4.0))
@settings(max_examples=100, deadline=None)
def test_the_flow_is_odd(depth, s, u0, scaled):
    t = scaled / abs(u0)
    assert exact.strength(t, -s, -u0, depth) == -exact.strength(t, s, u0, depth)
    assert exact.gap(t, -s, -u0, depth) == -exact.gap(t, s, u0, depth)


@given(depths, targets, starts, st.floats(0.01, 3.0), st.floats(0.01, 3.0))
@settings(max_examples=200, deadline=None)
def test_two_legs_of_time_make_one(depth, s, u0, first, second):
    """Following the flow in two steps is following it in one; rounding grows with the condition of the problem."""
    unit = 1.0 if depth == 1 else abs(u0) / max(abs(speed(u0, s, depth)), 1e-300)
    t1, t2 = first * unit, second * unit
    halfway = exact.strength(t1, s, u0, depth)
    once, twice = exact.strength(t1 + t2, s, u0, depth), exact.strength(t2, s, halfway, depth)
    rate, before, at_start = (abs(speed(u, s, depth)) for u in (once, halfway, u0))
    moved = (t1 + t2) * rate
    if at_start > 0 and before > 0:
        moved += abs(u0) * rate / at_start + abs(halfway) * rate / before
    assert abs(once - twice) <= 64 * EPS * (abs(once) + moved + (abs(s) if depth == 1 else 0.0))


@given(st.sampled_from(DEEP), sizes, starts, st.floats(1e-3, 1e3), st.floats(-3.0, 3.0))
@settings(max_examples=100, deadline=None)
def test_only_ratios_matter(depth, s, u0, factor, scaled):
    """Measuring strengths in other units rescales time by the p-th power of the unit."""
    t = abs(scaled) / abs(speed(u0, s, depth) / u0) if u0 != s else 1.0
    p = 2 - 2 / depth
    u = exact.strength(t, s, u0, depth)
    other = exact.strength(t / factor**p, s * factor, u0 * factor, depth)
    moved = abs(t * speed(u, s, depth)) + (abs(u0 * speed(u, s, depth) / speed(u0, s, depth)) if u0 != s else 0)
    assert abs(other / factor - u) <= 200 * EPS * (abs(u) + moved)


@given(depths, targets, starts)
@settings(max_examples=100, deadline=None)
def test_the_strength_moves_towards_its_target_and_never_past_it(depth, s, u0):
    unit = 1.0 if depth == 1 or u0 == s else abs(u0 / speed(u0, s, depth))
    t = unit * np.array([0.0, 1e-9, 0.1, 1.0, 5.0, 30.0, 1e3, 1e9])
    u, missing = exact.strength(t, s, u0, depth), exact.gap(t, s, u0, depth)
    assert np.all(np.abs(np.diff(missing)) >= 0)
    assert np.all(np.abs(missing[1:]) <= np.abs(missing[:-1]) * (1 + 4 * EPS))
    assert np.all(np.sign(missing) * np.sign(s - u0) >= 0)
    np.testing.assert_allclose(u + missing, s, rtol=0, atol=4 * EPS * max(abs(s), abs(u0)))


def test_the_gap_keeps_its_digits_where_the_strength_has_none_left():
    assert exact.strength(12.0, 2.0, 0.5, 2) == 2.0
    assert exact.gap(12.0, 2.0, 0.5, 2) == pytest.approx(2 * 3 * np.exp(-48.0), rel=1e-13)


@given(st.sampled_from(DEEP), sizes, st.floats(-9, 6), st.floats(-9, 6), st.sampled_from([1.0, -1.0]))
@example(2, 1.0, -3.0, -1e-9, 1.0)
@example(np.inf, 1.0, 1e-9, 1e-3, 1.0)
@settings(max_examples=100, deadline=None)
def test_the_time_to_a_strength_leads_there(depth, s, start, level, sign):
    u0, u = s * 10.0**start, s * 10.0**level
    assume(u not in (s, u0) and u0 != s)
    assume(sign < 0 or (u < s) == (u0 < s))
    t = exact.time_to_strength(u, sign * s, u0, depth)
    assert (t > 0) == ((u > u0) == (sign * s > u0))
    rate = abs(speed(u, sign * s, depth))
    moved = abs(t) * rate + abs(u0 * rate / speed(u0, sign * s, depth))
    assume(moved < 1e12 * u)
    if t < 0 and u > u0:
        # A strength may be so large that the moment of reaching it is, in float64, that of the blow-up.
        assume(t > exact.time_to_strength(1e130, sign * s, u0, depth) * (1 - 1e-13))
    got = exact.strength(t, sign * s, u0, depth)
    error, small = abs(got - u), moved <= 1e6 * u
    assert not small or error <= 64 * EPS * (u + moved)
    assert error <= 1e-2 * u


@pytest.mark.parametrize("depth", DEPTHS)
def test_nearby_strengths_are_timed_to_full_precision(depth):
    """For u close to u0 the time is (u - u0) / speed, to first order."""
    for s, u0 in ((2.0, 0.5), (2.0, 1.75), (2.0, 2.5), (2.0, 9.0), (-2.0, 0.5), (-2.0, 9.0), (0.0, 0.7)):
        u = u0 + 2.0**-40 * u0
        middle = (u + u0) / 2
        expected = (u - u0) / speed(middle, s, depth)
        assert exact.time_to_strength(u, s, u0, depth) == pytest.approx(expected, rel=1e-11)


# ------------------------------------------------------------------------------------------ two roads


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(
    ("s", "u0", "end"),
    [
        (2.0, 0.03, 6.0),
        (2.0, 1.2, 2.0),
        (-2.0, 0.5, 4.0),
        (2.0, 30.0, 0.4),
        (1.0, 1.5, 3.0),
        (-1.0, 7.0, 1.0),
        (0.0, 2.0, 3.0),
    ],
)
def test_against_the_integrated_equation(depth, s, u0, end):
    """DOP853 at rtol 1e-13 on the scalar equation."""
    t = np.linspace(0.0, end, 9)
    path = solve_ivp(lambda _, u: speed(u, s, depth), (0, end), [u0], "DOP853", t, rtol=1e-13, atol=1e-15)
    u = exact.strength(t, s, u0, depth)
    np.testing.assert_allclose(path.y[0], u, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(exact.gap(t, s, u0, depth), s - path.y[0], rtol=1e-9, atol=2e-10)


@pytest.mark.parametrize("depth", [3, 4, 5, 8, 20, 100])
def test_against_the_hypergeometric_time(depth):
    """L t = F(u) - F(u0), F(u) = u^(2/L-1) / (s (2/L-1)) 2F1(1, 2/L-1; 2/L; u/s), as the text has it."""
    s, u0, u = 2.0, 0.01, np.array([0.02, 0.3, 0.99, 1.01, 1.6, 1.99])

    def F(x):
        return x ** (2 / depth - 1) / (s * (2 / depth - 1)) * hyp2f1(1, 2 / depth - 1, 2 / depth, x / s)

    np.testing.assert_allclose(exact.time_to_strength(u, s, u0, depth), (F(u) - F(u0)) / depth, rtol=1e-11)
    # For s < 0 the same function, and for u > s > 0 its continuation in s/u.
    down = np.array([0.4, 0.2, 0.05])
    G = lambda x: x ** (2 / depth - 1) / (-s * (2 / depth - 1)) * hyp2f1(1, 2 / depth - 1, 2 / depth, -x / s)  # noqa: E731
    np.testing.assert_allclose(exact.time_to_strength(down, -s, 0.5, depth), (G(down) - G(0.5)) / depth, rtol=1e-11)
    p = 2 - 2 / depth
    H = lambda x: x**-p / p * hyp2f1(1, p, 1 + p, s / x)  # noqa: E731
    above = np.array([2.1, 3.9, 4.1, 12.0])
    np.testing.assert_allclose(exact.time_to_strength(above, s, 20.0, depth), (H(above) - H(20.0)) / depth, rtol=1e-11)


def test_against_elementary_times():
    """L = 2, L = 3 and infinite depth have elementary antiderivatives."""
    s, u0, u = 2.0, 0.01, np.array([0.05, 0.9, 1.1, 1.95])
    two = np.log(u * (s - u0) / (u0 * (s - u))) / (2 * s)
    np.testing.assert_allclose(exact.time_to_strength(u, s, u0, 2), two, rtol=1e-14)
    sigma = s ** (1 / 3)

    def F(x):
        a = x ** (1 / 3)
        angle = np.sqrt(3) * np.arctan((2 * a + sigma) / (np.sqrt(3) * sigma))
        return -1 / a + (-np.log(sigma - a) + 0.5 * np.log(a**2 + a * sigma + sigma**2) - angle) / (3 * sigma)

    def three(x):
        # s t = 1/a0 - 1/a + G(a) - G(a0): partial fractions of 1/(a^2 (sigma^3 - a^3)).
        return F(x) / s

    np.testing.assert_allclose(exact.time_to_strength(u, s, u0, 3), three_by_quadrature(u, s, u0), rtol=1e-11)
    np.testing.assert_allclose(exact.time_to_strength(u, s, u0, 3), three(u) - three(u0), rtol=1e-12)
    infinite = np.log(u * (s - u0) / (u0 * (s - u))) / s**2 + (1 / u0 - 1 / u) / s
    np.testing.assert_allclose(exact.time_to_strength(u, s, u0, np.inf), infinite, rtol=1e-14)


def three_by_quadrature(u, s, u0):
    """The layer strength a obeys da/dt = a^2 (s - a^3)."""
    low = u0 ** (1 / 3)
    return [quad(lambda a: 1 / (a**2 * (s - a**3)), low, x ** (1 / 3), epsabs=0, epsrel=1e-12)[0] for x in u]


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (1, 0.688),
        (2, 1.323),
        (3, 1.978),
        (4, 2.393),
        (5, 2.606),
        (8, 2.655),
        (20, 1.779),
        (100, 0.473),
        (np.inf, 50.823),
    ],
)
def test_half_times_of_the_book(depth, expected):
    assert exact.half_time(2.0, 0.01, depth) == pytest.approx(expected, abs=5.1e-4)


def test_the_delay_is_finite_at_any_depth():
    """L t_half rises with depth to its limit; t_half itself does not."""
    scaled = [L * exact.half_time(2.0, 0.01, L) for L in (2, 3, 5, 20, 100, 10**5)]
    assert np.all(np.diff(scaled) > 0)
    assert scaled[-1] == pytest.approx(exact.half_time(2.0, 0.01, np.inf), rel=1e-3)


# ------------------------------------------------------------------------------------------- plateaux


def test_the_plateau_in_layer_strengths():
    for L, a0 in ((3, 0.1), (4, 0.03), (7, 0.2)):
        assert exact.plateau_time(1.7, a0**L, L) == pytest.approx(a0 ** -(L - 2) / ((L - 2) * 1.7), rel=1e-13)
    assert exact.plateau_time(1.7, 1e-4, 2) == pytest.approx(np.log(1.7e4) / 3.4, rel=1e-15)
    assert exact.plateau_time(1.7, 1e-4, np.inf) == pytest.approx(1e4 / 1.7, rel=1e-15)
    assert exact.plateau_time(-1.7, -1e-4, 5) == exact.plateau_time(1.7, 1e-4, 5)


@pytest.mark.parametrize(("depth", "a0", "ratio"), [(3, 0.1, 0.9145), (3, 0.03, 0.9745), (4, 0.1, 0.9946), (4, 0.03, 0.9995)])
def test_the_plateau_against_the_half_time(depth, a0, ratio):
    u0 = a0**depth
    assert exact.half_time(1.0, u0, depth) / exact.plateau_time(1.0, u0, depth) == pytest.approx(ratio, abs=1e-4)


@pytest.mark.parametrize("depth", DEEP)
def test_the_corrected_plateau_errs_by_the_order_it_says(depth):
    """The scaled error is w^(3 - p) / (3 - p) to leading order in w = u0/s, at every depth."""
    s, p = 1.5, 2 - 2 / depth
    u0 = s * np.array([1e-2, 1e-3, 1e-4])
    layers = 1.0 if depth == np.inf else depth
    error = layers * s**p * (exact.plateau_time(s, u0, depth, corrected=True) - exact.half_time(s, u0, depth))
    np.testing.assert_allclose(error, (u0 / s) ** (3 - p) / (3 - p), rtol=2e-2, atol=1e-11)


# ----------------------------------------------------------------------------------- extremes, shapes


@pytest.mark.parametrize("depth", [1, 2, 3, 50, 10**6, np.inf])
def test_extremes_give_finite_numbers_without_warnings(depth):
    s = np.array([0.0, 1e-12, 2.0, -2.0, 1e6, -1e6, 1e-200, 1e130, -1e130])[:, None, None]
    u0 = np.array([0.0, 1e-300, -1e-300, 5e-324, 1.0, 2.0, -1e6, 1e130])[:, None]
    t = np.array([0.0, 1e-300, 1e-5, 1.0, 1e5, 1e100, 1e308])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        u, missing = exact.strength(t, s, u0, depth), exact.gap(t, s, u0, depth)
    assert u.shape == missing.shape == (9, 8, 7)
    assert np.all(np.isfinite(u)) and np.all(np.isfinite(missing))


def test_far_beyond_float64_a_start_still_escapes_on_time():
    """u0/s = 1e-440 is no float; the logistic half time is (ln s - ln u0) / (2 s)."""
    half = (140 * np.log(10) + 300 * np.log(10)) / 2e140
    assert exact.half_time(1e140, 1e-300, 2) == pytest.approx(half, rel=1e-13)
    assert exact.strength(half, 1e140, 1e-300, 2) == pytest.approx(5e139, rel=1e-9)
    assert exact.strength(half / 2, 1e140, 1e-300, 2) == pytest.approx(1e-80, rel=1e-9)


def test_scalars_give_numbers_and_arrays_broadcast():
    assert np.ndim(exact.strength(1, 2, 1, 3)) == 0
    assert isinstance(float(exact.half_time(2.0, 0.1, 3)), float)
    t, s = np.linspace(0, 3, 5), np.array([[1.0], [2.0]])
    u = exact.strength(t, s, 0.1, 3)
    assert u.shape == (2, 5)
    assert u[1, 3] == exact.strength(t[3], 2.0, 0.1, 3)
    assert exact.time_to_strength(u[:, 1:], s, 0.1, 3).shape == (2, 4)


def test_inputs_are_left_alone():
    t, s, u0 = np.array([1.0, 2.0]), np.array([2.0, -1.0]), np.array([0.1, -3.0])
    copies = t.copy(), s.copy(), u0.copy()
    exact.strength(t, s, u0, 3)
    exact.time_to_strength(u0, s, u0, 3)
    for a, b in zip((t, s, u0), copies, strict=True):
        np.testing.assert_array_equal(a, b)


# ------------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize("depth", [0, -1, 1.5, 2.0, "2", None, True, np.nan, -np.inf, 10**6 + 1])
def test_depth_must_be_a_count(depth):
    for call in (
        lambda: exact.strength(1.0, 1.0, 0.1, depth),
        lambda: exact.half_time(1.0, 0.1, depth),
        lambda: exact.plateau_time(1.0, 0.1, depth),
    ):
        with pytest.raises(ValueError, match="depth"):
            call()


@pytest.mark.parametrize("bad", [np.nan, np.inf, "x", 1j, None, [], 1e200])
def test_arguments_must_be_numbers_in_range(bad):
    for name in ("s", "u0"):
        arguments = {"t": 1.0, "s": 1.0, "u0": 0.1, name: bad}
        with pytest.raises(ValueError, match=name):
            exact.strength(**arguments, depth=2)
    if not isinstance(bad, float) or not np.isfinite(bad):
        with pytest.raises(ValueError, match="t "):
            exact.gap(bad, 1.0, 0.1, 2)


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"t \(3,\), s \(2,\)"):
        exact.strength(np.ones(3), np.ones(2), 0.1, 2)


@pytest.mark.parametrize("depth", [2, 3, 20, np.inf])
def test_the_past_ends_where_the_strength_was_infinite(depth):
    """The named time is the limit of the times to ever larger strengths."""
    for s, u0 in ((1.0, 3.0), (1.0, 1.5), (-1.0, 0.3), (-1.0, 3.0), (0.0, 2.0)):
        limit = exact.time_to_strength(1e30, s, u0, depth)
        with pytest.raises(ValueError, match=f"t = {limit:.6g}"):
            exact.strength([0.0, 1.001 * limit], s, u0, depth)
        with pytest.raises(ValueError, match="infinite"):
            exact.gap(limit * (1 + 1e-12), s, u0, depth)
        assert exact.strength(0.999 * limit, s, u0, depth) > 2 * u0


def test_one_layer_may_overflow_in_the_past():
    assert exact.strength(-5.0, 1.0, 0.1, 1) == pytest.approx(1 - 0.9 * np.exp(5.0), rel=1e-14)
    with pytest.raises(ValueError, match="overflows"):
        exact.strength(-1e4, 1.0, 0.1, 1)


def test_strengths_that_are_never_reached():
    with pytest.raises(ValueError, match="beyond the target"):
        exact.time_to_strength(1.5, 1.0, 0.5, 3)
    with pytest.raises(ValueError, match="beyond the target"):
        exact.time_to_strength(1.5, 1.0, 0.5, 1)
    with pytest.raises(ValueError, match="beyond 0"):
        exact.time_to_strength(-0.1, 1.0, 0.5, 3)
    with pytest.raises(ValueError, match="beyond 0"):
        exact.time_to_strength(-0.1, -1.0, 0.5, 3)
    for depth, s, u0 in ((3, 1.0, 0.0), (3, 1.0, 1.0), (1, 1.0, 1.0), (2, 0.0, 0.0)):
        with pytest.raises(ValueError, match="fixed point"):
            exact.time_to_strength(0.5, s, u0, depth)
    assert exact.time_to_strength(0.5, 1.0, 0.0, 1) == pytest.approx(np.log(2.0), rel=1e-15)


def test_fixed_points_are_reached_only_in_the_limit():
    for depth in DEPTHS:
        assert exact.time_to_strength(1.0, 1.0, 0.5, depth) == np.inf
        assert exact.time_to_strength(1.0, 1.0, 2.5, depth) == np.inf
    for depth in DEEP:
        assert exact.time_to_strength(0.0, 1.0, 0.5, depth) == -np.inf
        assert exact.time_to_strength(0.0, -1.0, 0.5, depth) == np.inf
        assert exact.time_to_strength(0.0, 0.0, 0.5, depth) == np.inf


def test_times_beyond_float64_are_refused():
    with pytest.raises(ValueError, match="overflows"):
        exact.half_time(1e-12, 1e-300, np.inf)
    with pytest.raises(ValueError, match="overflows"):
        exact.plateau_time(1e-12, 1e-300, np.inf)


def test_half_times_and_plateaux_have_their_range():
    with pytest.raises(ValueError, match="s must not be 0"):
        exact.half_time([1.0, 0.0], 0.1, 2)
    assert exact.half_time(1.0, 0.75, 3) < 0
    for s, u0 in ((1.0, 0.0), (1.0, -0.1), (1.0, 1.0), (1.0, 2.0), (0.0, 0.1)):
        with pytest.raises(ValueError, match="u0 must have the sign of s"):
            exact.plateau_time(s, u0, 3)
    with pytest.raises(ValueError, match="at least 2"):
        exact.plateau_time(1.0, 0.1, 1)
