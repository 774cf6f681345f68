"""CSV files that people open: written so that a spreadsheet keeps them, and read strictly.

What is done to single cells is in :mod:`pairdx.sheet_cells`; apostrophes that it puts before some
are taken off again by :func:`read_text_table`.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from pairdx.errors import PairDxError
from pairdx.sheet_cells import ENCODING, PACKED, escaped, separator_of, unescaped

QUOTING = (
    "a text with a comma, a quotation mark or a line end stands in double quotes, and a double "
    "quote inside it is doubled"
)


def for_people(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts, its columns' names included, are :func:`escaped`."""
    shown = table.copy()
    for place, kind in enumerate(table.dtypes):
        if not pd.api.types.is_numeric_dtype(kind):  # True and False count as numbers
            cells = table.iloc[:, place].astype(object).map(escaped)
            shown.isetitem(place, cells.array)
    return shown.rename(columns=escaped)


def read_text_table(
    source: str | Path | bytes,
    *,
    what: str,
    where: object,
    remedy: str,
    separators: str = ",",
    by_people: bool = False,
) -> pd.DataFrame:
    """Read a CSV file of texts, with the names of its columns in the first line.

    Args:
        source: The file, or its content.
        what: What the table is called in messages.
        where: What messages name as the place.
        remedy: What to do where the file is not what was once written.
        separators: What may stand between cells; the most frequent in the first line does.
        by_people: Spreadsheets may have saved it: take UTF-16 with a mark too (their "Unicode
            text"), take off the apostrophes of :func:`escaped`, and take rows with cells too few,
            as spreadsheets leave out empty ones at the end.

    Returns:
        All cells as text, "" where nothing stands.

    Raises:
        FileNotFoundError: There is no such file.
        PairDxError: It is not CSV or not UTF-8, the first line has a name twice, or a row has more
            cells than it, or fewer where no spreadsheet may have left them out.
    """
    content = source if isinstance(source, bytes) else Path(source).read_bytes()
    _refuse_packed(content, what, where)
    text = _decoded(content, what, where, by_people=by_people)
    separator = separator_of(text, separators)
    try:
        table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, sep=separator)
    except pd.errors.EmptyDataError as error:
        raise PairDxError(
            f"{what} is empty",
            where=where,
            remedy=f"put the whole table in its place, {remedy}",
        ) from error
    except pd.errors.ParserError as error:
        raise PairDxError(
            f"{what} cannot be read as CSV: {_tokenised(str(error))}",
            where=where,
            remedy=f"{QUOTING}; {remedy}",
        ) from error
    _refuse_surplus_cells(table, what, where, remedy)
    _refuse_repeated_names(text, separator, what, where, by_people=by_people)
    if not by_people and len(table) and (table.iloc[:, -1] == "").any():
        _refuse_missing_cells(text, separator, what, where, remedy)
    return table.rename(columns=unescaped).map(unescaped) if by_people else table


def _refuse_surplus_cells(table: pd.DataFrame, what: str, where: object, remedy: str) -> None:
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes surplus cells for an index
        raise PairDxError(
            f"{what} cannot be read: the rows of this table have more cells than its first line "
            f"names ({len(table.columns)})",
            where=f"{where}, from line 2 on",
            remedy="delete the surplus cells, or the comma at the end of its lines, or name the "
            f"column in the first line; {remedy}",
        )


def _refuse_repeated_names(
    text: str, separator: str, what: str, where: object, *, by_people: bool
) -> None:
    """Two columns of one name: pandas renames the second, and which is meant is not known."""
    line, names = next(_rows(text, separator))
    seen = [unescaped(name).strip().lower() if by_people else name.strip() for name in names]
    twice = [name for name, count in Counter(seen).items() if name and count > 1]
    if twice:
        raise PairDxError(
            f"the first line of {what} has the same name for several columns: {', '.join(twice)}",
            where=f"{where}, line {line}",
            remedy="delete the columns that are not meant, or give them other names",
        )


def _refuse_missing_cells(text: str, separator: str, what: str, where: object, remedy: str) -> None:
    rows = _rows(text, separator)
    names = len(next(rows)[1])
    for line, cells in rows:
        if len(cells) < names:
            raise PairDxError(
                f"a row of {what} has {len(cells)} cells, and the first line names {names}: cells "
                "may stand in the wrong columns",
                where=f"{where}, line {line}",
                remedy=f"write its empty cells, too, between commas; {remedy}",
            )


def _rows(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that pandas reads, blank lines left out, after the lines they begin in."""
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # else 131,072 characters
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    line = 1
    for cells in reader:
        if len(cells) > 1 or "".join(cells).strip():
            yield line, cells
        line = reader.line_num + 1


def _refuse_packed(content: bytes, what: str, where: object) -> None:
    for start, name in PACKED.items():
        if content.startswith(start):
            raise PairDxError(
                f"{what} is {name}, and not CSV",
                where=where,
                remedy="unpack it, or save it as CSV in UTF-8, and name that file",
            )


def _decoded(content: bytes, what: str, where: object, *, by_people: bool) -> str:
    wide = by_people and content[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        return content.decode("utf-16" if wide else ENCODING)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PairDxError(
            f"{what} is not text in UTF-8 (byte 0x{content[error.start]:02x} in line {line})",
            where=where,
            remedy="save it as CSV in UTF-8 (spreadsheets call it `CSV UTF-8`), from a copy whose "
            "letters are still right; fetching the same file again does not change it",
        ) from error


def _tokenised(error: str) -> str:
    """Say in plain words what pandas says of a row that it cannot read."""
    surplus = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", error)
    if surplus:
        named, line, found = surplus.groups()
        return f"line {line} has {found} cells, and the lines before it {named}"
    opened = re.search(r"EOF inside string starting at row (\d+)", error)
    if opened:
        return f"a quotation mark in row {int(opened[1]) + 1} is never closed"
    return error
