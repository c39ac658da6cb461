"""Numerical search for critical points of every kind, saddles included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._unchecked import join, layer_gradients, loss_of_product, product_of
from dlnlib._validate import Array, Weights, as_array, as_count, as_rng, as_scalar, as_widths
from dlnlib.hessian import hessian
from dlnlib.initialise import gaussian
from dlnlib.landscape._classify import natural_scales
from dlnlib.moments import Moments
from dlnlib.network import unflatten


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
    spread: float = 0.5,
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

    sizes, count, generator = as_widths(widths, moments, hidden=True), as_count("n", n), as_rng(rng)
    small, width = as_scalar("tol", tol, positive=True), as_scalar("spread", spread, positive=True)
    if width > 1e6:
        raise ValueError(f"spread is relative to the natural size of the weights and must be at most 1e6, got {width:g}")
    budget = as_count("max_evaluations", max_evaluations)
    size, natural, _ = natural_scales(moments, len(sizes) - 1)
    if natural == 0:
        raise ValueError("yx is zero: the loss has no saddle, and every point with W xx = 0 is a minimum")

    # In natural units, so that the search does not depend on the units of x and y.
    def residual(vector: Array) -> Array:
        return join(layer_gradients(unflatten(size * vector, sizes), moments)) / natural

    def jacobian(vector: Array) -> Array:
        return hessian(unflatten(size * vector, sizes), moments) * (size / natural)

    points: list[Weights] = []
    for _ in range(count):
        start = join(gaussian(sizes, rng=generator, scale=width))
        fit = least_squares(residual, start, jacobian, method="trf", xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=budget)
        if np.linalg.norm(fit.fun) <= small:
            points.append(unflatten(size * fit.x, sizes))
    losses = np.array([float(loss_of_product(product_of(p), moments)) for p in points])
    return CriticalPoints(tuple(points), losses, count - len(points))


def critical_levels(losses: ArrayLike, *, tol: float = 1e-6) -> list[tuple[float, int]]:
    """Group losses into levels: a list of (mean loss, how many), increasing.

    losses : (n,). Neighbours closer than tol times the largest loss belong to the same level.
    """
    values = np.sort(as_array("losses", losses, ndim=1))
    gap = as_scalar("tol", tol, nonnegative=True) * float(np.abs(values).max())
    groups = np.split(values, np.flatnonzero(np.diff(values) > gap) + 1)
    return [(float(g[0] + (g - g[0]).mean()), len(g)) for g in groups]
