"""The landscape walk: its paths against the library's integrator and descent, its fates against the theory of the edge."""

import itertools

import numpy as np
import pytest

import dlnlib as dln
from dlnlib.explore import landscape_walk
from dlnlib.explore._walk import KEPT, LAST, SEEN, STARTS, STEPS, TASK, WINDOW, _walked

CHART = landscape_walk()
KAPPA = dln.exact.late_rate


def column(part, **values):
    return CHART.columns(CHART.part(part), {**CHART.start, **values})


def descent(a0, b0, step, n):
    run = dln.gradient_descent(([[a0]], [[b0]]), TASK, step, n)
    return run.weights[0][:, 0, 0], run.weights[1][:, 0, 0], run.loss


@pytest.mark.parametrize(("a0", "b0"), [(2.4, 0.2), (-0.2, 0.6), (2.4, 2.4), (-1.8, 1.2), (1.2, -1.2), (-0.37, -1.91)])
def test_flow_drawn_is_integrated_flow_on_the_dashed_hyperbola(a0, b0):
    flow = column("flow", a0=a0, b0=b0)
    run = dln.gradient_flow(([[a0]], [[b0]]), TASK, flow["t"][1:], rtol=1e-12)
    np.testing.assert_allclose(flow["a"][1:], run.weights[0][:, 0, 0], atol=1e-8)
    np.testing.assert_allclose(flow["b"][1:], run.weights[1][:, 0, 0], atol=1e-8)
    np.testing.assert_allclose(flow["loss"][1:], np.maximum(run.loss, SEEN / 10), rtol=1e-5)
    for a, b in ((flow["a"], flow["b"]), (flow["branch_a"], flow["branch_b"])):
        np.testing.assert_allclose(a**2 - b**2, a0**2 - b0**2, atol=1e-12)
    if a0**2 != b0**2:
        side = "a" if abs(a0) > abs(b0) else "b"
        assert np.all(np.sign(flow[f"branch_{side}"]) == np.sign(flow[f"start_{side}"])), "the branch of the start"


@pytest.mark.parametrize("step", STEPS)
def test_descent_drawn_is_the_descent_of_the_library(step):
    for a0, b0 in itertools.product((-1.8, -0.2, 0.0, 0.6, 1.2), (-1.2, 0.0, 0.2, 0.6)):
        drawn = column("descent", a0=a0, b0=b0, step=step)
        steps = np.rint(drawn["t"] / step).astype(int)
        if "diverges" in drawn["say"]:
            steps = steps[:-1]  # the last one may be where the library refuses to go on
        a, b, loss = descent(a0, b0, step, int(steps[-1]))
        upto = len(steps)
        np.testing.assert_array_equal(drawn["a"][:upto], a[steps])
        np.testing.assert_array_equal(drawn["b"][:upto], b[steps])
        np.testing.assert_allclose(drawn["loss"][:upto], np.maximum(loss[steps], SEEN / 10), rtol=1e-9)


def test_what_is_said_to_diverge_does_and_nothing_else():
    said = 0
    for a0, b0, step in itertools.product((0.0, 0.6, 1.8, 2.4), (-1.8, 0.2, 2.4), (0.2, 0.5, 0.9)):
        diverges = "diverges" in column("descent", a0=a0, b0=b0, step=step)["say"]
        said += diverges
        if diverges:
            with pytest.raises(dln.simulate.DivergenceError):
                descent(a0, b0, step, 64)
        else:
            assert descent(a0, b0, step, LAST)[2][-1] < SEEN or a0 == -b0
    assert 5 < said < 30


def test_ends_of_the_stable_arc_have_the_sharpness_two_over_eta():
    for step in (0.35, 0.5, 0.9):
        edge = column("edge", step=step)
        for a, b in ((edge["a"], edge["b"]), (edge["other_a"], edge["other_b"])):
            sharp = dln.hessian.sharpness((a[:, None, None], b[:, None, None]), TASK)
            np.testing.assert_allclose(sharp[[0, -1]], 2 / step, rtol=1e-12)
            assert np.all(sharp[1:-1] < 2 / step)
    assert len(column("edge", step=1.1)["a"]) == 0
    assert np.max(column("edge", step=0.05)["a"]) == pytest.approx(WINDOW), "cut at the window, not at the edge"


def test_where_descent_settles_holds_it_and_balance_never_grows_while_the_error_is_small():
    """c shrinks by 1 - (eta r)^2 a step, as long as |eta r| < sqrt 2."""
    for a0, b0, step in itertools.product(STARTS, STARTS, STEPS):
        a, b = _walked(a0, b0, step)
        if not np.isfinite(a[-1]) or abs(a[-1] * b[-1] - 1) > 1e-6:
            continue
        assert step * (a[-1] ** 2 + b[-1] ** 2) <= 2, f"no start of the page lands where nothing holds: {a0, b0, step}"
        c, r = np.abs(a**2 - b**2), np.abs(1 - a * b)
        calm = step * r[:-1] < np.sqrt(2)
        assert np.all(c[1:][calm] <= c[:-1][calm] * (1 + 1e-9) + 1e-12)


def test_special_starts_are_called_by_their_names():
    assert CHART.drawn(a0=0.0, b0=0.0)[1].startswith("The start is the saddle: flow does not move. ")
    assert CHART.drawn(a0=0.0, b0=0.0)[1].endswith("Descent does not move either.")
    said = CHART.drawn(a0=1.8, b0=-1.8, step=0.2)[1]
    assert said.startswith("Flow runs along a = −b into the saddle and stays. ")
    assert said.endswith("Descent ends at the saddle too.")
    assert CHART.drawn(a0=0.8, b0=1.25)[1].startswith("The start is a minimum of sharpness 2.2: flow does not move.")
    assert CHART.drawn(a0=0.6, b0=0.2, step=1.1)[1].endswith("400 steps: every minimum has sharpness 2 or more.")
    assert CHART.drawn(a0=0.8, b0=1.2499)[1].endswith("Descent does not move either."), "nothing to be seen"
    landed = CHART.drawn(a0=-1.5, b0=-2.0, step=0.5)[1]
    assert landed.startswith("Flow keeps c") and landed.endswith("lands on a = −b and leads to the saddle.")
    hit = CHART.drawn(a0=2.0, b0=-1.0, step=0.5)[1]
    assert hit.endswith("Descent hits, by chance, a minimum that would not hold it, after 1 step: sharpness 4.25, c = −3.75.")


def test_one_start_at_five_steps_follows_settles_is_thrown_twice_and_runs_away():
    """What the chapter asks its readers to find."""
    said = [CHART.drawn(a0=2.4, b0=0.2, step=step)[1] for step in (0.05, 0.2, 0.35, 0.5, 0.7)]
    assert all(text.startswith("Flow keeps c = a² − b² = 5.72, final sharpness 6.06.") for text in said)
    assert ["Catapult" in text for text in said] == [False, False, True, True, False]
    assert ["diverges" in text for text in said] == [False, False, False, False, True]
    assert said[3].endswith("descent settles after 9 steps: sharpness 2.01, c = 0.193.")
    assert said[4].endswith("loss above 10⁶ after 6 steps.")


def test_catapult_is_said_exactly_where_the_minimum_of_flow_is_past_the_edge_and_the_loss_rises():
    calm = 0
    for a0, b0, step in itertools.product(STARTS, STARTS, STEPS):
        said = column("descent", a0=a0, b0=b0, step=step)["say"]
        if "settles" in said and "any" not in said:
            assert ("too sharp" in said) == (step * KAPPA(1.0, a0**2 - b0**2) > 2)
            if "too sharp" in said:
                rises = np.any(np.diff(descent(a0, b0, step, 60)[2]) > 1e-7)
                assert ("Catapult" in said) == rises
                calm += not rises
    assert calm == 12, "starts that are never thrown, although flow ends where descent cannot rest"


def test_mirror_images_behave_alike():
    for a0, b0 in ((2.4, -0.6), (1.2, 0.2)):
        here, there, swapped = (_walked(*start, 0.5) for start in ((a0, b0), (-a0, -b0), (b0, a0)))
        np.testing.assert_array_equal(here, np.negative(there))
        np.testing.assert_array_equal(here, swapped[::-1])


def test_a_position_between_the_grid_is_computed_like_one_on_it():
    on, off = (_walked(a0, 0.2, 0.5) for a0 in (2.4, 2.4 + 1e-13))
    np.testing.assert_allclose(on, off, atol=1e-9)
    assert np.all(np.diff(KEPT) % 2 == 1), "odd strides show both sides of a bounce"


def test_every_sentence_fits():
    assert max(len(CHART.drawn(a0=a, b0=b, step=h)[1]) for a, b, h in itertools.product(STARTS, STARTS, STEPS)) <= 200
