"""What a run has listed and done, on disk beside its output, so that it can go on after any end.

A SQLite file. Its lock says that a run is at work; the system lets go of it however the run ends.
Rows of one batch are written together or not at all.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pairdx.deployment.entries import Entry
from pairdx.deployment.journal_file import opened, said
from pairdx.errors import PairDxError

ENDING = ".journal"
FORMAT = "1"
_AT_ONCE = 512
_TABLES = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE done (
  number INTEGER PRIMARY KEY, probabilities BLOB, bytes INTEGER, sha256 BLOB,
  width INTEGER, height INTEGER, problem TEXT NOT NULL);
"""
_LISTED = """CREATE TABLE {name} (
  number INTEGER PRIMARY KEY, source INTEGER NOT NULL, path BLOB NOT NULL, shown TEXT NOT NULL,
  line INTEGER, caption BLOB NOT NULL, problem TEXT NOT NULL);"""
_INSERT = "INSERT INTO {name} VALUES (NULL, ?, ?, ?, ?, ?, ?)"


class Result(NamedTuple):
    """What came of one document.

    Attributes:
        probabilities: float64, one after the other; None where there is a problem.
        size: Of the file, in bytes.
        sha256: Its digest, 32 bytes.
        width: Of the upright image, in pixels.
        height: The same.
        problem: Why it has no class, or "".
    """

    probabilities: bytes | None = None
    size: int | None = None
    sha256: bytes | None = None
    width: int | None = None
    height: int | None = None
    problem: str = ""


class Listed(NamedTuple):
    """One document as a worker is given it."""

    number: int
    path: bytes
    caption: str
    problem: str


class Journal:
    """The journal of one output, locked for this process until it is closed.

    Args:
        path: Where it lies, or will.

    Attributes:
        needed: Whether it stays when the block that uses it ends.

    Raises:
        PairDxError: Another process has it, it is no journal, or the storage refuses.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.needed = path, True
        self._rows = opened(path)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close(remove=not self.needed)

    @property
    def facts(self) -> dict[str, str]:
        """What was noted: what the run is of, and of a complete listing its digest and number."""
        with said(self.path):
            return dict(self._rows.execute("SELECT name, value FROM facts"))

    def facts_or_none(self) -> dict[str, str]:
        """What was noted, if anything is.

        Raises:
            PairDxError: Another version wrote it.
        """
        with said(self.path):
            begun = self._rows.execute(
                "SELECT 1 FROM sqlite_master WHERE name = 'facts'"
            ).fetchone()
        known = self.facts if begun else {}
        if begun and known.get("format") != FORMAT:
            raise PairDxError(
                "a run of another version of this program was interrupted here",
                where=self.path,
                remedy="go on with that version, or begin anew with --restart",
            )
        return known

    def note(self, facts: Mapping[str, str]) -> None:
        """Note facts, all or none."""
        with said(self.path), self._rows:
            self._rows.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())

    def begin(self) -> None:
        """Make the journal empty, whatever it held."""
        with said(self.path), self._rows:
            self._rows.execute("BEGIN IMMEDIATE")  # tables are made and dropped at once, too
            for (name,) in self._rows.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table'"
            ).fetchall():
                self._rows.execute(f'DROP TABLE "{name}"')
            for statement in _TABLES.split(";")[:-1]:
                self._rows.execute(statement)
            self._rows.execute("INSERT INTO facts VALUES ('format', ?)", (FORMAT,))

    def enter(self, entries: Iterable[Entry], *, in_order: bool, again: bool = False) -> str:
        """Number all entries from 1 on and return their digest.

        Args:
            entries: They are gone through once.
            in_order: Whether they are numbered as they come; else by source and path.
            again: Whether only the digest is wanted, of what is listed by now.
        """
        name = "again" if again else "inputs"
        arrived = name if in_order else "arrived"
        with said(self.path):
            with self._rows:
                self._rows.execute("BEGIN IMMEDIATE")
                for old in {name, arrived}:
                    self._rows.execute(f"DROP TABLE IF EXISTS {old}")
                    self._rows.execute(_LISTED.format(name=old))
                self._rows.executemany(_INSERT.format(name=arrived), map(_values, entries))
                if not in_order:
                    self._sort(arrived, name)
            found = self._digest(name)
            if again:
                with self._rows:
                    self._rows.execute("DROP TABLE again")
        return found

    def _sort(self, arrived: str, name: str) -> None:
        columns = "source, path, shown, line, caption, problem"
        self._rows.execute(
            f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {arrived} "  # noqa: S608
            "ORDER BY source, path, number"
        )
        self._rows.execute(f"DROP TABLE {arrived}")

    def _digest(self, name: str) -> str:
        digest = hashlib.sha256()
        columns = "path, shown, line, caption, problem"
        for row in self._rows.execute(f"SELECT {columns} FROM {name} ORDER BY number"):  # noqa: S608
            digest.update(repr(row).encode())
        return digest.hexdigest()

    def count(self) -> int:
        """Count the entries that are listed."""
        with said(self.path):
            found: int = self._rows.execute(
                "SELECT coalesce(max(number), 0) FROM inputs"
            ).fetchone()[0]
        return found

    def count_done(self) -> int:
        """Count the entries that something came of."""
        with said(self.path):
            found: int = self._rows.execute("SELECT count(*) FROM done").fetchone()[0]
        return found

    def open_batches(self, first: int, last: int, size: int) -> Iterator[list[Listed]]:
        """Yield what is not done yet of the entries ``first`` to ``last``, in batches.

        Batches are always of the same numbers, so that a run that goes on computes what one that
        was not interrupted does, to the last bit.
        """
        for start in range(first, last + 1, size):
            end = min(start + size - 1, last)
            with said(self.path):
                if self._rows.execute("SELECT 1 FROM done WHERE number = ?", (start,)).fetchone():
                    continue
                found = self._rows.execute(
                    "SELECT number, path, caption, problem FROM inputs "
                    "WHERE number BETWEEN ? AND ? ORDER BY number",
                    (start, end),
                ).fetchall()
            yield [
                Listed(number, path, text.decode("utf-8", "surrogatepass"), problem)
                for number, path, text, problem in found
            ]

    def finish(self, results: Mapping[int, Result]) -> None:
        """Write the results of one batch, by number: all or none."""
        with said(self.path), self._rows:
            self._rows.executemany(
                "INSERT INTO done VALUES (?, ?, ?, ?, ?, ?, ?)",
                ((number, *result) for number, result in results.items()),
            )

    def rows(
        self, first: int, last: int, size: int
    ) -> Iterator[list[tuple[str, int | None, Result]]]:
        """Yield (what it is called, its row in a table, what came of it) in order, in pieces."""
        for start in range(first, last + 1, size):
            with said(self.path):
                found = self._rows.execute(
                    "SELECT shown, line, probabilities, bytes, sha256, width, height, done.problem "
                    "FROM inputs JOIN done USING (number) WHERE number BETWEEN ? AND ? "
                    "ORDER BY number",
                    (start, min(start + size - 1, last)),
                ).fetchall()
            yield [(name, line, Result(*rest)) for name, line, *rest in found]

    def close(self, *, remove: bool = False) -> None:
        """Let go of the journal, and remove it if it is not needed any more."""
        with said(self.path):
            self._rows.close()
        if remove:
            self.path.unlink(missing_ok=True)


def passed_over_as_text(passed_over: Counter[str]) -> str:
    """Write how many files were not taken, by reason, as a fact."""
    return json.dumps(dict(sorted(passed_over.items())))


def _values(entry: Entry) -> tuple[int, bytes, str, int | None, bytes, str]:
    caption = entry.caption.encode("utf-8", "surrogatepass")
    return entry.source, entry.path, entry.shown, entry.row, caption, entry.problem
