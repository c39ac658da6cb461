"""Theory against sampling over widths and prior variances, and transfer between tasks: computed by a command and stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlnlib import _stored
from dlnlib._validate import Array, as_array, as_count, as_scalar, as_seeds, finite_result
from dlnlib.global_gates._gates import error_of_mean, half_space_gates, related_tasks, task_error, unit_inputs
from dlnlib.global_gates._saddle import saddle
from dlnlib.global_gates._sampling import gibbs, mixture, network_outputs
from dlnlib.global_gates._task import Task

__all__ = [
    "CHART_CORRELATIONS",
    "CHART_EXAMPLES",
    "CHART_WIDTHS",
    "build",
    "regression",
    "regression_cell",
    "stored_curves",
    "stored_regression",
    "stored_transfer",
    "task_correlation",
    "transfer_cell",
    "transfer_curve",
]

WIDTHS = (10, 20, 40, 100, 400)
VARIANCES = (1.0, 4.0)
TRANSFER_WIDTHS = (2, 3, 4, 6, 12, 30, 100, 300, 1000)
CORRELATIONS = (0.0, 0.8, 1.0)
CHART_WIDTHS = (2, 3, 6, 12, 30, 100, 300, 1000)
CHART_CORRELATIONS = (0.0, 0.3, 0.6, 0.8, 0.9, 1.0)
CHART_EXAMPLES = (6, 12, 24, 36)
SEEDS, DRAWS, SWEEPS, CHAINS = 5, 4000, 400, 12


def regression(variance: float) -> tuple[Task, Array, Array, Array]:
    """Return the regression of the table: 60 examples with 30 inputs, four gates, T = 0.01; and 200 new inputs, gates, answers.

    The gates are the two sides of two random hyperplanes; the teacher is a network of the same kind with two hidden units,
    drawn from the prior, its answers scaled to mean square one and without noise. variance : sigma^2 of the prior.
    """
    rng, n, d = np.random.default_rng(0), 60, 30
    directions, X = rng.standard_normal((2, d)), rng.standard_normal((n + 200, d))
    gates = half_space_gates(X, directions, both_sides=True)
    y = network_outputs(rng.standard_normal((2, 4)), rng.standard_normal((2, d)), X, gates)
    y /= np.sqrt(np.mean(y**2))
    return Task(X[:n], gates[:n], y[:n], variance=variance), X[n:], gates[n:], y[n:]


def regression_cell(
    variance: float, width: int, *, draws: int = DRAWS, sweeps: int = SWEEPS, chains: int = CHAINS
) -> dict[str, float]:
    """Return distances between theory, infinitely wide network and both samplers, for one prior variance and width.

    Distances are root mean squares over 200 new inputs, in units of the root mean square of the answers: theory, flat (the
    other saddle), wide, against the mixture; gibbs and theory_gibbs, the Gibbs sampler against the mixture and the theory;
    mixture_error and gibbs_error, standard errors. variance_theory, variance_mixture, variance_gibbs : mean of the
    predictive variance. error_theory, error_mixture, error_wide : mean square error of the mean on new answers.
    variance : sigma^2. width : N. draws : of the mixture. sweeps, chains : of the Gibbs sampler.
    """
    s2, N = as_scalar("variance", variance, positive=True), as_count("width", width)
    task, X, gates, y = regression(s2)
    U, identity = saddle(task, N).U, s2 * np.eye(task.n_gates)
    theory, wide = task.predict(U, X, gates), task.predict(identity, X, gates)
    flat = task.predict(saddle(task, N, measure="flat").U, X, gates)
    mixed = mixture(task, N, X, gates, rng=np.random.default_rng([N, 1]), draws=draws)
    chain = gibbs(task, N, X, gates, rng=np.random.default_rng([N, 2]), sweeps=sweeps, burn=sweeps // 4, chains=chains)

    def rms(difference: Array) -> float:
        return float(np.sqrt(np.mean(difference**2)))

    return {
        "theory": rms(theory.mean - mixed.mean),
        "flat": rms(flat.mean - mixed.mean),
        "wide": rms(wide.mean - mixed.mean),
        "gibbs": rms(chain.mean - mixed.mean),
        "theory_gibbs": rms(theory.mean - chain.mean),
        "mixture_error": rms(mixed.standard_error),
        "gibbs_error": rms(chain.standard_error),
        "variance_theory": float(theory.variance.mean()),
        "variance_mixture": float(mixed.variance.mean()),
        "variance_gibbs": float(chain.variance.mean()),
        "error_theory": rms(theory.mean - y) ** 2,
        "error_mixture": rms(mixed.mean - y) ** 2,
        "error_wide": rms(wide.mean - y) ** 2,
        "effective": mixed.effective,
        "agreement": chain.agreement,
    }


def task_correlation(U: Any) -> float:
    """Return the mean correlation between tasks that U holds, the mean of U_mn/sqrt(U_mm U_nn) over pairs. U : (M, M)."""
    matrix = as_array("U", U, ndim=2)
    if matrix.shape[0] != matrix.shape[1] or len(matrix) < 2:
        raise ValueError(f"U must be (M, M) with two tasks at least, got shape {matrix.shape}")
    size = np.sqrt(np.maximum(np.diag(matrix), 0.0))
    if not np.all(size > 0):
        raise ValueError(f"U must have a positive diagonal, got {np.diag(matrix).min():g}")
    with np.errstate(over="ignore", invalid="ignore"):
        alike = finite_result("U_mn/sqrt(U_mm U_nn)", matrix / np.outer(size, size))
    return float(alike[np.triu_indices(len(matrix), 1)].mean())


def transfer_cell(
    correlation: float, width: int, seeds: Sequence[int], *, examples: int = 24, draws: int = 0
) -> dict[str, list[float]]:
    """Return test errors and the tasks' correlation in U for related tasks of `related_tasks`, one entry a seed.

    theory : error at the saddle point. correlation : of the tasks, in U. wide : error of the infinitely wide network, for
    which tasks are strangers. pooled : error when all tasks are taken for one. exact : error by `mixture`, where asked for.
    correlation : of the teachers. width : N. seeds : of the tasks. examples : of each task. draws : of the mixture, 0 for
    none; it needs N >= 3.
    """
    found: dict[str, list[float]] = {"theory": [], "correlation": [], "wide": [], "pooled": [], "exact": []}
    as_count("draws", draws, minimum=0)
    for seed in as_seeds(seeds):
        task, teachers = related_tasks(correlation, examples=examples, seed=seed)
        U, alike = saddle(task, width).U, np.ones((3, 3))
        found["theory"].append(task_error(task, U, teachers))
        found["correlation"].append(task_correlation(U))
        found["wide"].append(task_error(task, task.variance * np.eye(3), teachers))
        found["pooled"].append(task_error(task, task.variance * alike, teachers))
        if draws and width >= 3:
            mixed = mixture(task, width, *unit_inputs(task), rng=np.random.default_rng([seed, width]), draws=draws)
            found["exact"].append(error_of_mean(mixed.mean, teachers))
    return found


def _as_list(name: str, values: Sequence[int]) -> list[int]:
    """Return counts as a list, at least one."""
    try:
        counts = [as_count(name, value) for value in values]
    except TypeError:
        raise ValueError(f"{name} must be a list of integers, got {values!r}") from None
    if not counts:
        raise ValueError(f"{name} is empty; give at least one")
    return counts


def transfer_curve(correlation: float, examples: int, *, widths: Sequence[int] = CHART_WIDTHS, seeds: int = SEEDS) -> Any:
    """Return means over seeds of what `transfer_cell` finds, over widths: theory and correlation (n_widths,), wide, pooled.

    correlation : of the teachers. examples : of each task. widths : N. seeds : how many.
    """
    each = as_seeds(range(as_count("seeds", seeds)))
    cells = [transfer_cell(correlation, N, each, examples=examples) for N in _as_list("widths", widths)]
    means = {key: [float(np.mean(cell[key])) for cell in cells] for key in ("theory", "correlation")}
    return {**means, "wide": float(np.mean(cells[0]["wide"])), "pooled": float(np.mean(cells[0]["pooled"]))}


def build(
    variances: Sequence[float] = VARIANCES,
    widths: Sequence[int] = WIDTHS,
    correlations: Sequence[float] = CORRELATIONS,
    transfer_widths: Sequence[int] = TRANSFER_WIDTHS,
    curve_correlations: Sequence[float] = CHART_CORRELATIONS,
    examples: Sequence[int] = CHART_EXAMPLES,
    *,
    seeds: int = SEEDS,
    draws: int = DRAWS,
    sweeps: int = SWEEPS,
) -> dict[str, Any]:
    """Compute what is stored."""
    cells = [
        {"variance": s2, "width": N, **_stored.short(regression_cell(s2, N, draws=draws, sweeps=sweeps), 4)}
        for s2 in variances
        for N in widths
    ]
    related = [
        {"teachers": c, "width": N, **_stored.short(transfer_cell(c, N, range(seeds), draws=draws // 8), 4)}
        for c in correlations
        for N in transfer_widths
    ]
    curves = [
        {"teachers": c, "examples": n, **_stored.short(transfer_curve(c, n, seeds=seeds), 4)}
        for c in curve_correlations
        for n in examples
    ]
    return {"regression": cells, "transfer": related, "curves": curves}


def stored_regression() -> dict[tuple[float, int], dict[str, float]]:
    """Return (variance, width) -> what `regression_cell` found, as `python -m dlnlib.global_gates` computed it."""
    return {(cell["variance"], cell["width"]): cell for cell in _stored.read("dlnlib.global_gates")["regression"]}


def stored_transfer() -> dict[tuple[float, int], dict[str, Any]]:
    """Return (correlation of the teachers, width) -> what `transfer_cell` found, lists over five seeds."""
    return {(cell["teachers"], cell["width"]): cell for cell in _stored.read("dlnlib.global_gates")["transfer"]}


def stored_curves() -> dict[tuple[float, int], Any]:
    """Return (correlation of the teachers, examples) -> what `transfer_curve` found at its default widths."""
    return {(cell["teachers"], cell["examples"]): cell for cell in _stored.read("dlnlib.global_gates")["curves"]}
