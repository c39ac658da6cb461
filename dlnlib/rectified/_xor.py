"""A rectified unit on exclusive or: which corner it turns to, and when, in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, as_weights, finite_result

__all__ = ["CORNERS", "Fates", "xor_fates"]

#: The four inputs of exclusive or, counter-clockwise from the east-north corner, and their outputs.
CORNERS = np.array([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]])
LABELS = -CORNERS[:, 0] * CORNERS[:, 1]


class Fates(NamedTuple):
    """corner : (..., h, 2), the input to which each unit turns. time : (..., h), when it gets there, in units of tau."""

    corner: Array
    time: Array


def xor_fates(weights: Sequence[ArrayLike]) -> Fates:
    """Return where every unit of a small network turns before anything is learnt, and when (`eq-xor-fate`).

    weights : (W_1, W_2) of shapes (..., h, 2), (..., 1, h); no unit may start on a diagonal, or with |v| equal to the
    component of w across its sector. Exact in the limit of small weights, where the network's outputs are zero.
    """
    layers = as_weights(weights)
    if len(layers) != 2 or layers[0].shape[-1] != 2 or layers[1].shape[-2] != 1:
        raise ValueError(f"weights should have shapes (..., h, 2) and (..., 1, h), got {[W.shape for W in layers]}")
    w, v = layers[0], layers[1][..., 0, :]
    # Fates do not depend on the size of a unit: a power of two, which rounds nothing, keeps its squares within float64.
    power = -np.frexp(np.maximum(np.abs(w).max(axis=-1), np.abs(v)))[1]
    w, v = np.ldexp(w, power[..., None]), np.ldexp(v, power)
    if np.any(np.abs(np.abs(w[..., 0]) - np.abs(w[..., 1])) <= 1e-12 * np.abs(w).max(axis=-1)):
        raise ValueError("a unit starts on a diagonal, where its gates are not defined; move the start a little")
    active = w @ CORNERS.T > 0
    positive = np.argmax(active & (LABELS > 0), axis=-1)
    negative = np.argmax(active & (LABELS < 0), axis=-1)
    across, along = (CORNERS[negative] - CORNERS[positive]) / 2, (CORNERS[negative] + CORNERS[positive]) / 2
    a, b = np.sum(w * across, axis=-1), np.sum(w * along, axis=-1)
    if np.any(v == a):
        raise ValueError("a unit starts with v equal to the component of w across its sector, which decays; move it a little")
    corner = np.where((v > a)[..., None], CORNERS[positive], CORNERS[negative])
    with np.errstate(over="ignore"):
        ratio = finite_result("the growth of a unit on its way to a corner", (b + np.sqrt(b**2 + v**2 - a**2)) / np.abs(v - a))
    return Fates(corner, 2 * np.log(ratio))
