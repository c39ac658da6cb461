"""Interactive charts, one function each: Altair on the built page, widgets in a running kernel.

A chart is a description, an `Explorer`: controls, parts that compute numbers with dlnlib, panels, and series that draw
them. A chart of one's own needs nothing else; on the built page each combination of controls is computed beforehand.
"""

from dlnlib.explore._biases import sampler_biases
from dlnlib.explore._choose_width import choose_width
from dlnlib.explore._coefficients import learning_coefficients
from dlnlib.explore._completion import completion_paths
from dlnlib.explore._contexts import context_pathways
from dlnlib.explore._critical_sets import critical_sets
from dlnlib.explore._delay import depth_and_delay
from dlnlib.explore._descents import double_descent
from dlnlib.explore._gated_race import neural_race
from dlnlib.explore._growing import growing_tree
from dlnlib.explore._illusions import illusory_beliefs
from dlnlib.explore._impostors import impostors
from dlnlib.explore._levels import level_race
from dlnlib.explore._model import Choice, Explorer, Panel, Part, Series, Slider, words
from dlnlib.explore._overtraining import error_over_time
from dlnlib.explore._products import product_spectra
from dlnlib.explore._race import mode_race
from dlnlib.explore._ranks import rank_of_products
from dlnlib.explore._ring import kernel_on_ring
from dlnlib.explore._routes import trained_routes
from dlnlib.explore._score_test import score_test
from dlnlib.explore._shares import modes_learnt
from dlnlib.explore._slopes import bent_slopes
from dlnlib.explore._steps import one_layer_steps
from dlnlib.explore._transfer import transfer_between_tasks
from dlnlib.explore._unbalanced import unbalanced_modes
from dlnlib.explore._walk import landscape_walk
from dlnlib.explore._whitening import whitening_order
from dlnlib.explore._xor_units import xor_units

__all__ = [
    "Choice",
    "Explorer",
    "Panel",
    "Part",
    "Series",
    "Slider",
    "bent_slopes",
    "choose_width",
    "completion_paths",
    "context_pathways",
    "critical_sets",
    "depth_and_delay",
    "double_descent",
    "error_over_time",
    "growing_tree",
    "illusory_beliefs",
    "impostors",
    "kernel_on_ring",
    "landscape_walk",
    "learning_coefficients",
    "level_race",
    "mode_race",
    "modes_learnt",
    "neural_race",
    "one_layer_steps",
    "product_spectra",
    "rank_of_products",
    "sampler_biases",
    "score_test",
    "trained_routes",
    "transfer_between_tasks",
    "unbalanced_modes",
    "whitening_order",
    "words",
    "xor_units",
]
