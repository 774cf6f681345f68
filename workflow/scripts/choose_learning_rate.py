"""Compare trainings with different learning rates on validation pairs, and choose one."""

from typing import TYPE_CHECKING

import pandas as pd

from pairdx.logs import job_log
from pairdx.reporting.format.labels import system_title, systems_note
from pairdx.reporting.format.theme import save_item
from pairdx.reporting.format.webpage import write_item
from pairdx.reporting.systems.learning_rates import (
    circumstances,
    search_figure,
    search_notes,
    search_table,
    table_for_reading,
)
from pairdx.training.state.folder import remove_state

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write the search as CSV, Markdown and web page, draw it, and drop the trainings' states."""
    facts, out = snakemake.params.facts, snakemake.output
    with job_log(snakemake.log[0]) as log:
        histories = [pd.read_csv(path) for path in snakemake.input.histories]
        table = search_table(facts["learning_rates"], histories, keep_epoch=facts["keep_epoch"])
        title = f"Learning-rate search: {system_title(facts['system'], facts['registry'])}"
        demo = systems_note(facts["registry"].values())
        made_on = [circumstances(facts), *([demo] if demo else [])]
        written = write_item(
            out,
            "learning_rate_search",
            table,
            table_for_reading(table),
            title=title,
            notes=[
                *search_notes(table, facts["system"], keep_epoch=facts["keep_epoch"]),
                *made_on,
            ],
        )
        figure = search_figure(table, title=title, note=" ".join(made_on))
        save_item(out, "learning_rate_search", figure)
        log.info("%s", written)
        for folder in snakemake.params.states:
            remove_state(folder)


main()
