"""The passport of a trained model: what it was made from, with what, where, and at what cost."""

from __future__ import annotations

import os
import platform
import resource
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pairdx.machine import cpu_model
from pairdx.programs import ask

PACKAGES = (
    "torch",
    "torchvision",
    "open_clip_torch",
    "transformers",
    "timm",
    "peft",
    "scikit-learn",
    "numpy",
    "pandas",
    "safetensors",
    "snakemake",
)

SECONDS_FOR_GIT = 60.0  # a status of a large checkout on slow storage
# What PyTorch raises where it cannot tell about a GPU: a passport lacks a fact then, and is made.
NO_ANSWER = (RuntimeError, AssertionError)


def passport(
    *,
    settings: Mapping[str, Any],
    seed: int,
    device: str,
    processes: int = 1,
    threads: int,
    wall_seconds: float,
    energy_joules: float | None = None,
    pairs: Mapping[str, int],
    parameters: int,
    trained_parameters: int,
    stand_in: bool,
    chosen: Mapping[str, float] | None = None,
    observed: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Describe the run of this process, ready to be written as passport.json.

    Args:
        settings: The system's resolved settings.
        seed: The seed it was trained with.
        device: ``cpu`` or ``cuda``.
        processes: How many trained together; on ``cuda`` each had a GPU, and memory and energy are
            those of the first.
        threads: CPU threads of each; their number decides the last bits of a sum.
        wall_seconds: Duration of this attempt; the time of all attempts is the sum over
            training.csv.
        energy_joules: What the GPU used in this attempt; None where nobody counted.
        pairs: Number of pairs per subset.
        parameters: Number of parameters, frozen ones included.
        trained_parameters: Number of those that training moved.
        stand_in: True for demo weights, whose numbers say nothing about the system they stand for.
        chosen: Of settings that name several values, the one that validation pairs chose, and what
            it reached there.
        observed: What a system watches of itself while it is trained; left out where it does not.
    """
    return {
        "settings": dict(settings),
        "chosen": dict(chosen or {}),
        **({"observed": dict(observed)} if observed else {}),
        "seed": seed,
        "stand_in": stand_in,
        "parameters": parameters,
        "trained_parameters": trained_parameters,
        "pairs": dict(pairs),
        "device": device_description(device),
        "processes": processes,
        "threads": threads,
        "host": host(),
        "wall_seconds": round(wall_seconds, 3),
        "energy_joules": energy_joules,
        "peak_memory_bytes": peak_memory(device),
        "versions": versions(device),
        "git": git_state(Path(__file__).resolve()),
    }


def device_description(name: str) -> dict[str, str]:
    """Return the device's kind (``cpu`` or ``cuda``) and the model name of its chip, or unknown."""
    if name == "cpu":
        return {"kind": name, "name": cpu_model()}
    import torch  # takes seconds to load, and systems without a network do without it

    try:
        return {"kind": name, "name": torch.cuda.get_device_name()}
    except NO_ANSWER:
        return {"kind": name, "name": "unknown"}


def versions(device: str) -> dict[str, str | None]:
    """Return the versions of Python, CUDA and the packages that decide a result; None: absent."""
    found: dict[str, str | None] = {"python": platform.python_version(), "cuda": None}
    if device == "cuda":
        import torch

        found["cuda"] = torch.version.cuda
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def host() -> dict[str, Any]:
    """Return this machine's name, operating system and the CPU cores this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"name": platform.node(), "system": platform.platform(), "cores": cores}


def peak_memory(device: str) -> dict[str, int | None]:
    """Return the most memory this process held, in bytes: host, and GPU (None: CPU, or unknown)."""
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts kibibytes, macOS bytes.
    in_bytes = largest if sys.platform == "darwin" else largest * 1024
    if device == "cpu":
        return {"host": in_bytes, "device": None}
    import torch

    try:
        return {"host": in_bytes, "device": torch.cuda.max_memory_allocated()}
    except NO_ANSWER:
        return {"host": in_bytes, "device": None}


def git_state(file: Path) -> dict[str, str | bool | None]:
    """Return the revision of the checkout of ``file``, and whether anything changed since.

    Both are None where there is no git, no checkout, no commit, or the file is not part of the
    repository around it.
    """
    unknown: dict[str, str | bool | None] = {"revision": None, "dirty": None}
    if _git(file.parent, "ls-files", "--error-unmatch", file.name) is None:
        return unknown
    revision = _git(file.parent, "rev-parse", "--verify", "HEAD")
    changes = _git(file.parent, "status", "--porcelain")
    if revision is None or changes is None:
        return unknown
    return {"revision": revision, "dirty": bool(changes)}


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what a git command prints, or None if it fails."""
    answer = ask(["git", *arguments], SECONDS_FOR_GIT, folder=folder)
    return None if answer.error else answer.text.strip()


class EnergyMeter:
    """Joules that the current GPU has used since the meter was made.

    The driver counts the whole board's energy: what other jobs draw from a shared GPU is in it.

    Args:
        device: ``cpu`` or ``cuda``. A CPU's energy is not measured.
    """

    def __init__(self, device: str) -> None:
        gpu: tuple[Any, Any] = _current_gpu() if device == "cuda" else (None, None)
        self._handle, self._library = gpu
        self._start = self._millijoules()

    def joules(self) -> float | None:
        """Return the energy used so far in joules; None where it is not counted."""
        now = self._millijoules()
        if now is None or self._start is None:
            return None
        return (now - self._start) / 1000

    def _millijoules(self) -> int | None:
        if self._library is None:
            return None
        try:
            return int(self._library.nvmlDeviceGetTotalEnergyConsumption(self._handle))
        # GPUs before Volta, slices of one (MIG), an old library. Nothing that is asked for besides
        # may end a training.
        except Exception:
            return None


def _current_gpu() -> tuple[Any, Any]:
    """Return NVML's handle of PyTorch's current GPU, and NVML; or None twice."""
    try:
        import pynvml
        import torch

        pynvml.nvmlInit()
        uuid = torch.cuda.get_device_properties(torch.cuda.current_device()).uuid
        return pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}"), pynvml
    # NVML's own, PyTorch's where it has no GPU, a missing package: energy is then not known.
    except Exception:
        return None, None
