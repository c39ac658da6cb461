"""The task with several contexts: a ReLU network, the gated networks that might explain it, and what its units do."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dlnlib import rectified
from dlnlib.explore._model import Choice, Explorer, Panel, Part, Series, Slider, words

__all__ = ["context_pathways"]

SHIFTS = ("as they are", "moved by the best shift")
NAMES = {"mixed": "mixed (ReLN)", "modular": "modular"}
SCALES = (7e-6, *rectified.SCALES[1:])  # the first as a reader wants to see it; it is 0.005/700


@cache
def _stored(contexts: int, scale: float) -> rectified.StoredRun:
    return rectified.stored_run(contexts, scale)


def _nearest(scale: float) -> float:
    """Return the stored start nearest to a position of the control; in a kernel it moves freely."""
    return min(rectified.SCALES, key=lambda stored: abs(np.log(stored / scale)))


def _losses(contexts: int, scale: float, shift: str) -> dict[str, Any]:
    run = _stored(contexts, _nearest(scale))
    moved = shift == SHIFTS[1]
    found: dict[str, Any] = {"t": run.t, "relu": np.maximum(run.losses["relu"] / run.losses["relu"][0], 1e-5)}
    said = []
    for kind, name in NAMES.items():
        raw, by, after = run.compared[kind]
        found[f"t_{kind}"] = np.maximum(run.t + (by if moved else 0.0), 0.0)
        found[kind] = np.maximum(run.losses[kind] / run.losses[kind][0], 1e-5)
        said.append(
            f"{name} {100 * (after if moved else raw):.1f} %" + (f" (shift {by:+.3f})".replace("-", "−") if moved else "")
        )
    floor = rectified.linear_floor(contexts) / run.losses["relu"][0]
    tenth = run.times["relu"][1]
    found |= {"ends": [0.0, run.t[-1]], "floor": [floor, floor]}
    found["say"] = (
        f"The ReLU network is at a tenth of the loss at t = {words(float(tenth))}. Largest distance from its curve, of the "
        f"first loss: {', '.join(said)}."
    )
    return found


def _shares(contexts: int, scale: float) -> dict[str, Any]:
    run = _stored(contexts, _nearest(scale))
    fewer = run.shares[:, 1:-2].sum(axis=1)
    last = run.shares[-1]
    say = f"At the end units open in all contexts carry {100 * last[-1]:.0f} %, in all but one {100 * last[-2]:.0f} %, "
    say += f"in fewer {100 * fewer[-1]:.0f} %."
    return {"t": run.t, "all": run.shares[:, -1], "but_one": run.shares[:, -2], "fewer": fewer, "say": say}


def context_pathways() -> Explorer:
    """Return the chart of the task with contexts: losses of ReLU and gated networks, and shares of the ReLU units.

    Number of contexts, size of the start and the shift of time move. Stored runs of `python -m dlnlib.rectified`.
    Chapter 10, `fig-context-pathways`.
    """
    return Explorer(
        name="context-pathways",
        controls=(
            Slider("contexts", "contexts C", tuple(float(C) for C in rectified.CONTEXTS), 3.0, whole=True),
            Slider("scale", "size of the start", SCALES, SCALES[0], log=True),
            Choice("shift", "gated networks", SHIFTS, SHIFTS[0]),
        ),
        parts=(
            Part("losses", _losses, ("contexts", "scale", "shift")),
            Part("shares", _shares, ("contexts", "scale"), digits=3),
        ),
        panels=(
            Panel("time t (summed loss)", "loss over first loss", y_log=True, x_domain=(0.0, 8.0), y_domain=(3e-3, 1.2)),
            Panel("time t (summed loss)", "share of the contributions", x_domain=(0.0, 8.0), y_domain=(0.0, 1.02)),
        ),
        series=(
            Series("ReLU", "losses", "t", "relu", "simulation", mode=0),
            Series("mixed (ReLN)", "losses", "t_mixed", "mixed", "theory", mode=1),
            Series("modular", "losses", "t_modular", "modular", "theory", mode=2),
            Series("linear floor", "losses", "ends", "floor", "other"),
            Series("open in all contexts", "shares", "t", "all", "line", mode=0, panel=1),
            Series("in all but one", "shares", "t", "but_one", "line", mode=1, panel=1),
            Series("in fewer", "shares", "t", "fewer", "line", mode=3, panel=1),
        ),
    )
