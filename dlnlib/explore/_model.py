"""What an interactive chart is made of: controls, parts that compute numbers, panels, and series that draw them.

A chart is a description and nothing else. From it `_page` makes the chart of the built page, where every number is
computed beforehand, and `_live` the one of a running kernel, where numbers are computed while a control moves.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from dlnlib._validate import Array, as_count, as_scalar

__all__ = ["Choice", "Control", "Explorer", "Panel", "Part", "Series", "Slider", "Value", "words"]

Value = float | str
Kind = Literal["simulation", "theory", "line", "other", "points", "bars", "text"]
KINDS = ("simulation", "theory", "line", "other", "points", "bars", "text")
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NAME = re.compile(r"[a-z][a-z0-9_]*")


def words(value: float, digits: int = 3) -> str:
    """Return a number as a reader wants it: `digits` significant digits, powers of ten where they are shorter.

    value : any finite number. digits : number of significant digits.
    """
    number, kept = as_scalar("value", value), as_count("digits", digits)
    if number == 0:
        return "0"
    mantissa, exponent = f"{number:.{kept - 1}e}".split("e")
    if -4 < int(exponent) < 5:
        text = np.format_float_positional(float(f"{mantissa}e{exponent}"), trim="-")
    else:
        power = "10" + str(int(exponent)).translate(SUPERSCRIPTS)
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        text = power if mantissa == "1" else f"{mantissa} × {power}"
    return text.replace("-", "−")


@dataclass(frozen=True)
class Slider:
    """A control for an ordered quantity.

    name : argument that a part's compute gets. label : what stands beside it. values : the positions on the page, from
    left to right; in a kernel the slider is continuous between the first and the last. start : one of the values.
    log : equal ratios, not differences, are equal ways in a kernel. whole : compute gets integers.
    """

    name: str
    label: str
    values: tuple[float, ...]
    start: float
    log: bool = False
    whole: bool = False

    def __post_init__(self) -> None:
        _check_control(self)
        if list(self.values) != sorted(set(self.values)):
            raise ValueError(f"values of slider {self.name!r} should increase, got {self.values}")

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(words(value) for value in self.values)


@dataclass(frozen=True)
class Choice:
    """A control for one of several named things; compute gets the text that is chosen.

    name : argument that a part's compute gets. label : what stands beside it. values : the texts. start : one of them.
    """

    name: str
    label: str
    values: tuple[str, ...]
    start: str

    def __post_init__(self) -> None:
        _check_control(self)

    @property
    def texts(self) -> tuple[str, ...]:
        return self.values


Control = Slider | Choice


def _check_control(control: Control) -> None:
    if not NAME.fullmatch(control.name):
        raise ValueError(f"name of a control should be a Python name in lower case, got {control.name!r}")
    if len(control.values) < 2 or control.start not in control.values:
        raise ValueError(f"control {control.name!r} needs two values or more and starts at one of them, got {control.start!r}")


@dataclass(frozen=True)
class Part:
    """Numbers that depend on some of the controls.

    name : what the series call it. compute : function of the controls' values that returns a dictionary of columns,
    (n,) arrays of numbers or of texts, and, if wanted, "say", a sentence with the numbers in words, and "x_end", where
    the horizontal axis should end. controls : argument of compute -> name of a control, or the names where they are the
    same. digits : significant digits kept on the page.
    """

    name: str
    compute: Callable[..., Mapping[str, Any]]
    controls: Mapping[str, str] | tuple[str, ...]
    digits: int = 4

    @property
    def bound(self) -> dict[str, str]:
        return dict(self.controls) if isinstance(self.controls, Mapping) else {name: name for name in self.controls}


@lru_cache(maxsize=256)
def _computed(compute: Callable[..., Mapping[str, Any]], arguments: tuple[tuple[str, Value], ...]) -> Mapping[str, Any]:
    """Return what a part computes; a control that comes back to where it was, or is reset, does not compute again."""
    return compute(**dict(arguments))


@dataclass(frozen=True)
class Panel:
    """A pair of axes.

    x, y : titles, with symbol and unit. x_log, y_log : logarithmic scales. x_domain, y_domain : (lowest, highest), or
    None to follow the data. x_end : names of the parts whose "x_end" says where the horizontal axis ends, the largest
    counts. height : in pixels. square : as high as wide, for a plane. pick : names of the two sliders, for x and y, that
    follow a click into the panel.
    """

    x: str
    y: str
    x_log: bool = False
    y_log: bool = False
    x_domain: tuple[float, float] | None = None
    y_domain: tuple[float, float] | None = None
    x_end: tuple[str, ...] = ()
    height: int = 230
    square: bool = False
    pick: tuple[str, str] | None = None


@dataclass(frozen=True)
class Series:
    """One curve, cloud of points, row of bars or row of texts.

    label : its name in the legend, "" for none. part : where its numbers are; several names mean the sum of their y over
    the same x. x, y : columns. kind : "simulation" (solid, broad, pale), "theory" (dashed), "line", "other" (thin, grey),
    "points", "bars" or "text". mode : index that sets colour and marker as everywhere in the book, None for ink.
    panel : index of the panel. text : column of the texts.
    """

    label: str
    part: str | tuple[str, ...]
    x: str
    y: str
    kind: Kind
    mode: int | None = None
    panel: int = 0
    text: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        return (self.part,) if isinstance(self.part, str) else self.part


@dataclass(frozen=True)
class Explorer:
    """An interactive chart: shown as an Altair chart on the built page, as widgets in a running kernel.

    name : unique in the book, words joined by hyphens. controls, parts, panels, series : what it is made of.
    presets : named settings of some of the controls. presets_label : what stands beside them.
    Raises ValueError for a description that does not hold together, naming the piece.
    """

    name: str
    controls: tuple[Control, ...]
    parts: tuple[Part, ...]
    panels: tuple[Panel, ...]
    series: tuple[Series, ...]
    presets: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    presets_label: str = "Presets"

    def __post_init__(self) -> None:
        _check_explorer(self)

    @property
    def start(self) -> dict[str, Value]:
        """Return the controls' values at the start."""
        return {control.name: control.start for control in self.controls}

    def control(self, name: str) -> Control:
        """Return the control of this name."""
        return {control.name: control for control in self.controls}[name]

    def part(self, name: str) -> Part:
        """Return the part of this name."""
        return {part.name: part for part in self.parts}[name]

    def columns(self, part: Part, values: Mapping[str, Value]) -> dict[str, Any]:
        """Return what a part computes at the controls' values, checked: finite numbers, one sentence at most."""
        arguments = {argument: self.value(name, values[name]) for argument, name in part.bound.items()}
        found: dict[str, Any] = {}
        for key, value in _computed(part.compute, tuple(arguments.items())).items():
            if key == "say":
                found[key] = str(value)
                continue
            column = np.asarray(value)
            if column.dtype.kind not in "US":
                column = column.astype(np.float64)
                if not np.all(np.isfinite(column)):
                    raise ValueError(f"chart {self.name!r}: {key!r} of part {part.name!r} is not finite at {arguments}")
            found[key] = float(column) if key == "x_end" else column
        return found

    def value(self, name: str, value: Value) -> Value:
        """Return a control's value as compute wants it; ValueError outside its range."""
        control = self.control(name)
        if isinstance(control, Choice):
            if value not in control.values:
                raise ValueError(f"{name} should be one of {control.values}, got {value!r}")
            return value
        number = float(value)
        low, high = control.values[0], control.values[-1]
        if not low * (1 - 1e-12) <= number * (1 + 1e-15) <= high * (1 + 1e-12) and not low <= number <= high:
            raise ValueError(f"{name} should lie between {low} and {high}, got {value!r}")
        return round(number) if control.whole else number

    def drawn(self, **values: Value) -> tuple[list[tuple[Array, Array]], str]:
        """Return (x, y) of every series in order, and the sentence, at the controls' values (the others at the start).

        values : name of a control -> value. Raises ValueError for a name or a value that does not exist.
        """
        unknown = set(values) - set(self.start)
        if unknown:
            raise ValueError(f"chart {self.name!r} has no control {sorted(unknown)}; it has {list(self.start)}")
        columns = {part.name: self.columns(part, {**self.start, **values}) for part in self.parts}
        return [self.pair(series, columns) for series in self.series], self.sentence(columns)

    def pair(self, series: Series, columns: Mapping[str, Mapping[str, Any]]) -> tuple[Array, Array]:
        """Return x and y of one series; the parts of a sum have to share their x."""
        first = columns[series.parts[0]]
        if any(not np.array_equal(columns[name][series.x], first[series.x]) for name in series.parts):
            raise ValueError(f"chart {self.name!r}: series {series.label!r} adds parts whose {series.x!r} differ")
        return first[series.x], np.sum([columns[name][series.y] for name in series.parts], axis=0)

    def sentence(self, columns: Mapping[str, Mapping[str, Any]]) -> str:
        """Return what the parts say, in their order."""
        return " ".join(found["say"] for found in columns.values() if found.get("say"))

    def _ipython_display_(self) -> None:
        if os.environ.get("DLN_BOOK_BUILD"):
            from dlnlib.explore._page import show
        else:
            from dlnlib.explore._live import show
        show(self)


def _check_explorer(explorer: Explorer) -> None:
    def need(true: object, problem: str) -> None:
        if not true:
            raise ValueError(f"chart {explorer.name!r}: {problem}")

    need(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", explorer.name), "its name should be lower-case words joined by hyphens")
    controls, parts = [c.name for c in explorer.controls], [p.name for p in explorer.parts]
    need(len(set(controls)) == len(controls), f"two controls have one name: {controls}")
    need(len(set(parts)) == len(parts), f"two parts have one name: {parts}")
    for part in explorer.parts:
        missing = set(part.bound.values()) - set(controls)
        need(not missing, f"part {part.name!r} asks for controls {sorted(missing)} that do not exist")
    idle = set(controls) - {name for part in explorer.parts for name in part.bound.values()}
    need(not idle, f"nothing depends on the controls {sorted(idle)}")
    for series in explorer.series:
        missing = set(series.parts) - set(parts)
        need(not missing, f"series {series.label!r} asks for parts {sorted(missing)} that do not exist")
        need(series.kind in KINDS, f"kind of series {series.label!r} should be one of {KINDS}, got {series.kind!r}")
        need(
            0 <= series.panel < len(explorer.panels), f"series {series.label!r} is in panel {series.panel}, which does not exist"
        )
        need((series.kind == "text") == bool(series.text), f"series {series.label!r}: kind 'text' goes with a column of texts")
    for panel in explorer.panels:
        missing = set(panel.x_end) - set(parts)
        need(not missing, f"x_end of a panel asks for parts {sorted(missing)} that do not exist")
        missing = set(panel.pick or ()) - set(controls)
        need(not missing, f"pick of a panel asks for controls {sorted(missing)} that do not exist")
    for preset, settings in explorer.presets.items():
        for name, value in settings.items():
            need(name in controls, f"preset {preset!r} sets {name!r}, which does not exist")
            need(
                value in explorer.control(name).values,
                f"preset {preset!r} sets {name!r} to {value!r}, which is no position of it",
            )
