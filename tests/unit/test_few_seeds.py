"""Numbers of which a few seeds know a part: wrong as seldom as stated, and p as the interval."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import stdtrit

from pairdx.evaluation.agreement import Training, largest_agreement
from pairdx.evaluation.few_seeds import LEAST_P, p_of, reach_of
from pairdx.evaluation.method_tests import Method, method_difference

PAIRS, ACCURACY, POINT = 3400, 0.93, 0.01
OF_PAIRS = ACCURACY * (1 - ACCURACY) / PAIRS
COMPARISONS = 20_000


def reaches(known: float, estimated: np.ndarray, seeds: int, sides: int = 1) -> np.ndarray:
    """The reach of every comparison: squares of ``reach_of`` are linear in its variances.

    Args:
        known: Variance that is known.
        estimated: float64 [R], sum of the variances of ``sides`` systems.
        seeds: Trainings of each.
        sides: Number of systems.
    """
    of_known = reach_of(known, [], 0.95) ** 2
    of_one = reach_of(0.0, [(1.0, seeds - 1)] * sides, 0.95) ** 2 / sides
    return np.sqrt(of_known + of_one * estimated)


def trainings(
    generator: np.random.Generator, seeds: int, spread: float, apart: float
) -> tuple[np.ndarray, np.ndarray]:
    """Means [R] of normally distributed trainings, and their estimated own variance, at least 0.

    Args:
        generator: Source of the draws.
        seeds: Number of trainings.
        spread: Standard deviation of the trainings' own.
        apart: Variance that the choice of pairs adds between trainings.
    """
    drawn = generator.normal(0, (apart + spread**2) ** 0.5, (COMPARISONS, seeds))
    return drawn.mean(axis=1), np.maximum(0, drawn.var(axis=1, ddof=1) - apart)


@pytest.mark.parametrize("points", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("seeds", "most"), [(2, 0.09), (3, 0.056), (5, 0.054)])
def test_a_method_is_called_different_from_a_fixed_one_as_seldom_as_stated(
    seeds: int, most: float, points: float
) -> None:
    """At 0.05, of 20,000: standard error 0.0015. Two seeds are wrong a little more often.

    One Student t with estimated degrees of freedom is wrong in 0.076 at three seeds and 1 point.
    """
    generator, apart = np.random.default_rng(1), 0.1 * OF_PAIRS
    mean, own = trainings(generator, seeds, points * POINT, apart)
    other = generator.normal(0, apart**0.5, COMPARISONS)
    reach = reaches(apart * (1 / seeds + 1), own / seeds, seeds)
    assert 0.025 <= (np.abs(mean - other) > reach).mean() <= most


@pytest.mark.parametrize("points", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_two_methods_with_randomness_are_called_different_more_seldom_than_stated(
    seeds: int, points: float
) -> None:
    """Each system's quantile is its own, as if both were unlucky at once."""
    generator, apart = np.random.default_rng(2), 0.1 * OF_PAIRS
    (first, own), (second, other) = (
        trainings(generator, seeds, points * POINT, apart) for _ in range(2)
    )
    reach = reaches(2 * apart / seeds, (own + other) / seeds, seeds, sides=2)
    assert 0.008 <= (np.abs(first - second) > reach).mean() <= 0.036


@pytest.mark.parametrize("points", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("seeds", "least"), [(2, 0.915), (3, 0.945), (5, 0.95)])
def test_equal_numbers_agree_as_often_as_stated(seeds: int, least: float, points: float) -> None:
    """The mean over seeds against one run of another: 95 of 100, with two seeds 92 to 97."""
    generator, apart = np.random.default_rng(3), 0.3 * OF_PAIRS
    mean, own = trainings(generator, seeds, points * POINT, apart)
    mean = mean + generator.normal(0, (OF_PAIRS - apart) ** 0.5, COMPARISONS)
    run = generator.normal(0, (OF_PAIRS + (points * POINT) ** 2) ** 0.5, COMPARISONS)
    known = 2 * OF_PAIRS - apart + apart / seeds
    reach = reaches(known, (1 / seeds + 1) * own, seeds)
    assert least <= (np.abs(mean - run) <= reach).mean() <= 0.97


@pytest.mark.parametrize("estimated", [[], [(4e-5, 1)], [(1e-6, 2)], [(3e-5, 2), (1e-5, 4)]])
def test_p_is_that_of_the_interval_which_just_reaches_zero(
    estimated: list[tuple[float, int]],
) -> None:
    for level in (0.5, 0.95, 0.999):
        reach = reach_of(2e-5, estimated, level)
        assert p_of(-reach, 2e-5, estimated) == pytest.approx(1 - level, rel=1e-6)
    assert p_of(0.0, 2e-5, estimated) == 1


def test_a_part_alone_has_the_quantile_of_its_law() -> None:
    assert reach_of(4.0, [], 0.95) == pytest.approx(2 * 1.959964)
    assert reach_of(0.0, [(4.0, 2)], 0.95) == pytest.approx(2 * stdtrit(2, 0.975))
    assert p_of(50.0, 1.0, []) == LEAST_P


def test_agreement_and_tests_of_methods_give_each_variance_its_own_quantile() -> None:
    """Three seeds: a squared quantile of 4.30 for their own variance, of 1.96 for all the rest."""
    normal, student = 1.959964**2, stdtrit(2, 0.975) ** 2
    found = largest_agreement(2e-5, [Training(3, 3e-5)], half_step=0.005)
    # The paper's run is one training more: 1/3 + 1 of the variance between them.
    expected = normal * (2e-5 + 0.005**2 / 3) + student * 4e-5
    assert found.within**2 == pytest.approx(expected, rel=1e-5)
    resampled = np.random.default_rng(4).normal(0, 0.003, 400)
    first = Method(0.95, 3, resampled, 1e-5, known=True)
    second = Method(0.93, 1, np.zeros(400), 0.0, known=True)
    difference, low, high, p = method_difference(first, second, np.ones(1000))
    assert difference == pytest.approx(0.02)
    assert low is not None
    assert high is not None
    by_cases = resampled.var(ddof=1) * 1000 / 999 + 2 / 1000**2
    assert (high - low) / 2 == pytest.approx((normal * by_cases + student * 1e-5) ** 0.5, rel=1e-5)
    assert p == pytest.approx(p_of(0.02, by_cases, [(1e-5, 2)]))
