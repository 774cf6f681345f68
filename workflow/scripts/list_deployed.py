"""Write which systems have a folder to classify with, and why others have none."""

from typing import TYPE_CHECKING

import pandas as pd

from pairdx.files import write_table
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

COLUMNS = ["dataset", "system", "title", "stand_in", "folder", "left_out"]


def main() -> None:
    """Write a row per dataset and system; folders are relative to that of the run."""
    with job_log(snakemake.log[0]) as log:
        table = pd.DataFrame(snakemake.params.rows, columns=COLUMNS)
        for row in table[table["left_out"] != ""].itertuples():
            log.info("dataset %s: %s is not deployed: %s", row.dataset, row.system, row.left_out)
        write_table(snakemake.output.table, table)


main()
