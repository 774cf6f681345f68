"""Join the archives' facts, take out duplicates, carry out a review, balance; draw the funnel."""

from typing import TYPE_CHECKING

import pandas as pd

from pairdx.curation.pairs import curate
from pairdx.curation.review import read_decisions
from pairdx.files import write_table
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write pairs, out-of-distribution pairs, rejections and the funnel."""
    with job_log(snakemake.log[0]) as log:
        curated = curate(
            pd.read_parquet(snakemake.input.candidates),
            pd.read_parquet(snakemake.input.rejected),
            pd.concat([pd.read_parquet(path) for path in snakemake.input.facts]),
            snakemake.params.settings,
            decisions=read_decisions(snakemake.input.get("decisions")),
            counts=pd.read_parquet(snakemake.input.counts).groupby("label")["rows"].sum(),
            seed=snakemake.params.seed,
        )
        counts = curated.rejected.groupby(["stage", "reason"], sort=False).size()
        log.info("rejected:\n%s", counts.to_string())
        log.info("pairs:\n%s", curated.pairs["label"].value_counts().to_string())
        write_table(snakemake.output.pairs, curated.pairs)
        write_table(snakemake.output.out_of_distribution, curated.out_of_distribution)
        write_table(snakemake.output.rejected, curated.rejected)
        write_table(snakemake.output.funnel, curated.funnel)


main()
