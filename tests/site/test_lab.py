"""In JupyterLab a chapter knows the book's macros, and saving writes what the reader changed and nothing else."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import jupytext
import pytest
import traitlets.config
from _pages import ROOT

CHAPTERS = sorted((ROOT / "chapters").glob("*.md"))


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    settings = traitlets.config.Config()
    return runpy.run_path(str(ROOT / "binder" / "jupyter_server_config.py"), {"get_config": lambda: settings})


@pytest.fixture
def manager(config: dict[str, Any], tmp_path: Path) -> Any:
    """A contents manager on a folder that holds the macros of the book."""
    (tmp_path / "_config.yml").write_bytes((ROOT / "_config.yml").read_bytes())
    return config["BookContentsManager"](root_dir=str(tmp_path))


def opened(manager: Any, text: str) -> tuple[Path, Any]:
    file = Path(manager.root_dir) / "chapter.md"
    file.write_text(text, encoding="utf-8")
    return file, manager.get("chapter.md", type="notebook")


def test_the_configuration_is_taken_up(config: dict[str, Any]) -> None:
    assert config["c"].ServerApp.contents_manager_class is config["BookContentsManager"]
    assert config["c"].LabApp.custom_css is True


def test_every_macro_of_the_site_is_there(config: dict[str, Any]) -> None:
    macros = config["book_macros"](ROOT / "chapters")
    assert macros["\\Sxx"] == "\\Sigma_{xx}"
    assert "#1" in macros["\\norm"]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_is_opened_with_the_macros_and_saved_without(manager: Any, chapter: Path) -> None:
    file, model = opened(manager, chapter.read_text(encoding="utf-8"))
    title = model["content"]["cells"][0]["source"]
    assert "\\\\Sxx" in title
    assert "\n---\n\n# " in title
    manager.save(model, "chapter.md")
    assert file.read_bytes() == chapter.read_bytes()


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_saving_writes_an_edit_and_nothing_else(manager: Any, chapter: Path) -> None:
    before = chapter.read_text(encoding="utf-8")
    file, model = opened(manager, before)
    stub = next(cell for cell in model["content"]["cells"] if "exercise" in cell["metadata"].get("tags", []))
    wanted = before.replace(stub["source"], "mine = 1", 1)
    stub["source"] = "mine = 1"
    model["content"]["metadata"]["kernelspec"]["display_name"] = "Python 3 (ipykernel)"
    manager.save(model, "chapter.md")
    assert file.read_text(encoding="utf-8") == wanted


def test_an_unfolded_solution_is_folded_in_the_file(manager: Any) -> None:
    before = (ROOT / "chapters" / "_template.md").read_text(encoding="utf-8")
    file, model = opened(manager, before)
    for cell in model["content"]["cells"]:
        if "solution" in cell["metadata"].get("tags", []):
            cell["metadata"]["jupyter"]["source_hidden"] = False
    manager.save(model, "chapter.md")
    assert file.read_text(encoding="utf-8") == before


TEXT = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  name: python3
---

# Title

```{code-cell} ipython3
:tags: [a]

x = 1
```

End.
"""


@pytest.mark.parametrize("place", [0, 1, 2, 3])
@pytest.mark.parametrize("kind", ["code", "markdown"])
def test_cells_can_be_added_anywhere(manager: Any, kind: str, place: int) -> None:
    file, model = opened(manager, TEXT)
    new = {"cell_type": kind, "id": "new", "metadata": {}, "source": "y = 2"}
    model["content"]["cells"].insert(place, {**new, "outputs": [], "execution_count": None} if kind == "code" else new)
    wanted = [cell["source"] for cell in model["content"]["cells"]]
    wanted = [source.split("---\n\n")[-1] for source in wanted]
    manager.save(model, "chapter.md")
    assert [cell.source for cell in jupytext.read(file).cells] == wanted


@pytest.mark.parametrize("gone", [[0], [1], [2], [0, 1], [1, 2], [0, 1, 2]])
def test_cells_can_be_deleted(manager: Any, gone: list[int]) -> None:
    file, model = opened(manager, TEXT)
    cells = model["content"]["cells"]
    model["content"]["cells"] = [cell for i, cell in enumerate(cells) if i not in gone]
    wanted = [cell["source"].split("---\n\n")[-1] for cell in model["content"]["cells"]]
    manager.save(model, "chapter.md")
    assert [cell.source for cell in jupytext.read(file).cells] == wanted


def test_a_text_is_saved_as_it_is(manager: Any) -> None:
    file, _ = opened(manager, TEXT)
    text = TEXT.replace(":tags: [a]", "---\ntags: [a]\n---")
    manager.save({"type": "file", "format": "text", "content": text}, "chapter.md")
    assert file.read_text(encoding="utf-8") == text
