"""JupyterLab for the book, on this machine (`make lab`) and in Binder: chapters open as a reader wants them.

The site takes the TeX macros from `_config.yml`, JupyterLab from the first cell of a notebook: while a chapter is open, they
stand there. Saving takes them back, and leaves every cell that was not changed as it stands in the file, to the letter.
"""

from __future__ import annotations

import json
import re
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path
from typing import Any

import jupytext
import yaml
from jupytext.myst import myst_to_notebook

MACROS = re.compile(r"\A---\nmath: \{.*\}\n---\n\n?")


# -- what is added while a chapter is open ---------------------------------------------------------------------------


def book_macros(start: Path) -> dict[str, str]:
    """The macros of the `_config.yml` in a folder or above it, as JupyterLab writes them; none where there is no book."""
    for folder in (start, *start.parents):
        if (folder / "_config.yml").is_file():
            config = yaml.safe_load((folder / "_config.yml").read_text(encoding="utf-8"))
            macros = config["sphinx"]["config"]["mathjax3_config"]["tex"]["macros"]
            return {f"\\{name}": tex if isinstance(tex, str) else tex[0] for name, tex in macros.items()}
    return {}


def dress(notebook: Any, root: Path) -> None:
    """Add to a notebook what it has while it is open."""
    cells, macros = notebook["cells"], book_macros(root)
    if macros and cells and cells[0]["cell_type"] == "markdown" and not cells[0]["source"].startswith("---"):
        cells[0]["source"] = f"---\nmath: {json.dumps(macros)}\n---\n\n{cells[0]['source']}"


def undress(notebook: Any) -> None:
    """Take back what `dress` added; a solution that was unfolded to be read is folded in the file."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = MACROS.sub("", cell["source"])
        if "solution" in cell["metadata"].get("tags", []):
            cell["metadata"].pop("collapsed", None)
            cell["metadata"]["jupyter"] = {"source_hidden": True}


# -- what is written -------------------------------------------------------------------------------------------------


class Cell:
    """A cell of a MyST notebook: what it says, and the lines that say it."""

    def __init__(self, cell: Any, lines: str) -> None:
        self.source, self.lines = cell.source, lines
        self.kind = json.dumps([cell.cell_type, cell.metadata], sort_keys=True)
        self.says = (self.kind, self.source)

    def rewritten(self, other: Cell) -> str:
        """The lines of `other`; if only the text differs, between the fences and options that stand here."""
        if self.kind == other.kind and self.lines.count(self.source) == 1:
            return self.lines.replace(self.source, other.source)
        return other.lines


def cells_in_text(text: str) -> tuple[str, list[Cell]]:
    """The front matter of a MyST notebook, and its cells."""
    notebook = myst_to_notebook(text, add_source_map=True)
    lines = text.splitlines(keepends=True)
    starts = []
    for cell, start in zip(notebook.cells, notebook.metadata.pop("source_map"), strict=True):
        if cell.cell_type != "markdown" or (start and lines[start - 1].startswith("+++")):
            start -= 1  # the line that opens the cell
        while not lines[start].strip():  # blank lines go with the cell above
            start += 1
        starts.append(start)
    pieces = ["".join(lines[a:b]) for a, b in pairwise([*starts, len(lines)])]
    return "".join(lines[: starts[0] if starts else len(lines)]), list(map(Cell, notebook.cells, pieces))


def in_its_own_words(old: str, new: str) -> str:
    """The notebook `new`, with the front matter of `old` and the lines of `old` for what both have."""
    front, before = cells_in_text(old)
    _, after = cells_in_text(new)
    if not before or not after:
        return new
    pieces = [cell.lines for cell in after]
    matches = SequenceMatcher(None, [cell.says for cell in before], [cell.says for cell in after], autojunk=False)
    for _, i, i_end, j, j_end in matches.get_opcodes():
        if i_end - i == j_end - j:
            pieces[j:j_end] = map(Cell.rewritten, before[i:i_end], after[j:j_end])
    last_before = before[-1].lines
    for k, piece in enumerate(pieces[:-1]):
        if piece == last_before:  # it had nothing below
            pieces[k] = piece.rstrip("\n") + "\n\n"
    if pieces[-1] != last_before:
        pieces[-1] = pieces[-1].rstrip("\n") + "\n"
    text = front + "".join(pieces)
    return text if [cell.says for cell in cells_in_text(text)[1]] == [cell.says for cell in after] else new


class BookContentsManager(jupytext.TextFileContentsManager):  # type: ignore[misc,name-defined]
    """Jupytext's manager; chapters are dressed when they are opened and undressed when they are saved."""

    saving_notebook = False

    def get(
        self,
        path: str,
        content: bool = True,
        type: str | None = None,
        format: str | None = None,
        require_hash: bool = False,
    ) -> Any:
        model = super().get(path, content, type, format, require_hash)
        if model["type"] == "notebook" and model.get("content"):
            dress(model["content"], Path(self.root_dir).resolve())
        return model

    def save(self, model: Any, path: str = "") -> Any:
        if model["type"] == "notebook" and model.get("content"):
            undress(model["content"])
            self.saving_notebook = True
        try:
            return super().save(model, path)
        finally:
            self.saving_notebook = False

    def _save_file(self, os_path: str, content: str, format: str) -> None:
        if self.saving_notebook and os_path.endswith(".md") and Path(os_path).is_file():
            content = in_its_own_words(Path(os_path).read_text(encoding="utf-8"), content)
        super()._save_file(os_path, content, format)


c = get_config()  # type: ignore[name-defined]  # noqa: F821
c.ServerApp.contents_manager_class = BookContentsManager
# postBuild puts lab.css there.
c.ServerApp.tornado_settings.update({"static_custom_path": [str(Path(__file__).parent / "custom")]})
c.LabApp.custom_css = True
