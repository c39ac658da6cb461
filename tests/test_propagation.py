"""Signals through depth: limits, invariants, two roads and mistakes."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose

from dlnlib import initialise, product
from dlnlib.measure import isometry_spectrum
from dlnlib.propagation import (
    fuss_catalan_edge,
    fuss_catalan_quantiles,
    lyapunov_exponents,
    mean_field_slope,
    mean_field_trajectory,
    mean_field_variance,
    tanh_forward,
    tanh_jacobian,
    tanh_layer_jacobians,
)

GENERATOR = np.random.default_rng


def average(function, q):
    """Gaussian average by an adaptive rule, piece by piece over the scale on which tanh bends."""
    from scipy.integrate import quad

    edges = [0.0, *np.minimum(np.array([0.5, 1, 2, 4, 8, 16]) / np.sqrt(q), 12.0), 12.0]
    density = 2 / np.sqrt(2 * np.pi)
    pieces = [
        quad(lambda z: density * np.exp(-(z**2) / 2) * function(np.sqrt(q) * z), a, b, epsabs=0, epsrel=1e-13)[0]
        for a, b in pairwise(edges)
        if b > a
    ]
    return sum(pieces)


# Products of Gaussian layers


def test_edge_of_the_spectrum_of_products():
    assert_allclose([fuss_catalan_edge(L) for L in (1, 2, 3, 5)], [2, 27**0.5 / 2, 256**0.5 / 27**0.5, 3.863925], rtol=1e-6)
    assert_allclose(fuss_catalan_edge(7), np.sqrt(8.0**8 / 7.0**7), rtol=1e-14)
    # Large depth neither overflows nor leaves its asymptote.
    assert_allclose(fuss_catalan_edge(10**6), np.sqrt(np.e * (10**6 + 0.5)), rtol=1e-10)


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_measured_edge_approaches_the_limit(depth):
    values = isometry_spectrum(initialise.gaussian((300,) * (depth + 1), rng=GENERATOR(depth)))
    assert_allclose(values[0], fuss_catalan_edge(depth), rtol=0.08)
    assert_allclose(np.mean(values**2), 1, atol=0.03)
    # The limiting density, half way: the fraction below 0.1 grows with depth.
    assert_allclose(np.mean(values < 0.1), {1: 0.0637, 2: 0.172, 3: 0.269, 5: 0.412}[depth], atol=0.02)


@pytest.mark.parametrize("depth", [1, 2, 3, 10, 32])
def test_fuss_catalan_quantiles_carry_the_moments_of_the_law(depth):
    from scipy.special import binom

    squares = fuss_catalan_quantiles(depth, (np.arange(200_000) + 0.5) / 200_000) ** 2
    for k in (1, 2, 3, 4):
        assert_allclose(np.mean(squares**k), binom((depth + 1) * k, k) / (depth * k + 1), rtol=1e-5)
    assert np.all(np.diff(squares) < 0)


def test_fuss_catalan_quantiles_at_depth_one_and_at_the_ends():
    value = fuss_catalan_quantiles(1, [0.1, 0.5, 0.9])
    below = (np.arcsin(value / 2) + value / 2 * np.sqrt(1 - value**2 / 4)) * 2 / np.pi  # the quarter circle law
    assert_allclose(1 - below, [0.1, 0.5, 0.9], rtol=1e-13)
    assert_allclose(fuss_catalan_quantiles(5, [0.0, 1.0]), [fuss_catalan_edge(5), 0], rtol=0)
    assert fuss_catalan_quantiles(100, 0.5).shape == ()


def test_fuss_catalan_quantiles_are_the_values_of_one_wide_product():
    values = isometry_spectrum(initialise.gaussian((300,) * 4, rng=GENERATOR(8)))
    limit = fuss_catalan_quantiles(3, (np.arange(300) + 0.5) / 300)
    assert_allclose(values[:290], limit[:290], rtol=0.15)


def test_lyapunov_exponents_of_width_one_and_two():
    # One Gaussian number: E ln |z| = -(euler + ln 2)/2.
    assert_allclose(lyapunov_exponents(1), [-(np.euler_gamma + np.log(2)) / 2], rtol=1e-14)
    # Two: E ln |(z1, z2)| = (ln 2 - euler)/2 for unit variance, and the determinant gives the sum.
    top, low = lyapunov_exponents(2)
    assert_allclose(top, (np.log(2) - np.euler_gamma) / 2 - np.log(2) / 2, rtol=1e-14)
    assert_allclose(low, -(np.euler_gamma + np.log(2)) / 2 - np.log(2) / 2, rtol=1e-14)


def test_lyapunov_exponents_of_a_hundred():
    mu = lyapunov_exponents(100)
    assert mu.shape == (100,)
    assert np.all(np.diff(mu) < 0)
    assert_allclose(mu[[0, 9, 49, 89]], [-0.005, -0.053, -0.347, -1.150], atol=5e-4)
    assert_allclose(mu[0], -1 / 200, rtol=0.01)
    assert_allclose(mu[-1], -(np.log(100) + 1.27) / 2, atol=1e-3)


def test_lyapunov_sum_is_the_mean_log_determinant():
    rng = GENERATOR(0)
    logs = np.linalg.slogdet(rng.standard_normal((4000, 6, 6)) / np.sqrt(6))[1]
    error = logs.std() / np.sqrt(4000)
    assert abs(logs.mean() - lyapunov_exponents(6).sum()) < 4 * error


def test_measured_growth_rates_are_the_lyapunov_exponents():
    width, depth = 12, 1500
    measured = isometry_spectrum(initialise.gaussian((width,) * (depth // 10 + 1), rng=GENERATOR(1), batch=(10,)), log=True)
    rates = measured.mean(axis=0) / (depth // 10)
    # The slowest is off by O(1/depth); fluctuations are below 1/sqrt(width depth) for all but the last.
    assert_allclose(rates[:-1], lyapunov_exponents(width)[:-1], atol=0.03)
    assert_allclose(rates.sum(), lyapunov_exponents(width).sum(), atol=0.15)


# tanh networks


def test_jacobian_against_differences_at_their_order():
    rng = GENERATOR(2)
    weights, x = initialise.gaussian((4, 5, 6, 3), rng=rng, scale=0.7), rng.standard_normal(4)
    direction = rng.standard_normal(4)
    exact = tanh_jacobian(weights, x) @ direction
    errors = []
    for eps in (1e-2, 5e-3):
        plus, minus = (tanh_forward(weights, x + sign * eps * direction)[-1] for sign in (1, -1))
        errors.append(np.abs((plus - minus) / (2 * eps) - exact).max())
    assert errors[1] < 1e-4
    assert_allclose(np.log2(errors[0] / errors[1]), 2, atol=0.02)


def test_jacobian_factors_batches_and_the_linear_limit():
    rng = GENERATOR(3)
    weights, x = initialise.gaussian((4, 5, 3), rng=rng, batch=(2,)), rng.standard_normal((2, 4))
    activities = tanh_forward(weights, x)
    assert [h.shape for h in activities] == [(2, 4), (2, 5), (2, 3)]
    assert_allclose(activities[1][1], np.tanh(weights[0][1] @ x[1]), rtol=1e-14)
    J = tanh_jacobian(weights, x)
    assert J.shape == (2, 3, 4)
    assert_allclose(product(tanh_layer_jacobians(weights, x)), J, rtol=1e-14)
    assert_allclose(tanh_jacobian(tuple(W[0] for W in weights), x[0]), J[0], rtol=1e-14)
    assert_allclose(tanh_jacobian(weights, 0 * x), product(weights), rtol=1e-14)
    assert_allclose(tanh_jacobian(weights, 1e-5 * x), product(weights), rtol=1e-8)
    assert not tanh_jacobian(weights, 1e4 * np.sign(x)).any()
    assert tanh_forward(weights, x[0])[-1].shape == (2, 3)


def test_edge_of_chaos_at_depth_one_hundred():
    x = GENERATOR(0).standard_normal(200)
    spread = {}
    for gain, rms in ((0.9, 1.022e-5), (1.0, 0.0871), (1.05, 0.3177), (1.2, 2.689)):
        weights = initialise.orthogonal((200,) * 101, rng=GENERATOR(2), gain=gain)
        s = isometry_spectrum(tanh_layer_jacobians(weights, x))
        spread[gain] = s[0] / np.median(s)
        # The mean square gain of the Jacobian is the product of the mean-field slopes of its layers.
        variances = mean_field_trajectory(gain**2 * np.mean(x**2), gain, 100)
        predicted = np.sqrt(np.prod([mean_field_slope(gain, q) for q in variances]))
        assert_allclose(predicted, rms, rtol=1e-3)
        assert_allclose(np.sqrt(np.mean(s**2)), predicted, rtol=0.05)
    assert_allclose([spread[g] for g in (0.9, 1.0, 1.05)], [2.0, 3.0, 7.1], rtol=0.05)
    assert 500 < spread[1.2] < 2000


def test_gaussian_layers_lose_isometry_at_any_gain():
    weights = initialise.gaussian((100,) * 101, rng=GENERATOR(5), scale=1.05 / 10)
    x = GENERATOR(6).standard_normal(100)
    logs = isometry_spectrum(tanh_layer_jacobians(weights, x), log=True)
    assert logs[0] - logs[-1] > 250  # more than 100 decades
    multiplied = np.linalg.svd(tanh_jacobian(weights, x), compute_uv=False)
    assert multiplied[0] / multiplied[-1] < 1e22  # all that the multiplied-out matrix can show


# Mean field


@pytest.mark.parametrize("gain", [1.025, 1.05, 1.1, 1.2, 2.0, 5.0, 40.0])
def test_fixed_point_satisfies_its_equation(gain):
    q = mean_field_variance(gain)
    assert_allclose(gain**2 * average(lambda y: np.tanh(y) ** 2, q), q, rtol=1e-11 / min(gain - 1, 1))
    assert_allclose(mean_field_slope(gain), gain**2 * average(lambda y: np.cosh(y) ** -4, q), rtol=1e-11)


def test_fixed_point_and_slope_in_numbers():
    gains = (1.025, 1.05, 1.1, 1.2)
    assert_allclose([mean_field_slope(g) for g in gains], [1.0008, 1.0029, 1.0102, 1.0335], atol=5e-5)
    assert_allclose([mean_field_variance(g) for g in gains], [0.025822, 0.053250, 0.112750, 0.249513], atol=5e-7)


def test_fixed_point_near_the_edge_follows_its_expansion():
    errors_q, errors_chi = [], []
    for excess in (1e-2, 5e-3, 2.5e-3):
        g = 1 + excess
        first = (1 - 1 / g**2) / 2
        q = mean_field_variance(g)
        errors_q.append(abs(q - first))
        errors_chi.append(abs(mean_field_slope(g) - 1 - 4 / 3 * g**2 * q**2))
    assert_allclose(np.log2(np.array(errors_q[:-1]) / errors_q[1:]), 2, atol=0.05)
    assert_allclose(np.log2(np.array(errors_chi[:-1]) / errors_chi[1:]), 3, atol=0.1)
    for excess in (1e-6, 1e-9, 1e-12):
        # g is rounded when written down: what it exceeds 1 by is known only so well.
        assert_allclose(mean_field_variance(1 + excess), excess, rtol=2e-15 / excess + 10 * excess)


def test_at_and_below_gain_one_nothing_survives():
    assert mean_field_variance(1.0) == mean_field_variance(0.3) == 0.0
    assert mean_field_slope(1.0) == 1.0
    assert_allclose(mean_field_slope(0.5), 0.25)
    assert mean_field_slope(2.0, 0.0) == 4.0


def test_large_gain_is_a_sign_network():
    for g in (1e2, 1e4):
        # tanh -> sign: q = g^2 (1 - E sech^2) with E sech^2 = 2 / sqrt(2 pi q).
        assert_allclose(mean_field_variance(g), g**2 * (1 - 2 / (np.sqrt(2 * np.pi) * g)), rtol=1 / g**2)
        assert_allclose(mean_field_slope(g), g * 4 / 3 / np.sqrt(2 * np.pi), rtol=2 / g)


@pytest.mark.parametrize("q", [1e-8, 1e-3, 0.3, 3.99, 4.01, 50.0, 1e5])
def test_averages_at_every_scale(q):
    assert_allclose(mean_field_slope(1.0, q), average(lambda y: np.cosh(min(abs(y), 300)) ** -4.0, q), rtol=1e-12)
    step = mean_field_trajectory(q, 1.5, 2)
    assert_allclose(step[1], 2.25 * average(lambda y: np.tanh(y) ** 2, q), rtol=1e-12)


def test_variance_map_settles_on_the_fixed_point_and_decays_at_the_edge():
    for start in (1e-3, 1.0, 30.0):
        assert_allclose(mean_field_trajectory(start, 1.3, 400)[-1], mean_field_variance(1.3), rtol=1e-12)
    path = mean_field_trajectory(1.0, 1.0, 3000)
    assert path[0] == 1.0
    assert_allclose(path[-1], 1 / (2 * 3000), rtol=0.01)
    assert_allclose(path[99], 5.12e-3, atol=1e-5)
    assert not mean_field_trajectory(0.0, 2.0, 4).any()
    shrinking = mean_field_trajectory(1e-4, 0.5, 3)
    assert_allclose(shrinking, 1e-4 * np.array([1, 0.25, 0.0625]), rtol=1e-3)


def test_mean_field_variance_of_a_wide_network():
    x = np.ones(1000)
    for make in (
        lambda: initialise.orthogonal((1000,) * 6, rng=GENERATOR(4), gain=1.3),
        lambda: initialise.gaussian((1000,) * 6, rng=GENERATOR(4), scale=1.3 / np.sqrt(1000)),
    ):
        weights = make()
        activities = tanh_forward(weights, x)
        q = [np.mean((W @ h) ** 2) for W, h in zip(weights, activities[:-1], strict=True)]
        assert_allclose(q, mean_field_trajectory(1.69, 1.3, 5), rtol=0.12)


# Mistakes


@pytest.mark.parametrize(
    ("call", "fragment"),
    [
        (lambda: fuss_catalan_edge(0), "depth must be at least 1"),
        (lambda: fuss_catalan_quantiles(0, 0.5), "depth must be at least 1"),
        (lambda: fuss_catalan_quantiles(3, [0.5, 1.5]), "from 0.5 to 1.5"),
        (lambda: fuss_catalan_edge(2.5), "depth must be an integer"),
        (lambda: lyapunov_exponents(0), "width must be at least 1"),
        (lambda: tanh_forward((np.eye(2),), np.ones(3)), r"x must have shape \(..., 2\)"),
        (lambda: tanh_forward((np.eye(2),), 1.0), r"x must have shape \(..., 2\)"),
        (lambda: tanh_jacobian((np.eye(2), np.eye(3)), np.ones(2)), "cannot act on"),
        (lambda: mean_field_variance(0.0), "gain must be positive"),
        (lambda: mean_field_slope(-1.0), "gain must be positive"),
        (lambda: mean_field_trajectory(1.0, 1e200, 3), "gain must be at most 1e100"),
        (lambda: mean_field_slope(1.0, -0.1), "variance must not be negative"),
        (lambda: mean_field_trajectory(1.0, 1.0, 0), "depth must be at least 1"),
        (lambda: mean_field_trajectory(np.inf, 1.0, 2), "NaN or infinite"),
    ],
)
def test_mistakes_are_named(call, fragment):
    with pytest.raises(ValueError, match=fragment):
        call()
