"""Remains of optical character recognition, taken out of pathology reports and the like.

What a scanner and its program leave: blanks that were ruled lines, borders read as rows of I and 1,
marks of what was blacked out, and a line end after every line of the page. What may mean something
stays: a grade III, pT1N1, 1.1 cm, a size of 5*3 cm, block A1.
"""

from __future__ import annotations

import re
import unicodedata

# Two characters of the category of formats that scripts need within words.
_JOINERS = "\u200c\u200d"
_ODD = re.compile(r"[^\x20-\x7e\n]")
_LINE_ENDS = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]")
# A border: four or more of I, l, | and 1 alone, of which one is no digit (none is a Roman numeral;
# a number may be 1111); or six or more digits 1.
_BORDERS = re.compile(r"(?<![\w.,/:|-])(?:(?=[I1l|]*[Il|])[I1l|]{4,}|1{6,})(?![\w|/:-]|[.,]\d)")
_BLACKED_OUT = re.compile(
    r"[\[({<]\s*redacted\s*[\])}>]|(?<![\w-])redacted(?![\w-])", re.IGNORECASE
)
_ASTERISKS = re.compile(r"(?<!\d)\*+|\*{2,}|\*+(?!\s*\d)")
_LEADERS = re.compile(r"([.\-=~·•])(?:\s?\1){3,}")
_BLANKS = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?(?:\n ?)+")


def harmless(text: str) -> str:
    """Return a text without control characters, which no tokeniser, page or figure wants.

    Line ends become line feeds. Marks that turn the direction of reading, or are of no width, go;
    letters of any script stay, and so does markup, which is text here and escaped where it is
    shown.
    """
    return _ODD.sub(_instead, _LINE_ENDS.sub("\n", text)).strip()


def _instead(found: re.Match[str]) -> str:
    """Return what stands in place of a character that may be no letter."""
    category = unicodedata.category(found[0])
    if category == "Cf" and found[0] not in _JOINERS:
        return ""
    return " " if category in ("Cc", "Cs", "Cn") else found[0]


def cleaned(text: str) -> str:
    """Return a text without remains of optical character recognition, and harmless."""
    kept = _BLACKED_OUT.sub(" ", harmless(text).replace("_", " "))
    kept = _ASTERISKS.sub(" ", kept)
    kept = _LEADERS.sub(" ", kept)
    kept = _BORDERS.sub(" ", kept)
    return _LINES.sub("\n", _BLANKS.sub(" ", kept)).strip()
