"""Reads a chapter's source into headings, cells, equations, directives and prose. No Sphinx, no execution."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "chapters" / "_template.md"

FENCE = re.compile(r"^\s*(?P<fence>`{3,}|:{3,}|~{3,})(?:\{(?P<name>[\w:+-]+)\})?\s*(?P<argument>[^`]*)$")
HEADING = re.compile(r"^(#+)\s+(.*?)\s*$")
DISPLAY_END = re.compile(r"\$\$\s*(?:\((?P<label>[^)]+)\))?\s*$")
ROLE = re.compile(r"\{(?P<role>[a-z:]+)\}`(?P<text>[^`]+)`")


@dataclass(frozen=True)
class Directive:
    """A fenced block: name (empty for plain code), argument, options, body and the line it starts on."""

    name: str
    argument: str
    options: dict[str, Any]
    body: str
    line: int


@dataclass(frozen=True)
class Equation:
    label: str | None
    tex: str
    line: int


@dataclass(frozen=True)
class Heading:
    level: int
    title: str
    line: int


@dataclass
class Source:
    """One source file, taken apart. Lines count from 1; prose holds (line, text) without code, maths and markers."""

    path: Path
    text: str
    front: dict[str, Any] = field(default_factory=dict)
    headings: list[Heading] = field(default_factory=list)
    directives: list[Directive] = field(default_factory=list)
    equations: list[Equation] = field(default_factory=list)
    prose: list[tuple[int, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def number(self) -> str:
        """Two digits of a chapter's file name; 00 for the template."""
        found = re.match(r"\d\d", self.path.name)
        return found[0] if found else "00"

    @property
    def is_template(self) -> bool:
        return self.path.name.startswith("_")

    @property
    def cells(self) -> list[Directive]:
        return [block for block in self.directives if block.name == "code-cell"]

    def named(self, *names: str) -> list[Directive]:
        return [block for block in self.directives if block.name in names]

    def roles(self, *names: str) -> list[tuple[int, str]]:
        """(line, target) of each role of these names, `text <target>` resolved, anywhere outside code."""
        found = []
        for line, text in self.prose:
            for match in ROLE.finditer(text):
                if match["role"] in names:
                    target = re.search(r"<([^>]+)>\s*$", match["text"])
                    found.append((line, target[1] if target else match["text"]))
        return found

    def section(self, title: str) -> tuple[int, int]:
        """First and last line of a second-level section; (0, 0) when there is none."""
        starts = [heading for heading in self.headings if heading.level <= 2]
        for i, heading in enumerate(starts):
            if heading.title == title:
                end = starts[i + 1].line - 1 if i + 1 < len(starts) else len(self.text.splitlines())
                return heading.line, end
        return 0, 0

    def solutions(self) -> list[tuple[str, int, int]]:
        """(exercise label, first line, last line) of each gated solution; the last line is 0 when it never ends."""
        found: list[tuple[str, int, int]] = []
        for block in self.named("solution-start", "solution-end"):
            if block.name == "solution-start":
                found.append((block.argument, block.line, 0))
            elif found and found[-1][2] == 0:
                found[-1] = (found[-1][0], found[-1][1], block.line)
        return found

    def in_solution(self, line: int) -> bool:
        return any(first <= line <= last for _, first, last in self.solutions())


def options_and_body(lines: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Split a directive's content into its options (`:key: value` lines or a YAML block) and its body."""
    if lines and lines[0].strip() == "---":
        end = next((i for i, line in enumerate(lines[1:], 1) if line.strip() == "---"), len(lines))
        return yaml.safe_load("\n".join(lines[1:end])) or {}, lines[end + 1 :]
    options: dict[str, Any] = {}
    for i, line in enumerate(lines):
        match = re.match(r"^:([\w-]+):\s*(.*)$", line)
        if not match:
            return options, lines[i:]
        options[match[1]] = yaml.safe_load(match[2]) if match[2].startswith("[") else match[2].strip()
    return options, []


def _closes(line: str, fence: str) -> bool:
    mark = line.strip()
    return len(mark) >= len(fence) and set(mark) == {fence[0]}


def _walk(source: Source, lines: list[str], offset: int) -> None:
    """Take lines apart; a directive that holds prose (not code, maths or raw text) is walked inside as well."""
    i = 0
    while i < len(lines):
        line, number = lines[i], offset + i + 1
        fence = FENCE.match(line)
        if fence and not (fence["fence"][0] == ":" and not fence["name"]):
            end = next((j for j in range(i + 1, len(lines)) if _closes(lines[j], fence["fence"])), len(lines))
            options, body = options_and_body(lines[i + 1 : end])
            name, argument = fence["name"] or "", fence["argument"].strip()
            block = Directive(name, argument, options, "\n".join(body), number)
            source.directives.append(block)
            if name == "math":
                source.equations.append(Equation(options.get("label"), block.body, number))
            elif name and name not in ("code-cell", "code-block", "raw", "bibliography", "glossary"):
                if name.startswith(("exercise", "prf:", "admonition")) and argument:
                    source.prose.append((number, argument))
                _walk(source, body, offset + end - len(body))
            i = end + 1
        elif line.strip().startswith("$$"):
            first = line.strip()[2:]
            j, collected = i, [first]
            while not DISPLAY_END.search(collected[-1]) and j + 1 < len(lines):
                j += 1
                collected.append(lines[j].strip())
            match = DISPLAY_END.search(collected[-1])
            collected[-1] = DISPLAY_END.sub("", collected[-1])
            source.equations.append(Equation(match["label"] if match else None, "\n".join(collected), number))
            i = j + 1
        else:
            heading = HEADING.match(line)
            if heading:
                source.headings.append(Heading(len(heading[1]), heading[2], number))
            if line.strip() and not line.startswith("%"):
                source.prose.append((number, line))
            i += 1


def parse(text: str, path: Path) -> Source:
    """Take a source apart; `path` names it and is not read."""
    source = Source(path, text)
    lines = text.splitlines()
    start = 0
    if lines and lines[0] == "---":
        end = next((i for i, line in enumerate(lines[1:], 1) if line == "---"), 0)
        source.front = yaml.safe_load("\n".join(lines[1:end])) or {}
        start = end + 1
    _walk(source, lines[start:], start)
    return source


def read(path: Path) -> Source:
    return parse(path.read_text(encoding="utf-8"), path)


def chapters() -> list[Source]:
    """The numbered chapters, in order."""
    return [read(path) for path in sorted((ROOT / "chapters").glob("[0-9][0-9]-*.md"))]


def pages() -> list[Source]:
    """Every page of the book, and the template."""
    names = ("index.md", "notation.md", "glossary.md", "ledger.md", "references.md")
    return [read(ROOT / name) for name in names if (ROOT / name).exists()] + chapters() + [read(TEMPLATE)]


# -- looking into code -----------------------------------------------------------------------------------------------


def tags(cell: Directive) -> list[str]:
    found = cell.options.get("tags", [])
    return found if isinstance(found, list) else [found]


def tree(cell: Directive) -> ast.Module:
    """The cell's syntax tree, notebook magics left out."""
    return ast.parse("\n".join(line for line in cell.body.splitlines() if not line.lstrip().startswith(("%", "!"))))


def calls(cell: Directive, function: str) -> Iterator[str]:
    """First arguments, where they are strings, of the calls of `function(...)` or `something.function(...)`."""
    for node in ast.walk(tree(cell)):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name == function and isinstance(node.args[0].value, str):
                yield node.args[0].value


def required(cell: Directive) -> Iterator[str]:
    """Exercise ids in `check("id", ...).require()`."""
    for node in ast.walk(tree(cell)):
        if isinstance(node, ast.Attribute) and node.attr == "require" and isinstance(node.value, ast.Call):
            first = node.value.args[0] if node.value.args else None
            if isinstance(first, ast.Constant):
                yield str(first.value)


def figure_of(cell: Directive) -> tuple[dict[str, Any], dict[str, Any]]:
    """A cell's figure and image options (both empty where there are none)."""
    options = cell.options.get("mystnb") or {}
    return options.get("figure") or {}, options.get("image") or {}


# -- words -----------------------------------------------------------------------------------------------------------


def plain(text: str) -> str:
    """A line of prose without mark-up: maths becomes one letter, code and targets vanish, link texts stay."""
    text = re.sub(r"\$[^$]+\$", " X ", text)
    text = re.sub(r"\{cite:[tp]\}`[^`]*`", " X ", text)
    text = re.sub(r"\{(?:term|ref|doc|numref|eq|prf:ref)\}`([^`<]*)(?:<[^>]*>)?`", r" \1 ", text)
    text = re.sub(r"`[^`]*`", " ", text)
    text = re.sub(r"\]\([^)]*\)", "] ", text)
    return re.sub(r"[#*_|>\[\]]", " ", text)


def word_count(source: Source) -> int:
    """Words of prose a reader reads, folded solutions left out."""
    lines = [plain(text) for line, text in source.prose if not source.in_solution(line)]
    return sum(len(re.findall(r"[A-Za-z0-9][\w'’-]*", line)) for line in lines)


def visible_code(source: Source) -> list[str]:
    """The lines of code that a reader of the page sees without unfolding anything."""
    hidden = {"solution", "hide-input", "hide-cell", "remove-input", "remove-cell"}
    shown = [cell for cell in source.cells if not hidden & set(tags(cell))]
    return [line for cell in shown for line in cell.body.splitlines() if line.strip()]
