"""Precision, recall and F1 of every class, each with an interval over cases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pairdx.evaluation.intervals import WEIGHTS_PER_CHUNK, case_weights, weighted_confusion
from pairdx.evaluation.predictions import Predictions
from pairdx.evaluation.score_intervals import score_interval, worth_of_sizes

Array = NDArray[np.float64]
SCORES = ("precision", "recall", "f1")
Scores = dict[str, float | None]


def per_class(
    reads: Sequence[Predictions],
    classes: Sequence[str],
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
) -> dict[str, Scores]:
    """Compute precision, recall, F1 and support (number of true pairs) of every class.

    A class absent from the subset has support 0 and no other value. A class that was never
    predicted has no precision; its F1, 2 TP / (2 TP + FP + FN), is 0.

    Args:
        reads: The same pairs as predicted with each seed; values are means over those seeds that
            define them.
        classes: The classes.
        resamples: Number of bootstrap resamples of the cases; with 0 there are no intervals.
        seed: Seed of the resampling.
        level: Coverage of the intervals, which are score intervals (see ``score_intervals``).

    Returns:
        Per class: precision, recall, f1, each also with ``_low`` and ``_high``, and support.
    """
    whole = [_scores_per_class(weighted_confusion(one, np.ones((1, len(one.truth)))))
             for one in reads]  # fmt: skip
    drawn = [_resampled(one, resamples=resamples, seed=seed) for one in reads]
    table: dict[str, Scores] = {}
    for index, name in enumerate(classes):
        support = int((reads[0].truth == index).sum())
        table[name] = {}
        for score in SCORES:
            values = np.array([one[score][0, index] for one in whole])
            defined = values[~np.isnan(values)]
            value = float(defined.mean()) if len(defined) else None
            columns = np.mean([one[score][:, index] for one in drawn], axis=0)
            low, high = score_interval(
                value, columns, level, worth=_worth(reads, index, score), cases=reads[0].cases
            )
            table[name] |= {score: value, f"{score}_low": low, f"{score}_high": high}
        table[name]["support"] = support
    return table


def _worth(reads: Sequence[Predictions], index: int, score: str) -> float:
    """Return what the pairs that a score is over are worth, as a mean over seeds."""
    worths = []
    for read in reads:
        chosen = (read.predicted if score == "precision" else read.truth) == index
        sizes = np.bincount(read.case[chosen], minlength=read.cases)
        worths.append(worth_of_sizes(sizes.astype(np.float64)))
    return float(np.mean(worths))


def _resampled(read: Predictions, *, resamples: int, seed: int) -> dict[str, Array]:
    """Compute the scores in every resample of the cases, float64 [resamples, C] each."""
    rows_at_once = max(1, WEIGHTS_PER_CHUNK // len(read.truth))
    drawn = case_weights(read.cases, resamples=resamples, seed=seed, rows_at_once=rows_at_once)
    parts = [_scores_per_class(weighted_confusion(read, rows[:, read.case])) for rows in drawn]
    if not parts:
        parts = [_scores_per_class(weighted_confusion(read, np.empty((0, len(read.truth)))))]
    return {name: np.concatenate([part[name] for part in parts]) for name in SCORES}


def _scores_per_class(confusion: Array) -> dict[str, Array]:
    """Compute the scores of confusion matrices, float64 [R, C]; NaN where one is undefined."""
    hits = np.diagonal(confusion, axis1=1, axis2=2)
    support, predicted = confusion.sum(axis=2), confusion.sum(axis=1)
    scores = {
        "precision": _share(hits, predicted),
        "recall": _share(hits, support),
        "f1": _share(2 * hits, support + predicted),
    }
    return {name: np.where(support > 0, values, np.nan) for name, values in scores.items()}


def _share(hits: Array, of: Array) -> Array:
    return np.divide(hits, of, out=np.full(hits.shape, np.nan), where=of > 0)
