"""Assign every pair to the training, validation or test subset, and measure what leaks."""

from typing import TYPE_CHECKING

import pandas as pd

from pairdx import leakage, siblings, splits
from pairdx.errors import PairDxError
from pairdx.files import write_json, write_table
from pairdx.logs import job_log
from pairdx.usable_splits import check_subsets

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

METHODS = splits.METHODS | {siblings.WITH_SIBLINGS: siblings.with_siblings}
# Splits that promise to share nothing, but for the subsets named.
WITHOUT_LEAKAGE = {
    **dict.fromkeys(splits.WITHOUT_LEAKAGE, ()),
    siblings.WITH_SIBLINGS: ("train-test",),
}

TAKEN = "has no validation pairs; they are taken out of training, whole groups at a time, by seed"


def main() -> None:
    """Write the split and its leakage report; it may leak no more than it promises.

    A split that no system can be trained on is written too, and the report says so: what is wrong
    is seen by looking at it (check_documents). The jobs that train on it, or ask a system, refuse.
    """
    name, params = snakemake.wildcards.split, snakemake.params
    with job_log(snakemake.log[0]) as log:
        pairs = pd.read_parquet(snakemake.input.pairs)
        split = METHODS[name](pairs, params.fractions, params.seed)
        report = leakage.leakage(pairs, split, name, params.fractions)
        try:
            check_subsets(pairs, split, params.classes, name)
        except PairDxError as error:
            report["unusable"] = {"what": error.what, "remedy": error.remedy}
            log.warning("no system can be trained on this split: %s", error)
        if name == "published" and splits.lacks_validation(pairs):
            report["validation"] = TAKEN
            log.warning("the data's own split: %s", TAKEN)
        log.info("pairs per class and subset:\n%s", pd.crosstab(pairs["label"], split["subset"]))
        log.info("groups: %s", report["groups"])
        log.info("largest deviation of a class's share: %.4f", report["largest_deviation"])
        if name in WITHOUT_LEAKAGE:
            leakage.refuse_leakage(report, but_for=WITHOUT_LEAKAGE[name])
        write_table(snakemake.output.split, split)
        write_json(snakemake.output.leakage, report)


main()
