"""Checks made once, at the public edge: each error names the argument, what came, what is wanted and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Weights = tuple[Array, ...]

_ABSENT = object()


def as_array(
    name: str,
    value: ArrayLike,
    *,
    ndim: int | None = None,
    allow_empty: bool = False,
) -> Array:
    """Return `value` as a finite float64 array; ValueError names what is wrong."""
    raw = _real(name, value)
    array = np.asarray(raw, dtype=np.float64)
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimension(s), got shape {array.shape}")
    if not allow_empty and array.size == 0:
        raise ValueError(f"{name} is empty (shape {array.shape}); give at least one value")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} holds NaN or infinite values; remove or replace them first")
    return array


def _real(name: str, value: ArrayLike) -> NDArray[Any]:
    """Return `value` as a real numeric array, refusing what numpy would quietly convert."""
    try:
        raw = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of numbers with equal row lengths ({error})") from None
    if raw.dtype.kind == "c":
        raise ValueError(f"{name} must be real, got complex values; take the real part if that is what you mean")
    if raw.dtype.kind not in "fiub":
        raise ValueError(f"{name} must hold numbers, got dtype {raw.dtype}")
    return raw


def as_scalar(name: str, value: ArrayLike, *, positive: bool = False, nonnegative: bool = False) -> float:
    """Return `value` as one finite float, optionally of a given sign."""
    array = as_array(name, value)
    if array.size != 1:
        raise ValueError(f"{name} must be one number, got shape {array.shape}")
    number = float(array.reshape(()))
    if positive and number <= 0:
        raise ValueError(f"{name} must be positive, got {number:g}")
    if nonnegative and number < 0:
        raise ValueError(f"{name} must not be negative, got {number:g}")
    return number


def as_count(name: str, value: Any, *, minimum: int = 1) -> int:
    """Return `value` as an integer not below `minimum`."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise ValueError(f"{name} must be an integer, got {value!r}")
    if value < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {value}")
    return int(value)


def as_times(name: str, value: ArrayLike, *, increasing: bool = False, nonnegative: bool = True) -> Array:
    """Return times as a one-dimensional finite array; a single time becomes an array of one."""
    array = np.atleast_1d(as_array(name, value))
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got shape {array.shape}")
    if nonnegative and np.any(array < 0):
        raise ValueError(f"{name} must not be negative, got {array.min():g}; the start is at time 0")
    if increasing and np.any(np.diff(array) <= 0):
        raise ValueError(f"{name} must increase strictly; sort it and drop repeated times")
    return array


def as_batch(batch: tuple[int, ...]) -> tuple[int, ...]:
    """Return leading axes as a tuple of counts."""
    if not isinstance(batch, tuple):
        raise ValueError(f"batch must be a tuple of integers such as (10,), got {batch!r}")
    return tuple(as_count("batch", b) for b in batch)


def as_seeds(seeds: Sequence[int]) -> list[int]:
    """Return seeds as a list of counts, at least one."""
    try:
        numbers = [as_count("seeds", seed, minimum=0) for seed in seeds]
    except TypeError:
        raise ValueError(f"seeds must be a list of integers, got {seeds!r}") from None
    if not numbers:
        raise ValueError("seeds is empty; give at least one")
    return numbers


def as_rng(rng: Any) -> np.random.Generator:
    """Return the generator, or say how to make one."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a numpy Generator such as np.random.default_rng(0), got {type(rng).__name__}")
    return rng


def as_steps(record: int | Sequence[int], n_steps: int) -> list[int]:
    """Return the sorted steps to keep of a descent: every `record`-th, the first and the last, or the listed ones."""
    if isinstance(record, (int, np.integer)) and not isinstance(record, bool):
        every = as_count("record", record)
        return sorted({*range(0, n_steps + 1, every), n_steps})
    try:
        steps = sorted({as_count("record", n, minimum=0) for n in record})  # type: ignore[union-attr]
    except TypeError:
        raise ValueError(f"record must be an integer or a list of steps, got {record!r}") from None
    if not steps or steps[-1] > n_steps:
        raise ValueError(f"record must list steps from 0 to n_steps = {n_steps}, got {record!r}")
    return steps


def as_widths(widths: Sequence[int], moments: Any = _ABSENT, *, hidden: bool = False) -> tuple[int, ...]:
    """Return the widths (d_0, ..., d_L) as a tuple, with a hidden layer if asked for, that fits the moments if given."""
    try:
        values = tuple(widths)
    except TypeError:
        raise ValueError(f"widths must be a sequence (d_0, ..., d_L), got {widths!r}") from None
    if len(values) < 2:
        raise ValueError(f"widths must list at least the input and the output width, got {values}")
    sizes = tuple(as_count(f"widths[{i}]", width) for i, width in enumerate(values))
    if hidden and len(sizes) < 3:
        raise ValueError(f"widths must name at least two layers, (d_0, d_1, ..., d_L), got {sizes}; add a hidden layer")
    if moments is not _ABSENT and (sizes[0], sizes[-1]) != (as_moments(moments).d_in, moments.d_out):
        raise ValueError(f"widths {sizes} do not fit moments with d_in = {moments.d_in}, d_out = {moments.d_out}")
    return sizes


def as_weights(weights: Sequence[ArrayLike], moments: Any = _ABSENT) -> Weights:
    """Return the layers as float64 arrays whose shapes chain, and fit the moments if these are given."""
    if isinstance(weights, np.ndarray) or not isinstance(weights, Sequence) or isinstance(weights, str):
        raise ValueError(f"weights must be a tuple (W_1, ..., W_L) of arrays, got {type(weights).__name__}")
    if len(weights) == 0:
        raise ValueError("weights is empty; a network has at least one layer")
    layers = tuple(as_array(f"W_{i}", W) for i, W in enumerate(weights, start=1))
    for i, W in enumerate(layers, start=1):
        if W.ndim < 2:
            raise ValueError(f"W_{i} must have shape (..., d_{i}, d_{i - 1}), got {W.shape}")
        if W.shape[:-2] != layers[0].shape[:-2]:
            raise ValueError(f"W_{i} has batch axes {W.shape[:-2]}, W_1 has {layers[0].shape[:-2]}; make them equal")
    for i in range(1, len(layers)):
        if layers[i].shape[-1] != layers[i - 1].shape[-2]:
            raise ValueError(
                f"W_{i + 1} of shape {layers[i].shape} cannot act on W_{i} of shape {layers[i - 1].shape}: "
                f"W_{i + 1} needs {layers[i - 1].shape[-2]} columns; the order is (W_1, ..., W_L), W_1 acts first"
            )
    if moments is not _ABSENT:
        _check_fit(layers, moments)
    return layers


def as_moments(moments: Any) -> Any:
    """Return the moments, or say what was given instead."""
    if not (hasattr(moments, "xx") and hasattr(moments, "yx") and hasattr(moments, "d_in")):
        raise ValueError(f"moments must be a dlnlib Moments, got {type(moments).__name__}")
    return moments


def as_modes(modes: Any, *, d_in: int | None = None, d_out: int | None = None) -> Any:
    """Return the modes if they are some, and map d_in inputs to d_out outputs where these are given."""
    if not (hasattr(modes, "U") and hasattr(modes, "s") and hasattr(modes, "Vt")):
        raise ValueError(f"modes must be dlnlib Modes, for example moments.modes(), got {type(modes).__name__}")
    found = modes.Vt.shape[1], modes.U.shape[0]
    if d_in is not None and found != (d_in, d_out):
        raise ValueError(
            f"modes map {found[0]} inputs to {found[1]} outputs, but {d_in} to {d_out} are wanted; take the modes of this task"
        )
    return modes


def _check_fit(layers: Weights, moments: Any) -> None:
    as_moments(moments)
    if layers[0].shape[-1] != moments.d_in:
        raise ValueError(f"W_1 takes {layers[0].shape[-1]} inputs, the moments have d_in = {moments.d_in}")
    if layers[-1].shape[-2] != moments.d_out:
        raise ValueError(f"W_L gives {layers[-1].shape[-2]} outputs, the moments have d_out = {moments.d_out}")


def finite_result(what: str, value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `value` if it is finite; otherwise the inputs were too large for float64."""
    if not np.all(np.isfinite(value)):
        raise ValueError(f"{what} overflows float64; rescale the data or the weights")
    return value
