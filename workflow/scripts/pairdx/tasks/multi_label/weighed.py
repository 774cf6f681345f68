"""Findings under many weightings of their pairs: what several metrics are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairdx.tasks.multi_label.rows import Findings
from pairdx.tasks.ranking import ratio

Array = NDArray[np.float64]


class Ranked(NamedTuple):
    """The known pairs of one finding by rising probability; D distinct ones of its positives.

    Attributes:
        positives: int64 [P], rows of the positives.
        first_of_tie: int64 [D], where in ``positives`` each distinct probability begins.
        negatives: int64 [Q], rows of the negatives.
        below: int64 [D], how many negatives have a lower probability.
        up_to: int64 [D], how many have no higher one.
    """

    positives: NDArray[np.int64]
    first_of_tie: NDArray[np.int64]
    negatives: NDArray[np.int64]
    below: NDArray[np.int64]
    up_to: NDArray[np.int64]


def ranked(truth: Array, scores: Array) -> Ranked:
    """Order the pairs of one finding, so that weights are looked up and not sorted.

    Args:
        truth: float64 [N], 1 true, 0 not, NaN unknown.
        scores: float64 [N].
    """
    positives, negatives = (
        rows[np.argsort(scores[rows], kind="stable")]
        for rows in (np.flatnonzero(truth == 1), np.flatnonzero(truth == 0))
    )
    first_of_tie = np.flatnonzero(np.diff(scores[positives], prepend=-np.inf))
    distinct, others = scores[positives][first_of_tie], scores[negatives]
    below, up_to = (np.searchsorted(others, distinct, side=side) for side in ("left", "right"))
    return Ranked(positives, first_of_tie, negatives, below, up_to)


@dataclass(frozen=True)
class Weighed:
    """N pairs of C findings under R weightings; what is shared is computed once, when asked for.

    Attributes:
        pairs: The predictions.
        weights: float64 [R, N]: how often each pair was drawn in each resample, or ones.
    """

    pairs: Findings
    weights: Array

    @cached_property
    def positives(self) -> Array:
        """Weight of the pairs that each finding is true of, float64 [R, C]."""
        return self.weights @ self.pairs.positive

    @cached_property
    def negatives(self) -> Array:
        """Weight of the pairs that each finding is known not to be in, float64 [R, C]."""
        return self.weights @ self.pairs.negative

    @cached_property
    def hits(self) -> Array:
        """Weight of the positives that are called so, float64 [R, C]; NaN without a threshold."""
        return self._with_threshold(self.pairs.positive * self.pairs.called)

    @cached_property
    def false_alarms(self) -> Array:
        """Weight of the negatives called positive, float64 [R, C]; NaN without a threshold."""
        return self._with_threshold(self.pairs.negative * self.pairs.called)

    def _with_threshold(self, cells: Array) -> Array:
        return np.where(np.isnan(self.pairs.thresholds), np.nan, self.weights @ cells)

    def mean_of_known(self, values: Array) -> Array:
        """Average a value per pair and finding, float64 [N, C], over the known: float64 [R, C]."""
        known = np.where(np.isnan(self.pairs.truth), 0.0, values)
        return ratio(self.weights @ known, self.positives + self.negatives)

    @cached_property
    def rankings(self) -> tuple[Array, Array]:
        """AUROC and average precision of each finding that counts: float64 [R, C] both.

        AUROC is the weighted share of (positive, negative) couples in which the positive is the
        more probable one; a tie counts half. Average precision is the precision at every
        probability, weighted by the positives that have it. NaN where a weighting has no positive
        or no negative.
        """
        shape = len(self.weights), len(self.pairs.thresholds)
        areas, precisions = np.full(shape, np.nan), np.full(shape, np.nan)
        for index in np.flatnonzero(self.pairs.counted):
            order = ranked(self.pairs.truth[:, index], self.pairs.probabilities[:, index])
            areas[:, index], precisions[:, index] = self._ranking(order)
        return areas, precisions

    def _ranking(self, order: Ranked) -> tuple[Array, Array]:
        of_positives = np.take(self.weights, order.positives, axis=1)
        at = np.add.reduceat(of_positives, order.first_of_tie, axis=1)
        negatives = np.zeros((len(self.weights), len(order.negatives) + 1))
        np.cumsum(np.take(self.weights, order.negatives, axis=1), axis=1, out=negatives[:, 1:])
        below, up_to, all_of_them = (
            negatives[:, place] for place in (order.below, order.up_to, slice(-1, None))
        )
        found = np.cumsum(at[:, ::-1], axis=1)[:, ::-1]
        wins = (at * (below + up_to)).sum(axis=1) / 2
        area = ratio(wins, found[:, 0] * all_of_them[:, 0])
        retrieved = found + all_of_them - below
        precision = np.divide(found, retrieved, out=np.zeros_like(found), where=retrieved > 0)
        average = ratio((at * precision).sum(axis=1), found[:, 0])
        return area, np.where(np.isnan(area), np.nan, average)


def unweighed(pairs: Findings) -> Weighed:
    """Give every pair the weight 1, once: the values themselves, with R = 1."""
    return Weighed(pairs, np.ones((1, len(pairs))))
