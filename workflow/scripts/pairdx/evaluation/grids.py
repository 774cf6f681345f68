"""Tables whose rows are backbones and whose columns are ways to adapt them, cell by cell.

A cell is a system on one split, with all its trainings. Every column is compared with the baseline
column of its row, on the same test pairs, as methods (:mod:`pairdx.evaluation.method_tests`): cases
are resampled, and the variance between trainings is added.

That is written for means over pairs: see :mod:`pairdx.evaluation.contributions`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pairdx.evaluation.contributions import METRICS, contributed
from pairdx.evaluation.mean_gains import (
    BASELINE,
    NOT_TESTED,
    ONE_SEED,
    Compared,
    mean_rows,
    verdict_of,
)
from pairdx.evaluation.method_tests import Method, method_difference, methods_of
from pairdx.evaluation.scores import defined, read_seeds, values, worth_of_shares
from pairdx.plan.grids import ASKED
from pairdx.tasks.base import Metric, Task

Array = NDArray[np.float64]
COLUMNS = (
    *("row", "dataset", "split", "column", "system", "seeds", "cases"),
    *("mean", "standard_deviation"),
    *("difference", "difference_low", "difference_high", "p", "verdict"),
    *("paper", "paper_standard_deviation", "paper_difference", "paper_place", "left_out"),
)


@dataclass(frozen=True)
class GridCell:
    """One system on one split, or why there is none.

    Attributes:
        row: Key of the backbone.
        column: Key of the way.
        dataset: Name of the dataset.
        split: Name of the split.
        system: Name of the system; None where the row has none in this column.
        left_out: Why there is no result; None where there is one.
        predictions: predictions.parquet of every seed; none where it is left out.
        random: Whether another seed would give another result.
    """

    row: str
    column: str
    dataset: str
    split: str
    system: str | None
    left_out: str | None = None
    predictions: Sequence[pd.DataFrame] = ()
    random: bool = True


class Measured(NamedTuple):
    """A metric with every seed: float64 [S], and the contributions of its pairs, [S, N]."""

    seeds: Array
    contributions: Array


def grid_table(
    cells: Sequence[GridCell],
    tasks: Mapping[str, Task[Any, Any]],
    classes: Mapping[str, Sequence[str]],
    stated: Mapping[tuple[str, str, str], Mapping[str, Any]],
    *,
    metric: str,
    baseline: str,
    resamples: int,
    seed: int,
    level: float = 0.95,
) -> pd.DataFrame:
    """Build tables/grid_{grid}.csv: a row per row of the grid, dataset, split and column.

    Args:
        cells: Of the grid, those left out too.
        tasks: What the predictions of every dataset are of.
        classes: The labels of every dataset, in order.
        stated: What the paper states of a system, by dataset, split and system: ``value``, ``sd``
            and ``place``. Where it is empty, there are no columns of a paper.
        metric: Name of a metric of every task.
        baseline: The column that the others are compared with.
        resamples: Number of resamples of the cases.
        seed: Seed of the resampling.
        level: Coverage of the intervals.

    Returns:
        row, dataset, split, column, system, seeds and cases (how many of each), mean and
        standard_deviation (over seeds, of a sample), difference to the baseline with its interval,
        p of no difference (not corrected for the number of comparisons), verdict; the paper's
        value, standard deviation, difference to its baseline and place; left_out, the reason where
        there is no result. Shares are fractions of 1. Of systems asked about other datasets
        further rows with the means over all test sets, and over all rows
        (:func:`pairdx.evaluation.mean_gains.mean_rows`).
    """
    groups: dict[tuple[str, str, str], list[GridCell]] = {}
    for cell in cells:
        groups.setdefault((cell.row, cell.dataset, cell.split), []).append(cell)
    rows: list[dict[str, Any]] = []
    compared: list[Compared] = []
    # Means over test sets take their draws for independent.
    elsewhere = [name for name in dict.fromkeys(cell.dataset for cell in cells) if ASKED in name]
    for (_, dataset, split), of_row in groups.items():
        draws = seed + (1 + elsewhere.index(dataset) if dataset in elsewhere else 0)
        found, of_methods = _rows_of(
            of_row,
            tasks[dataset],
            classes[dataset],
            metric=metric,
            baseline=baseline,
            how={"resamples": resamples, "seed": draws, "level": level},
        )
        compared += of_methods
        theirs = [stated.get((dataset, split, str(cell.system)), {}) for cell in of_row]
        first = next(
            (one for cell, one in zip(of_row, theirs, strict=True) if cell.column == baseline), {}
        )
        rows += [
            {**row, **_of_paper(one, first, is_baseline=cell.column == baseline)}
            for cell, row, one in zip(of_row, found, theirs, strict=True)
        ]
    if elsewhere:
        rows += mean_rows(compared, baseline, level=level)
    numbers = [name for name in COLUMNS if name.startswith(("difference", "standard", "paper"))]
    numbers = [name for name in numbers if name != "paper_place"] + ["mean", "p"]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table = table.astype({**dict.fromkeys(numbers, "float64"), "seeds": "Int64", "cases": "Int64"})
    papers = [name for name in COLUMNS if name.startswith("paper")]
    return table if stated else table.drop(columns=papers)


def alone(cells: Sequence[GridCell]) -> list[str]:
    """Name the datasets in which every test pair is a case of its own.

    Args:
        cells: Of a grid; those left out say nothing.
    """
    found: dict[str, bool] = {}
    for cell in cells:
        for table in cell.predictions[:1]:  # other seeds are of the same pairs
            unique = table.loc[table["subset"] == "test", "case_id"].is_unique
            found[cell.dataset] = found.get(cell.dataset, True) and bool(unique)
    return [name for name, unique in found.items() if unique]


def _rows_of(
    cells: Sequence[GridCell],
    task: Task[Any, Any],
    classes: Sequence[str],
    *,
    metric: str,
    baseline: str,
    how: Mapping[str, Any],
) -> tuple[list[dict[str, Any]], list[Compared]]:
    """Measure the cells of one row on one split, and compare each with the baseline's."""
    there = [cell for cell in cells if cell.left_out is None]
    declared = next(one for one in task.metrics if one.name == metric)
    measured: dict[str, Measured] = {}
    methods: dict[str, Method] = {}
    sizes, least = np.empty(0), 0.0
    if there:
        tables = [table for cell in there for table in cell.predictions]
        # All over the same pairs, or an error says that they are not.
        reads = iter(read_seeds(task, tables, classes))
        of_cells = [[next(reads) for _ in cell.predictions] for cell in there]
        measured = {
            cell.column: _measured(task, declared, of_cell)
            for cell, of_cell in zip(there, of_cells, strict=True)
        }
        one = of_cells[0][0]
        sizes = np.bincount(one.case, minlength=one.cases).astype(np.float64)
        if metric in METRICS and declared.shares is not None:
            least = worth_of_shares(declared.shares(one), one)
            found = methods_of(
                [of.contributions for of in measured.values()],
                [cell.random for cell in there],
                *(one.case, one.cases),
                **{key: how[key] for key in ("resamples", "seed")},
            )
            methods = dict(zip(measured, found, strict=True))
    of_methods = [
        Compared(
            cell.row,
            cell.dataset,
            cell.split,
            cell.column,
            str(cell.system),
            measured[cell.column].seeds,
            methods[cell.column],
            len(sizes),
            least,
        )
        for cell in there
        if cell.column in methods and not np.isnan(methods[cell.column].accuracy)
    ]
    rows = [
        {
            **{name: getattr(cell, name) for name in ("row", "dataset", "split", "column")},
            "system": cell.system,
            "left_out": cell.left_out,
            "cases": len(sizes) if cell.left_out is None else None,
            **_of_column(cell.column, measured, baseline),
            **_compared(cell.column, methods, baseline, sizes, least, how["level"], measured),
        }
        for cell in cells
    ]
    return rows, of_methods


def _measured(task: Task[Any, Any], metric: Metric[Any, Any], reads: Sequence[Any]) -> Measured:
    seeds = np.array([values(task, read, [metric])[0] for read in reads], dtype=np.float64)
    if metric.name not in METRICS:
        return Measured(seeds, np.empty((len(reads), 0)))
    each = [contributed(read, metric.name) for read in reads]
    return Measured(seeds, np.array(each))


def _of_column(
    column: str, measured: Mapping[str, Measured], baseline: str
) -> dict[str, float | int | None]:
    if column not in measured:
        return {}
    seeds = measured[column].seeds
    mean = defined(seeds.mean())
    spread = None if mean is None or len(seeds) < 2 else float(seeds.std(ddof=1))
    found: dict[str, float | int | None] = {
        "seeds": len(seeds),
        "mean": mean,
        "standard_deviation": spread,
    }
    if column != baseline and baseline in measured:
        found["difference"] = defined(seeds.mean() - measured[baseline].seeds.mean())
    return found


def _compared(
    column: str,
    methods: Mapping[str, Method],
    baseline: str,
    sizes: Array,
    least: float,
    level: float,
    measured: Mapping[str, Measured],
) -> dict[str, float | str | None]:
    """Return interval, p and verdict of a column against the baseline."""
    if column not in measured:
        return {}
    if column == baseline:
        return {"verdict": BASELINE}
    if baseline not in methods or column not in methods or not least:
        return {"verdict": NOT_TESTED}
    own, other = methods[column], methods[baseline]
    difference, low, high, p = method_difference(own, other, sizes, level=level, worth=least)
    if p is None or difference is None or low is None or high is None:
        known = own.known and other.known
        return {"verdict": NOT_TESTED if known else ONE_SEED}
    verdict = verdict_of(difference, p)
    # Two seeds that differ much reach beyond what a difference of shares can be.
    low, high = max(low, -1.0), min(high, 1.0)
    return {"difference_low": low, "difference_high": high, "p": p, "verdict": verdict}


def _of_paper(
    stated: Mapping[str, Any], baseline: Mapping[str, Any], *, is_baseline: bool
) -> dict[str, Any]:
    both = not is_baseline and "value" in stated and "value" in baseline
    return {
        "paper": stated.get("value"),
        "paper_standard_deviation": stated.get("sd"),
        "paper_difference": stated["value"] - baseline["value"] if both else None,
        "paper_place": stated.get("place"),
    }
