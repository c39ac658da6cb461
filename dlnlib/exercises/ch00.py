"""Checkers of the chapter template (chapters/_template.md): the smallest example of each kind."""

from typing import Any

import numpy as np

from dlnlib.exercises import _core as core
from dlnlib.exercises._questions import choice_question, number_question
from dlnlib.moments import Moments
from dlnlib.network import gradients

choice_question(
    "ch00.guess",
    right="c",
    hints={
        "a": "there is further to go, yes, but also a steeper slope.",
        "b": "the slope is steeper, yes, but there is also further to go.",
    },
    praise="distance and speed have both doubled.",
)

number_question(
    "ch00.speed",
    truth=lambda: -gradients((np.zeros((1, 1)),), Moments.white([[3.0]]))[0].item(),
    atol=1e-3,
    mistakes={
        "that is the slope of the loss; the weight moves against it.": -3.0,
        "that is the weight at the start, and not its speed.": 0.0,
        "the target is 3, not 1.": 1.0,
    },
    otherwise="put w = 0 and s = 3 into the flow.",
    praise="the speed is what remains of the way.",
    what="the speed",
)


@core.checker("ch00.half_life")
def half_life(answer: Any) -> str:
    value = core.number(answer, "the time")
    core.compare(
        np.exp(-value),  # the answer is put back into the solution, not compared with a stored number
        0.5,
        {
            "that is the time after which the error has shrunk by e, not by two.": np.exp(-1.0),
            "that is log 2 to the base ten; the solution holds the natural exponential.": np.exp(-np.log10(2.0)),
            "the sign: the error falls forwards in time.": 2.0,
        },
        otherwise="put your time into the error: it should come out as one half.",
    )
    return core.correct("after that time the error is one half.")


@core.checker("ch00.weight")
def weight(answer: Any) -> str:
    t, s = np.linspace(0.0, 4.0, 2001), 3.0
    got = core.array(core.call(answer, t, s), shape=t.shape, what="the weight")
    if got[0] != 0.0:
        raise core.not_yet("the weight should start at zero; yours is the error, or starts elsewhere.")
    slope = np.gradient(got, t, edge_order=2)
    if core.close(slope, 1.0 - got, rtol=1e-4):
        raise core.not_yet("the target s is missing: yours always ends at one.")
    if core.close(slope, got - s, rtol=1e-4):
        raise core.not_yet("the sign of the exponent: yours runs away from the target.")
    if not core.close(slope, s - got, rtol=1e-4):
        raise core.not_yet("differentiate your function: the slope should equal s minus the weight.")
    return core.correct("its slope equals the remaining error at every time.")
