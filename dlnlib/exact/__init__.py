"""Closed forms: what the simulations are compared with.

One mode            `strength`, `gap`, `time_to_strength`, `half_time`, `plateau_time`: any depth, equal layer
strengths. One mode, 2 layers  `two_layer`, `two_layer_time`, `two_layer_balanced`, `late_rate`, `hyperbola`:
any layer strengths. One layer, any data `linear_regression_flow`, `linear_regression_descent`,
`error_components`. Whole networks      `decoupled_flow`: every weight matrix of a network whose modes do not
mix.

A mode has target s (a singular value of yx) and strength u, the product of its layer strengths.
Time is in units of tau = 1/eta; at infinite depth it is measured in units of L t.
Source: Saxe, McClelland & Ganguli 2014; the forms used here are rearranged so that nothing cancels and
nothing is 0/0.
"""

from dlnlib.exact._balanced import two_layer_balanced
from dlnlib.exact._decoupled import decoupled_flow
from dlnlib.exact._modes import gap, strength
from dlnlib.exact._regression import error_components, linear_regression_descent, linear_regression_flow
from dlnlib.exact._times import half_time, plateau_time, time_to_strength
from dlnlib.exact._two_layer import (
    TwoLayer,
    hyperbola,
    late_rate,
    two_layer,
    two_layer_time,
)

__all__ = [
    "TwoLayer",
    "decoupled_flow",
    "error_components",
    "gap",
    "half_time",
    "hyperbola",
    "late_rate",
    "linear_regression_descent",
    "linear_regression_flow",
    "plateau_time",
    "strength",
    "time_to_strength",
    "two_layer",
    "two_layer_balanced",
    "two_layer_time",
]
