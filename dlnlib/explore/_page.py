"""The face of a chart on the built page: every number computed beforehand, drawn by Altair, no kernel needed."""

from __future__ import annotations

import itertools
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from dlnlib.explore._draw import colour, picture
from dlnlib.explore._html import controls_html, element
from dlnlib.explore._model import Control, Explorer, Panel, Part, Series, Value
from dlnlib.plotting import INK

__all__ = ["MOST_BYTES", "chart", "payload", "show", "tables"]

MOST_BYTES = 300_000  # of data a chart
NUMBER = re.compile(r"10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+|−?\d+(?:\.\d+)?(?: × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?")
SHAPES = ("circle", "square", "diamond", "triangle-down", "cross", "triangle-right", "triangle-up")  # as plotting.MARKERS


# -- numbers ---------------------------------------------------------------------------------------------------------


def _domain(explorer: Explorer, part: Part) -> list[Control]:
    return [explorer.control(name) for name in part.bound.values()]


def _key(explorer: Explorer, part: Part) -> tuple[Any, ...]:
    """Parts of one key compute the same table: the mode race has one for its three modes."""
    return part.compute, tuple(part.bound), tuple(control.values for control in _domain(explorer, part))


def tables(explorer: Explorer) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Compute every combination of controls of every part, and which table each part reads.

    A table is compact: names of columns, columns that never change once, the others row by row, sentences as templates
    and the numbers that fill them. Rows follow the positions of the controls, the last one fastest.
    """
    made: list[dict[str, Any]] = []
    keys: list[tuple[Any, ...]] = []
    table_of: dict[str, int] = {}
    for part in explorer.parts:
        key = _key(explorer, part)
        if key not in keys:
            keys.append(key)
            made.append(_table(explorer, part))
        table_of[part.name] = keys.index(key)
    return made, table_of


def _table(explorer: Explorer, part: Part) -> dict[str, Any]:
    domain = _domain(explorer, part)
    rows, says, ends = [], [], []
    positions: list[tuple[Value, ...]] = [tuple(control.values) for control in domain]
    for values in itertools.product(*positions):
        found = explorer.columns(part, dict(zip([control.name for control in domain], values, strict=True)))
        says.append(found.pop("say", ""))
        ends.append(found.pop("x_end", None))
        rows.append({name: _short(column, part.digits) for name, column in found.items()})
    names = list(rows[0])
    common = [name for name in names if all(row[name] == rows[0][name] for row in rows)]
    templates: list[str] = []
    filled = []
    for say in says:
        template = NUMBER.sub("{}", say)
        if template not in templates:
            templates.append(template)
        filled.append([templates.index(template), *NUMBER.findall(say)])
    varying = [name for name in names if name not in common]
    return {
        "columns": varying,
        "common": {name: rows[0][name] for name in common},
        "rows": [[row[name] for name in varying] for row in rows],
        "templates": templates,
        "say": filled if any(says) else [],
        "x_end": [_significant(end, part.digits) for end in ends] if all(end is not None for end in ends) else [],
    }


def _significant(value: float, digits: int) -> float | int:
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded == int(rounded) and abs(rounded) < 1e15 else rounded


def _short(column: Any, digits: int) -> list[Any]:
    if column.dtype.kind in "US":
        return [str(text) for text in column]
    return [_significant(value, digits) for value in column.tolist()]


# -- the chart -------------------------------------------------------------------------------------------------------


def _row_parameter(explorer: Explorer, part: Part) -> str:
    """Return the expression that finds a part's row from the positions of its controls."""
    terms, stride = [], 1
    for control in reversed(_domain(explorer, part)):
        terms.append(f"toNumber(c_{control.name})*{stride}")
        stride *= len(control.values)
    return "+".join(terms) or "0"


def chart(explorer: Explorer, made: list[dict[str, Any]], table_of: Mapping[str, int]) -> Any:
    """Return the Altair chart; its parameters are the positions of the controls, its data sets t0, t1, ... come later."""
    import altair as alt

    names = [part.name for part in explorer.parts]
    parameters = [
        alt.param(
            name=f"c_{control.name}",
            value=control.values.index(control.start),
            bind=alt.BindDirect(element=f"#{element(explorer, control.name)}", event="input"),
        )
        for control in explorer.controls
    ]
    parameters += [alt.param(name=f"row_{j}", expr=_row_parameter(explorer, part)) for j, part in enumerate(explorer.parts)]
    panels = []
    for index, panel in enumerate(explorer.panels):
        if panel.x_end:
            ends = [f"{made[table_of[name]]['x_end']}[row_{names.index(name)}]" for name in panel.x_end]
            parameters.append(alt.param(name=f"end_{index}", expr=f"max({','.join(ends)})".replace(" ", "")))
        layers = [
            _layer(alt, panel, series, position, names, table_of)
            for position, series in enumerate(explorer.series)
            if series.panel == index
        ]
        panels.append(alt.layer(*layers).properties(height=panel.height))
    whole = alt.concat(*panels, columns=2, config=_config(), spacing=24)
    return whole.add_params(*parameters)


def _layer(
    alt: Any,
    panel: Panel,
    series: Series,
    position: int,
    names: list[str],
    table_of: Mapping[str, int],
) -> Any:
    rows = [f"row_{names.index(name)}" for name in series.parts]
    base = alt.Chart(alt.NamedData(name=f"t{table_of[series.parts[0]]}"), name=f"s{position}")
    base = base.transform_filter("||".join(f"datum.i==={row}" for row in rows))
    y = series.y
    columns = [series.x, series.y] + ([series.text] if series.text else [])
    if len(rows) > 1:
        base = base.transform_calculate(times="+".join(f"(datum.i==={row})" for row in rows))
    base = base.transform_flatten(columns)
    if len(rows) > 1:
        y = "total"
        base = base.transform_calculate(share=f"datum.times*datum['{series.y}']").transform_aggregate(
            total="sum(share)", groupby=[series.x]
        )
    x_scale = alt.Scale(nice=False, **_kind_of_scale(panel.x_log))
    if panel.x_domain:
        x_scale.domain = list(panel.x_domain)
    if panel.x_end:
        x_scale.domainMax = alt.ExprRef(f"end_{series.panel}")
    y_scale = alt.Scale(nice=panel.y_domain is None and not panel.y_log, **_kind_of_scale(panel.y_log))
    if panel.y_log and not panel.y_domain:
        y_scale.padding = 8  # in pixels; whole decades would leave little of the height to a curve that spans less than one
    if panel.y_domain:
        y_scale.domain = list(panel.y_domain)
    encodings = {
        "x": alt.X(f"{series.x}:Q", scale=x_scale, title=panel.x),
        "y": alt.Y(f"{y}:Q", scale=y_scale, title=panel.y, axis=alt.Axis(labelExpr=_powers()) if panel.y_log else alt.Undefined),
    }
    if series.text:
        encodings["text"] = alt.Text(f"{series.text}:N")
    return _mark(alt, base, series).encode(**encodings)


def _kind_of_scale(log: bool) -> dict[str, Any]:
    return {"type": "log"} if log else {"type": "linear", "zero": False}


def _powers() -> str:
    """Return the expression that writes 1e+20 on an axis as a power of ten, which is shorter and what the sentence says."""
    exponent = "substring(datum.label,2)"
    for sign, raised in ("+", ""), *zip("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹", strict=True):
        exponent = f"replace({exponent},/[{sign}]/g,'{raised}')"
    return f"test(/^1e/,datum.label)?'10'+{exponent}:datum.label"


def _mark(alt: Any, base: Any, series: Series) -> Any:
    ink = colour(series)
    if series.kind == "points":
        shape = SHAPES[(series.mode or 0) % len(SHAPES)]
        return base.mark_point(filled=True, size=45, opacity=1, shape=shape, color=ink, clip=True)
    if series.kind == "bars":
        return base.mark_bar(size=14, color=ink, clip=True)
    if series.kind == "text":
        return base.mark_text(color=ink, fontSize=11, dy=-11, clip=False)
    width, opacity, dash = {
        "simulation": (3.4, 0.45, [1, 0]),
        "theory": (1.6, 1, [6, 3]),
        "line": (2, 1, [1, 0]),
        "other": (0.9, 0.8, [1, 0]),
    }[series.kind]
    look = {"strokeWidth": width, "opacity": opacity, "strokeDash": dash, "color": ink}
    return base.mark_line(**look, clip=True, order=False)  # points stay in the order of their column


def _config() -> dict[str, Any]:
    text = {"labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal", "labelColor": INK, "titleColor": INK}
    return {
        "font": "DejaVu Sans, Verdana, sans-serif",
        "background": "white",
        "view": {"stroke": None},
        "aria": False,
        "mark": {"aria": False},
        "axis": {**text, "gridColor": "#ececec", "domainColor": INK, "tickColor": INK, "tickCount": 5, "labelFlush": False},
        "axisY": {"minExtent": 34},
    }


# -- what stands in the page -----------------------------------------------------------------------------------------


def payload(explorer: Explorer) -> dict[str, Any]:
    """Return everything that `charts.js` needs, as JSON can hold it; ValueError when that is too much for a page."""
    made, table_of = tables(explorer)
    size = len(_json(made))
    if size > MOST_BYTES:
        raise ValueError(
            f"chart {explorer.name!r} carries {size} bytes of numbers, at most {MOST_BYTES} are allowed: take fewer positions, "
            "fewer points, fewer digits, or parts that depend on fewer controls"
        )
    names = [control.name for control in explorer.controls]
    spec = chart(explorer, made, table_of).to_dict()
    del spec["$schema"]  # an address that nobody has to visit
    return {
        "spec": spec,
        "tables": made,
        "parts": [
            {"table": table_of[part.name], "controls": [names.index(name) for name in part.bound.values()]}
            for part in explorer.parts
        ],
        "controls": [
            {"id": element(explorer, control.name), "texts": control.texts, "start": _position(control, control.start)}
            for control in explorer.controls
        ],
        "presets": [
            {str(names.index(name)): _position(explorer.control(name), value) for name, value in settings.items()}
            for settings in explorer.presets.values()
        ],
        "panels": [
            {"square": panel.square, "pick": [names.index(name) for name in panel.pick or ()]} for panel in explorer.panels
        ],
        "values": {str(names.index(n)): explorer.control(n).values for panel in explorer.panels for n in panel.pick or ()},
    }


def _position(control: Control, value: Any) -> int:
    return control.values.index(value)


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def show(explorer: Explorer) -> None:
    """Display one output with two forms: the picture, which becomes the numbered figure, and the controls with the data."""
    from IPython.display import display

    data, said = picture(explorer, explorer.start)
    body = _json(payload(explorer)).replace("</", "<\\/")
    both = {"image/png": b64encode(data).decode(), "text/html": controls_html(explorer, said, body)}
    display(both, raw=True)  # type: ignore[no-untyped-call]
