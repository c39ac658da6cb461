"""Checkers of chapter 12: singular learning theory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from math import ceil, comb
from typing import Any

import numpy as np

from dlnlib import slt
from dlnlib._unchecked import layer_gradients
from dlnlib._validate import Array
from dlnlib.exercises._core import array, call, checker, compare, correct, not_yet, number
from dlnlib.exercises._questions import choice_question, number_question
from dlnlib.hessian import hessian
from dlnlib.moments import Moments


def _shrinks() -> float:
    """Return the factor by which the volume under the hyperbolas falls when eps falls from 1e-3 to 1e-5."""
    large, small = slt.scalar_volume([1e-3, 1e-5], 2)
    return float(large / small)


def _half_codimension(widths: Sequence[int], rank: int = 0) -> float:
    """Return the learning coefficient on a road without its formula: half the codimension, by enumeration."""
    return slt.fibre(widths, rank).codimension / 2


def _saddle_number(sees: float) -> float:
    """Return n_beta times a loss: the one that the full teacher of the question leaves at the origin, times `sees`."""
    teacher = Moments.white(np.diag([4.0, 2.0, 1.0, 0.0, 0.0]))
    return slt.wbic_temperature(10_000) * sees * (teacher.irreducible_loss(0) - teacher.irreducible_loss(3))


choice_question(
    "ch12.hyperbola",
    right=lambda: "c" if _shrinks() < 9.9 else "b",
    hints={
        "a": "that would be so if K had a single point as its minimum; here it is zero on two whole lines.",
        "b": "eps^(1/2) is the right power, but what do the long arms of the hyperbola add?",
    },
    praise="it falls by 6.4: the arms bring a logarithm that grows while the power falls.",
)

number_question(
    "ch12.by_hand",
    truth=lambda: _half_codimension((2, 2, 2)),
    rtol=0.01,
    mistakes={
        "that is d/2, as if the eight parameters made a regular model.": 4.0,
        "the count of eigenvalues is halved at the end.": 3.0,
        "that is what k = 0 and k = 2 cost, half the entries of the map; is the least not in between?": 2.0,
        "k small eigenvalues cost k(d_0 - h + k), not k(d_0 - h): they repel each other.": 0.0,
        "with k = 1 the first product is 1 (2 - 2 + 1) = 1, and the second does not vanish.": 0.5,
    },
    otherwise="put d_0 = h = d_2 = 2 into the count for k = 0, 1 and 2, take the least, and halve it.",
    praise="3/2: the least is at k = 1, with both layers of rank one.",
    what="the coefficient",
)

choice_question(
    "ch12.deeper",
    right=lambda: "b" if slt.coefficients_by_depth(4, (4, 9, 20))[2].value == slt.deep_limit(4) < 6 else "a",
    hints={
        "a": "the number of parameters grows by 16 a layer, but which share of them would the data notice?",
        "c": "with two layers it is 6; the third gives the zero map more ways to be made.",
    },
    praise="6, 11/2, 5, 5, 5, ...: from four layers on depth is free.",
)

number_question(
    "ch12.saddle_number",
    truth=lambda: 12.0 - _saddle_number(1.0),
    rtol=0.03,
    mistakes={
        "that is the coefficient of the problem whose teacher is zero; the sampler sees the whole teacher.": 9.5,
        "that is the coefficient at the global minimum; but the reference is the loss of the plateau.": 12.0,
        "that is the fall of the loss; the estimate multiplies it by n beta, and it is a fall.": 10.5,
        "the chains do not stay at the plateau: they find the way down.": 0.0,
        "the factor is n beta = n/ln n, not n.": -105_000.0,
        "the loss has a factor 1/2: the fall is (16 + 4 + 1)/2.": lambda: -_saddle_number(2.0),
        "the loss falls, so that the estimate is negative.": lambda: _saddle_number(1.0),
        "the strengths enter the loss squared.": lambda: -_saddle_number(1 / 3),
        "the logarithm is the natural one.": -26_250.0,
    },
    otherwise="the chains fall to the global minimum; multiply that fall of the loss by n/ln n.",
    praise="about -11,400: no property of the plateau, only the depth of the fall.",
    what="the number",
)

choice_question(
    "ch12.two_errors",
    right="b",
    hints={
        "a": "what does each of the two settings do to the estimate, taken alone?",
        "c": "another seed gives nearly the same number; which errors do not depend on the seed?",
    },
    praise="localisation pulls the estimate down, the step pushes it up, and here they cancel.",
)


@checker("ch12.unit_layers")
def _unit_layers(answer: Any) -> str:
    depths = (1, 2, 3, 5)
    got = np.array([[_pair(call(answer, L, r)) for L in depths] for r in (0, 1)])
    # Slope of ln(V/s) against ln(-ln s), where the exact volume is a power of s times one of its logarithm.
    eps = 0.5 * np.exp(-2 * np.array([300.0, 330.0]))
    with_zero = [np.diff(np.log(slt.scalar_volume(eps, L) / np.sqrt(2 * eps)))[0] / np.log(1.1) + 1 for L in depths]
    fibres = [slt.fibre((1,) * (L + 1), 1) for L in depths]
    values = np.array([[_half_codimension((1,) * (L + 1), r) for L in depths] for r in (0, 1)])
    L, zeros = np.array(depths, dtype=float), np.zeros(4)
    orders = np.array([with_zero, [float(f.n_patterns) for f in fibres]])
    compare(
        got[..., 0],
        values,
        {
            "that is half the number of parameters; V falls like eps^(1/2), with a power of a logarithm.": [L / 2, L / 2],
            "half the number of parameters is too much at r = 0: V falls like eps^(1/2) there too.": [L / 2, values[1]],
            "the layers are not equal to each other: K = w^(2L)/2 holds on the diagonal alone.": [1 / (2 * L), values[1]],
            "the volume falls like eps^(1/2), so that lambda is one half.": 2 * values,
        },
        otherwise="where one weight vanishes, or w_1 ... w_L = 1, K is the square of one coordinate: lambda is one half.",
    )
    compare(
        got[..., 1],
        orders,
        {
            "m is one more than the power of the logarithm.": [L - 1, zeros],
            "m - 1 is the power of the logarithm, which vanishes at r = 1; at r = 0 you are right.": [L, zeros],
            "at r = 0 all L weights can be small at once, and the volume has (-ln eps)^(L-1).": [zeros + 1, zeros + 1],
            "at r = 1 no weight can vanish: w_1 ... w_L = 1 is a smooth surface without crossings.": [L, L],
            "two is right for two layers alone; how many surfaces w_l = 0 cross at the origin?": [zeros + 2, orders[1]],
        },
        otherwise="count how many of the surfaces w_l = 0 cross at one point, and how many there are at r = 1.",
        rtol=0.01,  # the slope is taken at a volume that is small, but not zero
    )
    return correct("the same lambda at both ranks, but no crossings at rank one.")


def _pair(answer: Any) -> Array:
    return array(answer, (2,), "the pair (lambda, m)")


# Up to three layers the components of the fibre are as many as m, and beyond they are not.
_NETWORKS = (
    ((2, 2, 2), 1),
    ((5, 3, 5), 1),
    ((2, 6, 3), 1),
    ((2, 2, 6), 1),
    ((3, 2, 3), 2),
    ((2, 2, 2, 2), 0),
    ((2, 4, 3, 2), 1),
    ((3, 2, 4, 5), 0),
    ((2, 2, 2, 2, 2), 0),
)


def _by_other_roads() -> Array:
    """Return lambda and m of all networks: four cases for two layers, enumeration for more."""
    rows = []
    for widths, rank in _NETWORKS:
        if len(widths) == 3:
            value, m = slt.reduced_rank_coefficient(widths, rank)
        else:
            pieces = slt.fibre(widths, rank)
            value, m = pieces.codimension / 2, len(pieces.largest) if len(widths) < 5 else 5  # type: ignore[assignment]
        rows.append((float(value), float(m)))
    return np.array(rows)


def _rule(
    *,
    subtract: bool = True,
    ranked: bool = True,
    order: bool = True,
    condition: bool = True,
    which: Callable[[list[int]], int] = max,
    rounding: Callable[[float], int] = ceil,
    last: bool = True,
) -> Array:
    """Return lambda, ell and a of all networks by the rule, or by one that departs from it."""
    rows = []
    for widths, rank in _NETWORKS:
        M = [d - rank if subtract else d for d in widths]
        M = sorted(M) if order else M
        ell = which([i for i in range(1, len(M)) if not condition or sum(M[: i + 1]) >= i * M[i]])
        active = M[: ell + 1]
        S = sum(active)
        a = S - (rounding(S / ell) - 1) * ell
        pairs = sum(x * y for x, y in combinations(active, 2))
        value = pairs / 2 - (ell - 1) * S**2 / (4 * ell) + last * a * (ell - a) / (4 * ell)
        rows.append((value + ranked * rank * (widths[0] + widths[-1] - rank) / 2, ell, a))
    return np.array(rows)


@checker("ch12.coefficient")
def _coefficient(answer: Any) -> str:
    got = np.array([_pair(call(answer, widths, rank)) for widths, rank in _NETWORKS])
    right = _by_other_roads()
    sizes = np.array([sum(a * b for a, b in pairwise(widths)) for widths, _ in _NETWORKS])
    ell, a = _rule()[:, 1], _rule()[:, 2]
    where = int(np.argmax(np.any(np.abs(got - right) > 1e-6, axis=1)))
    first = f"widths {_NETWORKS[where][0]} at rank {_NETWORKS[where][1]}"
    compare(
        got[:, 0],
        right[:, 0],
        {
            "that is d/2, the coefficient of a regular model.": sizes / 2,
            "the part of the rank, r(d_0 + d_L - r)/2, is missing.": _rule(ranked=False)[:, 0],
            "the deficiencies are d_s - r; you work with the widths.": _rule(subtract=False)[:, 0],
            "sort the deficiencies first; only d_0 and d_L of the part of the rank keep their places.": _rule(order=False)[:, 0],
            "ell is the last l that satisfies the condition, not the first.": _rule(which=min)[:, 0],
            "not all layers count: leave out those that are too wide for the condition.": _rule(condition=False)[:, 0],
            "c rounds S/ell up, not down.": _rule(rounding=int)[:, 0],
            "the term a(ell - a)/(4 ell) is missing.": _rule(last=False)[:, 0],
            "this is the codimension; lambda is half of it.": 2 * right[:, 0],
        },
        otherwise=f"lambda is wrong for {first}; write down its deficiencies, ell, S, c and a, and compare.",
        rtol=1e-9,
    )
    compare(
        got[:, 1],
        right[:, 1],
        {
            "binomial(ell, a) counts the largest components of the fibre; m is a(ell - a) + 1.": np.array(
                [comb(int(n), int(k)) for n, k in zip(ell, a, strict=True)], dtype=float
            ),
            "m is one more than a(ell - a).": a * (ell - a),
            "m is not always one: what is a(ell - a) + 1?": np.ones(len(a)),
            "you return a; m is a(ell - a) + 1.": a,
        },
        otherwise=f"lambda is right everywhere, but m is wrong for {first}.",
        rtol=1e-9,
    )
    return correct("by the four cases for two layers, and by counting codimensions for more.")


@checker("ch12.two_hidden_widths")
def _two_hidden_widths(answer: Any) -> str:
    value = number(answer, "the coefficient of ln n")
    wide, narrow = (6, 4, 4, 6), (6, 2, 2, 6)
    right = _half_codimension(wide, 2) - _half_codimension(narrow, 2)
    compare(
        value,
        right,
        {
            "that is what BIC says, with d/2 for lambda.": 18.0,
            "the sign: the free energy of the wide network is the larger one.": -right,
            "these are the coefficients at rank 0; the truth has rank 2.": _half_codimension(wide) - _half_codimension(narrow),
            "both networks have to represent the same map, of rank 2.": _half_codimension(wide, 2) - _half_codimension(narrow),
            "that is the difference of the codimensions; lambda is half of it.": 2 * right,
            "that is the difference in the number of parameters.": 36.0,
            "that is the coefficient of the wide network; take the difference.": _half_codimension(wide, 2),
        },
        otherwise="F = n L + lambda ln n for both; find lambda of (6, 4, 4, 6) and of (6, 2, 2, 6) at rank 2.",
        rtol=1e-3,
    )
    return correct("four hidden units too many cost 2 ln n, a ninth of what BIC charges.")


def _crossing(gain: float, cost: float, upper: bool = True) -> float:
    """Return where gain n = cost ln n, the larger or the smaller root."""
    from scipy.optimize import brentq

    bounds = (cost / gain, 1e9) if upper else (1.0, cost / gain)
    return float(brentq(lambda n: gain * n - cost * np.log(n), *bounds, xtol=1e-10))


@checker("ch12.when_to_add")
def _when_to_add(answer: Any) -> str:
    value = number(answer, "the number of samples")
    task = Moments.white(np.diag([1.0, 0.1, 0.0, 0.0, 0.0]))
    gain = task.irreducible_loss(1) - task.irreducible_loss(2)
    two, one = _half_codimension((5, 2, 5), 2), _half_codimension((5, 1, 5), 1)
    two_at_one, one_at_zero = _half_codimension((5, 2, 5), 1), _half_codimension((5, 1, 5), 0)
    cost = two - one
    compare(
        value,
        _crossing(gain, cost),
        {
            "that is BIC's answer, with d/2 for lambda.": _crossing(gain, 5.0),
            "the loss has a factor 1/2: without the second mode it is larger by s^2/2.": _crossing(2 * gain, cost),
            "the equation has two roots; at the smaller one the formula means nothing.": _crossing(gain, cost, upper=False),
            "the logarithm is the natural one.": _crossing(gain, cost / np.log(10)),
            "the loss is larger by s^2/2, not by s/2.": _crossing(10 * gain, cost),
            "(5, 2, 5) represents a map of rank 2 here, and has another coefficient there.": _crossing(gain, two_at_one - one),
            "the best that (5, 1, 5) can represent is a map of rank 1, not 0.": _crossing(gain, two - one_at_zero),
            "you left out the logarithm.": cost / gain,
            "you divided by the coefficient of (5, 2, 5) alone; (5, 1, 5) has one too.": _crossing(gain, two),
        },
        otherwise="solve n s^2/2 = (lambda_2 - lambda_1) ln n for the larger n, with lambda_2 = 8 and lambda_1 = 9/2.",
        rtol=5e-3,
    )
    return correct("up to some six thousand samples the mode exists, but is not worth its parameters.")


@checker("ch12.one_layer")
def _one_layer(answer: Any) -> str:
    for seed, (d_in, h, d_out) in enumerate(((3, 2, 4), (2, 3, 2))):
        rng = np.random.default_rng(seed)
        X, Y = rng.standard_normal((9, d_in)), rng.standard_normal((9, d_out))
        task, W2, C = Moments.from_data(X, Y), rng.standard_normal((d_out, h)), rng.standard_normal((h, d_in))
        nb, gamma, size = 7.0, 1.7, h * d_in
        got = call(answer, W2.copy(), task, nb, gamma, C.copy())
        if not isinstance(got, (tuple, list)) or len(got) != 2:
            raise not_yet("return two things: the mean of W_1, and the precision matrix of its entries.")
        mean, precision = array(got[0], what="the mean"), array(got[1], what="the precision")
        if mean.shape not in ((h, d_in), (size,)) or precision.shape != (size, size):
            raise not_yet(
                f"for d_0 = {d_in} and h = {h} the mean has shape {(h, d_in)} and the precision {(size, size)}; "
                f"yours have {mean.shape} and {precision.shape}."
            )
        mean = mean.reshape(h, d_in)
        # The potential is quadratic in W1: its Hessian anywhere, and a Newton step from zero.
        zero = (np.zeros((h, d_in)), W2)
        bend = hessian(zero, task)[:size, :size]
        pull = -layer_gradients(zero, task)[0].ravel()
        right = nb * bend + gamma * np.eye(size)
        order = np.arange(size).reshape(h, d_in).T.ravel()  # entries of W1 column by column
        exchanged, least = right[np.ix_(order, order)], (np.linalg.pinv(bend) @ pull).reshape(h, d_in)
        side = nb * pull + gamma * C.ravel()
        compare(
            precision,
            right,
            {
                "this is the covariance; the precision is its inverse.": np.linalg.inv(right),
                "n beta multiplies the loss, and so its part of the precision.": bend + gamma * np.eye(size),
                "the localisation adds gamma to every diagonal entry.": nb * bend,
                "the entries of W_1 are taken row by row, as W1.ravel() does: exchange the two Kronecker factors.": exchanged,
                "gamma/2 |W_1 - C|^2 has the second derivative gamma, not gamma/2.": nb * bend + gamma / 2 * np.eye(size),
                "the loss has a factor 1/2, and its second derivative has none.": 2 * nb * bend + gamma * np.eye(size),
                "n beta multiplies the loss alone, not the localisation.": nb * (bend + gamma * np.eye(size)),
            },
            otherwise="differentiate n beta L + gamma/2 |W_1 - C|^2 twice with respect to W_1: Sigma_xx acts from the right, "
            "W_2^T W_2 from the left.",
            rtol=1e-8,
        )

        def solved(by: Array, P: Array = right, shape: tuple[int, int] = (h, d_in)) -> Array:
            return np.asarray(np.linalg.solve(P, by).reshape(shape))

        compare(
            mean,
            solved(side),
            {
                "the localisation pulls towards C: gamma C is missing on the right-hand side.": solved(nb * pull),
                "n beta multiplies the pull of the data too.": solved(pull + gamma * C.ravel()),
                "gamma multiplies C on the right-hand side.": solved(nb * pull + C.ravel()),
                "this is the right-hand side; the mean solves a linear system with the precision.": side.reshape(h, d_in),
                "this is the minimum of the loss; the localisation moves the mean.": least,
                "this is the centre C; the data pull the mean away from it.": C,
            },
            otherwise="the mean is where the gradient of n beta L + gamma/2 |W_1 - C|^2 with respect to W_1 vanishes.",
            rtol=1e-8,
        )
    return correct("gradient and Hessian of the potential agree; Gibbs sampling is this, layer by layer.")


@checker("ch12.step_bias")
def _step_bias(answer: Any) -> str:
    cases = [(0.7, 0.3), (2.0, 0.5), (5.0, 0.6)]
    got = np.array([number(call(answer, h, eta), "the variance") for h, eta in cases])
    h, eta = np.array(cases).T
    right = np.zeros(3)
    for _ in range(2000):
        right = (1 - eta * h / 2) ** 2 * right + eta
    compare(
        got,
        right,
        {
            "that is the variance of the posterior, the limit for small steps; square the whole factor 1 - eta h/2.": 1 / h,
            "the drift is eta/2, not eta; your chain samples at another temperature.": eta / (1 - (1 - eta * h) ** 2),
            "the variance is larger than 1/h, not smaller: check the sign of the square.": 1 / (h * (1 + eta * h / 4)),
            "the square of 1 - eta h/2 ends with eta^2 h^2/4.": 1 / (h * (1 - eta * h / 2)),
            "the noise has the standard deviation sqrt(eta) and so the variance eta, not eta^2.": eta / (h * (1 - eta * h / 4)),
            "the variance is wanted, not the standard deviation.": np.sqrt(right),
            "that is the factor by which the variance is too large; multiply it by 1/h.": 1 / (1 - eta * h / 4),
            "that is the first order in eta; keep all of them.": (1 + eta * h / 4) / h,
        },
        otherwise="a stationary variance v satisfies v = (1 - eta h/2)^2 v + eta.",
        rtol=1e-8,
    )
    return correct("too large by 1/(1 - eta h/4), and infinite at eta h = 4.")


@checker("ch12.centring")
def _centring(answer: Any) -> str:
    cases = [(2, 50), (3, 400), (5, 5000)]
    got = np.array([number(call(answer, d, n), "the expected estimate") for d, n in cases])
    right = np.array([_expected_estimate(d, n) for d, n in cases])
    d, n = np.array(cases, dtype=float).T
    compare(
        got,
        right,
        {
            "that is the estimate centred at the minimum of L_n; at the true parameter L_n is larger.": d / 2,
            "the sign: L_n at the true parameter is above its minimum, and it is subtracted.": d / 2 * (1 + 1 / np.log(n)),
            "twice too much: n (L_n(w_0) - min L_n) has the mean d/2, not d.": d / 2 * (1 - 2 / np.log(n)),
            "each direction contributes 1/2, to both parts.": d * (1 - 1 / np.log(n)),
            "the shift of L_n is d/(2n), and it is multiplied by n beta = n/ln n.": d / 2 * (1 - 1 / n),
            "the logarithm is the natural one.": d / 2 * (1 - 1 / np.log10(n)),
            "that is the shift alone; add d/2.": -d / (2 * np.log(n)),
            "only half of the shift: it is d/(2n) times n/ln n.": d / 2 * (1 - 1 / (2 * np.log(n))),
        },
        otherwise="E[L_n] - min L_n is d/(2 n beta) under the tempered posterior; how far above min L_n is L_n(w_0), on average?",
        rtol=1e-8,
    )
    return correct("too low by d/(2 ln n), which is 12 per cent of d/2 at n = 5000 and does not care how long you sample.")


def _expected_estimate(d: int, n: int) -> float:
    """Mean over the noise of the estimate centred at the truth, for linear regression on fixed inputs, in exact algebra."""
    x = np.linspace(-1, 1, n)
    X = np.stack([np.cos(k * x) + x**k for k in range(d)], axis=1)
    S, nb = X.T @ X / n, slt.wbic_temperature(n)
    spread = np.linalg.inv(nb * S)  # covariance of the tempered posterior round the minimum
    offset = np.linalg.inv(X.T @ X)  # covariance of the minimum round the truth
    return float(nb * 0.5 * np.trace(S @ (spread - offset)))
