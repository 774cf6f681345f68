"""Predict the test pairs under one change of their input after the other."""

from typing import TYPE_CHECKING

from pairdx.evaluation.input_probes import predictions_under_probes
from pairdx.files import write_table
from pairdx.logs import job_log
from pairdx.models.inputs import read_subset, resources
from pairdx.models.registry import load_or_build

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write one row per test pair and probe."""
    params, source = snakemake.params, snakemake.input
    with job_log(snakemake.log[0]) as log:
        files = resources(dict(source.items()))
        classifier = load_or_build(source.get("settings"), params.untrained, params.classes, files)
        pairs = read_subset(source.pairs, source.split, source.images, params.classes, "test")
        table = predictions_under_probes(
            classifier, pairs, params.reads, params.settings, params.batch_size
        )
        for names, rows in table.groupby(["probe", "level"], sort=False, dropna=False):
            log.info("%s: accuracy %.4f", names, (rows["label"] == rows["predicted"]).mean())
        write_table(snakemake.output.probes, table)


main()
