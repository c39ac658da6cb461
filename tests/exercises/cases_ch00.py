"""Answers to the exercises of the chapter template."""

import numpy as np
from cases import Cases

CASES = {
    "ch00.guess": Cases(
        accept=["c", " (C). "],
        refuse=[("a", "steeper slope"), ("b", "further to go"), ("d", "one of the letters a, b, c")],
    ),
    "ch00.speed": Cases(
        accept=[3, "3", "3,0", "6/2", np.float32(3.0)],
        refuse=[(-3, "slope of the loss"), ("−3", "slope of the loss"), (0, "at the start"), ("1", "not 1"), (7, "put w = 0")],
    ),
    "ch00.half_life": Cases(
        accept=[np.log(2.0), [0.6931471805599453], np.array(np.log(2.0))],
        refuse=[
            (1.0, "shrunk by e"),
            (np.log10(2.0), "base ten"),
            (-np.log(2.0), "the sign"),
            (0.5, "one half"),
        ],
    ),
    "ch00.weight": Cases(
        accept=[
            lambda t, s: s * (1.0 - np.exp(-t)),
            lambda t, s: -s * np.expm1(-t),
            lambda t, s: [s - s * np.exp(-x) for x in t],
        ],
        refuse=[
            (lambda t, s: s * np.exp(-t), "start at zero"),
            (lambda t, s: 1.0 - np.exp(-t), "target s is missing"),
            (lambda t, s: s * (1.0 - np.exp(t)), "runs away"),
            (lambda t, s: s * (1.0 - np.exp(-2.0 * t)), "slope should equal"),
        ],
    ),
}
