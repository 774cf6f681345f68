"""Do two methods differ, whatever seed they are trained with?

A test of two trained classifiers takes their weights as they are: with another seed either would be
another classifier. Where trainings differ by a standard deviation of half a point, such a test at
0.05 calls a third of equally good methods different. Here the cases of the test set are resampled,
and what the trainings of each system differ by beyond their pairs is a variance more. Few seeds
know little of it (:mod:`pairdx.evaluation.few_seeds`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pairdx.evaluation.agreement import training_of
from pairdx.evaluation.few_seeds import p_of, reach_of
from pairdx.evaluation.holm import holm
from pairdx.evaluation.intervals import bootstrap_ratios
from pairdx.evaluation.score_intervals import worth_of_sizes
from pairdx.tasks.single_label.rows import correctness, same_pairs

Array = NDArray[np.float64]
METHOD_COLUMNS = (
    *("seeds_a", "seeds_b", "method_difference", "method_difference_low"),
    *("method_difference_high", "p_method"),
)
# The same of two trained classifiers: systems without randomness are no more than these.
CLASSIFIER_COLUMNS = ("difference", "difference_low", "difference_high", "p_bootstrap")


@dataclass(frozen=True)
class Method:
    """What is known of a system over its trainings.

    Attributes:
        accuracy: Mean over seeds; of another metric, where pairs contribute to that
            (:mod:`pairdx.evaluation.contributions`).
        seeds: Number of trainings.
        resampled: float64 [R], the mean over seeds on the drawn cases.
        variance: Of the mean, by what trainings differ beyond their pairs; 0 without randomness.
        known: Whether its trainings are enough to speak of the method: two, or no randomness.
    """

    accuracy: float
    seeds: int
    resampled: Array
    variance: float
    known: bool


def methods_of(
    right: Sequence[Array],
    random: Sequence[bool],
    case: NDArray[np.int64],
    cases: int,
    *,
    resamples: int,
    seed: int,
) -> list[Method]:
    """Resample systems, all on the same draws of cases, and measure how their trainings differ.

    Args:
        right: Of every system, float64 [S, N]: 1 where a training classifies a pair rightly.
        random: Of every system, whether another seed would give another result.
        case: int64 [N], index of each pair's case.
        cases: Number of cases.
        resamples: Number of resamples.
        seed: Seed of the draws.
    """
    stacked = np.vstack(right)
    sums = np.zeros((cases, len(stacked)))
    np.add.at(sums, case, stacked.T)
    sizes = np.bincount(case, minlength=cases).astype(np.float64)[:, None]
    accuracies = bootstrap_ratios(sums, sizes, resamples=resamples, seed=seed)
    methods, first = [], 0
    for trainings, varies in zip(right, random, strict=True):
        seeds = len(trainings)
        mean = accuracies[:, first : first + seeds].mean(axis=1)
        first += seeds
        several = varies and seeds > 1
        spread = training_of(trainings, case, cases).own / seeds if several else 0.0
        known = seeds > 1 or not varies
        methods.append(Method(float(trainings.mean()), seeds, mean, spread, known))
    return methods


def method_difference(
    first: Method,
    second: Method,
    sizes: Array,
    *,
    level: float = 0.95,
    worth: float | None = None,
) -> tuple[float | None, float | None, float | None, float | None]:
    """Compare two methods: difference of mean accuracies, its interval, and the p of none.

    Args:
        first: One method.
        second: Another, resampled with it.
        sizes: float64 [cases], number of pairs of each case.
        level: Coverage of the interval.
        worth: Of how many independent pairs the metric is if those of one case are always alike;
            None: of accuracy, which ``sizes`` tell.

    Returns:
        difference, low, high, p; all None where one of the two has randomness and a single seed,
        or there is a single case.
    """
    cases = len(sizes)
    if not (first.known and second.known) or cases < 2:
        return None, None, None, None
    difference = first.accuracy - second.accuracy
    drawn = first.resampled - second.resampled
    # Two pairs that differ are added, as for other differences (see ``paired``).
    least = worth_of_sizes(sizes) if worth is None else worth
    by_cases = float(drawn.var(ddof=1)) * cases / (cases - 1) + 2 / least**2
    own = [(one.variance, one.seeds - 1) for one in (first, second) if one.variance > 0]
    reach = reach_of(by_cases, own, level)
    return difference, difference - reach, difference + reach, p_of(difference, by_cases, own)


def add_method_tests(
    tests: pd.DataFrame,
    predictions: Mapping[str, Sequence[pd.DataFrame]],
    random: Mapping[str, bool],
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
    subset: str = "test",
) -> pd.DataFrame:
    """Add to the tests of trained classifiers those of the methods, with all their seeds.

    Args:
        tests: What ``pairwise_tests`` returned for one seed of each.
        predictions: Per system, one predictions table per seed, all over the same pairs, in the
            same order.
        random: Per system, whether another seed would give another result.
        resamples: Number of resamples of cases.
        seed: Seed of the resampling.
        level: Coverage of the intervals.
        subset: The subset to compare on.

    Returns:
        The tests, with seeds_a, seeds_b, method_difference (mean accuracy over seeds of a minus
        that of b), method_difference_low, method_difference_high, p_method, p_method_holm
        (corrected for all rows that have one). Fractions of 1; empty but for the seeds where one of
        the two has randomness and was trained once. Where neither has, all are the classifiers',
        the corrected p too: one question has one answer.

    Raises:
        PairDxError: The tables are over different pairs, cases or labels.
    """
    names = list(predictions)
    tables = [table for name in names for table in predictions[name]]
    rows = same_pairs(tables, subset, of_what="systems")
    hits = iter([correctness(one) for one in rows])
    right = [np.array([next(hits) for _ in predictions[name]]) for name in names]
    case, cases = pd.factorize(rows[0]["case_id"], sort=True)
    varies = [random[name] for name in names]
    how = {"resamples": resamples, "seed": seed}
    methods = methods_of(right, varies, case.astype(np.int64), len(cases), **how)
    sizes = np.bincount(case).astype(np.float64)
    found = [
        (one.seeds, other.seeds, *method_difference(one, other, sizes, level=level))
        for one, other in combinations(methods, 2)
    ]
    table = pd.DataFrame(found, columns=list(METHOD_COLUMNS))
    table = table.astype(dict.fromkeys(METHOD_COLUMNS[2:], "float64"))
    fixed = [not (one or other) for one, other in combinations(varies, 2)]
    for name, same in zip(METHOD_COLUMNS[2:], CLASSIFIER_COLUMNS, strict=True):
        table.loc[fixed, name] = tests.loc[fixed, same].astype("float64")
    table["p_method_holm"] = holm(table["p_method"].to_numpy(dtype=np.float64))
    table.loc[fixed, "p_method_holm"] = tests.loc[fixed, "p_bootstrap_holm"].astype("float64")
    return pd.concat([tests, table], axis=1)
