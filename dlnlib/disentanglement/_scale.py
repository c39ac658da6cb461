"""Scales that answers do not depend on, taken out before squares of extreme numbers leave float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlnlib._validate import Array


def exponent_of(values: Array, axis: tuple[int, ...] | None = None) -> NDArray[np.int32]:
    """Return the e for which the largest |value| along the axes, which are kept, lies in [2^(e-1), 2^e); 0 for zeros."""
    return np.frexp(np.abs(values).max(axis=axis, keepdims=True))[1]


def to_unit(values: Array, axis: tuple[int, ...] | None = None) -> Array:
    """Return the values over a power of two, so that the largest along the axes is below one; no digit changes."""
    return np.ldexp(values, -exponent_of(values, axis))
