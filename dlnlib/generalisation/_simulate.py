"""Students of finite size that learn from drawn examples: what the theory is measured against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, as_array, as_count, as_rng, as_scalar, as_times, finite_result

__all__ = ["Students", "students", "train"]

ENTRIES = ("gaussian", "sign", "heavy")
Residual = Callable[[Array, Array, np.random.Generator], Any]


@dataclass(frozen=True)
class Students:
    """Drawn students: t (n_t,), excess error `test` and mean squared residual `train`, each (draws, n_t).

    eigenvalues : (draws, d), of X^T X/n. ridge : (draws,), excess error of ridge regression on the same examples.
    """

    t: Array
    test: Array
    train: Array
    eigenvalues: Array
    ridge: Array

    @property
    def mean(self) -> Array:
        """Mean of `test` over the draws, (n_t,)."""
        return np.asarray(self.test.mean(0))

    @property
    def standard_error(self) -> Array:
        """Standard error of `mean`, (n_t,): what the theory may be away from it by chance."""
        return np.asarray(self.test.std(0, ddof=1) / np.sqrt(len(self.test)))


def _draw_inputs(n: int, d: int, rng: np.random.Generator, entries: str) -> Array:
    """Return inputs (n, d) with independent entries of mean 0 and variance 1."""
    if entries not in ENTRIES:
        raise ValueError(f"entries must be one of {ENTRIES}, got {entries!r}")
    if entries == "gaussian":
        return rng.standard_normal((n, d))
    if entries == "sign":
        return rng.choice([-1.0, 1.0], (n, d))
    return rng.standard_t(3, (n, d)) / np.sqrt(3.0)


def students(
    t: ArrayLike,
    inputs: int,
    samples: int,
    draws: int,
    *,
    rng: np.random.Generator,
    noise: float,
    teacher: float = 1.0,
    start: float = 0.0,
    penalty: float | None = None,
    entries: str = "gaussian",
    population: ArrayLike | None = None,
    residual: Residual | None = None,
) -> Students:
    """Draw teachers, starts and examples, train a linear student on each by gradient flow, and measure its errors.

    Inputs, teacher, start and noise are drawn anew each time; the flow is solved exactly from X and y alone, in the
    eigenbasis of X^T X/n, and then compared with the teacher: excess error (w - w*) Sigma (w - w*)^T.

    t : (n_t,). inputs : d. samples : n. draws : at least 2. noise, teacher, start : as in the package.
    penalty : kappa of the ridge regression on the same examples; by default the best one of the theory.
    entries : of the inputs, independent, mean 0, variance 1: "gaussian", "sign" (+-1) or "heavy" (Student's t with three
    degrees of freedom, no fourth moment). population : (d,), variances of the inputs, eigenvalues of Sigma; None for 1.
    residual : function (X, w*, rng) -> (n,) that replaces the noise, for noise that is not white; `noise` is then only
    used for the penalty.
    """
    time, d, n = as_times("t", t), as_count("inputs", inputs), as_count("samples", samples)
    count, generator = as_count("draws", draws, minimum=2), as_rng(rng)
    if d > 5000 or n > 50000 or count * d * len(time) > 10**8:
        raise ValueError(f"{count} draws with d = {d}, n = {n} and {len(time)} times are too many; take fewer")
    variance = as_scalar("noise", noise, nonnegative=True)
    w_var, s_var = as_scalar("teacher", teacher, nonnegative=True), as_scalar("start", start, nonnegative=True)
    spread = np.ones(d) if population is None else as_array("population", population, ndim=1)
    if spread.shape != (d,) or np.any(spread < 0):
        raise ValueError(f"population must hold d = {d} variances that are not negative, got shape {spread.shape}")
    if residual is not None and not callable(residual):
        raise ValueError(f"residual must be a function of (X, w, rng), got {type(residual).__name__}")
    with np.errstate(all="ignore"):
        kappa = variance * d / (n * max(w_var, 1e-300)) if penalty is None else as_scalar("penalty", penalty, nonnegative=True)
        finite_result("the penalty", np.array(kappa))
        found = []
        for _ in range(count):
            X = _draw_inputs(n, d, generator, entries) * np.sqrt(spread)
            w = np.sqrt(w_var / d) * generator.standard_normal(d)
            w0 = np.sqrt(s_var / d) * generator.standard_normal(d)
            e = np.sqrt(variance) * generator.standard_normal(n) if residual is None else _residual(residual, X, w, generator)
            found.append(train(time, finite_result("the inputs", X), X @ w + e, w, w0, spread, kappa))
    test, fit, eigenvalues, ridge = (np.array(part) for part in zip(*found, strict=True))
    for what, part in (("the excess error", test), ("the training error", fit), ("the ridge error", ridge)):
        finite_result(what, part)
    return Students(time, test, fit, eigenvalues, ridge)


def _residual(residual: Residual, X: Array, w: Array, rng: np.random.Generator) -> Array:
    e = as_array("what residual returns", residual(X, w, rng), ndim=1)
    if len(e) != len(X):
        raise ValueError(f"residual must return one number for each of the {len(X)} samples, got {len(e)}")
    return e


def train(
    t: Array, X: Array, y: Array, teacher: Array, start: Array, spread: Array, kappa: float
) -> tuple[Array, Array, Array, Array]:
    """Return test error, training error, eigenvalues and ridge error of one student."""
    n = len(X)
    if not np.all(np.isfinite(y)):
        raise ValueError("the outputs overflow float64; lower teacher or noise")
    xx = X.T @ X / n
    lam, V = np.linalg.eigh(finite_result("X^T X", xx))
    lam = np.maximum(lam, 0.0)
    yx = V.T @ (X.T @ y / n)
    # Rounding leaves the null space with eigenvalues near 1e-16; nothing may grow there.
    lam[lam < 1e-12 * lam.max()] = 0.0
    grown = np.where(lam > 0, -np.expm1(-lam * t[:, None]) / np.where(lam > 0, lam, 1.0), t[:, None] * 0.0)
    w = (V.T @ start) * np.exp(-lam * t[:, None]) + grown * yx
    test = (((w - V.T @ teacher) @ V.T) ** 2) @ spread
    train = np.mean(y**2) - 2 * w @ yx + (w**2) @ lam
    ridge = V @ np.where(lam + kappa > 0, yx / np.where(lam + kappa > 0, lam + kappa, 1.0), 0.0) - teacher
    return test, np.maximum(train, 0.0), lam, np.asarray(ridge**2 @ spread)
