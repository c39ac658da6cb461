"""Answers to the exercises of chapter 1, right and wrong."""

import numpy as np
from cases import Cases


def tied(scale, symmetric=None):
    """The gradient times a number, or with one of E, E^T taken for both."""

    def function(B, M):
        E = M - B.T @ B
        return scale * B @ {None: E + E.T, "E": E, "Et": E.T}[symmetric]

    return function


def tied_loops(B, M):
    E = (M - B.T @ B).tolist()
    h, d = B.shape
    return [[-sum(B[i, k] * (E[k][j] + E[j][k]) for k in range(d)) for j in range(d)] for i in range(h)]


def eigen(power, left=False, rotate=False):
    """The matrix Q^T scaled by a power of the eigenvalues, on its own, transposed, or rotated back."""

    def function(xx):
        values, Q = np.linalg.eigh(xx)
        M = (Q * values**power).T
        return M.T if left else Q @ M if rotate else M

    return function


def rotated(xx):
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal(xx.shape))[0]
    return turn @ eigen(-0.5)(xx)


def jump(factor=None, keep_unseen=True, add=True, extra=0, zero=False):
    def function(W0, xx, yx, step, n):
        values, Q = np.linalg.eigh(xx)
        best = yx @ np.linalg.pinv(xx, rcond=1e-10, hermitian=True)
        left = (1 - step * values) ** (n + extra) if factor is None else factor(step * values, n)
        if not keep_unseen:
            left = left * (values > 1e-10)
        error = ((0 if zero else W0) - best) @ (Q * left) @ Q.T
        return best + error if add else error

    return function


def jump_by_loop(W0, xx, yx, step, n):
    for _ in range(n):
        W0 = W0 + step * (yx - W0 @ xx)
    return W0


def jump_by_power(W0, xx, yx, step, n):
    best = yx @ np.linalg.pinv(xx)
    return (best + (W0 - best) @ np.linalg.matrix_power(np.eye(len(xx)) - step * xx, n)).tolist()


def jump_elementwise(W0, xx, yx, step, n):
    best = yx @ np.linalg.pinv(xx)
    return best + (W0 - best) @ (np.eye(len(xx)) - step * xx) ** n


def jump_inverse(W0, xx, yx, step, n):
    # What inv makes of a singular matrix depends on rounding; here twice the pseudo-inverse stands for it.
    singular = np.linalg.matrix_rank(xx) < len(xx)
    best = yx @ (2 * np.linalg.pinv(xx) if singular else np.linalg.inv(xx))
    return best + (W0 - best) @ np.linalg.matrix_power(np.eye(len(xx)) - step * xx, n)


CASES = {
    "ch01.louder": Cases(
        accept=["c", " (C) "],
        refuse=[("a", "variance of the inputs"), ("b", "second moments"), ("d", "one of the letters")],
    ),
    "ch01.missing": Cases(
        accept=[1 / 3, "1/3", "0,333", 0.33, 8 / 24],
        refuse=[
            (2 / 3, "rank 1 keeps"),
            (0.5, "their squares"),
            (np.sqrt(1 / 3), "share of the length"),
            ("1/6", "rank 2"),
            (8, "divide by the sum"),
            (0.4, "left out"),
            ("a third", "type one number"),
        ],
    ),
    "ch01.waiting": Cases(
        accept=[459, "460", "4.6e2", 450, 100 * np.log(100)],
        refuse=[
            (1, "slowest decides"),
            (229, "half of the limit and a hundredth"),
            (917, "need a step of 1/2"),
            (100, "by e only"),
            (44, "eigenvalue 0.1"),
            (300, "to the power n"),
        ],
    ),
    "ch01.tie": Cases(
        accept=[16, "16", 16.0, "16/1"],
        refuse=[
            (4, "raw inputs"),
            (2, "inside out"),
            (1, "leave the decision"),
            ("1/16", "turned round"),
            (8, "both entries"),
        ],
    ),
    "ch01.flip": Cases(
        accept=["c", "C."],
        refuse=[("a", "feel at first"), ("b", "right for raw inputs"), ("d", "belongs to the other")],
    ),
    "ch01.catapult": Cases(
        accept=["c", "(c)"],
        refuse=[("a", "pushes descent away"), ("b", "flatter"), ("x", "one of the letters")],
    ),
    "ch01.best_step": Cases(
        accept=[[0.4, 0.6, 28], np.array([2 / 5, 3 / 5, 28.0]), (0.4, 3 / 5, np.int64(28))],
        refuse=[
            ([0.5, 0.6, 28], "limit of stability"),
            ([0.25, 0.75, 49], "done at once"),
            ([0.2, 0.8, 62], "factor two"),
            ([0.3, 0.7, 39], "same factor"),
            ([0.4, -0.6, 28], "its size"),
            ([0.4, 0.4, 28], "what it leaves"),
            ([0.4, 0.36, 28], "not squared"),
            ([0.4, 0.5, 28], "larger size"),
            ([0.4, 0.6, 27], "still a little above"),
            ([0.4, 0.6, np.log(1e-6) / np.log(0.6)], "whole number"),
            ([0.4, 0.6, 27.05], "whole number"),
            ([0.4, 0.6, 29], "one step earlier"),
            ([0.4, 0.6, 14], "for the loss"),
            ([0.4, 0.6, 50], "to the power n"),
            ([0.4, 0.6], "shape"),
        ],
    ),
    "ch01.tied_gradient": Cases(
        accept=[tied(-1.0), tied_loops, lambda B, M: B @ (2 * B.T @ B - M - M.T)],
        refuse=[
            (tied(1.0), "the sign"),
            (tied(-2.0, "E"), "symmetric M only"),
            (tied(-2.0, "Et"), "symmetric M only"),
            (tied(-1.0, "E"), "one term is missing"),
            (tied(-1.0, "Et"), "the other term is missing"),
            (tied(-2.0), "carries one half"),
            (tied(-0.5), "one half too much"),
            (lambda B, M: tied(-1.0)(B, M).T, "shape of the transpose"),
            (lambda B, M: B, "product rule"),
            (lambda B, M: B @ np.ones((7, 7)), "raised ValueError"),
        ],
    ),
    "ch01.whitening": Cases(
        accept=[
            eigen(-0.5),
            eigen(-0.5, rotate=True),
            rotated,
            lambda xx: np.linalg.inv(np.linalg.cholesky(xx)).tolist(),
            lambda xx: -eigen(-0.5)(xx),
        ],
        refuse=[
            (eigen(-0.5, left=True), "transpose it"),
            (np.linalg.inv, "yours is the inverse"),
            (eigen(0.5, rotate=True), "invert it"),
            (np.linalg.cholesky, "invert it"),
            (lambda xx: np.diag(np.diag(xx) ** -0.5), "still correlated"),
            (eigen(0.0), "variances are not one"),
            (eigen(-1.0), "variances are not one"),
            (lambda xx: xx, "not the identity"),
        ],
    ),
    "ch01.jump": Cases(
        accept=[jump(), jump_by_loop, jump_by_power],
        refuse=[
            (jump(lambda x, n: np.exp(-x * n)), "that is the flow"),
            (jump(keep_unseen=False), "never take"),
            (jump(add=False), "add the optimum"),
            (jump(zero=True), "W0 is missing"),
            (jump(lambda x, n: -((1 - x) ** n)), "sign of the error"),
            (jump(lambda x, n: (1 - 2 * x) ** n), "twice as long"),
            (jump_elementwise, "every entry"),
            (jump_inverse, "pseudo-inverse"),
            (jump(extra=1), "too many"),
            (jump(extra=-1), "too few"),
            (lambda W0, xx, yx, step, n: yx @ np.linalg.pinv(xx), "infinitely many"),
            (lambda W0, xx, yx, step, n: yx @ np.linalg.inv(xx) + W0, "multiplied by 1 - step"),
            (jump(lambda x, n: 1 + n * x), "multiplied by 1 - step"),
        ],
    ),
}
