"""Charts in Chromium: every control of every chart, by keyboard, against the numbers and the words of dlnlib."""

import inspect
import json

import numpy as np
import pytest
from _building import CHROMIUM
from _pages import chapter_pages, soup
from test_browser import NO_FORMULAS, VIEWS, Visit

from dlnlib import explore
from dlnlib.explore import Choice

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: install it (apt-get install chromium) to run these")

CHARTS = {
    chart.name: chart
    for name in explore.__all__
    if name.islower() and not inspect.signature(getattr(explore, name)).parameters
    for chart in [getattr(explore, name)()]
}
PAGES = chapter_pages()
# What a chart shows, in one look: positions of the controls and what they say of themselves, the sentence, and of every
# series what is drawn: x and y of the items of the marks, which bear the names of the series.
SHOWN = """([canvas, inputs, columns]) => {
    const drawn = {};
    const walk = mark => {
        if (mark.marktype === "group") return mark.items.forEach(item => (item.items || []).forEach(walk));
        const match = /^s(\\d+)_\\d+_marks$/.exec(mark.name || "");
        if (match) drawn[match[1]] = mark.items.map(item => columns[match[1]].map(column => item.datum[column]));
    };
    walk(canvas.dlnView.scenegraph().root);
    const controls = inputs.map(id => document.getElementById(id));
    return {
        drawn,
        said: canvas.closest("figure").querySelector(".dln-said").innerText,
        positions: controls.map(input => Number(input.value)),
        texts: controls.map(input => input.getAttribute("aria-valuetext")),
    };
}"""
SETTLED = "canvas => canvas.dlnView.runAsync().then(() => true)"


class Shown:
    """A chart on an open page, scrolled to."""

    def __init__(self, page, name):
        self.chart, self.page = CHARTS[name], page
        self.figure = page.locator(f"figure:has([data-dln-explorer='{name}'])")
        self.figure.scroll_into_view_if_needed()
        self.figure.locator(".dln-canvas[data-ready]").wait_for(timeout=8000)
        self.canvas = self.figure.locator(".dln-canvas").element_handle()

    def id(self, control):
        return f"dln-{self.chart.name}-{control}".replace("_", "-")

    def input(self, control):
        return self.page.locator("#" + self.id(control))

    def look(self):
        inputs = [self.id(control.name) for control in self.chart.controls]
        columns = [[series.x, series.y if len(series.parts) == 1 else "total"] for series in self.chart.series]
        return self.page.evaluate(SHOWN, [self.canvas, inputs, columns])

    def values(self, look=None):
        positions = (look or self.look())["positions"]
        return {c.name: c.values[at] for c, at in zip(self.chart.controls, positions, strict=True)}

    def press(self, control, key):
        self.input(control).focus()
        self.page.keyboard.press(key)
        self.page.evaluate(SETTLED, self.canvas)

    def assert_is_what_dlnlib_says(self):
        """Compare every curve that is drawn, and the sentence, with dlnlib at the controls' values; return these."""
        look = self.look()
        values = self.values(look)
        pairs, said = self.chart.drawn(**values)
        assert look["said"] == said, values
        assert set(map(int, look["drawn"])) == set(range(len(pairs)))
        for index, (series, (x, y)) in enumerate(zip(self.chart.series, pairs, strict=True)):
            tolerance = 0.50001 * 10.0 ** (1 - min(self.chart.part(name).digits for name in series.parts))
            got = sorted(map(tuple, look["drawn"][str(index)]))
            want = sorted(zip(x.tolist(), y.tolist(), strict=True))
            np.testing.assert_allclose(sorted(g[0] for g in got), sorted(w[0] for w in want), rtol=tolerance, err_msg=str(values))
            np.testing.assert_allclose(sorted(g[1] for g in got), sorted(w[1] for w in want), rtol=tolerance, err_msg=str(values))
        for control, text in zip(self.chart.controls, look["texts"], strict=True):
            assert isinstance(control, Choice) or text == control.texts[control.values.index(values[control.name])]
        return values


def names_on(site, page):
    return [box["data-dln-explorer"] for box in soup(site / page).select(".dln-explorer")]


@pytest.fixture
def visit(browser, address):
    opened = []

    def go(view, name, **options):
        context = browser.new_context(**{**VIEWS[view], **options})
        context.add_init_script(NO_FORMULAS)
        opened.append(context)
        return Visit(context, address, name)

    yield go
    for context in opened:
        context.close()


def test_every_chart_stands_in_a_chapter_and_each_chapter_has_two(site):
    found = {page: names_on(site, page) for page in PAGES}
    assert all(len(names) >= 2 for names in found.values()), found
    assert sorted(name for names in found.values() for name in names) == sorted(CHARTS)


@pytest.mark.parametrize("page_name", PAGES)
def test_every_control_draws_what_dlnlib_computes(site, visit, page_name):
    opened = visit("1280-light", page_name)
    for name in names_on(site, page_name):
        shown = Shown(opened.page, name)
        start = now = shown.assert_is_what_dlnlib_says()
        for control in shown.chart.controls:
            for key in ("ArrowDown", "ArrowUp") if isinstance(control, Choice) else ("End", "Home", "ArrowRight"):
                before = now[control.name]
                shown.press(control.name, key)
                now = shown.assert_is_what_dlnlib_says()
                ends = (control.values[0], control.values[-1])
                assert now[control.name] != before or before in ends, f"{name}: {key} does not move {control.name}"
        shown.figure.locator(".dln-reset").focus()
        opened.page.keyboard.press("Enter")
        opened.page.evaluate(SETTLED, shown.canvas)
        assert shown.assert_is_what_dlnlib_says() == start
        for settings in shown.chart.presets.values():
            shown.press("preset", "ArrowDown")
            assert settings.items() <= shown.assert_is_what_dlnlib_says().items()
    assert not opened.errors
    assert not opened.outside


@pytest.mark.parametrize("page_name", PAGES)
def test_a_pointer_moves_it_on_a_phone(site, visit, page_name):
    opened = visit("375-dark", page_name, has_touch=True)
    for name in names_on(site, page_name):
        shown = Shown(opened.page, name)
        for control in [c for c in shown.chart.controls if not isinstance(c, Choice)][:1]:  # a choice is the device's own
            shown.input(control.name).scroll_into_view_if_needed()
            box = shown.input(control.name).bounding_box()
            opened.page.touchscreen.tap(box["x"] + box["width"] * 0.97, box["y"] + box["height"] / 2)
            opened.page.evaluate(SETTLED, shown.canvas)
            assert shown.assert_is_what_dlnlib_says()[control.name] == control.values[-1]
        width = shown.figure.locator(".dln-canvas svg").bounding_box()["width"]
        assert 250 < width <= 375
        smallest = opened.page.evaluate(
            """canvas => Math.min(...[...canvas.querySelectorAll('text')].filter(t => t.textContent.trim())
                .map(t => t.getBoundingClientRect().height))""",
            shown.canvas,
        )
        assert smallest >= 9, "letters keep their size on a phone"
    assert opened.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert not opened.errors


def test_a_click_into_a_plane_moves_both_sliders(site, visit):
    planes = [(page, name) for page in PAGES for name in names_on(site, page) if any(p.pick for p in CHARTS[name].panels)]
    assert planes
    for page_name, name in planes:
        opened = visit("1280-light", page_name)
        shown = Shown(opened.page, name)
        index, panel = next((i, p) for i, p in enumerate(shown.chart.panels) if p.pick)
        want = {control: shown.chart.control(control).values[-2] for control in panel.pick}
        place = opened.page.evaluate(
            """([canvas, index, want]) => {
                const view = canvas.dlnView;
                const mark = view.scenegraph().root.items[0].items.find(m => m.name === "concat_" + index + "_group");
                const [left, top] = view.origin();
                const x = view.scale("concat_" + index + "_x")(want[0]) + left + mark.items[0].x;
                const y = view.scale("concat_" + index + "_y")(want[1]) + top + mark.items[0].y;
                const at = () => new DOMPoint(x, y).matrixTransform(canvas.querySelector("svg").getScreenCTM());
                window.scrollBy({ top: at().y - innerHeight / 2, behavior: "instant" });
                return [at().x, at().y];
            }""",
            [shown.canvas, index, [want[control] for control in panel.pick]],
        )
        opened.page.mouse.click(*place)
        opened.page.evaluate(SETTLED, shown.canvas)
        assert want.items() <= shown.assert_is_what_dlnlib_says().items()


def test_positions_are_remembered_until_reset(site, visit):
    page_name = PAGES[0]
    opened = visit("1280-light", page_name)
    name = names_on(site, page_name)[0]
    shown = Shown(opened.page, name)
    control = next(c for c in shown.chart.controls if not isinstance(c, Choice))
    shown.press(control.name, "End")
    opened.page.reload()
    again = Shown(opened.page, name)
    assert again.assert_is_what_dlnlib_says()[control.name] == control.values[-1]
    again.figure.locator(".dln-reset").click()
    opened.page.evaluate(f"localStorage.getItem('dln-chart:{name}') === null") or pytest.fail("reset is not remembered")


@pytest.mark.parametrize("page_name", PAGES)
def test_without_javascript_there_are_pictures_and_words(site, browser, address, page_name):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + page_name)
    for name in names_on(site, page_name):
        box = page.locator(f"[data-dln-explorer='{name}']")
        output = page.locator(f".cell_output:has([data-dln-explorer='{name}'])")
        assert output.locator("figure img").is_visible()
        assert box.locator(".dln-said").inner_text() == CHARTS[name].drawn()[1]
        assert not box.locator("form").is_visible()
        assert "needs JavaScript" in box.inner_text()
    context.close()


def test_the_library_is_fetched_only_when_a_chart_comes_near(visit):
    for name, wanted in (("glossary.html", False), (PAGES[0], True)):
        opened = visit("1280-light", name)
        fetched = []
        opened.page.on("request", lambda request, fetched=fetched: fetched.append(request.url))
        assert not opened.page.evaluate("!!window.vegaEmbed")
        if wanted:
            opened.page.locator("[data-dln-explorer]").first.scroll_into_view_if_needed()
            opened.page.wait_for_function("!!window.vegaEmbed")
        assert [url for url in fetched if "vega" in url] if wanted else not fetched


def test_no_widget_reaches_a_page(site):
    for page_name in PAGES:
        text = (site / page_name).read_text(encoding="utf-8")
        assert "application/vnd.jupyter.widget" not in text
        assert "require.min.js" not in text and "html-manager" not in text


def test_data_are_no_more_than_a_page_should_carry(site):
    for page_name in PAGES:
        for script in soup(site / page_name).select("script[data-dln-chart]"):
            size = len(json.dumps(json.loads(script.get_text())["tables"], separators=(",", ":"), ensure_ascii=False))
            assert size <= 300_000, script["data-dln-chart"]
