"""A chart drawn by matplotlib: the still picture of the built page, and what a running kernel shows."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np

from dlnlib._validate import Array
from dlnlib.explore._model import Explorer, Panel, Series, Value
from dlnlib.plotting import DASHES, INK, MARKERS, NEUTRAL, mode_colour

__all__ = ["colour", "picture"]

WIDTH = 7.2  # inches
STYLES: dict[str, dict[str, Any]] = {
    "simulation": {"linewidth": 3.4, "alpha": 0.45},
    "theory": {"linewidth": 1.6, "linestyle": DASHES, "zorder": 3},
    "line": {"linewidth": 2.0},
    "other": {"linewidth": 0.8, "alpha": 0.8},
}


def colour(series: Series) -> str:
    """Return the colour of a series: its mode's, grey for others, or ink."""
    if series.mode is not None:
        return mode_colour(series.mode)
    return NEUTRAL if series.kind == "other" else INK


def picture(explorer: Explorer, values: Mapping[str, Value]) -> tuple[bytes, str]:
    """Return the chart at the controls' values as the bytes of a PNG, and its sentence."""
    from matplotlib.figure import Figure

    columns = {part.name: explorer.columns(part, values) for part in explorer.parts}
    count = len(explorer.panels)
    heights = [4.6 if panel.square and count == 1 else 3.4 for panel in explorer.panels]
    rows = -(-count // 2)
    figure = Figure(figsize=(WIDTH, max(heights) * rows), dpi=144, layout="constrained")
    with _style():
        grid = figure.subplots(rows, min(count, 2), squeeze=False)
    for axes in grid.flat[count:]:
        axes.set_axis_off()
    for index, panel in enumerate(explorer.panels):
        axes = grid.flat[index]
        for series in explorer.series:
            if series.panel == index:
                _series(axes, series, *explorer.pair(series, columns), columns[series.parts[0]])
        _axes(axes, panel, [columns[name]["x_end"] for name in panel.x_end])
    handles, labels = _legend(grid)
    if labels:
        figure.legend(handles, labels, loc="outside lower center", ncols=min(3, len(labels)), fontsize=9, frameon=False)
    out = BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None}, facecolor="white")
    return out.getvalue(), explorer.sentence(columns)


def _style() -> Any:
    from matplotlib import rc_context

    return rc_context(
        {"axes.spines.right": False, "axes.spines.top": False, "font.size": 10.5, "axes.grid": True, "grid.alpha": 0.25}
    )


def _series(axes: Any, series: Series, x: Array, y: Array, columns: Mapping[str, Any]) -> None:
    style = {"color": colour(series), "label": series.label or None}
    if series.kind == "points":
        axes.plot(x, y, linestyle="", marker=MARKERS[(series.mode or 0) % len(MARKERS)], markersize=5.5, zorder=4, **style)
    elif series.kind == "bars":
        axes.bar(x, y, width=0.55, **style)
    elif series.kind == "text":
        for position, height, text in zip(x, y, columns[series.text], strict=True):
            axes.annotate(str(text), (position, height), (0, 7), textcoords="offset points", ha="center", fontsize=9)
    else:
        axes.plot(x, y, **{**STYLES[series.kind], **style})


def _axes(axes: Any, panel: Panel, ends: list[float]) -> None:
    axes.set(xlabel=panel.x, ylabel=panel.y)
    if panel.x_log:
        axes.set_xscale("log")
    if panel.y_log:
        axes.set_yscale("log")
    if panel.x_domain:
        axes.set_xlim(*panel.x_domain)
    if ends:
        axes.set_xlim(right=max(ends))
        axes.set_xlim(left=min(np.min(line.get_xdata()) for line in axes.lines if len(line.get_xdata())))
    if panel.y_domain:
        axes.set_ylim(*panel.y_domain)
    if panel.square:
        axes.set_box_aspect(1)
    for axis, log in ((axes.xaxis, panel.x_log), (axes.yaxis, panel.y_log)):
        low, high = axis.get_view_interval()
        if log and high < 1000 * low:  # matplotlib would write 2 × 10⁰
            _plain_ticks(axis)


def _plain_ticks(axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _legend(grid: Any) -> tuple[list[Any], list[str]]:
    found: dict[str, Any] = {}
    for axes in grid.flat:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return list(found.values()), list(found)
