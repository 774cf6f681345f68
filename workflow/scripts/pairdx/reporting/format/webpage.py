"""Tables as small web pages, for the HTML report; and in all formats for reading at once."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pairdx.files import write_table, written_whole
from pairdx.reporting.format.latex import as_latex
from pairdx.reporting.format.markdown import as_markdown, columns_as_text
from pairdx.reporting.format.outputs import path_in

STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; color: #222; margin: 1.5rem; }
h1 { font-size: 1.2rem; }
table { border-collapse: collapse; }
th, td { padding: .3rem .5rem; border-bottom: 1px solid #ddd; vertical-align: top; }
th { border-bottom: 2px solid #222; text-align: left; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
th.number { white-space: normal; vertical-align: bottom; }
td:not(.number):first-child { min-width: 9rem; }
ul { color: #555; font-size: .9rem; max-width: 70rem; padding-left: 1.2rem; }
"""


def as_html(table: pd.DataFrame, *, title: str, notes: Sequence[str] = ()) -> str:
    """Write a table as an HTML page of its own, formatted as :func:`as_markdown` does.

    All text is escaped: a caption with markup in it shows as it is.
    """
    columns = columns_as_text(table)
    kinds = [' class="number"' if column.is_number else "" for column in columns]
    head = "".join(
        f"<th{kind}>{html.escape(column.heading)}</th>"
        for column, kind in zip(columns, kinds, strict=True)
    )
    rows = [
        "".join(
            f"<td{kind}{_direction(text)}>{html.escape(text)}</td>"
            for text, kind in zip(row, kinds, strict=True)
        )
        for row in zip(*(column.texts for column in columns), strict=True)
    ]
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    listed = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body><h1>{html.escape(title)}</h1>\n<table><thead><tr>{head}</tr></thead>\n"
        f"<tbody>{body}</tbody></table>\n<ul>{listed}</ul></body></html>\n"
    )


def _direction(text: str) -> str:
    """Let a cell with Hebrew or Arabic in it be read from the side on which it begins."""
    from_right = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text)
    return ' dir="auto"' if from_right else ""


def write_for_reading(
    table: pd.DataFrame,
    markdown: str | Path,
    page: str | Path | None = None,
    latex: str | Path | None = None,
    *,
    title: str,
    notes: Sequence[str] = (),
) -> None:
    """Write a table as Markdown and, where a path is given, as a web page and in LaTeX.

    LaTeX's label is ``tab:`` and the file's name.
    """
    with written_whole(markdown) as aside:
        aside.write_text(as_markdown(table, title=title, notes=notes), encoding="utf-8")
    if page is not None:
        with written_whole(page) as aside:
            aside.write_text(as_html(table, title=title, notes=notes), encoding="utf-8")
    if latex is not None:
        label = f"tab:{Path(latex).stem}"
        with written_whole(latex) as aside:
            aside.write_text(
                as_latex(table, title=title, label=label, notes=notes), encoding="utf-8"
            )


def write_item(
    output: Any,
    key: str,
    table: pd.DataFrame,
    shown: pd.DataFrame,
    *,
    title: str,
    notes: Sequence[str] = (),
    at: int | None = None,
) -> str:
    """Write a table to all of its outputs, and return it as Markdown.

    Args:
        output: ``snakemake.output``.
        key: The table's key, such as ``funnel``.
        table: What is written as CSV.
        shown: The same for reading.
        title: Its heading.
        notes: What stands below it.
        at: Position, where one job makes the table for several splits.
    """
    markdown, page, latex = (path_in(output, key, suffix, at) for suffix in ("md", "html", "tex"))
    write_table(path_in(output, key, "csv", at), table)
    write_for_reading(shown, markdown, page, latex, title=title, notes=notes)
    return Path(markdown).read_text(encoding="utf-8")
