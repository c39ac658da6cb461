"""Exercises that answer back: `check(id, answer)` and one module of checkers per chapter."""

from dlnlib.exercises._core import Result, check, checker_ids

__all__ = ["Result", "check", "checker_ids"]
