"""Nothing is stale: a small book of its own is built, its library is changed, and the pages must follow."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import dln_fresh
import pytest
import yaml
from _building import FRONT_MATTER, ROOT, build_book
from dln_ledger import read_ledger

LIBRARY = """
import json
from html import escape
VALUE = {value}

class Verified:
    def _repr_html_(self):
        record = dict(label=self.label, how="this against that", n_values=VALUE, error=0.0, allowed=1e-9, measure="error")
        record = escape(json.dumps(record))
        return f'<div class="dln-verified" data-label="{{self.label}}" data-record="{{record}}">Verified</div>'

def verify(label):
    shown = Verified()
    shown.label = label
    return shown
"""
CHAPTER = (
    FRONT_MATTER
    + """
# Chapter {name}

Prose of {name}.

$$
x = y
$$ (eq-{name})

```{{code-cell}} ipython3
import dlnlib
with open("../runs-{name}.txt", "a") as log:
    log.write("run ")
print("the value is", dlnlib.VALUE)
```

```{{code-cell}} ipython3
dlnlib.verify("eq-{name}")
```
"""
)


class Book:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("_ext", "_static"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("_config.yml", "ledger.md"):
            shutil.copyfile(ROOT / name, folder / name)
        self.write("references.bib", "")
        self.write("index.md", "# A small book\n")
        parts = [
            {"numbered": 1, "chapters": [{"file": f"chapters/{name}"} for name in ("one", "two")]},
            {"chapters": [{"file": "ledger"}]},
        ]
        toc = {"format": "jb-book", "root": "index", "parts": parts}
        self.write("_toc.yml", yaml.safe_dump(toc, sort_keys=False))
        for name in ("one", "two"):
            self.write(f"chapters/{name}.md", CHAPTER.format(name=name))
        self.set_value(1)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def set_value(self, value: int) -> None:
        self.write("dlnlib/__init__.py", LIBRARY.format(value=value))

    def build(self) -> subprocess.CompletedProcess[str]:
        return build_book(self.folder, PYTHONPATH=str(self.folder))

    def html(self, name: str) -> str:
        return (self.folder / "_build" / "html" / name).read_text()

    def runs(self) -> list[int]:
        """How often each chapter was executed so far."""
        return [len((self.folder / f"runs-{name}.txt").read_text().split()) for name in ("one", "two")]


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


def test_a_change_in_the_library_executes_every_chapter_again_and_nothing_else_does(book):
    first = book.build()
    assert first.returncode == 0, first.stdout
    assert book.runs() == [1, 1]
    assert "the value is 1" in book.html("chapters/one.html")

    book.write("_static/book.css", "p { color: teal }")
    assert book.build().returncode == 0
    assert book.runs() == [1, 1], "only a style sheet changed"
    assert "teal" in book.html("_static/book.css")

    book.write("chapters/one.md", CHAPTER.format(name="one").replace("Prose of one", "Better prose"))
    assert book.build().returncode == 0
    assert book.runs() == [1, 1], "only prose changed"
    assert "Better prose" in book.html("chapters/one.html")

    book.set_value(2)
    assert book.build().returncode == 0
    assert book.runs() == [2, 2]
    for name in ("one", "two"):
        assert "the value is 2" in book.html(f"chapters/{name}.html")
    rows = read_ledger(book.folder / "_build" / "html")
    assert [(row["label"], row["number"], row["n_values"]) for row in rows] == [("eq-one", "1.1", 2), ("eq-two", "2.1", 2)]
    assert "2 results, 2 comparisons, 4 values" in book.html("ledger.html"), "the ledger page was written again"


def test_a_missing_verification_fails_the_build_until_it_is_there(book):
    book.write("chapters/two.md", CHAPTER.format(name="two").replace('verify("eq-two")', 'verify("eq-too")'))
    for attempt in ("first", "second"):
        run = book.build()
        assert run.returncode != 0, f"{attempt} attempt"
        assert "the result eq-two has no verification" in run.stdout
        assert "'eq-too'" in run.stdout
        assert "names no equation of this document" in run.stdout
    book.write("chapters/two.md", CHAPTER.format(name="two"))
    assert book.build().returncode == 0


def test_a_failing_cell_fails_the_build_until_it_is_mended(book):
    book.write("chapters/two.md", CHAPTER.format(name="two").replace("import dlnlib", "import dlnlib\n1 / 0"))
    for attempt in ("first", "second"):
        run = book.build()
        assert run.returncode != 0, f"{attempt} attempt"
        assert "Executing notebook failed" in run.stdout
        assert "has no verification" not in run.stdout, "the error is the cause, and enough to report"


def test_fingerprint_sees_every_file_and_ignores_compiled_ones(tmp_path):
    (tmp_path / "a.py").write_text("x = 1")
    first = dln_fresh.fingerprint(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("compiled")
    assert dln_fresh.fingerprint(tmp_path) == first
    (tmp_path / "data.csv").write_text("1")
    second = dln_fresh.fingerprint(tmp_path)
    assert second != first
    (tmp_path / "data.csv").rename(tmp_path / "other.csv")
    assert dln_fresh.fingerprint(tmp_path) != second


def test_fingerprint_sees_the_versions(tmp_path, monkeypatch):
    first = dln_fresh.fingerprint(tmp_path)
    monkeypatch.setattr(dln_fresh, "version", lambda name: "0.0")
    assert dln_fresh.fingerprint(tmp_path) != first
