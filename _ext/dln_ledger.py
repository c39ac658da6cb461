"""The ledger: one page, and one JSON file, that list every verified result of the book.

`dlnlib.verify` leaves its record in the page as `<div class="dln-verified" data-label="eq-..." data-record="{json}">`.
The records are collected when a document is read; the `{ledger}` directive turns into one table a chapter when the ledger
page is written, and `ledger.json` goes into the root of the site. A result (a labelled equation whose label starts with
`eq-`) without a record, or a record without its result, is a warning and so fails a build that is run with `-W`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from dln_gather import Gathered, chapter_number, contents_order, numbered_title
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from dlnlib.verify import Verified as Entry

LOGGER = logging.getLogger(__name__)
JSON_NAME = "ledger.json"
COLUMNS = ("Equation", "Compared", "Values", "Measured", "Allowed")


class _RecordParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if "dln-verified" in (found.get("class") or "").split():
            record = json.loads(found.get("data-record") or "")
            self.entries.append(Entry(**{name: record[name] for name in Entry.__dataclass_fields__}))


def parse_records(html: str) -> list[Entry]:
    """The records in a piece of HTML, in order."""
    parser = _RecordParser()
    parser.feed(html)
    parser.close()
    return parser.entries


def read_ledger(site: Path) -> list[dict[str, Any]]:
    """The ledger of a built site: one dictionary a comparison, with `docname`, `chapter` and `number` beside the record."""
    rows: list[dict[str, Any]] = json.loads(Path(site, JSON_NAME).read_text(encoding="utf-8"))
    return rows


# -- collecting, one document at a time ------------------------------------------------------------------------------


LEDGER: Gathered[list[Entry]] = Gathered("dln_ledger")


def collect(app: Sphinx, doctree: nodes.document) -> None:
    entries: list[Entry] = []
    for raw in doctree.findall(nodes.raw):
        if "html" in raw.get("format", "") and "dln-verified" in raw.astext():
            entries += parse_records(raw.astext())
    if entries:
        LEDGER.of(app.env)[app.env.docname] = entries


# -- checking and writing --------------------------------------------------------------------------------------------


def results(env: BuildEnvironment) -> dict[str, str]:
    """Label and document of every numbered result of the book."""
    equations: dict[str, tuple[str, int]] = env.get_domain("math").equations  # type: ignore[attr-defined]
    return {label: docname for label, (docname, _) in equations.items() if label.startswith("eq-")}


def failed_notebooks(env: BuildEnvironment) -> set[str]:
    """Documents whose execution stopped at an error; MyST-NB reports that, and what comes after it is missing too."""
    executions = {name: data.get("exec_data") for name, data in env.__dict__.get("nb_metadata", {}).items()}
    return {name for name, execution in executions.items() if execution and not execution["succeeded"]}


def complaints(stated: dict[str, str], ledger: dict[str, list[Entry]]) -> Iterator[tuple[str, str]]:
    """Document and message for each result without a verification and each verification without a result."""
    verified = {(docname, entry.label) for docname, entries in ledger.items() for entry in entries}
    for label, docname in sorted(stated.items()):
        if (docname, label) not in verified:
            yield docname, f"the result {label} has no verification: put verify({label!r}, ...) under it"
    for docname, label in sorted(verified):
        if stated.get(label) != docname:
            yield docname, f"verify({label!r}, ...) names no equation of this document"


def check_and_rewrite(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Warn about every complaint, and have the ledger written again when a record or an equation moved."""
    failed = failed_notebooks(env)
    for docname, message in complaints(results(env), LEDGER.of(env)):
        if docname in failed:
            continue
        LOGGER.warning(message, location=docname, type="dln", subtype="ledger")
    state = (LEDGER.of(env), results(env))
    if env.__dict__.get("dln_ledger_state") == state:
        return []
    env.__dict__["dln_ledger_state"] = (dict(state[0]), state[1])
    return sorted(LEDGER.pages(env))


def reading_order(env: BuildEnvironment) -> list[str]:
    """Documents with entries, in the order of the table of contents."""
    return [docname for docname in contents_order(env) if docname in LEDGER.of(env)]


def equation_number(env: BuildEnvironment, docname: str, label: str) -> str:
    """Number of an equation as its page shows it."""
    figures = env.toc_fignumbers.get(docname, {}).get("displaymath", {})
    number = figures.get(f"equation-{label}")
    return ".".join(map(str, number)) if number else label


class LedgerNode(nodes.General, nodes.Element):
    """Stands where the `{ledger}` directive was until the ledger page is written."""


class LedgerDirective(SphinxDirective):
    """`{ledger}`: the counts, and one table of comparisons a chapter."""

    def run(self) -> list[nodes.Node]:
        LEDGER.pages(self.env).add(self.env.docname)
        return [LedgerNode()]


def _number(value: float) -> str:
    return "0" if value == 0 else f"{value:.1e}"


def _linked_number(app: Sphinx, page: str, docname: str, label: str) -> nodes.paragraph:
    uri = app.builder.get_relative_uri(page, docname) + f"#equation-{label}"
    link = nodes.reference("", f"({equation_number(app.env, docname, label)})", refuri=uri, internal=True)
    return nodes.paragraph("", "", link)


def _table(app: Sphinx, page: str, docname: str, entries: list[Entry]) -> nodes.Element:
    table = nodes.table(classes=["dln-ledger"])
    group = nodes.tgroup(cols=len(COLUMNS))
    table += group
    for width in (10, 60, 8, 11, 11):
        group += nodes.colspec(colwidth=width)
    head, body = nodes.thead(), nodes.tbody()
    group += [head, body]

    def row(cells: Iterable[nodes.Node]) -> nodes.row:
        return nodes.row("", *(nodes.entry("", cell) for cell in cells))

    head += row(nodes.paragraph("", name) for name in COLUMNS)
    for entry in entries:
        body += row(
            [
                _linked_number(app, page, docname, entry.label),
                nodes.paragraph("", "", nodes.Text(f"{entry.how} ({entry.measure}) "), nodes.literal("", entry.label)),
                nodes.paragraph("", f"{entry.n_values:,}"),
                nodes.paragraph("", _number(entry.error)),
                nodes.paragraph("", _number(entry.allowed)),
            ]
        )
    return nodes.container("", table, classes=["dln-ledger-box"])


def fill_ledger(app: Sphinx, doctree: nodes.document, page: str) -> None:
    env = app.env
    for place in list(doctree.findall(LedgerNode)):
        order = reading_order(env)
        entries = [entry for name in order for entry in LEDGER.of(env)[name]]
        n_results = len({entry.label for entry in entries})
        n_values = sum(entry.n_values for entry in entries)
        counts = f"{n_results} results, {len(entries)} comparisons, {n_values:,} values compared, in {len(order)} chapters."
        content: list[nodes.Node] = [nodes.paragraph("", "", nodes.strong("", counts))]
        for name in order:
            section = nodes.section(ids=[nodes.make_id(f"ledger-{name}")])
            section += nodes.title("", numbered_title(env, name))
            section += _table(app, page, name, LEDGER.of(env)[name])
            content.append(section)
        place.replace_self(content)


def write_json(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    env = app.env
    rows = [
        {
            "docname": name,
            "chapter": chapter_number(env, name),
            "number": equation_number(env, name, entry.label),
            **asdict(entry),
        }
        for name in reading_order(env)
        for entry in LEDGER.of(env)[name]
    ]
    Path(app.outdir, JSON_NAME).write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_node(LedgerNode)
    app.add_directive("ledger", LedgerDirective)
    app.connect("doctree-read", collect)
    LEDGER.connect(app)
    app.connect("env-updated", check_and_rewrite)
    app.connect("doctree-resolved", fill_ledger)
    app.connect("build-finished", write_json)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
