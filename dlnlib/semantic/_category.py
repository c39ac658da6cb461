"""When a category can be seen at all: a block planted in noise, in the limit of large tables."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, as_array, as_count, as_scalar, finite_result

__all__ = ["category_overlap", "category_singular_value", "category_threshold", "coherence"]


def coherence(features: int, shared: int, members: int, mean: ArrayLike) -> Array:
    """Return the coherence of a planted category, mean * sqrt(shared * members / features) (`def-coherence`).

    The singular value of the block alone, where the noise is scaled to variance 1 / features. See
    `datasets.planted_category` for features, shared, members and mean (any shape).
    """
    rows, k, n = as_count("features", features), as_count("shared", shared), as_count("members", members)
    if k > rows:
        raise ValueError(f"shared must be at most features, got {k} and {rows}")
    with np.errstate(over="ignore"):
        return finite_result("the coherence", np.abs(as_array("mean", mean)) * np.sqrt(float(k) * n / rows))[()]


def category_threshold(ratio: float) -> float:
    """Return the coherence below which a category leaves no trace in the leading mode, ratio^(1/4) (`eq-coherence`).

    ratio : items over features.
    """
    return float(as_scalar("ratio", ratio, positive=True) ** 0.25)


def category_singular_value(theta: ArrayLike, ratio: float) -> Array:
    """Return the largest singular value of a planted category in noise of variance 1 / features (`eq-coherence`).

    sqrt((1 + theta^2)(ratio + theta^2)) / theta above the threshold, the edge of the noise 1 + sqrt(ratio) below it.
    theta : coherence, not negative. ratio : items over features. Exact as the table grows at this ratio.
    Source: Benaych-Georges & Nadakuditi 2012.
    """
    value, c = _as_theta(theta), as_scalar("ratio", ratio, positive=True)
    seen = value > category_threshold(c)
    safe = np.where(seen, value, 1.0)
    with np.errstate(over="ignore"):
        return finite_result(
            "the singular value", np.where(seen, np.hypot(1, 1 / safe) * np.hypot(np.sqrt(c), safe), 1 + np.sqrt(c))
        )[()]


def category_overlap(theta: ArrayLike, ratio: float, *, side: str = "items") -> Array:
    """Return the squared overlap of the leading singular vector with the category (`eq-category-overlap`).

    Item side: 1 - ratio (1 + theta^2) / (theta^2 (theta^2 + ratio)); feature side:
    1 - (ratio + theta^2) / (theta^2 (1 + theta^2)). Zero at and below the threshold.
    theta, ratio : as in `category_singular_value`. side : "items" or "features".
    """
    value, c = _as_theta(theta), as_scalar("ratio", ratio, positive=True)
    if side not in ("items", "features"):
        raise ValueError(f'side must be "items" or "features", got {side!r}')
    seen = value > category_threshold(c)
    inverse = 1 / np.where(seen, value, 1.0) ** 2
    with np.errstate(over="ignore"):
        above, below = (c, 1.0) if side == "items" else (1.0, c)
        lost = above * inverse * (below * inverse + 1) / (1 + above * inverse)
    return np.where(seen, 1 - np.minimum(finite_result("the overlap", lost), 1.0), 0.0)[()]


def _as_theta(theta: ArrayLike) -> Array:
    value = as_array("theta", theta)
    if np.any(value < 0) or np.any(value > 1e100):
        raise ValueError("theta must not be negative, nor beyond 1e100")
    return value
