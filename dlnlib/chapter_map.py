"""The map of the book: which chapter needs which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CHAPTERS", "PREREQUISITES", "chapter_map"]

#: Chapter number -> (title broken into lines, centre of its box in units of half a box).
CHAPTERS: dict[int, tuple[str, tuple[float, float]]] = {
    1: ("Linear algebra\nand gradient flow", (0.0, 3.0)),
    2: ("The landscape", (-1.25, 0.0)),
    3: ("Exact dynamics\nof two layers", (1.25, 0.0)),
    4: ("Depth and\ninitialisation", (-1.25, -3.0)),
    5: ("Semantic\ndevelopment", (1.25, -3.0)),
    6: ("The low-rank\nbias", (-1.25, -6.0)),
    7: ("Generalisation\nover time", (1.25, -6.0)),
    8: ("Gated networks\nand the race", (-1.25, -9.0)),
    9: ("Global gates", (1.25, -9.0)),
    10: ("Rectified\nnetworks", (-1.25, -12.0)),
    11: ("Disentanglement", (1.25, -12.0)),
    12: ("Singular\nlearning theory", (1.25, -15.0)),
}

#: (earlier chapter, later chapter) -> how much the later one relies on the earlier one.
PREREQUISITES: dict[tuple[int, int], str] = {
    (1, 2): "necessary",
    (1, 3): "necessary",
    (3, 4): "necessary",
    (3, 5): "necessary",
    (3, 7): "necessary",
    (4, 6): "necessary",
    (4, 8): "necessary",
    (8, 9): "necessary",
    (8, 10): "necessary",
    (3, 11): "necessary",
    (3, 12): "necessary",
    (2, 3): "helpful",
    (2, 4): "helpful",
    (7, 9): "helpful",
    (10, 11): "helpful",
    (6, 12): "helpful",
}

_HALF_WIDTH, _HALF_HEIGHT = 0.96, 0.92
_INK, _PAPER, _DIM = "#1f2a44", "#eef2f9", "#56607a"
_LINES: dict[str, dict[str, Any]] = {
    "necessary": {"color": _INK, "linestyle": "-"},
    "helpful": {"color": _DIM, "linestyle": (0, (4, 3))},
}


def chapter_map() -> tuple[Figure, Axes]:
    """Draw the chapters as boxes and their prerequisites as arrows.

    A solid arrow says that the earlier chapter is necessary for the later one, a dashed
    arrow that it is helpful.

    Returns
    -------
    fig, ax
        The matplotlib figure and its one axes.
    """
    import matplotlib.pyplot as plt
    from matplotlib.patches import FancyBboxPatch

    fig, ax = plt.subplots(figsize=(4.9, 9.66), layout=None)
    ax.set_position((0.0, 0.0, 1.0, 1.0))
    ax.set(xlim=(-2.35, 3.27), ylim=(-16.75, 4.0))
    ax.set_axis_off()
    for (earlier, later), importance in PREREQUISITES.items():
        _arrow(ax, *_ends(earlier, later), importance, bend=0.12 if _hidden(earlier, later) else 0.0)
    for number, (title, (x, y)) in CHAPTERS.items():
        corner = (x - _HALF_WIDTH, y - _HALF_HEIGHT)
        ax.add_patch(
            FancyBboxPatch(
                corner,
                2 * _HALF_WIDTH,
                2 * _HALF_HEIGHT,
                boxstyle="round,pad=0,rounding_size=0.15",
                facecolor=_PAPER,
                edgecolor=_INK,
                linewidth=1.4,
            )
        )
        ax.text(x, y + 0.5, str(number), ha="center", va="center", fontsize=13, fontweight="bold", color=_INK)
        ax.text(x, y - 0.27, title, ha="center", va="center", fontsize=11.5, linespacing=1.15, color=_INK)
    for importance, x in zip(_LINES, (-1.55, 0.35), strict=True):
        _arrow(ax, (x, -16.42), (x + 0.48, -16.42), importance)
        ax.text(x + 0.57, -16.42, importance, ha="left", va="center", fontsize=11.5, color=_INK)
    return fig, ax


def _hidden(earlier: int, later: int) -> bool:
    """Whether another chapter stands between two of one column, so that the arrow goes around it."""
    (x0, y0), (x1, y1) = CHAPTERS[earlier][1], CHAPTERS[later][1]
    return x0 == x1 and any(x == x0 and y1 < y < y0 for _, (x, y) in CHAPTERS.values())


def _ends(earlier: int, later: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """The two ends of an arrow: it leaves and meets the boxes' facing sides."""
    (x0, y0), (x1, y1) = CHAPTERS[earlier][1], CHAPTERS[later][1]
    if _hidden(earlier, later):
        return (x0 + _HALF_WIDTH + 0.03, y0), (x1 + _HALF_WIDTH + 0.03, y1 + 0.4)
    if y0 == y1:
        return (x0 + _HALF_WIDTH + 0.03, y0), (x1 - _HALF_WIDTH - 0.03, y1)
    lean = 0.4 * (x1 - x0)
    return (x0 + lean, y0 - _HALF_HEIGHT - 0.06), (x1 - lean, y1 + _HALF_HEIGHT + 0.06)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], importance: str, bend: float = 0.0) -> None:
    """One arrow whose line says whether the prerequisite is necessary or helpful."""
    style: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 15, "linewidth": 1.8, "shrinkA": 0, "shrinkB": 0}
    style["connectionstyle"] = f"arc3,rad={-bend}"
    ax.annotate("", xy=end, xytext=start, arrowprops={**style, **_LINES[importance]})
