"""Tables that take minutes to compute: a command of their package writes them, and the book and its tests read them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

FILE = "table.json"


def read(package: str) -> dict[str, Any]:
    """Return the stored table of a package, "dlnlib.completion" for example."""
    return json.loads(files(package).joinpath(FILE).read_text(encoding="utf-8"))


def write(beside: str, table: Mapping[str, Any]) -> None:
    """Store a table beside the module with this `__file__`, a line for each of its entries."""
    text = json.dumps(table, separators=(",", ":")).replace("],[", "],\n[").replace("},{", "},\n{")
    Path(beside).with_name(FILE).write_text(text + "\n", encoding="utf-8")


def short(values: Any, digits: int, *, decimals: int | None = None) -> Any:
    """Return the same with numbers of so many significant digits, as dictionaries, lists and floats.

    decimals : of these as well, so that what is all but zero takes no room.
    """
    if isinstance(values, Mapping):
        return {key: short(value, digits, decimals=decimals) for key, value in values.items()}
    if np.ndim(values):
        return [short(value, digits, decimals=decimals) for value in values]
    number = float(f"{float(values):.{digits}g}")
    return number if decimals is None else round(number, decimals)
