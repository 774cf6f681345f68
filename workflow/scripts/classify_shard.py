"""Classify a shard of a table of new documents, going on where a job that was killed came to."""

from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.deployment.options import Options
from pairdx.deployment.run import classify
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Classify the rows of the shard; a bad one is a row with the reason."""
    source, wildcards = snakemake.input, snakemake.wildcards
    read_as = dict(snakemake.params.read_as)
    images = read_as.pop("images")
    folder = source.get("deployed") or Path(source.sums).parent
    options = Options(
        **read_as,
        images=None if images is None else Path(images),
        shard=(int(wildcards.shard), int(wildcards.shards)),
        processes=snakemake.threads,
        threads=1,
        format="parquet",
        quiet=True,
    )
    with job_log(snakemake.log[0]) as log:
        summary = classify(Path(folder), [source.table], Path(snakemake.output.table), options)
        log.info(
            "%d rows: %d classified, %d of these left to a person",
            *(summary.rows, summary.classified, summary.abstained),
        )
        for reason, count in summary.problems.items():
            log.info("%d not classified: %s", count, reason)


main()
