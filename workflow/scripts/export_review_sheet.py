"""Lay out a sheet for a reviewer: a sample of pairs, their images beside it."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.curation.review import read_decisions, review_sample, review_sheet
from pairdx.export import file_name, handed_on
from pairdx.files import write_table
from pairdx.logs import job_log
from pairdx.packing import encoded_images

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def copy_images(pairs: pd.DataFrame, archives: dict[str, Path], folder: Path) -> None:
    """Copy the sample's images, upright and without what their files state beside the pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = pairs.to_dict("index")
    for index, content in encoded_images(pairs, archives):
        (folder / rows[index]["file"]).write_bytes(handed_on(content, rows[index]))


def main() -> None:
    """Write the sheet and the images."""
    params, out = snakemake.params, snakemake.output
    with job_log(snakemake.log[0]) as log:
        pairs = pd.read_parquet(snakemake.input.pairs)
        decided = read_decisions(snakemake.input.get("decisions"))
        sample = review_sample(pairs, **params.sample, seed=params.seed).assign(image_edit="")
        sample["file"] = [file_name(pair) for pair in sample.to_dict("records")]
        sheet = review_sheet(sample, decided)
        write_table(out.sheet, sheet)
        archives = dict(zip(params.archives, map(Path, snakemake.input.archives), strict=True))
        copy_images(sample, archives, Path(out.images))
        log.info("%d pairs to review, %d decided before", len(sheet) - len(decided), len(decided))
        log.info("copy %s, fill it in, and name the copy in curation.review.decisions", out.sheet)


main()
