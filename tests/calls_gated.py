"""Valid calls of `dlnlib.gated` for test_properties.py: arguments by name, and which functions are special there.

INFINITE : their documented answer may be infinite. EXEMPT : too slow to be called hundreds of times, or without arguments.
SLOW : not called with several extreme arguments at once.
"""

import numpy as np

import dlnlib as dln

RNG = np.random.default_rng(0)
GATED = dln.gated.GatedNetwork({"x": 2, "h": 3, "y": 2}, {"W1": ("x", "h"), "W2": ("h", "y"), "skip": ("x", "y")})
GATED_WEIGHTS = GATED.gaussian(0.5, rng=RNG)
GATED_TASK = GATED.task(np.eye(2), np.diag([2.0, 1.0]), edge_gates={"skip": [1.0, 1.0]})
REDUCED = dln.gated.reduce(GATED_TASK)


def rng():
    return np.random.default_rng(1)


CALLS = {
    "gated.reduce": {"task": GATED_TASK, "tol": 1e-9, "force": True},
}
METHODS = {
    "GatedNetwork": (dln.gated.GatedNetwork, {"nodes": {"x": 2, "y": 1}, "edges": {"W": ("x", "y")}}),
    "GatedNetwork.gaussian": (GATED.gaussian, {"scale": 0.5, "rng": rng(), "batch": (2,)}),
    "GatedNetwork.orthogonal": (GATED.orthogonal, {"gain": 0.5, "rng": rng(), "batch": (2,)}),
    "GatedNetwork.imbalance": (GATED.imbalance, {"weights": GATED_WEIGHTS, "node": "h"}),
    "GatedNetwork.path_matrices": (GATED.path_matrices, {"weights": GATED_WEIGHTS}),
    "GatedNetwork.predict": (
        GATED.predict,
        {"weights": GATED_WEIGHTS, "inputs": np.eye(2), "node_gates": {"h": np.ones(2)}, "edge_gates": {"W1": np.ones(2)}},
    ),
    "GatedNetwork.task": (
        GATED.task,
        {
            "inputs": np.eye(2),
            "outputs": np.ones((2, 2)),
            "node_gates": {"h": np.ones(2)},
            "edge_gates": {"W1": np.ones(2)},
            "sample_weights": np.ones(2),
        },
    ),
    "GatedMoments.yx": (GATED_TASK.yx, {"path": 0}),
    "GatedMoments.xx": (GATED_TASK.xx, {"first": 0, "second": 1}),
    "Reduction.layers": (REDUCED.layers, {"b": (0.1, np.array([0.1, 0.2]), 0.3)}),
    "Reduction.decoupled": (REDUCED.decoupled, {"b": 0.1, "rng": rng()}),
    "Reduction.path_strengths": (REDUCED.path_strengths, {"weights": GATED_WEIGHTS}),
    "Reduction.strengths": (REDUCED.strengths, {"layers": REDUCED.layers(0.1)}),
}
INFINITE: set[str] = set()
EXEMPT: set[str] = set()
SLOW: set[str] = set()
