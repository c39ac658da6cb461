"""Gibbs sampling: each layer's Gaussian against gradient and Hessian, energies against exact ones, ridge regression."""

import numpy as np
import pytest

from dlnlib import Moments, hessian, initialise, network, slt
from dlnlib.slt import _gibbs

XX = np.array([[2.0, 0.3, 0.0], [0.3, 1.0, 0.1], [0.0, 0.1, 0.5]])
TASK = Moments.from_teacher([[1.0, -0.5, 0.3], [0.2, 0.7, 0.0]], XX, noise=0.2)


def rng(seed=0):
    return np.random.default_rng(seed)


def random_network(widths, seed=0, scale=0.7):
    return initialise.gaussian(widths, rng=rng(seed), scale=scale)


def mean_and_error(draws):
    """Return the mean of n_beta K and its standard error, by arviz's effective size."""
    found = slt.estimate(draws, reference=draws.posterior.least_loss)
    return found.value, found.standard_error


# -- limits


def test_without_data_it_is_the_prior():
    posterior = slt.Posterior(TASK, random_network((3, 2, 2)), 0.0, localisation=4.0)
    draws = slt.gibbs(posterior, 12, 4000, rng=rng())
    for W, centre in zip(draws.weights, posterior.centre, strict=True):
        assert np.abs(W.mean(axis=0) - centre).max() < 5 * 0.5 / np.sqrt(4000)
        assert np.allclose(W.var(axis=0), 0.25, rtol=0.12)
    prior = slt.Posterior.with_prior(TASK, (3, 2, 2), 0.0, precision=4.0)
    excess = slt.gibbs(prior, 12, 4000, rng=rng(1)).excess
    # 1/2 E tr (W - A) xx (W - A)^T, with E W^T W = d_out d_hidden/gamma^2
    A = TASK.optimum()
    assert excess.mean() == pytest.approx(0.5 * (2 * 2 / 16 * np.trace(XX) + np.trace(A @ XX @ A.T)), rel=0.02)


def test_the_cold_sits_at_the_minimum():
    draws = slt.gibbs(slt.Posterior(TASK, initialise.from_product(TASK.optimum(), (3, 2, 2)), 1e12), 20, 4, rng=rng())
    assert draws.excess.max() < 1e-10
    assert np.allclose(draws.mean_map, TASK.optimum(), atol=1e-5)
    assert np.allclose(draws.loss, TASK.irreducible_loss())


def test_one_layer_is_ridge_regression():
    """Mean (nb A xx + gamma C)(nb xx + gamma)^-1, and an energy that is half the degrees of freedom and the shrinkage."""
    nb, gamma = 5.0, 2.0
    C = np.ones((2, 3))
    draws = slt.gibbs(slt.Posterior(TASK, (C,), nb, gamma), 3000, 8, rng=rng(), burn=0)
    inverse = np.linalg.inv(nb * XX + gamma * np.eye(3))
    ridge = (nb * TASK.yx + gamma * C) @ inverse
    assert np.abs(draws.mean_map - ridge).max() < 5 * np.sqrt(inverse.max() / draws.excess.size)
    off = ridge - TASK.optimum()
    exact = 0.5 * nb * (2 * np.trace(XX @ inverse) + np.trace(off @ XX @ off.T))
    value, error = mean_and_error(draws)
    assert abs(value - exact) < 4 * error < 0.02 * exact


def test_inputs_that_never_vary():
    flat = Moments.from_teacher([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], np.diag([1.0, 2.0, 0.0]))
    draws = slt.gibbs(slt.Posterior(flat, (flat.optimum(),), 1e6), 500, 8, rng=rng())
    assert slt.estimate(draws).value == pytest.approx(2.0, abs=0.12)


# -- invariants


def test_the_same_seed_gives_the_same_draws():
    posterior = slt.Posterior(TASK, random_network((3, 2, 2)), 10.0)
    one, other = (slt.gibbs(posterior, 15, 3, rng=rng(7)) for _ in range(2))
    assert np.array_equal(one.excess, other.excess)
    assert one.excess.shape == (10, 3)
    assert [W.shape for W in one.weights] == [(3, 2, 3), (3, 2, 2)]
    assert slt.gibbs(posterior, 15, 3, rng=rng(7), burn=2).excess.shape == (13, 3)


def test_the_record_is_of_the_draws():
    posterior = slt.Posterior(TASK, random_network((3, 2, 2)), 10.0)
    draws = slt.gibbs(posterior, 15, 3, rng=rng(7))
    assert np.allclose(network.loss(draws.weights, TASK), draws.loss[-1], rtol=1e-12)
    assert draws.method == "gibbs"
    assert draws.step is draws.tilt is draws.acceptance is None


def test_a_posterior_keeps_its_own_centre():
    W = np.ones((2, 3))
    posterior = slt.Posterior(TASK, (W,), 1.0)
    W[:] = 7.0
    assert np.array_equal(posterior.centre[0], np.ones((2, 3)))
    with pytest.raises(ValueError, match="read-only"):
        posterior.centre[0][0, 0] = 3.0
    assert posterior.widths == (3, 2)
    assert posterior.n_parameters == 6
    assert posterior.centre_excess + posterior.least_loss == pytest.approx(float(network.loss((np.ones((2, 3)),), TASK)))
    narrow = slt.Posterior.with_prior(TASK, (3, 1, 2), 1.0)
    assert narrow.best_excess == pytest.approx(TASK.irreducible_loss(1) - TASK.irreducible_loss())
    assert posterior.best_excess == 0


# -- two roads


@pytest.mark.parametrize("widths", [(3, 2), (3, 4, 2), (3, 2, 3, 2)])
def test_the_gaussian_of_a_layer_by_gradient_and_hessian(widths):
    nb, gamma, count = 3.0, 0.7, 20_000
    layers, centre = random_network(widths, 1), random_network(widths, 2)
    H, slopes = hessian.hessian(layers, TASK), network.gradients(layers, TASK)
    start = 0
    for i, W in enumerate(layers):
        block = nb * H[start : start + W.size, start : start + W.size] + gamma * np.eye(W.size)
        start += W.size
        pull = nb * slopes[i] + gamma * (W - centre[i])
        mean = W - np.linalg.solve(block, pull.ravel()).reshape(W.shape)
        B = network.product(layers[i + 1 :])[None, None] if i + 1 < len(layers) else None
        C = network.product(layers[:i])[None, None] if i else None
        xx = XX[None, None]
        drawn = _gibbs._draw_layer(
            B, C, xx, TASK.yx[None, None], np.linalg.eigh(xx), nb, gamma, centre[i], (1, count, *W.shape), rng(i)
        )[0].reshape(count, -1)
        covariance = np.linalg.inv(block)
        spread = np.sqrt(np.diagonal(covariance))
        assert np.all(np.abs(drawn.mean(axis=0) - mean.ravel()) < 5 * spread / np.sqrt(count))
        assert np.allclose(np.cov(drawn.T), covariance, atol=5 * np.sqrt(2 / count) * spread.max() ** 2)


def test_energies_of_two_layers_are_exact():
    """Zero teacher: the Pfaffian, at several temperatures and precisions that are sampled together."""
    zero = Moments.white(np.zeros((3, 3)))
    settings = [(1.0, 1.0), (30.0, 1.0), (1000.0, 1.0), (30.0, 2.0)]
    draws = slt.gibbs([slt.Posterior.with_prior(zero, (3, 2, 3), nb, g) for nb, g in settings], 1200, 24, rng=rng(3))
    for run, (nb, gamma) in zip(draws, settings, strict=True):
        value, error = mean_and_error(run)
        exact = float(slt.two_layer_energy((3, 2, 3), nb, gamma))
        assert abs(value - exact) < 4 * error < 0.06 * exact


def test_energies_by_averaging_over_the_prior():
    """Three layers, a teacher, correlated inputs: importance weights of draws from the prior."""
    nb = 2.0
    posterior = slt.Posterior.with_prior(TASK, (3, 2, 2, 2), nb)
    layers = initialise.gaussian((3, 2, 2, 2), rng=rng(4), batch=(200_000,))
    layers = tuple(W * np.sqrt(W.shape[-1]) for W in layers)  # of variance one
    assert np.var(layers[0]) == pytest.approx(1.0, rel=0.02)
    K = network.loss(layers, TASK) - TASK.irreducible_loss()
    weight = np.exp(-nb * K)
    exact = nb * np.sum(weight * K) / np.sum(weight)
    error = nb * np.sqrt(np.sum(weight**2 * (K - exact / nb) ** 2)) / np.sum(weight)
    value, mine = mean_and_error(slt.gibbs(posterior, 1500, 24, rng=rng(5)))
    assert abs(value - exact) < 4 * np.hypot(error, mine) < 0.06 * exact


def test_together_or_one_at_a_time():
    other = Moments.white([[0.5, 0.0, 0.0], [0.0, 0.0, 1.0]], noise=0.1)
    posteriors = [
        slt.Posterior(TASK, random_network((3, 2, 2), 1), 20.0, 1.0),
        slt.Posterior(other, random_network((3, 2, 2), 2), 5.0, 3.0),
    ]
    together = slt.gibbs(posteriors, 1000, 16, rng=rng(6))
    for posterior, run in zip(posteriors, together, strict=True):
        assert run.posterior is posterior
        (a, s), (b, t) = mean_and_error(run), mean_and_error(slt.gibbs(posterior, 1000, 16, rng=rng(7)))
        assert abs(a - b) < 4 * np.hypot(s, t) < 0.15 * a
        assert np.allclose(run.mean_map, slt.gibbs(posterior, 1000, 16, rng=rng(8)).mean_map, atol=0.12)


# -- mistakes


def test_mistakes():
    good = slt.Posterior(TASK, random_network((3, 2, 2)), 10.0)
    for posterior, match in (
        (TASK, "must be a slt.Posterior or a list of them, got Moments"),
        ([TASK], "posterior must be a slt.Posterior, got Moments"),
        ([], "posterior is an empty list"),
        ([good, slt.Posterior(TASK, random_network((3, 2)), 10.0)], r"need equal widths, got \(3, 2, 2\) and \(3, 2\)"),
    ):
        with pytest.raises(ValueError, match=match):
            slt.gibbs(posterior, 20, 2, rng=rng())
    with pytest.raises(ValueError, match="n_sweeps must be at least 12"):
        slt.gibbs(good, 11, 2, rng=rng())
    with pytest.raises(ValueError, match="n_sweeps = 20 leaves 5 after burn = 15; at least 8"):
        slt.gibbs(good, 20, 2, rng=rng(), burn=15)
    with pytest.raises(ValueError, match="rng must be a numpy Generator"):
        slt.gibbs(good, 20, 2, rng=0)
    with pytest.raises(ValueError, match="overflow"):
        slt.gibbs(slt.Posterior.with_prior(TASK, (3, 2, 2, 2), 0.0, 1e-250), 20, 2, rng=rng())


def test_posteriors_that_cannot_be():
    with pytest.raises(ValueError, match=r"centre must be one network, got batch axes \(2,\)"):
        slt.Posterior(TASK, initialise.gaussian((3, 2), rng=rng(), batch=(2,)), 1.0)
    with pytest.raises(ValueError, match="W_1 takes 2 inputs, the moments have d_in = 3"):
        slt.Posterior(TASK, (np.eye(2),), 1.0)
    with pytest.raises(ValueError, match="n_beta must not be negative"):
        slt.Posterior(TASK, (np.ones((2, 3)),), -1.0)
    with pytest.raises(ValueError, match="localisation must be positive"):
        slt.Posterior(TASK, (np.ones((2, 3)),), 1.0, 0.0)
    with pytest.raises(ValueError, match="do not fit moments"):
        slt.Posterior.with_prior(TASK, (2, 2), 1.0)
    with pytest.raises(ValueError, match="the loss at the centre overflows"):
        slt.Posterior(TASK, (np.full((2, 3), 1e200),), 1.0).centre_excess
    with pytest.raises(ValueError, match="n must be at least 3"):
        slt.wbic_temperature(2)
    with pytest.raises(ValueError, match="n must be at most 1e.18"):
        slt.wbic_temperature(10**400)
    assert slt.wbic_temperature(10_000) == pytest.approx(10_000 / np.log(10_000))
