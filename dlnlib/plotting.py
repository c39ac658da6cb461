"""The house style: one colour per mode, dashed = theory, solid = simulation, thin grey = other seeds."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from dlnlib._validate import as_count

__all__ = ["DASHES", "INK", "MARKERS", "MODE_COLOURS", "NEUTRAL", "mode_colour", "others", "simulation", "theory", "use_style"]

# Okabe and Ito's palette without its yellow, which is too faint on white; darkened where contrast asked for it.
MODE_COLOURS = ("#0072B2", "#C04A00", "#007A5A", "#A0408C", "#2A8FC7", "#9A6700", "#333333")
NEUTRAL = "#8A8A8A"
INK = "#333333"
DASHES = (0, (4, 2))  # of whatever is theory
MARKERS = "osD^vPX"  # one for each curve, where colour alone should not tell them apart


def use_style() -> None:
    """Set matplotlib's defaults for every figure of a chapter."""
    import matplotlib as mpl
    from cycler import cycler

    mpl.rcParams.update(
        {
            "axes.grid": True,
            "axes.prop_cycle": cycler(color=MODE_COLOURS),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "figure.constrained_layout.use": True,
            "figure.dpi": 144,
            "figure.figsize": (6.4, 3.6),
            "font.size": 11,
            "grid.alpha": 0.25,
            "legend.frameon": False,
            "lines.linewidth": 2.0,
            "savefig.facecolor": "white",
        }
    )


def mode_colour(k: int) -> str:
    """Return the colour of mode k (from 0), the same in every figure of the book; it repeats after seven."""
    return MODE_COLOURS[as_count("k", k, minimum=0) % len(MODE_COLOURS)]


def simulation(ax: Any, x: ArrayLike, y: ArrayLike, k: int = 0, **kwargs: Any) -> Any:
    """Draw a simulated curve of mode k: solid, broad and pale, so that a theory on top of it can be seen."""
    return ax.plot(x, y, **{"color": mode_colour(k), "linestyle": "-", "linewidth": 3.4, "alpha": 0.45, **kwargs})


def theory(ax: Any, x: ArrayLike, y: ArrayLike, k: int = 0, **kwargs: Any) -> Any:
    """Draw a theoretical curve of mode k: dashed, thin, in full colour, above the simulation."""
    style = {"color": mode_colour(k), "linestyle": DASHES, "linewidth": 1.5, "zorder": 3}
    return ax.plot(x, y, **{**style, **kwargs})


def others(ax: Any, x: ArrayLike, y: ArrayLike, **kwargs: Any) -> Any:
    """Draw curves of other seeds: thin and grey. y may be (n,) or (n, n_seeds)."""
    return ax.plot(x, y, **{"color": NEUTRAL, "linewidth": 0.7, "alpha": 0.6, **kwargs})
