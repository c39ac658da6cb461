"""Moments: limits, invariants, two roads, mistakes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from dlnlib import Modes, Moments


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def sample(rng, n=40, d_in=5, d_out=3):
    X = rng.standard_normal((n, d_in)) * [3, 2, 1, 0.5, 0.1]
    Y = X @ rng.standard_normal((d_in, d_out)) + rng.standard_normal((n, d_out))
    return X, Y


def test_from_data_is_the_mean_of_outer_products(rng):
    X, Y = sample(rng)
    m = Moments.from_data(X, Y)
    assert_allclose(m.xx, np.mean([np.outer(x, x) for x in X], axis=0), rtol=1e-13, atol=1e-15)
    assert_allclose(m.yx, np.mean([np.outer(y, x) for x, y in zip(X, Y, strict=True)], axis=0), rtol=1e-12, atol=1e-14)
    assert_allclose(m.yy, np.mean([np.outer(y, y) for y in Y], axis=0), rtol=1e-12, atol=1e-14)
    lean = Moments.from_data(X, Y, full_yy=False)
    assert isinstance(lean.yy, float)
    assert_allclose(lean.yy_trace, m.yy_trace, rtol=1e-13)


def test_optimum_is_least_squares(rng):
    X, Y = sample(rng)
    m = Moments.from_data(X, Y)
    W = np.linalg.lstsq(X, Y, rcond=None)[0].T
    assert_allclose(m.optimum(), W, rtol=1e-9, atol=1e-12)
    assert_allclose(m.irreducible_loss(), 0.5 * np.mean(np.sum((Y - X @ W.T) ** 2, axis=1)), rtol=1e-12)


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_rank_limited_optimum_beats_its_neighbours(rng, rank):
    X, Y = sample(rng)
    m = Moments.from_data(X, Y)

    def loss(W):
        return 0.5 * np.mean(np.sum((Y - X @ W.T) ** 2, axis=1))

    best = m.optimum(rank)
    assert np.linalg.matrix_rank(best, tol=1e-10) == rank
    assert_allclose(loss(best), m.irreducible_loss(rank), rtol=1e-12)
    for _ in range(200):
        B, A = rng.standard_normal((3, rank)), rng.standard_normal((rank, 5))
        if rank:  # the best left factor for a random right factor is a fair opponent
            Z = X @ A.T
            B = np.linalg.lstsq(Z, Y, rcond=None)[0].T
        assert loss(B @ A) >= m.irreducible_loss(rank) - 1e-12


def test_singular_inputs(rng):
    X, Y = sample(rng, n=3)  # fewer samples than inputs
    m = Moments.from_data(X, Y)
    assert m.rank_xx == 3
    assert_allclose(m.optimum(), Y.T @ np.linalg.pinv(X).T, rtol=1e-8, atol=1e-10)
    assert m.irreducible_loss() < 1e-12
    with pytest.raises(ValueError, match='kind="pca"'):
        m.whitened()
    white, A = m.whitened("pca")
    assert A.shape == (3, 5)
    assert_allclose(A @ m.xx @ A.T, np.eye(3), atol=1e-12)
    assert_allclose(white.modes().s, m.whitened_modes().s[:3], rtol=1e-10)


def test_whitening_both_kinds(rng):
    m = Moments.from_data(*sample(rng))
    for kind in ("zca", "pca"):
        white, A = m.whitened(kind)
        assert white.is_white()
        assert_allclose(A @ m.xx @ A.T, np.eye(5), atol=1e-11)
        assert_allclose(white.yx, m.yx @ A.T, rtol=1e-12)
        assert_allclose(white.modes().s, m.whitened_modes().s, rtol=1e-11)
    assert_allclose(m.whitened().matrix, m.whitened().matrix.T, atol=1e-14)
    eigenvalues = np.linalg.eigvalsh(m.yx @ np.linalg.inv(m.xx) @ m.yx.T)[::-1]
    assert_allclose(m.whitened_modes().s ** 2, eigenvalues, rtol=1e-10)


def test_noise_is_the_irreducible_loss():
    m = Moments.from_teacher(np.diag([2.0, 1.0]), np.diag([4.0, 0.1]), noise=0.3)
    assert_allclose(m.irreducible_loss(), 0.3, rtol=1e-13)
    assert_allclose(m.optimum(), np.diag([2.0, 1.0]), rtol=1e-13)
    assert_allclose(m.input_eigenvalues, [4.0, 0.1])
    assert_allclose(m.condition_number, 40.0)
    assert not m.is_white()
    assert Moments.white(np.eye(2)).is_white()


def test_modes_have_fixed_signs_and_rebuild_the_matrix(rng):
    A = rng.standard_normal((4, 6))
    modes = Modes.of(A)
    assert_allclose(modes.matrix(), A, atol=1e-13)
    assert_allclose(Modes.of(-A).U * -1, Modes.of(-A).U * -1)
    assert np.all(modes.U[np.argmax(np.abs(modes.U), axis=0), range(4)] > 0)
    assert modes.V.shape == (6, 4)
    assert modes.rank == 4
    assert modes.truncate(2).rank == 2
    assert_allclose(np.linalg.norm(A - modes.truncate(2).matrix()) ** 2, np.sum(modes.s[2:] ** 2), rtol=1e-12)
    with pytest.raises(ValueError, match="at most 4"):
        modes.truncate(5)


def test_sign_rule_survives_a_flip_of_the_matrix(rng):
    A = rng.standard_normal((4, 6))
    a, b = Modes.of(A), Modes.of(-A)
    assert_allclose(a.U, b.U, atol=1e-12)
    assert_allclose(a.Vt, -b.Vt, atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.eye(2), np.ones((1, 3))), "transposed yx"),
        ((np.ones((2, 3)), np.ones((1, 2))), "square"),
        ((np.array([[1.0, 2.0], [0.0, 1.0]]), np.ones((1, 2))), "symmetric"),
        ((np.diag([1.0, -1.0]), np.ones((1, 2))), "semi-definite"),
        ((np.diag([-1.0, -1.0]), np.ones((1, 2))), "semi-definite"),
        ((np.diag([1.0, 0.0]), np.ones((1, 2))), "null space"),
        ((np.eye(2), np.ones((1, 2)), 1.0), "outputs explained by x"),
        ((np.eye(2), np.ones((1, 2)), np.array([[1.0]])), "smaller than what x explains"),
        ((np.eye(2), np.ones((2, 2)), np.array([[5.0, 1.0], [0.0, 5.0]])), "yy must be symmetric"),
        ((np.eye(2), np.ones((1, 2)), np.eye(2)), "yy must have shape"),
        ((np.eye(2), np.full((1, 2), np.nan)), "NaN"),
        ((np.eye(2), "text"), "numbers"),
        ((np.eye(2), np.ones((1, 2)) * 1j), "real"),
        ((np.zeros((0, 0)), np.zeros((1, 0))), "empty"),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Moments(*arguments)


def test_more_mistakes():
    with pytest.raises(ValueError, match="rows"):
        Moments.from_data(np.ones((3, 2)), np.ones((4, 1)))
    with pytest.raises(ValueError, match="match the teacher"):
        Moments.from_teacher(np.ones((2, 3)), np.eye(2))
    with pytest.raises(ValueError, match="overflows"):
        Moments.from_data(np.full((2, 2), 1e200), np.ones((2, 1)))
    dead = Moments(np.zeros((2, 2)), np.zeros((1, 2)))
    assert dead.irreducible_loss() == 0.0
    with pytest.raises(ValueError, match="no input varies"):
        _ = dead.condition_number
    with pytest.raises(ValueError, match="nothing to whiten"):
        dead.whitened("pca")
    with pytest.raises(ValueError, match="kind must be"):
        dead.whitened("zac")


def test_moments_cannot_be_changed():
    m = Moments.white(np.eye(2))
    with pytest.raises(ValueError, match="read-only"):
        m.xx[0, 0] = 5.0
