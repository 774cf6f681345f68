"""How well a score ranks positives above negatives, under many weightings of the pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def weigh_by_score(scores: Array, positive: Array, weights: Array) -> tuple[Array, Array]:
    """Weigh positives and negatives at every distinct score, lowest first: float64 [R, D] each.

    Args:
        scores: float64 [N].
        positive: float64 [N], 1 for positives, else 0.
        weights: float64 [R, N].
    """
    order = np.argsort(scores, kind="stable")
    first_of_tie = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    ordered, is_positive = weights[:, order], positive[order]
    positives = np.add.reduceat(ordered * is_positive, first_of_tie, axis=1)
    negatives = np.add.reduceat(ordered * (1 - is_positive), first_of_tie, axis=1)
    return positives, negatives


def area_under_roc(positives: Array, negatives: Array) -> Array:
    """Return the area under the ROC curve, float64 [R]; NaN without positives or negatives.

    It is the weighted share of (positive, negative) couples in which the positive has the higher
    score; a tie counts half (the Mann-Whitney statistic).

    Args:
        positives: float64 [R, D], weight of the positives at every score, lowest first.
        negatives: Likewise.
    """
    below = np.cumsum(negatives, axis=1) - negatives
    wins = (positives * (below + negatives / 2)).sum(axis=1)
    return ratio(wins, positives.sum(axis=1) * negatives.sum(axis=1))


def average_precision(positives: Array, negatives: Array) -> Array:
    """Return the precision at every score, weighted by the positives that have it: float64 [R].

    NaN without positives; 1 without negatives, whatever the scores.

    Args:
        positives: float64 [R, D], weight of the positives at every score, lowest first.
        negatives: Likewise.
    """
    found = np.cumsum(positives[:, ::-1], axis=1)[:, ::-1]
    retrieved = found + np.cumsum(negatives[:, ::-1], axis=1)[:, ::-1]
    precision = np.divide(found, retrieved, out=np.zeros_like(found), where=retrieved > 0)
    return ratio((positives * precision).sum(axis=1), positives.sum(axis=1))


def ratio(numerator: Array, denominator: Array) -> Array:
    """Divide; NaN where the denominator is 0."""
    undefined = np.full(numerator.shape, np.nan)
    return np.divide(numerator, denominator, out=undefined, where=denominator > 0)


def mean_of_defined(values: Array, *, at_least: int = 1) -> Array:
    """Average every row over its entries that are not NaN; NaN with fewer than ``at_least``."""
    defined = ~np.isnan(values)
    counts = defined.sum(axis=1)
    sums = np.where(defined, values, 0).sum(axis=1)
    undefined = np.full(len(values), np.nan)
    return np.divide(sums, counts, out=undefined, where=counts >= at_least)
