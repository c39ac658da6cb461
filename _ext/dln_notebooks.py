"""Chapters to take away: the executed notebook of each chapter in the site, and the buttons that lead to a live one.

`notebooks/NN-slug.ipynb` holds the chapter's code cells with their outputs, taken from MyST-NB's cache (the notebooks in
`_build/jupyter_execute` have outputs only on the day they were executed), and its text in plain markdown (`dln_plain.py`).
Its first code cell installs dlnlib where it is missing.

The menus stand in `templates/take-away.html`. Binder opens the chapter itself, from the repository's branch. Colab opens
only `.ipynb` files that lie on GitHub, so publishing pushes the folder `notebooks/` to a branch of that name. Both appear
only when the repository's address is known; the download needs none.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
from dln_fresh import cache_folder, is_notebook
from dln_gather import chapter_number
from dln_plain import PlainWriter
from jupyter_cache import get_cache
from myst_nb.core.read import read_myst_markdown_notebook
from nbformat.v4 import new_code_cell, new_markdown_cell
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

FOLDER = "notebooks"  # in the site
BRANCH = "notebooks"  # in the repository, pushed by .github/workflows/publish.yml
BINDER = "https://mybinder.org/v2"
COLAB = "https://colab.research.google.com/github"
WIDGET = "application/vnd.jupyter.widget-view+json"
INSTALL = """\
import importlib.util

if importlib.util.find_spec("dlnlib") is None:
"""
INSTALL_FROM = """\
    source = {source}
    print("The book's library, dlnlib, is missing here. Installing it: pip install", source)
    %pip install --quiet "{{source}}"
"""
INSTALL_BY_HAND = """\
    raise ModuleNotFoundError(
        "The book's library, dlnlib, is missing here. Install it from a copy of the book: pip install path/to/the/book"
    )
"""


# -- addresses -------------------------------------------------------------------------------------------------------


def repository(app: Sphinx) -> tuple[str, str]:
    """Address and branch of the repository as `dln_site` found them; an empty address where there is none."""
    options = app.config.html_theme_options
    return options.get("repository_url", ""), options.get("repository_branch", "main")


def on_github(url: str) -> bool:
    return url.startswith("https://github.com/")


def is_chapter(env: BuildEnvironment, docname: str) -> bool:
    return docname.startswith("chapters/") and is_notebook(Path(env.doc2path(docname)))


def chapters(env: BuildEnvironment) -> list[str]:
    """Names of the documents that a reader can run."""
    return sorted(name for name in env.found_docs if is_chapter(env, name))


def file_name(docname: str) -> str:
    return docname.rpartition("/")[2] + ".ipynb"


def binder_link(url: str, branch: str, docname: str) -> str:
    """The chapter as a notebook in JupyterLab, on a machine that Binder starts."""
    provider, repo = ("gh", url.split("/", 3)[3]) if on_github(url) else ("gl", quote(url.split("/", 3)[3], safe=""))
    return f"{BINDER}/{provider}/{repo}/{quote(branch, safe='')}?urlpath=lab/tree/{docname}.md"


def colab_link(url: str, docname: str) -> str:
    return f"{COLAB}/{url.removeprefix('https://github.com/')}/blob/{BRANCH}/{file_name(docname)}"


# -- the notebook ----------------------------------------------------------------------------------------------------


def executed(app: Sphinx, docname: str) -> Any:
    """A chapter with the outputs of its last execution; None where the cache holds none."""
    path = Path(app.env.doc2path(docname))
    text = path.read_text(encoding="utf-8")
    source = read_myst_markdown_notebook(text, config=app.env.myst_config, path=path)  # type: ignore[attr-defined]
    try:
        return get_cache(str(cache_folder(app))).merge_match_into_notebook(source)[1]
    except KeyError:
        return None


def read_again(app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """A chapter whose outputs were lost, because somebody emptied the cache, is read and so executed again."""
    new = added | changed
    return [name for name in chapters(env) if name not in new and executed(app, name) is None]


def portable(outputs: list[Any], alternative: str | None) -> list[Any]:
    """Outputs that mean something elsewhere: no widgets, of an interactive chart its still picture, and prints in one piece."""
    kept: list[Any] = []
    for output in outputs:
        data = output.get("data")
        if data is None:
            if kept and output.get("name") is not None and kept[-1].get("name") == output.name:
                kept[-1].text += output.text
            else:
                kept.append(output)
            continue
        live = {kind for kind, value in data.items() if kind == WIDGET or "data-dln-chart" in str(value)}
        for kind in live:
            del data[kind]
        if live and not any(kind.startswith("image/") for kind in data):
            continue
        for kind in data:
            if kind.startswith("image/") and alternative:
                output.metadata.setdefault(kind, {})["alt"] = alternative
        kept.append(output)
    return kept


def code_cell(cell: Any, figure: dict[str, Any], solution: str) -> Any:
    """A code cell without what only the site's builder reads; a solution is folded in Jupyter and in Colab.

    JupyterLab shows the first line of a folded cell, and Colab the title that a comment gives; so that neither shows an
    answer, the first line of a solution is a title.
    """
    tags = [tag for tag in cell.metadata.get("tags", []) if not tag.startswith("remove-")]
    metadata: dict[str, Any] = {"tags": tags} if tags else {}
    if "solution" in tags:
        metadata |= {"jupyter": {"source_hidden": True, "outputs_hidden": True}, "collapsed": True, "cellView": "form"}
    source = f"#@title {solution}\n{cell.source}" if "solution" in tags else cell.source
    outputs = portable(cell.outputs, figure.get("image", {}).get("alt"))
    return new_code_cell(source, metadata=metadata, outputs=outputs, execution_count=cell.execution_count)


def opening(app: Sphinx, docname: str) -> list[Any]:
    """What this notebook is, and the cell that installs the library."""
    url, branch = repository(app)
    name = app.config.html_title
    title = f"[{name}]({url})" if url else f"*{name}*"
    about = (
        f"This notebook is a chapter of {title}, with the outputs it had when the book was built.\n"
        "Numbers of equations, figures and exercises are those of the book; solutions are folded in Jupyter and in Colab.\n"
        "The next cell installs the book's library, `dlnlib`, where it is missing."
    )
    source = json.dumps(f"dlnlib[explore] @ git+{url}@{branch}")
    install = INSTALL + (INSTALL_FROM.format(source=source) if url else INSTALL_BY_HAND)
    return [new_markdown_cell(about), new_code_cell(install.strip(), metadata={"tags": ["install"]})]


def take_away(app: Sphinx, docname: str) -> Any:
    """The notebook that a reader takes away."""
    url, branch = repository(app)
    names = chapters(app.env)

    def address(other: str) -> str | None:
        if other in names:
            return f"{url}/blob/{BRANCH}/{file_name(other)}" if on_github(url) else file_name(other)
        blob = f"{url}/blob" if on_github(url) else f"{url}/-/blob"
        return f"{blob}/{branch}/{other}.md" if url else None

    notebook = executed(app, docname)
    if notebook is None:
        return None
    writer = PlainWriter(app, docname, address)
    cells = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cells.append(new_markdown_cell(writer.cell(cell.source)))
        elif cell.cell_type == "code":
            shown = cell.metadata.get("mystnb", {})
            cells.append(code_cell(cell, shown, writer.solution_title()))
            if "figure" in shown:
                cells.append(new_markdown_cell(writer.caption(**shown["figure"])))
    if references := writer.references():
        cells.append(new_markdown_cell(references))
    number = chapter_number(app.env, docname)
    if number and cells[0].source.startswith("# "):
        cells[0].source = f"# {number}. {cells[0].source[2:]}"
    cells[1:1] = opening(app, docname)
    cells = [cell for cell in cells if cell.source.strip()]
    for place, cell in enumerate(cells):
        cell.id = f"{cell.cell_type}-{place}"
    python = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.from_dict(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel, "language_info": python}, "cells": cells}
    )


def write_notebooks(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir, FOLDER)
    folder.mkdir(exist_ok=True)
    notebooks = {file_name(name): take_away(app, name) for name in chapters(app.env)}
    for path in folder.glob("*.ipynb"):
        if notebooks.get(path.name) is None:
            path.unlink()
    for name, notebook in notebooks.items():
        if notebook is not None:  # or else its execution failed, which MyST-NB reports
            nbformat.validate(notebook)
            (folder / name).write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


# -- the menus -------------------------------------------------------------------------------------------------------


def fill_menus(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """What `templates/take-away.html` offers on this page."""
    context["take_away"] = context["launch"] = None
    if not context.get("page_source_suffix"):
        return
    chapter = is_chapter(app.env, pagename)
    context["take_away"] = {
        "notebook": f"{FOLDER}/{file_name(pagename)}" if chapter else None,
        "source": f"_sources/{context['sourcename']}",
        "suffix": context["page_source_suffix"],
    }
    url, branch = repository(app)
    if url and chapter:
        context["launch"] = {
            "binder": binder_link(url, branch, pagename),
            "colab": colab_link(url, pagename) if on_github(url) else None,
        }


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("env-get-outdated", read_again)
    app.connect("html-page-context", fill_menus)
    app.connect("build-finished", write_notebooks, priority=400)  # before dln_fresh counts the warnings
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
