"""Questions on the page: an exercise of the class `kind-predict` becomes a form that judges the answer at once.

The label `ex-ch03-some-name` belongs to the question `ch03.some_name` of `dlnlib.exercises`. A bullet list whose items start
with (a), (b), ... becomes radio buttons; a question without one gets a field for a number. What judges the answer stands
beside the form as base64 of `Question.data`, so that nothing of it can be read before it is asked for; `questions.js` does
the judging. Every control is born hidden and shown by that script: without it a question is plain text with a list.

A question that dlnlib does not know, or knows with other choices, is a warning and so fails a build that is run with `-W`.
`{question-progress}` lists the chapters with the number of questions answered in this browser.
"""

from __future__ import annotations

import base64
import json
import re
from html import escape
from typing import Any

from dln_gather import Gathered, contents_order, numbered_title
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from dlnlib.exercises import question

LOGGER = logging.getLogger(__name__)
BUTTON = '<button type="submit">Check my answer</button>'
LETTER = re.compile(r"\(([a-z])\)\s+")
Versions = list[tuple[str, str]]  # id and digest of each question of a document
QUESTIONS: Gathered[Versions] = Gathered("dln_questions")


class QuestionForm(nodes.General, nodes.Element):
    """The form; its children are choices, or nothing where a number is wanted."""


class QuestionChoice(nodes.General, nodes.TextElement):
    """One choice; its children are the words and formulas of the choice, the letter left out."""


class ChapterProgress(nodes.General, nodes.Element):
    """A line under the title: how many questions of this page are answered, and a button that forgets the answers."""


class BookProgress(nodes.General, nodes.Element):
    """Stands where `{question-progress}` was; filled when its page is written."""


# -- from exercise to form -------------------------------------------------------------------------------------------


def question_id(label: str) -> str:
    """`ex-ch03-some-name` -> `ch03.some_name`."""
    return label.removeprefix("ex-").replace("-", ".", 1).replace("-", "_")


def choice_lists(exercise: nodes.Element) -> list[nodes.bullet_list]:
    """The lists of an exercise whose first item starts with "(a) "."""
    return [found for found in exercise.findall(nodes.bullet_list) if LETTER.match(found.astext())]


def split_choice(item: nodes.list_item) -> tuple[str, QuestionChoice]:
    """Letter and content of one item. Raises ValueError for an item that is no single paragraph with a letter in front."""
    first = item.children[0].children[0] if len(item.children) == 1 and item.children[0].children else None
    match = LETTER.match(first.astext()) if isinstance(first, nodes.Text) else None
    if first is None or match is None:
        raise ValueError(f"each choice is one paragraph that starts with its letter, as (a); this does not: {item.astext()[:60]}")
    choice = QuestionChoice(letter=match[1])
    rest = first.astext()[match.end() :]
    choice += [nodes.Text(rest)] if rest else []
    choice += item.children[0].children[1:]
    return match[1], choice


def build_form(exercise: nodes.Element) -> QuestionForm:
    """Put a form into an exercise, in the place of its choices or at its end. Raises ValueError, saying what does not fit."""
    label = str(exercise.get("label", ""))
    found = question(question_id(label))
    text, lists = exercise.astext(), choice_lists(exercise)
    form = QuestionForm(label=label, name=found.exercise, digest=found.digest(text), data=found.data)
    if len(lists) > 1:
        raise ValueError("a question has one list of choices")
    choices = dict(split_choice(item) for item in lists[0].children) if lists else {}
    if "".join(choices) != found.letters or (lists and len(choices) != len(lists[0])):
        offered, known = ", ".join(choices) or "none", ", ".join(found.letters) or "a number"
        raise ValueError(f"the page offers the choices: {offered}; dlnlib.exercises has hints for: {known}")
    if lists:
        form += list(choices.values())
        lists[0].replace_self(form)
    else:
        exercise.children[-1].append(form)
    return form


def make_forms(app: Sphinx, doctree: nodes.document) -> None:
    """Turn the predictions of a document into forms, and put the line about progress under its title."""
    made: Versions = []
    for exercise in list(doctree.findall(nodes.Element)):
        if not {"exercise", "kind-predict"} <= set(exercise.get("classes", [])):
            continue
        try:
            form = build_form(exercise)
        except ValueError as error:
            place = str(exercise.get("label", ""))
            LOGGER.warning(f"question {place}: {error}", location=app.env.docname, type="dln", subtype="questions")
            continue
        made.append((form["name"], form["digest"]))
    title = next(iter(doctree.findall(nodes.title)), None)
    if made and title is not None:
        QUESTIONS.of(app.env)[app.env.docname] = made
        title.parent.insert(title.parent.index(title) + 1, ChapterProgress())


# -- progress of the book --------------------------------------------------------------------------------------------


class ProgressDirective(SphinxDirective):
    """`{question-progress}`: for each chapter with questions, how many are answered."""

    def run(self) -> list[nodes.Node]:
        QUESTIONS.pages(self.env).add(self.env.docname)
        return [BookProgress()]


def rewrite(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Have the pages with the book's progress written again when a question changed."""
    if env.__dict__.get("dln_questions_written") == QUESTIONS.of(env):
        return []
    env.__dict__["dln_questions_written"] = {name: list(made) for name, made in QUESTIONS.of(env).items()}
    return sorted(QUESTIONS.pages(env))


def fill_progress(app: Sphinx, doctree: nodes.document, page: str) -> None:
    for place in doctree.findall(BookProgress):
        place["rows"] = []
        for name in filter(QUESTIONS.of(app.env).get, contents_order(app.env)):
            address = app.builder.get_relative_uri(page, name)
            place["rows"].append((address, numbered_title(app.env, name), QUESTIONS.of(app.env)[name]))


# -- writing ---------------------------------------------------------------------------------------------------------


def visit_form(translator: Any, node: QuestionForm) -> None:
    key = f'data-question="{node["name"]}" data-digest="{node["digest"]}"'
    legend = "Your choice" if node.children else "Your number"
    translator.body.append(f'<form class="dln-question" {key} autocomplete="off" novalidate>\n<fieldset>\n')
    translator.body.append(f'<legend class="dln-unseen">{legend}</legend>\n')
    if node.children:
        translator.body.append('<ul class="dln-choices">\n')


def depart_form(translator: Any, node: QuestionForm) -> None:
    label, data = node["label"], node["data"]
    translator.body.append(f'</ul>\n<p class="dln-answer" hidden>{BUTTON}</p>\n' if node.children else number_field(label, data))
    payload = base64.b64encode(json.dumps(data).encode()).decode()
    stub = escape(f'check("{node["name"]}", ...)')
    translator.body.append(
        f'</fieldset>\n<div class="dln-feedback" id="{label}-feedback" role="status" hidden></div>\n'
        f'<script type="application/json">"{payload}"</script>\n'
        f"<noscript><p>In the notebook of this chapter <code>{stub}</code> says whether an answer is right.</p></noscript>\n"
        "</form>\n"
    )


def number_field(label: str, data: dict[str, Any]) -> str:
    """The labelled field; a phone shows digits alone where no minus can be needed."""
    values = [data["right"], *(value for value, _ in data["mistakes"])]
    mode = "text" if min(values) < 0 else "decimal"
    field = f'<input type="text" id="{label}-number" name="answer" size="12" inputmode="{mode}" autocapitalize="off" '
    field += f'spellcheck="false" aria-describedby="{label}-feedback">'
    unit = f' <span class="dln-unit">{escape(data["unit"])}</span>' if data["unit"] else ""
    what = data["what"][0].upper() + data["what"][1:]
    return f'<p class="dln-answer" hidden><label for="{label}-number">{escape(what)}:</label> {field}{unit} {BUTTON}</p>\n'


def visit_choice(translator: Any, node: QuestionChoice) -> None:
    form = node.parent
    box = f'<input type="radio" name="answer" value="{node["letter"]}" aria-describedby="{form["label"]}-feedback" hidden>'
    letter = f'<span class="dln-letter">({node["letter"]})</span>'
    translator.body.append(f'<li><label>{box}{letter} <span class="dln-words">')


def depart_choice(translator: Any, node: QuestionChoice) -> None:
    translator.body.append("</span></label></li>\n")


def visit_chapter_progress(translator: Any, node: ChapterProgress) -> None:
    translator.body.append(
        '<div class="dln-progress" hidden><p role="status" tabindex="-1"></p>'
        '<button type="button" hidden>Forget my answers</button></div>\n'
    )


def visit_book_progress(translator: Any, node: BookProgress) -> None:
    items = "".join(
        f'<li data-questions="{escape(" ".join(f"{name}:{digest}" for name, digest in made))}">'
        f'<a class="reference internal" href="{escape(address)}">{escape(title)}</a>: <span></span></li>\n'
        for address, title, made in node.get("rows", [])
    )
    translator.body.append(f'<ul class="dln-book-progress" hidden>\n{items}</ul>\n')


def nothing(translator: Any, node: nodes.Element) -> None:
    """In other formats a question is its text."""


def setup(app: Sphinx) -> dict[str, Any]:
    skip = (nothing, nothing)
    app.add_node(QuestionForm, html=(visit_form, depart_form), latex=skip, text=skip)
    app.add_node(QuestionChoice, html=(visit_choice, depart_choice), latex=skip, text=skip)
    app.add_node(ChapterProgress, html=(visit_chapter_progress, nothing), latex=skip, text=skip)
    app.add_node(BookProgress, html=(visit_book_progress, nothing), latex=skip, text=skip)
    app.add_directive("question-progress", ProgressDirective)
    app.connect("doctree-read", make_forms)
    QUESTIONS.connect(app)
    app.connect("env-updated", rewrite)
    app.connect("doctree-resolved", fill_progress)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
