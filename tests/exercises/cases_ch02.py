"""Accepted forms and planted mistakes for the checkers of chapter 2."""

import numpy as np
from cases import Cases
from scipy.integrate import quad, solve_ivp

ROWS = [[7, 6], [2.5, 2], [5, 3], [6.5, 4], [0.5, 0], [2, 1], [4.5, 2]]


def index(s, learnt, hidden):
    s, learnt = np.asarray(s), list(learnt)
    missing = np.delete(s, learnt)
    return np.sum(missing[None, :] > s[learnt][:, None]) + (hidden - len(learnt)) * len(missing)


def index_by_loops(s, learnt, hidden):
    missing = [j for j in range(len(s)) if j not in learnt]
    count = 0
    for j in missing:
        count += hidden - len(learnt)
        for i in learnt:
            if s[j] > s[i]:
                count += 1
    return count


def index_weaker(s, learnt, hidden):
    missing = [j for j in range(len(s)) if j not in learnt]
    return sum(s[j] < s[i] for i in learnt for j in missing) + (hidden - len(learnt)) * len(missing)


def index_all_units(s, learnt, hidden):
    return index(s, learnt, hidden) + len(learnt) * (len(s) - len(learnt))


def index_swaps_only(s, learnt, hidden):
    return index(s, learnt, hidden) - (hidden - len(learnt)) * (len(s) - len(learnt))


def index_wakes_only(s, learnt, hidden):
    return (hidden - len(learnt)) * (len(s) - len(learnt))


def index_all_modes(s, learnt, hidden):
    return index(s, learnt, hidden) + (hidden - len(learnt)) * len(learnt)


def index_once(s, learnt, hidden):
    return index_swaps_only(s, learnt, hidden) + (len(s) - len(learnt) if hidden > len(learnt) else 0)


def index_by_mode(s, learnt, hidden):
    missing = [j for j in range(len(s)) if j not in learnt]
    return sum(any(s[j] > s[i] for i in learnt) for j in missing) + index_wakes_only(s, learnt, hidden)


def index_within(s, learnt, hidden):
    return sum(s[j] > s[i] for i in learnt for j in range(len(s))) + index_wakes_only(s, learnt, hidden)


def time_without_rest(s, eps, depth):
    if depth == 2:
        return time_quad(s, eps, 2)
    return quad(lambda a: a ** (1 - depth) / s, eps, (s / 2) ** (1 / depth), epsabs=0, epsrel=1e-10)[0]


def time_half_layer(s, eps, depth):
    def slowness(a):
        return 1 / (a ** (depth - 1) * (s - a**depth))

    return quad(slowness, eps, s ** (1 / depth) / 2, epsabs=0, epsrel=1e-10)[0]


def flat(r, hidden, q, d_in, d_out):
    return r**2 + (hidden - r) * (d_in + d_out - 2 * q + 2 * r)


def time_quad(s, eps, depth):
    def slowness(x):
        return np.exp((2 - depth) * x) / (s - np.exp(depth * x))

    return quad(slowness, np.log(eps), np.log(s / 2) / depth, epsabs=0, epsrel=1e-10, limit=200)[0]


def time_events(s, eps, depth):
    def half(t, a):
        return a[0] ** depth - s / 2

    half.terminal = True
    path = solve_ivp(lambda t, a: a ** (depth - 1) * (s - a**depth), (0, 1e6), [eps], events=half, rtol=1e-10, atol=1e-13)
    return path.t_events[0]


def time_leading(s, eps, depth):
    return np.log(s / eps**2) / (2 * s) if depth == 2 else eps ** (2.0 - depth) / ((depth - 2) * s)


CASES = {
    "ch02.levels": Cases(
        accept=["c", " (C) "],
        refuse=[("a", "not only minima"), ("b", "which modes"), ("d", "by half"), ("e", "one of the letters")],
    ),
    "ch02.largest_step": Cases(
        accept=[1, "1.0", 2 / 2, "2/2", 0.999],
        refuse=[
            (2, "limit of one layer"),
            (0.5, "1/sharpness"),
            (2**0.5, "the square of it"),
            ("1/4", "flattest minimum allows"),
            (0.7, "divide 2 by it"),
        ],
    ),
    "ch02.unused_unit": Cases(
        accept=["c", "C."],
        refuse=[("a", "did not cost before"), ("b", "does the loss still fall"), ("d", "explains nothing")],
    ),
    "ch02.third_alone": Cases(
        accept=[8, "8", 8.0, "16/2"],
        refuse=[
            (2, "number of swaps"),
            (6, "those are the wake-ups"),
            (11, "carries the learnt mode"),
            (7, "counted the weaker one"),
            (5, "let one of them"),
            (10, "learnt already"),
            (9, "count stronger ones alone"),
            (3, "multiply unused units"),
        ],
    ),
    "ch02.critical_list": Cases(
        accept=[ROWS, np.array(ROWS[::-1]), tuple(map(tuple, ROWS)), np.array(ROWS).T],
        refuse=[
            ([*ROWS, [0, 0]], "cannot carry three"),
            (ROWS[:6], "you list 6"),
            ([[2 * loss, i] for loss, i in ROWS], "one half"),
            ([[7 - loss, i] for loss, i in ROWS], "what is left"),
            ([[7, 6], [2.5, 2], [5, 3], [6.5, 4], [0.5, 0], [2, 1], [4.0, 2]], "a loss is off"),
            ([[7, 0], [2.5, 0], [5, 1], [6.5, 2], [0.5, 0], [2, 1], [4.5, 2]], "swaps only"),
            ([[7, 6], [2.5, 2], [5, 2], [6.5, 2], [0.5, 0], [2, 0], [4.5, 0]], "wake-ups only"),
            ([[7, 3], [2.5, 2], [5, 3], [6.5, 4], [0.5, 0], [2, 1], [4.5, 2]], "whatever the number of unused"),
            ([[7, 6], [2.5, 2], [5, 3], [6.5, 4], [0.5, 0], [2, 1], [4.5, 3]], "an index is off"),
            ([[7, 6], [2.5, 4], [5, 3], [6.5, 2], [0.5, 2], [2, 1], [4.5, 0]], "count the weaker ones"),
            ([[i, loss] for loss, i in ROWS], "other way round"),
            ([1.0, 2.0, 3.0], "rows of two numbers"),
        ],
    ),
    "ch02.index": Cases(
        accept=[index, index_by_loops, lambda s, learnt, hidden: np.array([index(s, learnt, hidden)], dtype=float)],
        refuse=[
            (index_weaker, "weaker"),
            (index_all_units, "in use already"),
            (index_swaps_only, "unused hidden unit"),
            (index_wakes_only, "wake-ups are right"),
            (index_all_modes, "missing mode only"),
            (index_once, "missing modes once"),
            (index_by_mode, "a swap is a pair"),
            (index_within, "with missing ones only"),
            (lambda s, learnt, hidden: 2 * index(s, learnt, hidden), "twice too many"),
            (lambda s, learnt, hidden: 1, "negative eigenvalues"),
            (lambda s, learnt: 1, "raised TypeError"),
        ],
    ),
    "ch02.flat_directions": Cases(
        accept=[
            flat,
            lambda r, h, q, d_in, d_out: np.float64(2 * h * r - r * r + (h - r) * (d_in - q) + (h - r) * (d_out - q)),
        ],
        refuse=[
            (lambda r, h, q, d_in, d_out: 2 * h * r - r**2, "dimension of the orbit"),
            (lambda r, h, q, d_in, d_out: r**2, "pairs of learnt modes"),
            (lambda r, h, q, d_in, d_out: h**2, "all invertible"),
            (lambda r, h, q, d_in, d_out: r**2 + (h - r) * (d_in + d_out), "not flat towards the modes"),
            (lambda r, h, q, d_in, d_out: r**2 + (h - r) * (d_in + d_out - 2 * q), "already learnt too"),
            (lambda r, h, q, d_in, d_out: 0, "go through the blocks"),
        ],
    ),
    "ch02.escape_time": Cases(
        accept=[time_quad, time_events, lambda s, eps, depth: np.array(time_quad(s, eps, depth))],
        refuse=[
            (lambda s, eps, depth: time_quad(s, eps ** (1 / depth), depth), "product starts at"),
            (time_leading, "leading term"),
            (time_without_rest, "a term is missing"),
            (time_half_layer, "half of its final strength"),
            (lambda s, eps, depth: time_quad(s, eps, 2), "two layers at every depth"),
            (lambda s, eps, depth: depth * time_quad(s, eps, depth), "factor depth"),
            (lambda s, eps, depth: time_quad(s, eps, depth) / depth, "factor depth"),
            (lambda s, eps, depth: 1.0, "3.1 units"),
        ],
    ),
    "ch02.decayed_index": Cases(
        accept=[
            lambda s, hidden, decay: hidden * int(np.sum(np.asarray(s) > decay)),
            lambda s, hidden, decay: sum(hidden for value in s if value - decay > 0),
        ],
        refuse=[
            (lambda s, hidden, decay: hidden * np.sum(s**2 > decay), "s squared"),
            (lambda s, hidden, decay: np.sum(s > decay), "each mode once"),
            (lambda s, hidden, decay: hidden * len(s), "without decay"),
            (lambda s, hidden, decay: hidden * np.sum(s > decay / 2), "not half of it"),
            (lambda s, hidden, decay: 2 * hidden * np.sum(s > decay), "only the second"),
            (lambda s, hidden, decay: hidden * np.sum(s < decay), "other way round"),
            (lambda s, hidden, decay: 0, "add the decay"),
        ],
    ),
}
