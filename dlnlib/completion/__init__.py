"""Completing a matrix of which some entries are seen, by factorisations of any depth and by the nuclear norm.

A factorisation learns any smooth loss of its product: what it needs is the function W -> dLoss/dW.
`python -m dlnlib.completion` computes the stored table anew; it takes some minutes and needs cvxpy with Clarabel.
"""

from dlnlib.completion._learning import Path, factorised_descent, factorised_flow
from dlnlib.completion._nuclear import Minimiser, duality_gap, minimum_nuclear_norm
from dlnlib.completion._table import METHODS, run_cell, small_task, stored_minimiser, stored_small_error, stored_table
from dlnlib.completion._task import Completion, degrees_of_freedom, random_task
from dlnlib.completion._unbounded import hidden_entry, hidden_entry_bound, two_by_two, two_by_two_flow

__all__ = [
    "METHODS",
    "Completion",
    "Minimiser",
    "Path",
    "degrees_of_freedom",
    "duality_gap",
    "factorised_descent",
    "factorised_flow",
    "hidden_entry",
    "hidden_entry_bound",
    "minimum_nuclear_norm",
    "random_task",
    "run_cell",
    "small_task",
    "stored_minimiser",
    "stored_small_error",
    "stored_table",
    "two_by_two",
    "two_by_two_flow",
]
