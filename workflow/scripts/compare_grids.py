"""Write and draw a grid: backbones by ways to adapt them, on every dataset."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from pairdx.errors import PairDxError
from pairdx.evaluation.grids import GridCell, alone, grid_table
from pairdx.files import read_table
from pairdx.logs import job_log
from pairdx.reporting.format.labels import as_in_paper, systems_note
from pairdx.reporting.format.theme import save_item
from pairdx.reporting.format.webpage import write_item
from pairdx.reporting.paper.stated import (
    about_grid,
    conditions,
    legend,
    of_metric,
    read_paper,
    stated_of,
)
from pairdx.reporting.systems.grid_figure import grid_differences
from pairdx.reporting.systems.grid_notes import grid_notes
from pairdx.reporting.systems.grids import grid_for_reading, with_means
from pairdx.tasks import task
from pairdx.tasks.base import Metric, Task

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

Key = tuple[str, str, str]


def files_of_systems() -> dict[Key, list[str]]:
    """Gather the predictions, which come in the order of ``params.cells``, by all but the seed."""
    found: dict[Key, list[str]] = {}
    for cell, path in zip(snakemake.params.cells, snakemake.input.predictions, strict=True):
        dataset, split, system, _ = cell
        found.setdefault((dataset, split, system), []).append(path)
    return found


def cells_of(grid: dict[str, Any], files: dict[Key, list[str]]) -> list[GridCell]:
    """Read the predictions of a grid's cells; those left out come with their reasons."""
    read: dict[Key, list[pd.DataFrame]] = {}
    cells = []
    for row, column, dataset, split, system, left_out in grid["places"]:
        place = (dataset, split, system)
        if left_out is None and place not in read:
            read[place] = [read_table(path) for path in files[place]]
        cells.append(
            GridCell(
                *(row, column, dataset, split, system, left_out),
                predictions=read.get(place, []) if left_out is None else [],
                random=left_out is not None or snakemake.params.registry[system]["random"],
            )
        )
    return cells


def statements(grid: dict[str, Any], paper: dict[str, Any]) -> dict[Key, dict[str, Any]]:
    """Return what the paper states of the metric of a grid's systems, run here or not."""
    params = snakemake.params
    beside = [tuple(cell) for cell in params.paper_cells]
    return {
        (dataset, split, system): of_metric(
            stated_of(paper, params.papers_keys[system], dataset), grid["metric"]
        )
        for _, _, dataset, split, system, _ in grid["places"]
        if (dataset, split) in beside and params.papers_keys.get(system)
    }


def main() -> None:
    """Write and draw the wildcards' grid."""
    params, wildcards = snakemake.params, snakemake.wildcards
    with job_log(snakemake.log[0]) as log:
        grid, datasets = params.grid, params.datasets
        paper = read_paper(snakemake.input.get("paper"))
        cells = cells_of(grid, files_of_systems())
        tasks = {name: task(one["task"]) for name, one in datasets.items()}
        metric = metric_of(tasks, grid)
        table = grid_table(
            cells,
            tasks,
            {name: one["classes"] for name, one in datasets.items()},
            statements(grid, paper),
            metric=grid["metric"],
            baseline=grid["baseline"],
            resamples=params.resamples,
            seed=params.seed,
        )
        grid, datasets = with_means(grid, datasets, table)
        title = as_in_paper(grid["title"], params.in_paper)
        written = write_item(
            snakemake.output,
            "grid",
            table,
            grid_for_reading(table, grid, datasets, metric, params.registry),
            title=title,
            notes=grid_notes(
                *(table, grid, datasets, params.registry, metric),
                about_grid(paper, wildcards.grid),
                resamples=params.resamples,
                conditions=conditions(paper, "comparison") if paper else None,
                alone=alone(cells),
            ),
        )
        figure = grid_differences(
            *(table, grid, datasets, params.registry),
            metric=metric.title,
            title=title,
            note=systems_note(params.registry.values()),
            papers=legend(paper),
            scale=100 if metric.percent else 1,
        )
        save_item(snakemake.output, "grid", figure)
        log.info("%s", written)


def metric_of(tasks: Mapping[str, Task[Any, Any]], grid: dict[str, Any]) -> Metric[Any, Any]:
    """Return the declaration of a grid's metric, which the tasks of all its datasets have."""
    key = f"grids.{snakemake.wildcards.grid}"
    known: dict[str, Metric[Any, Any]] = {}
    for name, one in tasks.items():
        known = {metric.name: metric for metric in one.metrics}
        if grid["metric"] not in known:
            raise PairDxError(
                f"there is no metric {grid['metric']!r} on the dataset {name}",
                where=f"{key}.metric",
                remedy=f"use one of {', '.join(known)}",
            )
    if not known:
        raise PairDxError(
            "this table is about none of the datasets that run",
            where=f"{key}.datasets",
            remedy="name one of them there, or enable one that is named",
        )
    return known[grid["metric"]]


main()
