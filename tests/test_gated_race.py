"""The race of one shared path with private ones, XOR, and the quadrature behind them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

import dlnlib as dln
from dlnlib import gated
from dlnlib.gated._course import place_at, time_along


def flow(t, s, p, votes, a0, b0, depth):
    """Integrate the race without logarithms, by another method than the library."""
    s, p, votes = (np.asarray(value, dtype=float) for value in (s, p, votes))

    def velocity(_, x):
        error = s - votes * x[0] - x[1:]
        return depth * np.abs(x) ** (2 - 2 / depth) * np.concatenate([[np.sum(p * votes * error)], p * error])

    first = np.concatenate([[a0], np.full(len(s), b0)])
    return solve_ivp(velocity, (0, t[-1]), first, method="DOP853", t_eval=t, rtol=1e-12, atol=1e-15).y


# -- two roads --


@pytest.mark.parametrize("depth", [2, 3, 5])
@pytest.mark.parametrize("tasks", [1.0, 2, 3.5, 10])
def test_strengths_follow_the_flow(depth, tasks):
    t = np.linspace(0, 60, 13)
    alpha, beta = gated.race_strengths(t, 1.3, 0.02, 0.05, tasks, depth)
    # One private path that is driven by 1/T of the force stands for all.
    shared, private = solve_ivp(
        lambda _, x: depth * x ** (2 - 2 / depth) * (1.3 - x.sum()) * np.array([1, 1 / tasks]),
        (0, 60), [0.02, 0.05], method="DOP853", t_eval=t, rtol=1e-13, atol=1e-16,
    ).y  # fmt: skip
    assert alpha == pytest.approx(shared, rel=1e-10) and beta == pytest.approx(private, rel=1e-10)
    assert beta == pytest.approx(gated.race_private(alpha, 0.02, 0.05, tasks, depth), rel=1e-10)


@pytest.mark.parametrize("depth", [2, 4])
def test_time_is_the_plain_integral(depth):
    alpha = np.array([0.02, 0.1, 0.6, 0.9])
    time = gated.race_time(alpha, 1.0, 0.02, 0.03, 4, depth)

    def pace(x):
        return 1 / (depth * x ** (2 - 2 / depth) * (1 - x - float(gated.race_private(x, 0.02, 0.03, 4, depth))))

    for a, t in zip(alpha, time, strict=True):
        assert t == pytest.approx(quad(pace, 0.02, a, epsabs=1e-13, epsrel=1e-12)[0], rel=1e-10, abs=1e-13)
    assert gated.race_strengths(time, 1.0, 0.02, 0.03, 4, depth)[0] == pytest.approx(alpha, rel=1e-11)


@pytest.mark.parametrize(
    ("s", "p", "votes", "depth"),
    [
        ([1, 1], [0.7, 0.3], [1, 1], 2),
        ([1, 0.6, 1.5], [0.2, 0.3, 0.5], [1, 1, 1], 3),
        ([1, 1, 1, 1], [0.25] * 4, [1, 1, 1, -1], 2),
        ([1, 2, 1], [0.4, 0.3, 0.3], [1, -1, -1], 4),
    ],
)
def test_ends_and_invariants(s, p, votes, depth):
    t = np.array([0.0, 3, 30, 300, 20000])
    alpha, beta = gated.race_flow(t, s, 0.05, 0.08, depth, probabilities=p, votes=votes)
    other = flow(t[:4], s, p, votes, 0.05, 0.08, depth)
    assert alpha[:4] == pytest.approx(other[0], rel=1e-7) and beta[:, :4] == pytest.approx(other[1:], rel=1e-7)
    e = 1 - 2 / depth
    clock = np.log if e == 0 else lambda x: -(x**-e) / e
    kept = clock(other[0]) - np.asarray(votes) @ clock(other[1:])
    assert kept == pytest.approx(np.full(4, kept[0]), abs=1e-9)
    end, ends = gated.race_end(s, 0.05, 0.08, depth, votes=votes)
    assert alpha[-1] == pytest.approx(end, rel=1e-6) and beta[:, -1] == pytest.approx(ends, rel=1e-6)


def test_groups_are_their_tasks():
    one = gated.race_end([1.0] * 5, 0.01, 0.02, 3, votes=[1, 1, 1, 1, -1])
    two = gated.race_end([1.0, 1.0], 0.01, 0.02, 3, counts=[4, 1], votes=[1, -1])
    assert one[0] == pytest.approx(two[0], rel=1e-12) and one[1][[0, 4]] == pytest.approx(two[1], rel=1e-12)
    t = np.linspace(0, 20, 5)
    alone = gated.race_flow(t, [1.0] * 5, 0.01, 0.02, votes=[1, 1, 1, 1, -1])
    grouped = gated.race_flow(t, [1.0, 1.0], 0.01, 0.02, votes=[1, -1], probabilities=[0.8, 0.2], shares=[0.2, 0.2])
    assert grouped[0] == pytest.approx(alone[0], rel=1e-8) and grouped[1] == pytest.approx(alone[1][[0, 4]], rel=1e-8)


@pytest.mark.parametrize("depth", [2, 3])
def test_network_and_task_are_the_race(depth):
    maps = np.array([[[1.5, 0], [0, 1.0]], [[0.5, 0], [0, -1.0]], [[2.0, 0], [0, 1.0]]])
    p = [0.5, 0.2, 0.3]
    net = gated.race_network(3, (2,) * (depth + 1))
    assert net.shapes == ((2, 2),) * (4 * depth) and len(net.paths) == 4
    task = gated.race_task(net, maps, p)
    for i in range(3):
        assert task.yx(1 + i) == pytest.approx(p[i] * maps[i]) and task.xx(1 + i, 1 + i) == pytest.approx(p[i] * np.eye(2))
        assert task.xx(0, 1 + i) == pytest.approx(p[i] * np.eye(2))
    assert task.yx(0) == pytest.approx(np.tensordot(p, maps, 1)) and task.xx(0, 0) == pytest.approx(np.eye(2))
    assert not np.any(task.xx(1, 2))
    t = np.linspace(0, 30, 7)
    a = 0.1 ** (1 / depth)
    start = tuple(np.diag([a, a]) for _ in net.edges)
    run = dln.gradient_flow(start, task, t, rtol=1e-12)
    alpha, beta = gated.race_flow(t, maps[:, 0, 0], 0.1, 0.1, depth, probabilities=p)
    strengths = [W[:, 0, 0] for W in net.path_matrices(run.weights)]
    assert strengths[0] == pytest.approx(alpha, rel=1e-7) and np.array(strengths[1:]) == pytest.approx(beta, rel=1e-7)


def test_xor_flow_and_limits():
    net, task = gated.xor_network(2)
    X, Y, gates = gated.xor_task()
    assert np.all(Y[:, 0] == np.where(X[:, 0] != X[:, 1], 1, -1)) and np.all(gates == np.eye(4))
    assert not np.any(dln.Moments.from_data(X, Y).yx)
    R = np.array([[0.6], [0.8]])
    first = [0.3 * R @ X[k : k + 1] / np.sqrt(2) for k in range(4)]
    t = np.linspace(0, 15, 6)
    run = dln.gradient_flow((*first, *(0.3 * Y[k] * R.T for k in range(4))), task, t, rtol=1e-12)
    assert run.loss == pytest.approx(gated.xor_loss(t, 0.09), abs=1e-10)
    a = np.linalg.norm(np.array(net.path_matrices(run.weights)), axis=(-2, -1))
    assert a == pytest.approx(np.tile(gated.xor_strength(t, 0.09), (4, 1)), rel=1e-9)
    assert gated.xor_strength(0.0, 0.2)[0] == pytest.approx(0.2) and gated.xor_strength(1e3, 1e-9)[0] == pytest.approx(0.5**0.5)
    assert gated.xor_loss(0.0, 1e-12)[0] == pytest.approx(0.5) and gated.xor_loss(1e3, 0.1)[0] == pytest.approx(0)


# -- order of convergence --


def test_quadrature_converges_and_inverts():
    slope = lambda z: 1 / (1 + z**2)  # noqa: E731
    z = np.array([-3.0, 0.5, 2.0])
    assert time_along(slope, -3.0, z) == pytest.approx(np.arctan(z) - np.arctan(-3), rel=1e-14)
    t = np.array([0.0, 0.7, 1.9, 2.5])
    assert place_at(slope, -3.0, t) == pytest.approx(np.tan(t + np.arctan(-3)), rel=1e-12)


# -- limits --


def test_limits_of_the_end():
    # One task and equal starts: a tie. Many tasks: nothing is left. Deep and small: the losers stay.
    assert gated.race_end([1.0], 0.01, 0.01)[0] == pytest.approx(0.5)
    assert gated.race_end([1.0], 1e-3, 1e-3, counts=[1e6])[1][0] == pytest.approx(1e-3, rel=1e-4)
    for depth, tasks in ((4, 2), (5, 3), (10, 7)):
        beta = gated.race_end([1.0], 1e-12, 1e-12, depth, counts=[tasks])[1][0]
        assert beta / 1e-12 == pytest.approx((1 - 1 / tasks) ** (-depth / (depth - 2)), rel=1e-4)
    beta = gated.race_end([1.0], 1e-8, 1e-8, counts=[4])[1][0]
    assert beta == pytest.approx(1e-8 * 1e8**0.25, rel=0.02)
    # The table of chapter 8.
    assert gated.race_end([1.0], 1e-3, 1e-3, counts=[2])[1][0] == pytest.approx((np.sqrt(1e-6 + 4e-3) - 1e-3) / 2, rel=1e-12)
    assert gated.race_end([2.0], 1e-250, 1e-3, counts=[2])[0] < 1e-240


@pytest.mark.parametrize(("ahead", "wanted"), [(1.5, 1.0), (0.5, 0.0)])
@pytest.mark.parametrize("depth", [2, 3, 6])
def test_majority(ahead, wanted, depth):
    alpha, _ = gated.race_end([1.0, 1.0], 1e-30, 1e-30, depth, counts=[2 + ahead, 2], votes=[1, -1])
    assert alpha == pytest.approx(wanted, abs=1e-4)


def test_late_times_rest_at_the_end():
    alpha, beta = gated.race_strengths([0.0, 1e9], 1.0, 1e-3, 1e-3, 3)
    end, ends = gated.race_end([1.0], 1e-3, 1e-3, counts=[3])
    assert (alpha[0], beta[0]) == pytest.approx((1e-3, 1e-3), rel=1e-12)
    assert alpha[1] == pytest.approx(end, rel=1e-14) and beta[1] == pytest.approx(ends[0], rel=1e-12)
    assert gated.race_flow([0.0], [1.0], 0.1, 0.2)[0] == pytest.approx([0.1])


# -- mistakes --


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: gated.race_network(2, (3, 3)), "add a hidden layer"),
        (lambda: gated.race_network(0, (3, 3, 3)), "tasks"),
        (lambda: gated.race_task(gated.race_network(2, (2, 2, 2)), np.ones((3, 2, 2))), r"race_network\(3, widths\)"),
        (lambda: gated.race_task("net", np.ones((3, 2, 2))), "network must be"),
        (lambda: gated.race_task(gated.race_network(2, (2, 2, 2)), np.ones((2, 2, 2)), [0.5, 0.6]), "sum 1"),
        (lambda: gated.race_private([0.1, -1], 0.1, 0.1, 2), "alpha must be positive"),
        (lambda: gated.race_private(5.0, 0.001, 0.5, 1.0, 4), "never comes there"),
        (lambda: gated.race_end([1, -1], 0.1, 0.1), "targets must be positive"),
        (lambda: gated.race_end([1, 1], 0.1, 0.1, counts=[1]), "counts must be 2"),
        (lambda: gated.race_end([1, 1], 0.1, 0.1, votes=[-1, -1]), r"at least one of them \+1"),
        (lambda: gated.race_end([1, 1], 0.1, 0.1, 1), "depth"),
        (lambda: gated.race_end([1.0], 1e-300, 1e200, counts=[5]), "larger start"),
        (lambda: gated.race_time(0.99999, 1.0, 0.1, 0.1, 2), "below its end"),
        (lambda: gated.race_time(0.01, 1.0, 0.1, 0.1, 2), "from alpha0"),
        (lambda: gated.race_time(0.5, 1.0, 0.6, 0.5, 2), r"alpha0 \+ beta0 must be below"),
        (lambda: gated.race_flow([0, 1], [1, 1], 0.1, 0.1, votes=[1]), "votes must have one entry"),
        (lambda: gated.race_flow([0, 1], [1, 1], 0.1, 0.1, probabilities=[0.1, 0.1]), "sum to 1"),
        (lambda: gated.xor_strength([0, 1], 0.0), "a0 must be positive"),
        (lambda: gated.xor_network(0), "hidden"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_mistakes_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_xor_falls_to_its_end_from_a_start_of_any_size():
    assert gated.xor_strength([0.0, 100.0], 1e200) == pytest.approx([1e200, 1 / np.sqrt(2)])
