"""How low the rank of a matrix is when no singular value is zero, and what depth does to it.

Effective and stable rank, their limits for products of wide random layers, the norm that a factorisation pays for, the
velocities of singular values in a deep factorisation, and what weight decay leaves of a mode.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._linalg import TINY, orthonormal, transpose
from dlnlib._validate import Array, as_array, as_count, as_rng, as_scalar, finite_result

__all__ = [
    "effective_rank",
    "end_to_end_velocity",
    "factorisation_cost",
    "lagging_strength",
    "random_product_ranks",
    "rank_of_spectrum",
    "shrinkage_threshold",
    "shrunk_strength",
    "singular_value_velocities",
    "stable_rank",
    "wide_effective_rank",
    "wide_stable_rank",
]


def effective_rank(matrix: ArrayLike, power: float = 1.0) -> Array:
    """Return exp(-sum_k p_k ln p_k), p_k = s_k^power / sum_j s_j^power, of the singular values s (`def-effective-rank`).

    matrix : (..., m, n). Returns (...), between 1 and the rank; a change of scale changes nothing.
    power : 1 for the effective rank of Roy & Vetterli 2007; 2 for the eigenvalues of the Gram matrix, which some authors
    take and which is never larger (`eq-entropy-slope`).
    Singular values below rounding of the largest count as they come out, which moves the answer by about 1e-14 r.
    Raises ValueError for a zero matrix, which has no spectrum to share out.
    """
    return rank_of_spectrum(np.linalg.svd(_as_matrix("matrix", matrix), compute_uv=False), power)


def rank_of_spectrum(s: ArrayLike, power: float = 1.0) -> Array:
    """Return the effective rank (`def-effective-rank`) of given singular values.

    s : (..., r), not negative, in any order and any unit. power : as in `effective_rank`; 0 counts those above zero.
    """
    values, exponent = as_array("s", s), as_scalar("power", power, nonnegative=True)
    if values.ndim < 1 or np.any(values < 0):
        raise ValueError("s must hold singular values (..., r), none of them negative")
    largest = values.max(axis=-1, keepdims=True)
    if np.any(largest == 0):
        raise ValueError("every singular value is zero: a zero matrix has no effective rank")
    # Only ratios count; dividing by the largest keeps extreme scales inside float64.
    share = values / largest
    weight = np.where(share > 0, np.where(share > 0, share, 1.0) ** exponent, 0.0)
    p = weight / weight.sum(axis=-1, keepdims=True)
    return np.exp(-np.sum(p * np.log(np.where(p > 0, p, 1.0)), axis=-1))


def stable_rank(matrix: ArrayLike) -> Array:
    """Return ||A||_F^2 / ||A||_2^2 (`def-stable-rank`) of matrices (..., m, n), shape (...), between 1 and the rank.

    It is never above the effective rank of the squares, `effective_rank(matrix, power=2)`.
    """
    s = np.linalg.svd(_as_matrix("matrix", matrix), compute_uv=False)
    if np.any(s[..., 0] == 0):
        raise ValueError("a zero matrix has no stable rank")
    finite_result("the largest singular value", np.asarray(s, dtype=np.float64))
    return np.sum((s / s[..., :1]) ** 2, axis=-1)


def wide_effective_rank(depth: int, power: float = 1.0) -> float:
    """Return the limit of erank(W_L ... W_1)/N for square Gaussian layers of variance 1/N (`eq-wide-effective-rank`).

    exp(ln m - k m'/m) at k = power/2, where m(k) = Gamma((L+1)k+1) / (Gamma(k+1) Gamma(Lk+2)) is E s^(2k) of the
    Fuss-Catalan law. power 1: 2 e^(4/3)/(3 pi) = 0.8050 at depth 1, about 3.79/L for large depth (`eq-rank-decay`).
    power 2, the Gram matrix: exp(-1/2 - 1/3 - ... - 1/(L+1)).
    depth : L. Exact as N -> inf at fixed L, for independent entries of mean 0 and equal variance, whatever their law;
    where L is of the order of N it is too low, since no effective rank falls below 1.
    """
    from scipy.special import digamma, gammaln

    L, k = as_count("depth", depth), 0.5 * as_scalar("power", power, nonnegative=True)
    if k > 1e6:
        raise ValueError(f"power must be at most 2,000,000, got {power:g}: only the largest singular value counts there")
    log_moment = gammaln((L + 1) * k + 1) - gammaln(k + 1) - gammaln(L * k + 2)
    slope = (L + 1) * digamma((L + 1) * k + 1) - digamma(k + 1) - L * digamma(L * k + 2)
    return float(np.exp(log_moment - k * slope))


def wide_stable_rank(depth: int) -> float:
    """Return the limit of the stable rank over N of a product of square Gaussian layers, L^L/(L+1)^(L+1).

    depth : L. The mean square is 1 and the largest singular value tends to the edge of `eq-fuss-catalan`.
    At finite N the largest value lies below the edge, and the stable rank above the limit.
    """
    L = as_count("depth", depth)
    return float(np.exp(-L * np.log1p(1 / L)) / (L + 1.0))


def random_product_ranks(
    ensemble: str, width: int, depths: Sequence[int], *, draws: int, rng: np.random.Generator, power: float = 1.0
) -> Array:
    """Return effective ranks of products of random square layers, (n_depths, draws) (`def-effective-rank`).

    ensemble : "gaussian" or "uniform", independent entries of mean 0 and variance 1/N, or "orthogonal", uniform on the
    orthogonal group. width : N. depths : increasing; a deeper product is a shallower one continued. draws : products.
    power : as in `effective_rank`.
    """
    N, many, generator = as_count("width", width), as_count("draws", draws), as_rng(rng)
    try:
        wanted = [as_count("depths", L) for L in depths]
    except TypeError:
        raise ValueError(f"depths must be a list of integers, got {depths!r}") from None
    if ensemble not in ("gaussian", "uniform", "orthogonal"):
        raise ValueError(f'ensemble must be "gaussian", "uniform" or "orthogonal", got {ensemble!r}')
    if not wanted or sorted(set(wanted)) != wanted or wanted[-1] > 1000:
        raise ValueError(f"depths must increase strictly, up to 1000, got {wanted}")
    W, found = np.broadcast_to(np.eye(N), (many, N, N)), []
    for L in range(1, wanted[-1] + 1):
        if ensemble == "gaussian":
            layer = generator.standard_normal((many, N, N)) / np.sqrt(N)
        elif ensemble == "uniform":
            layer = generator.uniform(-1, 1, (many, N, N)) * np.sqrt(3 / N)
        else:
            layer = orthonormal(N, N, generator, (many,))
        W = layer @ W
        # Scale does not matter, and without this long products of narrow layers would leave float64.
        W = W / np.abs(W).max(axis=(-2, -1), keepdims=True)
        if L in wanted:
            found.append(effective_rank(W, power))
    return np.array(found)


def factorisation_cost(matrix: ArrayLike, depth: int) -> Array:
    """Return the least sum of squared entries of L layers with this product, L sum_k s_k^(2/L) (`eq-schatten`).

    matrix : (..., m, n). depth : L. Returns (...). Attained by `initialise.from_product`; every hidden layer must be as
    wide as the rank. For L = 2 twice the nuclear norm, for L > 2 a quasi-norm to a power: it favours low rank.
    """
    s, L = np.linalg.svd(_as_matrix("matrix", matrix), compute_uv=False), as_count("depth", depth)
    with np.errstate(over="ignore"):
        return finite_result("the cost", L * np.sum(s ** (2 / L), axis=-1))


def end_to_end_velocity(W: ArrayLike, gradient: ArrayLike, depth: int) -> Array:
    """Return dW/dt of the product of L balanced layers under gradient flow (`eq-balanced-velocity`).

    -sum_l (W W^T)^((L-l)/L) G (W^T W)^((l-1)/L), l = 1..L. W, gradient : (..., m, n), G = dLoss/dW. depth : L.
    Exact for balanced layers, any smooth loss of the product and any hidden widths that carry the rank.
    Source: Arora, Cohen & Hazan 2018.
    """
    A, G, L = _as_pair(W, gradient, depth)
    if L == 1:
        return -G
    U, s, Vt = np.linalg.svd(A, full_matrices=True)
    m, n = A.shape[-2:]
    left, right = _padded(s, m), _padded(s, n)
    with np.errstate(over="ignore", invalid="ignore"):
        inside = transpose(U) @ G @ transpose(Vt)
        # 0**0 = 1 is wanted: a power zero is the identity, on the null space too.
        factor = sum(left[..., :, None] ** (2 * (L - k) / L) * right[..., None, :] ** (2 * (k - 1) / L) for k in range(1, L + 1))
        return finite_result("the velocity", -(U @ (factor * inside) @ Vt))


def singular_value_velocities(W: ArrayLike, gradient: ArrayLike, depth: int) -> Array:
    """Return ds_k/dt = -L s_k^(2-2/L) U_k^T G V_k of the product of L balanced layers (`eq-singular-velocity`).

    W, gradient : (..., m, n), G = dLoss/dW at W. depth : L. Returns (..., min(m, n)), in decreasing order of s.
    Where singular values coincide their vectors are not unique, and neither is the answer. Source: Arora et al. 2019.
    """
    A, G, L = _as_pair(W, gradient, depth)
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    with np.errstate(over="ignore", invalid="ignore"):
        pull = -np.einsum("...ik,...ij,...kj->...k", U, G, Vt)
        return finite_result("the velocities", L * s ** (2 - 2 / L) * pull)


def lagging_strength(leader: ArrayLike, ratio: ArrayLike, u0: float, depth: int) -> Array:
    """Return the strength of a mode pulled `ratio` times as hard, when the leading one has reached a strength (`eq-lag`).

    Both start at u0 in L balanced layers and are pulled by constant forces, ds/dt = L g s^(2-2/L).
    leader : (...), at least u0. ratio : (...), from 0 to 1. u0 : positive. depth : L.
    With p = 1 - 2/L it is ((1 - ratio) u0^(-p) + ratio leader^(-p))^(-1/p), for two layers u0 (leader/u0)^ratio: never
    above u0 (1 - ratio)^(-1/p) when L > 2.
    """
    top, share = as_array("leader", leader), as_array("ratio", ratio)
    start, L = as_scalar("u0", u0, positive=True), as_count("depth", depth)
    if np.any((share < 0) | (share > 1)):
        raise ValueError(f"ratio must lie between 0 and 1, got values from {share.min():g} to {share.max():g}")
    if np.any(top < start):
        raise ValueError(f"leader must be at least u0 = {start:g}, got {top.min():g}")
    try:
        top, share = np.broadcast_arrays(top, share)
    except ValueError:
        raise ValueError(f"leader {top.shape} and ratio {share.shape} do not broadcast") from None
    p = 1 - 2 / L
    with np.errstate(over="ignore"):
        growth = np.log(top) - np.log(start)
        if L == 2:
            return finite_result("the strength", start * np.exp(share * growth))
        # In units of u0, and by expm1, so that depths near two lose nothing.
        less = np.where(share < 1, share, 0.0)  # the whole pull leads to the leader, however far that is
        log_ratio = -np.log1p(less * np.expm1(-p * growth)) / p if L > 2 else np.log1p(less * np.expm1(growth))
        log_ratio = np.where(share < 1, log_ratio, growth)
        return finite_result("the strength", np.exp(np.log(start) + log_ratio))


def shrinkage_threshold(decay: float, depth: int) -> float:
    """Return the target strength below which weight decay leaves a mode at zero (`eq-threshold`).

    decay : omega, of omega/2 sum ||W_l||^2, positive. depth : L. 0 for L = 1, omega for L = 2, and for deeper networks
    (L-1)/(L-2) (omega (L-2))^(L/(2L-2)), where the strength jumps from 0 to (L-2)/(L-1) of the target.
    """
    omega, L = as_scalar("decay", decay, positive=True), as_count("depth", depth)
    if L <= 2:
        return 0.0 if L == 1 else omega
    log = np.log(L - 1.0) - np.log(L - 2.0) + L / (2 * L - 2) * (np.log(omega) + np.log(L - 2.0))
    with np.errstate(over="ignore"):
        return float(finite_result("the threshold", np.exp(np.asarray(log))))


def shrunk_strength(s: ArrayLike, decay: float, depth: int) -> Array:
    """Return the strength u >= 0 with the least (s - u)^2/2 + omega/2 L u^(2/L) (`eq-shrinkage`).

    What weight decay leaves of a mode of a white task: s/(1 + omega) for one layer, s - omega or 0 for two, and for more
    the larger root of s = u + omega u^(2/L - 1) above `shrinkage_threshold`, 0 below (at the threshold both are best).
    s : (...), not negative. decay : omega, positive. depth : L. The root is bisected to rounding.
    """
    targets, L = as_array("s", s), as_count("depth", depth)
    omega = as_scalar("decay", decay, positive=True)
    if np.any(targets < 0):
        raise ValueError(f"s must not be negative, got {targets.min():g}")
    if L == 1:
        return targets / (1 + omega)
    if L == 2:
        return np.maximum(targets - omega, 0.0)
    least = shrinkage_threshold(omega, L)
    low, high = targets * ((L - 2) / (L - 1)), targets
    for _ in range(60):
        middle = 0.5 * low + 0.5 * high
        with np.errstate(over="ignore"):
            beyond = middle + omega * np.maximum(middle, TINY) ** (2 / L - 1) > targets
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    return np.where(targets > least, 0.5 * low + 0.5 * high, 0.0)


def _as_matrix(name: str, value: ArrayLike) -> Array:
    matrix = as_array(name, value)
    if matrix.ndim < 2:
        raise ValueError(f"{name} must have shape (..., m, n), got {matrix.shape}")
    return matrix


def _as_pair(W: ArrayLike, gradient: ArrayLike, depth: int) -> tuple[Array, Array, int]:
    A, G = _as_matrix("W", W), _as_matrix("gradient", gradient)
    if A.shape != G.shape:
        raise ValueError(f"gradient must have the shape {A.shape} of W, got {G.shape}")
    return A, G, as_count("depth", depth)


def _padded(s: Array, size: int) -> Array:
    """Return singular values (..., r) with zeros behind them, (..., size)."""
    return np.concatenate([s, np.zeros((*s.shape[:-1], size - s.shape[-1]))], axis=-1)
