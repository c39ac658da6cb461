"""The rules of a chapter. Each is a function of one parsed source that yields what is wrong with it, line by line."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator

from _chapters import Directive, Source, calls, figure_of, plain, required, tags, tree, visible_code, word_count

from dlnlib.exercises import question

Rule = Callable[[Source], Iterator[str]]
RULES: dict[str, Rule] = {}

FIRST = ["The question", "What you will be able to do", "What you need"]
LAST = ["When it breaks", "Takeaways", "Exercises", "Notes and sources"]
KINDS = {"kind-predict", "kind-derive", "kind-code", "kind-explore"}
FRONT = {
    "jupytext": {"text_representation": {"extension": ".md", "format_name": "myst"}},
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
}
SET_UP = ("import dlnlib as dln", "from dlnlib import check, verify", "dln.plotting.use_style()")


def rule(function: Rule) -> Rule:
    RULES[function.__name__] = function
    return function


# -- frame -----------------------------------------------------------------------------------------------------------


@rule
def front_matter(source: Source) -> Iterator[str]:
    for key, wanted in FRONT.items():
        if source.front.get(key) != wanted:
            yield f"front matter: {key} should be {wanted}, is {source.front.get(key)}"


@rule
def one_title(source: Source) -> Iterator[str]:
    titles = [heading for heading in source.headings if heading.level == 1]
    if len(titles) != 1:
        yield f"a chapter has one first-level heading, this has {len(titles)}"
    for before, after in zip(source.headings, source.headings[1:], strict=False):
        if after.level > before.level + 1:
            yield f"line {after.line}: the heading skips a level"


@rule
def fixed_headings(source: Source) -> Iterator[str]:
    found = [heading.title for heading in source.headings if heading.level == 2]
    if found[:3] != FIRST:
        yield f"the first sections are {FIRST}, found {found[:3]}"
    if found[-4:] != LAST:
        yield f"the last sections are {LAST}, found {found[-4:]}"
    if len(found) < len(FIRST) + len(LAST) + 1:
        yield "between What you need and When it breaks stands at least one section of the chapter's own"


@rule
def what_you_need(source: Source) -> Iterator[str]:
    first, last = source.section("What you need")
    lines = [text.strip() for line, text in source.prose if first < line <= last]
    if not any(re.fullmatch(r"Reading \d+ minutes, doing \d+ minutes\.", line) for line in lines):
        yield "What you need ends with the line `Reading N minutes, doing M minutes.`"
    if not any(line.startswith("|") and re.search(r"\|\s*(necessary|helpful)\s*\|$", line) for line in lines):
        yield "What you need has a table whose last column says necessary or helpful"


@rule
def assumptions(source: Source) -> Iterator[str]:
    boxes = [box for box in source.named("admonition") if box.argument == "Assumptions"]
    if not any("important" in str(box.options.get("class", "")) for box in boxes):
        yield "there is no box of assumptions (admonition Assumptions, class important)"


@rule
def first_cell(source: Source) -> Iterator[str]:
    body = source.cells[0].body if source.cells else ""
    for line in SET_UP:
        if line not in body:
            yield f"the first code cell lacks `{line}`"


@rule
def length(source: Source) -> Iterator[str]:
    words, lines = word_count(source), len(visible_code(source))
    if words > 3500 or (words < 1800 and not source.is_template):
        yield f"{words} words of prose; a chapter has 1,800 to 3,500"
    if lines > 150:
        yield f"{lines} visible lines of code; a chapter has at most 150"
    for line in visible_code(source):
        if len(line) > 120:
            yield f"a visible line of code has {len(line)} characters, at most 120: {line[:60]}..."


@rule
def short_functions(source: Source) -> Iterator[str]:
    for cell in source.cells:
        for node in ast.walk(tree(cell)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                if size > 15:
                    yield f"line {cell.line}: {node.name} has {size} lines; what is longer than 15 belongs in dlnlib"


# -- results ---------------------------------------------------------------------------------------------------------


@rule
def equation_labels(source: Source) -> Iterator[str]:
    for equation in source.equations:
        if equation.label and not re.fullmatch(r"(eq|def|step)(-[a-z0-9]+)+", equation.label):
            yield f"line {equation.line}: label {equation.label!r} should be eq-..., def-... or step-..."


@rule
def verified(source: Source) -> Iterator[str]:
    stated = {eq.label: eq.line for eq in source.equations if eq.label and eq.label.startswith("eq-")}
    made = [(label, cell.line) for cell in source.cells for label in calls(cell, "verify")]
    for label, line in stated.items():
        if not any(name == label and place > line for name, place in made):
            yield f"line {line}: no verify({label!r}, ...) under this result"
    for label, line in made:
        if label not in stated:
            yield f"line {line}: verify({label!r}, ...) names no result of this chapter"


# -- figures ---------------------------------------------------------------------------------------------------------


@rule
def figures(source: Source) -> Iterator[str]:
    references = source.roles("numref")
    for cell in source.cells:
        figure, image = figure_of(cell)
        if not re.search(r"plt\.show\(\)|^dln\.explore\.\w+\(\)$", cell.body, re.M) and not figure:
            continue
        name, caption, alt = (str(part or "") for part in (figure.get("name"), figure.get("caption"), image.get("alt")))
        if not re.fullmatch(r"fig(-[a-z0-9]+)+", name):
            yield f"line {cell.line}: a figure's name is fig-..., this one's is {name!r}"
        if len(caption) < 20:
            yield f"line {cell.line}: the figure has no caption of a sentence or two"
        if len(alt) < 40 or re.search(r"\.(png|svg|jpe?g)\b|^(a |the )?(figure|plot|graph|image) (of|showing)\b", alt, re.I):
            yield f"line {cell.line}: alternative text says what is seen and what it means, in 40 characters or more"
        if not re.search(r"(plt\.show|dln\.explore\.\w+)\(\)$", cell.body.rstrip()):
            yield f"line {cell.line}: a figure cell ends with plt.show(), or with the call of an interactive chart"
        if re.search(r"\.set_title\(|plt\.title\(", cell.body):
            yield f"line {cell.line}: a figure has no title, its caption says it"
        if name and not any(target == name and line < cell.line for line, target in references):
            yield f"line {cell.line}: nothing before {name} says, with {{numref}}, what it will show"


# -- exercises -------------------------------------------------------------------------------------------------------


@rule
def exercises(source: Source) -> Iterator[str]:
    found = source.named("exercise")
    solutions = source.solutions()
    kinds: Counter[str] = Counter()
    for block in found:
        label, kind = str(block.options.get("label", "")), KINDS & set(str(block.options.get("class", "")).split())
        kinds.update(kind)
        if len(kind) != 1:
            yield f"line {block.line}: an exercise has one class of {sorted(KINDS)}"
        if not block.argument:
            yield f"line {block.line}: an exercise has a title"
        if not re.fullmatch(rf"ex-ch{source.number}(-[a-z0-9]+)+", label):
            yield f"line {block.line}: an exercise's label is ex-ch{source.number}-..., this one's is {label!r}"
        own = [(first, last) for name, first, last in solutions if name == label]
        if len(own) != 1 or not own[0][1] > own[0][0] > block.line:
            yield f"line {block.line}: {label} has no complete solution after it"
        elif kind == {"kind-code"} and not _checked_between(source, block.line, own[0][0]):
            yield f"line {block.line}: {label} is a code exercise without a check before its solution"
    if len(found) < 5:
        yield f"a chapter has at least five exercises, this has {len(found)}"
    for kind_name in sorted(KINDS - set(kinds)):
        yield f"there is no exercise of {kind_name}"
    for label in {name for name, _, _ in solutions} - {str(block.options.get("label")) for block in found}:
        yield f"the solution to {label} has no exercise"
    for block in source.named("solution-start"):
        wanted = block.argument.replace("ex-", "sol-", 1)
        if block.options.get("label") != wanted or "dropdown" not in str(block.options.get("class")):
            yield f"line {block.line}: the solution's label is {wanted} and its class dropdown"


def _checked_between(source: Source, first: int, last: int) -> bool:
    return any("check" in tags(cell) and list(calls(cell, "check")) for cell in source.cells if first < cell.line < last)


CHOICE = re.compile(r"^[*+-] \(([a-z])\) \S", re.M)
HIDDEN_CELLS = ("exercise", "check")


@rule
def questions(source: Source) -> Iterator[str]:
    """Predictions are questions: short, before the exercises, in dlnlib, choices in a list, cells in the notebook alone."""
    found = [block for block in source.named("exercise") if "kind-predict" in str(block.options.get("class", "")).split()]
    wanted = 2 if source.is_template else 3
    if len(found) < wanted:
        yield f"a chapter asks at least three questions (kind-predict), this asks {len(found)}"
    if not any(not CHOICE.search(block.body) for block in found):
        yield "none of the questions asks for a number"
    for block in found:
        yield from (f"line {block.line}: {fault}" for fault in _question_faults(source, block))


def _question_faults(source: Source, block: Directive) -> Iterator[str]:
    label = str(block.options.get("label", ""))
    name = label.removeprefix("ex-").replace("-", ".", 1).replace("-", "_")
    if not block.line < source.section("Exercises")[0]:
        yield f"{label} stands before the exercises, where its answer is not known yet"
    if len(block.body.splitlines()) > 10:
        yield f"{label} has more than ten lines"
    letters = "".join(CHOICE.findall(block.body))
    if any(re.match(r"[*+-] \([a-z]\)", line) and re.search(r"\{[a-z:]+\}`|\]\(", line) for line in block.body.splitlines()):
        yield f"{label}: a choice holds no link, which a click on it would follow"
    if not letters and re.search(r"\([a-z]\)", block.body):
        yield f"{label}: choices are a list whose items start with (a), (b), ..."
    try:
        registered = question(name).letters
    except ValueError as error:
        yield f"{label}: {error}"
        return
    if letters != registered:
        yield f"{label} offers the choices {letters or 'none'}, and dlnlib knows {registered or 'a number'}"
    solution = min((first for other, first, _ in source.solutions() if other == label), default=0)
    cells = [tags(cell) for cell in source.cells if block.line < cell.line < solution]
    for tag in HIDDEN_CELLS:
        if not any(tag in cell and "remove-cell" in cell for cell in cells):
            yield f"{label}: the cell tagged {tag} is tagged remove-cell too, because the page has a form"


@rule
def answers(source: Source) -> Iterator[str]:
    """What is checked is what a solution passes, each check stands where it belongs, and each id is the chapter's."""
    passed = {name for cell in source.cells for name in required(cell)}
    asked: set[str] = set()
    for cell in source.cells:
        inside, ids = source.in_solution(cell.line), set(calls(cell, "check"))
        if not inside:
            asked |= ids
            if set(required(cell)):
                yield f"line {cell.line}: .require() belongs in a solution"
            if ids and "check" not in tags(cell):
                yield f"line {cell.line}: the cell that checks an answer has the tag check"
        if inside != ("solution" in tags(cell)):
            yield f"line {cell.line}: a cell has the tag solution where, and only where, it stands in one"
        if inside and not (cell.options.get("jupyter") or {}).get("source_hidden"):
            yield f"line {cell.line}: a solution's cell has jupyter: {{source_hidden: true}}"
    for name in sorted(asked ^ passed):
        yield f"{name} is " + ("checked, but no solution passes it" if name in asked else "solved, but never asked")
    for name in sorted(asked | passed):
        if not name.startswith(f"ch{source.number}."):
            yield f"{name}: ids of this chapter start with ch{source.number}."


# -- notation and language -------------------------------------------------------------------------------------------

RAW_NOTATION = {
    r"\^\{?T\b": "the transpose is ^\\top",
    r"\\mathbb|\\mathcal|\\operatorname": "use the macros of _config.yml",
    r"\\mathbf|\\boldsymbol|\\bm\b": "matrices are not bold",
    r"\\text\{(tr|rank|diag|sgn)\}": "use the macros \\tr, \\rank, \\diag, \\sgn",
}


@rule
def notation(source: Source) -> Iterator[str]:
    pieces = [(equation.line, equation.tex) for equation in source.equations]
    pieces += [(line, tex) for line, text in source.prose for tex in re.findall(r"\$([^$]+)\$", text)]
    for line, tex in pieces:
        for pattern, advice in RAW_NOTATION.items():
            if re.search(pattern, tex):
                yield f"line {line}: {advice}: {tex.strip()[:60]}"


AMERICAN = re.compile(
    r"\b(?:\w*(?:behavior|color|favor|neighbor|honor|labor)\w*|\w{3,}(?:iz|yz)(?:e|ed|es|er|ers|ing|ation|ations)"
    r"|centers?|centered|modeling|modeled|labeled|labeling|traveled|artifacts?|gray)\b",
    re.I,
)
NOT_AMERICAN = re.compile(r"orthonor|(re)?siz|priz|seiz|laborator|elaborat|collaborat", re.I)
REPEATED = re.compile(r"\b([a-z]{2,})\s+\1\b", re.I)
UNFINISHED = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "lorem" + " ipsum", "TB" + "D")))


@rule
def language(source: Source) -> Iterator[str]:
    for line, text in source.prose:
        words = plain(text)
        for match in AMERICAN.finditer(words):
            if not NOT_AMERICAN.search(match[0]):
                yield f"line {line}: British spelling is used: {match[0]}"
        for match in REPEATED.finditer(words):
            if match[1].lower() not in ("that", "had"):
                yield f"line {line}: {match[0]!r} twice"
    for number, text in enumerate(source.text.splitlines(), 1):
        if UNFINISHED.search(text):
            yield f"line {number}: unfinished: {text.strip()[:60]}"


SENTENCE_END = re.compile(r"(?<![A-Z])(?<!\b(?:al|cf|vs|St|Dr|no|pp|Ch))(?<!\b(?:e\.g|i\.e|Fig|Sec))[.?!][*_)]* +(?=[A-Z])")


@rule
def one_sentence_a_line(source: Source) -> Iterator[str]:
    for line, text in source.prose:
        if not text.lstrip().startswith(("|", "#", "1.", "2.", "3.")) and SENTENCE_END.search(text):
            yield f"line {line}: one sentence a source line: {text.strip()[:70]}"
