"""Assign every pair to the training, validation or test subset, and measure what leaks."""

from typing import TYPE_CHECKING

import pandas as pd

from pairdx import leakage, splits
from pairdx.files import write_json, write_table
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write the split and its leakage report; the grouped split may leak nothing."""
    name, params = snakemake.wildcards.split, snakemake.params
    with job_log(snakemake.log[0]) as log:
        pairs = pd.read_parquet(snakemake.input.pairs)
        split = splits.METHODS[name](pairs, params.fractions, params.seed)
        splits.check_subsets(pairs, split)
        report = leakage.leakage(pairs, split, name, params.fractions)
        log.info("pairs per class and subset:\n%s", pd.crosstab(pairs["label"], split["subset"]))
        log.info("groups: %s", report["groups"])
        log.info("largest deviation of a class's share: %.4f", report["largest_deviation"])
        if name in splits.WITHOUT_LEAKAGE:
            leakage.refuse_leakage(report)
        write_table(snakemake.output.split, split)
        write_json(snakemake.output.leakage, report)


main()
