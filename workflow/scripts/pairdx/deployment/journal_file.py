"""The file of a journal: opened with a lock that ends with its process, its errors in words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pairdx.errors import PairDxError
from pairdx.storage_errors import refusal_of, storage_error

_CACHE = -4096  # KiB that SQLite may hold in memory, whatever the number of files
_HEAD = b"SQLite format 3\0"
_LOCKED = ("SQLITE_BUSY", "SQLITE_LOCKED")
_STRANGE = ("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_FORMAT", "SQLITE_SCHEMA")


def opened(path: Path) -> sqlite3.Connection:
    """Open a journal and take its lock; a file that somebody removes meanwhile is no lock."""
    while True:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o666)
        except OSError as error:
            raise storage_error(error, path) or error from error
        with os.fdopen(handle, "rb") as file:
            before, head = os.fstat(handle).st_ino, file.read(len(_HEAD))
        if head not in (b"", _HEAD):  # a short one SQLite would take for an empty one of its own
            raise _strange(path)
        rows = sqlite3.connect(path, timeout=0)
        try:
            with said(path):
                _take(rows)
            if path.exists() and path.stat().st_ino == before:
                return rows
        except BaseException:
            rows.close()
            raise
        rows.close()


def _take(rows: sqlite3.Connection) -> None:
    rows.execute("PRAGMA locking_mode = EXCLUSIVE")
    rows.execute("PRAGMA journal_mode = WAL")  # the first that needs the lock, and keeps it
    rows.execute("PRAGMA synchronous = NORMAL")
    rows.execute(f"PRAGMA cache_size = {_CACHE}")
    rows.execute("PRAGMA temp_store = FILE")
    rows.execute("BEGIN EXCLUSIVE")
    rows.execute("COMMIT")
    names = {name for (name,) in rows.execute("SELECT name FROM sqlite_master")}
    if names and "facts" not in names:
        raise sqlite3.DatabaseError("another database")


@contextmanager
def said(path: Path) -> Iterator[None]:
    """Say what SQLite reports in words."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or "SQLITE_NOTADB"
        raise _in_words(name, error, path) from error


def _in_words(name: str, error: sqlite3.Error, path: Path) -> PairDxError:
    if name.startswith(_LOCKED):
        return PairDxError(
            "another process is writing this output",
            where=path,
            remedy="wait until it ends, or name another output (-o)",
        )
    if name.startswith(_STRANGE):
        return _strange(path)
    if name.startswith("SQLITE_FULL"):
        what = "there is no room left on the disk, or in your quota on it"
    else:
        refused = refusal_of(path.parent)
        known = storage_error(refused, path.parent) if refused is not None else None
        what = known.what if known else f"the storage answered with an error ({error})"
    return PairDxError(
        what,
        where=path,
        remedy="mend that and give the same command again: what is classified is kept and it goes "
        "on",
    )


def _strange(path: Path) -> PairDxError:
    return PairDxError(
        "this is no journal of a run, or it is damaged",
        where=path,
        remedy="move it out of the way and start again",
    )
