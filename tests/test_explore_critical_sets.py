"""The chart of critical sets: its points against a search that knows no formula, and against training."""

import itertools

import numpy as np
import pytest

import dlnlib as dln
from dlnlib import landscape
from dlnlib.explore import critical_sets
from dlnlib.explore._critical_sets import NAMES, SETS, STRENGTHS, _task, _visited

CHART = critical_sets()
KINDS = ("strict saddle", "flat saddle", "global minimum")


def drawn(**values):
    """Return label (or kind and columns) -> (x, y) of the series, and the sentence."""
    pairs, said = CHART.drawn(**values)
    return {(s.label or f"{s.kind} {s.x}"): pair for s, pair in zip(CHART.series, pairs, strict=True)}, said


def points(series):
    """Return every set as (index, loss), by kind."""
    return {kind: [(int(x), float(y)) for x, y in zip(*series[kind], strict=True) if x >= 0] for kind in KINDS}


@pytest.mark.parametrize(("s2", "s3", "hidden"), [(2.0, 1.0, 2), (1.0, 1.5, 3), (0.3, 2.0, 1)])
def test_points_are_those_that_a_search_for_zero_gradients_finds(s2, s3, hidden):
    task = dln.Moments.white(np.diag([3.0, s2, s3]))
    rng = np.random.default_rng(4)
    found = landscape.find_critical_points(task, (3, hidden, 3), 60, rng=rng, spread=0.6)
    seen = [landscape.classify(W, task, tol=1e-6) for W in found]
    there = {(point.index, round(point.loss, 6)) for point in seen}
    series, _ = drawn(s2=s2, s3=s3, hidden=hidden)
    here = {(x, round(y, 6)) for kind in KINDS for x, y in points(series)[kind]}
    assert len(there) >= 4
    assert there <= here


def test_known_case_three_two_one_with_two_units():
    series, said = drawn(hidden=2, chosen="∅")
    assert sorted(points(series)["strict saddle"]) == [(1, 2.0), (2, 2.5), (2, 4.5), (3, 5.0), (4, 6.5), (6, 7.0)]
    assert points(series)["global minimum"] == [(0, 0.5)]
    assert said.startswith("7 sets: 6 saddles; largest index 6, least curvature −3.")
    assert drawn(s2=3.0, s3=3.0, hidden=1)[1].startswith("Ties join 4 sets into 2: 1 saddle; largest index 3,")


def test_third_layer_leaves_swaps_only_and_flattens_what_training_visits():
    series, said = drawn(depth=3, chosen="1")
    assert {loss for _, loss in points(series)["flat saddle"]} == {7.0, 2.5, 0.5}
    assert points(series)["global minimum"] == [(0, 0.0)]
    assert "3 of them flat at balanced points" in said
    assert "flat saddle: no negative eigenvalue" in said
    assert len(series["way down, predicted"][0]) == 0
    visited = list(zip(*series["training visits"], strict=True))
    assert visited == [(0, 7.0), (0, 2.5), (0, 0.5), (0, 0.0)]


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize(("s2", "s3", "hidden"), [(2.0, 1.0, 3), (0.3, 3.0, 2), (3.0, 3.0, 3), (1.7, 2.9, 2), (1.5, 1.5, 1)])
def test_ways_down_of_every_set_are_the_negative_eigenvalues_away_from_the_balanced_point_too(s2, s3, hidden, depth):
    """Eigenvalues change along the orbit, their signs do not."""
    task, rng = _task(s2, s3), np.random.default_rng(0)
    for modes, chosen in zip(SETS, NAMES, strict=True):
        series, said = drawn(s2=s2, s3=s3, hidden=hidden, depth=depth, chosen=chosen)
        predicted, exact = series["way down, predicted"][1], series["negative eigenvalue, exact"][1]
        if len(modes) > hidden:
            assert "does not pass" in said
            assert len(predicted) == len(exact) == 0 == np.sum(series["chosen set"][0] >= 0)
            continue
        np.testing.assert_allclose(predicted, exact, rtol=1e-12)
        assert len(predicted) == series["chosen set"][0][0]
        widths = (3, *[hidden] * (depth - 1), 3)
        moved = landscape.critical_point(task.moments, task.sorted_modes(modes), widths, rng=rng, mix=3.0)
        assert landscape.classify(moved, task.moments).index == len(predicted)


def test_every_way_down_leads_to_a_set_of_lower_loss_and_lower_index():
    for chosen in NAMES:
        series, _ = drawn(chosen=chosen)
        index, loss = series["other star_index"]
        assert np.all(loss[1::2] < loss[0])
        assert np.all(index[1::2] < index[0])
        assert np.all(loss[::2] == loss[0])


def test_ties_join_sets_and_a_curve_of_critical_points_runs_between_them():
    series, said = drawn(s2=2.0, s3=2.0, hidden=2, chosen="2")
    assert said.startswith("Ties join 7 sets into 5: 4 saddles;")
    names = CHART.columns(CHART.part("sets"), {**CHART.start, "s3": 2.0, "hidden": 2})
    assert list(names["strict_name"]) == ["∅", "1", "2~3", "23"]
    assert list(names["least_name"]) == ["12~13"]
    task = dln.Moments.white(np.diag([3.0, 2.0, 2.0]))
    for angle in np.linspace(0, np.pi / 2, 5):
        direction = np.sqrt(2.0) * np.array([[0.0, np.cos(angle), np.sin(angle)]])
        W = (np.vstack([direction, 0 * direction]), np.hstack([direction.T, 0 * direction.T]))
        there = landscape.classify(W, task)
        assert there.kind == "strict saddle"
        assert (there.index, there.loss) in [(x, pytest.approx(y)) for x, y in points(series)["strict saddle"]]


@pytest.mark.parametrize(
    ("s2", "s3", "skipped"), [(2.0, 1.0, [2.0, 4.5, 5.0, 6.5]), (2.0, 2.0, [2.0, 4.5, 6.5]), (1.0, 2.0, [2.0, 4.5])]
)
def test_training_from_small_weights_stays_long_near_the_sets_on_the_path_and_nowhere_else(s2, s3, skipped):
    task = _task(s2, s3)
    start = dln.initialise.gaussian((3, 3, 3), rng=np.random.default_rng(5), scale=1e-9)
    run = dln.gradient_flow(start, task.moments, np.linspace(0.0, 60.0, 6001))
    series, _ = drawn(s2=s2, s3=s3)
    for level in series["training visits"][1][:-1]:
        assert 0.01 * np.sum(np.abs(run.loss - level) < 0.1) > 1.5, f"the path stays near {level}"
    for level in skipped:
        assert 0.01 * np.sum(np.abs(run.loss - level) < 0.1) < 0.3, f"the path does not stay near {level}"


def test_path_ends_where_the_hidden_units_end():
    assert [len(modes) for modes in _visited(_task(2.0, 1.0), 2)] == [0, 1, 2]
    assert [len(modes) for modes in _visited(_task(2.0, 2.0), 2)] == [0, 1, 2]
    assert [len(modes) for modes in _visited(_task(3.0, 3.0), 3)] == [0, 3]
    assert _visited(_task(1.0, 2.0), 3) == [(), (0,), (0, 2), (0, 1, 2)]


def test_every_position_keeps_the_count_of_sets_and_one_family_of_minima():
    for s2, s3, hidden, depth in itertools.product(STRENGTHS, STRENGTHS, (1, 2, 3), (2, 3)):
        series, said = drawn(s2=s2, s3=s3, hidden=hidden, depth=depth, chosen="∅")
        count = sum(len(p) for p in points(series).values())
        listed = int(said.removeprefix("Ties join ").split()[0])
        assert listed == {1: 4, 2: 7, 3: 8}[hidden]
        assert (count < listed) == (len({3.0, s2, s3}) < 3)
        assert len(points(series)["global minimum"]) == 1
        assert len(said) <= 200
