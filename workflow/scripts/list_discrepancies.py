"""Set every number of the paper beside ours, with a verdict."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from pairdx.files import read_json, read_table, write_table
from pairdx.logs import job_log
from pairdx.reporting import our_results as ours
from pairdx.reporting.discrepancies import (
    TITLE,
    discrepancy_notes,
    discrepancy_table,
    software_note,
)
from pairdx.reporting.labels import demo_note, further_readings, readings_note
from pairdx.reporting.readings import beside_each_other, readings_for_reading
from pairdx.reporting.stated import PAPER_SPLIT, papers_test_pairs
from pairdx.reporting.tables import DRAWN_NOTE
from pairdx.reporting.webpage import write_for_reading

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def results_of_dataset() -> ours.Results:
    """Read our results about the dataset."""
    files, params = snakemake.input, snakemake.params
    funnel = pd.read_csv(files.funnel) if params.screened else None
    return ours.results_of_dataset(
        pd.read_csv(files.dataset), funnel, params.configured, stand_in=params.drawn
    )


def results_of_systems(
    passports: list[dict[str, Any]], paper: dict[str, Any], reading: str | None = None
) -> dict[str, ours.Results]:
    """Read our results about the paper's systems, by their keys in the paper's numbers.

    Where two systems of the registry name the same key, the first one stands for it, or the one
    that is the ``reading``.
    """
    params = snakemake.params
    comparison = pd.read_csv(snakemake.input.comparison)
    rows = comparison[comparison["split"] == PAPER_SPLIT].set_index("model")
    how = {
        "resamples": params.resamples,
        "seed": params.seed,
        "papers_pairs": papers_test_pairs(paper),
    }
    systems: dict[str, ours.Results] = {}
    names = [*([reading] if reading else []), *(name for name, _ in params.cells)]
    for model in dict.fromkeys(names):
        positions = [at for at, (name, _) in enumerate(params.cells) if name == model]
        entry = params.registry[model]
        if entry["paper"] in systems:
            continue
        systems[entry["paper"]] = ours.results_of_system(
            rows.loc[model].to_dict(),
            [read_table(snakemake.input.predictions[at]) for at in positions],
            passports[positions[0]]["settings"],
            random=entry["random"],
            stand_in=entry["stand_in"],
            papers_classes=paper["dataset"]["classes"]["value"],
            **how,
        )
    return ours.related(systems, **how)


def notes_of(table: pd.DataFrame, paper: dict[str, Any], passports: list[Any]) -> list[str]:
    """Say what a reader has to know about the numbers."""
    demo = demo_note(snakemake.params.registry.values())
    notes = [demo] if demo else []
    notes += [DRAWN_NOTE] if snakemake.params.drawn else []
    notes += discrepancy_notes(table, papers_test_pairs(paper))
    return notes + ([software_note(paper, passports[0])] if passports else [])


def main() -> None:
    """Write the table as CSV and for reading."""
    out = snakemake.output
    with job_log(snakemake.log[0]) as log:
        paper = yaml.safe_load(Path(snakemake.input.paper).read_text(encoding="utf-8"))
        passports = [read_json(path) for path in snakemake.input.passports]
        registry = snakemake.params.registry
        dataset, first = results_of_dataset(), results_of_systems(passports, paper)
        table = discrepancy_table(paper, dataset, first)
        others = further_readings((name for name, _ in snakemake.params.cells), registry)
        each = {
            name: discrepancy_table(paper, dataset, results_of_systems(passports, paper, name))
            for name in others
        }
        table = beside_each_other(table, each, registry)
        write_table(out.csv, table)
        write_for_reading(
            readings_for_reading(table, registry),
            out.md,
            out.html,
            out.tex,
            title=TITLE,
            notes=[*notes_of(table, paper, passports), *readings_note(others, registry)],
        )
        log.info("%s", table["verdict"].value_counts().to_dict())


main()
