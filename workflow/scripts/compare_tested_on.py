"""Compare what systems reach at home with what they reach on other datasets."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pairdx.files import read_json, read_table
from pairdx.joins import joined
from pairdx.logs import job_log
from pairdx.reporting.format.labels import system_title, systems_note
from pairdx.reporting.format.theme import save_item
from pairdx.reporting.format.webpage import write_item
from pairdx.reporting.systems import tested_on_reading as reading
from pairdx.reporting.systems import tested_on_tables as tables
from pairdx.reporting.systems.tested_on_figure import home_and_there
from pairdx.reporting.systems.tested_on_notes import (
    classes_notes,
    confidence_notes,
    tested_on_notes,
)

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

SEEN_COLUMNS = ["pair_id", "case_id", "sha256", "perceptual_hash"]


def read_asked() -> list[tables.Elsewhere]:
    """Gather the predictions of all seeds; files come in the order of ``params.asked``."""
    files = zip(snakemake.input.home, snakemake.input.there, strict=True)
    found: dict[tuple[str, str, str, str], tables.Elsewhere] = {}
    for one, (home, there) in zip(snakemake.params.asked, files, strict=True):
        dataset, split, system, _, other = one
        key = (dataset, other, split, system)
        asked = found.setdefault(key, tables.Elsewhere(*key, [], []))
        asked.home.append(read_table(home))
        asked.there.append(read_table(there))
    return list(found.values())


def read_subsets() -> dict[tuple[str, str], pd.DataFrame]:
    """Read the pairs of every dataset and split, with the columns that tell copies, and subset."""
    params, source = snakemake.params, snakemake.input
    pairs = {
        name: read_table(path, columns=SEEN_COLUMNS)
        for name, path in zip(params.involved, source.pairs, strict=True)
    }
    return {
        (name, split): joined(
            read_table(path, columns=["pair_id", "subset"]),
            pairs[name],
            "pair_id",
            what=f"the split {split} and {name}",
        )
        for (name, split), path in zip(params.splits, source.splits, strict=True)
    }


def unknown_words() -> dict[str, float]:
    """Read which share of a dataset's words has no vector, where any system reads such."""
    files = zip(snakemake.params.read_by_words, snakemake.input.vocabularies, strict=True)
    return {name: float(read_json(path)["out_of_vocabulary_rate"]) for name, path in files}


def write_tables(asked: list[tables.Elsewhere]) -> pd.DataFrame:
    """Write the three tables; return that of accuracies."""
    params, out = snakemake.params, snakemake.output
    how: dict[str, Any] = {"resamples": params.resamples, "seed": params.seed}
    both = (params.facts, params.registry)
    chosen = tables.chosen_of(asked, params.facts, params.risk)
    rows = tables.measured(asked, chosen, params.facts, **how)
    shared = tables.shared_by_direction(params.facts, read_subsets())
    table = tables.tested_on_table(rows, *both, shared, unknown_words())
    confidence = tables.confidence_table(rows, params.risk)
    classes = tables.classes_table(asked, chosen, params.facts)
    write_item(
        out,
        "tested_on",
        table,
        reading.tested_on_for_reading(table, *both),
        title=reading.TITLE,
        notes=tested_on_notes(table, *both, resamples=params.resamples),
    )
    write_item(
        out,
        "tested_on_confidence",
        confidence,
        reading.confidence_for_reading(confidence, *both),
        title=reading.CONFIDENCE_TITLE,
        notes=confidence_notes(confidence, *both),
    )
    write_item(
        out,
        "tested_on_classes",
        classes,
        reading.classes_for_reading(classes, *both),
        title=reading.CLASSES_TITLE,
        notes=classes_notes(*both, params.risk),
    )
    return table


def main() -> None:
    """Write the tables and draw the figure."""
    params = snakemake.params
    with job_log(snakemake.log[0]) as log:
        table = write_tables(read_asked())
        figure = home_and_there(
            table,
            {name: system_title(name, params.registry) for name in params.registry},
            params.facts["datasets"],
            note=systems_note(params.registry.values()),
        )
        save_item(snakemake.output, "tested_on", figure)
        log.info("%s", Path(snakemake.output.tested_on_md).read_text(encoding="utf-8"))


main()
