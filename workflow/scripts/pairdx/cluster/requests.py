"""What rules ask of SLURM, beside what its partitions offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pairdx.cluster.findings import Finding, Verdict
from pairdx.cluster.slurm import Partition

CHECKED_GPU_RULE = "check_gpu_node"
SPELLING = ("slurm_partition", "slurm_account", "gpu_model", "gres", "qos", "constraint")


def request_findings(
    requests: Mapping[str, Sequence[Mapping[str, Any]]], offered: Sequence[Partition]
) -> list[Finding]:
    """Compare what every rule asks for, attempt by attempt, with the partition that it asks.

    Args:
        requests: By rule, the resources of its first attempt, its second and so on: threads,
            runtime (minutes), mem_mb, and slurm_partition, gpu, gpu_model, gres if stated.
        offered: The partitions of this cluster.
    """
    if not offered:
        return []
    found: dict[tuple[str, str, Verdict, str], list[str]] = {}
    for rule, attempts in requests.items():
        for number, asked in enumerate(attempts):
            wrong = _problem(asked, offered)
            if wrong is None:
                continue
            check, what, remedy = wrong
            verdict: Verdict = "fail" if number == 0 else "warn"
            if number:
                what += f" (attempt {number + 1}, after a failure)"
            found.setdefault((check, what, verdict, remedy), []).append(rule)
            break  # later attempts ask for more of the same
    return [
        Finding(
            "cluster", check, verdict, f"{', '.join(rules)}: {what}", remedy.format(rule=rules[0])
        )
        for (check, what, verdict, remedy), rules in found.items()
    ] or [_all_fit(requests)]


def _all_fit(requests: Mapping[str, Sequence[Mapping[str, Any]]]) -> Finding:
    return Finding(
        "cluster",
        "requests",
        "ok",
        f"time, memory, CPUs and GPUs of {len(requests)} rules fit their partitions",
    )


def _problem(asked: Mapping[str, Any], offered: Sequence[Partition]) -> tuple[str, str, str] | None:
    """Return check, what is wrong and what to change of one attempt; None if it fits."""
    name = asked.get("slurm_partition")
    nodes = [kind for kind in offered if kind.name == name or (not name and kind.default)]
    names = ", ".join(dict.fromkeys(kind.name for kind in offered))
    if not nodes and not name:
        return (
            "partition",
            "no partition is named, and SLURM has no default",
            (f"default-resources: slurm_partition: one of {names}"),
        )
    if not nodes:
        return (
            "partition",
            f"there is no partition {name} (sinfo shows {names})",
            (
                f"set-resources: {{rule}}: slurm_partition: one of {names} "
                "(default-resources: slurm_partition, if the rule is not named in the profile)"
            ),
        )
    return _time(asked, nodes) or _gpu(asked, nodes) or _size(asked, nodes)


def _time(asked: Mapping[str, Any], nodes: Sequence[Partition]) -> tuple[str, str, str] | None:
    limits = [kind.limit_minutes for kind in nodes]
    if None in limits or not asked.get("runtime"):
        return None
    longest = max(limit for limit in limits if limit is not None)
    if asked["runtime"] <= longest:
        return None
    return (
        "time limit",
        (
            f"asks for {asked['runtime']:g} min, and partition {nodes[0].name} ends jobs after "
            f"{longest:g} min: such a job waits for ever, or is refused"
        ),
        (
            f"set-resources: {{rule}}: runtime: {longest:g} (training goes on from its last "
            "state), or slurm_partition: one with a longer limit"
        ),
    )


def _gpu(asked: Mapping[str, Any], nodes: Sequence[Partition]) -> tuple[str, str, str] | None:
    wants = asked.get("gpu") or "gpu" in str(asked.get("gres") or "")
    if not wants:
        return None
    with_gpu = [kind for kind in nodes if "gpu" in kind.gres]
    shown = ", ".join(dict.fromkeys(kind.gres for kind in with_gpu)) or "none"
    model = asked.get("gpu_model")
    if not with_gpu:
        return (
            "GPU request",
            f"asks for a GPU, and no node of partition {nodes[0].name} has one",
            (
                "set-resources: {rule}: slurm_partition: one whose nodes have GPUs "
                '(sinfo -o "%P %G")'
            ),
        )
    if model and not any(f"gpu:{model}".lower() in kind.gres.lower() for kind in with_gpu):
        return (
            "GPU request",
            (f"asks for gpu_model {model}, and partition {nodes[0].name} has {shown}"),
            "set-resources: {rule}: gpu_model: as sinfo spells it (gpu:MODEL:number)",
        )
    return None


def _size(asked: Mapping[str, Any], nodes: Sequence[Partition]) -> tuple[str, str, str] | None:
    memory, threads = asked.get("mem_mb") or 0, asked.get("threads") or 1
    if any(memory <= kind.memory_mb and threads <= kind.processors for kind in nodes):
        return None
    largest = max(nodes, key=lambda kind: (kind.memory_mb, kind.processors))
    return (
        "memory and CPUs",
        (
            f"asks for {memory:g} MB and {threads} CPUs, and the largest node of partition "
            f"{largest.name} has {largest.memory_mb} MB and {largest.processors} CPUs"
        ),
        (
            f"set-resources: {{rule}}: mem_mb: {largest.memory_mb} or less, or "
            "slurm_partition: one with larger nodes"
        ),
    )


def spelling_findings(
    requests: Mapping[str, Sequence[Mapping[str, Any]]], gpu_rules: Sequence[str]
) -> list[Finding]:
    """Say where the profile asks for another GPU for real jobs than for this check's job."""
    checked = requests[CHECKED_GPU_RULE][0]
    found = []
    for rule in gpu_rules:
        asked = requests[rule][0]
        other = [
            f"{key} is {asked.get(key)!r}, and {checked.get(key)!r} in {CHECKED_GPU_RULE}"
            for key in SPELLING
            if asked.get(key) != checked.get(key)
        ]
        if other:
            found.append(
                Finding(
                    "cluster",
                    "same request",
                    "warn",
                    f"{rule} was not checked as it is: {'; '.join(other)}",
                    f"set-resources: {CHECKED_GPU_RULE}: the same lines as {rule}",
                )
            )
    return found
