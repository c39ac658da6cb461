"""Interactive charts, one function each: Altair on the built page, widgets in a running kernel.

A chart is a description, an `Explorer`: controls, parts that compute numbers with dlnlib, panels, and series that draw
them. A chart of one's own needs nothing else; on the built page each combination of controls is computed beforehand.
"""

from dlnlib.explore._model import Choice, Explorer, Panel, Part, Series, Slider, words
from dlnlib.explore._race import mode_race
from dlnlib.explore._steps import one_layer_steps
from dlnlib.explore._unbalanced import unbalanced_modes
from dlnlib.explore._whitening import whitening_order

__all__ = [
    "Choice",
    "Explorer",
    "Panel",
    "Part",
    "Series",
    "Slider",
    "mode_race",
    "one_layer_steps",
    "unbalanced_modes",
    "whitening_order",
    "words",
]
