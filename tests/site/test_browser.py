"""Every page in Chromium, on a phone and on a desk, light and dark: nothing scrolls sideways, fails, or shuts anybody out."""

import pytest
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
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self.errors.append(line.text) if line.type in ("error", "warning") else None)
        self.page.on("response", lambda r: self.errors.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        self.page.on("request", lambda r: None if r.url.startswith((address, "data:", "blob:")) else self.outside.append(r.url))
        self.page.goto(address + name, wait_until="load")
        self.page.evaluate(TYPESET)
        self.page.wait_for_timeout(150)  # the marking of scrolling boxes follows the typesetting


@pytest.fixture(scope="session")
def contexts(browser):
    made = {}

    def context(view: str):
        if view not in made:
            made[view] = browser.new_context(**VIEWS[view])
        return made[view]

    yield context
    for one in made.values():
        one.close()


@pytest.fixture
def visit(contexts, address):
    opened = []

    def go(view: str, name: str) -> Visit:
        opened.append(Visit(contexts(view), address, name))
        return opened[-1]

    yield go
    for one in opened:
        one.page.close()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", PAGES)
def test_page(visit, name, view):
    opened = visit(view, name)
    page = opened.page
    for chart in page.locator("figure:has(.dln-canvas)").all():
        chart.scroll_into_view_if_needed()
        chart.locator(".dln-canvas[data-ready]").wait_for(timeout=15_000)
    assert not opened.outside, "requests that leave the machine"
    assert not opened.errors
    assert page.evaluate("document.documentElement.dataset.theme") == view.split("-")[1]
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.evaluate(WIDER)
    assert not page.evaluate(WIDER)
    assert not page.evaluate(UNREADABLE_MATHS)
    assert not page.evaluate(UNLOADED_IMAGES)
    assert not violations(page)


def violations(page) -> list[tuple[str, str, str]]:
    """What axe finds, with every rule it has: levels A and AA, best practice, and those it still calls experimental."""
    from axe_playwright_python.sync_playwright import Axe

    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice", "experimental"]
    found = Axe().run(page, options={"runOnly": tags, "resultTypes": ["violations"]}).response["violations"]
    return [(fault["id"], node["html"][:200], node["failureSummary"]) for fault in found for node in fault["nodes"]]


def test_axe_sees_a_planted_fault(browser):
    page = browser.new_page()
    page.set_content("<html lang=en><title>t</title><main><h1>t</h1><p style='color:#aaa'>pale</p><img src=''></main></html>")
    assert {"color-contrast", "image-alt"} <= {name for name, _, _ in violations(page)}
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
