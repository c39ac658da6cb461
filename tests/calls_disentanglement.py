"""Valid calls of `dlnlib.disentanglement` for test_properties.py: arguments by name, and which functions are special there.

INFINITE : their documented answer may be infinite. EXEMPT : too slow to be called hundreds of times, or without arguments.
SLOW : not called with several extreme arguments at once.
"""

import numpy as np
from scipy import stats

import dlnlib as dln

RNG = np.random.default_rng(0)
LOADINGS = np.array([[2.0, 0.0], [0.0, 1.0], [0.3, 0.1]])
READOUT = RNG.standard_normal((2, 3))
INPUTS = LOADINGS @ LOADINGS.T + 0.1 * np.eye(3)
CORRELATIONS = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.3]])
TASK = dln.Moments.from_teacher(RNG.standard_normal((2, 3)), np.diag([2.0, 1.0, 0.5]), noise=0.1)
TWO_LAYERS = dln.initialise.gaussian((3, 3, 2), rng=RNG, scale=0.5)
TURN = np.array([[0.8, -0.6], [0.6, 0.8]])
PRIOR = stats.uniform(-1.0, 2.0)
POINTS = np.array([[0.3, -0.4], [0.1, 0.9], [-0.7, 0.2]])
SIGNALS = RNG.uniform(-1.0, 1.0, (5, 2))


def rng():
    return np.random.default_rng(1)


CALLS = {
    "disentanglement.correlations": {"readout": READOUT, "loadings": LOADINGS, "xx": INPUTS},
    "disentanglement.dropout_loss": {"weights": TWO_LAYERS, "moments": TASK, "keep": 0.5},
    "disentanglement.entropy_score": {"correlations": CORRELATIONS},
    "disentanglement.fourth_moment_angle": {"x": SIGNALS, "sign": -1},
    "disentanglement.hidden_basis": {"W1": TWO_LAYERS[0], "modes": TASK.modes()},
    "disentanglement.impostor": {"z": POINTS, "Q": TURN, "prior": PRIOR},
    "disentanglement.impostor_correlation": {"Q": TURN},
    "disentanglement.impostor_jacobian": {"z": POINTS, "Q": TURN, "prior": PRIOR},
    "disentanglement.matching_cdf": {"score": np.array([0.7, 0.8, 0.95]), "k": 3},
    "disentanglement.matching_density": {"score": np.array([0.7, 0.8, 0.95]), "k": 3},
    "disentanglement.matching_score": {"correlations": CORRELATIONS},
    "disentanglement.mix_hidden": {"weights": TWO_LAYERS, "C": np.eye(3) + 0.1},
    "disentanglement.neuron_score": {"ratio": np.array([0.0, 0.5, 1.0])},
    "disentanglement.nonnegative_energy": {"readout": READOUT, "half_width": 1.5},
    "disentanglement.random_entropy_score": {"k": 3},
    "disentanglement.random_matching_score": {"k": 3},
    "disentanglement.random_rotations": {"k": 3, "draws": 2, "rng": rng()},
    "disentanglement.rotation_test": {
        "readout": READOUT,
        "loadings": LOADINGS,
        "xx": INPUTS,
        "draws": 3,
        "rng": rng(),
        "score": dln.disentanglement.matching_score,
    },
    "disentanglement.row_maximum": {"k": 3},
    "disentanglement.singular_readout": {"W1": TWO_LAYERS[0]},
    "disentanglement.singular_score": {"s1": 2.0, "s2": 1.0, "noise": 0.3},
    "disentanglement.train": {
        "weights": TWO_LAYERS,
        "moments": TASK,
        "step": 0.1,
        "n_steps": 3,
        "rule": "adam",
        "decay": 0.1,
        "keep": 0.5,
    },
    "disentanglement.unmix_pair": {"activities": SIGNALS, "sign": -1},
}
METHODS = {}
INFINITE: set[str] = set()
EXEMPT: set[str] = set()
SLOW: set[str] = set()
