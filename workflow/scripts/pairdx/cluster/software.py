"""The Python environment that a job finds, and whether PyTorch computes in it."""

from __future__ import annotations

import json
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pairdx.programs import ask

# A process of its own: an import that crashes or hangs is then a finding, not the end of the check.
TRY_TORCH = """
import json, torch
found = {"version": torch.__version__, "cuda": torch.version.cuda, "gpus": [], "error": ""}
found["available"] = torch.cuda.is_available()
try:
    if torch.version.cuda:
        torch.cuda.init()
    for number in range(torch.cuda.device_count()):
        gpu = torch.cuda.get_device_properties(number)
        major, minor = gpu.major, gpu.minor
        found["gpus"].append({
            "name": gpu.name, "memory_mb": gpu.total_memory // 2**20, "capability": [major, minor]
        })
        square = torch.ones(256, 256, device=f"cuda:{number}")
        assert float((square @ square).sum()) == 256.0**3, "a matrix product came out wrong"
except Exception as error:
    found["error"] = f"{type(error).__name__}: {error}".splitlines()[0]
print(json.dumps(found))
"""
# The first import over a network's file system may take minutes.
SECONDS_TO_IMPORT = 240.0


def environment(pins: Path, lock: Path) -> dict[str, Any]:
    """Describe this process's environment beside the versions that it is meant to have.

    Args:
        pins: The conda environment file (envs/*.yaml) whose pip section names what jobs import.
        lock: The lock file; it may lock several versions of a package, for several Pythons.

    Returns:
        python, executable, prefix, kind (conda, venv, system), pins, missing (names), and different
        (name to the version found and the locked one).
    """
    missing, different = [], {}
    names = locked_versions(pins.read_text(encoding="utf-8"))
    locked = locked_versions(lock.read_text(encoding="utf-8"))
    for name in names:
        try:
            found = version(name)
        except PackageNotFoundError:
            missing.append(name)
            continue
        wanted = names[name] | locked.get(name, set())
        if found.split("+")[0] not in wanted:  # 2.15.0+cu130 is 2.15.0
            different[name] = [found, " or ".join(sorted(wanted))]
    return {
        "python": platform.python_version(),
        "executable": sys.executable,
        "prefix": sys.prefix,
        "kind": kind_of_environment(Path(sys.prefix)),
        "pins": str(pins),
        "packages": len(names),
        "missing": missing,
        "different": different,
    }


def locked_versions(text: str) -> dict[str, set[str]]:
    """Read the versions per package of a lock file or a conda environment file."""
    found: dict[str, set[str]] = {}
    for name, wanted in re.findall(r"^[\s-]*([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE):
        found.setdefault(name, set()).add(wanted)
    return found


def kind_of_environment(prefix: Path) -> str:
    """Tell a conda environment from a venv and from a Python without an environment."""
    if (prefix / "conda-meta").is_dir():
        return "conda"
    return "venv" if sys.prefix != sys.base_prefix else "system"


def torch_state() -> dict[str, Any] | None:
    """Import PyTorch and multiply matrices on every GPU that it sees; None if it is not installed.

    Returns:
        version, cuda (what it was built for; None: CPUs only), available, gpus (name, memory_mb,
        capability), import_error and error (what went wrong on a GPU); both are empty if all is
        well, and error is not empty where CUDA cannot be used.
    """
    try:
        version("torch")
    except PackageNotFoundError:
        return None
    answer = ask([sys.executable, "-c", TRY_TORCH], seconds=SECONDS_TO_IMPORT)
    lines = answer.text.strip().splitlines()
    try:
        state: dict[str, Any] = json.loads(lines[-1])
    except (IndexError, ValueError):
        error = answer.error or "importing it printed nothing"
        error = error.replace(sys.executable, "Python")
        nothing: dict[str, Any] = {
            "version": version("torch"),
            "cuda": None,
            "available": False,
            "gpus": [],
        }
        return nothing | {"error": "PyTorch cannot be imported", "import_error": error}
    return state | {"import_error": ""}


def driver_state() -> dict[str, Any]:
    """Ask nvidia-smi for the GPUs of this job: gpus (name, driver, memory) and error."""
    query = ["--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    answer = ask(["nvidia-smi", *query])
    rows = [[cell.strip() for cell in line.split(",")] for line in answer.text.splitlines()]
    gpus = [dict(zip(("name", "driver", "memory"), row, strict=False)) for row in rows if row]
    return {"gpus": gpus, "error": answer.error}
