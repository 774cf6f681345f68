"""What each pair contributes to a metric, so that the metric is a mean over pairs.

Tests between methods and the agreement with a printed number are written for such means, and
balanced accuracy is a mean of ratios. So it is linearised: a pair contributes the metric's value,
and the weight of its class times how much its hit is above that class's recall. The mean has the
metric's value and, over cases, its linearised variance (Cochran 1977, Section 11.8). To plain
accuracy a pair contributes its hit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairdx.evaluation.score_intervals import worth_of_average, worth_of_sizes

Array = NDArray[np.float64]
# The metrics that this is known of.
METRICS = ("accuracy", "balanced_accuracy")


def contributions(truth: NDArray[np.int64], hits: Array, metric: str) -> Array:
    """Return what each pair contributes to a metric: float64 [N], whose mean is the metric.

    Args:
        truth: int64 [N], index of the true class.
        hits: float64 [N], 1 where the predicted class is the true one.
        metric: ``accuracy`` or ``balanced_accuracy``.
    """
    if metric == "accuracy":
        return hits
    present, position = np.unique(truth, return_inverse=True)
    sizes = np.bincount(position).astype(np.float64)
    recalls = np.bincount(position, weights=hits) / sizes
    weights = len(truth) / (len(present) * sizes)
    found: Array = recalls.mean() + weights[position] * (hits - recalls[position])
    return found


def worth(truth: NDArray[np.int64], case: NDArray[np.int64], metric: str) -> float:
    """Return of how many independent pairs a metric is if those of one case are always alike."""
    if metric == "accuracy":
        return worth_of_sizes(np.bincount(case).astype(np.float64))
    of_classes = [
        worth_of_sizes(np.bincount(case[truth == one]).astype(np.float64))
        for one in np.unique(truth)
    ]
    return worth_of_average(np.array(of_classes))
