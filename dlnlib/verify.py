"""Compare two roads to the same result, show the measured error, and feed the ledger."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from html import escape

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, as_array, as_scalar

__all__ = ["VerificationError", "Verified", "verify"]

_LABEL = re.compile(r"eq-[a-z0-9]+(-[a-z0-9]+)*")


class VerificationError(AssertionError):
    """Two roads to a result disagree by more than the error allowed."""


@dataclass(frozen=True)
class Verified:
    """One line of the ledger: what was compared, on how many values, the error measured and the error allowed."""

    label: str
    how: str
    n_values: int
    error: float
    allowed: float
    measure: str

    def __repr__(self) -> str:
        numbers = f"{self._values}, {self.measure} {_short(self.error)} (allowed {self.allowed:.0e})"
        return f"Verified {self.label}: {self.how}; {numbers}"

    @property
    def _values(self) -> str:
        return f"{self.n_values:,} value" + ("" if self.n_values == 1 else "s")

    def _repr_html_(self) -> str:
        record = escape(json.dumps(asdict(self)), quote=True)
        return (
            f'<div class="dln-verified" role="note" data-label="{self.label}" data-record="{record}">'
            f'<span class="dln-mark" aria-hidden="true">&#10003;</span> <strong>Verified</strong> '
            f"{escape(self.how)}: {self._values}, {escape(self.measure)} "
            f'<span class="dln-number">{_short(self.error)}</span> '
            f'(allowed <span class="dln-number">{self.allowed:.0e}</span>)</div>'
        )


def verify(
    label: str,
    got: ArrayLike,
    want: ArrayLike,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    relative_to: str = "each",
    how: str,
) -> Verified:
    """Compare `got` with `want`, found on an independent road, and return the line for the ledger.

    label : of the equation, "eq-...". how : the two roads in words, "closed form against integrated flow".
    got, want : arrays of equal shape. Exactly one of rtol, atol is given:
    rtol : largest |got - want| / |want| with relative_to="each" (0 against 0 counts as 0), or
           largest |got - want| / largest |want| with relative_to="largest".
    atol : largest |got - want|; atol=0 asks for equality.
    Raises VerificationError with both numbers at the worst place; ValueError for arguments that cannot be compared.
    """
    if not isinstance(label, str) or not _LABEL.fullmatch(label):
        raise ValueError(f'label must look like "eq-two-words", got {label!r}')
    if not isinstance(how, str) or len(how) < 10:
        raise ValueError(f"how must say in words which two roads are compared, got {how!r}")
    if relative_to not in ("each", "largest"):
        raise ValueError(f'relative_to must be "each" or "largest", got {relative_to!r}')
    if (rtol is None) == (atol is None):
        raise ValueError("give exactly one of rtol and atol")
    A, B = as_array("got", got), as_array("want", want)
    if A.shape != B.shape:
        raise ValueError(f"got has shape {A.shape} and want has shape {B.shape}; compare equal shapes")
    allowed = as_scalar("rtol or atol", rtol if rtol is not None else atol, nonnegative=True)  # type: ignore[arg-type]
    errors, measure = _errors(A, B, absolute=atol is not None, each=relative_to == "each")
    worst = np.unravel_index(int(np.argmax(errors)), errors.shape)
    error = float(errors[worst])
    if error > allowed:
        at = f" at index {tuple(int(i) for i in worst)}" if A.ndim else ""
        raise VerificationError(
            f"{label}: {how}: {measure} {error:.3e} is above the {allowed:.0e} allowed; got {A[worst]!r}, want {B[worst]!r}{at}"
        )
    return Verified(label, how, int(A.size), error, allowed, measure)


def _errors(A: Array, B: Array, *, absolute: bool, each: bool) -> tuple[Array, str]:
    with np.errstate(over="ignore"):
        difference = np.abs(A - B)
    if absolute:
        return difference, "largest error"
    if each:
        size = np.abs(B)
        measure = "largest relative error"
    else:
        size = np.full(B.shape, np.abs(B).max())
        measure = "largest error over largest value"
    safe = np.where(size > 0, size, 1.0)
    with np.errstate(over="ignore"):  # an infinite error is an error too large
        return np.where(size > 0, difference / safe, np.where(difference > 0, np.inf, 0.0)), measure


def _short(error: float) -> str:
    return "0" if error == 0 else f"{error:.1e}"
