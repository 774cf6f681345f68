"""Train one system with one seed on one split, and leave its weights, history and passport."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairdx.files import read_json, remove_leftovers, sha256_of
from pairdx.logs import job_log
from pairdx.models.inputs import resources
from pairdx.models.training_job import TrainingJob, run_training
from pairdx.training.state.folder import settings_hash
from pairdx.training.state.lease import lease

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def training_job() -> TrainingJob:
    """Describe the job. How state is kept is read from config: editing it retrains nothing."""
    params, source, training = snakemake.params, snakemake.input, snakemake.config["training"]
    on_cpu = params.device == "cpu"
    files = resources(dict(source.items()))
    return TrainingJob(
        family=params.family,
        settings=settings(),
        classes=params.classes,
        stand_in=params.stand_in,
        seed=int(snakemake.wildcards.seed),
        device=params.device,
        processes=1 if on_cpu else params.settings.get("gpus", 1),
        threads=snakemake.threads,
        loader_workers=0 if on_cpu else training["loader_workers"],
        checkpoint_minutes=training["checkpoint_minutes"],
        pairs=str(source.pairs),
        split=str(source.split),
        images=str(source.images),
        resources={name: str(path) for name, path in files.items()},
        state_folder=state_folder({name: str(path) for name, path in files.items()}),
        folder=str(Path(snakemake.output.settings).parent),
    )


def settings() -> dict[str, Any]:
    """Return the settings; of those to choose from, what another training chose, if given."""
    given, choice = dict(snakemake.params.settings), snakemake.input.get("choice")
    chosen = read_json(Path(choice))["chosen"] if choice else {}
    return given | {name: value for name, value in chosen.items() if name in given}


def state_folder(files: dict[str, str]) -> str:
    """Where an interrupted job's state lies: other settings, data or code have another."""
    params, source = snakemake.params, snakemake.input
    identity = {
        "family": params.family,
        "settings": settings(),
        "classes": params.classes,
        "device": params.device,
        "seed": int(snakemake.wildcards.seed),
        "data": [sha256_of(path) for path in (source.pairs, source.split, source.images)],
        "code": params.code,
        "resources": files,
    }
    return str(Path(params.state, settings_hash(identity)))


def main() -> None:
    """Train with the only lease on the state, which the job that reads the weights removes."""
    with job_log(snakemake.log[0]), lease(Path(snakemake.params.state)):
        for path in snakemake.output:
            remove_leftovers(path)
        run_training(training_job())


main()
