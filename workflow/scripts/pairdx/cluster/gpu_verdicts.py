"""What the facts of a GPU job mean: from SLURM's grant over the driver to PyTorch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pairdx.cluster.findings import Finding

BFLOAT16_FROM = 8  # compute capability of Ampere, the first with it in hardware
RULE = (
    "set-resources: train_on_gpu (and check_gpu_node, extract_features_on_gpu, "
    "encode_text_bank_on_gpu)"
)
SPELLING = (
    f'{RULE}: gpu_model: a100, as sinfo -o "%P %G" spells it; or, where the cluster wants --gres, '
    'gpu: 0 and gres: "gpu:a100:1" in its place'
)
PARTITION = f"{RULE}: slurm_partition: one of nodes with NVIDIA GPUs and a driver"


def gpu_findings(facts: Mapping[str, Any]) -> Iterator[Finding]:
    """Say whether PyTorch computes on the job's GPUs and, if not, at which step it ends."""
    if facts["place"] != "gpu":
        return
    torch = facts["torch"]
    if torch is None:
        yield Finding(
            "gpu",
            "GPU",
            "fail",
            "PyTorch is not installed: no GPU can be used",
            "see packages, above or below",
        )
    elif torch["gpus"] and torch["available"] and not torch["error"]:
        yield from _working(facts, torch["gpus"])
    else:
        what, remedy = _reason(facts, torch)
        yield Finding("gpu", "GPU", "fail", what, remedy)


def _working(facts: Mapping[str, Any], gpus: list[Mapping[str, Any]]) -> Iterator[Finding]:
    names = ", ".join(f"{gpu['name']} ({gpu['memory_mb'] / 1024:.0f} GiB)" for gpu in gpus)
    yield Finding("gpu", "GPU", "ok", f"PyTorch computes on {names}")
    oldest = min(gpu["capability"][0] for gpu in gpus)
    if oldest < BFLOAT16_FROM:
        yield Finding(
            "gpu",
            "bfloat16",
            "warn",
            f"compute capability {oldest}.x has no bfloat16 in hardware: training is slow",
            "in your overlay: precision: float32 in the systems' settings; or another partition",
        )
    if facts["slurm"] and facts["slurm"]["gpus"] is None and not facts["slurm"]["error"]:
        yield Finding(
            "gpu",
            "GPU grant",
            "warn",
            "the job sees a GPU that SLURM did not grant: other jobs may use it too",
            SPELLING,
        )


def _reason(facts: Mapping[str, Any], torch: Mapping[str, Any]) -> tuple[str, str]:
    """Return what is wrong, and what to change, where PyTorch cannot compute on a GPU."""
    job, driver = facts["slurm"], facts["driver"]
    on = f"on {(job or {}).get('node') or facts['host']}"
    if job is None:
        return (
            f"no GPU can be used {on}: {_said(torch, driver)}",
            "device: cpu in your overlay, or a profile whose jobs run on a GPU node",
        )
    if job["gpus"] is None and not job["error"] and not driver["gpus"]:
        return f"SLURM granted job {job['job']} no GPU {on}", SPELLING
    granted = job["gpus"] or "a GPU"
    if torch["version"] and torch["cuda"] is None and driver["gpus"]:
        return (
            f"PyTorch {torch['version']} was built for CPUs only",
            "install requirements.lock as it is: its torch brings CUDA with it",
        )
    if driver["error"]:
        return (
            f"SLURM granted {granted} {on}, but there is no working NVIDIA driver: "
            f"{_said(torch, driver)}",
            f"{PARTITION}; if this one has them, ask the administrators about node {job['node']}",
        )
    if facts["visible_gpus"] == "" or not driver["gpus"]:
        return (
            f"SLURM granted {granted} {on}, but hides it from the job step: {_said(torch, driver)}",
            SPELLING,
        )
    version = driver["gpus"][0].get("driver", "unknown")
    return (
        f"the driver ({version}) shows {driver['gpus'][0].get('name')} {on}, but PyTorch "
        f"{torch['version']} (CUDA {torch['cuda']}) cannot compute on it: {_said(torch, driver)}",
        f"{RULE}: slurm_partition: nodes with a newer driver or GPU; PyTorch's error says which",
    )


def _said(torch: Mapping[str, Any], driver: Mapping[str, Any]) -> str:
    return "; ".join(
        part for part in (driver["error"], torch["error"] or "PyTorch sees no GPU") if part
    )
