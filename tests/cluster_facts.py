"""What a login node, a CPU job and a GPU job of a cluster in order find, for tests of the check."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

GIGABYTE = 10**9


def facts(place: str, **changes: Any) -> dict[str, Any]:
    """Give the facts of one place, in the shape that ``examine`` returns, with changed parts."""
    writable = {"error": "", "free_bytes": 500 * GIGABYTE, "clock_seconds": 0.1}
    job = {
        "job": "7",
        "node": f"{place}1",
        "partition": place,
        "account": "lab",
        "processors": 2,
        "memory_mb": 4000.0,
        "gpus": "gres/gpu:a100=1" if place == "gpu" else None,
        "limit_minutes": 10.0,
        "waited_seconds": 3.0,
        "error": None,
    }
    card = {"name": "NVIDIA A100", "memory_mb": 40960, "capability": [8, 0]}
    on_gpu = place == "gpu"
    found = {
        "place": place,
        "time": "2030-01-01 12:00:00 +0000",
        "written": 1000.0,
        "looked": 1010.0,
        "host": f"{place}1.cluster",
        "processor": "a processor",
        "threads": 1 if place == "login" else 2,
        "processors": 2,
        "slurm": None if place == "login" else job,
        "squeue": None if place == "login" else "RUNNING",
        "environment": {
            "python": "3.12.1",
            "executable": "python",
            "prefix": "/shared/venv",
            "kind": "venv",
            "pins": "envs/learning.yaml",
            "packages": 20,
            "missing": [],
            "different": {},
        },
        "torch": None
        if place == "login"
        else {
            "version": "2.15.0",
            "cuda": "13.2",
            "available": on_gpu,
            "gpus": [card] if on_gpu else [],
            "import_error": "",
            "error": "" if on_gpu else "no driver",
        },
        "driver": {
            "gpus": [{"name": "NVIDIA A100", "driver": "580.1", "memory": "40960 MiB"}]
            if on_gpu
            else [],
            "error": "" if on_gpu else "nvidia-smi is not installed here",
        },
        "visible_gpus": "0" if on_gpu else None,
        "temporary": "scratch",
        "folders": {
            "results": dict(writable),
            "state/run": dict(writable),
            "scratch": dict(writable),
        },
        "seen": {} if place == "login" else {"login": 0.0},
        "beside": {} if place == "login" else {"cpu" if on_gpu else "gpu": True},
        "token": f"shared/{place}.token",
        "lock_error": "",
        "held": None if place == "login" else True,
        "files": {"downloads.weights.resnet18": []},
        "hosts": {"files.example": ""},
    }
    return merged(found, changes)


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Put changes into a copy of nested mappings; an empty mapping replaces what is there."""
    result = deepcopy(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and value and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result
