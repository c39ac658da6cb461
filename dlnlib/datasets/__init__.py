"""Data sets of the book: drawn from an explicit generator, with their exact population moments.

Teachers and Gaussian samples; tables of items and properties with names; structures, which say how similar items are.
"""

from dlnlib.datasets._samples import correlated_inputs, gaussian_samples, random_teacher
from dlnlib.datasets._structures import Structure, chain, clusters, cross_cutting, ring, tree
from dlnlib.datasets._tables import LabelledData, diffusion, four_items, hierarchy, planted_category

__all__ = [
    "LabelledData",
    "Structure",
    "chain",
    "clusters",
    "correlated_inputs",
    "cross_cutting",
    "diffusion",
    "four_items",
    "gaussian_samples",
    "hierarchy",
    "planted_category",
    "random_teacher",
    "ring",
    "tree",
]
