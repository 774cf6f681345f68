"""Every metric of every system: the mean over seeds, their spread, and the test set's interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pairdx.evaluation.seeds import metrics_over_seeds
from pairdx.reporting.format.labels import (
    Datasets,
    dataset_column,
    readable,
    system_title,
    systems_note,
)
from pairdx.reporting.systems.comparison import Cell, Registry, in_order
from pairdx.tasks.base import Metric, Task

TITLE = "Every metric: mean and spread over seeds, and interval of the test set"
COLUMNS = (
    *("dataset", "split", "system", "metric"),
    *("seeds", "mean", "standard_deviation", "low", "high"),
)
# What the predictions on every dataset are of; each task declares its metrics.
Tasks = Mapping[str, Task[Any, Any]]


def seeds_table(
    tasks: Tasks,
    cells: Sequence[Cell],
    registry: Registry,
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
) -> pd.DataFrame:
    """Build tables/seeds.csv: per dataset, a row per split, system and metric.

    The standard deviation is that of a sample of seeds, empty for one seed; low and high are the
    bootstrap interval over test cases of the mean over seeds (see ``metrics_over_seeds``).

    Args:
        tasks: By dataset.
        cells: The results; datasets and splits stand in the order in which they first appear.
        registry: Every system, in the order of tables.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
        level: Coverage of the interval.
    """
    rows = [
        {
            "dataset": cell.dataset,
            "split": cell.split,
            "system": cell.system,
            "metric": metric,
            **values,
        }
        for cell in in_order(cells, registry, "dataset", "split", "system")
        for metric, values in metrics_over_seeds(
            tasks[cell.dataset],
            cell.predictions,
            cell.metrics[0]["classes"],
            resamples=resamples,
            seed=seed,
            level=level,
        ).items()
    ]
    numbers = dict.fromkeys(("mean", "standard_deviation", "low", "high"), "float64")
    return pd.DataFrame(rows, columns=COLUMNS).astype(numbers)


def seeds_for_reading(
    tasks: Tasks, table: pd.DataFrame, registry: Registry, datasets: Datasets
) -> pd.DataFrame:
    """Write the numbers as text, one metric after the other, each split's systems together.

    Args:
        tasks: By dataset.
        table: What :func:`seeds_table` returned.
        registry: title, trained and stand_in of every system.
        datasets: title of every dataset; a column only where the table is about several.
    """
    order = [metric.name for metric in _metrics(tasks)]
    table = table.loc[table["metric"].map(order.index).sort_values(kind="stable").index]
    declared = {
        (dataset, metric.name): metric for dataset, task in tasks.items() for metric in task.metrics
    }
    metrics = [declared[key] for key in zip(table["dataset"], table["metric"], strict=True)]

    def written(column: str) -> list[str | None]:
        return [
            None if pd.isna(value) else metric.written(float(value))
            for metric, value in zip(metrics, table[column], strict=True)
        ]

    shown = {
        "Metric": [metric.heading for metric in metrics],
        **dataset_column(table["dataset"], datasets, "Dataset"),
        "Split": [readable(name) for name in table["split"]],
        "System": [system_title(name, registry) for name in table["system"]],
        "Seeds": list(table["seeds"]),
        "Mean": written("mean"),
        "Standard deviation over seeds": written("standard_deviation"),
        "Test-set interval, low": written("low"),
        "Test-set interval, high": written("high"),
    }
    return pd.DataFrame(shown)


def seeds_notes(tasks: Tasks, cells: Sequence[Cell], registry: Registry) -> list[str]:
    """State what the two kinds of uncertainty are, and how metrics are defined."""
    metrics = _metrics(tasks)
    demo = systems_note(registry[cell.system] for cell in cells)
    interval = cells[0].metrics[0]["interval"]
    by_percentiles = _listed(
        "Percentiles of the bootstrap where a metric is no share",
        [metric.title for metric in metrics if metric.shares is None],
    )
    definitions = " ".join(metric.note for metric in metrics if metric.note)
    lower = _listed(
        "Lower is better",
        [metric.title for metric in metrics if not metric.larger_is_better],
    )
    return [
        *([demo] if demo else []),
        "Standard deviation over seeds: how much the result differs between trainings, on the same "
        "test pairs; empty where there is one seed, as for systems without randomness.",
        f"Test-set interval: {interval['method']}, {100 * interval['level']:g} %, "
        f"{interval['resamples']} resamples, of the mean over seeds with the trained weights held "
        "fixed. It does not contain the spread over seeds, nor the spread the interval."
        + "".join(f" {note}" for note in by_percentiles),
        *([definitions] if definitions else []),
        *lower,
    ]


def _metrics(tasks: Tasks) -> list[Metric[Any, Any]]:
    """Return the metrics of all tasks, each once."""
    declared = [metric for task in tasks.values() for metric in task.metrics]
    return list({metric.name: metric for metric in declared}.values())


def _listed(what: str, titles: Sequence[str]) -> list[str]:
    """Return a note that names metrics; none where there are none."""
    return [f"{what}: {', '.join(titles)}."] if titles else []
