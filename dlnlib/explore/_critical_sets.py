"""Every critical set of a network with three modes: its index, its loss, and the ways down from one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np

from dlnlib import landscape
from dlnlib.explore._model import Choice, Explorer, Panel, Part, Series, Slider, words
from dlnlib.moments import Moments

__all__ = ["critical_sets"]

FIRST = 3.0  # s_1; the other two are the reader's
STRENGTHS = (0.3, 1.0, 1.5, 2.0, 3.0)
Modes = tuple[int, ...]
SETS: tuple[Modes, ...] = tuple(modes for r in range(4) for modes in combinations(range(3), r))
CLOSE = 1e-12


def name(modes: Modes) -> str:
    """Return the name of a set, its modes counted from 1."""
    return "".join(str(k + 1) for k in modes) or "∅"


NAMES = tuple(map(name, SETS))


def critical_sets() -> Explorer:
    """Return the chart of all critical sets of three modes: loss against index, and the ways down from one of them.

    White inputs, s = (3, s_2, s_3), any of them equal, two or three layers of hidden width h. Left, each set at its index
    (`eq-hessian-index`, `eq-deep-index` at balanced points) and loss (`eq-critical-loss`), and the sets that training
    from small weights visits. Right, for the chosen set, one bar for each way down, taken from the smallest network that
    has it, against the negative eigenvalues of the exact Hessian (`eq-block-spectrum`). In chapter 2, where ways down are
    counted.
    """
    network = ("s2", "s3", "hidden", "depth")
    kinds = (("strict saddle", "strict", 0), ("flat saddle", "flat", 1), ("global minimum", "least", 2))
    return Explorer(
        name="critical-sets",
        controls=(
            Slider("s2", "strength s₂", STRENGTHS, 2.0),
            Slider("s3", "strength s₃", STRENGTHS, 1.0),
            Slider("hidden", "hidden width h", (1, 2, 3), 3, whole=True),
            Slider("depth", "layers L", (2, 3), 2, whole=True),
            Choice("chosen", "chosen set", NAMES, "3"),
        ),
        parts=(
            Part("sets", _sets, network, digits=3),
            Part("ways", _ways, (*network, "chosen"), digits=3),
        ),
        panels=(
            Panel("index", "loss", x_domain=(-0.5, 9.6), height=250),
            Panel("way down", "Hessian eigenvalue", x_domain=(0.3, 9.7), y_domain=(-3.2, 0.4), height=250),
        ),
        series=(
            Series("", "sets", "margin_index", "margin_loss", "text", text="margin"),
            Series("", "ways", "star_index", "star_loss", "other"),
            Series("training visits", "sets", "path_index", "path_loss", "line", mode=3),
            *(Series(label, "sets", f"{k}_index", f"{k}_loss", "points", mode=m) for label, k, m in kinds),
            *(Series("", "sets", f"{k}_beside", f"{k}_below", "text", text=f"{k}_name") for _, k, _ in kinds),
            Series("chosen set", "ways", "here_index", "here_loss", "points", mode=6),
            Series("way down, predicted", "ways", "way", "predicted", "bars", mode=4, panel=1),
            Series("negative eigenvalue, exact", "ways", "found_at", "found", "points", mode=5, panel=1),
            Series("", "ways", "way", "top", "text", text="way_name", panel=1),
        ),
        presets={
            "distinct": {"s2": 2.0, "s3": 1.0},
            "steep": {"s2": 1.0, "s3": 0.3},
            "two weak ones tied": {"s2": 2.0, "s3": 2.0},
            "two strong ones tied": {"s2": 3.0, "s3": 1.0},
            "all tied": {"s2": 3.0, "s3": 3.0},
        },
        presets_label="Spectrum",
    )


@dataclass(frozen=True)
class _Task:
    """Strengths as the reader set them, the task, and where dlnlib, which sorts, has each mode."""

    s: tuple[float, float, float]
    moments: Moments

    def sorted_modes(self, modes: Modes) -> Modes:
        """Return the places of these modes in the order of falling strength."""
        order = np.argsort(-np.array(self.s), kind="stable").tolist()
        return tuple(sorted(order.index(k) for k in modes))

    @property
    def ties(self) -> list[Modes]:
        """The modes, strongest first, those of equal strength together."""
        return [tuple(k for k in range(3) if self.s[k] == level) for level in sorted(set(self.s), reverse=True)]

    def family(self, modes: Modes) -> list[Modes]:
        """Return all sets that learn equally many of each strength: ties join them into one continuum."""
        count = [len(set(tied) & set(modes)) for tied in self.ties]
        return [other for other in SETS if [len(set(tied) & set(other)) for tied in self.ties] == count]


@cache
def _task(s2: float, s3: float) -> _Task:
    s = (FIRST, float(s2), float(s3))
    return _Task(s, Moments.white(np.diag(s)))


@cache
def _found(s2: float, s3: float, hidden: int, depth: int) -> dict[Modes, tuple[int, float, str]]:
    """Return index, loss and kind of every set, by its modes; the first of a family stands for all."""
    task = _task(s2, s3)
    listed = {found.modes: found for found in landscape.critical_sets(task.moments, hidden, depth=depth)}
    least = min(found.loss for found in listed.values())
    result = {}
    for modes in SETS:
        if len(modes) <= hidden:
            found = listed[task.sorted_modes(modes)]
            kind = "strict" if found.index else "least" if found.loss <= least + CLOSE else "flat"
            result[modes] = (found.index, found.loss, kind)
    return result


def _sets(s2: float, s3: float, hidden: int, depth: int) -> dict[str, Any]:
    task, found = _task(s2, s3), _found(s2, s3, hidden, depth)
    families = [modes for modes in found if task.family(modes)[0] == modes]
    columns: dict[str, Any] = {}
    drop = 0.04 * (found[()][1] - min(loss for _, loss, _ in found.values()))
    for kind in ("strict", "flat", "least"):
        chosen = [modes for modes in families if found[modes][2] == kind]
        columns[f"{kind}_index"] = [found[modes][0] for modes in chosen]
        columns[f"{kind}_loss"] = [found[modes][1] for modes in chosen]
        names = ["~".join(map(name, task.family(modes))) for modes in chosen]
        columns[f"{kind}_name"] = np.array(names, dtype=str)
        # From three layers on sets stand one above the other at index zero: there names stand to the right of the markers.
        aside = depth > 2 and kind != "strict"
        columns[f"{kind}_beside"] = [
            found[modes][0] + aside * (0.35 + 0.14 * len(n)) for modes, n in zip(chosen, names, strict=True)
        ]
        columns[f"{kind}_below"] = [found[modes][1] - aside * drop for modes in chosen]
    # Empty words above and below all sets, so that no marker is cut in half by the edge of the panel.
    top = found[()][1]
    columns |= {"margin_index": [0, 0], "margin_loss": [-0.04 * top, 1.04 * top], "margin": np.array(["", ""])}
    path = [found[modes] for modes in _visited(task, hidden)]
    columns["path_index"], columns["path_loss"] = [p[0] for p in path], [p[1] for p in path]
    least = min(_spectrum(task, modes, hidden, depth)[0] for modes in families)
    saddles = sum(found[modes][2] != "least" for modes in families)
    flat = sum(found[modes][2] == "flat" for modes in families)
    ties = f"Ties join {len(found)} sets into {len(families)}" if len(families) < len(found) else f"{len(found)} sets"
    balanced = f", {flat} of them flat at balanced points" if flat else ""
    largest = max(index for index, _, _ in found.values())
    columns["say"] = f"{ties}: {_count(saddles, 'saddle')}{balanced}; largest index {largest}, least curvature {words(least)}."
    return columns


def _visited(task: _Task, hidden: int) -> list[Modes]:
    """Return the sets near which training from small weights stays long: equal strengths are learnt together."""
    visited: list[Modes] = [()]
    for tied in task.ties:
        grown = visited[-1] + tied[: hidden - len(visited[-1])]
        if grown != visited[-1]:
            visited.append(tuple(sorted(grown)))
    return visited


def _spectrum(task: _Task, modes: Modes, hidden: int, depth: int) -> Any:
    return landscape.canonical_spectrum(task.moments, task.sorted_modes(modes), (3, *[hidden] * (depth - 1), 3))


@cache
def _swap(learnt: float, stronger: float, depth: int) -> float:
    """Return the eigenvalue of a swap, from the network that has this one way down and no other: h = 1, two modes."""
    return float(landscape.canonical_spectrum(Moments.white(np.diag([stronger, learnt])), (1,), (2, *[1] * (depth - 1), 2))[0])


@cache
def _wake(missing: float) -> float:
    """Return the eigenvalue of waking an unused unit of two layers: h = 1, one mode."""
    return float(landscape.canonical_spectrum(Moments.white([[missing]]), (), (1, 1, 1))[0])


def _down(task: _Task, modes: Modes, hidden: int, depth: int) -> Iterator[tuple[float, str, Modes]]:
    """Yield eigenvalue, name and goal of every way down that the Hessian sees."""
    others = [j for j in range(3) if j not in modes]
    for i in modes:
        for j in others:
            if task.s[j] > task.s[i]:
                goal = tuple(sorted({*modes, j} - {i}))
                yield _swap(task.s[i], task.s[j], depth), f"{i + 1}→{j + 1}", goal
    if depth == 2:
        for j in others:
            for _ in range(hidden - len(modes)):
                yield _wake(task.s[j]), f"+{j + 1}", tuple(sorted({*modes, j}))


def _ways(s2: float, s3: float, hidden: int, depth: int, chosen: str) -> dict[str, Any]:
    task, sets = _task(s2, s3), _found(s2, s3, hidden, depth)
    modes = SETS[NAMES.index(chosen)]
    if modes not in sets:
        fits = "1 hidden unit" if hidden == 1 else f"{hidden} hidden units"
        return _columns([], [], [], f"Set {chosen} does not pass through {fits}.")
    ways = sorted(_down(task, modes, hidden, depth), key=lambda way: way[0])
    point = landscape.critical_point(task.moments, task.sorted_modes(modes), (3, *[hidden] * (depth - 1), 3))
    there = landscape.classify(point, task.moments)
    found = there.eigenvalues[: there.index]
    star = [sets[modes][:2]]
    for goal in dict.fromkeys(way[2] for way in ways):
        star += [sets[goal][:2], sets[modes][:2]]
    if there.kind == "global minimum":
        say = f"Set {chosen} is the minimum: no way down."
    elif there.kind == "non-strict saddle":
        say = f"Set {chosen} is a flat saddle: no negative eigenvalue, and yet no minimum."
    else:
        gap = np.max(np.abs(np.array([way[0] for way in ways]) - found)) if len(ways) == len(found) else np.inf
        close = "equal to 12 digits" if gap < CLOSE * FIRST else f"apart by up to {words(gap)}"
        counts = f"{_count(len(ways), 'way')} down predicted, {_count(len(found), 'negative eigenvalue')} found"
        say = f"Set {chosen}: {counts}, {close}."
    return _columns(ways, found, star, say)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("s" if number != 1 else "")


def _columns(ways: Any, found: Any, star: Any, say: str) -> dict[str, Any]:
    index, loss = np.array(star, dtype=float).reshape(-1, 2).T
    return {
        "way": np.arange(len(ways)) + 1.0,
        "predicted": np.array([way[0] for way in ways]),
        "way_name": np.array([way[1] for way in ways], dtype=str),
        "top": np.zeros(len(ways)),
        "found_at": np.arange(len(found)) + 1.0,
        "found": np.array(found, dtype=float),
        "star_index": index,
        "star_loss": loss,
        "here_index": index[:1],
        "here_loss": loss[:1],
        "say": say,
    }
