"""Data sets: exact moments, convergence of samples to them, names and mistakes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from dlnlib import Moments, datasets


@pytest.fixture
def rng():
    return np.random.default_rng(8)


def test_teacher_and_inputs_have_the_spectra_asked_for(rng):
    W = datasets.random_teacher([3, 2, 0.5], 6, 4, rng=rng)
    assert_allclose(np.linalg.svd(W)[1], [3, 2, 0.5, 0], atol=1e-14)
    S = datasets.correlated_inputs([4, 1, 0], rng=rng)
    assert_allclose(np.linalg.eigvalsh(S), [0, 1, 4], atol=1e-14)


def test_samples_converge_to_the_population_moments(rng):
    W = datasets.random_teacher([2, 1], 3, 2, rng=rng)
    S = datasets.correlated_inputs([2, 1, 0.2], rng=rng)
    exact = Moments.from_teacher(W, S, noise=0.5)
    errors = []
    for n in (2_000, 200_000):
        measured = Moments.from_data(*datasets.gaussian_samples(W, n, rng=rng, xx=S, noise=0.5))
        errors.append(max(np.abs(measured.xx - exact.xx).max(), np.abs(measured.yy - exact.yy).max()))
    assert errors[1] < 0.03
    assert errors[1] < errors[0] / 3  # one over the square root of n would be ten


@pytest.mark.parametrize(("depth", "branching"), [(0, 2), (1, 3), (3, 2), (2, 4)])
def test_hierarchy_is_a_tree(depth, branching):
    data = datasets.hierarchy(depth, branching)
    n = branching**depth
    assert data.X.shape == (n, n)
    assert data.Y.shape == (n, sum(branching**k for k in range(depth + 1)))
    assert_allclose(data.Y.sum(axis=1), depth + 1)  # every item has one property a level
    assert len(set(data.properties)) == data.Y.shape[1]
    assert len(data.items) == n
    # Two items share as many properties as their paths share nodes.
    shared = data.Y @ data.Y.T
    assert shared[0, 0] == depth + 1
    assert shared[0, -1] == 1  # the first and the last leaf share the root alone
    assert data.moments.condition_number == pytest.approx(1.0)
    if depth == 2 and branching == 4:
        assert data.properties[1] == "root.1"
        assert data.properties[-1] == "root.4.4"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: datasets.random_teacher([1, 2, 3], 2, 5, rng=r), "at most 2"),
        (lambda r: datasets.random_teacher([-1], 2, 2, rng=r), "below zero"),
        (lambda r: datasets.correlated_inputs([[1]], rng=r), "below zero|list"),
        (lambda r: datasets.gaussian_samples(np.eye(2), 0, rng=r), "at least 1"),
        (lambda r: datasets.gaussian_samples(np.eye(2), 5, rng=r, noise=-1), "negative"),
        (lambda r: datasets.hierarchy(-1), "at least 0"),
        (lambda r: datasets.hierarchy(40), "4096"),
    ],
)
def test_mistakes_are_named(rng, call, message):
    with pytest.raises(ValueError, match=message):
        call(rng)
