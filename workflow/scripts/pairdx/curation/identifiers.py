"""Finds in captions what could lead to a person: names, dates, numbers, addresses, initials.

The paper names "names, dates, IDs" (Section 3.1) and no method; the patterns are ours. They look
for identifiers in their usual company (a title before a name, a keyword before a number), because
case reports are full of capitalised words and numbers that identify nobody (Gram stain, T1,
Parkinson). How well they do is measured on the labelled captions in tests/unit/captions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

import regex
from phonenumbers import Leniency, PhoneNumberMatcher

from pairdx.curation.dates import find_dates
from pairdx.curation.names import find_initials, find_names
from pairdx.curation.readings import readings

EMAIL = re.compile(r"\b[\w.+-]{1,64}\s?(?:@|[(\[](?i:at)[)\]])\s?[\w-]+(?:\.[\w-]+)+")
_DOMAIN = r"(?:com|org|net|edu|gov|info|io|int|eu|(?:co|ac|nhs|org|gov)\.[a-z]{2})"
URL = re.compile(
    r"(?:(?:https?|ftp)://|\bwww\.)[^\s<>\"\])]*[^\s<>\"\]).,;:!?]"
    rf"|(?<![\w@./-])(?:[a-z0-9-]+\.)+{_DOMAIN}\b(?:/[^\s<>\"\])]*[^\s<>\"\]).,;:!?])?",
    re.IGNORECASE,
)
# Addresses of publications identify an article, which is stated anyway.
_PUBLICATION = re.compile(r"(?:https?://)?(?:(?:dx\.)?doi\.org/)?\b10\.\d{4,}/\S+", re.IGNORECASE)
_NUMBER_WORD = r"(?:(?:number|no|nr|num|id)\b\.?|#|\N{NUMERO SIGN})"
_HOLDER = (
    r"(?:MR|CR|I\.?P\.?|O\.?P\.?|IPD|OPD|NHS|hosp\.?|(?:medical|hospital|patient|clinical|health|case|study"
    r"|exam(?:ination)?|clinic)(?:'s)?(?:\s+(?:record|registration|file|identification))?|pat\.?|record"
    r"|reg(?:istration)?\.?|chart|file|folder|insurance|identity|social\s+security|passport|acc(?:ession)?"
    r"|specimen|biopsy|slide|sample|block|pathology|admission|in-?patient|out-?patient|unit|fall)"
)
_NUMBER = r"(?:\d{3}(?:\s\d{3,4}){1,3}|[A-Z]{0,4}[-/\s]?\d[\dA-Z/-]*\d)(?:/[A-Z])?\b"
_REGISTRY = r"(?:NCT|ISRCTN|CRD|CTRI|ChiCTR|UMIN|jRCT|ACTRN|DRKS|EudraCT|KCT|TCTR|IRCT|PACTR)"
RECORD_NUMBER = re.compile(
    rf"\b(?:(?:MRN|UHID|SSN)\b|{_HOLDER}[\s-]*{_NUMBER_WORD}|(?:accession|passport|specimen)\s*[:#])"
    rf"(?:\s+(?:is|was|of))?[\s.:#=-]*(?!{_REGISTRY}){_NUMBER}",
    re.IGNORECASE,
)
FEWEST_DIGITS_OF_A_RECORD = 4
# Accession numbers of sequence archives name genes, not patients.
_SEQUENCE_ARCHIVE = re.compile(
    r"(?:GenBank|NCBI|GEO|SRA|EMBL|PDB|ClinVar|UniProt|trial|ethics?|catalog\w*)\b[^.;]{0,25}$",
    re.I,
)
_KEYED_PHONE = re.compile(
    r"\b(?:tel(?:ephone)?|ph(?:one)?|fon|fax|mob(?:ile)?|whatsapp|pager|(?:help|hot)line|(?:call|cell|contact|line|hotline)(?=[\s:]*"
    r"(?:us|at|on|no|number|:)))\b[\s.:]*(?:(?:us|at|on|no\.?|number|is|was)[\s.:]*){0,3}"
    r"(?P<number>\+?\(?\d(?:[\s()./-]{0,2}\d){6,})",
    re.IGNORECASE,
)
_AMERICAN_PHONE = regex.compile(
    r"(?<![\d.-])(?:1[-.\s])?(?:\(\d{3}\)\s?|\d{3}[-.])\d{3}[-.]\d{4}\b(?!-\d)"
    r"|(?<=\b(?:phone|telephone|call|fax|line|pager|tel)\b[^.;\d]{1,30})\d{3}-\d{4}\b"
    r"|(?<![\d.-])\d{3}-\d{4}(?=,?\s*(?:ext|x)\b)",
    regex.IGNORECASE,
)


@dataclass(frozen=True, order=True)
class Identifier:
    """A stretch of a caption that may identify a person: ``caption[start:end]`` is ``text``."""

    start: int
    end: int
    kind: str
    text: str


def _matches(pattern: re.Pattern[str]) -> Callable[[str], Iterator[tuple[int, int]]]:
    return lambda caption: (match.span() for match in pattern.finditer(caption))


def _record_numbers(caption: str) -> Iterator[tuple[int, int]]:
    for match in RECORD_NUMBER.finditer(caption):
        digits = sum(character.isdigit() for character in match.group())
        if digits < FEWEST_DIGITS_OF_A_RECORD:
            continue
        if not _SEQUENCE_ARCHIVE.search(caption[max(0, match.start() - 99) : match.start()]):
            yield match.span()


def _phone_numbers(caption: str) -> Iterator[tuple[int, int]]:
    for match in _KEYED_PHONE.finditer(caption):
        yield match.span("number")
    yield from (match.span() for match in _AMERICAN_PHONE.finditer(caption))
    if "+" in caption:  # only numbers with a country code are told from other numbers
        blank = re.sub(r"\s", " ", caption)  # the matcher ends a number at a line end or tab
        for found in PhoneNumberMatcher(blank, None, leniency=Leniency.POSSIBLE):
            yield found.start, found.end


# In the order in which they claim a stretch that two of them match.
FINDERS: dict[str, Callable[[str], Iterator[tuple[int, int]]]] = {
    "email": _matches(EMAIL),
    "url": _matches(URL),
    "record_number": _record_numbers,
    "phone": _phone_numbers,
    "date": find_dates,
    "name": find_names,
    "initials": find_initials,
}
KINDS = tuple(FINDERS)


def find_identifiers(caption: str, kinds: Collection[str] = KINDS) -> list[Identifier]:
    """Find every stretch of a caption that may identify a person, in any form of its letters.

    Args:
        caption: The caption as released.
        kinds: Which of :data:`KINDS` to look for.

    Returns:
        The identifiers in the order of the text; no two overlap.
    """
    found: list[Identifier] = []
    copies = readings(caption)
    published = [
        copy.span(*match.span()) for copy in copies for match in _PUBLICATION.finditer(copy.text)
    ]
    for kind in (kind for kind in KINDS if kind in kinds):
        for copy in copies:
            spans = (copy.span(*span) for span in FINDERS[kind](copy.text))
            found = _with_new(found, kind, spans, caption, published)
    return sorted(found)


def _with_new(
    found: list[Identifier],
    kind: str,
    spans: Iterable[tuple[int, int]],
    caption: str,
    published: Collection[tuple[int, int]],
) -> list[Identifier]:
    """Add one kind's stretches in one copy that are free, and widen what an earlier copy found."""
    earlier = {one for one in found if one.kind == kind}
    for start, end in spans:
        met = [one for one in found if start < one.end and end > one.start]
        if any(start < last and end > first for first, last in published):
            continue
        if set(met) <= earlier:
            start = min([start, *(one.start for one in met)])
            end = max([end, *(one.end for one in met)])
            found = [one for one in found if one not in met]
            found.append(Identifier(start, end, kind, caption[start:end]))
            earlier -= set(met)
    return found


def mask(caption: str, identifiers: Collection[Identifier]) -> str:
    """Replace identifiers by their kind in square brackets, such as ``[name]``."""
    for one in sorted(identifiers, reverse=True):
        caption = f"{caption[: one.start]}[{one.kind.replace('_', ' ')}]{caption[one.end :]}"
    return caption
