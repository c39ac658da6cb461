"""Weights at a chosen critical point: balanced, moved along its orbit, or with unused units that carry weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlnlib._validate import Array, Weights, as_rng, as_scalar, as_widths
from dlnlib.initialise import from_product
from dlnlib.landscape._sets import as_mode_set
from dlnlib.moments import Moments


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
    sizes = as_widths(widths, moments, hidden=True)
    spectrum = moments.whitened_modes()
    chosen = as_mode_set(modes, spectrum.rank, min(sizes[1:-1]))
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


def _inactive_rows(moments: Moments, U: Array, units: int, rng: np.random.Generator) -> Array:
    """Return rows of unit length for the hidden units beyond |I|, drawn from the null space of E."""
    used = U.shape[1]
    if used == units:
        raise ValueError(f"all {units} hidden unit(s) of layer 1 are in use, so none can be inactive; widen it")
    E = moments.yx - U @ (U.T @ moments.yx)
    # E has rank q - |I| exactly; counting singular values above a threshold could misjudge a weak mode.
    null = np.linalg.svd(E)[2][moments.whitened_modes().rank - used :]
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
