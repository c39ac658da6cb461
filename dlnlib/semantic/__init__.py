"""Semantic development: closed forms for a network that learns items and their properties, and what to measure in it.

Items are inputs, usually one-hot, so that xx = I / n; the table of their properties is n * yx.
Source: Saxe, McClelland & Ganguli 2019.
"""

from dlnlib.semantic._category import category_overlap, category_singular_value, category_threshold, coherence
from dlnlib.semantic._development import (
    commuting_modes,
    descent_strength,
    development,
    final_similarity,
    half_time,
    hidden_similarity,
    strength,
)
from dlnlib.semantic._measure import (
    effective_modes,
    illusory_excess,
    inductive_projection,
    item_distances,
    typicality,
)
from dlnlib.semantic._spectra import (
    LevelSpectrum,
    diffusion_spectrum,
    node_spectrum,
    ring_spectrum,
    tree_distances,
    tree_entries,
)

__all__ = [
    "LevelSpectrum",
    "category_overlap",
    "category_singular_value",
    "category_threshold",
    "coherence",
    "commuting_modes",
    "descent_strength",
    "development",
    "diffusion_spectrum",
    "effective_modes",
    "final_similarity",
    "half_time",
    "hidden_similarity",
    "illusory_excess",
    "inductive_projection",
    "item_distances",
    "node_spectrum",
    "ring_spectrum",
    "strength",
    "tree_distances",
    "tree_entries",
    "typicality",
]
