"""Network, Hessian: finite differences, invariances and mistakes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from dlnlib import Moments, gradients, initialise, loss, product
from dlnlib.hessian import hessian, hessian_vector_product, sharpness
from dlnlib.network import error_correlation, flatten, imbalances, unflatten, widths

WIDTHS = [(4, 3), (4, 5, 3), (4, 2, 6, 3), (1, 1, 1, 1, 1)]


def problem(sizes, seed=0, batch=()):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((30, sizes[0])) * np.linspace(2, 0.5, sizes[0])
    Y = X @ rng.standard_normal((sizes[0], sizes[-1])) + rng.standard_normal((30, sizes[-1]))
    weights = initialise.gaussian(sizes, rng=rng, scale=0.7, batch=batch)
    return weights, Moments.from_data(X, Y), X, Y


@pytest.mark.parametrize("sizes", WIDTHS)
def test_loss_is_the_mean_over_samples(sizes):
    weights, m, X, Y = problem(sizes)
    direct = 0.5 * np.mean(np.sum((Y - X @ product(weights).T) ** 2, axis=1))
    assert_allclose(loss(weights, m), direct, rtol=1e-13)
    E = np.mean([np.outer(y - product(weights) @ x, x) for x, y in zip(X, Y, strict=True)], axis=0)
    assert_allclose(error_correlation(weights, m), E, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("sizes", WIDTHS)
def test_gradient_is_the_derivative_of_the_loss(sizes):
    weights, m, *_ = problem(sizes)
    v, h = flatten(weights), 1e-5

    def f(vector):
        return float(loss(unflatten(vector, sizes), m))

    # Fourth-order central differences: error of order h^4, far below the rounding eps/h.
    numeric = [(8 * (f(v + h * e) - f(v - h * e)) - (f(v + 2 * h * e) - f(v - 2 * h * e))) / (12 * h) for e in np.eye(len(v))]
    assert_allclose(flatten(gradients(weights, m)), numeric, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("sizes", WIDTHS)
def test_hessian_is_the_derivative_of_the_gradient(sizes):
    weights, m, *_ = problem(sizes)
    v, h = flatten(weights), 1e-5

    def g(vector):
        return flatten(gradients(unflatten(vector, sizes), m))

    numeric = np.array([(g(v + h * e) - g(v - h * e)) / (2 * h) for e in np.eye(len(v))])
    H = hessian(weights, m)
    assert_allclose(H, numeric, rtol=1e-6, atol=1e-7)
    assert_allclose(H, H.T, atol=0)
    direction = initialise.gaussian(sizes, rng=np.random.default_rng(5), scale=1.0, batch=(2,))
    applied = hessian_vector_product(weights, m, direction)
    assert_allclose(flatten(applied), flatten(direction) @ H, rtol=1e-10, atol=1e-12)
    assert_allclose(sharpness(weights, m), np.linalg.eigvalsh(H)[-1], rtol=1e-12)


def test_everything_is_batched():
    sizes = (4, 5, 3)
    weights, m, *_ = problem(sizes, batch=(2, 3))
    one = tuple(W[1, 2] for W in weights)
    assert loss(weights, m).shape == (2, 3)
    assert_allclose(loss(weights, m)[1, 2], loss(one, m), rtol=1e-14)
    assert_allclose(product(weights)[1, 2], product(one), rtol=1e-14)
    for all_of_them, single in zip(gradients(weights, m), gradients(one, m), strict=True):
        assert_allclose(all_of_them[1, 2], single, rtol=1e-12, atol=1e-14)
    for all_of_them, single in zip(imbalances(weights), imbalances(one), strict=True):
        assert_allclose(all_of_them[1, 2], single, rtol=1e-12, atol=1e-14)
    assert sharpness(weights, m).shape == (2, 3)
    assert_allclose(sharpness(weights, m)[1, 2], sharpness(one, m), rtol=1e-12)
    assert widths(weights) == sizes
    back = unflatten(flatten(weights), sizes)
    assert all(np.array_equal(a, b) for a, b in zip(back, weights, strict=True))


def test_sharpness_of_a_large_network_by_lanczos():
    sizes = (20, 24, 20)  # 960 parameters: beyond the dense limit
    weights, m, *_ = problem(sizes)
    assert_allclose(sharpness(weights, m), np.linalg.eigvalsh(hessian(weights, m))[-1], rtol=1e-9)


def test_rotating_hidden_units_changes_nothing():
    weights, m, *_ = problem((4, 5, 3))
    Q = np.linalg.qr(np.random.default_rng(3).standard_normal((5, 5)))[0]
    turned = (Q @ weights[0], weights[1] @ Q.T)
    assert_allclose(loss(turned, m), loss(weights, m), rtol=1e-13)
    assert_allclose(sharpness(turned, m), sharpness(weights, m), rtol=1e-11)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ((), "empty"),
        ("weights", "tuple"),
        (np.eye(3), "tuple"),
        ((np.ones(3),), r"W_1 must have shape"),
        ((np.ones((2, 3)), np.ones((2, 3))), "W_1 acts first"),
        ((np.ones((5, 2, 3)), np.ones((2, 2))), "batch axes"),
        ((np.full((2, 3), np.inf), np.ones((2, 2))), "NaN or infinite"),
        (([[1, 2], [3]],), "equal row lengths"),
    ],
)
def test_bad_weights_are_named(weights, message):
    with pytest.raises(ValueError, match=message):
        product(weights)


def test_weights_that_do_not_fit_the_moments():
    m = Moments.white(np.ones((2, 3)))
    with pytest.raises(ValueError, match="d_in = 3"):
        loss((np.ones((2, 4)),), m)
    with pytest.raises(ValueError, match="d_out = 2"):
        gradients((np.ones((4, 3)),), m)
    with pytest.raises(ValueError, match="Moments"):
        loss((np.ones((2, 3)),), "moments")
    with pytest.raises(ValueError, match="overflows"):
        loss((np.full((2, 3), 1e200),), m)
    with pytest.raises(ValueError, match="overflows"):
        product((np.full((2, 3), 1e200), np.full((2, 2), 1e200)))
    with pytest.raises(ValueError, match="one network at a time"):
        hessian((np.ones((5, 2, 3)),), m)
    with pytest.raises(ValueError, match="layer shapes"):
        hessian_vector_product((np.ones((4, 3)), np.ones((2, 4))), m, (np.ones((2, 3)),))
    with pytest.raises(ValueError, match="need 10 parameters"):
        unflatten(np.ones(9), (3, 2, 2))
    with pytest.raises(ValueError, match="sequence"):
        unflatten(np.ones(9), 3)
    with pytest.raises(ValueError, match="at least the input"):
        unflatten(np.ones(9), (3,))
