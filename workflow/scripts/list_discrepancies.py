"""Set every number of the paper beside ours, with a verdict."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from pairdx.files import read_json, read_table
from pairdx.logs import job_log
from pairdx.reporting.format.labels import further_readings, readings_note, systems_note
from pairdx.reporting.format.tables import DRAWN_NOTE
from pairdx.reporting.format.webpage import write_item
from pairdx.reporting.paper import our_results as ours
from pairdx.reporting.paper.discrepancies import (
    TITLE,
    discrepancy_notes,
    discrepancy_table,
    several_datasets_note,
    software_note,
)
from pairdx.reporting.paper.readings import beside_each_other, readings_for_reading
from pairdx.reporting.paper.stated import (
    about_dataset,
    in_file,
    papers_runs,
    papers_test_pairs,
    read_paper,
)

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def results_of_dataset(dataset: str, split: str) -> ours.Results:
    """Read our results about a dataset."""
    files, facts = snakemake.input, snakemake.params.facts
    at, own = [*facts].index(dataset), facts[dataset]
    return ours.results_of_dataset(
        pd.read_csv(files.datasets[at]),
        pd.read_csv(files.funnels[at]) if own["screened"] else None,
        own["configured"],
        split=split,
        stand_in=own["drawn"],
    )


def results_of_systems(
    dataset: str, paper: dict[str, Any], reading: str | None = None
) -> dict[str, ours.Results]:
    """Read our results about the paper's systems on a dataset, by their keys in its numbers.

    Where two systems of the registry name the same key, the first one stands for it, or the one
    that is the ``reading``.
    """
    files, params = snakemake.input, snakemake.params
    comparison = pd.read_csv(files.comparison)
    comparison = comparison[comparison["split"] == paper["split"]]
    comparison = comparison[comparison["dataset"] == dataset]
    rows = comparison.set_index("system")
    how = {
        "resamples": params.resamples,
        "seed": params.seed,
        "papers_pairs": papers_test_pairs(paper),
    }
    systems: dict[str, ours.Results] = {}
    for system in dict.fromkeys([*([reading] if reading else []), *systems_on(dataset)]):
        positions = [
            at
            for at, (home, _, name, _) in enumerate(params.cells)
            if (home, name) == (dataset, system)
        ]
        entry = params.registry[system]
        if entry["paper"] in systems:
            continue
        systems[entry["paper"]] = ours.results_of_system(
            rows.loc[system].to_dict(),
            [read_table(files.predictions[at]) for at in positions],
            read_json(files.passports[positions[0]])["settings"],
            random=entry["random"],
            stand_in=entry["stand_in"],
            papers_classes=paper["dataset"]["classes"]["value"],
            **how,
        )
    return ours.related(systems, **how)


def systems_on(dataset: str) -> list[str]:
    """Name the systems on a dataset that the paper is about, in table order."""
    return [*dict.fromkeys(name for home, _, name, _ in snakemake.params.cells if home == dataset)]


def table_of(dataset: str, paper: dict[str, Any]) -> pd.DataFrame:
    """Build the rows about one dataset, further readings of the paper's systems among them."""
    registry, found = snakemake.params.registry, results_of_dataset(dataset, paper["split"])
    first = dataset == next(iter(snakemake.params.facts))
    about = about_dataset(paper, dataset, across=first)
    table = discrepancy_table(about, found, results_of_systems(dataset, about))
    each = {
        name: discrepancy_table(about, found, results_of_systems(dataset, about, name))
        for name in further_readings(systems_on(dataset), registry)
    }
    table = beside_each_other(table, each, registry)
    table["statement"] = [in_file(paper, dataset, name) for name in table["statement"]]
    return table


def notes_of(table: pd.DataFrame, paper: dict[str, Any], passports: list[Any]) -> list[str]:
    """Say what a reader has to know about the numbers."""
    params = snakemake.params
    demo = systems_note(params.registry.values())
    notes = [demo] if demo else []
    notes += [DRAWN_NOTE] if any(one["drawn"] for one in params.facts.values()) else []
    about = {name: about_dataset(paper, name) for name in params.facts}
    first = next(iter(about.values()))
    classes = first["dataset"]["classes"]["value"]
    notes += discrepancy_notes(table, papers_test_pairs(first), classes, papers_runs(paper))
    if len(about) > 1:
        notes.append(
            several_datasets_note({name: papers_test_pairs(one) for name, one in about.items()})
        )
    return notes + ([software_note(paper, passports[0])] if passports else [])


def main() -> None:
    """Write the table as CSV and for reading."""
    with job_log(snakemake.log[0]) as log:
        paper, registry = read_paper(snakemake.input.paper), snakemake.params.registry
        passports = [read_json(path) for path in snakemake.input.passports]
        tables = [table_of(dataset, paper) for dataset in snakemake.params.facts]
        table = tables[0] if len(tables) == 1 else pd.concat(tables, ignore_index=True)
        others = further_readings((name for _, _, name, _ in snakemake.params.cells), registry)
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
