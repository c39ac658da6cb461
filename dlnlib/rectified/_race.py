"""The race of pathways in the contextual task, in closed form: modes, floor, rates, residual race, head start.

Losses are summed over the 8 C samples, times are those of that loss.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from dlnlib import exact
from dlnlib._validate import Array, as_count, as_rng, as_scalar, as_times, finite_result
from dlnlib.rectified._contextual import ITEMS, LEVELS, context_gates, item_task

__all__ = [
    "CommonModes",
    "common_loss",
    "common_modes",
    "leading_time",
    "learning_time",
    "linear_floor",
    "race_rates",
    "residual_loss",
    "table_modes",
]

KINDS = ("common", "mixed", "single")


def table_modes() -> Array:
    """Return the singular values of the property table, (8,), the uniform mode first: sigma^2 = 15, 7, 3, 3, 1, 1, 1, 1."""
    subtree = [2 ** (LEVELS - level) - 1 for level in range(LEVELS)]
    return np.sqrt(np.repeat(subtree, [1, *(2**level for level in range(LEVELS - 1))]).astype(np.float64))


class CommonModes(NamedTuple):
    """s, d : (K,), slope and curvature of each mode: its strength u obeys du/dt = 2 u (s - d u)."""

    s: Array
    d: Array


def common_modes(contexts: int) -> CommonModes:
    """Return the modes that the common path can learn, the uniform one first, then contexts, then items (`eq-common-modes`).

    contexts : C, from 2. K = C + 7: 1 uniform mode of items and contexts, C - 1 differences of contexts, 7 of items.
    """
    C, sigma = as_count("contexts", contexts, minimum=2), table_modes()
    uniform, difference = sigma[0] * np.sqrt((C + ITEMS) * (C + 1)), sigma[0] * np.sqrt(ITEMS)
    s = np.concatenate([[uniform], np.full(C - 1, difference), sigma[1:] * np.sqrt(C * (C + 1))])
    return CommonModes(s, np.concatenate([[C + ITEMS], np.full(C - 1, ITEMS), np.full(ITEMS - 1, C)]).astype(np.float64))


def linear_floor(contexts: int) -> float:
    """Return the least summed loss of any linear network, 17 (C - 1) / 2 (`eq-linear-floor`).

    contexts : C, from 2.
    """
    C = as_count("contexts", contexts, minimum=2)
    return float((C - 1) / 2 * np.sum(table_modes()[1:] ** 2))


def common_loss(t: ArrayLike, contexts: int, u0: float) -> Array:
    """Return the summed loss (n_t,) of the common path alone, from a decoupled start of strength u0 in every mode.

    t : (n_t,). contexts : C. u0 : positive.
    """
    times, modes, start = as_times("t", t), common_modes(contexts), as_scalar("u0", u0, positive=True)
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = [finite_result("t times the curvature of a mode", d * times) for d in modes.d]
        grown = np.stack([exact.strength(x, s / d, start, 2) for x, s, d in zip(scaled, *modes, strict=True)], axis=1)
        best = np.sum(modes.s**2 / modes.d) / 2
        return finite_result("the loss", np.asarray(linear_floor(contexts) + best - grown @ modes.s + grown**2 @ modes.d / 2))


def race_rates(contexts: int) -> dict[str, float]:
    """Return the rates at which pathways grow from small weights, in units of the item mode's sigma (`eq-race-rates`).

    contexts : C, from 2. "common": always on; "mixed": off in one context; "single": on in one; "residual": either of
    the last two once the common path has learnt what it can (`eq-residual-race`).
    """
    C = as_count("contexts", contexts, minimum=2)
    squares = {"common": C * (C + 1), "mixed": C * (C - 1), "single": 2, "residual": (C - 1) / C}
    return {name: float(np.sqrt(square)) for name, square in squares.items()}


def residual_loss(t: ArrayLike, contexts: int, u0: float) -> Array:
    """Return the summed loss (n_t,) after the common path has learnt: mixed and single pathways alike (`eq-residual-race`).

    t : (n_t,). contexts : C. u0 : strength of every pathway in every item mode at time 0, along the residual.
    """
    times, rate, start = as_times("t", t), race_rates(contexts)["residual"], as_scalar("u0", u0, positive=True)
    targets = rate * table_modes()[1:]
    with np.errstate(over="ignore", invalid="ignore"):
        left = np.stack([target - exact.strength(times, target, start, 2) for target in targets])
        return finite_result("the loss", np.asarray(contexts / 2 * np.sum(left**2, axis=0)))


def leading_time(contexts: int, kind: str) -> float:
    """Return lim sigma t / ln(1/a0) for an item mode to be learnt by the common path and one kind of pathway (`eq-leading-time`).

    contexts : C, from 2. kind : "mixed" or "single". a0 : size of all weights at the start.
    """
    rates, pathway = race_rates(contexts), _as_kind(kind)
    first = 1 / rates["common"]
    return first + (1 - rates[pathway] * first) / rates["residual"]


def learning_time(contexts: int, kind: str, a0: float, *, rng: np.random.Generator) -> float:
    """Return the time at which an item mode with sigma = 1 is half-way below the linear floor, by integrated flow.

    contexts, kind : as in `leading_time`. a0 : size of the start, from 1e-14 on: input weights a0, output weights random
    with standard deviation a0. The same flow as that of `item_network`, written for this one graph, which is quicker.
    """
    from scipy.integrate import solve_ivp

    pathway, size, generator = _as_kind(kind), as_scalar("a0", a0, positive=True), as_rng(rng)
    if not 1e-14 <= size <= 0.1:
        raise ValueError(f"a0 should lie between 1e-14 and 0.1, got {size:g}")
    C, Y = as_count("contexts", contexts, minimum=2), item_task(contexts, 1.0)[1]
    open_in = np.stack([*context_gates(np.arange(C), "mixed" if pathway == "mixed" else "modular").values()])
    paths = len(open_in)
    state = np.concatenate([np.full(paths, size), size * generator.standard_normal(paths * (C + 1))])

    def error(state: Array) -> tuple[Array, Array, Array]:
        a, B = state[:paths], state[paths:].reshape(paths, -1)
        return a, B, Y - (open_in * a[:, None]).T @ B

    def velocity(_: float, state: Array) -> Array:
        a, B, delta = error(state)
        pull = open_in @ delta
        return np.concatenate([np.sum(pull * B, axis=1), (pull * a[:, None]).ravel()])

    def half(_: float, state: Array) -> float:
        return float(np.sum(error(state)[2] ** 2) / 2 - (C - 1) / 4)

    half.terminal = True  # type: ignore[attr-defined]
    end = 2 * leading_time(C, pathway) * np.log(1 / size) + 20
    found = solve_ivp(velocity, (0.0, end), state, method="DOP853", rtol=1e-8, atol=1e-4 * size, events=half)
    return float(found.t[-1])


def _as_kind(kind: str) -> str:
    if not isinstance(kind, str) or kind not in KINDS[1:]:
        raise ValueError(f'kind should be "mixed" or "single", got {kind!r}')
    return kind
