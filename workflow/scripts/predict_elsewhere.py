"""Ask a system about the test pairs of another dataset than the one that it was trained on."""

import logging
from typing import TYPE_CHECKING

import pandas as pd

from pairdx.files import write_table
from pairdx.logs import job_log
from pairdx.models.base import Classifier, Pairs
from pairdx.models.elsewhere import (
    UNMATCHED,
    add_words_of_other,
    asked_elsewhere,
    findings_elsewhere,
)
from pairdx.models.inputs import read_subset, resources
from pairdx.models.registry import load_or_build
from pairdx.tasks import rows_of

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def there(subset: str) -> Pairs:
    """Read a subset of the other dataset."""
    params, source = snakemake.params, snakemake.input
    return read_subset(source.pairs, source.split, source.images, params.classes_there, subset)


def by_matched_classes(classifier: Classifier, log: logging.Logger) -> pd.DataFrame:
    """Ask for the system's own classes, of which the other dataset has some."""
    params = snakemake.params
    if new := add_words_of_other(classifier, dict(snakemake.input.items())):
        log.info("%d words that only the other dataset has are known, too", new)
    table = asked_elsewhere(
        classifier,
        there("test"),
        params.classes,
        params.matched,
        rows_of(params.task),
        params.batch_size,
    )
    known = table[table["label"] != UNMATCHED]
    log.info(
        "%d pairs, %d of them of %d classes that the system knows: accuracy %.4f",
        *(len(table), len(known), len(params.matched)),
        (known["label"] == known["predicted"]).mean(),
    )
    return table


def by_findings_there(classifier: Classifier, log: logging.Logger) -> pd.DataFrame:
    """Ask for the other dataset's findings, by prompts."""
    params = snakemake.params
    of_task, subsets = rows_of(params.task), (there("validation"), there("test"))
    table = findings_elsewhere(classifier, *subsets, params.about, of_task, params.batch_size)
    for subset, rows in table.groupby("subset", sort=False):
        log.info("%s: %d pairs, %s", subset, len(rows), of_task.told(rows))
    return table


def main() -> None:
    """Load the system, classify every pair, and write one row for each."""
    params, source, out = snakemake.params, snakemake.input, snakemake.output
    with job_log(snakemake.log[0]) as log:
        files = resources(dict(source.items()))
        classifier = load_or_build(source.get("settings"), params.untrained, params.classes, files)
        ask = by_findings_there if params.about else by_matched_classes
        write_table(out.predictions, ask(classifier, log))


main()
