"""Do two trained classifiers differ on the same test pairs?

One bootstrap over cases (see ``intervals``) serves all systems: they see the same draws, so their
differences are paired. The weights are taken as they are; ``method_tests`` asks about the methods
behind them, which another seed would train otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest

from pairdx.evaluation.holm import holm
from pairdx.evaluation.intervals import interval_around, sums_per_case
from pairdx.evaluation.paired import bootstrap_paired_differences
from pairdx.tasks.single_label.rows import correctness, same_pairs

Array = NDArray[np.float64]

# A bootstrap p is at least 2 / (resamples + 1), and Holm multiplies the smallest by the number of
# comparisons: with so many resamples each, the corrected p can still fall to 0.01.
RESAMPLES_PER_COMPARISON = 200
TEST_COLUMNS = (
    *("system_a", "system_b", "accuracy_a", "accuracy_b"),
    *("difference", "difference_low", "difference_high", "only_a_right", "only_b_right"),
    *("p_bootstrap", "p_bootstrap_holm", "p_mcnemar", "p_mcnemar_holm"),
    *("pairs", "cases", "resamples"),
)


def pairwise_tests(
    predictions: Mapping[str, pd.DataFrame],
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
    subset: str = "test",
) -> pd.DataFrame:
    """Compare every two trained classifiers on the same pairs.

    The bootstrap draws whole cases, once for all systems, and for each two of them two cases more,
    so that it does not collapse (``bootstrap_paired_differences``). McNemar's test counts every
    pair as independent; it looks only at the pairs that exactly one of the two classifies rightly.
    Holm's correction is over all rows.

    Args:
        predictions: One predictions table per system, all over the same pairs.
        resamples: Least number of bootstrap resamples; more are drawn for many systems, so that
            the corrected p can become small (``resamples_for``).
        seed: Seed of the resampling.
        level: Coverage of the intervals.
        subset: The subset to compare on.

    Returns:
        One row per two systems, in the order given: system_a, system_b, accuracy_a, accuracy_b,
        difference (a minus b), difference_low, difference_high, only_a_right, only_b_right,
        p_bootstrap, p_bootstrap_holm, p_mcnemar, p_mcnemar_holm, pairs, cases, resamples.
        Accuracies are fractions of 1. With a single case interval and p_bootstrap are empty.

    Raises:
        PairDxError: The tables are over different pairs, cases or labels.
    """
    names = list(predictions)
    rows = same_pairs([predictions[name] for name in names], subset, of_what="systems")
    right = np.array([correctness(one) for one in rows])
    sums = sums_per_case(rows[0]["case_id"], np.vstack([right, np.ones(right.shape[1])]).T)
    couples = list(combinations(range(len(names)), 2))
    resamples = resamples_for(len(couples), resamples)
    of_couples = [sums[:, a] - sums[:, b] for a, b in couples]
    gains = np.stack(of_couples, axis=1) if couples else np.empty((len(sums), 0))
    drawn = bootstrap_paired_differences(gains, sums[:, -1], resamples=resamples, seed=seed)
    cases = len(sums)
    conditions = {"pairs": right.shape[1], "cases": cases, "resamples": resamples}
    tests = [
        {
            "system_a": names[a],
            "system_b": names[b],
            **_difference(right[a], right[b], drawn[:, place], level, cases),
            **conditions,
        }
        for place, (a, b) in enumerate(couples)
    ]
    table = pd.DataFrame(tests, columns=TEST_COLUMNS)
    for name in ("p_bootstrap", "p_mcnemar"):
        table[f"{name}_holm"] = holm(table[name].to_numpy(dtype=np.float64))
    return table


def resamples_for(comparisons: int, least: int) -> int:
    """Return how many resamples let the corrected p of so many comparisons fall to 0.01."""
    return max(least, RESAMPLES_PER_COMPARISON * comparisons)


def _difference(
    first: Array, second: Array, resampled: Array, level: float, cases: int
) -> dict[str, float | int | None]:
    only_first, only_second = int((first > second).sum()), int((second > first).sum())
    difference = (only_first - only_second) / len(first)
    low, high = interval_around(difference, resampled, level, cases)
    return {
        "accuracy_a": float(first.mean()),
        "accuracy_b": float(second.mean()),
        "difference": difference,
        "difference_low": low,
        "difference_high": high,
        "only_a_right": only_first,
        "only_b_right": only_second,
        "p_bootstrap": bootstrap_p(resampled) if cases > 1 else None,
        "p_mcnemar": mcnemar_p(only_first, only_second),
    }


def bootstrap_p(differences: Array) -> float:
    """Return the two-sided p of a difference of 0 that belongs to the percentile interval.

    Twice the share of resamples on the rarer side of 0, counting those at 0, and one more resample
    in numerator and denominator so that no p is 0 (Davison and Hinkley 1997, Section 4.2.3).

    Args:
        differences: float64 [R], the difference in every resample.
    """
    rarer = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    return min(1.0, 2 * (rarer + 1) / (len(differences) + 1))


def mcnemar_p(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p of McNemar's test (McNemar 1947).

    Under the hypothesis, each pair that only one system classifies rightly is a fair coin's toss:
    the p is the binomial's, for any number of such pairs, and 1 where there are none.
    """
    discordant = only_first + only_second
    return float(binomtest(only_first, discordant).pvalue) if discordant else 1.0
