"""Networks of rectified linear units as gated linear networks: recorded gates, switches, pathways, the race between them.

`gradient_descent` follows a rectified network, or the linear one with given gates; `piecewise_flow` the gradient flow
through all its switches; `extract_pathways` groups units by their gates, and `pathway_network` builds the gated network.
`python -m dlnlib.rectified` computes the stored runs of the contextual task anew; it takes about fifteen minutes.
"""

from dlnlib.rectified._compare import Comparison, compare_losses, time_to
from dlnlib.rectified._contextual import (
    PATHWAYS,
    ContextualTask,
    context_gates,
    contextual_network,
    contextual_task,
    item_network,
    item_task,
)
from dlnlib.rectified._network import Run, gates, gradient_descent, gradients, loss, predict
from dlnlib.rectified._pathways import Pathways, contributions, extract_pathways, pathway_network, relative_gates
from dlnlib.rectified._piecewise import PiecewiseFlow, Switch, piecewise_flow
from dlnlib.rectified._race import (
    CommonModes,
    common_loss,
    common_modes,
    leading_time,
    learning_time,
    linear_floor,
    race_rates,
    residual_loss,
    table_modes,
)
from dlnlib.rectified._table import (
    CONTEXTS,
    SCALES,
    StoredRun,
    rectified_run,
    shares_by_contexts,
    stored_groups,
    stored_run,
    stored_runs,
    stored_tiny,
)
from dlnlib.rectified._xor import CORNERS, Fates, xor_fates

__all__ = [
    "CONTEXTS",
    "CORNERS",
    "PATHWAYS",
    "SCALES",
    "CommonModes",
    "Comparison",
    "ContextualTask",
    "Fates",
    "Pathways",
    "PiecewiseFlow",
    "Run",
    "StoredRun",
    "Switch",
    "common_loss",
    "common_modes",
    "compare_losses",
    "context_gates",
    "contextual_network",
    "contextual_task",
    "contributions",
    "extract_pathways",
    "gates",
    "gradient_descent",
    "gradients",
    "item_network",
    "item_task",
    "leading_time",
    "learning_time",
    "linear_floor",
    "loss",
    "pathway_network",
    "piecewise_flow",
    "predict",
    "race_rates",
    "rectified_run",
    "relative_gates",
    "residual_loss",
    "shares_by_contexts",
    "stored_groups",
    "stored_run",
    "stored_runs",
    "stored_tiny",
    "table_modes",
    "time_to",
    "xor_fates",
]
