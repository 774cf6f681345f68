"""Describe what every system reads of the captions: tokens, cut tokens, unknown words."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.files import read_json, write_table
from pairdx.logs import job_log
from pairdx.models.texts import Reading, read_captions
from pairdx.reporting.labels import system_title
from pairdx.reporting.tables import DRAWN_NOTE
from pairdx.reporting.text_tables import NOTES, TITLE, text_table
from pairdx.reporting.webpage import write_for_reading

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def readings(captions: list[str]) -> dict[str, Reading]:
    """Count the tokens of the captions as each system does."""
    source = snakemake.input
    words = source.get("vocabulary")
    vocabulary = read_json(words) if words else None
    found = {}
    for model, system in snakemake.params.systems.items():
        files = source.get(f"tokeniser_{system['weights']}")
        found[model] = read_captions(
            system,
            captions,
            Path(files[0]).parent if files else None,
            vocabulary if system["family"] == "fusion" else None,
        )
    return found


def main() -> None:
    """Write the table, one row per system."""
    params, out = snakemake.params, snakemake.output
    with job_log(snakemake.log[0]) as log:
        captions = pd.read_parquet(snakemake.input.pairs, columns=["caption"])["caption"]
        table = text_table(readings(captions.tolist()))
        write_table(out.csv, table)
        named = table.assign(model=[system_title(name, params.registry) for name in table["model"]])
        notes = [*NOTES, *([DRAWN_NOTE] if params.drawn else [])]
        write_for_reading(named, out.md, out.html, out.tex, title=TITLE, notes=notes)
        log.info("%s", Path(out.md).read_text(encoding="utf-8"))


main()
