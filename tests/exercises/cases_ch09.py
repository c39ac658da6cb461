"""What the checkers of chapter 9 accept, and the mistakes they name."""

import numpy as np
from cases import Cases
from scipy.integrate import quad
from scipy.special import kve


def _kernel(X, gates, A, variance):
    return variance / gates.shape[1] * (X @ X.T / X.shape[1]) * (gates @ A @ gates.T)


def _kernel_by_hand(X, gates, A, variance):
    n, M = gates.shape
    K = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(n):
            for m in range(M):
                for k in range(M):
                    K[i][j] += variance / M * X[i] @ X[j] / X.shape[1] * gates[i, m] * A[m, k] * gates[j, k]
    return K


def _grid(n, width, r0, variance, power=None, rate=None, pull=None):
    s = np.linspace(-10, 10, 40_001)
    power = (width - n) / 2 if power is None else power
    rate = width / (2 * variance) if rate is None else rate
    pull = n * r0 / 2 if pull is None else pull
    log_p = power * s - rate * np.exp(s) - pull * np.exp(-s)
    p = np.exp(log_p - log_p.max())
    return np.sum(p * np.exp(s)) / np.sum(p)


def _by_quad(n, width, r0, variance):
    peak = 1.0

    def p(q):
        return np.exp(((width - n) / 2 - 1) * np.log(q) - width * (q - peak) / (2 * variance) - n * r0 * (1 / q - 1 / peak) / 2)

    return quad(lambda q: q * p(q), 0, 30, limit=200)[0] / quad(p, 0, 30, limit=200)[0]


def _bessel(n, width, r0, variance):
    z, nu = np.sqrt(width * n * r0 / variance), (width - n) / 2
    return np.sqrt(n * r0 * variance / width) * kve(nu + 1, z) / kve(nu, z)


def _peak(n, width, r0, variance):
    k = n / width
    return variance / 2 * (1 - k + np.sqrt((1 - k) ** 2 + 4 * k * r0 / variance))


def _slope(U, X, gates, y, width, variance, temperature, prior=None, data=1.0):
    n, M = gates.shape
    K0 = X @ X.T / X.shape[1]
    Kt = variance / M * K0 * (gates @ U @ gates.T) + temperature * np.eye(n)
    w = np.linalg.solve(Kt, y)
    D = variance / M * gates.T @ ((np.linalg.inv(Kt) - np.outer(w, w)) * K0) @ gates
    return (width if prior is None else prior) * (np.eye(M) / variance - np.linalg.inv(U)) + data * D


def _slope_by_traces(U, X, gates, y, width, variance, temperature):
    n, M = gates.shape
    K0 = X @ X.T / X.shape[1]
    Kt = variance / M * K0 * (gates @ U @ gates.T) + temperature * np.eye(n)
    inverse = np.linalg.inv(Kt)
    D = np.zeros((M, M))
    for m in range(M):
        for k in range(M):
            K = variance / M * np.diag(gates[:, m]) @ K0 @ np.diag(gates[:, k])
            K = (K + K.T) / 2
            D[m, k] = np.trace(inverse @ K) - y @ inverse @ K @ inverse @ y
    return width * (np.eye(M) / variance - np.linalg.inv(U)) + D


CASES = {
    "ch09.tails": Cases(
        accept=[4.5, "4.5", "9/2", np.float64(4.51)],
        refuse=[
            (3, "a Gaussian's; the kernel"),
            (1.5, "multiply it by 3"),
            (3.75, "not N"),
            (3.67, "gates do not count"),
            (3.1667, "not one for each readout"),
            (7.0, "given the kernel f is Gaussian"),
        ],
    ),
    "ch09.narrow": Cases(
        accept=["b", "(B)"],
        refuse=[("a", "common factor of k and K"), ("c", "what the variance does"), ("d", "letters a, b, c")],
    ),
    "ch09.scale": Cases(
        accept=[2, "2.0", 2.001],
        refuse=[
            (4, "what the data ask for"),
            (1, "the prior's"),
            (2.5, "another mean"),
            (16, "lost a root"),
            (3, "the ones cancel"),
        ],
    ),
    "ch09.same_inputs": Cases(
        accept=["b", "B."],
        refuse=[("a", "U_m U^-1"), ("c", "neither width"), ("x", "letters a, b, c")],
    ),
    "ch09.spread": Cases(
        accept=[2 / np.sqrt(50), 0.2828, [0.283]],
        refuse=[
            (0.08, "its root is wanted"),
            (0.4, "diagonal entry"),
            (2.0, "mean over units"),
            (0.2, "multiply"),
            (0.04, "not like 1/N"),
            (0.5657, "twice"),
            (9.0, "product of two independent"),
            ("small", "should hold numbers"),
        ],
    ),
    "ch09.no_width": Cases(
        accept=[1.5**3, 3.375, np.array([3.375])],
        refuse=[
            (1.5, "two layers"),
            (1.5**4, "the power is L - 1"),
            (2.25, "three hidden layers"),
            (1.0, "does matter"),
            (9.0, "vanishes"),
            (-2.0, "vanishes"),
        ],
    ),
    "ch09.both_open": Cases(
        accept=[1 / 6, 0.16667, [0.1667]],
        refuse=[
            (2 / 3, "disagree"),
            (1 / 3, "only open ones"),
            (0.5, "fewer are"),
            (0.25, "right angle"),
            (0.9, "arc of length"),
        ],
    ),
    "ch09.kernel": Cases(
        accept=[_kernel, _kernel_by_hand, lambda *a: _kernel(*a).tolist()],
        refuse=[
            (lambda X, g, A, v: 2 * _kernel(X, g, A, v), "number of gates"),
            (lambda X, g, A, v: 3 * _kernel(X, g, A, v), "number of inputs"),
            (lambda X, g, A, v: _kernel(X, g, A, 1.0), "sigma^2 is missing"),
            (lambda X, g, A, v: _kernel(X, g, np.eye(2), v), "A is missing"),
            (lambda X, g, A, v: v / 2 * (X @ X.T / 3) @ (g @ A @ g.T), "entry by entry"),
            (lambda X, g, A, v: v / 2 * (X @ X.T / 3) * np.sum(A), "belong inside"),
            (lambda X, g, A, v: _kernel(X, g, A, v**2), "do not square"),
            (lambda X, g, A, v: np.zeros((5, 5)), "entry (i, j)"),
            (lambda X, g, A, v: np.zeros(5), "shape (5, 5)"),
            (3.0, "function is wanted"),
        ],
    ),
    "ch09.scale_mean": Cases(
        accept=[_grid, _by_quad, _bessel],
        refuse=[
            (_peak, "saddle point; the mean"),
            (lambda n, N, r, v: _grid(n, N, r, v, power=(N - n) / 2 - 1), "gains a factor q"),
            (lambda n, N, r, v: _grid(n, N, r, v, power=N / 2), "determinant is missing"),
            (lambda n, N, r, v: _grid(n, N, r, v, rate=N / 2), "sigma^2 is missing"),
            (lambda n, N, r, v: _grid(n, N, r, v, rate=N / v, pull=n * r), "one half"),
            (lambda n, N, r, v: _grid(n, N, r, v, pull=r / 2), "mean over examples"),
            (lambda n, N, r, v: 77.0, "its density is"),
        ],
    ),
    "ch09.slope": Cases(
        accept=[_slope, _slope_by_traces, lambda *a: _slope(*a).tolist()],
        refuse=[
            (lambda *a: -_slope(*a), "sign is turned"),
            (lambda *a: _slope(*a, prior=0), "prior's part N"),
            (lambda *a: _slope(*a, prior=1), "multiplied by N"),
            (lambda *a: _slope(*a, data=0.0), "only the prior's part"),
            (lambda U, X, g, y, N, v, T: _slope(U, X, g, y, N, v, 0.0), "temperature is missing"),
            (lambda *a: -_slope(*a) / 11, "zero at the same place"),
            (lambda *a: np.zeros((2, 2)), "the slope is N"),
        ],
    ),
}
