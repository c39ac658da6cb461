"""The race of one shared path with one private path for each task, in closed form.

A strength x of a path of L equal layers moves at L x^(2-2/L) times the force on it, so that its clock
phi(x) = integral of dx / x^(2-2/L) moves at L times the force. The force on the shared path is the sum of the forces on
the private ones, and so phi of the shared path minus the phi of all private paths never changes (`eq-race-invariant`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._validate import Array, as_array, as_count, as_scalar, as_times, as_widths, finite_result
from dlnlib.gated._course import place_at, time_along
from dlnlib.gated._graph import GatedNetwork
from dlnlib.gated._moments import GatedMoments

__all__ = [
    "race_end",
    "race_flow",
    "race_network",
    "race_private",
    "race_strengths",
    "race_task",
    "race_time",
]


_MOST_EVALUATIONS = 100_000


def race_network(tasks: int, widths: Sequence[int]) -> GatedNetwork:
    """Return the graph of a race: one input, one output, a shared path and one private path a task.

    tasks : T. widths : (d_0, ..., d_L) of every path, with at least one hidden layer. Hidden nodes are "shared.1", ...,
    and "private0.1", ...; edges are "S1", ..., "SL" and "P0.1", ..., in this order.
    """
    T = as_count("tasks", tasks)
    sizes = as_widths(widths, hidden=True)
    nodes, L = {"x": sizes[0]}, len(sizes) - 1
    edges: dict[str, tuple[str, str]] = {}
    for node, edge in [("shared", "S")] + [(f"private{i}", f"P{i}.") for i in range(T)]:
        nodes |= {f"{node}.{k}": sizes[k] for k in range(1, L)}
        way = ["x", *(f"{node}.{k}" for k in range(1, L)), "y"]
        edges |= {f"{edge}{k + 1}": (way[k], way[k + 1]) for k in range(L)}
    return GatedNetwork({**nodes, "y": sizes[-1]}, edges)


def race_task(network: GatedNetwork, maps: ArrayLike, probabilities: ArrayLike | None = None) -> GatedMoments:
    """Return T tasks with white inputs for a `race_network`: the private path of task i is open on task i alone.

    network : made by `race_network`. maps : (T, d_out, d_in), the matrix that each task asks for. probabilities : (T,) of
    the tasks, equal by default.
    """
    A = as_array("maps", maps, ndim=3)
    T, _, d_in = A.shape
    wanted = [f"private{i}.1" for i in range(T)]
    if not isinstance(network, GatedNetwork) or [n for n in network.nodes if n.startswith("p") and n.endswith(".1")] != wanted:
        raise ValueError(f"network must be race_network({T}, widths), one private path for each of the {T} maps")
    p = np.full(T, 1 / T) if probabilities is None else as_array("probabilities", probabilities)
    if p.shape != (T,) or np.any(p <= 0) or np.any(p > 1) or abs(p.sum() - 1) > 1e-9:
        raise ValueError(f"probabilities must be {T} positive numbers with sum 1, got {p}")
    which = np.repeat(np.arange(T), d_in)
    X = np.tile(np.sqrt(d_in) * np.eye(d_in), (T, 1))  # white within every task
    with np.errstate(over="ignore", invalid="ignore"):
        Y = finite_result("what maps make of the inputs", np.einsum("nij,nj->ni", A[which], X))
    gates = {n: (which == int(n[len("private") :].split(".")[0])) * 1.0 for n in network.nodes if n.startswith("private")}
    return network.task(X, Y, node_gates=gates, sample_weights=p[which] / d_in)


def race_private(alpha: ArrayLike, alpha0: float, beta0: float, tasks: float, depth: int = 2) -> Array:
    """Return the private strength when the shared one is alpha, for T tasks that ask for the same (`eq-race-invariant`).

    alpha : (...), positive. alpha0, beta0 : strengths of shared and private paths at the start. tasks : T, any positive
    number. depth : L. beta = beta_0 (alpha/alpha_0)^(1/T) for two layers. Exact for equal layers in every path and tasks
    of equal probability.
    """
    shared = as_array("alpha", alpha)
    if np.any(shared <= 0):
        raise ValueError(f"alpha must be positive, got {shared.min():g}; the start is alpha0, not 0")
    a0, b0 = as_scalar("alpha0", alpha0, positive=True), as_scalar("beta0", beta0, positive=True)
    T, L = as_scalar("tasks", tasks, positive=True), as_count("depth", depth)
    p = 1 - 2 / L
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        if p == 0:
            return finite_result("the private strength", b0 * (shared / a0) ** np.divide(1, T))
        left = b0**-p - (a0**-p - shared**-p) / T
        if np.any(left <= 0):
            raise ValueError("alpha lies beyond what the private paths allow; it never comes there")
        return finite_result("the private strength", left ** (-1 / p))


def race_end(
    targets: ArrayLike,
    alpha0: float,
    beta0: float,
    depth: int = 2,
    *,
    counts: ArrayLike | None = None,
    votes: ArrayLike | None = None,
) -> tuple[float, Array]:
    """Return the strengths of the shared and of the private paths at the end of the race (`eq-race-end`), (alpha, (G,)).

    targets : (G,) positive strengths that the tasks ask for. alpha0, beta0 : strengths at the start. depth : L, from 2.
    counts : (G,) how many tasks are alike, 1 by default; any positive number. votes : (G,) +1 where a task agrees with
    the sign that the shared path starts with, -1 where it asks for the opposite; at least one +1. Private strengths are
    counted along the task's own target. The probabilities of the tasks do not matter, they set the time alone.
    Exact for equal layers in every path, which cannot change their signs; a random start can, and may end elsewhere.
    """
    s = np.atleast_1d(as_array("targets", targets))
    n = np.ones(s.shape) if counts is None else np.atleast_1d(as_array("counts", counts))
    v = np.ones(s.shape) if votes is None else np.atleast_1d(as_array("votes", votes))
    a0, b0, L = (
        as_scalar("alpha0", alpha0, positive=True),
        as_scalar("beta0", beta0, positive=True),
        as_count("depth", depth, minimum=2),
    )
    if s.ndim != 1 or np.any(s <= 0):
        raise ValueError(f"targets must be positive numbers, one a group of tasks, got {s}; opposite ones have votes of -1")
    if n.shape != s.shape or np.any(n <= 0):
        raise ValueError(f"counts must be {len(s)} positive numbers, one for each target, got {n}")
    if v.shape != s.shape or np.any(np.abs(v) != 1) or not np.any(v > 0):
        raise ValueError(f"votes must be {len(s)} entries of +1 or -1, at least one of them +1, got {v}")
    # The shared path ends below the smallest target that agrees with it: alpha = top * expit(z), so that both ends are exact.
    top = float(s[v > 0].min())
    with np.errstate(over="ignore"):
        spare = finite_result("targets", s - v * top)  # what is left for a private path when alpha = top

    def ends(z: float) -> tuple[float, Array]:
        return top / (1 + np.exp(-z)), spare + v * top / (1 + np.exp(z))

    with np.errstate(over="ignore", invalid="ignore"):
        start = _clock(a0, L) - float(np.sum(n * v)) * _clock(b0, L)

    def gap(z: float) -> float:
        alpha, beta = ends(z)
        with np.errstate(over="ignore", invalid="ignore"):
            return float(_clock(alpha, L) - np.sum(n * v * _clock(beta, L)) - start)

    from scipy.optimize import brentq

    limit = 600.0
    if not gap(-limit) < 0 < gap(limit):
        raise ValueError("the race ends beyond what float64 can hold; take a larger start")
    place, search = brentq(gap, -limit, limit, xtol=1e-14, rtol=1e-15, maxiter=500, full_output=True, disp=False)
    alpha, beta = ends(float(place))
    if not search.converged or not alpha > 0:
        raise ValueError("the end of the race could not be found in float64; take targets, counts and starts of like sizes")
    return float(alpha), beta


def race_time(alpha: ArrayLike, s: float, alpha0: float, beta0: float, tasks: float, depth: int = 2) -> Array:
    """Return when the shared path is at alpha, for T equally probable tasks that ask for the same s (`eq-race-time`).

    alpha : (...), at or between alpha0 and the end of the race. s : strength that every task asks for. alpha0, beta0 :
    strengths at the start, with alpha0 + beta0 < s. tasks : T. depth : L. Times in units of tau; by quadrature, to about
    1e-12. Exact for equal layers in every path.
    """
    course = _Course(s, alpha0, beta0, tasks, depth)
    shared = as_array("alpha", alpha)
    if np.any(shared < course.alpha0) or np.any(shared >= course.end):
        raise ValueError(f"alpha must lie from alpha0 = {course.alpha0:g} to below its end {course.end:.6g}")
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        z = finite_result("alpha, divided by what is missing to its end,", np.log(shared / (course.end - shared)))
    return time_along(course.slope, course.start, z)


def race_strengths(t: ArrayLike, s: float, alpha0: float, beta0: float, tasks: float, depth: int = 2) -> tuple[Array, Array]:
    """Return the strengths (n_t,) of the shared and of each private path at times t, the inverse of `race_time`.

    t : (n_t,) times from 0 in units of tau. Other arguments as in `race_time`.
    """
    course = _Course(s, alpha0, beta0, tasks, depth)
    times = as_times("t", t)
    z = place_at(course.slope, course.start, times)
    return course.end / (1 + np.exp(-z)), course.private(z)


class _Course:
    """The race as a function of z = log(alpha / (alpha_end - alpha)), along which time is nearly straight."""

    def __init__(self, s: float, alpha0: float, beta0: float, tasks: float, depth: int) -> None:
        self.s, self.T = as_scalar("s", s, positive=True), as_scalar("tasks", tasks, positive=True)
        self.alpha0, self.beta0 = as_scalar("alpha0", alpha0, positive=True), as_scalar("beta0", beta0, positive=True)
        self.L = as_count("depth", depth, minimum=2)
        if self.alpha0 + self.beta0 >= self.s:
            raise ValueError(f"alpha0 + beta0 must be below s = {self.s:g}, got {self.alpha0 + self.beta0:g}")
        self.end, beta = race_end([self.s], self.alpha0, self.beta0, self.L, counts=[self.T])
        self.beta_end, self.p = float(beta[0]), 1 - 2 / self.L
        if not self.alpha0 < self.end:
            raise ValueError(f"alpha0 = {self.alpha0:g} is at the end of the race already; nothing is left to learn")
        with np.errstate(over="ignore", divide="ignore"):
            start = np.log(np.divide(self.alpha0, self.end - self.alpha0))
        self.start = float(finite_result("alpha0, divided by what is missing to its end,", start))

    def private(self, z: Array) -> Array:
        """Return the private strength."""
        return self.beta_end - self._missing(z)

    def _missing(self, z: Array) -> Array:
        """Return beta_end - beta without cancellation; log(alpha/alpha_end) is -log(1 + e^-z)."""
        behind = -np.logaddexp(0.0, -z)
        if self.p == 0:
            return -self.beta_end * np.expm1(behind / self.T)
        lag = (self.beta_end / self.end) ** self.p * np.expm1(-self.p * behind) / self.T
        return -self.beta_end * np.expm1(-np.log1p(lag) / self.p)

    def slope(self, z: Array) -> Array:
        """Return dt/dz."""
        left = self.end / (1 + np.exp(z))
        alpha = self.end / (1 + np.exp(-z))
        return left / (self.end * self.L * alpha ** (1 - 2 / self.L) * (left + self._missing(z)))


def race_flow(
    t: ArrayLike,
    targets: ArrayLike,
    alpha0: float,
    beta0: float,
    depth: int = 2,
    *,
    probabilities: ArrayLike | None = None,
    votes: ArrayLike | None = None,
    shares: ArrayLike | None = None,
) -> tuple[Array, Array]:
    """Integrate the race of unequal tasks (`def-race-flow`) and return strengths, shared (n_t,) and private (G, n_t).

    t : (n_t,) increasing times from 0, units of tau. targets, alpha0, beta0, depth, votes : as in `race_end`.
    probabilities : (G,) that a datum is of a group, equal by default, sum 1. shares : (G,) probability of a single task
    of the group, which drives its private path; the same as probabilities by default, where each group is one task.
    """
    s = np.atleast_1d(as_array("targets", targets))
    if s.ndim != 1:
        raise ValueError(f"targets must be one-dimensional, one number a group of tasks, got shape {s.shape}")
    times = as_times("t", t, increasing=True)
    a0, b0, L = as_scalar("alpha0", alpha0, positive=True), as_scalar("beta0", beta0, positive=True), as_count("depth", depth)
    p = np.full(len(s), 1 / len(s)) if probabilities is None else np.atleast_1d(as_array("probabilities", probabilities))
    v = np.ones(len(s)) if votes is None else np.atleast_1d(as_array("votes", votes))
    own = p if shares is None else np.atleast_1d(as_array("shares", shares))
    for name, value in (("probabilities", p), ("votes", v), ("shares", own)):
        if value.shape != s.shape:
            raise ValueError(f"{name} must have one entry for each of the {len(s)} targets, got shape {value.shape}")
    if np.any(p < 0) or np.any(p > 1) or np.any(own < 0) or abs(p.sum() - 1) > 1e-9:
        raise ValueError(f"probabilities and shares must not be negative, and probabilities sum to 1, got {p} and {own}")

    evaluations = 0

    def velocity(_: float, logs: Array) -> Array:
        nonlocal evaluations
        evaluations += 1
        if evaluations > _MOST_EVALUATIONS:
            done = f"{_MOST_EVALUATIONS:,} evaluations did not bring the race to t = {times[-1]:g}"
            raise ValueError(f"{done}; take a shorter time or targets of like sizes")
        alpha, beta = np.exp(logs[0]), np.exp(logs[1:])
        error = s - v * alpha - beta
        speed = L * np.exp(logs * (1 - 2 / L))
        return speed * np.concatenate([[np.sum(p * v * error)], own * error])

    from scipy.integrate import solve_ivp

    first = np.log(np.concatenate([[a0], np.full(len(s), b0)]))
    with np.errstate(all="ignore"):
        moved = float(times[-1] * finite_result("the speed at the start", np.abs(velocity(0.0, first))).max())
        if moved < 1e-16:  # less than rounding, and LSODA would never end
            return np.full(len(times), a0), np.full((len(s), len(times)), b0)
        run = solve_ivp(velocity, (0.0, float(times[-1])), first, method="LSODA", t_eval=times, rtol=1e-10, atol=1e-10)
        if not run.success or not np.all(np.isfinite(run.y)):
            raise ValueError(f"the race could not be followed to t = {times[-1]:g}; take a shorter time")
        found = finite_result("a strength", np.exp(run.y))
    return found[0], found[1:]


def _clock(x: ArrayLike, depth: int) -> Array:
    """Return phi(x), the integral of x^-(2-2/L) from 1: log x for two layers, (1 - x^-p)/p with p = 1 - 2/L otherwise."""
    p = 1 - 2 / depth
    with np.errstate(divide="ignore", over="ignore"):
        logs = np.log(np.asarray(x, dtype=np.float64))
        return logs if p == 0 else -np.expm1(-p * logs) / p
