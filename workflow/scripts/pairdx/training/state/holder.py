"""Who holds a training state: a SLURM job or a process, known by more than its number.

Numbers are given anew: SLURM's after a controller lost its memory or on another cluster, a
process's after some hours. A number alone would send a user to end somebody else's job.
"""

from __future__ import annotations

import os
import platform
import pwd
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pairdx.programs import ask

# States in which a SLURM job may still write, or will again once it is restarted.
ALIVE = frozenset(
    {
        *("PENDING", "CONFIGURING", "RUNNING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT"),
        *("COMPLETING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "RESIZING", "RESV_DEL_HOLD"),
        "SPECIAL_EXIT",
    }
)
# What is asked of squeue, with the width of each column; the name, which may hold anything, last.
COLUMNS = {"State": 30, "UserID": 20, "StartTime": 25, "RestartCnt": 15, "Name": 200}
# Times are the controller's own, shown to the second.
SECONDS_OF_ROUNDING = 2.0
# After so long, squeue counts as silent.
SECONDS_FOR_SQUEUE = 60.0


@dataclass(frozen=True)
class SlurmJob:
    """What SLURM says of a number.

    Attributes:
        state: Such as RUNNING; GONE if SLURM does not know the number (any more).
        user_id: Whose it is.
        name: Its name; Snakemake gives the jobs of every run one of their own.
        started: When it was started last, in seconds since 1970; None if it waits.
        restarts: How often SLURM put it back into the queue.
    """

    state: str
    user_id: str | None = None
    name: str | None = None
    started: float | None = None
    restarts: int | None = None


def this_job() -> dict[str, Any]:
    """Describe the job and process that run this, for others to recognise them."""
    number, process = os.environ.get("SLURM_JOB_ID"), os.getpid()
    job = slurm_job(number) if number else None
    name = os.environ.get("SLURM_JOB_NAME", "")[: COLUMNS["Name"]].strip()
    # A container may have given the user another number; SLURM has its own.
    user_id = os.environ.get("SLURM_JOB_UID") or str(os.getuid())
    return {
        "slurm_job_id": number,
        "slurm_cluster": os.environ.get("SLURM_CLUSTER_NAME"),
        # squeue may be silent now and answer later: then these two must be here to be compared.
        "slurm_user_id": (job and job.user_id) or (user_id if number else None),
        "slurm_job_name": (job and job.name) or (name if number and name else None),
        "slurm_started": job and job.started,
        "slurm_restarts": job and job.restarts,
        "user": user_name(),
        "host": platform.node(),
        "process": process,
        "process_started": _started(process),
        "since": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def user_name() -> str:
    """Return the name of the user who runs this."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a number without a name, as in some containers
        return str(os.getuid())


def _started(process: int) -> int | None:
    """Return when a process of this machine began, in the kernel's ticks; None if it is gone."""
    try:
        line = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
        return int(line.rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


def is_the_same(holder: Mapping[str, Any], found: SlurmJob) -> bool:
    """Say whether the job that SLURM has under a holder's number is the holder.

    A job that SLURM put back into the queue has another start, and more restarts. What a lease does
    not say (SLURM was silent when it was taken) is not compared.
    """
    for key, now in (("slurm_user_id", found.user_id), ("slurm_job_name", found.name)):
        if None not in (holder.get(key), now) and holder[key] != now:
            return False
    started, restarts = holder.get("slurm_started"), holder.get("slurm_restarts")
    if started is None or restarts is None or found.restarts is None or found.restarts > restarts:
        return True
    return found.started is not None and abs(found.started - started) <= SECONDS_OF_ROUNDING


def is_identified(holder: Mapping[str, Any], found: SlurmJob) -> bool:
    """Say whether a lease holds a fact by which its holder is known among the jobs of a user.

    Without a name or a start that SLURM states too, :func:`is_the_same` had nothing to compare: the
    number may be anybody's, and that job is nobody's to be told to cancel.
    """
    facts = (("slurm_job_name", found.name), ("slurm_started", found.started))
    return any(None not in (holder.get(key), now) for key, now in facts)


def is_alive_here(holder: Mapping[str, Any]) -> bool:
    """Say whether a holder's process runs on this machine, and is surely the one that it was."""
    process, started = holder.get("process"), holder.get("process_started")
    if not isinstance(process, int) or holder.get("host") != platform.node():
        return False
    return started is not None and started == _started(process)


def of_another_cluster(holder: Mapping[str, Any]) -> bool:
    """Say whether a holder's number is one of a cluster that this job cannot ask."""
    own, its = os.environ.get("SLURM_CLUSTER_NAME"), holder.get("slurm_cluster")
    return bool(own and its and own != its)


def slurm_job(number: str) -> SlurmJob | None:
    """Return what SLURM has under a job's number, or None if it is silent.

    Args:
        number: The job's number.
    """
    if not re.fullmatch(r"[0-9]+(_[0-9]+)?", number):
        return None
    columns = ",".join(f"{name}:{width}" for name, width in COLUMNS.items())
    answer = ask(
        ["squeue", "--noheader", "--states=all", f"--jobs={number}", f"--Format={columns}"],
        SECONDS_FOR_SQUEUE,
        environment={"TZ": "UTC", "SLURM_TIME_FORMAT": "standard"},
    )
    if answer.error:
        return SlurmJob("GONE") if "Invalid job id" in answer.error else None
    lines = answer.text.splitlines()
    return _parsed(lines[0]) if lines and lines[0].strip() else SlurmJob("GONE")


def _parsed(line: str) -> SlurmJob:
    cells, at = [], 0
    for width in COLUMNS.values():
        cells.append(line[at : at + width].strip())
        at += width
    state, user_id, started, restarts, name = cells
    try:
        seconds = datetime.fromisoformat(f"{started}+00:00").timestamp()
    except ValueError:  # N/A: it waits
        return SlurmJob(state, user_id, name, None, _number(restarts))
    return SlurmJob(state, user_id, name, seconds, _number(restarts))


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None
