"""What the checkers of chapter 12 accept, and the mistakes they name."""

from fractions import Fraction
from itertools import combinations, pairwise
from math import comb

import numpy as np
from cases import Cases

LOG = np.log(10_000)


def _depth(L, r):
    return Fraction(1, 2), (1 if r else L)


def _rule(
    widths, rank=0, m="m", ranked=True, slack=None, order=sorted, first=False, round_up=True, whole=True, times=1, every=False
):
    r = rank
    M = list(order(d - (r if slack is None else slack) for d in widths))
    fits = [i for i in range(1, len(M)) if every or sum(M[: i + 1]) >= i * M[i]]
    ell = fits[0] if first else fits[-1]
    active = M[: ell + 1]
    S = sum(active)
    c = -(-S // ell) if round_up else S // ell
    a = S - (c - 1) * ell
    value = Fraction(whole * a * (ell - a), 4 * ell) - Fraction((ell - 1) * S * S, 4 * ell)
    value += Fraction(sum(x * y for x, y in combinations(active, 2)), 2)
    if ranked:
        value += Fraction(r * (widths[0] + widths[-1]) - r * r, 2)
    return times * value, {
        "m": a * (ell - a) + 1,
        "binomial": comb(ell, a) if a >= 0 else 0,
        "a": a,
        "less": a * (ell - a),
        "one": 1,
    }[m]


def _with(**changes):
    return lambda widths, rank: _rule(widths, rank, **changes)


def _integer_program(widths, rank):
    """Half the least codimension of a split of the hidden chains, and m by the rule: another road to the same pair."""
    M = sorted(d - rank for d in widths)
    best = None
    for ell in range(1, len(M)):
        active = M[: ell + 1]
        S = sum(active)
        a = S % ell
        cost = a * (ell - a) / (4 * ell) - (ell - 1) * S * S / (4 * ell) + ((S * S - sum(x * x for x in active)) / 4)
        if sum(active) >= ell * active[-1]:
            best = cost, (a or ell) * (ell - (a or ell)) + 1
    return np.array([best[0] + rank * (widths[0] + widths[-1] - rank) / 2, best[1]])


def _regular(widths, rank):
    return sum(x * y for x, y in pairwise(widths)) / 2, 1


def _layer(W2, moments, n_beta, gamma, C, beta_p=None, beta_m=None, g_p=None, g_m=None, flip=False, invert=False, solve=True):
    bp, bm = n_beta if beta_p is None else beta_p, n_beta if beta_m is None else beta_m
    gp, gm = gamma if g_p is None else g_p, gamma if g_m is None else g_m
    left, right = W2.T @ W2, moments.xx
    full = n_beta * np.kron(left, right) + gamma * np.eye(C.size)
    P = bp * (np.kron(right, left) if flip else np.kron(left, right)) + gp * np.eye(C.size)
    pull = (bm * W2.T @ moments.yx + gm * C).ravel()
    mean = np.linalg.solve(full, pull) if solve else pull
    return mean.reshape(C.shape), (np.linalg.inv(P) if invert else P)


def _one(**changes):
    return lambda W2, moments, n_beta, gamma, C: _layer(W2, moments, n_beta, gamma, C, **changes)


def _by_eigenvectors(W2, moments, n_beta, gamma, C):
    p, U = np.linalg.eigh(W2.T @ W2)
    q, V = np.linalg.eigh(moments.xx)
    precision = n_beta * np.outer(p, q) + gamma
    basis = np.kron(U, V)
    mean = U @ ((U.T @ (n_beta * W2.T @ moments.yx + gamma * C) @ V) / precision) @ V.T
    return [mean.ravel().tolist(), basis @ np.diag(precision.ravel()) @ basis.T]


CASES = {
    "ch12.hyperbola": Cases(
        accept=["c", "C", "(c)"], refuse=[("a", "two whole lines"), ("b", "long arms"), ("d", "letters a, b, c")]
    ),
    "ch12.by_hand": Cases(
        accept=[1.5, "3/2", Fraction(3, 2), "1,5"],
        refuse=[
            (4, "eight parameters"),
            (3, "halved"),
            (2, "in between"),
            (0, "repel"),
            (0.5, "second does not vanish"),
            (1, "take the least"),
        ],
    ),
    "ch12.deeper": Cases(accept=["b", "B", "(b)"], refuse=[("a", "16 a layer"), ("c", "third"), ("z", "letters a, b, c")]),
    "ch12.saddle_number": Cases(
        accept=[-11_400, "-11388", -10_000 / LOG * 10.5],
        refuse=[
            (9.5, "whole teacher"),
            (12, "reference"),
            (10.5, "multiplies it by n beta"),
            (0, "find the way down"),
            (-105_000, "not n"),
            (-22_800, "factor 1/2"),
            (11_400, "negative"),
            (-3_800, "squared"),
            (-26_250, "natural"),
            (-500, "fall to the global minimum"),
        ],
    ),
    "ch12.two_errors": Cases(accept=["b", "B", "(b)"], refuse=[("a", "taken alone"), ("c", "seed"), ("z", "letters a, b, c")]),
    "ch12.unit_layers": Cases(
        accept=[_depth, lambda L, r: np.array([0.5, L ** (1 - r)]), lambda L, r: [1 / 2, 1 + (L - 1) * (r == 0)]],
        refuse=[
            (lambda L, r: (L / 2, _depth(L, r)[1]), "number of parameters"),
            (lambda L, r: (0.5 if r else L / 2, _depth(L, r)[1]), "too much at r = 0"),
            (lambda L, r: (0.5 if r else 1 / (2 * L), _depth(L, r)[1]), "diagonal"),
            (lambda L, r: (1, _depth(L, r)[1]), "one half"),
            (lambda L, r: (0.5 + r, 1), "square of one coordinate"),
            (lambda L, r: (0.5, 0 if r else L - 1), "one more than the power"),
            (lambda L, r: (0.5, 1), "small at once"),
            (lambda L, r: (0.5, L), "smooth surface"),
            (lambda L, r: (0.5, 1 if r else 2), "two layers alone"),
            (lambda L, r: (0.5, 7), "cross at one point"),
            (lambda L, r: 0.5, "shape (2,)"),
            (0.5, "function is wanted"),
        ],
    ),
    "ch12.coefficient": Cases(
        accept=[_rule, _integer_program, lambda widths, rank: [float(v) for v in _rule(widths, rank)]],
        refuse=[
            (_regular, "regular model"),
            (_with(ranked=False), "part of the rank"),
            (_with(slack=0), "work with the widths"),
            (_with(order=list), "sort the deficiencies"),
            (_with(first=True), "not the first"),
            (_with(every=True), "too wide"),
            (_with(round_up=False), "up, not down"),
            (_with(whole=False), "is missing"),
            (_with(times=2), "codimension"),
            (_with(m="binomial"), "largest components"),
            (_with(m="less"), "one more than"),
            (_with(m="one"), "not always one"),
            (_with(m="a"), "you return a"),
            (lambda widths, rank: (1.0, 1), "lambda is wrong for widths (2, 2, 2) at rank 1"),
            (lambda widths, rank: (_rule(widths, rank)[0], 9), "m is wrong for"),
            (lambda widths, rank: _rule(widths, rank)[0], "shape (2,)"),
        ],
    ),
    "ch12.two_hidden_widths": Cases(
        accept=[2, Fraction(2), "2.0", [2.0]],
        refuse=[
            (18, "BIC"),
            (-2, "sign"),
            (5.5, "rank 0"),
            (10, "same map"),
            (4, "codimensions"),
            (36, "number of parameters"),
            (12, "take the difference"),
            (1, "find lambda"),
            ("much", "should hold numbers"),
        ],
    ),
    "ch12.when_to_add": Cases(
        accept=[6101.4, 6102, 6100.0],
        refuse=[
            (9118.0, "BIC"),
            (2774.9, "factor 1/2"),
            (1.0014, "two roots"),
            (2361.2, "natural"),
            (423.4, "not by s/2"),
            (3232.4, "represents a map of rank 2"),
            (10147.5, "not 0"),
            (700, "left out the logarithm"),
            (15430.6, "has one too"),
            (5000, "solve"),
        ],
    ),
    "ch12.one_layer": Cases(
        accept=[_layer, _by_eigenvectors],
        refuse=[
            (_one(beta_p=1.0), "so its part of the precision"),
            (_one(g_p=0.0), "every diagonal entry"),
            (_one(flip=True), "row by row"),
            (_one(invert=True), "covariance"),
            (lambda *given: _layer(*given, g_p=given[3] / 2), "not gamma/2"),
            (lambda *given: _layer(*given, beta_p=2 * given[2]), "has none"),
            (lambda *given: _layer(*given, g_p=given[2] * given[3]), "not the localisation"),
            (_one(g_m=0.0), "gamma c is missing"),
            (_one(beta_m=1.0), "pull of the data too"),
            (_one(g_m=1.0), "gamma multiplies c"),
            (_one(solve=False), "solves a linear system"),
            (lambda *given: (given[4], _layer(*given)[1]), "centre c"),
            (lambda *given: (np.linalg.pinv(given[0]) @ given[1].optimum() * 3, _layer(*given)[1]), "vanishes"),
            (lambda *given: (_layer(*given)[0], 3 * _layer(*given)[1]), "differentiate"),
            (lambda *given: _layer(*given)[0], "two things"),
            (lambda *given: (_layer(*given)[0].T, _layer(*given)[1]), "the mean has shape"),
            (lambda *given: _layer(*given)[::-1], "yours have"),
        ],
    ),
    "ch12.step_bias": Cases(
        accept=[lambda h, eta: 1 / (h * (1 - eta * h / 4)), lambda h, eta: [4 / (4 * h - eta * h**2)]],
        refuse=[
            (lambda h, eta: 1 / h, "limit for small steps"),
            (lambda h, eta: 1 / (h * (2 - eta * h)), "drift is eta/2"),
            (lambda h, eta: 1 / (h * (1 + eta * h / 4)), "not smaller"),
            (lambda h, eta: 1 / (h * (1 - eta * h / 2)), "ends with"),
            (lambda h, eta: eta / (h * (1 - eta * h / 4)), "not eta^2"),
            (lambda h, eta: (h * (1 - eta * h / 4)) ** -0.5, "standard deviation"),
            (lambda h, eta: 1 / (1 - eta * h / 4), "by 1/h"),
            (lambda h, eta: 1 / h + eta / 4, "first order"),
            (lambda h, eta: eta, "satisfies"),
            (1.0, "function is wanted"),
        ],
    ),
    "ch12.centring": Cases(
        accept=[lambda d, n: d / 2 * (1 - 1 / np.log(n)), lambda d, n: np.array([d * np.log(n / np.e) / np.log(n**2)])],
        refuse=[
            (lambda d, n: d / 2, "centred at the minimum"),
            (lambda d, n: d / 2 * (1 + 1 / np.log(n)), "sign"),
            (lambda d, n: d / 2 * (1 - 2 / np.log(n)), "twice"),
            (lambda d, n: d * (1 - 1 / np.log(n)), "contributes 1/2"),
            (lambda d, n: d / 2 * (1 - 1 / n), "n beta = n/ln n"),
            (lambda d, n: d / 2 * (1 - 1 / np.log10(n)), "natural"),
            (lambda d, n: -d / (2 * np.log(n)), "shift alone"),
            (lambda d, n: d / 2 * (1 - 1 / (2 * np.log(n))), "only half"),
            (lambda d, n: d, "how far above"),
        ],
    ),
}
