"""The controls, the legend and the sentence of a chart, as they stand in the page: plain HTML, labelled, no script."""

from __future__ import annotations

from html import escape

from dlnlib.explore._draw import colour
from dlnlib.explore._model import Choice, Control, Explorer, Series

__all__ = ["controls_html", "element"]


def element(explorer: Explorer, name: str) -> str:
    """Return the id of a control's element on the page."""
    return f"dln-{explorer.name}-{name}".replace("_", "-")


def controls_html(explorer: Explorer, said: str, data: str) -> str:
    """Return the HTML beside the picture. Controls stay hidden until the script that moves them is there."""
    rows = [_control(explorer, control) for control in explorer.controls]
    if explorer.presets:
        rows.insert(0, _presets(explorer))
    legend = "".join(_entry(series) for series in _labelled(explorer))
    name = f"Controls of the chart {explorer.name.replace('-', ' ')}"
    return (
        f'<div class="dln-explorer" data-dln-explorer="{explorer.name}">'
        f'<ul class="dln-legend" aria-label="Legend" hidden>{legend}</ul>'
        f'<form class="dln-controls" aria-label="{name}" autocomplete="off" hidden>{"".join(rows)}'
        '<button type="reset" class="dln-reset">Reset</button></form>'
        f'<p class="dln-said" role="status" aria-live="polite">{escape(said)}</p>'
        "<noscript><p>The picture shows the start; moving the controls needs JavaScript.</p></noscript>"
        f'<script type="application/json" data-dln-chart="{explorer.name}">{data}</script></div>'
    )


def _control(explorer: Explorer, control: Control) -> str:
    name, at = element(explorer, control.name), control.values.index(control.start)
    label = f'<label for="{name}">{escape(control.label)}</label>'
    if isinstance(control, Choice):
        options = "".join(
            f'<option value="{i}"{" selected" if i == at else ""}>{escape(text)}</option>' for i, text in enumerate(control.texts)
        )
        return f'<div class="dln-control">{label}<select id="{name}">{options}</select></div>'
    text = escape(control.texts[at])
    return (
        f'<div class="dln-control">{label}<input type="range" id="{name}" min="0" max="{len(control.values) - 1}" step="1" '
        f'value="{at}" aria-valuetext="{text}"><span class="dln-value" aria-hidden="true">{text}</span></div>'
    )


def _presets(explorer: Explorer) -> str:
    name = element(explorer, "preset")
    options = "".join(f'<option value="{i}">{escape(text)}</option>' for i, text in enumerate(explorer.presets))
    label = f'<label for="{name}">{escape(explorer.presets_label)}</label>'
    return (
        f'<div class="dln-control">{label}<select id="{name}" class="dln-preset">'
        f'<option value="">choose ...</option>{options}</select></div>'
    )


def _labelled(explorer: Explorer) -> list[Series]:
    found: dict[str, Series] = {}
    for series in explorer.series:
        if series.label:
            found.setdefault(series.label, series)
    return list(found.values())


# The markers of the charts, in a box of 28 by 12, in the order of plotting.MARKERS.
MARKS = (
    '<circle cx="14" cy="6" r="4"{ink}/>',
    '<path d="M10.5 2.5h7v7h-7z"{ink}/>',
    '<path d="M14 1l5 5-5 5-5-5z"{ink}/>',
    '<path d="M9.5 2.5h9L14 10.5z"{ink}/>',
    '<path d="M12.5 1.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z"{ink}/>',
    '<path d="M10.5 1.5v9l8-4.5z"{ink}/>',
    '<path d="M9.5 9.5h9L14 1.5z"{ink}/>',
)
LINES = {
    "simulation": ' stroke-width="4" opacity="0.5"',
    "theory": ' stroke-width="2" stroke-dasharray="6 3"',
    "line": ' stroke-width="2"',
    "other": ' stroke-width="1"',
}


def _entry(series: Series) -> str:
    ink = f' stroke="{colour(series)}" fill="{colour(series)}"'
    if series.kind in LINES:
        sample = f'<path d="M1 6h26"{LINES[series.kind]}{ink}/>'
    elif series.kind == "points":
        sample = MARKS[(series.mode or 0) % len(MARKS)].format(ink=ink)
    else:
        sample = f'<path d="M9 1h10v10h-10z"{ink}/>'
    return f'<li><svg width="28" height="12" aria-hidden="true" focusable="false">{sample}</svg> {escape(series.label)}</li>'
