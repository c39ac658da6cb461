"""What the checkers of chapter 11 accept, and the mistakes they name."""

from itertools import permutations

import numpy as np
from cases import Cases
from scipy import stats
from scipy.optimize import linear_sum_assignment
from scipy.special import ndtr, ndtri


def _matching(C):
    C = np.abs(np.asarray(C))
    return max(C[list(rows), range(C.shape[1])].mean() for rows in permutations(range(C.shape[0]), C.shape[1]))


def _assigned(C):
    C = np.abs(C)
    rows, columns = linear_sum_assignment(-C)
    return np.array([C[rows, columns].mean()])


def _free(C):
    return np.abs(C).max(axis=0).mean()


def _signed(C):
    return max(C[list(rows), range(C.shape[1])].mean() for rows in permutations(range(C.shape[0]), C.shape[1]))


def _greedy(C):
    C, total = np.abs(C).copy(), 0.0
    k = C.shape[1]
    for _ in range(k):
        i, j = np.unravel_index(np.argmax(C), C.shape)
        total += C[i, j]
        C[i], C[:, j] = -1, -1
    return total / k


def _score(rows, A, normalise=True):
    C = rows @ A
    if normalise:
        C = C / np.linalg.norm(C, axis=1, keepdims=True)
    return _matching(C)


def _p(plus=(1, 1), strict=False, lower=False, normalise=True, factors=False):
    def p_value(W1, A, Q):
        own = _score(W1, A, normalise)
        copies = [W1 @ (A @ q @ A.T).T if factors else q @ W1 for q in Q]
        values = np.array([_score(rows, A, normalise) for rows in copies])
        counted = values > own + 1e-12 if strict else values >= own - 1e-12
        if lower:
            counted = values <= own + 1e-12
        return (plus[0] + counted.sum()) / (len(Q) + plus[1])

    return p_value


def _impostor(z, Q):
    return -np.log1p(-ndtr(ndtri(-np.expm1(-z)) @ Q.T))


def _by_rows(z, Q):
    law = stats.expon()
    return [law.isf(stats.norm.sf(Q @ stats.norm.isf(law.sf(row)))) for row in z]


CASES = {
    "ch11.examples": Cases(accept=["c", "C", "(c)"], refuse=[("a", "covariance"), ("b", "without it"), ("d", "letters a, b, c")]),
    "ch11.half_truth": Cases(
        accept=[0.6902, "0.69", 6 / np.pi * np.arcsin(1 / 8**0.5)],
        refuse=[
            (0.7071, "Gaussian coordinates"),
            (0.5, "Kendall"),
            (0, "not of the factors"),
            (39.54, "radians"),
            (1.5, "halved before"),
            (0.3, "put Q"),
        ],
    ),
    "ch11.dice": Cases(
        accept=[0.9, "0.9003", 8**0.5 / np.pi],
        refuse=[
            (0.7071, "least score"),
            (2 / np.pi, "fixed beforehand"),
            ("1/2", "mean of cos^2"),
            (0.8536, "half-way"),
            (0.8183, "not squared"),
            (1.0, "average it"),
        ],
    ),
    "ch11.dropout_way": Cases(
        accept=["b", "B", "(b)"], refuse=[("a", "fixed sum"), ("c", "noise that multiplies"), ("z", "letters a, b, c")]
    ),
    "ch11.entropy_dice": Cases(
        accept=[1 / np.log(2) - 1, 0.4427, [0.443]],
        refuse=[
            (2 - 2 * np.log(2), "divided by that of equal shares"),
            (2 * np.log(2) - 1, "entropy itself"),
            (2 - 1 / np.log(2), "one minus it"),
            (0.0, "at 45 degrees"),
            (0.2253, "squares of the correlations"),
            (0.7, "average"),
            ("much", "should hold numbers"),
        ],
    ),
    "ch11.dropout_strengths": Cases(
        accept=[(1.7, 0.7), [0.7, 1.7], np.array([1.7, 0.7])],
        refuse=[
            ([1.625, 0.625], "not that of the targets"),
            ([1.5, 0.5], "number of hidden units"),
            ([1.75, 0.75], "not 1 - p"),
            ([0.8, -0.2], "not p/(1 - p)"),
            ([11 / 6, 5 / 6], "factor 2"),
            ([2, 1], "these are the targets"),
            ([1.6, 0.8], "same fraction"),
            ([1.0, 0.3], "minimise"),
            (1.7, "shape (2,)"),
        ],
    ),
    "ch11.gap_examples": Cases(
        accept=[625.4, 625, "626"],
        refuse=[
            (1251, "one half"),
            (156.4, "already"),
            (62.5, "not by 0.1"),
            (6.317, "what may be missing"),
            (9512, "that of the squares"),
            (10, "equal to 0.01"),
        ],
    ),
    "ch11.matching": Cases(
        accept=[_matching, _assigned],
        refuse=[
            (_free, "share a neuron"),
            (_signed, "take moduli"),
            (_greedy, "largest entries first"),
            (lambda C: C.shape[1] * _matching(C), "this is the sum"),
            (lambda C: _matching(C) * C.shape[1] / C.shape[0], "not over the h neurons"),
            (lambda C: _matching(C**2), "mean of the squares"),
            (lambda C: 0.123, "for every way"),
            (0.8, "function is wanted"),
        ],
    ),
    "ch11.rotation_p": Cases(
        accept=[_p(), lambda W1, A, Q: np.array(_p()(W1, A, Q))],
        refuse=[
            (_p(plus=(0, 0)), "add one above and below"),
            (_p(plus=(1, 0)), "add one below too"),
            (_p(strict=True), "exactly as high"),
            (_p(lower=True), "score lower"),
            (_p(normalise=False), "normalise the rows"),
            (_p(factors=True), "rotate the neurons"),
            (lambda W1, A, Q: 0.0123, "score Q W_1"),
        ],
    ),
    "ch11.impostor": Cases(
        accept=[_impostor, _by_rows],
        refuse=[
            (lambda z, Q: _impostor(z, Q.T), "points are rows"),
            (lambda z, Q: ndtri(-np.expm1(-z)) @ Q.T, "map them back"),
            (lambda z, Q: z @ Q.T, "changes their law"),
            (lambda z, Q: z, "nothing is turned"),
            (lambda z, Q: -np.log(ndtr(ndtri(-np.expm1(-z)) @ Q.T)), "with the inverse"),
            (lambda z, Q: -z, "positive, and some"),
            (lambda z, Q: z + 1, "for each row"),
            (lambda z, Q: z[0], "shape"),
        ],
    ),
}
