"""Checkers of chapter 11: disentanglement is not the default."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np

from dlnlib import disentanglement as dis
from dlnlib._validate import Array
from dlnlib.exercises._core import array, call, checker, close, compare, correct, not_yet, number
from dlnlib.exercises._questions import choice_question, number_question
from dlnlib.initialise import gaussian
from dlnlib.moments import Moments
from dlnlib.network import product


def _turns(n: int) -> Array:
    """Return n rotations of the plane, equally spaced over all angles, (n, 2, 2)."""
    angle = 2 * np.pi * (np.arange(n) + 0.5) / n
    return np.moveaxis(np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]), -1, 0)


def _uniform_correlation() -> float:
    """Return the correlation of an impostor by 45 degrees with a uniform factor, by quadrature in Gaussian coordinates."""
    from scipy.special import ndtr

    nodes, w = np.polynomial.hermite_e.hermegauss(60)
    xi, weight = np.stack(np.meshgrid(nodes, nodes)), np.outer(w, w) / w.sum() ** 2
    return float(12 * np.sum(weight * (ndtr((xi[0] + xi[1]) / np.sqrt(2)) - 0.5) * (ndtr(xi[0]) - 0.5)))


choice_question(
    "ch11.examples",
    right="c",
    hints={
        "a": "write down the covariance of x for both; where is the difference that examples could show?",
        "b": "noise adds the same to both covariances; how do they differ without it?",
    },
    praise="both give x the same Gaussian law, so that no number of examples tells them apart.",
)

number_question(
    "ch11.half_truth",
    truth=_uniform_correlation,
    rtol=6e-3,
    mistakes={
        "that is the correlation of the Gaussian coordinates; mapping them back to uniform ones lowers it a little.": 1
        / np.sqrt(2),
        "that is 2/pi arcsin(Q), Kendall's measure; the correlation here is 6/pi arcsin(Q/2).": 0.5,
        "coordinates of the impostor are independent of each other, but not of the factors.": 0.0,
        "the arcsine is wanted in radians.": lambda: 6 / np.pi * np.degrees(np.arcsin(1 / np.sqrt(8))),
        "the entry of Q is halved before the arcsine: 6/pi arcsin(Q/2).": lambda: 3 / np.pi * np.arcsin(1 / np.sqrt(2)) * 2,
    },
    otherwise="put Q = 1/sqrt(2) into 6/pi arcsin(Q/2).",
    praise="each coordinate is related to both factors alike, by 0.69.",
    what="the correlation",
)

number_question(
    "ch11.dice",
    truth=lambda: float(dis.matching_score(_turns(2**12)).mean()),
    rtol=6e-3,
    mistakes={
        "that is the least score, at 45 degrees; what is the mean?": 1 / np.sqrt(2),
        "that is the mean of |cos|, for a matching fixed beforehand; the score takes the better one.": 2 / np.pi,
        "that is the mean of cos^2; the score takes moduli, and the better matching.": 0.5,
        "that lies half-way between the least and the largest score; angles are uniform, scores are not.": 0.5 + 1 / np.sqrt(8),
        "the better of |cos| and |sin| squared has this mean, 1/2 + 1/pi; the score is not squared.": 0.5 + 1 / np.pi,
    },
    otherwise="the score at the angle t is the larger of |cos t| and |sin t|; average it over t.",
    praise="2 sqrt(2)/pi: nine tenths, with nothing learnt.",
    what="the mean score",
)

choice_question(
    "ch11.dropout_way",
    right="b",
    hints={
        "a": "that would make one neuron carry more than the other, and the penalty is a sum of squares with a fixed sum.",
        "c": "that holds for noise that is added; noise that multiplies is large where the activity is large.",
    },
    praise="the penalty is least when all units carry the same, and then every neuron holds every factor.",
)


@checker("ch11.entropy_dice")
def _entropy_dice(answer: Any) -> str:
    value = number(answer, "the score")
    turns = _turns(2**14)
    shares = np.abs(turns) / np.sum(np.abs(turns), axis=-1, keepdims=True)
    of_moduli = float(np.mean(1 + np.sum(shares * np.log(shares), axis=-1) / np.log(2)))
    compare(
        value,
        float(dis.entropy_score(turns).mean()),
        {
            "the entropy has to be divided by that of equal shares, ln 2.": 2 - 2 * np.log(2),
            "that is the mean entropy itself.": 2 * np.log(2) - 1,
            "that is the mean entropy over ln 2; the score is one minus it.": 2 - 1 / np.log(2),
            "that is the score at 45 degrees, the least; what is the mean over all angles?": 0.0,
            "the shares are squares of the correlations.": of_moduli,
        },
        otherwise="average -cos^2 ln cos^2 - sin^2 ln sin^2 over the angle, and compare it with ln 2.",
        rtol=3e-3,
        atol=1e-3,
    )
    return correct("1/ln 2 - 1: this score is far lower than the other for the same rotation.")


@checker("ch11.dropout_strengths")
def _dropout_strengths(answer: Any) -> str:
    value = np.sort(array(answer, (2,), "the pair of strengths"))[::-1]
    start = gaussian((2, 2, 2), rng=np.random.default_rng(0), scale=0.1)
    trained = dis.train(start, Moments.white(np.diag([2.0, 1.0])), 0.1, 1500, keep=0.8)
    compare(
        value,
        np.linalg.svd(product(trained), compute_uv=False),
        {
            "what shrinks is the sum of the strengths that are learnt, not that of the targets.": [1.625, 0.625],
            "the least penalty is divided by the number of hidden units, 2.": [1.5, 0.5],
            "the factor is (1 - p)/p, not 1 - p.": [1.75, 0.75],
            "the factor is (1 - p)/p, not p/(1 - p).": [0.8, -0.2],
            "the derivative of a square brings a factor 2.": [2 - 1 / 6, 1 - 1 / 6],
            "these are the targets; the penalty pulls the product towards zero.": [2.0, 1.0],
            "the same amount is taken from both strengths, not the same fraction.": [1.6, 0.8],
        },
        otherwise="minimise sum (s - u)^2/2 + (1 - p)/(2 p h) (sum u)^2 over both strengths u.",
        rtol=4e-3,
    )
    return correct("dropout takes the same amount from every mode, and more of it the more there are.")


@checker("ch11.gap_examples")
def _gap_examples(answer: Any) -> str:
    value = number(answer, "the number of examples")
    slope = (1 - dis.singular_score(2.0, 1.9, 1e-3)) / 1e-6
    right = 0.25 * slope / 0.01
    compare(
        value,
        right,
        {
            "twice too many: a factor one half is missing, or you took sigma_e in place of its square.": 2 * right,
            "the noise of an entry has the variance sigma_e^2/n; 0.25 is sigma_e^2 already.": 0.25 * right,
            "the score may fall short by 0.01, not by 0.1.": 0.1 * right,
            "the score is to be 0.99; what may be missing is 0.01, not 0.99.": right * 0.01 / 0.99,
            "the gap is that of the squares, s1^2 - s2^2 = 0.39.": 0.25 * 7.61 / (2 * 0.01 * 0.1**2),
        },
        otherwise="set (sigma_e^2/n)/2 (s1^2 + s2^2)/(s1^2 - s2^2)^2 equal to 0.01.",
        rtol=1.5e-2,
    )
    return correct("at half the gap it would take four times as many.")


def _match(C: Array) -> float:
    C = np.abs(C)
    h, k = C.shape
    return float(max(C[list(rows), np.arange(k)].mean() for rows in permutations(range(h), k)))


@checker("ch11.matching")
def _matching(answer: Any) -> str:
    rng = np.random.default_rng(4)
    tables = [np.array([[-0.9, 0.8], [0.7, 0.1]]), *rng.uniform(-1, 1, (3, 3, 3)), *rng.uniform(-1, 1, (3, 5, 3))]
    for C in tables:
        got = number(call(answer, C.copy()), "the score")
        h, k = C.shape
        free, signed = np.abs(C).max(axis=0).mean(), max(C[list(r), np.arange(k)].mean() for r in permutations(range(h), k))
        best = np.abs(C).copy()
        greedy = 0.0
        for _ in range(k):
            i, j = np.unravel_index(int(np.argmax(best)), best.shape)
            greedy += best[i, j] / k
            best[i], best[:, j] = -1, -1
        compare(
            got,
            _match(C),
            {
                "two factors share a neuron here; each needs one of its own.": free if free > _match(C) + 1e-9 else np.nan,
                "the sign of a correlation does not matter; take moduli.": signed if signed < _match(C) - 1e-9 else np.nan,
                "the largest entries first is not always the best matching; try all of them.": greedy
                if greedy < _match(C) - 1e-9
                else np.nan,
                "this is the sum; take the mean over the factors.": k * _match(C),
                "take the mean over the k factors, not over the h neurons.": k * _match(C) / h if h != k else np.nan,
                "this is the mean of the squares; the score takes moduli.": _match(C**2),
            },
            otherwise="for every way to give each column a row of its own average the moduli, and take the largest average.",
            rtol=1e-9,
        )
    return correct("also where the best entries share a neuron, and with spare neurons.")


@checker("ch11.rotation_p")
def _rotation_p(answer: Any) -> str:
    rng = np.random.default_rng(2)
    for h, strengths in ((2, (1.0, 0.1)), (3, (1.0, 0.4, 0.1))):
        k = len(strengths)
        W1 = dis.random_rotations(h, 1, rng=rng)[0] * np.sqrt(strengths)
        A = dis.random_rotations(k, 1, rng=rng)[0]
        W1 = W1 @ A.T
        Q = np.concatenate([dis.random_rotations(h, 48, rng=rng), np.eye(h)[None]])
        got = number(call(answer, W1.copy(), A.copy(), Q.copy()), "the p-value")

        def score(rows: Array, A: Array = A) -> Array:
            return dis.matching_score(dis.correlations(rows, A))

        own = score(W1)
        count, strict = np.sum(score(Q @ W1) >= own - 1e-12), np.sum(score(Q @ W1) > own + 1e-12)
        sides = np.sum(score(W1 @ np.swapaxes(A @ Q @ A.T, -1, -2)) >= own - 1e-12) if h == k else -1
        raw = np.array([_match(C) for C in Q @ W1 @ A])
        lower = np.sum(score(Q @ W1) <= own + 1e-12)
        m = len(Q)
        compare(
            got,
            (1 + count) / (m + 1),
            {
                "the network itself counts among those that score as high: add one above and below.": count / m,
                "add one below too: there are m + 1 scores.": (1 + count) / m,
                "a copy that scores exactly as high counts.": (1 + strict) / (m + 1),
                "you count the copies that score lower.": (1 + lower) / (m + 1),
                "rotate the neurons, Q W_1; a rotation on the other side turns the factors.": (1 + sides) / (m + 1),
                "normalise the rows: the score takes correlations.": (1 + np.sum(raw >= _match(W1 @ A) - 1e-12)) / (m + 1),
            },
            otherwise="score Q W_1 for every Q, count those that are not below the score of W_1, and return (1 + count)/(m + 1).",
            rtol=1e-9,
        )
    return correct("exact for whatever training treats all bases of the hidden layer alike.")


@checker("ch11.impostor")
def _impostor(answer: Any) -> str:
    from scipy.special import ndtr, ndtri

    rng = np.random.default_rng(6)
    for k in (2, 3):
        z, Q = rng.exponential(size=(20, k)), dis.random_rotations(k, 1, rng=rng)[0]
        got = array(call(answer, z.copy(), Q.copy()), z.shape, "the impostor")
        xi = -ndtri(np.exp(-z))

        def back(turned: Array) -> Array:
            return np.asarray(-np.log(ndtr(-turned)))

        if np.any(got <= 0) and not close(got, xi @ Q.T, 1e-6) and not close(got, z @ Q.T, 1e-6):
            raise not_yet("an exponential factor is positive, and some of yours are not; what are the last two steps?")
        compare(
            got,
            back(xi @ Q.T),
            {
                "points are rows here: turn them by z Q^T, not by z Q.": back(xi @ Q),
                "these are the Gaussian coordinates; map them back.": xi @ Q.T,
                "rotating the factors themselves changes their law; make them Gaussian first.": z @ Q.T,
                "nothing is turned; the last and the first step undo each other.": z,
                "the exponential law has F(z) = 1 - e^(-z), with the inverse -ln(1 - u).": np.asarray(-np.log(ndtr(xi @ Q.T))),
            },
            otherwise="xi = Phi^-1(F(z)) for each entry, then Q xi for each row, then F^-1(Phi(.)) for each entry.",
            rtol=1e-6,
        )
    return correct("it has the law of the factors, and mixes them all.")
