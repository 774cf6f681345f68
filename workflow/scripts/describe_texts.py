"""Describe what every system reads of the captions: tokens, cut tokens, unknown words."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.files import read_json
from pairdx.logs import job_log
from pairdx.models.texts import Reading, read_captions
from pairdx.reporting.dataset.text_tables import TITLE, notes_of, text_table
from pairdx.reporting.format.labels import system_title, systems_note
from pairdx.reporting.format.tables import DRAWN_NOTE
from pairdx.reporting.format.webpage import write_item

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def readings(captions: list[str]) -> dict[str, Reading]:
    """Count the tokens of the captions as each system does."""
    source = snakemake.input
    words = source.get("vocabulary")
    vocabulary = read_json(words) if words else None
    found = {}
    for system, needed in snakemake.params.systems.items():
        files = source.get(f"tokeniser_{needed['weights']}")
        found[system] = read_captions(
            needed,
            captions,
            Path(files[0]).parent if files else None,
            vocabulary if needed["vocabulary"] else None,
        )
    return found


def main() -> None:
    """Write the table, one row per system."""
    params = snakemake.params
    with job_log(snakemake.log[0]) as log:
        captions = pd.read_parquet(snakemake.input.pairs, columns=["caption"])["caption"]
        table = text_table(readings(captions.tolist()))
        named = table.assign(
            system=[system_title(name, params.registry) for name in table["system"]]
        )
        # Of stand-ins there is nothing to say here: they read texts as the real ones do.
        shown = [params.registry[name] | {"stand_in": False} for name in table["system"]]
        remarks = [systems_note(shown), DRAWN_NOTE if params.drawn else None]
        notes = [*notes_of(table), *(remark for remark in remarks if remark)]
        written = write_item(snakemake.output, "texts", table, named, title=TITLE, notes=notes)
        log.info("%s", written)


main()
