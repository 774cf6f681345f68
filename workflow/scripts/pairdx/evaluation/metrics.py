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
from numpy.typing import NDArray
from sklearn import metrics as sk

from pairdx.errors import PairDxError
from pairdx.evaluation.intervals import bootstrap_mean, bootstrap_metrics, interval_around
from pairdx.evaluation.predictions import (
    Predictions,
    correctness,
    read_predictions,
    same_pairs,
    subset_rows,
)

CALIBRATION_BINS = 15  # as in Guo et al. 2017, "On calibration of modern neural networks"


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
        "interval": _interval_description(resamples, level, seed),
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


def expected_calibration_error(
    confidence: NDArray[np.float64], correct: NDArray[np.float64], *, bins: int
) -> float:
    """Return the mean gap between confidence and accuracy over equal-width bins, weighted by pairs.

    Args:
        confidence: float [N], the probability of the most probable class.
        correct: float [N], 1 where the prediction is right.
        bins: Number of bins; bin b holds confidences in (b / bins, (b + 1) / bins].

    Source: Guo et al. 2017, equation 3.
    """
    index = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    gaps = np.bincount(index, weights=correct - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))


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


def accuracy_over_seeds(
    predictions: Sequence[pd.DataFrame],
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
    subset: str = "test",
) -> dict[str, Any]:
    """Compute the mean accuracy of one system over its training seeds.

    The interval is a bootstrap over cases of each pair's mean correctness. It describes the choice
    of test cases with the trained weights held fixed, not the spread that more seeds would show.

    Args:
        predictions: One predictions table per seed, over the same pairs.
        resamples: Number of bootstrap resamples of the cases.
        seed: Seed of the resampling.
        level: Coverage of the interval.
        subset: The subset to evaluate.

    Returns:
        value, low, high, seeds (how many), pairs, cases, interval.

    Raises:
        PairDxError: There is no table, or the tables are over different pairs or labels.
    """
    correct, keys = _mean_correctness(predictions, subset)
    case, names = pd.factorize(keys["case_id"], sort=True)
    means = bootstrap_mean(correct, case, len(names), resamples=resamples, seed=seed)
    value = float(correct.mean())
    low, high = interval_around(value, means, level, len(names))
    return {
        "value": value,
        "low": low,
        "high": high,
        "seeds": len(predictions),
        "pairs": len(correct),
        "cases": len(names),
        "interval": _interval_description(resamples, level, seed),
    }


def accuracy_difference(
    predictions: Sequence[pd.DataFrame],
    reference: Sequence[pd.DataFrame],
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
    subset: str = "test",
) -> dict[str, float | None]:
    """Compute how much higher the mean accuracy over seeds is than the reference's.

    The interval is a bootstrap over cases of each pair's difference in mean correctness: both are
    resampled together, because they answer for the same pairs.

    Args:
        predictions: One predictions table per seed.
        reference: Likewise, over the same pairs.
        resamples: Number of bootstrap resamples of the cases.
        seed: Seed of the resampling.
        level: Coverage of the interval.
        subset: The subset to evaluate.

    Returns:
        value, low, high.

    Raises:
        PairDxError: There is no table, or the tables are over different pairs or labels.
    """
    correct, keys = _mean_correctness(predictions, subset)
    other, other_keys = _mean_correctness(reference, subset)
    if not keys.equals(other_keys):
        raise PairDxError("two accuracies are to be compared that are over different pairs")
    case, names = pd.factorize(keys["case_id"], sort=True)
    gain = correct - other
    means = bootstrap_mean(gain, case, len(names), resamples=resamples, seed=seed)
    low, high = interval_around(float(gain.mean()), means, level, len(names))
    return {"value": float(gain.mean()), "low": low, "high": high}


def _mean_correctness(
    predictions: Sequence[pd.DataFrame], subset: str
) -> tuple[NDArray[np.float64], pd.DataFrame]:
    """Return each pair's share of seeds that are right, float64 (N,), and what names the pairs."""
    if not predictions:
        raise PairDxError("no predictions were given to average over seeds")
    tables = same_pairs(predictions, subset, of_what="seeds")
    keys = tables[0][["pair_id", "case_id", "label"]]
    return np.mean([correctness(table) for table in tables], axis=0), keys


def majority_share(predictions: pd.DataFrame, *, subset: str = "test") -> float:
    """Return the share of the subset's most frequent class: the accuracy of a constant guess."""
    return float(subset_rows(predictions, subset)["label"].value_counts(normalize=True).iloc[0])


def _interval_description(resamples: int, level: float, seed: int) -> dict[str, Any]:
    return {
        "method": "percentile bootstrap over cases",
        "resamples": resamples,
        "level": level,
        "seed": seed,
    }
