"""The scores of every class (precision, recall, F1), each with an interval over cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pairdx.evaluation.intervals import interval_around
from pairdx.evaluation.score_intervals import score_interval
from pairdx.evaluation.scores import resampled, values, worth_of_pairs
from pairdx.tasks.base import ClassScore, Task
from pairdx.tasks.rows import Read

Array = NDArray[np.float64]
ReadT = TypeVar("ReadT", bound=Read)
WeighedT = TypeVar("WeighedT")
OfClass = dict[str, float | None]


def per_class(
    task: Task[ReadT, WeighedT],
    reads: Sequence[ReadT],
    classes: Sequence[str],
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
) -> dict[str, OfClass]:
    """Compute the task's scores and support (number of true pairs) of every class.

    A class absent from the subset has support 0 and no other value. A class that was never
    predicted has no precision; its F1, 2 TP / (2 TP + FP + FN), is 0.

    Args:
        task: What the predictions are of.
        reads: The same pairs as predicted with each seed; values are means over those seeds that
            define them.
        classes: The classes.
        resamples: Number of bootstrap resamples of the cases; with 0 there are no intervals.
        seed: Seed of the resampling.
        level: Coverage of the intervals, which are score intervals where scores are shares (see
            ``score_intervals``), else percentiles.

    Returns:
        Per class: each score (precision, recall, f1), also with ``_low`` and ``_high``, and
        support.
    """
    scores = task.class_scores
    whole = [values(task, one, scores) for one in reads]
    drawn = [resampled(task, one, scores, resamples=resamples, seed=seed) for one in reads]
    return class_scores(task, reads, classes, whole, drawn, level=level)


def class_scores(
    task: Task[ReadT, WeighedT],
    reads: Sequence[ReadT],
    classes: Sequence[str],
    whole: Sequence[Sequence[Array]],
    drawn: Sequence[Sequence[Array]],
    *,
    level: float,
) -> dict[str, OfClass]:
    """Put together what :func:`per_class` returns.

    Args:
        task: What the predictions are of.
        reads: The same pairs as predicted with each seed.
        classes: The C classes.
        whole: Per seed and score of the task, float64 [C].
        drawn: Per seed and score of the task, float64 [R, C]: the same in every resample.
        level: Coverage of the intervals.
    """
    support = task.support(reads[0])
    table: dict[str, OfClass] = {}
    for index, name in enumerate(classes):
        table[name] = {}
        for position, score in enumerate(task.class_scores):
            of_seeds = np.array([one[position][index] for one in whole])
            known = of_seeds[~np.isnan(of_seeds)]
            value = float(known.mean()) if len(known) else None
            columns = np.mean([one[position][:, index] for one in drawn], axis=0)
            low, high = _interval(score, index, value, columns, level, reads)
            table[name] |= {score.name: value, f"{score.name}_low": low, f"{score.name}_high": high}
        table[name]["support"] = support[index]
    return table


def _interval(
    score: ClassScore[ReadT, WeighedT],
    index: int,
    value: float | None,
    drawn: Array,
    level: float,
    reads: Sequence[ReadT],
) -> tuple[float | None, float | None]:
    """Return the interval of one score of one class from its resampled means over seeds, [R]."""
    cases = reads[0].cases
    if score.pairs is None:
        return interval_around(value, drawn, level, cases)
    worth = float(np.mean([worth_of_pairs(score.pairs(one, index), one) for one in reads]))
    return score_interval(value, drawn, level, worth=worth, cases=cases)
