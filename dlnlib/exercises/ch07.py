"""Checkers of chapter 7: generalisation over time."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlnlib import generalisation as theory
from dlnlib._validate import Array
from dlnlib.exercises._core import array, call, checker, close, compare, correct, not_yet, number
from dlnlib.exercises._questions import choice_question, number_question
from dlnlib.moments import Moments
from dlnlib.simulate import gradient_flow

number_question(
    "ch07.late",
    truth=lambda: theory.excess_error(1e6, 0.5, 0.25)[0],
    rtol=4e-3,
    mistakes={
        "that is what the frozen modes keep; the others learn noise, and it stays.": 0.5,
        "that is the noise learnt by the other modes; the frozen ones keep their first error.": 0.25,
        "that is the error on a new example; the excess error leaves out its own noise.": 1.0,
        "that is the training error; new examples are another matter.": 0.0,
        "the formula for more examples than inputs gives a negative error here.": -0.5,
        "the noise term is divided by alpha, once, before the integral.": 0.625,
    },
    otherwise="add what the frozen half keeps to the noise that the other modes have learnt in the end.",
    praise="half of the teacher is out of reach, and the noise adds a quarter.",
    what="the excess error",
)

choice_question(
    "ch07.peak",
    right=lambda: "abc"[int(np.argmax([theory.excess_error(10.0, a, 0.25)[0] for a in (0.5, 1.0, 2.0)]))],
    hints={
        "b": "in the end yes, but the modes that make the peak have tiny eigenvalues; how much have they learnt by then?",
        "c": "more examples help here; which student sees the smallest part of the teacher?",
    },
    praise="at t = 10 the peak is still to come, and the fewest examples are simply the worst.",
)

choice_question(
    "ch07.weak",
    right=lambda: "b" if np.diff(theory.mode_stopping_time([0.1, 2.0], 1.0, 0.25))[0] < 0 else "a",
    hints={
        "a": "they are learnt to a larger share, but how long does that take them?",
        "c": "the errors of two modes have their minima at different times; differentiate the error of one mode.",
    },
    praise="a weak mode should be learnt to a smaller share, yet it is so slow that this takes longer.",
)

choice_question(
    "ch07.thaw",
    right="b",
    hints={
        "a": "the gradient of the first layer has no part along v; but is the product of both layers frozen too?",
        "c": "nothing in the data knows about v, so nothing can drive it to zero; what happens to the second layer?",
    },
    praise="the first layer is frozen along v, and the second one, which multiplies it, grows.",
)


@checker("ch07.break_even")
def _break_even(answer: Any) -> str:
    value = number(answer, "the noise")
    # Both late errors are straight lines in the noise.
    few, many = (np.array([theory.late_error(a, s) for s in (0.0, 1.0)]) for a in (0.5, 1.25))
    right = (few[0] - many[0]) / (np.diff(many) - np.diff(few))[0]
    compare(
        value,
        right,
        {
            "with half as many examples as inputs noise is learnt too: its share is alpha/(1 - alpha).": 1 / 8,
            "the frozen part is (1 - alpha) of the teacher, not the whole teacher.": 1 / 3,
            "that is how far the two lines are apart without noise; how fast does noise close the gap?": 0.5,
            "for alpha = 1.25 the noise is multiplied by 1/(alpha - 1) = 4.": 2.0,
            "this is a variance; do not take its root.": np.sqrt(1 / 6),
        },
        otherwise="write the late error at both ratios as a straight line in the noise, and see where they cross.",
        rtol=3e-3,
    )
    return correct("beyond this noise, two and a half times the examples make the final error larger.")


@checker("ch07.mode_time")
def _mode_time(answer: Any) -> str:
    value = number(answer, "the time")
    t = np.linspace(0, 20, 200_001)
    right = t[np.argmin(theory.mode_error(t, 0.5, 2.0, 0.25, 1.0, 0.5))]
    compare(
        value,
        right,
        {
            "the start counts too: what has to be unlearnt is teacher and start together.": 2 * np.log(5),
            "the logarithm is divided by the eigenvalue; if yours is, the square of e^(-lambda t) was one too many.": np.log(7),
            "the noise of a mode is divided by alpha, so that alpha stands in the logarithm.": 2 * np.log(4),
            "the eigenvalue stands inside the logarithm too.": 2 * np.log(13),
            "that is the limit of the time for very weak modes.": 12.0,
            "the logarithm starts at one: 1 + signal over noise.": 2 * np.log(6),
            "the logarithm is divided by the eigenvalue, not multiplied: weak modes are slow.": 0.5 * np.log(7),
        },
        otherwise="differentiate the error of the mode, and solve for e^(-lambda t).",
        rtol=2e-3,
    )
    return correct("by then the mode has been learnt to six sevenths.")


def _flow_errors(X: Array, t: Array, noise: float, start: float) -> Array:
    """Excess error averaged over teacher, start and noise, from one integrated flow of all unit vectors."""
    n, d = X.shape
    unit = Moments(X.T @ X / n, np.vstack([np.zeros((d, d)), X / n]))
    parts = gradient_flow((np.vstack([np.eye(d), np.zeros((n, d))]),), unit, t, rtol=1e-10).product
    squares = np.sum(parts**2, axis=2)
    return np.asarray((1 + start) / d * squares[:, :d].sum(1) + noise * squares[:, d:].sum(1))


@checker("ch07.excess")
def _excess(answer: Any) -> str:
    t, noise, start = np.array([0.3, 2.0, 9.0]), 0.3, 0.4
    for n, d in ((9, 5), (4, 7)):
        X = np.random.default_rng(n).standard_normal((n, d))
        lam = np.linalg.eigvalsh(X.T @ X / n)
        lam[: max(0, d - n)] = 0.0
        got = _values(answer, t, lam, n, noise, start)
        if not np.all(np.isfinite(got)):
            raise not_yet("NaN or infinity: one of the eigenvalues is zero, and its mode learns nothing, noise included.")
        right = _flow_errors(X, t, noise, start)
        assert close(right, theory.error_given_spectrum(t, lam, n, noise, 1.0, start), 1e-6)
        left, positive = np.exp(-t[:, None] * lam), lam > 1e-12
        learnt = np.where(positive, noise * d / n * (1 - left) ** 2 / np.where(positive, lam, 1), 0.0)
        signal = (1 + start) * left**2
        compare(
            got,
            right,
            {
                "this is the sum over the modes; the signal of each mode is 1/d of the whole, so take the mean.": d * right,
                "the mean runs over the modes that learn; the frozen ones count as well.": (signal + learnt)[:, positive].mean(1),
                "the frozen modes are missing from the signal: they keep their first error.": np.where(
                    positive, signal + learnt, 0
                ).mean(1),
                "the variance of the start is missing.": (left**2 + learnt).mean(1),
                "the noise of a mode is divided by alpha = n/d.": (signal + learnt * n / d).mean(1),
                "the signal is a square: e^(-2 lambda t).": ((1 + start) * left + learnt).mean(1),
                "the noise that is learnt enters squared, (1 - e^(-lambda t))^2.": (
                    signal + np.where(left < 1, learnt / np.where(left < 1, 1 - left, 1), 0)
                ).mean(1),
                "the noise is missing.": signal.mean(1),
                "the variance of the noise is given, not its standard deviation.": (signal + noise * learnt).mean(1),
            },
            otherwise="mean over all d modes of (1 + start) e^(-2 lambda t) + noise/(alpha lambda) (1 - e^(-lambda t))^2.",
            rtol=1e-6,
        )
    return correct("with more and with fewer examples than inputs.")


def _values(function: Any, t: Array, *rest: Any) -> Array:
    """Call the reader's function for all times, or one by one if it takes only numbers; NaN comes through."""
    if not callable(function):
        call(function)
    with np.errstate(all="ignore"):
        try:
            whole = np.asarray(function(t, *rest), dtype=float)
            if whole.shape == t.shape:
                return whole
        except Exception:
            # A function for single times may fail on arrays in any way; below it gets single times.
            whole = None
        parts = [np.asarray(call(function, float(time), *rest), dtype=float) for time in t]
    if any(part.size != 1 for part in parts):
        raise not_yet(f"one number for each time is wanted; for a single time you return shape {parts[0].shape}.")
    return np.array([float(part.reshape(())) for part in parts])


@checker("ch07.ridge")
def _ridge(answer: Any) -> str:
    for n, d in ((12, 5), (4, 7)):
        rng = np.random.default_rng(n)
        X, y, noise, teacher = rng.standard_normal((n, d)), rng.standard_normal(n), 0.4, 1.7
        got = array(call(answer, X.copy(), y.copy(), noise, teacher), what="the weights").reshape(-1)
        if got.shape != (d,):
            raise not_yet(f"there are d = {d} weights; you return {got.size} numbers.")

        def with_penalty(kappa: float, X: Array = X, y: Array = y) -> Array:
            return np.asarray(np.linalg.solve(X.T @ X / len(X) + kappa * np.eye(X.shape[1]), X.T @ y / len(X)))

        # Gaussian conditioning, an independent road: E[w | y] = Cov(w, y) Cov(y)^-1 y.
        right = teacher / d * X.T @ np.linalg.solve(teacher / d * X @ X.T + noise * np.eye(n), y)
        compare(
            got,
            right,
            {
                "the penalty lacks its factor d/n: it is noise/(alpha teacher).": with_penalty(noise / teacher),
                "alpha is n/d, and the penalty is divided by it.": with_penalty(noise * n / (d * teacher)),
                "X^T X has to be divided by n, or the penalty multiplied by n.": np.linalg.solve(
                    X.T @ X + noise * d / (n * teacher) * np.eye(d), X.T @ y
                ),
                "the variance of the teacher is missing in the penalty.": with_penalty(noise * d / n),
                "that is the least-squares solution, without any penalty.": np.linalg.pinv(X) @ y,
                "teacher and noise are exchanged in the penalty.": with_penalty(teacher * d / (n * noise)),
                "noise and teacher are variances already; do not square them.": with_penalty(noise**2 * d / (n * teacher**2)),
            },
            otherwise="solve (X^T X/n + kappa) w = X^T y/n with the best kappa, noise/(alpha teacher).",
            rtol=1e-8,
        )
    return correct("these are the mean weights given the data, the best guess there is.")


@checker("ch07.peak_time")
def _peak_time(answer: Any) -> str:
    value = number(answer, "the time")
    right = theory.optimal_stopping(1.0, 1e-3).time
    compare(
        value,
        right,
        {
            "that is the signal-to-noise ratio itself, the limit for the weakest modes; the best common time is earlier.": 1000.0,
            "the learnt noise has two parts; without the second one, the constant in front of its sqrt(t) is too large.": 1000
            / np.sqrt(32),
            "the derivative of 1/sqrt(t) brings a factor one half; that of sqrt(t) brings one too.": right / 2,
            "you seem to have 1/sqrt(pi t) for the signal; it decays twice as fast, with p(2t).": right * np.sqrt(2),
            "the derivative of sqrt(t) brings a factor one half; that of 1/sqrt(t) brings one too.": 2 * right,
            "the time is proportional to signal over noise; you have its root or its logarithm.": np.sqrt(1000.0),
        },
        otherwise="minimise A/sqrt(2 pi t) + c noise sqrt(t), with c = (4 - 2 sqrt 2)/sqrt(pi).",
        rtol=1e-2,
    )
    return correct("proportional to signal over noise, where other ratios have a logarithm.")


def _fading(x: Array) -> Array:
    return np.asarray(np.exp(-3 * x))


def _growing(x: Array) -> Array:
    return np.asarray(x**2 + 1.0)


@checker("ch07.spectral_mean")
def _spectral_mean(answer: Any) -> str:
    for ratio in (0.5, 1.0, 3.0):
        lam, weight = theory.marchenko_pastur_nodes(ratio)
        zeros = max(0.0, 1 - ratio)
        for f in (_fading, _growing):
            got = number(call(answer, f, ratio), "the mean")
            inside = float(weight @ f(lam))
            right = inside + zeros * float(f(np.zeros(1))[0])
            compare(
                got,
                right,
                {
                    "for alpha < 1 the share 1 - alpha of the eigenvalues is zero, and f(0) counts with this weight.": inside
                    if zeros
                    else np.inf,
                    "this is the mean over the modes that learn; those at zero count too.": inside / min(1, ratio)
                    if zeros
                    else np.inf,
                    "half the angle is missing: phi runs from 0 to pi.": 2 * right,
                    "the factor 2 of the density in phi is missing.": inside / 2 + zeros * float(f(np.zeros(1))[0]),
                    "pi is missing: the density is divided by it.": np.pi * inside + zeros * float(f(np.zeros(1))[0]),
                },
                otherwise=f"at alpha = {ratio:g} this is not the mean of f; put lambda(phi) and 2 sin(phi)^2/(pi lambda) "
                "together, with midpoints of equal steps.",
                rtol=1e-6,
            )
    return correct("a few hundred equal steps in phi give all digits at these times.")
