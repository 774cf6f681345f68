"""What SLURM says of a job, of its partitions, and of jobs that wait."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pairdx.programs import Answer, ask

Asker = Callable[[list[str]], Answer]
UNITS = {"": 1, "K": 1 / 1024, "M": 1, "G": 1024, "T": 1024 * 1024}  # SLURM's memory, in MB


@dataclass(frozen=True)
class Partition:
    """Nodes of one kind in one partition.

    Attributes:
        name: The partition's name.
        default: Jobs that name no partition go here.
        limit_minutes: Longest runtime that a job may ask for; None: no limit.
        processors: CPUs of such a node.
        memory_mb: Memory of such a node, MB.
        gres: Its generic resources as SLURM spells them, such as ``gpu:a100:4``; empty for none.
    """

    name: str
    default: bool
    limit_minutes: float | None
    processors: int
    memory_mb: int
    gres: str


def own_job(asker: Asker = ask) -> dict[str, Any] | None:
    """Describe the SLURM job that this process runs in; None outside of any.

    What scontrol does not tell is None in the result: node, partition, account, processors,
    memory_mb, gpus (as SLURM spells what it granted), limit_minutes, waited_seconds; ``error`` is
    why it told nothing.
    """
    job = os.environ.get("SLURM_JOB_ID")
    if not job:
        return None
    answer = asker(["scontrol", "--oneliner", "show", "job", job])
    told = dict(re.findall(r"([A-Za-z][\w/:]*)=(\S*)", answer.text))
    tres = granted(told.get("AllocTRES") or told.get("TRES") or "")
    gpus = ",".join(f"{name}={n}" for name, n in tres.items() if name.startswith("gres/gpu"))
    processors = tres.get("cpu") or told.get("NumCPUs")
    limit = told.get("TimeLimit")
    return {
        "job": job,
        "node": os.environ.get("SLURMD_NODENAME") or told.get("NodeList"),
        "partition": told.get("Partition") or os.environ.get("SLURM_JOB_PARTITION"),
        "account": told.get("Account") or os.environ.get("SLURM_JOB_ACCOUNT"),
        "processors": int(processors) if processors and processors.isdigit() else None,
        "memory_mb": megabytes(tres["mem"]) if "mem" in tres else None,
        "gpus": gpus or None,
        "limit_minutes": minutes(limit) if limit else None,
        "waited_seconds": _seconds_between(told.get("SubmitTime"), told.get("StartTime")),
        "error": answer.error or None,
    }


def granted(tres: str) -> dict[str, str]:
    """Read SLURM's list of what a job was granted, such as ``cpu=2,mem=500M,gres/gpu:a100=1``."""
    parts = (part.rsplit("=", 1) for part in tres.split(",") if "=" in part)
    return dict(parts)


def megabytes(text: str) -> float | None:
    """Read SLURM's spelling of memory (``500M``, ``1.5G``) as MB; None if it is another."""
    found = re.fullmatch(r"([0-9.]+)([KMGT]?)[nc]?", text)
    return float(found[1]) * UNITS[found[2]] if found else None


def minutes(text: str) -> float | None:
    """Read SLURM's spelling of a time limit (``1-00:00:00``, ``30:00``) as minutes; None: no limit.

    ``infinite``, ``UNLIMITED``, ``n/a`` and anything that is no time count as no limit.
    """
    found = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", text)
    if not found:
        return None
    days, hours, whole, seconds = (int(part or 0) for part in found.groups())
    return days * 1440 + hours * 60 + whole + seconds / 60


def _seconds_between(first: str | None, second: str | None) -> float | None:
    try:
        passed = datetime.fromisoformat(second or "") - datetime.fromisoformat(first or "")
    except ValueError:
        return None
    return passed.total_seconds()


def partitions(asker: Asker = ask) -> tuple[list[Partition], str]:
    """Ask sinfo for the partitions, one entry per kind of node, and why there are none."""
    answer = asker(["sinfo", "--noheader", "--exact", "--format=%P|%l|%c|%m|%G"])
    found = []
    for line in answer.text.splitlines():
        fields = line.strip().split("|")
        if len(fields) != 5:
            continue
        name, limit, processors, memory, gres = fields
        found.append(
            Partition(
                name=name.removesuffix("*"),
                default=name.endswith("*"),
                limit_minutes=minutes(limit),
                processors=_whole(processors),
                memory_mb=_whole(memory),
                gres="" if gres == "(null)" else gres,
            )
        )
    return found, answer.error


def _whole(text: str) -> int:
    """Read ``16`` or ``16+`` (at least so many); 0 if it is neither."""
    found = re.match(r"\d+", text)
    return int(found[0]) if found else 0


def waiting(mark: str, asker: Asker = ask) -> list[dict[str, str]] | None:
    """List the jobs in the queue whose comment contains ``mark``: job, state, reason, comment.

    Returns:
        None where squeue gives no answer.
    """
    user = os.environ.get("USER") or str(os.getuid())
    answer = asker(["squeue", "--noheader", f"--user={user}", "--format=%i|%T|%r|%k"])
    if answer.error:
        return None
    rows = (line.strip().split("|", 3) for line in answer.text.splitlines() if mark in line)
    names = ("job", "state", "reason", "comment")
    return [dict(zip(names, row, strict=True)) for row in rows if len(row) == len(names)]
