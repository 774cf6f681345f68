"""Whether a system notices that a pair is of a class that it was not trained on.

Not in the paper. A system's confidence (its highest probability, or minus its energy) should be
lower for pairs of an unknown class than for the test pairs, which are of known classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import metrics as sk

from pairdx.evaluation.intervals import WEIGHTS_PER_CHUNK, case_weights, weighted_auroc

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Detection:
    """How well one kind of confidence tells unknown pairs from known ones.

    Attributes:
        auroc: Probability that an unknown pair has a lower confidence than a known one; a tie
            counts half.
        resampled: float64 [R], the same in every resample of the cases; NaN where a resample lacks
            one of both.
        false_positive_rate: Share of unknown pairs that pass for known where 95 % of the known
            ones, or more, do.
    """

    auroc: float
    resampled: Array
    false_positive_rate: float


def detection(
    confidence: Array,
    is_unknown: NDArray[np.bool_],
    cases: pd.Series,
    *,
    resamples: int,
    seed: int,
    true_positive_rate: float = 0.95,
) -> Detection:
    """Measure the detection of unknown pairs by a low confidence.

    Args:
        confidence: float64 [N], of known and unknown pairs; only its order counts.
        is_unknown: bool [N]; there are both kinds.
        cases: The N pairs' case_id. Cases are resampled as a whole, known and unknown pairs of one
            case together.
        resamples: Number of bootstrap resamples.
        seed: Seed of the resampling.
        true_positive_rate: Share of known pairs that have to pass for known.
    """
    codes, names = pd.factorize(cases, sort=True)
    unknown = is_unknown.astype(np.float64)
    parts = []
    rows_at_once = max(1, WEIGHTS_PER_CHUNK // len(confidence))
    for weights in case_weights(
        len(names), resamples=resamples, seed=seed, rows_at_once=rows_at_once
    ):
        of_pairs = weights[:, codes]
        areas = weighted_auroc(-confidence, unknown, of_pairs)
        both = (of_pairs @ unknown > 0) & (of_pairs @ (1 - unknown) > 0)
        parts.append(np.where(both, areas, np.nan))
    return Detection(
        auroc=float(sk.roc_auc_score(is_unknown, -confidence)),
        resampled=np.concatenate(parts) if parts else np.empty(0),
        false_positive_rate=_false_positive_rate(confidence, is_unknown, true_positive_rate),
    )


def _false_positive_rate(
    confidence: Array, is_unknown: NDArray[np.bool_], true_positive_rate: float
) -> float:
    known = np.sort(confidence[~is_unknown])
    # The highest threshold that so many known pairs reach.
    below = int(np.floor((1 - true_positive_rate) * len(known) + 1e-9))
    return float((confidence[is_unknown] >= known[below]).mean())
