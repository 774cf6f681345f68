"""Join the tables of all shards of new documents to one, in the order of the documents."""

from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.deployment.joining import join
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write the table, and say how many of its rows have no answer, and why."""
    with job_log(snakemake.log[0]) as log:
        output = Path(snakemake.output.table)
        counts = join(snakemake.input.shards, output, snakemake.wildcards.format)
        rows = counts.pop("rows", 0)
        log.info("%d rows, of which %d have no answer", rows, counts.total())
        for reason, count in counts.most_common():
            log.info("%d without an answer: %s", count, reason)


main()
