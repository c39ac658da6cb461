"""The figures of chapter 4 that are drawn by the library: every curve is there, and says what the data say."""

import matplotlib as mpl
import numpy as np
import pytest

import dlnlib as dln

mpl.use("agg")


@pytest.fixture(autouse=True)
def closed_figures():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def test_depth_curves_draws_one_panel_an_axis_and_the_last_curve_dashed():
    t, u = np.linspace(0, 1, 3), np.array([0.1, 0.5, 0.9])
    curves = {"2": (t, u), "inf": (t, u**2)}
    _, axes = dln.figures.depth_curves({"time": curves, "L times time": curves})
    assert [ax.get_xlabel() for ax in axes] == ["time", "L times time"]
    for ax in axes:
        assert [line.get_linestyle() for line in ax.lines] == ["-", "--"]
        np.testing.assert_allclose(ax.lines[1].get_ydata(), u**2)


def test_steps_against_depth_ends_in_an_arrow_where_nothing_arrived():
    _, ax = dln.figures.steps_against_depth([2, 5, 10], {"good": [8, 9, 10], "bad": [20, np.inf, np.inf]}, cap=100)
    good, bad, arrow = ax.lines[:3]
    np.testing.assert_allclose(good.get_ydata(), [8, 9, 10])
    np.testing.assert_allclose(bad.get_ydata(), [20, 100])
    np.testing.assert_allclose([arrow.get_xdata()[0], arrow.get_ydata()[0]], [5, 100])


def test_ranked_spectra_are_in_decades():
    _, ax = dln.figures.ranked_spectra({"measured": np.log([10.0, 1.0, 0.1])})
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [1, 0, -1], atol=1e-15)


def test_strength_errors_draws_the_formula_as_one():
    _, ax = dln.figures.strength_errors([0.0, 0.5], {"L = 3": [1.0, 0.9]})
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [1.0, 0.9])
    np.testing.assert_allclose(ax.lines[1].get_ydata(), [1.0, 1.0])
