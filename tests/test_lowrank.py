"""Effective and stable rank, products of wide layers, the cost of a factorisation, velocities, shrinkage."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.optimize import minimize_scalar

from dlnlib import initialise, lowrank, propagation
from dlnlib.completion import factorised_flow
from dlnlib.network import product


def matrix(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


# -- limits


def test_rank_of_known_spectra():
    assert lowrank.effective_rank(np.diag([1.0, 1.0, 0.0])) == pytest.approx(2, rel=1e-14)
    assert lowrank.effective_rank(np.diag([2.0, 1.0])) == pytest.approx(3 / 2 ** (2 / 3), rel=1e-14)
    assert lowrank.effective_rank(np.diag([2.0, 1.0]), power=2) == pytest.approx(5 / 4**0.8, rel=1e-14)
    assert lowrank.rank_of_spectrum([3.0, 2.0, 1.0, 0.0], power=0) == pytest.approx(3)
    assert lowrank.stable_rank(np.diag([2.0, 1.0])) == 1.25
    assert lowrank.effective_rank(np.eye(7)) == pytest.approx(lowrank.stable_rank(np.eye(7))) == pytest.approx(7)


def test_powers_tend_to_one_and_to_the_rank():
    s = [3.0, 2.0, 1.0]
    assert lowrank.rank_of_spectrum(s, power=200) == pytest.approx(1, abs=1e-12)
    assert lowrank.rank_of_spectrum(s, power=1e-9) == pytest.approx(3, rel=1e-12)


def test_wide_limit_at_depth_one_and_at_great_depth():
    assert lowrank.wide_effective_rank(1) == pytest.approx(2 * np.exp(4 / 3) / (3 * np.pi), rel=1e-14)
    # 2 exp((3 - gamma)/2) / sqrt(pi)
    assert 1e5 * lowrank.wide_effective_rank(10**5) == pytest.approx(
        2 / np.sqrt(np.pi) * np.exp((3 - np.euler_gamma) / 2), rel=1e-4
    )
    assert lowrank.wide_effective_rank(3, power=2) == pytest.approx(np.exp(-1 / 2 - 1 / 3 - 1 / 4), rel=1e-13)
    assert lowrank.wide_effective_rank(3, power=0) == pytest.approx(1)
    assert lowrank.wide_stable_rank(1) == pytest.approx(0.25)
    assert 1e6 * lowrank.wide_stable_rank(10**6) == pytest.approx(np.exp(-1), rel=1e-5)


def test_shrinkage_meets_its_neighbours():
    s = np.array([0.0, 0.2, 1.0, 3.0])
    assert np.allclose(lowrank.shrunk_strength(s, 0.5, 1), s / 1.5)
    assert np.allclose(lowrank.shrunk_strength(s, 0.5, 2), [0, 0, 0.5, 2.5])
    assert np.allclose(lowrank.shrunk_strength(s, 1e-12, 4), s, atol=1e-10)
    assert lowrank.shrinkage_threshold(0.3, 1) == 0
    assert lowrank.shrinkage_threshold(0.3, 2) == 0.3


def test_velocity_at_depth_one_is_minus_the_gradient():
    W, G = matrix(0, 3, 4), matrix(1, 3, 4)
    assert np.array_equal(lowrank.end_to_end_velocity(W, G, 1), -G)
    assert np.array_equal(lowrank.end_to_end_velocity(np.zeros((3, 4)), G, 3), np.zeros((3, 4)))


# -- invariants


@pytest.mark.parametrize("power", [1.0, 2.0, 0.5])
def test_effective_rank_ignores_scale_and_rotation(power):
    A = matrix(2, 5, 3, 6)
    Q = np.linalg.qr(matrix(3, 6, 6))[0]
    assert np.allclose(lowrank.effective_rank(A, power), lowrank.effective_rank(1e250 * (A @ Q), power), rtol=1e-12)
    assert np.allclose(lowrank.stable_rank(A), lowrank.stable_rank(1e-250 * A), rtol=1e-12)


def test_the_chain_of_ranks():
    A = matrix(4, 200, 4, 5) * np.exp(2 * matrix(5, 200, 4, 1))
    middle = (lowrank.effective_rank(A, power) for power in (0.5, 1, 2))
    for larger, smaller in pairwise([np.full(200, 4.0), *middle, lowrank.stable_rank(A), np.ones(200)]):
        assert np.all(larger >= smaller - 1e-12)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_balanced_layers_attain_the_cost_and_others_do_not(depth):
    A = matrix(6, 6, 6)
    least = lowrank.factorisation_cost(A, depth)
    layers = initialise.from_product(A, (6,) * (depth + 1))
    assert sum(np.sum(W**2) for W in layers) == pytest.approx(float(least), rel=1e-13)
    rng = np.random.default_rng(7)
    for _ in range(50):
        C = np.eye(6) + 0.3 * rng.standard_normal((6, 6))
        other = (C @ layers[0], layers[1] @ np.linalg.inv(C), *layers[2:])
        assert np.allclose(product(other), A)
        assert sum(np.sum(W**2) for W in other) > least


# -- two roads


@pytest.mark.parametrize("depth", [1, 2, 3, 5, 9])
def test_wide_effective_rank_by_quadrature(depth):
    """The law of the singular values, share by share, against Gamma functions."""

    def integral(function):
        # Shares near 0 and 1 have integrable singularities: substitute.
        def inner(x):
            s = float(propagation.fuss_catalan_quantiles(depth, np.sin(np.pi * x / 2) ** 2))
            return function(s) * np.pi / 2 * np.sin(np.pi * x)

        return quad(inner, 0, 1, limit=200, epsabs=1e-11, epsrel=1e-11)[0]

    mean = integral(lambda s: s)
    entropy = integral(lambda s: s * np.log(s) if s > 0 else 0.0)
    assert lowrank.wide_effective_rank(depth) == pytest.approx(mean * np.exp(-entropy / mean), rel=1e-8)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_wide_effective_rank_of_a_wide_product(depth):
    layers = initialise.gaussian((400,) * (depth + 1), rng=np.random.default_rng(8))
    assert lowrank.effective_rank(product(layers)) / 400 == pytest.approx(lowrank.wide_effective_rank(depth), rel=0.01)


@pytest.mark.parametrize(("shape", "depth"), [((3, 3), 2), ((3, 5), 3), ((5, 3), 4), ((2, 2), 7)])
def test_velocity_of_the_product_of_balanced_layers(shape, depth):
    """The product rule applied to the layers, against the formula in the product alone."""
    A, G = matrix(9, *shape), matrix(10, *shape)
    layers = initialise.from_product(A, (shape[1], *(6,) * (depth - 1), shape[0]))
    slow = factorised_flow(layers, lambda W: G + 0 * W, [0.0, 1e-5], rtol=1e-12)
    moved = (slow.product[1] - slow.product[0]) / 1e-5
    assert np.allclose(moved, lowrank.end_to_end_velocity(A, G, depth), rtol=3e-3, atol=3e-3)
    half = factorised_flow(layers, lambda W: G + 0 * W, [0.0, 5e-6], rtol=1e-12)
    extrapolated = 2 * (half.product[1] - half.product[0]) / 5e-6 - moved
    assert np.allclose(extrapolated, lowrank.end_to_end_velocity(A, G, depth), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("depth", [1, 2, 3, 6])
def test_singular_velocities_are_those_of_the_product(depth):
    A, G = matrix(11, 4, 6), matrix(12, 4, 6)
    U, _, Vt = np.linalg.svd(A, full_matrices=False)
    inside = np.einsum("ik,ij,kj->k", U, lowrank.end_to_end_velocity(A, G, depth), Vt)
    assert np.allclose(lowrank.singular_value_velocities(A, G, depth), inside, rtol=1e-12)


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_lagging_strength_against_integration(depth):
    ratio, u0 = 0.7, 1e-3

    def velocity(_, s):
        return depth * s ** (2 - 2 / depth) * np.array([1.0, ratio])

    def arrived(_, s):
        return s[0] - 0.5

    arrived.terminal = True
    end = solve_ivp(velocity, (0, 1e5), [u0, u0], events=arrived, rtol=1e-12, atol=1e-16, method="LSODA").y_events[0][0]
    assert float(lowrank.lagging_strength(0.5, ratio, u0, depth)) == pytest.approx(end[1], rel=1e-7)


@pytest.mark.parametrize("depth", [2, 3, 4, 10])
@pytest.mark.parametrize("decay", [0.05, 0.4])
def test_shrunk_strength_by_search(depth, decay):
    for s in (0.1, 0.5, 0.9, 1.5, 4.0):

        def cost(u, s=s):
            return (s - u) ** 2 / 2 + decay / 2 * depth * u ** (2 / depth)

        grid = np.linspace(0, s, 4001)
        k = int(np.argmin(cost(grid)))
        if k > 0:
            found = minimize_scalar(
                cost, bounds=(grid[k - 1], grid[min(k + 1, 4000)]), method="bounded", options={"xatol": 1e-12}
            ).x
        else:
            found = 0.0
        assert float(lowrank.shrunk_strength(s, decay, depth)) == pytest.approx(found, abs=2e-6)


@pytest.mark.parametrize("depth", [3, 4, 9])
def test_at_the_threshold_zero_and_the_jump_cost_the_same(depth):
    omega = 0.3
    s = lowrank.shrinkage_threshold(omega, depth)
    u = (depth - 2) / (depth - 1) * s
    assert (s - u) ** 2 / 2 + omega / 2 * depth * u ** (2 / depth) == pytest.approx(s**2 / 2, rel=1e-13)
    assert float(lowrank.shrunk_strength(1.000001 * s, omega, depth)) == pytest.approx(u, rel=1e-4)
    assert float(lowrank.shrunk_strength(0.999999 * s, omega, depth)) == 0


@pytest.mark.parametrize(("ensemble", "share"), [("gaussian", 25.53), ("uniform", 25.68), ("orthogonal", 32.0)])
def test_ranks_of_random_products(ensemble, share):
    """Means over draws lie within four standard errors of those of another stream; orthogonal layers keep the rank."""
    ranks = lowrank.random_product_ranks(ensemble, 32, [1, 4], draws=60, rng=np.random.default_rng(13))
    assert ranks.shape == (2, 60)
    assert ranks[0].mean() == pytest.approx(share, abs=4 * 0.35 / np.sqrt(60))
    assert ranks[1].mean() == pytest.approx(32 if ensemble == "orthogonal" else 15.7, abs=4 * 0.6 / np.sqrt(60))
    long = lowrank.random_product_ranks("gaussian", 1, [1000], draws=2, rng=np.random.default_rng(14))
    assert np.allclose(long, 1)


# -- mistakes


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="no effective rank"):
        lowrank.effective_rank(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="no stable rank"):
        lowrank.stable_rank(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="none of them negative"):
        lowrank.rank_of_spectrum([1.0, -1.0])
    with pytest.raises(ValueError, match=r"\(\.\.\., m, n\)"):
        lowrank.effective_rank([1.0, 2.0])
    with pytest.raises(ValueError, match="the shape"):
        lowrank.end_to_end_velocity(np.ones((2, 3)), np.ones((3, 2)), 2)
    with pytest.raises(ValueError, match="between 0 and 1"):
        lowrank.lagging_strength(1.0, 1.5, 0.1, 3)
    with pytest.raises(ValueError, match="at least u0"):
        lowrank.lagging_strength(0.01, 0.5, 0.1, 3)
    with pytest.raises(ValueError, match="broadcast"):
        lowrank.lagging_strength([1.0, 2.0], [0.1, 0.2, 0.3], 0.1, 3)
    with pytest.raises(ValueError, match="ensemble must be"):
        lowrank.random_product_ranks("cauchy", 3, [1], draws=2, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="increase strictly"):
        lowrank.random_product_ranks("gaussian", 3, [2, 1], draws=2, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="list of integers"):
        lowrank.random_product_ranks("gaussian", 3, 5, draws=2, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="negative"):
        lowrank.shrunk_strength(-1.0, 0.1, 3)
