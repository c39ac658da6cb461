"""What the README shows works."""

import re

from _pages import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_runs():
    blocks = re.findall(r"^```python\n(.*?)^```", README, re.M | re.S)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})


def test_the_two_commands_come_first():
    assert re.search(r"^```\w*\n(.*?)^```", README, re.M | re.S)[1].splitlines()[-2:] == ["make book", "make test"]


def test_every_target_and_file_it_names_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"\bmake ([a-z-]+)", README)):
        assert re.search(rf"^{target}:", makefile, re.M), target
    for name in set(re.findall(r"\]\(([\w./-]+)\)", README)):
        assert (ROOT / name).exists(), name
