"""Set the accuracies of one prompt template after the other side by side."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.files import write_table
from pairdx.logs import job_log
from pairdx.reporting.prompt_tables import TITLE, prompt_notes, prompt_table, prompts_for_reading
from pairdx.reporting.webpage import write_for_reading

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write the table over all systems and splits, with the range over templates as notes."""
    params, out = snakemake.params, snakemake.output
    with job_log(snakemake.log[0]) as log:
        predictions: dict[tuple[str, str], list[pd.DataFrame]] = {}
        for (split, model, _), path in zip(params.cells, snakemake.input.prompts, strict=True):
            predictions.setdefault((model, split), []).append(pd.read_parquet(path))
        ordered = {
            key: predictions[key]
            for model in params.registry
            for key in predictions
            if key[0] == model
        }
        table = prompt_table(ordered, resamples=params.resamples, seed=params.seed)
        write_table(out.csv, table)
        write_for_reading(
            prompts_for_reading(table, params.registry),
            out.md,
            out.html,
            out.tex,
            title=TITLE,
            notes=prompt_notes(table, params.registry, params.own, params.resamples),
        )
        log.info("%s", Path(out.md).read_text())


main()
