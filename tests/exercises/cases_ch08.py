"""What the checkers of chapter 8 accept, and the mistakes they name."""

import numpy as np
from cases import Cases


def _gradient(S1, S2, P1, P2, X, Y, g):
    error = X @ (S2 @ S1).T + g[:, None] * (X @ (P2 @ P1).T) - Y
    return S2.T @ error.T @ X / len(X)


def _by_samples(S1, S2, P1, P2, X, Y, g):
    total = np.zeros_like(S1)
    for x, y, gate in zip(X, Y, g, strict=True):
        answer = S2 @ S1 @ x + gate * P2 @ P1 @ x
        total += np.outer(S2.T @ (answer - y), x)
    return (total / len(X)).tolist()


def _wrong(error=None, factor=1.0):
    def gradient(S1, S2, P1, P2, X, Y, g):
        shared, private = X @ (S2 @ S1).T, X @ (P2 @ P1).T
        e = (error or (lambda s, p, y, g: s + g * p - y))(shared, private, Y, g[:, None])
        scale = factor(X, g) if callable(factor) else factor
        return scale * S2.T @ e.T @ X / len(X)

    return gradient


def _winner(s, alpha0, beta0, T, power=None, copies=1):
    low, high = 0.0, s / copies
    for _ in range(200):
        beta = (low + high) / 2
        low, high = (beta, high) if copies * beta + alpha0 * (beta / beta0) ** (power or T) < s else (low, beta)
    return s - copies * beta


def _grid(s, alpha0, beta0, T):
    beta = np.linspace(0, s, 4_000_001)
    return s - beta[np.argmin(np.abs(beta + alpha0 * (beta / beta0) ** T - s))]


def _determined(routes, i, j):
    inputs, outputs = {i}, set()
    for _ in routes:
        outputs |= {b for a, b in routes if a in inputs}
        inputs |= {a for a, b in routes if b in outputs}
    return j in outputs


def _two_steps(routes, i, j):
    return (i, j) in routes or any((i, b) in routes and (a, b) in routes and (a, j) in routes for a, b in routes)


def _one_name(routes, i, j):
    seen = {i}
    for _ in range(20):
        seen |= {b for a, b in routes if a in seen} | {a for a, b in routes if b in seen}
    return j in seen


XOR = np.sqrt(2) * np.log(1 / (np.sqrt(2) * 1e-4) - 1)

CASES = {
    "ch08.loser": Cases(
        accept=[0.0311, "0.0311", np.float64(0.03113), "3.1e-2"],
        refuse=[
            (1e-3, "does not stay"),
            ("1/3", "three equal shares"),
            (0.5, "a tie"),
            (0.969, "where the shared path ends"),
            (0.0335, "root of the start"),
            (0.25, "exponentially"),
            (0.1, "product of both"),
        ],
    ),
    "ch08.majority": Cases(
        accept=[4, "4", 4.0],
        refuse=[(3, "one task ahead"), (5, "not all"), (2, "minority"), (0.8, "their number"), (1, "compare the sum")],
    ),
    "ch08.rare": Cases(
        accept=["a", "(a)"], refuse=[("b", "still has an error"), ("c", "feels its force too"), ("d", "letters a, b, c")]
    ),
    "ch08.which": Cases(accept=["b", "B"], refuse=[("a", "no trained route"), ("c", "how far apart"), (7, "letters a, b, c")]),
    "ch08.shared_layer": Cases(
        accept=[72 ** (1 / 3), 4.16, [4.1602]],
        refuse=[
            (2.0, "force of all domains"),
            (1.387, "sqrt(9) times"),
            (648 ** (1 / 3), "not M^2 s"),
            (72.0, "cube root is missing"),
            (24 ** (1 / 3), "one of the private"),
            (np.sqrt(72), "so a cube root"),
            (3.0, "conserved differences"),
            ("many", "should hold numbers"),
        ],
    ),
    "ch08.fewest": Cases(
        accept=[18, 18.0, np.int64(18)],
        refuse=[
            (84, "far fewer"),
            (12, "separate pieces"),
            (19, "one route more"),
            (7, "without any"),
            (17, "two components"),
            (20, "without circles"),
        ],
    ),
    "ch08.xor_half": Cases(
        accept=[XOR, 12.53, "12.53"],
        refuse=[
            (np.sqrt(2) * np.log(1e4), "half of it is"),
            (XOR / 2, "divided by it"),
            (2 * XOR, "doubled"),
            (np.sqrt(2) * np.log(1 / (np.sqrt(2) * 1e-8)), "not asked"),
            (XOR - np.sqrt(2) * np.log(1 + np.sqrt(2)), "29 %"),
            (XOR / np.sqrt(2), "lacks the unit"),
            (1.0, "equal to one"),
        ],
    ),
    "ch08.shared_gradient": Cases(
        accept=[_gradient, _by_samples],
        refuse=[
            (_wrong(factor=-1.0), "sign is turned"),
            (_wrong(factor=lambda X, g: len(X)), "loss is a mean"),
            (_wrong(factor=0.5), "half of the gradient"),
            (_wrong(factor=2.0), "factor 1/2"),
            (_wrong(lambda s, p, y, g: s - y), "private path is missing"),
            (_wrong(lambda s, p, y, g: s + p - y), "gate of the private path is missing"),
            (_wrong(lambda s, p, y, g: g * (s + g * p - y)), "must not be gated once more"),
            (_wrong(lambda s, p, y, g: g * (s + p) - y), "private path alone"),
            (_wrong(factor=lambda X, g: len(X) / g.sum()), "open gate"),
            (_wrong(factor=3.0), "answer is that of both"),
            (lambda *a: _gradient(*a).T, "shape of S1"),
            (3.0, "function is wanted"),
        ],
    ),
    "ch08.winner": Cases(
        accept=[_winner, _grid, lambda *a: np.array([_winner(*a)])],
        refuse=[
            (lambda s, a, b, T: s - _winner(s, a, b, T), "private strength"),
            (lambda s, a, b, T: s, "keep a part"),
            (lambda s, a, b, T: _winner(s, a, b, T, power=1 / T), "power is turned"),
            (lambda s, a, b, T: _winner(s, a, b, T, power=1), "power T is missing"),
            (lambda s, a, b, T: _winner(s, b, a, T), "starts are exchanged"),
            (lambda s, a, b, T: _winner(s, a, b, T, copies=T), "never open together"),
            (lambda s, a, b, T: 0.7 * s, "it should solve"),
        ],
    ),
    "ch08.determined": Cases(
        accept=[_determined, lambda r, i, j: np.bool_(_determined(r, i, j)), lambda r, i, j: int(_determined(r, i, j))],
        refuse=[
            (lambda r, i, j: (i, j) in r, "(1, 0) follows"),
            (_two_steps, "staircase"),
            (lambda r, i, j: True, "joins two components"),
            (lambda r, i, j: any(a == i for a, _ in r) and any(b == j for _, b in r), "joins two components"),
            (_one_name, "two domains"),
            (lambda r, i, j: False, "a route that is trained"),
            (lambda r, i, j: "yes", "True or False"),
            (True, "function is wanted"),
        ],
    ),
}
