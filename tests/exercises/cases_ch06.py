"""Answers to the exercises of chapter 6, right and wrong."""

import numpy as np
from cases import Cases


def _rank(A):
    s = np.linalg.svd(A, compute_uv=False)
    p = s[s > 0] / s.sum()
    return np.exp(-np.sum(p * np.log(p)))


def _rank_by_powers(A):
    s = np.linalg.svd(np.asarray(A), compute_uv=False)
    p = s / s.sum()
    return [float(np.prod(p**-p))]


def _rank_nan(A):
    s = np.linalg.svd(A, compute_uv=False)
    s = np.where(s > 1e-12 * s[0], s, 0)
    p = s / s.sum()
    return np.exp(-np.sum(p * np.log(p)))


def _entropy(A):
    return np.log(_rank(A))


def _squares(A):
    s = np.linalg.svd(A, compute_uv=False) ** 2
    p = s[s > 0] / s.sum()
    return np.exp(-np.sum(p * np.log(p)))


def _velocity(W, G, L):
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    return -L * s ** (2 - 2 / L) * np.diag(U.T @ G @ Vt.T)


def _velocity_by_rows(W, G, L):
    U, s, Vt = np.linalg.svd(W)
    return [float(-L * s[k] ** (2 - 2 / L) * (U[:, k] @ G @ Vt[k])) for k in range(len(s))]


def _force(W, G):
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    return s, -np.diag(U.T @ G @ Vt.T)


def _bound(M, seen, Y):
    masked = np.where(seen, Y, 0.0)
    return abs(np.sum(masked * M)) / np.linalg.norm(masked, 2)


def _late_mask(M, seen, Y):
    return np.sum(np.where(seen, Y / np.linalg.norm(Y, 2), 0.0) * M)


CASES = {
    "ch06.soft_count": Cases(
        accept=[1.89, "1.89", "1,89", 3 / 2 ** (2 / 3)],
        refuse=[
            (2, "that is the rank"),
            (1.25, "stable rank"),
            (5 / 4**0.8, "belongs to the squares"),
            (0.6365, "that is the entropy;"),
            (0.9183, "in bits"),
            (3, "size of the matrix"),
            (1.4, "the shares are 2/3"),
        ],
    ),
    "ch06.orthogonal": Cases(
        accept=["b", "(B)"],
        refuse=[("a", "singular values of a product"), ("c", "no draw differs"), ("d", "one of the letters")],
    ),
    "ch06.end": Cases(
        accept=["c", "C"],
        refuse=[("a", "how many matrices"), ("b", "how many matrices"), ("d", "one of the letters")],
    ),
    "ch06.one_in_five": Cases(
        accept=["c", " (c)"],
        refuse=[("a", "180 equations"), ("b", "differ a lot"), ("d", "one of the letters")],
    ),
    "ch06.one_layer": Cases(
        accept=[np.exp(-0.5), 0.6065, [0.6065]],
        refuse=[
            (2 * np.exp(4 / 3) / (3 * np.pi), "first number"),
            (0.5, "that is the exponent"),
            (np.exp(0.5), "sign of the exponent"),
            (np.exp(-0.25), "logarithm of the square"),
            (0.25, "stable rank over N"),
            (0.7, "mean square is 1"),
        ],
    ),
    "ch06.dropped": Cases(
        accept=[1.5 * 0.2 ** (2 / 3), 0.513, np.array([0.51299])],
        refuse=[
            (0.2 ** (2 / 3), "to which the mode jumps"),
            (0.1, "threshold of two layers"),
            (2 * 0.1**0.75, "threshold of three"),
            (0.2 ** (2 / 3) * 2 / 3, "times what is kept"),
            (3 * (0.05) ** (2 / 3), "zero is still better"),
            (0.9, "eliminate u"),
        ],
    ),
    "ch06.effective_rank": Cases(
        accept=[_rank, _rank_by_powers, lambda A: np.array(_rank(np.asarray(A).T))],
        refuse=[
            (_entropy, "that is the entropy"),
            (_squares, "belongs to the squares"),
            (_rank_nan, "0 ln 0"),
            (lambda A: np.linalg.norm(A) ** 2 / np.linalg.norm(A, 2) ** 2, "stable rank"),
            (lambda A: np.linalg.matrix_rank(A), "that is the rank"),
            (lambda A: 2 ** _entropy(A), "one base"),
            (lambda A: 1.0, "should lie between"),
            (lambda A: A, "one number"),
        ],
    ),
    "ch06.velocity": Cases(
        accept=[_velocity, _velocity_by_rows],
        refuse=[
            (lambda W, G, L: -_velocity(W, G, L), "sign is turned"),
            (lambda W, G, L: _velocity(W, G, L) / L, "factor L is missing"),
            (lambda W, G, L: _force(W, G)[1], "force alone"),
            (lambda W, G, L: L * _force(W, G)[0] ** (1 - 1 / L) * _force(W, G)[1], "one side are missing"),
            (lambda W, G, L: L * _force(W, G)[0] ** (2 - 1 / L) * _force(W, G)[1], "one layer too few"),
            (lambda W, G, L: _velocity(W, G, L)[::-1], "from the largest"),
            (lambda W, G, L: 3.0 + 0 * _velocity(W, G, L), "first case that fails"),
            (lambda W, G, L: G, "should have shape"),
        ],
    ),
    "ch06.certificate": Cases(
        accept=[_bound, lambda M, seen, Y: [_bound(np.array(M), seen, 2 * Y)]],
        refuse=[
            (lambda M, seen, Y: np.sum(Y * M) / np.linalg.norm(Y, 2), "nobody has seen"),
            (_late_mask, "before the unseen entries"),
            (lambda M, seen, Y: np.sum(np.where(seen, Y, 0) * M), "its own size"),
            (lambda M, seen, Y: np.sum(np.where(seen, Y, 0) * M) / np.linalg.norm(np.where(seen, Y, 0)), "Frobenius"),
            (lambda M, seen, Y: np.sum(np.where(seen, Y, 0) * M) / np.linalg.norm(np.where(seen, Y, 0), "nuc"), "nuclear norm"),
            (lambda M, seen, Y: np.sum(np.where(seen, Y, 0) * M) / np.linalg.norm(np.where(seen, Y, 0), 2), "negative"),
            (lambda M, seen, Y: max(0.0, np.sum(np.where(seen, Y, 0) * M)) / np.linalg.norm(np.where(seen, Y, 0), 2), "zero or"),
            (lambda M, seen, Y: 7.0, "mask Y"),
        ],
    ),
}
