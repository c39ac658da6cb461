"""The routing network as one chain of three layers on a matrix of blocks, of which the trained routes are the seen ones.

Side by side, the first layers act on all input domains at once, and the last ones, one above the other, answer for all
output domains: the product holds the map of route (i, j) in its block (j, i) (`eq-routing-completion`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._flow import step_down
from dlnlib._unchecked import back_through, product_of
from dlnlib._validate import Array, Weights, as_array, as_count, as_scalar, as_seeds, as_weights, finite_result
from dlnlib.gated._routing import Route, as_domains, as_routes, routing_network, routing_table
from dlnlib.moments import Modes

__all__ = ["RoutingRun", "routing_chain", "routing_descent"]


@dataclass(frozen=True, eq=False)
class RoutingRun:
    """Training of a routing network, several seeds at once.

    t : (n_t,) in units of tau. trained, untrained : loss averaged over trained and over other routes, (n_t, n_seeds),
    each divided by its value at the start. stopped : (n_seeds,) index of the first time below `stop`, or the last one.
    strengths : (n_seeds, M_out, M_in, K) at the end, of every mode in every route, divided by the target s_k.
    singular_values : (n_seeds, r) at the end, of the whole matrix of blocks, over that of the weakest mode where all is right.
    """

    t: Array
    trained: Array
    untrained: Array
    stopped: Array
    strengths: Array
    singular_values: Array

    @property
    def at_stop(self) -> Array:
        """Loss of the untrained routes when the trained ones are learnt, over that of the start, (n_seeds,)."""
        return self.untrained[self.stopped, np.arange(self.untrained.shape[1])]


def routing_chain(weights: Sequence[ArrayLike], domains: int | tuple[int, int]) -> Weights:
    """Return the three layers of the block matrix made of the weights of a routing network (`eq-routing-completion`).

    weights : in the order of `routing_network`, M_in first layers, the shared one, M_out last ones. domains : M, or
    (number of inputs, number of outputs). Gives (..., h, M_in d_in), (..., h, h), (..., M_out d_out, h).
    """
    M_in, M_out = as_domains(domains)
    if isinstance(weights, (np.ndarray, str, bytes)) or not isinstance(weights, Sequence):
        raise ValueError(f"weights must be a tuple of arrays, one for each edge, got {type(weights).__name__}")
    if len(weights) != M_in + 1 + M_out:
        raise ValueError(f"weights must hold {M_in} + 1 + {M_out} layers for domains = {domains}, got {len(weights)}")
    parts = [as_array(f"weights[{k}]", W) for k, W in enumerate(weights)]
    shared = parts[M_in].shape
    for k, part in enumerate(parts):
        # What is put side by side must agree in all axes but the one along which it is joined.
        fits = part.ndim >= 2 and len(shared) >= 2 and part.shape[:-2] == shared[:-2]
        if not fits or (k < M_in and part.shape[-2] != shared[-1]) or (k > M_in and part.shape[-1] != shared[-2]):
            raise ValueError(f"weights[{k}] of shape {part.shape} does not fit the shared layer of shape {shared}")
    first, last = np.concatenate(parts[:M_in], axis=-1), np.concatenate(parts[M_in + 1 :], axis=-2)
    return as_weights((first, parts[M_in], last))


def routing_descent(
    routes: Sequence[Route],
    gain: float,
    seeds: Sequence[int],
    *,
    domains: int = 10,
    hidden: int = 64,
    step: float = 0.1,
    n_steps: int = 6000,
    stop: float = 1e-3,
    record: int = 20,
) -> RoutingRun:
    """Train a routing network on the table of `routing_table` by gradient descent from orthogonal layers.

    routes : pairs (i, j) that are trained. gain : of every layer at the start. seeds : of the starts, one network each.
    domains : M, of inputs and of outputs. hidden : units of the shared layer. step : the learning rate eta.
    n_steps : at most; the run ends when all seeds have come below `stop` times their first loss. record : steps between
    two records. The same as gradient descent on `routing_network` and `routing_task`, ten times as fast.
    """
    M_in, M_out = as_domains(domains)
    pairs = as_routes(routes, M_in, M_out)
    if len(pairs) == M_in * M_out:
        raise ValueError("every route is trained; leave one out, so that there is something to generalise to")
    eta, goal = as_scalar("step", step, positive=True), as_scalar("stop", stop, positive=True)
    count, every = as_count("n_steps", n_steps), as_count("record", record)
    X, Y = routing_table()
    A = Y.T @ X / len(X)
    seen = np.zeros((M_out, M_in), dtype=bool)
    seen[[j for _, j in pairs], [i for i, _ in pairs]] = True
    target, mask = np.tile(A, (M_out, M_in)), np.kron(seen, np.ones(A.shape)) > 0
    layers = _starts(domains, hidden, gain, seeds)

    def signal(product: Array) -> Array:
        return np.where(mask, product - target, 0.0) / len(pairs)

    def losses(product: Array) -> tuple[Array, Array]:
        squares = np.sum(by_route(product - target, A.shape) ** 2, axis=(-1, -2))
        return squares[:, seen].mean(axis=1), squares[:, ~seen].mean(axis=1)

    with np.errstate(over="ignore", invalid="ignore"):
        kept, steps = [losses(product_of(layers))], [0]
        finite_result("the loss at the start", np.array(kept[0]))
        for n in range(1, count + 1):
            layers = step_down(layers, lambda current: back_through(current, signal), eta)
            if n % every == 0 or n == count:
                kept.append(losses(product_of(layers)))
                steps.append(n)
                if not np.all(kept[-1][0] <= 1e6 * kept[0][0]):
                    raise ValueError(f"the descent with step {eta:g} diverged within {n} steps; take a smaller step")
                if np.all(np.min([a for a, _ in kept], axis=0) < goal * kept[0][0]):
                    break
    trained, untrained = (np.array([pair[k] for pair in kept]) / kept[0][k] for k in (0, 1))
    reached = trained < goal
    stopped = np.where(reached.any(axis=0), reached.argmax(axis=0), len(steps) - 1)
    modes = Modes.of(A)
    product = product_of(layers)
    found = np.einsum("ak,njiab,kb->njik", modes.U, by_route(product, A.shape), modes.Vt) / modes.s
    spectrum = np.linalg.svd(product, compute_uv=False) / (modes.s[-1] * np.sqrt(M_in * M_out))
    return RoutingRun(eta * np.array(steps), trained, untrained, stopped, found, spectrum)


def by_route(product: Array, shape: tuple[int, int]) -> Array:
    """Return the blocks (..., M_out, M_in, d_out, d_in) of a block matrix."""
    rows, columns = shape
    m, n = product.shape[-2] // rows, product.shape[-1] // columns
    return np.moveaxis(product.reshape(*product.shape[:-2], m, rows, n, columns), -3, -2)


def _starts(domains: int | tuple[int, int], hidden: int, gain: float, seeds: Sequence[int]) -> Weights:
    """Return the starts of all seeds as chains, stacked."""
    numbers = as_seeds(seeds)
    network = routing_network(domains, hidden)
    chains = [routing_chain(network.orthogonal(gain, rng=np.random.default_rng(seed)), domains) for seed in numbers]
    return tuple(np.stack(layers) for layers in zip(*chains, strict=True))
