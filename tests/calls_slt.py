"""Valid calls of `dlnlib.slt` for test_properties.py: arguments by name, and which functions are special there.

INFINITE : their documented answer may be infinite. EXEMPT : too slow to be called hundreds of times, or without arguments.
SLOW : not called with several extreme arguments at once. WARNS : the warning that they document.
"""

import warnings

import numpy as np

import dlnlib as dln
from dlnlib import slt

RNG = np.random.default_rng(0)
X = RNG.uniform(-1.0, 1.0, (6, 2))
Y = X @ np.array([[0.5, 0.3], [0.2, 0.1]]).T + 0.1 * RNG.uniform(-1.0, 1.0, (6, 2))
SAMPLE = dln.Moments.from_data(X, Y)
TASK = dln.Moments.from_teacher([[1.0, 0.0], [0.5, 0.0]], np.diag([2.0, 1.0]), noise=0.1)
CENTRE = dln.initialise.from_product(TASK.optimum(), (2, 1, 2))
POSTERIOR = slt.Posterior(TASK, CENTRE, slt.wbic_temperature(20), 1.0)
FITTED = slt.Posterior(SAMPLE, dln.initialise.from_product(SAMPLE.optimum(1), (2, 1, 2)), 5.0, 1.0)
DRAWS = slt.gibbs(POSTERIOR, 12, 2, rng=RNG)
COLD = slt.gibbs(slt.Posterior(TASK, CENTRE, 50.0, 1.0), 12, 2, rng=RNG)
PATTERN = next(slt.rank_patterns((2, 1, 2)))
LADDER = [0.0, 0.5, 1.0, 3.0, 10.0]
with warnings.catch_warnings():
    warnings.simplefilter("ignore", slt.EstimateWarning)
    ENERGIES = slt.free_energy(TASK, (2, 1, 2), LADDER, n_sweeps=12, n_chains=2, rng=RNG)


def rng():
    return np.random.default_rng(1)


CALLS = {
    "slt.check_minimum": {"weights": CENTRE, "moments": TASK, "n_beta": 5.0},
    "slt.coefficients_by_depth": {"width": 2, "depths": [1, 2, 3], "rank": 1},
    "slt.deep_limit": {"width": 2, "rank": 1},
    "slt.estimate": {"draws": DRAWS, "reference": 0.1},
    "slt.fibre": {"widths": (2, 1, 2), "rank": 1},
    "slt.finite_temperature": {"coefficient": slt.learning_coefficient((2, 1, 2)), "n_beta": 5.0},
    "slt.fluctuation": {"draws": DRAWS},
    "slt.free_energy": {
        "moments": TASK,
        "widths": (2, 1, 2),
        "n_beta": LADDER,
        "n_sweeps": 12,
        "n_chains": 2,
        "rng": rng(),
        "precision": 1.0,
    },
    "slt.gibbs": {"posterior": POSTERIOR, "n_sweeps": 12, "n_chains": 2, "rng": rng(), "burn": 2},
    "slt.largest_curvature": {"posterior": POSTERIOR},
    "slt.learned_rank": {"weights": CENTRE, "moments": TASK},
    "slt.learning_coefficient": {"widths": (2, 1, 2), "rank": 1},
    "slt.local_learning_coefficient": {
        "weights": CENTRE,
        "moments": TASK,
        "n": 20,
        "rng": rng(),
        "method": "gibbs",
        "n_steps": 12,
        "n_chains": 2,
        "localisation": 1.0,
    },
    "slt.mala": {"posterior": POSTERIOR, "n_steps": 12, "n_chains": 2, "rng": rng(), "step": 0.01, "burn": 2, "thin": 1},
    "slt.pattern_codimension": {"pattern": PATTERN},
    "slt.pattern_weights": {"pattern": PATTERN},
    "slt.rank_patterns": {"widths": (2, 1, 2), "rank": 1},
    "slt.reduced_rank_coefficient": {"widths": (2, 1, 2), "rank": 1},
    "slt.scalar_volume": {"eps": [0.1, 0.01], "depth": 3},
    "slt.sgld": {
        "posterior": FITTED,
        "n_steps": 12,
        "n_chains": 2,
        "rng": rng(),
        "step": 0.01,
        "data": (X, Y),
        "batch_size": 2,
        "burn": 2,
        "thin": 1,
    },
    "slt.step_rule": {"curvature": 2.0, "bias": 0.025},
    "slt.truncated_moments": {"moments": TASK, "rank": 1},
    "slt.two_layer_energy": {"widths": (2, 1, 2), "n_beta": [1.0, 10.0], "precision": 1.0},
    "slt.two_layer_free_energy": {"widths": (2, 1, 2), "n_beta": [1.0, 10.0], "precision": 1.0},
    "slt.two_temperatures": {"hot": DRAWS, "cold": COLD},
    "slt.volume": {
        "widths": (2, 1, 2),
        "teacher": np.ones((2, 2)),
        "eps": [0.1, 0.5],
        "n_samples": 10,
        "rng": rng(),
        "half_width": 1.0,
    },
    "slt.wbic": {"draws": DRAWS, "n": 20},
    "slt.wbic_temperature": {"n": 20},
}
METHODS = {
    "FreeEnergy.slope": (ENERGIES.slope, {"low": 0.5, "high": 10.0}),
    "Pattern": (slt.Pattern, {"ranks": np.array([[2.0, 1.0, 1.0], [0.0, 1.0, 1.0], [0.0, 0.0, 2.0]])}),
    "Posterior": (slt.Posterior, {"moments": TASK, "centre": CENTRE, "n_beta": 5.0, "localisation": 1.0}),
    "Posterior.with_prior": (
        slt.Posterior.with_prior,
        {"moments": TASK, "widths": (2, 1, 2), "n_beta": 5.0, "precision": 1.0},
    ),
}
# Chains that all stand still have an infinite R-hat.
INFINITE = {
    f"slt.{name}" for name in ("estimate", "fluctuation", "free_energy", "local_learning_coefficient", "two_temperatures", "wbic")
}
EXEMPT: set[str] = set()
SLOW: set[str] = set()
WARNS = dict.fromkeys(INFINITE, slt.EstimateWarning)
