"""Tables of files and captions, read row by row: CSV, TSV, JSON lines and Parquet.

What is wrong with one row is the row's problem; what is wrong with the table is an error.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pairdx.errors import PairDxError
from pairdx.sheet_cells import ENCODING, LONGEST_FIRST_LINE, PACKED, separator_of, unescaped
from pairdx.storage_errors import storage_errors_at

LONGEST = 1 << 24  # characters of a cell, or of a line of JSON
AT_ONCE = 1024  # rows of Parquet
MOST_KEYS = 10_000  # different ones of all objects: what has more is no table
SURPLUS = "a row with more cells than the first line names; a comma in a text needs double quotes"
NO_JSON = "a line that is no JSON object"
NO_TEXT = "a cell that is no text"
_SAVE = "save it as CSV in UTF-8 (spreadsheets call it `CSV UTF-8`)"
_SEPARATORS = re.compile(r"[,;|\t]")
_SEPARATED_BY = {
    ".csv": "cells of a .csv stand between commas, semicolons or tabs",
    ".tsv": "cells of a .tsv stand between tabs",
}

Row = tuple[list[str], str]  # the cells that were asked for, "" for none; a problem, or ""


@dataclass(frozen=True)
class Table:
    """A table from outside.

    Attributes:
        path: Where it lies.
        columns: Their names.
        rows: Yields, for columns by their places, the cells of every row.
    """

    path: Path
    columns: list[str]
    rows: Callable[[Sequence[int]], Iterator[Row]]

    @property
    def names(self) -> str:
        """Its columns in a message, and what may be wrong where they look like a whole line."""
        said = _SEPARATED_BY.get(self.path.suffix.lower())
        uncut = said and len(self.columns) == 1 and _SEPARATORS.search(self.columns[0])
        return f"{listed(self.columns)}, a single one ({said})" if uncut else listed(self.columns)

    def place_of(self, column: str) -> int:
        """Return where a column stands.

        Raises:
            PairDxError: There is none of this name, or there are two.
        """
        found = [at for at, name in enumerate(self.columns) if name == column]
        if len(found) != 1:
            many = "several columns are" if found else "no column is"
            raise PairDxError(
                f"{many} called {column!r}; its columns are {self.names}",
                where=self.path,
                remedy="say which is meant: --image-column NAME, --caption-column NAME",
            )
        return found[0]


def listed(columns: Sequence[str], most: int = 40) -> str:
    """Name columns in a message, at most so many."""
    names = ", ".join(map(repr, columns[:most]))
    return f"{names} and {len(columns) - most} more" if len(columns) > most else names or "(none)"


def open_table(path: Path) -> Table:
    """Open a table by the ending of its name.

    Raises:
        PairDxError: It is missing, empty, no plain file, or not what its ending says.
    """
    if not path.is_file():
        raise PairDxError("this table is no file", where=path, remedy="name a table that is there")
    with storage_errors_at(path):
        return _OPENERS[path.suffix.lower()](path)


def _open_csv(path: Path) -> Table:
    with path.open("rb") as raw:
        head = raw.read(4)
    for start, name in PACKED.items():
        if head.startswith(start):
            raise PairDxError(f"this is {name}, and not CSV", where=path, remedy=_SAVE)
    wide = head[:2] in (b"\xff\xfe", b"\xfe\xff")  # what spreadsheets call Unicode text
    encoding = "utf-16" if wide else ENCODING
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST))
    with path.open(encoding=encoding, newline="") as file, _said_of(path):
        first = file.readline(LONGEST_FIRST_LINE)
    separator = "\t" if path.suffix.lower() == ".tsv" else separator_of(first, ",;\t")

    def cells() -> Iterator[list[str]]:
        with path.open(encoding=encoding, newline="") as file:
            reader = csv.reader(file, delimiter=separator, strict=True)
            with _said_of(path, lambda: reader.line_num):
                yield from _rows_of(reader)

    names = next(cells(), None)
    if names is None:
        raise _empty(path)

    def rows(places: Sequence[int]) -> Iterator[Row]:
        for number, row in enumerate(cells()):
            if number:
                surplus = len(row) > len(names) and any(row[len(names) :])
                found = [unescaped(row[at]) if at < len(row) else "" for at in places]
                yield found, SURPLUS if surplus else ""

    return Table(path, [unescaped(name).strip() for name in names], rows)


def _rows_of(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    for row in reader:
        if len(row) > 1 or "".join(row).strip():
            yield row


def _open_jsonl(path: Path) -> Table:
    names = _keys(path)

    def rows(places: Sequence[int]) -> Iterator[Row]:
        with path.open(encoding=ENCODING) as file, _said_of(path):
            for line in _lines(file):
                yield _of_object(_object(line), [names[at] for at in places])

    return Table(path, names, rows)


def _keys(path: Path) -> list[str]:
    """Return the keys of all objects, which need not have the same ones."""
    keys: dict[str, None] = {}
    lines = objects = 0
    with path.open(encoding=ENCODING) as file, _said_of(path):
        for lines, line in enumerate(_lines(file), start=1):  # noqa: B007 - they are counted
            if (content := _object(line)) is None:
                continue
            objects += 1
            keys.update(dict.fromkeys(content))
            if len(keys) > MOST_KEYS:
                raise PairDxError(
                    f"its objects have more than {MOST_KEYS:,} different keys",
                    where=path,
                    remedy="write the same keys in every line: those of the file and the caption",
                )
    if not lines:
        raise _empty(path)
    if not objects:
        raise PairDxError(
            "its lines are no JSON objects",
            where=path,
            remedy='write an object per line, such as {"image": "a.png", "caption": "..."}',
        )
    return list(keys)


def _object(line: str) -> dict[str, Any] | None:
    try:
        content = json.loads(line) if len(line) <= LONGEST else None
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _of_object(content: dict[str, Any] | None, names: Sequence[str]) -> Row:
    if content is None:
        return [""] * len(names), NO_JSON
    values = ["" if content.get(name) is None else content[name] for name in names]
    texts = [value if isinstance(value, str) else "" for value in values]
    return texts, "" if texts == values else NO_TEXT


def _open_parquet(path: Path) -> Table:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise PairDxError(
            f"Parquet cannot be read here ({error})",
            where=path,
            remedy="install pyarrow, or give the table as CSV or JSON lines",
        ) from error
    with _arrow_said_of(path, pa):
        schema = parquet.read_schema(path)

    def rows(places: Sequence[int]) -> Iterator[Row]:
        names = [schema.names[at] for at in places]
        for name in names:
            _refuse_other_than_text(pa, path, name, schema.field(name).type)
        with (
            _arrow_said_of(path, pa),
            parquet.ParquetFile(path, memory_map=False, pre_buffer=False) as file,
        ):
            for batch in file.iter_batches(AT_ONCE, columns=names, use_threads=False):
                columns = [batch.column(name).to_pylist() for name in names]
                yield from ((_texts(cells), "") for cells in zip(*columns, strict=True))

    return Table(path, list(schema.names), rows)


@contextmanager
def _arrow_said_of(path: Path, pa: Any) -> Iterator[None]:
    """Say that a file is no Parquet, or damaged, of which Arrow says so in several ways."""
    try:
        yield
    except (pa.ArrowException, UnicodeError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        said = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise PairDxError(
            f"this is not a Parquet file, or a damaged one: {said}",
            where=path,
            remedy="write or copy it again",
        ) from error


def _texts(cells: Sequence[str | None]) -> list[str]:
    return ["" if cell is None else cell for cell in cells]


def _refuse_other_than_text(pa: Any, path: Path, name: str, kind: Any) -> None:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view()):
        raise PairDxError(
            f"the column {name!r} holds {kind}, and no texts",
            where=path,
            remedy="write the paths of files, or the captions, as texts",
        )


@contextmanager
def _said_of(path: Path, line: Callable[[], int] | None = None) -> Iterator[None]:
    """Say what is wrong with a text table in words, with the line where it is known."""
    try:
        yield
    except UnicodeError as error:
        what = f"this table is not text in UTF-8 ({str(error)[:100]})"
        raise PairDxError(what, where=_at(path, line), remedy=_SAVE) from error
    except csv.Error as error:
        raise PairDxError(
            f"this table cannot be read as CSV: {error}",
            where=_at(path, line),
            remedy="a text with a comma, a quotation mark or a line end stands in double quotes, "
            "and a double quote inside it is doubled",
        ) from error


def _at(path: Path, line: Callable[[], int] | None) -> str:
    return str(path) if line is None else f"{path}, at or soon after line {line()}"


def _lines(file: IO[str]) -> Iterator[str]:
    """Yield lines that are not empty, those that are too long cut off (and so no JSON)."""
    while line := file.readline(LONGEST + 1):
        rest = line
        while len(rest) > LONGEST and not rest.endswith("\n"):
            rest = file.readline(LONGEST + 1)
        if line.strip():
            yield line


def _empty(path: Path) -> PairDxError:
    return PairDxError("this table is empty", where=path, remedy="its first line names the columns")


_OPENERS = {
    ".csv": _open_csv,
    ".tsv": _open_csv,
    ".jsonl": _open_jsonl,
    ".parquet": _open_parquet,
}
