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

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn import metrics as sk

from pairdx.evaluation.calibration import CALIBRATION_BINS, expected_calibration_error
from pairdx.evaluation.intervals import bootstrap_metrics, interval_around, interval_description
from pairdx.evaluation.predictions import Predictions, read_predictions


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

        Resampling biases the calibration error upwards, so its interval can lie above its value.

    Raises:
        PairDxError: The table is not a predictions table (see ``read_predictions``).
    """
    read = read_predictions(predictions, classes, subset=subset)
    values = metric_values(read, calibration_bins=calibration_bins)
    resampled = bootstrap_metrics(
        read, resamples=resamples, seed=seed, calibration_bins=calibration_bins
    )
    with_intervals = {}
    for name, value in values.items():
        low, high = interval_around(value, resampled[name], level, read.cases)
        with_intervals[name] = {"value": value, "low": low, "high": high}
    return {
        "subset": subset,
        "pairs": len(read.truth),
        "cases": read.cases,
        **with_intervals,
        "per_class": per_class(read, classes),
        "confusion": sk.confusion_matrix(
            read.truth, read.predicted, labels=range(len(classes))
        ).tolist(),
        "classes": list(classes),
        "calibration_bins": calibration_bins,
        "interval": interval_description(resamples, level, seed),
    }


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


def per_class(read: Predictions, classes: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Compute precision, recall, F1 and support (number of true pairs) of every class.

    A class absent from the subset has support 0 and no other value. A class that was never
    predicted has no precision; its F1, 2 TP / (2 TP + FP + FN), is 0.
    """
    precision, recall, f1, support = sk.precision_recall_fscore_support(
        read.truth, read.predicted, labels=range(len(classes)), zero_division=np.nan
    )
    table: dict[str, dict[str, float | None]] = {}
    for index, name in enumerate(classes):
        if support[index] == 0:
            table[name] = {"precision": None, "recall": None, "f1": None, "support": 0}
            continue
        table[name] = {
            "precision": None if np.isnan(precision[index]) else float(precision[index]),
            "recall": float(recall[index]),
            "f1": float(f1[index]),
            "support": int(support[index]),
        }
    return table
