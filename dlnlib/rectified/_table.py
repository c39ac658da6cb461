"""Long runs on the contextual task: computed by a command, stored, read by the book."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from dlnlib import _stored
from dlnlib._validate import Array, as_count, as_scalar, finite_result
from dlnlib.rectified._compare import compare_losses, time_to
from dlnlib.rectified._contextual import ContextualTask, as_task, contextual_network, contextual_task
from dlnlib.rectified._network import Run, gradient_descent
from dlnlib.rectified._pathways import contributions, extract_pathways, pathway_network, relative_gates
from dlnlib.simulate import gradient_descent as gated_descent

__all__ = [
    "CONTEXTS",
    "SCALES",
    "StoredRun",
    "build",
    "rectified_run",
    "shares_by_contexts",
    "stored_groups",
    "stored_run",
    "stored_runs",
    "stored_tiny",
]

CONTEXTS, SCALES, SEEDS = (3, 4, 5), (0.005 / 700, 1e-4, 1e-3, 1e-2), (0, 1, 2)
TINY = (0.005 / 700, 1e-8, 1e-11, 1e-14)
UNITS, WIDTH, STEP, STEPS = 700, 100, 1e-3, 8000
FINE = [*range(0, 2000, 10), *range(2000, STEPS + 1, 25)]  # steps at which losses are compared
THIN = [*range(0, 1200, 50), *range(1200, 3000, 100), *range(3000, STEPS + 1, 250)]  # steps that are stored
LEVELS = (0.5, 0.1, 0.01)


def rectified_run(
    task: ContextualTask, scale: float, seed: int, *, n_steps: int = STEPS, record: Sequence[int] = tuple(THIN)
) -> Run:
    """Return the descent of 700 rectified units on the contextual task, the loss summed, with step 0.001.

    task : from `contextual_task`. scale : standard deviation of every starting weight. seed : of the start.
    n_steps : of the descent. record : steps whose weights are kept.
    """
    as_task(task)
    size, count = as_scalar("scale", scale, nonnegative=True), as_count("n_steps", n_steps, minimum=0)
    rng = np.random.default_rng(as_count("seed", seed, minimum=0))
    shapes = ((UNITS, task.X.shape[1]), (task.Y.shape[1], UNITS))
    with np.errstate(over="ignore"):
        start = tuple(size * rng.standard_normal(shape) for shape in shapes)
    kept = [n for n in _as_record(record) if n <= count]
    return gradient_descent(start, task.X, task.Y, STEP, count, sample_weights=np.ones(len(task.X)), record=kept)


def shares_by_contexts(weights: Sequence[Any], task: ContextualTask) -> Array:
    """Return which share of all contributions comes from units that fire in 0, 1, ..., C contexts, (C + 1,).

    A unit fires in a context if its relative gate is open on any of the items there.
    weights : (W_1, W_2). task : from `contextual_task`.
    """
    gate = relative_gates(weights, as_task(task).X)
    fires = np.stack([gate[task.context == c].any(axis=0) for c in range(task.contexts)]).sum(axis=0)
    size = contributions(weights, task.X)
    with np.errstate(over="ignore"):
        total = finite_result("the sum of all contributions", size.sum())
    if not total > 0:
        raise ValueError("no unit contributes to any output; train the network first, or start it anew")
    return np.bincount(fires, weights=size, minlength=task.contexts + 1) / total


class StoredRun(NamedTuple):
    """One start of the contextual task, as stored.

    contexts, scale, seed : of the run. t : (n_t,) times. losses : name -> (n_t,) for "relu", "mixed" and "modular".
    times : name -> times to half, a tenth and a hundredth of the first loss, inf if not reached. compared : name -> (raw
    deviation, shift, deviation after the shift) from the rectified network. shares : (n_t, C + 1) of `shares_by_contexts`.
    """

    contexts: int
    scale: float
    seed: int
    t: Array
    losses: dict[str, Array]
    times: dict[str, Array]
    compared: dict[str, Array]
    shares: Array


def one_run(contexts: int, scale: float, seed: int, kinds: Sequence[str], curves: bool) -> dict[str, Any]:
    """Compute one entry of the table: the rectified network and gated networks of the given kinds from one scale."""
    task = contextual_task(contexts)
    relu = rectified_run(task, scale, seed)
    t, losses = STEP * np.array(FINE), {"relu": relu.history[FINE]}
    for kind in kinds:
        network, seen = contextual_network(task, kind, WIDTH)
        start = network.gaussian(scale, rng=np.random.default_rng(seed))
        losses[kind] = gated_descent(start, seen, STEP, STEPS, record=FINE).loss
    entry: dict[str, Any] = {"contexts": contexts, "scale": scale, "seed": seed}
    entry["times"] = {kind: [_finite(time_to(t, loss, level)) for level in LEVELS] for kind, loss in losses.items()}
    most = {"mixed alone": 3 / 16, "modular alone": 3 / 8}
    entry["compared"] = {
        kind: _brief(compare_losses(t, losses["relu"], losses[kind], most=most.get(kind, 1 / 16) * t[-1]), 4) for kind in kinds
    }
    if curves:
        thin = np.isin(FINE, THIN)
        entry["losses"] = {kind: _brief(losses[kind][thin], 4) for kind in ("relu", "mixed", "modular")}
        layers = [tuple(W[k] for W in relu.weights) for k in range(len(THIN))]
        entry["shares"] = _brief(np.array([shares_by_contexts(weights, task) for weights in layers]), 3)
    return entry


def groups(contexts: int, seed: int) -> dict[str, Any]:
    """Compute what becomes of the final gates: pathways, restarts with them, one and one."""
    task = contextual_task(contexts)
    relu = rectified_run(task, SCALES[0], seed)
    start, ones, t = tuple(W[0] for W in relu.weights), np.ones(len(task.X)), STEP * np.array(FINE)
    gate, size = relative_gates(relu.final, task.X), contributions(relu.final, task.X)
    strong = size >= 0.01 * size.max()
    patterns = {tuple(row) for row in gate.T[strong]}
    found = extract_pathways(relu.final, task.X, contexts + 1)
    network, seen = pathway_network(found.gates, task.X, task.Y, WIDTH, sample_weights=ones)
    rebuilt = gated_descent(network.gaussian(SCALES[0], rng=np.random.default_rng(seed)), seen, STEP, STEPS, record=FINE).loss
    frozen = gradient_descent(start, task.X, task.Y, STEP, STEPS, gates=(gate,), sample_weights=ones, record=[STEPS]).history
    compared = {"rebuilt": rebuilt, "frozen": frozen[FINE]}
    return {
        "contexts": contexts, "seed": seed, "strong": int(strong.sum()), "patterns": len(patterns),
        "open": _brief(np.array([[row[task.context == c].sum() for c in range(contexts)] for row in found.gates]), 3),
        "share": _brief(found.share, 3), "agreement": _brief(found.agreement, 3),
        "times": {name: [_finite(time_to(t, loss, level)) for level in LEVELS] for name, loss in compared.items()},
        "compared": {
            name: _brief(compare_losses(t, relu.history[FINE], loss, most=3 / 16 * t[-1]), 4) for name, loss in compared.items()
        },
    }  # fmt: skip


def tiny_start(contexts: int, scale: float, n_steps: int = 14_000) -> dict[str, Any]:
    """Compute the times of the rectified and of the mixed network, and how large later units are after the first mode.

    grown : for the units that end in pathways shut in some context, how large |w||v| was when the loss first fell below 0.7
    of its first value, over its last value; the median, weighted by what they contribute at the end.
    """
    task, t = contextual_task(contexts), STEP * np.arange(0, n_steps + 1, 10)
    history = rectified_run(task, scale, 0, n_steps=n_steps, record=[n_steps]).history
    first = int(np.flatnonzero(history < 0.7 * history[0])[0])
    relu = rectified_run(task, scale, 0, n_steps=n_steps, record=[first, n_steps])
    sizes = [np.linalg.norm(W1, axis=1) * np.linalg.norm(W2, axis=0) for W1, W2 in zip(*relu.weights, strict=True)]
    found = extract_pathways(relu.final, task.X, contexts + 1)
    later = np.concatenate([units for units, gates in zip(found.units, found.gates, strict=True) if not gates.all()])
    share = contributions(relu.final, task.X)[later]
    grown = (sizes[0] / sizes[1])[later]
    order = np.argsort(grown)
    median = grown[order][np.searchsorted(np.cumsum(share[order]), share.sum() / 2)]
    network, seen = contextual_network(task, "mixed", WIDTH)
    start = network.gaussian(scale, rng=np.random.default_rng(0))
    mixed = gated_descent(start, seen, STEP, n_steps, record=[*range(0, n_steps + 1, 10)]).loss
    losses = {"relu": relu.history[::10], "mixed": mixed}
    times = {name: [_finite(time_to(t, loss, level)) for level in LEVELS] for name, loss in losses.items()}
    return {"contexts": contexts, "scale": scale, "times": times, "grown": _brief(median, 3)}


def build() -> dict[str, Any]:
    """Compute everything that is stored; takes about fifteen minutes on one core."""
    runs = []
    for contexts in CONTEXTS:
        for scale in SCALES:
            alone = ("mixed alone", "modular alone") if scale == SCALES[0] else ()
            runs.append(one_run(contexts, scale, 0, ("mixed", "modular", "linear", *alone), True))
        runs += [one_run(contexts, SCALES[0], seed, ("mixed", "modular"), False) for seed in SEEDS[1:]]
    return {
        "t": _brief(STEP * np.array(THIN), 6),
        "runs": runs,
        "groups": [groups(C, seed) for C in CONTEXTS for seed in SEEDS[:2]],
        "tiny": [tiny_start(C, scale) for C in (CONTEXTS[0], CONTEXTS[-1]) for scale in TINY],
    }


def stored_runs() -> list[StoredRun]:
    """Return all stored runs; those of seeds 1 and 2 have no curves and no shares."""
    table = _stored.read("dlnlib.rectified")
    t = np.array(table["t"])
    return [_read(t, entry) for entry in table["runs"]]


def stored_run(contexts: int, scale: float = SCALES[0], seed: int = 0) -> StoredRun:
    """Return one stored run. contexts : 3, 4 or 5. scale : one of SCALES. seed : 0, and 1 or 2 for the smallest scale."""
    number, size, start = as_count("contexts", contexts), as_scalar("scale", scale), as_count("seed", seed, minimum=0)
    for run in stored_runs():
        if (run.contexts, run.seed) == (number, start) and abs(run.scale - size) <= 1e-8 + 1e-5 * abs(size):
            return run
    raise ValueError(f"stored are contexts {CONTEXTS}, scales {SCALES} and seed 0; got {contexts!r}, {scale!r}, {seed!r}")


def stored_groups() -> list[dict[str, Any]]:
    """Return what became of the final gates, for 3, 4 and 5 contexts and seeds 0 and 1.

    A list of dictionaries: contexts, seed, strong (units), patterns (different ones among them), open (items on which each
    pathway is open, by context), share and agreement of the pathways, times and compared of "rebuilt" and "frozen" networks.
    """
    return [
        {**entry, "times": {name: _times(values) for name, values in entry["times"].items()}}
        for entry in _stored.read("dlnlib.rectified")["groups"]
    ]


def stored_tiny() -> list[dict[str, Any]]:
    """Return what smaller starts do, for 3 and 5 contexts: dictionaries with contexts, scale, times and grown.

    times : "relu" and "mixed" -> times to half, a tenth and a hundredth of the first loss. grown : as in `tiny_start`.
    """
    return [
        {**entry, "times": {name: _times(values) for name, values in entry["times"].items()}}
        for entry in _stored.read("dlnlib.rectified")["tiny"]
    ]


def _as_record(record: Sequence[int]) -> list[int]:
    try:
        return [as_count("record", n, minimum=0) for n in record]
    except TypeError:
        raise ValueError(f"record should be a list of steps, got {record!r}") from None


def _read(t: Array, entry: dict[str, Any]) -> StoredRun:
    losses = {kind: np.array(values) for kind, values in entry.get("losses", {}).items()}
    compared = {kind: np.array(values) for kind, values in entry["compared"].items()}
    times = {kind: _times(values) for kind, values in entry["times"].items()}
    shares = np.array(entry.get("shares", []))
    return StoredRun(entry["contexts"], entry["scale"], entry["seed"], t, losses, times, compared, shares)


def _times(values: Sequence[float | None]) -> Array:
    return np.array([np.inf if value is None else value for value in values])


def _finite(value: float) -> float | None:
    return float(f"{value:.4g}") if np.isfinite(value) else None


def _brief(values: Any, digits: int) -> Any:
    """Return numbers for the table; losses and shares below the sixth decimal say nothing."""
    return _stored.short(values, digits, decimals=6)
