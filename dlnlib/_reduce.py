"""An exact shortcut for tasks with many outputs: gradient learning never leaves a small space of output directions.

Every update of W_L is a combination of the columns of yx and of W_L itself, and no other layer sees the outputs except
through them. In an orthonormal basis Q of these columns the weights are W_L = Q w_L for all time, and w_L obeys the same
flow and the same descent with yx replaced by Q^T yx. One further direction, orthogonal to all others, stands for the
outputs that nothing moves, so that the spectrum of the Hessian is the same set too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dlnlib._linalg import TINY
from dlnlib._validate import Weights
from dlnlib.moments import Moments

Expand = Callable[[Weights], Weights]


def reduce_outputs(layers: Weights, moments: Moments) -> tuple[Weights, Moments, Expand]:
    """Return the layers and moments in the small basis, and the way back; unchanged where it would not pay."""
    last = layers[-1]
    members = int(np.prod(last.shape[:-2]))
    size = moments.d_in + members * last.shape[-1] + 1
    if moments.d_out <= 2 * size:
        return layers, moments, lambda weights: weights
    columns = np.moveaxis(last, -2, 0).reshape(moments.d_out, -1)
    # Any direction outside the others will do; a fixed one keeps runs equal.
    spare = np.random.default_rng(0).standard_normal((moments.d_out, 1))
    parts = [part / max(np.abs(part).max(), TINY) for part in (moments.yx, columns, spare)]
    Q = np.linalg.qr(np.concatenate(parts, axis=1))[0]
    small = Moments(moments.xx, Q.T @ moments.yx, moments.yy_trace)

    def expand(weights: Weights) -> Weights:
        return (*weights[:-1], Q @ weights[-1])

    return (*layers[:-1], Q.T @ last), small, expand
