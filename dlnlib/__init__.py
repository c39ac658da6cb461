"""Deep linear networks: exact solutions, simulations, landscapes and measurements.

Data flows one way: data -> Moments -> weights -> Trajectory -> measurements -> figure.
Submodules load when they are first used, so that `import dlnlib` needs numpy alone.

What these arguments are is the same everywhere, and docstrings need not say it again:
weights : tuple (W_1, ..., W_L) of arrays (..., d_l, d_{l-1}); W_1 acts first, leading axes are a batch.
widths : (d_0, ..., d_L), of the input, of every hidden layer, of the output.
moments : `Moments` of the data, xx (d_in, d_in) and yx (d_out, d_in); or what another kind of network sees of them,
such as `gated.GatedMoments`, whose weights come in the order of its edges.
rng : `numpy.random.Generator`, required wherever something is drawn.
Times are in units of tau = 1/eta. An argument that does not fit raises ValueError, and so does a result that would
leave float64: nothing returns NaN.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from dlnlib.moments import Modes, Moments
from dlnlib.network import gradients, loss, product
from dlnlib.simulate import gradient_descent, gradient_flow
from dlnlib.trajectory import Trajectory
from dlnlib.verify import verify

__version__ = "0.1.0"

_SUBMODULES = (
    "completion",
    "datasets",
    "disentanglement",
    "exact",
    "exercises",
    "expanded",
    "explore",
    "figures",
    "gated",
    "generalisation",
    "global_gates",
    "hessian",
    "initialise",
    "landscape",
    "lowrank",
    "measure",
    "moments",
    "network",
    "plotting",
    "propagation",
    "rectified",
    "semantic",
    "simulate",
    "slt",
    "trajectory",
)

__all__ = [
    "Modes",
    "Moments",
    "Trajectory",
    "check",
    "gradient_descent",
    "gradient_flow",
    "gradients",
    "loss",
    "product",
    "verify",
    *_SUBMODULES,
]


def __getattr__(name: str) -> Any:
    if name == "check":
        return import_module("dlnlib.exercises").check
    if name in _SUBMODULES:
        return import_module(f"dlnlib.{name}")
    raise AttributeError(f"module 'dlnlib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
