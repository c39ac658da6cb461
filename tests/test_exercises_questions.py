"""Questions: what a typed number means, what a faulty description is refused for, and that one description has one verdict."""

import json
import math
from fractions import Fraction

import numpy as np
import pytest

from dlnlib.exercises import _core, _questions, check, checker_ids, question
from dlnlib.exercises._questions import Question, choice_question, number_question, read_number

HINTS = {"a": "a is slower", "c": "c is no mode"}
NUMBER = {"truth": 2.0, "rtol": 0.01, "mistakes": {"twice": 4.0, "the sign": -2.0}, "otherwise": "another", "praise": "two"}


@pytest.fixture(autouse=True)
def forget_new_questions():
    yield
    for registry in (_core._CHECKERS, _questions._QUESTIONS):
        for name in [name for name in registry if name.startswith("ch99")]:
            del registry[name]


def refusal(answer):
    with pytest.raises(_core.Hint) as caught:
        read_number(answer)
    return str(caught.value)


# -- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("0.25", 0.25),
        ("2,5", 2.5),
        ("1e-3", 0.001),
        ("1E+3", 1000.0),
        ("2,5e2", 250.0),
        ("-2", -2.0),
        ("−2", -2.0),
        ("–2", -2.0),
        ("1e−3", 0.001),
        ("+7", 7.0),
        ("1/4", 0.25),
        ("-1 / 4", -0.25),
        ("1/-4", -0.25),
        ("0,5/2", 0.25),
        (".5", 0.5),
        (",5", 0.5),
        ("3.", 3.0),
        ("  8\n", 8.0),
        ("0,125", 0.125),
        ("1234,567", 1234.567),
        ("0/3", 0.0),
        (np.str_("4"), 4.0),
        (Fraction(1, 4), 0.25),
        ([0.25], 0.25),
    ],
)
def test_numbers_are_read(typed, value):
    assert read_number(typed) == value


@pytest.mark.parametrize(
    "typed",
    ["", " ", "zebra", "1 2", "1/2/3", "1/0", "1e999", "nan", "inf", "0x10", "1_000", "1.2.3", "1,2,3", "--1", "٣", "50%", "1e"],
)
def test_nonsense_is_told_what_to_type(typed):
    assert refusal(typed) == "type one number, such as 0.25, 1e-3, -2 or 1/4."


@pytest.mark.parametrize(
    ("typed", "ways"), [("1,000", "1000 or 1.000"), ("-12,345", "-12345 or -12.345"), ("7/2,500", "2500 or 2.500")]
)
def test_a_comma_that_could_mean_two_things_is_asked_about(typed, ways):
    assert refusal(typed) == f"a comma can be read in two ways here: type {ways}."


# -- registering -----------------------------------------------------------------------------------------------------


def test_a_choice_is_a_checker():
    choice_question("ch99.letter", right="b", hints=HINTS, praise="b it is")
    assert check("ch99.letter", " (B) ").require().message == "b it is"
    assert check("ch99.letter", "a").message == "a is slower"
    assert "one of the letters a, b, c" in check("ch99.letter", "x").message
    assert check("ch99.letter", ...).state == "todo"
    assert question("ch99.letter").letters == "abc"


def test_a_number_is_a_checker():
    number_question("ch99.two", **NUMBER)
    for answer in (2, "2,0", "4/2", np.float32(2.01), [1.99]):
        assert check("ch99.two", answer).message == "two"
    for answer, message in ((4, "twice"), ("−2", "the sign"), (3, "another"), ("two", _questions.UNREADABLE)):
        assert check("ch99.two", answer).message == message
    assert "one number" in check("ch99.two", [1, 2]).message
    assert check("ch99.two", None).state == "todo"
    assert question("ch99.two").letters == ""


def test_a_computed_truth_is_computed_once_and_late():
    calls = []
    number_question("ch99.late", **{**NUMBER, "truth": lambda: calls.append(1) or 2.0})
    assert not calls
    assert check("ch99.late", 2)
    assert check("ch99.late", 2)
    assert calls == [1]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"mistakes": {"the same": 2.01}}, "are one number"),
        ({"mistakes": {"one": 4.0, "other": 4.05}}, "are one number"),
        ({"mistakes": {"nought": 0.0, "tiny": 0.0}}, "are one number"),
        ({"rtol": 0.0}, "one of them positive"),
        ({"atol": -1.0}, "not negative"),
        ({"rtol": math.nan}, "not negative"),
        ({"truth": math.inf}, "finite"),
        ({"mistakes": {"lost": math.nan}}, "finite"),
        ({"mistakes": {" ": 4.0}}, "is empty"),
        ({"otherwise": ""}, "is empty"),
        ({"praise": ""}, "is empty"),
    ],
)
def test_a_faulty_number_is_refused_where_it_stands(change, word):
    with pytest.raises(ValueError, match=word) as caught:
        number_question("ch99.faulty", **{**NUMBER, **change})
    assert str(caught.value).startswith("ch99.faulty: ")
    with pytest.raises(ValueError, match="no exercise"):
        question("ch99.faulty")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"right": "a"}, "once each"),
        ({"right": "d"}, "once each"),
        ({"hints": {}}, "once each"),
        ({"hints": {"a": "one", "B": "two"}}, "once each"),
        ({"hints": {"a": "", "c": "two"}}, "is empty"),
    ],
)
def test_a_faulty_choice_is_refused_where_it_stands(change, word):
    with pytest.raises(ValueError, match=word):
        choice_question("ch99.faulty", **{"right": "b", "hints": HINTS, "praise": "b it is", **change})


def test_a_computed_fault_is_refused_when_the_question_is_used():
    number_question("ch99.late", **{**NUMBER, "mistakes": {"the same": lambda: 2.0}})
    with pytest.raises(ValueError, match=r"ch99\.late: within the tolerance"):
        _ = question("ch99.late").data


def test_what_is_no_question_says_so():
    with pytest.raises(ValueError, match=r"ch00\.weight has a checker but is no question"):
        question("ch00.weight")
    with pytest.raises(ValueError, match="there is no exercise"):
        question("ch99.nothing")
    choice_question("ch99.letter", right="b", hints=HINTS, praise="b it is")
    with pytest.raises(ValueError, match="already"):
        choice_question("ch99.letter", right="b", hints=HINTS, praise="b it is")


# -- one description, one verdict ------------------------------------------------------------------------------------


def questions():
    checker_ids()  # loads every chapter
    return sorted(name for name in _questions._QUESTIONS if not name.startswith("ch99"))


def answers_to(found):
    """Every letter, or: truth, mistakes, the edges of the tolerance, and what cannot be read."""
    data = found.data
    if data["kind"] == "choice":
        return [*found.letters, found.letters.upper()[0], "z", ""]
    values = [data["right"], *(value for value, _ in data["mistakes"])]
    edges = [v + sign * f * (data["atol"] + data["rtol"] * abs(v)) for v in values for sign in (-1, 1) for f in (0.999, 1.001)]
    return [*map(repr, values + edges), "1e6", "nothing", "1/0", "1,000"]


def verdict(found, answer):
    try:
        return found.judge(answer)
    except _core.Hint as hint:
        return str(hint)


@pytest.mark.parametrize("name", questions())
def test_the_data_of_the_page_give_the_verdict_of_check(name):
    found = question(name)
    copy = Question(name, lambda: json.loads(json.dumps(found.data)))
    assert copy.data == found.data
    messages = set()
    for answer in answers_to(found):
        message = verdict(copy, answer)
        assert check(name, answer).message == message
        messages.add(message)
    said = found.data.get("hints", {}).values() if found.letters else [hint for _, hint in found.data["mistakes"]]
    assert {*said, found.data["praise"]} <= messages


def test_edges_of_the_tolerance():
    number_question("ch99.edge", **{**NUMBER, "rtol": 0.0, "atol": 0.5})
    assert check("ch99.edge", "2.5")
    assert check("ch99.edge", "1.5")
    assert check("ch99.edge", "2.500001").message == "another"
    assert check("ch99.edge", "3.5").message == "twice"


def test_the_digest_changes_with_the_text_and_with_the_description():
    number_question("ch99.one", **NUMBER)
    number_question("ch99.two", **{**NUMBER, "otherwise": "different"})
    one, two = question("ch99.one"), question("ch99.two")
    assert one.digest("text") == one.digest("text")
    assert len({one.digest("text"), one.digest("other"), two.digest("text")}) == 3
