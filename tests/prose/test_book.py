"""What holds for the book as a whole: references, terms, citations, the table of contents, the files of the repository."""

import re
import subprocess
from collections import Counter

import pytest
import yaml
from _chapters import ROOT, Source, chapters, pages
from _rules import UNFINISHED

PAGES = pages()
CHAPTERS = chapters()


def glossary_entries(source: Source) -> list[set[str]]:
    """For each entry of a page's glossaries its terms, in lower case: the unindented lines above one definition."""
    entries: list[set[str]] = []
    fresh = True
    for line in (line for block in source.named("glossary") for line in block.body.splitlines() if line.strip()):
        if line[0].isspace():
            fresh = True
        elif fresh:
            entries.append({line.strip().lower()})
            fresh = False
        else:
            entries[-1].add(line.strip().lower())
    return entries


def bibliography_keys() -> list[str]:
    return re.findall(r"^@\w+\{\s*([^,\s]+)\s*,", (ROOT / "references.bib").read_text(encoding="utf-8"), re.M)


def labels(source: Source) -> list[str]:
    """Every label that a page defines: equations, directives and figures."""
    found = [eq.label for eq in source.equations if eq.label]
    for block in source.directives:
        figure = (block.options.get("mystnb") or {}).get("figure") or {}
        found += [str(name) for name in (block.options.get("label"), figure.get("name")) if name and block.name != "math"]
    return found


def test_the_contents_list_every_page_once():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    listed = [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    written = [path.relative_to(ROOT).with_suffix("").as_posix() for path in sorted((ROOT / "chapters").glob("[0-9]*.md"))]
    assert [name for name in listed if name.startswith("chapters/")] == written
    assert sorted(set(listed)) == sorted(listed)
    assert all((ROOT / f"{name}.md").exists() for name in [toc["root"], *listed])


def test_labels_are_unique():
    twice = [label for label, n in Counter(label for page in PAGES for label in labels(page)).items() if n > 1]
    assert not twice


def test_definitions_and_steps_are_referred_to():
    used = {target for page in PAGES for _, target in page.roles("eq")}
    idle = [
        label
        for page in PAGES
        for eq in page.equations
        if (label := eq.label) and not label.startswith("eq-") and label not in used
    ]
    assert not idle, "an equation that nothing refers to needs no label"


def test_terms_are_in_the_glossary():
    defined = {term for page in PAGES for entry in glossary_entries(page) for term in entry}
    missing = {f"{page.name}: {term}" for page in PAGES for _, term in page.roles("term") if term.lower() not in defined}
    assert not missing


def test_glossary_terms_are_used():
    used = {term.lower() for page in PAGES for _, term in page.roles("term")}
    idle = [sorted(entry) for page in PAGES for entry in glossary_entries(page) if not entry & used]
    assert not idle, "a term of the glossary is marked with {term} where it first appears"


def test_citations_and_bibliography_agree():
    cited = {key.strip() for page in PAGES for _, keys in page.roles("cite", "cite:t", "cite:p") for key in keys.split(",")}
    keys = bibliography_keys()
    assert len(keys) == len(set(keys))
    assert cited - set(keys) == set(), "cited but not in references.bib"
    assert set(keys) - cited == set(), "in references.bib but never cited"


# -- the repository --------------------------------------------------------------------------------------------------


def tracked() -> list[str]:
    run = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if run.returncode:
        pytest.skip("not a git clone: which files belong to the repository is not known")
    return [name for name in run.stdout.splitlines() if (ROOT / name).is_file()]


FOREIGN = re.compile(
    "|".join(
        (
            "py" + r"pi\.org",
            "python" + "hosted",
            r"registry\.npm",
            r"deb\.debian",
            "/ro" + "ot/",
            "/ho" + "me/",
            "/wo" + "rk/",
            "/t" + "mp/",
        )
    )
)


def test_no_registry_and_no_path_of_a_machine_is_named():
    found = []
    for name in tracked():
        text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
        found += [f"{name}:{i}: {line.strip()[:80]}" for i, line in enumerate(text.splitlines(), 1) if FOREIGN.search(line)]
    assert not found, "\n".join(found)


def test_nothing_is_left_unfinished():
    names = [name for name in tracked() if name.endswith((".py", ".md", ".yml", ".toml", ".css", ".js", "Makefile"))]
    found = [name for name in names if UNFINISHED.search((ROOT / name).read_text(encoding="utf-8"))]
    assert not found


def test_no_output_is_committed():
    assert not [name for name in tracked() if name.endswith(".ipynb") or name.startswith("_build/")]


# -- the checks of this file see what they look for ------------------------------------------------------------------


def test_the_searches_find_what_is_planted(tmp_path):
    page = Source(tmp_path / "x.md", "")
    page.directives.extend(PAGES[-1].directives)
    assert "fig-template-exponential" in labels(page)
    assert "ex-ch00-guess" in labels(page)
    assert FOREIGN.search("see /ho" + "me/somebody") and FOREIGN.search("index = py" + "pi.org")
    assert not FOREIGN.search("a ratio of 1/2 and a root/branch")
