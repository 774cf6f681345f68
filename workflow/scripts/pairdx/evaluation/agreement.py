"""Do a number of ours and a printed one differ by more than chance and rounding explain?

Neither is exact. Both are measured on a choice of test cases: the paper's on as many pairs as it
states, of cases as ours. Trainings differ: ours is a mean over seeds, the paper's one run. And a
printed number was rounded: it lies anywhere within half a step of its last digit. The four are
independent, so their variances add up; what few seeds know of theirs is little, so that part has
Student's quantile (:mod:`pairdx.evaluation.few_seeds`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairdx.evaluation.few_seeds import reach_of
from pairdx.evaluation.score_intervals import (
    effective_pairs,
    normal_quantile,
    pairs_if_cases_agree,
    variance_of_mean,
)

Array = NDArray[np.float64]
LEVEL, POWER = 0.95, 0.80


@dataclass(frozen=True)
class Training:
    """How much one system's trainings differ on the same test pairs.

    Attributes:
        seeds: Number of trainings.
        own: Variance between them, without what the choice of pairs adds; at least 0.
    """

    seeds: int
    own: float


@dataclass(frozen=True)
class Sampling:
    """A share, or a difference of shares, measured on test pairs with one or more trainings.

    Attributes:
        value: Mean over seeds.
        pairs: Number of test pairs.
        ours: Of how many independent pairs the mean over seeds has the variance (a share), or that
            variance itself (a difference).
        one: The same of one training.
        trainings: Of every system that it is about and whose trainings differ; None where a single
            training says nothing about that.
        is_difference: It is a difference of shares.
    """

    value: float
    pairs: int
    ours: float
    one: float
    trainings: tuple[Training | None, ...] = ()
    is_difference: bool = False


@dataclass(frozen=True)
class Agreement:
    """What counts as agreement.

    Attributes:
        within: The largest difference that chance and rounding explain at 95 %.
        found_from: The true difference that would exceed it with a power of 80 %.
    """

    within: float
    found_from: float


def training_of(right: Array, case: NDArray[np.int64], cases: int) -> Training:
    """Measure how much trainings differ in their mean over the same pairs.

    Trainings that are equally good still err on other pairs. The share of this in the variance
    between them is that of the pairs' choice, and is taken out: the mean over pairs has it already.

    Args:
        right: float64 [S, N], of S >= 2 seeds and N pairs.
        case: int64 [N], index of each pair's case.
        cases: Number of cases.
    """
    seeds = len(right)
    between = right.mean(axis=1).var(ddof=1)
    of_pairs = variance_of_mean((right - right.mean(axis=0)).T, case, cases).sum() / (seeds - 1)
    return Training(seeds, max(0.0, float(between - of_pairs)))


def sampled_share(
    right: Array, case: NDArray[np.int64], cases: int, *, random: bool
) -> Sampling | None:
    """Describe a share of test pairs; None with fewer than two cases.

    Args:
        right: float64 [S, N], 1 where a pair counts, with each of S seeds.
        case: int64 [N], index of each pair's case.
        cases: Number of cases.
        random: Whether another seed would give another result.
    """
    if cases < 2:
        return None
    worth = pairs_if_cases_agree(case, cases)
    means = np.array([right.mean(), *right.mean(axis=1)])
    columns = np.vstack([right.mean(axis=0), right])
    effective = effective_pairs(means, variance_of_mean(columns.T, case, cases), worth)
    one = 1 / np.mean(1 / effective[1:])
    trainings = (_training(right, case, cases),) if random else ()
    return Sampling(float(means[0]), right.shape[1], float(effective[0]), float(one), trainings)


def sampled_difference(
    right: Sequence[Array], case: NDArray[np.int64], cases: int, *, random: Sequence[bool]
) -> Sampling | None:
    """Describe how much more pairs one system classifies rightly than another on the same pairs.

    Args:
        right: float64 [S, N] of either system, 1 where a pair is right; S may differ.
        case: int64 [N], index of each pair's case.
        cases: Number of cases.
        random: Whether another seed would give another result, of either.
    """
    if cases < 2:
        return None
    first, second = right
    pairs = first.shape[1]
    of_means = first.mean(axis=0) - second.mean(axis=0)
    count = max(len(first), len(second))
    singles = [first[at % len(first)] - second[at % len(second)] for at in range(count)]
    variances = variance_of_mean(np.array([of_means, *singles]).T, case, cases)
    # Two pairs that differ are added, as for the intervals of differences (``paired``).
    least = 2 / pairs_if_cases_agree(case, cases) ** 2
    trainings = tuple(
        _training(one, case, cases) for one, varies in zip(right, random, strict=True) if varies
    )
    return Sampling(
        float(of_means.mean()),
        pairs,
        float(variances[0] + least),
        float(variances[1:].mean() + least),
        trainings,
        is_difference=True,
    )


def _training(right: Array, case: NDArray[np.int64], cases: int) -> Training | None:
    return training_of(right, case, cases) if len(right) > 1 else None


def agreement(
    found: Sampling, printed: float, *, pairs: float, half_step: float, runs: int = 1
) -> Agreement:
    """Return which differences between ours and the printed number count as agreement.

    A system whose trainings are known from one seed alone counts as if they did not differ.

    Args:
        found: Ours.
        printed: The paper's.
        pairs: Number of the paper's test pairs; cases are taken to be of the same size as ours.
        half_step: Half a step of the last digit that is printed.
        runs: Of how many trainings the paper's number is the mean.
    """
    theirs = found.one * pairs / found.pairs
    if found.is_difference:
        sampling = found.ours + found.one * found.pairs / pairs
    else:
        sampling = pooled_variance(found.value, printed, found.ours, theirs)
    known = [one for one in found.trainings if one is not None]
    return largest_agreement(sampling, known, half_step=half_step, runs=runs)


def pooled_variance(ours: float, printed: float, own: float, theirs: float) -> float:
    """Return the variance of the difference of two shares that are equal in truth.

    One pair of either kind is added, so that a share of 0 or 1 is not taken for certain.

    Args:
        ours: A share over ``own`` independent pairs.
        printed: A share over ``theirs``.
        own: See there.
        theirs: See there.
    """
    share = (own * ours + theirs * printed + 1) / (own + theirs + 2)
    return share * (1 - share) * (1 / own + 1 / theirs)


def largest_agreement(
    sampling: float, trainings: Sequence[Training], *, half_step: float, runs: int = 1
) -> Agreement:
    """Add up the variances of pairs, trainings and rounding, and return what they explain.

    A number rounded to a step of twice ``half_step`` is off by anything up to that, all alike:
    a variance of half_step^2 / 3. The paper's runs count as further seeds of each system.

    Args:
        sampling: Variance of the difference by the choice of test pairs on both sides.
        trainings: Of every system whose trainings differ.
        half_step: Half a step of the last printed digit.
        runs: Of how many trainings the paper's number is the mean.
    """
    known = sampling + half_step**2 / 3
    own = [((1 / one.seeds + 1 / runs) * one.own, one.seeds - 1) for one in trainings]
    within = reach_of(known, own, LEVEL)
    deviation = float(np.sqrt(known + sum(variance for variance, _ in own)))
    # The normal quantile of the power 0.80 is that of a central level of 0.60.
    return Agreement(within, within + normal_quantile(2 * POWER - 1) * deviation)
