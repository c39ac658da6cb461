"""Checkers of chapter 8: gated networks and the neural race."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlnlib import gated
from dlnlib._validate import Array
from dlnlib.exercises._core import array, call, checker, compare, correct, not_yet, number
from dlnlib.exercises._questions import choice_question, number_question
from dlnlib.network import gradients

number_question(
    "ch08.loser",
    truth=lambda: gated.race_flow([0.0, 60.0], [1.0, 1.0], 1e-3, 1e-3)[1][0, -1],
    rtol=2e-2,
    mistakes={
        "it does not stay at its start: each private path moves at half the speed of the shared one.": 1e-3,
        "that would be three equal shares; the shared path feels both tasks, and speed compounds.": 1 / 3,
        "that is a tie; the shared path feels twice the force.": 0.5,
        "that is where the shared path ends.": 0.96887,
        "for small starts the root of the start, 0.0316, is near; the shared path has a little less than 1.": 10**-1.5 * 1.06,
        "that is a quarter for each task; strengths grow exponentially, not in proportion to the force.": 0.25,
    },
    otherwise="with two layers alpha/alpha_0 is the product of both beta/beta_0, and at the end alpha + beta = 1.",
    praise="the shared path doubles its logarithm while each private one gains half of that.",
    what="the private strength",
)

number_question(
    "ch08.majority",
    truth=lambda: (
        1 + next(n for n in range(5) if gated.race_end([1, 1], 1e-12, 1e-12, counts=[n + 1, 4.001 - n], votes=[1, -1])[0] > 0.99)
    ),
    atol=0.01,
    mistakes={
        "three of five are a majority, but one task ahead is not enough: the shared path stays somewhere between.": 3,
        "not all of them have to; compare the sum of all strengths with and without sharing.": 5,
        "two are the minority here.": 2,
        "a share of the tasks is not asked for, but their number.": 0.8,
    },
    otherwise="compare the sum of all final strengths with sharing and without it.",
    praise="sharing needs a majority of more than one task.",
    what="the number of tasks",
)

choice_question(
    "ch08.rare",
    right=lambda: "a" if gated.race_flow([0.0, 2e5], [1, 1], 1e-3, 1e-3, probabilities=[0.99, 0.01])[0][-1] > 0.9 else "b",
    hints={
        "b": "that is where it stands when the frequent task is learnt; but the rare one still has an error. What does it move?",
        "c": "the private path of the frequent task is never faster than the shared one, which feels its force too.",
    },
    praise="the probabilities set the time, and not the end.",
)

choice_question(
    "ch08.which",
    right="b",
    hints={
        "a": "no trained route joins the two groups: what could tell them in which direction the other has learnt a mode?",
        "c": "it is connected, by the fewest routes that can do it; but how far apart are its ends?",
    },
    praise="19 routes suffice when every one of them passes the hub.",
)


@checker("ch08.shared_layer")
def _shared_layer(answer: Any) -> str:
    value = number(answer, "the strength")
    right = float(gated.routing_end(8.0, 1e-5, 9)[1])
    compare(
        value,
        right,
        {
            "that is one chain, 8^(1/3); the shared layer gets the force of all domains.": 2.0,
            "that is the private layer; the shared one is sqrt(9) times as strong.": right / 3,
            "b2 b1 b3 = s with b1 = b3 = b2/sqrt(M), so that b2^3 = M s, not M^2 s.": 648 ** (1 / 3),
            "the cube root is missing.": 72.0,
            "b2^3 = M s; with sqrt(M) s only one of the private layers is counted.": 24 ** (1 / 3),
            "there are three layers, so a cube root.": np.sqrt(72.0),
        },
        otherwise="use the two conserved differences from a start near zero, and b1 b2 b3 = 8.",
        rtol=2e-3,
    )
    return correct("three times as strong as each private layer.")


@checker("ch08.fewest")
def _fewest(answer: Any) -> str:
    value = number(answer, "the number of routes")
    compare(
        value,
        12 + 7 - 1,
        {
            "all routes determine all routes; far fewer do.": 84,
            "every domain needs a route, but this many can still fall into separate pieces.": 12,
            "one route more than needed: a connected graph of 19 domains needs one edge less than it has domains.": 19,
            "seven routes leave input domains without any.": 7,
            "with one route less than that, two components are left.": 17,
        },
        otherwise="count the domains, and the edges of a graph without circles that connects them.",
        rtol=1e-9,
    )
    return correct("a tree: one route less than there are domains.")


@checker("ch08.xor_half")
def _xor_half(answer: Any) -> str:
    value = number(answer, "the time")
    t = np.linspace(0, 40, 400_001)
    right = float(t[np.argmin(np.abs(gated.xor_strength(t, 1e-4) - np.sqrt(2) / 4))])
    compare(
        value,
        right,
        {
            "the path ends at 1/sqrt(2), not at 1; half of it is sqrt(2)/4.": np.sqrt(2) * np.log(1e4),
            "the rate is 2s = 1/sqrt(2), and time is divided by it.": np.log(1 / (np.sqrt(2) * 1e-4) - 1) / np.sqrt(2),
            "the rate is 2s = 1/sqrt(2); with s alone the time is doubled.": 2 * right,
            "a0 is the strength of the path; if each layer starts at 1e-4, that is 1e-8, but this is not asked.": np.sqrt(2)
            * np.log(1 / (np.sqrt(2) * 1e-8)),
            "that is when the loss has halved; the strength has then 29 % of its end.": np.sqrt(2)
            * np.log((1 / (np.sqrt(2) * 1e-4) - 1) / (1 + np.sqrt(2))),
            "the logarithm alone lacks the unit of time, 1/(2s).": np.log(1 / (np.sqrt(2) * 1e-4) - 1),
        },
        otherwise="set the exponential term of the logistic curve equal to one.",
        rtol=2e-3,
    )
    return correct("sqrt(2) ln 7070, and every factor ten in the start adds 3.3.")


def _two_paths(rng: np.random.Generator) -> tuple[Any, Array, Array, Array, Any]:
    net = gated.GatedNetwork(
        {"x": 3, "a": 4, "b": 2, "y": 2}, {"S1": ("x", "a"), "S2": ("a", "y"), "P1": ("x", "b"), "P2": ("b", "y")}
    )
    X, Y, g = rng.standard_normal((7, 3)), rng.standard_normal((7, 2)), np.array([1.0, 0, 1, 0, 0, 1, 0.8])
    return net, X, Y, g, net.gaussian(0.8, rng=rng)


@checker("ch08.shared_gradient")
def _shared_gradient(answer: Any) -> str:
    for seed in (80, 81):
        net, X, Y, g, (S1, S2, P1, P2) = _two_paths(np.random.default_rng(seed))
        got = array(call(answer, S1.copy(), S2.copy(), P1.copy(), P2.copy(), X.copy(), Y.copy(), g.copy()), what="the gradient")
        right = gradients((S1, S2, P1, P2), net.task(X, Y, node_gates={"b": g}))[0]
        if got.shape != right.shape:
            raise not_yet(f"the gradient has the shape of S1, {right.shape}; yours has {got.shape}.")
        shared, private = X @ S1.T @ S2.T, X @ P1.T @ P2.T

        def back(error: Array, X: Array = X, S2: Array = S2) -> Array:
            return S2.T @ (error.T @ X) / len(X)

        error = shared + g[:, None] * private - Y
        compare(
            got,
            right,
            {
                "the sign is turned: this is the direction downhill.": -right,
                "divide by the number of samples: the loss is a mean.": len(X) * right,
                "half of the gradient is missing, or the loss has its factor 1/2 twice.": right / 2,
                "the loss has a factor 1/2, so that the 2 of the square goes away.": 2 * right,
                "the private path is missing in the error: both paths answer together.": back(shared - Y),
                "the gate of the private path is missing in the error.": back(shared + private - Y),
                "the shared path is always open: the error must not be gated once more.": back(g[:, None] * error),
                "the gate multiplies the private path alone, not the whole answer.": back(g[:, None] * (shared + private) - Y),
                "divide by the number of samples, not by the number of data with an open gate.": right * len(X) / g.sum(),
            },
            otherwise="dLoss/dS1 = S2^T E[(answer - y) x^T], where the answer is that of both paths.",
            rtol=1e-8,
        )
    return correct("the private path enters through the error alone.")


@checker("ch08.winner")
def _winner(answer: Any) -> str:
    for s, a0, b0, T in ((1.0, 2e-3, 1e-3, 2), (2.0, 1e-2, 1e-3, 4), (0.5, 1e-4, 1e-2, 3)):
        got = number(call(answer, s, a0, b0, T), "the shared strength")
        groups = np.full(T, s)
        right = float(gated.race_flow([0.0, 400.0 * T], groups, a0, b0)[0][-1])  # an integrated race, not the equation
        beta = s - right
        compare(
            got,
            right,
            {
                "that is the private strength; the shared one is what is left of s.": beta,
                "as if the shared path had everything; the private ones keep a part.": s,
                "the power is turned: the shared path multiplies what T private paths gain.": _root(s, a0, b0, 1 / T),
                "the power T is missing: with one task there is no advantage.": _root(s, a0, b0, 1.0),
                "the starts are exchanged.": _root(s, b0, a0, T),
                "at the end alpha + beta = s; T private paths are not added up, as they are never open together.": _root(
                    s, a0, b0, T, T
                ),
            },
            otherwise=f"for s = {s:g}, alpha0 = {a0:g}, beta0 = {b0:g} and T = {T} it should solve "
            "(s - beta)/alpha0 = (beta/beta0)^T.",
            rtol=1e-4,
        )
    return correct("for any start and any number of tasks.")


def _root(s: float, a0: float, b0: float, power: float, copies: float = 1.0) -> float:
    """Return alpha with alpha/a0 = (beta/b0)^power and alpha + copies * beta = s, by bisection."""
    low, high = 0.0, s
    for _ in range(200):
        alpha = (low + high) / 2
        low, high = (low, alpha) if alpha / a0 > ((s - alpha) / copies / b0) ** power else (alpha, high)
    return (low + high) / 2


@checker("ch08.determined")
def _determined(answer: Any) -> str:
    groups = [(0, 0), (0, 1), (1, 1), (2, 2), (3, 2), (3, 3)]
    stairs = [(i, i) for i in range(5)] + [(i, i + 1) for i in range(4)]
    cases = [
        (groups, 0, 1, "a route that is trained is right."),
        (groups, 1, 0, "(1, 0) follows from (0, 0), (0, 1) and (1, 1)."),
        (groups, 0, 2, "(0, 2) joins two components; both domains have routes, and yet nothing ties them."),
        (groups, 3, 0, "(3, 0) joins two components; both domains have routes, and yet nothing ties them."),
        (
            stairs,
            4,
            0,
            "on the staircase (4, 0) is connected, by a chain of nine routes; go from neighbour to neighbour to the end.",
        ),
        (stairs, 0, 4, "on the staircase (0, 4) is connected, by a long chain; go from neighbour to neighbour to the end."),
        ([(0, 1)], 1, 0, "input 1 and output 0 have no route at all; an input and an output with one number are two domains."),
        ([(0, 1), (1, 2)], 0, 2, "input 1 and output 1 are two domains: (0, 1) and (1, 2) share neither."),
        ([(0, 0), (1, 1)], 5, 5, "a domain without any trained route cannot be determined."),
    ]
    for routes, i, j, hint in cases:
        # A road of its own: powers of the adjacency matrix of the domains.
        size = 6
        step = np.eye(2 * size)
        for a, b in routes:
            step[a, size + b] = step[size + b, a] = 1
        right = bool(np.linalg.matrix_power(step, 2 * size)[i, size + j] > 0)
        got = call(answer, list(routes), i, j)
        if not isinstance(got, (bool, np.bool_)) and got not in (0, 1):
            raise not_yet(f"answer with True or False; you return {got!r}.")
        if bool(got) != right:
            raise not_yet(hint)
    return correct("long chains, separate groups and lonely domains alike.")
