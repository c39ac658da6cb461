"""Counting the steps of descent: equal to a recorded descent, member by member, and infinite where it does not arrive."""

import numpy as np
import pytest

import dlnlib as dln
from dlnlib.initialise import gaussian
from dlnlib.simulate import steps_to_loss

DATA = dln.Moments.white(np.diag([2.0, 1.0]))


def start():
    return gaussian((2, 4, 2), rng=np.random.default_rng(0), batch=(3,))


def test_agrees_with_a_recorded_descent():
    losses = dln.gradient_descent(start(), DATA, 0.1, 200).loss
    counted = steps_to_loss(start(), DATA, 0.1, 0.05, max_steps=200)
    assert counted.shape == (3,)
    assert np.array_equal(counted, np.argmax(losses <= 0.05, axis=0))


def test_batch_is_the_same_as_one_by_one():
    together = steps_to_loss(start(), DATA, 0.1, 0.05, max_steps=200)
    apart = [steps_to_loss(tuple(W[i] for W in start()), DATA, 0.1, 0.05, max_steps=200) for i in range(3)]
    assert np.array_equal(together, apart)


def test_met_at_the_start_is_zero():
    assert steps_to_loss((DATA.yx,), DATA, 0.1, 0.0, max_steps=3) == 0


@pytest.mark.parametrize(("step", "max_steps"), [(0.1, 2), (50.0, 1000)])
def test_what_does_not_arrive_is_infinite(step, max_steps):
    assert np.all(np.isinf(steps_to_loss(start(), DATA, step, 0.05, max_steps=max_steps)))


def test_a_diverging_member_leaves_the_others_alone():
    weights = tuple(np.stack([W[0], 30 * W[1]]) for W in start())
    counted = steps_to_loss(weights, DATA, 0.1, 0.05, max_steps=200)
    assert np.isfinite(counted[0]) and np.isinf(counted[1])
