"""Compute every metric, with its interval, from the whole prediction file."""

from typing import TYPE_CHECKING

import pandas as pd

from pairdx.evaluation.metrics import evaluate
from pairdx.files import write_json
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Write metrics.json of the test subset."""
    params = snakemake.params
    with job_log(snakemake.log[0]) as log:
        metrics = evaluate(
            pd.read_parquet(snakemake.input.predictions),
            params.classes,
            resamples=params.resamples,
            seed=params.seed,
        )
        accuracy = metrics["accuracy"]
        log.info("accuracy %(value).4f (%(low)s to %(high)s)", accuracy)
        write_json(snakemake.output.metrics, metrics)


main()
