"""Checkers of chapter 1, linear algebra and gradient flow."""

from typing import Any

import numpy as np

from dlnlib._validate import Array
from dlnlib.exercises import _core as core
from dlnlib.exercises._questions import choice_question, number_question
from dlnlib.moments import Modes, Moments
from dlnlib.simulate import gradient_descent, steps_to_loss

choice_question(
    "ch01.louder",
    right="c",
    hints={
        "a": "the limit is set by the variance of the inputs, and that has changed.",
        "b": "the inputs doubled; ask what their second moments did.",
    },
    praise="second moments grow with the square, and the limit falls by the same factor.",
)

choice_question(
    "ch01.flip",
    right="c",
    hints={
        "a": "the order of the final strengths is not the order of learning; what does a small network feel at first?",
        "b": "right for raw inputs; now look at the correlation that the whitened network is given.",
        "d": "two different orders, yes, but each belongs to the other inputs.",
    },
    praise="small weights feel only the correlation that they are given, and whitening has changed its order.",
)

choice_question(
    "ch01.catapult",
    right="c",
    hints={
        "a": "that minimum has a sharpness above two over the step, so it pushes descent away.",
        "b": "it does leave; but look for other minima of the same loss, some of them flatter.",
    },
    praise="descent is thrown out of the sharp valley and lands where the step is small enough.",
)


def _left_out(rank: int) -> float:
    """Share of the squares that the best matrix of this rank misses, entry by entry."""
    A = np.diag([4.0, 2.0, 2.0])
    return float(np.sum((A - Modes.of(A).truncate(rank).matrix()) ** 2) / np.sum(A**2))


number_question(
    "ch01.missing",
    truth=lambda: _left_out(1),
    rtol=0.02,
    mistakes={
        "that is the share that rank 1 keeps; what does it miss?": lambda: 1 - _left_out(1),
        "you have added the singular values; it is their squares that add up.": 4 / 8,
        "that is the share of the length; the loss, and this question, count the square.": lambda: np.sqrt(_left_out(1)),
        "that is missing at rank 2; rank 1 leaves two modes out.": lambda: _left_out(2),
        "that is the square itself; divide by the sum of all squares.": 8.0,
    },
    otherwise="add the squares of the singular values left out, and divide by the sum of all squares.",
    praise="8 of 24: the modes left out hold a third of the squares.",
    what="the share",
)


def _steps_below(eigenvalue: float, step: float, level: float) -> float:
    """Steps that descent takes until the error of one direction has fallen from 1 to a level."""
    task = Moments(np.array([[eigenvalue]]), np.zeros((1, 1)))
    return float(steps_to_loss((np.ones((1, 1)),), task, step, 0.5 * eigenvalue * level**2, max_steps=2000))


number_question(
    "ch01.waiting",
    truth=lambda: _steps_below(0.01, 1.0, 0.01),
    rtol=0.03,
    mistakes={
        "that is the fastest direction, which one step removes; the slowest decides.": 1.0,
        "that is for the best step, or the limit itself, or for a tenth of the error; here it is half of the limit "
        "and a hundredth.": lambda: _steps_below(0.01, 2.0, 0.01),
        "so many need a step of 1/2; what is the limit of one layer, and half of it?": lambda: _steps_below(0.01, 0.5, 0.01),
        "so many steps shrink the error by e only; a hundredth takes longer.": 100.0,
        "that is the direction with eigenvalue 0.1; the slowest has 0.01.": lambda: _steps_below(0.1, 1.0, 0.01),
    },
    otherwise="find the factor of the slowest direction in one step, and raise it to the power n.",
    praise="the slowest direction keeps 99 % of its error at every step.",
    what="the number of steps",
)


def _ratio_of_tie() -> float:
    """Ratio of variances at which the two whitened correlations are equal, by a search."""
    from scipy.optimize import brentq

    def ahead(ratio: float) -> float:
        raw = Moments.from_teacher(np.diag([4.0, 1.0]), np.diag([1.0, ratio]))
        first, second = np.diag(raw.whitened().moments.yx)
        return float(second - first)

    return float(brentq(ahead, 1.0, 100.0, xtol=1e-12))


number_question(
    "ch01.tie",
    truth=_ratio_of_tie,
    rtol=0.01,
    mistakes={
        "that is the tie with raw inputs; whitening divides each correlation by the root of its variance.": 4.0,
        "turned inside out: the root of the variance enters, so the root is what has to make up for the targets.": 2.0,
        "equal variances leave the decision to the targets, and those differ.": 1.0,
        "turned round: direction 2 has the smaller target, and needs the larger variance.": 1 / 16,
    },
    otherwise="write down both entries of the whitened correlation, and make them equal.",
    praise="the root of the variance has to make up for the whole ratio of the targets.",
    what="the ratio",
)


@core.checker("ch01.best_step")
def best_step(answer: Any) -> str:
    values = core.array(answer, shape=(3,), what="the answer")
    step, factor, steps = (float(v) for v in values)
    limit = "that is the limit of stability; there the fast direction never shrinks."
    core.compare(
        step,
        _best_step(),
        {
            limit: 0.5,
            "with this step the fast direction is done at once, but the slow one could go faster.": 0.25,
            "a factor two: make the two factors 1 - step * 4 and 1 - step * 1 equal in size and opposite in sign.": 0.2,
        },
        otherwise="the best step makes both directions shrink by the same factor; one of the factors is negative.",
    )
    truth = _shrinking(step)
    core.compare(
        factor,
        truth,
        {
            "the factor may be negative for one direction; what counts is its size.": -truth,
            "that is what a step removes; the factor is what it leaves.": 1 - truth,
            "that is the factor of the loss; the error is not squared.": truth**2,
        },
        otherwise="put the step into the factor of each direction and take the larger size.",
    )
    needed = _steps_to(step, 1e-6)
    if steps != round(steps) and abs(steps - needed) < 1:
        raise core.not_yet("a whole number of steps is wanted; round so that the bound holds.")
    core.compare(
        steps,
        needed,
        {
            "after that many steps the error is still a little above a millionth.": needed - 1,
            "that bound holds, and one step earlier it holds too; the least number is wanted.": needed + 1,
            "that is for the loss; the error itself falls half as fast on a logarithmic scale.": _steps_to(step, 1e-3),
        },
        otherwise="the error after n steps is the factor to the power n.",
    )
    return core.correct("a simulated descent takes just as many steps.")


def _descent(step: float, n_steps: int) -> Array:
    """Size of the error in each direction after each step, from error one; eigenvalues 4 and 1."""
    task = Moments(np.diag([4.0, 1.0]), np.zeros((1, 2)))
    return np.abs(gradient_descent((np.ones((1, 2)),), task, step, n_steps).product[:, 0])


def _shrinking(step: float) -> float:
    return float(_descent(step, 1)[1].max())


def _best_step() -> float:
    from scipy.optimize import brentq

    # At the best step the two directions shrink equally fast.
    return float(brentq(lambda step: float(np.subtract(*_descent(step, 1)[1])), 0.3, 0.49, xtol=1e-14))


def _steps_to(step: float, error: float) -> int:
    return int(np.argmax(_descent(step, 100).max(axis=1) <= error))


@core.checker("ch01.tied_gradient")
def tied_gradient(answer: Any) -> str:
    rng = np.random.default_rng(10)
    for h, d in ((2, 3), (4, 3), (1, 2)):
        B, M = rng.standard_normal((h, d)), rng.standard_normal((d, d))
        got = core.array(core.call(answer, B.copy(), M.copy()), what="the gradient")
        if got.shape == (d, h):
            raise core.not_yet("yours has the shape of the transpose; a gradient has the shape of its argument, here of B.")
        got = core.array(got, shape=B.shape, what="the gradient")
        right = _complex_step(B, M)
        E = M - B.T @ B
        core.compare(
            got,
            right,
            {
                "the sign: the loss falls along yours.": -right,
                "yours is right for symmetric M only; keep E and its transpose apart.": -2 * B @ E,
                "yours is right for symmetric M only; keep E transposed and E apart.": -2 * B @ E.T,
                "B stands in the product twice, and each place contributes; one term is missing.": -B @ E,
                "B stands in the product twice, and each place contributes; the other term is missing.": -B @ E.T,
                "a factor two: the loss carries one half.": 2 * right,
                "a factor one half too much: the square brings a two that cancels it.": right / 2,
            },
            otherwise="start from dLoss = -tr(E^T d(B^T B)) and use the product rule; a numerical derivative does not agree yet.",
            rtol=1e-5,
        )
    return core.correct("it agrees with a complex-step derivative for three shapes, with M not symmetric.")


def _complex_step(B: Array, M: Array) -> Array:
    """Derivative of the loss in every entry of B, exact to rounding."""
    result = np.empty_like(B)
    for index in np.ndindex(*B.shape):
        moved = B.astype(complex)
        moved[index] += 1e-30j
        result[index] = 0.5 * np.sum((M - moved.T @ moved) ** 2).imag / 1e-30
    return result


@core.checker("ch01.whitening")
def whitening(answer: Any) -> str:
    rng = np.random.default_rng(11)
    for d in (2, 3, 5):
        root = rng.standard_normal((d, d + 3))
        xx = root @ root.T / d
        M = core.array(core.call(answer, xx.copy()), shape=(d, d), what="the matrix")
        new, eye = M @ xx @ M.T, np.eye(d)
        if core.close(new, eye, rtol=1e-8):
            continue
        off = new - np.diag(np.diag(new))
        if core.close(M.T @ xx @ M, eye, rtol=1e-8):
            raise core.not_yet("yours whitens rows, as in X @ M; for x' = M x transpose it.")
        if core.close(new, np.linalg.inv(xx), rtol=1e-8):
            raise core.not_yet("yours is the inverse; covariances change by M on both sides, so each side needs half of it.")
        if core.close(M @ M.T, xx, rtol=1e-8) or core.close(M.T @ M, xx, rtol=1e-8):
            raise core.not_yet("yours is a square root of the covariance, which turns white inputs into these; invert it.")
        if core.close(np.diag(new), np.ones(d), rtol=1e-8):
            raise core.not_yet("every component has variance one now, but they are still correlated.")
        if np.abs(off).max() < 1e-8 * np.abs(new).max():
            raise core.not_yet("the components are uncorrelated now, but their variances are not one.")
        raise core.not_yet("with your M the new covariance M xx M^T is not the identity.")
    return core.correct("the covariance M xx M^T is the identity for three sizes.")


@core.checker("ch01.jump")
def jump(answer: Any) -> str:
    rng = np.random.default_rng(12)
    for d_in, d_out, rank, n in ((3, 2, 3, 6), (3, 3, 3, 7), (4, 2, 2, 7), (4, 2, 2, 400)):
        root = rng.standard_normal((d_in, rank))
        xx = root @ root.T / rank
        yx = rng.standard_normal((d_out, d_in)) @ xx
        W0, step = rng.standard_normal((d_out, d_in)), 0.7 / float(np.linalg.norm(xx, 2))
        given = (W0.copy(), xx.copy(), yx.copy(), step, n)
        got = core.array(core.call(answer, *given), shape=(d_out, d_in), what="the weights")
        right = gradient_descent((W0,), Moments(xx, yx), step, n + 1, record=[n - 1, n, n + 1]).product
        unseen = (
            "your function is right where xx is invertible, but here two input directions never occur; use the pseudo-inverse."
        )
        core.compare(
            got,
            right[1],
            _jump_mistakes(W0, xx, yx, step, n) | {"one step too many.": right[2], "one step too few.": right[0]},
            otherwise=unseen
            if rank < d_in
            else "each error component is multiplied by 1 - step * lambda_k at each step; a loop of descent disagrees.",
            rtol=1e-8,
        )
    return core.correct("it agrees with step-by-step descent, also for unseen directions; now try n = 10**9.")


def _jump_mistakes(W0: Array, xx: Array, yx: Array, step: float, n: int) -> dict[str, Array]:
    values, Q = np.linalg.eigh(xx)
    seen = values > 1e-10 * values[-1]
    best = yx @ np.linalg.pinv(xx, rcond=1e-10, hermitian=True)
    power = (Q * (1 - step * values) ** n) @ Q.T
    half = (Q * (1 - 2 * step * values) ** n) @ Q.T
    return {
        "** takes the power of every entry; a matrix power, or powers of the eigenvalues, is wanted.": best
        + (W0 - best) @ (np.eye(len(xx)) - step * xx) ** n,
        "your step is twice as long; the one half in the loss cancels the two of the square.": best + (W0 - best) @ half,
        "the sign of the error: it is W0 - W* that shrinks, and it is added to W*.": best - (W0 - best) @ power,
        "that is the flow at time step * n; descent multiplies by 1 - step * lambda instead of the exponential.": best
        + (W0 - best) @ (Q * np.exp(-step * n * values)) @ Q.T,
        "directions that the inputs never take should keep their starting weights; yours lose them.": best
        + (W0 - best) @ (Q * (seen * (1 - step * values) ** n)) @ Q.T,
        "that is the error W - W*; add the optimum.": (W0 - best) @ power,
        "yours starts from zero; W0 is missing.": best - best @ power,
        "that is the optimum, reached only after infinitely many steps in the directions that occur.": best,
    }
