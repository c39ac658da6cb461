"""Checkers of chapter 2, the landscape. Truths are counted on exact Hessians or integrated, never stored."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array
from dlnlib.exercises._core import array, call, checker, close, compare, correct, not_yet, number
from dlnlib.exercises._questions import choice_question, number_question
from dlnlib.hessian import sharpness
from dlnlib.landscape import classify, critical_point, critical_sets
from dlnlib.moments import Moments

choice_question(
    "ch02.levels",
    right="c",
    hints={
        "a": "the search looks for a vanishing gradient, and saddles have one too; not only minima are counted.",
        "b": "it matters which modes are learnt, not only how many: learning mode 3 alone explains less than mode 1.",
        "d": "points of equal loss do form continua, but could a mode be learnt by half where the gradient vanishes?",
    },
    praise="yes: every set of at most two of the three modes, and their losses happen to differ.",
)

number_question(
    "ch02.largest_step",
    truth=lambda: 2 / min(_sharpness_at_minimum(a) for a in np.geomspace(0.2, 5.0, 401)),
    rtol=0.01,
    mistakes={
        "that is the limit of one layer, 2/s; here the sharpness is a^2 + b^2, and that is more than s.": 2.0,
        "that is 1/sharpness; descent rests up to 2/sharpness.": 0.5,
        "that is 2 over the length of (a, b); the sharpness is the square of it.": np.sqrt(2),
        "that is less than the flattest minimum allows; how small can a^2 + b^2 be where ab = 1? Divide 2 by it, once.": 0.25,
    },
    otherwise="find the minimum ab = 1 at which a^2 + b^2 is least, and divide 2 by it.",
    praise="the flattest minima are (1, 1) and (-1, -1), of sharpness 2.",
    what="the step",
)

choice_question(
    "ch02.unused_unit",
    right="c",
    hints={
        "a": "the outgoing weights of the unit now multiply a signal, so moving them costs something it did not cost before.",
        "b": "move the outgoing weights a little, and the incoming ones from a useful input much more: does the loss still fall?",
        "d": "outgoing weights now pass on a signal that explains nothing: that adds a cost, and no way down gets steeper by it.",
    },
    praise="yes: the direction stays downhill, and gets flatter as the incoming weights grow.",
)

number_question(
    "ch02.third_alone",
    truth=lambda: _measured(Moments.white(np.diag([4.0, 3.0, 2.0, 1.0])), (2,), (4, 3, 4))[1],
    atol=1e-9,
    mistakes={
        "that is the number of swaps; two unused units can wake up besides.": 2,
        "those are the wake-ups; the learnt mode can also be swapped for a stronger one.": 6,
        "one of the three hidden units carries the learnt mode; only the other two can wake up.": 2 + 3 * 3,
        "a swap leads down only towards a stronger mode, and you have counted the weaker one.": 1 + 6,
        "each unused unit can wake up for each missing mode; you have let one of them do it.": 2 + 3,
        "no unit can wake up for the mode that is learnt already.": 2 + 2 * 4,
        "a swap for the weaker mode leads up: count stronger ones alone.": 3 + 6,
    },
    otherwise="count the missing modes that are stronger, then multiply unused units by missing modes, and add.",
    praise="two swaps, and two units times three modes to wake up.",
    what="the index",
)


def _sharpness_at_minimum(a: float) -> float:
    return float(sharpness(([[a]], [[1 / a]]), Moments.white([[1.0]])))


@checker("ch02.critical_list")
def critical_list(answer: Any) -> str:
    """Check losses and indices of all critical sets for s = (3, 2, 1), h = 2."""
    rows = array(answer, what="the list of rows")
    if rows.ndim == 2 and rows.shape[0] == 2 and rows.shape[1] != 2:
        rows = rows.T
    if rows.ndim != 2 or rows.shape[1] != 2:
        raise not_yet(f"give rows of two numbers, [loss, index]; yours has shape {rows.shape}.")
    task = Moments.white(np.diag([3.0, 2.0, 1.0]))
    want = _sorted(np.array([_measured(task, s.modes, (3, 2, 3)) for s in critical_sets(task, 2)]))
    if len(rows) == 8:
        raise not_yet("eight sets are one too many: two hidden units cannot carry three modes.")
    if len(rows) != len(want):
        raise not_yet(f"you list {len(rows)} sets; count the subsets of at most two of three modes, the empty one included.")
    got = _sorted(rows)
    if close(np.sort(got[:, 1]), want[:, 0]):
        raise not_yet("give each row as [loss, index]; yours has them the other way round.")
    if close(got[:, 0], 2 * want[:, 0]):
        raise not_yet("the losses are twice too large; the loss carries a factor one half.")
    if close(np.sort(got[:, 0]), np.sort(7 - want[:, 0])):
        raise not_yet("you give what is explained; the loss is what is left of the 7 at the start.")
    if not close(got[:, 0], want[:, 0]):
        raise not_yet("a loss is off; it is half the sum of the squares of the modes that are not learnt.")
    # want is sorted by loss: {12} {13} {1} {23} {2} {3} {}.
    swaps, wakes = np.array([0, 1, 0, 2, 1, 2, 0]), np.array([0, 0, 2, 0, 2, 2, 6])
    weaker = np.array([2, 1, 2, 0, 1, 0, 0])
    compare(
        got[:, 1],
        want[:, 1],
        {
            "losses are right, and the indices count swaps only; an unused hidden unit can also wake "
            "up for each missing mode.": swaps,
            "losses are right, and the indices count wake-ups only; a learnt mode can also be swapped for a stronger one.": wakes,
            "losses are right, and the wake-ups too; a swap lowers the loss only for a stronger mode, "
            "and you count the weaker ones.": weaker + wakes,
            "losses are right; you seem to count one wake-up for each missing mode, whatever the number of unused units.": swaps
            + np.array([0, 0, 2, 0, 2, 2, 3]),
        },
        otherwise="losses are right, but an index is off; count for each set the swaps, then the wake-ups, and add.",
    )
    return correct("all seven sets, each with its loss and its index.")


@checker("ch02.index")
def index(answer: Any) -> str:
    """Check the index formula of two layers on random tasks."""
    rng = np.random.default_rng(20)
    got: list[float] = []
    want: list[int] = []
    wrong: dict[str, list[int]] = {"swap": [], "wake": [], "no-wake": [], "no-swap": [], "all": []}
    wrong |= {"once": [], "modes": [], "within": [], "twice": []}
    for q, hidden in ((3, 2), (4, 3), (3, 5), (4, 4), (4, 1)):
        s = np.sort(rng.uniform(0.5, 3.0, q))[::-1]
        task = Moments.white(np.diag(s))
        for _ in range(4):
            r = int(rng.integers(0, min(q, hidden) + 1))
            learnt = tuple(sorted(int(k) for k in rng.choice(q, r, replace=False)))
            got.append(number(call(answer, s.copy(), list(learnt), hidden), "the index"))
            want.append(_measured(task, learnt, (q, hidden, q))[1])
            missing = [j for j in range(q) if j not in learnt]
            up, down = (sum(c * s[j] > c * s[i] for i in learnt for j in missing) for c in (1, -1))
            wake = (hidden - r) * (q - r)
            wrong["swap"].append(down + wake)
            wrong["wake"].append(up + hidden * (q - r))
            wrong["no-wake"].append(up)
            wrong["no-swap"].append(wake)
            wrong["all"].append(up + (hidden - r) * q)
            wrong["once"].append(up + (hidden > r) * (q - r))
            wrong["modes"].append(sum(any(s[j] > s[i] for i in learnt) for j in missing) + wake)
            wrong["within"].append(up + r * (r - 1) // 2 + wake)
            wrong["twice"].append(2 * (up + wake))
    compare(
        got,
        want,
        {
            "you count swaps for weaker modes; only a stronger mode lowers the loss when it takes "
            "the place of a learnt one.": wrong["swap"],
            "you let every hidden unit wake up; those that carry a learnt mode are in use already.": wrong["wake"],
            "the swaps are right; add one direction for each pair of an unused hidden unit and a missing mode.": wrong["no-wake"],
            "the wake-ups are right; add the pairs in which a missing mode is stronger than a learnt one.": wrong["no-swap"],
            "an unused unit can wake up for a missing mode only; you let it wake up for the learnt ones too.": wrong["all"],
            "each unused unit can wake up for each missing mode; you count the missing modes once.": wrong["once"],
            "a swap is a pair: count each learnt mode that a stronger missing one can replace.": wrong["modes"],
            "two learnt modes cannot be swapped for each other; compare with missing ones only.": wrong["within"],
            "twice too many: a swap or a wake-up has one negative eigenvalue, its partner is positive.": wrong["twice"],
        },
        otherwise="some counts differ from the negative eigenvalues of the Hessian; test your "
        "function on s = (3, 2, 1), hidden = 2.",
    )
    return correct("twenty random cases agree with the negative eigenvalues of the exact Hessian.")


@checker("ch02.flat_directions")
def flat_directions(answer: Any) -> str:
    """Check the number of zero eigenvalues at balanced critical points."""
    cases = [(0, 2, 3, 4, 5), (1, 3, 3, 3, 3), (2, 3, 4, 4, 4), (2, 4, 3, 5, 4)]
    cases += [(3, 3, 3, 3, 4), (2, 2, 2, 6, 3), (1, 2, 2, 3, 2)]
    got: list[float] = []
    want: list[int] = []
    wrong: dict[str, list[int]] = {"orbit": [], "square": [], "group": [], "all": [], "spare": []}
    for r, h, q, d_in, d_out in cases:
        yx = np.zeros((d_out, d_in))
        yx[np.arange(q), np.arange(q)] = np.arange(q, 0, -1.0)
        task = Moments.white(yx)
        got.append(number(call(answer, r, h, q, d_in, d_out), "the number"))
        want.append(classify(critical_point(task, range(r), (d_in, h, d_out)), task).nullity)
        wrong["orbit"].append(h**2 - (h - r) ** 2)
        wrong["square"].append(r**2)
        wrong["group"].append(h**2)
        wrong["all"].append(r**2 + (h - r) * (d_in + d_out))
        wrong["spare"].append(r**2 + (h - r) * (d_in + d_out - 2 * q))
    compare(
        got,
        want,
        {
            "this is the dimension of the orbit; with unused units there are flat directions beyond "
            "it when the task leaves inputs or outputs to spare.": wrong["orbit"],
            "you count the pairs of learnt modes; the unused units have flat directions too.": wrong["square"],
            "this is the dimension of all invertible C; those that act on unused units alone move "
            "nothing, and other directions are flat as well.": wrong["group"],
            "an unused unit is not flat towards the modes that are missing: there its block has the "
            "eigenvalues +s and -s.": wrong["all"],
            "an unused unit is flat towards the modes already learnt too: nothing of them is left in E.": wrong["spare"],
        },
        otherwise="this differs from the count of zero eigenvalues; go through the blocks: learnt "
        "with learnt, learnt with missing, unused units.",
    )
    return correct("it agrees with the zero eigenvalues of the exact Hessian in seven shapes.")


@checker("ch02.escape_time")
def escape_time(answer: Any) -> str:
    """Check the time from equal layer strengths eps to half the target, at several depths."""
    cases = [(3.0, 0.1, 2), (1.5, 0.02, 2), (3.0, 0.1, 3), (2.0, 0.03, 3), (1.0, 0.2, 4), (3.0, 0.2, 5)]
    got = [number(call(answer, s, eps, depth), "the time") for s, eps, depth in cases]
    want = [_integrated_time(s, eps, depth) for s, eps, depth in cases]
    product = [_integrated_time(s, eps ** (1 / depth), depth) for s, eps, depth in cases]
    leading = [np.log(s / eps**2) / (2 * s) if L == 2 else eps ** (2.0 - L) / ((L - 2) * s) for s, eps, L in cases]
    lower = [_integrated_time(s, eps, L, fraction=0.5**L) for s, eps, L in cases]
    split = [t if L == 2 else _without_rest(s, eps, L) for t, (s, eps, L) in zip(want, cases, strict=True)]
    hints: dict[str, ArrayLike] = {
        "you stop where each layer has half of its final strength; the product should have half of its target.": lower,
        "two layers are right; from three on a term is missing, the integral of a / (s - a^L).": split,
        "that is the time of two layers at every depth; the speed of a layer is a^(L-1) (s - a^L).": [
            np.log((s - eps**2) / eps**2) / (2 * s) for s, eps, _ in cases
        ],
        "you start the product at eps; here every layer has the strength eps, so the product starts "
        "at eps to the power of the depth.": product,
        "this is the leading term for small eps; the rest of the integral is still missing.": leading,
        "you are off by the factor depth; use the equation for the strength of one layer, whose "
        "speed is a^(L-1) (s - a^L).": np.array(want) * [c[2] for c in cases],
        "you are off by the factor depth: check whether it is the product or one layer that moves at your speed.": np.array(want)
        / [c[2] for c in cases],
    }
    compare(
        got,
        want,
        hints,
        rtol=1e-5,
        otherwise="this differs from the integrated flow; for s = 3, eps = 0.1, depth = 3 it takes about 3.1 units of time.",
    )
    return correct("six cases at depths 2 to 5 agree with the integrated flow.")


@checker("ch02.decayed_index")
def decayed_index(answer: Any) -> str:
    """Check the index of the origin of two layers with weight decay."""
    rng = np.random.default_rng(21)
    got: list[float] = []
    want: list[int] = []
    wrong: dict[str, list[int]] = {"square": [], "unit": [], "none": [], "half": [], "both": [], "reverse": []}
    for hidden, decay in ((2, 0.3), (3, 1.1), (1, 1.7), (4, 2.6), (2, 0.0), (3, 5.0), (2, 1.4), (3, 0.8)):
        s = np.sort(rng.uniform(0.2, 3.0, 4))[::-1]
        task = Moments.white(np.diag(s))
        zero = (np.zeros((hidden, 4)), np.zeros((4, hidden)))
        got.append(number(call(answer, s.copy(), hidden, decay), "the index"))
        want.append(int(np.sum(classify(zero, task).eigenvalues + decay < 0)))
        wrong["square"].append(hidden * int(np.sum(s**2 > decay)))
        wrong["unit"].append(int(np.sum(s > decay)))
        wrong["none"].append(hidden * 4)
        wrong["half"].append(hidden * int(np.sum(s > decay / 2)))
        wrong["both"].append(2 * hidden * int(np.sum(s > decay)))
        wrong["reverse"].append(hidden * int(np.sum(s < decay)))
    compare(
        got,
        want,
        {
            "you compare the decay with s squared; the eigenvalues at the origin are plus and minus s itself.": wrong["square"],
            "you count each mode once; every hidden unit can wake up for it.": wrong["unit"],
            "this is the index without decay; the decay adds its strength to every eigenvalue.": wrong["none"],
            "the term with one half and the square adds the full strength to the second derivative, not half of it.": wrong[
                "half"
            ],
            "of the two eigenvalues of a pair, decay + s and decay - s, only the second can be negative.": wrong["both"],
            "the other way round: decay - s is negative for the modes stronger than the decay.": wrong["reverse"],
        },
        otherwise="this differs from the negative eigenvalues; add the decay to each eigenvalue of "
        "the Hessian at the origin, and count.",
    )
    return correct("eight random cases agree; from the largest s on, the origin is a minimum.")


def _measured(task: Moments, modes: tuple[int, ...], widths: tuple[int, ...]) -> tuple[float, int]:
    """Return loss and index of a critical point, counted on its exact Hessian."""
    found = classify(critical_point(task, modes, widths), task)
    return found.loss, found.index


def _sorted(rows: Array) -> Array:
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]


def _without_rest(s: float, eps: float, depth: int) -> float:
    """Return the first term of `eq-escape-deep` alone."""
    power = 2.0 - depth
    return float((eps**power - (s / 2) ** (power / depth)) / (depth - 2) / s)


def _integrated_time(s: float, eps: float, depth: int, fraction: float = 0.5) -> float:
    """Return when a flow of equal layer strengths from eps reaches this fraction of s in the product.

    The flow is integrated in x = ln a, with x as the independent variable: the answer needs no closed form.
    """
    from scipy.integrate import solve_ivp

    start, stop = np.log(eps), np.log(s * fraction) / depth

    def slowness(x: float, _: Array) -> list[float]:
        return [np.exp((2 - depth) * x) / (s - np.exp(depth * x))]

    path = solve_ivp(slowness, (start, stop), [0.0], method="DOP853", rtol=1e-11, atol=1e-13)
    return float(path.y[0, -1])
