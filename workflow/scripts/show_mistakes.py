"""Draw the most confident mistakes of every system on one split."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pairdx.evaluation.mistakes import confident_mistakes
from pairdx.logs import job_log
from pairdx.reporting.error_sheets import mistake_sheet, sheet_note
from pairdx.reporting.labels import system_title
from pairdx.reporting.theme import save

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

COLUMNS = ["pair_id", "caption", "article_id", "licence"]


def main() -> None:
    """Write one sheet per system; row i of the images belongs to row i of the pairs."""
    params, source, out = snakemake.params, snakemake.input, snakemake.output
    with job_log(snakemake.log[0]) as log:
        pairs = pd.read_parquet(source.pairs, columns=COLUMNS).reset_index(names="image")
        images = np.load(source.images, mmap_mode="r")
        files = zip(params.registry, source.predictions, out.sheets, out.pngs, strict=True)
        for model, predictions, svg, png in files:
            table = pd.read_parquet(predictions)
            found = confident_mistakes(table, params.classes, params.mistakes)
            shown = found.merge(pairs, on="pair_id", how="left", validate="one_to_one")
            name = system_title(model, params.registry)
            figure = mistake_sheet(
                shown,
                images[shown["image"].to_numpy(dtype=np.int64)],
                title=f"Most confident mistakes: {name}, {snakemake.wildcards.split} split",
                note=sheet_note(params.registry[model], drawn=params.drawn),
            )
            save(figure, svg, png)
            log.info("%s: %d mistakes drawn", model, len(shown))


main()
