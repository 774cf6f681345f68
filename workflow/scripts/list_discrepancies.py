"""Set every number of the paper beside ours, with a verdict."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from pairdx.files import read_json, read_table
from pairdx.logs import job_log
from pairdx.reporting.format.labels import further_readings, readings_note, stand_in_note
from pairdx.reporting.format.tables import DRAWN_NOTE
from pairdx.reporting.format.webpage import write_item
from pairdx.reporting.paper import our_results as ours
from pairdx.reporting.paper.discrepancies import (
    TITLE,
    discrepancy_notes,
    discrepancy_table,
    software_note,
)
from pairdx.reporting.paper.readings import beside_each_other, readings_for_reading
from pairdx.reporting.paper.stated import papers_test_pairs, read_paper

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def results_of_dataset(split: str) -> ours.Results:
    """Read our results about the dataset."""
    files, params = snakemake.input, snakemake.params
    funnel = pd.read_csv(files.funnel) if params.screened else None
    return ours.results_of_dataset(
        pd.read_csv(files.dataset), funnel, params.configured, split=split, stand_in=params.drawn
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
    comparison = comparison[comparison["split"] == paper["split"]]
    comparison = comparison[comparison["dataset"] == params.dataset]
    rows = comparison.set_index("system")
    how = {
        "resamples": params.resamples,
        "seed": params.seed,
        "papers_pairs": papers_test_pairs(paper),
    }
    systems: dict[str, ours.Results] = {}
    names = [*([reading] if reading else []), *(name for name, _ in params.cells)]
    for system in dict.fromkeys(names):
        positions = [at for at, (name, _) in enumerate(params.cells) if name == system]
        entry = params.registry[system]
        if entry["paper"] in systems:
            continue
        systems[entry["paper"]] = ours.results_of_system(
            rows.loc[system].to_dict(),
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
    demo = stand_in_note(snakemake.params.registry.values())
    notes = [demo] if demo else []
    notes += [DRAWN_NOTE] if snakemake.params.drawn else []
    classes = paper["dataset"]["classes"]["value"]
    notes += discrepancy_notes(table, papers_test_pairs(paper), classes)
    return notes + ([software_note(paper, passports[0])] if passports else [])


def main() -> None:
    """Write the table as CSV and for reading."""
    with job_log(snakemake.log[0]) as log:
        paper = read_paper(snakemake.input.paper)
        passports = [read_json(path) for path in snakemake.input.passports]
        registry = snakemake.params.registry
        dataset, first = results_of_dataset(paper["split"]), results_of_systems(passports, paper)
        table = discrepancy_table(paper, dataset, first)
        others = further_readings((name for name, _ in snakemake.params.cells), registry)
        each = {
            name: discrepancy_table(paper, dataset, results_of_systems(passports, paper, name))
            for name in others
        }
        table = beside_each_other(table, each, registry)
        write_item(
            snakemake.output,
            "discrepancies",
            table,
            readings_for_reading(table, registry),
            title=TITLE,
            notes=[*notes_of(table, paper, passports), *readings_note(others, registry)],
        )
        log.info("%s", table["verdict"].value_counts().to_dict())


main()
