"""Whatever is thrown at a public function, it answers with finite numbers or with a ValueError that can be read.

One argument of a valid call is replaced by something wrong or extreme: NaN, infinities, wrong shapes, empty arrays,
zero and negative scales, huge and tiny numbers, text, None. A silent NaN is a failure, and so is any other exception.
"""

import dataclasses
import importlib
import inspect
import itertools
import math
import warnings

import numpy as np
import pytest

import dlnlib as dln
from dlnlib import Modes, Moments, Trajectory

RNG = np.random.default_rng(0)
MOMENTS = Moments.from_teacher(RNG.standard_normal((2, 3)), np.diag([2.0, 1.0, 0.5]), noise=0.1)
WHITE = Moments.white(np.diag([2.0, 1.0]))
WEIGHTS = dln.initialise.gaussian((3, 4, 2), rng=RNG, scale=0.5)
SQUARE = dln.initialise.gaussian((4, 4, 4), rng=RNG)
DECOUPLED = dln.initialise.decoupled(WHITE.modes(), (2, 3, 2), 0.3, rng=RNG)
MODES = MOMENTS.modes()
TOY = dln.datasets.four_items().moments
PATH = dln.gradient_flow(WEIGHTS, MOMENTS, [0.0, 1.0])
TIMES = np.array([0.0, 0.5, 1.0])
COMPLETION = dln.completion.Completion(np.ones((2, 3)), np.array([[True, False, True], [True, True, False]]))
HOW = "one road against another"


def rng():
    return np.random.default_rng(1)


# A valid call of every public function, by argument name.
CALLS = {
    "completion.degrees_of_freedom": {"m": 3, "n": 4, "rank": 2},
    "completion.duality_gap": {"task": COMPLETION, "W": np.ones((2, 3)), "dual": [[0.5, 0.0, 0.1], [0.2, 0.3, 0.0]]},
    "completion.factorised_descent": {
        "weights": WEIGHTS,
        "gradient": COMPLETION.gradient,
        "step": 0.1,
        "n_steps": 5,
        "record": 2,
    },
    "completion.factorised_flow": {
        "weights": WEIGHTS,
        "gradient": COMPLETION.gradient,
        "t": TIMES,
        "rtol": 1e-8,
        "atol": 1e-12,
        "method": "DOP853",
        "max_evaluations": 600,
    },
    "completion.hidden_entry": {"t": TIMES, "depth": 3},
    "completion.hidden_entry_bound": {"loss": [0.1, 0.01]},
    "completion.minimum_nuclear_norm": {"task": COMPLETION},
    "completion.random_task": {"size": 4, "rank": 2, "share": 0.6, "rng": rng(), "norm": 3.0},
    "completion.small_task": {"seen": 35, "matrix": 0},
    "completion.stored_small_error": {"seen": 35, "matrix": 0},
    "completion.two_by_two_flow": {"t": TIMES, "start": 0.1},
    "datasets.chain": {"n": 4, "length": 1.5},
    "datasets.clusters": {"count": 2, "size": 2, "within": 0.5, "between": 0.1},
    "datasets.correlated_inputs": {"eigenvalues": [2.0, 1.0], "rng": rng()},
    "datasets.cross_cutting": {"rows": 2, "columns": 2, "by_row": 0.3, "by_column": 0.4},
    "datasets.diffusion": {"depth": 2, "branching": 2, "flip": 0.1, "features": 5, "rng": rng()},
    "datasets.gaussian_samples": {"teacher": np.eye(2), "n": 5, "rng": rng(), "xx": np.eye(2), "noise": 0.1},
    "datasets.hierarchy": {"depth": 2, "branching": 2, "copies": [1, 2, 1]},
    "datasets.planted_category": {"features": 6, "items": 5, "shared": 2, "members": 2, "mean": 1.5, "rng": rng()},
    "datasets.random_teacher": {"singular_values": [2.0, 1.0], "d_in": 3, "d_out": 2, "rng": rng()},
    "datasets.ring": {"n": 5, "length": 1.5},
    "datasets.tree": {"depth": 2, "branching": 2, "flip": 0.1},
    "exact.decoupled_flow": {"weights": DECOUPLED, "moments": WHITE, "t": TIMES, "tol": 1e-9},
    "exact.error_components": {"W": np.ones((2, 3)), "moments": MOMENTS},
    "exact.gap": {"t": TIMES, "s": 2.0, "u0": 0.1, "depth": 3},
    "exact.half_time": {"s": 2.0, "u0": 0.1, "depth": 3},
    "exact.hyperbola": {"c": 1.0, "extent": 3.0, "n": 11},
    "exact.late_rate": {"s": 2.0, "c": 0.3},
    "exact.linear_regression_descent": {
        "W0": np.ones((2, 3)),
        "moments": MOMENTS,
        "step": 0.1,
        "n_steps": 7,
        "record": 2,
    },
    "exact.linear_regression_flow": {"W0": np.ones((2, 3)), "moments": MOMENTS, "t": TIMES},
    "exact.plateau_time": {"s": 2.0, "u0": 0.01, "depth": 3, "corrected": True},
    "exact.strength": {"t": TIMES, "s": 2.0, "u0": 0.1, "depth": 3},
    "exact.time_to_strength": {"u": 1.0, "s": 2.0, "u0": 0.1, "depth": 3},
    "exact.two_layer": {"t": TIMES, "s": 2.0, "a0": 0.3, "b0": -0.1},
    "exact.two_layer_balanced": {"t": TIMES, "s": 2.0, "u0": 0.1},
    "expanded.accuracy": {
        "weights": WEIGHTS,
        "readout": np.ones((4, 2)),
        "X": np.ones((5, 3)),
        "labels": np.arange(5) % 4,
    },
    "expanded.cross_entropy": {
        "weights": WEIGHTS,
        "readout": np.ones((4, 2)),
        "X": np.ones((5, 3)),
        "labels": np.arange(5) % 4,
    },
    "expanded.digits": {"n_train": 10, "rng": rng(), "flip": 0.1},
    "expanded.features": {"weights": WEIGHTS, "X": np.ones((5, 3))},
    "expanded.train": {
        "data": dln.expanded.Digits(np.ones((5, 3)), np.arange(5) % 4, np.ones((2, 3)), np.arange(2), np.zeros(5, bool)),
        "weights": WEIGHTS,
        "readout": np.ones((4, 2)),
        "step": 0.1,
        "n_epochs": 2,
        "rng": rng(),
        "batch_size": 2,
        "record": 1,
    },
    "explore.words": {"value": 1.5, "digits": 3},
    "exact.two_layer_time": {"u": 1.0, "s": 2.0, "a0": 0.3, "b0": 0.1},
    "generalisation.deep_students": {
        "t": [0.5, 1.0],
        "inputs": 3,
        "samples": 4,
        "draws": 2,
        "rng": rng(),
        "noise": 0.1,
        "hidden": 2,
        "scale": 0.1,
        "teacher": 1.0,
    },
    "generalisation.error_given_spectrum": {
        "t": TIMES,
        "eigenvalues": [2.0, 1.0, 0.0],
        "samples": 2,
        "noise": 0.1,
        "teacher": 1.0,
        "start": 0.2,
    },
    "generalisation.excess_error": {
        "t": TIMES,
        "ratio": 2.0,
        "noise": 0.1,
        "teacher": 1.0,
        "start": 0.2,
        "inputs": 50,
        "step": 0.25,
    },
    "generalisation.late_error": {"ratio": 2.0, "noise": 0.1, "teacher": 1.0, "start": 0.2, "inputs": 50},
    "generalisation.marchenko_pastur_density": {"eigenvalues": [0.5, 1.0], "ratio": 2.0},
    "generalisation.marchenko_pastur_edges": {"ratio": 2.0},
    "generalisation.marchenko_pastur_moment": {"order": 3, "ratio": 2.0},
    "generalisation.marchenko_pastur_nodes": {"ratio": 2.0},
    "generalisation.marchenko_pastur_stieltjes": {"penalty": 0.1, "ratio": 2.0},
    "generalisation.mode_error": {"t": 1.0, "eigenvalue": 0.5, "ratio": 2.0, "noise": 0.1, "teacher": 1.0, "start": 0.2},
    "generalisation.mode_stopping_time": {"eigenvalue": 0.5, "ratio": 2.0, "noise": 0.1, "teacher": 1.0, "start": 0.2},
    "generalisation.optimal_ridge": {"ratio": 2.0, "noise": 0.1, "teacher": 1.0},
    "generalisation.optimal_stopping": {"ratio": 2.0, "noise": 0.1, "teacher": 1.0, "start": 0.2},
    "generalisation.peak_error": {"t": TIMES, "noise": 0.1, "teacher": 1.0, "start": 0.2},
    "generalisation.ridge_error": {"penalty": 0.1, "ratio": 2.0, "noise": 0.1, "teacher": 1.0},
    "generalisation.stopping_window": {"ratio": 2.0, "noise": 0.1, "teacher": 1.0, "start": 0.2},
    "generalisation.strengths_error": {"u": [0.1, 0.2], "modes": MODES, "teacher": np.ones((2, 3))},
    "generalisation.students": {
        "t": TIMES,
        "inputs": 3,
        "samples": 4,
        "draws": 2,
        "rng": rng(),
        "noise": 0.1,
        "teacher": 1.0,
        "start": 0.2,
        "penalty": 0.1,
        "entries": "gaussian",
        "population": [1.0, 1.0, 0.5],
        "residual": None,
    },
    "generalisation.training_error": {"t": TIMES, "ratio": 2.0, "noise": 0.1, "teacher": 1.0, "start": 0.2},
    "generalisation.training_error_given_spectrum": {
        "t": TIMES,
        "eigenvalues": [2.0, 1.0, 0.0],
        "samples": 2,
        "noise": 0.1,
        "teacher": 1.0,
        "start": 0.2,
    },
    "hessian.hessian": {"weights": WEIGHTS, "moments": MOMENTS},
    "hessian.hessian_vector_product": {"weights": WEIGHTS, "moments": MOMENTS, "direction": WEIGHTS},
    "hessian.sharpness": {"weights": WEIGHTS, "moments": MOMENTS},
    "initialise.balanced": {"widths": (3, 4, 2), "rng": rng(), "scale": 0.5},
    "initialise.decoupled": {"modes": MODES, "widths": (3, 4, 2), "strengths": [0.1, 0.2], "rng": rng()},
    "initialise.from_product": {"matrix": np.ones((2, 3)), "widths": (3, 4, 2)},
    "initialise.gaussian": {"widths": (3, 4, 2), "rng": rng(), "scale": 0.5, "batch": (2,)},
    "initialise.orthogonal": {"widths": (3, 4, 2), "rng": rng(), "gain": 1.0, "batch": (2,)},
    "initialise.pretrained": {
        "moments": MOMENTS,
        "widths": (3, 4, 2),
        "rng": rng(),
        "step": 0.5,
        "n_steps": 20,
        "scale": 0.1,
        "readout": "zero",
    },
    "landscape.canonical_spectrum": {"moments": WHITE, "modes": (0,), "widths": (2, 3, 2)},
    "landscape.classify": {"weights": WEIGHTS, "moments": MOMENTS, "tol": 1e-8},
    "landscape.critical_levels": {"losses": [1.0, 2.0, 1.0], "tol": 1e-6},
    "landscape.critical_point": {
        "moments": MOMENTS,
        "modes": (0,),
        "widths": (3, 4, 2),
        "rng": rng(),
        "inactive": 0.1,
        "middle": 0.0,
        "mix": 2.0,
    },
    "landscape.critical_sets": {"moments": MOMENTS, "hidden": 3, "depth": 2},
    "landscape.escape_direction": {"weights": WEIGHTS, "moments": MOMENTS},
    "landscape.find_critical_points": {
        "moments": WHITE,
        "widths": (2, 1, 2),
        "n": 2,
        "rng": rng(),
        "spread": 1.0,
        "tol": 1e-10,
        "max_evaluations": 20,
    },
    "landscape.predicted_index": {
        "moments": MOMENTS,
        "modes": (0,),
        "hidden": 3,
        "depth": 3,
        "middle_rank": None,
    },
    "lowrank.effective_rank": {"matrix": np.diag([2.0, 1.0]), "power": 2.0},
    "lowrank.end_to_end_velocity": {"W": np.ones((2, 3)), "gradient": np.eye(2, 3), "depth": 3},
    "lowrank.factorisation_cost": {"matrix": np.ones((2, 3)), "depth": 3},
    "lowrank.lagging_strength": {"leader": [0.5, 1.0], "ratio": 0.5, "u0": 0.1, "depth": 3},
    "lowrank.random_product_ranks": {
        "ensemble": "uniform",
        "width": 4,
        "depths": [1, 3],
        "draws": 2,
        "rng": rng(),
        "power": 1.0,
    },
    "lowrank.rank_of_spectrum": {"s": [2.0, 1.0, 0.0], "power": 1.0},
    "lowrank.shrinkage_threshold": {"decay": 0.1, "depth": 3},
    "lowrank.shrunk_strength": {"s": [2.0, 0.5], "decay": 0.1, "depth": 3},
    "lowrank.singular_value_velocities": {"W": np.ones((2, 3)), "gradient": np.eye(2, 3), "depth": 3},
    "lowrank.stable_rank": {"matrix": np.diag([2.0, 1.0])},
    "lowrank.wide_effective_rank": {"depth": 3, "power": 1.0},
    "lowrank.wide_stable_rank": {"depth": 3},
    "measure.balance": {"weights": WEIGHTS},
    "measure.effective_start": {"weights": WEIGHTS, "modes": MODES, "competing": True},
    "measure.isometry_spectrum": {"weights": SQUARE, "log": True},
    "measure.layer_alignment": {"weights": WEIGHTS, "rank": 1},
    "measure.learning_time": {
        "t": TIMES,
        "u": [0.1, 0.5, 0.9],
        "level": 0.4,
        "of_final": False,
        "missing": "inf",
    },
    "measure.loss_plateaus": {"moments": MOMENTS, "hidden": 2},
    "measure.mode_strengths": {"W": np.ones((2, 3)), "modes": MODES},
    "measure.off_diagonal": {"W": np.ones((2, 3)), "modes": MODES, "relative": True},
    "measure.subspace_overlap": {"A": np.eye(3)[:, :2], "B": np.eye(3)[:, 1:]},
    "network.error_correlation": {"weights": WEIGHTS, "moments": MOMENTS},
    "network.flatten": {"weights": WEIGHTS},
    "network.gradients": {"weights": WEIGHTS, "moments": MOMENTS},
    "network.imbalances": {"weights": WEIGHTS},
    "network.loss": {"weights": WEIGHTS, "moments": MOMENTS},
    "network.product": {"weights": WEIGHTS},
    "network.unflatten": {"vector": np.ones(20), "widths": (3, 4, 2)},
    "network.widths": {"weights": WEIGHTS},
    "plotting.mode_colour": {"k": 3},
    "propagation.fuss_catalan_edge": {"depth": 4},
    "propagation.fuss_catalan_quantiles": {"depth": 4, "shares": np.array([0.0, 0.3, 1.0])},
    "propagation.lyapunov_exponents": {"width": 5},
    "propagation.mean_field_slope": {"gain": 1.2, "variance": 0.1},
    "propagation.mean_field_trajectory": {"variance": 0.5, "gain": 1.1, "depth": 5},
    "propagation.mean_field_variance": {"gain": 1.2},
    "propagation.tanh_forward": {"weights": SQUARE, "x": np.ones(4)},
    "propagation.tanh_jacobian": {"weights": SQUARE, "x": np.ones(4)},
    "propagation.tanh_layer_jacobians": {"weights": SQUARE, "x": np.ones(4)},
    "semantic.category_overlap": {"theta": 1.5, "ratio": 0.5, "side": "items"},
    "semantic.category_singular_value": {"theta": 1.5, "ratio": 0.5},
    "semantic.category_threshold": {"ratio": 0.5},
    "semantic.coherence": {"features": 10, "shared": 4, "members": 3, "mean": 1.5},
    "semantic.commuting_modes": {"moments": TOY, "tol": 1e-8},
    "semantic.descent_strength": {"m": 2.0, "variance": 0.5, "u0": 0.1, "step": 0.1, "n_steps": 5, "depth": 2},
    "semantic.development": {"moments": TOY, "t": TIMES, "u0": 0.1, "depth": 2},
    "semantic.diffusion_spectrum": {"depth": 2, "branching": 2, "flip": 0.1},
    "semantic.effective_modes": {"weights": WEIGHTS, "moments": MOMENTS, "tol": 1e-6},
    "semantic.final_similarity": {"moments": TOY},
    "semantic.half_time": {"m": 2.0, "variance": 0.5, "u0": 0.1, "depth": 2},
    "semantic.hidden_similarity": {"moments": TOY, "t": TIMES, "u0": 0.1},
    "semantic.illusory_excess": {"product": np.ones((3, 2, 2)), "target": np.eye(2)},
    "semantic.inductive_projection": {"W1": np.ones((3, 2)), "item": 0},
    "semantic.item_distances": {"W1": np.ones((3, 2))},
    "semantic.node_spectrum": {"depth": 2, "branching": 2, "copies": [1.0, 2.0, 1.0]},
    "semantic.ring_spectrum": {"similarity": np.array([1.0, 0.5, 0.2, 0.5])},
    "semantic.strength": {"t": TIMES, "m": 2.0, "variance": 0.5, "u0": 0.1, "depth": 2},
    "semantic.tree_distances": {"strengths": np.array([3.0, 2.0, 1.0]), "branching": 2},
    "semantic.tree_entries": {"learnt": np.array([1.0, 0.5, 0.1]), "branching": 2, "level": 2},
    "semantic.typicality": {"properties": np.ones((3, 2)), "modes": MODES},
    "simulate.gradient_descent": {
        "weights": WEIGHTS,
        "moments": MOMENTS,
        "step": 0.1,
        "n_steps": 5,
        "record": 2,
    },
    "simulate.gradient_flow": {
        "weights": WEIGHTS,
        "moments": MOMENTS,
        "t": TIMES,
        "rtol": 1e-8,
        "atol": 1e-12,
        "method": "DOP853",
        "max_evaluations": 600,
    },
    "simulate.largest_stable_step": {"weights": WEIGHTS, "moments": MOMENTS},
    "simulate.steps_to_loss": {
        "weights": WEIGHTS,
        "moments": MOMENTS,
        "step": 0.1,
        "target": 0.1,
        "max_steps": 5,
    },
}
METHODS = {
    "Completion": (dln.completion.Completion, {"target": np.ones((2, 3)), "mask": COMPLETION.mask}),
    "Completion.error": (COMPLETION.error, {"W": np.ones((2, 3))}),
    "Completion.gradient": (COMPLETION.gradient, {"W": np.ones((2, 3))}),
    "Completion.loss": (COMPLETION.loss, {"W": np.ones((2, 3))}),
    "Modes.of": (Modes.of, {"matrix": np.ones((2, 3))}),
    "Modes.truncate": (MODES.truncate, {"rank": 1}),
    "Moments": (Moments, {"xx": np.eye(2), "yx": np.ones((1, 2)), "yy": np.full((1, 1), 5.0)}),
    "Moments.from_data": (Moments.from_data, {"X": np.ones((4, 2)), "Y": np.ones((4, 1))}),
    "Moments.from_teacher": (Moments.from_teacher, {"teacher": np.ones((1, 2)), "xx": np.eye(2), "noise": 0.1}),
    "Moments.white": (Moments.white, {"yx": np.ones((1, 2)), "noise": 0.1}),
    "Moments.irreducible_loss": (MOMENTS.irreducible_loss, {"rank": 1}),
    "Moments.is_white": (MOMENTS.is_white, {"tol": 1e-9}),
    "Moments.optimum": (MOMENTS.optimum, {"rank": 1}),
    "Moments.whitened": (MOMENTS.whitened, {"kind": "pca"}),
    "Trajectory.at": (PATH.at, {"t": 0.5}),
    "Trajectory.strengths": (PATH.strengths, {"modes": MODES}),
    "verify": (dln.verify, {"label": "eq-a", "got": [1.0], "want": [1.0], "rtol": 1e-3, "how": HOW}),
}
# Functions whose documented answer may be infinite.
INFINITE = {
    "exact.half_time",
    "exact.plateau_time",
    "exact.time_to_strength",
    "exact.two_layer_time",
    "semantic.half_time",
    "measure.isometry_spectrum",
    "measure.learning_time",
    "simulate.largest_stable_step",
    "simulate.steps_to_loss",
}
# They draw on an axis, take no number, or are what this file uses itself.
EXEMPT = {
    "datasets.four_items",
    "completion.run_cell",  # each call takes a second: tests/test_completion.py
    "completion.stored_minimiser",
    "completion.stored_table",
    "completion.two_by_two",
    "plotting.others",
    "plotting.simulation",
    "plotting.theory",
    "plotting.use_style",
    "exercises.check",
    "exercises.checker_ids",
    "exercises.question",
}


# Where weights and data are both extreme these follow a stiff flow for many seconds before they refuse.
SLOW = {"simulate.gradient_descent", "simulate.largest_stable_step"}

# Functions that warn of what their answer is worth, by a category of their own, which is not a failure.
WARNS: dict[str, type[Warning]] = {}

# Calls of the larger subjects stand in files of their own, with the same names in them.
SUBJECTS = [importlib.import_module(f"calls_{name}") for name in ("disentanglement", "gated", "global_gates", "rectified", "slt")]
for subject in SUBJECTS:
    CALLS |= subject.CALLS
    METHODS |= subject.METHODS
    INFINITE |= subject.INFINITE
    EXEMPT |= subject.EXEMPT
    SLOW |= subject.SLOW
    WARNS |= getattr(subject, "WARNS", {})


def public_functions():
    for name in dln._SUBMODULES:
        module = getattr(dln, name)
        for public in module.__all__:
            if inspect.isfunction(getattr(module, public)):
                yield f"{name}.{public}"


def test_every_public_function_is_under_fire():
    drawn = {name for name in public_functions() if name.startswith("figures.")}  # tests/test_figures*.py
    charts = {name for name in public_functions() if name.startswith("explore.") and name != "explore.words"}  # test_explore*.py
    assert set(public_functions()) - EXEMPT - drawn - charts == set(CALLS)


@pytest.mark.parametrize("name", [*CALLS, *METHODS])
def test_every_argument_is_under_fire(name):
    function, arguments = resolve(name)
    declared = set(inspect.signature(function).parameters)
    optional_switches = {"full_yy", "relative_to", "atol"} if name in ("Moments.from_data", "verify") else set()
    assert declared - optional_switches == set(arguments)
    with warnings.catch_warnings():
        allow_documented(name)
        assert_clean(function(**arguments), name)


def allow_documented(name):
    if name in WARNS:
        warnings.simplefilter("ignore", WARNS[name])


def resolve(name):
    if name in METHODS:
        return METHODS[name]
    module, function = name.split(".")
    return getattr(getattr(dln, module), function), CALLS[name]


def assert_clean(result, name):
    """No NaN anywhere in what came back; infinities only where they are the documented answer."""
    if isinstance(result, (tuple, list)):
        for part in result:
            assert_clean(part, name)
    elif isinstance(result, Trajectory):
        assert_clean((result.t, result.weights), name)
    elif dataclasses.is_dataclass(result) and not isinstance(result, (Moments, type)):
        assert_clean([getattr(result, f.name) for f in dataclasses.fields(result)], name)
    elif isinstance(result, (float, int, np.ndarray, np.floating)) and not isinstance(result, bool):
        values = np.asarray(result)
        if values.dtype.kind == "f":
            assert not np.any(np.isnan(values)), f"{name} returned NaN"
            assert name in INFINITE or np.all(np.isfinite(values)), f"{name} returned an infinity"


EXTREMES = (0.0, -0.0, 1.0, -1.0, 1e-300, -1e-300, 1e-12, 1e8, -1e8, 1e150, 1e300, -1e300, np.inf, -np.inf, np.nan)
NUMBERS = (*EXTREMES, 0, 1, -1, 2, 3, True)
ODD_THINGS = (None, "text", "", object(), {}, [], (), [[1.0], [1.0, 2.0]], 1j, b"x", ...)
ARRAYS = 12  # drawn for every argument
TOGETHER = 60  # draws of several arguments at once for every function
# Each call of these takes 0.02 s to 6 s, most of them on the way to a refusal: every sixth replacement, a third of the draws.
DEAR = {
    "gated.race_flow",
    "generalisation.deep_students",
    "global_gates.mixture",
    "global_gates.scale_posterior",
    "rectified.common_loss",
    "rectified.residual_loss",
    "simulate.gradient_descent",
}


def drawn_for(*words):
    """Return a generator that is the same in every run, and another one for every function and argument."""
    return np.random.default_rng(list(" ".join(words).encode()))


def an_array(draw, shape=None):
    """Return an array of ordinary numbers, one value or a few entries of which are extreme."""
    if shape is None:
        shape = tuple(draw.integers(0, 5, size=draw.integers(0, 4)))
    ordinary = np.full(shape, draw.choice(EXTREMES)) if draw.random() < 0.4 else draw.uniform(-3, 3, shape)
    return np.where(draw.random(shape) < draw.choice([0.0, 0.2, 1.0]), draw.choice(EXTREMES, shape), ordinary)


def replacements(valid, draw):
    """Return wrong or extreme values for an argument whose valid value is given."""
    found = [*NUMBERS, *ODD_THINGS, *(an_array(draw) for _ in range(ARRAYS))]
    if isinstance(valid, np.ndarray) and valid.dtype.kind == "f" and valid.size:
        found += [np.full(valid.shape, float(x)) for x in EXTREMES]
        found += [c * valid for c in (1e-200, -1.0, 0.0, 1e8, 1e160)]
        found += [an_array(draw, valid.shape) for _ in range(ARRAYS)]
    if isinstance(valid, tuple) and valid and isinstance(valid[0], np.ndarray):
        for layer in range(len(valid)):
            found += [(*valid[:layer], an_array(draw), *valid[layer + 1 :]) for _ in range(ARRAYS // 2)]
            found += [(*valid[:layer], an_array(draw, valid[layer].shape), *valid[layer + 1 :]) for _ in range(ARRAYS // 2)]
        found += [tuple(c * W for W in valid) for c in (1e-200, 1e-3, 0.0, -1.0, 10.0, 1e160)]
        found += [valid[::-1], valid[:1], valid + valid, list(valid)]
    return found


def together(valid):
    """Return extreme but well-formed values for an argument, to be given several at a time."""
    if isinstance(valid, Moments):
        scaled = [(1e150, 1e150), (1e-150, 1e-150), (1e150, 1e-10), (1e-10, 1.0), (1.0, 1e-200), (0.0, 0.0)]
        return [Moments(valid.xx * a, valid.yx * b) for a, b in scaled]
    if isinstance(valid, bool) or not isinstance(valid, (float, np.ndarray, tuple, list)):
        return []
    if isinstance(valid, float):
        return [1e300, 1e-300, 0.0, -valid, 1e100, 1e-100, 1e8, 1e-8, 1.0]
    if isinstance(valid, tuple):
        numeric = valid and isinstance(valid[0], np.ndarray)
        return [tuple(c * W for W in valid) for c in (1e308, 1e200, 1e150, 1e80, 1e-80, 1e-200, 0.0)] if numeric else []
    array = np.asarray(valid)
    return [np.full(array.shape, 1e308), np.full(array.shape, 1e300), 1e200 * array, 1e-200 * array, 0 * array]


def combinations(arguments, draw, most=TOGETHER):
    """Return every combination of extreme values, or of very many those that are drawn; any may keep its valid value."""
    extremes = {key: found for key, valid in arguments.items() if (found := together(valid))}
    keep = [(key, range(-1, len(found))) for key, found in extremes.items()]
    if math.prod(len(choices) for _, choices in keep) <= most:
        picked = list(itertools.product(*(choices for _, choices in keep)))
    else:
        picked = [[draw.choice(choices) if draw.random() < 0.6 else -1 for _, choices in keep] for _ in range(most)]
    for one in picked:
        yield {key: extremes[key][at] for key, at in zip(extremes, one, strict=True) if at >= 0}


def assert_answers(name, function, arguments):
    """A clean result, or a ValueError that says what was wrong."""
    with warnings.catch_warnings(), np.errstate(all="warn", under="ignore"):
        warnings.simplefilter("error")
        allow_documented(name)
        try:
            result = function(**arguments)
        except ValueError as error:
            message = str(error)
        except AssertionError as error:  # what verify raises when two roads disagree
            message = str(error) if name == "verify" else ""
        else:
            assert_clean(result, name)
            return
    assert len(message) > 15, "an error must say what was wrong"


def assert_answers_with(name, function, arguments, changes):
    """The same of every one of the changes of its arguments; a fault says which change it was."""
    for change in changes:
        try:
            assert_answers(name, function, {**arguments, **change})
        except Exception as fault:
            fault.add_note(f"{name} was given {change}")
            raise


@pytest.mark.parametrize("name", [*CALLS, *METHODS])
def test_answers_or_says_what_is_wrong(name):
    function, arguments = resolve(name)
    for key, valid in arguments.items():
        wrong = replacements(valid, drawn_for(name, key))[:: 6 if name in DEAR else 1]
        assert_answers_with(name, function, arguments, ({key: value} for value in wrong))


@pytest.mark.parametrize("name", [name for name in [*CALLS, *METHODS] if name not in SLOW])
def test_several_extreme_arguments_at_once(name):
    function, arguments = resolve(name)
    most = TOGETHER // 3 if name in DEAR else TOGETHER
    assert_answers_with(name, function, arguments, combinations(arguments, drawn_for(name), most))
