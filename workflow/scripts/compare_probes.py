"""Set the accuracies under changed input side by side."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.files import read_table, write_table
from pairdx.logs import job_log
from pairdx.reporting.labels import demo_note, system_title
from pairdx.reporting.probe_figures import robustness, text_gives_away
from pairdx.reporting.probe_tables import (
    TITLE,
    majority_shares,
    probe_notes,
    probe_table,
    probes_for_reading,
)
from pairdx.reporting.theme import save
from pairdx.reporting.webpage import write_for_reading

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def draw(table: pd.DataFrame, shares: dict[str, float]) -> None:
    """Draw both figures."""
    params, out = snakemake.params, snakemake.output
    titles = {model: system_title(model, params.registry) for model in params.registry}
    note = demo_note(params.registry.values())
    title = "What the text gives away: accuracy without one of the inputs"
    figure = text_gives_away(table, titles, shares, title=title, note=note)
    save(figure, out.text, out.text_png)
    title = "Accuracy on damaged images and captions"
    figure = robustness(table, titles, params.image_size, title=title, note=note)
    save(figure, out.robustness, out.robustness_png)


def main() -> None:
    """Write the table over all systems and splits, and draw it."""
    params, out = snakemake.params, snakemake.output
    with job_log(snakemake.log[0]) as log:
        files = zip(params.cells, snakemake.input.probes, strict=True)
        predictions = {(split, model): read_table(path) for (split, model, _), path in files}
        table = probe_table(predictions, resamples=params.resamples, seed=params.seed)
        write_table(out.csv, table)
        write_for_reading(
            probes_for_reading(table, params.registry),
            out.md,
            out.html,
            out.tex,
            title=TITLE,
            notes=probe_notes(predictions, params.registry, params.resamples),
        )
        draw(table, majority_shares(predictions))
        log.info("%s", Path(out.md).read_text(encoding="utf-8"))


main()
