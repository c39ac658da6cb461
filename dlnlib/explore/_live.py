"""The face of a chart in a running kernel: widgets whose every move is computed afresh."""

from __future__ import annotations

from html import escape
from typing import Any

from dlnlib.explore._draw import picture
from dlnlib.explore._model import Choice, Control, Explorer, Value

__all__ = ["face", "show"]

LABEL = {"description_width": "initial"}


def _widget(control: Control) -> Any:
    import ipywidgets as widgets

    layout = widgets.Layout(width="min(100%, 26rem)")
    common: dict[str, Any] = {"description": control.label, "style": LABEL, "layout": layout}
    if isinstance(control, Choice):
        return widgets.Dropdown(options=list(control.values), value=control.start, **common)
    low, high = control.values[0], control.values[-1]
    common["continuous_update"] = False
    if control.whole:
        return widgets.IntSlider(value=int(control.start), min=int(low), max=int(high), **common)
    if control.log:
        import numpy as np

        ends = {"min": float(np.log10(low)), "max": float(np.log10(high))}
        return widgets.FloatLogSlider(
            value=control.start, base=10, step=(ends["max"] - ends["min"]) / 200, readout_format=".2g", **ends, **common
        )
    return widgets.FloatSlider(value=control.start, min=low, max=high, step=(high - low) / 200, readout_format=".3g", **common)


def face(explorer: Explorer) -> Any:
    """Return the chart as one widget: controls, presets, reset, picture, and the sentence in words."""
    import ipywidgets as widgets

    controls = {control.name: _widget(control) for control in explorer.controls}
    image, said = widgets.Image(format="png", layout=widgets.Layout(max_width="100%")), widgets.HTML()
    busy = [False]

    def values() -> dict[str, Value]:
        """Rounding of a logarithmic slider must not leave the range."""
        found: dict[str, Value] = {}
        for control in explorer.controls:
            value = controls[control.name].value
            if not isinstance(control, Choice):
                value = min(max(value, control.values[0]), control.values[-1])
            found[control.name] = value
        return found

    def draw(_: Any = None) -> None:
        if not busy[0]:
            image.value, text = picture(explorer, values())
            said.value = f'<span role="status">{escape(text)}</span>'

    def put(settings: dict[str, Value]) -> None:
        """Move several controls, draw once."""
        busy[0] = True
        for name, value in settings.items():
            controls[name].value = value
        busy[0] = False
        draw()

    for widget in controls.values():
        widget.observe(draw, "value")
    rows = list(controls.values())
    if explorer.presets:
        options = ["choose ...", *explorer.presets]
        preset = widgets.Dropdown(options=options, description=explorer.presets_label, style=LABEL)
        preset.observe(lambda change: put(dict(explorer.presets.get(change["new"], {}))), "value")
        rows.insert(0, preset)
    reset = widgets.Button(description="Reset")
    reset.on_click(lambda _: put(explorer.start))
    draw()
    return widgets.VBox([*rows, reset, image, said])


def show(explorer: Explorer) -> None:
    """Display the chart in a notebook; without ipywidgets, its picture and a sentence that says what is missing."""
    from IPython.display import Image, display

    try:
        import ipywidgets  # noqa: F401
    except ModuleNotFoundError:
        data, said = picture(explorer, explorer.start)
        display(Image(data))  # type: ignore[no-untyped-call]
        print(said)
        print("Install ipywidgets to move the controls of this chart.")
        return
    display(face(explorer))  # type: ignore[no-untyped-call]
