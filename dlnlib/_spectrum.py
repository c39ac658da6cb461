"""The singular values of one product of many layers, tiny ones too."""

from __future__ import annotations

import numpy as np

from dlnlib._validate import Array, Weights, finite_result

_WIDEST = 280 * float(np.log(10))  # e-folds that the rows of one triangular factor may span in float64


def log_singular_values(layers: Weights) -> Array:
    """Return the natural logarithms of the singular values of W_L ... W_1, (min(d_L, d_0),), decreasing; -inf for zeros."""
    sizes = [layers[0].shape[1], *(W.shape[0] for W in layers)]
    narrow = int(np.argmin(sizes))
    full = min(sizes[0], sizes[-1])
    # Away from the narrowest width, both halves of the product are chains of tall matrices, which QR compresses.
    R, shift = _triangular([W.T for W in reversed(layers[:narrow])], np.eye(sizes[narrow]))
    core, more = _triangular(list(layers[narrow:]), R.T)
    s = _graded_singular_values(core)
    with np.errstate(divide="ignore"):
        logs = np.log(s) + shift + more
    return np.concatenate([logs, np.full(full - len(logs), -np.inf)])


def _triangular(factors: list[Array], start: Array) -> tuple[Array, float]:
    """Return R and c such that the product of `factors` (the first acts first) and `start` is Q R exp(c), Q orthonormal."""
    Q, R = np.linalg.qr(start)
    shift, growth = 0.0, _log_diagonal(R)
    for W in factors:
        Q, step = np.linalg.qr(W @ Q)
        # Row i of a product of upper triangles involves rows i and below only: small rows stay accurate.
        R, growth = finite_result("the product of the layers", step @ R), growth + _log_diagonal(step)
        size = float(np.abs(R).max())
        if size > 0:
            R, shift = R / size, shift + float(np.log(size))
        if np.any(np.isfinite(growth) & (growth - shift < -_WIDEST)):
            raise ValueError("the spectrum spans more than 280 decades, beyond float64; take fewer layers")
    return R, shift


def _log_diagonal(R: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.log(np.abs(np.diagonal(R)))


def _graded_singular_values(R: Array) -> Array:
    from scipy.linalg.lapack import dgejsv

    if not R.any():
        return np.zeros(len(R))
    # joba=2: rows and columns may be scaled wildly; 3: no singular vectors; no perturbation of small entries.
    s, _, _, work, _, info = dgejsv(R, joba=2, jobu=3, jobv=3, jobr=0, jobt=0, jobp=0)
    if info != 0:
        raise ValueError(f"LAPACK dgejsv did not converge (info {info}); check the layers for extreme entries")
    return np.asarray(s, dtype=np.float64) * (work[0] / work[1])
