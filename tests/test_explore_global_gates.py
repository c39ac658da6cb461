"""Charts of chapter 9: what is drawn against networks in feature space, sampled posteriors and cells computed anew."""

from __future__ import annotations

import numpy as np
import pytest

from dlnlib import explore
from dlnlib import global_gates as gg
from dlnlib.explore import _ring, _transfer

RING = explore.kernel_on_ring()
TRANSFER = explore.transfer_between_tasks()


@pytest.mark.parametrize("gates", _ring.GATES)
def test_wide_limit_on_the_ring_is_ridge_regression_on_gated_features(gates: str) -> None:
    drawn = RING.drawn(gates=gates, variance=1.0, temperature=0.1)[0]
    (angle, _), *_, (_, wide), (seen, answer) = drawn[:6]
    count = _ring.GATES[gates]

    def features(degrees: np.ndarray) -> np.ndarray:
        X = _ring.points(degrees)
        return np.einsum("nm,nd->nmd", _ring.gates_at(X, count), X).reshape(len(X), -1) / np.sqrt(2 * count)

    F = features(seen)
    w = np.linalg.solve(F.T @ F + 0.1 * np.eye(F.shape[1]), F.T @ answer)
    assert features(angle) @ w == pytest.approx(wide, abs=1e-9)


def test_every_point_of_the_ring_has_an_open_gate() -> None:
    for count in _ring.GATES.values():
        assert np.all(_ring.gates_at(_ring.points(np.linspace(-180, 180, 5001)), count).sum(axis=1) > 0)


def test_ring_kernel_is_the_kernel_of_the_task() -> None:
    task, _ = _ring._task(5, 0.3, 0.01)
    U = gg.saddle(task, 4).U
    X = _ring.points(task_angles := np.degrees(np.arctan2(task.X[:, 1], task.X[:, 0])))
    centre = _ring.points(np.array([60.0]))
    direct = task.kernel(U, centre, _ring.gates_at(centre, 5))[0]
    norm = 0.3**2 / 5 * np.sum(_ring.gates_at(centre, 5) ** 2)
    assert pytest.approx(task.X) == X
    assert _ring.ring_kernel(task, U, task_angles) == pytest.approx(direct / norm, abs=1e-12)


def test_one_gate_changes_the_size_of_the_kernel_alone() -> None:
    drawn = RING.drawn(gates="one, always open", width=1, variance=3.0)[0]
    (angle, narrow), (_, wide) = drawn[6], drawn[7]
    away = np.abs(wide) > 0.05
    assert np.ptp(narrow[away] / wide[away]) < 1e-9
    assert len(angle) == 73 and wide.max() == pytest.approx(1.0, abs=1e-9)
    five = RING.drawn(width=1)[0]
    ratio = five[6][1][np.abs(five[7][1]) > 0.1] / five[7][1][np.abs(five[7][1]) > 0.1]
    assert np.ptp(ratio) > 1


def test_band_and_mean_are_those_of_the_sampled_posterior() -> None:
    task, _ = _ring._task(5, 1.0, 0.1)
    degrees = _ring.DEGREES[::9]
    X = _ring.points(degrees)
    exact = gg.mixture(task, 16, X, _ring.gates_at(X, 5), rng=np.random.default_rng(0), draws=3000)
    drawn = RING.drawn(width=16, variance=1.0, temperature=0.1)[0]
    (_, low), (_, high), (_, mean) = drawn[1:4]
    assert mean[::9] == pytest.approx(exact.mean, abs=0.04)
    assert (high - low)[::9] / 2 == pytest.approx(np.sqrt(exact.variance), rel=0.12)


def test_the_words_on_the_ring() -> None:
    said = RING.drawn()[1]
    assert said.startswith("Width 2: U/σ² has eigenvalues from 0.44 to 5.6") and "in the wide limit 0.3." in said
    assert "times that of the wide limit, and has its shape" in RING.drawn(gates="one, always open")[1]
    assert np.all(np.isfinite(RING.drawn(width=3, variance=0.5, temperature=0.05)[0][3][1]))


def test_transfer_curve_is_what_a_run_gives() -> None:
    drawn = TRANSFER.drawn(correlation=0.9, examples=12, width=6)[0]
    (widths, error), (_, wide), (_, pooled), (at, point), (_, alike), (_, truth), (_, corr) = drawn
    cell = gg.transfer_cell(0.9, 6, range(5), examples=12)
    i = gg.CHART_WIDTHS.index(6)
    assert list(widths) == list(gg.CHART_WIDTHS) and at[0] == 6 and truth[0] == 0.9
    assert error[i] == pytest.approx(np.mean(cell["theory"]), rel=2e-3) and point[0] == pytest.approx(error[i])
    assert wide[0] == pytest.approx(np.mean(cell["wide"]), rel=2e-3)
    assert pooled[0] == pytest.approx(np.mean(cell["pooled"]), rel=2e-3)
    assert alike[i] == pytest.approx(np.mean(cell["correlation"]), rel=2e-3) and corr[0] == pytest.approx(alike[i])


@pytest.mark.parametrize("correlation", gg.CHART_CORRELATIONS)
@pytest.mark.parametrize("examples", gg.CHART_EXAMPLES)
def test_wide_networks_go_to_their_limit(correlation: float, examples: int) -> None:
    drawn = TRANSFER.drawn(correlation=correlation, examples=examples)[0]
    (_, error), (_, wide), *_, (_, alike), _, _ = drawn
    assert abs(error[-1] / wide[0] - 1) < abs(error[-2] / wide[0] - 1) + 1e-4
    assert abs(alike[-1]) < 0.06
    if correlation >= 0.8 and examples <= 24:
        assert np.all(np.diff(error) > -2e-3) and np.all(np.diff(alike) < 0)


def test_the_words_on_transfer() -> None:
    assert "Width 6: test error 0.073, 2.8 times less than in the wide limit (0.2)" in TRANSFER.drawn()[1]
    assert "about as much as in the wide limit" in TRANSFER.drawn(correlation=0.3, examples=6)[1]
    assert "more than in the wide limit" in TRANSFER.drawn(correlation=0.0, examples=6, width=2)[1]


def test_between_positions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_transfer, "LIVE_SEEDS", 1)
    drawn = TRANSFER.drawn(correlation=0.7, examples=8, width=20)[0]
    assert all(np.all(np.isfinite(y)) for _, y in drawn)
