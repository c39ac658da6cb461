"""The loss landscape: every critical set, its loss and its Hessian index, points on it, and tests of a given point.

Derivation of the index, for any depth L. Whitening, W_1 -> W_1 xx^{1/2}, changes coordinates linearly and so keeps the
signs of the Hessian's eigenvalues; let xx = I, yx = sum_k s_k U_k V_k^T. At a critical point with learnt set I the
error correlation is E = sum_{j not in I} s_j U_j V_j^T. If its ends are tight, W_L^T E = 0 and E W_1^T = 0 (for L = 2
these are the two gradients, so they always are), the second variation of the loss in directions D_l is

    1/2 ||sum_l W_L..W_{l+1} D_l W_{l-1}..W_1||^2 - <E, D_L M D_1>,    M = W_{L-1} ... W_2  (M = I when L = 2),

because every other pair of layers meets E through W_L or W_1. Put x = D_1 V_j and y = D_L^T U_j for one unlearnt j with
s_j > 0. W_1 V_j = 0 and W_L^T U_j = 0, so no square mixes them with anything else; they bring

    1/2 (M x)^T A (M x) + 1/2 y^T B y - s_j y^T (M x),    A = W_L^T W_L,    B = (M W_1) (M W_1)^T,

and all remaining directions enter squares only, so they are never negative. M x runs through the range of M, and only
the part of y in that range counts. With A and B compressed to it, the block [[A, -s_j], [-s_j, B]] has as many negative
eigenvalues as A B has eigenvalues below s_j^2 (Schur complement; its determinant is det(A B - s_j^2)). The eigenvalues
of A B are those of W W^T, which are s_i^2 for i in I, and then rank(M) - |I| zeros. Hence

    index = #{(i, j): i in I, j not in I, s_j > s_i} + (rank(M) - |I|) #{j not in I: s_j > 0}.

The first term swaps a learnt mode for a stronger one, the second wakes a path of hidden units that carries nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, Weights, as_array, as_count, as_rng, as_scalar, as_weights, as_widths
from dlnlib.hessian import hessian
from dlnlib.initialise import from_product, gaussian
from dlnlib.moments import Moments
from dlnlib.network import _product, flatten, layer_gradients, loss_of_product, unflatten, widths

__all__ = [
    "Classification",
    "CriticalPoints",
    "CriticalSet",
    "canonical_spectrum",
    "classify",
    "critical_levels",
    "critical_point",
    "critical_sets",
    "escape_direction",
    "find_critical_points",
    "predicted_index",
]

_MOST_SETS = 200_000


@dataclass(frozen=True, eq=False)
class CriticalSet:
    """All critical points whose end-to-end matrix has learnt exactly the modes I and nothing of the others.

    modes : indices I into `moments.whitened_modes()`, from 0, increasing.
    loss : the value of the loss, one for the whole set (`eq-critical-loss`).
    index : number of negative Hessian eigenvalues, as `predicted_index` gives it for the depth asked for.
    """

    modes: tuple[int, ...]
    loss: float
    index: int
    _left: Array = field(repr=False)
    _right: Array = field(repr=False)

    @property
    def rank(self) -> int:
        """Number of modes learnt."""
        return len(self.modes)

    @property
    def product(self) -> Array:
        """The end-to-end matrix U_I U_I^T yx xx^{-1}, (d_out, d_in) (`eq-critical-product`)."""
        chosen = list(self.modes)
        return self._left[:, chosen] @ self._right[chosen]


def critical_sets(moments: Moments, hidden: int, *, depth: int = 2) -> list[CriticalSet]:
    """Return every critical set of a network whose narrowest hidden layer has `hidden` units, by rank, then in order.

    Each set I of at most min(hidden, q) modes out of the q with s_k > 0 is one, with
    W = U_I U_I^T yx xx^{-1} (`eq-critical-product`), loss = 1/2 (tr yy - sum_{i in I} s_i^2) (`eq-critical-loss`)
    and, for two layers, the index of `eq-hessian-index`. U and s are those of `moments.whitened_modes()`.

    hidden : smallest hidden width h. depth : number of layers; it changes the index only, see `predicted_index`.
    Exact for every xx; where xx is singular, xx^{-1} is the pseudo-inverse and W is free on inputs that never vary.
    Equal s_k merge sets into continua: an entry is then one representative, obtained with one choice of singular
    vectors, and several entries can lie on the same continuum; loss and index are still right.
    Raises ValueError above 200,000 sets. Source: Baldi & Hornik 1989, fact 4, for L = 2; every depth has the same sets.
    """
    h, L = as_count("hidden", hidden), as_count("depth", depth, minimum=2)
    modes = moments.whitened_modes()
    q = modes.rank
    most = min(h, q)
    count = sum(comb(q, r) for r in range(most + 1))
    if count > _MOST_SETS:
        raise ValueError(
            f"{q} modes and {h} hidden units make {count:,} critical sets, more than {_MOST_SETS:,}; lower hidden, "
            "or take a task of fewer modes (Moments of yx's leading modes), or ask predicted_index about chosen sets"
        )
    right = modes.U.T @ moments.optimum()
    floor, squares = moments.irreducible_loss(), modes.s[:q] ** 2
    result = []
    for r in range(most + 1):
        for chosen in combinations(range(q), r):
            missed = float(np.sum(np.delete(squares, chosen)))
            index = _index(modes.s[:q], chosen, h if L == 2 else r)
            result.append(CriticalSet(chosen, floor + 0.5 * missed, index, modes.U, right))
    return result


def predicted_index(
    moments: Moments, modes: Sequence[int], hidden: int, depth: int = 2, *, middle_rank: int | None = None
) -> int:
    """Return the number of negative Hessian eigenvalues at critical points that have learnt these modes.

    index = #{(i, j): i in I, j not in I, s_j > s_i} + (m - |I|) #{j not in I: s_j > 0}   (`eq-hessian-index`)

    where m = rank(W_{L-1} ... W_2). Two layers: that product is empty and m = h, so the formula holds at every critical
    point. Depth >= 3: it holds at the points with W_L^T E = 0 and E W_1^T = 0, and m is by default |I|, which is
    what balanced points have, and all points whose every layer has rank |I|; only swaps then lower the loss to
    second order (`eq-deep-index`). xx need not be white. Points of depth >= 3 outside this class exist.

    modes : I, indices from 0. hidden : narrowest hidden width h. middle_rank : m, from |I| to h, for depth >= 3.
    The same derivation gives the signs for singular xx. Modes with equal strength never count as a swap.
    Source: the derivation at the head of this module; for L >= 3, Achour, Malgouyres & Gerchinovitz 2024 classify
    all points as strict or not.
    """
    h, L = as_count("hidden", hidden), as_count("depth", depth, minimum=2)
    s = moments.whitened_modes()
    chosen = _as_modes(modes, s.rank, h)
    if L == 2:
        if middle_rank is not None:
            raise ValueError("middle_rank belongs to depth 3 and more: two layers have no middle layer; leave it out")
        return _index(s.s[: s.rank], chosen, h)
    m = len(chosen) if middle_rank is None else as_count("middle_rank", middle_rank, minimum=0)
    if not len(chosen) <= m <= h:
        raise ValueError(f"middle_rank must lie between {len(chosen)}, the modes learnt, and hidden = {h}, got {m}")
    return _index(s.s[: s.rank], chosen, m)


def critical_point(
    moments: Moments,
    modes: Sequence[int],
    widths: Sequence[int],
    *,
    rng: np.random.Generator | None = None,
    inactive: float = 0.0,
    middle: float = 0.0,
    mix: float | None = None,
) -> Weights:
    """Return weights at one critical point that has learnt exactly these modes (`eq-critical-product`).

    By default the balanced point with W_L ... W_1 = U_I U_I^T yx xx^{-1}, in which hidden units beyond |I| are zero.

    modes : I, indices into `moments.whitened_modes()`. widths : (d_0, ..., d_L), L >= 2, any hidden widths >= |I|.
    inactive : length of the incoming weights R of each unused unit of the first hidden layer. They keep the point
        critical if and only if E R^T = 0, E = yx - W xx: they read learnt modes (through xx^{-1}) or inputs
        uncorrelated with the outputs. None exist when I is empty and yx has rank d_in.
    middle : size (standard deviation times sqrt width) of Gaussian weights between unused units of the middle layers,
        for L >= 3; they raise rank(W_{L-1} ... W_2) and with it the index, and leave the loss alone.
    mix : condition number (>= 1) of random matrices C_l in GL(d_l) applied along the orbit, W_l -> C_l W_l C_{l-1}^{-1}.
        All of it preserves loss and critical set; inactive and mix also preserve the index.
    rng : needed when any of the three is used. Rounding grows with mix.
    """
    sizes = as_widths(widths)
    _check_widths(moments, sizes)
    spectrum = moments.whitened_modes()
    chosen = _as_modes(modes, spectrum.rank, min(sizes[1:-1]))
    amplitude, between = (as_scalar(n, v, nonnegative=True) for n, v in (("inactive", inactive), ("middle", middle)))
    U = spectrum.U[:, list(chosen)]
    layers = [W.copy() for W in from_product(U @ (U.T @ moments.optimum()), sizes)]
    if amplitude > 0:
        layers[0] += amplitude * _inactive_rows(moments, U, sizes[1], as_rng(rng))
    if between > 0:
        _fill_middle(layers, len(chosen), between, as_rng(rng))
    if mix is not None:
        layers = _mixed(layers, as_scalar("mix", mix), as_rng(rng))
    return tuple(layers)


def canonical_spectrum(moments: Moments, modes: Sequence[int], widths: Sequence[int]) -> Array:
    """Return all Hessian eigenvalues at the balanced critical point, for white inputs, in increasing order.

    With p = 2 - 2/L, i and k in I, j outside I with s_j > 0, r = |I|, q = number of non-zero s (`eq-block-spectrum`):
    s_i^{1 - 2/L} (s_i + s_j) and s_i^{1 - 2/L} (s_i - s_j) for each pair (i, j); s_i^p, d_in + d_out - 2q times;
    sum_l s_i^{2(l-1)/L} s_k^{2(L-l)/L} for each ordered pair (i, k); for L = 2 also +s_j and -s_j, h - r times each;
    zero for the rest. The top one at the global minimum is L s_1^p.

    modes, widths as in `critical_point`; returns (n_parameters,). Exact; raises ValueError unless xx = I, because the
    eigenvalues (not their signs) change under whitening.
    """
    sizes = as_widths(widths)
    _check_widths(moments, sizes)
    if not moments.is_white():
        raise ValueError("canonical_spectrum needs white inputs, xx = I; use classify for the Hessian of other points")
    spectrum = moments.whitened_modes()
    q, L, h = spectrum.rank, len(sizes) - 1, min(sizes[1:-1])
    chosen = list(_as_modes(modes, q, h))
    s, other = spectrum.s[chosen], np.delete(spectrum.s[:q], chosen)
    powers = np.arange(L)
    pairs = np.sum(
        s[:, None, None] ** (2 * powers / L) * s[None, :, None] ** (2 * (L - 1 - powers) / L), axis=-1
    )
    scale = s[:, None] ** (1 - 2 / L)
    alone = np.repeat(s ** (2 - 2 / L), sizes[0] + sizes[-1] - 2 * q)
    idle = np.repeat(other, h - len(s)) if L == 2 else np.empty(0)
    parts = [pairs.ravel(), (scale * (s[:, None] + other)).ravel(), (scale * (s[:, None] - other)).ravel()]
    found = np.concatenate([*parts, alone, idle, -idle])
    total = sum(m * n for m, n in zip(sizes[1:], sizes[:-1], strict=True))
    return np.sort(np.concatenate([found, np.zeros(total - len(found))]))


@dataclass(frozen=True, eq=False)
class Classification:
    """What a point of the landscape is.

    kind : "global minimum", "strict saddle" (some negative curvature), "non-strict saddle" (no negative curvature, yet
        no minimum) or "not critical".
    index, nullity : numbers of Hessian eigenvalues below -tol and within tol of zero, tol relative to `curvature_scale`.
    eigenvalues : of the Hessian, (n_parameters,), increasing. gradient_norm : of all layers together.
    excess : loss above the least loss of the bottleneck rank.
    """

    kind: str
    index: int
    nullity: int
    eigenvalues: Array
    gradient_norm: float
    loss: float
    excess: float
    curvature_scale: float


def classify(weights: Sequence[ArrayLike], moments: Moments, *, tol: float = 1e-8) -> Classification:
    """Say what kind of critical point this is, from its gradient, its Hessian and its loss.

    Critical: gradient norm <= tol * scale, the larger of the data's natural gradient |yx| w^{1 - 1/L},
    w = |yx| / |xx|, and the size of the terms that cancel in the gradient here. Eigenvalues count as zero within
    tol * max(|yx| w^{1 - 2/L}, largest |eigenvalue|). Norms are spectral; all scales follow a change of units of x and y.
    Where no eigenvalue is negative the Hessian alone cannot tell a minimum from a non-strict saddle. There the
    theorem decides that every local minimum is global (Baldi & Hornik 1989 for L = 2, Kawaguchi 2016 and Lu & Kawaguchi
    2017 for any depth): a minimum if and only if the loss is the least one for the rank of the narrowest layer,
    within tol * sum s_k^2 / 2, and otherwise a non-strict saddle.

    weights : one network, no batch axes. tol : raise it for points found by search: next to a non-strict saddle
    the curvature is off by about (gradient)^{(L-2)/(L-1)}, far more than the gradient.
    A true curvature below the tolerance is read as zero.
    """
    layers = as_weights(weights, moments)
    t = as_scalar("tol", tol, positive=True)
    H = hessian(layers, moments)
    eigenvalues = np.linalg.eigvalsh(H)
    grads = layer_gradients(layers, moments)
    gradient_norm = float(np.sqrt(sum(np.sum(g**2) for g in grads)))
    gradient_scale, curvature = _scales(layers, moments)
    curvature = max(curvature, float(np.abs(eigenvalues).max()))
    index, nullity = int(np.sum(eigenvalues < -t * curvature)), int(np.sum(np.abs(eigenvalues) <= t * curvature))
    W = _product(layers)
    excess, explained = _excess(W, moments, min(widths(layers)))
    if gradient_norm > t * gradient_scale:
        kind = "not critical"
    elif index > 0:
        kind = "strict saddle"
    else:
        kind = "global minimum" if excess <= t * explained else "non-strict saddle"
    value = float(loss_of_product(W, moments))
    return Classification(kind, index, nullity, eigenvalues, gradient_norm, value, excess, curvature)


def escape_direction(weights: Sequence[ArrayLike], moments: Moments) -> tuple[float, Weights]:
    """Return the rate and the unit direction in which gradient flow leaves a strict saddle fastest.

    A small departure delta along it grows as delta exp(rate t), so that it takes ln(Delta / delta) / rate to reach Delta
    (`eq-escape-time`), up to terms of second order in Delta. rate = -(least Hessian eigenvalue), in units of 1/tau;
    direction : layers shaped like the weights, Euclidean norm 1; its sign is free. Raises ValueError where no curvature
    is negative (beyond rounding): there escape, if any, is slower than exponential.
    """
    layers = as_weights(weights, moments)
    values, vectors = np.linalg.eigh(hessian(layers, moments))
    if values[0] >= -1e-12 * max(float(np.abs(values).max()), _scales(layers, moments)[1]):
        raise ValueError(
            f"the least curvature here is {values[0]:.3g}, so nothing leaves this point exponentially fast; "
            "at a non-strict saddle escape is algebraic, see dlnlib.exact.plateau_time"
        )
    return float(-values[0]), unflatten(vectors[:, 0], widths(layers))


@dataclass(frozen=True, eq=False)
class CriticalPoints:
    """Critical points found by search: iterate over it for the weights; `losses` (n,), `n_dropped` did not converge."""

    points: tuple[Weights, ...]
    losses: Array
    n_dropped: int

    def __len__(self) -> int:
        return len(self.points)

    def __iter__(self) -> Iterator[Weights]:
        return iter(self.points)


def find_critical_points(
    moments: Moments,
    widths: Sequence[int],
    n: int,
    *,
    rng: np.random.Generator,
    spread: float = 1.0,
    tol: float = 1e-10,
    max_evaluations: int = 400,
) -> CriticalPoints:
    """Search for critical points from n random starts by nonlinear least squares on the gradient.

    Saddles attract this search as much as minima do: it minimises |gradient|^2 with the exact Hessian as Jacobian
    (scipy's trust-region method), not the loss. A search that stops elsewhere (|gradient|^2 has minima of its own) or
    that needs more than max_evaluations is dropped, and counted.

    widths : (d_0, ..., d_L). spread : starts are Gaussian with entries spread * w^{1/L}, w = |yx|/|xx|.
    tol : gradient norm allowed relative to the data's natural one, |yx| w^{1 - 1/L}.
    Finds what it finds: no search proves that a list is complete. For L >= 3 convergence to non-strict saddles is
    linear, so weights there are known to tol^{1/(L-1)} only; their loss is far better.
    """
    from scipy.optimize import least_squares

    sizes, count, generator = as_widths(widths), as_count("n", n), as_rng(rng)
    _check_widths(moments, sizes)
    small, width = as_scalar("tol", tol, positive=True), as_scalar("spread", spread, positive=True)
    budget = as_count("max_evaluations", max_evaluations)
    size, natural, _ = _natural(moments, len(sizes) - 1)
    if natural == 0:
        raise ValueError("yx is zero: the loss has no saddle, and every point with W xx = 0 is a minimum")

    def residual(vector: Array) -> Array:
        return flatten(layer_gradients(unflatten(vector, sizes), moments)) / natural

    def jacobian(vector: Array) -> Array:
        return hessian(unflatten(vector, sizes), moments) / natural

    points: list[Weights] = []
    for _ in range(count):
        start = flatten(gaussian(sizes, rng=generator, scale=width * size))
        fit = least_squares(
            residual, start, jacobian, method="trf", xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=budget
        )
        if np.linalg.norm(fit.fun) <= small:
            points.append(unflatten(fit.x, sizes))
    losses = np.array([float(loss_of_product(_product(p), moments)) for p in points])
    return CriticalPoints(tuple(points), losses, count - len(points))


def critical_levels(losses: ArrayLike, *, tol: float = 1e-6) -> list[tuple[float, int]]:
    """Group losses into levels: a list of (mean loss, how many), increasing.

    losses : (n,). Neighbours closer than tol times the largest loss belong to the same level.
    """
    values = np.sort(as_array("losses", losses, ndim=1))
    gap = as_scalar("tol", tol, nonnegative=True) * float(np.abs(values).max())
    groups = np.split(values, np.flatnonzero(np.diff(values) > gap) + 1)
    return [(float(g.mean()), len(g)) for g in groups]


def _index(s: Array, chosen: tuple[int, ...], middle_rank: int) -> int:
    learnt, other = s[list(chosen)], np.delete(s, chosen)
    # Equal strengths are a continuum of critical points: rounding must not make one of them look stronger.
    swaps = int(np.sum(other[None, :] > learnt[:, None] * (1 + 1e-10)))
    return swaps + (middle_rank - len(chosen)) * len(other)


def _as_modes(modes: Sequence[int], available: int, hidden: int) -> tuple[int, ...]:
    try:
        chosen = tuple(sorted(as_count("modes", k, minimum=0) for k in modes))
    except TypeError:
        raise ValueError(f"modes must be a sequence of indices such as (0, 2), got {modes!r}") from None
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"modes names the same mode twice: {chosen}")
    if chosen and chosen[-1] >= available:
        raise ValueError(f"modes must lie in 0..{available - 1}, the modes with s > 0 (from 0), got {chosen}")
    if len(chosen) > hidden:
        raise ValueError(f"{len(chosen)} modes do not pass through {hidden} hidden unit(s)")
    return chosen


def _check_widths(moments: Moments, sizes: tuple[int, ...]) -> None:
    if len(sizes) < 3:
        raise ValueError(f"widths must name at least two layers, (d_0, d_1, ..., d_L), got {sizes}")
    if (sizes[0], sizes[-1]) != (moments.d_in, moments.d_out):
        raise ValueError(f"widths {sizes} do not fit moments with d_in = {moments.d_in}, d_out = {moments.d_out}")


def _inactive_rows(moments: Moments, U: Array, units: int, rng: np.random.Generator) -> Array:
    """Return rows of unit length for the hidden units beyond |I|, drawn from the null space of E."""
    used = U.shape[1]
    if used == units:
        raise ValueError(f"all {units} hidden unit(s) of layer 1 are in use, so none can be inactive; widen it")
    E = moments.yx - U @ (U.T @ moments.yx)
    # Columns of E add up to nothing exactly where x lies in the span of xx^{-1} (learnt modes) or of unused inputs.
    _, s, Vt = np.linalg.svd(E)
    null = Vt[moments.whitened_modes().rank - used :]
    if len(null) == 0:
        raise ValueError(
            "no inactive weights exist: with no mode learnt and yx of rank d_in, every input is correlated with the error"
        )
    rows = rng.standard_normal((units - used, len(null))) @ null
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.concatenate([np.zeros((used, moments.d_in)), rows])


def _fill_middle(layers: list[Array], used: int, size: float, rng: np.random.Generator) -> None:
    if len(layers) < 3:
        raise ValueError("middle needs depth 3 or more: two layers have no middle layer")
    for W in layers[1:-1]:
        m, n = W.shape[0] - used, W.shape[1] - used
        W[used:, used:] = size / np.sqrt(max(m, n, 1)) * rng.standard_normal((m, n))


def _mixed(layers: list[Array], condition: float, rng: np.random.Generator) -> list[Array]:
    if condition < 1:
        raise ValueError(f"mix is a condition number, at least 1, got {condition:g}")
    for i in range(len(layers) - 1):
        d = layers[i].shape[0]
        left, right = (np.linalg.qr(rng.standard_normal((d, d)))[0] for _ in range(2))
        stretch = condition ** np.linspace(-0.5, 0.5, d) if d > 1 else np.ones(1)
        layers[i] = (left * stretch) @ (right @ layers[i])
        layers[i + 1] = ((layers[i + 1] @ right.T) / stretch) @ left.T
    return layers


def _natural(moments: Moments, depth: int) -> tuple[float, float, float]:
    """Return the sizes that entries, gradients and curvatures take for this data: the units of x and y cancel out."""
    yx, xx = float(np.linalg.norm(moments.yx, 2)), float(np.linalg.norm(moments.xx, 2))
    w = yx / xx if xx > 0 else 0.0
    return w ** (1 / depth), yx * w ** (1 - 1 / depth), yx * w ** (1 - 2 / depth) if w > 0 else 0.0


def _scales(layers: Weights, moments: Moments) -> tuple[float, float]:
    """Return the scales against which the gradient and the curvatures of this point are judged."""
    _, gradient, curvature = _natural(moments, len(layers))
    norms = [float(np.linalg.norm(W, 2)) for W in layers]
    signal = float(np.linalg.norm(moments.yx, 2) + np.linalg.norm(_product(layers) @ moments.xx, 2))
    terms = [signal * float(np.prod(norms[:i] + norms[i + 1 :])) for i in range(len(norms))]
    return max(gradient, *terms), curvature


def _excess(W: Array, moments: Moments, rank: int) -> tuple[float, float]:
    """Return the loss above the least one of this rank, and what there is to explain, free of the noise's rounding."""
    s = moments.whitened_modes().s
    gap = W - moments.optimum()
    above_best = 0.5 * float(np.sum((gap @ moments.xx) * gap))
    return above_best - 0.5 * float(np.sum(s[rank:] ** 2)), 0.5 * float(np.sum(s**2))
