"""One machine looked at from within a job: everything that later jobs take for granted."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pairdx.cluster.network import hosts_reached
from pairdx.cluster.slurm import own_job
from pairdx.cluster.software import driver_state, environment, torch_state
from pairdx.cluster.storage import (
    folder_state,
    held_elsewhere,
    leave_token,
    lock_state,
    reads,
    token_of,
    tokens_seen,
)
from pairdx.machine import cpu_model


@dataclass(frozen=True)
class Task:
    """What to look at.

    Attributes:
        place: Where this is: ``login``, ``cpu`` or ``gpu``.
        threads: CPUs that the job asked for.
        pins: The conda environment file of the job's rule.
        lock: The lock file of all packages.
        torch: Whether the jobs that this one stands for need PyTorch.
        folders: Where jobs write; the temporary folder is looked at too.
        state: The folder on which training jobs take their lease.
        shared: The folder for files that the jobs of this check show each other.
        login: Facts of the login node; None on the login node itself.
        beside: Places whose jobs may run at the same time.
        held: A file that the login node keeps locked meanwhile; None: none.
        files: Paths that jobs read, by the config key that they belong to.
        addresses: Where missing files are downloaded from.
    """

    place: str
    threads: int
    pins: Path
    lock: Path
    torch: bool
    folders: Sequence[str]
    state: Path
    shared: Path
    login: Mapping[str, Any] | None
    beside: Sequence[str]
    held: Path | None
    files: Mapping[str, Sequence[str]]
    addresses: Sequence[str]


def examine(task: Task) -> dict[str, Any]:
    """Look at this machine and return what is there, ready to be written as JSON.

    Nothing raises because something is missing: that is what the check is made to find.
    """
    job = own_job()
    token = _token(task)  # first: the jobs beside look for it
    temporary = tempfile.gettempdir()
    folders = {path: folder_state(Path(path)) for path in task.folders}
    return {
        "place": task.place,
        "time": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S %z"),
        "written": time.time(),
        "host": platform.node(),
        "processor": cpu_model(),
        "threads": task.threads,
        "processors": _processors(),
        "slurm": job,
        "squeue": _squeue_of(job) if job else None,
        "environment": environment(task.pins, task.lock),
        "torch": torch_state() if task.torch else None,
        "driver": driver_state(),
        "visible_gpus": os.environ.get("CUDA_VISIBLE_DEVICES"),
        "temporary": temporary,
        "folders": folders | {temporary: folder_state(Path(temporary))},
        "seen": tokens_seen({"login": task.login["token"]} if task.login else {}),
        "token": token,
        "lock_error": lock_state(task.state),
        "held": held_elsewhere(task.held) if task.held else None,
        "files": {
            key: [path for path in paths if not Path(path).exists()]
            for key, paths in task.files.items()
        },
        "hosts": hosts_reached(task.addresses),
        # Last: by now those that started together with this one have written theirs.
        "beside": {place: reads(token_of(task.shared, place), place) for place in task.beside},
        "looked": time.time(),
    }


def _token(task: Task) -> str:
    with suppress(OSError):  # the folder's own state says why
        leave_token(task.shared, task.place)
    return str(token_of(task.shared, task.place))


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _squeue_of(job: Mapping[str, Any]) -> str | None:
    """Ask for this job's state by the function that the lease on a training state uses."""
    try:
        from pairdx.training.state.holder import slurm_job
    except ImportError:  # a package is missing; the environment's facts say which
        return None
    found = slurm_job(str(job["job"]))
    return None if found is None else found.state
