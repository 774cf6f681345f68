"""Intervals of shares that do not collapse near 0 and 1.

A bootstrap of pairs that are all right can only draw right pairs: its interval is from 1 to 1. With
one wrong pair in 232, a 95 % interval holds the true share in 69 % of test sets. Wilson's score
interval (Wilson 1927) does not: the variance is that of the share that is tested, not of the one
that was seen. It asks for a number of independent pairs, and pairs of one case are not: that number
is the effective one, of which a share has the variance that it has over cases.

The same serves what is an average of shares (balanced accuracy, F1, AUROC, average precision).
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
METHOD = "Wilson's score interval with the variance of a bootstrap over cases"


def normal_quantile(level: float) -> float:
    """Return how many standard deviations the central ``level`` of a normal law reaches: 1.96."""
    return NormalDist().inv_cdf((1 + level) / 2)


def pairs_if_cases_agree(case: NDArray[np.int64], cases: int) -> float:
    """Return how many independent pairs N pairs are worth if those of one case are always alike.

    That is N^2 over the sum of the squared sizes of cases (Kish 1965), the least that they can be
    worth: N for cases of one pair, the number of cases where these are of one size.

    Args:
        case: int64 [N], index of each pair's case.
        cases: Number of cases.
    """
    return worth_of_sizes(np.bincount(case, minlength=cases).astype(np.float64))


def worth_of_sizes(sizes: Array) -> float:
    """Return the same from the numbers of pairs per case; 0 where there are no pairs."""
    squares = float(np.square(sizes).sum())
    return float(sizes.sum()) ** 2 / squares if squares else 0.0


def worth_of_average(worths: Array) -> float:
    """Return what an average of C shares is worth, each of so many pairs: C^2 / sum(1 / worth).

    The average of shares p has the variance p (1 - p) sum(1 / worth) / C^2.

    Args:
        worths: float64 [C], all above 0.
    """
    return float(len(worths) ** 2 / (1 / worths).sum())


def variance_of_mean(values: Array, case: NDArray[np.int64], cases: int) -> Array:
    """Return the variance of a mean over pairs, when cases are drawn and bring their pairs.

    The linearised variance of a ratio estimator (Cochran 1977, Section 11.8), which is what a
    bootstrap over cases tends to.

    Args:
        values: float64 [N] or [N, K].
        case: int64 [N], index of each pair's case.
        cases: Number of cases, at least 2.

    Returns:
        float64, or [K].
    """
    columns = values.reshape(len(values), -1)
    off = columns - columns.mean(axis=0)
    sums = np.zeros((cases, columns.shape[1]))
    np.add.at(sums, case, off)
    variances = np.square(sums).sum(axis=0) / len(values) ** 2 * cases / (cases - 1)
    return np.asarray(variances.reshape(values.shape[1:]))


def effective_pairs(value: Array, variance: Array, worth: Array | float) -> Array:
    """Return of how many independent pairs a share has the variance that was found over cases.

    Near 0 and 1 there are few mistakes (or hits) to learn from whether those of a case go together:
    one wrong pair says nothing. So what was found counts as much as the rarer kind has pairs, and
    ``worth``, the cautious assumption, as much as the pairs that the interval itself adds (z^2).
    At 0 and 1 nothing is known and ``worth`` is all.

    Args:
        value: float64, shares from 0 to 1.
        variance: Their variances over cases.
        worth: What the pairs are worth if those of one case are always alike.
    """
    spread = value * (1 - value)
    added = normal_quantile(0.95) ** 2
    rarer = worth * np.minimum(value, 1 - value)
    found = np.divide(variance, spread, out=np.zeros_like(spread), where=spread > 0)
    return np.asarray((rarer + added) / (rarer * found + added / worth))


def wilson(value: Array, pairs: Array, level: float) -> tuple[Array, Array]:
    """Return Wilson's score interval of shares of so many independent pairs: low, high."""
    squared = normal_quantile(level) ** 2
    centre = (value + squared / (2 * pairs)) / (1 + squared / pairs)
    inside = value * (1 - value) / pairs + squared / (4 * pairs**2)
    reach = np.sqrt(squared * inside) / (1 + squared / pairs)
    low = np.where(value <= 0, 0.0, np.clip(centre - reach, 0, 1))
    high = np.where(value >= 1, 1.0, np.clip(centre + reach, 0, 1))
    return low, high


def score_interval(
    value: float | None, resampled: Array, level: float, *, worth: float, cases: int
) -> tuple[float | None, float | None]:
    """Return the interval of a share, or an average of shares, from its bootstrap over cases.

    Args:
        value: The share; None where it is undefined.
        resampled: float64 [R], the same in every resample of the cases; NaN where it is undefined.
        level: Coverage of the interval.
        worth: What its pairs are worth if those of one case are always alike
            (``pairs_if_cases_agree``, ``worth_of_average``).
        cases: Number of cases; a single one has no interval.

    Returns:
        low, high; (None, None) where there is no value, no resample or a single case.
    """
    defined = resampled[~np.isnan(resampled)]
    if value is None or cases < 2 or defined.size < 2 or not worth > 0:
        return None, None
    # Drawing cases with replacement makes the variance too small by this much.
    variance = np.asarray(defined.var(ddof=1) * cases / (cases - 1))
    share = np.asarray(min(max(value, 0.0), 1.0))
    low, high = wilson(share, effective_pairs(share, variance, worth), level)
    return float(low), float(high)
