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

RACE = dln.gated.race_network(2, (2, 3, 2))
ROUTING = dln.gated.routing_network(2, 2, inputs=2, outputs=2)
ROUTES = [(0, 0), (0, 1), (1, 1)]


def rng():
    return np.random.default_rng(1)


CALLS = {
    "gated.blocks": {"domains": 4, "n": 2},
    "gated.circulant": {"domains": 3, "k": 2},
    "gated.components": {"routes": ROUTES, "domains": 2},
    "gated.hub": {"domains": 3},
    "gated.race_end": {
        "targets": [2.0, 1.0],
        "alpha0": 0.1,
        "beta0": 0.05,
        "depth": 2,
        "counts": [2.0, 1.0],
        "votes": [1.0, -1.0],
    },
    "gated.race_flow": {
        "t": np.array([0.0, 0.5, 1.0]),
        "targets": [2.0, 1.0],
        "alpha0": 0.1,
        "beta0": 0.05,
        "depth": 2,
        "probabilities": [0.5, 0.5],
        "votes": [1.0, -1.0],
        "shares": [0.25, 0.5],
    },
    "gated.race_network": {"tasks": 2, "widths": (2, 3, 2)},
    "gated.race_private": {"alpha": [0.2, 0.5], "alpha0": 0.1, "beta0": 0.05, "tasks": 3.0, "depth": 3},
    "gated.race_strengths": {
        "t": np.array([0.0, 0.5, 1.0]),
        "s": 2.0,
        "alpha0": 0.1,
        "beta0": 0.05,
        "tasks": 3.0,
        "depth": 3,
    },
    "gated.race_task": {"network": RACE, "maps": np.ones((2, 2, 2)), "probabilities": [0.25, 0.75]},
    "gated.race_time": {"alpha": [0.2, 0.5], "s": 2.0, "alpha0": 0.1, "beta0": 0.05, "tasks": 3.0, "depth": 3},
    "gated.reduce": {"task": GATED_TASK, "tol": 1e-9, "force": True},
    "gated.routing_chain": {"weights": ROUTING.gaussian(0.5, rng=RNG), "domains": 2},
    "gated.routing_descent": {
        "routes": ROUTES,
        "gain": 0.5,
        "seeds": [0, 1],
        "domains": 2,
        "hidden": 4,
        "step": 0.05,
        "n_steps": 4,
        "stop": 1e-3,
        "record": 2,
    },
    "gated.routing_end": {"s": [2.0, 1.0], "start": 0.1, "domains": (2, 3)},
    "gated.routing_network": {"domains": 2, "hidden": 3, "inputs": 2, "outputs": 2},
    "gated.routing_strengths": {
        "t": np.array([0.0, 0.5, 1.0]),
        "s": 2.0,
        "start": np.array([0.1, 0.2, 0.3]),
        "domains": (2, 3),
    },
    "gated.routing_task": {"network": ROUTING, "routes": ROUTES, "X": np.eye(2), "Y": np.ones((2, 2))},
    "gated.routing_time": {"share": [0.1, 0.5], "s": 2.0, "start": np.array([0.1, 0.2, 0.3]), "domains": (2, 3)},
    "gated.routing_topology": {"name": "hub"},
    "gated.staircase": {"domains": 3},
    "gated.xor_loss": {"t": np.array([0.0, 0.5, 1.0]), "a0": 0.1},
    "gated.xor_network": {"hidden": 2},
    "gated.xor_strength": {"t": np.array([0.0, 0.5, 1.0]), "a0": 0.1},
}
METHODS = {
    "GatedNetwork": (dln.gated.GatedNetwork, {"nodes": {"x": 2, "y": 1}, "edges": {"W": ("x", "y")}}),
    "GatedNetwork.fit": (GATED.fit, {"weights": GATED_WEIGHTS}),
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
    "GatedMoments.fit": (GATED_TASK.fit, {"weights": GATED_WEIGHTS}),
    "GatedMoments.yx": (GATED_TASK.yx, {"path": 0}),
    "GatedMoments.xx": (GATED_TASK.xx, {"first": 0, "second": 1}),
    "Reduction.layers": (REDUCED.layers, {"b": (0.1, np.array([0.1, 0.2]), 0.3)}),
    "Reduction.decoupled": (REDUCED.decoupled, {"b": 0.1, "rng": rng()}),
    "Reduction.path_strengths": (REDUCED.path_strengths, {"weights": GATED_WEIGHTS}),
    "Reduction.strengths": (REDUCED.strengths, {"layers": REDUCED.layers(0.1)}),
}
INFINITE: set[str] = set()
EXEMPT = {
    "gated.routing_cell",  # descents on a hundred blocks, each takes a minute: tests/test_gated_routing.py
    "gated.small_cell",
    "gated.routing_table",  # without arguments, as are the next three
    "gated.stored_routing",
    "gated.stored_small",
    "gated.xor_task",
}
# With targets and times both extreme the race is stiff: up to 100,000 evaluations, seconds, before it is refused.
SLOW = {"gated.race_flow"}
