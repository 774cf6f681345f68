"""Install the packages of a lock file into a virtual environment and compile them (`make setup`).

    python envs/install.py VENV LOCK [LIBRARY]

uv installs where it is there, or can be had; pip does elsewhere, and where uv fails. Both refuse
files whose hashes are not those of the lock file.

A LIBRARY is a folder whose packages are importable there (`make deployment`). It is named in a .pth
file and not installed: building a package takes a build tool that no lock file pins, and the copy
would stay behind when the library is edited.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

SECONDS_BETWEEN_LINES = 15


def say(line: str) -> None:
    """Print a line now, before what the next program prints."""
    print(line, flush=True)


def succeeds(*command: str | Path) -> bool:
    """Run a command that prints for itself, and return whether it ended well."""
    return subprocess.run(command, check=False).returncode == 0


def create(venv: Path, mark: Path) -> None:
    """Create the environment, or keep the one that is there, unless its installation broke off.

    A package of which only a part was copied looks installed to uv and pip.
    """
    if mark.exists():
        say("An installation was interrupted here: beginning anew")
        for path in venv.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path != mark:
                path.unlink()
    say(f"Creating the environment {venv} of Python {sys.version.split()[0]}")
    venv.mkdir(exist_ok=True)
    mark.touch()
    if not succeeds(sys.executable, "-m", "venv", venv):
        sys.exit("The environment could not be created: see above")


def uv_by_pip(python: Path, lock: Path) -> str:
    """Install the lock file's uv with pip; return its path, or nothing where it cannot be had."""
    pinned = re.search(r"^uv==(.*\\\n)*.*", lock.read_text(encoding="utf-8"), re.MULTILINE)
    if not pinned:
        return ""
    say("Getting uv, which installs faster than pip")
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write(pinned[0] + "\n")
        file.flush()
        succeeds(python, "-m", "pip", "install", "--require-hashes", "-r", file.name)
    return shutil.which("uv", path=python.parent) or ""


def commands(python: Path, lock: Path) -> Iterator[tuple[str, list[str | Path]]]:
    """Yield the ways to install, the fastest first; getting uv is part of the first."""
    uv = shutil.which("uv") or uv_by_pip(python, lock)
    if uv:
        yield "uv", [uv, "pip", "install", "--require-hashes", "--python", python, "-r", lock]
    # compiled below, by more than one process
    options = ["--require-hashes", "--no-compile"]
    yield "pip", [python, "-m", "pip", "install", *options, "-r", lock]


def report(venv: Path, installed: threading.Event) -> None:
    """Say now and then how far it is, where uv and pip show no progress of their own.

    On a terminal they do while they download.
    """
    begun, before = time.monotonic(), len(packages(venv))
    while not installed.wait(SECONDS_BETWEEN_LINES):
        there = len(packages(venv))
        if there > before or not sys.stdout.isatty():
            say(f"  {time.monotonic() - begun:.0f} s: {there} packages are in place")


def packages(venv: Path) -> list[Path]:
    """Return the folders that name the installed packages."""
    return list(venv.glob("lib/python*/site-packages/*.dist-info"))


def install(venv: Path, lock: Path) -> None:
    """Install the packages by the first way that works; exit with an error if none does."""
    python = venv / "bin/python"
    count = len(set(re.findall(r"^\S+(?===)", lock.read_text(encoding="utf-8"), re.MULTILINE)))
    large = re.search(r"^torch==", lock.read_text(encoding="utf-8"), re.MULTILINE)
    size = "2 to 3 GB to download, some minutes" if large else "some 100 MB to download"
    for name, command in commands(python, lock):
        say(f"Installing about {count} packages with {name} ({size})")
        installed = threading.Event()
        reporter = threading.Thread(target=report, args=(venv, installed), daemon=True)
        reporter.start()
        try:
            if succeeds(*command):
                return
        finally:
            installed.set()
            reporter.join()
        say(f"{name} could not install them: see above")
    sys.exit("Nothing is installed. What was downloaded is kept; the same `make` tries again")


def name_library(venv: Path, library: Path) -> None:
    """Make the packages of a folder importable in an environment."""
    for packages_of in venv.glob("lib/python*/site-packages"):
        (packages_of / "library.pth").write_text(f"{library.absolute()}\n", encoding="utf-8")


def main(venv: Path, lock: Path, library: Path | None = None) -> None:
    """Create, install and compile, with a line before each step."""
    begun = time.monotonic()
    if odd := re.search(r"[\s|&;<>()$`\\\"'*?\[{]", str(venv.absolute())):
        sys.exit(
            f"The path {venv.absolute()} has {odd[0]!r} in it, and Snakemake cannot start jobs "
            "with a Python there: move the workflow to a path without, and run `make` again there"
        )
    (venv / ".installed").unlink(missing_ok=True)
    mark = venv / ".installing"
    create(venv, mark)
    install(venv, lock)
    if library is not None:
        name_library(venv, library)
    mark.unlink()
    if not succeeds(venv / "bin/python", Path(__file__).with_name("compile.py")):
        sys.exit("The packages are installed but not compiled: see above")
    say(f"Installed in {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):  # a path that the locale cannot write
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        main(*map(Path, sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("Interrupted; the same `make` tries again")
