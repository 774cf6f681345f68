"""One system trained with several seeds: the mean of every metric, and two kinds of uncertainty.

The spread over seeds says how much training differs from run to run on the same test pairs. The
interval says how much the choice of test cases matters with the trained weights held fixed. Neither
contains the other, so they are never added up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from pairdx.errors import PairDxError
from pairdx.evaluation.scores import defined, metric_interval, read_seeds, resampled, values
from pairdx.tasks.base import Task
from pairdx.tasks.rows import Read

ReadT = TypeVar("ReadT", bound=Read)
WeighedT = TypeVar("WeighedT")


def metrics_over_seeds(
    task: Task[ReadT, WeighedT],
    predictions: Sequence[pd.DataFrame],
    classes: Sequence[str],
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
    subset: str = "test",
) -> dict[str, dict[str, Any]]:
    """Compute mean, spread over seeds and test-set interval of every metric.

    Args:
        task: What the predictions are of.
        predictions: One predictions table per seed, over the same pairs.
        classes: The classes, in the order of the confusion matrix.
        resamples: Number of bootstrap resamples of the cases.
        seed: Seed of the resampling.
        level: Coverage of the interval.
        subset: The subset to evaluate.

    Returns:
        Per metric: seeds (how many), mean, standard_deviation (of a sample: n - 1; None with one
        seed), low, high (of the mean over seeds, all seeds on the same resamples). None where a
        metric is undefined.

    Raises:
        PairDxError: There is no table, or the tables are over different pairs or labels.
    """
    if not predictions:
        raise PairDxError("no predictions were given to average over seeds")
    reads = read_seeds(task, predictions, classes, subset=subset)
    whole = [values(task, one, task.metrics) for one in reads]
    drawn = [resampled(task, one, task.metrics, resamples=resamples, seed=seed) for one in reads]
    result = {}
    for position, metric in enumerate(task.metrics):
        of_seeds = np.array([one[position] for one in whole], dtype=np.float64)
        mean = defined(of_seeds.mean())
        spread = None if mean is None or len(of_seeds) < 2 else float(of_seeds.std(ddof=1))
        means = np.mean([one[position] for one in drawn], axis=0)
        low, high = metric_interval(metric, mean, means, level, reads[0])
        result[metric.name] = {
            "seeds": len(of_seeds),
            "mean": mean,
            "standard_deviation": spread,
            "low": low,
            "high": high,
        }
    return result
