"""What the checkers of chapter 7 accept, and the mistakes they name."""

import numpy as np
from cases import Cases


def _excess(t, lam, n, noise, start):
    lam = np.asarray(lam)
    left = np.exp(-np.outer(np.atleast_1d(t), lam))
    learnt = np.where(lam > 0, noise * len(lam) / n * (1 - left) ** 2 / np.where(lam > 0, lam, 1), 0)
    return ((1 + start) * left**2 + learnt).mean(1)


def _one_time(t, lam, n, noise, start):
    total = 0.0
    for x in lam:
        total += (1 + start) * np.exp(-2 * x * float(t))
        if x > 0:
            total += noise * len(lam) / n / x * (1 - np.exp(-x * float(t))) ** 2
    return total / len(lam)


def _without(zeros_in_signal=True, **changes):
    def wrong(t, lam, n, noise, start):
        left = np.exp(-np.outer(t, lam))
        gone = (1 - left) ** changes.get("power", 2)
        factor = changes.get("factor", lambda n, d: d / n)(n, len(lam))
        learnt = np.where(lam > 0, changes.get("noise", lambda s: s)(noise) * factor * gone / np.where(lam > 0, lam, 1), 0)
        signal = (1 + start * changes.get("start", 1)) * left ** changes.get("signal", 2)
        if not zeros_in_signal:
            signal = np.where(lam > 0, signal, 0)
        return (signal + learnt).mean(1)

    return wrong


def _nan_at_zero(t, lam, n, noise, start):
    with np.errstate(all="ignore"):
        left = np.exp(-np.outer(t, lam))
        return ((1 + start) * left**2 + noise * len(lam) / n * (1 - left) ** 2 / lam).mean(1)


def _learning_modes(t, lam, n, noise, start):
    kept = lam[lam > 0]
    left = np.exp(-np.outer(t, kept))
    return ((1 + start) * left**2 + noise * len(lam) / n * (1 - left) ** 2 / kept).mean(1)


def _ridge(X, y, noise, teacher):
    n, d = X.shape
    return np.linalg.solve(X.T @ X / n + noise * d / (n * teacher) * np.eye(d), X.T @ y / n)


def _ridge_dual(X, y, noise, teacher):
    n, d = X.shape
    return (X.T @ np.linalg.solve(X @ X.T + noise * d / teacher * np.eye(n), y))[None]


def _with(kappa):
    def wrong(X, y, noise, teacher):
        n, d = X.shape
        return np.linalg.solve(X.T @ X / n + kappa(noise, teacher, n, d) * np.eye(d), X.T @ y / n)

    return wrong


def _undivided(X, y, noise, teacher):
    n, d = X.shape
    return np.linalg.solve(X.T @ X + noise * d / (n * teacher) * np.eye(d), X.T @ y)


def _mean(f, ratio, zeros=True, factor=2.0, share=False):
    phi = (np.arange(400) + 0.5) * np.pi / 400
    lam = 1 + 1 / ratio - 2 / np.sqrt(ratio) * np.cos(phi)
    inside = np.sum(f(lam) * factor * np.sin(phi) ** 2 / (np.pi * lam)) * np.pi / 400
    if share:
        return inside / min(1, ratio)
    return inside + (max(0, 1 - ratio) * f(np.zeros(1))[0] if zeros else 0)


CASES = {
    "ch07.late": Cases(
        accept=[0.75, "0.75", "3/4", np.float64(0.7501)],
        refuse=[
            (0.5, "frozen modes keep"),
            (0.25, "the other modes; the frozen"),
            (1.0, "leaves out its own noise"),
            (0.0, "training error"),
            (-0.5, "negative error"),
            (0.625, "before the integral"),
            (0.9, "add what the frozen half"),
        ],
    ),
    "ch07.peak": Cases(
        accept=["a", "A", "(a)"], refuse=[("b", "tiny eigenvalues"), ("c", "more examples help"), ("d", "letters a, b, c")]
    ),
    "ch07.weak": Cases(
        accept=["b", "(b)"], refuse=[("a", "how long does that take"), ("c", "differentiate"), ("x", "letters a, b, c")]
    ),
    "ch07.thaw": Cases(accept=["b", "B"], refuse=[("a", "product of both"), ("c", "nothing can drive"), (3, "letters a, b, c")]),
    "ch07.break_even": Cases(
        accept=[1 / 6, 0.1667, [0.16667]],
        refuse=[
            (0.125, "noise is learnt too"),
            (1 / 3, "not the whole teacher"),
            (0.5, "close the gap"),
            (2.0, "1/(alpha - 1)"),
            (np.sqrt(1 / 6), "do not take its root"),
            (0.9, "straight line"),
            ("much", "should hold numbers"),
        ],
    ),
    "ch07.mode_time": Cases(
        accept=[2 * np.log(7), 3.892, np.array([3.89])],
        refuse=[
            (2 * np.log(5), "start counts too"),
            (np.log(7), "one too many"),
            (2 * np.log(4), "alpha stands in the logarithm"),
            (2 * np.log(13), "inside the logarithm"),
            (12.0, "very weak modes"),
            (2 * np.log(6), "starts at one"),
            (0.5 * np.log(7), "not multiplied"),
            (1.0, "differentiate"),
        ],
    ),
    "ch07.excess": Cases(
        accept=[_excess, _one_time, lambda t, lam, n, noise, start: list(_excess(t, lam, n, noise, start))],
        refuse=[
            (_nan_at_zero, "its mode learns nothing"),
            (lambda t, lam, n, noise, start: len(lam) * _excess(t, lam, n, noise, start), "take the mean"),
            (_learning_modes, "frozen ones count"),
            (_without(zeros_in_signal=False), "missing from the signal"),
            (_without(start=0), "start is missing"),
            (_without(factor=lambda n, d: 1.0), "divided by alpha"),
            (_without(signal=1), "the signal is a square"),
            (_without(power=1), "enters squared"),
            (_without(factor=lambda n, d: 0.0), "the noise is missing"),
            (_without(noise=lambda s: s**2), "not its standard deviation"),
            (lambda t, lam, n, noise, start: np.ones(5), "one number for each time"),
            (lambda t, lam, n, noise, start: 0 * t + 3.0, "mean over all d modes"),
            (3.0, "function is wanted"),
        ],
    ),
    "ch07.ridge": Cases(
        accept=[_ridge, _ridge_dual, lambda *a: list(_ridge(*a))],
        refuse=[
            (_with(lambda noise, teacher, n, d: noise / teacher), "lacks its factor"),
            (_with(lambda noise, teacher, n, d: noise * n / (d * teacher)), "alpha is n/d"),
            (_undivided, "divided by n"),
            (_with(lambda noise, teacher, n, d: noise * d / n), "teacher is missing"),
            (lambda X, y, noise, teacher: np.linalg.pinv(X) @ y, "least-squares"),
            (_with(lambda noise, teacher, n, d: teacher * d / (n * noise)), "exchanged"),
            (_with(lambda noise, teacher, n, d: noise**2 * d / (n * teacher**2)), "do not square"),
            (lambda X, y, noise, teacher: y, "weights; you return"),
            (lambda X, y, noise, teacher: 0 * X[0], "solve"),
        ],
    ),
    "ch07.peak_time": Cases(
        accept=[603.6, 250 * (1 + np.sqrt(2)), "603.6"],
        refuse=[
            (1000, "limit for the weakest"),
            (1000 / (4 * np.sqrt(2)), "has two parts"),
            (301.8, "that of sqrt(t) brings one too"),
            (250, "minimise"),
            (603.6 * np.sqrt(2), "twice as fast"),
            (1207, "that of 1/sqrt(t) brings one too"),
            (31.62, "its root or its logarithm"),
            (1.0, "minimise"),
        ],
    ),
    "ch07.spectral_mean": Cases(
        accept=[_mean, lambda f, ratio: np.array([_mean(f, ratio)])],
        refuse=[
            (lambda f, ratio: _mean(f, ratio, zeros=False), "f(0) counts"),
            (lambda f, ratio: _mean(f, ratio, share=True), "modes that learn"),
            (lambda f, ratio: 2 * _mean(f, ratio), "half the angle"),
            (lambda f, ratio: _mean(f, ratio, factor=1.0), "factor 2"),
            (lambda f, ratio: _mean(f, ratio, factor=2 * np.pi), "pi is missing"),
            (lambda f, ratio: 0.5, "put lambda(phi)"),
        ],
    ),
}
