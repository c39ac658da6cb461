"""Starting weights: random, orthogonal, balanced, decoupled (spectral) and greedily pretrained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._linalg import orthonormal
from dlnlib._validate import Array, Weights, as_array, as_batch, as_count, as_modes, as_rng, as_scalar, as_widths
from dlnlib.moments import Modes, Moments

__all__ = ["balanced", "decoupled", "from_product", "gaussian", "orthogonal", "pretrained"]


def gaussian(
    widths: Sequence[int],
    *,
    rng: np.random.Generator,
    scale: float | str = "fan_in",
    batch: tuple[int, ...] = (),
) -> Weights:
    """Return layers of independent Gaussian entries (`def-gaussian-start`).

    widths : (d_0, ..., d_L). scale : standard deviation of every entry, or "fan_in" for 1/sqrt(d_{l-1}), which keeps
    the expected squared length of a signal from layer to layer. batch : leading axes.
    """
    sizes, generator, lead = as_widths(widths), as_rng(rng), as_batch(batch)
    if isinstance(scale, str):
        if scale != "fan_in":
            raise ValueError(f'scale must be a number or "fan_in", got {scale!r}')
        deviations = [1 / np.sqrt(d) for d in sizes[:-1]]
    else:
        deviations = [as_scalar("scale", scale, nonnegative=True)] * (len(sizes) - 1)
    shapes = zip(sizes[1:], sizes[:-1], strict=True)
    return tuple(s * generator.standard_normal((*lead, m, n)) for s, (m, n) in zip(deviations, shapes, strict=True))


def orthogonal(
    widths: Sequence[int],
    *,
    rng: np.random.Generator,
    gain: float = 1.0,
    batch: tuple[int, ...] = (),
) -> Weights:
    """Return layers with orthonormal rows or columns, uniformly distributed, times gain (`def-orthogonal-start`).

    W^T W = gain^2 I when the layer is tall, W W^T = gain^2 I when it is wide. widths, batch as in `gaussian`.
    """
    sizes, generator, lead = as_widths(widths), as_rng(rng), as_batch(batch)
    factor = as_scalar("gain", gain)
    return tuple(factor * orthonormal(m, n, generator, lead) for m, n in zip(sizes[1:], sizes[:-1], strict=True))


def from_product(matrix: ArrayLike, widths: Sequence[int]) -> Weights:
    """Return the balanced layers whose product is the given (d_L, d_0) matrix (`def-balanced`).

    Each singular value s of the matrix is shared as s^(1/L) by the L layers; every hidden width must reach the rank.
    """
    A, sizes = as_array("matrix", matrix, ndim=2), as_widths(widths)
    if A.shape != (sizes[-1], sizes[0]):
        raise ValueError(f"matrix must have shape {(sizes[-1], sizes[0])} to match widths {sizes}, got {A.shape}")
    modes, depth = Modes.of(A), len(sizes) - 1
    rank = modes.rank
    if min(sizes) < rank:
        raise ValueError(f"a matrix of rank {rank} does not pass through a layer of width {min(sizes)}; widen it")
    return decoupled(modes.truncate(rank), sizes, modes.s[:rank] ** (1 / depth), rng=None)


def balanced(widths: Sequence[int], *, rng: np.random.Generator, scale: float) -> Weights:
    """Return balanced layers, W_{l+1}^T W_{l+1} = W_l W_l^T, with a random end-to-end matrix (`def-balanced`).

    scale : standard deviation of the entries of a Gaussian (d_L, d_0) matrix; its best approximation of the rank that
    the narrowest layer allows becomes the product.
    """
    sizes, generator = as_widths(widths), as_rng(rng)
    deviation = as_scalar("scale", scale, nonnegative=True)
    modes = Modes.of(deviation * generator.standard_normal((sizes[-1], sizes[0])))
    kept = modes.truncate(min(sizes))
    return decoupled(kept, sizes, kept.s ** (1 / (len(sizes) - 1)), rng=generator)


def decoupled(
    modes: Modes,
    widths: Sequence[int],
    strengths: ArrayLike,
    *,
    rng: np.random.Generator | None,
) -> Weights:
    """Return the decoupled (spectral) start: layer l carries mode k with strength a_{l,k} (`def-decoupled-start`).

    W_l = R_{l+1} diag(a_l) R_l^T with R_1 = V, R_{L+1} = U and random orthonormal columns in between (the leading
    coordinate axes when rng is None). Modes that do not fit through the narrowest layer are left out (strength zero).

    modes : of the task, r of them. widths : (d_0, ..., d_L).
    strengths : layer strengths, a number, (r,) for the same in every layer, or (L, r).
    """
    sizes = as_widths(widths)
    as_modes(modes, d_in=sizes[0], d_out=sizes[-1])
    depth, available = len(sizes) - 1, len(modes.s)
    raw = as_array("strengths", strengths, allow_empty=available == 0)
    if raw.shape not in ((), (available,), (depth, available)):
        raise ValueError(f"strengths must be a number, ({available},) or ({depth}, {available}), got shape {raw.shape}")
    r = min(available, *sizes)
    a = np.broadcast_to(raw, (depth, available))[:, :r]
    generator = None if rng is None else as_rng(rng)
    frames: list[Array] = [modes.V[:, :r]]
    for d in sizes[1:-1]:
        frames.append(np.eye(d)[:, :r] if generator is None else orthonormal(d, r, generator))
    frames.append(modes.U[:, :r])
    return tuple((frames[i + 1] * a[i]) @ frames[i].T for i in range(depth))


def pretrained(
    moments: Moments,
    widths: Sequence[int],
    *,
    rng: np.random.Generator,
    step: float = 0.5,
    n_steps: int = 500,
    scale: float = 0.1,
    readout: str = "orthogonal",
) -> Weights:
    """Return layers found by greedy layer-wise pretraining: each is the encoder of a trained linear autoencoder.

    For layer l an encoder A and a decoder B start at A = scale * (orthonormal on the space of its inputs), B = A^T and
    descend on 1/2 E||h - B A h||^2, where h is the output of the layers below and its covariance is divided by its
    largest eigenvalue. A becomes layer l, and A h is the input of the next. Where the layer is at least as wide as the
    rank of its inputs, A tends to a matrix that keeps all their lengths and angles; where it is narrower, to one that
    spans their principal components.
    The last layer is not an autoencoder's: it is a random orthogonal map (readout="orthogonal") or zero ("zero").

    moments : of the task; only the inputs' covariance is used. widths : (d_0, ..., d_L) with L >= 2.
    step, n_steps, scale : of each descent; step below 1 is stable. Slow directions (small eigenvalues of the
    covariance) are left unfinished when n_steps is small.
    Source: the scheme of Saxe, McClelland & Ganguli 2014.
    """
    from dlnlib.simulate import gradient_descent

    sizes, generator = as_widths(widths, moments, hidden=True), as_rng(rng)
    if readout not in ("orthogonal", "zero"):
        raise ValueError(f'readout must be "orthogonal" or "zero", got {readout!r}')
    rate, rounds = as_scalar("step", step, positive=True), as_count("n_steps", n_steps)
    deviation = as_scalar("scale", scale, positive=True)
    layers: list[Array] = []
    covariance = moments.xx
    if moments.rank_xx == 0:
        raise ValueError("xx is zero: no input varies, so there is nothing to pretrain on")
    for d in sizes[1:-1]:
        top = float(np.linalg.eigvalsh(covariance)[-1])
        task = Moments(covariance / top, covariance / top)
        space = task.modes().U[:, : task.rank_xx]
        encoder = deviation * orthonormal(d, task.rank_xx, generator) @ space.T
        encoder = gradient_descent((encoder, encoder.T), task, rate, rounds, record=[rounds]).final[0]
        layers.append(encoder)
        covariance = encoder @ covariance @ encoder.T
        covariance = (covariance + covariance.T) / 2
    last = orthonormal(sizes[-1], sizes[-2], generator)
    layers.append(last if readout == "orthogonal" else np.zeros_like(last))
    return tuple(layers)
