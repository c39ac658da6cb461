"""What Langevin chains report at a regular minimum: pushed up by step and mini-batches, pulled down by localisation."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dlnlib._validate import Array
from dlnlib.explore._model import Choice, Explorer, Panel, Part, Series, Slider, words
from dlnlib.hessian import hessian
from dlnlib.moments import Moments
from dlnlib.slt import Posterior, largest_curvature, learning_coefficient, step_rule, wbic_temperature

__all__ = ["sampler_biases"]

WIDTHS, RANK, STRENGTH, SAMPLES = (5, 3, 5), 3, 2.0, 10_000
STEPS = (1e-6, 3e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 3e-4, 5e-4, 8e-4)
LOCALISATIONS = (0.1, 1.0, 10.0, 30.0, 100.0, 200.0, 300.0, 1000.0, 3000.0)
BATCHES = {"all": np.inf, "2048": 2048.0, "256": 256.0, "32": 32.0}
LOW, HIGH = 4.0, 60.0  # of the axis of estimates
GAMMAS = np.geomspace(LOCALISATIONS[0], LOCALISATIONS[-1], 40)


@cache
def minimum(localisation: float) -> Posterior:
    """Return the posterior round the balanced minimum of a teacher with three equal singular values."""
    W1 = np.sqrt(STRENGTH) * np.eye(RANK, WIDTHS[0])
    return Posterior(Moments.white(W1.T @ W1), (W1, W1.T), wbic_temperature(SAMPLES), localisation)


@cache
def curvatures() -> Array:
    """Return the positive eigenvalues of the Hessian of n_beta L at this minimum, (21,)."""
    one = minimum(1.0)
    found = np.linalg.eigvalsh(hessian(one.layers, one.moments))
    return np.asarray(one.n_beta * found[found > 1e-9])


def reported(step: float, localisation: float, batch: float = np.inf) -> float:
    """Return n_beta E[K] of a stationary chain, K quadratic, noise of batches of this size; infinite if it is not stable.

    A direction of curvature h has the variance (step + step^2/4 n_beta h/batch)/(step H - step^2/4 H^2), H = h + localisation:
    the covariance of the gradient of one sample's loss is its mean Hessian, because the noise has the variance one.
    """
    h = curvatures()
    H = h + localisation
    if step * H.max() >= 4:
        return np.inf
    kicked = 1 + step * h * minimum(1.0).n_beta / (4 * batch)
    return float(np.sum(0.5 * h / H * kicked / (1 - step * H / 4)))


def cancelling(step: float, batch: float) -> float | None:
    """Return the localisation at which the errors cancel, between the least and the greatest shown; None without one."""
    low, high = np.log(LOCALISATIONS[0]), np.log(LOCALISATIONS[-1])
    value = float(learning_coefficient(WIDTHS, RANK))
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if reported(step, np.exp(middle), batch) > value else (low, middle)
    found = float(np.exp(middle))
    return found if abs(reported(step, found, batch) / value - 1) < 1e-6 else None


def _against_step(localisation: float, batch: str) -> dict[str, Any]:
    top = float(curvatures().max()) + localisation
    steps = np.geomspace(STEPS[0], 0.99 * 4 / top, 40)
    default = step_rule(largest_curvature(minimum(localisation)))
    value = float(learning_coefficient(WIDTHS, RANK))
    return {
        "step": np.log10(steps),
        "estimate": [reported(step, localisation, BATCHES[batch]) for step in steps],
        "default": [np.log10(default)],
        "there": [reported(default, localisation, BATCHES[batch])],
        "ends": np.log10([STEPS[0], 1e-3]),
        "value": [value, value],
    }


def _against_localisation(step: float, batch: str) -> dict[str, Any]:
    estimates = np.array([reported(step, gamma, BATCHES[batch]) for gamma in GAMMAS])
    value = float(learning_coefficient(WIDTHS, RANK))
    stable = np.isfinite(estimates)
    return {
        "gamma": np.log10(GAMMAS[stable]),
        "estimate": estimates[stable],
        "ends": np.log10(GAMMAS[[0, -1]]),
        "value": [value, value],
    }


def _chosen(step: float, localisation: float, batch: str) -> dict[str, Any]:
    value, size = float(learning_coefficient(WIDTHS, RANK)), BATCHES[batch]
    got = reported(step, localisation, size)
    if not np.isfinite(got):
        top = step * (float(curvatures().max()) + localisation)
        said = f"The chain diverges: step times curvature is {words(top)}, and only less than 4 is stable."
        return {"step": [], "gamma": [], "got": [], "say": said}
    pulled, stepped = reported(0.0, localisation), reported(step, localisation)
    said = f"Reported: {words(got, 4)} instead of {words(value)}. Localisation takes {words(value - pulled, 2)}, "
    said += f"the step adds {words(stepped - pulled, 2)}"
    said += f", batches add {words(got - stepped, 2)}." if np.isfinite(size) else "."
    found = cancelling(step, size)
    said += f" At γ = {words(found, 2)} the errors would cancel." if found else " At no γ shown do the errors cancel."
    return {"step": [np.log10(step)], "gamma": [np.log10(localisation)], "got": [got], "say": said}


def sampler_biases() -> Explorer:
    """Return the chart of what stochastic Langevin chains report at a regular minimum, by a closed form.

    Step, localisation and batch size move; widths (5, 3, 5), rank 3, n = 10^4, n_beta = n/log n. Left against the step, right
    against the localisation (`eq-step-bias`, `eq-localisation-bias`, `eq-batch-noise`); thin is lambda, the square the step
    that `slt.step_rule` takes. Chapter 12, `fig-sampler-biases`.
    """
    both = ("localisation", "batch")
    return Explorer(
        name="sampler-biases",
        controls=(
            Slider("step", "step η", STEPS, 1e-4, log=True),
            Slider("localisation", "localisation γ", LOCALISATIONS, 1.0, log=True),
            Choice("batch", "batch size", tuple(BATCHES), "all"),
        ),
        parts=(
            Part("steps", _against_step, both),
            Part("localisations", _against_localisation, ("step", "batch")),
            Part("chosen", _chosen, ("step", *both)),
        ),
        panels=(
            Panel("log₁₀ step η", "reported for λ", y_log=True, x_domain=(-6.1, -2.9), y_domain=(LOW, HIGH)),
            Panel("log₁₀ localisation γ", "reported for λ", y_log=True, x_domain=(-1.1, 3.6), y_domain=(LOW, HIGH)),
        ),
        series=(
            Series("λ", "steps", "ends", "value", "other"),
            Series("reported", "steps", "step", "estimate", "theory", mode=0),
            Series("step by rule", "steps", "default", "there", "points", mode=1),
            Series("chosen", "chosen", "step", "got", "points", mode=3),
            Series("λ", "localisations", "ends", "value", "other", panel=1),
            Series("reported", "localisations", "gamma", "estimate", "theory", mode=0, panel=1),
            Series("chosen", "chosen", "gamma", "got", "points", mode=3, panel=1),
        ),
    )
