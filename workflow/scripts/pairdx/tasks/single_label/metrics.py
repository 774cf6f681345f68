"""The metrics of one label per pair: each declared here, once.

Every value can be undefined on a small or lopsided subset: a class may be absent, or be predicted
never. Such a value is NaN here and ``None`` (``null``) in metrics.json, never 0.

Macro averages are over the classes *present* in the subset, that is, with at least one true pair.
Where all classes are present this is scikit-learn's own average. Average precision is
one-versus-rest and, like AUROC, needs two classes: with one it would be 1 whatever the
probabilities.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairdx.tasks.base import Chosen, ClassScore, Metric
from pairdx.tasks.ranking import mean_of_defined, ratio
from pairdx.tasks.single_label.rows import Predictions
from pairdx.tasks.single_label.weighed import Weighed

Array = NDArray[np.float64]
CALIBRATION_BINS = 15  # as in Guo et al. 2017, "On calibration of modern neural networks"


# ---------------------------------------------------------------- values under R weightings
def precision_per_class(weighed: Weighed) -> Array:
    """Return precisions, float64 [R, C]; NaN of a class that is absent or never predicted."""
    found = ratio(weighed.hits, weighed.predicted)
    return np.where(weighed.support > 0, found, np.nan)


def recall_per_class(weighed: Weighed) -> Array:
    """Return recalls, float64 [R, C]; NaN of an absent class."""
    return ratio(weighed.hits, weighed.support)


def f1_per_class(weighed: Weighed) -> Array:
    """Return F1, 2 TP / (2 TP + FP + FN), float64 [R, C]; NaN of an absent class."""
    found = ratio(2 * weighed.hits, weighed.support + weighed.predicted)
    return np.where(weighed.support > 0, found, np.nan)


def accuracy(weighed: Weighed) -> Array:
    """Return the share of right predictions, float64 [R]."""
    return weighed.hits.sum(axis=1) / weighed.total


def balanced_accuracy(weighed: Weighed) -> Array:
    """Return the mean recall of the present classes, float64 [R]."""
    return mean_of_defined(recall_per_class(weighed))


def macro_f1(weighed: Weighed) -> Array:
    """Return the mean F1 of the present classes, float64 [R]."""
    return mean_of_defined(f1_per_class(weighed))


def weighted_f1(weighed: Weighed) -> Array:
    """Return the mean F1, each class weighted by its true pairs, float64 [R]."""
    found = np.nan_to_num(f1_per_class(weighed))
    return np.asarray((found * weighed.support).sum(axis=1) / weighed.total)


def macro_auroc(weighed: Weighed) -> Array:
    """Return the mean AUROC of each present class against the rest, float64 [R]."""
    return mean_of_defined(weighed.rankings[0], at_least=2)


def macro_average_precision(weighed: Weighed) -> Array:
    """Return the mean average precision of each present class against the rest, float64 [R]."""
    return mean_of_defined(weighed.rankings[1], at_least=2)


def brier_score(weighed: Weighed) -> Array:
    """Return the mean squared distance of the probabilities to the one-hot true class, [R].

    0 (certain and right) to 2 (certain and wrong); a constant 1/C for each of C classes scores
    1 - 1/C. Source: Brier 1950.
    """
    return weighed.mean(weighed.pairs.squared_distance)


def expected_calibration_error(weighed: Weighed) -> Array:
    """Return the mean gap between confidence and accuracy over bins, weighted by pairs, [R].

    Source: Guo et al. 2017, equation 3.
    """
    pairs = weighed.pairs
    gaps = np.zeros((len(pairs), CALIBRATION_BINS))
    gaps[np.arange(len(pairs)), bin_of(pairs.confidence)] = pairs.correct - pairs.confidence
    return np.asarray(np.abs(weighed.weights @ gaps).sum(axis=1) / weighed.total)


def bin_of(confidence: Array, bins: int = CALIBRATION_BINS) -> NDArray[np.int64]:
    """Return each pair's equal-width bin; bin b holds confidences in (b / bins, (b + 1) / bins]."""
    return np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)


# ---------------------------------------------------------------- the pairs that a share is over
def all_pairs(read: Predictions) -> list[tuple[Chosen, ...]]:
    """Name all pairs, as one share."""
    return [(np.ones(len(read), dtype=bool),)]


def pairs_of_each_class(read: Predictions) -> list[tuple[Chosen, ...]]:
    """Name the pairs of each present class, a share of its own."""
    return [(read.truth == index,) for index in read.present()]


def each_class_and_the_rest(read: Predictions) -> list[tuple[Chosen, ...]]:
    """Name the pairs of each present class and all others, the two sides of a share.

    A perfect ranking is one of so many pairs as its rarer side has.
    """
    return [(read.truth == index, read.truth != index) for index in read.present()]


# ---------------------------------------------------------------- the declarations
METRICS: tuple[Metric[Predictions, Weighed], ...] = (
    Metric(
        name="accuracy",
        title="Accuracy",
        larger_is_better=True,
        under_weights=accuracy,
        shares=all_pairs,
        percent=True,
        decimals=1,
    ),
    Metric(
        name="balanced_accuracy",
        title="Balanced accuracy",
        larger_is_better=True,
        under_weights=balanced_accuracy,
        shares=pairs_of_each_class,
        percent=True,
        decimals=1,
    ),
    Metric(
        name="macro_f1",
        title="Macro F1",
        larger_is_better=True,
        under_weights=macro_f1,
        shares=pairs_of_each_class,
        percent=True,
        decimals=1,
    ),
    Metric(
        name="weighted_f1",
        title="Weighted F1",
        larger_is_better=True,
        under_weights=weighted_f1,
        shares=all_pairs,
        percent=True,
        decimals=1,
    ),
    Metric(
        name="macro_auroc",
        title="AUROC, macro",
        larger_is_better=True,
        under_weights=macro_auroc,
        shares=each_class_and_the_rest,
        note="AUROC and average precision: one class against the rest, averaged over classes.",
    ),
    Metric(
        name="macro_average_precision",
        title="Average precision, macro",
        larger_is_better=True,
        under_weights=macro_average_precision,
        shares=pairs_of_each_class,
    ),
    Metric(
        name="brier_score",
        title="Brier score",
        larger_is_better=False,
        under_weights=brier_score,
        shares=None,
        note="Brier score: mean squared distance of the probabilities to the one-hot true class, 0 "
        "(certain and right) to 2 (certain and wrong).",
    ),
    Metric(
        name="expected_calibration_error",
        title="Expected calibration error",
        larger_is_better=False,
        under_weights=expected_calibration_error,
        shares=None,
        note=f"Expected calibration error: {CALIBRATION_BINS} bins; resampling biases it upwards, "
        "so that its interval can lie above its value.",
    ),
)
CLASS_SCORES: tuple[ClassScore[Predictions, Weighed], ...] = (
    ClassScore("precision", precision_per_class, lambda read, index: read.predicted == index),
    ClassScore("recall", recall_per_class, lambda read, index: read.truth == index),
    ClassScore("f1", f1_per_class, lambda read, index: read.truth == index),
)
