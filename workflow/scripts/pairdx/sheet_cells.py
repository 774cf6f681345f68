"""Cells of CSV files that people open: written so that a spreadsheet takes them for texts.

A spreadsheet takes UTF-8 without a mark at its start for the system's old encoding, and a cell that
begins with a sign of a formula for a formula. Such cells get an apostrophe before them. Standard
library only: deployed systems write such files where little else is installed.
"""

from __future__ import annotations

import re
from collections.abc import Collection

ENCODING = "utf-8-sig"  # with the mark; where it is read, also without
SIGNS = "=+\\-@\t\uff1d\uff0b\uff0d\uff20"  # full-width forms count in some languages' spreadsheets
FORMULA = re.compile(rf"'*[{SIGNS}]")
ESCAPED = re.compile(rf"'+[{SIGNS}]")
_LINE_END = re.compile(r"\r\n?")  # a lone \r ends a row for some readers
LONGEST_FIRST_LINE = 100_000  # characters
PACKED = {b"\x1f\x8b": "a gzip file", b"PK\x03\x04": "a zip file, or a spreadsheet's own file"}


def escaped(cell: object) -> object:
    """Return a cell as it can be opened in a spreadsheet; numbers and missing values as they are.

    A text that would be a formula, or be taken for an escaped one, gets an apostrophe before it;
    line ends become line feeds.
    """
    if not isinstance(cell, str):
        return cell
    return _LINE_END.sub("\n", f"'{cell}" if FORMULA.match(cell) else cell)


def unescaped(cell: str) -> str:
    """Return the text that :func:`escaped` was given, with line feeds for all line ends."""
    return _LINE_END.sub("\n", cell[1:] if ESCAPED.match(cell) else cell)


def separator_of(text: str, separators: Collection[str]) -> str:
    """Return what stands between the cells of a table's first line, of what may stand there."""
    first = text[:LONGEST_FIRST_LINE].lstrip().partition("\n")[0]
    return max(separators, key=re.sub('"[^"]*"', "", first).count)
