"""What the facts of one machine mean, each with the line to change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pairdx.cluster.findings import Finding
from pairdx.cluster.gpu_verdicts import gpu_findings
from pairdx.cluster.storage_verdicts import storage_findings

Facts = Mapping[str, Any]

OR_NULL = ", or set it to null to download"
INSTALL = (
    "install requirements.lock into an environment that all nodes see and activate it before "
    "snakemake, or set software-deployment-method: conda and conda-prefix: a shared folder"
)


def findings_of(facts: Facts, places: Mapping[str, Facts]) -> list[Finding]:
    """Judge one machine.

    Args:
        facts: What ``examine`` returned there.
        places: The facts of all places; the login node, where files are downloaded, is among them.
    """
    parts: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
        *(_job, _queue, _packages, _torch, gpu_findings),
    )
    found = [finding for part in parts for finding in part(facts)]
    return [*found, *storage_findings(facts, places), *_files(facts, places["login"])]


def absent(place: str, rule: str, waited: str) -> Finding:
    """Say that a job left nothing: it was refused, did not start, or failed before it could."""
    reasons = f"; it was seen to wait for: {waited}" if waited else ""
    return Finding(
        place,
        "SLURM job",
        "fail",
        f"{rule} left no facts: SLURM refused it, or it failed or was cancelled{reasons}",
        f"the message is above this report, or in logs/slurm/rule_{rule}/; set-resources: {rule}: "
        "slurm_partition, slurm_account, gpu_model (or default-resources) name what sinfo and "
        "sacctmgr show",
    )


def _job(facts: Facts) -> Iterator[Finding]:
    """Whether this was a SLURM job, and got what it asked for."""
    place, job = facts["place"], facts["slurm"]
    if place == "login":
        return
    if job is None:
        yield Finding(
            place,
            "SLURM job",
            "warn",
            f"ran on {facts['host']} as no SLURM job: nothing was learned about a cluster",
            "give the profile: snakemake cluster_check --profile profiles/slurm",
        )
    else:
        waited = job["waited_seconds"]
        after = "" if waited is None else f", started after {waited:,.0f} s"
        where = f"job {job['job']} on {job['node']}, partition {job['partition']}{after}"
        yield Finding(place, "SLURM job", "ok", where)
    asked, got = facts["threads"], facts["processors"]
    if got < asked:
        yield Finding(
            place,
            "CPUs",
            "warn",
            f"{asked} asked for, {got} may be used",
            "set-resources: RULE: cpus_per_task: as many as the rule has threads",
        )
    else:
        yield Finding(place, "CPUs", "ok", f"{asked} asked for, {got} may be used")


def _queue(facts: Facts) -> Iterator[Finding]:
    """Whether squeue answers from here: the lease on a training state asks it."""
    place, job, state = facts["place"], facts["slurm"], facts["squeue"]
    if place == "login" or job is None:
        return
    if state in (None, "GONE"):
        said = "does not know this job" if state else "gives no answer"
        yield Finding(
            place,
            "squeue",
            "warn",
            f"squeue {said} here: a training job that finds the lease of another one cannot tell "
            "whether that one still runs, and ends with an error",
            "ask for SLURM's commands on the nodes' PATH; until then look at squeue yourself and "
            "delete the lease file that the error names",
        )
    else:
        yield Finding(place, "squeue", "ok", f"says {state.lower()} of this job")


def _packages(facts: Facts) -> Iterator[Finding]:
    """Whether the job finds the versions that were tested."""
    place, found = facts["place"], facts["environment"]
    where = f"{found['kind']} {found['prefix']}, Python {found['python']}"
    if found["missing"]:
        names = ", ".join(found["missing"])
        yield Finding(place, "packages", "fail", f"missing in {where}: {names}", INSTALL)
    if found["different"]:
        listed = ", ".join(
            f"{name} {there} (locked: {wanted})"
            for name, (there, wanted) in found["different"].items()
        )
        yield Finding(
            place, "packages", "warn", f"not the tested versions in {where}: {listed}", INSTALL
        )
    if not found["missing"] and not found["different"]:
        text = f"all {found['packages']} of {found['pins']} in their locked versions ({where})"
        yield Finding(place, "packages", "ok", text)


def _torch(facts: Facts) -> Iterator[Finding]:
    """Whether PyTorch can be imported; what it sees of GPUs is judged elsewhere."""
    place, torch = facts["place"], facts["torch"]
    if torch is None:
        return
    if torch["import_error"]:
        text = f"cannot be imported: {torch['import_error']}"
        yield Finding(place, "PyTorch", "fail", text, INSTALL)
    else:
        yield Finding(place, "PyTorch", "ok", f"{torch['version']} can be imported")


def _files(facts: Facts, login: Facts) -> Iterator[Finding]:
    """Whether files from outside are there, or can be downloaded on the login node."""
    place = facts["place"]
    absent = {key: paths for key, paths in facts["files"].items() if paths}
    unreachable = {host: why for host, why in login["hosts"].items() if why}
    on_login = {key for key, paths in login["files"].items() if paths}
    for key, paths in absent.items():
        if place != "login" and key not in on_login:
            yield Finding(
                place,
                "files",
                "fail",
                f"{key}: {paths[0]} is on the login node and not here",
                "put it on storage that all nodes see, and name that path",
            )
        elif place == "login" and key.endswith(".path"):
            yield Finding(
                place,
                "files",
                "fail",
                f"{key}: there is no {paths[0]}",
                f"correct config key {key}{'' if _is_asked_for(key) else OR_NULL}",
            )
    if place != "login":
        yield from _internet_of_node(facts)
        return
    to_fetch = [key for key in absent if not key.endswith(".path")]
    if to_fetch and unreachable:
        hosts = "; ".join(f"{host} ({why})" for host, why in unreachable.items())
        yield Finding(
            place,
            "internet",
            "fail",
            f"not reached: {hosts}; to download: {', '.join(to_fetch)}",
            "fetch the files elsewhere and name them in your overlay (config/README.md, section "
            f"5), such as {to_fetch[0]}.path: FILE; or set https_proxy",
        )
    elif to_fetch:
        text = f"will be downloaded on the login node: {', '.join(to_fetch)}"
        yield Finding(place, "internet", "ok", f"all hosts answer; {text}")
    else:
        yield Finding(place, "files", "ok", "nothing has to be downloaded")


def _is_asked_for(key: str) -> bool:
    """Whether nobody downloads what a key names: texts come from their owners."""
    return key.startswith("text_banks.")


def _internet_of_node(facts: Facts) -> Iterator[Finding]:
    reached = [host for host, why in facts["hosts"].items() if not why]
    text = f"{len(reached)} of {len(facts['hosts'])} hosts answer (jobs here need none)"
    yield Finding(facts["place"], "internet", "ok", text)
