"""List the CPU seconds per image of all systems, by batch size and stage."""

from typing import TYPE_CHECKING

from pairdx.evaluation.timing import BATCHES
from pairdx.files import read_json, write_table
from pairdx.logs import job_log
from pairdx.reporting.labels import demo_note, system_title
from pairdx.reporting.tables import timing_table
from pairdx.reporting.webpage import write_for_reading

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write the table, with the protocol as its note."""
    registry, out = snakemake.params.registry, snakemake.output
    with job_log(snakemake.log[0]):
        timings = dict(zip(registry, map(read_json, snakemake.input.timings), strict=True))
        table = timing_table(timings)
        write_table(out.csv, table)
        note = demo_note(registry.values())
        notes = [next(iter(timings.values()))["protocol"], BATCHES, *([note] if note else [])]
        named = table.assign(model=[system_title(name, registry) for name in table["model"]])
        files = out.md, out.html, out.tex
        write_for_reading(named, *files, title="CPU seconds per image", notes=notes)


main()
