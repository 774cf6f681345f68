"""Tables of texts from the files that people have: CSV and its kin, Parquet, Excel.

What a file is, its first bytes say; its ending may be wrong.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile, ZipFile

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pairdx.corpus.image_tables import listed, require_columns
from pairdx.corpus.labels import tidy
from pairdx.corpus.table.cells import texts_of
from pairdx.errors import PairDxError
from pairdx.logs import logger
from pairdx.plan.wording import similar
from pairdx.sheets import read_text_table
from pairdx.storage_errors import storage_error

Read = tuple[pd.DataFrame, list[str]]  # columns by name, and the names of all that there are
SEPARATORS = ",;\t"
LARGEST_FILE_BYTES = 4_000_000_000
LARGEST_SHEET_BYTES = 4_000_000_000  # of a workbook, unpacked
# First bytes of what is no table, and what it is.
OTHERS = {
    b"%PDF": "a PDF file",
    b"\xff\xd8\xff": "a JPEG image",
    b"\x89PNG": "a PNG image",
    b"SQLite format 3": "an SQLite database",
    b"ARROW1": "an Arrow (Feather) file",
    b"\x1f\x8b": "a gzip file",
}
KINDS = "CSV (UTF-8), TSV, Parquet or Excel"
# Endings of the kinds, to say where the ending misleads.
ENDINGS = {"Excel": (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods"), "Parquet": (".parquet", ".pq")}


# What Excel writes into the first line to say what stands between cells.
_STATED_SEPARATOR = re.compile(rb"(\xef\xbb\xbf)?sep=(.)(?=\r?\n)", re.IGNORECASE)


class Called(NamedTuple):
    """How messages call a table, and the keys of the configuration that state it.

    Attributes:
        table: What it is.
        row: What a row is about.
        path: Key of its path.
        columns: Key below which the names of its columns stand.
        sheet: Key of its sheet.
    """

    table: str = "the table of images"
    row: str = "image"
    path: str = "source.table"
    columns: str = "source.columns"
    sheet: str = "source.sheet"


IMAGES = Called()


class Rows(NamedTuple):
    """A table as it was read.

    Attributes:
        table: The wanted columns: cells as text without blanks at their ends, "" where nothing
            stands; whole numbers without a point, dates as ISO.
        others: The names of all other columns.
        rows_in_cells: How many cells hold what looks like further rows, for a quotation mark that
            stands at the start of a cell and is closed rows later.
    """

    table: pd.DataFrame
    others: list[str]
    rows_in_cells: int


def read_rows(
    path: Path, sheet: str | None, wanted: Sequence[tuple[str, str]], called: Called = IMAGES
) -> Rows:
    """Read the wanted columns of a table, whichever kind of file it is.

    Args:
        path: A CSV or TSV file (cells between commas, semicolons or tabs), a Parquet file, or a
            workbook of Excel or LibreOffice.
        sheet: The sheet of a workbook; None takes its first.
        wanted: For each column, the key below ``called.columns`` that states it, and its name, in
            any composition of letters, with or without blanks around it.
        called: How messages call the table.

    Raises:
        PairDxError: It is missing or none of these, damaged or empty, names a column twice, lacks
            one, or has no rows.
    """
    content = _content(path, called)
    kind = _kind(content, path, called)
    expected = next((name for name, ends in ENDINGS.items() if path.suffix.lower() in ends), "CSV")
    if kind != expected:
        logger.warning("%s is read as what it holds, %s, whatever its ending says", path, kind)
    if sheet is not None and kind != "Excel":
        raise PairDxError(
            f"{called.table} is {kind} and has no sheets",
            where=path,
            remedy=f"set `{called.sheet}` to null",
        )
    names = {name: tidy(name) for _, name in wanted}
    table, columns = _READERS[kind](content, path, sheet, names.values(), called)
    _refuse_repeated_names(columns, path, called)
    require_columns(
        columns,
        [(key, names[name]) for key, name in wanted],
        path,
        table=called.table,
        keys=called.columns,
    )
    if table.empty:
        raise PairDxError(
            f"{called.table} has no rows below its first line",
            where=path,
            remedy=f"write a row for every {called.row} below the names of the columns",
        )
    file = names.get(dict(wanted).get("file", ""))
    return Rows(
        pd.DataFrame({name: table[there].str.strip() for name, there in names.items()}),
        [name for name in columns if name not in names.values()],
        _rows_in_cells(table, file) if kind == "CSV" and file else 0,
    )


def _rows_in_cells(table: pd.DataFrame, file: str) -> int:
    """Count the cells of which a line is a whole row: as many cells, and the path of an image."""
    endings = {path.rpartition(".")[2] for path in table[file]}
    place, number, found = table.columns.get_loc(file), len(table.columns), []
    for name in table:
        several = table[table[name].str.contains("\n", regex=False)]
        for path, cell in zip(several[file], several[name], strict=True):
            lines = [line.split(mark) for line in cell.split("\n")[1:] for mark in SEPARATORS]
            if any(len(of) == number and of[place].rpartition(".")[2] in endings for of in lines):
                found.append(path)
    if found:
        logger.warning(
            "%d cells hold what looks like further rows, which are not read as such, the first in "
            "the row of %s: is a quotation mark there at the start of a cell, and not doubled?",
            *(len(found), found[0]),
        )
    return len(found)


def _content(path: Path, called: Called) -> bytes:
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise PairDxError(
                f"{called.table} is larger than {LARGEST_FILE_BYTES:,} bytes",
                where=path,
                remedy=f"set `{called.path}` to {called.table}, one row for each {called.row}",
            )
        return path.read_bytes()
    except FileNotFoundError as error:
        raise PairDxError(
            f"{called.table} is missing", where=path, remedy=f"check the key `{called.path}`"
        ) from error
    except IsADirectoryError as error:
        raise PairDxError(
            f"{called.table} is a folder", where=path, remedy=f"set `{called.path}` to a file in it"
        ) from error
    except OSError as error:
        raise storage_error(error, path) or PairDxError(
            f"{called.table} cannot be read: {error.strerror}",
            where=path,
            remedy=f"set `{called.path}` to a file that the user of the job can read",
        ) from error


def _kind(content: bytes, path: Path, called: Called) -> str:
    if content.startswith(b"PAR1"):
        return "Parquet"
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
        return "Excel"
    other = other_kind(content)
    if other is None and content[:2] not in (b"\xff\xfe", b"\xfe\xff") and b"\0" in content:
        other = "no text: it has null characters"
    if other:
        raise PairDxError(
            f"{called.table} is {other}, and not {KINDS}",
            where=path,
            remedy=f"open it in the program that wrote it, or unpack it, and save it as {KINDS}",
        )
    return "CSV"


def other_kind(content: bytes) -> str | None:
    """Say what the first bytes show a content to be that is neither a table nor text."""
    start = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<table", b"<?xml")):
        return "a web page or XML, as some programs write it for spreadsheets"
    return next((name for first, name in OTHERS.items() if content.startswith(first)), None)


# ---------------------------------------------------------------- the kinds
def _read_text(
    content: bytes, path: Path, _: str | None, __: Collection[str], called: Called
) -> Read:
    stated = _STATED_SEPARATOR.match(content)
    table = read_text_table(
        content[stated.end() :] if stated else content,
        what=called.table,
        where=path,
        remedy="or save it again as CSV in UTF-8",
        separators=stated[2].decode("latin-1") if stated else SEPARATORS,
        by_people=True,
    )
    return _with_names(table, table.columns)


def _read_parquet(
    content: bytes, path: Path, _: str | None, wanted: Collection[str], called: Called
) -> Read:
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        names = file.schema_arrow.names
        _refuse_repeated_names(names, path, called)
        table = file.read([name for name in names if tidy(name) in wanted])
    except (pa.ArrowException, OSError) as error:
        raise PairDxError(
            f"{called.table} is no readable Parquet file: {error}",
            where=path,
            remedy="write it again, or save it as CSV in UTF-8",
        ) from error
    texts = {
        tidy(name): pd.Series(texts_of(table.column(name), f"{path}, column {name}"), dtype=str)
        for name in table.column_names
    }
    return pd.DataFrame(texts), [tidy(name) for name in names]


def _read_workbook(
    content: bytes, path: Path, sheet: str | None, _: Collection[str], called: Called
) -> Read:
    _refuse_bombs(content, path, called)
    try:
        with pd.ExcelFile(io.BytesIO(content), engine="calamine") as book:
            name = _sheet(list(map(str, book.sheet_names)), sheet, path, called)
            cells = pd.read_excel(book, name, header=None, dtype=object, na_filter=False)
    except PairDxError:
        raise
    except Exception as error:  # calamine's own classes, and what is wrong inside a damaged file
        raise PairDxError(
            f"{called.table} is no workbook that can be read: {error}",
            where=path,
            remedy="save it as .xlsx without a password, or as CSV in UTF-8; unpack it first if it "
            "is a zip file of something else",
        ) from error
    texts = cells.map(_cell)
    texts = texts[(texts != "").any(axis=1)].reset_index(drop=True)
    if texts.empty:
        raise PairDxError(
            f"{called.table} is empty",
            where=f"{path}, sheet {name}",
            remedy=f"set `{called.sheet}` to the sheet that holds it",
        )
    return _with_names(texts.iloc[1:], texts.iloc[0])


def _with_names(table: pd.DataFrame, names: Iterable[str]) -> Read:
    """Take the columns that have a name."""
    stated = [tidy(name) for name in names]
    named = [bool(name) for name in stated]
    table = table.loc[:, named].set_axis([name for name in stated if name], axis=1)
    return table, [*table.columns]


def _sheet(names: Collection[str], wanted: str | None, path: Path, called: Called) -> str:
    if wanted is not None and wanted not in names:
        raise PairDxError(
            f"the workbook has no sheet {wanted}; its sheets are {listed(names)}"
            f"{similar(wanted, names)}",
            where=path,
            remedy=f"set `{called.sheet}` to one of them, or to null for the first",
        )
    first = wanted if wanted is not None else next(iter(names))
    if len(names) > 1:
        logger.info("of the sheets %s, %s is read", listed(names), first)
    return first


def _refuse_bombs(content: bytes, path: Path, called: Called) -> None:
    if not content.startswith(b"PK"):
        return
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except (BadZipFile, ValueError, NotImplementedError):
        return  # calamine says what is wrong with it
    if size > LARGEST_SHEET_BYTES:
        raise PairDxError(
            f"{called.table} would unpack to {size:,} bytes",
            where=path,
            remedy="save the sheet alone as CSV in UTF-8",
        )


def _cell(cell: object) -> str:
    """Return a cell of a workbook as text: whole numbers without a point, dates as ISO."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(" ") if cell.time() != time() else cell.date().isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    return "" if cell is None else str(cell)


def _refuse_repeated_names(names: Collection[str], path: Path, called: Called) -> None:
    counts = Counter(tidy(name).lower() for name in names)
    if twice := [name for name, count in counts.items() if name and count > 1]:
        raise PairDxError(
            f"{called.table} has the same name for several columns: {', '.join(twice)}",
            where=path,
            remedy="delete the columns that are not meant, or give them other names",
        )


_READERS = {"CSV": _read_text, "Parquet": _read_parquet, "Excel": _read_workbook}
