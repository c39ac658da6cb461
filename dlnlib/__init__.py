"""Deep linear networks: exact solutions, simulations, landscapes and measurements.

Data flows one way: data -> Moments -> weights -> Trajectory -> measurements -> figure.
Submodules load when they are first used, so that `import dlnlib` needs numpy alone.
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
    "datasets",
    "exact",
    "exercises",
    "figures",
    "hessian",
    "initialise",
    "landscape",
    "measure",
    "moments",
    "network",
    "plotting",
    "propagation",
    "simulate",
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
