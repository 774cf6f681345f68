"""Choose pairs that are out of distribution, and decode and resize their images once."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.curation.out_of_distribution import sample_out_of_distribution
from pairdx.files import write_table
from pairdx.logs import job_log
from pairdx.packing import pack_images

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write the chosen pairs and their packed images."""
    params, out = snakemake.params, snakemake.output
    with job_log(snakemake.log[0]) as log:
        aside = pd.read_parquet(snakemake.input.pairs)
        pairs = sample_out_of_distribution(aside, params.most, seed=params.seed)
        archives = dict(zip(params.archives, map(Path, snakemake.input.archives), strict=True))
        squaring = params.squaring
        pack_images(pairs, archives, Path(out.images), size=params.size, squaring=squaring)
        write_table(out.pairs, pairs)
        log.info("%d of %d pairs out of distribution are packed", len(pairs), len(aside))


main()
