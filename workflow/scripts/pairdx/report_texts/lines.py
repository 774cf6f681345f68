"""The lines of a report as pieces: what was wrapped is joined, what the writer ended is not."""

from __future__ import annotations

import re

from pairdx.report_texts.abbreviations import UNFINISHED

_ITEM = re.compile(r"(?:\d{1,2}[.)]|\(?[a-hA-H0-9]\)|[-*\u2022\u00b7])\s+\S")
_DRAWN = re.compile(r"[\W_]{10,}")
_OPENS = re.compile(r"[\"'\u201c(\[]*[A-Z]")
# Lines that are wrapped are at least so long, in characters; shorter ones end where the writer
# stopped. Ours.
_WRAPPED_FROM = 60


# Of a text whose letters are more capitals than this, as a share, capitals tell nothing. Ours.
_MOST = 0.7


def capitals_tell(text: str) -> bool:
    """Whether a text has capitals and small letters, so that a capital can open a sentence."""
    capitals = sum(map(str.isupper, text))
    return 0 < capitals <= _MOST * (capitals + sum(map(str.islower, text)))


def pieces(text: str) -> list[str]:
    """Return the parts of a text that line breaks end, each with single spaces.

    A heading alone (``FINDINGS:``) is joined to the piece below. Lines that are only drawn are left
    out.
    """
    lines = [" ".join(line.split()) for line in text.splitlines()]
    width = max([_WRAPPED_FROM, *map(len, lines)])
    cased = capitals_tell(text)
    found: list[str] = []
    above = ""
    for line in lines:
        drawn = _DRAWN.fullmatch(line)
        if line and not drawn:
            heading = bool(found) and found[-1].endswith(":")
            if heading or (above and not _ended(above, line, width, cased)):
                found[-1] += " " + line
            else:
                found.append(line)
        above = "" if drawn else line
    return found


def _ended(above: str, below: str, width: int, cased: bool) -> bool:
    """Whether the writer ended a line where another follows."""
    if _ITEM.match(below):
        return True
    last = above.split()[-1].lower().rstrip(".")
    if above.endswith((",", "-", "/", "(")) or UNFINISHED.fullmatch(last):
        return False
    fitted = len(above) + 1 + len(below.split()[0]) <= width
    return fitted and (not cased or _OPENS.match(below) is not None)
