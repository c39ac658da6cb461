"""Checkers of chapter 3: exact dynamics of two layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlnlib import exact
from dlnlib._validate import Array
from dlnlib.exercises._core import array, call, checker, close, compare, correct, not_yet, number
from dlnlib.exercises._questions import choice_question, number_question
from dlnlib.initialise import gaussian
from dlnlib.landscape import critical_point
from dlnlib.measure import effective_start
from dlnlib.moments import Moments
from dlnlib.network import error_correlation, imbalances, loss
from dlnlib.simulate import gradient_descent, gradient_flow

choice_question(
    "ch03.race",
    right="b",
    hints={
        "a": "the singular value sets the rate, but the start sets how far there is to go; put both into the half time.",
        "c": "the half times are equal only by accident; compute both.",
    },
    praise="a start ten thousand times stronger outweighs the smaller singular value here.",
)

choice_question(
    "ch03.scale",
    right="c",
    hints={
        "a": "both are delayed, but a weak mode grows more slowly and so needs longer for the same extra distance.",
        "b": "that depends on what the gap was; ask instead how much each half time grows when u0 is divided.",
    },
    praise="the delay of a mode is ln(10^4)/(2s), so the gap grows by the difference of two such terms.",
)

choice_question(
    "ch03.alignment",
    right="c",
    hints={
        "a": "the strength is a product of two layers; while it grows to 1%, each layer grows many times over.",
        "b": "the part along the strongest mode grows faster than every other part, and for as long as the plateau lasts.",
    },
    praise="the layers align on the plateau, before the loss has moved.",
)


def _start_of_equal_growth() -> float:
    """The effective start of a mode whose first layer has strength 0.1 and whose second is zero."""
    task = Moments.white([[1.0]])
    return float(effective_start((np.array([[0.1]]), np.array([[0.0]])), task.modes())[0])


number_question(
    "ch03.zero_layer",
    truth=_start_of_equal_growth,
    rtol=1e-2,
    mistakes={
        "that is a0 b0; balanced layers would never leave it, but here a0 drives b from the first moment on.": 0.0,
        "that is (a0 + b0)^2; for balanced layers it is four times the strength.": 0.01,
        "that is the strength of one layer, when both have become equal; the mode's is the product of two.": 0.05,
        "that is the strength of the first layer; ask for the product of both, once they have become equal.": 0.1,
        "half is right for each layer, and the strength is a product of two of them.": 0.005,
    },
    otherwise="a + b grows and a - b dies out: find a and b when only the sum is left, and multiply them.",
    praise="(a0 + b0)^2/4, as if both layers had started at 0.05.",
    what="the initial strength",
)

choice_question(
    "ch03.opposite",
    right="b",
    hints={
        "a": "to cross zero the sum a + b has to grow; what is its rate of change while it is zero?",
        "c": "the loss cannot grow along gradient flow, and here c = 0; could both layers still become large?",
    },
    praise="the start lies on the stable manifold of the saddle.",
)


def _loss_with(*learnt: int) -> float:
    """Loss of a network that has learnt these modes of s = (3, 2, 1) and no others; the least loss is 0.15."""
    task = Moments.white(np.diag([3.0, 2.0, 1.0]), noise=0.1)
    return float(loss(critical_point(task, learnt, (3, 3, 3)), task))


number_question(
    "ch03.landing",
    truth=lambda: _loss_with(0),
    rtol=2e-3,
    mistakes={
        "that is half the sum over the modes that still wait; the noise that nobody can learn is missing.": 2.5,
        "the loss carries a factor one half.": 5.15,
        "you have counted the mode that is learnt; the loss is what is left.": 0.15 + 9 / 2,
        "the singular values enter squared.": 0.15 + 3 / 2,
        "that is the start, where nothing is learnt.": lambda: _loss_with(),
        "that is the next landing, with two modes learnt.": lambda: _loss_with(0, 1),
    },
    otherwise="square the singular values of the two modes that wait, add, halve, and add the least loss.",
    praise="0.15 + (4 + 1)/2: the second landing of the staircase.",
    what="the loss",
)


@checker("ch03.late_rate")
def _late_rate(answer: Any) -> str:
    value = number(answer, "the late rate")
    # The curvature at the minimum that an integrated flow reaches, a road without kappa.
    end = gradient_flow((np.array([[1.75]]), np.array([[0.25]])), Moments.white([[2.0]]), [0.0, 10.0]).final
    right = float(end[0][0, 0] ** 2 + end[1][0, 0] ** 2)
    compare(
        value,
        right,
        {
            "2s is the early rate, and the late one only for balanced layers; these have a0 = 1.75 and b0 = 0.25.": 4.0,
            "the term of the singular value is (2s)^2: a factor four is missing under the root.": np.sqrt(13.0),
            "c is the difference of the squares of the strengths, not of the strengths.": np.hypot(1.5, 4.0),
            "a rate is not squared: take the square root.": 25.0,
            "this is the time constant, one over the rate.": 0.2,
            "c is a difference of squares; you seem to have added them.": np.hypot(3.125, 4.0),
            "that is c, the conserved difference of squares; the rate needs s as well.": 3.0,
            "a^2 + b^2 is the rate at the minimum; both strengths change on the way there.": 3.125,
        },
        otherwise="find c from the start, then the rate from c and s; linearise du/dt at u = s.",
        rtol=1e-3,
    )
    return correct("and since c enters squared, it can only make the end faster.")


@checker("ch03.width")
def _width(answer: Any) -> str:
    value = number(answer, "the time")
    low, high = exact.time_to_strength(np.array([0.3, 2.7]), 3.0, 1e-3, 2)
    compare(
        value,
        float(high - low),
        {
            "a factor 2 is missing: the rate of a two-layer mode is 2s, not s.": np.log(81) / 3,
            "from 10% to 50% is only half of the way; the curve is symmetric about its half time.": np.log(9) / 6,
            "this is the width in units of 1/s, and also what a single layer of rate 1 needs; put s = 3 in.": np.log(9),
            "this is the time from the start to 90%, it depends on u0; subtract the time to 10%.": float(high),
            "right to two digits; give at least three.": round(float(high - low), 2),
            "the rate of the mode is 2s; you have the logarithm alone.": np.log(81),
        },
        otherwise="take the difference of the learning times of u = 0.9 s and u = 0.1 s; u0 should drop out.",
        rtol=2e-3,
    )
    return correct("the start has dropped out: small starts delay the rise but do not stretch it.")


@checker("ch03.drift")
def _drift(answer: Any) -> str:
    for seed, (d_in, h, d_out) in enumerate([(3, 4, 2), (2, 3, 5), (4, 2, 3)]):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((40, d_in)) @ rng.standard_normal((d_in, d_in))
        moments = Moments.from_data(X, X @ rng.standard_normal((d_in, d_out)) + rng.standard_normal((40, d_out)))
        W1, W2 = gaussian((d_in, h, d_out), rng=rng, scale=0.7)
        step, E = 0.003, error_correlation((W1, W2), moments)
        got = array(call(answer, W1.copy(), W2.copy(), E.copy(), step), (h, h), "the change of the imbalance")
        path = gradient_descent((W1, W2), moments, step, 1)
        after, before = imbalances(path.final)[0], imbalances((W1, W2))[0]
        upper, lower = W1 @ E.T @ E @ W1.T, W2.T @ E @ E.T @ W2
        first = W2.T @ E @ W1.T
        compare(
            got,
            after - before,
            {
                "the sign is turned: the imbalance has the later layer first, W2^T W2 - W1 W1^T.": step**2 * (lower - upper),
                "both terms of order step^2 belong to different layers and are subtracted, not added.": step**2 * (upper + lower),
                "you have the factor step to the first power; those terms cancel, and what is left is of second order.": step
                * (upper - lower),
                "that is the rate of change without the step; it enters squared.": upper - lower,
                "the terms of first order in the step cancel between the two layers.": step * (first + first.T)
                + step**2 * (upper - lower),
                "you have the change of W2^T W2 alone; subtract that of W1 W1^T.": step * (first + first.T) + step**2 * upper,
                "this is zero, as for the flow; a step of finite size leaves a term of order step^2.": np.zeros((h, h)),
                "you have the part of W2^T W2 alone; that of W1 W1^T is missing.": step**2 * upper,
                "you have the part of W1 W1^T alone; that of W2^T W2 is missing.": -(step**2) * lower,
            },
            otherwise="write W + step * dW for both layers, multiply out, and keep everything that does not cancel.",
            rtol=1e-7,
        )
    return correct("the drift is of order step^2 a step, so of order step for a run of given length.")


@checker("ch03.learning_time")
def _learning_time(answer: Any) -> str:
    u = np.array([0.05, 0.5, 1.0, 1.9])
    for s, u0 in ((2.5, 1e-5), (2.0, 1e-2), (1.95, 0.04)):
        _compare_times(array(_over(answer, u, s, u0), u.shape, "the times"), u, s, u0)
    above = np.array([2.5, 2.1])
    got = _over(answer, above, 2.0, 3.0)
    if not np.all(np.isfinite(got)):
        raise not_yet(
            "below the target all is well, but for a start above it, u0 > s, you get NaN or infinity: s - u0 and s - u are "
            "both negative there; keep their quotient under one logarithm."
        )
    compare(
        got,
        exact.time_to_strength(above, 2.0, 3.0, 2),
        {"for a start above the target the time has the wrong sign.": -exact.time_to_strength(above, 2.0, 3.0, 2)},
        otherwise="below the target all is well, but a mode may also start above it, u0 > s, and come down; "
        "keep the quotient under the logarithm together.",
    )
    return correct("and it serves starts above the target too.")


def _compare_times(got: Array, u: Array, s: float, u0: float) -> None:
    right = exact.time_to_strength(u, s, u0, 2)
    a = np.sqrt(u0)
    compare(
        got,
        right,
        {
            "twice too long: u = ab grows at the rate 2s, each layer at s.": 2 * right,
            "the rate is 2s, and you have divided by 2 alone.": s * right,
            "this is the half time, whatever level was asked for; the level u must enter.": np.full(
                u.shape, exact.half_time(s, u0, 2)
            ),
            "u0 is the strength of the whole mode, u0 = a0 b0, and not that of one layer; do not take its root.": np.log(
                u * (s - a) / (a * (s - u))
            )
            / (2 * s),
            "the sign is turned: later levels should take longer.": -right,
            "you have dropped the saturation; this is the early exponential growth only.": np.log(u / u0) / (2 * s),
            "the factor s - u0 of the start is missing, which matters when u0 is not tiny.": np.log(u * s / (u0 * (s - u)))
            / (2 * s),
        },
        otherwise="separate the variables in du/dt = 2u(s - u), split into partial fractions, and integrate from u0 to u.",
        rtol=1e-9,
    )


def _over(function: Any, points: Array, *rest: float) -> Array:
    """Call the reader's function on an array, or point by point if it takes only scalars.

    NaN comes through, so that the checker can say where it comes from.
    """
    if not callable(function):
        call(function)
    with np.errstate(all="ignore"):
        try:
            result = np.asarray(function(points, *rest), dtype=float)
            if result.shape == points.shape:
                return result
        except ZeroDivisionError:
            # Python's own numbers raise where numpy's give NaN.
            return np.full(points.shape, np.nan)
        except Exception:
            # A function for scalars may fail on arrays in any way; below it gets scalars.
            result = None
        return np.array([_one(call(_nan_for_zero_division, function, float(x), *rest)) for x in points])


def _nan_for_zero_division(function: Any, *args: float) -> Any:
    try:
        return function(*args)
    except ZeroDivisionError:
        return np.nan


def _one(value: Any) -> float:
    try:
        return float(np.asarray(value, dtype=float).reshape(()))
    except (TypeError, ValueError):
        kind = f"shape {np.shape(value)}" if isinstance(value, (list, tuple, np.ndarray)) else type(value).__name__
        raise not_yet(f"the function should return one number for each value it is given; it returned {kind}.") from None


@checker("ch03.unbalanced")
def _unbalanced(answer: Any) -> str:
    t = np.linspace(0.0, 5.0, 11)
    cases = [(1.0, 1.2, 0.1), (2.0, 0.05, 0.4), (1.5, 0.6, -0.2), (1.0, -0.3, -0.5), (2.0, 0.1, -0.099)]
    for s, a0, b0 in cases:
        got = _over(answer, t, s, a0, b0)
        _compare_unbalanced(got, t, s, a0, b0)
    for s, a0 in ((1.0, 0.1), (2.0, -0.03)):
        got = _over(answer, t, s, a0, a0)
        if not np.all(np.isfinite(got)):
            raise not_yet(
                "unbalanced layers are right, but balanced ones (a0 = b0, so c = 0) give NaN or infinity: "
                "somewhere you divide by c, or by something that vanishes with it."
            )
        if not close(got, exact.strength(t, s, a0 * a0, 2), 1e-8):
            raise not_yet("unbalanced layers are right, but balanced ones (a0 = b0) do not give the logistic curve.")
    return correct("with and without balance, and for every sign.")


def _compare_unbalanced(got: Array, t: Array, s: float, a0: float, b0: float) -> None:
    if not np.all(np.isfinite(got)):
        raise not_yet(
            f"NaN or infinity for a0 = {a0:g}, b0 = {b0:g}: signs differ or c is negative here, "
            "so avoid roots and logarithms of c."
        )
    layers = (np.array([[a0]]), np.array([[b0]]))
    flow = gradient_flow(layers, Moments.white([[s]]), t, rtol=1e-12, atol=1e-15)
    a, b = flow.weights[0][:, 0, 0], flow.weights[1][:, 0, 0]
    c = a0 * a0 - b0 * b0
    with np.errstate(all="ignore"):
        logistic = s / (1 + (s / (a0 * b0) - 1) * np.exp(-2 * s * t))
        slow = np.sqrt(c * c + s * s)
        upper, lower = 2 * s + slow, 2 * s - slow
        start = (a0 + b0) ** 2
        ratio = (start - upper) / (start - lower) * np.exp(-slow * t)
        P = (upper - lower * ratio) / (1 - ratio)
        wrong_rate = (P - c * c / P) / 4
        early = s / (1 + (4 * s / start - 1) * np.exp(-2 * s * t))
    mistakes = {
        "this is P = (a + b)^2; turn it into the strength u.": (a + b) ** 2,
        "a quarter of P is the strength only for balanced layers; c^2/P is missing.": (a + b) ** 2 / 4,
        "this is the logistic curve with u0 = a0 b0, which needs equal layers.": logistic,
        "the rate is the root of c^2 + 4 s^2: the factor four is missing.": wrong_rate,
        "(a0 + b0)^2 / 4 is the effective start while u is small; later the rate is kappa, not 2s.": early,
        "this is the strength of layer 1 alone.": a,
        "this is the strength of layer 2 alone.": b,
        "the sign is turned.": -a * b,
    }
    compare(
        got,
        a * b,
        {hint: wrong for hint, wrong in mistakes.items() if np.all(np.isfinite(wrong))},
        otherwise=f"the first case that fails is s = {s:g}, a0 = {a0:g}, b0 = {b0:g}; check c, kappa, both roots and P at t = 0.",
        rtol=1e-8,
    )
