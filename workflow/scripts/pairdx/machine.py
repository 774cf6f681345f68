"""Facts about the machine that a job runs on."""

from __future__ import annotations

import platform
from contextlib import suppress
from pathlib import Path


def cpu_model(cpuinfo: str | Path = "/proc/cpuinfo") -> str:
    """Name this machine's processor, as Linux does, or as well as Python can."""
    with suppress(OSError):  # where it may not be read, or is not there
        text = Path(cpuinfo).read_text(encoding="utf-8", errors="replace")
        for line in text.splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "Model") and value.strip():
                return value.strip()
    return platform.processor() or platform.machine() or "unknown"
