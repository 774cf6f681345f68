"""What a figure was measured under: machine, versions, load, date."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from pairdx.machine import cpu_model

PACKAGES = (
    "numpy", "pillow", "opencv-python-headless", "torch", "torchvision", "open_clip_torch", "timm",
    "onnxruntime", "scikit-learn", "snakemake",
)  # fmt: skip
BUSY = 0.5  # load per core that says that others were at work


def conditions(threads: int, load_before: float) -> dict[str, object]:
    """Return the conditions at the end of a run; packages that are not installed are left out."""
    cores = len(os.sched_getaffinity(0))
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": cpu_model(),
        "cores": cores,
        "threads": threads,
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := version_of(name))},
        "gpu": gpu(),
        "load_before": round(load_before, 2),
        "load_after": round(os.getloadavg()[0], 2),
        "busy_before": load_before > BUSY * cores,
    }


def version_of(package: str) -> str:
    """Return a package's version, or nothing where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def gpu() -> str:
    """Return the name of the GPU that PyTorch would use, or nothing."""
    import torch  # only here: it takes a second

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else ""
