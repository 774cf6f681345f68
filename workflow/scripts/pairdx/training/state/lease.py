"""One job at a time on one training state.

When Snakemake is killed, its SLURM jobs live on, and a restart submits them a second time. The job
that comes second ends with an error that names the first, instead of writing over its state.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from platform import node
from typing import Any

from pairdx.errors import PairDxError
from pairdx.logs import logger
from pairdx.storage_errors import storage_errors_at
from pairdx.training.state.holder import (
    ALIVE,
    SlurmJob,
    is_alive_here,
    is_identified,
    is_the_same,
    of_another_cluster,
    slurm_job,
    this_job,
    user_name,
)

FILE = "lease.json"
SECONDS_TO_END = 60.0
SECONDS_BETWEEN_LOOKS = 3.0


@contextmanager
def lease(folder: Path) -> Iterator[None]:
    """Hold the only lease on a state folder during the block.

    The folder's ``lease.json`` names the holder, and the operating system locks the file until the
    process ends, however it ends. A lease whose SLURM job or process is gone is taken over; a job
    that is just ending is waited for, up to a minute.

    Raises:
        PairDxError: Another job holds it; the error names the job to wait for or to cancel.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    deadline = time.monotonic() + SECONDS_TO_END
    while True:
        handle = _locked(path)
        try:
            _require_no_other_job(path, handle)
            break
        except _EndingError as error:
            os.close(handle)
            if time.monotonic() > deadline:
                raise error.reason from error
            time.sleep(SECONDS_BETWEEN_LOOKS)
        except PairDxError:
            os.close(handle)
            raise
    try:
        with storage_errors_at(path):
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps(this_job(), indent=2).encode() + b"\n", 0)
            os.fsync(handle)
        yield
    finally:
        with suppress(OSError):  # what went wrong before says more; nobody needs an unlocked file
            path.unlink(missing_ok=True)
        os.close(handle)


class _EndingError(Exception):
    """The holder is ending: look again in a moment."""

    def __init__(self, reason: PairDxError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _locked(path: Path) -> int:
    """Open and lock the lease file; the lock goes with the process, a SIGKILL included."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = _holder(handle)
            os.close(handle)
            raise _held(path, _surely(holder)) from error
        except OSError as error:  # a file system without locks: the SLURM job's state must do
            logger.warning("%s cannot be locked (%s)", path, error.strerror)
            return handle
        try:
            same = os.path.samestat(os.fstat(handle), path.stat())
        except FileNotFoundError:
            same = False
        if same:
            return handle
        os.close(handle)  # its holder removed it between our opening and locking it


def _holder(handle: int) -> dict[str, Any]:
    try:
        content = json.loads(os.pread(handle, 10_000, 0))
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _surely(holder: dict[str, Any]) -> dict[str, Any]:
    """Return the holder, or nothing if it cannot be the one that has the lock.

    One that has just taken a lease has not written its name yet: the file has that of another, who
    is gone, and whose number may be somebody else's by now.
    """
    if number := holder.get("slurm_job_id"):
        if of_another_cluster(holder):
            return holder
        job = slurm_job(str(number))
        if job is None or job.state not in ALIVE or not is_the_same(holder, job):
            return {}
        return holder if is_identified(holder, job) else {}
    return holder if holder.get("host") != node() or is_alive_here(holder) else {}


def _require_no_other_job(path: Path, handle: int) -> None:
    """Refuse if the file names a SLURM job, other than this one, that may still write."""
    holder = _holder(handle)
    number = holder.get("slurm_job_id")
    elsewhere = of_another_cluster(holder)
    if not number or (number == os.environ.get("SLURM_JOB_ID") and not elsewhere):
        return  # nobody, a process that is gone (we have its lock), or this job before a requeue
    job = None if elsewhere else slurm_job(str(number))
    if job is None:
        raise PairDxError(
            f"the training state is leased to {_name(holder)}, and SLURM does not say whether "
            "that job still runs",
            where=path,
            remedy=f"ask for it on the cluster {holder['slurm_cluster']}; if that job is gone, "
            "delete this file"
            if elsewhere
            else "try again when squeue answers; if that job is surely gone, delete this file",
        )
    if not is_the_same(holder, job):
        logger.info(
            "taking over the training state of SLURM job %s, which is gone: its number is another "
            "job's by now",
            number,
        )
        return
    held = _held if is_identified(holder, job) else _perhaps_held
    if job.state == "COMPLETING":
        raise _EndingError(held(path, holder, job))
    if job.state in ALIVE:
        raise held(path, holder, job)
    logger.info("taking over the training state of SLURM job %s, which is gone", number)


def _name(holder: dict[str, Any]) -> str:
    """Name a SLURM job, and its cluster if that is another one."""
    cluster = f" of the cluster {holder['slurm_cluster']}" if of_another_cluster(holder) else ""
    return f"SLURM job {holder['slurm_job_id']}{cluster}"


def _perhaps_held(path: Path, holder: dict[str, Any], job: SlurmJob) -> PairDxError:
    """Say that a number is all that is known: to end its job may be to end somebody else's."""
    number = holder["slurm_job_id"]
    whose = f", of the user with the number {job.user_id}" if job.user_id else ""
    return PairDxError(
        f"the training state is leased to {_name(holder)}, and the lease does not say enough to "
        f"tell whether that is the job that has the number now ({job.state.lower()}{whose})",
        where=path,
        remedy=f"look at it (scontrol show job {number}): if it trains this model, wait until it "
        "ends and start again; if it is another job, leave it alone and delete this file",
    )


def _held(path: Path, holder: dict[str, Any], job: SlurmJob | None = None) -> PairDxError:
    """Say who trains here, and how to end it; a number only where it is surely the holder's."""
    process, user = holder.get("process"), holder.get("user")
    if of_another_cluster(holder):
        named, end = _name(holder), "look for it there"  # here the number is another job's
    elif holder.get("slurm_job_id"):
        named, end = _name(holder), f"scancel {holder['slurm_job_id']}"
    elif process:
        named, end = f"process {process} on {holder.get('host')}", f"kill {process}"
    else:
        named, end = "another process", "look for it with squeue and ps"
    named += f" ({job.state.lower()})" if job else ""
    if holder and user not in (None, user_name()):
        named, end = f"{named}, of the user {user},", f"only that user can ({end})"
    since = f" since {holder['since']}" if holder.get("since") else ""
    return PairDxError(
        f"{named} is training this very model{since}",
        where=path,
        remedy=f"wait until it ends and start again (what it has done by then is kept), or end it: "
        f"{end}",
    )
