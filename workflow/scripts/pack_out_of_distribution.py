"""Choose pairs of classes outside the six, and decode and resize their images once."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.curation.set_aside import sample_set_aside
from pairdx.files import write_table
from pairdx.logs import job_log
from pairdx.packing import pack_images

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write the chosen pairs and, row i for row i of them, the packed images."""
    params, out = snakemake.params, snakemake.output
    with job_log(snakemake.log[0]) as log:
        aside = pd.read_parquet(snakemake.input.pairs)
        pairs = sample_set_aside(aside, params.most, seed=params.seed)
        archives = dict(zip(params.archives, map(Path, snakemake.input.archives), strict=True))
        squaring = params.squaring
        pack_images(pairs, archives, Path(out.images), size=params.size, squaring=squaring)
        write_table(out.pairs, pairs)
        log.info("%d of %d pairs that were set aside are packed", len(pairs), len(aside))


main()
