"""Chapters in plain Jupyter markdown: what a notebook says where nobody knows MyST.

A plain Jupyter, VS Code or Colab shows MyST's roles and directives as they are typed. Here the markdown cells of a chapter
are written again without them. Numbers, titles and citations are asked of Sphinx, which resolved them for the site, so that
the notebook agrees with the page; TeX macros are written out, because no two of these programs share definitions between
cells in the same way. What this module does not know is a warning, and so fails a build that is run with `-W`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from docutils import nodes
from pybtex.backends.markdown import Backend as MarkdownBackend
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)

FENCE = re.compile(r"( *)(`{3,}|~{3,}|:{3,})(?:\{([\w:-]+)\} *(.*)|.*)")
INLINE = re.compile(
    r"""(?P<escape>\\[^A-Za-z\s])
    |\{(?P<role>[a-z][\w:+-]*)\}`(?P<content>[^`]+)`
    |(?P<code>(?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))
    |\$\$(?P<display>.+?)\$\$(?:[ ]*\((?P<label>[\w-]+)\))?
    |\$(?P<math>(?:\\.|[^$\\])+?)\$
    |(?P<ams>\\begin\{(?P<name>\w+\*?)\}.+?\\end\{(?P=name)\})
    |(?<!!)\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])+)\]\((?P<target>[^()\s]+)\)
    |(?P<silent>^(?:\([\w-]+\)=|%.*)$\n?)""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
LEFT_OVER = re.compile(r"\{[a-z][\w:+-]*\}`|^ *:::|^ *`{3,}\{|\$\$ *\([\w-]+\)|\{\{", re.MULTILINE)
ADMONITIONS = {"note", "tip", "hint", "important", "attention", "caution", "warning", "danger", "error", "seealso", "margin"}


@dataclass
class Block:
    """A stretch of a markdown cell: text, a fence of code (name ""), or a directive."""

    text: str
    name: str | None = None
    argument: str = ""
    indent: str = ""


def blocks(source: str) -> Iterator[Block]:
    """The blocks of a piece of markdown, in order. A fence that is never closed ends with the piece."""
    lines = source.splitlines()
    text: list[str] = []
    i = 0
    while i < len(lines):
        opening = FENCE.fullmatch(lines[i])
        if opening is None:
            text.append(lines[i])
            i += 1
            continue
        if text:
            yield Block("\n".join(text))
            text = []
        indent, fence, name, argument = opening.groups()
        closing = re.compile(rf" *{fence[0]}{{{len(fence)},}} *")
        end = next((k for k in range(i + 1, len(lines)) if closing.fullmatch(lines[k])), len(lines))
        if name is None:
            yield Block("\n".join(lines[i : end + 1]), "")
        else:
            body = "\n".join(line.removeprefix(indent) for line in lines[i + 1 : end])
            yield Block(body, name, argument.strip(), indent)
        i = end + 1
    if text:
        yield Block("\n".join(text))


def options(body: str) -> tuple[dict[str, str], str]:
    """The options at the head of a directive, `:name: value` or the same as YAML between two lines of dashes, and the rest."""
    yaml = re.match(r"\s*---\n(.*?\n)---(?:\n|$)", body, re.DOTALL)
    lines = yaml[1].splitlines() if yaml else body.splitlines()
    given: dict[str, str] = {}
    while lines and (match := re.fullmatch(r":?([\w-]+):\s*(.*)" if yaml else r":([\w-]+):\s*(.*)", lines[0].strip())):
        given[match[1]] = match[2]
        lines.pop(0)
    return given, (body[yaml.end() :] if yaml else "\n".join(lines)).strip("\n")


def argument_of(tex: str, start: int) -> tuple[str, int]:
    """The TeX argument that begins at a place, without its braces, and where it ends."""
    start += len(tex[start:]) - len(tex[start:].lstrip())
    depth = 0
    for i in range(start, len(tex)):
        depth += {"{": 1, "}": -1}.get(tex[i], 0) if tex[i - 1] != "\\" else 0
        if depth == 0:
            return tex[start : i + 1].removeprefix("{").removesuffix("}"), i + 1
    return tex[start:], len(tex)


def write_out(tex: str, macros: dict[str, Any]) -> str:
    """TeX in which every macro of `_config.yml` is replaced by its definition."""
    if not macros:
        return tex
    pattern = re.compile(rf"([_^]?)\\({'|'.join(macros)})(?![A-Za-z])")
    place = 0
    while match := pattern.search(tex, place):
        definition = macros[match[2]]
        text, n_arguments = (definition, 0) if isinstance(definition, str) else definition[:2]
        end = match.end()
        for i in range(n_arguments):
            argument, end = argument_of(tex, end)
            text = text.replace(f"#{i + 1}", argument)
        text = f"{match[1]}{{{text}}}" if match[1] else text
        place = match.start()
        tex = tex[:place] + text + tex[end:]
    return tex


def quote(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.strip("\n").splitlines())


def fold(summary: str, text: str) -> str:
    """A box that is closed until it is clicked. The empty lines make its inside markdown again."""
    return f"<details><summary><b>{summary}</b></summary>\n\n{text.strip()}\n\n</details>"


class Sources(MarkdownBackend):
    """Entries of the bibliography in markdown, with a backslash only where one is needed."""

    def format_str(self, text: str) -> str:
        return re.sub(r"([*_`<\\])", r"\\\1", text)


class PlainWriter:
    """Writes the markdown cells of one chapter, in order. A solution may begin in one cell and end in another."""

    def __init__(self, app: Sphinx, docname: str, address: Callable[[str], str | None]) -> None:
        self.app, self.env, self.docname, self.address = app, app.env, docname, address
        self.macros: dict[str, Any] = (app.config.mathjax3_config or {}).get("tex", {}).get("macros", {})
        self.solution: str | None = None  # the exercise whose solution is open
        self.continued = False
        self.cited: dict[str, None] = {}

    # -- what Sphinx knows ---------------------------------------------------------------------------------------------

    def complain(self, what: str) -> None:
        LOGGER.warning("the notebook to take away: %s", what, location=self.docname, type="dln", subtype="notebook")

    def number(self, kind: str, docname: str, name: str) -> str:
        return ".".join(map(str, self.env.toc_fignumbers.get(docname, {}).get(kind, {}).get(name, ())))

    def equation(self, label: str) -> str:
        docname = self.env.get_domain("math").equations.get(label, ("",))[0]  # type: ignore[attr-defined]
        number = self.number("displaymath", docname, f"equation-{label}")
        if not number:
            self.complain(f"no equation {label}")
        return number

    def named(self, label: str) -> str | None:
        """What the site calls a labelled thing: Exercise 3.4, Theorem 3.1, Fig. 3.2, or the title of a section."""
        exercise = getattr(self.env, "sphinx_exercise_registry", {}).get(label)
        proof = getattr(self.env, "proof_list", {}).get(label)
        if exercise:
            return f"Exercise {self.number('exercise', exercise['docname'], label)}".strip()
        if proof:
            number = "" if proof["nonumber"] else self.number(proof["countertype"], proof["docname"], label)
            return f"{proof['realtype'].title()} {number}".strip()
        docname, name, title = self.env.get_domain("std").labels.get(label, ("", "", ""))  # type: ignore[attr-defined]
        number = self.number("figure", docname, name)
        return self.app.config.numfig_format["figure"] % number if number else title or None

    def beside(self, path: str) -> str:
        """The document that a path in this one means."""
        return posixpath.normpath(posixpath.join("/", posixpath.dirname(self.docname), path)).strip("/").removesuffix(".md")

    def section(self, docname: str, slug: str) -> str | None:
        found = self.env.metadata.get(docname, {}).get("myst_slugs", {}).get(slug)
        return found[2] if found else None

    def cite(self, kind: str, keys: str) -> str:
        self.cited.update(dict.fromkeys(key.strip() for key in keys.split(",")))
        domain = self.env.get_domain("cite")
        found = domain.resolve_xref(self.env, self.docname, self.app.builder, kind, keys, pending_xref(), nodes.inline())
        return found.astext() if found is not None else keys

    def references(self) -> str:
        """The sources that the chapter cites, as a list."""
        citations = self.env.get_domain("cite").citations if self.cited else []  # type: ignore[attr-defined]
        entries = {citation.key: citation.formatted_entry.text.render(Sources()) for citation in citations}
        lines = ["* " + " ".join(entries[key].split()) for key in entries if key in self.cited]
        return "## References\n\n" + "\n".join(lines) if lines else ""

    def caption(self, name: str = "", caption: str = "", **_: Any) -> str:
        """The caption of a figure, for a cell under it."""
        number = self.named(name)  # none where the page leaves the cell out
        return f"**{number}.** {self.inline(caption)}" if number else self.inline(caption)

    # -- inside a line -------------------------------------------------------------------------------------------------

    def role(self, name: str, content: str) -> str:
        explicit = re.fullmatch(r"(.*?)\s*<([^<>]+)>", content, re.DOTALL)
        title, target = (explicit[1], explicit[2]) if explicit else ("", content)
        if name == "eq":
            return f"({self.equation(target)})"
        if name in ("term", "abbr"):
            return title or content
        if name.startswith("cite:"):
            return self.cite(name.removeprefix("cite:"), content)
        if name in ("ref", "numref", "prf:ref", "doc"):
            if name == "doc":
                return self.link(title or self.env.titles[self.beside(target)].astext(), target)
            called = self.named(target)
            if called is None:
                self.complain(f"nothing is labelled {target}")
            number = (called or "").rpartition(" ")[2]
            return title.replace("%s", number).replace("{number}", number) or called or target
        if name == "math":
            return f"${write_out(content, self.macros)}$"
        if name in ("sub", "sup", "kbd"):
            return f"<{name}>{content}</{name}>"
        self.complain(f"the role {name} is not known")
        return content

    def link(self, text: str, target: str) -> str:
        text = self.inline(text)
        if re.match(r"[a-z]+:", target):
            return f"[{text}]({target})"
        path, _, anchor = target.partition("#")
        docname = self.beside(path) if path else self.docname
        if path and docname in self.env.found_docs:
            where = self.address(docname)
            return f"[{text}]({where})" if where else text
        called = self.section(docname, anchor) if anchor else self.named(target)
        if called is None:
            self.complain(f"the link {target} leads nowhere")
        return f"*{text}*" if called in (text, None) else f"{text} (*{called}*)"

    def inline(self, text: str, flat: bool = False) -> str:
        """Text without roles. With `flat` each formula stays on one line, as a quotation wants it."""

        def formula(tex: str) -> str:
            tex = write_out(tex, self.macros)
            return " ".join(tex.split()) if flat else tex

        def replace(match: re.Match[str]) -> str:
            if match["role"]:
                return self.role(match["role"], match["content"])
            if match["math"]:
                return f"${formula(match['math'])}$"
            if match["display"]:
                tag = f" \\tag{{{self.equation(match['label'])}}}" if match["label"] else ""
                end = "" if flat else "\n"
                return f"$${end}{formula(match['display'].strip())}{tag}{end}$$"
            if match["ams"]:
                return formula(match["ams"])
            if match["target"]:
                return self.link(match["text"], match["target"])
            return "" if match["silent"] is not None else match[0]

        return INLINE.sub(replace, text)

    # -- blocks --------------------------------------------------------------------------------------------------------

    def body(self, source: str, flat: bool = False) -> str:
        return "\n".join(self.block(block, flat) for block in blocks(source))

    def block(self, block: Block, flat: bool = False) -> str:
        if block.name is None:
            return self.inline(block.text, flat)
        if block.name == "":
            return block.text
        written = self.directive(block)
        return "\n".join(f"{block.indent}{line}".rstrip() for line in written.splitlines())

    def directive(self, block: Block) -> str:
        name, title = block.name or "", self.inline(block.argument, flat=True)
        given, source = options(block.text)
        label = given.get("label", "")
        if name == "math":
            return self.inline(f"$$\n{source}\n$$" + (f" ({label})" if label else ""))
        if name == "exercise":
            heading = f"### {self.named(label) or 'Exercise'}" + (f" ({title})" if title else "")
            return f"{heading}\n\n{quote(self.body(source, flat=True))}"
        if name == "solution":
            return fold(self.solution_title(title), self.body(source))
        if name.startswith("prf:"):
            called = (self.named(label) if label else None) or name.removeprefix("prf:").title()
            heading = f"**{called}" + (f" ({title})**" if title else "**" if label else ".**")
            return quote(f"{heading}\n\n{self.body(source, flat=True)}")
        if name == "dropdown" or "dropdown" in given.get("class", ""):
            return fold(title, self.body(source))
        if name == "admonition" or name in ADMONITIONS:
            heading = title if name == "admonition" else "See also" if name == "seealso" else name.title()
            first = "" if name == "admonition" or not title else f"{title}\n"
            return quote(f"**{heading}**\n\n{first}{self.body(source, flat=True)}")
        self.complain(f"the directive {name} is not known")
        return quote(self.body(source, flat=True))

    def cell(self, source: str) -> str:
        """One markdown cell. What lies in a solution is folded, cell by cell."""
        stretches: list[tuple[str | None, list[str]]] = [(self.solution, [])]
        for block in blocks(source):
            if block.name == "solution-start":
                self.solution, self.continued = block.argument, False
                stretches.append((self.solution, []))
            elif block.name == "solution-end":
                self.solution = None
                stretches.append((None, []))
            else:
                stretches[-1][1].append(self.block(block))
        parts = [self.stretch(exercise, "\n".join(texts).strip("\n")) for exercise, texts in stretches]
        written = "\n\n".join(filter(None, parts))
        if LEFT_OVER.search(INLINE.sub(lambda match: "" if match["code"] else match[0], written)):
            self.complain(f"MyST is left over in: {written[:300]}")
        return written

    def solution_title(self, exercise: str | None = None) -> str:
        """What to call the solution of an exercise, or the one that is open."""
        label = exercise or self.solution or ""
        return f"Solution to {self.named(label) or label}" if label else "Solution"

    def stretch(self, exercise: str | None, text: str) -> str:
        if exercise is None or (self.continued and not text.strip()):
            return text
        summary = self.solution_title(exercise) + (", continued" if self.continued else "")
        self.continued = True
        return fold(summary, text) if text.strip() else f"**{summary}**, in the folded cell below."
