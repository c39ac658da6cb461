"""Every page in Chromium, on a phone and on a desk, light and dark: nothing scrolls sideways, fails, or shuts anybody out."""

import gzip
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from _axe import COLOUR_RULES, DIFFERENCES, PLACE_RULES, RULES, SEEN, THIN, violations
from _building import CHROMIUM
from _pages import chapter_pages, toc_pages

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: install it (apt-get install chromium) to run these")

PAGES = [*toc_pages(), "search.html", "genindex.html"]
VIEWS = {
    f"{width}-{scheme}": {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    for width in (375, 1280)
    for scheme in ("light", "dark")
}
TYPESET = "() => window.MathJax && MathJax.startup && MathJax.startup.promise.then(() => true)"
# After a change of the scheme: the page has heard of it, and no colour is on its way to another.
SETTLED = """() => {
    const wanted = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const still = document.getAnimations().every(one => one.playState !== "running");
    return still && document.documentElement.dataset.theme === wanted;
}"""
# Formulas have tests of their own here; typesetting them takes most of the time of a visit that is about something else.
NO_FORMULAS = """{
    let own;
    Object.defineProperty(window, "MathJax", { configurable: true, get: () => own, set: value => {
        own = value;
        if (value && !value.version) value.startup = { ...value.startup, typeset: false };
    } });
}"""
# From the jump to a chart until a moved control has redrawn it, and back; seconds of the first two.
JUMP = """async figure => {
    const begin = performance.now();
    figure.scrollIntoView({ behavior: "instant" });
    while (!figure.querySelector(".dln-canvas[data-ready]")) await new Promise(requestAnimationFrame);
    const input = figure.querySelector("input"), start = input.value;
    const move = async value => {
        input.value = value;
        input.dispatchEvent(new Event("input", { bubbles: true }));
        await figure.querySelector(".dln-canvas").dlnView.runAsync();
    };
    await move(start === input.max ? input.min : input.max);
    const seconds = (performance.now() - begin) / 1000;
    await move(start);
    return seconds;
}"""
MOST = 1_500_000  # bytes of a first load, compressed
UNREADABLE_MATHS = """() => [...document.querySelectorAll(
    "mjx-merror, [data-mml-node=merror], mjx-mtext[style*=red], .math:not(:has(mjx-container))"
)].map(e => e.textContent.slice(0, 80))"""
UNLOADED_IMAGES = "() => [...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
WIDER = """() => [...document.querySelectorAll("article *")].filter(e => {
    const box = e.getBoundingClientRect();
    if (box.width === 0 || box.right <= document.documentElement.clientWidth + 1) return false;
    for (let p = e.parentElement; p; p = p.parentElement)
        if (/auto|scroll|hidden|clip/.test(getComputedStyle(p).overflowX) && p.tagName !== "BODY") return false;
    return true;
}).map(e => e.tagName + "." + e.className + ": " + e.textContent.trim().slice(0, 60))"""


class Visit:
    """A page that is open, and everything it complained about while it opened."""

    def __init__(self, context, address: str, name: str) -> None:
        self.errors: list[str] = []
        self.outside: list[str] = []
        self.fetched: list[str] = []
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self.errors.append(line.text) if line.type in ("error", "warning") else None)
        self.page.on("response", lambda r: self.errors.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        self.page.on("response", lambda r: self.fetched.append(r.url) if r.ok else None)
        self.page.on("request", lambda r: None if r.url.startswith((address, "data:", "blob:")) else self.outside.append(r.url))
        self.page.goto(address + name, wait_until="load")
        self.page.evaluate(TYPESET)
        self.page.wait_for_timeout(150)  # the marking of scrolling boxes follows the typesetting


@pytest.fixture
def visit(browser, address):
    """Opens a page as somebody who has never been here: nothing is cached, nothing remembered."""
    contexts = []

    def go(view: str, name: str) -> Visit:
        contexts.append(browser.new_context(**VIEWS[view]))
        return Visit(contexts[-1], address, name)

    yield go
    for context in contexts:
        context.close()


@cache
def compressed(path: Path) -> int:
    """Bytes of a file as a server that compresses would send it."""
    data = path.read_bytes()
    return min(len(gzip.compress(data, 6)), len(data))


def assert_light(site: Path, address: str, opened: Visit) -> None:
    """Everything that a first visit fetches, the chart library included, is no more than a reader should wait for."""
    opened.page.wait_for_load_state("networkidle")
    names = {unquote(urlsplit(url).path).lstrip("/") for url in opened.fetched if url.startswith(address)}
    assert any("vega" in name for name in names)
    assert any("mathjax" in name and name.endswith(".woff") for name in names)
    sizes = {name: compressed(site / name) for name in names}
    heaviest = sorted(sizes.items(), key=lambda item: -item[1])[:4]
    print(f"{sum(sizes.values())} bytes compressed in {len(sizes)} files; heaviest: {heaviest}")
    assert sum(sizes.values()) <= MOST, heaviest


@pytest.mark.parametrize("views", [("375-light", "375-dark"), ("1280-dark", "1280-light")], ids=("375", "1280"))
@pytest.mark.parametrize("name", PAGES)
def test_page(visit, site, address, name, views):
    """A page is opened once at each width, each in another colour scheme; the reader's device then changes its scheme."""
    opened = visit(views[0], name)
    page = opened.page
    charts = page.locator("figure:has(.dln-canvas)")
    if views[0].startswith("1280") and charts.count():
        seconds = page.evaluate(JUMP, charts.first.element_handle())
        print(f"{name}: a chart was drawn and moved in {seconds:.2f} s")
        assert seconds < 2
    for chart in charts.all():
        chart.scroll_into_view_if_needed()
        chart.locator(".dln-canvas[data-ready]").wait_for(timeout=15_000)
    if name in chapter_pages():
        assert_light(site, address, opened)
    for view in views:
        page.emulate_media(color_scheme=view.split("-")[1])
        page.wait_for_function(SETTLED)
        assert not opened.outside, "requests that leave the machine"
        assert not opened.errors
        assert page.evaluate("document.documentElement.dataset.theme") == view.split("-")[1]
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.evaluate(WIDER)
        assert not page.evaluate(WIDER)
        assert not page.evaluate(UNREADABLE_MATHS)
        assert not page.evaluate(UNLOADED_IMAGES)
        page.evaluate(SEEN)
    differences, moved = page.evaluate(DIFFERENCES), page.evaluate(THIN)
    print(f"{name}, {views}: with the scheme change, colours aside, {differences}; the thinned page has moved {moved}")
    assert not violations(page), views[1]
    page.emulate_media(color_scheme=views[0].split("-")[1])
    page.wait_for_function(SETTLED)
    assert not violations(page, RULES if differences else COLOUR_RULES + PLACE_RULES), views[0]


def test_axe_sees_a_planted_fault(browser):
    page = browser.new_page()
    page.set_content("<html lang=en><title>t</title><main><h1>t</h1><p style='color:#aaa'>pale</p><img src=''></main></html>")
    assert {"color-contrast", "image-alt"} <= {name for name, _, _ in violations(page)}
    page.close()


FAULTY = """<html lang=en><title>t</title>
<style>
    .mi { color: #ccc } .nb { color: #0a5300 } .hll { background: #1a1a40 }
    mjx-container, mjx-math, mjx-c { display: inline-block; line-height: 0 } mjx-c { width: 9px; height: 9px }
    .late { display: none } @media (prefers-color-scheme: dark) { .late { display: block } }
</style>
<main><h1>t</h1>
<div class=highlight><pre><span class=mi>1</span> <span class=mi>1234</span> <span class=mi>12</span> <span class=nb>list</span>
<span class=hll><span class=nb>sum</span> <span class=nb>set</span></span> <span class=nb>tuple</span></pre></div>
<p>x <mjx-container><mjx-math aria-hidden=true><mjx-mi tabindex=0><mjx-c></mjx-c></mjx-mi></mjx-math></mjx-container>
<mjx-container><mjx-math aria-hidden=true><mjx-mi><mjx-c></mjx-c></mjx-mi></mjx-math></mjx-container></p>
<p class=late>Seen in the dark alone</p></main></html>"""


def test_axe_finds_on_a_thinned_page_what_it_finds_on_the_whole(browser):
    page = browser.new_page()
    page.set_content(FAULTY)
    whole = {(name, html.split(">")[0]) for name, html, _ in violations(page)}
    page.evaluate(SEEN)
    assert page.evaluate(THIN) == []
    assert page.locator(".highlight span").count() == 5, "1234, tuple, and the marked line with its words"
    assert page.locator("mjx-mi").count() == 1, "what is fit to be reached by a keyboard stays"
    found = violations(page)
    assert {(name, html.split(">")[0]) for name, html, _ in found} == whole
    assert {("color-contrast", '<span class="mi">1234</span>'), ("color-contrast", '<span class="nb">sum</span>')} <= {
        (name, html) for name, html, _ in found
    }
    assert "aria-hidden-focus" in {name for name, _ in whole}
    page.close()


def test_what_only_one_colour_scheme_shows_is_seen(browser):
    page = browser.new_page()
    for faulty, count in ((FAULTY, 1), (FAULTY.replace("display: none", "color: red"), 0)):
        page.set_content(faulty)
        page.evaluate("delete window.dlnSeen")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.evaluate(SEEN)
        assert len(page.evaluate(DIFFERENCES)) == count
    page.close()


@pytest.mark.parametrize("name", chapter_pages()[:1])
def test_a_solution_opens_with_the_keyboard(visit, name):
    page = visit("1280-light", name).page
    solution = page.locator(".solution.dropdown").first
    inside = solution.locator("section, .section, .solution-content, p:not(.admonition-title)").first
    assert not inside.is_visible()
    solution.locator("button, summary").first.focus()
    page.keyboard.press("Enter")
    inside.wait_for(state="visible", timeout=3000)


def test_search_finds_a_word_of_the_book(visit):
    page = visit("375-light", "search.html?q=gradient").page
    page.wait_for_selector("#search-results li a", timeout=10_000)
    assert page.locator("#search-results li").count() >= 2


def test_colour_mode_button_changes_the_colours(browser, address):
    context = browser.new_context(color_scheme="light")  # of its own: the choice is remembered
    page = Visit(context, address, "index.html").page
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for _ in range(3):
        page.locator("button.theme-switch-button").first.click()
        if page.evaluate("document.documentElement.dataset.theme") == "dark":
            break
    page.wait_for_timeout(100)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    context.close()
