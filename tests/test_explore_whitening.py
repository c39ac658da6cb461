"""Whitening flips the order: two directions inside whole, mixed networks, the lines of the map, and what is said."""

import itertools

import numpy as np
import pytest

from dlnlib import Moments, gradient_flow, product
from dlnlib.explore import _whitening, whitening_order

CHART = whitening_order()
LAYERED = [network for network, start in _whitening.STARTS.items() if start > 0]
CORNERS = [
    *itertools.product((0.5, 64.0), (1.0, 8.0), _whitening.STARTS),
    (16.0, 8.0, "2 layers, 0.01"),
    (5.0, 2.7, "2 layers, 0.1"),
]


def turn(angle):
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def whole_network(variances, targets, a0, whiten):
    """Integrated flow of a 2x2 network whose inputs and outputs are mixed; its map in the chart's directions."""
    Q, R = turn(0.7), turn(-1.1)
    xx = Q @ np.diag([0.25, 0.25 * variances]) @ Q.T
    task = Moments.from_teacher(R @ np.diag([4.0, 4.0 / targets]) @ Q.T, xx)
    M = np.eye(2)
    if whiten:
        white = task.whitened()
        task, M = white.moments, white.matrix
    start = (np.zeros((2, 2)),) if a0 == 0 else (a0 * Q.T, a0 * R)
    flow = gradient_flow(start, task, [0.02, 200.0], rtol=1e-9, method="LSODA")
    final = np.diag([4.0, 4.0 / targets])

    def shares(t):
        maps = R.T @ (product(flow.at(t)) @ M) @ Q
        return maps[:, [0, 1], [0, 1]] / np.diag(final), np.abs(maps[:, 0, 1]).max()

    return shares


@pytest.mark.parametrize(("variances", "targets", "network"), CORNERS)
@pytest.mark.parametrize("inputs", ["raw", "white"])
def test_both_directions_are_those_of_a_whole_network(variances, targets, network, inputs):
    a0 = _whitening.STARTS[network]
    values = {"variances": variances, "targets": targets, "network": network}
    shares = whole_network(variances, targets, a0, inputs == "white")
    for k, part in enumerate(("first", "second")):
        drawn = CHART.columns(CHART.part(part), values)
        whole, mixed = shares(drawn[f"{inputs}_t"])
        assert mixed < 1e-6
        np.testing.assert_allclose(drawn[f"{inputs}_flow"], whole[:, k], atol=2e-6)
        np.testing.assert_allclose(drawn[f"{inputs}_exact"], whole[:, k], atol=2e-6)
        half, _ = shares(drawn[f"{inputs}_at"])
        assert abs(half[0, k] - 0.5) < 2e-3


@pytest.mark.parametrize("network", LAYERED)
@pytest.mark.parametrize("targets", [1.5, 4.0, 8.0])
def test_on_the_lines_of_the_map_both_are_half_way_at_once(network, targets):
    columns = _whitening.tie_map(network)
    raw = float(np.interp(targets, columns["raw_y"], columns["raw_x"]))
    one = CHART.columns(CHART.part("first"), {"network": network})
    for inputs, ratio in (("raw", raw), ("white", targets**2)):
        two = CHART.columns(CHART.part("second"), {"variances": ratio, "targets": targets, "network": network})
        np.testing.assert_allclose(two[f"{inputs}_at"], one[f"{inputs}_at"], rtol=3e-3)
        assert f"{'Raw' if inputs == 'raw' else 'Whitened'}: both half-way at" in two["say"]


def test_the_raw_line_tends_to_equal_growth_rates():
    away = []
    for network in LAYERED:
        columns = _whitening.tie_map(network)
        away.append(np.abs(np.log(columns["raw_x"] / columns["rates_x"])).max())
    assert away == sorted(away, reverse=True)
    assert away[-1] < 0.12 < away[0]


def test_the_sentence_agrees_with_the_map_at_every_position():
    said = set()
    for network in LAYERED:
        columns = _whitening.tie_map(network)
        for variances, targets in itertools.product(CHART.controls[0].values, CHART.controls[1].values):
            raw = np.interp(targets, columns["raw_y"], columns["raw_x"])
            sentence = CHART.drawn(variances=variances, targets=targets, network=network)[1]
            said.add(sentence.rsplit(". ", 1)[1])
            if np.isclose(variances, 1.0) and targets == 1:
                assert sentence.endswith("Both are alike.")
            elif np.isclose(variances, targets**2):
                assert sentence.endswith("A tie: the flip ends here.")
            elif (raw < variances) != (targets**2 < variances):
                assert sentence.endswith("Whitening reverses the order."), (variances, targets, network)
            else:
                assert sentence.endswith("Whitening keeps the order."), (variances, targets, network)
    assert len(said) == 4


def test_the_example_of_the_chapter():
    _, said = CHART.drawn()
    assert said == (
        "Raw: direction 2 half-way first, 2.13 against 5.3 (2.49 times sooner). "
        "Whitened: direction 1 half-way first, 2.48 against 4.61 (1.86 times sooner). Whitening reverses the order."
    )


def test_one_layer_is_ruled_by_variance_alone_and_whitened_by_nothing():
    for variances, targets in ((16.0, 8.0), (0.5, 3.0)):
        columns = CHART.columns(CHART.part("second"), {"variances": variances, "targets": targets, "network": "1 layer, 0"})
        assert np.isclose(columns["raw_at"][0], np.log(2) / (0.25 * variances), rtol=2e-3)
        assert np.isclose(columns["white_at"][0], np.log(2), rtol=2e-3)
        assert "Whitened: both half-way at 0.693." in columns["say"]
    even = CHART.drawn(variances=1.0, targets=8.0, network="1 layer, 0")[1]
    assert even.startswith("Raw: both half-way at 2.77. Whitened: both half-way at 0.693.")


@pytest.mark.parametrize("network", _whitening.STARTS)
def test_curves_rise_from_the_start_to_the_end(network):
    columns = CHART.columns(CHART.part("second"), {"variances": 0.5, "targets": 8.0, "network": network})
    for inputs in ("raw", "white"):
        assert np.all(np.diff(columns[f"{inputs}_t"]) > 0)
        assert np.all(np.diff(columns[f"{inputs}_flow"]) > -1e-6)
        assert abs(columns[f"{inputs}_flow"][-1] - 1) < 2e-3


@pytest.mark.parametrize("network", _whitening.STARTS)
@pytest.mark.parametrize("targets", [1.0, 5.0])
def test_the_lead_drawn_as_a_line_is_the_simulated_one(network, targets):
    line = CHART.columns(CHART.part("lead"), {"targets": targets, "network": network})
    for i in (2, 11, 22):
        values = {"variances": line["x"][i], "targets": targets, "network": network}
        two = CHART.columns(CHART.part("second"), values)
        for inputs in ("raw", "white"):
            np.testing.assert_allclose(two[f"{inputs}_lead"][0], line[inputs][i], rtol=3e-3)
