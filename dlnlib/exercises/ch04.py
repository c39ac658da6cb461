"""Checkers of chapter 4, depth and initialisation: each finds the truth on a road that the answer need not take."""

from typing import Any

import numpy as np

from dlnlib import exact
from dlnlib.exercises import _core as core
from dlnlib.exercises._questions import choice_question, number_question
from dlnlib.initialise import gaussian
from dlnlib.measure import isometry_spectrum
from dlnlib.moments import Moments
from dlnlib.simulate import largest_stable_step

choice_question(
    "ch04.slowest_depth",
    right=lambda: "abc"[int(np.argmax([exact.half_time(2.0, 0.01, L) for L in (2, 8, 100)]))],
    hints={
        "a": "the exponent 2 - 2/L is larger at the greater depths and delays a weak mode.",
        "c": "do not forget the factor L in front: it speeds everything up, while the exponent never exceeds 2.",
    },
    praise="the exponent delays, the factor L hastens, and in between the delay is longest.",
)

choice_question(
    "ch04.trap",
    right="b",
    hints={
        "a": "ask what a singular value would have to do for the determinant to change its sign.",
        "c": "only one singular value has to stay behind; which one costs the least loss?",
    },
    praise="one singular value cannot pass zero, and the weakest mode is the cheapest one to lose.",
)


def _steps_to_half(u0: float) -> float:
    """Return how many steps of a quarter of the largest one eight layers take to s/2 = 1, by the flow."""
    return float(exact.half_time(2.0, u0, 8)) / (0.25 * _largest_step(8, 2.0))


choice_question(
    "ch04.more_layers",
    right=lambda: "abc"[int(np.argmin(np.abs(np.log(_steps_to_half(0.1**8) / np.array([44, 140, 4e6])))))],
    hints={
        "a": "four times as many layers do not take four times as long: what is the product of eight strengths of 0.1?",
        "b": "that is what eight layers need whose product is 0.01; here each layer is 0.1.",
    },
    praise="the product starts at 10^-8, and the plateau lasts 0.1^-6/12, in steps that shrink like 1/L.",
)


def _median_ratio(depth: int) -> float:
    """Return the median ratio of the largest to the smallest singular value of products of Gaussian layers of width 20."""
    layers = gaussian((20,) * (depth + 1), rng=np.random.default_rng(3), batch=(25,))
    logs = isometry_spectrum(layers, log=True)
    return float(np.exp(np.median(logs[:, 0] - logs[:, -1])))


choice_question(
    "ch04.spread",
    right=lambda: "abc"[int(np.argmin(np.abs(np.log(_median_ratio(12) / np.array([1, 200, 1e12])))))],
    hints={
        "a": "lengths are kept on average over directions; single directions may fare very differently.",
        "b": "one layer alone has a ratio of this kind, and there are twelve: do ratios add up, or multiply?",
    },
    praise="one layer stretches some directions tens of times more than others, and twelve do so again and again.",
)


def _largest_step(depth: int, s: float) -> float:
    """Largest stable step at the balanced minimum of a chain of scalar layers, from its Hessian."""
    layers = tuple(np.full((1, 1), s ** (1 / depth)) for _ in range(depth))
    return float(largest_stable_step(layers, Moments.white([[s]])))


number_question(
    "ch04.largest_step",
    truth=lambda: _largest_step(4, 9.0),
    rtol=0.01,
    mistakes={
        "that is the limit of two layers; these are four.": lambda: _largest_step(2, 9.0),
        "the factor L is missing: four layers move at once.": 2 / 27,
        "the exponent is 2 - 2/L, which is 3/2 here, not 1.": 2 / (4 * 9),
        "the exponent is 2 - 2/L; it comes to 2 only at infinite depth.": 2 / (4 * 81),
        "descent is stable up to two over the sharpness, not one.": 1 / 108,
        "that is the sharpness; the step is two over it.": 108.0,
    },
    otherwise="put L = 4 and s = 9 into the sharpness; 9 to the power 3/2 is 27.",
    praise="2/(4 * 27), six times less than two layers allow.",
    what="the step",
)


@core.checker("ch04.plateau")
def plateau(answer: Any) -> str:
    value = core.number(answer, "the plateau")
    # The road of the checker: exact half times at two much smaller starts, where only the leading power is left.
    small = 1e-5
    constant = float(exact.half_time(1.0, small**4, 4)) * small**2
    true = constant / 0.1**2
    core.compare(
        value,
        true,
        {
            "divide by L - 2 as well: the power of a falls at the rate (L - 2) s.": 2 * true,
            "that is the power of the end-to-end strength; the exponent -(L - 2) belongs to the layer strength.": 0.5e8,
            "divide by L - 2, not by L: the power a^-(L-2) falls at the rate (L - 2) s.": true / 2,
            "the exponent is L - 2, not L - 1: integrate da/dt = s a^(L-1).": 0.1**-3 / 3,
            "u carries a factor L, a does not: it cancels in da/dt = s a^(L-1).": true / 4,
            "that is the plateau of two layers, a logarithm; more layers wait for a power.": np.log(10.0),
            "that is the exact half time; the plateau formula is rounder.": exact.half_time(1.0, 1e-4, 4),
        },
        otherwise="put u = a^L into the equation for u while u is small, and integrate from a0 to infinity.",
        rtol=1e-3,
    )
    return core.correct("the exact half time is 49.73, half a percent less.")


@core.checker("ch04.depth_time")
def depth_time(answer: Any) -> str:
    rng = np.random.default_rng(0)
    for L in (3, 1, 5, 2, 40):
        s, low, high = rng.uniform(0.5, 3.0), rng.uniform(0.01, 0.2), rng.uniform(0.4, 0.95)
        case = (high * s, s, low * s, L)
        true = float(exact.time_to_strength(*case))
        try:
            got = core.number(core.call(answer, *case), f"the time at depth {L}")
        except core.Hint as hint:
            if L == 2:
                raise core.not_yet(
                    f"depth 2 needs care, because 2/L - 1 vanishes there and the series divides by it ({hint})"
                ) from None
            raise
        mistakes = {
            "that is L t: divide by the depth at the end.": L * true,
            "the sign: the time should be positive when u is larger than u0.": -true,
        }
        if L > 1:
            mistakes["the exponent counts layers of neurons; L here is the number of weight matrices."] = float(
                exact.time_to_strength(*case[:3], L + 1)
            )
            mistakes["that is the time of one layer less; the exponent is 2 - 2/L with L the number of weight matrices."] = float(
                exact.time_to_strength(*case[:3], L - 1)
            )
        if L > 2:
            mistakes["F has to be taken at both ends: subtract F(u0)."] = _primitive(*case[:2], L) / L
        core.compare(
            got,
            true,
            mistakes,
            otherwise=f"at depth {L} the flow from u0 = {case[2]:.3g} to u = {case[0]:.3g} with s = {s:.3g} takes another "
            "time; check that du/dt = L u^(2-2/L) (s-u).",
            rtol=1e-5,
        )
    return core.correct("it agrees with the exact time at depths 1, 2, 3, 5 and 40.")


def _primitive(u: float, s: float, L: int) -> float:
    from scipy.special import hyp2f1

    b = 2 / L - 1
    return float(u**b / (s * b) * hyp2f1(1, b, b + 1, u / s))


@core.checker("ch04.extra_steps")
def extra_steps(answer: Any) -> str:
    value = core.number(answer, "the number of steps")
    s, u0, u, f = 2.0, 0.5, 1.6, 0.25
    # eta = f * 2 / (L s^(2-2/L)); at infinite depth the library counts time as L t.
    deep = float(exact.time_to_strength(u, s, u0, np.inf)) * s**2 / (2 * f)
    shallow = float(exact.time_to_strength(u, s, u0, 2)) * 2 * s / (2 * f)
    core.compare(
        value,
        deep - shallow,
        {
            "that is the number of steps at infinite depth; subtract those of two layers.": deep,
            "that is the number of steps of two layers; the question is how many more infinite depth needs.": shallow,
            "the sign: the deep network needs more steps.": shallow - deep,
            "the step is a quarter of the largest one: divide by f.": (deep - shallow) * f,
            "there is a factor s in front of 1/u0 - 1/u, from the largest step.": (deep - shallow) / s,
            "the largest step is 2 over the sharpness: the 2 belongs into the denominator of N.": 2 * (deep - shallow),
        },
        otherwise="write N_2 and N_infinity with their primitives F; the logarithms are equal and cancel.",
        rtol=1e-4,
    )
    return core.correct("the delay is finite, and inversely proportional to the start.")


@core.checker("ch04.closest")
def closest(answer: Any) -> str:
    for phi, s in ((3.0, 2.0), (2.0, 1.0), (-2.5, 0.7), (0.3, 3.0), (0.4, 0.3), (0.0, 1.5), (1.3, 1.0)):
        way = np.exp(1j * phi) + (s - np.exp(1j * phi)) * np.linspace(0.0, 1.0, 200_001)
        true = float(np.abs(way).min())
        got = core.number(core.call(answer, phi, s), "the smallest |z|")
        line = s * abs(np.sin(phi)) / abs(s - np.exp(1j * phi))
        core.compare(
            got,
            true,
            {
                "the foot of the perpendicular need not lie on the segment; then the nearer end is closest.": line,
                "a distance is not negative: phi may be.": -line,
                "that is the distance at which z crosses the imaginary axis, not the smallest one.": s
                * abs(np.sin(phi))
                / max(abs(s - np.cos(phi)), 1e-9),
                "that assumes that only the angle turns, or only the length changes; z does both at once.": 1.0,
                "the path is not a circle: z heads for s on a straight line.": min(1.0, s),
            },
            otherwise=f"at phi = {phi}, s = {s} the segment from exp(i phi) to s comes closer to or stays farther from zero.",
            rtol=1e-6,
            atol=1e-9,
        )
    return core.correct("z moves on a straight segment, at every depth.")


@core.checker("ch04.fourth_moment")
def fourth_moment(answer: Any) -> str:
    for L, N in ((1, 7), (2, 10), (5, 4), (10, 30)):
        step = np.array([[1 + 1 / N, 1.0], [2 / N**2, 1.0]])
        true = float((np.linalg.matrix_power(step, L) @ np.ones(2))[0])
        frozen = np.array([[1 + 1 / N, 1.0], [0.0, 1.0]])
        complex_entries = np.array([[1.0, 1.0], [1 / N**2, 1.0]])
        got = core.number(core.call(answer, L, N), "the fourth moment")
        mistakes: dict[str, float] = {
            "that is the limit of infinite width; keep the terms in 1/N.": L + 1.0,
            "that is the sum over k; divide by N.": N * true,
            "that is one layer too few: L = 0 gives one.": float((np.linalg.matrix_power(step, L - 1) @ np.ones(2))[0]),
            "real entries have three pairings; without the third one you have complex entries.": float(
                (np.linalg.matrix_power(complex_entries, L) @ np.ones(2))[0]
            ),
        }
        if L > 1:
            mistakes["t is not one at finite width: (tr A)^2 fluctuates and has a recursion of its own."] = float(
                (np.linalg.matrix_power(frozen, L) @ np.ones(2))[0]
            )
            mistakes["layers do not multiply the moment: tr (W A W^T)^2 brings in (tr A)^2 beside tr A^2."] = (2 + 1 / N) ** L
        core.compare(
            got,
            true,
            mistakes,
            otherwise=f"for L = {L}, N = {N} a different value is right; start from m = t = 1 at L = 0, and test L = 1: 2 + 1/N.",
            rtol=1e-9,
        )
    return core.correct("as N grows it tends to L + 1.")
