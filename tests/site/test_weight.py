"""What a reader prints."""

import io
import re
import unicodedata

import pytest
from _building import CHROMIUM
from _pages import chapter_pages, soup
from test_browser import NO_FORMULAS

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: install it (apt-get install chromium) to run these")


def words_of(text):
    """The letters alone, ligatures taken apart."""
    return re.sub(r"\W+", "", unicodedata.normalize("NFKC", text))


def count_pictures(sheet):
    """The pictures that a sheet refers to; `sheet.images` would read through all of its text for those written inside it."""
    objects = sheet["/Resources"].get("/XObject", {})
    return sum(objects[name]["/Subtype"] == "/Image" for name in objects)


@pytest.mark.parametrize("name", chapter_pages())
def test_print_has_every_chart_as_a_picture_and_every_solution_open(browser, address, site, name):
    from pypdf import PdfReader

    context = browser.new_context()
    context.add_init_script(NO_FORMULAS)
    page = context.new_page()
    page.goto(address + name, wait_until="networkidle")
    if page.locator("figure:has(.dln-canvas)").count():
        first = page.locator("figure:has(.dln-canvas)").first
        first.scroll_into_view_if_needed()  # one chart drawn, the others still pictures: paper has pictures of all
        first.locator(".dln-canvas[data-ready]").wait_for()
    reader = PdfReader(io.BytesIO(page.pdf()))
    text = words_of("".join(sheet.extract_text() for sheet in reader.pages))
    pictures = sum(count_pictures(sheet) for sheet in reader.pages)
    figures = soup(site / name).select("article figure img")
    assert pictures >= len(figures), "a picture of every figure"
    for caption in soup(site / name).select("article figure .caption-text"):
        start = words_of(re.sub(r"\\\(.*", "", caption.get_text(), flags=re.S))[:30]
        assert start in text, caption.get_text()[:60]
    for solution in soup(site / name).select(".solution p:not(.admonition-title):not(:has(.math))"):
        plain = words_of(solution.get_text())[:40]
        assert plain in text, f"this sentence of a solution is not on paper: {solution.get_text()[:80]}"
    assert "Resetchoose" not in text
    page.emulate_media(media="print")
    for box in page.locator(".dln-explorer").all():
        assert not box.locator("form").is_visible()
        assert box.locator(".dln-said").is_visible()
    assert all(image.is_visible() for image in page.locator("figure:has(.dln-canvas) img").all())
    assert not any(canvas.is_visible() for canvas in page.locator(".dln-canvas").all())
    context.close()
