"""Second moments: all that a linear network ever sees of its data."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._linalg import EPS, TINY, asymmetry, count_positive, power_on_range
from dlnlib._validate import Array, as_array, as_count, as_scalar, finite_result

__all__ = ["Modes", "Moments", "Whitening"]


@dataclass(frozen=True, eq=False)
class Modes:
    """A singular value decomposition `U @ diag(s) @ Vt` with signs fixed so that it is the same on every machine.

    U : (d_out, r), s : (r,) in decreasing order, Vt : (r, d_in), r = min(d_out, d_in).
    The entry of largest modulus in each column of U is positive (ties: the first).
    Singular vectors of equal singular values are one of many valid choices.
    """

    U: Array
    s: Array
    Vt: Array

    @classmethod
    def of(cls, matrix: ArrayLike) -> Modes:
        """Return the modes of a (d_out, d_in) matrix."""
        A = as_array("matrix", matrix, ndim=2)
        U, s, Vt = np.linalg.svd(A, full_matrices=False)
        finite_result("the singular value decomposition", s)
        largest = np.argmax(np.abs(U) > np.abs(U).max(axis=0) * (1 - 1e-6), axis=0)
        signs = np.where(U[largest, np.arange(len(s))] < 0, -1.0, 1.0)
        return cls(U * signs, s, Vt * signs[:, None])

    @property
    def V(self) -> Array:
        """Right singular vectors as columns, (d_in, r)."""
        return self.Vt.T

    @property
    def rank(self) -> int:
        """Number of singular values above rounding."""
        return int(np.sum(self.s > max(self.U.shape[0], self.Vt.shape[1]) * EPS * self.s[0]))

    def matrix(self) -> Array:
        """Return `U diag(s) Vt`, (d_out, d_in)."""
        return (self.U * self.s) @ self.Vt

    def truncate(self, rank: int) -> Modes:
        """Return the leading modes: the best approximation of this rank (`eq-eckart-young`)."""
        r = as_count("rank", rank, minimum=0)
        if r > len(self.s):
            raise ValueError(f"rank must be at most {len(self.s)}, the number of modes, got {r}")
        return Modes(self.U[:, :r], self.s[:r], self.Vt[:r])


class Whitening(NamedTuple):
    """Moments of whitened inputs and the matrix that whitens: x' = matrix @ x."""

    moments: Moments
    matrix: Array


@dataclass(frozen=True, eq=False)
class Moments:
    """Second moments of inputs and outputs; learning of a linear network depends on nothing else (`eq-loss-moments`).

    xx : (d_in, d_in)   E[x x^T], symmetric and positive semi-definite, may be singular.
    yx : (d_out, d_in)  E[y x^T]; its rows must lie in the range of xx, as they do for any data.
    yy : (d_out, d_out) E[y y^T], or one number, its trace (all that the loss needs), or None for the
         trace of noiseless outputs y = W* x.
    Raises ValueError when no data could have these moments.
    """

    xx: Array
    yx: Array
    yy: Array | float | None = field(default=None)

    def __post_init__(self) -> None:
        xx = as_array("xx", self.xx, ndim=2)
        yx = as_array("yx", self.yx, ndim=2)
        if xx.shape[0] != xx.shape[1]:
            raise ValueError(f"xx must be square, got {xx.shape}")
        if yx.shape[1] != xx.shape[0]:
            raise ValueError(
                f"yx must have shape (d_out, {xx.shape[0]}) to match xx, got {yx.shape}; "
                "rows belong to outputs, so a transposed yx is the usual mistake"
            )
        if asymmetry(xx) > 1e-10:
            raise ValueError("xx must be symmetric; give E[x x^T]")
        object.__setattr__(self, "xx", _frozen(xx / 2 + xx.T / 2))
        object.__setattr__(self, "yx", _frozen(yx))
        self._check_inputs()
        object.__setattr__(self, "yy", self._checked_yy())

    def _check_inputs(self) -> None:
        values, basis = self._eigen
        finite_result("the eigenvalues of xx", values)
        if values[0] < -1e-10 * max(values[-1], 0.0) or values[-1] < 0:
            raise ValueError(f"xx must be positive semi-definite; its smallest eigenvalue is {values[0]:g}")
        outside = self.yx @ basis[:, : self.d_in - self.rank_xx]
        if outside.size and np.abs(outside).max() > 1e-7 * max(np.abs(self.yx).max(), TINY):
            raise ValueError(
                "yx has a component along inputs that never vary (null space of xx), which no data can have; "
                "check that xx and yx come from the same samples"
            )

    def _checked_yy(self) -> Array | float:
        with np.errstate(over="ignore", invalid="ignore"):
            half = self.yx @ self._power(-0.5)
            explained = float(np.vdot(half, half))
        finite_result("what x explains of yy", np.array(explained))
        if self.yy is None:
            return explained
        if np.ndim(self.yy) == 0:
            trace = as_scalar("yy", self.yy, nonnegative=True)
            if trace < explained * (1 - 1e-9):
                raise ValueError(
                    f"yy, given as its trace, is {trace:g}, but the outputs explained by x alone have trace "
                    f"{explained:g}; check that yy and yx come from the same samples"
                )
            return trace
        yy = as_array("yy", self.yy, ndim=2)
        if yy.shape != (self.d_out, self.d_out):
            raise ValueError(f"yy must have shape {(self.d_out, self.d_out)} or be one number, got {yy.shape}")
        if asymmetry(yy) > 1e-10:
            raise ValueError("yy must be symmetric; give E[y y^T]")
        unexplained = np.linalg.eigvalsh(yy / 2 + yy.T / 2 - half @ half.T)
        if unexplained[0] < -1e-9 * max(np.abs(yy).max(), TINY):
            raise ValueError(
                f"yy is smaller than what x explains (smallest eigenvalue of the difference {unexplained[0]:g}); "
                "check that yy and yx come from the same samples"
            )
        return _frozen(yy / 2 + yy.T / 2)

    @classmethod
    def from_data(cls, X: ArrayLike, Y: ArrayLike, *, full_yy: bool = True) -> Moments:
        """Return the moments of samples along rows: X (n, d_in), Y (n, d_out). Nothing is centred.

        `full_yy=False` keeps only the trace of yy, which saves memory when d_out is large.
        """
        inputs, outputs = as_array("X", X, ndim=2), as_array("Y", Y, ndim=2)
        n = inputs.shape[0]
        if outputs.shape[0] != n:
            raise ValueError(f"X has {n} rows and Y has {outputs.shape[0]}; samples go along rows in both")
        with np.errstate(over="ignore", invalid="ignore"):
            xx = finite_result("xx", inputs.T @ inputs / n)
            yx = finite_result("yx", outputs.T @ inputs / n)
            yy = finite_result("yy", outputs.T @ outputs / n if full_yy else np.vdot(outputs, outputs) / n)
        return cls(xx, yx, yy if full_yy else float(yy))

    @classmethod
    def white(cls, yx: ArrayLike, *, noise: float = 0.0) -> Moments:
        """Return moments with xx = I, the given (d_out, d_in) yx, and output noise of this variance per output."""
        matrix = as_array("yx", yx, ndim=2)
        return cls.from_teacher(matrix, noise=noise)

    @classmethod
    def from_teacher(cls, teacher: ArrayLike, xx: ArrayLike | None = None, *, noise: float = 0.0) -> Moments:
        """Return the population moments of y = teacher @ x + noise.

        teacher : (d_out, d_in). xx : (d_in, d_in), identity when None. noise : variance of each output, independent of x.
        """
        W = as_array("teacher", teacher, ndim=2)
        variance = as_scalar("noise", noise, nonnegative=True)
        S = np.eye(W.shape[1]) if xx is None else as_array("xx", xx, ndim=2)
        if S.shape != (W.shape[1], W.shape[1]):
            raise ValueError(f"xx must have shape {(W.shape[1], W.shape[1])} to match the teacher, got {S.shape}")
        with np.errstate(over="ignore", invalid="ignore"):
            yx = finite_result("yx", W @ S)
            yy = finite_result("yy", yx @ W.T + variance * np.eye(W.shape[0]))
        return cls(S, yx, yy / 2 + yy.T / 2)

    @property
    def d_in(self) -> int:
        """Input dimension."""
        return self.xx.shape[0]

    @property
    def d_out(self) -> int:
        """Output dimension."""
        return self.yx.shape[0]

    @property
    def yy_trace(self) -> float:
        """Trace of E[y y^T]."""
        return float(np.trace(self.yy)) if isinstance(self.yy, np.ndarray) else float(self.yy or 0.0)

    @cached_property
    def _eigen(self) -> tuple[Array, Array]:
        values, basis = np.linalg.eigh(self.xx)
        return values, basis

    @property
    def input_eigenvalues(self) -> Array:
        """Eigenvalues of xx in decreasing order, (d_in,); rounding below zero is set to zero."""
        return np.maximum(self._eigen[0][::-1], 0.0)

    @property
    def rank_xx(self) -> int:
        """Number of input directions that vary."""
        return count_positive(self._eigen[0])

    @property
    def condition_number(self) -> float:
        """Largest over smallest non-zero eigenvalue of xx (`def-condition-number`)."""
        if self.rank_xx == 0:
            raise ValueError("xx is zero: no input varies, so there is no condition number")
        return float(self.input_eigenvalues[0] / self.input_eigenvalues[self.rank_xx - 1])

    def is_white(self, tol: float = 1e-10) -> bool:
        """Tell whether xx is the identity up to `tol` in every entry."""
        return bool(np.abs(self.xx - np.eye(self.d_in)).max() <= as_scalar("tol", tol, nonnegative=True))

    def _power(self, exponent: float) -> Array:
        """Return xx to a power on its range, and zero on its null space."""
        return power_on_range(*self._eigen, exponent)

    def modes(self) -> Modes:
        """Return the singular value decomposition of yx."""
        return Modes.of(self.yx)

    def whitened_modes(self) -> Modes:
        """Return the modes of yx xx^{-1/2}; the squares of their s are the eigenvalues of yx xx^{-1} xy."""
        return Modes.of(self.yx @ self._power(-0.5))

    def whitened(self, kind: str = "zca") -> Whitening:
        """Return the moments of whitened inputs x' = matrix @ x, and the matrix.

        "zca": matrix = xx^{-1/2}, which stays as close to x as a whitening can; xx must be invertible.
        "pca": coordinates along the varying eigenvectors of xx, (rank_xx, d_in); works for singular xx.
        """
        if kind not in ("zca", "pca"):
            raise ValueError(f'kind must be "zca" or "pca", got {kind!r}')
        if kind == "zca" and self.rank_xx < self.d_in:
            raise ValueError(
                f"xx has rank {self.rank_xx} of {self.d_in}, so it has no inverse square root; "
                'use kind="pca", which keeps the varying directions only'
            )
        if self.rank_xx == 0:
            raise ValueError("xx is zero: no input varies, so there is nothing to whiten")
        values, basis = self._eigen
        kept, scale = basis[:, ::-1][:, : self.rank_xx], values[::-1][: self.rank_xx] ** -0.5
        matrix = self._power(-0.5) if kind == "zca" else (kept * scale).T
        return Whitening(Moments(np.eye(matrix.shape[0]), self.yx @ matrix.T, self.yy), matrix)

    def optimum(self, rank: int | None = None) -> Array:
        """Return the matrix of least loss among those of at most this rank, (d_out, d_in) (`eq-optimum`).

        The one of least norm where xx is singular.
        """
        if rank is None:
            return self.yx @ self._power(-1.0)
        modes = self.whitened_modes()
        r = as_count("rank", rank, minimum=0)
        return modes.truncate(min(r, len(modes.s))).matrix() @ self._power(-0.5)

    def irreducible_loss(self, rank: int | None = None) -> float:
        """Return the least loss that a linear map of at most this rank reaches (`eq-irreducible-loss`)."""
        s = self.whitened_modes().s
        unexplained = max(self.yy_trace - float(np.sum(s**2)), 0.0)
        if rank is None:
            return 0.5 * unexplained
        return 0.5 * (unexplained + float(np.sum(s[as_count("rank", rank, minimum=0) :] ** 2)))


def _frozen(array: Array) -> Array:
    copy = np.array(array, dtype=np.float64)
    copy.setflags(write=False)
    return copy
