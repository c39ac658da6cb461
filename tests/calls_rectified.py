"""Valid calls of `dlnlib.rectified` for test_properties.py: arguments by name, and which functions are special there.

INFINITE : their documented answer may be infinite. EXEMPT : too slow to be called hundreds of times, or without arguments.
SLOW : not called with several extreme arguments at once.
"""

import numpy as np

import dlnlib as dln

RNG = np.random.default_rng(0)
LAYER = dln.initialise.gaussian((2, 3, 2), rng=RNG, scale=0.5)
DEEP = dln.initialise.gaussian((2, 3, 3, 2), rng=RNG, scale=0.5)
X = RNG.standard_normal((4, 2))
Y = RNG.standard_normal((4, 2))
GATES = ((RNG.random((4, 3)) > 0.5).astype(float), np.ones((4, 3)))
SHARES = np.full(4, 0.25)
TASK = dln.rectified.contextual_task(2)
UNITS = dln.initialise.gaussian((10, 3, 45), rng=RNG, scale=0.5)
XOR = (np.array([[1.0, 0.2], [-0.3, 0.9], [0.1, -0.5]]), np.array([[0.3, -0.4, 0.2]]))
TIMES = np.array([0.0, 0.5, 1.0])


def rng():
    return np.random.default_rng(1)


CALLS = {
    "rectified.common_loss": {"t": TIMES, "contexts": 3, "u0": 0.1},
    "rectified.common_modes": {"contexts": 3},
    "rectified.compare_losses": {
        "t": TIMES,
        "loss": np.array([1.0, 0.6, 0.1]),
        "other": np.array([1.0, 0.5, 0.2]),
        "most": 0.4,
        "trials": 5,
    },
    "rectified.context_gates": {"context": np.array([0, 0, 1, 1]), "kind": "mixed"},
    "rectified.contextual_network": {"task": TASK, "kind": "mixed", "width": 2},
    "rectified.contextual_task": {"contexts": 3},
    "rectified.contributions": {"weights": LAYER, "X": X},
    "rectified.extract_pathways": {"weights": LAYER, "X": X, "count": 2, "threshold": 0.01, "weakest": 0.01},
    "rectified.gates": {"weights": DEEP, "X": X},
    "rectified.gradient_descent": {
        "weights": DEEP,
        "X": X,
        "Y": Y,
        "step": 0.1,
        "n_steps": 4,
        "gates": GATES,
        "sample_weights": SHARES,
        "record": 2,
    },
    "rectified.gradients": {"weights": DEEP, "X": X, "Y": Y, "gates": GATES, "sample_weights": SHARES},
    "rectified.item_network": {"contexts": 3, "kind": "mixed", "sigma": 1.5, "width": 2},
    "rectified.item_task": {"contexts": 3, "sigma": 1.5},
    "rectified.leading_time": {"contexts": 3, "kind": "mixed"},
    "rectified.learning_time": {"contexts": 2, "kind": "single", "a0": 0.1, "rng": rng()},
    "rectified.linear_floor": {"contexts": 3},
    "rectified.loss": {"weights": DEEP, "X": X, "Y": Y, "gates": GATES, "sample_weights": SHARES},
    "rectified.pathway_network": {
        "gates": np.array([[1.0, 1.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0]]),
        "X": X,
        "Y": Y,
        "width": 2,
        "sample_weights": SHARES,
    },
    "rectified.piecewise_flow": {
        "weights": LAYER,
        "X": X[:3],
        "Y": Y[:3],
        "t": TIMES,
        "rtol": 1e-6,
        "atol": 1e-9,
        "max_switches": 20,
        "max_evaluations": 600,
    },
    "rectified.predict": {"weights": DEEP, "X": X, "gates": GATES},
    "rectified.race_rates": {"contexts": 3},
    "rectified.rectified_run": {"task": TASK, "scale": 0.01, "seed": 0, "n_steps": 2, "record": [0, 2]},
    "rectified.relative_gates": {"weights": LAYER, "X": X, "threshold": 0.01},
    "rectified.residual_loss": {"t": TIMES, "contexts": 3, "u0": 0.1},
    "rectified.shares_by_contexts": {"weights": UNITS, "task": TASK},
    "rectified.stored_run": {"contexts": 3, "scale": 0.01, "seed": 0},
    "rectified.time_to": {"t": TIMES, "loss": np.array([1.0, 0.6, 0.1]), "share": 0.5},
    "rectified.xor_fates": {"weights": XOR},
}
METHODS = {}
INFINITE: set[str] = {
    "rectified.stored_run",  # times to levels that were not reached
    "rectified.time_to",
}
EXEMPT: set[str] = {  # without arguments
    "rectified.stored_groups",
    "rectified.stored_runs",
    "rectified.stored_tiny",
    "rectified.table_modes",
}
SLOW: set[str] = set()
