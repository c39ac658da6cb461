"""Singular learning theory: exact learning coefficients of deep linear networks, and samplers that measure them.

Exact: `learning_coefficient` for any widths and rank, `fibre` by another road, `two_layer_energy` at every temperature.
Sampled: `gibbs` (exact), `mala` and `sgld` draw from a `Posterior`; `estimate` turns draws into a coefficient with an
error bar; `local_learning_coefficient` does all of it at a trained network.
L is the loss 1/2 E|y - W x|^2 (noise of variance one), K = L - min L, n_beta the sample size times the inverse temperature.
"""

from dlnlib.slt._coefficient import (
    LearningCoefficient,
    coefficients_by_depth,
    deep_limit,
    finite_temperature,
    learning_coefficient,
    reduced_rank_coefficient,
)
from dlnlib.slt._estimate import (
    Estimate,
    EstimateWarning,
    estimate,
    fluctuation,
    local_learning_coefficient,
    two_temperatures,
    wbic,
)
from dlnlib.slt._exact import two_layer_energy, two_layer_free_energy
from dlnlib.slt._fibre import Fibre, Pattern, fibre, pattern_codimension, pattern_weights, rank_patterns
from dlnlib.slt._gibbs import gibbs
from dlnlib.slt._langevin import mala, sgld
from dlnlib.slt._minimum import check_minimum, learned_rank, truncated_moments
from dlnlib.slt._posterior import Draws, Posterior, wbic_temperature
from dlnlib.slt._potential import largest_curvature
from dlnlib.slt._steps import step_rule
from dlnlib.slt._thermodynamic import FreeEnergy, free_energy
from dlnlib.slt._volume import Volume, scalar_volume, volume

__all__ = [
    "Draws",
    "Estimate",
    "EstimateWarning",
    "Fibre",
    "FreeEnergy",
    "LearningCoefficient",
    "Pattern",
    "Posterior",
    "Volume",
    "check_minimum",
    "coefficients_by_depth",
    "deep_limit",
    "estimate",
    "fibre",
    "finite_temperature",
    "fluctuation",
    "free_energy",
    "gibbs",
    "largest_curvature",
    "learned_rank",
    "learning_coefficient",
    "local_learning_coefficient",
    "mala",
    "pattern_codimension",
    "pattern_weights",
    "rank_patterns",
    "reduced_rank_coefficient",
    "scalar_volume",
    "sgld",
    "step_rule",
    "truncated_moments",
    "two_layer_energy",
    "two_layer_free_energy",
    "two_temperatures",
    "volume",
    "wbic",
    "wbic_temperature",
]
