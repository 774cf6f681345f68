"""Describe a system that is not trained: its settings, the source of its weights, its passport."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.files import write_json
from pairdx.logs import job_log
from pairdx.models.inputs import resources, subset_sizes
from pairdx.models.registry import family
from pairdx.training.passport import passport

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Build the system once, so that unusable weights fail here, and save what names them."""
    params, source, out = snakemake.params, snakemake.input, snakemake.output
    seed, started = int(snakemake.wildcards.seed), time.perf_counter()
    with job_log(snakemake.log[0]) as log:
        classifier = family(params.family).build(
            params.settings, params.classes, resources(dict(source.items())), seed
        )
        classifier.save(Path(out.settings).parent)
        facts = passport(
            settings=params.settings,
            seed=seed,
            device="cpu",
            wall_seconds=time.perf_counter() - started,
            pairs=subset_sizes(source.split),
            threads=snakemake.threads,
            parameters=classifier.parameters,
            trained_parameters=0,
            stand_in=params.stand_in,
        )
        write_json(out.passport, facts)
        log.info("%d parameters, not trained", classifier.parameters)


main()
