"""Captions as the rules for identifiers read them: plain forms of letters, capitals lowered.

The same words can be written with other code points: letters and accents apart, full-width letters,
no-break spaces, several hyphens, characters that cannot be seen, HTML entities. A rule that looks
at the raw text sees other words there, and a person reads the same ones. The rules therefore look
at plain copies, whose spans lead back to the caption itself.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from html.entities import html5

# An entity, also one whose own ampersand was written as an entity, or whose end is missing.
ENTITY = re.compile(
    r"&((?:amp;){0,4})(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31})(;?)"
)
LONGEST_WITHOUT_END = max(len(name) for name in html5 if not name.endswith(";"))
# Forms of one character; superscripts, fractions and circled numbers are more than a form of it.
FORMS = frozenset({"wide", "narrow", "small", "font", "compat", "noBreak"})
KEPT = "\N{NUMERO SIGN}"  # a letter sign that the rules know as it is
# Words may be parted or joined at these; at other invisible characters they are joined.
_CONTROLS = frozenset(map(chr, [*range(0x20), *range(0x7F, 0xA0)])) - frozenset("\t\n\r\v\f")
BREAKS = frozenset("\u200b\u200c\u2060\u2063\ufeff") | _CONTROLS
# Of a text of Windows that was read as Latin-1; five bytes mean nothing there, and stay.
OF_WINDOWS = {chr(code): bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
NOT_PLAIN = re.compile(r"[^\t-\r -%'-~]")  # all but white space and ASCII that stands for itself
BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and symbols that look like blanks
DASHES = frozenset("\u2013\u2014\u2015")
SAME = (
    dict.fromkeys("\u02d7\u2010\u2011\u2012\u2043\u2212", "-")
    | dict.fromkeys("\u00b4\u02b9\u02bb\u02bc\u02bd\u2018\u2019\u201b\u2032\u2035", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"')
    | dict.fromkeys("\u2044\u2215\u29f8", "/")
    | dict.fromkeys("\u02d0\u2236\ua789", ":")
    | dict.fromkeys("\u3002\uff61", ".")
    | {"\u3001": ","}
)


@dataclass(frozen=True)
class Reading:
    """A plain copy of a caption.

    Attributes:
        text: The copy.
    """

    text: str
    _starts: list[int] | None = field(default=None, repr=False)
    _ends: list[int] | None = field(default=None, repr=False)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where ``text[start:end]``, which is not empty, stands in the caption itself."""
        if self._starts is None or self._ends is None:
            return start, end
        return self._starts[start], self._ends[end - 1]


def readings(caption: str) -> list[Reading]:
    """Return the plain copies of a caption: one, or two where it may be read in two ways.

    In the first, invisible characters are left out and dashes inside words are hyphens; in the
    second, invisible breaks are spaces and dashes are dashes. ASCII stands as it is, but for
    control characters, which are such breaks.
    """
    if not NOT_PLAIN.search(caption):
        return [Reading(caption)]
    units = list(_units(caption))
    found = [_reading(units, joined=True)]
    if any(char in BREAKS or char in DASHES for text, _, _ in units for char in text):
        found.append(_reading(units, joined=False))
    return found[:1] if len(found) == 2 and found[0].text == found[1].text else found


def plain(text: str) -> str:
    """Return the first of a text's :func:`readings`."""
    return readings(text)[0].text


def _units(caption: str) -> Iterator[tuple[str, int, int]]:
    """Yield what counts as one letter, with its marks composed, and its start and end."""
    letters = [
        (OF_WINDOWS.get(char) or char, start, end) for char, start, end in _unescaped(caption)
    ]
    place = 0
    while place < len(letters):
        base, start, end = letters[place]
        place += 1
        marks = place
        while place < len(letters) and _is_mark(letters[place][0]):
            end = letters[place][2]
            place += 1
        if place > marks and not base.isspace():
            whole = base + "".join(letter for letter, _, _ in letters[marks:place])
            composed = unicodedata.normalize("NFC", whole)
            base = "".join(char for char in composed if not _is_mark(char)) or base
        yield base, start, end


def _unescaped(caption: str) -> Iterator[tuple[str, int, int]]:
    place = 0
    for entity in ENTITY.finditer(caption):
        meant, end = _meant(entity)
        if not end:
            continue
        yield from ((caption[at], at, at + 1) for at in range(place, entity.start()))
        yield from ((char, entity.start(), end) for char in meant)
        place = end
    yield from ((caption[at], at, at + 1) for at in range(place, len(caption)))


def _meant(entity: re.Match[str]) -> tuple[str, int]:
    """Return what an entity stands for and where it ends in the caption; 0 if there is none."""
    ampersands, name, closed = entity.groups()
    if name[0] == "#":
        return html.unescape(f"&{name};"), entity.end()
    if name + closed in html5:
        return html5[name + closed], entity.end()
    if not ampersands:  # as a browser reads `&nbspMay;`
        for length in range(min(LONGEST_WITHOUT_END, len(name)), 1, -1):
            if name[:length] in html5:
                return html5[name[:length]], entity.start(2) + length
    return "&", entity.end(1) if ampersands else 0


@lru_cache(maxsize=4096)
def _is_mark(char: str) -> bool:
    return not char.isascii() and unicodedata.category(char) in ("Mn", "Me")


def _reading(units: Iterable[tuple[str, int, int]], *, joined: bool) -> Reading:
    texts, starts, ends = [], [], []
    for unit, start, end in units:
        for form in (_plain(char) for char in unit):
            shown = ("" if joined else " ") if form in BREAKS else form
            for char in shown:
                texts.append(char)
                starts.append(start)
                ends.append(end)
    if joined:
        for place in range(1, len(texts) - 1):
            around = texts[place - 1], texts[place + 1]
            if texts[place] in DASHES and all(char.isalnum() for char in around):
                texts[place] = "-"
    return Reading("".join(texts), starts, ends)


@lru_cache(maxsize=65536)
def _plain(char: str) -> str:
    """Return the usual form of a character: "" where it is invisible, itself where it has none."""
    if char.isascii() or char in DASHES or char in BREAKS or char in KEPT:
        return char
    if char in SAME:
        return SAME[char]
    category = unicodedata.category(char)
    if category == "Cf" or _is_mark(char):
        return ""
    if char.isspace() or char in BLANKS:
        return " "
    if category == "Nd":
        return str(unicodedata.decimal(char))
    form = unicodedata.decomposition(char)
    if form.startswith("<") and form[1 : form.index(">")] in FORMS:
        usual = unicodedata.normalize("NFKC", char)
        return char if usual.startswith(" ") else usual  # an accent alone is none on a space
    return char


LETTERS = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
MOST_LOWER = 0.1  # share of small letters in what counts as written in capitals: units, "pH", "x"
FEWEST_CAPITALS = 8
LONGEST_SIGHT = 12  # characters after a word that are looked at
TITLES = frozenset({"DR", "DRS", "MR", "MRS", "MS", "PROF", "SR", "SRA", "DRA", "REV"})
# Titles only before a dot or initials: else kinds of images, a disease.
WITH_A_DOT = frozenset({"DR", "MR", "MS", "SR"})
AFTER_A_TITLE = re.compile(r"\.|\s[^\W\d_]\.\s?(?:[^\W\d_]\.\s?)?[^\W\d_]{3}")
# Words that the rules know in small letters, and those that hold a sentence together.
_SMALL = (
    "a aged age an and are as at be been before between but by can day days de del della den "
    "der di dos el fell for from gave had has have he her his hour hours if in into is it its "
    "la le of old on or our she since so than that the their them then there these they this "
    "those to until van von was we were when where which while who with without year years "
    "month months week weeks yr yrs yo man men woman women boy girl male female child baby "
    "infant mother father patient patients case cases mm cm mg ml kg acquired admitted agreed "
    "consented date dated discharged label mid early late performed recorded seen taken "
    "series protocol sequence brand generic trade file gene drug study scientific fracture "
    "fractures nuclei cells eyes lesions anomaly bodies body catheter cell classification "
    "criteria disease index lines line maneuver manoeuvre method nodule nodules operation "
    "phenomenon procedure reaction robot scale score scores sign signs stain staining stains "
    "syndrome system technique test tests tumor tumors tumour tumours "
)
SMALL = frozenset(_SMALL.split())


def in_capitals(text: str) -> bool:
    """Say whether a text is written in capitals throughout."""
    capitals = sum(char.isupper() for char in text)
    small = sum(char.islower() for char in text)
    return capitals >= FEWEST_CAPITALS and small <= MOST_LOWER * (capitals + small)


def as_in_a_sentence(text: str) -> str:
    """Write a text of capitals as it would stand among others; any other text as it is.

    Words that are no names get small letters where that is known of them (:data:`SMALL`), words of
    one or two letters keep their capitals, and all others begin with one: a name cannot be told
    from another word. Every character keeps its place.
    """
    if not in_capitals(text):
        return text
    return LETTERS.sub(_word_in_a_sentence, text)


def _word_in_a_sentence(match: re.Match[str]) -> str:
    word, before = match.group(), match.string[match.start() - 1 : match.start()]
    small, after = word.lower(), match.string[match.end() : match.end() + LONGEST_SIGHT]
    if not word.isupper() or len(small) != len(word):
        return word
    if len(word) == 1:  # an article, or an initial
        return small if small == "a" and re.match(r"\s\d", after) else word
    if small in SMALL or before.isdigit():
        return small
    if word in TITLES:
        titled = word not in WITH_A_DOT or AFTER_A_TITLE.match(after)
        return word.capitalize() if titled else word
    if len(word) <= 2:
        return word
    return "'".join(
        part.lower() if place and len(part) == 1 else part.capitalize()
        for place, part in enumerate(word.split("'"))
    )
