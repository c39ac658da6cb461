"""Tables and structures of items: names, exact similarities, and samples that tend to them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from dlnlib import Modes, datasets


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def test_four_items_are_a_tree_of_four_leaves():
    data = datasets.four_items()
    assert data.items == ("canary", "salmon", "oak", "rose") and len(data.properties) == 7
    assert data.table.shape == (7, 4)
    has = {
        item: {p for p, x in zip(data.properties, row, strict=True) if x} for item, row in zip(data.items, data.Y, strict=True)
    }
    assert has["canary"] == {"grow", "move", "fly"} and has["rose"] == {"grow", "roots", "petals"}
    assert_allclose(Modes.of(data.table).s ** 2, [7, 3, 1, 1], atol=1e-13)
    assert_allclose(data.table.T @ data.table, datasets.hierarchy(2).table.T @ datasets.hierarchy(2).table)
    assert_allclose(data.moments.yx, data.table / 4)


def test_copies_repeat_the_properties_of_a_level():
    once, more = datasets.hierarchy(2), datasets.hierarchy(2, copies=(1, 0, 3))
    assert more.Y.shape == (4, 1 + 0 + 12) and more.properties[0] == "root" and more.properties[1] == "root.1.1 (1)"
    assert len(set(more.properties)) == 13
    assert_allclose(more.Y[:, 1:4], np.repeat(once.Y[:, 3:4], 3, axis=1))
    assert_allclose(datasets.hierarchy(2, copies=[1, 1, 1]).Y, once.Y)


@pytest.mark.parametrize(("depth", "branching", "flip"), [(3, 2, 0.1), (2, 3, 0.3), (4, 2, 0.8), (0, 2, 0.1)])
def test_samples_of_diffusion_tend_to_the_tree(rng, depth, branching, flip):
    exact = datasets.tree(depth, branching, flip).similarity
    errors = []
    for features in (400, 40_000):
        data = datasets.diffusion(depth, branching, flip, features, rng=rng)
        assert set(np.unique(data.Y)) <= {-1.0, 1.0} and data.Y.shape == (branching**depth, features)
        errors.append(np.abs(data.Y @ data.Y.T / features - exact).max())
    assert errors[1] < 0.03
    assert errors[1] <= errors[0] / 2


def test_without_flips_all_leaves_are_the_same(rng):
    assert np.ptp(datasets.diffusion(3, 2, 0.0, 50, rng=rng).Y, axis=0).max() == 0
    assert_allclose(datasets.tree(3, 2, 0.0).similarity, 1)
    assert_allclose(datasets.tree(2, 2, 0.5).similarity, np.eye(4))


STRUCTURES = {
    "tree": datasets.tree(2, 3, 0.15),
    "ring": datasets.ring(9, 2.0),
    "ring of two": datasets.ring(2, 1.0),
    "chain": datasets.chain(7, 1.5),
    "clusters": datasets.clusters(3, 4, 0.6, 0.1),
    "cross-cutting": datasets.cross_cutting(3, 4, 0.3, 0.5),
}


@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES)
def test_structures_are_correlations_with_their_own_moments(structure, rng):
    C = structure.similarity
    assert_allclose(np.diag(C), 1)
    assert_allclose(C, C.T)
    assert np.linalg.eigvalsh(C)[0] > -1e-12
    assert len(set(structure.items)) == len(C)
    n, moments = len(C), structure.moments(50.0)
    assert_allclose(n**2 * moments.yx.T @ moments.yx, 50 * C, atol=1e-10)
    assert_allclose(moments.xx, np.eye(n) / n)
    data = structure.sample(20_000, rng=rng)
    assert data.items == structure.items
    assert np.abs(data.Y @ data.Y.T / 20_000 - C).max() < 0.05


def test_similarities_at_known_places():
    assert_allclose(datasets.ring(8, 2.0).similarity[0, [1, 4, 7]], np.exp([-0.5, -2, -0.5]))
    assert_allclose(datasets.chain(8, 2.0).similarity[0, [1, 7]], np.exp([-0.5, -3.5]))
    crossed = datasets.cross_cutting(2, 2, 0.3, 0.5).similarity
    assert_allclose(crossed[0], [1, 0.3, 0.5, 0])
    assert_allclose(datasets.clusters(2, 2, 0.6, 0.2).similarity[0], [1, 0.6, 0.2, 0.2])


def test_a_planted_category_stands_where_it_should(rng):
    data = datasets.planted_category(400, 60, shared=100, members=20, mean=3.0, rng=rng)
    inside = data.table[:100, :20]
    outside = np.concatenate([data.table[100:].ravel(), data.table[:, 20:].ravel()])
    assert inside.mean() == pytest.approx(3.0, abs=0.1) and outside.mean() == pytest.approx(0.0, abs=0.1)
    assert inside.std() == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: datasets.hierarchy(2, copies=[1, 1]), "3 whole numbers"),
        (lambda r: datasets.hierarchy(1, copies=[0, 0]), "no property at all"),
        (lambda r: datasets.hierarchy(1, copies=[0.5, 1]), "whole numbers"),
        (lambda r: datasets.diffusion(2, 2, 1.5, 5, rng=r), "probability"),
        (lambda r: datasets.diffusion(12, 2, 0.1, 10**6, rng=r), "do not fit"),
        (lambda r: datasets.tree(13, 2, 0.1), "4096"),
        (lambda r: datasets.ring(0, 1.0), "at least 1"),
        (lambda r: datasets.ring(10**5, 1.0), "too many"),
        (lambda r: datasets.chain(4, 0.0), "positive"),
        (lambda r: datasets.clusters(2, 2, 0.1, 0.2), "must not exceed within"),
        (lambda r: datasets.cross_cutting(2, 2, 0.7, 0.5), "must not exceed 1"),
        (lambda r: datasets.planted_category(3, 3, shared=4, members=1, mean=1.0, rng=r), "does not fit"),
        (lambda r: datasets.planted_category(10**6, 10**3, shared=4, members=1, mean=1.0, rng=r), "too large"),
        (lambda r: datasets.chain(4, 1.0).moments(-1.0), "positive"),
        (lambda r: datasets.chain(500, 1.0).sample(10**6, rng=r), "do not fit"),
    ],
)
def test_mistakes_are_named(rng, call, message):
    with pytest.raises(ValueError, match=message):
        call(rng)
