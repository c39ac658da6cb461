"""The figures of chapter 2 draw what they are given."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest

import dlnlib as dln
from dlnlib import figures

TASK = dln.Moments.white(np.diag([3.0, 2.0, 1.0]))


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_saddle_to_saddle_draws_each_run_over_all_levels():
    start = dln.initialise.gaussian((3, 3, 3), rng=np.random.default_rng(0), scale=0.1, batch=(3,))
    run = dln.gradient_flow(start, TASK, np.linspace(0.0, 2.0, 9))
    norms = np.ones(run.loss.shape)
    _, axes = figures.saddle_to_saddle({"$L = 2$": (run, norms)}, [7.0, 2.5, 0.5], [7.0])
    assert len(axes) == 1
    assert len(axes[0].lines) == 3 + 1 + 2 + 1
    left, right = axes[0].get_xlim()
    assert left > right, "the loss falls to the right"
