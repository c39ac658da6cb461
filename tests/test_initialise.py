"""Starts: what each promises, and mistakes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from dlnlib import Modes, Moments, initialise, product
from dlnlib.network import imbalances

SIZES = (6, 8, 7, 4)


@pytest.fixture
def rng():
    return np.random.default_rng(2)


def test_gaussian_has_the_deviation_asked_for(rng):
    W = initialise.gaussian((100, 200, 50), rng=rng)
    assert_allclose([w.std() for w in W], [0.1, 200**-0.5], rtol=0.02)
    W = initialise.gaussian((100, 200, 50), rng=rng, scale=0.3, batch=(2, 3))
    assert W[0].shape == (2, 3, 200, 100)
    assert_allclose(W[1].std(), 0.3, rtol=0.02)
    again = initialise.gaussian(SIZES, rng=np.random.default_rng(1))
    assert all(map(np.array_equal, again, initialise.gaussian(SIZES, rng=np.random.default_rng(1))))


def test_orthogonal_is_orthonormal_and_unbiased(rng):
    for W in initialise.orthogonal(SIZES, rng=rng, gain=2.0, batch=(3,)):
        m, n = W.shape[-2:]
        gram = np.swapaxes(W, -1, -2) @ W if m >= n else W @ np.swapaxes(W, -1, -2)
        assert_allclose(gram, np.broadcast_to(4 * np.eye(min(m, n)), gram.shape), atol=1e-13)
    draws = initialise.orthogonal((2, 2), rng=rng, batch=(4000,))[0]
    # Uniform over O(2): mean zero, half of the determinants negative.
    assert np.abs(draws.mean(axis=0)).max() < 0.05
    assert abs(np.mean(np.linalg.det(draws) < 0) - 0.5) < 0.03


def test_balanced_starts_are_balanced(rng):
    W = initialise.balanced(SIZES, rng=rng, scale=0.5)
    for B in imbalances(W):
        assert_allclose(B, 0, atol=1e-14)
    A = rng.standard_normal((4, 6))
    W = initialise.from_product(A, SIZES)
    assert_allclose(product(W), A, atol=1e-13)
    for B in imbalances(W):
        assert_allclose(B, 0, atol=1e-13)
    W = initialise.from_product(np.zeros((4, 6)), SIZES)
    assert not product(W).any()


def test_decoupled_start_is_diagonal_in_the_modes(rng):
    modes = Modes.of(rng.standard_normal((4, 6)))
    a = rng.uniform(0.1, 1.0, (3, 4))
    for generator in (rng, None):
        W = initialise.decoupled(modes, SIZES, a, rng=generator)
        assert_allclose(modes.U.T @ product(W) @ modes.V, np.diag(a.prod(axis=0)), atol=1e-14)
    W = initialise.decoupled(modes, (6, 2, 4), 0.3, rng=rng)  # a bottleneck keeps the leading modes
    assert_allclose(np.diag(modes.U.T @ product(W) @ modes.V), [0.09, 0.09, 0, 0], atol=1e-14)


def test_pretraining_finds_isometries_and_principal_components(rng):
    m = Moments.from_teacher(rng.standard_normal((3, 5)), np.diag([2.0, 1.5, 1.0, 0.8, 0.5]))
    W = initialise.pretrained(m, (5, 8, 7, 3), rng=rng)
    assert [w.shape for w in W] == [(8, 5), (7, 8), (3, 7)]
    assert_allclose(W[0].T @ W[0], np.eye(5), atol=1e-10)
    assert_allclose(np.linalg.svd(W[1] @ W[0])[1], np.ones(5), atol=1e-10)
    W = initialise.pretrained(m, (5, 2, 3), rng=rng, n_steps=4000, readout="zero")
    assert_allclose(np.abs(W[0][:, 2:]), 0, atol=1e-6)  # spans the two leading axes
    assert not W[1].any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: initialise.gaussian((3,), rng=r), "at least the input"),
        (lambda r: initialise.gaussian((3, 0), rng=r), r"widths\[1\] must be at least 1"),
        (lambda r: initialise.gaussian((3, 2.5), rng=r), "integer"),
        (lambda r: initialise.gaussian((3, True), rng=r), "integer"),
        (lambda r: initialise.gaussian((3, 2), rng=0), "default_rng"),
        (lambda r: initialise.gaussian((3, 2), rng=r, scale=-1), "negative"),
        (lambda r: initialise.gaussian((3, 2), rng=r, scale="he"), "fan_in"),
        (lambda r: initialise.gaussian((3, 2), rng=r, batch=4), "tuple"),
        (lambda r: initialise.orthogonal((3, 2), rng=r, gain=np.nan), "NaN"),
        (lambda r: initialise.from_product(np.eye(3), (3, 2, 3)), "rank 3"),
        (lambda r: initialise.from_product(np.eye(3), (3, 2)), "must have shape"),
        (lambda r: initialise.decoupled(np.eye(3), (3, 3, 3), 0.1, rng=r), "Modes"),
        (lambda r: initialise.decoupled(Modes.of(np.eye(3)), (3, 3, 4), 0.1, rng=r), "are wanted"),
        (lambda r: initialise.decoupled(Modes.of(np.eye(3)), (3, 3, 3), [0.1, 0.2], rng=r), "strengths"),
        (lambda r: initialise.pretrained(Moments.white(np.eye(3)), (3, 3), rng=r), "hidden layer"),
        (lambda r: initialise.pretrained(Moments.white(np.eye(3)), (2, 3, 3), rng=r), "do not fit"),
        (lambda r: initialise.pretrained(Moments.white(np.eye(3)), (3, 3, 3), rng=r, readout="x"), "readout"),
        (lambda r: initialise.pretrained(Moments(np.zeros((2, 2)), np.zeros((1, 2))), (2, 2, 1), rng=r), "varies"),
    ],
)
def test_mistakes_are_named(rng, call, message):
    with pytest.raises(ValueError, match=message):
        call(rng)
