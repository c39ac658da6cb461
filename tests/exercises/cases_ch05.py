"""Answers to the exercises of chapter 5, right and wrong."""

import numpy as np
from cases import Cases

import dlnlib as dln


def _spectrum(depth, branching, flip):
    sizes = float(branching) ** np.arange(depth, -1, -1)
    c = (1 - 2 * flip) ** (2.0 * np.arange(depth, -1, -1))
    return np.cumsum((np.diff(c, prepend=0.0) * sizes)[::-1])[::-1]


def _by_eigenvalues(depth, branching, flip):
    values = np.unique(np.linalg.eigvalsh(dln.datasets.tree(depth, branching, flip).similarity).round(12))[::-1]
    return list(values)


def _with(c):
    def spectrum(depth, branching, flip):
        sizes = float(branching) ** np.arange(depth, -1, -1)
        return np.cumsum((np.diff(c(flip, np.arange(depth, -1, -1.0)), prepend=0.0) * sizes)[::-1])[::-1]

    return spectrum


def _own_level_only(depth, branching, flip):
    return np.diff((1 - 2 * flip) ** (2.0 * np.arange(depth, -1, -1)), prepend=0.0) * float(branching) ** np.arange(depth, -1, -1)


def _no_difference(depth, branching, flip):
    terms = (1 - 2 * flip) ** (2.0 * np.arange(depth, -1, -1)) * float(branching) ** np.arange(depth, -1, -1)
    return np.cumsum(terms[::-1])[::-1]


def _count(W, table, margin):
    return np.sum(W.max(axis=0)[table == 0] > margin)


def _count_by_loops(W, table, margin):
    total = 0
    for i in range(table.shape[0]):
        for j in range(table.shape[1]):
            total += table[i, j] == 0 and max(W[:, i, j]) > margin
    return int(total)


def _path(rule):
    def run(m, variance, u0, step, n_steps):
        u = [u0]
        for _ in range(n_steps):
            u.append(rule(u[-1], m, variance, step))
        return u

    return run


_descend = _path(lambda u, m, v, h: u * (1 + h * (m - v * u)) ** 2)

CASES = {
    "ch05.reversed": Cases(
        accept=["a", "(A)"],
        refuse=[("b", "optimum is the table"), ("c", "no error at all"), ("d", "one of the letters")],
    ),
    "ch05.sibling": Cases(
        accept=[0.5, "1/2", "0,5", [0.5]],
        refuse=[
            (0, "tell the two apart"),
            (1, "one answer for both"),
            (0.25, "one stage earlier"),
            (0.125, "very beginning"),
            (0.4, "least squared error"),
            (0.3, "one answer for both members"),
        ],
    ),
    "ch05.shallow": Cases(
        accept=["a", "A", "(a)"],
        refuse=[("b", "one layer does"), ("c", "hidden layer"), ("z", "one of the letters")],
    ),
    "ch05.age": Cases(
        accept=["b", "B."],
        refuse=[("a", "mix them up"), ("c", "in stages"), (1, "one of the letters")],
    ),
    "ch05.depth_four": Cases(
        accept=[
            [31, 15, 7, 3, 1],
            (1, 3, 7, 15, 31),
            np.array([31.0, 15, 7, 7, 3, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1]),
            np.linalg.eigvalsh(dln.datasets.hierarchy(4).table.T @ dln.datasets.hierarchy(4).table),
        ],
        refuse=[
            (np.sqrt([31, 15, 7, 3, 1]), "squares"),
            ([16, 8, 4, 2, 1], "one node of each level"),
            ([15, 7, 3, 1, 0], "level below"),
            ([15, 7, 3, 1], "five levels"),
            ([32, 16, 8, 4, 2], "summed over"),
            (np.ones(16), "not these"),
        ],
    ),
    "ch05.overtake": Cases(
        accept=[0.5, "0.5", np.array([0.5])],
        refuse=[(0.2, "square table"), (0.08, "changed places"), (2.5, "ratio"), (0.3, "row contrast")],
    ),
    "ch05.canary": Cases(
        accept=[(np.sqrt(7) + np.sqrt(3) - 2) / (np.sqrt(7) + np.sqrt(3) + 2), 0.3728, [0.373]],
        refuse=[
            (2 / 3, "square root"),
            (0.14326, "oak"),
            ((np.sqrt(7) + np.sqrt(3) - 2) / 4, "inner product"),
            (1, "canary itself"),
            ((np.sqrt(7) + np.sqrt(3) - 2) / 4 / np.sqrt((np.sqrt(7) + np.sqrt(3) + 2) / 4), "not by its length"),
            (0.5, "divide"),
        ],
    ),
    "ch05.tree_spectrum": Cases(
        accept=[_spectrum, _by_eigenvalues, lambda D, B, e: list(dln.semantic.diffusion_spectrum(D, B, e).values)],
        refuse=[
            (_with(lambda e, up: (1 - 2 * e) ** up), "up and a path down"),
            (_with(lambda e, up: (1 - e) ** (2 * up)), "not 1 - flip"),
            (lambda D, B, e: _spectrum(D, B, e)[::-1], "turned"),
            (lambda D, B, e: np.sqrt(_spectrum(D, B, e)), "square roots"),
            (lambda D, B, e: np.sqrt(_spectrum(D, B, e)) / B**D, "singular values"),
            (_own_level_only, "all levels below"),
            (_no_difference, "not above"),
            (lambda D, B, e: _spectrum(D, B, e)[:-1], "one eigenvalue for each level"),
            (lambda D, B, e: _spectrum(D, B, e) + 1, "c_(-1) = 0"),
        ],
    ),
    "ch05.illusions": Cases(
        accept=[_count, _count_by_loops, lambda W, T, margin: len(np.argwhere((margin < W).any(0) & (T < 0.5)))],
        refuse=[
            (lambda W, T, margin: np.sum(W.max(axis=0) > margin), "that the item has"),
            (lambda W, T, margin: np.sum((margin < W)[:, T == 0]), "each entry once"),
            (lambda W, T, margin: np.sum(W[-1][T == 0] > margin), "at the end"),
            (lambda W, T, margin: np.sum(W.max(axis=0)[T == 0] <= margin) + 0.0, "never believed"),
            (lambda W, T, margin: np.sum(T == 0), "number of absent properties"),
            (lambda W, T, margin: -1, "take the largest value"),
        ],
    ),
    "ch05.descent": Cases(
        accept=[_descend, lambda *a: dln.semantic.descent_strength(*a), lambda *a: np.array(_descend(*a))],
        refuse=[
            (_path(lambda u, m, v, h: u * (1 + 2 * h * (m - v * u))), "Euler step"),
            (_path(lambda u, m, v, h: u * (1 + h * (m - v * u))), "only one layer"),
            (lambda m, v, u0, h, n: dln.semantic.strength(h * np.arange(n + 1), m, v, u0), "that is the flow"),
            (_path(lambda u, m, v, h: u + h * (m - v * u)), "single layer"),
            (_path(lambda u, m, v, h: u * (1 + h * (m - u)) ** 2), "variance of the inputs"),
            (lambda *a: np.sqrt(_descend(*a)), "square them"),
            (lambda *a: _descend(*a)[1:], "with the one at the start"),
            (lambda *a: [*_descend(*a), 1.0], "strengths are wanted"),
            (lambda *a: [2 * x for x in _descend(*a)], "product of both layers"),
        ],
    ),
}
