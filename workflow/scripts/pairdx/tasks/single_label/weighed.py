"""Predictions under many weightings of their pairs: what several metrics are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pairdx.tasks.ranking import area_under_roc, average_precision, weigh_by_score
from pairdx.tasks.single_label.rows import Predictions

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Weighed:
    """N pairs of C classes under R weightings; what is shared is computed once, when asked for.

    Attributes:
        pairs: The predictions.
        weights: float64 [R, N]: how often each pair was drawn in each resample, or ones.
    """

    pairs: Predictions
    weights: Array

    @cached_property
    def total(self) -> Array:
        """Weight of all pairs, float64 [R]."""
        return np.asarray(self.weights.sum(axis=1))

    def mean(self, values: Array) -> Array:
        """Average one value per pair, float64 [N], over the pairs: float64 [R]."""
        return (self.weights @ values) / self.total

    def _of_class(self, classes: NDArray[np.int64], counted: Array | float = 1.0) -> Array:
        """Weigh the pairs by the class that each is counted for: float64 [R, C].

        Never by both of its classes: a matrix per weighting would fill memory with many classes.
        """
        count = self.pairs.probabilities.shape[1]
        cell = np.zeros((len(self.pairs), count))
        cell[np.arange(len(self.pairs)), classes] = counted
        return self.weights @ cell

    @cached_property
    def hits(self) -> Array:
        """Weight of the pairs of each class that are predicted right, float64 [R, C]."""
        return self._of_class(self.pairs.truth, self.pairs.correct)

    @cached_property
    def support(self) -> Array:
        """Weight of the pairs that each class is true of, float64 [R, C]."""
        return self._of_class(self.pairs.truth)

    @cached_property
    def predicted(self) -> Array:
        """Weight of the pairs that each class is predicted for, float64 [R, C]."""
        return self._of_class(self.pairs.predicted)

    @cached_property
    def rankings(self) -> tuple[Array, Array]:
        """AUROC and average precision of each class against the rest: float64 [R, C] both.

        NaN where a weighting has no pair of the class.
        """
        shape = len(self.weights), self.pairs.probabilities.shape[1]
        areas, precisions = np.full(shape, np.nan), np.full(shape, np.nan)
        for index in self.pairs.present():
            positive = (self.pairs.truth == index).astype(np.float64)
            counts = weigh_by_score(self.pairs.probabilities[:, index], positive, self.weights)
            areas[:, index] = area_under_roc(*counts)
            precisions[:, index] = average_precision(*counts)
        return areas, precisions


def unweighed(pairs: Predictions) -> Weighed:
    """Give every pair the weight 1, once: the values themselves, with R = 1."""
    return Weighed(pairs, np.ones((1, len(pairs))))
