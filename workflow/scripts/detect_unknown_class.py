"""Set side by side how well all systems notice a class that they were not trained on."""

from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.files import write_table
from pairdx.logs import job_log
from pairdx.reporting.cells import read_by_system
from pairdx.reporting.unknown_tables import (
    TITLE,
    unknown_for_reading,
    unknown_notes,
    unknown_table,
)
from pairdx.reporting.webpage import write_for_reading

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write the table over all systems and splits."""
    params, out = snakemake.params, snakemake.output
    with job_log(snakemake.log[0]) as log:
        table = unknown_table(
            read_by_system(params.cells, snakemake.input.scored, params.registry),
            resamples=params.resamples,
            seed=params.seed,
        )
        write_table(out.csv, table)
        write_for_reading(
            unknown_for_reading(table, params.registry),
            out.md,
            out.html,
            out.tex,
            title=TITLE,
            notes=unknown_notes(table, params.registry, params.unknown_classes, params.resamples),
        )
        log.info("%s", Path(out.md).read_text())


main()
