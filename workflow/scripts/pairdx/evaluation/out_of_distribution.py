"""Whether a system notices that a pair is of a class that it was not trained on.

Not in the paper. A system's confidence (its highest probability, or minus its energy) should be
lower for pairs out of distribution than for the test pairs, which are of known classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pairdx.evaluation.intervals import WEIGHTS_PER_CHUNK, case_weights
from pairdx.tasks.ranking import area_under_roc, weigh_by_score

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Detection:
    """How well one kind of confidence tells pairs out of distribution from known ones.

    Attributes:
        auroc: Probability that a pair out of distribution has a lower confidence than a known
            one; a tie counts half.
        false_positive_rate: Share of pairs out of distribution that pass for known: whose
            confidence is at least the threshold.
        true_positive_rate: Share of known pairs that do.
        resampled: float64 [R, 3], the three in every resample of the cases; NaN where a resample
            lacks one of both kinds.
    """

    auroc: float
    false_positive_rate: float
    true_positive_rate: float
    resampled: Array


def threshold_to_pass(confidence: Array, true_positive_rate: float = 0.95) -> float:
    """Return the highest confidence that so large a share of known pairs reaches.

    It is chosen on validation pairs. Chosen on the test pairs, it would let just so many of these
    pass, which nobody who uses a system can know beforehand.

    Args:
        confidence: float64 [N], of known pairs.
        true_positive_rate: Share that has to pass.
    """
    below = int(np.floor((1 - true_positive_rate) * len(confidence) + 1e-9))
    return float(np.sort(confidence)[below])


def detection(
    confidence: Array,
    is_outside: NDArray[np.bool_],
    cases: pd.Series,
    *,
    threshold: float,
    resamples: int,
    seed: int,
) -> Detection:
    """Measure the detection of pairs out of distribution by a low confidence.

    Args:
        confidence: float64 [N], of known pairs and of pairs out of distribution.
        is_outside: bool [N]; there are both kinds.
        cases: The N pairs' case_id. Cases are resampled as a whole, pairs of one case together.
        threshold: Pairs of at least this confidence pass for known.
        resamples: Number of bootstrap resamples.
        seed: Seed of the resampling.
    """
    codes, names = pd.factorize(cases, sort=True)
    outside, passes = is_outside.astype(np.float64), (confidence >= threshold).astype(np.float64)
    kinds = np.stack([outside, 1 - outside], axis=1)
    parts = []
    rows_at_once = max(1, WEIGHTS_PER_CHUNK // len(confidence))
    for weights in case_weights(
        len(names), resamples=resamples, seed=seed, rows_at_once=rows_at_once
    ):
        of_pairs = weights[:, codes]
        sizes = of_pairs @ kinds
        areas = _auroc(confidence, outside, of_pairs)[:, None]
        passed = (of_pairs * passes) @ kinds
        both = (sizes > 0).all(axis=1, keepdims=True)
        rates = np.divide(passed, sizes, out=np.full(sizes.shape, np.nan), where=sizes > 0)
        parts.append(np.where(both, np.hstack([areas, rates]), np.nan))
    return Detection(
        auroc=float(_auroc(confidence, outside, np.ones((1, len(confidence))))[0]),
        false_positive_rate=float(passes[is_outside].mean()),
        true_positive_rate=float(passes[~is_outside].mean()),
        resampled=np.concatenate(parts) if parts else np.empty((0, 3)),
    )


def _auroc(confidence: Array, outside: Array, weights: Array) -> Array:
    """Return how often a pair out of distribution is less sure than a known one, float64 [R]."""
    return area_under_roc(*weigh_by_score(-confidence, outside, weights))
