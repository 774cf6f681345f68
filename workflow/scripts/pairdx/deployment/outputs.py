"""The table of what was classified: Parquet, CSV or JSON lines, written in pieces.

All three hold the same rows; numbers are written so that they are read back as they were.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pairdx.deployment.answers import decide, found
from pairdx.deployment.folder import DeployedFolder
from pairdx.deployment.journal import Result
from pairdx.errors import PairDxError
from pairdx.files import written_whole
from pairdx.finding_texts import encode
from pairdx.seals import fill_footer_seal, header_to_seal
from pairdx.sheet_cells import ENCODING, escaped

METADATA = "pairdx_deployment"
_KINDS = {
    "file": "string",
    "row": "int64",
    "predicted": "string",
    "probability": "double",
    "abstain": "bool",
    "bytes": "int64",
    "sha256": "string",
    "width": "int32",
    "height": "int32",
    "problem": "string",
}
Columns = dict[str, list[Any]]


def columns_of(labels: Sequence[str]) -> list[str]:
    """Name the columns of a table, in order."""
    first, last = list(_KINDS)[:5], list(_KINDS)[5:]
    return [*first, *(f"p_{label}" for label in labels), *last]


def pieces_of(labels: Sequence[str]) -> int:
    """Return how many rows are written at once: a few million bytes, however many classes."""
    return max(64, min(2048, 250_000 // len(labels)))


def as_columns(rows: Sequence[tuple[str, int | None, Result]], folder: DeployedFolder) -> Columns:
    """Decide what N documents are, and return the columns of their rows; None for no value."""
    labels = folder.labels
    results = [result for _, _, result in rows]
    sound = [at for at, result in enumerate(results) if not result.problem]
    given = b"".join(results[at].probabilities or b"" for at in sound)
    probabilities = np.frombuffer(given, dtype=np.float64).reshape(len(sound), len(labels))
    predicted, confidence, abstain = _decided(probabilities, folder)

    def spread(values: Sequence[Any]) -> list[Any]:
        column: list[Any] = [None] * len(rows)
        for at, value in zip(sound, values, strict=True):
            column[at] = value
        return column

    columns: Columns = {
        "file": [name for name, _, _ in rows],
        "row": [line for _, line, _ in rows],
        "predicted": spread(predicted),
        "probability": spread(confidence),
        "abstain": spread(abstain),
    }
    for place, label in enumerate(labels):
        columns[f"p_{label}"] = spread(probabilities[:, place].tolist())
    columns["bytes"] = [result.size for result in results]
    columns["sha256"] = [result.sha256.hex() if result.sha256 else None for result in results]
    columns["width"] = [result.width for result in results]
    columns["height"] = [result.height for result in results]
    columns["problem"] = [result.problem for result in results]
    return columns


def _decided(
    probabilities: np.ndarray, folder: DeployedFolder
) -> tuple[list[str], list[Any], list[Any]]:
    """Return class, its probability and whether it is left to a person, of each document.

    Where any number of classes can be true, the class is a text of all that are found, and those
    that are not decided with a question mark (:mod:`pairdx.finding_texts`); the others are None.
    """
    labels = folder.labels
    if not folder.several:
        decisions = decide(probabilities, folder.facts["threshold"])
        names = [labels[best] for best in decisions.predicted]
        return names, decisions.confidence.tolist(), decisions.abstain.tolist()
    thresholds = [folder.facts["thresholds"].get(label) for label in labels]
    undecided = {label for label, one in zip(labels, thresholds, strict=True) if one is None}
    texts = [
        encode(
            {
                label: None if label in undecided else bool(one)
                for label, one in zip(labels, row, strict=True)
            },
            labels,
        )
        for row in found(probabilities, thresholds)
    ]
    return texts, [None] * len(texts), [None] * len(texts)


class _Writer(Protocol):
    def __call__(self, columns: Columns) -> None:
        """Write some rows."""


def write_rows(
    path: Path,
    kind: str,
    labels: Sequence[str],
    facts: dict[str, Any],
    pieces: Iterable[Columns],
) -> None:
    """Write a table, whole or not at all.

    Args:
        path: Where it will stand.
        kind: ``parquet``, ``csv`` or ``jsonl``.
        labels: The classes.
        facts: What Parquet's metadata say of the model and the run.
        pieces: Its rows.

    Raises:
        PairDxError: The storage refuses.
    """
    with written_whole(path) as aside, _WRITERS[kind](aside, labels, facts) as write:
        for columns in pieces:
            write(columns)


@contextmanager
def _csv(path: Path, labels: Sequence[str], _: dict[str, Any]) -> Iterator[_Writer]:
    with path.open("w", encoding=ENCODING, newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([escaped(name) for name in columns_of(labels)])

        def write(columns: Columns) -> None:
            for row in zip(*columns.values(), strict=True):
                writer.writerow([_cell(value) for value in row])

        yield write


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else escaped(value)


@contextmanager
def _jsonl(path: Path, _: Sequence[str], __: dict[str, Any]) -> Iterator[_Writer]:
    with path.open("w", encoding="utf-8", newline="\n") as file:

        def write(columns: Columns) -> None:
            for row in zip(*columns.values(), strict=True):
                row_of = dict(zip(columns, row, strict=True))
                file.write(json.dumps(row_of, ensure_ascii=False, allow_nan=False) + "\n")

        yield write


@contextmanager
def _parquet(path: Path, labels: Sequence[str], facts: dict[str, Any]) -> Iterator[_Writer]:
    import pyarrow as pa
    from pyarrow import parquet

    kinds = {name: pa.type_for_alias(_KINDS.get(name, "double")) for name in columns_of(labels)}
    stated = {METADATA: json.dumps(facts, ensure_ascii=False), **header_to_seal()}
    schema = pa.schema(kinds.items(), metadata=stated)
    with parquet.ParquetWriter(path, schema) as writer:

        def write(columns: Columns) -> None:
            writer.write_table(pa.table(columns, schema=schema))

        yield write
    fill_footer_seal(path)


def prepare(kind: str) -> None:
    """Load what writes a format: at the start, while processes open the system, not at the end.

    Raises:
        PairDxError: It is not installed.
    """
    if kind == "parquet":
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError as error:
            raise PairDxError(
                f"Parquet cannot be written here ({error})",
                remedy="install pyarrow, or name an output that ends with .csv or .jsonl",
            ) from error


_WRITERS = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}
