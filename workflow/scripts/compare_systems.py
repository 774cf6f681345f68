"""Put every system beside the paper's numbers (paper, Table 8)."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import yaml

from pairdx.evaluation.accuracy import majority_share
from pairdx.files import read_json, read_table, write_table
from pairdx.logs import job_log
from pairdx.reporting.comparison import (
    TITLE,
    Cell,
    comparison_for_reading,
    comparison_notes,
    comparison_table,
)
from pairdx.reporting.figures import accuracy_comparison
from pairdx.reporting.labels import demo_note, system_title
from pairdx.reporting.seeds import TITLE as SEEDS_TITLE
from pairdx.reporting.seeds import seeds_for_reading, seeds_notes, seeds_table
from pairdx.reporting.theme import save
from pairdx.reporting.webpage import write_for_reading

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def read_cells() -> list[Cell]:
    """Gather the inputs, which come in the order of ``params.cells``, by split and system."""
    files = snakemake.input
    trained = [
        cell for cell in snakemake.params.cells if snakemake.params.registry[cell[1]]["trained"]
    ]
    history = {tuple(cell): path for cell, path in zip(trained, files.histories, strict=True)}
    timing = dict(zip(snakemake.params.registry, files.timings, strict=True))
    groups: dict[tuple[str, str], list[int]] = {}
    for position, (split, model, _) in enumerate(snakemake.params.cells):
        groups.setdefault((split, model), []).append(position)
    return [
        Cell(
            model=model,
            split=split,
            predictions=[read_table(files.predictions[position]) for position in positions],
            metrics=[read_json(files.metrics[position]) for position in positions],
            passports=[read_json(files.passports[position]) for position in positions],
            training=[
                pd.read_csv(history[key])
                for key in (tuple(snakemake.params.cells[position]) for position in positions)
                if key in history
            ],
            timing=read_json(timing[model]),
        )
        for (split, model), positions in groups.items()
    ]


def draw(table: pd.DataFrame, cells: list[Cell]) -> None:
    """Draw accuracy with intervals, beside the paper's."""
    registry = snakemake.params.registry
    figure = accuracy_comparison(
        table,
        {model: system_title(model, registry) for model in registry},
        {cell.split: majority_share(cell.predictions[0]) for cell in cells},
        title="Accuracy on the test pairs",
        note=demo_note(registry.values()),
    )
    save(figure, snakemake.output.svg, snakemake.output.png)


def write_seeds(cells: list[Cell]) -> None:
    """Write every metric with its spread over seeds and the interval of the test set."""
    params, out = snakemake.params, snakemake.output
    table = seeds_table(cells, params.registry, resamples=params.resamples, seed=params.seed)
    write_table(out.seeds_csv, table)
    write_for_reading(
        seeds_for_reading(table, params.registry),
        out.seeds_md,
        out.seeds_html,
        out.seeds_tex,
        title=SEEDS_TITLE,
        notes=seeds_notes(cells, params.registry),
    )


def main() -> None:
    """Write the comparison as CSV and for reading, and draw it; and the table of seeds."""
    params, out = snakemake.params, snakemake.output
    with job_log(snakemake.log[0]) as log:
        cells = read_cells()
        paper = yaml.safe_load(Path(snakemake.input.paper).read_text(encoding="utf-8"))
        table = comparison_table(
            cells, params.registry, paper, resamples=params.resamples, seed=params.seed
        )
        write_table(out.csv, table)
        write_for_reading(
            comparison_for_reading(table, params.registry),
            out.md,
            out.html,
            out.tex,
            title=TITLE,
            notes=comparison_notes(table, cells, params.registry, paper),
        )
        draw(table, cells)
        write_seeds(cells)
        log.info("%s", Path(out.md).read_text(encoding="utf-8"))


main()
