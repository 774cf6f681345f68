"""Ask a system about the test pairs of another dataset than the one that it was trained on."""

from typing import TYPE_CHECKING

from pairdx.files import write_table
from pairdx.logs import job_log
from pairdx.models.elsewhere import UNMATCHED, add_words_of_other, asked_elsewhere
from pairdx.models.inputs import read_subset, resources
from pairdx.models.registry import load_or_build
from pairdx.tasks import rows_of

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Load the system, classify every pair, and write one row for each."""
    params, source, out = snakemake.params, snakemake.input, snakemake.output
    with job_log(snakemake.log[0]) as log:
        files = resources(dict(source.items()))
        classifier = load_or_build(source.get("settings"), params.untrained, params.classes, files)
        if new := add_words_of_other(classifier, dict(source.items())):
            log.info("%d words that only the other dataset has are known, too", new)
        there = read_subset(source.pairs, source.split, source.images, params.classes_there, "test")
        table = asked_elsewhere(
            classifier,
            there,
            params.classes,
            params.matched,
            rows_of(params.task),
            params.batch_size,
        )
        write_table(out.predictions, table)
        known = table[table["label"] != UNMATCHED]
        log.info(
            "%d pairs, %d of them of %d classes that the system knows: accuracy %.4f",
            *(len(table), len(known), len(params.matched)),
            (known["label"] == known["predicted"]).mean(),
        )


main()
