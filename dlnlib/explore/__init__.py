"""Interactive charts, one function each: Altair on the built page, widgets in a running kernel.

A chart is a description, an `Explorer`: controls, parts that compute numbers with dlnlib, panels, and series that draw
them. A chart of one's own needs nothing else; on the built page each combination of controls is computed beforehand.
"""

from dlnlib.explore._completion import completion_paths
from dlnlib.explore._critical_sets import critical_sets
from dlnlib.explore._delay import depth_and_delay
from dlnlib.explore._descents import double_descent
from dlnlib.explore._growing import growing_tree
from dlnlib.explore._illusions import illusory_beliefs
from dlnlib.explore._impostors import impostors
from dlnlib.explore._levels import level_race
from dlnlib.explore._model import Choice, Explorer, Panel, Part, Series, Slider, words
from dlnlib.explore._overtraining import error_over_time
from dlnlib.explore._products import product_spectra
from dlnlib.explore._race import mode_race
from dlnlib.explore._ranks import rank_of_products
from dlnlib.explore._score_test import score_test
from dlnlib.explore._shares import modes_learnt
from dlnlib.explore._steps import one_layer_steps
from dlnlib.explore._unbalanced import unbalanced_modes
from dlnlib.explore._walk import landscape_walk
from dlnlib.explore._whitening import whitening_order

__all__ = [
    "Choice",
    "Explorer",
    "Panel",
    "Part",
    "Series",
    "Slider",
    "completion_paths",
    "critical_sets",
    "depth_and_delay",
    "double_descent",
    "error_over_time",
    "growing_tree",
    "illusory_beliefs",
    "impostors",
    "landscape_walk",
    "level_race",
    "mode_race",
    "modes_learnt",
    "one_layer_steps",
    "product_spectra",
    "rank_of_products",
    "score_test",
    "unbalanced_modes",
    "whitening_order",
    "words",
]
