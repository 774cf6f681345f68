"""Read one archive's images: present, readable, of use? With checksum and perceptual hash."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.curation.archives import inspect_archive
from pairdx.files import write_table
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write one row of facts per candidate of the archive."""
    with job_log(snakemake.log[0]) as log:
        candidates = pd.read_parquet(snakemake.input.candidates)
        own = candidates[candidates["archive"] == snakemake.wildcards.archive]
        facts = inspect_archive(own, Path(snakemake.input.archive), snakemake.params.settings)
        log.info("%d images, %d of them sound", len(facts), (facts["reason"] == "").sum())
        write_table(snakemake.output.facts, facts)


main()
