"""Repairs of the theme, and the links that depend on where the repository is published.

The theme (sphinx-book-theme 1.3 on pydata-sphinx-theme 0.17) is right in most things. Mended here: a second search bar,
scripts that stand on the page twice, a script that would load a live-code library from elsewhere, labels that differ from
the text they label, and content outside every landmark. Templates that replace the theme's are in `templates/`.

Nobody can know at which address a copy of the book is published. Links to the repository and to its issues, and those of
`dln_notebooks` to Binder and Colab, appear only when the address is given (environment variable DLN_REPOSITORY_URL) or
follows from `git remote get-url origin`.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode, depart_HideCellInput, visit_HideCellInput
from sphinx.application import Sphinx
from sphinx.config import Config

TEMPLATES = Path(__file__).parent / "templates"
FORGES = ("github.com", "gitlab.com")  # the theme and Binder know how links into these two are written


# -- where the repository is -----------------------------------------------------------------------------------------


def web_address(remote: str) -> str | None:
    """The web address of a git remote on a known forge, or None for anything else (a path, another host)."""
    match = re.fullmatch(r"(?:https?://(?:[^@/]+@)?|ssh://git@|git@)([\w.-]+)[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?", remote.strip())
    if match is None or match[1].lower() not in FORGES:
        return None
    return f"https://{match[1].lower()}/{match[2]}"


def _git(folder: Path, *arguments: str) -> str:
    try:
        run = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""


def repository_url(folder: Path) -> str | None:
    """DLN_REPOSITORY_URL if it is set (empty: no links), or else the address of the clone's origin, or None.

    A folder that is not itself the top of a clone has no address: an enclosing repository is not the book's.
    """
    given = os.environ.get("DLN_REPOSITORY_URL")
    if given is not None:
        return web_address(given)
    top = _git(folder, "rev-parse", "--show-toplevel")
    if not top or Path(top).resolve() != folder.resolve():
        return None
    return web_address(_git(folder, "remote", "get-url", "origin"))


def default_branch(folder: Path) -> str:
    """The branch that the origin serves by default; `main` where git does not say."""
    return _git(folder, "symbolic-ref", "--short", "refs/remotes/origin/HEAD").removeprefix("origin/") or "main"


def set_theme_options(app: Sphinx, config: Config) -> None:
    """Fill in the options that `_config.yml` cannot express without replacing Jupyter Book's own."""
    if str(TEMPLATES) not in config.templates_path:
        config.templates_path.insert(0, str(TEMPLATES))
    config.html_context.setdefault("default_mode", "auto")
    options = config.html_theme_options
    options.update(
        navbar_persistent=[],  # the theme's second search bar
        primary_sidebar_end=[],  # a place for advertisements
        article_header_end=["take-away.html", "article-header-buttons"],  # the first is filled by dln_notebooks
        launch_buttons={},
        use_download_button=False,
        use_repository_button=False,
        use_issues_button=False,
    )
    url = repository_url(Path(app.srcdir))
    options["repository_url"] = url or ""
    if url:
        options.update(
            repository_branch=default_branch(Path(app.srcdir)),
            use_repository_button=True,
            use_issues_button=True,
        )


# -- what a page loads -----------------------------------------------------------------------------------------------


def clean_assets(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Keep each script once, and drop the live-code library, which comes from another host and is not used."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for script in context.get("script_files", []):
        name = str(getattr(script, "filename", script) or "")
        body = str(getattr(script, "attributes", {}).get("body", ""))
        if (name, body) not in seen and "thebe" not in (name + body).lower():
            seen.add((name, body))
            kept.append(script)
    context["script_files"] = kept
    context["css_files"] = [
        sheet for sheet in context.get("css_files", []) if "thebe" not in str(getattr(sheet, "filename", sheet))
    ]


def visit_hidden_cell(translator: Any, node: HideCodeCellNode) -> None:
    """The summary of a folded cell is labelled by its own text."""
    start = len(translator.body)
    visit_HideCellInput(translator, node)
    translator.body[start:] = [part.replace(' aria-label="Toggle hidden content"', "") for part in translator.body[start:]]


def visit_citation(translator: Any, node: nodes.citation) -> None:
    """An entry of the bibliography is an item of its list; docutils gives it a role that no longer exists."""
    start = len(translator.body)
    type(translator).visit_citation(translator, node)
    translator.body[start:] = [part.replace('role="doc-biblioentry"', 'role="listitem"') for part in translator.body[start:]]


def depart_citation(translator: Any, node: nodes.citation) -> None:
    type(translator).depart_citation(translator, node)


REPEATED_IDS = {"exercise-content", "solution-content", "proof-content", "proof"}


def drop_repeated_ids(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Every exercise, solution and proof calls its body by the same id; an id belongs to one place of a page."""
    for element in doctree.findall(nodes.Element):
        if REPEATED_IDS & set(element["ids"]):
            element["ids"] = [name for name in element["ids"] if name not in REPEATED_IDS]


def keep_punctuation(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """A comma or a full stop stays on the line of the formula before it: MathJax's boxes would allow a break between."""
    for formula in list(doctree.findall(nodes.math)):
        after = formula.next_node(descend=False, siblings=True)
        if not isinstance(after, nodes.Text) or after.parent is not formula.parent:
            continue
        match = re.match(r"[.,;:!?)\]]+", after.astext())
        if match is None:
            continue
        parent = formula.parent
        place = parent.index(formula)
        rest = nodes.Text(after.astext()[match.end() :])
        parent[place : place + 2] = [
            nodes.inline("", "", formula.deepcopy(), nodes.Text(match[0]), classes=["dln-unbroken"]),
            rest,
        ]


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("config-inited", set_theme_options)
    app.connect("doctree-resolved", drop_repeated_ids)
    app.connect("doctree-resolved", keep_punctuation)
    app.connect("html-page-context", clean_assets, priority=900)
    app.add_node(HideCodeCellNode, override=True, html=(visit_hidden_cell, depart_HideCellInput))
    app.add_node(nodes.citation, override=True, html=(visit_citation, depart_citation))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
