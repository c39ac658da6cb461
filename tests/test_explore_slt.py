"""Charts of chapter 12: what is drawn against what can be computed otherwise, and what the reader is told to see."""

from __future__ import annotations

import numpy as np
import pytest

from dlnlib import explore, slt
from dlnlib.explore import _biases, _choose_width, _coefficients, _slopes
from dlnlib.moments import Moments

COEFFICIENTS = explore.learning_coefficients()
SLOPES = explore.bent_slopes()
BIASES = explore.sampler_biases()
CHOICE = explore.choose_width()


def labelled(chart, panel, **values):
    """Return x and y of every series of a panel, in order, with its label."""
    drawn = chart.drawn(**values)[0]
    return [(s.label or s.text, *pair) for s, pair in zip(chart.series, drawn, strict=True) if s.panel == panel]


# -- learning coefficients ---------------------------------------------------------------------------------------------------


def marks(panel, **values):
    """Return the drawn coefficients and multiplicities by their x."""
    found = {}
    part = COEFFICIENTS.part("depths" if panel else "ranks")
    texts = COEFFICIENTS.columns(part, {**COEFFICIENTS.start, **values})["m"]
    for label, x, y in labelled(COEFFICIENTS, panel, **values):
        if label == "multiplicity 1":
            found |= {int(at): (value, 1) for at, value in zip(x, y, strict=True)}
        elif label == "m":
            found |= {int(at): (value, int(m)) for at, value, m in zip(x, y, texts, strict=True)}
        elif label.startswith("multiplicity above"):
            assert len(x) == len(texts)
    return found


@pytest.mark.parametrize("hidden", _coefficients.HIDDEN)
def test_two_layers_follow_the_four_cases(hidden: int) -> None:
    drawn = marks(0, hidden=hidden, layers=2)
    assert sorted(drawn) == list(range(min(hidden, 5) + 1))
    for rank, (value, multiplicity) in drawn.items():
        exact, m = slt.reduced_rank_coefficient((5, hidden, 5), rank)
        assert (value, multiplicity) == (float(exact), m)


@pytest.mark.parametrize(("hidden", "layers"), [(1, 5), (2, 4), (3, 3), (5, 3)])
def test_deeper_ones_are_half_the_codimension_of_the_fibre(hidden: int, layers: int) -> None:
    for rank, (value, _) in marks(0, hidden=hidden, layers=layers).items():
        assert value == slt.fibre((5, *(hidden,) * (layers - 1), 5), rank).codimension / 2


@pytest.mark.parametrize("hidden", _coefficients.HIDDEN)
@pytest.mark.parametrize("rank", range(6))
def test_depth_helps_where_there_is_slack(hidden: int, rank: int) -> None:
    drawn = marks(1, hidden=hidden, rank=rank)
    assert sorted(drawn) == list(_coefficients.LAYERS)
    values = np.array([drawn[L][0] for L in _coefficients.LAYERS])
    (_, _, half), _, (_, _, bound), *_ = labelled(COEFFICIENTS, 1, hidden=hidden, rank=rank)
    assert np.all(np.diff(values) <= 0) and np.all(values <= half) and np.all(values >= bound[0])
    assert half == pytest.approx([(10 * hidden + (L - 2) * hidden**2) / 2 for L in _coefficients.LAYERS])
    r = min(hidden, rank)
    if r == min(hidden, 5):
        assert np.ptp(values) == 0 and values[0] == r * (10 - r) / 2
    if hidden <= 5:  # the bound is met as soon as the deficiencies of the hidden layers can share what is to be shared
        meets = hidden - r + 2 if hidden < 5 else max(5 - r, 2)
        assert _coefficients.LAYERS[int(np.argmax(values == bound[0]))] == meets
    for far in (_coefficients.DEEP + 1, 2 * _coefficients.DEEP):
        assert bound[0] == float(_coefficients.coefficient(hidden, far, rank))
    if hidden == 5:
        assert bound[0] == float(slt.deep_limit(5, r))


@pytest.mark.parametrize("hidden", _coefficients.HIDDEN)
@pytest.mark.parametrize("layers", [2, 5, 8])
def test_coefficients_lie_above_those_of_the_maps(hidden: int, layers: int) -> None:
    drawn = marks(0, hidden=hidden, layers=layers)
    values = np.array([drawn[r][0] for r in sorted(drawn)])
    maps = labelled(COEFFICIENTS, 0, hidden=hidden, layers=layers)[2][2]
    assert np.all(values >= maps) and values[-1] == maps[-1] and drawn[len(maps) - 1][1] == 1
    assert np.all(np.diff(values) >= 0) and values.max() <= 12.5 < _coefficients.TOP


def test_half_the_parameters_is_a_line_or_a_number() -> None:
    part = COEFFICIENTS.part("ranks")
    narrow = COEFFICIENTS.columns(part, {"hidden": 1, "layers": 2})
    assert narrow["half"].tolist() == [5, 5] and narrow["half_text"].tolist() == ["d/2 = 5"]
    wide = COEFFICIENTS.columns(part, {"hidden": 5, "layers": 3})
    assert wide["half"].size == 0 and wide["half_text"].tolist() == ["d/2 = 37.5 ↑"]


def test_the_words_of_the_coefficients() -> None:
    assert COEFFICIENTS.drawn()[1] == (
        "3 layers at rank 0: λ = 8.5, multiplicity 3, while d/2 = 37.5 is 4.41 times as much. With more layers λ falls to 7.5."
    )
    assert COEFFICIENTS.drawn(layers=5)[1].endswith("It falls no further.")
    narrow = COEFFICIENTS.drawn(hidden=3, rank=5)[1]
    assert "the most that fits through h = 3: λ = 10.5, multiplicity 1," in narrow
    assert narrow.endswith("More layers change nothing.")


# -- slopes ------------------------------------------------------------------------------------------------------------------


def test_one_neuron_by_quadrature() -> None:
    """With one weight integrated out by hand, Z = E (1 + n_beta w^2)^(-1/2), and its slope by differences."""
    w, step = np.linspace(0, 9, 400_001), 1e-3

    def log_z(n_beta: float) -> float:
        return float(np.log(np.trapezoid(np.exp(-(w**2) / 2) / np.sqrt(1 + n_beta * w**2), w)))

    _, _, (_, x, energy), _ = labelled(SLOPES, 0, network="1, 1, 1")
    for at in (0, 6, 12):
        n_beta = 10 ** x[at]
        slope = (log_z(n_beta * np.exp(-step)) - log_z(n_beta * np.exp(step))) / (2 * step)
        assert energy[at] == pytest.approx(slope, rel=2e-6)


@pytest.mark.parametrize("network", _slopes.NETWORKS)
def test_localisation_shifts_the_curve(network: str) -> None:
    """By two decades for a factor ten: six points of three to a decade."""
    plain = labelled(SLOPES, 0, network=network)[2][2]
    for precision, there, here in ((10.0, slice(6, None), slice(None, -6)), (0.1, slice(None, -6), slice(6, None))):
        _, (_, _, reference), (_, x, moved), _ = labelled(SLOPES, 0, network=network, precision=precision)
        assert np.array_equal(reference, plain)
        assert moved[there] == pytest.approx(plain[here], rel=1e-7)
        assert np.diff(x) == pytest.approx(1 / 3)


@pytest.mark.parametrize("network", _slopes.NETWORKS)
@pytest.mark.parametrize("precision", _slopes.PRECISIONS)
def test_from_below_and_slowly_where_the_multiplicity_is_two(network: str, precision: float) -> None:
    one = slt.learning_coefficient(_slopes.NETWORKS[network])
    (_, _, value), _, (_, x, energy), (_, late, leading) = labelled(SLOPES, 0, network=network, precision=precision)
    _, (_, _, gap), (_, bent, missing) = labelled(SLOPES, 1, network=network, precision=precision)
    assert np.all(value == float(one)) and energy + gap == pytest.approx(float(one))
    assert np.all(gap > 0) and np.all(np.diff(gap) < 0)
    assert leading == pytest.approx(float(one) - (one.multiplicity - 1) / np.log(10**late))
    rate = np.log10(gap[-1] / gap[-7]) / (x[-1] - x[-7])  # over the last two decades
    if one.multiplicity == 1:
        assert rate < -0.35 and bent.size == missing.size == 0
    else:
        assert -0.25 < rate < 0 and missing == pytest.approx(1 / np.log(10**bent))
        assert gap[-1] == pytest.approx(missing[-1], rel=1.1 if precision > 1 else 0.35)


def test_the_words_of_the_slopes() -> None:
    assert SLOPES.drawn()[1] == (
        "λ = 6.5, multiplicity 2. A perfect sampler reports 6.22 at nβ = 1000 and 6.4198 at 10⁷: 4.3 and 1.2 % too little; "
        "the leading order says 6.438 there."
    )
    assert SLOPES.drawn(network="3, 2, 3")[1].endswith("% too little.")
    assert np.all(np.isfinite(SLOPES.drawn(precision=0.37)[0][2][1]))


# -- biases ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", _biases.BATCHES)
@pytest.mark.parametrize(("step", "localisation"), [(1e-5, 1.0), (1e-4, 100.0), (5e-4, 0.1), (2e-4, 3000.0)])
def test_the_closed_form_is_where_the_variance_settles(step: float, localisation: float, batch: str) -> None:
    """Each direction's variance, pushed through one step after another: v -> (1 - step H/2)^2 v + step^2/4 N + step."""
    h, nb = _biases.curvatures(), _biases.minimum(1.0).n_beta
    v = np.zeros_like(h)
    for _ in range(20_000):
        v = (1 - step * (h + localisation) / 2) ** 2 * v + step**2 / 4 * nb * h / _biases.BATCHES[batch] + step
    assert _biases.reported(step, localisation, _biases.BATCHES[batch]) == pytest.approx(0.5 * h @ v, rel=1e-9)


def test_curvatures_are_those_of_a_balanced_minimum() -> None:
    nb = 1e4 / np.log(1e4)
    assert _biases.curvatures() == pytest.approx(np.repeat([2 * nb, 4 * nb], [12, 9]))
    assert len(_biases.curvatures()) / 2 == float(slt.learning_coefficient((5, 3, 5), 3)) == 10.5


@pytest.mark.parametrize(("step", "localisation"), [(2e-5, 1.0), (2e-5, 1000.0), (1e-4, 260.0)])
def test_chains_report_it(step: float, localisation: float) -> None:
    posterior = _biases.minimum(localisation)
    draws = slt.sgld(posterior, 3000, 32, rng=np.random.default_rng(1), step=step, burn=1000)
    chains = posterior.n_beta * draws.excess.mean(axis=0)
    assert chains.mean() == pytest.approx(_biases.reported(step, localisation), abs=4 * chains.std() / np.sqrt(32))


def test_chains_with_mini_batches_report_it() -> None:
    """At the minimum of a sample with noise of variance one: the noise of batches is the mean Hessian."""
    rng, clean = np.random.default_rng(0), _biases.minimum(1.0)
    X = rng.standard_normal((_biases.SAMPLES, 5))
    Y = X @ clean.optimum.T + rng.standard_normal((_biases.SAMPLES, 5))
    moments = Moments.from_data(X, Y)
    U, s, Vt = np.linalg.svd(moments.optimum(3))
    root = np.sqrt(s[:3])
    posterior = slt.Posterior(moments, (root[:, None] * Vt[:3], U[:, :3] * root), clean.n_beta, 1.0)
    draws = slt.sgld(posterior, 3000, 16, rng=rng, step=2e-5, data=(X, Y), batch_size=32, burn=1000)
    got = clean.n_beta * float(draws.excess.mean() - posterior.centre_excess)
    assert got == pytest.approx(_biases.reported(2e-5, 1.0, 32), rel=0.04)


def test_what_pushes_up_and_what_pulls_down() -> None:
    for batch in _biases.BATCHES:
        _, (_, _, estimate), (_, rule, there), _ = labelled(BIASES, 0, batch=batch)
        assert np.all(np.diff(estimate) > 0)
        assert 10 ** rule[0] == pytest.approx(slt.step_rule(slt.largest_curvature(_biases.minimum(1.0))))
        assert there[0] == pytest.approx(_biases.reported(10 ** rule[0], 1.0, _biases.BATCHES[batch]))
        assert np.all(np.diff(labelled(BIASES, 1, batch=batch)[1][2]) < 0)
    sizes = [_biases.reported(1e-4, 1.0, size) for size in _biases.BATCHES.values()]
    assert np.all(np.diff(sizes) > 0)
    assert labelled(BIASES, 0)[2][2][0] == pytest.approx(10.5 * 1.0142, rel=2e-3)  # the rule costs less than two per cent


def test_errors_cancel_where_it_is_said() -> None:
    gamma = _biases.cancelling(1e-4, np.inf)
    assert gamma == pytest.approx(260, rel=0.02)
    assert _biases.reported(1e-4, gamma) == pytest.approx(10.5, rel=1e-6)
    assert _biases.cancelling(1e-4, 32) is None
    assert _biases.cancelling(8e-4, np.inf) is None


def test_the_chosen_point_lies_on_both_curves_or_nowhere() -> None:
    settings = {"step": 3e-4, "localisation": 100.0, "batch": "256"}
    for panel in (0, 1):
        (_, x, y), (_, at, got) = (labelled(BIASES, panel, **settings)[k] for k in (1, -1))
        assert np.exp(np.interp(at[0], x, np.log(y))) == pytest.approx(got[0], rel=5e-3)
    drawn, said = BIASES.drawn(step=8e-4, localisation=3000.0)
    assert said == "The chain diverges: step times curvature is 5.87, and only less than 4 is stable."
    assert drawn[3][0].size == drawn[-1][0].size == 0
    assert drawn[5][0][-1] < np.log10(4 / 8e-4 - _biases.curvatures().max())


def test_the_words_of_the_biases() -> None:
    assert BIASES.drawn()[1] == (
        "Reported: 11.39 instead of 10.5. Localisation takes 0.0038, the step adds 0.89. At γ = 260 the errors would cancel."
    )
    assert "batches add 30. At no γ shown do the errors cancel." in BIASES.drawn(batch="32")[1]


# -- choice of a width -------------------------------------------------------------------------------------------------------


def test_free_energies_by_hand() -> None:
    exact, counted = _choose_width.free_energies(1000.0, 0.2)
    log, double = np.log(1000), np.log(np.log(1000))
    misfit = 1000 * np.array([4.29, 0.29, 0.04, 0, 0, 0]) / 2
    assert counted == pytest.approx(misfit + 5 * np.arange(6) * log)
    # lambda and m of (5, h, 5) at the ranks 1, 2, 3, 3, 3.
    assert exact == pytest.approx(misfit + np.array([0, 4.5, 8, 10.5, 11.5, 12]) * log - np.array([0, 0, 0, 0, 1, 0]) * double)


@pytest.mark.parametrize("s3", _choose_width.STRENGTHS)
def test_counting_never_prefers_more_and_both_find_the_rank(s3: float) -> None:
    (_, x, ours), (_, z, bic), *_ = labelled(CHOICE, 1, s3=s3)
    preferred = np.array([[np.argmin(F) for F in _choose_width.free_energies(n, s3)] for n in _choose_width.GRID])
    assert np.all(preferred[:, 0] >= preferred[:, 1]) and np.all(np.diff(preferred, axis=0) >= 0)
    assert x[0] == z[0] == pytest.approx(1) and x[-1] == z[-1] == pytest.approx(6)
    assert ours[-1] == preferred[-1, 0] and bic[-1] == preferred[-1, 1]
    assert set(ours) == set(preferred[:, 0]) and set(bic) == set(preferred[:, 1])
    rank = 3 if s3 else 2
    for n in (1e9, 1e12):
        assert [int(np.argmin(F)) for F in _choose_width.free_energies(n, s3)] == [rank, rank]


def test_the_third_mode_pays_for_itself_where_the_lines_step() -> None:
    """n s3^2/2 = (10.5 - 8) log n, and (15 - 10) log n for those who count."""
    (_, x, ours), (_, z, bic), *_ = labelled(CHOICE, 1, s3=0.2)
    for at, steps, cost in ((x, ours, 2.5), (z, bic, 5.0)):
        log_n = at[np.flatnonzero(np.diff(steps) == 1)[-1]]
        n = 10**log_n
        assert n * 0.02 == pytest.approx(cost * np.log(n), rel=0.03)


def test_superfluous_width_is_cheap() -> None:
    for n in (100.0, 1e6):
        exact, counted = _choose_width.free_energies(n, 0.3)
        assert (exact[5] - exact[3]) / np.log(n) == pytest.approx(1.5)
        assert (counted[5] - counted[3]) / np.log(n) == pytest.approx(10)


def test_the_words_of_the_choice() -> None:
    assert CHOICE.drawn()[1] == (
        "The teacher has rank 3. At n = 1000 the free energy prefers h = 3, and BIC h = 2. "
        "Above a width of 3, h = 5 costs 1.5 ln n, by BIC 10 ln n."
    )
    assert "rank 2. At n = 10⁶ the free energy prefers h = 2, and BIC as well." in CHOICE.drawn(n=1e6, s3=0.0)[1]
    assert [y[0] for *_, y in labelled(CHOICE, 1)[2:]] == [3, 2]
