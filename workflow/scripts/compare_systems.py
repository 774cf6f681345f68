"""Put every system beside the paper's numbers."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from pairdx.evaluation.accuracy import majority_share
from pairdx.files import read_json, read_table
from pairdx.logs import job_log
from pairdx.reporting.format.labels import as_in_paper, system_title, systems_note
from pairdx.reporting.format.theme import save_item
from pairdx.reporting.format.webpage import write_item
from pairdx.reporting.paper.stated import legend, read_paper
from pairdx.reporting.systems.accuracy_figure import accuracy_comparison
from pairdx.reporting.systems.comparison import (
    TITLE,
    Cell,
    comparison_for_reading,
    comparison_notes,
    comparison_table,
)
from pairdx.reporting.systems.seeds import TITLE as SEEDS_TITLE
from pairdx.reporting.systems.seeds import Tasks, seeds_for_reading, seeds_notes, seeds_table
from pairdx.tasks import task

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def read_cells() -> list[Cell]:
    """Gather the inputs, which come in the order of ``params.cells``, by all but the seed."""
    files, params = snakemake.input, snakemake.params
    names = [tuple(cell) for cell in params.cells]
    trained = [name for name in names if params.registry[name[2]]["trained"]]
    history = dict(zip(trained, files.histories, strict=True))
    timing = dict(zip(map(tuple, params.timed), files.timings, strict=True))
    groups: dict[tuple[str, str, str], list[int]] = {}
    for position, (dataset, split, system, _) in enumerate(names):
        groups.setdefault((dataset, split, system), []).append(position)
    return [
        Cell(
            dataset=dataset,
            system=system,
            split=split,
            predictions=[read_table(files.predictions[position]) for position in positions],
            metrics=[read_json(files.metrics[position]) for position in positions],
            passports=[read_json(files.passports[position]) for position in positions],
            training=[
                pd.read_csv(history[names[position]])
                for position in positions
                if names[position] in history
            ],
            timing=read_json(timing[dataset, system]),
        )
        for (dataset, split, system), positions in groups.items()
    ]


def papers_places() -> list[tuple[str, str]]:
    """Return the datasets and splits that the paper's numbers stand beside."""
    return [(dataset, split) for dataset, split in snakemake.params.paper_cells]


def draw(table: pd.DataFrame, cells: list[Cell], paper: dict[str, Any]) -> None:
    """Draw accuracy with intervals, beside the paper's."""
    registry = snakemake.params.registry
    figure = accuracy_comparison(
        table,
        {system: system_title(system, registry) for system in registry},
        {cell.place: majority_share(cell.predictions[0]) for cell in cells},
        snakemake.params.datasets,
        title="Accuracy on the test pairs",
        note=systems_note(registry.values()),
        papers=legend(paper),
    )
    save_item(snakemake.output, "comparison", figure)


def write_seeds(cells: list[Cell]) -> None:
    """Write every metric with its spread over seeds and the interval of the test set."""
    params = snakemake.params
    tasks: Tasks = {name: task(one["task"]) for name, one in params.datasets.items()}
    table = seeds_table(tasks, cells, params.registry, resamples=params.resamples, seed=params.seed)
    write_item(
        snakemake.output,
        "seeds",
        table,
        seeds_for_reading(tasks, table, params.registry, params.datasets),
        title=SEEDS_TITLE,
        notes=seeds_notes(tasks, cells, params.registry),
    )


def main() -> None:
    """Write the comparison as CSV and for reading, and draw it; and the table of seeds."""
    params = snakemake.params
    with job_log(snakemake.log[0]) as log:
        cells = read_cells()
        paper = read_paper(snakemake.input.get("paper"))
        table = comparison_table(
            cells,
            params.registry,
            paper,
            paper_cells=papers_places(),
            resamples=params.resamples,
            seed=params.seed,
        )
        written = write_item(
            snakemake.output,
            "comparison",
            table,
            comparison_for_reading(table, params.registry, params.datasets),
            title=as_in_paper(TITLE, params.in_paper.get("comparison_csv")),
            notes=comparison_notes(
                table, cells, params.registry, paper, paper_cells=papers_places()
            ),
        )
        draw(table, cells, paper)
        write_seeds(cells)
        log.info("%s", written)


main()
