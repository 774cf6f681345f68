"""The metrics of one trained system on one subset, each with a bootstrap interval.

Every value can be undefined on a small or lopsided subset: a class may be absent, or be predicted
never. Such a value is ``None`` (``null`` in metrics.json), never 0 or NaN.

Macro averages (balanced accuracy, macro F1, AUROC, average precision) are over the classes
*present* in the subset, that is, with at least one true pair. Where all classes are present this is
scikit-learn's own average. Average precision is one-versus-rest and, like AUROC, needs two classes:
with one it would be 1 whatever the probabilities.

The Brier score is the mean over pairs of the squared distance between the probabilities and the
one-hot true class (Brier 1950), 0 (certain and right) to 2 (certain and wrong); a constant 1/C for
each of C classes scores 1 - 1/C.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import metrics as sk

from pairdx.evaluation.calibration import CALIBRATION_BINS, expected_calibration_error
from pairdx.evaluation.intervals import bootstrap_metrics, interval_around, interval_description
from pairdx.evaluation.per_class import per_class
from pairdx.evaluation.predictions import Predictions, read_predictions
from pairdx.evaluation.score_intervals import (
    pairs_if_cases_agree,
    score_interval,
    worth_of_average,
    worth_of_sizes,
)

# Means of losses, or of gaps: no shares, and so no score intervals.
PERCENTILES = ("brier_score", "expected_calibration_error")


def evaluate(
    predictions: pd.DataFrame,
    classes: Sequence[str],
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
    subset: str = "test",
    calibration_bins: int = CALIBRATION_BINS,
) -> dict[str, Any]:
    """Compute the content of metrics.json.

    Args:
        predictions: pair_id, case_id, subset, label, predicted and one ``p_<class>`` per class.
        classes: The classes, in the order of the confusion matrix.
        resamples: Number of bootstrap resamples of the cases; with 0 every interval is null.
        seed: Seed of the resampling.
        level: Coverage of the intervals, between 0 and 1.
        subset: The subset to evaluate, ``test`` or ``validation``.
        calibration_bins: Number of equal-width confidence bins of the calibration error.

    Returns:
        JSON-ready mapping: subset, pairs, cases, eight metrics as {value, low, high}, per_class,
        confusion (rows = true class, columns = predicted class), classes, calibration_bins,
        interval.

        Intervals are score intervals (see ``score_intervals``), those of the Brier score and of the
        calibration error percentiles of the bootstrap. Resampling biases the calibration error
        upwards, so its interval can lie above its value.

    Raises:
        PairDxError: The table is not a predictions table (see ``read_predictions``).
    """
    read = read_predictions(predictions, classes, subset=subset)
    values = metric_values(read, calibration_bins=calibration_bins)
    resampled = bootstrap_metrics(
        read, resamples=resamples, seed=seed, calibration_bins=calibration_bins
    )
    worths = worth_of_metrics(read)
    with_intervals = {}
    for name, value in values.items():
        low, high = metric_interval(name, value, resampled[name], level, worths, read.cases)
        with_intervals[name] = {"value": value, "low": low, "high": high}
    return {
        "subset": subset,
        "pairs": len(read.truth),
        "cases": read.cases,
        **with_intervals,
        "per_class": per_class([read], classes, resamples=resamples, seed=seed, level=level),
        "confusion": sk.confusion_matrix(
            read.truth, read.predicted, labels=range(len(classes))
        ).tolist(),
        "classes": list(classes),
        "calibration_bins": calibration_bins,
        "interval": interval_description(resamples, level, seed),
    }


def worth_of_metrics(read: Predictions) -> dict[str, float]:
    """Return how many independent pairs each share is over if those of one case are always alike.

    Of AUROC it is the rarer side that counts: a perfect ranking is one of so many positives.
    """
    whole = pairs_if_cases_agree(read.case, read.cases)
    rows = [read.truth == index for index in read.present()]
    positives = np.array([_worth(read, of_class) for of_class in rows])
    average = worth_of_average(positives)
    rarer = np.array([min(_worth(read, one), _worth(read, ~one)) for one in rows])
    return {
        **dict.fromkeys(("accuracy", "weighted_f1"), whole),
        **dict.fromkeys(("balanced_accuracy", "macro_f1", "macro_average_precision"), average),
        "macro_auroc": worth_of_average(rarer) if rarer.all() else 0.0,
    }


def _worth(read: Predictions, chosen: NDArray[np.bool_]) -> float:
    sizes = np.bincount(read.case[chosen], minlength=read.cases)
    return worth_of_sizes(sizes.astype(np.float64))


def metric_interval(
    name: str,
    value: float | None,
    resampled: NDArray[np.float64],
    level: float,
    worths: Mapping[str, float],
    cases: int,
) -> tuple[float | None, float | None]:
    """Return the interval of one of the eight metrics: a score interval where it is a share.

    Args:
        name: Of the metric.
        value: Its value; None where it is undefined.
        resampled: float64 [R], the same in every resample of the cases.
        level: Coverage of the interval.
        worths: What :func:`worth_of_metrics` returned.
        cases: Number of cases.
    """
    if name in PERCENTILES:
        return interval_around(value, resampled, level, cases)
    return score_interval(value, resampled, level, worth=worths[name], cases=cases)


def metric_values(
    read: Predictions, *, calibration_bins: int = CALIBRATION_BINS
) -> dict[str, float | None]:
    """Compute the eight metrics of a subset; ``None`` where a metric is undefined."""
    present = read.present()
    truth, predicted = read.truth, read.predicted
    over_present: dict[str, Any] = {"labels": present, "zero_division": 0.0}
    f1 = {
        average: float(sk.f1_score(truth, predicted, average=average, **over_present))
        for average in ("macro", "weighted")
    }
    return {
        "accuracy": float(sk.accuracy_score(truth, predicted)),
        "balanced_accuracy": float(
            sk.recall_score(truth, predicted, average="macro", **over_present)
        ),
        "macro_f1": f1["macro"],
        "weighted_f1": f1["weighted"],
        "macro_auroc": _macro_over_classes(sk.roc_auc_score, read),
        "macro_average_precision": _macro_over_classes(sk.average_precision_score, read),
        "brier_score": float(read.squared_distance.mean()),
        "expected_calibration_error": expected_calibration_error(
            read.confidence, read.correct, bins=calibration_bins
        ),
    }


def _macro_over_classes(score: Callable[..., float], read: Predictions) -> float | None:
    """Average a one-versus-rest score over the present classes; None with fewer than two."""
    present = read.present()
    if len(present) < 2:
        return None
    scores = [score(read.truth == index, read.probabilities[:, index]) for index in present]
    return float(np.mean(scores))
