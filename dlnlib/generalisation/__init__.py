"""Generalisation over time: linear students that learn from n noisy examples with d inputs, alpha = n/d.

The teacher is y = w* x + e with white inputs x ~ N(0, I), teacher entries of variance sigma_w^2/d, start entries of variance
sigma_0^2/d, and noise e of variance sigma_e^2. Everywhere the same arguments stand for them:
ratio : alpha = n/d. noise : sigma_e^2. teacher : sigma_w^2, the mean of |w*|^2. start : sigma_0^2, the mean of |w(0)|^2.
Errors are mean squares without a factor 1/2: the excess error is |w - w*|^2, and a new example costs sigma_e^2 more.
"""

from dlnlib.generalisation._deep import deep_students, strengths_error
from dlnlib.generalisation._simulate import Students, students
from dlnlib.generalisation._spectrum import (
    marchenko_pastur_density,
    marchenko_pastur_edges,
    marchenko_pastur_moment,
    marchenko_pastur_nodes,
    marchenko_pastur_stieltjes,
)
from dlnlib.generalisation._stopping import (
    Ridge,
    Stop,
    mode_stopping_time,
    optimal_ridge,
    optimal_stopping,
    ridge_error,
    stopping_window,
)
from dlnlib.generalisation._student import (
    error_given_spectrum,
    excess_error,
    late_error,
    mode_error,
    peak_error,
    training_error,
    training_error_given_spectrum,
)

__all__ = [
    "Ridge",
    "Stop",
    "Students",
    "deep_students",
    "error_given_spectrum",
    "excess_error",
    "late_error",
    "marchenko_pastur_density",
    "marchenko_pastur_edges",
    "marchenko_pastur_moment",
    "marchenko_pastur_nodes",
    "marchenko_pastur_stieltjes",
    "mode_error",
    "mode_stopping_time",
    "optimal_ridge",
    "optimal_stopping",
    "peak_error",
    "ridge_error",
    "stopping_window",
    "strengths_error",
    "students",
    "training_error",
    "training_error_given_spectrum",
]
