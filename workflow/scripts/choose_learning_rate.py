"""Compare trainings with different learning rates on validation pairs, and choose one."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.files import write_table
from pairdx.logs import job_log
from pairdx.reporting.labels import demo_note, system_title
from pairdx.reporting.learning_rates import (
    circumstances,
    search_figure,
    search_notes,
    search_table,
    table_for_reading,
)
from pairdx.reporting.theme import save
from pairdx.reporting.webpage import write_for_reading
from pairdx.training.state import remove_state

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write the search as CSV, Markdown and web page, draw it, and drop the trainings' states."""
    facts, out = snakemake.params.facts, snakemake.output
    with job_log(snakemake.log[0]) as log:
        histories = [pd.read_csv(path) for path in snakemake.input.histories]
        table = search_table(facts["learning_rates"], histories, keep_epoch=facts["keep_epoch"])
        write_table(out.csv, table)
        title = f"Learning-rate search: {system_title(facts['model'], facts['registry'])}"
        demo = demo_note(facts["registry"].values())
        made_on = [circumstances(facts), *([demo] if demo else [])]
        write_for_reading(
            table_for_reading(table),
            out.md,
            out.html,
            out.tex,
            title=title,
            notes=[
                *search_notes(table, facts["model"], keep_epoch=facts["keep_epoch"]),
                *made_on,
            ],
        )
        figure = search_figure(table, title=title, note=" ".join(made_on))
        save(figure, out.svg, out.png)
        log.info("%s", Path(out.md).read_text(encoding="utf-8"))
        for folder in snakemake.params.states:
            remove_state(folder)


main()
