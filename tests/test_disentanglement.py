"""Scores and their baselines, impostors, the singular basis, the rotation test and what breaks the symmetry."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import dblquad, quad
from scipy.special import erf

import dlnlib as dln
from dlnlib import disentanglement as dis


def turn(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def turns(n: int) -> np.ndarray:
    return np.array([turn(a) for a in 2 * np.pi * (np.arange(n) + 0.5) / n])


# -- scores ----------------------------------------------------------------------------------------------------------


def test_correlations_are_those_of_samples() -> None:
    rng = np.random.default_rng(0)
    A, W1 = rng.normal(size=(4, 2)), rng.normal(size=(3, 4))
    z, rest = rng.normal(size=(200_000, 2)), 0.5 * rng.normal(size=(200_000, 4))
    x = z @ A.T + rest
    measured = np.corrcoef((x @ W1.T).T, z.T)[:3, 3:]
    found = dis.correlations(W1, A, A @ A.T + 0.25 * np.eye(4))
    assert found == pytest.approx(measured, abs=0.01)
    assert np.all(np.abs(found) < np.abs(dis.correlations(W1, A)))  # the rest only dilutes


def test_correlations_do_not_see_the_scale_of_a_neuron() -> None:
    rng = np.random.default_rng(1)
    W1, A = rng.normal(size=(5, 3, 3)), rng.normal(size=(3, 3))
    scale = np.array([1e-200, 1.0, 1e200])[:, None]
    assert dis.correlations(scale * W1, A) == pytest.approx(dis.correlations(W1, A), rel=1e-12)


def test_orthogonal_neurons_and_factors() -> None:
    R = dis.random_rotations(3, 4, rng=np.random.default_rng(2))
    assert dis.correlations(R, np.eye(3)) == pytest.approx(R, abs=1e-14)


@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (5, 3), (7, 4), (9, 9), (40, 3)])
def test_matching_score_is_the_best_of_all(shape: tuple[int, int]) -> None:
    C = np.random.default_rng(3).uniform(-1, 1, (6, *shape))
    h, k = shape
    found = dis.matching_score(C)
    assert found.shape == (6,)
    if h <= 7:
        best = [max(np.abs(M)[list(rows), range(k)].mean() for rows in permutations(range(h), k)) for M in C]
        assert found == pytest.approx(np.array(best), rel=1e-14)
    assert np.all(found <= np.abs(C).max(axis=-2).mean(axis=-1) + 1e-14)
    assert np.all(found >= np.abs(C[:, :k, :k]).diagonal(axis1=1, axis2=2).mean(axis=-1) - 1e-14)


def test_both_ways_to_match_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    C = np.random.default_rng(4).uniform(-1, 1, (20, 4, 4))
    tried = dis.matching_score(C)
    monkeypatch.setattr("dlnlib.disentanglement._scores.ALL_TRIED", 0)
    assert dis.matching_score(C) == pytest.approx(tried, rel=1e-14)


@pytest.mark.parametrize("score", [dis.matching_score, dis.entropy_score])
def test_scores_do_not_see_order_and_signs(score) -> None:
    rng = np.random.default_rng(5)
    C = rng.uniform(-1, 1, (4, 4))
    moved = C[rng.permutation(4)][:, rng.permutation(4)] * rng.choice([-1, 1], size=(4, 1))
    assert score(moved) == pytest.approx(score(C), rel=1e-14)
    assert score(np.eye(4)[[2, 0, 3, 1]] * -1) == 1


def test_entropy_score_ends() -> None:
    assert dis.entropy_score(np.full((3, 3), 0.5)) == pytest.approx(0, abs=1e-15)
    half = np.array([[1.0, 0, 0], [0.5, 0.5, 0.5], [0, 1, 0]])
    assert dis.entropy_score(half) == pytest.approx(2 / 3)
    assert dis.entropy_score(0.1 * half) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: dis.correlations(np.ones(3), np.eye(3)), "readout must have shape"),
        (lambda: dis.correlations(np.ones((2, 4)), np.eye(3)), "to read the 3 inputs"),
        (lambda: dis.correlations(np.zeros((2, 3)), np.eye(3)), "never varies"),
        (lambda: dis.correlations(np.eye(3), np.eye(3), np.eye(2)), "xx must be symmetric of shape"),
        (lambda: dis.correlations(np.eye(2), np.eye(2), np.array([[1.0, 1], [0, 1]])), "xx must be symmetric"),
        (lambda: dis.correlations(np.eye(2), np.eye(2), 0.5 * np.eye(2)), "xx is smaller"),
        (lambda: dis.matching_score(np.ones((2, 3))), "transposed it would be"),
        (lambda: dis.matching_score(np.ones(3)), "neurons along rows"),
        (lambda: dis.matching_score(2 * np.eye(2)), "between -1 and 1"),
        (lambda: dis.entropy_score(np.ones((2, 1))), "one factor"),
        (lambda: dis.entropy_score(np.array([[1.0, 0], [0, 0]])), "no correlation with any factor"),
    ],
)
def test_mistakes_with_scores(call, said) -> None:
    with pytest.raises(ValueError, match=said):
        call()


# -- baselines -------------------------------------------------------------------------------------------------------


def test_rotations_are_orthogonal_and_uniform() -> None:
    Q = dis.random_rotations(4, 20_000, rng=np.random.default_rng(6))
    assert np.swapaxes(Q, 1, 2) @ Q == pytest.approx(np.broadcast_to(np.eye(4), Q.shape), abs=1e-13)
    assert stats.kstest(Q[:, 1, 2] ** 2, stats.beta(0.5, 1.5).cdf).pvalue > 0.01
    assert np.mean(np.linalg.det(Q) > 0) == pytest.approx(0.5, abs=0.015)


def test_mean_score_of_three_by_the_cones() -> None:
    """The closed form against a mean over rotations written as quaternions, and against the mean of the law."""
    xi = np.random.default_rng(7).normal(size=(400_000, 4))
    a, b, c, d = np.sort(np.abs(xi), axis=1).T[::-1]
    best = np.maximum.reduce([a, (a + b) / np.sqrt(2), (a + b + c + d) / 2])
    got = (np.mean(best**2) - 1) / 3
    assert dis.random_matching_score(3) == pytest.approx(got, abs=4 * np.std(best**2) / 3 / np.sqrt(400_000))
    grid = np.linspace(0.63, 1, 4001)
    assert 1 - np.trapezoid(dis.matching_cdf(grid, 3), grid) == pytest.approx(dis.random_matching_score(3), abs=1e-7)


def test_mean_score_of_two() -> None:
    assert dis.random_matching_score(1) == 1
    assert dis.random_matching_score(2) == pytest.approx(dis.matching_score(turns(2**14)).mean(), abs=1e-8)
    grid = np.cos(np.linspace(np.pi / 4, 0, 2001))
    assert 1 - np.trapezoid(dis.matching_cdf(grid, 2), grid) == pytest.approx(dis.random_matching_score(2), abs=2e-7)


@pytest.mark.parametrize("k", [2, 3])
def test_law_of_the_score(k: int) -> None:
    drawn = dis.matching_score(dis.random_rotations(k, 40_000, rng=np.random.default_rng(30)))
    assert stats.kstest(drawn, lambda m: dis.matching_cdf(m, k)).pvalue > 0.01
    m = np.array([0.72, 0.8, 0.85, 0.9, 0.95, 0.99])
    slope = (dis.matching_cdf(m + 1e-5, k) - dis.matching_cdf(m - 1e-5, k)) / 2e-5
    assert dis.matching_density(m, k) == pytest.approx(slope, rel=5e-7)


def test_law_of_three_in_its_last_corner() -> None:
    """Between 60.7 and 62.8 degrees caps overlap; there the closed form of Mackenzie (1958) is long, and is written out."""
    root = np.sqrt(2)
    t = np.linspace(2 * np.arctan((root - 1) * root) + 1e-3, np.arccos((2 * root - 1) / 4) - 1e-4, 7)
    cot, k = 1 / np.tan(t / 2), root - 1
    X, Y = k / np.sqrt(1 - k**2 * cot**2), k**2 / np.sqrt(3 - cot**2)
    per_degree = (2 / 15) * ((3 * k + 4 / np.sqrt(3)) * np.sin(t) - 6 * (1 - np.cos(t)))
    per_degree -= 8 / (5 * np.pi) * (2 * k * np.arccos(X * cot) + np.arccos(Y * cot) / np.sqrt(3)) * np.sin(t)
    last = 2 * np.arccos((root + 1) * X / root) + np.arccos((root + 1) * Y / root)
    per_degree += 8 / (5 * np.pi) * last * (1 - np.cos(t))
    found = dis.matching_density((1 + 2 * np.cos(t)) / 3, 3) * 2 / 3 * np.sin(t)
    assert found == pytest.approx(per_degree * 180 / np.pi, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("k", [2, 3])
def test_law_outside_its_support(k: int) -> None:
    least = 1 / np.sqrt(2) if k == 2 else (0.5 + np.sqrt(2)) / 3
    outside = [0.0, 0.3, least - 1e-9]
    assert np.all(dis.matching_cdf(outside, k) == 0) or np.all(np.abs(dis.matching_cdf(outside, k)) < 1e-12)
    assert np.all(dis.matching_density(outside, k) == 0)
    assert dis.matching_cdf([1.0, 1.5], k) == pytest.approx(1, abs=1e-12)
    assert dis.matching_density(1.5, k) == 0
    drawn = dis.matching_score(dis.random_rotations(k, 20_000, rng=np.random.default_rng(9)))
    assert least < drawn.min() < least + 0.01


def test_density_of_three_vanishes_at_one() -> None:
    m = 1 - np.array([1e-4, 1e-6, 1e-8])
    assert dis.matching_density(m, 3) / np.sqrt(1 - m) == pytest.approx(36 / np.pi * np.sqrt(3) / 2, rel=1e-3)
    assert dis.matching_density(1.0, 3) == 0


@pytest.mark.parametrize("k", [1, 2, 3, 8])
def test_row_maximum(k: int) -> None:
    rows = np.abs(dis.random_rotations(k, 20_000, rng=np.random.default_rng(10))[:, 0]).max(axis=1)
    assert dis.row_maximum(k) == pytest.approx(rows.mean(), abs=4 * rows.std() / np.sqrt(20_000) + 1e-12)
    drawn = dis.matching_score(dis.random_rotations(k, 1000, rng=np.random.default_rng(11))).mean()
    assert drawn < dis.row_maximum(k) + 0.01
    if k == 2:
        assert dis.row_maximum(2) == pytest.approx(dis.random_matching_score(2), rel=1e-12)


@pytest.mark.parametrize("k", [2, 3, 7])
def test_entropy_baseline(k: int) -> None:
    scores = dis.entropy_score(dis.random_rotations(k, 20_000, rng=np.random.default_rng(12)))
    assert dis.random_entropy_score(k) == pytest.approx(scores.mean(), abs=4 * scores.std() / np.sqrt(20_000))
    assert dis.random_entropy_score(2) == pytest.approx(1 / np.log(2) - 1, rel=1e-14)


@pytest.mark.parametrize("ratio", [1.0, 1 - 1e-7, 1 - 1e-9, 0.9, 0.5, 1e-3, 1e-8])
def test_neuron_score_is_the_mean_over_angles(ratio: float) -> None:
    scores = dis.matching_score(dis.correlations(turns(2**14) * np.sqrt([1, ratio]), np.eye(2)))
    tolerance = 1e-7 if ratio > 1e-4 else 1e-4  # a neuron that follows the weak factor fills a small angle only
    assert dis.neuron_score(ratio) == pytest.approx(scores.mean(), abs=tolerance)


def test_neuron_score_ends() -> None:
    assert dis.neuron_score(0) == pytest.approx(0.5, rel=1e-14)
    assert dis.neuron_score(1) == pytest.approx(dis.random_matching_score(2), rel=1e-14)
    grid = dis.neuron_score(np.linspace(0, 1, 50))
    assert np.all(np.diff(grid) > 0)
    near = dis.neuron_score(1 - np.array([0.99e-8, 1.01e-8]))
    assert near[0] == pytest.approx(near[1], abs=1e-12)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: dis.random_matching_score(4), "closed form is known for k up to 3"),
        (lambda: dis.random_matching_score(0), "k must be at least 1"),
        (lambda: dis.matching_cdf(0.9, 4), "known for k = 2 and 3"),
        (lambda: dis.matching_density(1.0, 2), "infinite"),
        (lambda: dis.random_rotations(2, 0, rng=np.random.default_rng(0)), "draws must be at least 1"),
        (lambda: dis.random_rotations(2, 3, rng=7), "rng must be a numpy Generator"),
        (lambda: dis.random_entropy_score(1), "at least 2"),
        (lambda: dis.neuron_score(1.2), "from 0 to 1"),
    ],
)
def test_mistakes_with_baselines(call, said) -> None:
    with pytest.raises(ValueError, match=said):
        call()


# -- the law of trained networks -------------------------------------------------------------------------------------

TASK = dln.Moments.white(np.diag([3.0, 2.0, 1.0]))


def start(n: int, scale: float, seed: int, h: int = 3) -> tuple[np.ndarray, ...]:
    return dln.initialise.gaussian((3, h, 3), rng=np.random.default_rng(seed), scale=scale, batch=(n,))


@pytest.mark.parametrize("rule", ["descent", "momentum", "decay", "dropout", "adam"])
def test_which_training_commutes_with_rotations(rule: str) -> None:
    W = start(4, 0.3, 0)
    Q = dis.random_rotations(3, 4, rng=np.random.default_rng(1))
    settings = {"decay": {"decay": 0.1}, "dropout": {"keep": 0.8}, "momentum": {"rule": rule}, "adam": {"rule": rule}}.get(
        rule, {}
    )
    after = dis.mix_hidden(dis.train(W, TASK, 0.01, 60, **settings), Q)
    before = dis.train(dis.mix_hidden(W, Q), TASK, 0.01, 60, **settings)
    gap = max(np.abs(a - b).max() for a, b in zip(after, before, strict=True))
    assert gap < 1e-12 if rule in ("descent", "momentum", "decay") else gap > 1e-3


@pytest.mark.parametrize(("scale", "n_steps"), [(1e-3, 600), (0.3, 20), (1.0, 200)])
def test_the_test_is_exact_for_descent(scale: float, n_steps: int) -> None:
    W = dis.train(start(600, scale, 2), TASK, 0.05, n_steps)
    test = dis.rotation_test(W[0], np.eye(3), draws=39, rng=np.random.default_rng(3))
    assert test.score.shape == (600,) and test.baseline.shape == (39, 600)
    counts = np.histogram(test.p_value, bins=np.linspace(0, 1, 9) + 1e-9)[0]
    assert stats.chisquare(counts).pvalue > 0.005
    assert stats.kstest(dis.hidden_basis(W[0], TASK.modes())[:, 0, 0] ** 2, stats.beta(0.5, 1).cdf).pvalue > 0.005


def test_the_test_with_other_scores_and_inputs() -> None:
    rng = np.random.default_rng(4)
    W1, A = rng.normal(size=(3, 5)), rng.normal(size=(5, 2))
    xx = A @ A.T + np.eye(5)
    test = dis.rotation_test(W1, A, xx, draws=19, rng=rng, score=dis.entropy_score)
    assert test.score == pytest.approx(dis.entropy_score(dis.correlations(W1, A, xx)))
    assert 1 / 20 <= test.p_value <= 1
    aligned = dis.rotation_test(np.eye(3), np.eye(3), draws=19, rng=rng)
    assert aligned.p_value == pytest.approx(1 / 20)


def test_gradients_of_the_mean_loss() -> None:
    """One small step changes loss, decay and dropout as their derivatives say."""
    W = dln.initialise.gaussian((3, 4, 3), rng=np.random.default_rng(5), scale=0.7)
    moments = dln.Moments(np.diag([2.0, 1.0, 0.5]), TASK.yx @ np.diag([2.0, 1.0, 0.5]))

    def whole(layers: tuple[np.ndarray, ...]) -> float:
        return float(dis.dropout_loss(layers, moments, 0.6) + 0.15 * sum(np.sum(L**2) for L in layers))

    drops = []
    for eta in (1e-4, 5e-5):
        moved = dis.train(W, moments, eta, 1, decay=0.3, keep=0.6)
        slope = [(a - b) / eta for a, b in zip(W, moved, strict=True)]
        drops.append((whole(W) - whole(moved)) / eta / sum(np.sum(g**2) for g in slope))
    assert 2 * drops[1] - drops[0] == pytest.approx(1, abs=1e-6)


def test_adam_is_adam() -> None:
    """Against the rule written for one weight at a time."""
    W, steps, eta = start(1, 0.4, 6), 7, 0.03
    found = dis.train(W, TASK, eta, steps, rule="adam")
    flat = dln.network.flatten(W)[0]
    m, v = np.zeros_like(flat), np.zeros_like(flat)
    for n in range(1, steps + 1):
        g = dln.network.flatten(dln.gradients(dln.network.unflatten(flat, (3, 3, 3)), TASK))
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        flat = flat - eta * (1 - n / (steps + 1)) * (m / (1 - 0.9**n)) / (np.sqrt(v / (1 - 0.999**n)) + 1e-8)
    assert dln.network.flatten(found)[0] == pytest.approx(flat, rel=1e-12)
    assert dis.train(W, TASK, eta, 0)[0] is W[0] or np.array_equal(dis.train(W, TASK, eta, 0)[0], W[0])


def test_momentum_is_momentum() -> None:
    W = start(1, 0.4, 7)
    g0 = dln.gradients(W, TASK)
    one = tuple(a - 0.01 * g for a, g in zip(W, g0, strict=True))
    two = tuple(a - 0.01 * (0.9 * g + k) for a, g, k in zip(one, g0, dln.gradients(one, TASK), strict=True))
    found = dis.train(W, TASK, 0.01, 2, rule="momentum")
    assert dln.network.flatten(found) == pytest.approx(dln.network.flatten(two), rel=1e-13)


@pytest.mark.parametrize("keep", [0.3, 0.8, 1.0])
def test_dropout_loss_is_the_mean_over_masks(keep: float) -> None:
    W1, W2 = dln.initialise.gaussian((3, 4, 2), rng=np.random.default_rng(8), scale=1.0)
    xx = np.diag([2.0, 1.0, 0.5]) + 0.2
    moments = dln.Moments.from_teacher(np.ones((2, 3)), xx, noise=0.3)
    masks = np.array(list(product([0, 1], repeat=4)))
    chance = keep ** masks.sum(1) * (1 - keep) ** (4 - masks.sum(1))
    mean = chance @ [dln.loss((W1, W2 * mask / keep), moments) for mask in masks]
    assert dis.dropout_loss((W1, W2), moments, keep) == pytest.approx(mean, rel=1e-13)


def test_dropout_equalises() -> None:
    W = dis.train(start(20, 0.1, 9), TASK, 0.1, 3000, keep=0.7)
    share = np.sum(W[1] ** 2, axis=-2) * np.sum(W[0] ** 2, axis=-1)
    assert np.all(np.ptp(share, axis=1) < 0.05)  # slowly, along a flat direction
    nuclear = np.linalg.svd(dln.product(W), compute_uv=False).sum(axis=-1)
    ratio = (dis.dropout_loss(W, TASK, 0.7) - dln.loss(W, TASK)) / (0.3 / (6 * 0.7) * nuclear**2)
    assert np.all(ratio > 1 - 1e-12) and np.all(ratio < 1 + 1e-4)
    # No other factors of the same product pay less.
    C = np.eye(3) + 0.3 * np.random.default_rng(10).normal(size=(50, 3, 3))
    other = dis.mix_hidden((W[0][0], W[1][0]), C)
    assert np.all(dis.dropout_loss(other, TASK, 0.7) >= dis.dropout_loss((W[0][0], W[1][0]), TASK, 0.7) - 1e-4)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: dis.train(start(1, 1, 0), TASK, 0.1, 1, rule="newton"), "rule must be one of"),
        (lambda: dis.train(start(1, 1, 0), TASK, 5.0, 50), "take a smaller one"),
        (lambda: dis.train(start(1, 1, 0), TASK, -1, 5), "step must be positive"),
        (lambda: dis.train(start(1, 1, 0), TASK, 0.1, 5, keep=1.5), "keep is a probability"),
        (lambda: dis.train((np.eye(3),), TASK, 0.1, 5), "two layers"),
        (lambda: dis.train(start(1, 1, 0), TASK, 0.1, 5, decay=-1), "decay must not be negative"),
        (lambda: dis.dropout_loss(start(1, 1, 0), TASK, 0.0), "keep must be positive"),
    ],
)
def test_mistakes_with_training(call, said) -> None:
    with pytest.raises(ValueError, match=said):
        call()


# -- impostors -------------------------------------------------------------------------------------------------------

PRIORS = {
    "uniform": stats.uniform(-1, 2),
    "normal": stats.norm(),
    "laplace": stats.laplace(),
    "exponential": stats.expon(),
    "beta": stats.beta(2, 5),
    "student": stats.t(3),
}


@pytest.mark.parametrize("name", PRIORS)
def test_impostors_have_the_law_of_the_factors(name: str) -> None:
    prior, Q = PRIORS[name], dis.random_rotations(3, 1, rng=np.random.default_rng(11))[0]
    z = prior.ppf(np.random.default_rng(12).uniform(size=(4000, 3)))
    f = dis.impostor(z, Q, prior)
    assert all(stats.kstest(f[:, i], prior.cdf).pvalue > 0.005 for i in range(3))
    ranks = prior.cdf(f)
    assert np.corrcoef(ranks.T)[np.triu_indices(3, 1)] == pytest.approx(np.zeros(3), abs=0.05)
    assert np.corrcoef(prior.cdf(z).T, ranks.T)[3:, :3] == pytest.approx(dis.impostor_correlation(Q), abs=0.06)


@pytest.mark.parametrize("name", PRIORS)
def test_jacobian_preserves_the_density(name: str) -> None:
    prior, Q = PRIORS[name], dis.random_rotations(3, 1, rng=np.random.default_rng(13))[0]
    z = prior.ppf(np.random.default_rng(14).uniform(0.02, 0.98, size=(30, 3)))
    J = dis.impostor_jacobian(z, Q, prior)
    after = np.prod(prior.pdf(dis.impostor(z, Q, prior)), axis=1) * np.abs(np.linalg.det(J))
    assert after == pytest.approx(np.prod(prior.pdf(z), axis=1), rel=1e-10)
    errors = []
    for width in (1e-3, 5e-4):  # two roads, second order
        steps = width * np.eye(3)
        numeric = (dis.impostor(z[:, None] + steps, Q, prior) - dis.impostor(z[:, None] - steps, Q, prior)) / (2 * width)
        errors.append(np.abs(np.swapaxes(numeric, 1, 2) - J).max())
    assert errors[1] < 1e-2
    if name not in ("laplace", "normal"):  # the first has a kink, the second no error
        assert errors[0] / errors[1] == pytest.approx(4, rel=0.2)


def test_impostors_are_a_group() -> None:
    prior, z = PRIORS["laplace"], np.random.default_rng(15).laplace(size=(50, 2))
    twice = dis.impostor(dis.impostor(z, turn(0.4), prior), turn(0.7), prior)
    assert twice == pytest.approx(dis.impostor(z, turn(1.1), prior), rel=1e-9, abs=1e-10)
    assert dis.impostor(z, np.eye(2), prior) == pytest.approx(z, rel=1e-10)
    assert dis.impostor(z, np.eye(2)[::-1], prior) == pytest.approx(z[:, ::-1], rel=1e-10)


def test_impostors_keep_their_digits_in_the_tails() -> None:
    far = np.array([[40.0, 3.0], [0.5, 60.0]])
    assert dis.impostor(far, np.eye(2), PRIORS["exponential"]) == pytest.approx(far, rel=1e-9)
    assert np.array_equal(dis.impostor(0 * far, turn(1.0), PRIORS["normal"]), 0 * far)


def test_gaussian_impostors_are_rotations() -> None:
    z = np.random.default_rng(16).normal(size=(40, 2))
    assert dis.impostor(z, turn(0.8), PRIORS["normal"]) == pytest.approx(z @ turn(0.8).T, rel=1e-10, abs=1e-11)
    jacobian = dis.impostor_jacobian(z, turn(0.8), PRIORS["normal"])
    assert jacobian == pytest.approx(np.broadcast_to(turn(0.8), (40, 2, 2)), rel=1e-9)


def test_correlation_of_uniform_impostors() -> None:
    density = lambda y, x: np.exp(-(x**2 + y**2) / 2) / (2 * np.pi)  # noqa: E731
    for angle in (0.3, np.pi / 4, 1.2):
        c, s = np.cos(angle), np.sin(angle)
        product = lambda y, x, c=c, s=s: density(y, x) * (stats.norm.cdf(c * x - s * y) - 0.5) * (0.5 * erf(x / np.sqrt(2)))  # noqa: E731
        value = 12 * dblquad(product, -7, 7, -7, 7, epsabs=1e-8)[0]
        assert dis.impostor_correlation(turn(angle))[0, 0] == pytest.approx(value, abs=1e-7)
    assert dis.impostor_correlation(np.eye(2)) == pytest.approx(np.eye(2))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: dis.impostor(np.zeros((3, 2)), np.ones((2, 2)), PRIORS["normal"]), "Q must be orthogonal"),
        (lambda: dis.impostor(np.zeros((3, 2)), np.ones((2, 3)), PRIORS["normal"]), "Q must be orthogonal"),
        (lambda: dis.impostor(np.zeros((3, 2)), np.eye(3), PRIORS["normal"]), "z must have shape"),
        (lambda: dis.impostor(0.5, np.eye(1), PRIORS["normal"]), "z must have shape"),
        (lambda: dis.impostor(np.array([[1.0, 0.0]]), np.eye(2), PRIORS["uniform"]), "ends of the prior"),
        (lambda: dis.impostor_correlation(2 * np.eye(2)), "Q must be orthogonal"),
    ],
)
def test_mistakes_with_impostors(call, said) -> None:
    with pytest.raises(ValueError, match=said):
        call()


# -- the singular basis ----------------------------------------------------------------------------------------------


def test_mixing_keeps_the_function_and_composes() -> None:
    rng = np.random.default_rng(17)
    W = start(3, 1.0, 18, h=4)
    C, D = rng.normal(size=(2, 4, 4))
    mixed = dis.mix_hidden(dis.mix_hidden(W, C), D)
    assert dln.product(mixed) == pytest.approx(dln.product(W), rel=1e-9, abs=1e-10)
    assert mixed[0] == pytest.approx(dis.mix_hidden(W, D @ C)[0], rel=1e-11)


def test_hidden_basis_of_balanced_layers() -> None:
    rng = np.random.default_rng(19)
    R = np.linalg.qr(rng.normal(size=(5, 3)))[0]
    modes = dln.Modes.of(rng.normal(size=(4, 3)))
    W1 = R * np.sqrt(modes.s) @ modes.Vt
    assert dis.hidden_basis(W1, modes) == pytest.approx(R, abs=1e-12)
    Q = dis.random_rotations(5, 1, rng=rng)[0]
    any_layer = rng.normal(size=(5, 3))
    assert dis.hidden_basis(Q @ any_layer, modes) == pytest.approx(Q @ dis.hidden_basis(any_layer, modes), abs=1e-12)
    M = any_layer @ modes.V
    values, basis = np.linalg.eigh(M.T @ M)
    assert dis.hidden_basis(any_layer, modes) == pytest.approx(M @ (basis / np.sqrt(values)) @ basis.T, abs=1e-12)


def test_singular_readout_finds_factors_that_are_modes() -> None:
    V = dis.random_rotations(3, 1, rng=np.random.default_rng(20))[0]
    task = dln.Moments.white(np.diag([3.0, 2.0, 1.0]) @ V.T)
    W = dis.train(start(5, 1e-4, 21), task, 0.05, 600)
    scores = dis.matching_score(dis.correlations(dis.singular_readout(W[0]), V))
    assert scores == pytest.approx(np.ones(5), abs=1e-6)
    assert np.ptp(dis.matching_score(dis.correlations(W[0], V))) > 0.02


def rice_mean(s1: float, s2: float, noise: float, n: int) -> float:
    """Mean score by midpoints over both phases, whose density is that of a complex Gaussian with a mean."""
    phi = 2 * np.pi * (np.arange(n) + 0.5) / n

    def density(x: float) -> np.ndarray:
        u = np.sqrt(x) * np.cos(phi)
        return np.exp(-x) * (1 + np.sqrt(np.pi) * u * np.exp(u * u) * (1 + erf(u))) / n

    angle = (phi[:, None] - phi) / 2
    score = np.maximum(np.abs(np.cos(angle)), np.abs(np.sin(angle)))
    return float(density((s1 - s2) ** 2 / (4 * noise**2)) @ score @ density((s1 + s2) ** 2 / (4 * noise**2)))


@pytest.mark.parametrize("case", [(2.0, 1.9, 0.1), (2.0, 1.5, 0.1), (1.0, 0.5, 1.0), (1.0, 2.0, 0.3), (0.7, 0.0, 0.4)])
def test_singular_score_by_quadrature(case: tuple[float, float, float]) -> None:
    coarse, fine = (rice_mean(*case, n) for n in (300, 600))
    exact = dis.singular_score(*case)
    assert (4 * fine - coarse) / 3 == pytest.approx(exact, abs=3e-8)
    assert (coarse - exact) / (fine - exact) == pytest.approx(4, rel=0.05)


def test_singular_score_ends() -> None:
    for noise in (1e-3, 0.1, 10.0):
        assert dis.singular_score(2, 2, noise) == pytest.approx(dis.random_matching_score(2), rel=1e-15)
    assert dis.singular_score(2, 1, 1e6) == pytest.approx(dis.random_matching_score(2), abs=1e-9)
    assert dis.singular_score(2, 1, 1e-9) == pytest.approx(1, abs=1e-15)
    # The limit of the perturbation takes over without a step.
    edge = 1 / (2 * np.sqrt(2e5))
    below, above = dis.singular_score(2, 1, edge * 1.0001), dis.singular_score(2, 1, edge * 0.9999)
    assert 1 - above == pytest.approx((1 - below) * (0.9999 / 1.0001) ** 2, rel=2e-5)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: dis.mix_hidden(start(1, 1, 0), np.zeros((3, 3))), "C is singular"),
        (lambda: dis.mix_hidden(start(1, 1, 0), np.eye(4)), "C must have shape"),
        (lambda: dis.mix_hidden((np.eye(2),), np.eye(2)), "two layers"),
        (lambda: dis.hidden_basis(np.ones(3), TASK.modes()), "W1 must have shape"),
        (lambda: dis.hidden_basis(np.ones((3, 2)), TASK.modes()), "W1 must have shape"),
        (lambda: dis.hidden_basis(np.ones((2, 3)), TASK.modes()), "cannot hold 3 modes"),
        (lambda: dis.hidden_basis(np.ones((3, 3)), TASK.modes()), "does not carry every mode"),
        (lambda: dis.singular_readout(np.ones(3)), "W1 must have shape"),
        (lambda: dis.singular_score(1, 1, 0), "noise must be positive"),
        (lambda: dis.singular_score(-1, 1, 1), "s1 must not be negative"),
        (lambda: dis.singular_score(1e300, 1, 1e-300), "ratio of strengths to noise"),
    ],
)
def test_mistakes_with_bases(call, said) -> None:
    with pytest.raises(ValueError, match=said):
        call()


# -- what finds factors ----------------------------------------------------------------------------------------------


def test_energy_by_samples() -> None:
    rng = np.random.default_rng(22)
    rows, a = rng.normal(size=(4, 3)), 0.8
    z = rng.uniform(-a, a, size=(200_000, 3))
    activity = z @ rows.T + a * np.abs(rows).sum(1)
    assert activity.min() >= 0
    assert dis.nonnegative_energy(rows, a) == pytest.approx(np.sum(np.mean(activity**2, axis=0)), rel=5e-3)


def test_energy_is_least_at_the_factors() -> None:
    angles = np.linspace(0, np.pi / 2, 91)
    energy = dis.nonnegative_energy(np.array([turn(a) for a in angles]))
    assert energy == pytest.approx(8 + 6 * np.abs(np.sin(2 * angles)), rel=1e-12)
    rotations = dis.random_rotations(4, 200, rng=np.random.default_rng(23))
    assert np.all(dis.nonnegative_energy(rotations) > dis.nonnegative_energy(np.eye(4)))


@pytest.mark.parametrize("angle", [-0.7, -0.2, 0.0, 0.5, 0.78])
def test_fourth_moments_find_the_angle(angle: float) -> None:
    nodes, w = np.polynomial.legendre.leggauss(8)
    count = np.round(w / w.min() * 3).astype(int)  # a sample whose law is a product, exactly
    side = np.repeat(nodes, count)
    side = side / np.sqrt(np.mean(side**2))
    z = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)
    assert dis.fourth_moment_angle(z @ turn(angle).T, -1) == pytest.approx(angle, abs=1e-12)


def test_fourth_moments_of_heavy_tails_and_spread() -> None:
    rng = np.random.default_rng(24)
    x = rng.laplace(size=(200_000, 2)) / np.sqrt(2) @ turn(0.3).T
    assert dis.fourth_moment_angle(x, 1) == pytest.approx(0.3, abs=0.03)
    draws = rng.uniform(-np.sqrt(3), np.sqrt(3), size=(300, 2000, 2)) @ turn(0.3).T
    spread = np.std([dis.fourth_moment_angle(x, -1) for x in draws]) * np.sqrt(2000)
    assert spread == pytest.approx(np.sqrt(27 / 7 - 81 / 25) / (1.2 * np.sqrt(2)), rel=0.13)


def test_unmixing_a_pair() -> None:
    rng = np.random.default_rng(25)
    z = rng.uniform(-1, 1, size=(50_000, 2))
    for _ in range(3):
        mixed = z @ rng.normal(size=(2, 2)).T + rng.normal(size=2)
        found = dis.unmix_pair(mixed, -1)
        assert found.mean(0) == pytest.approx([0, 0], abs=1e-12)
        assert np.cov(found.T, bias=True) == pytest.approx(np.eye(2), abs=1e-10)
        assert dis.matching_score(np.corrcoef(found.T, z.T)[:2, 2:]) > 0.9995


def test_moment_of_uniform_factors_is_their_kurtosis() -> None:
    value = quad(lambda x: x**4 / (2 * np.sqrt(3)), -np.sqrt(3), np.sqrt(3))[0]
    assert value - 3 == pytest.approx(-1.2)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: dis.nonnegative_energy(np.ones(3)), "readout must have shape"),
        (lambda: dis.nonnegative_energy(np.eye(2), -1), "half_width must be positive"),
        (lambda: dis.fourth_moment_angle(np.ones((5, 3)), 1), "x must have shape"),
        (lambda: dis.fourth_moment_angle(np.ones((5, 2)), 2), "sign must be 1 or -1"),
        (lambda: dis.fourth_moment_angle(np.array([[1.0, 0], [2**0.5 / 2, 2**0.5 / 2]]), 1), "fourth moment vanishes"),
        (lambda: dis.unmix_pair(np.ones((5, 3)), 1), "activities must have shape"),
        (lambda: dis.unmix_pair(np.outer(np.arange(5.0), [1, 2]), 1), "proportional"),
    ],
)
def test_mistakes_with_factors(call, said) -> None:
    with pytest.raises(ValueError, match=said):
        call()


# -- extreme scales --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strength", [1e4, 1e8, 1e15])
def test_nearly_equal_strengths_far_above_the_noise_have_a_score(strength: float) -> None:
    # Only the gap over the noise counts there.
    want = dis.singular_score(1000.125, 1000.0, 0.125)
    assert dis.singular_score(strength + 0.125, strength, 0.125) == pytest.approx(want, rel=1e-8)


@pytest.mark.parametrize("scale", [1e-200, 1e160])
def test_units_of_the_input_change_no_correlation(scale: float) -> None:
    rng = np.random.default_rng(0)
    readout, loadings = rng.standard_normal((2, 3)), rng.standard_normal((3, 2))
    want = dis.correlations(readout, loadings)
    np.testing.assert_allclose(dis.correlations(readout, scale * loadings), want, rtol=1e-12)


def test_adam_refuses_gradients_whose_square_overflows() -> None:
    layers = (np.full((2, 2), 1e80), np.full((2, 2), 1e80))
    with pytest.raises(ValueError, match="square of the gradient overflows"):
        dis.train(layers, dln.Moments.white(np.eye(2)), 0.1, 3, rule="adam")
