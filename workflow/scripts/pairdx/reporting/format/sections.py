"""Pages of plain sentences and small tables, as Markdown and for a terminal."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from pairdx.reporting.format.markdown import escape, laid_out

WIDTH = 100
LONGEST_CELL = 80
JOINERS = "\u200c\u200d"  # within words of some scripts, and within an emoji


@dataclass(frozen=True)
class Doubt:
    """A sentence about what a reader should look at."""

    text: str


@dataclass(frozen=True)
class Code:
    """Lines to copy, in some language."""

    text: str
    language: str = "yaml"


Block = str | Doubt | Code | pd.DataFrame


@dataclass(frozen=True)
class Section:
    """A part of a page: sentences are plain text, tables are formatted by their columns' names."""

    heading: str
    blocks: Sequence[Block]


def doubts(sections: Iterable[Section]) -> int:
    """Count the sentences that a reader should look at."""
    return sum(isinstance(block, Doubt) for one in sections for block in one.blocks)


def sections_as_markdown(title: str, sections: Iterable[Section]) -> str:
    """Write a page as Markdown. Text from outside shows as it is and never becomes markup."""
    parts = [f"# {escape(title)}"]
    for section in sections:
        parts.append(f"## {escape(section.heading)}")
        parts += map(_as_markdown, section.blocks)
    return "\n\n".join(parts) + "\n"


def _as_markdown(block: Block) -> str:
    if isinstance(block, pd.DataFrame):
        return laid_out(block, "pipe", escape)
    if isinstance(block, Code):
        longest = max(map(len, re.findall("`+", block.text)), default=0)
        fence = "`" * max(3, longest + 1)
        return f"{fence}{block.language}\n{block.text.rstrip()}\n{fence}"
    return f"**Look at this:** {escape(block.text)}" if isinstance(block, Doubt) else escape(block)


def sections_as_text(title: str, sections: Iterable[Section]) -> str:
    """Write a page for a terminal, which control characters in text from outside do not reach."""
    parts = [_printable(title), "=" * min(WIDTH, len(_printable(title)))]
    for section in sections:
        parts += ["", _printable(section.heading).upper()]
        parts += [_as_text(block) for block in section.blocks]
    return "\n".join(parts) + "\n"


def _as_text(block: Block) -> str:
    if isinstance(block, pd.DataFrame):
        return textwrap.indent(laid_out(block, "simple", _cell), "  ") + "\n"
    if isinstance(block, Code):
        lines = [_printable(line, keep=True) for line in block.text.rstrip().splitlines()]
        return textwrap.indent("\n".join(lines), "    ")
    text = _printable(block.text if isinstance(block, Doubt) else block)
    first = "! " if isinstance(block, Doubt) else "  "
    return textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent="  ")


def _cell(text: str) -> str:
    shown = _printable(text)
    return shown if len(shown) <= LONGEST_CELL else shown[: LONGEST_CELL - 1] + "…"


def _printable(text: str, *, keep: bool = False) -> str:
    """Put blanks in the place of what does not print; runs of blanks become one, or are kept."""
    shown = "".join(one if one.isprintable() or one in JOINERS else " " for one in text)
    return shown if keep else " ".join(shown.split())
