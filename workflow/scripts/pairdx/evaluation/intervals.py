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
