"""One system trained with several seeds: the mean of every metric, and two kinds of uncertainty.

The spread over seeds says how much training differs from run to run on the same test pairs. The
interval says how much the choice of test cases matters with the trained weights held fixed. Neither
contains the other, so they are never added up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pairdx.errors import PairDxError
from pairdx.evaluation.calibration import CALIBRATION_BINS
from pairdx.evaluation.intervals import bootstrap_metrics
from pairdx.evaluation.metrics import metric_interval, metric_values, worth_of_metrics
from pairdx.evaluation.predictions import read_predictions, same_pairs


def metrics_over_seeds(
    predictions: Sequence[pd.DataFrame],
    classes: Sequence[str],
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
    subset: str = "test",
    calibration_bins: int = CALIBRATION_BINS,
) -> dict[str, dict[str, Any]]:
    """Compute mean, spread over seeds and test-set interval of every metric.

    Args:
        predictions: One predictions table per seed, over the same pairs.
        classes: The classes, in the order of the confusion matrix.
        resamples: Number of bootstrap resamples of the cases.
        seed: Seed of the resampling.
        level: Coverage of the interval.
        subset: The subset to evaluate.
        calibration_bins: Number of confidence bins of the calibration error.

    Returns:
        Per metric: seeds (how many), mean, standard_deviation (of a sample: n - 1; None with one
        seed), low, high (of the mean over seeds, all seeds on the same resamples). None where a
        metric is undefined.

    Raises:
        PairDxError: There is no table, or the tables are over different pairs or labels.
    """
    if not predictions:
        raise PairDxError("no predictions were given to average over seeds")
    rows = same_pairs(predictions, subset, of_what="seeds")
    reads = [read_predictions(one, classes, subset=subset) for one in rows]
    values = [metric_values(one, calibration_bins=calibration_bins) for one in reads]
    resampled = [
        bootstrap_metrics(one, resamples=resamples, seed=seed, calibration_bins=calibration_bins)
        for one in reads
    ]
    worths = worth_of_metrics(reads[0])
    result = {}
    for name in values[0]:
        of_seeds = np.array([one[name] for one in values], dtype=np.float64)
        mean = None if np.isnan(of_seeds).any() else float(of_seeds.mean())
        spread = None if mean is None or len(of_seeds) < 2 else float(of_seeds.std(ddof=1))
        means = np.mean([one[name] for one in resampled], axis=0)
        low, high = metric_interval(name, mean, means, level, worths, reads[0].cases)
        result[name] = {
            "seeds": len(of_seeds),
            "mean": mean,
            "standard_deviation": spread,
            "low": low,
            "high": high,
        }
    return result
