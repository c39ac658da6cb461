"""Questions: exercises answered with a letter or with a number, in the notebook and on the page alike.

One description makes both faces. `check(...)` judges by `Question.data`, and the same data go to the page, where
`_static/questions.js` repeats the comparison step by step: verdict and words are the same for every answer.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from string import ascii_lowercase
from typing import Any

from dlnlib.exercises import _core as core

__all__ = ["Question", "choice_question", "number_question", "question", "read_number"]

Number = float | Callable[[], Any]
Letter = str | Callable[[], str]

UNREADABLE = "type one number, such as 0.25, 1e-3, -2 or 1/4."
COMMA = "a comma can be read in two ways here: type {plain} or {point}."
_DECIMAL = r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?"
_TYPED = re.compile(rf"({_DECIMAL})(?: */ *({_DECIMAL}))?")
_TWO_WAYS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")


@dataclass(frozen=True)
class Question:
    """A question that is registered: its id, and the description from which both of its faces are made."""

    exercise: str
    describe: Callable[[], dict[str, Any]]

    @cached_property
    def data(self) -> dict[str, Any]:
        """What is needed to judge an answer, ready for JSON. Computed once; raises ValueError for a faulty description."""
        try:
            return self.describe()
        except ValueError as error:
            raise ValueError(f"{self.exercise}: {error}") from None

    @property
    def letters(self) -> str:
        """The letters to choose from, or nothing where a number is wanted."""
        return "".join(sorted((self.data["right"], *self.data["hints"]))) if self.data["kind"] == "choice" else ""

    def digest(self, text: str) -> str:
        """Return what identifies this version of the question: an answer that was given to another one is not kept."""
        content = json.dumps([text, self.data], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    def judge(self, answer: Any) -> str:
        """Return the praise for the right answer, or raise the hint for another one."""
        data = self.data
        if data["kind"] == "choice":
            return core.choice(answer, data["right"], data["hints"], data["praise"])
        core.compare(
            read_number(answer, data["what"]),
            data["right"],
            {hint: wrong for wrong, hint in data["mistakes"]},
            otherwise=data["otherwise"],
            rtol=data["rtol"],
            atol=data["atol"],
        )
        return str(data["praise"])


_QUESTIONS: dict[str, Question] = {}


def question(exercise: str) -> Question:
    """Return the question of this id. Raises ValueError when there is no such exercise, or when it is not a question."""
    core.find(exercise)
    if exercise not in _QUESTIONS:
        raise ValueError(f"{exercise} has a checker but is no question; register it with choice_question or number_question")
    return _QUESTIONS[exercise]


def choice_question(exercise: str, *, right: Letter, hints: Mapping[str, str], praise: str) -> None:
    """Register a question that is answered with a letter.

    right : the letter of the right choice, or a function that computes it. hints : for each other letter what to say to
    somebody who chose it. praise : what to say to somebody who chose the right one, usually why it is right.
    """

    def describe() -> dict[str, Any]:
        letter = right() if callable(right) else right
        letters = sorted([letter, *hints])
        if len(letters) < 2 or letters != list(ascii_lowercase[: len(letters)]):
            raise ValueError(f"right answer and hints should share out the letters a, b, ... once each, got {letters}")
        return {"kind": "choice", "right": letter, "hints": dict(hints), "praise": praise}

    _register(Question(exercise, describe), (*hints.values(), praise), now=not callable(right))


def number_question(
    exercise: str,
    *,
    truth: Number,
    rtol: float = 0.0,
    atol: float = 0.0,
    mistakes: Mapping[str, Number],
    otherwise: str,
    praise: str,
    what: str = "the answer",
    unit: str = "",
) -> None:
    """Register a question that is answered with a number.

    truth : the right number, or better a function that computes it with dlnlib on a road of its own. rtol, atol : an
    answer x counts as the value v when |x - v| <= atol + rtol |v|; at least one is positive. mistakes : hint -> the wrong
    number (or a function that computes it) by which a known mistake gives itself away. otherwise : the hint for any other
    number. what : names the number in messages. unit : stands behind the field on the page.

    Raises ValueError when the answer to one mistake would also pass as the right answer, or as that of another mistake:
    at once where all are numbers, and otherwise when the question is first used, as the tests do.
    """

    def describe() -> dict[str, Any]:
        right = _value(truth)
        wrong = [(_value(value), hint) for hint, value in mistakes.items()]
        if not (rtol >= 0 and atol >= 0 and rtol + atol > 0 and math.isfinite(rtol + atol)):
            raise ValueError(f"give rtol or atol, not negative and one of them positive; got {rtol!r} and {atol!r}")
        for (a, first), (b, second) in combinations([(right, "the right answer"), *wrong], 2):
            if abs(a - b) <= 2 * atol + rtol * (abs(a) + abs(b)):
                raise ValueError(f"within the tolerance {a!r} ({first}) and {b!r} ({second}) are one number")
        return {
            "kind": "number",
            "right": right,
            "rtol": float(rtol),
            "atol": float(atol),
            "mistakes": [list(pair) for pair in wrong],
            "otherwise": otherwise,
            "praise": praise,
            "what": what,
            "unit": unit,
            "unreadable": UNREADABLE,
            "comma": COMMA,
        }

    lazy = any(callable(value) for value in (truth, *mistakes.values()))
    _register(Question(exercise, describe), (*mistakes, otherwise, praise), now=not lazy)


def read_number(answer: Any, what: str = "the answer") -> float:
    """Return an answer as one finite number; a string is read as somebody would type it.

    A decimal comma, a fraction, an exponent and a typographic minus are all understood: "0.25", "2,5", "1/4", "1e-3", "−2".
    """
    if not isinstance(answer, str):
        return core.number(answer, what)
    text = re.sub("[\u2212\u2013]", "-", answer.strip())
    match = _TYPED.fullmatch(text)
    if match is None:
        raise core.not_yet(UNREADABLE)
    parts = [part for part in match.groups() if part is not None]
    for part in parts:
        if _TWO_WAYS.fullmatch(part):
            raise core.not_yet(COMMA.format(plain=part.replace(",", ""), point=part.replace(",", ".")))
    values = [float(part.replace(",", ".")) for part in parts]
    if len(values) == 2 and values[1] == 0:
        raise core.not_yet(UNREADABLE)
    value = values[0] / values[1] if len(values) == 2 else values[0]
    if not math.isfinite(value):
        raise core.not_yet(UNREADABLE)
    return value


def _value(given: Number) -> float:
    value = float(given() if callable(given) else given)
    if not math.isfinite(value):
        raise ValueError(f"truth and mistakes should be finite numbers, got {value!r}")
    return value


def _register(new: Question, texts: tuple[str, ...], *, now: bool) -> None:
    if not all(text.strip() for text in texts):
        raise ValueError(f"{new.exercise}: a hint, or the praise, is empty")
    if now:
        _ = new.data  # a faulty description is refused where it stands
    core.checker(new.exercise)(new.judge)
    _QUESTIONS[new.exercise] = new
