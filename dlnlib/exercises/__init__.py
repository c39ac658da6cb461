"""Exercises that answer back: `check(id, answer)` and one module of checkers per chapter."""

from dlnlib.exercises._core import Result, check, checker_ids
from dlnlib.exercises._questions import Question, question

__all__ = ["Question", "Result", "check", "checker_ids", "question"]
