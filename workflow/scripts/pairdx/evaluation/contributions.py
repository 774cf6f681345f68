"""What each pair contributes to a metric, so that the metric is a mean over pairs.

Tests between methods and the agreement with a printed number are written for such means, and
balanced accuracy is a mean of ratios. So it is linearised: a pair contributes the metric's value,
and the weight of its class times how much its hit is above that class's recall. The mean has the
metric's value and, over cases, its linearised variance (Cochran 1977, Section 11.8). To plain
accuracy a pair contributes its hit.

An area under the ROC curve is a mean over couples of a positive and a negative. A pair contributes
by its placement, the share of the other kind that it is on the right side of (DeLong et al. 1988;
over clusters of pairs Obuchowski 1997), and to the mean over classes the mean of that.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pairdx.evaluation.score_intervals import worth_of_average, worth_of_sizes

Array = NDArray[np.float64]
# The metrics that this is known of.
OF_HITS = ("accuracy", "balanced_accuracy")
OF_RANKS = "macro_auroc"
METRICS = (*OF_HITS, OF_RANKS)


def contributed(read: Any, metric: str) -> Array:
    """Return what each pair of a subset contributes to a metric: float64 [N].

    Args:
        read: What the rows of a task gave; of one label per pair or of several.
        metric: One of :data:`METRICS`.
    """
    if metric == OF_RANKS:
        return ranked_contributions(positives(read), read.probabilities)
    return contributions(read.truth, read.correct, metric)


def positives(read: Any) -> Array:
    """Return of which classes each pair is: float64 [N, C], 1, 0, or NaN where it is not known."""
    if read.truth.ndim == 2:
        return np.asarray(read.truth, dtype=np.float64)
    return np.asarray(np.eye(read.probabilities.shape[1])[read.truth])


def ranked_contributions(positive: Array, scores: Array) -> Array:
    """Return what each pair contributes to the mean area under the ROC curve: float64 [N].

    Classes without positives or without negatives do not count; NaN where none is left.

    Args:
        positive: float64 [N, C]: 1, 0, or NaN for a pair that does not count for a class.
        scores: float64 [N, C].
    """
    found = []
    for truth, score in zip(positive.T, scores.T, strict=True):
        up, down = truth == 1, truth == 0
        if not up.any() or not down.any():
            continue
        known = up | down
        ranks = np.zeros(len(truth))
        ranks[known] = _ranks(score[known])
        placed = np.zeros(len(truth))
        placed[up] = (ranks[up] - _ranks(score[up])) / down.sum()
        placed[down] = 1 - (ranks[down] - _ranks(score[down])) / up.sum()
        area = placed[up].mean()
        sizes = np.where(up, up.sum(), down.sum())
        found.append(area + np.where(known, len(truth) / sizes * (placed - area), 0.0))
    return np.mean(found, axis=0) if found else np.full(len(positive), np.nan)


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


def _ranks(scores: Array) -> Array:
    """Number scores from 1, the lowest; those that are alike share the mean of theirs."""
    return np.asarray(pd.Series(scores).rank(), dtype=np.float64)


def worth(truth: NDArray[np.int64], case: NDArray[np.int64], metric: str) -> float:
    """Return of how many independent pairs a metric is if those of one case are always alike."""
    if metric == "accuracy":
        return worth_of_sizes(np.bincount(case).astype(np.float64))
    of_classes = [
        worth_of_sizes(np.bincount(case[truth == one]).astype(np.float64))
        for one in np.unique(truth)
    ]
    return worth_of_average(np.array(of_classes))
