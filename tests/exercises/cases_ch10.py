"""What the checkers of chapter 10 accept, and the mistakes they name."""

import numpy as np
from cases import Cases

LOG = np.log(1e4 / np.sqrt(2) - 1)
S = np.sqrt(2) / 4


def _gradients(W1, W2, X, Y, forward=True, backward=True, scale=1.0, mean=True):
    z = X @ W1.T
    gate = (z > 0).astype(float)
    active = gate * z if forward else z
    error = (active @ W2.T - Y) * scale / (len(X) if mean else 1)
    return ((gate if backward else 1) * (error @ W2)).T @ X, error.T @ active


def _loops(W1, W2, X, Y):
    G1, G2 = np.zeros_like(W1), np.zeros_like(W2)
    for x, y in zip(X, Y, strict=True):
        a = np.maximum(W1 @ x, 0)
        e = W2 @ a - y
        G2 += np.outer(e, a) / len(X)
        G1 += np.outer((W1 @ x > 0) * (W2.T @ e), x) / len(X)
    return [G1, G2]


def _half_right(which):
    def wrong(*args):
        found = list(_gradients(*args))
        found[which] = found[which] + 1.0
        return found

    return wrong


def _slide(plus, minus, n):
    share = (minus @ n) / (minus @ n - plus @ n)
    return share * plus + (1 - share) * minus


def _tangent(v, n):
    return v - (v @ n) * n


def _gates(W1, X, threshold):
    z = X @ W1.T
    return (z > threshold * np.maximum(z.max(0), 0)).astype(int)


CASES = {
    "ch10.frozen": Cases(
        accept=["c", "C", "(c)"],
        refuse=[("a", "way there"), ("b", "given gates learns"), ("d", "letters a, b, c")],
    ),
    "ch10.corner": Cases(
        accept=["a", "(a)"],
        refuse=[("b", "across the sector"), ("c", "grows exponentially"), ("x", "letters a, b, c")],
    ),
    "ch10.floor": Cases(
        accept=[17, "17", 17.0, np.float64(17)],
        refuse=[
            (34, "factor one half"),
            (32, "uniform mode is not lost:"),
            (64, "uniform mode is not lost, and"),
            (17 / 3, "add them all"),
            (34 / 3, "own context alone"),
            (8.5, "should be silent"),
            (48, "in its own block"),
        ],
    ),
    "ch10.residual": Cases(
        accept=["b", "B"],
        refuse=[("a", "whole targets"), ("c", "has a length"), ("d", "letters a, b, c")],
    ),
    "ch10.factor": Cases(
        accept=[1.565, "1.57", 1.5654],
        refuse=[
            (np.sqrt(3), "first rates alone"),
            ((1 - np.sqrt(2 / 12)) / (1 - np.sqrt(6 / 12)), "second legs"),
            (0.6388, "the inverse"),
            (1.0, "same way left"),
            (1.0134, "divide by that"),
            (7, "first leg, then"),
        ],
    ),
    "ch10.half_time": Cases(
        accept=[LOG / (2 * S), 12.53, np.array([12.535])],
        refuse=[
            (LOG / S, "two layers"),
            (LOG / (4 * S), "where the strength ends"),
            (LOG / (8 * S), "a quarter of the data"),
            (np.log(1e4 - 1) / (2 * S), "not at 1."),
            (np.log(S * 1e4 - 1) / (2 * S), "not at s."),
            (1.0, "solve for t"),
            ("soon", "should hold numbers"),
        ],
    ),
    "ch10.share": Cases(
        accept=[1 / 3, 0.3334, np.array([1 / 3])],
        refuse=[(2 / 3, "other side"), (0.5, "different force"), (2, "shares add to one"), (0.9, "cancel on average")],
    ),
    "ch10.gradients": Cases(
        accept=[_gradients, _loops],
        refuse=[
            (lambda *a: _gradients(*a, scale=-1.0), "the sign is wrong"),
            (lambda *a: _gradients(*a, mean=False), "divide by n"),
            (lambda *a: _gradients(*a, scale=2.0), "factor 2"),
            (lambda *a: _gradients(*a, backward=False), "way back"),
            (lambda *a: _gradients(*a, forward=False, backward=False), "linear network"),
            (lambda *a: _gradients(*a, forward=False), "way forward"),
            (_half_right(1), "that of W2 is not"),
            (_half_right(0), "that of W1 is not"),
            (lambda *a: [part + 1.0 for part in _gradients(*a)], "dL/dW2 ="),
            (lambda *a: _gradients(*a)[::-1], "shape of W1"),
            (lambda *a: _gradients(*a)[0], "two gradients"),
        ],
    ),
    "ch10.slide": Cases(
        accept=[_slide, lambda *a: list(_slide(*a))],
        refuse=[
            (lambda p, m, n: (p + m) / 2, "plain mean"),
            (lambda p, m, n: p + m - _slide(p, m, n), "exchanged"),
            (lambda p, m, n: _tangent((p + m) / 2, n), "no mixture"),
            (lambda p, m, n: _tangent(m, n), "also differ along the hinge"),
            (lambda p, m, n: _tangent(p, n), "differ along the hinge"),
            (lambda p, m, n: 0 * p, "component along n is zero"),
            (lambda p, m, n: p[:2], "should have shape"),
        ],
    ),
    "ch10.relative_gates": Cases(
        accept=[_gates, lambda *a: _gates(*a).astype(bool), lambda *a: _gates(*a).tolist()],
        refuse=[
            (lambda W, X, c: X @ W.T > 0, "raw sign"),
            (lambda W, X, c: c < X @ W.T, "not a number by itself"),
            (lambda W, X, c: c * (X @ W.T).max() < X @ W.T, "whole layer"),
            (lambda W, X, c: c * (X @ W.T).max(1)[:, None] < X @ W.T, "each sample"),
            (lambda W, X, c: c * np.abs(X @ W.T).max(0) < X @ W.T, "absolute value"),
            (lambda W, X, c: _gates(W, X, c).T, "transposed"),
            (lambda W, X, c: _gates(W, X, c)[0], "samples by units"),
            (lambda W, X, c: 1 - _gates(W, X, c), "0 elsewhere"),
        ],
    ),
}
