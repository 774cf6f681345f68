"""Accuracies over training seeds and their differences, with bootstrap intervals over cases.

The one metric that most tables need, of single labels (:mod:`pairdx.evaluation.metrics` has all).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pairdx.errors import PairDxError
from pairdx.evaluation.intervals import (
    bootstrap_mean,
    interval_around,
    interval_description,
)
from pairdx.evaluation.paired import bootstrap_paired_differences
from pairdx.evaluation.score_intervals import pairs_if_cases_agree, score_interval
from pairdx.tasks.rows import subset_rows
from pairdx.tasks.single_label.rows import correctness, same_pairs


def accuracy_over_seeds(
    predictions: Sequence[pd.DataFrame],
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
    subset: str = "test",
) -> dict[str, Any]:
    """Compute the mean accuracy of one system over its training seeds.

    The interval is a score interval with the variance of a bootstrap over cases of each pair's mean
    correctness. It describes the choice of test cases with the trained weights held fixed, not the
    spread that more seeds would show.

    Args:
        predictions: One predictions table per seed, over the same pairs.
        resamples: Number of bootstrap resamples of the cases.
        seed: Seed of the resampling.
        level: Coverage of the interval.
        subset: The subset to evaluate.

    Returns:
        value, low, high, seeds (how many), pairs, cases, interval.

    Raises:
        PairDxError: There is no table, or the tables are over different pairs or labels.
    """
    correct, keys = _mean_correctness(predictions, subset)
    case, names = pd.factorize(keys["case_id"], sort=True)
    means = bootstrap_mean(correct, case, len(names), resamples=resamples, seed=seed)
    value = float(correct.mean())
    worth = pairs_if_cases_agree(case, len(names))
    low, high = score_interval(value, means, level, worth=worth, cases=len(names))
    return {
        "value": value,
        "low": low,
        "high": high,
        "seeds": len(predictions),
        "pairs": len(correct),
        "cases": len(names),
        "interval": interval_description(resamples, level, seed),
    }


def accuracy_difference(
    predictions: Sequence[pd.DataFrame],
    reference: Sequence[pd.DataFrame],
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
    subset: str = "test",
) -> dict[str, float | None]:
    """Compute how much higher the mean accuracy over seeds is than the reference's.

    The interval is a bootstrap over cases of each pair's difference in mean correctness: both are
    resampled together, because they answer for the same pairs. Two cases are added, so that it does
    not collapse where hardly a pair differs (see ``bootstrap_paired_differences``).

    Args:
        predictions: One predictions table per seed.
        reference: Likewise, over the same pairs.
        resamples: Number of bootstrap resamples of the cases.
        seed: Seed of the resampling.
        level: Coverage of the interval.
        subset: The subset to evaluate.

    Returns:
        value, low, high.

    Raises:
        PairDxError: There is no table, or the tables are over different pairs or labels.
    """
    correct, keys = _mean_correctness(predictions, subset)
    other, other_keys = _mean_correctness(reference, subset)
    if not keys.equals(other_keys):
        raise PairDxError("two accuracies are to be compared that are over different pairs")
    case, names = pd.factorize(keys["case_id"], sort=True)
    gain = correct - other
    sums = np.bincount(case, weights=gain, minlength=len(names)).astype(np.float64)
    sizes = np.bincount(case, minlength=len(names)).astype(np.float64)
    drawn = bootstrap_paired_differences(sums[:, None], sizes, resamples=resamples, seed=seed)[:, 0]
    low, high = interval_around(float(gain.mean()), drawn, level, len(names))
    return {"value": float(gain.mean()), "low": low, "high": high}


def _mean_correctness(
    predictions: Sequence[pd.DataFrame], subset: str
) -> tuple[NDArray[np.float64], pd.DataFrame]:
    """Return each pair's share of seeds that are right, float64 (N,), and what names the pairs."""
    if not predictions:
        raise PairDxError("no predictions were given to average over seeds")
    tables = same_pairs(predictions, subset, of_what="seeds")
    keys = tables[0][["pair_id", "case_id", "label"]]
    return np.mean([correctness(table) for table in tables], axis=0), keys


def majority_share(predictions: pd.DataFrame, *, subset: str = "test") -> float:
    """Return the share of the subset's most frequent class: the accuracy of a constant guess."""
    return float(subset_rows(predictions, subset)["label"].value_counts(normalize=True).iloc[0])
