"""Tables as Markdown: numbers rounded for reading, text from outside made harmless."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from tabulate import tabulate

from pairdx.reporting.format.labels import readable

SHARES = re.compile(r"^(.*_)?(share|accuracy|precision|recall|f1)(_low|_high)?$")
MINUS = "\N{MINUS SIGN}"
NUMBER = re.compile(rf"^([-+{MINUS}]?\d.*)?$")
JOINERS = "\u200c\u200d"  # within words of some scripts, and in pictures
SECONDS = re.compile(r"^(.*_)?seconds(_.*)?$")


@dataclass(frozen=True)
class Column:
    """A column as it is read, not yet escaped for any format.

    Attributes:
        heading: Its name in words, with its unit.
        texts: Its cells; an empty cell is an empty text.
        is_number: Every cell is a number, possibly with more behind it, or empty.
    """

    heading: str
    texts: list[str]
    is_number: bool


def columns_as_text(table: pd.DataFrame) -> list[Column]:
    """Write every cell as text, numbers by the meaning of their column (see ``formatter``)."""
    columns = []
    for position, name in enumerate(map(str, table.columns)):
        write = formatter(name)
        texts = [_cell(value, write) for value in table.iloc[:, position]]
        # A column of numbers may come as numbers or already written.
        columns.append(Column(header(name), texts, all(NUMBER.match(text) for text in texts)))
    return columns


def as_markdown(table: pd.DataFrame, *, title: str, notes: Sequence[str] = ()) -> str:
    """Write a table as Markdown: the title as a heading, the table, and one list item per note.

    Columns are formatted by name: shares (accuracy, f1, share, ...) in percent, ``*seconds*`` in
    seconds, whole numbers with thousands separators. An empty cell stays empty. All text, headers
    included, is escaped, so that it shows as it is and never becomes HTML, a link or another cell.

    Args:
        table: Any table; its index is not written.
        title: The heading.
        notes: What a reader has to know about the numbers, without Markdown.
    """
    listed = [f"- {escape(note)}" for note in notes]
    body = laid_out(table, "pipe", escape)
    parts = [f"# {escape(title)}", body, *(["\n".join(listed)] if listed else [])]
    return "\n\n".join(parts) + "\n"


def laid_out(table: pd.DataFrame, layout: str, write: Callable[[str], str]) -> str:
    """Write a table alone in one of tabulate's layouts, every text as ``write`` gives it."""
    columns = columns_as_text(table)
    return tabulate(
        list(zip(*(map(write, column.texts) for column in columns), strict=True)),
        headers=[write(column.heading) for column in columns],
        tablefmt=layout,
        disable_numparse=True,
        colalign=["right" if column.is_number else "left" for column in columns]
        if len(table)
        else None,
    )


def escape(text: str) -> str:
    """Make text show as itself in a Markdown table cell.

    HTML becomes entities; control characters and line breaks become spaces; what Markdown would
    read as code, emphasis, a link, a formula or a column border is preceded by a backslash.
    """
    text = "".join(one if one.isprintable() or one in JOINERS else " " for one in text)
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"([\\`*\[\]~|$])", r"\\\1", text)
    # An underscore within a word, as in a class name, is no emphasis.
    text = re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", text)
    return html.escape(text, quote=False)


def header(column: str) -> str:
    """Return a column's heading, with its unit."""
    if SHARES.match(column):
        return f"{readable(column)}, %"
    if column.endswith("_seconds"):
        return f"{readable(column.removesuffix('_seconds'))}, s"
    return readable(column)


def formatter(column: str) -> Callable[[float], str]:
    """Return what writes a number of this column."""
    if column.startswith("paper_") and SHARES.match(column):
        return paper_percent
    if SHARES.match(column):
        return percent
    if SECONDS.match(column):
        return significant
    return plain


def percent(share: float) -> str:
    """Write a share of 1 in percent with one decimal: 0.6118 becomes 61.2, -0.0004 becomes 0.0."""
    return f"{round(100 * share, 1) + 0.0:.1f}"


def with_minus(number: str) -> str:
    """Write a number with the sign of a minus instead of a hyphen."""
    return number.replace("-", MINUS)


def paper_percent(share: float) -> str:
    """Write a share of 1 in percent with the digits that the paper gives: 61.18, 66.3, 93."""
    return f"{100 * share:.4g}"


def significant(value: float, digits: int = 3) -> str:
    """Write a number with three significant digits, and all digits before the decimal point."""
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def plain(value: float) -> str:
    """Write whole numbers in full, with thousands separators, and others with four digits."""
    return f"{int(value):,}" if float(value).is_integer() else significant(value, 4)


def with_interval(
    value: float, low: float, high: float, *, write: Callable[[float], str] = percent
) -> str | None:
    """Write a value and its interval: ``61.2 (58.0 to 64.1)``, without one 61.2; None for none."""
    if pd.isna(value):
        return None
    if pd.isna(low) or pd.isna(high):
        return write(value)
    return f"{write(value)} ({write(low)} to {write(high)})"


def value_and_bounds(name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cells of a value (keys value, low, high) as columns NAME, NAME_low, NAME_high."""
    return {name: found["value"], f"{name}_low": found["low"], f"{name}_high": found["high"]}


def written_intervals(table: pd.DataFrame, name: str) -> list[str | None]:
    """Write the columns of :func:`value_and_bounds`, row by row, as :func:`with_interval` does."""
    return [with_interval(*row) for row in table[[name, f"{name}_low", f"{name}_high"]].to_numpy()]


def _cell(value: object, write: Callable[[float], str]) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return ""
    if pd.api.types.is_number(value) and not isinstance(value, bool):
        return write(float(value))  # type: ignore[arg-type]
    return str(value)
