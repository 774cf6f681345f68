"""The metrics of one trained system on one subset, each with a bootstrap interval.

Which there are, and how each is computed, its task declares. Every value can be undefined on a
small or lopsided subset; it is then ``None`` (``null`` in metrics.json), never 0 or NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import pandas as pd

from pairdx.evaluation.intervals import interval_description
from pairdx.evaluation.per_class import class_scores
from pairdx.evaluation.scores import Scores, defined, metric_interval, resampled, values
from pairdx.tasks.base import Task
from pairdx.tasks.rows import Read

ReadT = TypeVar("ReadT", bound=Read)
WeighedT = TypeVar("WeighedT")


def evaluate(
    task: Task[ReadT, WeighedT],
    predictions: pd.DataFrame,
    classes: Sequence[str],
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
    subset: str = "test",
) -> dict[str, Any]:
    """Compute the content of metrics.json.

    Args:
        task: What the predictions are of.
        predictions: Rows of the task.
        classes: The classes, in the order of what is listed by class.
        resamples: Number of bootstrap resamples of the cases; with 0 every interval is null.
        seed: Seed of the resampling.
        level: Coverage of the intervals, between 0 and 1.
        subset: The subset to evaluate, ``test`` or ``validation``.

    Returns:
        JSON-ready mapping: subset, pairs, cases, the task's metrics as {value, low, high},
        per_class, classes, interval, and what the task adds: of single labels confusion (rows =
        true class, columns = predicted class) and calibration_bins; of several what is known of
        each class, and thresholds.

        Intervals are score intervals (see ``score_intervals``); those of what is no share, such as
        the Brier score, percentiles of the bootstrap. Resampling biases the calibration error
        upwards, so its interval can lie above its value.

    Raises:
        PairDxError: The table does not hold rows of the task.
    """
    read = task.rows.read_predictions(predictions, classes, subset=subset)
    scores: Scores[ReadT, WeighedT] = [*task.metrics, *task.class_scores]
    whole = values(task, read, scores)
    drawn = resampled(task, read, scores, resamples=resamples, seed=seed)
    count = len(task.metrics)
    with_intervals = {}
    for metric, value, of_resamples in zip(task.metrics, whole, drawn, strict=False):
        low, high = metric_interval(metric, defined(value), of_resamples, level, read)
        with_intervals[metric.name] = {"value": defined(value), "low": low, "high": high}
    return {
        "subset": subset,
        "pairs": len(read),
        "cases": read.cases,
        **with_intervals,
        "per_class": class_scores(
            task, [read], classes, [whole[count:]], [drawn[count:]], level=level
        ),
        "classes": list(classes),
        "interval": interval_description(resamples, level, seed),
        **task.details(read),
    }
