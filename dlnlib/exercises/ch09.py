"""Checkers of chapter 9: global gates."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlnlib import global_gates
from dlnlib._validate import Array
from dlnlib.exercises._core import array, call, checker, compare, correct, number
from dlnlib.exercises._questions import choice_question, number_question

number_question(
    "ch09.tails",
    truth=lambda: 3 * _square_of_scale(4),
    rtol=0.01,
    mistakes={
        "that is a Gaussian's; the kernel itself varies from network to network, because there are few readouts.": 3.0,
        "that is the factor by which it exceeds a Gaussian's; multiply it by 3.": 1.5,
        "the variance of chi-square with N degrees of freedom is 2N, not N: the factor is 1 + 2/N.": 3.75,
        "gates do not count: g^T A g has N degrees of freedom, whatever the number of gates.": 3 * (1 + 2 / 9),
        "there are 4 degrees of freedom, one for each hidden unit, not one for each readout.": 3 * (1 + 2 / 36),
    },
    otherwise="given the kernel f is Gaussian, so that it is 3 E[v^2]/(E v)^2, with v proportional to a chi-square variable.",
    praise="3 (1 + 2/N), whatever the gates: few units make heavy tails.",
)

choice_question(
    "ch09.narrow",
    right="b",
    hints={
        "a": "the kernel may shrink, but look at k K^-1 y: what does a common factor of k and K do there?",
        "c": "that is what the variance does; where does a common factor of the kernel stand in the mean?",
    },
    praise="a common factor of the kernel cancels in the mean; width moves the error bars of a linear network and nothing else.",
)

number_question(
    "ch09.scale",
    truth=lambda: float(global_gates.saddle_scale(1.0, 4.0, 1.0, 2)),
    rtol=0.01,
    mistakes={
        "that is what the data ask for; they get it only with many more examples than units.": 4.0,
        "that is the prior's; it is kept only in the limit of infinite width.": 1.0,
        "the mean of what prior and data want; the equation at n = N is u/sigma^2 = r_0/u, which asks for another mean.": 2.5,
        "you seem to have lost a root: u^2 = sigma^2 r_0.": 16.0,
    },
    otherwise="put n = N into the equation: the ones cancel, and u/sigma^2 = r_0/u.",
    praise="the geometric mean of prior and data.",
)

choice_question(
    "ch09.same_inputs",
    right="b",
    hints={
        "a": "U enters the covariance with the new input and the covariance of the examples; what does U_m U^-1 become?",
        "c": "the argument needs neither width nor the saddle point; what does U do in k K^-1 y when K is a product?",
    },
    praise="U cancels between k and K: without noise, what the other task says at the same inputs is nothing new.",
)


def _square_of_scale(width: int) -> float:
    """Return E[q^2]/(E q)^2 of the prior by integrating its density, which does not use the moments of chi-square."""
    s = np.linspace(-12.0, 3.0, 1501)
    p = global_gates.scale_density(s, [width], 1.0)
    first, second = (np.trapezoid(p * np.exp(k * s), s) for k in (1, 2))
    return float(second / first**2)


@checker("ch09.spread")
def _spread(answer: Any) -> str:
    value = number(answer, "the standard deviation")
    right = 2 / np.sqrt(50)
    compare(
        value,
        right,
        {
            "that is the variance; its root is wanted.": 4 / 50,
            "that is the spread of a diagonal entry, whose variance is 2 sigma^4/N.": 2 * np.sqrt(2 / 50),
            "A is a mean over units: the variance of one product is divided by N.": 2.0,
            "variances of independent numbers multiply: E[a^2 b^2] = sigma^4, which is 4 here.": np.sqrt(2 / 50),
            "the standard deviation falls like 1/sqrt(N), not like 1/N.": 2 / 50,
            "sigma^2 = 2 already, do not square it twice.": 4 / np.sqrt(50),
        },
        otherwise="A_12 is the mean over N units of a product of two independent numbers of variance sigma^2.",
        rtol=1e-2,
    )
    return correct("sigma^2/sqrt(N): in wide networks the readouts of two gates are uncorrelated by chance alone.")


@checker("ch09.no_width")
def _no_width(answer: Any) -> str:
    from scipy.optimize import brentq

    def tilt(r0: float) -> float:  # by how much the width matters
        return float(np.diff(global_gates.saddle_scale(np.array([0.1, 10.0]), r0, 1.5, 4))[0])

    value = number(answer, "r_0")
    compare(
        value,
        brentq(tilt, 0.1, 100.0),
        {
            "that is the prior's scale for two layers; three hidden layers multiply it three times.": 1.5,
            "four layers have three hidden ones: the power is L - 1.": 1.5**4,
            "the power is that of the three hidden layers.": 1.5**2,
            "with sigma^2 = 1.5 the width does matter at r_0 = 1.": 1.0,
        },
        otherwise="the right side of the equation vanishes when r_0 = u^(L-1), and the left one when u = sigma^2.",
        rtol=1e-3,
    )
    return correct("the data ask for what the prior gives, and no width has anything to change.")


@checker("ch09.both_open")
def _both_open(answer: Any) -> str:
    value = number(answer, "the share")
    x = np.array([[1.0, 0.0], [np.cos(2 * np.pi / 3), np.sin(2 * np.pi / 3)]])
    # Independent of the formula: count directions on a fine circle.
    phi = (np.arange(360_000) + 0.5) * np.pi / 180_000
    right = float(np.mean(np.all(np.column_stack([np.cos(phi), np.sin(phi)]) @ x.T > 0, axis=1)))
    compare(
        value,
        right,
        {
            "that is the share of gates on which the inputs disagree.": 2 / 3,
            "that is the share of gates in which both are open or both closed; only open ones count.": 1 / 3,
            "half of the gates are open on one input; on both at once fewer are.": 0.5,
            "a quarter is right for inputs at a right angle.": 0.25,
        },
        otherwise="gates open on both inputs have directions in an arc of length pi - theta, out of 2 pi.",
        rtol=2e-3,
    )
    return correct("(pi - 2 pi/3)/(2 pi) = 1/6.")


def _example(seed: int) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(seed)
    X, gates = rng.standard_normal((5, 3)), rng.random((5, 2)) + 0.1
    root = rng.standard_normal((2, 2))
    return X, gates, root @ root.T + np.eye(2)


@checker("ch09.kernel")
def _kernel(answer: Any) -> str:
    for seed in (0, 1):
        X, gates, A = _example(seed)
        got = array(call(answer, X.copy(), gates.copy(), A.copy(), 1.7), (5, 5), "the kernel")
        # From the network itself: the outputs at all unit weights of the first layer, for readouts with these second moments.
        a = np.sqrt(2) * np.linalg.cholesky(A).T[None]  # two units, (1/2) sum a a^T = A
        units = np.eye(6).reshape(-1, 2, 3)
        response = global_gates.network_outputs(np.repeat(a, 6, axis=0), units, X, gates)
        right = 1.7 * response.T @ response
        K0, share = X @ X.T / 3, gates @ A @ gates.T
        compare(
            got,
            right,
            {
                "divide by the number of gates M.": 2 * right,
                "K_0 is x . x'/d: divide by the number of inputs.": 3 * right,
                "sigma^2 is missing.": right / 1.7,
                "A is missing between the gates: g(x)^T A g(x').": 1.7 / 2 * K0 * (gates @ gates.T),
                "multiply the two matrices entry by entry, not as matrices.": 1.7 / 2 * K0 @ share,
                "the gates belong inside too: entry (i, j) has g(x_i)^T A g(x_j).": 1.7 / 2 * K0 * np.sum(A),
                "variance is sigma^2 already; do not square it.": 1.7 * right,
            },
            otherwise="entry (i, j) is (sigma^2/M) (x_i . x_j/d) g(x_i)^T A g(x_j).",
            rtol=1e-9,
        )
    return correct("one line, and the whole network is in it.")


@checker("ch09.scale_mean")
def _scale_mean(answer: Any) -> str:
    for n, width, r0, variance in ((10, 30, 0.6, 1.2), (30, 12, 2.5, 1.4)):
        got = number(call(answer, n, width, r0, variance), "the mean")
        right = global_gates.mean_scale_two_layers(n, width, r0, variance)

        def by(power: float, rate: float, pull: float) -> float:
            s = np.linspace(-8.0, 8.0, 20_001)
            log_p = power * s - rate * np.exp(s) - pull * np.exp(-s)
            p = np.exp(log_p - log_p.max())
            return float(p @ np.exp(s) / p.sum())

        rate, pull = width / (2 * variance), n * r0 / 2
        compare(
            got,
            right,
            {
                "that is the posterior's peak in ln q, the saddle point; the mean is wanted.": float(
                    global_gates.saddle_scale(n / width, r0, variance, 2)
                ),
                "on a grid of ln q the density gains a factor q, dq = q d(ln q).": by((width - n) / 2 - 1, rate, pull),
                "the exponent of q is (N - n)/2 - 1: the examples' determinant is missing.": by(width / 2, rate, pull),
                "sigma^2 is missing in the prior, exp(-N q/(2 sigma^2)).": by((width - n) / 2, width / 2, pull),
                "the factors one half in the exponentials are missing.": by((width - n) / 2, 2 * rate, 2 * pull),
                "r_0 is a mean over examples: the exponent has n r_0.": by((width - n) / 2, rate, r0 / 2),
            },
            otherwise=f"for n = {n}, N = {width} this is not the mean of q; its density is "
            "q^((N-n)/2-1) exp(-N q/(2 sigma^2) - n r_0/(2 q)), up to a factor.",
            rtol=1e-4,
        )
    return correct("it agrees with the Bessel functions.")


def _action(task: global_gates.Task, A: Array, width: int, temperature: float) -> float:
    """Return the action from determinants and quadratic forms alone."""
    Kt = task.kernel(A) + temperature * np.eye(task.n)
    fit = np.linalg.slogdet(Kt)[1] + task.y @ np.linalg.solve(Kt, task.y)
    return float(width / task.variance * np.trace(A) - width * np.linalg.slogdet(A)[1] + fit)


def _differences(task: global_gates.Task, U: Array, width: int, temperature: float) -> Array:
    out, h = np.zeros((2, 2)), 1e-5
    for i, j in np.ndindex(2, 2):
        E = np.zeros((2, 2))
        E[i, j] += h / 2
        E[j, i] += h / 2
        out[i, j] = (_action(task, U + E, width, temperature) - _action(task, U - E, width, temperature)) / (2 * h)
    return out


@checker("ch09.slope")
def _slope(answer: Any) -> str:
    for seed in (2, 3):
        X, gates, U = _example(seed)
        y = np.random.default_rng(seed).standard_normal(5)
        task = global_gates.Task(X, gates, y, variance=1.7, temperature=0.3)
        got = array(call(answer, U.copy(), X.copy(), gates.copy(), y.copy(), 11, 1.7, 0.3), (2, 2), "the slope")
        right = _differences(task, U, 11, 0.3)
        prior = 11 * (np.eye(2) / 1.7 - np.linalg.inv(U))
        D = right - prior
        compare(
            got,
            right,
            {
                "the sign is turned: this is the slope of -S.": -right,
                "that is D alone; the prior's part N (I/sigma^2 - U^-1) is missing.": D,
                "the prior's part is multiplied by N.": prior / 11 + D,
                "only the prior's part is here; add D.": prior,
                "the temperature is missing on the diagonal of the kernel.": _differences(task, U, 11, 0.0),
                "this is U^-1 - I/sigma^2 - D/N, which is zero at the same place; the slope is -N times it.": -right / 11,
            },
            otherwise="the slope is N (I/sigma^2 - U^-1) + D, with D_mn = tr(B K^mn) and B = Kt^-1 - Kt^-1 y y^T Kt^-1.",
            rtol=1e-6,
        )
    return correct("agrees with differences of determinants and quadratic forms.")
