"""Every checker accepts the solution and its equivalents, and refuses planted mistakes with the hint meant for each."""

import importlib
import sys
from pathlib import Path

import pytest

from dlnlib.exercises import check, checker_ids

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
CASES = {}
for path in sorted(HERE.glob("cases_ch*.py")):
    CASES.update(importlib.import_module(path.stem).CASES)

ACCEPT = [(name, i) for name, c in CASES.items() for i in range(len(c.accept))]
REFUSE = [(name, i) for name, c in CASES.items() for i in range(len(c.refuse))]


def test_every_checker_has_cases():
    assert set(CASES) == set(checker_ids())


@pytest.mark.parametrize("name", sorted(CASES))
def test_enough_cases(name):
    cases = CASES[name]
    assert len(cases.accept) >= 2, "give the solution and at least one equivalent form"
    assert len(cases.refuse) >= 3, "plant at least three mistakes"


@pytest.mark.parametrize(("name", "i"), ACCEPT)
def test_accepts(name, i):
    check(name, CASES[name].accept[i]).require()


@pytest.mark.parametrize(("name", "i"), REFUSE)
def test_refuses_with_the_hint(name, i):
    wrong, hint = CASES[name].refuse[i]
    result = check(name, wrong)
    assert result.state == "not-yet", result
    assert hint.lower() in result.message.lower(), result


@pytest.mark.parametrize("name", sorted(CASES))
@pytest.mark.parametrize("stub", [None, ..., lambda *args, **kwargs: None, lambda *args, **kwargs: ...])
def test_stub_is_never_correct(name, stub):
    result = check(name, stub)
    assert result.state != "correct"
    assert result.message


@pytest.mark.parametrize("name", sorted(CASES))
@pytest.mark.parametrize("junk", ["", "zebra", {}, object(), float("nan"), [[1], [2, 3]], 1j, lambda: 1 / 0])
def test_junk_gets_a_sentence(name, junk):
    result = check(name, junk)
    assert result.state in ("not-yet", "todo")
    assert "Traceback" not in result.message
