"""verify: it accepts what agrees, refuses what does not, and its line says what was measured."""

import json
import re
from html import unescape

import numpy as np
import pytest

from dlnlib.verify import VerificationError, Verified, verify

HOW = "one road against another"


def test_measures():
    got, want = np.array([1.0, 10.1]), np.array([1.0, 10.0])
    assert verify("eq-a", got, want, rtol=0.02, how=HOW).error == pytest.approx(0.01)
    assert verify("eq-a", got, want, atol=0.2, how=HOW).error == pytest.approx(0.1)
    got, want = np.array([0.1, 10.0]), np.array([0.2, 10.0])
    assert verify("eq-a", got, want, rtol=0.02, relative_to="largest", how=HOW).error == pytest.approx(0.01)
    with pytest.raises(VerificationError, match=r"got .*0\.1.*want .*0\.2.*index \(0,\)"):
        verify("eq-a", got, want, rtol=0.02, how=HOW)


def test_zeros_and_equality():
    assert verify("eq-a", [0.0, 1.0], [0.0, 1.0], rtol=0, how=HOW).error == 0
    assert verify("eq-a", 3, 3, atol=0, how=HOW).n_values == 1
    assert verify("eq-a", [0.0], [0.0], rtol=0.1, relative_to="largest", how=HOW).error == 0
    with pytest.raises(VerificationError, match="inf"):
        verify("eq-a", [1e-300, 1.0], [0.0, 1.0], rtol=1.0, how=HOW)
    with pytest.raises(VerificationError, match="eq-a"):
        verify("eq-a", 3.0, 4.0, atol=0, how=HOW)


def test_the_line_carries_the_record():
    line = verify("eq-two-words", [1.0, 2.0], [1.0, 2.0 + 1e-9], rtol=1e-8, how='closed "form" < flow')
    assert isinstance(line, Verified)
    html = line._repr_html_()
    record = json.loads(unescape(re.search(r'data-record="([^"]*)"', html).group(1)))
    assert record["label"] == "eq-two-words"
    assert record["n_values"] == 2
    assert record["allowed"] == 1e-8
    assert record["how"] == 'closed "form" < flow'
    assert "&lt; flow" in html
    assert "5.0e-10" in repr(line)
    assert "2 values" in repr(line)
    assert "1 value," in repr(verify("eq-a", 1, 1, atol=0, how=HOW))


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("eq_a", 1, 1), {"atol": 0, "how": HOW}, "label"),
        (("def-a", 1, 1), {"atol": 0, "how": HOW}, "label"),
        (("eq-a", 1, 1), {"atol": 0, "how": "short"}, "in words"),
        (("eq-a", 1, 1), {"how": HOW}, "exactly one"),
        (("eq-a", 1, 1), {"atol": 0, "rtol": 0, "how": HOW}, "exactly one"),
        (("eq-a", [1, 2], [1]), {"atol": 0, "how": HOW}, "equal shapes"),
        (("eq-a", np.nan, 1), {"atol": 0, "how": HOW}, "NaN"),
        (("eq-a", [], []), {"atol": 0, "how": HOW}, "empty"),
        (("eq-a", 1, 1), {"atol": -1, "how": HOW}, "negative"),
        (("eq-a", 1, 1), {"rtol": 0, "relative_to": "all", "how": HOW}, "relative_to"),
    ],
)
def test_mistakes_are_named(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        verify(*arguments, **options)
