"""One layer, step by step: against a loop written out, the best step by search, and what is said."""

import re

import numpy as np
import pytest

from dlnlib.explore import _steps, one_layer_steps

CHART = one_layer_steps()
CORNERS = [(1.0, 0.05), (1.0, 1.25), (100.0, 0.05), (100.0, 1.25), (10.0, 0.8), (30.0, 1.0), (7.3, 0.61)]


def loop(condition, share, n):
    """Descent written out, in coordinates in which the inputs do not mix; errors (n + 1, 4)."""
    values = condition ** (-np.arange(4) / 3)
    error, run = np.ones(4), [np.ones(4)]
    for _ in range(n):
        error = error - 2 * share * error * values
        run.append(error)
    return np.array(run), values


@pytest.mark.parametrize(("condition", "share"), CORNERS)
def test_every_panel_against_a_loop(condition, share):
    values = {"condition": condition, "share": share}
    columns = CHART.columns(CHART.part("errors"), values)
    n = columns["n"].astype(int)
    run, variances = loop(condition, share, max(n[-1], 15))
    for k in range(4):
        for name in ("descent", "exact"):
            want = np.maximum(np.abs(run[n, k]), _steps.FLOOR)
            np.testing.assert_allclose(columns[f"{name}_{k + 1}"], want, rtol=1e-5, atol=1e-12)
    fall = np.maximum(run[n] ** 2 @ variances / variances.sum(), _steps.FLOOR)
    np.testing.assert_allclose(columns["loss"], fall, rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(columns["loss_exact"], fall, rtol=1e-5, atol=1e-12)
    path = CHART.columns(CHART.part("path"), values)
    length = len(path["slow"])
    np.testing.assert_allclose(path["slow"], run[:length, 3], atol=1e-11)
    np.testing.assert_allclose(path["fast"], run[:length, 0], atol=1e-11)
    factors = CHART.columns(CHART.part("factors"), values)
    for k in range(4):
        np.testing.assert_allclose(factors[f"x_{k + 1}"], 2 * share * variances[k], rtol=1e-12)
        np.testing.assert_allclose(factors[f"y_{k + 1}"], abs(1 - 2 * share * variances[k]), atol=1e-12)


def test_nothing_is_cut_before_it_leaves_the_view():
    for share in (1.01, 1.05, 1.25):
        columns = _steps.errors(30.0, share)
        assert columns["n"][-1] == _steps.STEPS or columns["descent_1"][-1] > 30


def test_points_of_equal_loss():
    for condition in (1.0, 100.0):
        curve = _steps.valley(condition)
        np.testing.assert_allclose(curve["y"] ** 2 + curve["x"] ** 2 / condition, 1 + 1 / condition, rtol=1e-12)


def steps_needed(condition, share):
    said = _steps.errors(condition, share)["say"]
    return int(re.search(r"after (\d+) steps", said)[1]) if "below 1 %" in said else np.inf


@pytest.mark.parametrize("condition", _steps.CONDITIONS)
def test_the_best_step_needs_fewest_steps(condition):
    best = condition / (condition + 1)
    assert best in _steps.SHARES
    needed = {share: steps_needed(condition, share) for share in _steps.SHARES if share < 1}
    if condition > 1:
        assert needed[best] == min(needed.values())
        run = np.abs(loop(condition, best, needed[best])[0]).max(axis=1)
        assert run[-1] <= 0.01 < run[-2]
    said = [_steps.errors(condition, share)["say"] for share in _steps.SHARES]
    assert [share for share, text in zip(_steps.SHARES, said, strict=True) if text.startswith("The best step")] == [best]


@pytest.mark.parametrize("condition", _steps.CONDITIONS)
def test_simulation_and_formula_count_alike(condition):
    for share in _steps.SHARES:
        counts = re.findall(r"after (\d+) steps \(formula (\d+)\)", _steps.errors(condition, share)["say"])
        assert all(simulated == formula for simulated, formula in counts)


@pytest.mark.parametrize(
    ("condition", "share", "said"),
    [
        (1.0, 0.5, "The best step: every factor is 0, and one step is enough."),
        (1.0, 1.0, "The limit: every direction changes sign at every step and never shrinks."),
        (10.0, 1.0, "The limit: direction 1 changes sign at every step and never shrinks. The others shrink."),
        (
            100.0,
            1.01,
            "Descent diverges: direction 1 grows by 1.02 a step, changing sign; "
            "the error is tenfold after 117 steps (formula 117).",
        ),
        (
            1.0,
            1.25,
            "Descent diverges: every direction grows by 1.5 a step, changing sign; "
            "the error is tenfold after 6 steps (formula 6).",
        ),
        (
            4.0,
            0.8,
            "The best step. Slowest: directions 1 and 4, factor 0.6 a step; every error is below 1 % after 10 steps "
            "(formula 10). Directions 1 and 2 change sign at every step.",
        ),
        (1.0, 0.2, "Slowest: all alike, factor 0.6 a step; every error is below 1 % after 10 steps (formula 10)."),
        (100.0, 0.5, "Slowest: direction 4, factor 0.99 a step; every error is below 1 % after 459 steps (formula 459)."),
    ],
)
def test_what_is_said(condition, share, said):
    assert CHART.drawn(condition=condition, share=share)[1] == said


def test_more_steps_than_are_simulated_come_from_the_formula():
    said = CHART.drawn(condition=30.0, share=0.9999)[1]
    assert "every error is below 1 % after 23024 steps by the formula." in said


def test_several_directions_that_grow_are_named():
    said = CHART.drawn(condition=1.5, share=1.2)[1]
    assert said.startswith("Descent diverges: directions 1 and 2 grow by up to 1.4 a step, changing sign;")
    assert CHART.drawn(condition=1.02, share=1.2)[1].startswith("Descent diverges: every direction grows by up to 1.4 a step")
