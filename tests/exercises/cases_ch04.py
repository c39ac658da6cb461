"""Answers to the exercises of chapter 4."""

import numpy as np
from cases import Cases
from scipy.integrate import quad, solve_ivp
from scipy.special import hyp2f1

import dlnlib as dln


def by_quadrature(u, s, u0, L):
    return quad(lambda x: 1 / (L * x ** (2 - 2 / L) * (s - x)), u0, u, epsabs=0, epsrel=1e-11, limit=500)[0]


def primitive(u, s, L):
    b = 2 / L - 1
    return u**b / (s * b) * hyp2f1(1, b, b + 1, u / s)


def by_series(u, s, u0, L):
    if L == 2:
        return np.log(u * (s - u0) / (u0 * (s - u))) / (2 * s)
    return (primitive(u, s, L) - primitive(u0, s, L)) / L


def by_integration(u, s, u0, L):
    def arrived(_, x):
        return x[0] - u

    arrived.terminal = True
    options = {"events": arrived, "method": "DOP853", "rtol": 1e-11, "atol": 1e-13}
    run = solve_ivp(lambda _, x: L * x ** (2 - 2 / L) * (s - x), (0, 1e4), [u0], **options)
    return np.array([run.t_events[0][0]])


def series_without_branch(u, s, u0, L):
    return (primitive(u, s, L) - primitive(u0, s, L)) / L if L != 2 else float("nan")


def on_segment(phi, s):
    z = np.exp(1j * phi)
    along = np.clip(np.real(-z * np.conj(s - z)) / max(abs(s - z) ** 2, 1e-300), 0, 1)
    return abs(z + along * (s - z))


def by_search(phi, s):
    return np.abs(np.exp(1j * phi) + (s - np.exp(1j * phi)) * np.linspace(0, 1, 100_001)).min()


def with_cases(phi, s):
    if np.cos(phi) < s and s * np.cos(phi) < 1:
        return np.array([s * abs(np.sin(phi)) / np.sqrt(1 + s * s - 2 * s * np.cos(phi))])
    return min(1.0, s)


def recursion(L, N):
    m = t = 1.0
    for _ in range(L):
        m, t = t + (1 + 1 / N) * m, t + 2 * m / N**2
    return m


def frozen(L, N):
    m = 1.0
    for _ in range(L):
        m = 1 + (1 + 1 / N) * m
    return m


CASES = {
    "ch04.slowest_depth": Cases(
        accept=["b", "(b)", " B "],
        refuse=[("a", "delays a weak mode"), ("c", "factor L in front"), ("d", "one of the letters")],
    ),
    "ch04.trap": Cases(
        accept=["b", "B.", "(b)"],
        refuse=[("a", "change its sign"), ("c", "costs the least"), (2, "one of the letters")],
    ),
    "ch04.more_layers": Cases(
        accept=["c", "(C)"],
        refuse=[("a", "product of eight strengths"), ("b", "each layer is 0.1"), (4e6, "one of the letters")],
    ),
    "ch04.spread": Cases(
        accept=["c", " c."],
        refuse=[("a", "on average"), ("b", "add up, or multiply"), ("d", "one of the letters")],
    ),
    "ch04.largest_step": Cases(
        accept=[1 / 54, "1/54", "2/108", 0.0185, "1.85e-2"],
        refuse=[
            (1 / 9, "two layers"),
            (2 / 27, "factor L is missing"),
            (2 / 36, "3/2 here"),
            (2 / 324, "infinite depth"),
            (1 / 108, "not one"),
            (108, "that is the sharpness"),
            (0.5, "27"),
        ],
    ),
    "ch04.plateau": Cases(
        accept=[50.0, 50, [0.1**-2 / 2], np.float64(50)],
        refuse=[
            (100.0, "divide by L - 2"),
            (5e7, "end-to-end strength"),
            (1000 / 3, "not L - 1"),
            (12.5, "factor L"),
            (25.0, "not by L:"),
            (np.log(10), "two layers"),
            (49.727, "exact half time"),
            (7.0, "integrate from a0"),
        ],
    ),
    "ch04.depth_time": Cases(
        accept=[by_quadrature, by_series, by_integration, dln.exact.time_to_strength],
        refuse=[
            (lambda u, s, u0, L: L * by_series(u, s, u0, L), "divide by the depth"),
            (lambda u, s, u0, L: -by_series(u, s, u0, L), "the sign"),
            (lambda u, s, u0, L: by_quadrature(u, s, u0, L + 1), "layers of neurons"),
            (lambda u, s, u0, L: by_quadrature(u, s, u0, max(L - 1, 1)), "one layer less"),
            (lambda u, s, u0, L: primitive(u, s, L) / L, "both ends"),
            (series_without_branch, "depth 2 needs care"),
            (lambda u, s, u0, L: 1.0, "takes another time"),
        ],
    ),
    "ch04.extra_steps": Cases(
        accept=[5.5, [5.5], np.array(2 / 0.5 * (2 - 1 / 1.6))],
        refuse=[
            (-5.5, "the sign"),
            (1.375, "a quarter of the largest"),
            (2.75, "a factor s"),
            (11.0, "the 2 belongs"),
            (5.5 + 2 * np.log(12), "infinite depth; subtract"),
            (2 * np.log(12), "steps of two layers"),
            (3.0, "logarithms are equal"),
        ],
    ),
    "ch04.closest": Cases(
        accept=[on_segment, with_cases, by_search],
        refuse=[
            (lambda phi, s: s * abs(np.sin(phi)) / abs(s - np.exp(1j * phi)), "nearer end"),
            (lambda phi, s: 1.0, "only the angle"),
            (lambda phi, s: s * np.sin(phi) / abs(s - np.exp(1j * phi)), "not negative"),
            (lambda phi, s: s * abs(np.sin(phi)) / abs(s - np.cos(phi)), "imaginary axis"),
            (lambda phi, s: 0.0, "segment from"),
        ],
    ),
    "ch04.fourth_moment": Cases(
        accept=[recursion, lambda L, N: [recursion(L, N)], lambda L, N: np.float64(recursion(L, N))],
        refuse=[
            (lambda L, N: L + 1, "infinite width"),
            (lambda L, N: N * recursion(L, N), "divide by N"),
            (lambda L, N: recursion(L - 1, N), "one layer too few"),
            (frozen, "fluctuates"),
            (lambda L, N: (2 + 1 / N) ** L, "do not multiply"),
            (lambda L, N: 3.0, "2 + 1/N"),
        ],
    ),
}
