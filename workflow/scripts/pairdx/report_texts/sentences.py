"""The sentences of a report or caption, in order; nothing of the text is lost.

Reports are no prose: lists, headings, lines without periods, capitals only, blanks in the place of
names (``___``). So lines are read first, then periods. The rules are ours, made with half of the
snippets of ``tests/report_snippets`` and measured on the other, beside three libraries
(``docs/chest_xray_texts.md``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pairdx.report_texts.abbreviations import (
    BEFORE_NAMES,
    BEFORE_NUMBERS,
    CUT_SHORT,
    GOES_ON,
    MAY_END,
    NEVER_END,
)
from pairdx.report_texts.lines import capitals_tell, pieces

# What may end a sentence: its marks, closing quotes and brackets, stray periods, and white space;
# or a period that lacks its white space, as in "effusion.The".
_MARK = re.compile(
    r"(?P<marks>[.!?]+)[\"'\u201d\u2019)\]]*(?:\s+[.!?]+(?!\S))*"
    r"(?:\s+|(?<=[a-z]{2}\.)(?=[A-Z][A-Za-z]))"
)
_WORD = re.compile(r"[^\s()\[\]\"'\u201c\u201d]+\Z")
_LETTERS_WITH_PERIODS = re.compile(r"(?:[A-Za-z]\.)+[A-Za-z]\Z")
_LIST_NUMBER = re.compile(r"\d{1,2}")
_NUMBER = re.compile(r"\d+(?:[.,/:]\d+)*\Z")
# A number that opens a list or an item of it, perhaps after a heading.
_ITEM = re.compile(r"(?:[^:]{0,60}:\s+)?(\d{1,2})[.)]\s")
# How a sentence begins where words have capitals and small letters.
_OPENS = re.compile(r"[\"'\u201c(\[]*(?:[A-Z0-9*\u2022-]|_{2,}|[a-z][:)])")
_CAPITAL = re.compile(r"[\"'\u201c(\[]*(?!X{3,})[A-Z]")
_SAYS = re.compile(r"[^\W_]")
_BLANK = re.compile(r"(?:_{2,}|X{3,})\Z")
# So many characters are looked at around a mark: enough for a word on either side.
_NEAR = 60
# Abbreviations that no list has are shorter than this where a small letter follows.
_LONGER_THAN_ABBREVIATIONS = 4


def sentences(text: str) -> list[str]:
    """Return the sentences of a text in order, each with single spaces between its words.

    All their characters are those of the text in its order, but for white space and for lines that
    are only drawn (``______``). List numbers and headings stay with the sentence that they open; a
    line break ends a sentence where the writer stopped, not where the line was full. An empty text
    has none.
    """
    cased = capitals_tell(text)
    return _with_words(part for piece in pieces(text) for part in _within(piece, cased))


def _with_words(parts: Iterable[str]) -> list[str]:
    """Join parts that have no letter or digit, as a second period, to the part before."""
    found: list[str] = []
    for part in parts:
        if found and not (_SAYS.search(part) and _SAYS.search(found[-1])):
            found[-1] += " " + part
        else:
            found.append(part)
    return found


def _within(text: str, cased: bool) -> list[str]:
    """Split a text without line breaks; ``cased`` where capitals tell something."""
    found, start, item = [], 0, 0
    number = _ITEM.match(text)
    for match in _MARK.finditer(text):
        item = int(number[1]) if number else item
        cut = _cut(text, start, match, item, cased)
        if cut > start:
            found.append(text[start:cut].strip())
            start, number = cut, _ITEM.match(text, cut)
    return [*found, *filter(None, [text[start:].strip()])]


def _cut(text: str, start: int, match: re.Match[str], item: int, cased: bool) -> int:
    """Return where the sentence from ``start`` ends, or ``start`` where it goes on.

    ``item`` is the list number that was last read.
    """
    here, after = match.start(), text[match.end() : match.end() + _NEAR]
    at = max(text.rfind(" ", start, here) + 1, start)
    word = _WORD.search(text, at, here)
    if word is None or match["marks"] not in (".", ".."):
        ends = _opens(after) if cased else "..." not in match["marks"]
        return match.end() if ends and here > start else start
    opens_list = at == start or (word[0] == "1" and text[at - 2] == ":")
    if opens_list and _LIST_NUMBER.fullmatch(word[0]):
        return start
    if item and word[0] == str(item + 1) and _opens(after):
        return word.start()
    before = text[max(start, at - _NEAR) : word.start()]
    return match.end() if _ends(before, word[0], after, cased) else start


def _ends(before: str, word: str, after: str, cased: bool) -> bool:
    """Whether a word with a period is the last of its sentence."""
    following = after.split(maxsplit=1)[0]
    last = word.rsplit("-", 1)[-1].lower()
    if NEVER_END.fullmatch(last) or (BEFORE_NUMBERS.fullmatch(last) and following[0].isdigit()):
        return False
    if CUT_SHORT.fullmatch(last):
        return cased and _CAPITAL.match(after) is not None
    if len(last) == 1 and last.isalpha():
        return _letter_ends(before, word, following, cased)
    if MAY_END.fullmatch(last) or _LETTERS_WITH_PERIODS.fullmatch(word):
        if cased:
            return _CAPITAL.match(after) is not None
        return not GOES_ON.fullmatch(following.lower().strip(",;:"))
    if not cased or _BLANK.search(word) or _opens(after):
        return True
    return not _NUMBER.fullmatch(word) and len(last) >= _LONGER_THAN_ABBREVIATIONS


def _letter_ends(before: str, letter: str, following: str, cased: bool) -> bool:
    """Whether a letter with a period ends a sentence: hepatitis C., but not M. tuberculosis."""
    if letter.upper() in "RL" and not cased:
        return False
    words = before.split()
    name = not words or words[-1].endswith(".") or BEFORE_NAMES.fullmatch(words[-1].lower())
    return not name and (not cased or following[0].isupper())


def _opens(after: str) -> bool:
    return _OPENS.match(after) is not None
