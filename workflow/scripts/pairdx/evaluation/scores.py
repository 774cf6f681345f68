"""What a task declares, computed: values, their bootstrap over cases, and intervals.

A metric is a function of pairs under weights. Under weights of one it is the value; under how often
a resample drew each pair, that of the resample.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pairdx.evaluation.intervals import WEIGHTS_PER_CHUNK, case_weights, interval_around
from pairdx.evaluation.score_intervals import score_interval, worth_of_average, worth_of_sizes
from pairdx.tasks.base import Chosen, ClassScore, Metric, Task
from pairdx.tasks.rows import Read

Array = NDArray[np.float64]
ReadT = TypeVar("ReadT", bound=Read)
WeighedT = TypeVar("WeighedT")
Scores = Sequence[Metric[ReadT, WeighedT] | ClassScore[ReadT, WeighedT]]


def read_seeds(
    task: Task[ReadT, WeighedT],
    tables: Sequence[pd.DataFrame],
    classes: Sequence[str],
    *,
    subset: str = "test",
) -> list[ReadT]:
    """Read one subset of the predictions of several seeds or systems, about the same pairs.

    They are made comparable: of several labels per pair, each has thresholds for the same ones.

    Raises:
        PairDxError: They are over different pairs, cases or labels, or are no predictions.
    """
    task.rows.same_pairs(tables, subset, of_what="seeds")
    # From the whole tables: what a task decides on other subsets, such as thresholds, comes along.
    reads = [task.rows.read_predictions(one, classes, subset=subset) for one in tables]
    return task.rows.comparable(reads)


def values(
    task: Task[ReadT, WeighedT], read: ReadT, scores: Scores[ReadT, WeighedT]
) -> list[Array]:
    """Compute scores of a subset: each float64 () or, per class, [C]; NaN where undefined."""
    return [value[0] for value in _under(task, read, np.ones((1, len(read))), scores)]


def resampled(
    task: Task[ReadT, WeighedT],
    read: ReadT,
    scores: Scores[ReadT, WeighedT],
    *,
    resamples: int,
    seed: int,
) -> list[Array]:
    """Compute scores in every resample of the cases, all in the same resamples.

    Returns:
        Per score float64 [resamples] or, per class, [resamples, C]; NaN where undefined.
    """
    rows_at_once = max(1, WEIGHTS_PER_CHUNK // len(read))
    drawn = case_weights(read.cases, resamples=resamples, seed=seed, rows_at_once=rows_at_once)
    parts = [_under(task, read, weights[:, read.case], scores) for weights in drawn]
    parts = parts or [_under(task, read, np.empty((0, len(read))), scores)]
    return [np.concatenate(of_score) for of_score in zip(*parts, strict=True)]


def _under(
    task: Task[ReadT, WeighedT], read: ReadT, weights: Array, scores: Scores[ReadT, WeighedT]
) -> list[Array]:
    weighed = task.weighed(read, weights)
    return [score.under_weights(weighed) for score in scores]


def metric_interval(
    metric: Metric[ReadT, WeighedT],
    value: float | None,
    resampled: Array,
    level: float,
    read: ReadT,
) -> tuple[float | None, float | None]:
    """Return a metric's interval: a score interval where it is a share, else percentiles.

    Args:
        metric: The declaration.
        value: Its value; None where it is undefined.
        resampled: float64 [R], the same in every resample of the cases.
        level: Coverage of the interval.
        read: The pairs.
    """
    if metric.shares is None:
        return interval_around(value, resampled, level, read.cases)
    worth = worth_of_shares(metric.shares(read), read)
    return score_interval(value, resampled, level, worth=worth, cases=read.cases)


def worth_of_shares(shares: Sequence[tuple[Chosen, ...]], read: Read) -> float:
    """Return how many independent pairs an average of shares is over if a case's are always alike.

    Of a share with two sides it is the rarer that counts; 0 where one has no pairs, or there is no
    share.
    """
    worths = np.array([min(worth_of_pairs(side, read) for side in sides) for sides in shares])
    return worth_of_average(worths) if len(worths) and worths.all() else 0.0


def worth_of_pairs(chosen: Chosen, read: Read) -> float:
    """Return how many independent pairs some are worth if those of one case are always alike."""
    sizes = np.bincount(read.case[chosen], minlength=read.cases)
    return worth_of_sizes(sizes.astype(np.float64))


def defined(value: Array | float) -> float | None:
    """Return a value as JSON has it: None where it is not a number."""
    return None if np.isnan(value) else float(value)
