"""Estimates from draws with known answers, honest error bars, every warning once; minima, saddles and what lies between."""

import re
import warnings
from dataclasses import replace

import numpy as np
import pytest

from dlnlib import Moments, hessian, initialise, network, simulate, slt

WHITE = Moments.white(np.diag([2.0, 1.0]), noise=0.5)
TEACHER = np.diag([4.0, 2.0, 1.0])


def rng(seed=0):
    return np.random.default_rng(seed)


def posterior(n_beta=100.0, moments=WHITE, widths=(2, 2, 2)):
    return slt.Posterior(moments, initialise.from_product(moments.optimum(min(widths)), widths), n_beta)


def synthetic(scaled, n_beta=100.0, **given):
    """Return draws with these values of n_beta K, (n_draws, n_chains)."""
    one = given.pop("posterior", posterior(n_beta))
    return slt.Draws(one, np.asarray(scaled) / one.n_beta, np.zeros((2, 2)), one.layers, "gibbs", **given)


def gammas(shape, size=(500, 8), seed=0):
    """Return draws of n_beta K as a minimum with this learning coefficient has them: a Gamma law, mean and variance lambda."""
    return rng(seed).gamma(shape, size=size)


def what_it_says(function, *arguments):
    """Return the estimate and the texts of its warnings, all of which point to this file."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = function(*arguments)
    assert {w.category for w in caught} <= {slt.EstimateWarning}
    assert {w.filename for w in caught} <= {__file__}
    said = tuple(str(w.message) for w in caught)
    assert found.warnings == said
    return found, said


# -- limits: known answers


def test_mean_and_variance_of_a_gamma_law():
    values = gammas(1.5)
    found = slt.estimate(synthetic(values))
    assert found.value == float(found) == pytest.approx(values.mean(), rel=1e-12)
    assert found.standard_error == pytest.approx(np.sqrt(1.5 / values.size), rel=0.15)
    assert found.error == found.standard_error
    assert found.corrected == found.value
    assert found.warnings == ()
    assert found.effective <= values.size
    assert slt.fluctuation(synthetic(values)).value == pytest.approx(values.var(ddof=1), rel=1e-12)
    assert slt.fluctuation(synthetic(values + 1000.0)).value == pytest.approx(values.var(ddof=1), rel=1e-9)


def test_reference_is_the_loss_of_the_point():
    values = gammas(1.5)
    shifted = slt.estimate(synthetic(values), reference=WHITE.irreducible_loss() + 0.01)
    assert shifted.value == pytest.approx(values.mean() - 1.0, rel=1e-9)
    network_loss = float(network.loss(posterior().layers, WHITE))
    assert slt.estimate(synthetic(values), network_loss).value == pytest.approx(values.mean(), rel=1e-9)


def test_two_temperatures_need_no_reference():
    """Mean losses c + lambda/n_beta give lambda, whatever c."""
    hot, cold = gammas(1.5, seed=1), gammas(1.5, seed=2)
    c = 0.3
    found = slt.two_temperatures(synthetic(hot + 50 * c, 50.0), synthetic(cold + 100 * c, 100.0))
    value = (hot.mean() / 50 - cold.mean() / 100) / (1 / 50 - 1 / 100)
    assert found.value == pytest.approx(value, rel=1e-9)
    exact = np.sqrt((1 / 50) ** 2 + (1 / 100) ** 2) * 100 * np.sqrt(1.5 / hot.size)
    assert found.standard_error == pytest.approx(exact, rel=0.15)
    assert found.acceptance is None
    assert found.warnings == ()


def test_step_bias_is_the_covariance_with_the_tilt():
    """A density exp(-U - tilt) with tilt = -a K has its mean of K raised by a var K, to first order."""
    values = gammas(2.0)
    heated = slt.estimate(synthetic(values, tilt=-0.01 * values, batch_heat=0.02, step=0.1))
    assert heated.step_bias == pytest.approx(0.01 * values.var() + 0.02, rel=1e-9)
    assert heated.corrected == heated.value - heated.step_bias
    assert heated.error == pytest.approx(np.hypot(heated.standard_error, heated.step_bias))
    spread = slt.fluctuation(synthetic(values, tilt=-0.01 * values, batch_heat=0.02))
    third = np.mean((values - values.mean()) ** 3)
    assert spread.step_bias == pytest.approx(0.01 * third + 0.04, rel=0.01)


def test_step_bias_of_two_temperatures():
    """Heat that is the same at both n_beta raises the two mean losses by heat/n_beta: all of it stays in the difference."""
    values = gammas(2.0)
    hot, cold = (synthetic(gammas(2.0, seed=s), nb, batch_heat=0.02) for s, nb in ((1, 50.0), (2, 100.0)))
    assert slt.two_temperatures(hot, cold).step_bias == pytest.approx(0.02, rel=1e-9)
    tilted = [replace(d, batch_heat=0.0, tilt=-0.01 * d.excess * d.posterior.n_beta) for d in (hot, cold)]
    assert slt.two_temperatures(*tilted).step_bias == pytest.approx(0.01 * values.var(), rel=0.3)
    rates = slt.two_temperatures(replace(hot, acceptance=0.6), replace(cold, acceptance=0.5))
    assert rates.acceptance == 0.5


def test_a_free_energy_of_chains_that_have_not_mixed_warns():
    weak = Moments.white(np.diag([3.0, 3.0]))
    with pytest.warns(slt.EstimateWarning, match="at one temperature or more"):
        found = slt.free_energy(weak, (2, 1, 2), [0.0, 1.0, 10.0, 100.0, 1e3, 1e4], n_sweeps=16, n_chains=8, rng=rng(0))
    assert found.r_hat > 1.05


def test_wbic_is_the_mean_of_n_losses():
    n = 50
    values = gammas(1.5)
    draws = synthetic(values, slt.wbic_temperature(n))
    exact = n * WHITE.irreducible_loss() + np.log(n) * values.mean()
    assert float(slt.wbic(draws, n)) == pytest.approx(exact, rel=1e-12)


def test_free_energy_has_the_exact_slope():
    zero = Moments.white(np.zeros((2, 2)))
    ladder = np.concatenate([[0.0], np.geomspace(0.02, 200, 19)])
    found = slt.free_energy(zero, (2, 2, 2), ladder, n_sweeps=600, n_chains=16, rng=rng(3))
    exact = slt.two_layer_free_energy((2, 2, 2), ladder)
    assert np.all(np.abs(found.energy - slt.two_layer_energy((2, 2, 2), ladder)) <= 4 * found.energy_error)
    assert np.all(np.abs(found.value - exact)[1:] <= 4 * found.value_error[1:]) and found.value_error[0] == 0
    assert np.allclose(found.value, exact, atol=0.03, rtol=0.03)
    assert found.value[0] == found.energy[0] == 0
    assert np.all(found.energy_error[1:] < 0.05) and found.r_hat < 1.02
    slope = np.polyfit(np.log(ladder[-6:]), exact[-6:], 1)[0]
    assert found.slope(ladder[-6], 200.0) == pytest.approx(slope, rel=0.04)
    # a ladder without the prior is completed, and the precision scales n_beta
    again = slt.free_energy(zero, (2, 2, 2), 4 * ladder[1:], n_sweeps=300, n_chains=16, rng=rng(4), precision=2.0)
    assert again.n_beta[0] == 0
    assert np.allclose(again.value, exact, atol=0.06, rtol=0.05)


# -- invariants


def test_error_bars_are_honest():
    """Of forty repetitions about 95 per cent lie within two standard errors of the exact energy."""
    zero = Moments.white(np.zeros((2, 2)))
    prior = slt.Posterior.with_prior(zero, (2, 1, 2), 20.0)
    exact = float(slt.two_layer_energy((2, 1, 2), 20.0))
    found = [what_it_says(slt.estimate, slt.gibbs(prior, 220, 4, rng=rng(seed)))[0] for seed in range(40)]
    off = np.array([(e.value - exact) / e.standard_error for e in found])
    assert np.mean(np.abs(off) < 2) >= 0.85
    assert 0.75 < np.sqrt(np.mean(off**2)) < 1.3


def test_error_bars_know_of_correlations():
    """An autoregression with coefficient 0.9 has 19 times fewer independent draws."""
    noise = rng(5).standard_normal((6000, 4))
    values = np.zeros_like(noise)
    for k in range(1, len(values)):
        values[k] = 0.9 * values[k - 1] + noise[k]
    found = slt.estimate(synthetic(values + 10.0))
    assert found.effective == pytest.approx(values.size / 19, rel=0.2)
    antithetic = slt.estimate(synthetic(np.tile([[1.0], [2.0]], (200, 4)) + 0.01 * gammas(1.0, (400, 4))))
    assert antithetic.effective == 1600


def test_one_chain_is_compared_with_itself():
    values = gammas(1.5, (1001, 1))
    good = slt.estimate(synthetic(values))
    assert good.r_hat == pytest.approx(1.0, abs=0.02)
    bad, said = what_it_says(slt.estimate, synthetic(values + np.arange(1001)[:, None] / 100))
    assert bad.r_hat > 1.5
    assert any("R-hat" in words for words in said)


def test_noisy_data_and_three_ways_to_centre():
    """Pure noise, centred at zero, at the fit, and without a centre: the first lacks what the data shift."""
    g = rng(6)
    X, Y = g.standard_normal((500, 3)), g.standard_normal((500, 2))
    sample = Moments.from_data(X, Y)
    exact = float(slt.learning_coefficient((3, 2)))
    fit = slt.Posterior(sample, (sample.optimum(),), 100.0, 1e-3)
    at_fit = slt.gibbs(fit, 1500, 8, rng=rng(7))
    cold = slt.gibbs(replace_n_beta(fit, 200.0), 1500, 8, rng=rng(8))
    truth = np.zeros((2, 3))
    shift = 100.0 * float(network.loss((truth,), sample) - sample.irreducible_loss())
    assert slt.estimate(at_fit).value == pytest.approx(exact, rel=0.05)
    with pytest.warns(slt.EstimateWarning, match="not the best fit"):
        at_truth = slt.estimate(slt.gibbs(slt.Posterior(sample, (truth,), 100.0, 1e-3), 1500, 8, rng=rng(7)))
    assert at_truth.value == pytest.approx(exact - shift, abs=0.1)
    assert slt.fluctuation(at_fit).value == pytest.approx(exact, rel=0.1)
    assert slt.two_temperatures(at_fit, cold).value == pytest.approx(exact, rel=0.05)


def replace_n_beta(one, n_beta):
    return slt.Posterior(one.moments, one.centre, n_beta, one.localisation)


# -- two roads


@pytest.mark.parametrize(("widths", "rank"), [((2, 2, 2), 2), ((3, 2, 3), 2), ((2, 1, 2), 1), ((3, 1, 3), 1)])
def test_local_coefficients_are_the_exact_ones(widths, rank):
    """Multiplicity one, of learnt modes as many as fit: a narrow bottleneck has its minimum at the best map of its rank."""
    moments = Moments.from_teacher(np.diag([2.0, 1.5, 1.0][: widths[0]]), np.diag([1.5, 1.0, 0.8][: widths[0]]), noise=0.1)
    weights = initialise.from_product(moments.optimum(rank), widths)
    found = slt.local_learning_coefficient(weights, moments, 10**6, rng=rng(9), n_steps=900)
    exact = slt.learning_coefficient(widths, rank)
    assert exact.multiplicity == 1
    assert abs(found.value - float(exact)) < 4 * found.standard_error < 0.06 * float(exact)


def test_three_samplers_of_one_network():
    moments = Moments.white(np.diag([2.0, 1.0]))
    weights = initialise.from_product(moments.optimum(), (2, 2, 2))
    for method, steps in (("gibbs", 600), ("sgld", 4000), ("mala", 4000)):
        found = slt.local_learning_coefficient(weights, moments, 1000, rng=rng(10), method=method, n_steps=steps)
        assert abs(found.value - 2.0) < 4 * found.error < 0.8
        assert (found.acceptance is None) == (method != "mala")


def test_a_plateau_is_a_minimum_of_the_truncated_task():
    """Same loss, no gradient, no negative curvature; and the coefficient is that of the learnt rank."""
    g = rng(11)
    Q = g.standard_normal((3, 3))
    moments = Moments.from_teacher(TEACHER + 0.3 * g.standard_normal((3, 3)), Q @ Q.T + np.eye(3), noise=0.1)
    for rank in range(4):
        weights = initialise.from_product(moments.optimum(rank), (3, 3, 3))
        small = slt.truncated_moments(moments, rank)
        assert network.loss(weights, small) == pytest.approx(float(network.loss(weights, moments)), rel=1e-9)
        assert network.loss(weights, small) == pytest.approx(small.irreducible_loss(), rel=1e-9)
        scale = np.linalg.norm(moments.yx)
        assert max(np.abs(s).max() for s in network.gradients(weights, small)) < 1e-9 * scale
        assert np.linalg.eigvalsh(hessian.hessian(weights, small))[0] > -1e-9 * scale
        assert slt.check_minimum(weights, small, 1e6) == ""
        assert slt.learned_rank(weights, moments) == rank
        if rank < 3:
            assert np.linalg.eigvalsh(hessian.hessian(weights, moments))[0] < -0.1
            with pytest.raises(ValueError, match=rf"{rank} of 3 modes are learnt.*truncated_moments\(moments, {rank}\)"):
                slt.check_minimum(weights, moments, 1e3)
    assert np.allclose(slt.truncated_moments(moments, 3).yx, moments.yx)
    assert not slt.truncated_moments(moments, 0).yx.any()


def test_along_training():
    """From small weights: saddle after saddle, on the way between them, and a minimum in the end."""
    moments = Moments.white(TEACHER)
    start = initialise.gaussian((3, 3, 3), rng=rng(12), scale=1e-6)
    path = simulate.gradient_flow(start, moments, [0.0, 3.5, 4.5, 7.0, 10.0, 15.0, 20.0])
    said = []
    for k in range(len(path.t)):
        weights = tuple(W[k] for W in path.weights)
        try:
            said.append(slt.check_minimum(weights, moments, 1000.0))
        except ValueError as error:
            said.append(str(error))
    for rank, words in enumerate(said[:-1:2]):
        assert f"{rank} of 3 modes are learnt" in words
    assert all("on their way" in words for words in said[1::2])
    assert said[-1] == ""


# -- mistakes: warnings, one by one


@pytest.mark.parametrize(
    ("draws", "match"),
    [
        (synthetic(np.cumsum(rng(0).standard_normal((100, 4)), axis=0)), "effective draws"),
        (synthetic(gammas(1.5) + np.arange(8)), "R-hat"),
        (synthetic(gammas(1.5, (200, 64)) + np.linspace(0, 5, 200)[:, None]), "second half differs"),
        (synthetic(gammas(1.5), tilt=-0.1 * gammas(1.5)), r"the step adds about 0\.1\d to 1.*smaller step"),
        (synthetic(gammas(1.5), batch_heat=0.2), "the step adds about 0.2.*larger batches"),
        (synthetic(gammas(1.5), acceptance=0.05), "acceptance is 0.05, far from the best"),
        (synthetic(gammas(1.5), acceptance=0.99), "acceptance is 0.99, far from the best"),
    ],
)
def test_warnings(draws, match):
    _, said = what_it_says(slt.estimate, draws)
    assert any(re.search(match, words) for words in said)
    _, said = what_it_says(slt.estimate, synthetic(gammas(1.5)))
    assert said == ()


def test_warnings_point_to_the_caller_for_two_temperatures():
    apart, mixed = synthetic(gammas(1.5) + np.arange(8), 50.0), synthetic(gammas(1.5), 100.0)
    _, said = what_it_says(slt.two_temperatures, apart, mixed)
    assert any("R-hat" in words for words in said)
    _, said = what_it_says(slt.two_temperatures, replace(mixed, posterior=posterior(50.0), acceptance=0.01), mixed)
    assert any("acceptance is 0.01" in words for words in said)


def test_the_variance_has_warnings_of_its_own():
    _, said = what_it_says(slt.fluctuation, synthetic(gammas(1.5), batch_heat=0.2))
    assert any("the step adds about 0.4" in words for words in said)
    _, said = what_it_says(slt.fluctuation, synthetic(gammas(1.5) + 5 * np.arange(8)))
    assert any("R-hat" in words for words in said)


def test_a_centre_beside_the_minimum_is_remarked_on():
    W = WHITE.optimum() + np.array([[np.sqrt(2 * 0.5 / 100), 0], [0, 0]])  # n_beta K = 0.5
    near = slt.Posterior(WHITE, initialise.from_product(W, (2, 2, 2)), 100.0)
    with pytest.warns(slt.EstimateWarning, match="the centre is not the best fit: n_beta times its excess loss is 0.5"):
        slt.estimate(synthetic(gammas(1.5), posterior=near))
    assert slt.check_minimum(near.layers, WHITE, 1.0) == ""


def test_saddles_are_refused_with_the_way_out():
    moments = Moments.white(TEACHER)
    one = initialise.from_product(moments.optimum(1), (3, 3, 3))
    with pytest.raises(
        ValueError, match=r"saddle, not a minimum: 1 of 3 modes are learnt.*fall by 2.5 .*-2500.*truncated_moments\(moments, 1\)"
    ):
        slt.check_minimum(one, moments, 1000.0)
    with pytest.raises(ValueError, match="saddle"):
        slt.local_learning_coefficient(one, moments, 1000, rng=rng())
    with pytest.raises(ValueError, match="saddle"):
        slt.estimate(slt.gibbs(slt.Posterior(moments, one, 1000.0), 20, 2, rng=rng()))
    other = initialise.from_product(np.diag([0.0, 2.0, 1.0]), (3, 3, 3))
    with pytest.raises(
        ValueError, match=r"not the leading ones.*Moments\(moments.xx, product\(weights\) @ moments.xx, moments.yy\)"
    ):
        slt.check_minimum(other, moments, 1000.0)
    own = Moments(moments.xx, network.product(other) @ moments.xx, moments.yy)
    assert slt.check_minimum(other, own, 1000.0) == ""
    narrow = initialise.from_product(moments.optimum(1), (3, 2, 3))
    with pytest.raises(ValueError, match="1 of 2 modes are learnt"):
        slt.check_minimum(narrow, moments, 1000.0)
    assert slt.check_minimum(initialise.from_product(moments.optimum(2), (3, 2, 3)), moments, 1e9) == ""


def test_points_on_their_way_are_told_apart():
    moments = Moments.white(TEACHER)
    W = moments.optimum()
    for off in (0.3, 2e-3):  # far away, and so near that its gradient is small: all modes are learnt, and no saddle
        with pytest.raises(ValueError, match="on their way"):
            slt.check_minimum(initialise.from_product(W + off * np.eye(3), (3, 3, 3)), moments, 1e7)


def test_inputs_that_never_vary_have_no_say():
    flat = Moments.from_teacher(np.ones((1, 4)), np.diag([1.0, 0.0, 0.0, 0.0]))
    W = flat.optimum() + np.array([[np.sqrt(2 * 0.8 / 100), 5.0, 5.0, 5.0]])
    # n_beta K = 0.8 is more than 1/2, half the entries that matter
    with pytest.raises(ValueError, match="on their way"):
        slt.check_minimum((W,), flat, 100.0)
    assert slt.check_minimum((np.array([[1.0, 9.0, 9.0, 9.0]]),), flat, 100.0) == ""
    assert slt.learned_rank((flat.optimum(),), flat) == 1
    nothing = Moments.white(np.zeros((2, 2)))
    assert slt.learned_rank((np.ones((2, 2)),), nothing) == 0


def test_mistakes():
    draws = synthetic(gammas(1.5))
    for function in (slt.estimate, slt.fluctuation):
        with pytest.raises(ValueError, match="draws must come from slt.gibbs, slt.sgld or slt.mala, got ndarray"):
            function(np.ones(3))
        with pytest.raises(ValueError, match="n_beta of the draws is 0"):
            function(slt.gibbs(posterior(0.0), 20, 2, rng=rng()))
        with pytest.raises(ValueError, match="the chains did not move"):
            function(synthetic(np.ones((20, 2))))
        with pytest.raises(ValueError, match="the spread of the losses overflows"):
            function(synthetic(1e300 * gammas(1.5)))
    for hot, cold, match in (
        (draws, synthetic(gammas(1.5), 50.0), "hot must have the smaller n_beta.*exchange"),
        (draws, draws, "hot must have the smaller n_beta"),
        (None, draws, "hot must come from"),
        (draws, None, "cold must come from"),
        (synthetic(gammas(1.5), posterior=posterior(5.0, widths=(2, 1, 2))), draws, "differ in n_beta alone"),
        (synthetic(gammas(1.5), posterior=posterior(5.0, Moments.white(np.eye(2)))), draws, "differ in n_beta alone"),
        (
            synthetic(gammas(1.5), posterior=replace(draws.posterior, n_beta=5.0, localisation=9.0)),
            draws,
            "differ in n_beta alone",
        ),
        (slt.gibbs(posterior(0.0), 20, 2, rng=rng()), draws, "n_beta of the draws is 0"),
    ):
        with pytest.raises(ValueError, match=match):
            slt.two_temperatures(hot, cold)
    with pytest.raises(ValueError, match="draws must be at n_beta = n/log n = 12.78.*got 100"):
        slt.wbic(draws, 50)
    with pytest.raises(ValueError, match='method must be "gibbs", "sgld" or "mala"'):
        slt.local_learning_coefficient(posterior().layers, WHITE, 100, rng=rng(), method="hmc")
    with pytest.raises(ValueError, match="rank must be at most 2, the number of modes"):
        slt.truncated_moments(WHITE, 3)
    with pytest.raises(ValueError, match=r"weights must be one network, got batch axes \(2,\)"):
        slt.learned_rank(initialise.gaussian((2, 2), rng=rng(), batch=(2,)), WHITE)
    with pytest.raises(ValueError, match="at least five temperatures, got 3"):
        slt.free_energy(WHITE, (2, 2), [0.0, 1.0, 2.0], n_sweeps=20, n_chains=2, rng=rng())
    found = slt.free_energy(WHITE, (2, 2), [0.0, 1.0, 2.0, 4.0, 8.0], n_sweeps=120, n_chains=4, rng=rng())
    with pytest.raises(ValueError, match="fewer than two temperatures lie between 5 and 7"):
        found.slope(5.0, 7.0)
