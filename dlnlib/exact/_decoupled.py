"""Every weight matrix of a network whose modes never mix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._linalg import EPS
from dlnlib._unchecked import layer_gradients, members, product_of
from dlnlib._validate import Array, Weights, as_scalar, as_times, as_weights, finite_result
from dlnlib.exact._modes import strength
from dlnlib.exact._regression import linear_regression_flow
from dlnlib.exact._two_layer import two_layer
from dlnlib.moments import Modes, Moments
from dlnlib.trajectory import Trajectory

__all__ = ["decoupled_flow"]

_MIX = 0.6180339887498949  # any irrational number: keeps the singular values of a mixture apart


@dataclass(frozen=True, eq=False)
class _Chains:
    """Modes that move: W_l R[l] = R[l+1] diag(d[l]), yx R[0] = R[L] diag(s), xx R[0] = R[0] diag(lambda)."""

    frames: tuple[Array, ...]
    strengths: Array  # d, (L, r)
    s: Array
    eigenvalues: Array
    defect: float


def decoupled_flow(weights: Sequence[ArrayLike], moments: Moments, t: ArrayLike, *, tol: float = 1e-9) -> Trajectory:
    """Return the exact gradient flow of every layer from a decoupled start (`eq-decoupled-flow`).

    With W_l = R_{l+1} diag(d_l) R_l^T, R_1 = V and R_{L+1} = U, the frames R_l stand still and each mode
    moves alone: by `two_layer` for L = 2, by `strength` beyond, by `linear_regression_flow` for L = 1, where
    no assumption is needed.

    weights : layers (..., d_l, d_{l-1}), for example from `initialise.decoupled`; leading axes are a batch.
    moments : white, or with xx diagonal in the right singular vectors of yx (then mode k obeys the white
    equations with target s_k / lambda_k and time lambda_k t).
    t : (n_t,) not negative, in units of tau = 1/eta, any order.
    tol : how far from decoupled the start may be, relative to the largest entries of weights and moments. A
    start that is decoupled only up to a defect drifts away from this solution as the modes grow.
    Returns a Trajectory with exact values at any other time (`Trajectory.at`).

    Raises ValueError, with the measured defect, when the start is not decoupled or the inputs mix the modes,
    and when for L > 2 the layers of a mode differ in modulus (no closed form; use `gradient_flow`).
    Source: Saxe, McClelland & Ganguli 2014.
    """
    layers = as_weights(weights, moments)
    times, allowed = as_times("t", t), as_scalar("tol", tol, positive=True)
    settings = {"t_start": 0.0, "tol": allowed}
    if len(layers) == 1:
        flow = linear_regression_flow(layers[0], moments, times)
        return Trajectory(times, flow.weights, moments, "decoupled flow", settings, flow.dense)
    batch = layers[0].shape[:-2]
    networks = list(members(layers))
    chains = [_checked_chains(network, moments, allowed) for network in networks]

    def solution(at: Array) -> Weights:
        paths = [_follow(network, chain, at) for network, chain in zip(networks, chains, strict=True)]
        stacked = (np.stack([path[i] for path in paths], axis=1) for i in range(len(layers)))
        return tuple(W.reshape(len(at), *batch, *W.shape[2:]) for W in stacked)

    return Trajectory(times, solution(times), moments, "decoupled flow", settings, solution)


def _follow(layers: Weights, chains: _Chains, t: Array) -> Weights:
    """Return the layers at each time, (n_t, d_l, d_{l-1})."""
    d0 = chains.strengths
    d = _strengths(chains, t)
    change = finite_result("the decoupled solution", d - d0)
    return tuple(W + (chains.frames[i + 1] * change[:, i, None, :]) @ chains.frames[i].T for i, W in enumerate(layers))


def _strengths(chains: _Chains, t: Array) -> Array:
    """Return the layer strengths (n_t, L, r) at each time."""
    d0, rates = chains.strengths, chains.eigenvalues
    if rates.size == 0:
        return np.broadcast_to(d0, (len(t), *d0.shape))
    moving = rates > 0
    target = np.where(moving, chains.s / np.where(moving, rates, 1.0), 0.0)
    with np.errstate(over="ignore"):  # by 1e300 units every mode is at its end
        clock = np.minimum(t[:, None] * np.where(moving, rates, 0.0), 1e300)
    if len(d0) == 2:
        state = two_layer(clock, target, d0[0], d0[1])
        return np.stack([state.a, state.b], axis=1)
    u0 = np.prod(d0, axis=0)
    growth = np.abs(strength(clock, target, u0, len(d0)) / u0) ** (1 / len(d0))
    return d0 * growth[:, None, :]


def _checked_chains(layers: Weights, moments: Moments, tol: float) -> _Chains:
    found = [_chains(layers, moments, modes) for modes in _candidates(layers, moments)]
    chains = min(found, key=lambda c: c.defect)
    if chains.defect > tol:
        white = "" if moments.is_white() else " and xx is not the identity (whiten the inputs first)"
        raise ValueError(
            f"the start is not decoupled: relative defect {chains.defect:.3g}, allowed {tol:g}{white}; "
            "start from initialise.decoupled(moments.modes(), ...), or integrate it with gradient_flow"
        )
    size = np.abs(chains.strengths)
    if len(layers) > 2 and size.size:
        spread = float(np.max(1 - size.min(axis=0) / size.max(axis=0)))
        if spread > tol:
            raise ValueError(
                f"with more than two layers, all layers of a mode need the same strength in modulus; they "
                f"differ by a relative {spread:.3g}, allowed {tol:g}; use equal ones, or gradient_flow"
            )
    return chains


def _candidates(layers: Weights, moments: Moments) -> list[Modes]:
    """Return bases to try: the modes of yx and, where equal singular values leave a choice, of a mixture."""
    with np.errstate(over="ignore", invalid="ignore"):
        driven = finite_result("the product of the layers", product_of(layers) @ moments.xx)
    scale, size = np.abs(moments.yx).max(), np.abs(driven).max()
    mixture = moments.yx / (scale if scale > 0 else 1.0) + _MIX * driven / (size if size > 0 else 1.0)
    return [moments.modes(), Modes.of(mixture)]


def _chains(layers: Weights, moments: Moments, modes: Modes) -> _Chains:
    """Follow every mode through the layers and measure how far the network is from decoupled."""
    U, V, depth = modes.U, modes.V, len(layers)
    frames, d = [V], np.empty((depth, V.shape[1]))
    for i, W in enumerate(layers[:-1]):
        with np.errstate(over="ignore", invalid="ignore"):
            image = W @ frames[-1]
            if depth == 2:
                # A mode whose first layer is weak is still visible from the second.
                pulled = layers[1].T @ U
                weak = np.linalg.norm(image, axis=0) < np.linalg.norm(pulled, axis=0)
                image = np.where(weak, pulled, image)
            length = finite_result("the strength of a mode in a layer", np.linalg.norm(image, axis=0))
        frames.append(image / np.where(length > 0, length, 1.0))
        d[i] = np.einsum("ik,ik->k", frames[-1], W @ frames[-2])
    frames.append(U)
    d[-1] = np.einsum("ik,ik->k", U, layers[-1] @ frames[-2])
    largest = max(float(np.abs(W).max()) for W in layers)
    moving = np.max(np.abs(d), axis=0) > 32 * EPS * largest
    if depth > 2:
        # A mode that enters no layer is at the saddle; rounding leaves it a direction without meaning.
        moving = np.abs(d[0]) > 32 * EPS * largest
    chosen, d = tuple(R[:, moving] for R in frames), d[:, moving]
    s = np.einsum("ik,ij,jk->k", chosen[-1], moments.yx, chosen[0])
    eigenvalues = np.einsum("ik,ij,jk->k", chosen[0], moments.xx, chosen[0])
    chains = _Chains(chosen, d, s, eigenvalues, 0.0)
    return _Chains(chosen, d, s, eigenvalues, _defect(layers, moments, chains, largest))


def _defect(layers: Weights, moments: Moments, chains: _Chains, largest: float) -> float:
    """Return the largest violation of what makes the modes independent, relative to what is compared."""
    R, d = chains.frames, chains.strengths
    V, U = R[0], R[-1]
    pairs = [
        (moments.yx @ V, U * chains.s, np.abs(moments.yx).max()),
        (moments.yx.T @ U, V * chains.s, np.abs(moments.yx).max()),
        (moments.xx @ V, V * chains.eigenvalues, np.abs(moments.xx).max()),
    ]
    for i, W in enumerate(layers):
        pairs += [(W @ R[i], R[i + 1] * d[i], largest), (W.T @ R[i + 1], R[i] * d[i], largest)]
    # What is left over must not move either: the gradient holds nothing beyond the modes.
    u = np.prod(d, axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        powers = np.float64(largest) ** (len(d) - 1), np.float64(largest) ** len(d)
        scale = finite_result("the gradient", powers[0] * (np.abs(moments.yx).max() + powers[1] * np.abs(moments.xx).max()))
        slopes = [finite_result("the gradient", slope) for slope in layer_gradients(layers, moments)]
    for i, slope in enumerate(slopes):
        others = np.prod(np.delete(d, i, axis=0), axis=0)
        pairs.append((-slope, (R[i + 1] * (others * (chains.s - u * chains.eigenvalues))) @ R[i].T, scale))
    return max(
        (float(np.abs(got - want).max(initial=0.0)) / size for got, want, size in pairs if size > 0),
        default=0.0,
    )
