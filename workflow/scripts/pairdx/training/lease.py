"""One job at a time on one training state.

When Snakemake is killed, its SLURM jobs live on, and a restart submits them a second time. The job
that comes second ends with an error that names the first, instead of writing over its state.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pairdx.errors import PairDxError
from pairdx.logs import logger

FILE = "lease.json"
# States in which a SLURM job may still write, or will again once it is restarted.
ALIVE = frozenset(
    {
        *("PENDING", "CONFIGURING", "RUNNING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT"),
        *("COMPLETING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "RESIZING", "RESV_DEL_HOLD"),
        "SPECIAL_EXIT",
    }
)
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
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps(_this_job(), indent=2).encode() + b"\n", 0)
    os.fsync(handle)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


class _EndingError(Exception):
    """The holder is ending: look again in a moment."""

    def __init__(self, reason: PairDxError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _this_job() -> dict[str, Any]:
    return {
        "slurm_job_id": os.environ.get("SLURM_JOB_ID"),
        "host": platform.node(),
        "process": os.getpid(),
    }


def _locked(path: Path) -> int:
    """Open and lock the lease file; the lock goes with the process, a SIGKILL included."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = _holder(handle)
            os.close(handle)
            raise _held(path, holder) from error
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


def _require_no_other_job(path: Path, handle: int) -> None:
    """Refuse if the file names a SLURM job, other than this one, that may still write."""
    holder = _holder(handle)
    job = holder.get("slurm_job_id")
    if not job or job == os.environ.get("SLURM_JOB_ID"):
        return  # nobody, a process that is gone (we have its lock), or this job before a requeue
    state = slurm_state(str(job))
    if state is None:
        raise PairDxError(
            f"the training state is leased to SLURM job {job}, and SLURM does not say whether that "
            "job still runs",
            where=path,
            remedy="try again when squeue answers; if that job is surely gone, delete this file",
        )
    if state == "COMPLETING":
        raise _EndingError(_held(path, holder, state))
    if state in ALIVE:
        raise _held(path, holder, state)
    logger.info("taking over the training state of SLURM job %s, which is gone", job)


def _held(path: Path, holder: dict[str, Any], state: str | None = None) -> PairDxError:
    job, process = holder.get("slurm_job_id"), holder.get("process")
    named, cancel = "another process", "it has just started: look for it with ps"
    if job:
        named, cancel = f"SLURM job {job}", f"scancel {job}"
    elif process:
        named, cancel = f"process {process} on {holder.get('host')}", f"kill {process}"
    shown = f" ({state.lower()})" if state else ""
    return PairDxError(
        f"{named}{shown} is training this very model",
        where=path,
        remedy=f"wait until it ends and start again (what it has done by then is kept), or end it: "
        f"{cancel}",
    )


def slurm_state(job: str) -> str | None:
    """Return the state of a SLURM job: ``GONE`` if SLURM no longer knows it, None if it is silent.

    Args:
        job: Its number.
    """
    squeue = shutil.which("squeue")
    if squeue is None or not re.fullmatch(r"[0-9]+(_[0-9]+)?", job):
        return None
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program; the number is checked above
            [squeue, "--noheader", "--states=all", f"--jobs={job}", "--format=%T"],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return "GONE" if "Invalid job id" in done.stderr else None
    states = done.stdout.split()
    return states[0] if states else "GONE"
