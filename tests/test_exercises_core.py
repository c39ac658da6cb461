"""The machinery of `check`: states, hints, and that no answer makes it raise."""

import sys
import types

import numpy as np
import pytest

from dlnlib.exercises import _core
from dlnlib.exercises._core import (
    Result,
    array,
    call,
    check,
    checker,
    choice,
    close,
    compare,
    correct,
    not_yet,
    number,
)


@pytest.fixture
def toy():
    @checker("ch99.double")
    def _(answer):
        for x in (1.5, 2.5):
            compare(
                number(call(answer, x)),
                2 * x,
                {"you squared": x**2, "you forgot the two": x},
                otherwise="not twice the argument",
            )
        return correct("twice it is")

    @checker("ch99.letter")
    def _(answer):
        return choice(answer, "b", {"a": "a is slower", "c": "c is no mode"}, "b it is")

    @checker("ch99.table")
    def _(answer):
        if array(answer, (2,)).sum() > 3:
            raise not_yet("too much")
        return correct("fine")

    @checker("ch99.broken")
    def _(answer):
        return answer.missing

    yield
    for name in [n for n in _core._CHECKERS if n.startswith("ch99")]:
        del _core._CHECKERS[name]


def test_states(toy):
    assert check("ch99.double", lambda x: 2 * x)
    assert check("ch99.double", lambda x: np.array([2 * x])).require().message == "twice it is"
    assert check("ch99.double", lambda x: x).message == "you forgot the two"
    assert check("ch99.double", lambda x: 7).message == "not twice the argument"
    for stub in (None, ..., lambda x: None, lambda x: ...):
        assert check("ch99.double", stub).state == "todo"

    def raising(x):
        raise NotImplementedError

    assert check("ch99.double", raising).state == "todo"
    assert "ZeroDivisionError" in check("ch99.double", lambda x: x / 0).message
    assert "a function is wanted" in check("ch99.double", 5).message
    assert "one number" in check("ch99.double", lambda x: [x, x]).message
    assert "should hold numbers" in check("ch99.double", lambda x: "two").message
    assert "NaN" in check("ch99.double", lambda x: np.nan).message
    assert "AttributeError" in check("ch99.broken", 3).message


def test_choices_and_arrays(toy):
    assert check("ch99.letter", " (B) ")
    assert check("ch99.letter", "a").message == "a is slower"
    assert "one of the letters a, b, c" in check("ch99.letter", 7).message
    assert check("ch99.table", np.float32([1, 2]))
    assert check("ch99.table", [..., 1]).state == "todo"
    assert "part of the answer is still open" in check("ch99.table", [..., 1]).message
    assert check("ch99.table", (1, 3)).message == "too much"
    assert "shape (2,)" in check("ch99.table", [[1, 2]]).message


def test_results_show_themselves():
    good, bad = Result("ch01.x", "correct", "a < b"), Result("ch01.x", "not-yet", "hint")
    assert "a &lt; b" in good._repr_html_()
    assert 'role="status"' in good._repr_html_()
    assert repr(bad) == "[Not yet] ch01.x: hint"
    assert good.require() is good
    with pytest.raises(AssertionError, match="hint"):
        bad.require()


def test_close_is_about_shape_and_size():
    assert close([1.0, 1e-9], [1.0, 0.0])
    assert not close([1.0], [1.0, 1.0])
    assert close(0.0, 0.0)
    assert not close(1.0, np.inf)  # a mistake that does not apply is given as infinity
    assert not close(1.0, np.nan)


def test_unknown_exercises_and_double_registration(toy):
    with pytest.raises(ValueError, match="no exercise"):
        check("ch98.nothing", 1)
    with pytest.raises(ValueError, match="no exercise"):
        check("nonsense", 1)
    with pytest.raises(ValueError, match="already"):
        checker("ch99.double")(lambda answer: "x")
    with pytest.raises(ValueError, match="looks like"):
        checker("double")


def test_a_broken_module_of_checkers_is_not_hidden(monkeypatch):
    broken = types.ModuleType("dlnlib.exercises.ch97")
    monkeypatch.setitem(sys.modules, "dlnlib.exercises.ch97", broken)

    def failing(name):
        raise ModuleNotFoundError("no dependency", name="dependency")

    monkeypatch.setattr(_core.importlib, "import_module", failing)
    with pytest.raises(ModuleNotFoundError, match="no dependency"):
        check("ch97.x", 1)
