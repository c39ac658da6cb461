"""JupyterLab for the book, on this machine (`make lab`) and in Binder: the chapters know the book's TeX macros.

The site takes its macros from `_config.yml`. JupyterLab takes them from the first cell of a notebook, so a chapter that is
opened gets such a cell, and a chapter that is saved loses it again: the files stay as they are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from jupytext import TextFileContentsManager
from nbformat.v4 import new_markdown_cell

MARK = "dln-macros"


def book_macros(start: Path) -> dict[str, str]:
    """The macros of the `_config.yml` in a folder or above it, as JupyterLab writes them; none where there is no book."""
    for folder in (start, *start.parents):
        if (folder / "_config.yml").is_file():
            config = yaml.safe_load((folder / "_config.yml").read_text(encoding="utf-8"))
            macros = config["sphinx"]["config"]["mathjax3_config"]["tex"]["macros"]
            return {f"\\{name}": tex if isinstance(tex, str) else tex[0] for name, tex in macros.items()}
    return {}


def macro_cell(start: Path) -> Any:
    front_matter = f"---\nmath: {json.dumps(book_macros(start))}\n---\n"
    return new_markdown_cell(front_matter, metadata={"tags": [MARK], "editable": False})


def is_macro_cell(cell: Any) -> bool:
    return MARK in cell["metadata"].get("tags", [])


class BookContentsManager(TextFileContentsManager):  # type: ignore[misc]
    """Jupytext's manager; a notebook has the macro cell while it is open and not when it is on disk."""

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
            cells = model["content"]["cells"]
            if not any(map(is_macro_cell, cells)):
                cells.insert(0, macro_cell(Path(self.root_dir).resolve()))
        return model

    def save(self, model: Any, path: str = "") -> Any:
        if model["type"] == "notebook" and model.get("content"):
            notebook = model["content"]
            notebook["cells"] = [cell for cell in notebook["cells"] if not is_macro_cell(cell)]
        return super().save(model, path)


c = get_config()  # type: ignore[name-defined]  # noqa: F821
c.ServerApp.contents_manager_class = BookContentsManager
