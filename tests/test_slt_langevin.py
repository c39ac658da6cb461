"""Langevin chains: what a step does to a Gaussian and to any potential, mini-batches, MALA without bias, SGLD against Gibbs."""

import itertools

import numpy as np
import pytest

from dlnlib import Moments, hessian, initialise, network, slt
from dlnlib.slt import _batches, _potential, _steps

XX = np.array([[2.0, 0.3, 0.0], [0.3, 1.0, 0.1], [0.0, 0.1, 0.5]])
TASK = Moments.from_teacher([[1.0, -0.5, 0.3], [0.2, 0.7, 0.0]], XX, noise=0.2)


def rng(seed=0):
    return np.random.default_rng(seed)


def trained(widths, strengths, n=10_000):
    """Return the posterior round a balanced network that has learnt a teacher with these singular values."""
    A = np.zeros((widths[-1], widths[0]))
    A[range(len(strengths)), range(len(strengths))] = strengths
    return slt.Posterior(Moments.white(A), initialise.from_product(A, widths), slt.wbic_temperature(n))


def one_layer(nb=5.0, gamma=2.0, centre=1.0):
    return slt.Posterior(TASK, (np.full((2, 3), centre),), nb, gamma)


def batch_of(posterior, count, seed=0, scale=0.5):
    g = rng(seed)
    return tuple(c + scale * g.standard_normal((count, *c.shape)) for c in posterior.layers)


# -- limits


@pytest.mark.parametrize("share", [0.1, 1.0, 3.0])
def test_stationary_variance_of_a_gaussian(share):
    """One layer is quadratic: along curvature h the variance is 1/(h (1 - step h/4)), at any stable step (`eq-step-bias`)."""
    posterior, chains = one_layer(), 4000
    h, V = np.linalg.eigh(5.0 * XX + 2.0 * np.eye(3))
    step = share / h[-1]
    n_steps = int(np.ceil(12 / (step * h[0]))) + 12
    draws = slt.sgld(posterior, n_steps, chains, rng=rng(1), step=step, burn=n_steps - 8, thin=1)
    along = draws.weights[0] @ V
    exact = 1 / (h * (1 - step * h / 4))
    assert np.allclose(along.var(axis=0).mean(axis=0), exact, rtol=4 * np.sqrt(1 / chains))
    ridge = (5.0 * TASK.yx + 2.0) @ np.linalg.inv(5.0 * XX + 2.0 * np.eye(3))
    assert np.abs(along.mean(axis=0) - ridge @ V).max() < 5 * np.sqrt(exact.max() / chains)


def test_the_step_rule_is_that_variance():
    for bias in (0.01, 0.5):
        step = slt.step_rule(8.0, bias)
        assert 1 / (1 - step * 8.0 / 4) == pytest.approx(1 / (1 - bias))
    assert slt.step_rule(8.0) == pytest.approx(0.08 / 8)


def test_step_bias_of_a_gaussian_is_predicted():
    """To first order each direction adds step h/8 of its share nb x/h to the energy; measured where it is already too wide."""
    posterior = one_layer(centre=0.0)
    values = np.linalg.eigvalsh(XX)
    h = 5.0 * values + 2.0
    step = 0.2 / h[-1]
    found = slt.estimate(slt.sgld(posterior, 6000, 100, rng=rng(2), step=step), reference=TASK.irreducible_loss())
    first_order = 2 * np.sum(step / 8 * 5.0 * values)
    assert found.step_bias == pytest.approx(2 * np.sum(step / 8 * 5.0 * values / (1 - step * h / 4) ** 2), rel=0.03)
    assert first_order < found.step_bias < 1.15 * first_order


def test_step_and_chains_at_a_centre_of_zeros():
    """The curvature there is the prior's alone, and the step has to find what the chains will meet."""
    zero = Moments.white(np.zeros((3, 3)))
    posterior = slt.Posterior.with_prior(zero, (3, 2, 3), 100.0)
    assert slt.largest_curvature(posterior) == pytest.approx(1.0)
    found = slt.estimate(slt.sgld(posterior, 6000, 32, rng=rng(3)))
    exact = float(slt.two_layer_energy((3, 2, 3), 100.0))
    assert abs(found.value - exact) < 3 * found.error < 0.15 * exact


# -- invariants


def test_shapes_and_seeds():
    posterior = trained((2, 1, 2), [2.0, 0.0])
    for sampler in (slt.sgld, slt.mala):
        one, other = (sampler(posterior, 60, 3, rng=rng(4), thin=4, burn=21) for _ in range(2))
        assert np.array_equal(one.excess, other.excess)
        assert one.excess.shape == (9, 3)
        assert one.method == sampler.__name__
        last = sampler(posterior, 40, 3, rng=rng(4), thin=1)
        assert np.allclose(network.loss(last.weights, posterior.moments), last.loss[-1], rtol=1e-9)
    assert slt.sgld(posterior, 60, 3, rng=rng(4), step=1e-5, thin=1).step == 1e-5


def test_slopes_curvature_and_potential_are_of_one_function():
    posterior = slt.Posterior(TASK, initialise.gaussian((3, 2, 4, 2), rng=rng(5)), 3.0, 0.7)
    layers = batch_of(posterior, 4, seed=6)
    count = posterior.n_parameters
    slopes, potential = _potential.slopes_of(posterior, layers), _potential.potential_of(posterior, layers)
    laplacian = _potential.laplacian_of(posterior, layers)
    run = _steps.Run.of(100, 4, None, 1)
    steps = _steps.Steps(posterior, run, None, rng(7))
    for _ in range(20):
        top = steps._curvature(layers)
    for i in range(4):
        w = tuple(W[i] for W in layers)
        away = network.flatten(w) - network.flatten(posterior.layers)
        U = 3.0 * (network.loss(w, TASK) - TASK.irreducible_loss()) + 0.35 * away @ away
        assert potential[i] == pytest.approx(U, rel=1e-12)
        gradient = 3.0 * network.flatten(network.gradients(w, TASK)) + 0.7 * away
        assert np.allclose(network.flatten(tuple(g[i] for g in slopes)), gradient, rtol=1e-11)
        H = 3.0 * hessian.hessian(w, TASK) + 0.7 * np.eye(count)
        assert laplacian[i] == pytest.approx(np.trace(H), rel=1e-12)
        assert top[i] == pytest.approx(np.abs(np.linalg.eigvalsh(H)).max(), rel=1e-3)
    centre = 3.0 * np.linalg.eigvalsh(hessian.hessian(posterior.layers, TASK))[-1] + 0.7
    assert slt.largest_curvature(posterior) == pytest.approx(centre, rel=1e-12)


def test_the_step_ends_at_the_chains_own_curvature():
    """Fixed half-way through the burn-in, at 0.1 over the median of the last rounds, below 1 over the stiffest."""
    posterior = trained((3, 2, 3), [2.0, 2.0])
    run = _steps.Run.of(2000, 16, 667, 10)
    steps = _steps.Steps(posterior, run, None, rng(8))
    layers = batch_of(posterior, 16, seed=9, scale=1e-3)
    taken = [steps.at(k, layers) for k in range(400)]
    assert len(set(taken[run.forget // 2 :])) == 1
    assert all(b <= 2 * a for a, b in itertools.pairwise(taken))
    h = slt.largest_curvature(posterior)
    assert taken[-1] * h == pytest.approx(0.08, rel=0.02)
    assert len(steps.found) == 22  # every 16 steps, and at the last, 333
    # While the chains spread, the last step is of the later half of what was found.
    steps = _steps.Steps(posterior, run, None, rng(8))
    for k in range(334):
        last = steps.at(k, tuple(W * (1 + k / 1000) for W in layers))
    middles = [middle for middle, _ in steps.found]
    assert middles[-1] > 1.2 * middles[11]
    assert last == pytest.approx(0.08 / np.mean(middles[11:]), rel=1e-12)
    # One chain in a stiff place: the step is stable there, whatever the others allow.
    stiff = tuple(np.where(np.arange(16)[:, None, None] == 0, 20 * W, W) for W in layers)
    steps = _steps.Steps(posterior, run, None, rng(8))
    for k in range(334):
        last = steps.at(k, stiff)
    assert last * steps._curvature(stiff)[0] == pytest.approx(1.0, rel=0.05)


# -- two roads


def test_tilt_of_any_potential():
    """Euler's chain keeps exp(-U - step/4 Laplacian + step/8 |grad|^2): what it changes in a step is of third order.

    A network of two weights; integrals over both by the trapezium rule, over the noise by Gauss and Hermite.
    """
    posterior = slt.Posterior(Moments.from_teacher([[1.0]], [[1.3]]), ([[0.8]], [[0.5]]), 2.0, 1.5)
    axis = np.linspace(-6, 6, 121)
    w1, w2 = (grid.reshape(-1, 1, 1) for grid in np.meshgrid(axis, axis))
    layers = (w1, w2)
    U = _potential.potential_of(posterior, layers)
    slopes = _potential.slopes_of(posterior, layers)
    nodes, weights = np.polynomial.hermite_e.hermegauss(8)
    weights = weights / weights.sum()
    functions = [lambda x, y: x * x, lambda x, y: x * y, lambda x, y: x**4, lambda x, y: x * x * y * y + y**3]

    def drift(step, tilted):
        record = _steps.Record(posterior, _steps.Run(8, len(U), 0, 1))
        record.keep(0, layers, step)
        density = np.exp(-U - (record.tilt[0] if tilted else 0.0))
        density /= density.sum()
        changes = np.zeros(len(functions))
        for (a, p), (b, q) in itertools.product(zip(nodes, weights, strict=True), repeat=2):
            new = [W - 0.5 * step * g + np.sqrt(step) * e for W, g, e in zip(layers, slopes, (a, b), strict=True)]
            for i, f in enumerate(functions):
                changes[i] += p * q * np.sum(density * (f(*new) - f(*layers))[:, 0, 0])
        return changes

    plain = drift(0.02, False) / drift(0.01, False)
    tilted = drift(0.02, True) / drift(0.01, True)
    assert np.all(np.abs(plain - 4) < 0.5)
    assert np.all(np.abs(tilted - 8) < 1.0)
    assert np.all(np.abs(drift(0.01, True)) < 0.2 * np.abs(drift(0.01, False)))


def samples(n, scales=(1.0, 0.7, 0.5)):
    g = rng(0)
    X = g.standard_normal((n, 3)) * scales
    return X, X @ g.standard_normal((2, 3)).T + g.standard_normal((n, 2))


def test_heat_of_mini_batches_sample_by_sample():
    X, Y = samples(30)
    moments = Moments.from_data(X, Y)
    layers = initialise.gaussian((3, 4, 3, 2), rng=rng(1))
    posterior = slt.Posterior(moments, layers, 7.0)
    each = [network.flatten(network.gradients(layers, Moments.from_data(x[None], y[None]))) for x, y in zip(X, Y, strict=True)]
    batches = _batches.as_batches(posterior, (X, Y), 5)
    trace = np.trace(np.cov(np.array(each).T, bias=True))
    twice = tuple(np.stack([W, W]) for W in layers)
    assert batches.heat(posterior, twice, 0.3) == pytest.approx(0.3 / 8 * 7.0**2 * trace / 5, rel=1e-10)
    # and such is the noise of what a batch tells
    drawn = batches.draw(20_000, rng(2))
    noisy = _potential.slopes_of(posterior, tuple(np.repeat(W[None], 20_000, axis=0) for W in layers), drawn)
    assert np.sum([g.var(axis=0).sum() for g in noisy]) == pytest.approx(7.0**2 * trace / 5, rel=0.03)
    exact = _potential.slopes_of(posterior, tuple(W[None] for W in layers))
    for g, h in zip(noisy, exact, strict=True):
        assert np.all(np.abs(g.mean(axis=0) - h[0]) < 5 * g.std(axis=0) / np.sqrt(20_000))


def test_heat_predicts_the_rise_of_the_energy():
    X, Y = samples(400, np.ones(3))
    moments = Moments.from_data(X, Y)
    posterior = slt.Posterior(moments, (moments.optimum(),), 400.0)
    step = slt.step_rule(slt.largest_curvature(posterior), 0.01)
    draws = slt.sgld(posterior, 5000, 60, rng=rng(3), step=step, data=(X, Y), batch_size=16)
    inverse = np.linalg.inv(400.0 * moments.xx + np.eye(3))
    exact = 0.5 * 400.0 * 2 * np.trace(moments.xx @ inverse)
    with pytest.warns(slt.EstimateWarning, match="larger batches"):
        found = slt.estimate(draws)
    rise = found.value - exact
    assert rise > 15 * found.standard_error
    assert found.step_bias == pytest.approx(rise, abs=0.1 * rise + 3 * found.standard_error)
    assert draws.batch_heat == pytest.approx(found.step_bias, rel=0.2)
    # the variance of the loss rises twice as much
    with pytest.warns(slt.EstimateWarning):
        wide = slt.fluctuation(draws)
    assert wide.step_bias == pytest.approx(2 * found.step_bias, rel=0.2)
    assert abs(wide.value - wide.step_bias - exact) < 0.4 * wide.step_bias + 3 * wide.standard_error


def test_heat_of_chains_that_start_at_zero():
    """At weights of zero a batch makes no noise: it is met where the chains go."""
    X, Y = samples(100)
    posterior = slt.Posterior.with_prior(Moments.from_data(X, Y), (3, 2, 2), 50.0)
    draws = slt.sgld(posterior, 600, 8, rng=rng(4), data=(X, Y), batch_size=4)
    batches = _batches.as_batches(posterior, (X, Y), 4)
    zeros = tuple(np.zeros((1, *W.shape)) for W in posterior.layers)
    assert batches.heat(posterior, zeros, draws.step) == 0
    assert draws.batch_heat == pytest.approx(batches.heat(posterior, draws.weights, draws.step), rel=1e-12)
    assert draws.batch_heat > 0.01


def test_the_step_makes_room_for_the_noise_of_batches():
    """Step and batches together bias a regression as much as the step alone, by about 2 %, whatever the batches."""
    X, Y = samples(100)
    moments = Moments.from_data(X, Y)
    posterior = slt.Posterior(moments, [moments.optimum()], 50.0)
    full, *parts = (
        slt.sgld(posterior, 600, 4, rng=rng(5), **more) for more in ({}, *({"data": (X, Y), "batch_size": b} for b in (50, 5)))
    )
    for b, draws in zip((50, 5), parts, strict=True):
        assert draws.step * (1 + 50 / b) == pytest.approx(full.step, rel=1e-3)


def test_mala_has_no_bias():
    """Against exact energies, where SGLD with a step of its size would be far off; the step finds its rate."""
    zero = Moments.white(np.zeros((2, 2)))
    exact = float(slt.two_layer_energy((2, 2, 2), 50.0))
    draws = slt.mala(slt.Posterior.with_prior(zero, (2, 2, 2), 50.0), 6000, 64, rng=rng(4), thin=5)
    found = slt.estimate(draws)
    assert abs(found.value - exact) < 3.5 * found.standard_error < 0.1 * exact
    assert 0.4 < draws.acceptance < 0.7
    assert found.step_bias == 0
    ridge = one_layer(centre=0.0)
    draws = slt.mala(ridge, 3000, 64, rng=rng(5), step=1.5 / slt.largest_curvature(ridge), thin=2)
    inverse = np.linalg.inv(5.0 * XX + 2.0 * np.eye(3))
    mean = 5.0 * TASK.yx @ inverse
    off = mean - TASK.optimum()
    exact = 2.5 * (2 * np.trace(XX @ inverse) + np.trace(off @ XX @ off.T))
    found = slt.estimate(draws, TASK.irreducible_loss())
    assert abs(found.value - exact) < 3.5 * found.standard_error < 0.05 * exact
    assert np.allclose(draws.mean_map, mean, atol=0.03)


@pytest.mark.parametrize(
    ("widths", "strengths"),
    [((2, 2, 2), [2.0, 2.0]), ((3, 2, 3), [2.0, 1.0, 0.0]), ((2, 2, 2, 2), [2.0, 2.0]), ((3, 1, 2), [2.0, 0.0])],
)
def test_sgld_with_its_own_step_agrees_with_gibbs(widths, strengths):
    posterior = trained(widths, strengths)
    assert slt.learning_coefficient(widths, np.count_nonzero(strengths)).multiplicity == 1
    langevin = slt.estimate(slt.sgld(posterior, 8000, 48, rng=rng(6)))
    exact = slt.estimate(slt.gibbs(posterior, 1500, 48, rng=rng(7)))
    assert langevin.value == pytest.approx(exact.value, rel=0.05)
    assert abs(langevin.value - exact.value) < 3 * np.hypot(langevin.error, exact.error)
    assert 0 < langevin.step_bias < 0.03 * langevin.value
    assert abs(langevin.corrected - exact.value) < 3.5 * np.hypot(langevin.standard_error, exact.standard_error)


# -- mistakes


def test_steps_that_cannot_be_stable():
    posterior = trained((2, 2, 2), [2.0, 2.0])
    h = slt.largest_curvature(posterior)
    with pytest.raises(
        ValueError, match=f"step = {5 / h:g} is too large.*diverge from 4/curvature = {4 / h:.3g}.*at most {0.08 / h:.2g}"
    ):
        slt.sgld(posterior, 200, 2, rng=rng(), step=5 / h)
    with pytest.raises(ValueError, match="the chains left float64.*take a tenth of step = "):
        slt.sgld(posterior, 400, 2, rng=rng(), step=3.9 / h)
    for bad, match in ((0.0, "step must be positive"), (np.nan, "step holds NaN")):
        for sampler in (slt.sgld, slt.mala):
            with pytest.raises(ValueError, match=match):
                sampler(posterior, 200, 2, rng=rng(), step=bad)
    with pytest.raises(ValueError, match="bias must be below 1"):
        slt.step_rule(1.0, 1.0)
    with pytest.raises(ValueError, match="the step overflows"):
        slt.step_rule(1e-320)


def test_data_that_are_not_the_posteriors():
    X, Y = samples(20)
    posterior = slt.Posterior(Moments.from_data(X, Y), (np.zeros((2, 3)),), 5.0)
    for given, match in (
        ({"data": (X, Y)}, "give data and batch_size together"),
        ({"batch_size": 3}, "give data and batch_size together"),
        ({"data": X[0, 0], "batch_size": 3}, r"data must be a pair \(X, Y\)"),
        ({"data": (X, Y, Y), "batch_size": 3}, r"data must be a pair \(X, Y\)"),
        ({"data": (X[:5], Y[:5]), "batch_size": 3}, "moments are not those of data"),
        ({"data": (X, 2 * Y), "batch_size": 3}, "moments are not those of data"),
        ({"data": (X[:, :2], Y), "batch_size": 3}, "moments are not those of data"),
        ({"data": (X, Y), "batch_size": 0}, "batch_size must be at least 1"),
        ({"data": (X, Y[:5]), "batch_size": 3}, "X has 20 rows and Y has 5"),
    ):
        with pytest.raises(ValueError, match=match):
            slt.sgld(posterior, 100, 2, rng=rng(), **given)


def test_runs_that_are_too_short():
    posterior = one_layer()
    for sampler in (slt.sgld, slt.mala):
        with pytest.raises(ValueError, match="n_steps = 90 after burn = 30 leaves fewer than 8 draws at thin = 10"):
            sampler(posterior, 90, 2, rng=rng())
        with pytest.raises(ValueError, match="n_steps must be at least 12"):
            sampler(posterior, 5, 2, rng=rng())
        with pytest.raises(ValueError, match="posterior must be a slt.Posterior, got Moments"):
            sampler(TASK, 100, 2, rng=rng())
    with pytest.raises(ValueError, match="posterior must be a slt.Posterior"):
        slt.largest_curvature(None)
