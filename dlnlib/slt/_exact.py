"""Two layers and a teacher of zero: the partition function at every temperature, as a Pfaffian of one-eigenvalue integrals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, as_array, as_scalar, as_widths, finite_result

__all__ = ["two_layer_energy", "two_layer_free_energy"]

_NODES = 24
_PANEL = 0.7  # length of a panel in log u
_MOST_EIGENVALUES = 10
_MOST_DEGREES = 200  # beyond, the weight is too narrow for the panels
_MOST_OUT = 1_000_000


def two_layer_free_energy(widths: Sequence[int], n_beta: ArrayLike, precision: float = 1.0) -> Array:
    """Return F = -log E_prior exp(-n_beta K), K = |W_2 W_1|^2/2, shape of n_beta (`eq-partition`).

    widths : (d_0, d_1, d_2), in any order one at most 10, one at most 200 and one at most a million. n_beta : any shape, from 0
    to 1e9 times precision^2. precision : of the Gaussian prior of every weight. Exact, by quadrature: error below 1e-10 (1 + F).
    One layer integrated out leaves the eigenvalues u of a Wishart matrix, each with a factor
    (1 + n_beta u/precision^2)^(-d/2); the integral over all of them is a Pfaffian (de Bruijn 1955).
    """
    return _over(widths, n_beta, precision)[0]


def two_layer_energy(widths: Sequence[int], n_beta: ArrayLike, precision: float = 1.0) -> Array:
    """Return n_beta E[K] of the same network, what a perfect sampler reports for lambda at this temperature (`eq-energy-slope`).

    It is dF / d log n_beta. Arguments as in `two_layer_free_energy`.
    """
    return _over(widths, n_beta, precision)[1]


def _over(widths: Sequence[int], n_beta: ArrayLike, precision: float) -> tuple[Array, Array]:
    sizes = as_widths(widths)
    if len(sizes) != 3:
        raise ValueError(f"widths must be (d_0, d_1, d_2), got {sizes}")
    if min(sizes) > _MOST_EIGENVALUES:
        raise ValueError(f"one of the widths must be at most {_MOST_EIGENVALUES}, got {sizes}; sample with slt.gibbs instead")
    if sorted(sizes)[1] > _MOST_DEGREES or max(sizes) > _MOST_OUT:
        raise ValueError(
            f"the two largest widths must be at most {_MOST_DEGREES} and {_MOST_OUT:,}, got {sizes}; "
            "beyond, the quadrature is not trusted"
        )
    b, gamma = as_array("n_beta", n_beta), as_scalar("precision", precision, positive=True)
    with np.errstate(over="ignore", under="ignore"):
        t = b / gamma / gamma
    if np.any(b < 0) or np.any(t > 1e9):
        raise ValueError("n_beta must be from 0 to 1e9 times precision^2; beyond, the quadrature is not trusted")
    # E exp(-t |W2 W1|^2/2) does not change when the widths are permuted: k eigenvalues, of a Wishart matrix with `dof`, and
    # the width that is integrated out.
    k, dof, out = sorted(sizes)
    grid, rule = _panels(k, dof, out, t.max(initial=0.0))
    at_zero, _ = _log_pfaffian(k, dof, out, 0.0, grid, rule)
    free, energy = np.empty(t.size), np.empty(t.size)
    for i, value in enumerate(t.ravel()):
        log_z, energy[i] = _log_pfaffian(k, dof, out, float(value), grid, rule)
        free[i] = at_zero - log_z
    shape = b.shape
    return finite_result("the free energy", free.reshape(shape)), finite_result("the energy", energy.reshape(shape))


def _panels(k: int, dof: int, out: int, largest: float) -> tuple[Array, tuple[Array, Array, Array]]:
    """Return nodes in u, log-spaced panels of Gauss-Legendre nodes, and their rule: weights, lengths, integration matrix."""
    # Below, u^{1/2} has left a share of 1e-11; above, the largest eigenvalue is eight or more deviations from its edge.
    low = np.log(1e-22) - np.log1p(largest * out)
    high = 2 * np.log(np.sqrt(dof) + np.sqrt(k) + 10)
    edges = np.linspace(low, high, int(np.ceil((high - low) / _PANEL)) + 1)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    half = np.diff(edges) / 2
    grid = np.exp((edges[:-1] + half)[:, None] + half[:, None] * nodes)
    # Row i integrates the interpolating polynomial from -1 to node i.
    values = np.polynomial.legendre.legvander(nodes, _NODES - 1)
    inverse = values.T * weights * (np.arange(_NODES)[:, None] + 0.5)
    primitive = np.stack([np.polynomial.legendre.Legendre.basis(j).integ(lbnd=-1)(nodes) for j in range(_NODES)], axis=1)
    return grid, (weights, half, primitive @ inverse)


def _log_pfaffian(k: int, dof: int, out: int, t: float, u: Array, rule: tuple[Array, Array, Array]) -> tuple[float, float]:
    """Return log Z(t) up to a constant that does not depend on t, and -dlog Z/dlog t."""
    weights, half, cumulate = rule
    # Density of the eigenvalues in log u: the factor u is the change of variables.
    log_w = (dof - k + 1) / 2 * np.log(u) - u / 2 - out / 2 * np.log1p(t * u)
    top = log_w.max()
    rule_weights = half[:, None] * weights
    root = np.sqrt(rule_weights)
    # Functions w p_i, with polynomials p_i such that these are orthonormal, in place of powers: the Pfaffian has no cancellation,
    # however far apart the scales of the eigenvalues are. R keeps the change of basis.
    powers = (u / u.max()).ravel()[:, None] ** np.arange(k)
    Q, R = np.linalg.qr((root * np.exp(log_w - top)).ravel()[:, None] * powers)
    functions = Q.reshape(*u.shape, k) / root[..., None]
    rate = -out / 2 * t * u / (1 + t * u)  # d log w / d log t
    A, dA = _skew(functions, rate, rule_weights, half, cumulate)
    log_det = np.linalg.slogdet(A)[1]
    slope = 0.5 * np.trace(np.linalg.solve(A, dA))
    log_z = k * top + float(np.sum(np.log(np.abs(np.diagonal(R))))) + 0.5 * float(log_det)
    return log_z, -float(slope)


def _skew(f: Array, rate: Array, rule_weights: Array, half: Array, cumulate: Array) -> tuple[Array, Array]:
    """Return the matrix of integrals of sign(y - x) f_i(x) f_j(y), and its derivative; bordered for odd k."""
    k = f.shape[-1]

    def integral(g: Array) -> Array:
        return np.tensordot(rule_weights, g, axes=((0, 1), (0, 1)))

    def signed(g: Array, total: Array) -> Array:
        inside = half[:, None, None] * np.einsum("ab,pbi->pai", cumulate, g)
        ends = np.cumsum(np.sum(rule_weights[..., None] * g, axis=1), axis=0)
        before = np.concatenate([np.zeros((1, k)), ends[:-1]])
        return 2 * (before[:, None] + inside) - total

    moved = f * rate[..., None]
    total, total_moved = integral(f), integral(moved)
    F, dF = signed(f, total), signed(moved, total_moved)
    A = np.einsum("pa,pai,paj->ij", rule_weights, F, f)
    dA = np.einsum("pa,pai,paj->ij", rule_weights, dF, f) + np.einsum("pa,pai,paj->ij", rule_weights, F, moved)
    A, dA = (A - A.T) / 2, (dA - dA.T) / 2
    if k % 2 == 0:
        return A, dA
    return _bordered(A, total), _bordered(dA, total_moved)


def _bordered(A: Array, edge: Array) -> Array:
    k = len(A)
    full = np.zeros((k + 1, k + 1))
    full[:k, :k], full[:k, k], full[k, :k] = A, edge, -edge
    return full
