"""Scores of trained networks beside those of rotated copies: what a score is worth."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dlnlib import disentanglement as dis
from dlnlib._validate import Array, Weights
from dlnlib.explore._model import Choice, Explorer, Panel, Part, Series, Slider, words
from dlnlib.initialise import gaussian
from dlnlib.moments import Moments

__all__ = ["score_test"]

RULES = ("descent", "Adam", "dropout")
BASES = ("neurons", "singular basis")
RATIOS = (0.5, 0.7, 0.9, 1.0)
SCALES = (0.001, 0.1, 1.0)
FACTORS, NETWORKS, COPIES = 3, 200, 39
EDGES = np.linspace(0.5, 1.0, 26)
P_EDGES = np.linspace(0.0, 1.0, 11) + 1e-9  # four of the p-values 1/40, ..., 1 in each bin
STRONGEST = 2.0


@cache
def _trained(rule: str, ratio: float, scale: float) -> Array:
    """Return first layers (NETWORKS, 3, 3) of networks that have learnt three factors, the coordinates of the input."""
    k = FACTORS
    task = Moments.white(np.diag(STRONGEST * ratio ** np.arange(k)))
    start: Weights = gaussian((k, k, k), rng=np.random.default_rng(11), scale=scale, batch=(NETWORKS,))
    step = 0.2 if scale < 0.5 else 0.08  # large weights are sharp
    if rule == "Adam":
        return dis.train(start, task, 0.02, 400, rule="adam")[0]
    if rule == "dropout":
        return dis.train(start, task, step, round(60 / step), keep=0.9)[0]
    return dis.train(start, task, step, round(30 / step))[0]


@cache
def _scores(rule: str, ratio: float, scale: float, basis: str) -> tuple[Array, Array]:
    """Return the scores of the networks (NETWORKS,), and those of their rotated copies (COPIES, NETWORKS)."""
    W1 = _trained(rule, ratio, scale)
    test = dis.rotation_test(W1, np.eye(FACTORS), draws=COPIES, rng=np.random.default_rng(12))
    own = test.score if basis == "neurons" else dis.matching_score(dis.correlations(dis.singular_readout(W1), np.eye(FACTORS)))
    return own, test.baseline


def _histograms(rule: str, ratio: float, scale: float, basis: str) -> dict[str, Any]:
    own, copies = _scores(rule, ratio, scale, basis)
    shares = [np.histogram(np.clip(values, EDGES[0], EDGES[-1]), bins=EDGES)[0] / values.size for values in (own, copies.ravel())]
    error = np.sqrt(own.var() / len(own) + copies.var() / len(own))
    read = "Neurons" if basis == "neurons" else "The singular basis"
    score = "score" if basis == "neurons" else "scores"
    gap = own.mean() - copies.mean()
    verdict = "no different from" if abs(gap) < 3 * error else ("above" if gap > 0 else "below")
    say = f"{read} {score} {words(own.mean())} on average, {verdict} the {words(copies.mean())} of randomly rotated copies."
    p = (1 + np.sum(copies >= own, axis=0)) / (COPIES + 1)
    return {
        "score": (EDGES[1:] + EDGES[:-1]) / 2,
        "own": shares[0],
        "copies": shares[1],
        "p": (P_EDGES[1:] + P_EDGES[:-1]) / 2,
        "found": np.histogram(p, bins=P_EDGES)[0] / NETWORKS,
        "even": np.full(10, 0.1),
        "say": say,
    }


def score_test() -> Explorer:
    """Return the chart of matching scores of trained networks and of their rotated copies.

    Learning rule, ratio of neighbouring strengths, scale of the start and the basis that is read move. Three factors, three
    neurons, 200 networks, 39 rotated copies each (`eq-rotation-test`); right, the p-values. Chapter 11, `fig-score-test`.
    """
    controls = ("rule", "ratio", "scale", "basis")
    return Explorer(
        name="score-test",
        controls=(
            Choice("rule", "learning", RULES, "descent"),
            Choice("basis", "read in", BASES, "neurons"),
            Slider("ratio", "ratio of strengths", RATIOS, 1.0),
            Slider("scale", "scale of the start", SCALES, 0.001, log=True),
        ),
        parts=(Part("scores", _histograms, controls, digits=3),),
        panels=(
            Panel("matching score", "share", x_domain=(0.5, 1.0)),
            Panel("p-value of the rotation test", "share of the networks", x_domain=(0.0, 1.0)),
        ),
        series=(
            Series("networks", "scores", "score", "own", "bars", mode=0),
            Series("rotated copies", "scores", "score", "copies", "theory", mode=1),
            Series("networks", "scores", "p", "found", "bars", mode=0, panel=1),
            Series("even shares", "scores", "p", "even", "theory", panel=1),
        ),
    )
