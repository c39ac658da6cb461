"""The pages of the built site, parsed; the rules of the audit, as functions that list what is wrong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from _building import ROOT
from bs4 import BeautifulSoup, Tag


def toc_pages() -> list[str]:
    """Pages of the table of contents, as paths in the site."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    names = [toc["root"], *(entry["file"] for part in toc["parts"] for entry in part["chapters"])]
    return [f"{name}.html" for name in names]


def chapter_pages() -> list[str]:
    return [name for name in toc_pages() if name.startswith("chapters/")]


@cache
def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def main(page: BeautifulSoup) -> Tag:
    found = page.find("article") or page.find("main")
    assert isinstance(found, Tag)
    return found


def is_external(address: str) -> bool:
    return bool(urlsplit(address).scheme not in ("", "data") or address.startswith("//"))


# -- rules: each yields what is wrong --------------------------------------------------------------------------------


def bad_images(page: BeautifulSoup) -> Iterator[str]:
    """Images without a human alternative text; a picture may be silent only beside the text of its own link."""
    for image in page.find_all("img"):
        alt = image.get("alt")
        link = image.find_parent("a")
        if alt == "" and link is not None and link.get_text(strip=True):
            continue
        if not alt or len(alt) < 10 or re.search(r"\.(png|svg|jpe?g)\b|^[\w./-]+$", alt):
            yield f"alternative text {alt!r} of {image.get('src')}"
        if image.find_parent(class_="cell_output") and (len(alt or "") < 40 or not image.find_parent("figure")):
            yield f"{image.get('src')}: an output image is a figure with an alternative text of a sentence"


def bad_figures(page: BeautifulSoup) -> Iterator[str]:
    """Figures without a number and a caption."""
    for figure in page.find_all("figure"):
        number, text = figure.select_one(".caption-number"), figure.select_one(".caption-text")
        if number is None or not re.fullmatch(r"Fig\. \d+(\.\d+)?", number.get_text(strip=True)):
            yield f"figure {figure.get('id')} has no number"
        if text is None or len(text.get_text(strip=True)) < 20:
            yield f"figure {figure.get('id')} has no caption"


LOADS = (
    ("script", "src"),
    ("img", "src"),
    ("iframe", "src"),
    ("source", "src"),
    ("video", "src"),
    ("audio", "src"),
    ("object", "data"),
)


def external_loads(page: BeautifulSoup) -> Iterator[str]:
    """What a browser would fetch from elsewhere when it opens the page."""
    for tag, attribute in LOADS:
        for node in page.find_all(tag, attrs={attribute: True}):
            if is_external(node[attribute]):
                yield f"<{tag}> {node[attribute]}"
    for link in page.find_all("link", href=True):
        if is_external(link["href"]) and not {"canonical", "author", "license"} & set(link.get("rel", [])):
            yield f"<link> {link['href']}"
    for script in page.find_all("script", src=False):
        if re.search(r"https?://", script.get_text()):
            yield f"inline script: {script.get_text()[:80]}"
    for style in page.find_all("style"):
        yield from (f"style: {address}" for address in css_loads(style.get_text()))


def css_loads(text: str) -> list[str]:
    """External addresses that a style sheet fetches."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return re.findall(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')]+)", text)


def repeated_scripts(page: BeautifulSoup) -> Iterator[str]:
    scripts = [str(script.get("src") or script.get_text()).split("?")[0] for script in page.find_all("script")]
    yield from (f"{n} times: {script[:80]}" for script, n in Counter(scripts).items() if n > 1 and script.strip())


def repeated_ids(page: BeautifulSoup) -> Iterator[str]:
    ids = [node["id"] for node in page.find_all(id=True)]
    yield from (name for name, n in Counter(ids).items() if n > 1)


@cache
def anchors(path: Path) -> frozenset[str]:
    page = soup(path)
    return frozenset(
        [node["id"] for node in page.find_all(id=True)] + [node["name"] for node in page.find_all("a", attrs={"name": True})]
    )


def broken_links(site: Path, path: Path) -> Iterator[str]:
    """Links into the site whose file or place does not exist."""
    for link in soup(path).find_all("a", href=True):
        address = urlsplit(link["href"])
        if address.scheme or address.netloc or link["href"] == "#":
            continue
        target = (path.parent / unquote(address.path)).resolve() if address.path else path
        if not target.is_relative_to(site.resolve()) or not target.is_file():
            yield f"{link['href']}: no such file"
        elif address.fragment and target.suffix == ".html" and unquote(address.fragment) not in anchors(target):
            yield f"{link['href']}: no such place"


MARKUP = re.compile(r"\{[a-z:]+\}`|```|:::|\$\$|\\begin\{|\]\([\w#./]|\(eq-|\*\*\w")


def leaked_markup(page: BeautifulSoup) -> Iterator[str]:
    """Source syntax that reached the reader as text."""
    for text in main(page).find_all(string=MARKUP):
        if not text.find_parent(["pre", "code", "script", "style"]) and not text.find_parent(class_=["math", "dln-check"]):
            yield str(text).strip()[:80]
