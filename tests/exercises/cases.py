"""What a checker must accept, and which planted mistakes it must refuse with which hint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cases:
    """`accept`: the solution and equivalent forms. `refuse`: (wrong answer, fragment of the hint meant for it)."""

    accept: Sequence[Any]
    refuse: Sequence[tuple[Any, str]]
