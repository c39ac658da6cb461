"""What every document leaves behind for a page about the whole book: the ledger's records, the questions.

Sphinx reads documents one by one, keeps what it knows in its environment, and reads again only what changed. `Gathered`
is a dictionary by document that follows these rules, with the set of the pages that show it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

T = TypeVar("T")


class Gathered(Generic[T]):
    """Something of type T for each document that has it. name : under which the environment keeps it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def of(self, env: BuildEnvironment) -> dict[str, T]:
        """By name of the document."""
        found: dict[str, T] = env.__dict__.setdefault(self.name, {})
        return found

    def pages(self, env: BuildEnvironment) -> set[str]:
        """Names of the documents that show all of it."""
        found: set[str] = env.__dict__.setdefault(f"{self.name}_pages", set())
        return found

    def connect(self, app: Sphinx) -> None:
        """Forget what a document left when it is read again, and bring together what parallel readers found."""
        app.connect("env-purge-doc", self._purge)
        app.connect("env-merge-info", self._merge)

    def _purge(self, app: Sphinx, env: BuildEnvironment, docname: str) -> None:
        self.of(env).pop(docname, None)
        self.pages(env).discard(docname)

    def _merge(self, app: Sphinx, env: BuildEnvironment, docnames: Iterable[str], other: BuildEnvironment) -> None:
        names = set(docnames)
        self.of(env).update({name: kept for name, kept in self.of(other).items() if name in names})
        self.pages(env).update(self.pages(other) & names)


def contents_order(env: BuildEnvironment) -> list[str]:
    """Every document, in the order of the table of contents."""
    order: list[str] = []
    stack = [env.config.root_doc]
    while stack:
        docname = stack.pop()
        if docname not in order:
            order.append(docname)
            stack += reversed(env.toctree_includes.get(docname, []))
    return order


def chapter_number(env: BuildEnvironment, docname: str) -> str:
    """Number of a chapter in the table of contents, or nothing for a page without one."""
    numbers = env.toc_secnumbers.get(docname, {}).get("")
    return ".".join(map(str, numbers)) if numbers else ""


def numbered_title(env: BuildEnvironment, docname: str) -> str:
    """Title of a document with its number, as the table of contents has it."""
    number, title = chapter_number(env, docname), env.titles[docname].astext()
    return f"{number}. {title}" if number else title
