"""What kind of critical point a given network sits at, and which way leads out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._unchecked import join, layer_gradients, loss_of_product, product_of
from dlnlib._validate import Array, Weights, as_scalar, as_weights, finite_result
from dlnlib.hessian import hessian
from dlnlib.moments import Moments
from dlnlib.network import unflatten, widths


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
    A true curvature below the tolerance is read as zero and not counted in the index; a saddle of two layers is called
    strict all the same, because all of them are (`eq-hessian-index`).
    """
    layers = as_weights(weights, moments)
    t = as_scalar("tol", tol, positive=True)
    H = hessian(layers, moments)
    eigenvalues = np.asarray(np.linalg.eigvalsh(H), dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        W = product_of(layers)
        gradient_norm = float(np.linalg.norm(join(layer_gradients(layers, moments))))
        gradient_scale, curvature = _scales(layers, moments)
        excess, explained = _excess(W, moments, min(widths(layers)))
        value = float(loss_of_product(W, moments))
    finite_result("the gradient or the loss", np.array([gradient_norm, gradient_scale, curvature, excess, explained, value]))
    curvature = max(curvature, float(np.abs(eigenvalues).max()))
    index, nullity = int(np.sum(eigenvalues < -t * curvature)), int(np.sum(np.abs(eigenvalues) <= t * curvature))
    if gradient_norm > t * gradient_scale:
        kind = "not critical"
    elif index == 0 and excess <= t * explained:
        kind = "global minimum"
    else:
        # Two layers have strict saddles only, though far out on an orbit the curvature can be too small to resolve.
        kind = "strict saddle" if index > 0 or len(layers) == 2 else "non-strict saddle"
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


def natural_scales(moments: Moments, depth: int) -> tuple[float, float, float]:
    """Return the sizes that entries, gradients and curvatures take for this data: the units of x and y cancel out."""
    yx, xx = float(np.linalg.norm(moments.yx, 2)), float(np.linalg.norm(moments.xx, 2))
    w = yx / xx if xx > 0 else 0.0
    return w ** (1 / depth), yx * w ** (1 - 1 / depth), yx * w ** (1 - 2 / depth) if w > 0 else 0.0


def _scales(layers: Weights, moments: Moments) -> tuple[float, float]:
    """Return the scales against which the gradient and the curvatures of this point are judged."""
    _, gradient, curvature = natural_scales(moments, len(layers))
    norms = [float(np.linalg.norm(W, 2)) for W in layers]
    signal = float(np.linalg.norm(moments.yx, 2) + np.linalg.norm(product_of(layers) @ moments.xx, 2))
    terms = [signal * float(np.prod(norms[:i] + norms[i + 1 :])) for i in range(len(norms))]
    return max(gradient, *terms), curvature


def _excess(W: Array, moments: Moments, rank: int) -> tuple[float, float]:
    """Return the loss above the least one of this rank, and what there is to explain, free of the noise's rounding."""
    s = moments.whitened_modes().s
    gap = W - moments.optimum()
    above_best = 0.5 * float(np.sum((gap @ moments.xx) * gap))
    return above_best - 0.5 * float(np.sum(s[rank:] ** 2)), 0.5 * float(np.sum(s**2))
