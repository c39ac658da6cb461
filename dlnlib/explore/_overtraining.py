"""Errors of a linear student over time: where it should have stopped, and what becomes of it if it did not."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dlnlib import generalisation as theory
from dlnlib._validate import Array
from dlnlib.explore._model import Explorer, Panel, Part, Series, Slider, words

__all__ = ["error_over_time"]

RATIOS = (0.25, 0.5, 0.8, 1.0, 1.25, 2.0, 4.0)
NOISES = (0.01, 0.05, 0.25, 1.0, 4.0)
STARTS = (0.0, 0.1, 0.3, 1.0)
END = 300.0
INPUTS, DRAWS, TEACHERS = 100, 12, 6
TIMES = np.concatenate([[0.01], np.geomspace(0.03, END, 41)])


@cache
def _drawn(ratio: float) -> tuple[Array, ...]:
    """Return the parts of the errors of drawn students that stand before 1, noise, start and their roots.

    A student's error is linear in teacher, start and noise, so that one set of draws serves every size of them: with
    errors T, S, E of the three alone, the square is |T + s S + e E|^2 for start s and noise e, standard deviations.
    Returned are six curves for the test error and six for the training error, means over the draws.
    """
    n = max(1, round(ratio * INPUTS))
    rng = np.random.default_rng(5)
    test, train = np.zeros((6, len(TIMES))), np.zeros((6, len(TIMES)))
    for _ in range(DRAWS):
        X = rng.standard_normal((n, INPUTS))
        left, lam, right = np.linalg.svd(X / np.sqrt(n), full_matrices=n < INPUTS)
        k = len(lam)
        full = np.zeros(INPUTS)
        full[:k] = lam**2
        decay = np.exp(-full * TIMES[:, None])
        for _ in range(TEACHERS):
            w, w0, e = rng.standard_normal(INPUTS), rng.standard_normal(INPUTS), rng.standard_normal(n)
            signal = [-decay * (right @ w) / np.sqrt(INPUTS), decay * (right @ w0) / np.sqrt(INPUTS)]
            heard = (left.T @ e)[:k]
            grown = np.zeros_like(decay)
            grown[:, :k] = -np.expm1(-full[:k] * TIMES[:, None]) / lam * heard / np.sqrt(n)
            test += _products(signal[0], signal[1], grown)
            seen = [part[:, :k] * -lam * np.sqrt(n) for part in signal]
            train += _products(seen[0], seen[1], decay[:, :k] * heard) / n
            train[2] += (e @ e - heard @ heard) / n  # the noise that no weights can fit
    return test / (DRAWS * TEACHERS), train / (DRAWS * TEACHERS)


def _products(a: Array, b: Array, c: Array) -> Array:
    return np.array([np.sum(x * y, axis=1) for x, y in ((a, a), (b, b), (c, c), (a, b), (a, c), (b, c))])


def drawn_errors(ratio: float, noise: float, start: float) -> tuple[Array, Array]:
    """Return mean test and training error of the drawn students at TIMES."""
    s, e = np.sqrt(start), np.sqrt(noise)
    factors = np.array([1, start, noise, 2 * s, 2 * e, 2 * s * e])
    test, train = _drawn(ratio)
    return factors @ test, factors @ train


def _errors(ratio: float, noise: float, start: float) -> dict[str, Any]:
    test, train = drawn_errors(ratio, noise, start)
    exact = theory.excess_error(TIMES, ratio, noise, start=start)
    stop = theory.optimal_stopping(ratio, noise, start=start)
    ridge = theory.optimal_ridge(ratio, noise).error
    fit = theory.training_error(TIMES, ratio, noise, start=start)
    lost = exact[-1] / stop.error
    return {
        "t": TIMES,
        "test": test,
        "exact": exact,
        "train": train,
        "fit": fit,
        "stop": [stop.time],
        "least": [stop.error],
        "ends": [TIMES[0], END],
        "ridge": [ridge, ridge],
        "say": f"Best time {words(stop.time)}, excess error {words(stop.error)}; at t = {words(END)} "
        + (f"{words(float(exact[-1]))}, {words(lost)} times as much" if lost > 1.005 else "no more")
        + (f". Best ridge {words(ridge)}." if start == 0 else f". Best ridge, which forgets the start, {words(ridge)}."),
    }


def error_over_time() -> Explorer:
    """Return the chart of test and training error over time, with the best time to stop and the best ridge regression.

    Sample ratio, noise and variance of the start move. Drawn students with 100 inputs against `eq-excess-error` and
    `eq-training-error`; the square is `def-best-stop`, the grey line `eq-best-ridge`. Chapter 7, `fig-error-over-time`.
    """
    return Explorer(
        name="error-over-time",
        controls=(
            Slider("ratio", "sample ratio α", RATIOS, 1.0, log=True),
            Slider("noise", "noise σₑ²", NOISES, 0.25, log=True),
            Slider("start", "start σ₀²", STARTS, 0.0),
        ),
        parts=(Part("errors", _errors, ("ratio", "noise", "start"), digits=3),),
        panels=(
            Panel("time t (τ)", "excess error G", x_log=True, y_log=True),
            Panel("time t (τ)", "training error F", x_log=True),
        ),
        series=(
            Series("best ridge", "errors", "ends", "ridge", "other"),
            Series("drawn", "errors", "t", "test", "simulation", mode=0),
            Series("theory", "errors", "t", "exact", "theory", mode=0),
            Series("best time", "errors", "stop", "least", "points", mode=1),
            Series("drawn", "errors", "t", "train", "simulation", mode=2, panel=1),
            Series("theory", "errors", "t", "fit", "theory", mode=2, panel=1),
        ),
    )
