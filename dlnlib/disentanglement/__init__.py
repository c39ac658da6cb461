"""Whether neurons hold factors: scores, what a random rotation scores, what is blind to rotations and what is not.

Impostors with the law of the factors, the singular basis of a hidden layer, a test against rotated copies, and the
rules of learning that prefer one basis to another.
"""

from dlnlib.disentanglement._baselines import (
    RotationTest,
    matching_cdf,
    matching_density,
    neuron_score,
    random_entropy_score,
    random_matching_score,
    random_rotations,
    rotation_test,
    row_maximum,
)
from dlnlib.disentanglement._breakers import dropout_loss, fourth_moment_angle, nonnegative_energy, train, unmix_pair
from dlnlib.disentanglement._impostor import impostor, impostor_correlation, impostor_jacobian
from dlnlib.disentanglement._scores import correlations, entropy_score, matching_score
from dlnlib.disentanglement._singular import hidden_basis, mix_hidden, singular_readout, singular_score

__all__ = [
    "RotationTest",
    "correlations",
    "dropout_loss",
    "entropy_score",
    "fourth_moment_angle",
    "hidden_basis",
    "impostor",
    "impostor_correlation",
    "impostor_jacobian",
    "matching_cdf",
    "matching_density",
    "matching_score",
    "mix_hidden",
    "neuron_score",
    "nonnegative_energy",
    "random_entropy_score",
    "random_matching_score",
    "random_rotations",
    "rotation_test",
    "row_maximum",
    "singular_readout",
    "singular_score",
    "train",
    "unmix_pair",
]
