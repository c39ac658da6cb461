"""Whitening flips the order: which of two directions a network learns first, with raw and with whitened inputs."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dlnlib._validate import Array
from dlnlib.exact import half_time, linear_regression_flow, time_to_strength, two_layer
from dlnlib.explore._model import Choice, Explorer, Panel, Part, Series, Slider, words
from dlnlib.moments import Moments
from dlnlib.network import product
from dlnlib.simulate import gradient_flow
from dlnlib.trajectory import Trajectory

__all__ = ["whitening_order"]

VARIANCE, TARGET = 0.25, 4.0  # of direction 1, which stays as it is
STARTS = {"1 layer, 0": 0.0, "2 layers, 0.1": 0.1, "2 layers, 0.01": 0.01, "2 layers, 0.0001": 1e-4}
TIMES = (0.02, 200.0)  # what the panels show
VARIANCES, TARGETS = (0.4, 80.0), (0.9, 9.0)  # what the map shows
LEADS = (0.05, 100.0)  # and the panel beside it
LEVELS = 1 / (1 + np.exp(-np.linspace(-5.8, 6.9, 20)))  # shares at which a curve is sampled, from 0.3 % to 99.9 %


def whitening_order() -> Explorer:
    """Return the chart of two directions that race, with raw inputs beside whitened ones (chapter 1, after `eq-early-growth`).

    Direction 1 is that of `def-flip-example`; the reader sets how much more the inputs vary along direction 2, how much
    smaller its target is, and whether the network has one layer or two, and how small these start. The panels show each
    strength as a share of its final value, gradient flow against closed forms: `eq-regression-flow` for one layer, and
    for two the logistic curve of chapter 3 in the time that the variance sets. The map shows where the two are half-way
    at the same time; between its two lines whitening reverses the order, and a click moves the point there. Beside it
    stands by what factor direction 2 is sooner.
    """
    ratios = ("variances", "targets")
    series = [
        *_race(0, "raw"),
        *_race(1, "white"),
        Series("equal growth rates", "map", "rates_x", "rates_y", "other", None, 2),
        Series("raw inputs", "map", "raw_x", "raw_y", "theory", 2, 2),
        Series("whitened inputs", "map", "white_x", "white_y", "theory", 3, 2),
        Series("", "map", "text_x", "text_y", "text", None, 2, text="text"),
        Series("", "place", "x", "y", "points", None, 2),
        Series("", "lead", "even_x", "even_y", "other", None, 3),
        Series("raw inputs", "lead", "x", "raw", "theory", 2, 3),
        Series("whitened inputs", "lead", "x", "white", "theory", 3, 3),
        Series("", "second", "lead_x", "raw_lead", "points", 2, 3),
        Series("", "second", "lead_x", "white_lead", "points", 3, 3),
    ]
    return Explorer(
        name="whitening-order",
        controls=(
            Slider("variances", "variances λ₂/λ₁", (0.5, 1.0, 2.0, 4.0, 6.0, 8.0, 12.0, 16.0, 32.0, 64.0), 16.0, log=True),
            Slider("targets", "targets w₁/w₂", (1.0, 2.0, 3.0, 4.0, 6.0, 8.0), 8.0, log=True),
            Choice("network", "network, start", tuple(STARTS), "2 layers, 0.01"),
        ),
        parts=(
            Part("first", first_direction, ("network",), digits=3),
            Part("second", second_direction, (*ratios, "network"), digits=3),
            Part("map", tie_map, ("network",)),
            Part("place", place, ratios),
            Part("lead", lead, ("targets", "network")),
        ),
        panels=(
            Panel("time t (τ), raw inputs", "share of final strength", x_log=True, x_domain=TIMES, y_domain=(0, 1.05)),
            Panel("time t (τ), whitened inputs", "share of final strength", x_log=True, x_domain=TIMES, y_domain=(0, 1.05)),
            Panel(
                "variance ratio λ₂ / λ₁",
                "target ratio w₁ / w₂",
                x_log=True,
                y_log=True,
                x_domain=VARIANCES,
                y_domain=TARGETS,
                pick=ratios,
            ),
            Panel(
                "variance ratio λ₂ / λ₁",
                "half-way times t₁ / t₂",
                x_log=True,
                y_log=True,
                x_domain=VARIANCES,
                y_domain=LEADS,
            ),
        ),
        series=tuple(series),
        presets={
            "the chapter's example": {"variances": 16.0, "targets": 8.0, "network": "2 layers, 0.01"},
            "whitening keeps the order": {"variances": 4.0, "targets": 8.0, "network": "2 layers, 0.01"},
            "one layer": {"network": "1 layer, 0"},
        },
    )


def _race(panel: int, inputs: str) -> list[Series]:
    series = [Series("half-way", "first", "half_t", "half_y", "other", None, panel)]
    for k, part in enumerate(("first", "second")):
        series += [
            Series(f"direction {k + 1}, flow", part, f"{inputs}_t", f"{inputs}_flow", "simulation", k, panel),
            Series("closed form", part, f"{inputs}_t", f"{inputs}_exact", "theory", k, panel),
            Series("", part, f"{inputs}_at", f"{inputs}_half", "points", k, panel),
        ]
    return series


def first_direction(network: str) -> dict[str, Any]:
    """Return the curves of direction 1, and the level of half the final strength."""
    return {**_curves(VARIANCE, TARGET, network), "half_t": np.array(TIMES), "half_y": np.array([0.5, 0.5])}


def second_direction(variances: float, targets: float, network: str) -> dict[str, Any]:
    """Return the curves of direction 2, and who is first."""
    one, two = _curves(VARIANCE, TARGET, network), _curves(VARIANCE * variances, TARGET / targets, network)
    sooner = {f"{inputs}_lead": one[f"{inputs}_at"] / two[f"{inputs}_at"] for inputs in ("raw", "white")}
    return {**two, **sooner, "lead_x": np.array([variances]), "say": _sentence(one, two, network)}


def place(variances: float, targets: float) -> dict[str, Any]:
    """Return where the controls stand on the map."""
    return {"x": np.array([variances]), "y": np.array([targets])}


def tie_map(network: str) -> dict[str, Any]:
    """Return the lines on which both directions are half-way at the same time, from the closed forms.

    One layer is ruled by the variances alone, and by nothing after whitening.
    """
    a0, nowhere = STARTS[network], np.zeros(0)
    if a0 == 0:
        lines = {"raw_x": np.ones(2), "raw_y": np.array(TARGETS), "white_x": nowhere, "white_y": nowhere}
        texts = {"text_x": [6.0], "text_y": [2.6], "text": ["whitened: always a tie"]}
        return {**lines, "rates_x": nowhere, "rates_y": nowhere, **{key: np.array(value) for key, value in texts.items()}}
    q = np.geomspace(*TARGETS, 40)
    # Time counts in units of 1 / variance, so the variance at which a time is reached is a ratio of times.
    raw = half_time(TARGET / q, a0**2, 2) / half_time(TARGET, a0**2, 2)
    texts = {"text_x": [0.8, 9.0, 25.0], "text_y": [3.4, 4.2, 2.2], "text": ["1 first", "flip", "2 first"]}
    return {
        **{"raw_x": raw, "raw_y": q, "white_x": q**2, "white_y": q, "rates_x": q, "rates_y": q},
        **{key: np.array(value) for key, value in texts.items()},
    }


def lead(targets: float, network: str) -> dict[str, Any]:
    """Return how many times sooner direction 2 is half-way, against the ratio of the variances, from the closed forms."""
    ratio, a0 = np.geomspace(*VARIANCES, 24), STARTS[network]
    depth, deviation = 2 if a0 else 1, np.sqrt(VARIANCE)
    raw = ratio * half_time(TARGET, a0**2, depth) / half_time(TARGET / targets, a0**2, depth)
    white = half_time(TARGET * deviation, a0**2, depth) / half_time(TARGET / targets * deviation * np.sqrt(ratio), a0**2, depth)
    return {"x": ratio, "raw": raw, "white": white, "even_x": np.array(VARIANCES), "even_y": np.ones(2)}


# -- one direction ---------------------------------------------------------------------------------------------------


@cache
def _curves(variance: float, target: float, network: str) -> dict[str, Any]:
    a0 = STARTS[network]
    found: dict[str, Any] = {}
    # Whitened, the same direction has variance one and its target is longer by the standard deviation.
    for name, lam, w in (("raw", variance, target), ("white", 1.0, target * np.sqrt(variance))):
        times = _times(lam, w, a0)
        flow = _flow(lam, w, a0 > 0)
        member = list(STARTS.values()).index(a0) - 1 if a0 > 0 else 0
        share = product(flow.at(times))[:, member, 0, 0] / w
        found |= {f"{name}_t": times, f"{name}_flow": share, f"{name}_exact": _exact(times, lam, w, a0) / w}
        half = _half(flow, member, w, times, share)
        found |= {f"{name}_at": np.array([half]), f"{name}_half": np.array([0.5])}
    return found


def _task(lam: float, w: float) -> Moments:
    return Moments.from_teacher(np.array([[w]]), np.array([[lam]]))


def _exact(t: Array, lam: float, w: float, a0: float) -> Array:
    if a0 == 0:
        return linear_regression_flow(np.zeros((1, 1)), _task(lam, w), t).product[:, 0, 0]
    return two_layer(lam * t, w, a0, a0).u


def _times(lam: float, w: float, a0: float) -> Array:
    """Return the ends of the panel, and the times at which the curve passes each level."""
    levels = LEVELS if a0 == 0 else LEVELS[LEVELS * w > a0**2]
    times = time_to_strength(levels * w, w, a0**2, 1 if a0 == 0 else 2) / lam
    return np.r_[TIMES[0], times[(times > TIMES[0]) & (times < TIMES[1])], TIMES[1]]


@cache
def _flow(lam: float, w: float, deep: bool) -> Trajectory:
    """Return the integrated flow of one direction, for all starts of two layers in one batch; stiff once it is learnt."""
    starts = np.array([a for a in STARTS.values() if a > 0])[:, None, None]
    start = (starts, starts) if deep else (np.zeros((1, 1, 1)),)
    return gradient_flow(start, _task(lam, w), np.array(TIMES), rtol=1e-7, atol=1e-13, method="LSODA")


def _half(flow: Trajectory, member: int, w: float, times: Array, share: Array) -> float:
    """Return when the flow is half-way, between the two samples that enclose it."""
    if share[0] >= 0.5:
        return float(times[0])
    i = int(np.argmax(share > 0.5))
    fine = np.geomspace(times[i - 1], times[i], 30)
    return float(np.interp(0.5, product(flow.at(fine))[:, member, 0, 0] / w, fine))


# -- in words --------------------------------------------------------------------------------------------------------


def _sentence(one: dict[str, Any], two: dict[str, Any], network: str) -> str:
    winners, pieces = [], []
    for inputs, name in (("raw", "Raw"), ("white", "Whitened")):
        times = float(one[f"{inputs}_at"][0]), float(two[f"{inputs}_at"][0])
        early, late = sorted(times)
        tie = late < 1.004 * early
        winners.append(0 if tie else 1 + times.index(early))
        how = f"direction {winners[-1]} half-way first, {words(early)} against {words(late)} ({words(late / early)} times sooner)"
        pieces.append(f"{name}: {f'both half-way at {words(early)}' if tie else how}.")
    return " ".join([*pieces, _verdict(*winners, layered=STARTS[network] > 0)])


def _verdict(raw: int, white: int, *, layered: bool) -> str:
    if not layered:
        return "Whitening makes one layer learn all directions alike."
    if raw == white:
        return "Whitening keeps the order." if raw else "Both are alike."
    if not raw:
        return "A tie: the flip begins here."
    return "Whitening reverses the order." if white else "A tie: the flip ends here."
