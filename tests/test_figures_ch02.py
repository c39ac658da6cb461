"""The figures of chapter 2 draw what they are given."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest

import dlnlib as dln
from dlnlib import figures, landscape

TASK = dln.Moments.white(np.diag([3.0, 2.0, 1.0]))


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_critical_set_diagram_joins_sets_by_one_addition_or_one_swap():
    sets = landscape.critical_sets(TASK, 2)
    _, ax = figures.critical_set_diagram(sets, path=[(), (0,), (0, 1)])
    edges = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_linewidth() == 0.8]
    solid = [line for line in edges if line.get_linestyle() == "-"]
    # Additions: 3 from nothing, 2 from each single mode. Swaps: 2-1, 3-1, 3-2, 13-12, 23-13, 23-12.
    assert (len(solid), len(edges) - len(solid)) == (9, 6)
    for line in edges:
        loss = line.get_ydata()
        assert loss[1] < loss[0], "every line leads down"
    names = [text.get_text() for text in ax.texts]
    assert sorted(name for name in names if name) == sorted(["∅", "1", "2", "3", "12", "13", "23"])


def test_hessian_spectra_draws_every_eigenvalue_once_and_marks_the_negative_ones():
    values = landscape.canonical_spectrum(TASK, (1,), (3, 3, 3))
    _, axes = figures.hessian_spectra({"$L = 2$": [values]}, ["2"])
    drawn = [line for line in axes[0].lines if line.get_marker() in ("o", "v")]
    assert sum(len(line.get_ydata()) for line in drawn) == len(values)
    below = sum(len(line.get_ydata()) for line in drawn if line.get_marker() == "v")
    assert below == landscape.predicted_index(TASK, (1,), 3)


def test_saddle_to_saddle_draws_each_run_over_all_levels():
    start = dln.initialise.gaussian((3, 3, 3), rng=np.random.default_rng(0), scale=0.1, batch=(3,))
    run = dln.gradient_flow(start, TASK, np.linspace(0.0, 2.0, 9))
    norms = np.ones(run.loss.shape)
    _, axes = figures.saddle_to_saddle({"$L = 2$": (run, norms)}, [7.0, 2.5, 0.5], [7.0])
    assert len(axes) == 1
    assert len(axes[0].lines) == 3 + 1 + 2 + 1
    left, right = axes[0].get_xlim()
    assert left > right, "the loss falls to the right"
