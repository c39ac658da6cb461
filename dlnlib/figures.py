"""Figures of the chapters that take more than a few lines: each is given its data and returns (figure, axes)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array
from dlnlib.plotting import DASHES, INK, MARKERS, NEUTRAL, mode_colour, others

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dlnlib.trajectory import Trajectory

__all__ = [
    "depth_curves",
    "ranked_spectra",
    "saddle_to_saddle",
    "steps_against_depth",
    "strength_errors",
]


def saddle_to_saddle(
    runs: Mapping[str, tuple[Trajectory, ArrayLike]], levels: Sequence[float], visited: Sequence[float]
) -> tuple[Figure, Array]:
    """Draw gradient norm against loss for each run, above the levels of all critical sets, those visited in colour.

    runs : label -> (trajectory with a batch axis, gradient norms (n_t, n_seeds)).
    """
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, len(runs), figsize=(6.4, 3.6), sharey=True, squeeze=False)
    for ax, (label, (run, norms)) in zip(axes[0], runs.items(), strict=True):
        for level in levels:
            ax.axvline(level, color=NEUTRAL, lw=0.8, ls=":")
        for k, level in enumerate(visited):
            ax.axvline(level, color=mode_colour(k), lw=1.5, ls=DASHES)
        others(ax, run.loss[:, 1:], np.asarray(norms)[:, 1:])
        ax.semilogy(run.loss[:, 0], np.asarray(norms)[:, 0], color=INK, lw=2)
        ax.invert_xaxis()
        ax.set_xlabel(rf"loss $\mathcal{{L}}$, {label}")
    axes[0, 0].set(ylabel="gradient norm", ylim=(1e-5, 20.0))
    return fig, axes[0]


def depth_curves(panels: Mapping[str, Mapping[str, tuple[ArrayLike, ArrayLike]]]) -> tuple[Figure, Array]:
    """Draw strength against time in one panel for each entry; each curve is label -> (t, u), the last one dashed.

    panels : label of the time axis -> curves, the same labels in every panel.
    """
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, len(panels), figsize=(6.4, 3.4), sharey=True, squeeze=False)
    for ax, (axis_label, curves) in zip(axes[0], panels.items(), strict=True):
        for k, (label, (t, u)) in enumerate(curves.items()):
            ax.plot(t, u, color=mode_colour(k), ls=DASHES if k == len(curves) - 1 else "-", label=label)
        ax.set_xlabel(axis_label)
    axes[0, 0].set_ylabel("strength $u/s$")
    axes[0, -1].legend(loc="lower right", fontsize=9)
    return fig, axes[0]


def steps_against_depth(depths: Sequence[int], steps: Mapping[str, ArrayLike], cap: float) -> tuple[Figure, Axes]:
    """Draw steps of descent against depth, both logarithmic; what never arrived ends in an arrow at the cap.

    depths : (n,). steps : label -> steps (n,), np.inf for never. cap : the largest number of steps tried.
    """
    import matplotlib.pyplot as plt

    fig, ax = plt.subplots(figsize=(6.4, 4.2))
    x = np.asarray(depths, dtype=float)
    for k, (label, values) in enumerate(steps.items()):
        y = np.asarray(values, dtype=float)
        shown = np.where(np.isfinite(y), y, cap)
        upto = min(int(np.argmax(np.isinf(y))) + 1, len(y)) if np.any(np.isinf(y)) else len(y)
        ax.plot(x[:upto], shown[:upto], color=mode_colour(k), marker=MARKERS[k % 7], ms=5, label=label)
        if np.any(np.isinf(y)):
            ax.plot(x[upto - 1], cap, color=mode_colour(k), marker="^", ms=11, zorder=4)
    ax.axhline(cap, color=NEUTRAL, lw=0.8, ls=":")
    ax.set(xscale="log", yscale="log", xlabel="depth $L$", ylabel="steps of descent")
    ax.set_xticks(x, [str(d) for d in depths])
    ax.minorticks_off()
    fig.legend(loc="outside lower center", ncols=2, fontsize=9)
    return fig, ax


def ranked_spectra(spectra: Mapping[str, ArrayLike]) -> tuple[Figure, Axes]:
    """Draw log10 of singular values against rank for each label.

    spectra : natural logarithms of singular values, decreasing.
    """
    import matplotlib.pyplot as plt

    fig, ax = plt.subplots(figsize=(6.4, 3.8))
    for k, (label, logs) in enumerate(spectra.items()):
        y = np.asarray(logs) / np.log(10)
        colour = mode_colour(k if k < 4 else k + 1)  # the second blue is too near the first without markers
        ax.plot(np.arange(1, len(y) + 1), y, color=colour, label=label)
    ax.set_xlabel("rank $k$ of the singular value")
    ax.set_ylabel(r"$\log_{10} \sigma_k$")
    ax.legend(fontsize=9)
    return fig, ax


def strength_errors(spread: ArrayLike, ratios: Mapping[str, ArrayLike]) -> tuple[Figure, Axes]:
    """Draw measured over predicted half time against the spread of layer strengths, one curve a label.

    spread : (n,). ratios : label -> measured over predicted half time, (n,).
    """
    import matplotlib.pyplot as plt

    fig, ax = plt.subplots()
    for k, (label, values) in enumerate(ratios.items()):
        ax.plot(spread, values, color=mode_colour(k), marker=MARKERS[k % 7], ms=4, label=label)
    ax.axhline(1.0, color=INK, ls=DASHES, lw=1.2)
    ax.set_xlabel(r"spread $\delta$ of the layer strengths")
    ax.set_ylabel("half time, measured over formula")
    ax.set_ylim(0, 1.08)
    ax.legend()
    return fig, ax
