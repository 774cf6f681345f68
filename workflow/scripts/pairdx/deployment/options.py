"""How documents are to be classified, and what came of it: what callers of a run see."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pairdx.errors import PairDxError

DEFAULT_BATCH = 32
TABLES = (".csv", ".tsv", ".parquet", ".jsonl")
FORMATS = ("parquet", "csv", "jsonl")


@dataclass(frozen=True)
class Options:
    """What can be chosen for a run.

    Attributes:
        image_column: Of a table, the column of files; None: the one of :data:`IMAGE_COLUMNS` that
            it has.
        caption_column: Of a table, the column of captions; None: ``caption``.
        images: Folder that a table's paths start from; None: the table's own.
        absolute_paths: Whether a table's paths may lead anywhere.
        caption: The caption of the one file that is classified.
        shard: (I, N): the I-th of N parts of the inputs, from 1 on; None: all.
        batch_size: Files that are classified at once.
        processes: How many work at a time; None: one per core, at most :data:`MOST_PROCESSES`.
        threads: Of each process; None: the cores, shared by the processes.
        runtime: What computes the network.
        format: ``parquet``, ``csv`` or ``jsonl``; None: by the ending of the output.
        restart: Whether what an interrupted run left is thrown away.
        quiet: Whether nothing is said of the progress.
        patience: Seconds after which a batch that did not end is given up.
    """

    image_column: str | None = None
    caption_column: str | None = None
    images: Path | None = None
    absolute_paths: bool = False
    caption: str | None = None
    shard: tuple[int, int] | None = None
    batch_size: int = DEFAULT_BATCH
    processes: int | None = None
    threads: int | None = None
    runtime: str = "onnxruntime"
    format: str | None = None
    restart: bool = False
    quiet: bool = False
    patience: float = 900.0


IMAGE_COLUMNS = ("image", "file", "path")
CAPTION_COLUMN = "caption"
MOST_PROCESSES = 8
# More is a slip of the keyboard: it would take all memory, or all numbers of processes, first.
_MOST = {"batch_size": 4096, "processes": 256, "threads": 256}


@dataclass(frozen=True)
class Summary:
    """What came of a run.

    Attributes:
        output: The table that was written.
        rows: Its rows.
        classified: How many of them have a class (or, of several labels, probabilities).
        abstained: How many of these are left to a person.
        problems: Rows without, by reason.
        passed_over: Files of folders that were not tried, by reason.
        seconds: That it took, without what an interrupted run had done.
    """

    output: Path
    rows: int
    classified: int
    abstained: int
    problems: Mapping[str, int] = field(default_factory=dict)
    passed_over: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0


def cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def require_number(name: str, value: int | None) -> None:
    """Refuse a number of files, processes or threads that cannot be meant.

    Raises:
        PairDxError: It is below 1 or above what :data:`_MOST` says.
    """
    if value is None or 1 <= value <= _MOST[name]:
        return
    option = f"--{name.replace('_', '-')}"
    if value < 1:
        raise PairDxError(f"{option} {value}: it is a number from 1 on")
    raise PairDxError(
        f"{option} {value}: it is at most {_MOST[name]}",
        remedy="leave it out: what fits this machine is chosen then"
        if name != "batch_size"
        else "leave it out, or name a smaller one: larger batches are no faster",
    )
