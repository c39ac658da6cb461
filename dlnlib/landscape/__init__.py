"""The loss landscape: every critical set, its loss and its Hessian index, points on it, and tests of a given point."""

from dlnlib.landscape._classify import Classification, classify, escape_direction
from dlnlib.landscape._points import critical_point
from dlnlib.landscape._search import CriticalPoints, critical_levels, find_critical_points
from dlnlib.landscape._sets import CriticalSet, canonical_spectrum, critical_sets, predicted_index

__all__ = [
    "Classification",
    "CriticalPoints",
    "CriticalSet",
    "canonical_spectrum",
    "classify",
    "critical_levels",
    "critical_point",
    "critical_sets",
    "escape_direction",
    "find_critical_points",
    "predicted_index",
]
