"""Valid calls of `dlnlib.global_gates` for test_properties.py: arguments by name, and which functions are special there.

INFINITE : their documented answer may be infinite. EXEMPT : too slow to be called hundreds of times, or without arguments.
SLOW : not called with several extreme arguments at once.
"""

import numpy as np

import dlnlib as dln

RNG = np.random.default_rng(0)
X = RNG.standard_normal((4, 3))
GATES = np.array([[1.0, 0.0], [0.5, 1.0], [0.0, 1.0], [1.0, 1.0]])
Y = RNG.standard_normal(4)
TASK = dln.global_gates.Task(X, GATES, Y, variance=1.5, temperature=0.2)
X_NEW, GATES_NEW = RNG.standard_normal((2, 3)), np.array([[1.0, 0.5], [0.0, 1.0]])
U = np.array([[1.0, 0.2], [0.2, 0.8]])
TINY, TEACHERS = dln.global_gates.related_tasks(0.5, tasks=2, examples=2, inputs=3)


def rng():
    return np.random.default_rng(1)


CALLS = {
    "global_gates.action": {"task": TASK, "U": U, "width": 5},
    "global_gates.action_slope": {"task": TASK, "U": U, "width": 5},
    "global_gates.draw_network": {"task": TASK, "width": 3, "rng": rng(), "draws": 2},
    "global_gates.gibbs": {
        "task": TASK,
        "width": 3,
        "X": X_NEW,
        "gates": GATES_NEW,
        "rng": rng(),
        "sweeps": 4,
        "burn": 1,
        "chains": 2,
    },
    "global_gates.half_space_gates": {"X": X, "directions": np.ones((2, 3)), "both_sides": True},
    "global_gates.half_space_kernel": {"X": X, "X2": X_NEW},
    "global_gates.mean_scale_two_layers": {"samples": 3, "width": 5, "r0": 0.5, "variance": 1.5},
    "global_gates.mixture": {
        "task": TASK,
        "width": 6,
        "X": X_NEW,
        "gates": GATES_NEW,
        "rng": rng(),
        "draws": 200,
        "batch": 100,
    },
    "global_gates.network_outputs": {"a": np.ones((3, 2)), "W": np.ones((3, 3)), "X": X, "gates": GATES},
    "global_gates.one_hot_gates": {"labels": [0, 1, 1], "tasks": 2},
    "global_gates.output_gates": {"gates": GATES, "outputs": 2},
    "global_gates.output_scales": {"X": X[:2], "Y": np.array([[1.0, 0.5], [0.2, -1.0]]), "width": 5, "variance": 1.5},
    "global_gates.regression": {"variance": 1.5},
    "global_gates.related_tasks": {
        "correlation": 0.5,
        "tasks": 2,
        "examples": 2,
        "inputs": 3,
        "temperature": 0.1,
        "seed": 0,
    },
    "global_gates.relu_kernel": {"X": X, "X2": X_NEW},
    "global_gates.saddle": {"task": TASK, "width": 5, "measure": "log", "start": U, "tolerance": 1e-8},
    "global_gates.saddle_scale": {"load": np.array([0.5, 2.0]), "r0": 0.5, "variance": 1.5, "depth": 3},
    "global_gates.saddle_scale_two_layers": {"load": np.array([0.5, 2.0]), "r0": 0.5, "variance": 1.5},
    "global_gates.scale_correction": {"load": np.array([0.5, 2.0]), "r0": 0.5, "variance": 1.5},
    "global_gates.scale_density": {"log_q": np.array([-0.5, 0.5]), "widths": [3, 4], "variance": 1.5},
    "global_gates.scale_posterior": {
        "y_squared": np.array([1.0, 0.5]),
        "eigenvalues": np.array([2.0, 0.5]),
        "widths": [3, 4],
        "variance": 1.5,
        "temperature": 0.1,
    },
    "global_gates.task_correlation": {"U": U},
    "global_gates.task_error": {"task": TINY, "U": U, "teachers": TEACHERS},
    "global_gates.task_scale": {"X": X[:2], "y": Y[:2], "variance": 1.5},
    "global_gates.transfer_cell": {"correlation": 0.5, "width": 3, "seeds": [0], "examples": 2, "draws": 0},
    "global_gates.transfer_curve": {"correlation": 0.5, "examples": 2, "widths": [3], "seeds": 1},
}
METHODS = {
    "Task": (dln.global_gates.Task, {"X": X, "gates": GATES, "y": Y, "variance": 1.5, "temperature": 0.2}),
    "Task.kernel": (TASK.kernel, {"U": U, "X": X_NEW, "gates": GATES_NEW}),
    "Task.predict": (TASK.predict, {"U": U, "X": X_NEW, "gates": GATES_NEW}),
}
INFINITE: set[str] = set()
EXEMPT = {
    "global_gates.regression_cell",  # a cell of the table: seconds
    "global_gates.stored_curves",
    "global_gates.stored_regression",
    "global_gates.stored_transfer",
}
SLOW: set[str] = set()
