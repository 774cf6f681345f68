"""Names of classes at the axes of figures: side by side where they fit, else below each other."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from pairdx.reporting.format.glyphs import drawable_name, no_formula
from pairdx.reporting.format.text_flow import text_width
from pairdx.reporting.format.theme import SMALL

MOST_COLUMNS = 8  # classes side by side
WIDTH = 6.2  # inches that they share
MOST_WORDS = 3  # lines of a name
LONGEST = 34  # characters of a name beside or over something
SHORTEST = 6  # of one that is cut
ROOM = 2.1  # inches of a name that stands beside a row
FEW_ROWS = 20  # that may be higher
LEFT_TO_RIGHT = "\N{LEFT-TO-RIGHT MARK}"


def fit_side_by_side(titles: Sequence[str]) -> bool:
    """Say whether names of classes stand under columns, a word to a line, without touching."""
    room = WIDTH / max(1, len(titles))
    return len(titles) <= MOST_COLUMNS and all(
        len(title.split()) <= MOST_WORDS
        and all(text_width(drawable_name(word), SMALL + 0.5) <= room for word in title.split())
        for title in titles
    )


def column_name(title: str, count: str = "") -> str:
    """Write a name for below a column, a word to a line, and what is counted below it."""
    lines = [*drawable_name(title).split(" "), *([count] if count else [])]
    return no_formula("\n".join(lines))


def row_name(title: str, count: str = "", room: float = ROOM) -> str:
    """Write a name for beside a row, cut to ``room`` inches, and what is counted behind it."""
    name = _cut(title, room, SMALL + 0.5)
    if count and any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in name):
        name = f"{LEFT_TO_RIGHT}{name}{LEFT_TO_RIGHT}"  # or the count would stand before the name
    return no_formula(f"{name} {count}" if count else name)


def heading(title: str, room: float, size: float) -> str:
    """Write a name for the head of a panel that is ``room`` inches wide; ``size`` is in points."""
    return no_formula(_cut(title, room, size))


def _cut(title: str, room: float, size: float) -> str:
    name = drawable_name(title)
    for longest in range(min(len(name), LONGEST) + 1, SHORTEST, -1):
        if text_width(name, size) <= room:
            break
        name = drawable_name(title, longest)
    return name


def row_height(rows: int) -> float:
    """Return the height of a row in inches, by the number of rows."""
    return 0.22 if rows <= FEW_ROWS else 0.17


def row_size(rows: int) -> float:
    """Return the size of the letters beside rows in points, by the number of rows."""
    return SMALL + 0.5 if rows <= FEW_ROWS else SMALL - 0.5
