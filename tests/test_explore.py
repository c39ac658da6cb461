"""Charts: each is finite at every corner and between, small enough for a page, and the same through both of its faces."""

import inspect
import itertools
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from dlnlib import exact, explore
from dlnlib.explore import Choice, Explorer, Panel, Part, Series, Slider, _draw, _live, _model, _page, words

CHARTS = {
    name: getattr(explore, name)()
    for name in explore.__all__
    if name.islower() and not inspect.signature(getattr(explore, name)).parameters
}
# By the scope, the tests of one chart follow each other, so that each has what the ones before it computed and drew.
EACH = pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS, scope="module")
MOST_LETTERS = 260
PAYLOADS = {}
PICTURES = {}


@pytest.fixture
def drawn_once(monkeypatch):
    """A picture of a chart at values at which it was drawn before is not drawn again; one takes up to a second."""

    def known(chart, values):
        key = chart.name, *values.items()
        if key not in PICTURES:
            PICTURES[key] = _draw.picture(chart, values)
        return PICTURES[key]

    monkeypatch.setattr(_live, "picture", known)
    monkeypatch.setattr(_page, "picture", known)


def corners(chart, most=96):
    """Settings with every control at an end; of very many, the same number at equal distances."""
    ends = [(control.values[0], control.values[-1]) for control in chart.controls]
    found = list(itertools.product(*ends))
    names = [control.name for control in chart.controls]
    return [dict(zip(names, one, strict=True)) for one in found[:: -(-len(found) // most)]]


def between(chart, rng):
    """Settings that no position of the page has."""
    values = {}
    for control in chart.controls:
        if isinstance(control, Choice) or control.whole:
            values[control.name] = control.values[rng.integers(len(control.values))]
        else:
            j = rng.integers(len(control.values) - 1)
            values[control.name] = float(rng.uniform(control.values[j], control.values[j + 1]))
    return values


@EACH
def test_corners_and_what_lies_between(chart):
    rng = np.random.default_rng(7)
    seen = np.zeros(len(chart.series), dtype=bool)
    for values in [chart.start, *corners(chart), *(between(chart, rng) for _ in range(5))]:
        pairs, said = chart.drawn(**values)
        assert all(x.shape == y.shape and x.ndim == 1 for x, y in pairs), values
        seen |= [x.size > 0 for x, _ in pairs]  # a series may be empty here and there, as minima that hold a step are
        assert 20 < len(said) <= MOST_LETTERS, (values, said)
        assert not re.search(r"nan|inf\b|None|\d\.\d{6}", said), said
        assert not re.search(r"(?<![\d⁻])-\d|\de[-+]?\d", said), f"use words(): {said}"
        for (x, y), series in zip(pairs, chart.series, strict=True):
            panel = chart.panels[series.panel]
            assert not panel.x_log or np.all(x > 0), (values, series)
            assert not panel.y_log or np.all(y > 0), (values, series)
    assert np.all(seen), "some series is never drawn"


@EACH
def test_the_page_holds_what_dlnlib_computes(chart, monkeypatch):
    data = payload_of(chart)  # raises when there are too many bytes
    monkeypatch.setattr(_model, "_computed", _model._computed.__wrapped__)  # what follows is computed again
    assert json.loads(_page._json(data)) == json.loads(json.dumps(data))
    print(f"{chart.name}: {len(_page._json(data['tables']))} bytes of numbers")
    rng = np.random.default_rng(3)
    for _ in range(8):
        positions = [int(rng.integers(len(control.values))) for control in chart.controls]
        values = {control.name: control.values[at] for control, at in zip(chart.controls, positions, strict=True)}
        assert said_in_browser(data, positions) == chart.drawn(**values)[1]
        for part, entry in zip(chart.parts, data["parts"], strict=True):
            table = data["tables"][entry["table"]]
            row = {**table["common"], **dict(zip(table["columns"], table["rows"][row_of(data, entry, positions)], strict=True))}
            for name, column in chart.columns(part, values).items():
                if name not in ("say", "x_end"):
                    assert_rounded(row[name], column, part.digits)


def payload_of(chart):
    """Return the numbers of the page, computed once for all tests: some charts take seconds."""
    if chart.name not in PAYLOADS:
        PAYLOADS[chart.name] = _page.payload(chart)
    return PAYLOADS[chart.name]


def row_of(data, entry, positions):
    row = 0
    for index in entry["controls"]:
        row = row * len(data["controls"][index]["texts"]) + positions[index]
    return row


def said_in_browser(data, positions):
    """What charts.js writes, from the same data."""
    said = []
    for entry in data["parts"]:
        table = data["tables"][entry["table"]]
        if table["say"]:
            template, *numbers = table["say"][row_of(data, entry, positions)]
            left = iter(numbers)
            said.append(re.sub(r"\{\}", lambda _, left=left: next(left), table["templates"][template]))
    return " ".join(filter(None, said))


def assert_rounded(got, want, digits):
    if np.asarray(want).dtype.kind in "US":
        assert got == [str(text) for text in want]
    else:
        np.testing.assert_allclose(got, want, rtol=0.5000001 * 10.0 ** (1 - digits), atol=0)


@EACH
def test_widgets_follow(chart, drawn_once):
    face = _live.face(chart)
    image = next(child for child in face.children if hasattr(child, "format"))
    before = bytes(image.value)
    widgets = {child.description: child for child in face.children if getattr(child, "description", "")}
    for control in chart.controls:
        widget = widgets[control.label]
        far = control.values[-1] if control.start != control.values[-1] else control.values[0]
        widget.value = far
        after = bytes(image.value)
        assert after.startswith(b"\x89PNG") and after != before, f"{control.name} changes nothing"
        widgets["Reset"].click()
        assert bytes(image.value) == before
    if chart.presets:
        for name in chart.presets:
            widgets[chart.presets_label].value = name
            for control, value in chart.presets[name].items():
                got = widgets[chart.control(control).label].value
                assert got == value or math.isclose(got, value)


@EACH
def test_a_build_shows_the_page_and_a_kernel_shows_widgets(chart, drawn_once, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda one, **options: shown.append(one))
    monkeypatch.setenv("DLN_BOOK_BUILD", "1")
    monkeypatch.setattr(_page, "payload", payload_of)
    chart._ipython_display_()
    assert shown[0].keys() == {"image/png", "text/html"}
    assert f'data-dln-chart="{chart.name}"' in shown[0]["text/html"] and "widget" not in shown[0]["text/html"]
    monkeypatch.delenv("DLN_BOOK_BUILD")
    chart._ipython_display_()
    assert type(shown[1]).__name__ == "VBox"


def test_names_are_unique():
    assert len({chart.name for chart in CHARTS.values()}) == len(CHARTS)


def test_the_chart_of_the_contributors_page_works():
    text = Path(__file__).parents[1].joinpath("CONTRIBUTING.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(def learning_speed.*?)```", text, re.S)
    assert len(code.splitlines()) <= 10
    scope = {**vars(explore), "np": np, "half_time": exact.half_time, "strength": exact.strength}
    exec(code, scope)
    chart = scope["learning_speed"]()
    assert chart.drawn(s=3.0)[1] == "Half of the target is reached at t = 0.95."
    assert _page.payload(chart)["spec"]["concat"]


# -- a small chart of its own, and descriptions that do not hold together ---------------------------------------------------


def line(slope, kind="up"):
    x = np.arange(5.0)
    return {"x": x, "y": (1 if kind == "up" else -1) * slope * x, "say": f"The slope is {words(slope)}.", "x_end": 4.0}


def small(**changes):
    pieces = {
        "name": "a-line",
        "controls": (Slider("slope", "slope", (0.5, 1.0, 2.0), 1.0), Choice("kind", "direction", ("up", "down"), "up")),
        "parts": (Part("line", line, ("slope", "kind")),),
        "panels": (Panel("x", "y", x_end=("line",)),),
        "series": (Series("line", "line", "x", "y", "simulation", 0), Series("", ("line", "line"), "x", "y", "theory", 0)),
        "presets": {"steep": {"slope": 2.0}},
    }
    return Explorer(**{**pieces, **changes})


def test_a_sum_adds_its_parts():
    (one, two), said = small().drawn(slope=2.0)
    np.testing.assert_array_equal(two[1], 2 * one[1])
    assert said == "The slope is 2."


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": "A line"}, "lower-case words"),
        ({"controls": small().controls[:1]}, r"asks for controls \['kind'\]"),
        (
            {"controls": (*small().controls, Choice("idle", "idle", ("a", "b"), "a"))},
            r"nothing depends on the controls \['idle'\]",
        ),
        ({"controls": (small().controls[0],) * 2 + small().controls[1:]}, "two controls have one name"),
        ({"parts": small().parts * 2}, "two parts have one name"),
        ({"series": (Series("l", "other", "x", "y", "line"),)}, r"asks for parts \['other'\]"),
        ({"series": (Series("l", "line", "x", "y", "dotted"),)}, "kind of series 'l' should be one of"),
        ({"series": (Series("l", "line", "x", "y", "line", panel=1),)}, "panel 1, which does not exist"),
        ({"series": (Series("l", "line", "x", "y", "text"),)}, "goes with a column of texts"),
        ({"panels": (Panel("x", "y", x_end=("other",)),)}, "x_end of a panel"),
        ({"panels": (Panel("x", "y", pick=("slope", "other")),)}, "pick of a panel"),
        ({"presets": {"steep": {"tilt": 2.0}}}, "sets 'tilt', which does not exist"),
        ({"presets": {"steep": {"slope": 3.0}}}, "no position of it"),
    ],
)
def test_a_description_that_does_not_hold_together(changes, problem):
    with pytest.raises(ValueError, match=problem):
        small(**changes)


@pytest.mark.parametrize(
    ("control", "problem"),
    [
        (lambda: Slider("a", "a", (1.0, 1.0), 1.0), "should increase"),
        (lambda: Slider("a", "a", (1.0,), 1.0), "two values or more"),
        (lambda: Slider("a", "a", (1.0, 2.0), 3.0), "starts at one of them"),
        (lambda: Choice("a b", "a", ("x", "y"), "x"), "Python name"),
    ],
)
def test_a_control_that_makes_no_sense(control, problem):
    with pytest.raises(ValueError, match=problem):
        control()


@pytest.mark.parametrize(
    ("values", "problem"),
    [({"tilt": 1.0}, "has no control"), ({"slope": 9.0}, "between 0.5 and 2.0"), ({"kind": "left"}, "should be one of")],
)
def test_values_that_do_not_exist(values, problem):
    with pytest.raises(ValueError, match=problem):
        small().drawn(**values)


def test_numbers_that_are_not_finite_are_refused():
    bad = small(parts=(Part("line", lambda slope, kind: {**line(slope, kind), "y": np.full(5, np.nan)}, ("slope", "kind")),))
    with pytest.raises(ValueError, match="'y' of part 'line' is not finite"):
        bad.drawn()


def test_too_much_data_is_refused(monkeypatch):
    monkeypatch.setattr(_page, "MOST_BYTES", 100)
    with pytest.raises(ValueError, match="fewer positions"):
        _page.payload(small())


def test_sums_over_different_x_are_refused():
    def shifted(slope):
        return {"x": np.arange(5.0) + slope, "y": np.zeros(5)}

    parts = (*small().parts, Part("other", shifted, ("slope",)))
    bad = small(parts=parts, series=(Series("", ("line", "other"), "x", "y", "line"),))
    with pytest.raises(ValueError, match="adds parts whose 'x' differ"):
        bad.drawn()


def test_without_ipywidgets_there_is_a_picture(monkeypatch, capsys):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    monkeypatch.setitem(__import__("sys").modules, "ipywidgets", None)
    _live.show(small())
    assert type(shown[0]).__name__ == "Image"
    assert "Install ipywidgets" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0, 3, "0"),
        (1, 3, "1"),
        (1.5, 3, "1.5"),
        (-0.12345, 3, "−0.123"),
        (12345.6, 3, "12300"),
        (1e-4, 3, "10⁻⁴"),
        (2.5e-6, 3, "2.5 × 10⁻⁶"),
        (0.001, 3, "0.001"),
        (1e7, 2, "10⁷"),
        (99999.9, 3, "10⁵"),
    ],
)
def test_words(value, digits, text):
    assert words(value, digits) == text
