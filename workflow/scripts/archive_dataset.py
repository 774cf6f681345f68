"""Write the dataset as one zip file in the layout of the published PairDx."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.dataset_archive import LAYOUT, archive_dataset
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write the table of pairs and their images."""
    params, out = snakemake.params, snakemake.output
    with job_log(snakemake.log[0]) as log:
        pairs = pd.read_parquet(snakemake.input.pairs)
        split = pd.read_parquet(snakemake.input.split)
        archives = dict(zip(params.archives, map(Path, snakemake.input.archives), strict=True))
        archive_dataset(pairs, split, archives, out.archive, LAYOUT)
        log.info("%d pairs, %d bytes", len(pairs), Path(out.archive).stat().st_size)


main()
