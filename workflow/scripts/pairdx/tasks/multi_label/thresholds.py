"""From which probability on a finding counts as found: chosen on validation pairs, never on test.

The largest Matthews correlation decides, as in CheXzero (Tiu et al. 2022, "Expert-level detection
of pathologies from unannotated chest X-ray images via self-supervised learning").
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
# The subset that thresholds are chosen on, whichever is evaluated.
THRESHOLDS_FROM = "validation"
ROUNDING = 1e-12  # correlations that differ by less are the same


def choose_thresholds(truth: Array, probabilities: Array) -> Array:
    """Choose a threshold for every finding, float64 [C]; NaN where there is nothing to choose by.

    Args:
        truth: float64 [N, C], 1 true, 0 not, NaN unknown.
        probabilities: float64 [N, C].
    """
    return np.array(
        [
            threshold(truth[:, index], probabilities[:, index])
            for index in range(probabilities.shape[1])
        ]
    )


def threshold(truth: Array, probabilities: Array) -> float:
    """Return the threshold of the largest Matthews correlation among the known pairs.

    It lies in the middle between the two probabilities that it parts, so that a pair from a little
    outside is not decided by rounding; at the upper one where no number lies between. Of several
    equally good ones the lowest is taken, which misses the fewest. All pairs on one side is no
    decision and is not considered. So there is none (NaN) where the known pairs are all positive,
    all negative or all equally probable.

    Args:
        truth: float64 [N], 1 true, 0 not, NaN unknown.
        probabilities: float64 [N].
    """
    known = ~np.isnan(truth)
    positive = (truth[known] == 1).astype(np.float64)
    scores, place = np.unique(probabilities[known], return_inverse=True)
    if positive.all() or not positive.any() or len(scores) < 2:
        return float("nan")
    # From each score but the lowest on: what of it is true, and what is called so.
    hits, called = (
        np.cumsum(np.bincount(place, weights=one)[::-1], dtype=np.float64)[::-1][1:]
        for one in (positive, np.ones(len(positive)))
    )
    found = correlation(hits, called, positive.sum(keepdims=True), np.array([float(len(positive))]))
    best = int(np.argmax(found >= found.max() - ROUNDING))
    below, above = scores[best], scores[best + 1]
    middle = (below + above) / 2
    # Of neighbours the middle may round to the lower one, which would then be called too.
    return float(middle if middle > below else above)


def correlation(hits: Array, called: Array, positives: Array, pairs: Array) -> Array:
    """Return Matthews correlations; NaN where all pairs are positive, or none is.

    0 where all are called alike, as in scikit-learn: such calls say nothing of the truth.

    Args:
        hits: Weight of the positives that are called so.
        called: Weight of all that are called positive.
        positives: Weight of the positives.
        pairs: Weight of all. All four of shapes that go together, whose shape the result has.
    """
    # The product of the margins overflows no float64 before there are 1e77 pairs.
    truth_spread = positives * (pairs - positives)
    spread = np.asarray(truth_spread * called * (pairs - called), dtype=np.float64)
    covariance = np.asarray(hits * pairs - called * positives, dtype=np.float64)
    found = np.divide(covariance, np.sqrt(spread), out=np.zeros(spread.shape), where=spread > 0)
    return np.where(truth_spread > 0, found, np.nan)
