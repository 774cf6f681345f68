"""Deployed systems as their users use them: from a shell, without PyTorch and Snakemake."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PYTHON = REPOSITORY / ".venv-deployment/bin/python"
# Where that environment is missing: whatever imports one of these ends.
HIDDEN = ("torch", "snakemake", "pandas", "scipy", "sklearn")
_HIDING = f"""
import runpy, sys
for name in {HIDDEN!r}:
    sys.modules[name] = None
sys.path.insert(0, {str(REPOSITORY / "workflow/scripts")!r})
runpy.run_module("pairdx.deployment", run_name="__main__", alter_sys=True)
"""


def classify(*arguments: str | Path, folder: Path) -> str:
    """Run ``python -m pairdx.deployment`` in a folder, and return what it printed.

    Raises:
        AssertionError: It did not end well.
    """
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    alone = [str(PYTHON), "-m", "pairdx.deployment"]
    command = alone if PYTHON.exists() else [sys.executable, "-c", _HIDING]
    done = subprocess.run(
        [*command, *map(str, arguments)],
        cwd=folder,
        env=clean,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
