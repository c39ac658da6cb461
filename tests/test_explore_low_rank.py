"""Charts of chapter 6: ranks of random products, and completion of a small matrix, against other roads."""

import numpy as np
import pytest

from dlnlib import completion, explore, initialise, lowrank
from dlnlib.explore import _completion, _ranks

RANKS, PATHS = explore.rank_of_products(), explore.completion_paths()


def drawn(chart, **values):
    pairs, said = chart.drawn(**values)
    return dict(zip([series.label for series in chart.series], pairs, strict=True)), said


@pytest.mark.parametrize(("ensemble", "kind"), [("Gaussian", "singular values"), ("uniform", "their squares")])
def test_ranks_are_those_of_products_of_layers(ensemble, kind):
    """Products made layer by layer from another stream; means agree within four standard errors."""
    rng, N, L = np.random.default_rng(3), 16, 4
    make = rng.standard_normal if ensemble == "Gaussian" else lambda size: np.sqrt(3) * rng.uniform(-1, 1, size)
    W = np.eye(N)
    for _ in range(L):
        W = make((100, N, N)) / np.sqrt(N) @ W
    s = np.linalg.svd(W, compute_uv=False) ** _ranks.KINDS[kind]
    p = s / s.sum(axis=1, keepdims=True)
    other = np.exp(-np.sum(p * np.log(p), axis=1))
    curves, _ = drawn(RANKS, ensemble=ensemble, width=N, depth=L, kind=kind)
    mean = curves["chosen depth"][1][0]
    assert mean == pytest.approx(other.mean(), abs=4 * other.std() * np.sqrt(2 / 100))
    assert mean == pytest.approx(curves["mean of the draws"][1][_ranks.DEPTHS.index(L)])
    x, share = curves["draws"]
    assert share.sum() == pytest.approx(1) and np.sum(x * share) == pytest.approx(mean, abs=0.13)


def test_limits_and_words_of_the_ranks():
    curves, said = drawn(RANKS, width=8, depth=32)
    assert curves["wide limit"][1][-1] == pytest.approx(8 * lowrank.wide_effective_rank(32)) and "no rank can reach" in said
    curves, said = drawn(RANKS, ensemble="orthogonal", width=16, depth=32)
    assert np.allclose(curves["mean of the draws"][1], 16) and "16 in every draw" in said
    assert drawn(RANKS, depth=5)[0]["chosen depth"][0] == [5]  # between the positions of the page


@pytest.mark.parametrize(
    ("depth", "start", "seen", "matrix"), [(3, 0.03, "35 of 100", "first"), (2, 0.07, "50 of 100", "second")]
)
def test_paths_are_those_of_a_single_run(depth, start, seen, matrix):
    """On the page all starts run in one batch; here one runs alone, followed by the flow instead of descent."""
    task = completion.small_task(_completion.SEEN[seen], _completion.MATRICES[matrix])
    layers = initialise.gaussian((10,) * (depth + 1), rng=np.random.default_rng(0), scale=start)
    curves, _ = drawn(PATHS, depth=depth, start=start, seen=seen, matrix=matrix)
    t, error = curves["error"]
    flow = completion.factorised_flow(layers, task.gradient, t[[10, -1]], rtol=1e-8)
    assert error[-1] == pytest.approx(float(task.error(flow.product[-1])), abs=0.01)
    assert curves["effective rank"][1][-1] == pytest.approx(float(lowrank.effective_rank(flow.product[-1])), abs=0.02)
    assert curves["effective rank"][1][10] == pytest.approx(
        float(lowrank.effective_rank(flow.product[0])), abs=0.2
    )  # steps of descent show


def test_words_of_the_paths():
    assert "the matrix is recovered" in drawn(PATHS)[1]
    assert "not the right one" in drawn(PATHS, matrix="second")[1]
    assert "not recovered" in drawn(PATHS, start=0.3)[1]
    assert "Not yet fitted" in drawn(PATHS, depth=4, start=0.01)[1]
    assert "leaves the rest as it was" in drawn(PATHS, depth=1)[1]


def test_one_layer_leaves_unseen_entries():
    """The error at the end is that of the unseen entries at their start."""
    task = completion.small_task(35, 0)
    W = initialise.gaussian((10, 10), rng=np.random.default_rng(0), scale=0.03)[0]
    expected = np.linalg.norm((W - task.target)[~task.mask]) / np.linalg.norm(task.target)
    assert drawn(PATHS, depth=1)[0]["error"][1][-1] == pytest.approx(expected, rel=1e-6)
