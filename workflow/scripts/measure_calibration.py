"""Set calibration and abstention of all systems side by side."""

from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.files import write_table
from pairdx.logs import job_log
from pairdx.reporting.calibration_tables import (
    TITLE,
    calibration_for_reading,
    calibration_notes,
    calibration_table,
)
from pairdx.reporting.cells import read_by_system
from pairdx.reporting.webpage import write_for_reading

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write the table over all systems and splits."""
    params, out = snakemake.params, snakemake.output
    with job_log(snakemake.log[0]) as log:
        table = calibration_table(
            read_by_system(params.cells, snakemake.input.predictions, params.registry),
            params.classes,
            **params.abstention,
            resamples=params.resamples,
            seed=params.seed,
        )
        write_table(out.csv, table)
        write_for_reading(
            calibration_for_reading(table, params.registry),
            out.md,
            out.html,
            out.tex,
            title=TITLE,
            notes=calibration_notes(table, params.registry, params.resamples),
        )
        log.info("%s", Path(out.md).read_text())


main()
