"""Assign every pair to the training, validation or test subset, and measure what leaks."""

from typing import TYPE_CHECKING

import pandas as pd

from pairdx import leakage, siblings, splits
from pairdx.files import write_json, write_table
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

METHODS = splits.METHODS | {siblings.WITH_SIBLINGS: siblings.with_siblings}
# Splits that promise to share nothing, but for the subsets named.
WITHOUT_LEAKAGE = {
    **dict.fromkeys(splits.WITHOUT_LEAKAGE, ()),
    siblings.WITH_SIBLINGS: ("train-test",),
}


def main() -> None:
    """Write the split and its leakage report; it may leak no more than it promises."""
    name, params = snakemake.wildcards.split, snakemake.params
    with job_log(snakemake.log[0]) as log:
        pairs = pd.read_parquet(snakemake.input.pairs)
        split = METHODS[name](pairs, params.fractions, params.seed)
        splits.check_subsets(pairs, split)
        report = leakage.leakage(pairs, split, name, params.fractions)
        log.info("pairs per class and subset:\n%s", pd.crosstab(pairs["label"], split["subset"]))
        log.info("groups: %s", report["groups"])
        log.info("largest deviation of a class's share: %.4f", report["largest_deviation"])
        if name in WITHOUT_LEAKAGE:
            leakage.refuse_leakage(report, but_for=WITHOUT_LEAKAGE[name])
        write_table(snakemake.output.split, split)
        write_json(snakemake.output.leakage, report)


main()
