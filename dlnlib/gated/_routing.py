"""The routing network: many inputs and many outputs around one shared layer, of which only some routes are trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._linalg import TINY
from dlnlib._validate import Array, as_array, as_count, as_scalar, as_times, finite_result
from dlnlib.gated._course import place_at, time_along
from dlnlib.gated._graph import GatedNetwork
from dlnlib.gated._moments import GatedMoments

__all__ = [
    "blocks",
    "circulant",
    "components",
    "hub",
    "routing_end",
    "routing_network",
    "routing_strengths",
    "routing_table",
    "routing_task",
    "routing_time",
    "staircase",
]

Route = tuple[int, int]


def routing_table() -> tuple[Array, Array]:
    """Return inputs (4, 4) and outputs (4, 7) of one route: four items in a tree, with strengths 6.80, 3.20, 1.5 and 1.5.

    One property that all items have, two that are had by pairs, and one for each item, of sizes 6, 4 and 3; inputs are
    one-hot, scaled to be white. The table of the experiment of Saxe, Sodhani & Lewallen 2022.
    """
    pairs = np.array([[4.0, 4.0, 0.0, 0.0], [0.0, 0.0, 4.0, 4.0]])
    return 2 * np.eye(4), np.vstack([np.full((1, 4), 6.0), pairs, 3 * np.eye(4)]).T.copy()


def circulant(domains: int, k: int) -> list[Route]:
    """Return the routes (i, j) from every input domain i to the k output domains i, i + 1, ..., counted in a circle.

    domains : M, of inputs and of outputs. k : from 1 to M.
    """
    M, K = as_count("domains", domains), as_count("k", k)
    if K > M:
        raise ValueError(f"k must be at most domains = {M}, got {K}")
    return [(i, (i + shift) % M) for i in range(M) for shift in range(K)]


def blocks(domains: int, n: int) -> list[Route]:
    """Return all routes within n separate groups of domains, of equal size.

    domains : M, of inputs and of outputs. n : number of groups, a divisor of M.
    """
    M, groups = as_count("domains", domains), as_count("n", n)
    if M % groups:
        raise ValueError(f"n must divide domains = {M}, got {groups}")
    size = M // groups
    return [(i, j) for i in range(M) for j in range(M) if i // size == j // size]


def hub(domains: int) -> list[Route]:
    """Return the routes from every input to output 0 and from input 0 to every output: 2 M - 1, the fewest that connect.

    domains : M, of inputs and of outputs.
    """
    M = as_count("domains", domains)
    return [(i, 0) for i in range(M)] + [(0, j) for j in range(1, M)]


def staircase(domains: int) -> list[Route]:
    """Return the routes (i, i) and (i, i + 1): 2 M - 1 as well, but all in one row.

    domains : M, of inputs and of outputs.
    """
    M = as_count("domains", domains)
    return [(i, i) for i in range(M)] + [(i, i + 1) for i in range(M - 1)]


def components(routes: Sequence[Route], domains: int | tuple[int, int]) -> list[tuple[list[int], list[int]]]:
    """Return the connected components of the graph of routes, each as (input domains, output domains), largest first.

    routes : pairs (i, j). domains : M, or (number of inputs, number of outputs). A domain without a route is one of its own.
    """
    M_in, M_out = as_domains(domains)
    pairs = as_routes(routes, M_in, M_out)
    label = list(range(M_in + M_out))
    for i, j in pairs:
        a, b = label[i], label[M_in + j]
        label = [min(a, b) if k in (a, b) else k for k in label]
    found = []
    for k in sorted(set(label)):
        inside = [n for n, other in enumerate(label) if other == k]
        found.append(([n for n in inside if n < M_in], [n - M_in for n in inside if n >= M_in]))
    return sorted(found, key=lambda part: -len(part[0]) - len(part[1]))


def routing_network(domains: int | tuple[int, int], hidden: int, *, inputs: int = 4, outputs: int = 7) -> GatedNetwork:
    """Return the graph x_i -> first -> second -> y_j with a private layer for every domain and one shared layer between.

    domains : M, or (number of inputs, number of outputs). hidden : units of both hidden nodes. inputs, outputs : units of
    every x_i and y_j. Edges are "in0", ..., "shared", "out0", ..., in this order; every pair (i, j) is a path.
    """
    M_in, M_out = as_domains(domains)
    h, d_in, d_out = as_count("hidden", hidden), as_count("inputs", inputs), as_count("outputs", outputs)
    nodes = {f"x{i}": d_in for i in range(M_in)} | {"first": h, "second": h} | {f"y{j}": d_out for j in range(M_out)}
    edges = {f"in{i}": (f"x{i}", "first") for i in range(M_in)} | {"shared": ("first", "second")}
    return GatedNetwork(nodes, edges | {f"out{j}": ("second", f"y{j}") for j in range(M_out)})


def routing_task(
    network: GatedNetwork,
    routes: Sequence[Route],
    X: ArrayLike | None = None,
    Y: ArrayLike | None = None,
) -> GatedMoments:
    """Return the task in which every route (i, j) is asked for the same table, on equally many data.

    network : made by `routing_network`. routes : pairs (i, j), each once. X : (n, d_in) and Y : (n, d_out) of one route, by
    default those of `routing_table`. To evaluate routes that were not trained, make a second task with them:
    `dln.loss(weights, other)` is the loss averaged over its routes. Gates open x_i -> first and second -> y_j alone.
    """
    known = isinstance(network, GatedNetwork) and "shared" in network.edges and {"first", "second"} <= set(network.nodes)
    if not known:
        raise ValueError("network must be made by routing_network")
    M_in, M_out = len(network.inputs), len(network.outputs)
    pairs = as_routes(routes, M_in, M_out)
    default_X, default_Y = routing_table()
    x = default_X if X is None else as_array("X", X, ndim=2)
    y = default_Y if Y is None else as_array("Y", Y, ndim=2)
    wanted = network.nodes[network.inputs[0]], network.nodes[network.outputs[0]]
    if x.shape[1] != wanted[0] or y.shape[1] != wanted[1] or len(x) != len(y):
        raise ValueError(f"X and Y must be (n, {wanted[0]}) and (n, {wanted[1]}), got {x.shape} and {y.shape}")
    n = len(x)
    source, target = (np.repeat([pair[k] for pair in pairs], n) for k in (0, 1))
    every_x, every_y = np.tile(x, (len(pairs), 1)), np.tile(y, (len(pairs), 1))
    on_in = {i: (source == i) * 1.0 for i in range(M_in)}
    on_out = {j: (target == j) * 1.0 for j in range(M_out)}
    return network.task(
        {f"x{i}": gate[:, None] * every_x for i, gate in on_in.items()},
        {f"y{j}": gate[:, None] * every_y for j, gate in on_out.items()},
        edge_gates={f"in{i}": gate for i, gate in on_in.items()} | {f"out{j}": gate for j, gate in on_out.items()},
    )


def routing_end(s: ArrayLike, start: ArrayLike, domains: int | tuple[int, int]) -> Array:
    """Return the strengths of the first, shared and last layers at the end of learning (`eq-routing-end`), (3, ...).

    s : (...) positive, of the modes of one route. start : strength of all layers at the start, or one for each of the
    three, positive. domains : M, or (number of inputs, number of outputs). From a small start they are
    (Q/M_in)^(1/2), Q^(1/2), (Q/M_out)^(1/2) with Q = (M_in M_out s^2)^(1/3).
    Exact where every domain has its share of the routes, as many as the others, and weights are decoupled.
    """
    strengths = np.atleast_1d(as_array("s", s))
    if np.any(strengths <= 0):
        raise ValueError(f"s must be positive, got {strengths.min():g}")
    courses = [_Course.of(float(value), start, domains) for value in strengths.ravel()]
    found = np.array([course.layers(course.end) for course in courses]).T
    return found.reshape(3, *np.shape(s))


def routing_time(share: ArrayLike, s: float, start: ArrayLike, domains: int | tuple[int, int]) -> Array:
    """Return when a mode has been learnt to a share of its target (`eq-routing-time`), (...).

    share : (...) of b1 b2 b3 / s, from that of the start to below 1. s, start, domains : as in `routing_end`, one mode.
    Times in units of tau, by quadrature to about 1e-12; the number of routes does not enter.
    """
    course = _Course.of(s, start, domains)
    wanted = as_array("share", share)
    first = float(np.prod(course.layers(0.0))) / course.s
    if np.any(wanted < first * (1 - 1e-12)) or np.any(wanted >= 1):
        raise ValueError(f"share must lie between that of the start, {first:.3g}, and 1")
    grown = np.vectorize(lambda value: course.growth(value * course.s), otypes=[float])(wanted)
    grown = np.maximum(grown, course.end / (1 + np.exp(-course.lowest)))
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        z = finite_result("share, divided by what is missing to 1,", np.log(grown / (course.end - grown)))
    return time_along(course.slope, course.lowest, z)


def routing_strengths(t: ArrayLike, s: float, start: ArrayLike, domains: int | tuple[int, int]) -> Array:
    """Return the strengths of the first, shared and last layers at times t, (3, n_t), the inverse of `routing_time`.

    t : (n_t,) in units of tau. s, start, domains : as in `routing_end`, one mode.
    """
    course = _Course.of(s, start, domains)
    z = place_at(course.slope, course.lowest, as_times("t", t))
    return course.layers(course.end / (1 + np.exp(-z)))


@dataclass(frozen=True)
class _Course:
    """One mode as a function of the growth x = b2^2 - b2(0)^2, of which every layer has its part, 1/M or the whole."""

    s: float
    squares: Array
    parts: Array
    end: float

    @classmethod
    def of(cls, s: float, start: ArrayLike, domains: int | tuple[int, int]) -> _Course:
        M_in, M_out = as_domains(domains)
        target = as_scalar("s", s, positive=True)
        b = as_array("start", start)
        if b.shape not in ((), (3,)) or np.any(b <= 0):
            raise ValueError(f"start must be a positive number or three of them, got {b}")
        with np.errstate(over="ignore", invalid="ignore"):
            squares, parts = np.broadcast_to(b, (3,)) ** 2, np.array([1 / M_in, 1.0, 1 / M_out])
            if np.any(squares < TINY) or not np.all(np.isfinite(squares)):
                raise ValueError(f"start must have squares that float64 can hold, got {b}; take one between 1e-150 and 1e150")
            product = np.sqrt(np.prod(squares))
        if product >= target:
            raise ValueError(f"start must be below the target, b1 b2 b3 < s = {target:g}, got {product:g}")
        found = cls(target, squares, parts, np.nan)
        return cls(target, squares, parts, found.growth(target))

    def layers(self, x: ArrayLike) -> Array:
        """Return b1, b2, b3, (3, ...)."""
        return np.sqrt(np.add.outer(self.squares, 0 * np.asarray(x)) + np.multiply.outer(self.parts, np.asarray(x)))

    def growth(self, product: float) -> float:
        """Return x at which b1 b2 b3 has a value between that of the start and s."""
        from scipy.optimize import brentq

        def above(x: float) -> float:
            return float(0.5 * np.sum(np.log(self.squares + self.parts * x)) - np.log(product))

        high = float(product ** (2 / 3) / np.prod(self.parts) ** (1 / 3))  # each layer alone would be there
        if above(0.0) >= 0:
            return 0.0
        return high if above(high) <= 0 else float(brentq(above, 0.0, high, xtol=1e-300, rtol=1e-15))

    def slope(self, z: Array) -> Array:
        """Return dt/dz along z = log(x / (end - x)): dx/dt = 2 b1 b2 b3 (s - b1 b2 b3)."""
        left = self.end / (1 + np.exp(z))
        x = self.end / (1 + np.exp(-z))
        squares = self.squares[:, None] + self.parts[:, None] * x.ravel()
        product = np.sqrt(np.prod(squares, axis=0)).reshape(x.shape)
        # s^2 - product^2 as a sum of positive terms, each with the factor end - x.
        A, B, _ = (self.squares + self.parts * self.end)[:, None]
        _, b, c = squares
        whole = self.parts[0] * b * c + A * (self.parts[1] * c) + A * B * self.parts[2]
        missing = whole.reshape(x.shape) * left / (self.s + product)
        return x * left / (self.end * 2 * product * missing)

    @property
    def lowest(self) -> float:
        """Return z so low that what has grown before it is nothing in float64, and its time negligible."""
        if self.end == 0:
            raise ValueError("start is at the target but for rounding; nothing is left to learn")
        return float(np.log(1e-18 * self.squares.min() / self.end))


def as_domains(domains: int | tuple[int, int]) -> tuple[int, int]:
    if isinstance(domains, tuple):
        if len(domains) != 2:
            raise ValueError(f"domains must be M, or (number of inputs, number of outputs), got {domains!r}")
        return as_count("domains[0]", domains[0]), as_count("domains[1]", domains[1])
    M = as_count("domains", domains)
    return M, M


def as_routes(routes: Sequence[Route], M_in: int, M_out: int) -> list[Route]:
    try:
        entries = [tuple(route) for route in routes]
    except TypeError:
        entries = [()]
    if any(len(entry) != 2 for entry in entries):
        raise ValueError(f"routes must be a list of pairs (i, j), got {routes!r}")
    pairs = [(as_count("i", i, minimum=0), as_count("j", j, minimum=0)) for i, j in entries]
    if not pairs or len(set(pairs)) != len(pairs):
        raise ValueError(f"routes must be pairs (i, j), at least one and each once, got {len(pairs)}")
    if max(i for i, _ in pairs) >= M_in or max(j for _, j in pairs) >= M_out:
        raise ValueError(f"routes (i, j) must have i below {M_in} and j below {M_out}, got {max(pairs)}")
    return pairs
