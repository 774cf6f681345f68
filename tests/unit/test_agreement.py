"""Verdicts on two numbers: how often equal ones agree, and how often different ones do not."""

from __future__ import annotations

import numpy as np
import pytest

from pairdx.evaluation.agreement import (
    Sampling,
    Training,
    agreement,
    largest_agreement,
    sampled_difference,
    sampled_share,
    training_of,
)

PAIRS = 3400  # the paper's test pairs
CASE = np.arange(PAIRS)
RUNS = 300


def trained(
    accuracies: np.ndarray, generator: np.random.Generator, alike: float = 0.7, per_case: int = 1
) -> np.ndarray:
    """What systems of these accuracies classify rightly on one test set, [S, N].

    Args:
        accuracies: One per training.
        generator: Source of the pairs.
        alike: Share of the pairs whose difficulty is the pair's own, and not the training's.
        per_case: Pairs of a case, which are equally difficult.
    """
    difficulty = generator.random(PAIRS // per_case).repeat(per_case)
    own = generator.random((len(accuracies), PAIRS // per_case)).repeat(per_case, axis=1)
    fixed = generator.random(PAIRS // per_case).repeat(per_case) < alike
    return (np.where(fixed, difficulty, own) < accuracies[:, None]).astype(float)


def agrees(
    generator: np.random.Generator, *, spread: float, apart: float = 0.0, per_case: int = 1
) -> tuple[bool, float]:
    """One comparison of three seeds with a paper's single run, printed as whole percents.

    Returns:
        Whether they agree, and the true difference that is said to be found in 80 %.
    """
    accuracies = 0.93 + spread * generator.standard_normal(3)
    case = CASE // per_case
    right = trained(accuracies, generator, per_case=per_case)
    found = sampled_share(right, case, PAIRS // per_case, random=True)
    assert found is not None
    theirs = np.array([0.93 - apart + spread * generator.standard_normal()])
    printed = round(float(trained(theirs, generator, per_case=per_case).mean()), 2)
    allowed = agreement(found, printed, pairs=PAIRS, half_step=0.005)
    return abs(found.value - printed) <= allowed.within, allowed.found_from


@pytest.mark.parametrize(("spread", "per_case"), [(0.0, 1), (0.005, 1), (0.0, 4)])
def test_equal_accuracies_agree_in_95_of_100_comparisons(spread: float, per_case: int) -> None:
    """Whether trainings differ or not, and where pairs come in cases: 92 to 99 % of 300."""
    generator = np.random.default_rng(1)
    found = [agrees(generator, spread=spread, per_case=per_case)[0] for _ in range(RUNS)]
    assert 0.92 <= np.mean(found) <= 0.99


@pytest.mark.parametrize("spread", [0.0, 0.005])
def test_the_difference_that_is_said_to_be_found_is(spread: float) -> None:
    """With its stated power of 80 %, give or take 10 points of a share of 300."""
    generator = np.random.default_rng(2)
    apart = float(np.mean([agrees(generator, spread=spread)[1] for _ in range(60)]))
    assert 0.015 < apart < 0.035
    missed = [agrees(generator, spread=spread, apart=apart)[0] for _ in range(RUNS)]
    assert 0.1 <= np.mean(missed) <= 0.3


def test_equal_gains_agree_in_95_of_100_comparisons() -> None:
    """Two systems on common pairs, three seeds each, against the paper's two runs on its pairs."""
    generator = np.random.default_rng(3)
    found = []
    for _ in range(RUNS):
        spread = 0.005 * generator.standard_normal((2, 4))
        difficulty = 0.9 * generator.random(PAIRS) + 0.1 * generator.random(PAIRS)
        both = [(difficulty < 0.93 + one[:, None]) * 1.0 for one in spread[:1, :3]]
        both += [(difficulty**2 < 0.40 + one[:, None]) * 1.0 for one in spread[1:, :3]]
        gain = sampled_difference(both, CASE, PAIRS, random=(True, True))
        assert gain is not None
        other = 0.9 * generator.random(PAIRS) + 0.1 * generator.random(PAIRS)
        theirs = (other < 0.93 + spread[0, 3]).mean() - (other**2 < 0.40 + spread[1, 3]).mean()
        printed = round(float(theirs), 2)
        allowed = agreement(gain, printed, pairs=PAIRS, half_step=0.005)
        found.append(abs(gain.value - printed) <= allowed.within)
    assert 0.92 <= np.mean(found) <= 0.99


def test_trainings_that_differ_only_in_their_pairs_have_no_spread_of_their_own() -> None:
    """Twenty trainings of one accuracy, independent of each other: all is the pairs' doing."""
    generator = np.random.default_rng(4)
    same = training_of(trained(np.full(20, 0.9), generator, alike=0.0), CASE, PAIRS)
    # Half of the variance that independent pairs give a mean at most.
    assert same.own < 0.5 * 0.09 / PAIRS
    spread = np.linspace(0.85, 0.95, 20)
    other = training_of(trained(spread, generator), CASE, PAIRS)
    assert other.own == pytest.approx(spread.var(ddof=1), rel=0.15)


def test_every_source_of_doubt_widens_what_agrees() -> None:
    plain = Sampling(0.93, PAIRS, ours=3400, one=3400)

    def within(found: Sampling, pairs: float = PAIRS, half_step: float = 0.0) -> float:
        return agreement(found, 0.93, pairs=pairs, half_step=half_step).within

    alone = within(plain)
    # sqrt(0.93 x 0.07 x 2 / 3400) x 1.96, with one pair of either kind added.
    assert alone == pytest.approx(0.01213, abs=2e-5)
    assert within(plain, half_step=0.005) > alone
    assert within(plain, pairs=PAIRS / 6) > 1.5 * alone
    assert within(Sampling(0.93, PAIRS, ours=1000, one=1000)) > 1.5 * alone
    generator = np.random.default_rng(5)
    seeds = trained(0.93 + np.array([-0.01, 0.0, 0.01]), generator)
    varied = sampled_share(seeds, CASE, PAIRS, random=True)
    assert varied is not None
    assert within(varied) > 2 * alone
    fixed = sampled_share(seeds, CASE, PAIRS, random=False)
    assert fixed is not None
    assert within(fixed) < 1.05 * alone


def test_a_share_of_all_or_nothing_is_not_taken_for_certain() -> None:
    found = sampled_share(np.ones((1, 60)), np.arange(60) // 3, 20, random=False)
    assert found is not None
    assert agreement(found, 1.0, pairs=PAIRS, half_step=0.0).within > 0.01
    assert sampled_share(np.ones((1, 3)), np.zeros(3, dtype=int), 1, random=False) is None
    nothing = largest_agreement(0.0, [], half_step=0.5)
    assert nothing.within == pytest.approx(1.96 * 0.5 / 3**0.5, abs=1e-3)


def test_a_mean_over_runs_is_as_many_seeds_of_the_papers() -> None:
    """By hand: two seeds with a spread of 0.01 of their own; one run adds as much, four a quarter.

    Student's quantile of one degree of freedom is 12.7062.
    """
    training = Training(seeds=2, own=1e-4)
    for runs in (1, 4):
        found = largest_agreement(0.0, [training], half_step=0.0, runs=runs)
        assert found.within == pytest.approx(12.7062 * np.sqrt(1e-4 * (1 / 2 + 1 / runs)), rel=1e-4)
