"""A check that cannot fail is worthless: each rule is shown what it forbids, planted into the template, and must object."""

import re
from pathlib import Path

import pytest
from _chapters import TEMPLATE, parse, read
from _rules import RULES

TEXT = TEMPLATE.read_text(encoding="utf-8")

# rule: (what to replace in the template, by what, a word of the complaint)
PLANTED = [
    ("front_matter", "display_name: Python 3", "display_name: Python", "kernelspec"),
    ("front_matter", "format_name: myst", "format_name: markdown", "jupytext"),
    ("one_title", "## The question", "# The question", "has 2"),
    ("one_title", "## The question", "### The question", "skips"),
    ("fixed_headings", "## What you need", "## Prerequisites", "first sections"),
    ("fixed_headings", "## Takeaways", "## Summary", "last sections"),
    ("what_you_need", "Reading 5 minutes", "About 5 minutes", "Reading N minutes"),
    ("assumptions", ":class: important", ":class: note", "assumptions"),
    ("first_cell", "dln.plotting.use_style()", "", "use_style"),
    ("length", "One paragraph that asks", "word " * 3500 + "One paragraph that asks", "words"),
    ("length", "plt.show()", "x = 1\n" * 150 + "plt.show()", "visible lines"),
    ("length", "plt.show()", "x = " + "1 + " * 40 + "1\nplt.show()", "characters"),
    ("short_functions", "    ...  # your code here", "    x = 1\n" * 15 + "    ...", "weight has"),
    ("equation_labels", "(def-template-flow)", "(flow)", "should be eq-"),
    ("verified", 'verify("eq-template-exponential"', 'verify("eq-template-other"', "under this result"),
    ("verified", 'verify("eq-template-exponential"', 'verify("eq-template-other"', "names no result"),
    ("figures", "name: fig-template-exponential", "name: exponential", "fig-..."),
    ("figures", "    caption: The error of one weight", "    text: The error of one weight", "caption"),
    ("figures", "alt: The error falls", "alt: fig.png", "alternative text"),
    ("figures", "alt: The error falls", "alt: Figure of the error that falls", "alternative text"),
    ("figures", "{numref}`fig-template-exponential` will show", "The figure will show", "nothing before"),
    ("figures", "plt.show()", "", "ends with plt.show()"),
    ("figures", "ax.legend()", 'ax.legend()\nax.set_title("error")', "no title"),
    ("exercises", ":class: kind-explore", ":class: kind-code", "kind-explore"),
    ("exercises", ":class: kind-explore", ":class: open", "one class"),
    ("exercises", ":label: ex-ch00-guess", ":label: ex-ch07-guess", "ex-ch00-"),
    ("exercises", "{solution-start} ex-ch00-guess", "{solution-start} ex-ch00-half", "no complete solution"),
    ("exercises", 'check("ch00.weight", weight)\n', "\n", "without a check"),
    ("exercises", ":label: sol-ch00-guess\n:class: dropdown", ":label: sol-ch00-guess", "dropdown"),
    ("exercises", "```{exercise} Guess before you derive", "```{exercise}", "has a title"),
    ("questions", "ex-ch00-guess\n:class: kind-predict", "ex-ch00-guess\n:class: kind-derive", "asks 1"),
    ("questions", "ex-ch00-speed\n:class: kind-predict", "ex-ch00-speed\n:class: kind-derive", "asks for a number"),
    ("questions", "ex-ch00-half\n:class: kind-derive", "ex-ch00-half\n:class: kind-predict", "before the exercises"),
    ("questions", "ex-ch00-weight\n:class: kind-code", "ex-ch00-weight\n:class: kind-predict", "is no question"),
    ("questions", "* (a) Longer", "\n" * 6 + "* (a) Longer", "ten lines"),
    ("questions", "* (a) Longer than before.\n* (b) Less long.\n* (c) As", "(a) Longer, (b) less long, (c) as", "are a list"),
    ("questions", "* (c) As long as before.\n", "", "offers the choices ab, and dlnlib knows abc"),
    ("questions", "At which speed does", "* (a) Zero.\n* (b) One.\n\nAt which speed does", "knows a number"),
    ("questions", "ex-ch00-guess", "ex-ch00-guest", "there is no exercise 'ch00.guest'"),
    ("questions", ":tags: [exercise, remove-cell]", ":tags: [exercise]", "tagged exercise"),
    ("questions", ":tags: [check, remove-cell]", ":tags: [check]", "tagged check"),
    ("answers", 'check("ch00.half_life", np.log(2)).require()', "np.log(2)", "no solution passes it"),
    ("answers", 'check("ch00.half_life", half_life)', "", "never asked"),
    ("answers", "tags: [solution]", "tags: [hide-input]", "tag solution"),
    ("answers", "jupyter: {source_hidden: true}", "jupyter: {}", "source_hidden"),
    ("answers", "ch00.weight", "ch01.weight", "start with ch00."),
    ("questions", "(c) As long as before.", "(c) As long as {eq}`def-template-flow` says.", "no link"),
    ("answers", ":tags: [check]", ":tags: [exercise]", "has the tag check"),
    ("notation", r"s - w .", r"s - w^T .", r"^\top"),
    ("notation", r"the target $s$", r"the target $s \in \mathbb{R}$", "macros"),
    ("language", "a number.", "a color.", "color"),
    ("language", "a number.", "an initialization.", "initialization"),
    ("language", "a number.", "a a number, the the target.", "twice"),
    ("language", "a number.", "TO" + "DO", "unfinished"),
    ("one_sentence_a_line", "a number.\n", "a number. ", "one sentence"),
]


@pytest.mark.parametrize(("rule", "old", "new", "word"), PLANTED, ids=[f"{row[0]}-{i}" for i, row in enumerate(PLANTED)])
def test_planted_fault_is_found(rule, old, new, word):
    assert old in TEXT, "the template changed: plant the fault elsewhere"
    found = list(RULES[rule](parse(TEXT.replace(old, new), TEMPLATE)))
    assert any(word in line for line in found), found


def test_a_chapter_has_a_section_of_its_own():
    body = re.sub(r"\n## (One weight|Set-up)\n", r"\n### \1\n", TEXT)
    assert any("at least one" in line for line in RULES["fixed_headings"](parse(body, TEMPLATE)))


def test_what_you_need_says_how_important():
    body = re.sub(r"\| (necessary|helpful) \|", "| perhaps |", TEXT)
    assert any("last column" in line for line in RULES["what_you_need"](parse(body, TEMPLATE)))


def test_every_rule_is_planted_against():
    assert {row[0] for row in PLANTED} == set(RULES)


def test_short_chapter_is_refused_where_a_template_is_not():
    assert any("words" in line for line in RULES["length"](parse(TEXT, Path("05-short.md"))))
    assert not list(RULES["length"](read(TEMPLATE)))


@pytest.mark.parametrize(
    "word", ["size", "prize", "resized", "laboratory", "optimise", "whitening", "horizon", "elaborate", "orthonormal"]
)
def test_british_words_pass(word):
    assert not list(RULES["language"](parse(f"A {word} here.\n", TEMPLATE)))


def test_parser_sees_nested_blocks_and_labels():
    text = (
        "# T\n\n````{prf:theorem} Name\n:label: thm-a\nLet {eq}`eq-a` hold.\n\n$$\nx = y\n$$ (eq-a)\n````\n\n$$ a $$ (step-b)\n"
    )
    source = parse(text, Path("01-x.md"))
    assert [block.name for block in source.directives] == ["prf:theorem"]
    assert [(eq.label, eq.line) for eq in source.equations] == [("eq-a", 7), ("step-b", 12)]
    assert source.roles("eq") == [(5, "eq-a")]
    assert source.headings[0].title == "T"


def test_parser_reads_both_forms_of_options():
    text = "```{code-cell} ipython3\n:tags: [check, x]\na = 1\n```\n\n```{code-cell}\n---\ntags: [solution]\n---\nb\n```\n"
    first, second = parse(text, Path("01-x.md")).cells
    assert (first.options["tags"], first.body, first.line) == (["check", "x"], "a = 1", 1)
    assert (second.options["tags"], second.body, second.line) == (["solution"], "b", 6)
