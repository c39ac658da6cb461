"""Every rule on every chapter, and on the template."""

import pytest
from _chapters import TEMPLATE, chapters, read
from _rules import RULES

SOURCES = [*chapters(), read(TEMPLATE)]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_rule(source, rule):
    complaints = list(RULES[rule](source))
    assert not complaints, "\n".join([f"{source.path.name}: {rule}", *complaints])
