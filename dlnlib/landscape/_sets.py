"""Critical sets, their losses and their Hessian indices, from the singular values alone.

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

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import comb

import numpy as np

from dlnlib._validate import Array, as_count, as_moments, as_widths
from dlnlib.moments import Moments

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
    modes = as_moments(moments).whitened_modes()
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
    Source: the derivation at the head of dlnlib.landscape._sets; for L >= 3, Achour, Malgouyres & Gerchinovitz 2024 classify
    all points as strict or not.
    """
    h, L = as_count("hidden", hidden), as_count("depth", depth, minimum=2)
    s = as_moments(moments).whitened_modes()
    chosen = as_mode_set(modes, s.rank, h)
    if L == 2:
        if middle_rank is not None:
            raise ValueError("middle_rank belongs to depth 3 and more: two layers have no middle layer; leave it out")
        return _index(s.s[: s.rank], chosen, h)
    m = len(chosen) if middle_rank is None else as_count("middle_rank", middle_rank, minimum=0)
    if not len(chosen) <= m <= h:
        raise ValueError(f"middle_rank must lie between {len(chosen)}, the modes learnt, and hidden = {h}, got {m}")
    return _index(s.s[: s.rank], chosen, m)


def canonical_spectrum(moments: Moments, modes: Sequence[int], widths: Sequence[int]) -> Array:
    """Return all Hessian eigenvalues at the balanced critical point, for white inputs, in increasing order.

    With p = 2 - 2/L, i and k in I, j outside I with s_j > 0, r = |I|, q = number of non-zero s (`eq-block-spectrum`):
    s_i^{1 - 2/L} (s_i + s_j) and s_i^{1 - 2/L} (s_i - s_j) for each pair (i, j); s_i^p, d_in + d_out - 2q times;
    sum_l s_i^{2(l-1)/L} s_k^{2(L-l)/L} for each ordered pair (i, k); for L = 2 also +s_j and -s_j, h - r times each;
    zero for the rest. The top one at the global minimum is L s_1^p.

    modes, widths as in `critical_point`; returns (n_parameters,). Exact; raises ValueError unless xx = I, because the
    eigenvalues (not their signs) change under whitening.
    """
    sizes = as_widths(widths, moments, hidden=True)
    if not moments.is_white():
        raise ValueError("canonical_spectrum needs white inputs, xx = I; use classify for the Hessian of other points")
    spectrum = moments.whitened_modes()
    q, L, h = spectrum.rank, len(sizes) - 1, min(sizes[1:-1])
    chosen = list(as_mode_set(modes, q, h))
    s, other = spectrum.s[chosen], np.delete(spectrum.s[:q], chosen)
    powers = np.arange(L)
    pairs = np.sum(s[:, None, None] ** (2 * powers / L) * s[None, :, None] ** (2 * (L - 1 - powers) / L), axis=-1)
    scale = s[:, None] ** (1 - 2 / L)
    alone = np.repeat(s ** (2 - 2 / L), sizes[0] + sizes[-1] - 2 * q)
    idle = np.repeat(other, h - len(s)) if L == 2 else np.empty(0)
    parts = [pairs.ravel(), (scale * (s[:, None] + other)).ravel(), (scale * (s[:, None] - other)).ravel()]
    found = np.concatenate([*parts, alone, idle, -idle])
    total = sum(m * n for m, n in zip(sizes[1:], sizes[:-1], strict=True))
    return np.sort(np.concatenate([found, np.zeros(total - len(found))]))


def _index(s: Array, chosen: tuple[int, ...], middle_rank: int) -> int:
    learnt, other = s[list(chosen)], np.delete(s, chosen)
    # Equal strengths are a continuum of critical points: rounding must not make one of them look stronger.
    swaps = int(np.sum(other[None, :] > learnt[:, None] * (1 + 1e-10)))
    return swaps + (middle_rank - len(chosen)) * len(other)


def as_mode_set(modes: Sequence[int], available: int, hidden: int) -> tuple[int, ...]:
    """Return the set of learnt modes I, increasing, which must be among those available and fit the hidden units."""
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
