"""Checkers of chapter 5: semantic development."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlnlib import datasets, semantic
from dlnlib._validate import Array
from dlnlib.exercises._core import array, call, checker, compare, correct, not_yet, number
from dlnlib.exercises._questions import choice_question, number_question
from dlnlib.initialise import decoupled
from dlnlib.simulate import gradient_descent

choice_question(
    "ch05.reversed",
    right="a",
    hints={
        "b": "the network can represent the table, so that its optimum is the table itself, for any inputs.",
        "c": "the order does change; but ask which map has no error at all, and whether it depends on the inputs.",
    },
    praise="the inputs set the pace, m = lambda sigma; the end, m / lambda = sigma, is the table's own.",
)


def _belief_of_the_sibling() -> float:
    """The first leaf's property, in its sibling, when the pair is known and its members are not told apart."""
    return float(semantic.tree_entries([1.0, 1.0, 1.0, 0.0], 2, 3)[2])


number_question(
    "ch05.sibling",
    truth=_belief_of_the_sibling,
    rtol=1e-3,
    mistakes={
        "the network cannot yet tell the two apart: what it says of item 1 it says of item 2.": 0.0,
        "only one of the two has the property, and the network has one answer for both.": 1.0,
        "a quarter was right one stage earlier, when four items were treated alike.": 0.25,
        "an eighth was right at the very beginning, when all items were treated alike.": 0.125,
    },
    otherwise="it has one answer for both members of the pair, the one with the least squared error.",
    praise="the mean over the pair; the belief rises to one half before it falls to zero.",
    what="the belief",
)

choice_question(
    "ch05.shallow",
    right="a",
    hints={
        "b": "write down what one layer does with one entry of the table, when every input is one item.",
        "c": "that is what happens with a hidden layer; without one, does learning about one item change another?",
    },
    praise="each entry goes straight to its value, at one rate, whatever the others do.",
)

choice_question(
    "ch05.age",
    right="b",
    hints={
        "a": "at the very end sparrow and salmon are well apart; is that when you would mix them up most?",
        "c": "projection is a ratio of hidden similarities, and these change in stages.",
    },
    praise="when the broad categories are known and nothing finer, everything within one is extended alike.",
)


@checker("ch05.depth_four")
def _depth_four(answer: Any) -> str:
    values = np.sort(np.atleast_1d(array(answer, what="the eigenvalues")).ravel())[::-1]
    # The eigenvalues themselves, from the table.
    right = np.linalg.svd(datasets.hierarchy(4).table)[1] ** 2
    distinct = np.sort(np.unique(np.round(right)))[::-1]
    if values.shape == (16,):
        compare(
            values, right, {}, otherwise="sixteen numbers, but not these; add up leaves below a node, level by level.", rtol=1e-6
        )
        return correct("all sixteen, with their multiplicities.")
    if values.shape != distinct.shape:
        raise not_yet(f"a tree of depth 4 has five levels of modes, level 0 to 4; you gave {len(values)} numbers.")
    compare(
        values,
        distinct,
        {
            "those are singular values of the table; its eigenvalues are their squares.": np.sqrt(distinct),
            "those are the leaves below one node of each level; add them up from the level downwards.": np.array(
                [16.0, 8, 4, 2, 1]
            ),
            "these belong to the level below: the differences between nodes of level j start at level j itself.": np.array(
                [15.0, 7, 3, 1, 0]
            ),
        },
        otherwise="the eigenvalue of level j is the number of leaves below one node, summed over the levels from j to 4.",
        rtol=1e-6,
    )
    return correct("each level about doubles the one below it.")


@checker("ch05.overtake")
def _overtake(answer: Any) -> str:
    value = number(answer, "the similarity by column")
    rows, columns, by_row = 2, 5, 0.2

    def gap(by_column: float) -> float:
        """How far the columns' eigenvalue is above the rows', from the similarity itself."""
        C = datasets.cross_cutting(rows, columns, by_row, by_column).similarity
        row = np.repeat([1.0, -1.0], columns) / np.sqrt(10)
        column = np.tile([1.0, -1.0, 0, 0, 0], rows) / 2
        return float(column @ C @ column - row @ C @ row)

    right = 0.2 - 0.3 * gap(0.2) / (gap(0.5) - gap(0.2))  # the gap is linear
    compare(
        value,
        right,
        {
            "equal similarities make equal modes only in a square table; count how many items share a row, and a column.": 0.2,
            "rows and columns have changed places: a row has five items, and a column two.": 0.08,
            "that is the ratio of the two similarities.": 2.5,
        },
        otherwise="the row contrast has the eigenvalue columns * by_row + rest, the column contrast rows * by_column + rest.",
        rtol=1e-3,
    )
    return correct("a way to classify is learnt early when its classes are large, or tight.")


@checker("ch05.canary")
def _canary(answer: Any) -> str:
    value = number(answer, "the projection")
    data = datasets.four_items()
    # A trained network, not the closed form: balanced layers of the table itself.
    from dlnlib.initialise import from_product

    W1 = from_product(data.table, (4, 4, 7))[0]
    right = semantic.inductive_projection(W1, 0)
    overlap = data.table.T @ data.table
    H = W1.T @ W1
    compare(
        value,
        float(right[1]),
        {
            "that is by shared properties, T^T T; the hidden similarity is its square root.": overlap[0, 1] / overlap[0, 0],
            "that is the projection to the oak, in the other half of the tree.": float(right[2]),
            "that is the inner product of the two representations; divide by the squared length of the canary's.": float(H[0, 1]),
            "that is the property's value for the canary itself.": 1.0,
            "divide by the squared length of the canary's representation, not by its length.": float(H[0, 1] / np.sqrt(H[0, 0])),
        },
        otherwise="H has the modes of T^T T, and the roots of its eigenvalues; find H_12 and H_11, and divide.",
        rtol=2e-3,
    )
    return correct("to the oak it is 0.143: the tree shows in what is inferred.")


@checker("ch05.tree_spectrum")
def _tree_spectrum(answer: Any) -> str:
    for depth, branching, flip in ((3, 2, 0.1), (2, 3, 0.25), (1, 5, 0.3), (4, 2, 0.02)):
        got = array(call(answer, depth, branching, flip), what="the eigenvalues").ravel()
        if got.shape != (depth + 1,):
            raise not_yet(f"one eigenvalue for each level 0, ..., depth is wanted: {depth + 1} numbers; yours are {len(got)}.")
        # One unit vector of each level, against the similarity itself.
        C = datasets.tree(depth, branching, flip).similarity
        right = np.array([v @ C @ v for v in _contrasts(depth, branching)])
        compare(got, right, _wrong_spectra(depth, branching, flip), otherwise=_SPECTRUM, rtol=1e-9)
    return correct("for every tree that was tried.")


_SPECTRUM = "c_k = (1 - 2 flip)^(2 (depth - k)) with c_(-1) = 0, and level j sums n_i (c_i - c_(i-1)) from i = j to depth."


def _contrasts(depth: int, branching: int) -> list[Array]:
    """Return one unit vector of each level: the mean, then first minus second branch below a first node."""
    n = branching**depth
    found = [np.full(n, n**-0.5)]
    for level in range(1, depth + 1):
        size, v = branching ** (depth - level), np.zeros(n)
        v[:size], v[size : 2 * size] = 1.0, -1.0
        found.append(v / np.linalg.norm(v))
    return found


def _wrong_spectra(depth: int, branching: int, flip: float) -> dict[str, Array]:
    sizes = float(branching) ** np.arange(depth, -1, -1)

    def spectrum(c: Array) -> Array:
        return np.cumsum((np.diff(c, prepend=0.0) * sizes)[::-1])[::-1]

    levels = np.arange(depth, -1, -1.0)
    right = spectrum((1 - 2 * flip) ** (2 * levels))
    return {
        "two leaves are joined by a path up and a path down: the exponent is 2 (depth - k).": spectrum((1 - 2 * flip) ** levels),
        "an edge that flips changes the product from +1 to -1: the factor is 1 - 2 flip, not 1 - flip.": spectrum(
            (1 - flip) ** (2 * levels)
        ),
        "the order is turned: level 0, the mean, comes first.": right[::-1],
        "those are square roots; the eigenvalues of the similarity are wanted.": np.sqrt(right),
        "those are singular values of yx for one feature; the eigenvalues of the similarity are wanted.": np.sqrt(right)
        / branching**depth,
        "each level should add up all levels below it as well: the sum runs from i = j to depth.": np.diff(
            (1 - 2 * flip) ** (2 * levels), prepend=0.0
        )
        * sizes,
        "you have summed n_i c_i; only what is shared at level i and not above counts, c_i - c_(i-1).": np.cumsum(
            ((1 - 2 * flip) ** (2 * levels) * sizes)[::-1]
        )[::-1],
    }


@checker("ch05.illusions")
def _illusions(answer: Any) -> str:
    data = datasets.hierarchy(3)
    rng = np.random.default_rng(12)
    t = np.linspace(0, 150, 301)
    for u0, margin in ((1e-3, 0.3), (1e-2, 0.2), (1e-3, 0.05)):
        W = semantic.development(data.moments, t, u0 * rng.uniform(0.5, 1, 8))
        got = number(call(answer, W.copy(), data.table.copy(), margin), "the count")
        absent = data.table == 0
        compare(
            got,
            float(np.sum(semantic.illusory_excess(W, data.table)[absent] > margin)),
            {
                "you count properties that the item has as well; take entries of the table that are 0.": np.sum(
                    W.max(axis=0) > margin
                ),
                "you count each time at which an entry is too large; count each entry once.": np.sum((margin < W)[:, absent]),
                "that is the number of absent properties; ask of each whether it was ever believed in.": np.sum(absent),
                "at the end no illusion is left; ask for the largest value over time.": np.sum(W[-1][absent] > margin),
                "you have counted those that were never believed in.": np.sum(W.max(axis=0)[absent] <= margin),
            },
            otherwise=f"wrong for a margin of {margin:g}: take the largest value over time of each entry that is 0 in the table.",
            rtol=1e-9,
        )
    return correct("and for a single layer the same function counts none.")


@checker("ch05.descent")
def _descent(answer: Any) -> str:
    for m, variance, u0, step, steps in ((2.0, 0.5, 1e-3, 0.2, 40), (1.0, 0.125, 0.02, 0.8, 25), (3.0, 2.0, 0.5, 0.05, 30)):
        got = array(call(answer, m, variance, u0, step, steps), what="the strengths").ravel()
        if got.shape == (steps,):
            raise not_yet(f"{steps} steps make {steps + 1} strengths, with the one at the start.")
        if got.shape != (steps + 1,):
            raise not_yet(f"{steps + 1} strengths are wanted, after 0, 1, ..., {steps} steps; yours are {len(got)}.")
        compare(
            got,
            _network_under_descent(m, variance, u0, step, steps),
            _wrong_descents(m, variance, u0, step, steps),
            otherwise="a step multiplies each layer by 1 + step (m - variance u), and u is the product of both layers.",
            rtol=1e-9,
        )
    return correct("this map is descent, for steps of any size.")


def _network_under_descent(m: float, variance: float, u0: float, step: float, steps: int) -> Array:
    """Strength along gradient descent of a whole network with one mode."""
    from dlnlib.moments import Moments

    task = Moments(np.diag([variance, variance]), np.diag([m, 0.0]))
    start = decoupled(task.modes(), (2, 2, 2), [np.sqrt(u0), 0.0], rng=None)
    return gradient_descent(start, task, step, steps).product[:, 0, 0]


def _wrong_descents(m: float, variance: float, u0: float, step: float, steps: int) -> dict[str, Array]:
    def run(rule: Any) -> Array:
        u = [u0]
        with np.errstate(all="ignore"):
            for _ in range(steps):
                u.append(rule(u[-1]))
        return np.nan_to_num(np.array(u), nan=1e300, posinf=1e300, neginf=-1e300)

    t = step * np.arange(steps + 1)
    return {
        "that is one Euler step of du/dt = 2u(m - variance u); descent moves both layers, and their product has a term of "
        "order step^2 more.": run(lambda u: u * (1 + 2 * step * (m - variance * u))),
        "only one layer has moved: u is the product of two, and each is multiplied.": run(
            lambda u: u * (1 + step * (m - variance * u))
        ),
        "that is the flow at the times step * n; the steps are too large for it.": np.asarray(
            semantic.strength(t, m, variance, u0)
        ),
        "that is a single layer, du/dt = m - variance u.": run(lambda u: u + step * (m - variance * u)),
        "the variance of the inputs is missing in the error m - variance u.": run(lambda u: u * (1 + step * (m - u)) ** 2),
        "those are the strengths of one layer; square them.": np.sqrt(_network_under_descent(m, variance, u0, step, steps)),
    }
