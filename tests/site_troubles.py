"""Troubles that storage has, made for real where this machine allows."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65534


@contextmanager
def as_nobody() -> Iterator[None]:
    """Lose root's rights during the block: root may read and write everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    """Give a folder on a file system of its own that cannot be written, and is empty."""
    _mount("-t", "tmpfs", "-o", "size=64k,ro", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def full(folder: Path) -> Iterator[Path]:
    """Give a folder on a file system of its own in which no byte can be written."""
    _mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder))
    try:
        with (folder / "filling").open("wb") as file:
            try:
                file.write(bytes(2**20))
                file.flush()
            except OSError:
                pass
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mount(*options: str) -> None:
    done = subprocess.run(
        ["mount", *options], capture_output=True, text=True, check=False, encoding="utf-8"
    )
    if done.returncode:  # only root may, and a container may forbid it
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
