"""A training job from files to files: what the rule's script runs, alone or in several processes.

The latter by ``torchrun --nproc-per-node=2 --module pairdx.models.training_job job.json``.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pairdx.errors import PairDxError
from pairdx.files import read_json, write_json, write_table
from pairdx.logs import logger
from pairdx.models.base import ChoosingClassifier, FitJob, ObservingClassifier
from pairdx.models.inputs import read_subset, require_usable, subset_sizes
from pairdx.models.registry import family
from pairdx.storage_errors import storage_error
from pairdx.training.passport import EnergyMeter, passport


@dataclass(frozen=True)
class TrainingJob:
    """Everything that one training depends on, as plain values.

    Attributes:
        family: The system's family.
        settings: What the family reads.
        classes: The labels, in order.
        stand_in: True for demo weights (see :func:`pairdx.training.passport.passport`).
        seed: Of everything random.
        device: ``cpu`` or ``cuda``.
        processes: How many train together; on ``cuda`` each has a GPU.
        threads: CPU threads of each process.
        loader_workers: See :func:`pairdx.training.loop.train`.
        checkpoint_minutes: Likewise.
        pairs: ``pairs.parquet``.
        split: ``split.parquet``, in a folder of the split's name.
        images: Packed images of the size that the system reads.
        resources: Files from outside, by name (see :func:`pairdx.models.inputs.resources`).
        state_folder: Where training state is kept.
        folder: Where the trained system, training.csv and passport.json are written.
    """

    family: str
    settings: Mapping[str, Any]
    classes: Sequence[str]
    stand_in: bool
    seed: int
    device: str
    processes: int
    threads: int
    loader_workers: int
    checkpoint_minutes: float | None
    pairs: str
    split: str
    images: str
    resources: Mapping[str, str]
    state_folder: str
    folder: str


def run_training(job: TrainingJob) -> None:
    """Train, save and describe a system, in as many processes as the job says.

    Raises:
        InterruptedTrainingError: SIGTERM came; the state was written (one process).
        PairDxError: Anything is wrong with the files or settings, training diverged, or one of
            several processes failed.
    """
    if job.processes == 1:
        _train(job)
        return
    # Imported here, because systems without a network do without PyTorch, which takes seconds.
    from pairdx.training.launch import run_together

    with TemporaryDirectory() as folder:
        file = Path(folder, "job.json")
        write_json(file, asdict(job))
        run_together(__name__, [str(file)], job.processes)


def _train(job: TrainingJob, *, leads: bool = True) -> None:
    if job.device == "cuda":  # first: reading the data takes minutes, and is in vain without a GPU
        from pairdx.training.device import torch_device

        torch_device(job.device)
    started, energy = time.perf_counter(), EnergyMeter(job.device)
    if leads:
        named = Path(job.split).parent.name
        require_usable(job.pairs, job.split, job.classes, named, training=True)
    module = family(job.family)
    with_images = getattr(module, "fits_images", lambda _: True)(job.settings)
    train, validation = (
        read_subset(job.pairs, job.split, job.images, job.classes, name, with_images=with_images)
        for name in ("train", "validation")
    )
    files = {name: Path(path) for name, path in job.resources.items()}
    classifier = module.build(job.settings, job.classes, files, job.seed)
    conditions = FitJob(
        seed=job.seed,
        device=job.device,
        state_folder=Path(job.state_folder),
        threads=job.threads,
        loader_workers=job.loader_workers,
        checkpoint_minutes=job.checkpoint_minutes,
    )
    history = module.fit(classifier, train, validation, conditions)
    if not leads:
        return
    folder = Path(job.folder)
    classifier.save(folder)
    write_table(folder / "training.csv", history)
    facts = passport(
        settings=job.settings,
        seed=job.seed,
        device=job.device,
        processes=job.processes,
        threads=job.threads,
        wall_seconds=time.perf_counter() - started,
        energy_joules=energy.joules(),
        pairs=subset_sizes(job.split),
        parameters=classifier.parameters,
        trained_parameters=classifier.trained_parameters,
        stand_in=job.stand_in,
        chosen=classifier.chosen if isinstance(classifier, ChoosingClassifier) else None,
        observed=classifier.observed if isinstance(classifier, ObservingClassifier) else None,
    )
    write_json(folder / "passport.json", facts)


def main() -> None:
    """Be one of the processes that torchrun starts."""
    from pairdx.training.distributed import joined_team

    logger.addHandler(logging.StreamHandler(sys.stdout))
    job = TrainingJob(**read_json(Path(sys.argv[1])))
    try:
        with joined_team(job.device) as team:
            logger.setLevel(logging.INFO if team.leads else logging.ERROR)
            _train(job, leads=team.leads)
    except PairDxError as error:
        sys.exit(f"Error: {error}")
    except OSError as error:
        if (known := storage_error(error)) is None:
            raise
        sys.exit(f"Error: {known}")


if __name__ == "__main__":
    main()
