"""Lay out a sheet for a reviewer: a sample of pairs, their images beside it."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.curation.review import read_decisions, review_sample, review_sheet
from pairdx.dataset_archive import as_seen, copy_images
from pairdx.files import write_table
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write the sheet and the images."""
    params, out = snakemake.params, snakemake.output
    with job_log(snakemake.log[0]) as log:
        pairs = pd.read_parquet(snakemake.input.pairs)
        decided = read_decisions(snakemake.input.get("decisions"))
        sample = as_seen(review_sample(pairs, **params.sample, seed=params.seed))
        sheet = review_sheet(sample, decided)
        write_table(out.sheet, sheet)
        archives = dict(zip(params.archives, map(Path, snakemake.input.archives), strict=True))
        copy_images(sample, archives, Path(out.images))
        log.info("%d pairs to review, %d decided before", len(sheet) - len(decided), len(decided))
        log.info(
            "copy %s, fill it in, and name the copy in the dataset's curation.review.decisions",
            out.sheet,
        )


main()
