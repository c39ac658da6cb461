"""Where a learning coefficient is defined: at minima; and the smaller problem of which a plateau is a minimum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._linalg import power_on_range
from dlnlib._unchecked import layer_gradients, product_of
from dlnlib._validate import as_count, as_moments, as_scalar, as_weights, finite_result
from dlnlib.moments import Moments

__all__ = ["check_minimum", "learned_rank", "truncated_moments"]


def truncated_moments(moments: Moments, rank: int) -> Moments:
    """Return the moments of a task whose best map is the best of this rank: the other modes become noise (`def-truncated`).

    A plateau of training on `moments` after `rank` modes is a minimum of this task, with the same loss.
    moments : of any data. rank : r', from 0 to the number of modes.
    """
    m = as_moments(moments)
    r = as_count("rank", rank, minimum=0)
    if r > min(m.d_in, m.d_out):
        raise ValueError(f"rank must be at most {min(m.d_in, m.d_out)}, the number of modes, got {r}")
    with np.errstate(over="ignore", invalid="ignore"):
        return Moments(m.xx, finite_result("yx", m.optimum(r) @ m.xx), m.yy)


def learned_rank(weights: Sequence[ArrayLike], moments: Moments) -> int:
    """Return how many leading modes of the task a network has learnt by more than half.

    weights : one network. moments : of the task. The modes are those of yx xx^{-1/2}; counting stops at the first missing.
    """
    layers = _one(weights, moments)
    modes = moments.whitened_modes()
    with np.errstate(over="ignore", invalid="ignore"):
        W = finite_result("the product of the layers", product_of(layers)) @ power_on_range(*np.linalg.eigh(moments.xx), 0.5)
        strengths = np.einsum("ik,ij,kj->k", modes.U, W, modes.Vt)
    learnt = finite_result("the strength of a mode", strengths)[: modes.rank] > 0.5 * modes.s[: modes.rank]
    return int(np.argmin(learnt)) if not learnt.all() else len(learnt)


def check_minimum(weights: Sequence[ArrayLike], moments: Moments, n_beta: float) -> str:
    """Raise ValueError if w* is no minimum at this resolution, saying what it is; return a remark if it nearly is one.

    All minima of a deep linear network are global, so that what counts is the loss above the least that the widths allow.
    An estimate changes by n_beta times that. Above half the number of parameters, or of entries of the map (for inputs that
    vary), whichever is less, it would say nothing of the geometry, and is refused; above 5 % of it, the remark says so.
    Otherwise "" is returned. weights : one network. n_beta : the inverse of the loss that can be resolved.
    """
    layers = _one(weights, moments)
    nb = as_scalar("n_beta", n_beta, nonnegative=True)
    with np.errstate(over="ignore", invalid="ignore"):
        product = finite_result("the product of the layers", product_of(layers))
        D = product - moments.optimum()
        excess = float(finite_result("the loss", np.asarray(0.5 * np.sum((D @ moments.xx) * D))))
        above = excess - unavoidable_excess(moments, min(moments.d_in, *(len(W) for W in layers)))
        cost = nb * above
        most = 0.5 * min(sum(W.size for W in layers), moments.rank_xx * moments.d_out)
        slope = np.sqrt(sum(np.sum(g**2) for g in layer_gradients(layers, moments)))
        size = np.sqrt(sum(np.sum(W**2) for W in layers))
    if cost > most:
        raise ValueError(_why(layers, moments, above, cost, float(slope), float(size)))
    if cost > 0.05 * most:
        return (
            f"the centre is not the best fit: n_beta times its excess loss is {cost:.3g}, which the estimate lacks; "
            "centre on the minimum of these moments"
        )
    return ""


def unavoidable_excess(moments: Moments, rank: int) -> float:
    """Return by how much the loss of the best map of this rank is above that of the best of any rank."""
    with np.errstate(over="ignore"):
        lost = np.asarray(0.5 * np.sum(moments.whitened_modes().s[rank:] ** 2))
    return float(finite_result("the loss", lost))


def _why(layers: tuple[np.ndarray, ...], moments: Moments, above: float, cost: float, slope: float, size: float) -> str:
    scale = float(np.linalg.norm(moments.yx, 2)) * max(size, 1.0)
    r = learned_rank(layers, moments)
    total = min(moments.whitened_modes().rank, *(len(W) for W in layers))
    if slope > 1e-2 * scale or r == total:
        return (
            f"the gradient at the weights is {slope:.3g}, and their loss is {above:.4g} above the least: they are on their way, "
            "and no learning coefficient is defined there; train on, or ask at a plateau"
        )
    off = product_of(layers) - moments.optimum(r)
    leading = np.sqrt(np.sum((off @ moments.xx) * off)) < 0.5 * moments.whitened_modes().s[r]
    learnt = f"{r} of {total} modes are learnt" if leading else "the modes that are learnt are not the leading ones"
    smaller = f"truncated_moments(moments, {r})" if leading else "Moments(moments.xx, product(weights) @ moments.xx, moments.yy)"
    return (
        f"the weights are at a saddle, not a minimum: {learnt}, and the loss can fall by {above:.4g} from here. "
        "The parameters with less loss than w* have a volume that does not vanish, and no learning coefficient is "
        f"defined; a sampler would report about -n_beta times the fall, {-cost:.4g}. "
        f"Ask about the problem of which this point is a minimum: {smaller}"
    )


def _one(weights: Sequence[ArrayLike], moments: Moments) -> tuple[np.ndarray, ...]:
    layers = as_weights(weights, as_moments(moments))
    if layers[0].ndim != 2:
        raise ValueError(f"weights must be one network, got batch axes {layers[0].shape[:-2]}; ask for each in turn")
    return layers
