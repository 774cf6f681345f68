"""Several labels per pair: the findings of an image, each scored, and their averages.

The averages ("macro") are over the findings that count: those that are true of some pair of the
subset and known not to be there in another. Of one that does not count scores are left empty,
never 0, but for those that need one side only: specificity where it is true of no pair, sensitivity
and precision where of all. What is not known of a pair counts nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pairdx import finding_texts
from pairdx.evaluation.findings_tests import difference, measured, named_metrics
from pairdx.evaluation.per_class import class_scores
from pairdx.evaluation.scores import Scores, defined, metric_interval, read_seeds, resampled, values
from pairdx.finding_texts import COLUMN
from pairdx.tasks.base import Metric, Task
from pairdx.tasks.multi_label.rows import Findings, of_probabilities
from pairdx.tasks.multi_label.task import TASK
from pairdx.tasks.multi_label.weighed import Weighed

Array = NDArray[np.float64]
KNOWN = {1.0: True, 0.0: False}
MACRO = "macro"
# Columns of scores: each has also _low, _high and _sd (over seeds, of a sample).
SCORES = ("auroc", "average_precision", "f1", "mcc", "sensitivity", "specificity", "precision")
COLUMNS = (
    *("finding", "counts", "decided", "positives", "negatives", "unknown"),
    *("validation_positives", "threshold", "seeds"),
    *(f"{name}{end}" for name in SCORES for end in ("", "_low", "_high", "_sd")),
)
PROMPT_COLUMNS = (
    *("prompts", "seeds", "macro_auroc", "low", "high", "sd"),
    *("difference", "difference_low", "difference_high"),
)


def of_findings(table: pd.DataFrame, classes: Sequence[str], chosen: Sequence[str]) -> pd.DataFrame:
    """Return a predictions table of some of its findings, such as the five of a competition.

    Args:
        table: Rows of several labels per pair.
        classes: All findings of the table.
        chosen: Those that stay.
    """
    states = finding_texts.decode(table[COLUMN], classes)
    places = [list(classes).index(name) for name in chosen]
    texts = [
        finding_texts.encode(dict(zip(chosen, map(KNOWN.get, row), strict=True)), chosen)
        for row in states[:, places].tolist()
    ]
    kept = ["pair_id", "case_id", "subset", COLUMN, *of_probabilities(chosen)]
    return table.assign(**{COLUMN: texts})[kept]


def ensemble(tables: Sequence[pd.DataFrame], classes: Sequence[str]) -> pd.DataFrame:
    """Average the probabilities of several seeds: one predictions table, of the same rows.

    Thresholds are then chosen on the averages of the validation rows.

    Raises:
        PairDxError: They are over different pairs, cases or findings.
    """
    parts = []
    for subset in tables[0]["subset"].unique():
        rows = TASK.rows.same_pairs(tables, subset, of_what="seeds")
        names = of_probabilities(classes)
        means = np.mean([one[names].to_numpy(dtype=np.float64) for one in rows], axis=0)
        parts.append(rows[0].assign(**dict(zip(names, means.T, strict=True))))
    return pd.concat(parts, ignore_index=True)


def finding_scores(
    task: Task[Findings, Weighed],
    tables: Sequence[pd.DataFrame],
    classes: Sequence[str],
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
    subset: str = "test",
) -> pd.DataFrame:
    """Score every finding and their average, means over seeds with intervals over patients.

    Args:
        task: That of several labels per pair.
        tables: One predictions table per seed, over the same pairs.
        classes: The findings.
        resamples: Number of bootstrap resamples of the patients.
        seed: Seed of the resampling.
        level: Coverage of the intervals.
        subset: The subset to score.

    Returns:
        The columns :data:`COLUMNS`: one row per finding, and one called ``macro`` with the averages
        over those that count. ``counts`` is 1 where it does (of ``macro``: how many do),
        ``decided`` where F1 and MCC count it too, which need a threshold with every seed. The
        numbers of pairs of ``macro`` are sums over those that count. ``threshold`` is the mean over
        seeds. Empty where undefined; ``_sd`` of one seed too. The last three scores have no
        average.
    """
    reads = read_seeds(task, tables, classes, subset=subset)
    of_task = {f"{MACRO}_{name}": name for name in SCORES}
    averages = [metric for metric in task.metrics if metric.name in of_task]
    scores: Scores[Findings, Weighed] = [*averages, *task.class_scores]
    whole = [values(task, read, scores) for read in reads]
    drawn = [resampled(task, read, scores, resamples=resamples, seed=seed) for read in reads]
    count = len(averages)
    found = class_scores(
        task,
        reads,
        classes,
        *([one[count:] for one in of_seeds] for of_seeds in (whole, drawn)),
        level=level,
    )
    for index, finding in enumerate(classes):
        for at, score in enumerate(task.class_scores, start=count):
            of_seeds = np.array([one[at][index] for one in whole], dtype=np.float64)
            found[finding][f"{score.name}_sd"] = _sd(of_seeds)
    last: dict[str, float | None] = {}
    for at, metric in enumerate(averages):
        of_seeds = np.array([one[at] for one in whole], dtype=np.float64)
        of_resamples = np.mean([one[at] for one in drawn], axis=0)
        last |= _average(metric, of_task[metric.name], of_seeds, of_resamples, level, reads[0])
    table = _known(reads, classes).join(pd.DataFrame([*found.values(), last]))
    return table[list(COLUMNS)].astype(dict.fromkeys(COLUMNS[9:], "float64"))


def _average(
    metric: Metric[Findings, Weighed],
    name: str,
    of_seeds: Array,
    of_resamples: Array,
    level: float,
    read: Findings,
) -> dict[str, float | None]:
    mean = defined(of_seeds.mean())
    low, high = metric_interval(metric, mean, of_resamples, level, read)
    return {name: mean, f"{name}_low": low, f"{name}_high": high, f"{name}_sd": _sd(of_seeds)}


def _known(reads: Sequence[Findings], classes: Sequence[str]) -> pd.DataFrame:
    """Count what is known of every finding and, last, of those that count."""
    read = reads[0]
    thresholds = np.mean([one.thresholds for one in reads], axis=0)
    of_each = {
        "counts": read.counted.astype(int),
        "decided": (read.counted & ~np.isnan(thresholds)).astype(int),
        "positives": (read.truth == 1).sum(axis=0),
        "negatives": (read.truth == 0).sum(axis=0),
        "unknown": np.isnan(read.truth).sum(axis=0),
        "validation_positives": read.validation_positives,
    }
    table = pd.DataFrame(of_each)
    table.loc[len(table)] = table[read.counted].sum()
    table.insert(0, "finding", [*classes, MACRO])
    return table.assign(threshold=[*thresholds, np.nan], seeds=len(reads))


def _sd(of_seeds: Array) -> float | None:
    """Return the standard deviation over seeds; None of one, or where one is undefined."""
    if len(of_seeds) < 2 or np.isnan(of_seeds).any():
        return None
    return float(of_seeds.std(ddof=1))


def roc_points(
    tables: Sequence[pd.DataFrame], classes: Sequence[str], *, subset: str = "test"
) -> pd.DataFrame:
    """Return the corners of the ROC curve of every finding that counts and every seed.

    Returns:
        finding, seed (position of its table), fpr, tpr; each curve from (0, 0) to (1, 1).
    """
    parts = []
    for position, read in enumerate(read_seeds(TASK, tables, classes, subset=subset)):
        for index in np.flatnonzero(read.counted).tolist():
            rates = _corners(read.truth[:, index], read.probabilities[:, index])
            rates.insert(0, "finding", classes[index])
            rates.insert(1, "seed", position)
            parts.append(rates)
    empty = pd.DataFrame(columns=["finding", "seed", "fpr", "tpr"])
    return pd.concat(parts, ignore_index=True) if parts else empty


def _corners(truth: Array, scores: Array) -> pd.DataFrame:
    """Return fpr and tpr from the highest score down, without points on a straight line."""
    known = ~np.isnan(truth)
    _, place = np.unique(-scores[known], return_inverse=True)
    counts = [
        np.concatenate([[0], np.cumsum(np.bincount(place, weights=truth[known] == side))])
        for side in (0, 1)
    ]
    steps = [np.diff(one) for one in counts]
    turns = steps[0][1:] * steps[1][:-1] != steps[0][:-1] * steps[1][1:]
    kept = np.concatenate([[True], turns, [True]])
    return pd.DataFrame(
        {name: one[kept] / one[-1] for name, one in zip(("fpr", "tpr"), counts, strict=True)}
    )


def by_prompts(
    tables: Sequence[pd.DataFrame],
    classes: Sequence[str],
    *,
    own: str,
    resamples: int,
    seed: int,
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare the macro AUROC by every set of prompts with that by the system's own.

    Args:
        tables: Per seed the content of prompts.parquet: the same test pairs by each set, named in
            the column ``prompts``.
        classes: The findings.
        own: The name of the system's own set there.
        resamples: Number of bootstrap resamples of the patients.
        seed: Seed of the resampling.
        level: Coverage of the intervals.

    Returns:
        prompts, seeds, macro_auroc (mean over seeds), low, high, sd; difference (to the own set,
        for the same trainings), difference_low, difference_high. A row per set, in their order; of
        the own one without a difference.
    """
    (metric,), how = named_metrics(["macro_auroc"]), {"resamples": resamples, "seed": seed}
    sets = {
        str(name): [one[one["prompts"] == name] for one in tables]
        for name in tables[0]["prompts"].unique()
    }
    reads = {name: read_seeds(TASK, each, classes) for name, each in sets.items()}
    found = {name: measured(each, [metric], **how)[0] for name, each in reads.items()}
    rows: list[dict[str, Any]] = []
    for name, one in found.items():
        read, mean = reads[name][0], defined(one.whole.mean())
        low, high = metric_interval(metric, mean, one.drawn.mean(axis=0), level, read)
        row = {"prompts": name, "seeds": len(one.whole), "macro_auroc": mean}
        row |= {"low": low, "high": high, "sd": _sd(one.whole)}
        if name != own:
            gain = difference(one, found[own], metric, read, level=level, random=(False, False))
            row |= {"difference": gain.value}
            row |= {"difference_low": gain.low, "difference_high": gain.high}
        rows.append(row)
    table = pd.DataFrame(rows, columns=list(PROMPT_COLUMNS))
    return table.astype(dict.fromkeys(PROMPT_COLUMNS[2:], "float64"))
