"""What the facts of folders mean: writable, with room, locked, shared between machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pairdx.cluster.findings import Finding

Facts = Mapping[str, Any]

GIGABYTE = 10**9
# MultiCaRe's archives, unpacked tables, packed images and training states of one run.
ROOM_GIGABYTES = 20
CLOCK_SECONDS = 5.0
LAG_SECONDS = 30.0  # half of the profile's latency-wait
SHARE = "run snakemake in a folder on storage that all nodes mount (and no node caches)"


def storage_findings(facts: Facts, places: Mapping[str, Facts]) -> Iterator[Finding]:
    """Judge the folders of one machine.

    Args:
        facts: What ``examine`` returned there.
        places: The facts of all places.
    """
    for part in (_folders, _room, _clock, _locks, _shared):
        yield from part(facts)
    yield from _beside(facts, places)


def _folders(facts: Facts) -> Iterator[Finding]:
    """Whether jobs can write where they write."""
    place = facts["place"]
    for path, state in facts["folders"].items():
        if state["error"]:
            remedy = (
                "default-resources: tmpdir: a folder that exists on the nodes"
                if path == facts["temporary"]
                else "run snakemake in (or --directory to) a folder that the nodes may write to"
            )
            yield Finding(place, "folders", "fail", f"{path}: {state['error']}", remedy)
    if not any(state["error"] for state in facts["folders"].values()):
        yield Finding(place, "folders", "ok", f"writable: {', '.join(facts['folders'])}")


def _room(facts: Facts) -> Iterator[Finding]:
    """Whether there is room for downloads, packed images and training states."""
    free = {
        path: state["free_bytes"] / GIGABYTE
        for path, state in facts["folders"].items()
        if state["free_bytes"] is not None
    }
    wanted = {path: 1 if path == facts["temporary"] else ROOM_GIGABYTES for path in free}
    tight = [path for path in free if free[path] < wanted[path]]
    listed = ", ".join(f"{path} {free[path]:,.0f} GB" for path in (tight or free))
    if tight:
        yield Finding(
            facts["place"],
            "free space",
            "warn",
            f"less than {ROOM_GIGABYTES} GB (1 GB for temporary files): {listed}",
            "run in a folder with more room; default-resources: tmpdir: for temporary files",
        )
    else:
        yield Finding(facts["place"], "free space", "ok", f"{listed} (quotas are not seen)")


def _clock(facts: Facts) -> Iterator[Finding]:
    """Whether times agree: Snakemake compares the times of files."""
    ahead = [
        state["clock_seconds"]
        for path, state in facts["folders"].items()
        if state["clock_seconds"] is not None and path != facts["temporary"]
    ]
    if not ahead:
        return
    most = max(ahead, key=abs)
    text = f"{most:+.1f} s against the file system's"
    if abs(most) > CLOCK_SECONDS:
        yield Finding(
            facts["place"],
            "clock",
            "warn",
            f"{text}: files may seem older than what they were made from, and jobs run again",
            "tell the administrators: the node's clock is wrong (NTP)",
        )
    else:
        yield Finding(facts["place"], "clock", "ok", text)


def _locks(facts: Facts) -> Iterator[Finding]:
    """Whether flock works where training jobs take their lease, and reaches other machines."""
    place, error, held = facts["place"], facts["lock_error"], facts["held"]
    if error:
        silent = place != "login" and facts["slurm"] and facts["squeue"] in (None, "GONE")
        yield Finding(
            place,
            "locks",
            "fail" if silent else "warn",
            f"flock on the state folder: {error}; two jobs on one training state are told apart by "
            "squeue alone" + (", which gives no answer either" if silent else ""),
            "put the run on a file system with locks (Lustre: mount option flock)",
        )
    elif held is False and facts["slurm"]:
        yield Finding(
            place,
            "locks",
            "warn",
            "flock works, but does not reach from node to node; two jobs on one training state are "
            "told apart by squeue alone",
            "nothing, if squeue is ok here; else a file system with cluster-wide locks "
            "(Lustre: flock instead of localflock)",
        )
    else:
        reach = ", from node to node too" if held and facts["slurm"] else ""
        yield Finding(place, "locks", "ok", f"flock works on the state folder{reach}")


def _shared(facts: Facts) -> Iterator[Finding]:
    """Whether files that other machines wrote are seen here, and how soon."""
    place = facts["place"]
    for other, seconds in facts["seen"].items():
        if seconds is None:
            yield Finding(
                place,
                "shared storage",
                "fail",
                f"a file that the {other} job wrote is not seen here",
                SHARE,
            )
        elif seconds > LAG_SECONDS:
            yield Finding(
                place,
                "shared storage",
                "warn",
                f"a file that the {other} job wrote was seen after {seconds:g} s",
                f"latency-wait: {2 * round(seconds) + 60}",
            )
        else:
            text = f"a file that the {other} job wrote was seen after {seconds:g} s"
            yield Finding(place, "shared storage", "ok", text)


def _beside(facts: Facts, places: Mapping[str, Facts]) -> Iterator[Finding]:
    """Whether the jobs saw each other's files; a job that ended before says nothing of it."""
    for other, seen in facts["beside"].items():
        if seen:
            text = f"a file that the {other} job wrote meanwhile is seen"
            yield Finding(facts["place"], "shared storage", "ok", text)
        elif other in places and facts["looked"] - places[other]["written"] > LAG_SECONDS:
            yield Finding(
                facts["place"],
                "shared storage",
                "fail",
                f"a file that the {other} job wrote {LAG_SECONDS:g} s before is not seen here",
                SHARE,
            )
