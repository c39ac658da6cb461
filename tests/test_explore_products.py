"""Spectra of products: against multiplied matrices, against both limits, and what a gain does and does not change."""

import numpy as np
import pytest

import dlnlib as dln
from dlnlib.explore import _products, product_spectra

CHART = product_spectra()


def columns(part, **values):
    return CHART.columns(CHART.part(part), {**CHART.start, **values})


@pytest.mark.parametrize(("depth", "gain", "width"), [(1, 0.8, 8), (3, 1.1, 20), (2, 1.25, 40)])
def test_values_are_those_of_the_multiplied_matrices(depth, gain, width):
    found = columns("spectra", depth=depth, gain=gain, width=width)
    for seed, name in enumerate(("one", "two", "three")):
        rng = np.random.default_rng([seed, width])
        layers = [gain * rng.standard_normal((width, width)) / np.sqrt(width) for _ in range(depth)]
        product = np.linalg.multi_dot(layers[::-1]) if depth > 1 else layers[0]
        assert np.allclose(10 ** found[name], np.linalg.svd(product, compute_uv=False), rtol=1e-7)
    rotated = dln.product(dln.initialise.orthogonal((width,) * (depth + 1), rng=np.random.default_rng(0), gain=gain))
    assert np.allclose(10 ** found["orthogonal"], np.linalg.svd(rotated, compute_uv=False)[[0, -1]], rtol=1e-8)
    assert np.array_equal(found["k"], np.arange(1, width + 1))


@pytest.mark.parametrize("width", _products.WIDTHS)
def test_shallow_products_follow_the_wide_limit_and_deep_ones_the_other(width):
    shallow, deep = columns("spectra", depth=1, width=width), columns("spectra", depth=100, width=width)
    bulk = slice(0, width // 2)
    assert np.max(np.abs(shallow["one"] - shallow["wide"])[bulk]) < 0.2
    # The logarithms fluctuate like the square root of depth, their means grow like depth.
    assert np.max(np.abs(deep["one"] / deep["deep"] - 1)[width // 2 :]) < 0.15
    largest = np.mean([deep[name][0] for name in ("one", "two", "three")])
    assert deep["deep"][0] < largest < deep["wide"][0]


def test_a_gain_moves_every_value_alike_and_the_ratio_not_at_all():
    weak, strong = (columns("depths", gain=gain) for gain in (0.8, 1.25))
    shift = weak["L"] * np.log10(1.25 / 0.8)
    assert np.allclose(strong["largest"] - weak["largest"], shift, atol=1e-8)
    for name in ("ratio", "deep_ratio"):
        assert np.allclose(strong[name], weak[name], atol=1e-8)
    between = columns("spectra", gain=0.97, depth=5)
    assert np.allclose(between["one"], columns("spectra", gain=1.0, depth=5)["one"] + 5 * np.log10(0.97), atol=1e-8)


def test_lines_are_the_formulas_of_the_chapter():
    found = columns("depths", gain=1.1, width=8)
    L = found["L_line"]
    assert np.allclose(10 ** found["wide"], 1.1**L * np.sqrt((L + 1.0) * (1 + 1 / L) ** L), rtol=1e-8)
    mu = dln.propagation.lyapunov_exponents(8)
    assert np.allclose(found["deep_ratio"] * np.log(10), (mu[0] - mu[-1]) * L, rtol=1e-8)
    chosen = columns("spectra", gain=1.1, width=8, depth=20)
    at = list(found["L"]).index(20)
    assert chosen["largest"][0] == found["largest"][at] and chosen["ratio"][0] == found["ratio"][at]


def test_sentences():
    said = CHART.drawn()[1]
    assert said == (
        "Gaussian: largest 3.06 (wide limit 5.83, deep limit 0.737), smallest 1.98 × 10⁻¹¹ (deep limit 7.65 × 10⁻¹²), "
        "ratio 1.55 × 10¹¹. Orthogonal: all 1."
    )
    assert CHART.drawn(gain=1.25, depth=100)[1].endswith("Orthogonal: all 4.91 × 10⁹.")
    # What chapter 4 prints.
    assert "ratio 3.5 × 10⁷⁰" in CHART.drawn(width=8, depth=100)[1]
    found = columns("spectra", width=20, depth=32)
    assert found["deep"][0] + 0.5 < found["largest"][0] < np.log10(dln.propagation.fuss_catalan_edge(32)) - 0.5
