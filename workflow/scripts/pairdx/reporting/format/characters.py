"""Characters that a format cannot show, written out legibly: by name or by code point."""

from __future__ import annotations

import re
import unicodedata

LONGEST_NAME = 30  # of a character, before its code point says more
_SELECTORS = range(0xFE00, 0xFE10)  # they choose between two looks of the character before them
_NEIGHBOURS = re.compile(r"(U\+[0-9A-F]{4,6})(?:\]\[|\]\{\[\})(?=U\+)")


def named(character: str) -> str:
    """Name a character: a picture in words (grinning face), any other by its code point (U+80F8).

    Nothing for what has no look of its own.
    """
    if ord(character) in _SELECTORS:
        return ""
    name = unicodedata.name(character, "").lower()
    pictured = unicodedata.category(character) == "So" and 0 < len(name) <= LONGEST_NAME
    return name if pictured else f"U+{ord(character):04X}"


def in_one_bracket(text: str) -> str:
    """Put code points that stand one after the other, each in brackets, into one pair of them."""
    return _NEIGHBOURS.sub(r"\1 ", text)
