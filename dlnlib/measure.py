"""What to read off weights and learning curves: strengths, alignment, balance, learning times, isometry."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._linalg import transpose
from dlnlib._spectrum import log_singular_values
from dlnlib._unchecked import members, strengths_of_product
from dlnlib._validate import Array, Weights, as_array, as_count, as_modes, as_moments, as_times, as_weights, finite_result
from dlnlib.moments import Modes, Moments

__all__ = [
    "balance",
    "effective_start",
    "isometry_spectrum",
    "layer_alignment",
    "learning_time",
    "loss_plateaus",
    "mode_strengths",
    "off_diagonal",
    "subspace_overlap",
]


def mode_strengths(W: ArrayLike, modes: Modes) -> Array:
    """Return u_k = U_k^T W V_k, how strongly an end-to-end matrix carries each mode (`def-strength`).

    W : (..., d_out, d_in); leading axes (time, batch) stay. modes : r of them. Returns (..., r), signed.
    Exact for any W; they describe W completely only where `off_diagonal` is zero.
    """
    return finite_result("the strengths", strengths_of_product(_as_product(W, modes), modes))


def off_diagonal(W: ArrayLike, modes: Modes, *, relative: bool = True) -> Array:
    """Return the largest |U_j^T W V_k|, j != k: how far the matrix is from being made of the modes alone.

    W : (..., d_out, d_in). Returns (...). relative : divided by the largest |u_k|, else in the units of W.
    0 means that W mixes no two of the modes. What W does outside the span of `modes` is not seen: give all of them
    (`Modes.of` and `Moments.modes` do). A zero W gives 0; raises ValueError when only the strengths are zero.
    """
    matrix = _as_product(W, modes)
    with np.errstate(over="ignore", invalid="ignore"):
        inside = finite_result("W in the basis of the modes", modes.U.T @ matrix @ modes.V)
    crossed = np.abs(inside * (1 - np.eye(inside.shape[-1]))).max(axis=(-2, -1))
    if not relative:
        return crossed
    largest = np.abs(np.diagonal(inside, axis1=-2, axis2=-1)).max(axis=-1)
    if np.any((largest == 0) & (crossed > 0)):
        raise ValueError("every strength is zero, so there is nothing to be relative to; use relative=False")
    return crossed / np.where(largest == 0, 1.0, largest)


def subspace_overlap(A: ArrayLike, B: ArrayLike) -> Array:
    """Return the cosine of the largest principal angle between the spans of two sets of columns, (...), in [0, 1].

    A, B : (..., d, k), independent columns, which need not be orthonormal. 1: same span; 0: some direction of one is
    orthogonal to the other. Invariant to signs and to any change of basis inside each span. For k = 1 it is |cos|.
    """
    first, second = as_array("A", A), as_array("B", B)
    if first.ndim < 2 or first.shape[-2:] != second.shape[-2:] or first.shape[-1] > first.shape[-2]:
        raise ValueError(f"A and B must both be (..., d, k) with k <= d, got {first.shape} and {second.shape}")
    frames = []
    for name, columns in (("A", first), ("B", second)):
        s = np.linalg.svd(columns, compute_uv=False)
        if np.any(s[..., -1] <= 1e-12 * s[..., 0]):
            raise ValueError(f"the columns of {name} are dependent, so they span less than {columns.shape[-1]} directions")
        frames.append(np.linalg.qr(columns)[0])
    return _smallest_cosine(frames[0], frames[1])


def layer_alignment(weights: Sequence[ArrayLike], rank: int = 1) -> Array:
    """Return how well each layer reads what the layer below writes, (..., L-1), in [0, 1].

    Overlap (`subspace_overlap`) of the span of the leading `rank` right singular vectors of W_{l+1} with that of the
    leading left singular vectors of W_l. 1 = aligned, which balanced layers are exactly (`def-balanced`); independent
    random layers of width d give about 1/sqrt(d) for rank 1.
    sin^2 = 1 - alignment^2 is what a perturbation bound (Davis & Kahan 1970) limits by imbalance over spectral gap.

    weights : layers (..., d_l, d_{l-1}), L >= 2. rank : at most the smallest dimension of any layer.
    Raises ValueError where singular values number rank and rank + 1 agree to 1e-10 of the largest (orthogonal layers
    do), or number rank is zero: the leading subspace does not exist there, and any answer would be noise.
    """
    layers = _as_deep(weights)
    k = as_count("rank", rank)
    least = min(min(W.shape[-2:]) for W in layers)
    if k > least:
        raise ValueError(f"rank must be at most {least}, the smallest dimension of any layer, got {k}")
    frames: list[tuple[Array, Array]] = []
    for i, W in enumerate(layers, start=1):
        U, s, Vt = np.linalg.svd(W, full_matrices=False)
        next_one = s[..., k] if k < s.shape[-1] else np.zeros(s.shape[:-1])
        if np.any(s[..., k - 1] - next_one <= 1e-10 * s[..., 0]):
            raise ValueError(
                f"W_{i} has no leading subspace of rank {k}: its singular values {k} and {k + 1} are equal, "
                "or zero; choose another rank"
            )
        frames.append((U[..., :k], transpose(Vt)[..., :k]))
    overlaps = [_smallest_cosine(frames[i + 1][1], frames[i][0]) for i in range(len(layers) - 1)]
    return np.stack(overlaps, axis=-1)


def balance(weights: Sequence[ArrayLike]) -> Array:
    """Return the relative imbalance of each pair of neighbouring layers, (..., L-1), in [0, 1]; 0 is balanced.

    ||W_{l+1}^T W_{l+1} - W_l W_l^T|| / (||W_{l+1}^T W_{l+1}|| + ||W_l W_l^T||), Frobenius norms (`def-balanced`).
    Two zero layers count as balanced. The numerator is conserved by gradient flow (`eq-conservation`), the ratio is not:
    it falls as the weights grow.
    """
    layers = _as_deep(weights)
    result = []
    for lower, upper in pairwise(layers):
        # A common scale changes nothing and keeps squares of extreme weights inside float64.
        size = np.maximum(np.abs(lower).max(axis=(-2, -1)), np.abs(upper).max(axis=(-2, -1)))
        size = np.where(size == 0, 1.0, size)[..., None, None]
        above, below = (transpose(upper) / size) @ (upper / size), (lower / size) @ (transpose(lower) / size)
        total = _norm(above) + _norm(below)
        result.append(_norm(above - below) / np.where(total == 0, 1.0, total))
    return np.stack(result, axis=-1)


def effective_start(weights: Sequence[ArrayLike], modes: Modes, *, competing: bool = True) -> Array:
    """Return the strength u0 of a balanced mode that grows as each mode of a small start does (`def-effective-start`).

    ||W_1 V_k + W_2^T U_k||^2 / 4, (..., r): the part of mode k that grows, shared equally by both layers. It replaces u0
    in `exact.strength`. U_k^T W V_k does not: it holds the decaying part too, and may be negative.
    competing : count of each vector W_1 V_k + W_2^T U_k only the part orthogonal to those of stronger modes, which have
    occupied their directions of the hidden layer before. Modes beyond the hidden width get 0.

    weights : (W_1, W_2), leading axes are a batch. modes : of the task, in decreasing order of s, for white inputs.
    For small starts and different s_k; that its error vanishes with the start is argued and measured in the book, not
    proved. Raises ValueError unless there are two layers that fit modes.
    """
    layers = as_weights(weights)
    if len(layers) != 2:
        raise ValueError(f"effective_start is for two layers, got {len(layers)}; the plateau of deeper networks differs")
    W1, W2 = layers
    as_modes(modes, d_in=W1.shape[-1], d_out=W2.shape[-2])
    with np.errstate(over="ignore", invalid="ignore"):
        vectors = W1 @ modes.V + transpose(modes.U.T @ W2)
        finite_result("the effective start", np.sum(vectors**2, axis=-2))
    if not competing:
        return np.sum(vectors**2, axis=-2) / 4
    growing = np.diagonal(np.linalg.qr(vectors, mode="r"), axis1=-2, axis2=-1) ** 2 / 4
    left = vectors.shape[-1] - growing.shape[-1]
    return np.concatenate([growing, np.zeros((*growing.shape[:-1], left))], axis=-1)


def learning_time(t: ArrayLike, u: ArrayLike, level: ArrayLike, *, of_final: bool = False, missing: str = "raise") -> Array:
    """Return the first time at which recorded curves cross a level, upwards or downwards.

    t : (n_t,) increasing, units of tau. u : (n_t, ...), strengths or losses, time first.
    level : a number or (...), one for each curve, in the units of u; with of_final=True the fraction of u[-1].
    missing : "raise" a ValueError for a curve that never crosses, or "inf" to give np.inf (for sweeps).
    Returns (...); t[0] for a curve that begins exactly at its level.

    The crossing is bracketed by two records and solved on the cubic through the four nearest, so the error is at most
    dt and for smooth curves 0.024 dt^4 |u''''| / |u'| (spacing dt, away from the ends of the record). A logistic of rate
    2s recorded every 0.1/s gives crossings between 10% and 90% of the way to 1.2e-5/s, and sixteen times better for half the
    spacing.
    A curve that dips and returns between two records is not seen.
    """
    times, curves = as_times("t", t, increasing=True, nonnegative=False), as_array("u", u)
    if missing not in ("raise", "inf"):
        raise ValueError(f'missing must be "raise" or "inf", got {missing!r}')
    if curves.ndim < 1 or curves.shape[0] != len(times) or len(times) < 2:
        raise ValueError(f"u must have shape (n_t, ...) with n_t = {len(times)} >= 2, got {curves.shape}")
    goal = as_array("level", level)
    if not _fits(goal.shape, curves.shape[1:]):
        raise ValueError(f"level must be a number or fit {curves.shape[1:]}, got shape {goal.shape}")
    target = goal * curves[-1] if of_final else np.broadcast_to(goal, curves.shape[1:])
    above = (curves - target).reshape(len(times), -1)
    result = np.array([_first_crossing(times, curve) for curve in above.T])
    if missing == "raise" and np.any(np.isinf(result)):
        which = np.unravel_index(int(np.argmax(np.isinf(result))), curves.shape[1:])
        raise ValueError(
            f"the curve {tuple(int(i) for i in which)} never crosses {float(target[which]):g}: it goes from "
            f"{float(curves[(0, *which)]):g} to {float(curves[(-1, *which)]):g} by t = {times[-1]:g}; "
            'record for longer, or use missing="inf"'
        )
    return result.reshape(curves.shape[1:])


def isometry_spectrum(weights: Sequence[ArrayLike], *, log: bool = False) -> Array:
    """Return the singular values of the end-to-end matrix, tiny ones too, (..., min(d_L, d_0)), in decreasing order.

    A product of many layers cannot be multiplied out first: rounding at the size of the largest singular value
    would drown every one that is 1e-16 times smaller. Here layer after layer is reduced by QR, the triangular factors are
    multiplied (which keeps each row's own scale), and a Jacobi method that respects such scales (LAPACK dgejsv)
    gives all singular values to about depth * 1e-15 relative, times the layers' own ill-conditioning.

    weights : layers (..., d_l, d_{l-1}); leading axes are a loop. log : natural logarithms, which cannot overflow.
    Bottlenecks make exact zeros (-inf with log). Singular layers give values at rounding level of their own.
    Raises ValueError when the spectrum spans more than 280 decades or the values overflow.
    Source: the QR reduction is the classical one for Lyapunov exponents; Jacobi: Demmel & Veselic 1992.
    """
    layers = as_weights(weights)
    with np.errstate(over="ignore", invalid="ignore"):
        rows = [log_singular_values(network) for network in members(layers)]
    logs = np.array(rows).reshape(*layers[0].shape[:-2], -1)
    if log:
        return logs
    if logs.max() > 709:
        raise ValueError(f"the largest singular value is exp({logs.max():.0f}), beyond float64; use log=True")
    return np.exp(logs)


def loss_plateaus(moments: Moments, hidden: int | None = None) -> Array:
    """Return the losses at which training from small weights pauses, 1/2 (tr yy - sum_{k <= m} s_k^2), m = 0, 1, ...

    Plateau m is the critical set of the m strongest modes (`eq-critical-loss`); the last one is the least loss. s are the
    whitened strengths. hidden : narrowest hidden width, which ends the staircase early. Returns (min(hidden, q) + 1,).
    The levels are exact; that training visits them in this order needs small weights, well separated modes and white
    inputs (or inputs whose covariance shares the modes).
    """
    modes = as_moments(moments).whitened_modes()
    m = modes.rank if hidden is None else min(modes.rank, as_count("hidden", hidden))
    squares = modes.s[: modes.rank] ** 2
    return moments.irreducible_loss() + 0.5 * np.array([float(np.sum(squares[j:])) for j in range(m + 1)])


def _as_product(W: ArrayLike, modes: Modes) -> Array:
    matrix, shape = as_array("W", W), (as_modes(modes).U.shape[0], modes.Vt.shape[1])
    if matrix.shape[-2:] != shape:
        raise ValueError(f"W must have shape (..., {shape[0]}, {shape[1]}) to match the modes, got {matrix.shape}")
    return matrix


def _as_deep(weights: Sequence[ArrayLike]) -> Weights:
    layers = as_weights(weights)
    if len(layers) < 2:
        raise ValueError("this compares neighbouring layers; weights has only one")
    return layers


def _norm(matrix: Array) -> Array:
    return np.linalg.norm(matrix, axis=(-2, -1))


def _smallest_cosine(A: Array, B: Array) -> Array:
    return np.minimum(np.linalg.svd(transpose(A) @ B, compute_uv=False)[..., -1], 1.0)


def _fits(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Tell whether an array of this shape broadcasts to the target shape without enlarging it."""
    return len(shape) <= len(target) and all(a in (1, b) for a, b in zip(reversed(shape), reversed(target), strict=False))


def _first_crossing(t: Array, above: Array) -> float:
    """Return the first zero of a sampled curve, np.inf if it has none."""
    if above[0] == 0:
        return float(t[0])
    # A sample that sits on the level exactly ends its bracket, whatever follows.
    hits = np.flatnonzero(np.sign(above[1:]) != np.sign(above[0]))
    if len(hits) == 0:
        return np.inf
    i = int(hits[0])
    start = min(max(i - 1, 0), max(len(t) - 4, 0))
    nodes, values = t[start : start + 4], above[start : start + 4]
    slopes = values.copy()  # Newton's divided differences
    for j in range(1, len(nodes)):
        slopes[j:] = (slopes[j:] - slopes[j - 1 : -1]) / (nodes[j:] - nodes[:-j])
    centres, coefficients = nodes.tolist(), slopes.tolist()
    low, high, rising = float(t[i]), float(t[i + 1]), above[0] < 0
    for _ in range(60):
        middle, value = 0.5 * (low + high), 0.0
        for centre, coefficient in zip(reversed(centres), reversed(coefficients), strict=True):
            value = value * (middle - centre) + coefficient
        if value != 0 and (value < 0) == rising:
            low = middle
        else:
            high = middle
    return high
