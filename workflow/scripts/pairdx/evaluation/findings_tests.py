"""Do two systems differ in what they find, on the same patients?

The patients are resampled, and both systems see the same draws. Every metric of findings is
compared by its mean over seeds. As for single labels (:mod:`pairdx.evaluation.method_tests`), that
speaks of the trained networks; what trainings differ by beyond their pairs is a variance more, and
then it speaks of the methods.

F1 and MCC are over the findings that every system has a threshold for with each of its seeds: what
is compared is over the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pairdx.evaluation.holm import holm
from pairdx.evaluation.method_tests import Method, method_difference
from pairdx.evaluation.scores import defined, read_seeds, resampled, values, worth_of_shares
from pairdx.tasks.base import Metric
from pairdx.tasks.multi_label.metrics import averaged_sides
from pairdx.tasks.multi_label.rows import Findings
from pairdx.tasks.multi_label.task import TASK
from pairdx.tasks.multi_label.weighed import Weighed

Array = NDArray[np.float64]
Declared = Metric[Findings, Weighed]
TEST_COLUMNS = (
    *("system_a", "system_b", "metric", "value_a", "value_b", "seeds_a", "seeds_b"),
    *("difference", "difference_low", "difference_high", "p", "p_holm"),
    *("method_difference_low", "method_difference_high", "p_method", "p_method_holm"),
    *("findings", "decided", "pairs", "patients", "resamples"),
)


@dataclass(frozen=True)
class Measured:
    """One metric of one system.

    Attributes:
        whole: float64 [S], with each seed.
        drawn: float64 [S, R], in each resample of the patients.
    """

    whole: Array
    drawn: Array


@dataclass(frozen=True)
class Difference:
    """How much more of a metric the first of two systems has.

    Attributes:
        value: Difference of the means over seeds; None where one of them is undefined.
        low: Lower end of its interval; None where there is none (a single patient).
        high: Upper end.
        p: Of no difference.
        patients: Number of patients (cases) that were drawn from.
        of_methods: Whether interval and p hold for other trainings too: each system was trained at
            least twice, or has no randomness. Else they are of the trained networks alone.
    """

    value: float | None
    low: float | None
    high: float | None
    p: float | None
    patients: int
    of_methods: bool


def compare(
    tables_a: Sequence[pd.DataFrame],
    tables_b: Sequence[pd.DataFrame],
    classes: Sequence[str],
    *,
    metric: str,
    resamples: int,
    seed: int,
    level: float = 0.95,
    random: tuple[bool, bool] = (True, True),
    subset: str = "test",
) -> Difference:
    """Compare two systems by the mean over seeds of one metric, on the same pairs.

    Args:
        tables_a: Of the first system, one predictions table per seed.
        tables_b: Of the second; their number may differ.
        classes: The findings.
        metric: Name of a metric of the task, such as ``macro_auroc``.
        resamples: Number of bootstrap resamples of the patients.
        seed: Seed of the resampling.
        level: Coverage of the interval.
        random: Of either system, whether another seed would give another result.
        subset: The subset to compare on.

    Raises:
        PairDxError: The tables are over different pairs, cases or findings.
    """
    (declared,) = named_metrics([metric])
    reads = read_seeds(TASK, [*tables_a, *tables_b], classes, subset=subset)
    how = {"resamples": resamples, "seed": seed}
    sides = reads[: len(tables_a)], reads[len(tables_a) :]
    first, second = (measured(side, [declared], **how)[0] for side in sides)
    return difference(first, second, declared, reads[0], level=level, random=random)


def named_metrics(names: Sequence[str]) -> list[Declared]:
    """Return metrics of the task by their names."""
    of_task = {metric.name: metric for metric in TASK.metrics}
    return [of_task[name] for name in names]


def measured(
    reads: Sequence[Findings], metrics: Sequence[Declared], *, resamples: int, seed: int
) -> list[Measured]:
    """Compute metrics of one system with each of its seeds, and in resamples of the patients.

    Args:
        reads: The same pairs as predicted with each seed.
        metrics: What to compute.
        resamples: Number of resamples; with the same ``seed`` they are the same for all systems.
        seed: Seed of the draws.
    """
    whole = [values(TASK, read, metrics) for read in reads]
    drawn = [resampled(TASK, read, metrics, resamples=resamples, seed=seed) for read in reads]
    return [
        Measured(
            np.array([one[at] for one in whole], dtype=np.float64),
            np.array([one[at] for one in drawn], dtype=np.float64),
        )
        for at in range(len(metrics))
    ]


def difference(
    first: Measured,
    second: Measured,
    metric: Declared,
    read: Findings,
    *,
    level: float,
    random: tuple[bool, bool],
) -> Difference:
    """Compare one metric of two systems; see :func:`compare`.

    Args:
        first: Of the first system.
        second: Of the second, in the same resamples.
        metric: What was measured.
        read: The pairs.
        level: Coverage of the interval.
        random: Of either system, whether another seed would give another result.
    """
    methods = [
        _method(one, varies, read.cases)
        for one, varies in zip((first, second), random, strict=True)
    ]
    of_methods = all(method.known for method in methods)
    if not of_methods:
        methods = [replace(method, variance=0.0, known=True) for method in methods]
    value = defined(methods[0].accuracy - methods[1].accuracy)
    low, high, p = _interval(methods, metric, read, level) if value is not None else (None,) * 3
    return Difference(value, low, high, p, read.cases, of_methods)


def _method(found: Measured, random: bool, cases: int) -> Method:
    """Put together what is known of a system, as ``method_tests`` does of shares of pairs.

    The variance between trainings holds what the choice of patients adds to it, by which their
    metrics differ in every resample: that is taken out.
    """
    seeds, spread = len(found.whole), 0.0
    if random and seeds > 1 and cases > 1:
        drawn = found.drawn[:, ~np.isnan(found.drawn).any(axis=0)]
        off = drawn - drawn.mean(axis=0)
        by_patients = off.var(axis=1, ddof=1).sum() / (seeds - 1) if off.shape[1] > 1 else 0.0
        own = found.whole.var(ddof=1) - by_patients * cases / (cases - 1)
        spread = max(0.0, float(own)) / seeds
    mean = found.drawn.mean(axis=0)
    return Method(float(found.whole.mean()), seeds, mean, spread, seeds > 1 or not random)


def _interval(
    methods: Sequence[Method], metric: Declared, read: Findings, level: float
) -> tuple[float | None, float | None, float | None]:
    """Return interval and p of the difference of two methods, from the resamples that have both."""
    both = ~np.isnan([method.resampled for method in methods]).any(axis=0)
    if both.sum() < 2:
        return None, None, None
    first, second = (replace(one, resampled=one.resampled[both]) for one in methods)
    sizes = np.bincount(read.case, minlength=read.cases).astype(np.float64)
    worth = worth_of_shares(averaged_sides(read, metric.name), read)
    _, low, high, p = method_difference(first, second, sizes, level=level, worth=worth)
    if low is None or high is None or metric.shares is None:
        return low, high, p
    # Two seeds that differ much reach beyond what a difference of shares can be.
    return max(low, -1.0), min(high, 1.0), p


def findings_tests(
    predictions: Mapping[str, Sequence[pd.DataFrame]],
    classes: Sequence[str],
    *,
    metrics: Sequence[str],
    random: Mapping[str, bool],
    resamples: int,
    seed: int,
    level: float = 0.95,
    subset: str = "test",
) -> pd.DataFrame:
    """Compare every two systems by every metric; each is resampled once.

    Args:
        predictions: Per system one predictions table per seed, all over the same pairs.
        classes: The findings.
        metrics: Names of metrics of the task.
        random: Per system, whether another seed would give another result.
        resamples: Number of bootstrap resamples of the patients.
        seed: Seed of the resampling.
        level: Coverage of the intervals.
        subset: The subset to compare on.

    Returns:
        The columns :data:`TEST_COLUMNS`, one row per two systems and metric. Values are means over
        seeds; ``difference`` is a minus b with interval and p of the trained networks,
        ``method_...`` those of the methods (empty where a system with randomness was trained once;
        the same where neither has randomness). Holm's correction is over the couples of systems of
        one metric. ``findings`` is how many count, ``decided`` how many of these all systems
        have a threshold for with all seeds: F1 and MCC are over those.

    Raises:
        PairDxError: The tables are over different pairs, cases or findings.
    """
    names, declared = list(predictions), named_metrics(metrics)
    tables = [table for name in names for table in predictions[name]]
    reads = iter(read_seeds(TASK, tables, classes, subset=subset))
    of_systems = {name: [next(reads) for _ in predictions[name]] for name in names}
    found = {
        name: measured(of_systems[name], declared, resamples=resamples, seed=seed) for name in names
    }
    read = of_systems[names[0]][0]
    decided = read.counted & ~np.isnan(read.thresholds)  # the same in all reads
    rows = [
        {
            **{"system_a": a, "system_b": b, "metric": metric.name},
            **_compared(found[a][at], found[b][at], metric, read, level, (random[a], random[b])),
            **{"findings": int(read.counted.sum()), "decided": int(decided.sum())},
            **{"pairs": len(read), "patients": read.cases, "resamples": resamples},
        }
        for at, metric in enumerate(declared)
        for a, b in combinations(names, 2)
    ]
    table = pd.DataFrame(rows, columns=list(TEST_COLUMNS))
    numbers = [name for name in TEST_COLUMNS[3:16] if not name.startswith("seeds")]
    table = table.astype(dict.fromkeys(numbers, "float64"))
    for _, of_metric in table.groupby("metric", sort=False):
        for name in ("p", "p_method"):
            corrected = holm(of_metric[name].to_numpy(dtype=np.float64))
            table.loc[of_metric.index, f"{name}_holm"] = corrected
    return table


def _compared(
    first: Measured,
    second: Measured,
    metric: Declared,
    read: Findings,
    level: float,
    random: tuple[bool, bool],
) -> dict[str, Any]:
    """Compare two systems both ways: as trained networks, and as methods."""
    trained = difference(first, second, metric, read, level=level, random=(False, False))
    methods = difference(first, second, metric, read, level=level, random=random)
    row = {
        "value_a": defined(first.whole.mean()),
        "value_b": defined(second.whole.mean()),
        "seeds_a": len(first.whole),
        "seeds_b": len(second.whole),
        "difference": trained.value,
        "difference_low": trained.low,
        "difference_high": trained.high,
        "p": trained.p,
    }
    if methods.of_methods:
        row |= {
            "method_difference_low": methods.low,
            "method_difference_high": methods.high,
            "p_method": methods.p,
        }
    return row
