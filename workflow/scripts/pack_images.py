"""Decode and resize every pair's image once, into one array."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.logs import job_log
from pairdx.packing import pack_images

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write the packed images of all pairs."""
    with job_log(snakemake.log[0]) as log:
        pairs = pd.read_parquet(snakemake.input.pairs)
        archives = dict(
            zip(snakemake.params.archives, map(Path, snakemake.input.archives), strict=True)
        )
        size, squaring = snakemake.params.size, snakemake.params.squaring
        path = Path(snakemake.output.images)
        pack_images(pairs, archives, path, size=size, squaring=squaring)
        log.info("%d images packed at %d x %d pixels (%s)", len(pairs), size, size, squaring)


main()
