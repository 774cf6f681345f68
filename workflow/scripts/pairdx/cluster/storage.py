"""Folders as a job finds them: writable, with room, locked, and shared with other machines."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

SECONDS_TO_APPEAR = 90.0
SECONDS_BETWEEN_LOOKS = 0.2


def shared_folder(state: str, checked: str) -> Path:
    """Where the jobs of one check leave files for each other, on the storage of training states."""
    return Path(state, "cluster_check", checked)


def held_file(shared: Path) -> Path:
    """The file that the login node keeps locked while jobs run."""
    return shared / "held.lock"


def folder_state(path: Path) -> dict[str, Any]:
    """Write a file into a folder, which is made if it is missing, and remove it again.

    Returns:
        error (empty if that worked), free_bytes (None if unknown; quotas are not seen), and
        clock_seconds: how far this machine's clock is ahead of the file system's, None if unknown.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path, prefix=".cluster_check.")
        try:
            os.write(handle, b"written by the cluster check\n")
            os.fsync(handle)
            ahead = time.time() - os.fstat(handle).st_mtime
        finally:
            os.close(handle)
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        return {
            "error": error.strerror or str(error),
            "free_bytes": _free(path),
            "clock_seconds": None,
        }
    return {"error": "", "free_bytes": _free(path), "clock_seconds": round(ahead, 2)}


def _free(path: Path) -> int | None:
    try:
        return shutil.disk_usage(path).free
    except OSError:
        return None


def token_of(folder: Path, name: str) -> Path:
    """Where ``leave_token`` writes."""
    return folder / f"{name}.token"


def leave_token(folder: Path, name: str) -> None:
    """Write a small file for other machines to find."""
    folder.mkdir(parents=True, exist_ok=True)
    with token_of(folder, name).open("w", encoding="utf-8") as stream:
        stream.write(f"{name}\n")
        stream.flush()
        os.fsync(stream.fileno())


def tokens_seen(
    tokens: Mapping[str, str], seconds: float = SECONDS_TO_APPEAR
) -> dict[str, float | None]:
    """Wait for the files that other machines have written.

    Args:
        tokens: Path by the name of who wrote it.
        seconds: Longest wait for all of them.

    Returns:
        Seconds until each could be read, whole; None for one that did not appear.
    """
    start = time.monotonic()
    seen: dict[str, float | None] = dict.fromkeys(tokens)
    while True:
        for name, path in tokens.items():
            if seen[name] is None and reads(Path(path), name):
                seen[name] = round(time.monotonic() - start, 1)
        if None not in seen.values() or time.monotonic() - start > seconds:
            return seen
        time.sleep(SECONDS_BETWEEN_LOOKS)


def reads(path: Path, name: str) -> bool:
    """Whether a token is here, and whole."""
    try:
        return path.read_text(encoding="utf-8") == f"{name}\n"
    except OSError:
        return False


def lock_state(folder: Path) -> str:
    """Lock a file as the lease on a training state does; return why that fails, or nothing.

    A second opening of the file must be refused while the first is locked: a file system that says
    yes to both has no locks.
    """
    path = folder / f".cluster_check.{os.getpid()}.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as first, path.open("w", encoding="utf-8") as second:
            fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
            try:
                fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return ""
            return "two locks on one file are granted at once"
    except OSError as error:
        return error.strerror or str(error)
    finally:
        with suppress(OSError):
            path.unlink()


@contextmanager
def holding(path: Path) -> Iterator[None]:
    """Keep a file locked during the block, where that can be done; it is gone afterwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # the lock's own test says so
            path.unlink()
        yield
        path.unlink(missing_ok=True)


def held_elsewhere(path: Path) -> bool | None:
    """Whether a file that another machine holds locked is locked here too; None if unknown."""
    try:
        with path.open("r+", encoding="utf-8") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    return False
