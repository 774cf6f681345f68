"""How classes are called where they are read, beside rows of ours, and of many, which are shown."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import pandas as pd

# Display names by label, in the order of every table and figure.
Names = Mapping[str, str]
MOST_ROWS = 40  # classes in a figure with a row for each
# A first word that may begin with a capital: chart, x-ray; not pH, mRNA or a|b.
_SMALL = re.compile(r"[^\W\d_]+(?=[\s-]|$)")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")


def name_of(label: str, names: Names) -> str:
    """Return what a class is called within a sentence: its display name as it is configured.

    One that has none, such as a class out of distribution, is called by its label, in words.
    """
    if label in names:
        return names[label]
    return label.replace("_", " ") if _IDENTIFIER.fullmatch(label) else label


def title_of(label: str, names: Names) -> str:
    """Return what a class is called at the head of a column or figure, or in a cell of its own.

    Its display name, with a capital where its first word has small letters only.
    """
    name = name_of(label, names)
    word = _SMALL.match(name)
    small = word is not None and word[0] == word[0].lower()
    return name[:1].upper() + name[1:] if small else name


def with_titles(table: pd.DataFrame, names: Names, column: str = "class") -> pd.DataFrame:
    """Return a table for reading whose column of labels has titles; rows of no class stay."""
    titles = [title_of(one, names) if one in names else one for one in table[column]]
    return table.assign(**{column: titles})


def free(name: str, taken: Collection[str]) -> str:
    """Return the name of a row or column of ours beside labels: in brackets where one is a label.

    A class may be called ``total`` or ``accuracy``, and its numbers are not ours.
    """
    while name in taken:
        name = f"({name})"
    return name


def most_of(labels: Iterable[str], worth: Mapping[Any, float], most: int) -> list[str]:
    """Return the ``most`` labels that are worth most, in their own order; ties in that order."""
    known = list(labels)
    ranked = sorted(range(len(known)), key=lambda at: -worth[known[at]])
    return [known[at] for at in sorted(ranked[:most])]


def with_remark(note: str | None, shown: int, of: int, which: str, rest: str) -> str | None:
    """Add to a figure's note that not all classes are in it; as it is where all are.

    Args:
        note: The note.
        shown: How many classes are shown.
        of: How many there are.
        which: Which are shown, after their number.
        rest: Where the others are found.
    """
    if shown >= of:
        return note
    remark = f"Shown: the {shown:,} classes {which}. Not shown: {of - shown:,} ({rest})."
    return f"{remark} {note}" if note else remark
