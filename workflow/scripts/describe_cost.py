"""Describe what systems and jobs cost, by image too, and draw accuracy against cost."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from pairdx.evaluation.timing import BATCHES
from pairdx.files import read_json
from pairdx.logs import job_log
from pairdx.reporting.format.labels import dataset_column, readable, system_title, systems_note
from pairdx.reporting.format.tables import timing_table
from pairdx.reporting.format.theme import save_item
from pairdx.reporting.format.webpage import write_item
from pairdx.reporting.paper.stated import conditions, legend, read_paper
from pairdx.reporting.systems import benchmarks, cost
from pairdx.reporting.systems.comparison import Cell
from pairdx.reporting.systems.cost_figure import accuracy_against_cost

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def read_passports() -> dict[tuple[str, str, str], list[dict[str, Any]]]:
    """Gather the passports, which come in the order of ``params.cells``, by all but the seed."""
    passports: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    files = snakemake.input.passports
    for (dataset, split, system, _), path in zip(snakemake.params.cells, files, strict=True):
        passports.setdefault((dataset, split, system), []).append(read_json(path))
    return passports


def not_compared(
    comparison: pd.DataFrame | None,
    passports: dict[tuple[str, str, str], list[dict[str, Any]]],
    timings: cost.Timings,
) -> list[Cell]:
    """Gather what the comparison leaves out; training.csv come in the order of the cells."""
    columns = ["dataset", "split", "system"]
    rows = [] if comparison is None else comparison[columns].to_numpy().tolist()
    known, registry = {tuple(row) for row in rows}, snakemake.params.registry
    cells = [tuple(cell[:3]) for cell in snakemake.params.cells]
    trained = [cell for cell in cells if cell not in known and registry[cell[2]]["trained"]]
    histories: dict[tuple[str, ...], list[pd.DataFrame]] = {}
    for cell, path in zip(trained, snakemake.input.histories, strict=True):
        histories.setdefault(cell, []).append(pd.read_csv(path))
    return [
        Cell(
            *(dataset, system, split, (), ()),
            passports=own,
            training=histories.get((dataset, split, system), ()),
            timing=timings[dataset, system],
        )
        for (dataset, split, system), own in passports.items()
        if (dataset, split, system) not in known
    ]


def draw(comparison: pd.DataFrame, paper: dict[str, Any], notes: list[str]) -> None:
    """Draw the dataset and split that are the paper's, or else the first."""
    registry, datasets = snakemake.params.registry, snakemake.params.datasets
    places = list(zip(comparison["dataset"], comparison["split"], strict=True))
    papers = [tuple(cell) for cell in snakemake.params.paper_cells]
    shown = next((place for place in papers if place in places), places[0])
    which = [f"{readable(shown[1]).lower()} split"]
    if len(datasets) > 1:
        which.insert(0, datasets[shown[0]]["title"])
    demo = systems_note(registry.values())
    figure = accuracy_against_cost(
        comparison[[place == shown for place in places]],
        {name: system_title(name, registry) for name in registry},
        title=f"Accuracy against cost, {', '.join(which)}",
        note=" ".join([*([demo] if demo else []), *notes]),
        papers=legend(paper),
    )
    save_item(snakemake.output, "accuracy_against_cost", figure)


def write_timings(timings: cost.Timings) -> None:
    """Write the CPU seconds per image by batch size and stage, with the protocol as its note."""
    registry, datasets = snakemake.params.registry, snakemake.params.datasets
    table = timing_table(timings)
    note = systems_note(registry.values())
    notes = [next(iter(timings.values()))["protocol"], BATCHES, *([note] if note else [])]
    named = {
        **dataset_column(table["dataset"], datasets, "dataset"),
        "system": [system_title(name, registry) for name in table["system"]],
    }
    shown = table.drop(columns=[*({"dataset"} - {*named})]).assign(**named)
    title = "CPU seconds per image"
    write_item(snakemake.output, "timing", table, shown, title=title, notes=notes)


def describe_jobs() -> None:
    """Write what every job took as CSV, and what every rule took for reading."""
    table = benchmarks.benchmark_table(snakemake.params.jobs, snakemake.input.benchmarks)
    write_item(
        snakemake.output,
        "benchmarks",
        table,
        benchmarks.benchmarks_by_rule(table),
        title=benchmarks.TITLE,
        notes=benchmarks.NOTES,
    )


def main() -> None:
    """Write the tables of systems and of jobs, and the figure."""
    params, source = snakemake.params, snakemake.input
    registry = params.registry
    with job_log(snakemake.log[0]) as log:
        path, passports = source.get("comparison"), read_passports()
        comparison = pd.read_csv(path) if path else None
        names = map(tuple, params.timed)
        timings = dict(zip(names, map(read_json, source.timings), strict=True))
        paper = read_paper(source.get("paper"))
        others = not_compared(comparison, passports, timings)
        rows = cost.with_others(comparison, others, registry, [*params.datasets])
        table = cost.cost_table(rows, passports, timings, registry)
        written = write_item(
            snakemake.output,
            "cost",
            table,
            cost.cost_for_reading(table, registry, params.datasets),
            title=cost.TITLE,
            notes=cost.cost_notes(table, passports, timings, registry, paper),
        )
        timed = cost.timing_conditions(timings, "one pair at a time")
        theirs = [conditions(paper, "cost")] if params.paper_cells else []
        if comparison is not None:
            draw(comparison, paper, [timed, *theirs])
        write_timings(timings)
        describe_jobs()
        log.info("%s", written)


main()
