"""Checkers of chapter 10: ReLU networks as gated linear networks."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlnlib import exact, rectified
from dlnlib._validate import Array
from dlnlib.exercises._core import array, call, checker, close, compare, correct, not_yet, number
from dlnlib.exercises._questions import choice_question, number_question

choice_question(
    "ch10.frozen",
    right="c",
    hints={
        "a": "the gates of the solution are not those of the way there; what does the ReLU network spend its time on?",
        "b": "a linear network with given gates learns from any first weights; what does the ReLU network spend its time on?",
    },
    praise="finding the gates is what takes time; who has them from the start is about twice as fast.",
)

choice_question(
    "ch10.corner",
    right="a",
    hints={
        "b": "a positive output weight is not enough: compare it with the component of w across the sector.",
        "c": "between the corners one quantity grows exponentially; which, and with which sign?",
    },
    praise="v starts below a, so that v - a grows with a negative sign, and the output weight turns with it.",
)

number_question(
    "ch10.floor",
    truth=lambda: _least_linear_loss(3),
    rtol=1e-6,
    mistakes={
        "the loss carries a factor one half.": 34.0,
        "the uniform mode is not lost: a linear network learns it from item and context.": 32.0,
        "the uniform mode is not lost, and the loss carries a factor one half.": 64.0,
        "that is the error in one block and one context only; add them all.": 17 / 3,
        "that counts the wrong answer in the block of the sample's own context alone; the other two blocks are wrong as well.": (
            34 / 3
        ),
        "that counts the blocks that should be silent alone; the sample's own block is wrong as well.": 17 / 3 * 1.5,
    },
    otherwise="mode k is wrong by sigma_k (1 - 1/3) in its own block and by sigma_k/3 in the two others, in each context.",
    praise="everything below 17 needs gates.",
    what="the loss",
)

choice_question(
    "ch10.residual",
    right="b",
    hints={
        "a": "those rates belong to the whole targets; what is left once the common pathway has learnt?",
        "c": "they do partly cancel, and what remains has a length; compare it with what one context leaves.",
    },
    praise="what is left has the sum zero over contexts, and four fifths of it are minus the last fifth.",
)

number_question(
    "ch10.factor",
    truth=lambda: rectified.leading_time(3, "single") / rectified.leading_time(3, "mixed"),
    rtol=5e-3,
    mistakes={
        "that is the ratio of the first rates alone; the second leg has equal rates.": np.sqrt(3),
        "that is the ratio of the second legs; add the first leg, which both spend.": lambda: (
            (1 - np.sqrt(2 / 12)) / (1 - np.sqrt(6 / 12))
        ),
        "that is the inverse: the modular network is the slower one.": lambda: (
            rectified.leading_time(3, "mixed") / rectified.leading_time(3, "single")
        ),
        "the second leg is equally fast, but they do not have the same way left.": 1.0,
        "that is the time of the modular network; divide by that of the mixed one.": lambda: rectified.leading_time(3, "single"),
    },
    otherwise="1/r_c for the first leg, then (1 - r_p/r_c)/r for the rest, with r_m and with r_s; divide.",
    praise="the stored runs need 1.57 times as long to a tenth of the loss.",
    what="the factor",
)


def _least_linear_loss(contexts: int) -> float:
    """Least squares on all samples, which knows nothing of modes."""
    task = rectified.contextual_task(contexts)
    best = np.linalg.lstsq(task.X, task.Y, rcond=None)[0]
    return float(0.5 * np.sum((task.X @ best - task.Y) ** 2))


@checker("ch10.half_time")
def _half_time(answer: Any) -> str:
    from scipy.optimize import brentq

    value, s, d, u0 = number(answer, "the time"), np.sqrt(2) / 4, 0.5, 1e-4
    right = float(brentq(lambda t: float(exact.strength([d * t], s / d, u0, 2)[0]) - s / (2 * d), 0.0, 100.0))
    log = np.log(s / (d * u0) - 1)
    compare(
        value,
        right,
        {
            "the strength is a product of two layers and grows at the rate 2s, not s.": log / s,
            "the rate is 2s with s = sqrt(2)/4; s/d is where the strength ends.": log / (2 * s / d),
            "each corner has only a quarter of the data, and s carries this factor.": log / (8 * s),
            "the strength ends at s/d = 1/sqrt(2), not at 1.": np.log(1 / u0 - 1) / (2 * s),
            "the strength ends at s/d, not at s.": np.log(s / u0 - 1) / (2 * s),
        },
        otherwise="set u(t) = s/(2d) in the logistic curve, and solve for t.",
        rtol=2e-3,
    )
    return correct("ten times as small a start costs ln(10)/(2s) = 3.3 units of time more.")


@checker("ch10.share")
def _share(answer: Any) -> str:
    value = number(answer, "the share")
    # The unit itself, in small steps: its distance from the diagonal falls on one side and rises on the other.
    place, there, steps = 0.0, 0, 9000
    for _ in range(steps):
        side = place > 0
        there += side
        place += -0.8 if side else 0.4
    compare(
        value,
        there / steps,
        {
            "that is the share on the other side: the stronger the force, the shorter the stay.": 2 / 3,
            "the two neighbours push with different force; time is shared so that pushes cancel.": 0.5,
            "that is the ratio of the two forces; shares add to one.": 2.0,
            "that is the ratio of the two forces, not the share of the whole.": 0.499999,
        },
        otherwise="pushes cancel on average: the share times 0.8 equals one minus the share, times 0.4.",
        rtol=1e-3,
    )
    return correct("neither neighbour moves the unit along its diagonal, whatever the shares are.")


@checker("ch10.gradients")
def _gradients(answer: Any) -> str:
    for seed, (n, d, h, o) in enumerate(((7, 3, 5, 2), (4, 2, 6, 1))):
        rng = np.random.default_rng(seed)
        W1, W2 = rng.standard_normal((h, d)), rng.standard_normal((o, h))
        X, Y = rng.standard_normal((n, d)), rng.standard_normal((n, o))
        given = call(answer, W1.copy(), W2.copy(), X.copy(), Y.copy())
        if not isinstance(given, (tuple, list)) or len(given) != 2:
            raise not_yet("return two gradients, that of W1 and that of W2.")
        got = [array(part, what=name) for part, name in zip(given, ("the gradient of W1", "the gradient of W2"), strict=True)]
        for part, W, name in zip(got, (W1, W2), ("W1", "W2"), strict=True):
            if part.shape != W.shape:
                raise not_yet(f"the gradient of {name} should have the shape of {name}, {W.shape}; yours has {part.shape}.")
        together = np.concatenate([part.ravel() for part in got])
        right = _differences(W1, W2, X, Y)
        compare(together, right, _wrong_gradients(W1, W2, X, Y), otherwise=_where(together, right, W1.size), rtol=1e-6)
    return correct("differences of the loss agree, for one output and for two.")


def _differences(W1: Array, W2: Array, X: Array, Y: Array) -> Array:
    """The slope of the loss in every weight, by central differences."""
    flat, eps = np.concatenate([W1.ravel(), W2.ravel()]), 1e-6

    def at(vector: Array) -> float:
        layers = vector[: W1.size].reshape(W1.shape), vector[W1.size :].reshape(W2.shape)
        return float(rectified.loss(layers, X, Y))

    return np.array([(at(flat + way) - at(flat - way)) / (2 * eps) for way in eps * np.eye(len(flat))])


def _wrong_gradients(W1: Array, W2: Array, X: Array, Y: Array) -> dict[str, Array]:
    n, z = len(X), X @ W1.T
    gate = (z > 0).astype(float)

    def put(forward: Array, backward: Array, scale: float = 1.0, residual: Array | None = None) -> Array:
        error = forward @ W2.T - Y if residual is None else residual
        return scale / n * np.concatenate([((backward * (error @ W2)).T @ X).ravel(), (error.T @ forward).ravel()])

    return {
        "the sign is wrong: the gradient is wanted, not the direction of descent.": put(gate * z, gate, -1.0),
        "the loss is a mean over samples: divide by n.": put(gate * z, gate, float(n)),
        "the loss carries one half: no factor 2 is left.": put(gate * z, gate, 2.0),
        "the way back needs the gates as well: a closed unit learns nothing.": put(gate * z, np.ones_like(gate)),
        "this is the linear network: the gates are missing on both ways.": put(z, np.ones_like(gate)),
        "the way forward needs the gates as well: a closed unit says nothing.": put(z, gate),
    }


def _where(got: Array, right: Array, cut: int) -> str:
    if close(got[:cut], right[:cut], 1e-6):
        return "the gradient of W1 is right, that of W2 is not: errors times what the hidden units say."
    if close(got[cut:], right[cut:], 1e-6):
        return "the gradient of W2 is right, that of W1 is not: errors sent back through W2, times gates, times inputs."
    return "dL/dW2 = errors^T (g z)/n and dL/dW1 = (g (errors W2))^T X/n, with errors = outputs - Y."


@checker("ch10.slide")
def _slide(answer: Any) -> str:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        n = rng.standard_normal(3)
        n /= np.linalg.norm(n)
        plus, minus = rng.standard_normal(3), rng.standard_normal(3)
        plus, minus = plus - (plus @ n + 0.7) * n, minus - (minus @ n - 0.2) * n  # both push back, unequally
        got = array(call(answer, plus.copy(), minus.copy(), n.copy()), (3,), "the velocity")
        # The shares that keep it on the hinge, by a linear system: they add to one, and the normal parts cancel.
        share = np.linalg.solve(np.array([[1.0, 1.0], [plus @ n, minus @ n]]), np.array([1.0, 0.0]))
        mean = (plus + minus) / 2
        compare(
            got,
            share[0] * plus + share[1] * minus,
            {
                "this is the plain mean of the two velocities, which leaves the hinge.": mean,
                "the shares are exchanged: the side that pushes harder gets less time.": share[1] * plus + share[0] * minus,
                "this is the mean without its normal part; it stays on the hinge, but is no mixture of the two.": mean
                - (mean @ n) * n,
                "this is one of the two velocities without its normal part; here they also differ along the hinge.": minus
                - (minus @ n) * n,
                "this is one of the two velocities without its normal part; they also differ along the hinge here.": plus
                - (plus @ n) * n,
            },
            otherwise="theta f_plus + (1 - theta) f_minus, with theta such that the component along n is zero.",
            rtol=1e-8,
        )
    return correct("it stays on the hinge, and is a mixture of the two velocities.")


@checker("ch10.relative_gates")
def _relative_gates(answer: Any) -> str:
    rng = np.random.default_rng(4)
    X = rng.standard_normal((60, 3))
    W1 = np.vstack([rng.standard_normal((4, 3)), np.zeros((1, 3))]) * np.array([1.0, 10.0, 0.1, 1.0, 1.0])[:, None]
    X[:, 2], X[0] = np.abs(X[:, 2]), -5 * W1[0]
    X[0, 2] = abs(X[0, 2])
    W1[3] = [0.0, 0.0, -1.0]  # never active
    z = X @ W1.T
    with np.errstate(all="ignore"):
        got = array(call(answer, W1.copy(), X.copy(), 0.2), what="the gates")
    if got.shape == z.T.shape and got.shape != z.shape:
        raise not_yet("samples along the rows, units along the columns: yours is transposed.")
    if got.shape != z.shape:
        raise not_yet(f"the gates should have shape {z.shape}, samples by units; yours have {got.shape}.")
    top = z.max(axis=0)
    right = np.array([[float(z[j, i] > max(0.2 * top[i], 0.0)) for i in range(5)] for j in range(len(X))])
    compare(
        got,
        right,
        {
            "this is the raw sign, which chatters about zero: compare with 0.2 times the unit's largest value.": z > 0,
            "the threshold is a share of the unit's largest value, not a number by itself.": z > 0.2,
            "each unit is compared with its own largest value, not with that of the whole layer.": z > 0.2 * z.max(),
            "each unit is compared with its own largest value, not each sample with its own.": z > 0.2 * z.max(1)[:, None],
            "a unit that is active on no sample has a negative largest value, and no open gate.": z > 0.2 * top,
            "the largest absolute value is not meant: only positive preactivations open a gate.": z > 0.2 * np.abs(z).max(0),
        },
        otherwise="1 where z > threshold times the largest positive z of the same unit, and 0 elsewhere.",
        atol=1e-12,
    )
    return correct("weak and strong units are judged by their own measure, and dead ones are shut.")
