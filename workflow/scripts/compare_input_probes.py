"""Set the accuracies under changed input side by side."""

from typing import TYPE_CHECKING

import pandas as pd

from pairdx.files import read_table
from pairdx.logs import job_log
from pairdx.reporting.format.labels import system_title, systems_note
from pairdx.reporting.format.theme import save_item
from pairdx.reporting.format.webpage import write_item
from pairdx.reporting.systems.input_probe_figures import robustness, text_gives_away
from pairdx.reporting.systems.input_probe_tables import (
    TITLE,
    majority_shares,
    probe_notes,
    probe_table,
    probes_for_reading,
)

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def draw(table: pd.DataFrame, shares: dict[str, float]) -> None:
    """Draw both figures, or one where there are no texts."""
    params, out = snakemake.params, snakemake.output
    titles = {system: system_title(system, params.registry) for system in params.registry}
    note = systems_note(params.registry.values())
    if out.get("text_gives_away_svg"):
        title = "What the text gives away: accuracy without one of the inputs"
        figure = text_gives_away(table, titles, shares, title=title, note=note)
        save_item(out, "text_gives_away", figure)
    title = "Accuracy on damaged images and captions"
    figure = robustness(table, titles, params.image_size, title=title, note=note)
    save_item(out, "robustness", figure)


def main() -> None:
    """Write the table over all systems and splits, and draw it."""
    params = snakemake.params
    with job_log(snakemake.log[0]) as log:
        files = zip(params.cells, snakemake.input.probes, strict=True)
        predictions = {(split, system): read_table(path) for (split, system, _), path in files}
        table = probe_table(predictions, resamples=params.resamples, seed=params.seed)
        written = write_item(
            snakemake.output,
            "input_probes",
            table,
            probes_for_reading(table, params.registry),
            title=TITLE,
            notes=probe_notes(predictions, params.registry, params.resamples),
        )
        draw(table, majority_shares(predictions))
        log.info("%s", written)


main()
