"""Assign every pair to the training, validation or test subset, and measure what leaks."""

from typing import TYPE_CHECKING

import pandas as pd

from pairdx import leakage, siblings, splits
from pairdx.errors import PairDxError
from pairdx.files import write_json, write_table
from pairdx.finding_texts import COLUMN as FINDINGS
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

# Kinds that say nothing of pairs with several labels: reports of healthy lungs are told alike.
REPORTS_TOLD_TWICE = ("caption",)
TAKEN = "has no validation pairs; they are taken out of training, whole groups at a time, by seed"


def _for_groups(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return pairs whose reports tie nothing together, where there are several labels per pair.

    Reports are written in set phrases: of many patients the whole report is the same, and as one
    group these would all be in one subset.
    """
    return pairs.assign(caption_cluster="") if FINDINGS in pairs else pairs


def main() -> None:
    """Write the split and its leakage report; it may leak no more than it promises.

    A split that no system can be trained on is written too, and the report says so: what is wrong
    is seen by looking at it (check_documents). The jobs that train on it, or ask a system, refuse.
    """
    name, params = snakemake.wildcards.split, snakemake.params
    with job_log(snakemake.log[0]) as log:
        pairs = pd.read_parquet(snakemake.input.pairs)
        split = METHODS[name](_for_groups(pairs), params.fractions, params.seed)
        report = leakage.leakage(pairs, split, name, params.fractions)
        try:
            check_subsets(pairs, split, params.classes, name, training=False)
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
            shared = REPORTS_TOLD_TWICE if FINDINGS in pairs else ()
            leakage.refuse_leakage(report, but_for=WITHOUT_LEAKAGE[name], kinds_apart=shared)
        write_table(snakemake.output.split, split)
        write_json(snakemake.output.leakage, report)


main()
