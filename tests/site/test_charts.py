"""Charts in Chromium: every control of every chart, by keyboard, against the numbers and the words of dlnlib."""

import inspect
import json

import numpy as np
import pytest
from _building import CHROMIUM
from _pages import chapter_pages, soup
from test_browser import VIEWS, Visit

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
# What is drawn: the items of the marks, which bear the names of the series.
DRAWN = """canvas => {
    const drawn = {};
    const walk = mark => {
        if (mark.marktype === "group") mark.items.forEach(item => (item.items || []).forEach(walk));
        else if (/^s\\d+_\\d+_marks$/.test(mark.name || ""))
            drawn[mark.name.slice(1).split("_")[0]] = mark.items.map(item => item.datum);
    };
    walk(canvas.dlnView.scenegraph().root);
    return drawn;
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

    def input(self, control):
        return self.figure.locator(f"#dln-{self.chart.name}-{control}".replace("_", "-"))

    def values(self):
        return {c.name: c.values[int(self.input(c.name).input_value())] for c in self.chart.controls}

    def press(self, control, key):
        self.input(control).focus()
        self.page.keyboard.press(key)
        self.page.evaluate(SETTLED, self.canvas)

    def said(self):
        return self.figure.locator(".dln-said").inner_text()

    def assert_is_what_dlnlib_says(self):
        """Compare every curve that is drawn, and the sentence, with dlnlib at the controls' values."""
        values = self.values()
        pairs, said = self.chart.drawn(**values)
        assert self.said() == said, values
        drawn = self.page.evaluate(DRAWN, self.canvas)
        assert set(map(int, drawn)) == set(range(len(pairs)))
        for index, (series, (x, y)) in enumerate(zip(self.chart.series, pairs, strict=True)):
            tolerance = 0.50001 * 10.0 ** (1 - min(self.chart.part(name).digits for name in series.parts))
            column = series.y if len(series.parts) == 1 else "total"
            got = sorted((one[series.x], one[column]) for one in drawn[str(index)])
            want = sorted(zip(x.tolist(), y.tolist(), strict=True))
            np.testing.assert_allclose(sorted(g[0] for g in got), sorted(w[0] for w in want), rtol=tolerance, err_msg=str(values))
            np.testing.assert_allclose(sorted(g[1] for g in got), sorted(w[1] for w in want), rtol=tolerance, err_msg=str(values))
        for control in self.chart.controls:
            if not isinstance(control, Choice):
                text = control.texts[control.values.index(values[control.name])]
                assert self.input(control.name).get_attribute("aria-valuetext") == text


def names_on(site, page):
    return [box["data-dln-explorer"] for box in soup(site / page).select(".dln-explorer")]


@pytest.fixture
def visit(browser, address):
    opened = []

    def go(view, name, **options):
        context = browser.new_context(**{**VIEWS[view], **options})
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
        shown.assert_is_what_dlnlib_says()
        start = shown.values()
        for control in shown.chart.controls:
            for key in ("ArrowDown", "ArrowUp") if isinstance(control, Choice) else ("End", "Home", "ArrowRight"):
                before = shown.values()[control.name]
                shown.press(control.name, key)
                after = shown.values()[control.name]
                ends = (control.values[0], control.values[-1])
                assert after != before or before in ends, f"{name}: {key} does not move {control.name}"
                shown.assert_is_what_dlnlib_says()
        shown.figure.locator(".dln-reset").focus()
        opened.page.keyboard.press("Enter")
        opened.page.evaluate(SETTLED, shown.canvas)
        assert shown.values() == start
        shown.assert_is_what_dlnlib_says()
        for settings in shown.chart.presets.values():
            shown.press("preset", "ArrowDown")
            assert settings.items() <= shown.values().items()
            shown.assert_is_what_dlnlib_says()
    assert not opened.errors
    assert not opened.outside


@pytest.mark.parametrize("page_name", PAGES)
def test_a_pointer_moves_it_on_a_phone(site, visit, page_name):
    opened = visit("375-dark", page_name, has_touch=True)
    for name in names_on(site, page_name):
        shown = Shown(opened.page, name)
        control = next(c for c in shown.chart.controls if not isinstance(c, Choice))
        shown.input(control.name).scroll_into_view_if_needed()
        box = shown.input(control.name).bounding_box()
        opened.page.touchscreen.tap(box["x"] + box["width"] * 0.97, box["y"] + box["height"] / 2)
        opened.page.evaluate(SETTLED, shown.canvas)
        assert shown.values()[control.name] == control.values[-1]
        shown.assert_is_what_dlnlib_says()
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
        assert want.items() <= shown.values().items()
        shown.assert_is_what_dlnlib_says()


def test_positions_are_remembered_until_reset(site, visit):
    page_name = PAGES[0]
    opened = visit("1280-light", page_name)
    name = names_on(site, page_name)[0]
    shown = Shown(opened.page, name)
    control = next(c for c in shown.chart.controls if not isinstance(c, Choice))
    shown.press(control.name, "End")
    opened.page.reload()
    again = Shown(opened.page, name)
    assert again.values()[control.name] == control.values[-1]
    again.assert_is_what_dlnlib_says()
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


def test_a_chart_is_there_within_two_seconds(site, visit):
    """Measured in the page, from the jump to the chart until a moved control has redrawn it."""
    for page_name in PAGES:
        opened = visit("1280-light", page_name)
        name = names_on(site, page_name)[0]
        seconds = opened.page.evaluate(
            """async name => {
                const figure = document.querySelector(`figure:has([data-dln-explorer='${name}'])`);
                const begin = performance.now();
                figure.scrollIntoView({ behavior: "instant" });
                while (!figure.querySelector(".dln-canvas[data-ready]")) await new Promise(requestAnimationFrame);
                const input = figure.querySelector("input");
                input.value = input.value === input.max ? input.min : input.max;
                input.dispatchEvent(new Event("input", { bubbles: true }));
                await figure.querySelector(".dln-canvas").dlnView.runAsync();
                return (performance.now() - begin) / 1000;
            }""",
            name,
        )
        print(f"{page_name}: {name} drawn and moved in {seconds:.2f} s")
        assert seconds < 2


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
