"""Notebooks under pytest: `pytest --nbval-lax chapters` executes the MyST-markdown chapters, one kernel each.

At the end of such a run a table says how many seconds each chapter took, the start of its kernel included.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import jupytext
import pytest
from nbval import plugin

SECONDS: dict[str, float] = defaultdict(float)


class MystNotebookFile(plugin.IPyNbFile):
    """A MyST notebook, read by jupytext where nbval would read JSON."""

    def collect(self) -> Iterator[pytest.Item]:
        with mock.patch.object(plugin.nbformat, "read", lambda path, as_version: jupytext.read(path)):
            yield from list(super().collect())


def is_myst_notebook(path: Path) -> bool:
    return path.suffix == ".md" and "\nkernelspec:" in path.read_text(encoding="utf-8")[:1000]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    option = parent.config.option
    if (option.nbval or option.nbval_lax) and is_myst_notebook(file_path):
        return MystNotebookFile.from_parent(parent, path=file_path)
    return None


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    name = report.nodeid.split("::")[0]
    if name.endswith(".md"):
        SECONDS[name] += report.duration


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if SECONDS:
        terminalreporter.section("seconds per chapter, kernel start included")
        for name, seconds in sorted(SECONDS.items()):
            terminalreporter.write_line(f"{seconds:7.1f}  {name}")
