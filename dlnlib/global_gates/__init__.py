"""Globally gated networks: one vector of gates g(x) for all hidden units, Bayesian posterior at any width.

f(x) = (N M d)^(-1/2) sum_im a_im g_m(x) w_i . x has N hidden units, M gates, d inputs; all weights have prior variance sigma^2.
Everywhere the same letters stand for them: width N, gates M, samples n, inputs d, variance sigma^2, temperature T.
Given the readouts' second moments A = sum_i a_i a_i^T/N, (M, M), the network is a Gaussian process; `mixture` and `gibbs` sample
the exact posterior, `saddle` puts one matrix U in the place of all A.
`python -m dlnlib.global_gates` computes the stored table anew; it takes some minutes.
"""

from dlnlib.global_gates._gates import (
    half_space_gates,
    half_space_kernel,
    one_hot_gates,
    output_gates,
    output_scales,
    related_tasks,
    relu_kernel,
    task_error,
)
from dlnlib.global_gates._saddle import Saddle, action, action_slope, saddle
from dlnlib.global_gates._sampling import Posterior, draw_network, gibbs, mixture, network_outputs
from dlnlib.global_gates._scale import (
    ScalePosterior,
    mean_scale_two_layers,
    saddle_scale,
    saddle_scale_two_layers,
    scale_correction,
    scale_density,
    scale_posterior,
    task_scale,
)
from dlnlib.global_gates._table import (
    CHART_CORRELATIONS,
    CHART_EXAMPLES,
    CHART_WIDTHS,
    regression,
    regression_cell,
    stored_curves,
    stored_regression,
    stored_transfer,
    task_correlation,
    transfer_cell,
    transfer_curve,
)
from dlnlib.global_gates._task import Prediction, Task

__all__ = [
    "CHART_CORRELATIONS",
    "CHART_EXAMPLES",
    "CHART_WIDTHS",
    "Posterior",
    "Prediction",
    "Saddle",
    "ScalePosterior",
    "Task",
    "action",
    "action_slope",
    "draw_network",
    "gibbs",
    "half_space_gates",
    "half_space_kernel",
    "mean_scale_two_layers",
    "mixture",
    "network_outputs",
    "one_hot_gates",
    "output_gates",
    "output_scales",
    "regression",
    "regression_cell",
    "related_tasks",
    "relu_kernel",
    "saddle",
    "saddle_scale",
    "saddle_scale_two_layers",
    "scale_correction",
    "scale_density",
    "scale_posterior",
    "stored_curves",
    "stored_regression",
    "stored_transfer",
    "task_correlation",
    "task_error",
    "task_scale",
    "transfer_cell",
    "transfer_curve",
]
