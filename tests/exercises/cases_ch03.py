"""Answers to the exercises of chapter 3, right and wrong."""

import math

import numpy as np
from cases import Cases


def _drift(W1, W2, E, step):
    return step**2 * (W1 @ E.T @ E @ W1.T - W2.T @ E @ E.T @ W2)


def _drift_by_doing(W1, W2, E, step):
    V1, V2 = W1 + step * W2.T @ E, W2 + step * E @ W1.T
    return (V2.T @ V2 - V1 @ V1.T - W2.T @ W2 + W1 @ W1.T).tolist()


def _time(u, s, u0):
    return np.log(u * (s - u0) / (u0 * (s - u))) / (2 * s)


def _time_in_separate_logarithms(u, s, u0):
    return (np.log(u / u0) + np.log(s - u0) - np.log(s - u)) / (2 * s)


def _time_scalar(u, s, u0):
    if u > s:
        return float(_time(u, s, u0))
    return float(_time(u, s, u0))


def _strength(t, s, a0, b0):
    c, P0 = a0**2 - b0**2, (a0 + b0) ** 2
    kappa = np.sqrt(c**2 + 4 * s**2)
    upper = 2 * s + kappa
    lower = -(c**2) / upper
    rho = (P0 - upper) / (P0 - lower) * np.exp(-kappa * t)
    P = (upper - lower * rho) / (1 - rho)
    return (P - c**2 / P) / 4


def _strength_tanh(t, s, a0, b0):
    c, P0 = a0**2 - b0**2, (a0 + b0) ** 2
    kappa = np.sqrt(c**2 + 4 * s**2)
    T = np.tanh(kappa * np.asarray(t) / 2)
    P = (P0 * kappa + (c**2 + 2 * s * P0) * T) / (kappa + (P0 - 2 * s) * T)
    return ((P - c**2 / P) / 4).tolist()


def _strength_by_ratio(t, s, a0, b0):
    """u = c z/(1 - z^2) with z = b/a: right for c > 0, 0/0 for c = 0."""
    c = a0**2 - b0**2
    kappa = np.sqrt(c**2 + 4 * s**2)
    T = np.tanh(kappa * t / 2)
    z0 = b0 / a0
    z = (z0 * kappa + (2 * s - c * z0) * T) / (kappa + (c + 2 * s * z0) * T)
    return c * z / (1 - z**2)


def _strength_by_ratio_scalar(t, s, a0, b0):
    return float(_strength_by_ratio(float(t), s, a0, b0))


def _division_by_zero(t, s, a0, b0):
    """Python's own division raises where numpy's returns NaN."""
    c = a0 * a0 - b0 * b0
    return [float(_strength(x, s, a0, b0)) * (c / c) for x in t]


def _division_by_zero_scalar(t, s, a0, b0):
    """The same, for one time: math refuses arrays."""
    c = a0 * a0 - b0 * b0
    return float(_strength(math.fabs(t), s, a0, b0)) * (c / c)


def _wrong_kappa(t, s, a0, b0):
    c, P0 = a0**2 - b0**2, (a0 + b0) ** 2
    kappa = np.sqrt(c**2 + s**2)
    rho = (P0 - 2 * s - kappa) / (P0 - 2 * s + kappa) * np.exp(-kappa * t)
    P = (2 * s + kappa - (2 * s - kappa) * rho) / (1 - rho)
    return (P - c**2 / P) / 4


def _sum_squared(t, s, a0, b0):
    u, c = _strength(t, s, a0, b0), a0**2 - b0**2
    return np.sqrt(c**2 + 4 * u**2) + 2 * u


def _angle(t, s, a0, b0):
    """The hyperbolic angle without care for the sign of c."""
    c = a0**2 - b0**2
    return c / 2 * np.sinh(np.log(_sum_squared(t, s, a0, b0) / c))


def _only_unbalanced(t, s, a0, b0):
    return np.zeros_like(t) if a0 == b0 else _strength(t, s, a0, b0)


CASES = {
    "ch03.race": Cases(
        accept=["b", "B", "(b)"],
        refuse=[
            ("a", "how far there is to go"),
            ("c", "only by accident"),
            ("d", "one of the letters"),
            (2, "one of the letters"),
        ],
    ),
    "ch03.scale": Cases(
        accept=["c", "(C)", " c "],
        refuse=[("a", "grows more slowly"), ("b", "what the gap was"), ("e", "one of the letters")],
    ),
    "ch03.alignment": Cases(
        accept=["c", "C", "(c)"],
        refuse=[("a", "product of two layers"), ("b", "grows faster"), ("d", "one of the letters")],
    ),
    "ch03.zero_layer": Cases(
        accept=[0.0025, "0.0025", "1/400", "2.5e-3", [0.0025]],
        refuse=[
            (0, "never leave it"),
            (0.01, "four times"),
            (0.05, "have become equal"),
            (0.1, "first layer"),
            (0.005, "half is right"),
            (1, "only the sum is left"),
        ],
    ),
    "ch03.opposite": Cases(
        accept=["b", "(b)", "B."],
        refuse=[("a", "has to grow"), ("c", "cannot grow"), ("x", "one of the letters")],
    ),
    "ch03.landing": Cases(
        accept=[2.65, "2.65", "2,65", 0.15 + 5 / 2],
        refuse=[
            (2.5, "nobody can learn"),
            (5.15, "one half"),
            (4.65, "mode that is learnt"),
            (1.65, "squared"),
            (7.15, "that is the start"),
            (0.65, "next landing"),
            (3, "square the singular values"),
        ],
    ),
    "ch03.late_rate": Cases(
        accept=[5, 5.0, [5], np.array([[5.0]]), np.sqrt(25)],
        refuse=[
            (4, "early rate"),
            (np.sqrt(13), "factor four"),
            (np.hypot(1.5, 4), "squares of the strengths"),
            (25, "square root"),
            (0.2, "time constant"),
            (np.hypot(3.125, 4), "added"),
            (3.0, "that is c"),
            (3.125, "on the way there"),
            (7.0, "linearise"),
        ],
    ),
    "ch03.width": Cases(
        accept=[np.log(81) / 6, 0.7324, 2 * np.log(3) / 3, [0.732408]],
        refuse=[
            (np.log(81) / 3, "not s"),
            (np.log(9) / 6, "half of the way"),
            (np.log(9), "units of 1/s"),
            (np.log(81), "logarithm alone"),
            (_time(2.7, 3.0, 1e-3), "depends on u0"),
            (0.73, "at least three"),
            (1.0, "drop out"),
        ],
    ),
    "ch03.drift": Cases(
        accept=[_drift, _drift_by_doing, lambda W1, W2, E, eta: [list(row) for row in _drift(W1, W2, E, eta)]],
        refuse=[
            (lambda W1, W2, E, eta: -_drift(W1, W2, E, eta), "later layer first"),
            (lambda W1, W2, E, eta: _drift(W1, W2, E, eta) / eta, "first power"),
            (lambda W1, W2, E, eta: _drift(W1, W2, E, eta) / eta**2, "enters squared"),
            (lambda W1, W2, E, eta: eta**2 * (W1 @ E.T @ E @ W1.T + W2.T @ E @ E.T @ W2), "not added"),
            (lambda W1, W2, E, eta: np.zeros((len(W1), len(W1))), "this is zero"),
            (lambda W1, W2, E, eta: eta**2 * (W1 @ E.T @ E @ W1.T), "that of W1 W1^T is missing"),
            (lambda W1, W2, E, eta: -(eta**2) * (W2.T @ E @ E.T @ W2), "that of W2^T W2 is missing"),
            (lambda W1, W2, E, eta: (W2 + eta * E @ W1.T).T @ (W2 + eta * E @ W1.T) - W2.T @ W2, "W2^T W2 alone"),
            (lambda W1, W2, E, eta: W1 @ E, "raised"),
            (lambda W1, W2, E, eta: E, "should have shape"),
            (
                lambda W1, W2, E, eta: eta * (W2.T @ E @ W1.T + W1 @ E.T @ W2) + _drift(W1, W2, E, eta),
                "first order in the step cancel",
            ),
            (lambda W1, W2, E, eta: 2 * _drift(W1, W2, E, eta), "multiply out"),
        ],
    ),
    "ch03.learning_time": Cases(
        accept=[_time, lambda u, s, u0: _time_scalar(float(u), s, u0), lambda u, s, u0: [_time(x, s, u0) for x in u]],
        refuse=[
            (lambda u, s, u0: 2 * _time(u, s, u0), "each layer at s"),
            (lambda u, s, u0: np.full_like(u, _time(s / 2, s, u0)), "half time"),
            (lambda u, s, u0: _time(u, s, np.sqrt(u0)), "do not take its root"),
            (lambda u, s, u0: -_time(u, s, u0), "take longer"),
            (lambda u, s, u0: s * _time(u, s, u0), "divided by 2 alone"),
            (_time_in_separate_logarithms, "under one logarithm"),
            (lambda u, s, u0: np.log(u / u0) / (2 * s), "saturation"),
            (lambda u, s, u0: np.log(u * s / (u0 * (s - u))) / (2 * s), "s - u0 of the start"),
            (
                lambda u, s, u0: np.where(u < s, 1, -1) * _time(u, s, u0),
                "wrong sign",
            ),
            (lambda u, s, u0: np.where(u < s, _time(u, s, u0), 0.0), "keep the quotient"),
            (lambda u, s, u0: u, "partial fractions"),
        ],
    ),
    "ch03.unbalanced": Cases(
        accept=[_strength, _strength_tanh, lambda t, s, a0, b0: float(_strength(float(t), s, a0, b0))],
        refuse=[
            (_strength_by_ratio, "give NaN or infinity"),
            (_strength_by_ratio_scalar, "give NaN or infinity"),
            (_division_by_zero, "give NaN or infinity"),
            (_division_by_zero_scalar, "give NaN or infinity"),
            (lambda t, s, a0, b0: "much", "it returned str"),
            (lambda t, s, a0, b0: [1.0, 2.0], "it returned shape (2,)"),
            (_angle, "roots and logarithms of c"),
            (_wrong_kappa, "factor four is missing"),
            (_sum_squared, "turn it into the strength"),
            (lambda t, s, a0, b0: _sum_squared(t, s, a0, b0) / 4, "a quarter of P"),
            (lambda t, s, a0, b0: s / (1 + (s / (a0 * b0) - 1) * np.exp(-2 * s * t)), "needs equal layers"),
            (lambda t, s, a0, b0: s / (1 + (4 * s / (a0 + b0) ** 2 - 1) * np.exp(-2 * s * t)), "effective start"),
            (lambda t, s, a0, b0: -_strength(t, s, a0, b0), "sign is turned"),
            (_only_unbalanced, "do not give the logistic"),
            (lambda t, s, a0, b0: np.zeros((2, 2)), "one number for each value"),
            (lambda t, s, a0, b0: 0 * t + 7.0, "the first case that fails"),
        ],
    ),
}
