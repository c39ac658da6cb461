"""Learning coefficients as fractions: anchors, limits and symmetries; four cases and one rule; half the fibre's codimension."""

from fractions import Fraction
from itertools import combinations, pairwise, permutations, product
from math import comb, log

import numpy as np
import pytest

from dlnlib import network, slt

SMALL = [
    (widths, rank)
    for layers, most in ((1, 4), (2, 4), (3, 3), (4, 2), (5, 2))
    for widths in product(range(1, most + 1), repeat=layers + 1)
    for rank in range(min(widths) + 1)
]


def pair(widths, rank):
    found = slt.learning_coefficient(widths, rank)
    return found.value, found.multiplicity


def random_widths(rng, most=9, layers=6):
    return tuple(int(d) for d in rng.integers(1, most + 1, size=rng.integers(2, layers + 2)))


# -- limits and anchors


@pytest.mark.parametrize(
    ("widths", "by_rank"),
    {
        (1, 1, 1): [("1/2", 2), ("1/2", 1)],
        (2, 1, 2): [("1", 2), ("3/2", 1)],
        (2, 2, 2): [("3/2", 1), ("2", 2), ("2", 1)],
        (3, 2, 3): [("5/2", 1), ("7/2", 2), ("4", 1)],
        (3, 3, 3): [("7/2", 2), ("4", 1), ("9/2", 2), ("9/2", 1)],
        (5, 3, 5): [("13/2", 2), ("8", 1), ("19/2", 2), ("21/2", 1)],
        (5, 5, 5): [("19/2", 2), ("21/2", 1), ("23/2", 2), ("12", 1), ("25/2", 2), ("25/2", 1)],
        (2, 2, 2, 2): [("3/2", 3), ("2", 3), ("2", 1)],
        (3, 3, 3, 3): [("3", 1), ("4", 3), ("9/2", 3), ("9/2", 1)],
        (5, 5, 5, 5): [("17/2", 3), ("10", 3), ("11", 1), ("12", 3), ("25/2", 3), ("25/2", 1)],
        (6, 4, 4, 6): [("15/2", 3), ("10", 3), ("12", 1), ("14", 1), ("16", 1)],
        (4, 4, 4, 4, 4): [("5", 1), ("13/2", 4), ("15/2", 5), ("8", 4), ("8", 1)],
        (5, 1, 5): [("5/2", 2), ("9/2", 1)],
        (10, 10, 10): [("75/2", 1)],
    }.items(),
)
def test_anchors(widths, by_rank):
    for rank, (value, multiplicity) in enumerate(by_rank):
        assert pair(widths, rank) == (Fraction(value), multiplicity)


@pytest.mark.parametrize("layers", range(1, 9))
def test_one_unit_a_layer(layers):
    assert pair((1,) * (layers + 1), 0) == (Fraction(1, 2), layers)
    assert pair((1,) * (layers + 1), 1) == (Fraction(1, 2), 1)


def test_one_layer_is_regular():
    for m, n in product(range(1, 7), repeat=2):
        for rank in range(min(m, n) + 1):
            found = slt.learning_coefficient((m, n), rank)
            assert (found.value, found.multiplicity) == (found.regular, 1) == (Fraction(m * n, 2), 1)


def test_full_rank_is_half_the_dimension_of_the_maps():
    rng = np.random.default_rng(0)
    for _ in range(300):
        widths = random_widths(rng)
        r = min(widths)
        assert pair(widths, r) == (Fraction(r * (widths[0] + widths[-1] - r), 2), 1)


def test_equal_widths_settle_at_the_deep_limit():
    for width, rank in combinations(range(1, 7), 2):
        rank, width = min(rank, width), max(rank, width)
        deep = slt.coefficients_by_depth(width, range(1, 21), rank)
        values = [c.value for c in deep]
        assert values == sorted(values, reverse=True)
        assert set(values[max(width - rank, 1) - 1 :]) == {slt.deep_limit(width, rank)}
        assert all(value > slt.deep_limit(width, rank) for value in values[: width - rank - 1])
    assert slt.deep_limit(4) == 5
    assert slt.deep_limit(3, 3) == Fraction(9, 2)
    assert slt.coefficients_by_depth(2, []) == ()


def test_deep_networks_are_no_slower():
    assert pair((1,) * 20_000, 0) == (Fraction(1, 2), 19_999)
    assert slt.coefficients_by_depth(3, [100_000])[0].value == slt.deep_limit(3)


def test_finite_temperature():
    found = slt.learning_coefficient((2, 2, 2, 2))
    assert slt.finite_temperature(found, 1e6) == pytest.approx(1.5 - 2 / (6 * log(10)), rel=1e-14)
    regular = slt.learning_coefficient((3, 4))
    assert slt.finite_temperature(regular, 2.0) == float(regular) == 6.0


# -- invariants


def test_deficiencies_alone_matter():
    rng = np.random.default_rng(1)
    for _ in range(200):
        widths = random_widths(rng, layers=4)
        rank = int(rng.integers(0, min(widths) + 1))
        value, multiplicity = pair(widths, rank)
        base = Fraction(rank * (widths[0] + widths[-1] - rank), 2)
        slack = tuple(d - rank for d in widths)
        if min(slack) > 0:
            assert (value - base, multiplicity) == pair(slack, 0)
        for order in permutations(range(1, len(widths) - 1)):
            hidden = tuple(widths[i] for i in order)
            assert pair((widths[0], *hidden, widths[-1]), rank) == (value, multiplicity)
            assert pair((widths[-1], *hidden, widths[0]), rank) == (value, multiplicity)


def test_any_permutation_at_rank_zero():
    for widths in ((1, 4, 2), (2, 3, 1, 5), (5, 3, 5, 2, 2)):
        assert len({pair(order, 0) for order in permutations(widths)}) == 1
    assert pair((1, 2, 2), 1) != pair((2, 1, 2), 1)


def test_increasing_and_concave_in_the_rank_and_below_half_the_parameters():
    rng = np.random.default_rng(2)
    for _ in range(2000):
        widths = random_widths(rng)
        found = [slt.learning_coefficient(widths, r) for r in range(min(widths) + 1)]
        steps = [b.value - a.value for a, b in pairwise(found)]
        assert all(step >= 0 for step in steps)
        assert all(a >= b for a, b in pairwise(steps))
        assert found[-1].value <= min(found[-1].regular, Fraction(widths[0] * widths[-1], 2))


def test_one_more_layer_never_costs_more():
    rng = np.random.default_rng(3)
    for _ in range(500):
        widths = random_widths(rng)
        rank = int(rng.integers(0, min(widths) + 1))
        wide = (*widths[:-1], int(rng.integers(rank, 12)) or 1, widths[-1])
        assert slt.learning_coefficient(wide, rank).value <= slt.learning_coefficient(widths, rank).value


def test_the_answer_says_what_it_is_about():
    found = slt.learning_coefficient([5, 3, 5], 1)
    assert (found.widths, found.rank, found.n_parameters, found.regular) == ((5, 3, 5), 1, 30, 15)
    assert found.active == (1, 0, 2)
    assert slt.learning_coefficient((9, 2, 9, 2)).active == (1, 3)
    assert float(found) == 8.0


# -- two roads


def test_four_cases_of_reduced_rank_regression():
    cases = [(w, r) for w in product(range(1, 9), repeat=3) for r in range(min(w) + 1)]
    assert len(cases) == 1808
    for widths, rank in cases:
        assert pair(widths, rank) == slt.reduced_rank_coefficient(widths, rank), (widths, rank)


def test_three_conditions_on_a_set():
    """Aoyagi's definition: max in < min out, sum >= ell max, sum < ell min out; such a set exists, and one answer."""
    rng = np.random.default_rng(4)
    for _ in range(400):
        widths = random_widths(rng, layers=5)
        rank = int(rng.integers(0, min(widths) + 1))
        slack = [d - rank for d in widths]
        sets = []
        for size in range(2, len(widths) + 1):
            for chosen in combinations(range(len(widths)), size):
                inside = [slack[s] for s in chosen]
                outside = [slack[s] for s in range(len(widths)) if s not in chosen]
                least, ell = min(outside, default=float("inf")), size - 1
                if max(inside) < least and sum(inside) >= ell * max(inside) and sum(inside) < ell * least:
                    sets.append(chosen)
        found = slt.learning_coefficient(widths, rank)
        assert [set(s) for s in sets] == [set(found.active)], (widths, rank)
        (chosen,) = sets
        M = [slack[s] for s in chosen]
        ell, S = len(M) - 1, sum(M)
        c = -(-S // ell)
        a = S - (c - 1) * ell
        value = Fraction(rank * (widths[0] + widths[-1]) - rank**2, 2) + Fraction(a * (ell - a), 4 * ell)
        value += -Fraction(ell * (ell - 1), 4) * Fraction(S, ell) ** 2
        value += Fraction(sum(x * y for x, y in combinations(M, 2)), 2)
        assert (found.value, found.multiplicity) == (value, a * (ell - a) + 1)


def test_half_the_codimension_and_the_number_of_largest_pieces():
    assert len(SMALL) == 583
    clash = set()
    for widths, rank in SMALL:
        found, fibre = slt.learning_coefficient(widths, rank), slt.fibre(widths, rank)
        assert 2 * found.value == fibre.codimension, (widths, rank)
        ell = len(found.active) - 1
        total = sum(widths[s] - rank for s in found.active)
        a = total - (-(-total // ell) - 1) * ell
        assert len(fibre.largest) == comb(ell, a), (widths, rank)
        if comb(ell, a) != found.multiplicity:
            clash.add((widths, rank))
    assert ((2, 2, 2, 2, 2), 0) in clash  # six pieces, and a multiplicity of five
    assert len(slt.fibre((2,) * 5).largest) == 6
    assert min(len(widths) for widths, _ in clash) == 5


def test_codimension_by_the_tangent_map():
    """Weights of one pattern are an orbit of the base changes: its dimension is the rank of (X_l) -> X_l W_l - W_l X_{l-1}."""
    for widths, rank in (((2, 2, 2), 0), ((3, 2, 3), 1), ((2, 1, 2, 2), 0), ((2, 2, 2, 2), 1), ((2, 3), 1)):
        for pattern in slt.rank_patterns(widths, rank):
            weights = slt.pattern_weights(pattern)
            columns = []
            for layer, size in enumerate(widths):
                for i, j in product(range(size), repeat=2):
                    X = [np.zeros((d, d)) for d in widths]
                    X[layer][i, j] = 1.0
                    moved = [X[s + 1] @ W - W @ X[s] for s, W in enumerate(weights)]
                    columns.append(np.concatenate([m.ravel() for m in moved]))
            parameters = sum(W.size for W in weights)
            assert slt.pattern_codimension(pattern) == parameters - np.linalg.matrix_rank(np.array(columns))


def test_weights_have_the_ranks_of_their_pattern():
    for widths, rank in SMALL[::40]:
        seen = set()
        for pattern in slt.rank_patterns(widths, rank):
            assert pattern.widths == widths
            weights = slt.pattern_weights(pattern)
            assert network.widths(weights) == widths
            for i, j in combinations(range(len(widths)), 2):
                assert np.linalg.matrix_rank(network.product(weights[i:j])) == pattern.ranks[i, j]
            assert pattern.ranks[0, -1] == rank
            seen.add(pattern.ranks.tobytes())
            assert np.array_equal(slt.Pattern(pattern.ranks).ranks, pattern.ranks)
        assert len(seen) == slt.fibre(widths, rank).n_patterns


def test_patterns_of_random_weights_are_on_the_list():
    rng = np.random.default_rng(5)
    widths = (2, 3, 2, 2)
    listed = {p.ranks.tobytes() for rank in range(3) for p in slt.rank_patterns(widths, rank)}
    for _ in range(200):
        weights = [rng.integers(0, 2, size=(m, n)) * (rng.random((m, n)) < 0.6) for n, m in pairwise(widths)]
        ranks = np.diag(widths)
        for i, j in combinations(range(len(widths)), 2):
            ranks[i, j] = np.linalg.matrix_rank(network.product([W.astype(float) for W in weights[i:j]]))
        assert ranks.astype(np.int64).tobytes() in listed


def test_enumeration_without_chains_that_cannot_end():
    wide = slt.fibre((300, 1, 300), 1)
    assert (wide.codimension, wide.n_patterns) == (599, 1)
    assert slt.fibre((300, 1, 300), 0).n_patterns == 3


# -- mistakes


@pytest.mark.parametrize("function", [slt.learning_coefficient, slt.fibre, slt.rank_patterns])
def test_ranks_and_widths_that_cannot_be(function):
    with pytest.raises(ValueError, match="rank must be at most 2, the smallest of the widths"):
        function((3, 2, 3), 3)
    with pytest.raises(ValueError, match="rank must be at least 0, got -1"):
        function((3, 2, 3), -1)
    with pytest.raises(ValueError, match=r"widths\[1\] must be at least 1"):
        function((3, 0, 3))
    with pytest.raises(ValueError, match="at least the input and the output"):
        function((3,))


def test_large_networks_are_not_enumerated():
    with pytest.raises(ValueError, match="more than 200,000 rank patterns; enumerate smaller"):
        slt.fibre((1000,) * 3)
    with pytest.raises(ValueError, match="more than 200,000 rank patterns"):
        slt.rank_patterns((1,) * 50)
    for widths in ((10**30, 1), (1,) * 51):
        with pytest.raises(ValueError, match="at most 50 widths up to 1000 can be enumerated"):
            slt.rank_patterns(widths)


def test_patterns_that_no_weights_have():
    for ranks in ([[2, 1, 0], [0, 1, 1], [0, 0, 2]], [[1, 2], [0, 3]], [[1, 1], [1, 1]], [[0, 0], [0, 1]]):
        with pytest.raises(ValueError, match="no weights have the ranks"):
            slt.Pattern(np.array(ranks))
    for ranks in ([[1, 0.5], [0, 1]], [[1]], [[1, 0]], [[1e9, 0], [0, 1]]):
        with pytest.raises(ValueError, match="ranks must be a square table of integers"):
            slt.Pattern(np.array(ranks))
    for function in (slt.pattern_codimension, slt.pattern_weights):
        with pytest.raises(ValueError, match="pattern must come from rank_patterns, got ndarray"):
            function(np.eye(2))


def test_coefficient_mistakes():
    with pytest.raises(ValueError, match="one hidden layer"):
        slt.reduced_rank_coefficient((2, 2, 2, 2))
    with pytest.raises(ValueError, match="rank must be at most width = 2"):
        slt.deep_limit(2, 3)
    with pytest.raises(ValueError, match="depths must be a list"):
        slt.coefficients_by_depth(2, 3)
    with pytest.raises(ValueError, match="depths must be at most 100,000"):
        slt.coefficients_by_depth(2, [10**9])
    with pytest.raises(ValueError, match="n_beta must be above 1"):
        slt.finite_temperature(slt.learning_coefficient((2, 2)), 1.0)
    with pytest.raises(ValueError, match="coefficient must come from learning_coefficient, got float"):
        slt.finite_temperature(1.5, 10.0)
    with pytest.raises(ValueError, match="beyond float64"):
        slt.finite_temperature(slt.learning_coefficient((10**200, 10**200)), 10.0)
