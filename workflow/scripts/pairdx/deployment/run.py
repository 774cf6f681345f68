"""Classify many documents with a deployed system: the way of a run, from inputs to a table.

Listed into a journal on disk, classified in batches, written at the end: what is in memory does
not grow with the documents, and a run that ended early goes on.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairdx.deployment.entries import Entry, reason_of
from pairdx.deployment.folder import DeployedFolder, check_sums, read_folder
from pairdx.deployment.inputs import Listing, list_inputs
from pairdx.deployment.journal import ENDING, Journal, passed_over_as_text
from pairdx.deployment.options import (
    FORMATS,
    MOST_PROCESSES,
    Options,
    Summary,
    cores,
    require_number,
)
from pairdx.deployment.progress import progress
from pairdx.deployment.stopping import Stop, StoppedError, listening
from pairdx.deployment.walking import OwnFiles, file_identity
from pairdx.deployment.workers import Pool
from pairdx.errors import PairDxError
from pairdx.storage_errors import storage_error

if TYPE_CHECKING:
    from pairdx.deployment.outputs import Columns

# Changing these changes no row: a run may go on with others.
_WITHOUT_EFFECT = ("processes", "threads", "restart", "quiet", "patience", "format")
# The output itself, and the journal as SQLite keeps it.
OWN_ENDINGS = ("", *(ENDING + end for end in ("", "-wal", "-shm", "-journal")))
_AGAIN = "give the same command again: what is classified is kept, and it goes on from there"


def classify(
    folder: str | Path,
    inputs: Sequence[str | Path],
    output: str | Path,
    options: Options | None = None,
) -> Summary:
    """Classify documents and write a table with a row for each.

    Processes of their own do the work; this may be called from any script.

    Args:
        folder: A deployed system.
        inputs: Image files, folders, patterns, or one table.
        output: The table to write; ``.parquet``, ``.csv`` or ``.jsonl``.
        options: What is chosen; None: nothing is.

    Raises:
        PairDxError: The inputs, the folder or the options are wrong, or the storage refused.
        ChangedError: The folder became another meanwhile; what is classified is kept.
        StoppedError: A signal asked for an end; the same call goes on.
    """
    options, output = options or Options(), Path(output)
    begun = time.monotonic()
    kind = _checked(options, inputs, output, Path(folder))
    try:
        system = read_folder(folder, checked=False)
        settings = _settings(system, options)
        with listening() as stop, Pool(settings["processes"], settings, options.patience) as pool:
            pool.start()
            check_sums(system.path, identity=system.identity, needed=system.needed)
            _prepare(kind)
            own = OwnFiles(os.fspath(output), OWN_ENDINGS)
            listing = list_inputs([os.fspath(one) for one in inputs], options, system, own)
            run = _Run(system, options, output, kind, stop)
            with run.journal:
                run.begin([os.fspath(one) for one in inputs], listing)
                run.work(pool)
                return run.write(begun)
    except OSError as error:
        if (known := storage_error(error)) is not None:
            raise known from error
        raise


def _prepare(kind: str) -> None:
    """Load NumPy and what writes the output while the first process opens the system."""
    from pairdx.deployment.outputs import prepare

    prepare(kind)


def _checked(options: Options, inputs: Sequence[str | Path], output: Path, folder: Path) -> str:
    """Check what needs no look at the system, and return the output's format."""
    kind = options.format or output.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise PairDxError(
            f"no format is known for the output {output.name!r}",
            remedy=f"let its name end with .{', .'.join(FORMATS)}, or say --format",
        )
    if output.exists() and not output.is_file():
        raise PairDxError("the output is no file", where=output, remedy="name another (-o)")
    if not output.absolute().parent.is_dir():
        raise PairDxError("the output's folder is not there", where=output, remedy="make it first")
    if any(_is_same(output, one) for one in inputs):
        raise PairDxError(
            "the output is one of the inputs", where=output, remedy="name another (-o)"
        )
    # It takes the place of a link, and of no file that the link leads to.
    if output.absolute().parent.resolve().is_relative_to(folder.resolve()):
        raise PairDxError(
            "the output would stand in the folder of the deployed system, which is sealed",
            where=output,
            remedy="name another (-o)",
        )
    for name in ("batch_size", "processes", "threads"):
        require_number(name, getattr(options, name))
    if options.shard is not None and not 1 <= options.shard[0] <= options.shard[1]:
        raise PairDxError(
            "--shard {}/{}: the first is a number from 1 to the second".format(*options.shard)
        )
    return kind


def _is_same(output: Path, other: str | Path) -> bool:
    try:
        return output.samefile(other)
    except (OSError, ValueError):  # one of them is not there
        return False


def _settings(system: DeployedFolder, options: Options) -> dict[str, Any]:
    processes = options.processes or min(cores(), MOST_PROCESSES)
    return {
        "folder": str(system.path.absolute()),
        "identity": system.identity,
        "processes": processes,
        "threads": options.threads or max(1, cores() // processes),
        "runtime": options.runtime,
    }


class _Run:
    """One run over one journal."""

    def __init__(
        self,
        system: DeployedFolder,
        options: Options,
        output: Path,
        kind: str,
        stop: Stop,
    ) -> None:
        self._system, self._options, self._output, self._kind = system, options, output, kind
        self._stop = stop
        self.journal = Journal(output.with_name(output.name + ENDING))
        self._first, self._last = 1, 0

    def begin(self, names: Sequence[str], listing: Listing) -> None:
        """List what is to be classified, or go on with what an interrupted run had listed."""
        identity = _identity(self._system, names, self._options)
        known = {} if self._options.restart else self.journal.facts_or_none()
        if "listed" in known:
            self._compare(known, identity, listing)
        else:
            self.journal.begin()
            self.journal.needed = False  # as long as nothing is in it that took time
            digest = self.journal.enter(self._heeding(listing.entries), in_order=listing.in_order)
            self.journal.note(
                {**identity, "listed": digest, "passed": passed_over_as_text(listing.passed_over)}
            )
        total = self.journal.count()
        part, parts = self._options.shard or (1, 1)
        self._first, self._last = total * (part - 1) // parts + 1, total * part // parts
        if total == 0 and not listing.in_order:
            passed = ", ".join(f"{n} {why}" for why, n in listing.passed_over.items())
            raise PairDxError(
                "no images are there to classify"
                + (f" ({passed} are passed over)" if passed else ""),
                where=", ".join(names[:3]),
            )

    def _compare(self, known: dict[str, str], identity: dict[str, str], listing: Listing) -> None:
        """Refuse to mix two runs' rows in one output."""
        differs = [name for name in identity if known.get(name) != identity[name]]
        if not differs:
            digest = self.journal.enter(
                self._heeding(listing.entries), in_order=listing.in_order, again=True
            )
            differs = [] if digest == known["listed"] else ["inputs: they are others by now"]
        if differs:
            said = "; ".join(
                f"{name} was {known[name]}, is {identity[name]}" if name in identity else name
                for name in differs
            )
            raise PairDxError(
                f"a run that was interrupted was another one: {said}",
                where=self.journal.path,
                remedy="go on with what it had (then its rows are kept), name another output (-o), "
                "or begin anew with --restart, which throws its rows away",
            )

    def _heeding(self, entries: Iterator[Entry]) -> Iterator[Entry]:
        output = file_identity(self._output)  # None: what is not there cannot be overwritten
        for entry in entries:
            if output is not None and file_identity(entry.path) == output:
                raise PairDxError(
                    "the output is one of the files that are to be classified",
                    where=self._output,
                    remedy="name another (-o)",
                )
            if self._stop():
                raise StoppedError(
                    self._stop.number,
                    where=self._output,
                    remedy="give the same command again; the inputs were still being listed",
                )
            yield entry

    def work(self, pool: Pool) -> None:
        """Classify what is not classified yet."""
        total, before = max(0, self._last - self._first + 1), self.journal.count_done()
        batches = self.journal.open_batches(self._first, self._last, self._options.batch_size)
        pool.limit(-(-(total - before) // self._options.batch_size))
        with progress(total, before, quiet=self._options.quiet) as shown:
            for batch in pool.run(batches, self._stop):
                self.journal.finish(batch.results)
                self.journal.needed = True
                shown.add(len(batch.items))
        if self._stop():
            self.journal.needed = True
            done = self.journal.count_done()
            raise StoppedError(
                self._stop.number,
                where=f"{self._output}: {done:,} of {total:,} rows are classified",
                remedy=_AGAIN,
            )

    def write(self, begun: float) -> Summary:
        """Write the output from the journal, and say what is in it."""
        from pairdx.deployment.outputs import write_rows

        self._system.require_unchanged(self._system.identity)
        self._counts: Counter[str] = Counter()
        self._problems: Counter[str] = Counter()
        facts = {
            "model": dict(self._system.facts),
            "identity": self._system.identity,
            "options": _effective(self._options),
        }
        write_rows(self._output, self._kind, self._system.labels, facts, self._pieces())
        passed_over = json.loads(self.journal.facts["passed"])
        self.journal.needed = False
        return Summary(
            output=self._output,
            rows=self._counts["rows"],
            classified=self._counts["rows"] - self._problems.total(),
            abstained=self._counts["abstained"],
            problems=dict(self._problems.most_common()),
            passed_over=passed_over,
            seconds=time.monotonic() - begun,
        )

    def _pieces(self) -> Iterator[Columns]:
        from pairdx.deployment.outputs import as_columns, pieces_of

        size = pieces_of(self._system.labels)
        for rows in self.journal.rows(self._first, self._last, size):
            columns = as_columns(rows, self._system)
            self._counts["rows"] += len(rows)
            self._counts["abstained"] += sum(map(bool, columns["abstain"]))
            self._problems.update(reason_of(one) for one in columns["problem"] if one)
            if self._stop():
                raise StoppedError(self._stop.number, where=self._output, remedy=_AGAIN)
            yield columns


def _effective(options: Options) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in asdict(options).items()
        if name not in _WITHOUT_EFFECT
    }


def _identity(system: DeployedFolder, names: Sequence[str], options: Options) -> dict[str, str]:
    """Return what must be the same for a run to go on, each as a text that can be shown."""
    said = {
        f"--{name.replace('_', '-')}": json.dumps(value, ensure_ascii=True)
        for name, value in _effective(options).items()
    }
    return {
        "the system": system.identity,
        "the inputs": json.dumps(list(names), ensure_ascii=True),
        "the folder they start from": str(Path.cwd()).encode("utf-8", "backslashreplace").decode(),
        **said,
    }
