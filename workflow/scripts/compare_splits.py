"""Set every system's accuracy on the stratified split against that on the grouped one."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.evaluation.split_effect import effect_of_the_split
from pairdx.files import write_table
from pairdx.logs import job_log
from pairdx.reporting.comparison_figures import split_effect
from pairdx.reporting.labels import demo_note, system_title
from pairdx.reporting.split_effect import TITLE, effect_for_reading, effect_notes
from pairdx.reporting.theme import save
from pairdx.reporting.webpage import write_for_reading

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def read_split(split: str) -> dict[str, list[pd.DataFrame]]:
    """Read the predictions of every seed by system; inputs come as ``params.cells`` says."""
    systems: dict[str, list[pd.DataFrame]] = {}
    for (of_split, model, _), path in zip(
        snakemake.params.cells, snakemake.input.predictions, strict=True
    ):
        if of_split == split:
            systems.setdefault(model, []).append(pd.read_parquet(path))
    return systems


def main() -> None:
    """Write the split's effect as CSV, Markdown and web page, and draw it."""
    params, out = snakemake.params, snakemake.output
    with job_log(snakemake.log[0]) as log:
        table = effect_of_the_split(
            read_split("stratified"),
            read_split("grouped"),
            resamples=params.resamples,
            seed=params.seed,
        )
        write_table(out.csv, table)
        write_for_reading(
            effect_for_reading(table, params.registry),
            out.md,
            out.html,
            out.tex,
            title=TITLE,
            notes=effect_notes(table, params.registry, resamples=params.resamples),
        )
        figure = split_effect(
            table,
            {model: system_title(model, params.registry) for model in params.registry},
            title=TITLE,
            note=demo_note(params.registry.values()),
        )
        save(figure, out.svg, out.png)
        log.info("%s", Path(out.md).read_text())


main()
