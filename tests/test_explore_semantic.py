"""The charts of chapter 5: whole networks, decompositions and closed forms against what is drawn; words at corners."""

from __future__ import annotations

import re

import numpy as np
import pytest

from dlnlib import datasets, explore, initialise, semantic
from dlnlib.explore import _growing, _illusions, _levels
from dlnlib.simulate import gradient_flow


def drawn(chart, **values):
    """Return the curves by column of y, and the sentence."""
    pairs, said = chart.drawn(**values)
    return {series.y: pair for series, pair in zip(chart.series, pairs, strict=True)}, said


@pytest.mark.parametrize(("depth", "branching", "flip"), [(3, 2, 0.1), (2, 3, 0.3)])
def test_levels_race_as_in_a_whole_network(depth, branching, flip):
    curves, said = drawn(explore.level_race(), depth=depth, branching=branching, flip=flip)
    task = datasets.tree(depth, branching, flip).moments(_levels.FEATURES)
    n, modes = branching**depth, task.modes()
    start = initialise.decoupled(modes, (n, n, n), np.sqrt(_levels.SHARE * n * modes.s), rng=None)
    first = np.cumsum([0, 1, *((branching - 1) * branching**j for j in range(depth - 1))])
    for j in range(depth + 1):
        t, share = curves[f"flow{j}"]
        flow = gradient_flow(start, task, t[t > 0], rtol=1e-10, atol=1e-13)
        k = first[j]
        assert np.abs(flow.strengths(modes)[:, k] / (n * modes.s[k]) - share[t > 0]).max() < 5.1e-4
        assert np.interp(curves[f"at{j}"][0], t, share) == pytest.approx(0.5, abs=5e-3)
    assert f"Levels 0 to {depth}" in said and said.startswith(f"{n} items")
    assert np.allclose(curves["formula"][1], curves["measured"][1], rtol=1e-10)
    assert curves[f"flow{depth + 1}"][0].size == 0


def test_a_single_layer_learns_all_levels_at_one_rate():
    curves, said = drawn(explore.level_race())
    t, share = curves["single"]
    layer = gradient_flow((np.zeros((8, 8)),), datasets.tree(3, 2, 0.1).moments(15), t[1:], rtol=1e-10, atol=1e-13)
    strengths = layer.strengths() / (8 * layer.moments.modes().s)
    assert np.abs(strengths - share[1:, None]).max() < 5.1e-4
    assert "by one layer all at 5.55" in said


@pytest.mark.parametrize("setting", [{}, {"branching": 3, "flip": 0.35}, {"depth": 2, "age": 100.0}])
def test_items_part_as_the_similarity_says(setting):
    chart = explore.growing_tree()
    curves, said = drawn(chart, **setting)
    values = {**chart.start, **setting}
    age, flip, branching, depth = values["age"], values["flip"], values["branching"], values["depth"]
    task = datasets.tree(depth, branching, flip).moments(_growing.FEATURES)
    t = curves["flow0"][0]
    H = semantic.hidden_similarity(task, t, _growing.START)
    for k in range(depth):
        other = branching ** (depth - 1 - k)
        expected = np.sqrt(H[:, 0, 0] + H[:, other, other] - 2 * H[:, 0, other])
        assert np.abs(curves[f"flow{k}"][1] - expected).max() < 1e-3
        assert np.abs(curves[f"exact{k}"][1] - expected).max() < 1e-3
    now, distances = curves["distances"]
    assert np.allclose(now, age / 100 * t[-1])
    assert np.all(np.diff(distances) < 0) and len(distances) == depth
    assert len(re.findall(r"%", said)) == depth


def test_the_picture_ends_as_the_layout():
    """Linear in the first layer: at the end of life it is nearly the layout, at birth nearly one point."""
    chart = explore.growing_tree()
    layout = _growing._layout(2, 3)
    for age, wanted, tolerance in ((100.0, layout, 0.01), (0.0, 0 * layout, 0.01)):
        curves, _ = drawn(chart, age=age)
        places = [np.stack([chart_x, chart_y], axis=1) for g in range(2) for chart_x, chart_y in [curves[f"y{g}"]]]
        assert np.abs(np.concatenate(places) - wanted).max() < tolerance
    path = curves["path_y"]
    assert len(path[0]) % 8 == 0


@pytest.mark.parametrize("entry", _illusions.ENTRIES)
@pytest.mark.parametrize("u0", [1e-6, 3e-3])
def test_beliefs_are_those_of_the_closed_form(entry, u0):
    curves, said = drawn(explore.illusory_beliefs(), entry=entry, u0=u0)
    t, flow = curves["flow"]
    node, leaves = _illusions.ENTRIES[entry]
    data = datasets.hierarchy(3)
    whole = semantic.development(data.moments, t, u0)
    names = [name for name in data.properties if name.count(".") == node]
    row = data.properties.index(names[0])
    away = [i for i in range(8) if data.table[row, i] == 0]
    beliefs = whole[:, row, away]
    nearest = np.abs(beliefs - flow[:, None]).max(axis=0)
    # How many items leave the path at this level: half of those below the node of that level.
    assert np.sum(nearest < 1e-3) >= 2 ** (2 - leaves)
    assert np.abs(curves["exact"][1] - flow).max() < 1e-3
    assert curves["height"][1][0] == 2.0 ** (leaves - node) > flow.max()
    assert "Formula off by" in said


def test_counts_of_illusions():
    chart = explore.illusory_beliefs()
    for u0, layers, margin, ever in ((1e-4, 2, 0.05, 88), (1e-8, 2, 0.1, 88), (1e-4, 2, 0.4, 16), (1e-4, 1, 0.05, 0)):
        curves, said = drawn(chart, u0=u0, layers=layers, margin=margin)
        data = datasets.hierarchy(3)
        t, now = curves["now"]
        W = semantic.development(data.moments, t, u0, layers)
        assert np.array_equal(now, np.sum(W[:, data.table == 0] > margin, axis=1))
        assert f"absent properties {ever} are believed in" in said, said
    curves, said = drawn(chart, layers=1, u0=1e-2)
    belief = np.abs(curves["flow"][1])
    assert "never arises" in said and 0 < belief[0] == belief.max()
