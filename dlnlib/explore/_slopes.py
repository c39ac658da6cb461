"""What a perfect sampler reports at every temperature, and how slowly it nears the learning coefficient."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dlnlib.explore._model import Choice, Explorer, Panel, Part, Series, Slider, words
from dlnlib.slt import finite_temperature, learning_coefficient, two_layer_energy

__all__ = ["bent_slopes"]

NETWORKS = {"1, 1, 1": (1, 1, 1), "2, 1, 2": (2, 1, 2), "2, 2, 2": (2, 2, 2), "3, 2, 3": (3, 2, 3), "5, 3, 5": (5, 3, 5)}
PRECISIONS = (0.1, 1.0, 10.0)
N_BETA = np.logspace(0, 7, 22)  # 1e7 is the most that the quadrature is trusted with at the smallest precision
LEADING = N_BETA[N_BETA > 8]  # nearer to 1 the logarithm is no large number
MARKED = (1e3, 1e7)


@cache
def _energy(network: str, precision: float) -> tuple[float, ...]:
    return tuple(two_layer_energy(NETWORKS[network], N_BETA, precision).tolist())


def _slopes(network: str, precision: float) -> dict[str, Any]:
    energy = np.array(_energy(network, precision))
    one = learning_coefficient(NETWORKS[network])
    value = float(one)
    leading = np.array([finite_temperature(one, n_beta) for n_beta in LEADING])
    at = [float(energy[np.argmin(np.abs(np.log(N_BETA / n_beta)))]) for n_beta in MARKED]
    bent = one.multiplicity > 1
    said = f"λ = {words(value)}, multiplicity {one.multiplicity}. "
    said += f"A perfect sampler reports {words(at[0])} at nβ = {words(MARKED[0])} and {words(at[1], 5)} at {words(MARKED[1])}"
    missing = [words(100 * (1 - found / value), 2) for found in at]
    said += f": {missing[0]} and {missing[1]} % too little"
    said += f"; the leading order says {words(float(leading[-1]), 4)} there." if bent else "."
    return {
        "n_beta": np.log10(N_BETA),
        "energy": energy,
        "gap": value - energy,
        "late": np.log10(LEADING),
        "leading": leading,
        "bent": np.log10(LEADING) if bent else [],
        "missing": value - leading if bent else [],
        "say": said,
    }


def _reference(network: str) -> dict[str, Any]:
    energy = np.array(_energy(network, 1.0))
    value = float(learning_coefficient(NETWORKS[network]))
    where = np.log10(N_BETA)
    return {"n_beta": where, "energy": energy, "gap": value - energy, "ends": where[[0, -1]], "value": [value, value]}


def bent_slopes() -> Explorer:
    """Return the chart of n_beta E[K] of a perfect sampler against n_beta, and of what it lacks of lambda.

    The network and the precision of the prior move; two layers, teacher of zero. Solid is exact (`eq-energy-slope`,
    `eq-partition`), dashed the leading order (`eq-finite-temperature`), thin lambda
    and the exact curve at precision 1, from which another is shifted by 2 log10 of the precision. Chapter 12, `fig-bent-slopes`.
    """
    return Explorer(
        name="bent-slopes",
        controls=(
            Choice("network", "widths", tuple(NETWORKS), "5, 3, 5"),
            Slider("precision", "localisation γ", PRECISIONS, 1.0, log=True),
        ),
        parts=(
            Part("slopes", _slopes, ("network", "precision")),
            Part("reference", _reference, ("network",)),
        ),
        panels=(
            Panel("log₁₀ nβ", "nβ E[K]"),
            Panel("log₁₀ nβ", "λ − nβ E[K]", y_log=True),
        ),
        series=(
            Series("λ", "reference", "ends", "value", "other"),
            Series("exact at γ = 1", "reference", "n_beta", "energy", "other", mode=2),
            Series("exact", "slopes", "n_beta", "energy", "simulation", mode=0),
            Series("leading order", "slopes", "late", "leading", "theory", mode=1),
            Series("exact at γ = 1", "reference", "n_beta", "gap", "other", mode=2, panel=1),
            Series("exact", "slopes", "n_beta", "gap", "simulation", mode=0, panel=1),
            Series("leading order", "slopes", "bent", "missing", "theory", mode=1, panel=1),
        ),
    )
