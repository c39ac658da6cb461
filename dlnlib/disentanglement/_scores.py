"""How well neurons match factors: correlations, and two scores made of them."""

from __future__ import annotations

from itertools import permutations
from math import perm

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._linalg import asymmetry, transpose
from dlnlib._validate import Array, as_array, finite_result
from dlnlib.disentanglement._scale import exponent_of, to_unit

__all__ = ["correlations", "entropy_score", "matching_score"]

# Up to so many matchings all are tried at once; beyond, an assignment is solved for each matrix.
ALL_TRIED = 720


def correlations(readout: ArrayLike, loadings: ArrayLike, xx: ArrayLike | None = None) -> Array:
    """Return the correlation of every neuron with every factor, (..., h, k) (`def-correlations`).

    readout : (..., h, d_in), rows that neurons apply to the input; W_1 of a network, or V^T for its singular basis.
    loadings : (d_in, k), A of x = A z + rest, with uncorrelated factors z of mean 0 and variance 1 that the rest does not
    share. xx : (d_in, d_in) second moments of the input, A A^T when None, which means that there is no rest.
    Raises ValueError for a neuron that never varies, which is correlated with nothing.
    """
    rows, A = as_array("readout", readout), as_array("loadings", loadings, ndim=2)
    if rows.ndim < 2 or rows.shape[-1] != A.shape[0]:
        raise ValueError(f"readout must have shape (..., h, {A.shape[0]}) to read the {A.shape[0]} inputs, got {rows.shape}")
    if xx is None:
        A = to_unit(A)
        S = A @ A.T
    else:
        S = as_array("xx", xx, ndim=2)
        # Units of the input change nothing: a power of four leaves xx, its root the loadings.
        half = (exponent_of(S) + 1) // 2
        S = np.ldexp(S, -2 * half)
        if S.shape != (A.shape[0], A.shape[0]) or asymmetry(S) > 1e-10:
            raise ValueError(f"xx must be symmetric of shape {(A.shape[0], A.shape[0])}, got shape {S.shape}")
        with np.errstate(over="ignore", invalid="ignore"):
            A = np.ldexp(A, -half)
            rest = S - A @ A.T
        if not np.all(np.isfinite(rest)) or np.linalg.eigvalsh(rest)[0] < -1e-9 * max(float(np.abs(S).max()), 1e-300):
            raise ValueError("xx is smaller than loadings @ loadings.T; the factors alone vary more than that")
    # A common scale of a row changes nothing, and without it squares of extreme weights would leave float64.
    size = np.abs(rows).max(axis=-1, keepdims=True)
    scaled = rows / np.where(size > 0, size, 1.0)
    variance = np.einsum("...hi,ij,...hj->...h", scaled, S, scaled)
    if np.any(variance <= 0):
        raise ValueError("a neuron never varies, so that it has no correlation with anything; leave it out")
    return finite_result("the correlations", scaled @ A / np.sqrt(variance)[..., None])


def matching_score(correlations: ArrayLike) -> Array:
    """Return the mean absolute correlation of factors with their neurons under the best matching (`def-matching-score`).

    correlations : (..., h, k), h >= k, in [-1, 1]. Every factor gets a neuron of its own. Returns (...), between 0 and 1;
    1 if and only if each factor has a neuron that is proportional to it. Known as MCC, mean correlation coefficient.
    """
    C = np.abs(_as_correlations(correlations))
    h, k = C.shape[-2:]
    if perm(h, k) <= ALL_TRIED:
        factors = np.arange(k)
        found = [C[..., list(neurons), factors].mean(axis=-1) for neurons in permutations(range(h), k)]
        return np.max(found, axis=0)
    from scipy.optimize import linear_sum_assignment

    flat = C.reshape(-1, h, k)
    best = [M[linear_sum_assignment(M, maximize=True)].mean() for M in flat]
    return np.array(best).reshape(C.shape[:-2])


def entropy_score(correlations: ArrayLike) -> Array:
    """Return one minus the mean entropy of the shares p_ij = c_ij^2 / sum_j c_ij^2 of a neuron, over ln k (`def-entropy-score`).

    correlations : (..., h, k), k >= 2. Returns (...): 1 if every neuron follows one factor, 0 if all follow all alike.
    The disentanglement part of the scores of Eastwood & Williams 2018, with squared correlations as importances and equal
    weights of neurons. Raises ValueError for a neuron without any correlation.
    """
    C = _as_correlations(correlations)
    k = C.shape[-1]
    if k < 2:
        raise ValueError("one factor cannot be mixed with others; give two or more")
    total = np.sum(C**2, axis=-1, keepdims=True)
    if np.any(total == 0):
        raise ValueError("a neuron has no correlation with any factor, so that it has no shares; leave it out")
    p = C**2 / total
    entropy = -np.sum(p * np.log(np.where(p > 0, p, 1.0)), axis=-1)
    return 1 - np.mean(entropy, axis=-1) / np.log(k)


def _as_correlations(value: ArrayLike) -> Array:
    C = as_array("correlations", value)
    if C.ndim < 2 or C.shape[-2] < C.shape[-1]:
        shape = transpose(C).shape if C.ndim >= 2 else C.shape
        raise ValueError(
            f"correlations must have shape (..., h, k) with neurons along rows and h >= k, got {C.shape}"
            + (f"; transposed it would be {shape}" if C.ndim >= 2 else "")
        )
    if np.abs(C).max() > 1 + 1e-9:
        raise ValueError(f"correlations lie between -1 and 1, got {C.flat[np.argmax(np.abs(C))]:g}; normalise the activities")
    return np.clip(C, -1.0, 1.0)
