"""Jobs that wait in the queue: why they do, told while they do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pairdx.cluster.slurm import waiting
from pairdx.logs import logger

SECONDS_BETWEEN_LOOKS = 5.0
# A job is submitted some seconds after its inputs are there, and its outputs are seen some after
# its end; one that is in no queue for so long was refused, or has ended without outputs.
SECONDS_ABSENT = 60.0
# One that has started, and never was in a queue, runs on this machine: nothing tells when it ends.
SECONDS_HERE = 300.0

# Reasons that no waiting mends, and what to change.
HOPELESS = {
    "PartitionTimeLimit": "the runtime is above the partition's limit",
    "PartitionNodeLimit": "the partition does not have that many nodes",
    "PartitionDown": "the partition is down",
    "PartitionInactive": "the partition takes no jobs",
    "AccountNotAllowed": "slurm_account may not use this partition",
    "BadConstraints": "no node has what the job asks for",
    "InvalidAccount": "slurm_account is wrong",
    "InvalidQOS": "qos is wrong, or not for this partition",
    "QOSMaxGRESPerUser": "you use as many GPUs as you may, or may use none",
    "QOSMaxWallDurationPerJobLimit": "the runtime is above the limit of your quality of service",
    "ReqNodeNotAvail": "the nodes that have it are down or reserved",
}


@dataclass(frozen=True)
class Watched:
    """A job of the check.

    Attributes:
        rule: Its rule; the comment of its SLURM job contains the name.
        facts: What it leaves at its end.
        token: What it leaves at its start.
    """

    rule: str
    facts: Path
    token: Path


def watch(
    mark: str,
    jobs: Sequence[Watched],
    *,
    look: Callable[[str], list[dict[str, str]] | None] = waiting,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, str]:
    """Log every change of what the check's jobs wait for, until all have ended or are gone.

    Args:
        mark: What the comments of the check's jobs contain, beside the rule's name.
        jobs: The jobs of this check.
        look: Lists jobs in the queue (see ``waiting``).
        pause: Sleeps for so many seconds.
        clock: Tells seconds.

    Returns:
        By rule, the reasons for waiting that were seen, in order.
    """
    reasons: dict[str, list[str]] = {job.rule: [] for job in jobs}
    queued: set[str] = set()
    last_seen = dict.fromkeys(reasons, clock())
    open_jobs = list(jobs)
    while open_jobs:
        queue = look(mark) or []
        for job in open_jobs:
            for entry in (entry for entry in queue if job.rule in entry["comment"]):
                queued.add(job.rule)
                last_seen[job.rule] = clock()
                _note(job.rule, entry, reasons[job.rule])
        open_jobs = [
            job
            for job in open_jobs
            if not job.facts.exists()
            and clock() - last_seen[job.rule] <= _patience(job, job.rule in queued)
        ]
        if open_jobs:
            pause(SECONDS_BETWEEN_LOOKS)
    return {rule: ", ".join(seen) for rule, seen in reasons.items()}


def _patience(job: Watched, was_queued: bool) -> float:
    return SECONDS_HERE if job.token.exists() and not was_queued else SECONDS_ABSENT


def _note(rule: str, job: Mapping[str, str], seen: list[str]) -> None:
    """Log a reason that has not been seen yet."""
    reason = job["reason"].strip("()")
    if job["state"] != "PENDING" or reason in ("", "None", "Prolog") or reason in seen:
        return
    seen.append(reason)
    known = HOPELESS.get(reason.partition(",")[0])
    logger.info(
        "%s (SLURM job %s) waits: %s%s. Ctrl-C ends the check and cancels its jobs.",
        rule,
        job["job"],
        reason,
        f" ({known}; this may never end: see resources of this rule in the profile)"
        if known
        else " (other jobs come first, or the nodes are busy)"
        if reason in ("Priority", "Resources")
        else "",
    )
