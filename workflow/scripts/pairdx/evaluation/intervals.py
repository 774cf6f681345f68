"""Bootstrap over cases, for all resamples at once, and percentile intervals.

Pairs of one case (sub-figures of a figure, figures of a patient) are not independent, so whole
cases are drawn with replacement. A resample is a row of weights: how often each pair was drawn.
Every metric is then a weighted sum, and a thousand resamples are a few matrix products instead of a
loop. Shares take their intervals from :mod:`pairdx.evaluation.score_intervals`, because percentiles
collapse near 0 and 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pairdx.errors import PairDxError
from pairdx.evaluation.predictions import Predictions
from pairdx.evaluation.score_intervals import METHOD

Array = NDArray[np.float64]

# Weights of a chunk of resamples, 8 bytes each: 8 MiB, which stays near the processor's caches.
WEIGHTS_PER_CHUNK = 1 << 20


def case_weights(
    cases: int, *, resamples: int, seed: int, rows_at_once: int | None = None
) -> Iterator[Array]:
    """Draw ``cases`` cases with replacement, ``resamples`` times.

    Args:
        cases: Number of cases.
        resamples: Number of resamples.
        seed: Seed of the draws; the draws do not depend on ``rows_at_once``.
        rows_at_once: Resamples per chunk.

    Yields:
        float64 [r, cases]: how often each case was drawn in each of the next r resamples.
    """
    generator = np.random.default_rng(seed)
    rows_at_once = rows_at_once or max(1, WEIGHTS_PER_CHUNK // cases)
    for first in range(0, resamples, rows_at_once):
        rows = min(rows_at_once, resamples - first)
        drawn = generator.integers(0, cases, size=(rows, cases))
        drawn += np.arange(rows)[:, None] * cases
        counts = np.bincount(drawn.ravel(), minlength=rows * cases)
        yield counts.reshape(rows, cases).astype(np.float64)


def bootstrap_metrics(
    read: Predictions, *, resamples: int, seed: int, calibration_bins: int
) -> dict[str, Array]:
    """Compute every metric of every resample.

    Returns:
        float64 [resamples] per metric; NaN where the metric is undefined on that resample.
    """
    parts = [
        weighted_metrics(read, weights[:, read.case], calibration_bins=calibration_bins)
        for weights in case_weights(
            read.cases,
            resamples=resamples,
            seed=seed,
            rows_at_once=max(1, WEIGHTS_PER_CHUNK // len(read.truth)),
        )
    ]
    if not parts:
        parts = [weighted_metrics(read, np.empty((0, len(read.truth))), calibration_bins=1)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def bootstrap_mean(
    values: Array, case: NDArray[np.int64], cases: int, *, resamples: int, seed: int
) -> Array:
    """Compute the mean over pairs of ``values`` in every resample of the cases.

    Args:
        values: float64 [N], one value per pair.
        case: int64 [N], index of each pair's case.
        cases: Number of cases.
        resamples: Number of resamples.
        seed: Seed of the draws.

    Returns:
        float64 [resamples].
    """
    sums = np.bincount(case, weights=values, minlength=cases).astype(np.float64)
    sizes = np.bincount(case, minlength=cases).astype(np.float64)
    return bootstrap_ratios(sums[:, None], sizes[:, None], resamples=resamples, seed=seed)[:, 0]


def bootstrap_ratios(sums: Array, sizes: Array, *, resamples: int, seed: int) -> Array:
    """Compute several means over pairs in the same resamples of the cases.

    Because every column sees the same draws, differences between columns are paired.

    Args:
        sums: float64 [cases, K], sum of each quantity over the pairs of a case.
        sizes: float64 [cases, K] or [cases, 1], number of pairs that each sum is over; 0 where a
            case has none.
        resamples: Number of resamples.
        seed: Seed of the draws.

    Returns:
        float64 [resamples, K]; NaN where a resample holds no pair of a column.
    """
    parts = []
    for weights in case_weights(len(sums), resamples=resamples, seed=seed):
        totals = weights @ sizes
        means = np.full((len(weights), sums.shape[1]), np.nan)
        parts.append(np.divide(weights @ sums, totals, out=means, where=totals > 0))
    return np.concatenate(parts) if parts else np.empty((0, sums.shape[1]))


def sums_per_case(case_ids: pd.Series, values: Array) -> Array:
    """Add up the rows of ``values``, float64 [N, K], per case in order of case_id: [cases, K].

    Raises:
        PairDxError: A pair has no case_id.
    """
    case, names = pd.factorize(case_ids, sort=True)
    if (case < 0).any():
        raise PairDxError("a pair has no case_id", where=f"row {int(case.argmin())}")
    sums = np.zeros((len(names), values.shape[1]))
    np.add.at(sums, case, values)
    return sums


def percentile_interval(values: Array, level: float) -> tuple[float | None, float | None]:
    """Return the central ``level`` of the resampled values; (None, None) where none is defined.

    Resamples on which the metric is undefined (NaN) are left out.
    """
    defined = values[~np.isnan(values)]
    if defined.size == 0:
        return None, None
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def interval_around(
    value: float | None, resampled: Array, level: float, cases: int
) -> tuple[float | None, float | None]:
    """Return the percentile interval; none for an undefined value or a single case."""
    if value is None or cases < 2:
        return None, None
    return percentile_interval(resampled, level)


def interval_description(resamples: int, level: float, seed: int) -> dict[str, Any]:
    """Describe how intervals of shares were made, JSON-ready: method, resamples, level, seed."""
    return {
        "method": METHOD,
        "resamples": resamples,
        "level": level,
        "seed": seed,
    }


def weighted_metrics(
    read: Predictions, weights: Array, *, calibration_bins: int
) -> dict[str, Array]:
    """Compute every metric under many weightings of the pairs.

    Args:
        read: The predictions of N pairs.
        weights: float64 [R, N], weight of every pair in every resample.
        calibration_bins: Number of bins of the calibration error.

    Returns:
        float64 [R] per metric; NaN where it is undefined.
    """
    return {
        **_from_confusion(weighted_confusion(read, weights)),
        **_weighted_ranking(read, weights),
        "brier_score": (weights @ read.squared_distance) / weights.sum(axis=1),
        "expected_calibration_error": _weighted_calibration(read, weights, calibration_bins),
    }


def weighted_confusion(read: Predictions, weights: Array) -> Array:
    """Confusion matrices, float64 [R, C, C]: rows are true classes."""
    count = read.probabilities.shape[1]
    cell = np.zeros((len(read.truth), count * count))
    cell[np.arange(len(read.truth)), read.truth * count + read.predicted] = 1
    return (weights @ cell).reshape(-1, count, count)


def _from_confusion(confusion: Array) -> dict[str, Array]:
    hits = np.diagonal(confusion, axis1=1, axis2=2)
    support, predicted = confusion.sum(axis=2), confusion.sum(axis=1)
    present = support > 0
    total = support.sum(axis=1)
    recall = _ratio(hits, support)
    f1 = _ratio(2 * hits, support + predicted)
    return {
        "accuracy": hits.sum(axis=1) / total,
        "balanced_accuracy": _mean_where(recall, present),
        "macro_f1": _mean_where(f1, present),
        "weighted_f1": (np.where(present, f1, 0) * support).sum(axis=1) / total,
    }


def _weighted_ranking(read: Predictions, weights: Array) -> dict[str, Array]:
    """Average one-versus-rest AUROC and average precision over the classes of each resample.

    AUROC is the weighted share of (positive, negative) couples in which the positive has the higher
    probability; a tie counts half (the Mann-Whitney statistic). Average precision is the precision
    at every distinct probability, weighted by the positives that have it. Both are float64 [R].
    """
    areas = np.zeros((len(weights), read.probabilities.shape[1]))
    precisions = np.zeros(areas.shape)
    present = np.zeros(areas.shape, dtype=bool)
    for index in read.present():
        scores = read.probabilities[:, index]
        counts = _by_score(scores, (read.truth == index).astype(np.float64), weights)
        areas[:, index], precisions[:, index] = _area(*counts), _average_precision(*counts)
        present[:, index] = counts[0].sum(axis=1) > 0
    several = present.sum(axis=1) >= 2
    return {
        "macro_auroc": np.where(several, _mean_where(areas, present), np.nan),
        "macro_average_precision": np.where(several, _mean_where(precisions, present), np.nan),
    }


def weighted_auroc(scores: Array, positive: Array, weights: Array) -> Array:
    """Compute the area under the ROC curve under many weightings of the pairs.

    It is the weighted share of (positive, negative) couples in which the positive has the higher
    score; a tie counts half (the Mann-Whitney statistic).

    Args:
        scores: float64 [N].
        positive: float64 [N], 1 for positives, else 0.
        weights: float64 [R, N].

    Returns:
        float64 [R]; 0 where there are no positives or no negatives.
    """
    return _area(*_by_score(scores, positive, weights))


def _by_score(scores: Array, positive: Array, weights: Array) -> tuple[Array, Array]:
    """Weigh positives and negatives at every distinct score, lowest first: float64 [R, D] each."""
    order = np.argsort(scores, kind="stable")
    first_of_tie = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    ordered, is_positive = weights[:, order], positive[order]
    positives = np.add.reduceat(ordered * is_positive, first_of_tie, axis=1)
    negatives = np.add.reduceat(ordered * (1 - is_positive), first_of_tie, axis=1)
    return positives, negatives


def _area(positives: Array, negatives: Array) -> Array:
    below = np.cumsum(negatives, axis=1) - negatives
    wins = (positives * (below + negatives / 2)).sum(axis=1)
    return _ratio(wins, positives.sum(axis=1) * negatives.sum(axis=1))


def _average_precision(positives: Array, negatives: Array) -> Array:
    """Average the precision over the positives, ranked from the highest score on."""
    found = np.cumsum(positives[:, ::-1], axis=1)[:, ::-1]
    retrieved = found + np.cumsum(negatives[:, ::-1], axis=1)[:, ::-1]
    gained = (positives * _ratio(found, retrieved)).sum(axis=1)
    return _ratio(gained, positives.sum(axis=1))


def _weighted_calibration(read: Predictions, weights: Array, bins: int) -> Array:
    index = np.clip(np.ceil(read.confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    gaps = np.zeros((len(read.truth), bins))
    gaps[np.arange(len(read.truth)), index] = read.correct - read.confidence
    return np.abs(weights @ gaps).sum(axis=1) / weights.sum(axis=1)


def _ratio(numerator: Array, denominator: Array) -> Array:
    """Divide; 0 where the denominator is 0 (callers leave such entries out of every average)."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def _mean_where(values: Array, chosen: NDArray[np.bool_]) -> Array:
    """Average each row of ``values`` over its chosen entries; float64 [R]."""
    return np.where(chosen, values, 0).sum(axis=1) / chosen.sum(axis=1)
