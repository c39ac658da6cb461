"""Audit of the built pages, without a browser."""

import re
from pathlib import Path

import pytest
from _pages import (
    bad_figures,
    bad_images,
    broken_links,
    chapter_pages,
    css_loads,
    external_loads,
    leaked_markup,
    main,
    repeated_ids,
    repeated_scripts,
    soup,
    toc_pages,
)
from bs4 import BeautifulSoup

PAGES = [*toc_pages(), "search.html", "genindex.html"]
on_every_page = pytest.mark.parametrize("name", PAGES)


@pytest.mark.parametrize("name", toc_pages())
def test_page_is_there_and_says_something(site, name):
    text = main(soup(site / name)).get_text(" ", strip=True)
    assert len(soup(site / name).find_all("h1")) >= 1
    assert len(text.split()) > (1500 if name.startswith("chapters/") else 40)


@on_every_page
def test_images_have_human_alternative_texts(site, name):
    assert not list(bad_images(soup(site / name)))


@on_every_page
def test_figures_have_numbers_and_captions(site, name):
    assert not list(bad_figures(soup(site / name)))


@pytest.mark.parametrize("name", chapter_pages())
def test_every_chapter_has_figures(site, name):
    assert len(soup(site / name).find_all("figure")) >= 2


@on_every_page
def test_nothing_is_loaded_from_elsewhere(site, name):
    assert not list(external_loads(soup(site / name)))


def test_no_style_sheet_loads_from_elsewhere(site):
    found = {path.name: css_loads(path.read_text(encoding="utf-8")) for path in (site / "_static").rglob("*.css")}
    assert not {name: loads for name, loads in found.items() if loads}


@on_every_page
def test_no_script_stands_twice(site, name):
    assert not list(repeated_scripts(soup(site / name)))


@on_every_page
def test_ids_are_unique(site, name):
    assert not list(repeated_ids(soup(site / name)))


@on_every_page
def test_links_into_the_book_lead_somewhere(site, name):
    assert not list(broken_links(site, site / name))


@on_every_page
def test_no_source_syntax_reaches_the_reader(site, name):
    assert not list(leaked_markup(soup(site / name)))


@on_every_page
def test_one_search_field_on_a_page(site, name):
    assert len(soup(site / name).select(".search-button-field")) == 1


@pytest.mark.parametrize("name", chapter_pages())
def test_stubs_are_not_attempted_and_solutions_are_correct(site, name):
    """Each answer box says what it should before the reader has done anything: a check that always passes shows here."""
    boxes = main(soup(site / name)).select(".dln-check")
    assert boxes
    for box in boxes:
        folded = box.find_parent(class_="solution") is not None
        assert ("dln-correct" if folded else "dln-todo") in box["class"], box.get_text()


@pytest.mark.parametrize("name", chapter_pages())
def test_no_cell_shows_an_error_or_a_warning(site, name):
    page = main(soup(site / name))
    assert not page.select(".output.traceback, .output.stderr")
    assert not re.search(r"Traceback \(most recent|\w+Warning:", page.get_text())


def test_repository_links_only_where_the_address_is_known(site):
    from dln_site import repository_url

    url = repository_url(Path(__file__).parents[2])
    hrefs = [link["href"] for link in soup(site / "index.html").select(".bd-header-article a[href]")]
    outside = [href for href in hrefs if href.startswith("http")]
    assert all(url is not None and (href.startswith(url) or url.removeprefix("https://github.com/") in href) for href in outside)
    assert bool(outside) == bool(url)


def test_mathjax_is_served_by_the_site_and_pruned(site):
    files = [path for path in (site / "_static" / "mathjax").rglob("*") if path.is_file()]
    assert (site / "_static" / "mathjax" / "tex-chtml.js").is_file()
    assert sum(path.stat().st_size for path in files) < 5e6


# -- the audit sees what it looks for --------------------------------------------------------------------------------


def page(html: str) -> BeautifulSoup:
    return BeautifulSoup(f"<main>{html}</main>", "html.parser")


FAULTS = [
    (bad_images, '<img src="a.png">'),
    (bad_images, '<img src="a.png" alt="../_images/a.png">'),
    (
        bad_images,
        '<div class="cell_output"><img src="a.png" alt="A picture of some kind that is not inside any figure at all"></div>',
    ),
    (bad_images, '<a href="x"><img src="a.png" alt=""></a>'),
    (
        bad_figures,
        '<figure id="f"><figcaption><span class="caption-text">A caption of enough words.</span></figcaption></figure>',
    ),
    (bad_figures, '<figure id="f"><figcaption><span class="caption-number">Fig. 1.2 </span></figcaption></figure>'),
    (external_loads, '<script src="https://example.org/x.js"></script>'),
    (external_loads, '<script>const URL = "https://example.org/x.js"</script>'),
    (external_loads, '<link rel="stylesheet" href="//example.org/x.css">'),
    (external_loads, '<style>@import "https://example.org/x.css"</style>'),
    (repeated_scripts, '<script src="a.js?v=1"></script><script src="a.js?v=2"></script>'),
    (repeated_ids, '<p id="a"></p><p id="a"></p>'),
    (leaked_markup, "<p>see {eq}`eq-x` here</p>"),
    (leaked_markup, "<p>$$ x $$</p>"),
]


@pytest.mark.parametrize(("rule", "html"), FAULTS, ids=[f"{rule.__name__}-{i}" for i, (rule, _) in enumerate(FAULTS)])
def test_planted_fault_is_found(rule, html):
    assert list(rule(page(html)))


@pytest.mark.parametrize("rule", sorted({rule for rule, _ in FAULTS}, key=lambda rule: rule.__name__))
def test_a_good_page_passes(rule):
    good = (
        '<a href="x"><img src="l.svg" alt=""> Home</a><p id="a"><code>$$</code></p><script src="a.js"></script>'
        '<figure id="f"><img src="f.png" alt="Two curves that meet at time four and then lie on one another.">'
        '<figcaption><span class="caption-number">Fig. 1.1 </span>'
        '<span class="caption-text">Two curves, theory and flow.</span></figcaption></figure>'
    )
    assert not list(rule(page(good)))


def test_broken_links_are_found(tmp_path):
    (tmp_path / "a.html").write_text(
        '<a href="b.html"></a><a href="#nowhere"></a><a href="../up.html"></a><a href="#here" id="here"></a>'
    )
    assert len(list(broken_links(tmp_path, tmp_path / "a.html"))) == 3


@pytest.mark.parametrize("name", toc_pages())
def test_punctuation_stays_with_its_formula(site, name):
    loose = [
        after
        for formula in main(soup(site / name)).find_all("span", class_="math")
        if isinstance(after := formula.next_sibling, str) and "dln-unbroken" not in (formula.parent.get("class") or [])
        if re.match(r"[.,;:!?)]", after)
    ]
    assert not loose
