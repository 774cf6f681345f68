"""The metrics of several labels per pair: each declared here, once.

Every value can be undefined: a finding may be true of no pair of a subset, or of all. Such a value
is NaN here and ``None`` (``null``) in metrics.json, never 0. What is not known of a pair counts
nowhere.

Macro averages are over the findings that *count*: those that are true of some pair of the whole
subset and known not to be in another. A resample can lack the positives of a rare finding; its
average is then over those that it has, because a resample with few patients of that finding says
least about it. Thresholds are those of the validation pairs, in every resample the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairdx.tasks.base import Chosen, ClassScore, Metric
from pairdx.tasks.multi_label.rows import Findings
from pairdx.tasks.multi_label.thresholds import correlation
from pairdx.tasks.multi_label.weighed import Weighed
from pairdx.tasks.ranking import mean_of_defined, ratio

Array = NDArray[np.float64]
CALIBRATION_BINS = 15  # as for single labels
# Averages over the findings that have a threshold.
AT_THRESHOLDS = ("macro_f1", "macro_mcc")


# ---------------------------------------------------------------- values under R weightings
def auroc(weighed: Weighed) -> Array:
    """Return the AUROC of each finding, float64 [R, C]; NaN without positives or negatives."""
    return weighed.rankings[0]


def average_precision(weighed: Weighed) -> Array:
    """Return the average precision, float64 [R, C]; NaN without positives or negatives."""
    return weighed.rankings[1]


def sensitivity(weighed: Weighed) -> Array:
    """Return the share of positives that are called so, [R, C]; NaN without one."""
    return ratio(weighed.hits, weighed.positives)


def specificity(weighed: Weighed) -> Array:
    """Return the share of negatives that are not called positive, [R, C]; NaN without one."""
    return 1 - ratio(weighed.false_alarms, weighed.negatives)


def precision(weighed: Weighed) -> Array:
    """Return the share of true ones among the called, [R, C]; NaN without a positive or a call."""
    found = ratio(weighed.hits, weighed.hits + weighed.false_alarms)
    return np.where(weighed.positives > 0, found, np.nan)


def f1(weighed: Weighed) -> Array:
    """Return F1, 2 TP / (2 TP + FP + FN), [R, C]; NaN without positives or negatives."""
    called = weighed.hits + weighed.false_alarms
    found = ratio(2 * weighed.hits, weighed.positives + called)
    return np.where(_both(weighed), found, np.nan)


def mcc(weighed: Weighed) -> Array:
    """Return Matthews' correlation of calls and truth, -1 to 1, [R, C]; NaN as F1 is.

    0 where all pairs are called alike.
    """
    called = weighed.hits + weighed.false_alarms
    pairs = weighed.positives + weighed.negatives
    found = correlation(weighed.hits, called, weighed.positives, pairs)
    return np.where(np.isnan(called), np.nan, found)


def brier(weighed: Weighed) -> Array:
    """Return the mean squared distance of probability and truth (1 or 0), 0 to 1, [R, C]."""
    pairs = weighed.pairs
    return weighed.mean_of_known(np.square(pairs.probabilities - pairs.positive))


def calibration_error(weighed: Weighed, bins: int = CALIBRATION_BINS) -> Array:
    """Return the mean gap between probability and share of positives over bins, [R, C].

    Bins are weighted by their pairs; bin b holds probabilities in (b / bins, (b + 1) / bins].
    Source: Guo et al. 2017, equation 3, of the probability of the finding.
    """
    pairs = weighed.pairs
    place = bin_of(pairs.probabilities, bins)
    off = np.where(np.isnan(pairs.truth), 0.0, pairs.positive - pairs.probabilities)
    found = np.empty((len(weighed.weights), off.shape[1]))
    for index in range(off.shape[1]):
        gaps = np.zeros((len(pairs), bins))
        gaps[np.arange(len(pairs)), place[:, index]] = off[:, index]
        found[:, index] = np.abs(weighed.weights @ gaps).sum(axis=1)
    return ratio(found, weighed.positives + weighed.negatives)


def bin_of(probabilities: Array, bins: int = CALIBRATION_BINS) -> NDArray[np.int64]:
    """Return the equal-width bin of every probability, in the shape that they have."""
    return np.clip(np.ceil(probabilities * bins).astype(np.int64) - 1, 0, bins - 1)


def _both(weighed: Weighed) -> Chosen:
    return (weighed.positives > 0) & (weighed.negatives > 0)


def macro_auroc(weighed: Weighed) -> Array:
    """Return the mean AUROC of the findings that count, float64 [R]."""
    return _macro(weighed, auroc(weighed))


def macro_average_precision(weighed: Weighed) -> Array:
    """Return the mean average precision of the findings that count, float64 [R]."""
    return _macro(weighed, average_precision(weighed))


def macro_f1(weighed: Weighed) -> Array:
    """Return the mean F1 of the findings that count and have a threshold, float64 [R]."""
    return _macro(weighed, f1(weighed))


def macro_mcc(weighed: Weighed) -> Array:
    """Return the mean MCC of the findings that count and have a threshold, float64 [R]."""
    return _macro(weighed, mcc(weighed))


def brier_score(weighed: Weighed) -> Array:
    """Return the mean Brier score of the findings that count, float64 [R]."""
    return _macro(weighed, brier(weighed))


def expected_calibration_error(weighed: Weighed) -> Array:
    """Return the mean calibration error of the findings that count, float64 [R]."""
    return _macro(weighed, calibration_error(weighed))


def _macro(weighed: Weighed, of_findings: Array) -> Array:
    return mean_of_defined(of_findings[:, weighed.pairs.counted])


# ---------------------------------------------------------------- the pairs that a share is over
def positives_and_negatives(read: Findings) -> list[tuple[Chosen, ...]]:
    """Name the positives and negatives of each finding that counts, the two sides of a share."""
    return [
        (read.truth[:, index] == 1, read.truth[:, index] == 0)
        for index in np.flatnonzero(read.counted)
    ]


def averaged_sides(read: Findings, metric: str) -> list[tuple[Chosen, ...]]:
    """Name the positives and negatives of each finding that a macro average is over.

    Args:
        read: The pairs.
        metric: Name of the average; F1 and MCC are over the findings with a threshold.
    """
    sides = positives_and_negatives(read)
    if metric not in AT_THRESHOLDS:
        return sides
    decided = ~np.isnan(read.thresholds[read.counted])
    return [one for one, is_decided in zip(sides, decided.tolist(), strict=True) if is_decided]


def positives_of_each(read: Findings) -> list[tuple[Chosen, ...]]:
    """Name the positives of each finding that counts, a share of its own."""
    return [sides[:1] for sides in positives_and_negatives(read)]


def positives_with_threshold(read: Findings) -> list[tuple[Chosen, ...]]:
    """Name the positives of each finding that counts and has a threshold."""
    decided = read.counted & ~np.isnan(read.thresholds)
    return [(read.truth[:, index] == 1,) for index in np.flatnonzero(decided)]


def known_positives(read: Findings, index: int) -> Chosen:
    """Name the pairs that a finding is true of, bool [N]."""
    return read.truth[:, index] == 1


def known_negatives(read: Findings, index: int) -> Chosen:
    """Name the pairs that a finding is known not to be in, bool [N]."""
    return read.truth[:, index] == 0


def called_positive(read: Findings, index: int) -> Chosen:
    """Name the pairs that a finding is known of and called for, bool [N]."""
    return (read.called[:, index] > 0) & ~np.isnan(read.truth[:, index])


def rarer_side(read: Findings, index: int) -> Chosen:
    """Name the positives or the negatives of a finding, whichever are fewer, bool [N]."""
    sides = known_positives(read, index), known_negatives(read, index)
    return min(sides, key=np.count_nonzero)


# ---------------------------------------------------------------- the declarations
METRICS: tuple[Metric[Findings, Weighed], ...] = (
    Metric(
        name="macro_auroc",
        title="AUROC, macro",
        larger_is_better=True,
        under_weights=macro_auroc,
        shares=positives_and_negatives,
        note="Macro averages: over the findings that are true of some pair of the subset and known "
        "not to be in another.",
    ),
    Metric(
        name="macro_average_precision",
        title="Average precision, macro",
        larger_is_better=True,
        under_weights=macro_average_precision,
        shares=positives_of_each,
    ),
    Metric(
        name="macro_f1",
        title="Macro F1",
        larger_is_better=True,
        under_weights=macro_f1,
        shares=positives_with_threshold,
        note="F1 and MCC: at the threshold of the largest MCC on the validation pairs; a finding "
        "without positives, negatives or different probabilities there has none, and is left out "
        "of these two.",
    ),
    Metric(
        name="macro_mcc",
        title="Macro MCC",
        larger_is_better=True,
        under_weights=macro_mcc,
        shares=None,
    ),
    Metric(
        name="brier_score",
        title="Brier score",
        larger_is_better=False,
        under_weights=brier_score,
        shares=None,
        note="Brier score: mean squared distance of the probability to the truth (1 or 0), 0 to 1, "
        "averaged over findings.",
    ),
    Metric(
        name="expected_calibration_error",
        title="Expected calibration error",
        larger_is_better=False,
        under_weights=expected_calibration_error,
        shares=None,
        note=f"Expected calibration error: {CALIBRATION_BINS} bins of the probability of each "
        "finding, averaged over findings; resampling biases it upwards, so that its interval can "
        "lie above its value.",
    ),
)
CLASS_SCORES: tuple[ClassScore[Findings, Weighed], ...] = (
    ClassScore("auroc", auroc, rarer_side),
    ClassScore("average_precision", average_precision, known_positives),
    ClassScore("f1", f1, known_positives),
    ClassScore("mcc", mcc, None),
    ClassScore("sensitivity", sensitivity, known_positives),
    ClassScore("specificity", specificity, known_negatives),
    ClassScore("precision", precision, called_positive),
)
