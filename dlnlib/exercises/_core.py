"""The machinery of the exercises: results, the registry of checkers, and tools to write one."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array

__all__ = [
    "Hint",
    "Result",
    "array",
    "call",
    "check",
    "checker",
    "checker_ids",
    "choice",
    "close",
    "compare",
    "correct",
    "find",
    "not_yet",
    "number",
]

_WORDS = {"todo": "Not attempted", "not-yet": "Not yet", "correct": "Correct"}


@dataclass(frozen=True)
class Result:
    """Answer of a checker: state "todo", "not-yet" or "correct", and what to say to the reader."""

    exercise: str
    state: str
    message: str

    def __bool__(self) -> bool:
        return self.state == "correct"

    def __repr__(self) -> str:
        return f"[{_WORDS[self.state]}] {self.exercise}: {self.message}"

    def _repr_html_(self) -> str:
        return (
            f'<div class="dln-check dln-{self.state}" role="status"><strong>{_WORDS[self.state]}:</strong> '
            f"{escape(self.message)}</div>"
        )

    def require(self) -> Result:
        """Return the result if the answer is correct, otherwise raise AssertionError with the message."""
        if not self:
            raise AssertionError(repr(self))
        return self


class Hint(Exception):
    """Raised inside a checker to end it with "not yet" and this hint."""


class _NotAttempted(Exception):
    """The reader's function returned nothing: the stub is still there."""


Checker = Callable[[Any], str]
_CHECKERS: dict[str, Checker] = {}


def checker(exercise: str) -> Callable[[Checker], Checker]:
    """Register a function of the reader's answer that returns praise, or raises `Hint`, as the checker of an exercise."""
    if not re.fullmatch(r"ch\d\d\.[a-z0-9_]+", exercise):
        raise ValueError(f'an exercise id looks like "ch03.learning_time", got {exercise!r}')

    def register(function: Checker) -> Checker:
        if exercise in _CHECKERS:
            raise ValueError(f"{exercise} has a checker already")
        _CHECKERS[exercise] = function
        return function

    return register


def checker_ids() -> tuple[str, ...]:
    """Return the ids of all exercises that have a checker."""
    for module in pkgutil.iter_modules(importlib.import_module("dlnlib.exercises").__path__):
        if module.name.startswith("ch"):
            importlib.import_module(f"dlnlib.exercises.{module.name}")
    return tuple(sorted(_CHECKERS))


def check(exercise: str, answer: Any) -> Result:
    """Check the reader's answer and say: not attempted, not yet (with a hint), or correct. Never raises for an answer.

    exercise : id such as "ch03.learning_time". answer : whatever the exercise asks for, in any equivalent form.
    Raises ValueError for an id that does not exist, naming the nearest ones.
    """
    function = find(exercise)
    if answer is None or answer is Ellipsis:
        return Result(exercise, "todo", "replace the dots by your answer, run the cell, then run this one again.")
    try:
        return Result(exercise, "correct", function(answer))
    except _NotAttempted as stub:
        open_body = "your function returns nothing yet; write its body, then run this cell again."
        return Result(exercise, "todo", str(stub) or open_body)
    except Hint as hint:
        return Result(exercise, "not-yet", str(hint))
    except Exception as error:
        # Whatever an answer of an unexpected kind breaks, the reader gets a sentence and not a traceback.
        return Result(exercise, "not-yet", f"this answer could not be read ({type(error).__name__}: {error}).")


def find(exercise: str) -> Checker:
    """Return the checker of an exercise; raises ValueError for an id that does not exist, naming those that do."""
    if exercise not in _CHECKERS:
        chapter = str(exercise).split(".")[0]
        if re.fullmatch(r"ch\d\d", chapter):
            try:
                importlib.import_module(f"dlnlib.exercises.{chapter}")
            except ModuleNotFoundError as error:
                if error.name != f"dlnlib.exercises.{chapter}":
                    raise
    if exercise not in _CHECKERS:
        raise ValueError(f"there is no exercise {exercise!r}; there are {', '.join(checker_ids())}")
    return _CHECKERS[exercise]


# Tools for checkers.


def correct(praise: str) -> str:
    """Return the praise: the last line of a checker reads `return correct(...)`."""
    return praise


def not_yet(hint: str) -> Hint:
    """Return the exception that ends a checker: `raise not_yet("...")`."""
    return Hint(hint)


def call(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Call the reader's function; a crash becomes a hint that names the exception, a stub is "not attempted"."""
    if not callable(function):
        raise Hint(f"a function is wanted here, got {type(function).__name__}.")
    try:
        result = function(*args, **kwargs)
    except NotImplementedError:
        raise _NotAttempted from None
    except Exception as error:
        raise Hint(f"your code raised {type(error).__name__}: {error}.") from None
    if result is None or result is Ellipsis:
        raise _NotAttempted
    return result


def number(answer: Any, what: str = "the answer") -> float:
    """Return the answer as one finite number (any numeric type, zero-dimensional or one-element array)."""
    value = array(answer, what=what)
    if value.size != 1:
        raise Hint(f"{what} should be one number; yours has shape {value.shape}.")
    return float(value.reshape(()))


def array(answer: Any, shape: tuple[int, ...] | None = None, what: str = "the answer") -> Array:
    """Return the answer as a finite float array: lists, tuples, matrices and scalars are all welcome."""
    if isinstance(answer, (list, tuple)) and any(item is Ellipsis or item is None for item in answer):
        raise _NotAttempted(f"a part of {what} is still open; fill it in, then run this cell again.")
    try:
        value = np.asarray(answer, dtype=np.float64)
    except (TypeError, ValueError):
        raise Hint(f"{what} should hold numbers; yours is {type(answer).__name__}.") from None
    if not np.all(np.isfinite(value)):
        raise Hint(f"{what} holds NaN or infinite values.")
    if shape is not None and value.shape != shape:
        raise Hint(f"{what} should have shape {shape}; yours has {value.shape}.")
    return value


def close(a: ArrayLike, b: ArrayLike, rtol: float = 1e-6, atol: float = 0.0) -> bool:
    """Tell whether two arrays of equal shape agree: |a - b| <= atol + rtol * largest |b|; nothing agrees with inf or NaN."""
    A, B = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if A.shape != B.shape or not np.all(np.isfinite(B)):
        return False
    return bool(np.all(np.abs(A - B) <= atol + rtol * np.max(np.abs(B), initial=0.0)))


def compare(
    answer: ArrayLike,
    right: ArrayLike,
    mistakes: Mapping[str, ArrayLike],
    *,
    otherwise: str,
    rtol: float = 1e-6,
    atol: float = 0.0,
) -> None:
    """Raise the hint whose wrong value the answer equals, or `otherwise`; return quietly when the answer is right."""
    if close(answer, right, rtol, atol):
        return
    for hint, wrong in mistakes.items():
        if close(answer, wrong, rtol, atol):
            raise Hint(hint)
    raise Hint(otherwise)


def choice(answer: Any, right: str, hints: Mapping[str, str], praise: str) -> str:
    """Check a letter: return the praise, or raise the hint of the option chosen."""
    letter = str(answer).strip().lower().strip("().")
    if letter == right:
        return praise
    if letter not in hints:
        options = ", ".join(sorted({right, *hints}))
        raise Hint(f"answer with one of the letters {options}.")
    raise Hint(hints[letter])
