"""Effective rank of products of random layers: what depth does to it, and what the ensemble does."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dlnlib._validate import Array
from dlnlib.explore._model import Choice, Explorer, Panel, Part, Series, Slider, words
from dlnlib.lowrank import random_product_ranks, wide_effective_rank

__all__ = ["rank_of_products"]

ENSEMBLES = ("Gaussian", "uniform", "orthogonal")
KINDS = {"singular values": 1.0, "their squares": 2.0}
DEPTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
WIDTHS = (8, 16, 32)
DRAWS = 100
EDGES = np.arange(0.75, 32.5, 0.5)  # of the bins; one is centred on each whole number


@cache
def _ranks(ensemble: str, width: int, kind: str, depths: tuple[int, ...] = DEPTHS) -> Array:
    """Return effective ranks, (n_depths, DRAWS), the same at each call."""
    rng = np.random.default_rng([width, ENSEMBLES.index(ensemble)])
    draws = 10 if ensemble == "orthogonal" else DRAWS  # they are all alike
    return random_product_ranks(ensemble.lower(), width, depths, draws=draws, rng=rng, power=KINDS[kind])


def _limit(ensemble: str, width: int, kind: str, depth: int) -> float:
    return float(width) if ensemble == "orthogonal" else width * wide_effective_rank(depth, KINDS[kind])


def _draws(ensemble: str, width: int, kind: str, depth: int) -> dict[str, Any]:
    # Between the positions of the page only one depth is wanted.
    found = _ranks(ensemble, width, kind)[DEPTHS.index(depth)] if depth in DEPTHS else _ranks(ensemble, width, kind, (depth,))[0]
    counts = np.histogram(found, bins=EDGES)[0]
    used = slice(max(int(np.flatnonzero(counts)[0]) - 1, 0), int(np.flatnonzero(counts)[-1]) + 2)
    limit = _limit(ensemble, width, kind, depth)
    if ensemble == "orthogonal":
        say = f"Orthogonal layers: every singular value is 1, and the effective rank is {words(found.mean())} in every draw."
    else:
        say = (
            f"{ensemble} layers: mean effective rank {words(found.mean())} of {width}, between {words(found.min())} and "
            f"{words(found.max())} in {DRAWS} draws; wide limit {words(limit)}"
        )
        say += ", which no rank can reach." if limit < 1 else "."
    return {
        "rank": (EDGES[:-1] + 0.25)[used],
        "share": counts[used] / len(found),
        "mean": [found.mean()],
        "depth": [depth],
        "say": say,
    }


def _means(ensemble: str, width: int, kind: str) -> dict[str, Any]:
    return {
        "L": DEPTHS,
        "mean": _ranks(ensemble, width, kind).mean(axis=1),
        "limit": [_limit(ensemble, width, kind, L) for L in DEPTHS],
    }


def rank_of_products() -> Explorer:
    """Return the chart of the effective rank of products of random layers.

    Ensemble, width, depth and the spectrum that is shared out move (`def-effective-rank`). Left, how the rank is
    distributed over draws; right, its mean against depth and the limit for wide layers (`eq-wide-effective-rank`).
    Chapter 6, Before any learning.
    """
    return Explorer(
        name="rank-of-products",
        controls=(
            Choice("ensemble", "layers", ENSEMBLES, "Gaussian"),
            Slider("depth", "depth L", DEPTHS, 16, log=True, whole=True),
            Slider("width", "width N", WIDTHS, 32, whole=True),
            Choice("kind", "shared out", tuple(KINDS), "singular values"),
        ),
        parts=(
            Part("draws", _draws, ("ensemble", "width", "kind", "depth"), digits=3),
            Part("means", _means, ("ensemble", "width", "kind"), digits=4),
        ),
        panels=(
            Panel("effective rank", "share of the draws", x_domain=(0.0, 33.0)),
            Panel("depth L", "mean effective rank", x_log=True, y_log=True, x_domain=(0.9, 36.0), y_domain=(0.7, 40.0)),
        ),
        series=(
            Series("draws", "draws", "rank", "share", "bars", mode=0),
            Series("mean of the draws", "means", "L", "mean", "points", mode=0, panel=1),
            Series("wide limit", "means", "L", "limit", "theory", panel=1),
            Series("chosen depth", "draws", "depth", "mean", "points", mode=3, panel=1),
        ),
    )
