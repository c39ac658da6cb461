"""A layer written as a product inside a network with ReLU: gradients, training, what does not depend on depth."""

import numpy as np
import pytest

from dlnlib import expanded, initialise
from dlnlib._unchecked import product_of

DATA = expanded.digits(200, rng=np.random.default_rng(0))


def start(depth, seed=1):
    rng = np.random.default_rng(seed)
    return initialise.gaussian((64, *(8,) * depth), rng=rng), rng.standard_normal((10, 8)) / 3


def test_digits_are_those_of_scikit_learn():
    assert DATA.X.shape == (200, 64) and DATA.X_test.shape == (1597, 64) and DATA.X.min() == 0 and DATA.X.max() == 1
    noisy = expanded.digits(1000, rng=np.random.default_rng(0), flip=0.3)
    clean = expanded.digits(1000, rng=np.random.default_rng(0))
    assert np.array_equal(noisy.X, clean.X) and np.array_equal(noisy.labels_test, clean.labels_test)
    assert np.array_equal(noisy.flipped, noisy.labels != clean.labels) and not clean.flipped.any()
    assert np.mean(noisy.flipped) == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_one_step_follows_the_gradient_by_finite_differences(depth):
    weights, readout = start(depth)
    run = expanded.train(DATA, weights, readout, 1e-3, 1, rng=np.random.default_rng(2), batch_size=200)
    h = 1e-5
    for i in range(depth + 1):
        before = [*weights, readout]
        step = (before[i] - [*run.weights, run.readout][i][-1]) / 1e-3
        for index in [(0, 1), (3, 4)]:
            values = []
            for sign in (1, -1):
                moved = [part.copy() for part in before]
                moved[i][index] += sign * h
                values.append(expanded.cross_entropy(tuple(moved[:-1]), moved[-1], DATA.X, DATA.labels))
            assert step[index] == pytest.approx((values[0] - values[1]) / (2 * h), rel=1e-5, abs=1e-9)


def test_what_the_network_computes_does_not_depend_on_the_factorisation():
    weights, readout = start(3)
    single = (product_of(weights),)
    assert np.allclose(expanded.features(weights, DATA.X), expanded.features(single, DATA.X))
    assert expanded.accuracy(weights, readout, DATA.X, DATA.labels) == expanded.accuracy(single, readout, DATA.X, DATA.labels)
    assert expanded.cross_entropy(single, 0 * readout, DATA.X, DATA.labels) == pytest.approx(np.log(10))


def test_training_learns_and_is_recorded():
    weights, readout = start(2)
    run = expanded.train(DATA, weights, readout, 0.1, 30, rng=np.random.default_rng(3), batch_size=20, record=[0, 30])
    assert np.array_equal(run.epochs, [0, 30]) and run.product.shape == (2, 8, 64)
    first, last = (expanded.accuracy(tuple(W[k] for W in run.weights), run.readout[k], DATA.X, DATA.labels) for k in (0, 1))
    assert first < 0.3 and last > 0.85


def test_mistakes_are_named():
    weights, readout = start(2)
    rng = np.random.default_rng(4)
    with pytest.raises(ValueError, match="at most 1700"):
        expanded.digits(1750, rng=rng)
    with pytest.raises(ValueError, match="does not fit"):
        expanded.features(weights, np.ones((3, 5)))
    with pytest.raises(ValueError, match="one for each hidden unit"):
        expanded.accuracy(weights, np.ones((10, 3)), DATA.X, DATA.labels)
    with pytest.raises(ValueError, match="whole numbers"):
        expanded.accuracy(weights, readout, DATA.X, DATA.labels[:-1])
    with pytest.raises(ValueError, match="diverged"):
        expanded.train(DATA, weights, readout, 1e9, 20, rng=rng)
    with pytest.raises(ValueError, match="must be Digits"):
        expanded.train(DATA.X, weights, readout, 0.1, 1, rng=rng)
