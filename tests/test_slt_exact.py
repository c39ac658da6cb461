"""The exact energy of two layers against quadrature and integration; volumes against the exact one of single units."""

from fractions import Fraction
from itertools import permutations
from math import log, pi

import numpy as np
import pytest
from scipy.integrate import dblquad, quad
from scipy.special import erfcx

from dlnlib import slt


def one_eigenvalue(dof, out, t):
    """Return F and n_beta E[K] where one eigenvalue is left, by the trapezium rule in its logarithm."""

    v = np.linspace(-120, 9, 40_001)  # the trapezium rule is exact to rounding for what falls off this fast
    u = np.exp(v)
    prior = dof / 2 * v - u / 2
    posterior = prior - out / 2 * np.log1p(t * u)
    top = posterior.max()
    weight = np.exp(posterior - top)
    free = np.log(np.sum(np.exp(prior - prior.max()))) + prior.max() - np.log(np.sum(weight)) - top
    return free, np.sum(weight * out / 2 * t * u / (1 + t * u)) / np.sum(weight)


# -- limits


def test_at_temperature_infinity_it_is_the_prior():
    assert slt.two_layer_free_energy((3, 2, 4), 0.0) == pytest.approx(0, abs=1e-12)
    assert slt.two_layer_energy((3, 2, 4), 0.0) == 0
    # E K = 1/2 d0 d1 d2 under the standard prior
    small = 1e-6
    assert slt.two_layer_energy((3, 2, 4), small) / small == pytest.approx(12, rel=1e-4)
    assert slt.two_layer_free_energy((3, 2, 4), small) / small == pytest.approx(12, rel=1e-4)


@pytest.mark.parametrize("widths", [(2, 2, 2), (3, 2, 3), (1, 3, 4), (4, 4, 4), (5, 3, 5), (3, 3, 3), (10, 10, 10)])
def test_in_the_cold_it_is_the_learning_coefficient(widths):
    found = slt.learning_coefficient(widths)
    cold = slt.two_layer_energy(widths, np.array([1e6, 1e9]))
    if found.multiplicity == 1:
        assert cold[1] == pytest.approx(float(found), rel=1e-3)
        assert abs(cold[1] - float(found)) < abs(cold[0] - float(found))
    else:
        # lambda - (m - 1)/log n_beta, up to the square of 1/log
        first, second = (float(found) - cold) * np.log([1e6, 1e9]) - 1
        assert abs(second) < 0.7 * abs(first) < 0.35
        assert slt.finite_temperature(found, 1e9) == pytest.approx(cold[1], abs=6 / log(1e9) ** 2)


# -- invariants


def test_no_order_of_the_widths_matters():
    t = np.array([0.0, 0.3, 10.0, 1e5])
    for widths in ((1, 2, 3), (2, 2, 5), (5, 40, 7)):
        for function in (slt.two_layer_energy, slt.two_layer_free_energy):
            answers = [function(order, t) for order in permutations(widths)]
            assert np.array_equal(answers, answers[:1] * 6)


def test_only_n_beta_over_precision_squared_matters():
    t = np.array([[0.5, 3.0, 1e4]])
    for function in (slt.two_layer_energy, slt.two_layer_free_energy):
        assert function((2, 3, 2), t).shape == (1, 3)
        assert np.allclose(function((2, 3, 2), 100 * t, precision=10.0), function((2, 3, 2), t), rtol=1e-11)


@pytest.mark.parametrize("widths", [(1, 1, 1), (3, 2, 4), (4, 6, 4), (5, 5, 5), (10, 10, 10), (200, 5, 200), (200, 9, 400)])
def test_energy_is_the_slope_of_the_free_energy(widths):
    t, h = np.array([1.0, 1e3, 1e6, 9e8]), 1e-3
    up, down = (slt.two_layer_free_energy(widths, t * np.exp(s * h)) for s in (1, -1))
    assert np.allclose((up - down) / (2 * h), slt.two_layer_energy(widths, t), rtol=2e-8)


def test_energy_increases_and_stays_below_the_regular_coefficient():
    for widths in ((2, 2, 2), (5, 3, 5), (200, 4, 200)):
        energy = slt.two_layer_energy(widths, np.logspace(-6, 9, 40))
        assert np.all(np.diff(energy) > 0)
        assert energy[-1] < slt.learning_coefficient(widths).value


# -- two roads


@pytest.mark.parametrize(("dof", "out"), [(1, 1), (1, 5), (1, 1000), (2, 3), (7, 9), (60, 60), (200, 200)])
def test_one_eigenvalue_by_another_quadrature(dof, out):
    for t in (1e-2, 1.0, 1e4, 1e9):
        free, energy = one_eigenvalue(dof, out, t)
        assert slt.two_layer_free_energy((dof, 1, out), t) == pytest.approx(free, rel=1e-10, abs=1e-10)
        assert slt.two_layer_energy((dof, 1, out), t) == pytest.approx(energy, rel=2e-10, abs=1e-10)


@pytest.mark.parametrize(("dof", "out"), [(2, 2), (3, 4)])
def test_two_eigenvalues_by_a_double_integral(dof, out):
    """The joint density of Wishart eigenvalues, |u - v| (uv)^((dof-3)/2) exp(-(u+v)/2), with u = r^2 against the root."""

    def z(t):
        def inside(b, a):
            u, v = a * a, b * b
            base = abs(u - v) * (a * b) ** (dof - 3) * np.exp(-(u + v) / 2) * 4 * a * b
            return base * ((1 + t * u) * (1 + t * v)) ** (-out / 2)

        return dblquad(inside, 0, 12, 0, lambda a: a, epsabs=1e-10, epsrel=1e-9)[0]

    for t in (0.7, 30.0):
        free = -np.log(z(t) / z(0.0))
        assert slt.two_layer_free_energy((dof, 2, out), t) == pytest.approx(free, rel=1e-7)


@pytest.mark.parametrize("widths", [(3, 3, 4), (5, 4, 6), (6, 5, 7)])
def test_more_eigenvalues_by_averaging_over_the_prior(widths):
    """The outer layer integrated out by hand: det(1 + t W W^T)^(-d/2), averaged over random W."""
    n0, n1, n2 = widths
    W = np.random.default_rng(0).standard_normal((40_000, n1, n0))
    values = np.linalg.eigvalsh(W @ W.swapaxes(1, 2))
    for t in (0.02, 0.2):
        weight = np.prod((1 + t * values) ** (-n2 / 2), axis=1)
        free, error = -np.log(weight.mean()), weight.std() / weight.mean() / np.sqrt(len(weight))
        assert abs(slt.two_layer_free_energy(widths, t) - free) < 4 * error < 0.2


def test_one_unit_a_layer_is_known():
    """(1, 1, 2): E (1 + t u)^(-1) with u chi-squared of one degree is a scaled error function, and an integral."""
    t = np.array([0.1, 1.0, 100.0])
    exact = np.sqrt(pi / (2 * t)) * erfcx(1 / np.sqrt(2 * t))
    assert np.allclose(slt.two_layer_free_energy((1, 1, 2), t), -np.log(exact), rtol=1e-10)
    density = np.sqrt(2 / pi)
    direct = [quad(lambda x, b=b: density * np.exp(-x * x / 2) / (1 + b * x * x), 0, np.inf)[0] for b in t]
    assert np.allclose(exact, direct, rtol=1e-7)


# -- volumes


def test_scalar_volume_limits():
    assert np.array_equal(slt.scalar_volume([0.5, 1.0, 1e300], 3), [1.0, 1.0, 1.0])
    assert np.allclose(slt.scalar_volume([0.02, 1e-10], 1), np.sqrt([0.04, 2e-10]), rtol=1e-13)
    s = np.sqrt(2e-3)
    assert slt.scalar_volume(1e-3, 2) == pytest.approx(s * (1 - np.log(s)), rel=1e-13)
    assert slt.scalar_volume(1e-3, 4) == pytest.approx(s * sum((-np.log(s)) ** k / f for k, f in enumerate((1, 1, 2, 6))))
    assert slt.scalar_volume(1e-300, 10**12) == 1
    assert np.all(slt.scalar_volume([1e-320, 1e-3], 5) > 0)
    # eps^(1/2) (-log eps)^(L-1): lambda = 1/2 and m = L, of the coefficient
    for depth in (2, 3):
        found = slt.learning_coefficient((1,) * (depth + 1))
        assert (found.value, found.multiplicity) == (Fraction(1, 2), depth)
        eps = np.array([1e-200, 1e-250])
        shares = slt.scalar_volume(eps, depth) / (np.sqrt(eps) * (-np.log(eps)) ** (depth - 1))
        assert shares[1] == pytest.approx(shares[0], rel=0.02)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_counting_agrees_with_the_scalar_volume(depth):
    eps = [0.2, 0.01, 1e-3]
    counted = slt.volume((1,) * (depth + 1), [[0.0]], eps, 50_000, rng=np.random.default_rng(1))
    off = counted.share - slt.scalar_volume(eps, depth)
    assert np.all(np.abs(off) < 3.5 * counted.standard_error)
    assert np.allclose(counted.standard_error, np.sqrt(counted.share * (1 - counted.share) / 50_000))


def test_volume_of_a_ball():
    """One layer: the parameters with K < eps are a ball of radius (2 eps)^(1/2) round the teacher."""
    teacher = np.array([[0.2, -0.1], [0.3, 0.0]])
    eps = np.array([0.05, 0.1])
    found = slt.volume((2, 2), teacher, eps, 100_000, rng=np.random.default_rng(2), half_width=2.0)
    exact = pi**2 / 2 * (2 * eps) ** 2 / 4.0**4
    assert np.all(np.abs(found.share - exact) < 3.5 * np.sqrt(exact / 100_000))


def test_counting_in_pieces_and_in_the_void():
    found = slt.volume((400, 80, 1), np.zeros((1, 400)), [1e-9, 1e9], 500, rng=np.random.default_rng(3))
    assert np.array_equal(found.share, [0.0, 1.0])
    assert np.array_equal(found.standard_error, [0.0, 0.0])


# -- mistakes


def test_mistakes():
    for function in (slt.two_layer_energy, slt.two_layer_free_energy):
        with pytest.raises(ValueError, match=r"widths must be \(d_0, d_1, d_2\)"):
            function((2, 2), 1.0)
        with pytest.raises(ValueError, match="one of the widths must be at most 10.*slt.gibbs"):
            function((11, 11, 11), 1.0)
        for widths in ((201, 1, 300), (1, 1, 10**400)):
            with pytest.raises(ValueError, match="two largest widths must be at most 200 and 1,000,000"):
                function(widths, 1.0)
        for n_beta, precision in ((-1.0, 1.0), (2e9, 1.0), (1.0, 1e-300)):
            with pytest.raises(ValueError, match="n_beta must be from 0 to 1e9 times precision"):
                function((2, 2, 2), n_beta, precision)
        with pytest.raises(ValueError, match="precision must be positive"):
            function((2, 2, 2), 1.0, 0.0)
    with pytest.raises(ValueError, match="eps must be positive, got 0"):
        slt.scalar_volume([0.0, 1.0], 2)
    with pytest.raises(ValueError, match="depth must be at least 1"):
        slt.scalar_volume(0.1, 0)
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"teacher must have shape \(2, 3\) to fit the widths"):
        slt.volume((3, 2), np.ones((3, 2)), [0.1], 10, rng=rng)
    with pytest.raises(ValueError, match="eps must be positive numbers in one dimension"):
        slt.volume((2, 2), np.ones((2, 2)), [[0.1]], 10, rng=rng)
    with pytest.raises(ValueError, match="the loss overflows float64"):
        slt.volume((2, 2, 2), np.ones((2, 2)), [0.1], 10, rng=rng, half_width=1e150)
