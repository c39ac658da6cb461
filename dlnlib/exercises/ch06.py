"""Checkers of chapter 6: the low-rank bias."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from dlnlib import completion, initialise, lowrank, propagation
from dlnlib._validate import Array
from dlnlib.exercises._core import array, call, checker, close, compare, correct, not_yet, number
from dlnlib.exercises._questions import choice_question, number_question

number_question(
    "ch06.soft_count",
    truth=lambda: float(lowrank.effective_rank(np.diag([2.0, 1.0, 0.0]))),
    rtol=1e-2,
    mistakes={
        "that is the rank, which counts both values fully; share the spectrum out and take the entropy.": 2.0,
        "that is the stable rank; take the entropy of the shares 2/3 and 1/3.": 1.25,
        "that belongs to the squares, beta = 2; here the singular values themselves are shared out.": lambda: float(
            lowrank.effective_rank(np.diag([2.0, 1.0]), power=2)
        ),
        "that is the entropy; its exponential is wanted.": lambda: float(np.log(lowrank.effective_rank(np.diag([2.0, 1.0])))),
        "that is the entropy in bits; take it with the natural logarithm, then the exponential.": lambda: float(
            np.log2(lowrank.effective_rank(np.diag([2.0, 1.0])))
        ),
        "that is the size of the matrix; the zero has no share.": 3.0,
    },
    otherwise="the shares are 2/3 and 1/3; take minus the sum of p ln p, and the exponential of it.",
    praise="a little less than two, because the shares are not equal.",
    what="the effective rank",
)

choice_question(
    "ch06.orthogonal",
    right="b",
    hints={
        "a": "what are the singular values of a product of orthogonal matrices?",
        "c": "no draw differs from any other here; what are the singular values of an orthogonal matrix?",
    },
    praise="all singular values are one, at every depth: the bias belongs to the way layers are drawn.",
)

choice_question(
    "ch06.end",
    right="c",
    hints={
        "a": "with 60 samples of 20 inputs, how many matrices have the least loss?",
        "b": "with 60 samples of 20 inputs, how many matrices have the least loss?",
    },
    praise="the data determine the minimum, and depth decides only the way to it.",
)

choice_question(
    "ch06.one_in_five",
    right="c",
    hints={
        "a": "180 equations for 116 unknowns do not always single out one matrix of rank two, nor lead the descent to it.",
        "b": "ten matrices and ten masks differ a lot; a bias for low rank that is right is right almost exactly.",
    },
    praise="a bias for low rank finds some matrix of low rank; whether it is the right one is another matter.",
)


@checker("ch06.one_layer")
def _one_layer(answer: Any) -> str:
    value = number(answer, "the share")
    # The law of the singular values, share by share.
    sigma = propagation.fuss_catalan_quantiles(1, (np.arange(50_000) + 0.5) / 50_000)
    right = float(lowrank.rank_of_spectrum(sigma, power=2)) / 50_000
    compare(
        value,
        right,
        {
            "that is the first number, of the singular values; the Gram matrix has their squares.": lowrank.wide_effective_rank(
                1
            ),
            "that is the exponent; the exponential of minus it is wanted.": 0.5,
            "the sign of the exponent is turned: a share of the rank is below one.": np.exp(0.5),
            "you have used E[s^2 ln s] where E[s^2 ln s^2] belongs: p ln p holds the logarithm of the square.": np.exp(-0.25),
            "that is the stable rank over N.": 0.25,
        },
        otherwise="the shares are s^2/N, since the mean square is 1; the share of the rank is exp(-E[s^2 ln s^2]).",
        rtol=2e-3,
    )
    return correct("e^(-1/2) for the Gram matrix, where the singular values give 0.805.")


@checker("ch06.dropped")
def _dropped(answer: Any) -> str:
    value = number(answer, "the strength")
    omega, L = 0.1, 4
    u = np.linspace(0, 3, 200_001)[1:]
    right = float(np.min(u / 2 + omega / 2 * L * u ** (2 / L - 1)))  # where u and 0 cost the same
    jump = (omega * (L - 2)) ** (L / (2 * L - 2))
    turning = float(np.min(u + omega * u ** (2 / L - 1)))
    compare(
        value,
        right,
        {
            "that is the strength to which the mode jumps; its target is larger.": jump,
            "from here on a second minimum exists, but zero is still better; compare the two costs.": turning,
            "omega is the threshold of two layers.": omega,
            "that is the threshold of three layers.": lowrank.shrinkage_threshold(omega, 3),
            "(L-2)/(L-1) of the target is kept; the target is (L-1)/(L-2) times what is kept.": jump * 2 / 3,
        },
        otherwise="set the cost of u equal to that of zero, use the equation of the minimum, and eliminate u.",
        rtol=1e-3,
    )
    return correct("weaker modes are dropped whole, this one keeps two thirds of its strength.")


@checker("ch06.effective_rank")
def _effective_rank(answer: Any) -> str:
    rng = np.random.default_rng(60)
    for shape, scale in (((4, 4), 1.0), ((3, 6), 1e-6), ((7, 2), 50.0)):
        A = scale * rng.standard_normal(shape)
        _compare_rank(call(answer, A), A, "")
    for A in (np.diag([2.0, 1.0, 0.0]), np.outer([1.0, 2.0], [3.0, 1.0, 1.0]), np.eye(3), np.diag([1.0, 0.0])):
        with np.errstate(all="ignore"):
            got = call(answer, A)
        if not np.all(np.isfinite(np.asarray(got, dtype=float))):
            raise not_yet("matrices of full rank are right, but a zero singular value gives NaN: 0 ln 0 counts as zero.")
        _compare_rank(got, A, "the zeros of the spectrum should count for nothing: ")
    return correct("for every shape and rank.")


def _constant(G: Array, _: Array) -> Array:
    return G


def _compare_rank(got: Any, A: Array, where: str) -> None:
    s = np.array(np.sqrt(np.maximum(np.linalg.eigvalsh(A @ A.T if A.shape[0] < A.shape[1] else A.T @ A), 0.0)))
    s = s[s > 1e-7 * s.max()]  # by eigenvalues, a road of its own
    p, q = s / s.sum(), s**2 / np.sum(s**2)
    right = float(np.exp(-np.sum(p * np.log(p))))
    mistakes = {
        "that is the entropy; its exponential is wanted.": np.log(right),
        "that is two to the power of the entropy in nats; use one base for both.": 2 ** np.log(right),
        "that belongs to the squares of the singular values; beta is 1 here.": np.exp(-np.sum(q * np.log(q))),
        "that is the stable rank.": float(np.sum(s**2) / s.max() ** 2),
        "that is the rank.": float(len(s)),
        "that is one over the sum of squared shares, another soft count; use the entropy.": 1 / np.sum(p**2),
        "the singular values were not divided by their sum.": float(np.exp(-np.sum(s * np.log(s)))),
    }
    compare(
        number(got, "the effective rank"),
        right,
        {hint: wrong for hint, wrong in mistakes.items() if np.isfinite(wrong)},
        otherwise=where
        + f"for a matrix of shape {A.shape} it should lie between 1 and {len(s)}; check shares, entropy, exponential.",
        rtol=1e-6,
    )


@checker("ch06.velocity")
def _velocity(answer: Any) -> str:
    rng = np.random.default_rng(61)
    for shape, L in (((3, 3), 2), ((3, 5), 3), ((5, 3), 1), ((4, 4), 6)):
        W, G = rng.standard_normal(shape), rng.standard_normal(shape)
        got = call(answer, W, G, L)
        size = min(shape)
        # The layers themselves, moved a little: a road without the formula.
        layers = initialise.from_product(W, (shape[1], *(max(shape),) * (L - 1), shape[0]))
        moved = []
        for sign in (1.0, -1.0):
            path = completion.factorised_descent(layers, partial(_constant, sign * G), 1e-4, 1, record=[1])
            moved.append(np.linalg.svd(path.product[0], compute_uv=False))
        right = (moved[0] - moved[1]) / 2e-4
        s = np.linalg.svd(W, compute_uv=False)
        force = right / (L * s ** (2 - 2 / L))
        with np.errstate(all="ignore"):
            mistakes = {
                "the sign is turned: gradient flow goes against the gradient.": -right,
                "the factor L is missing: every layer moves.": right / L,
                "the exponent is 2 - 2/L, not 2/L.": L * s ** (2 / L) * force,
                "the exponent is 2 - 2/L; with 1 - 1/L the factors of one side are missing.": L * s ** (1 - 1 / L) * force,
                "this is the force alone; depth multiplies it by a power of the singular value.": force,
                "with 2 - 1/L one layer too few was taken out: the layer that moves is missing twice.": L
                * s ** (2 - 1 / L)
                * force,
                "the order is from the largest singular value to the smallest.": right[::-1],
            }
        compare(
            array(got, (size,), "the velocities"),
            right,
            {hint: wrong for hint, wrong in mistakes.items() if np.all(np.isfinite(wrong)) and not close(wrong, right, 1e-4)},
            otherwise=f"the first case that fails has shape {shape} and {L} layers; check the power, the factor and the sign.",
            rtol=1e-5,
        )
    return correct("large singular values become fast, small ones slow.")


@checker("ch06.certificate")
def _certificate(answer: Any) -> str:
    rng = np.random.default_rng(62)
    for _ in range(3):
        M, Y = rng.standard_normal((4, 5)), rng.standard_normal((4, 5))
        seen = rng.random((4, 5)) < 0.6
        first = number(call(answer, M, seen, Y), "the bound")
        other = number(call(answer, np.where(seen, M, M + 5.0), seen, Y), "the bound")
        if not close(first, other, 1e-12):
            raise not_yet("the bound changes with entries of M that nobody has seen.")
        masked = np.where(seen, Y, 0.0)
        inner, top = float(np.sum(masked * M)), float(np.linalg.norm(masked, 2))
        if first == 0.0 or close(-first, abs(inner) / top, 1e-9):
            raise not_yet("a bound that is zero or negative says nothing about a norm: the sign of Y is free.")
        # Both the bound of Y itself and that of plus or minus Y are bounds; a multiple of Y is the larger one.
        right = first if close(first, inner / top, 1e-9) else abs(inner) / top
        compare(
            first,
            right,
            {
                "Y was divided by its norm before the unseen entries were set to zero; that norm is another one.": inner
                / float(np.linalg.norm(Y, 2)),
                "Y still has its own size: divide by its largest singular value.": inner,
                "divide by the spectral norm of Y, not by the Frobenius norm: the bound becomes larger.": inner
                / float(np.linalg.norm(masked)),
                "divide by the spectral norm of Y, not by its nuclear norm.": inner / float(np.linalg.norm(masked, "nuc")),
            },
            otherwise="mask Y, divide it by its largest singular value, and take the sum of the products with M.",
            rtol=1e-9,
        )
    if number(call(answer, np.eye(2), np.eye(2, dtype=bool), -np.eye(2)), "the bound") < 0:
        raise not_yet("for Y = -I and M = I this is negative, and so says nothing: minus Y proves more; the sign is free.")
    return correct("whoever finds such a Y has proved something about every completion.")
