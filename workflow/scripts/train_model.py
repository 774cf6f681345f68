"""Train one system with one seed on one split, and leave its weights, history and passport."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.files import sha256_of, write_json, write_table
from pairdx.logs import job_log
from pairdx.models.base import FitJob
from pairdx.models.inputs import read_subset, resources, subset_sizes
from pairdx.models.registry import family
from pairdx.training.passport import passport
from pairdx.training.state import remove_state, settings_hash

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def state_folder(seed: int) -> Path:
    """Where an interrupted job's state lies: other settings, data or code have another."""
    params, source = snakemake.params, snakemake.input
    identity = {
        "family": params.family,
        "settings": params.settings,
        "classes": params.classes,
        "device": params.device,
        "seed": seed,
        "data": [sha256_of(path) for path in (source.pairs, source.split, source.images)],
        "code": [sha256_of(path) for path in source.library],
        "resources": {name: str(path) for name, path in resources(dict(source.items())).items()},
    }
    return Path(params.state, settings_hash(identity))


def main() -> None:
    """Train, save, describe; then remove the training state."""
    params, source, out = snakemake.params, snakemake.input, snakemake.output
    seed, started = int(snakemake.wildcards.seed), time.perf_counter()
    with job_log(snakemake.log[0]):
        train, validation = (
            read_subset(source.pairs, source.split, source.images, params.classes, name)
            for name in ("train", "validation")
        )
        module = family(params.family)
        classifier = module.build(
            params.settings, params.classes, resources(dict(source.items())), seed
        )
        job = FitJob(
            seed=seed,
            device=params.device,
            state_folder=state_folder(seed),
            threads=snakemake.threads,
        )
        history = module.fit(classifier, train, validation, job)
        classifier.save(Path(out.settings).parent)
        write_table(out.history, history)
        facts = passport(
            settings=params.settings,
            seed=seed,
            device=params.device,
            wall_seconds=time.perf_counter() - started,
            pairs=subset_sizes(source.split),
            threads=snakemake.threads,
            parameters=classifier.parameters,
            stand_in=params.stand_in,
        )
        write_json(out.passport, facts)
        remove_state(params.state)


main()
