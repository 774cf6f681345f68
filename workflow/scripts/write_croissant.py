"""Describe the dataset archive for machines, in the Croissant format."""

import logging
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.dataset_archive import LAYOUT
from pairdx.files import write_json
from pairdx.logs import job_log
from pairdx.reporting.dataset.croissant import croissant

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write croissant.json beside the zip file that it describes."""
    params = snakemake.params
    with job_log(snakemake.log[0]) as log:
        # mlcroissant recommends a date of publication; a dataset that is made here has none.
        logging.getLogger("absl").setLevel(logging.ERROR)
        pairs = pd.read_parquet(snakemake.input.pairs)
        described = croissant(pairs, snakemake.input.archive, LAYOUT, params.facts)
        write_json(snakemake.output.croissant, described)
        log.info("valid according to mlcroissant: %s", ", ".join(described["conformsTo"]))
        log.info(
            "readers: mlcroissant keeps what it unpacked under the zip file's name; before reading "
            "another version of it, set CROISSANT_CACHE to an empty folder"
        )


main()
