"""The figure of chapter 3 that is drawn by the library."""

import matplotlib as mpl
import numpy as np

import dlnlib as dln

mpl.use("agg")


def test_hyperbolic_paths_draws_every_path_and_names_the_errors():
    import matplotlib.pyplot as plt

    starts = np.array([(0.1, 0.1), (1.0, 0.0), (-0.5, 0.5)])
    t = np.linspace(0, 2, 5)
    flow = dln.gradient_flow((starts[:, :1, None], starts[:, 1:, None]), dln.Moments.white([[1.0]]), t)
    gaps = dln.exact.two_layer(t[:, None], 1.0, *starts[:2].T).gap
    fig, (plane, error) = dln.figures.hyperbolic_paths(flow, 1.0, gaps, ["one", "two"])
    assert len(plane.lines) == 3 + 2 * len(starts)
    assert [text.get_text() for text in error.get_legend().get_texts()] == ["one", "two"]
    np.testing.assert_allclose(error.lines[0].get_ydata(), error.lines[1].get_ydata(), rtol=1e-6)
    plt.close(fig)
