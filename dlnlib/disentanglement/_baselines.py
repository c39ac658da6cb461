"""What scores are worth: their values for a hidden layer that is rotated at random."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from dlnlib._linalg import orthonormal
from dlnlib._validate import Array, as_array, as_count, as_rng
from dlnlib.disentanglement._scale import to_unit
from dlnlib.disentanglement._scores import correlations, matching_score

__all__ = [
    "RotationTest",
    "matching_cdf",
    "matching_density",
    "neuron_score",
    "random_entropy_score",
    "random_matching_score",
    "random_rotations",
    "rotation_test",
    "row_maximum",
]

ROOT2, ROOT3 = np.sqrt(2.0), np.sqrt(3.0)
STEP = ROOT2 - 1  # tan(pi/8), the distance of the cube's faces in the fundamental zone
LARGEST_ANGLE = float(np.arccos((2 * ROOT2 - 1) / 4))  # 62.8 degrees


def random_rotations(k: int, draws: int, *, rng: np.random.Generator) -> Array:
    """Return orthogonal matrices (draws, k, k) from the uniform (Haar) distribution on O(k)."""
    size, many = as_count("k", k), as_count("draws", draws)
    return orthonormal(size, size, as_rng(rng), (many,))


def random_matching_score(k: int) -> float:
    """Return the mean matching score of a uniformly random rotation of k = 1, 2 or 3 factors.

    2 sqrt(2)/pi = 0.9003 for k = 2 (`eq-score-two`); 24 (3 sqrt(2) - 1) arccos((1 + 2 sqrt(2))/4) / (pi^2 sqrt(5 + 2 sqrt(2)))
    = 0.8284 for k = 3 (`eq-score-three`). No closed form is known to us beyond; average `matching_score` over
    `random_rotations` there, or bound it by `row_maximum`.
    """
    size = as_count("k", k)
    if size > 3:
        raise ValueError(f"a closed form is known for k up to 3, got {size}; draw with random_rotations instead")
    two = 2 * ROOT2 / np.pi
    three = 24 * (3 * ROOT2 - 1) * np.arccos((1 + 2 * ROOT2) / 4) / (np.pi**2 * np.sqrt(5 + 2 * ROOT2))
    return float((1.0, two, three)[size - 1])


def matching_density(score: ArrayLike, k: int) -> Array:
    """Return the density of the matching score of a random rotation of k = 2 or 3 factors, (...), zero outside its support.

    k = 2: 4/(pi sqrt(1 - m^2)) on [1/sqrt(2), 1). k = 3: with cos(angle) = (3m - 1)/2 the law of the angle between two
    randomly oriented cubes (Mackenzie 1958; Handscomb 1958), on [0.638, 1]. It diverges at 1 only for k = 2, where the
    value at m = 1 itself is refused.
    """
    m, size = as_array("score", score), _two_or_three(k)
    if size == 2:
        if np.any(m == 1):
            raise ValueError("the density for two factors is infinite at a score of 1; use matching_cdf")
        inside = (m >= 1 / ROOT2) & (m < 1)
        return np.where(inside, 4 / np.pi / np.sqrt(1 - np.where(inside, m, 0.0) ** 2), 0.0)
    angle = _angle(m)
    inside = (m <= 1) & (angle <= LARGEST_ANGLE)
    safe = np.where(inside & (angle > 0), angle, 0.5)
    # dm = 2/3 sin(angle) d(angle), and (1 - cos)/sin = tan(angle/2).
    value = 36 / np.pi * np.tan(safe / 2) * _free_share(np.tan(safe / 2))
    return np.where(inside & (angle > 0), value, 0.0)


def matching_cdf(score: ArrayLike, k: int) -> Array:
    """Return the probability that a random rotation of k = 2 or 3 factors has at most this matching score, (...).

    k = 2: 1 - 4/pi arccos(m). k = 3: `matching_density` integrated by Gauss-Legendre rules between its kinks, to 1e-12.
    """
    m, size = as_array("score", score), _two_or_three(k)
    if size == 2:
        return 1 - 4 / np.pi * np.arccos(np.clip(m, 1 / ROOT2, 1.0))
    angle = np.clip(_angle(m), 0.0, LARGEST_ANGLE)
    nodes, weights = np.polynomial.legendre.leggauss(40)
    kinks = np.array([0.0, np.pi / 4, np.pi / 3, 2 * np.arctan(STEP * ROOT2), LARGEST_ANGLE])
    below = np.zeros(angle.shape)
    for low, high in pairwise(kinks):
        end = np.clip(angle, low, high)
        # The cubic smooths the square roots with which the last two pieces begin and end.
        u = (nodes + 1) / 2
        x = low + (end[..., None] - low) * u**2 * (3 - 2 * u)
        slope = 6 * u * (1 - u)
        values = 24 / np.pi * (1 - np.cos(x)) * _free_share(np.tan(x / 2))
        below += (end - low) * ((values * slope) @ (weights / 2))
    return 1 - below


def _angle(score: Array) -> Array:
    """Return the angle of the rotations with this score, cos(angle) = (3m - 1)/2; scores beyond the ends count as the ends."""
    return np.arccos(np.clip((3 * np.clip(score, -1.0, 1.0) - 1) / 2, -1.0, 1.0))


def _free_share(radius: Array) -> Array:
    """Return the share of a sphere of this radius inside the truncated cube |r_i| <= sqrt(2) - 1, sum |r_i| <= 1.

    Rotations by an angle about an axis, written as tan(angle/2) times the axis, whose nearest symmetry of the cube is the
    identity. Six caps are cut off by the faces of the cube, eight by its corners, and pairs of caps overlap from
    radius 2 - sqrt(2) on, along each of the cube's edges twelve lenses, and twenty-four where corners meet faces.
    """
    r = np.maximum(radius, 1e-300)
    face, corner = np.minimum(STEP / r, 1.0), np.minimum(1 / (ROOT3 * r), 1.0)
    share = 1 - 3 * (1 - face) - 4 * (1 - corner)
    lenses = 12 * _lens(face, face, 0.0) + 24 * _lens(face, corner, 1 / ROOT3)
    return np.clip(share + lenses, 0.0, 1.0)


def _lens(a: Array, b: Array, cosine: float) -> Array:
    """Return the share of the unit sphere where x.n >= a and x.m >= b, for n.m = cosine; 0 where the caps do not meet."""
    sine = np.sqrt(1 - cosine**2)
    # Distance from the centre of the line in which the two planes meet; the caps overlap where it is below one.
    meet = (a**2 + b**2 - 2 * a * b * cosine) / sine**2
    both = meet < 1
    a0, b0 = np.where(both, a, 0.1), np.where(both, b, 0.1)
    ra, rb = np.sqrt(1 - a0**2), np.sqrt(1 - b0**2)
    # Gauss-Bonnet for the region bounded by two arcs of small circles.
    alpha = np.arccos(np.clip((b0 - a0 * cosine) / (ra * sine), -1.0, 1.0))
    beta = np.arccos(np.clip((a0 - b0 * cosine) / (rb * sine), -1.0, 1.0))
    corner = np.arccos(np.clip((a0 * b0 - cosine) / (ra * rb), -1.0, 1.0))
    area = 2 * corner - 2 * alpha * a0 - 2 * beta * b0
    return np.where(both, np.maximum(area, 0.0) / (4 * np.pi), 0.0)


def row_maximum(k: int) -> float:
    """Return E max_j |u_j| of a uniformly random unit vector u in R^k, an upper bound of the mean matching score.

    The score lets every factor have its best neuron only if no two factors want the same one. Integrated to 1e-10.
    """
    from scipy.integrate import quad
    from scipy.special import erf, gammaln

    size = as_count("k", k)
    # A Gaussian vector is its length times u, independent of each other.
    top = quad(lambda x: 1 - erf(x / ROOT2) ** size, 0, 12, epsabs=1e-13, epsrel=1e-12, limit=200)[0]
    length = ROOT2 * np.exp(gammaln((size + 1) / 2) - gammaln(size / 2))
    return float(top / length)


def random_entropy_score(k: int) -> float:
    """Return the mean entropy score of a random rotation, 1 - (psi(k/2 + 1) - psi(3/2))/ln k (`eq-entropy-baseline`).

    k : at least 2. Each row of the rotation is uniform on the sphere, and its squares are Beta(1/2, (k-1)/2).
    """
    from scipy.special import digamma

    size = as_count("k", k, minimum=2)
    return float(1 - (digamma(size / 2 + 1) - digamma(1.5)) / np.log(size))


def neuron_score(ratio: ArrayLike) -> Array:
    """Return the mean matching score of two balanced neurons that hold two factors of strengths s1 >= s2 (`eq-score-two`).

    ratio : s2/s1, (...), from 0 to 1. With a = sqrt(ratio) and b = sqrt(1 - ratio) it is
    (2/pi) (arcsin(b/sqrt(2)) + a arcsinh(b/(sqrt(2) a)))/b: 2 sqrt(2)/pi for equal strengths, 1/2 for ratio 0.
    Exact for W_1 = R sqrt(S) V^T with R uniform on O(2) and factors along V.
    """
    share = as_array("ratio", ratio)
    if np.any((share < 0) | (share > 1)):
        raise ValueError(f"ratio is s2/s1 of s1 >= s2, from 0 to 1; got values from {share.min():g} to {share.max():g}")
    a, b = np.sqrt(share), np.sqrt(1 - share)
    small, zero = b < 1e-4, a == 0
    b0, a0 = np.where(small, 0.5, b), np.where(zero, 0.5, a)
    weak = np.where(zero, 0.0, a0 * np.arcsinh(b0 / (ROOT2 * a0)))
    # Near equal strengths the terms in b^2 of both functions cancel.
    return np.where(small, 2 * ROOT2 / np.pi, 2 / np.pi * (np.arcsin(b0 / ROOT2) + weak) / b0)


@dataclass(frozen=True, eq=False)
class RotationTest:
    """A score beside those of randomly rotated copies of the same hidden layer.

    score : (...). baseline : (draws, ...). p_value : (...), share of copies, the network included, that score as high.
    """

    score: Array
    baseline: Array
    p_value: Array


def rotation_test(
    readout: ArrayLike,
    loadings: ArrayLike,
    xx: ArrayLike | None = None,
    *,
    draws: int,
    rng: np.random.Generator,
    score: Callable[[Array], Array] = matching_score,
) -> RotationTest:
    """Test whether neurons follow factors better than a random rotation of the same hidden layer (`eq-rotation-test`).

    readout, loadings, xx : as in `correlations`. draws : rotated copies. score : correlations (..., h, k) -> (...).
    The p-value is exact, whatever the strengths, the start's scale and the training time, for any training that treats
    all orthonormal bases of the hidden layer alike: P(p <= m/(draws + 1)) = m/(draws + 1) up to ties.
    """
    rows, many, generator = as_array("readout", readout), as_count("draws", draws), as_rng(rng)
    if not callable(score):
        raise ValueError(f"score must be a function of correlations, such as matching_score, got {score!r}")
    own = _as_scores(score(correlations(rows, loadings, xx)), rows.shape[:-2])
    h = rows.shape[-2]
    Q = orthonormal(h, h, generator, (many, *rows.shape[:-2]))
    baseline = _as_scores(score(correlations(Q @ to_unit(rows, (-2, -1)), loadings, xx)), (many, *rows.shape[:-2]))
    return RotationTest(own, baseline, (1 + np.sum(baseline >= own, axis=0)) / (many + 1))


def _as_scores(value: ArrayLike, shape: tuple[int, ...]) -> Array:
    found = as_array("what score returns", value)
    if found.shape != shape:
        raise ValueError(f"score must return one number for each matrix of correlations, shape {shape}, got {found.shape}")
    return found[()]


def _two_or_three(k: int) -> int:
    size = as_count("k", k)
    if size not in (2, 3):
        raise ValueError(f"the law of the score is known for k = 2 and 3, got {size}; draw with random_rotations instead")
    return size
