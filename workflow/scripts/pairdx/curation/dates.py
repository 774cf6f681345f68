"""Calendar dates in captions: of a day and a month, or of a month and a year.

A year alone, a duration, and a day counted from an event ("post-operative day 3") identify nobody.
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

from pairdx.curation.readings import as_in_a_sentence

_FULL = "January February March April May June July August September October November December"
# Of other languages only beside a day and a year: "mars", "mai" and "set" are words.
_FOREIGN = (
    "Januar Februar M\u00e4rz Mai Juni Juli Oktober Dezember janvier f\u00e9vrier mars "
    "avril mai juin juillet ao\u00fbt septembre octobre novembre d\u00e9cembre enero "
    "febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre "
    "gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre ENE ABR AGO "
    "DIC"
)
_MONTH = rf"(?:{'|'.join(_FULL.split())})"
_SHORT = r"(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?"
_ANY = rf"(?:{_MONTH}|{_SHORT})"
_ANYWHERE = rf"(?:{_ANY}|(?:{'|'.join(_FOREIGN.split())})\b)"
_YEAR = r"(?:19|20)\d{2}"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_NUMBER = r"(?:0?[1-9]|1[0-2])"  # of a month
_ORDINAL = r"(?:st|nd|rd|th)?"
# "March 3 mm", "May 5 patients", "12-14-18 mm": no dates.
_NO_COUNT = (
    r"(?!\.\d)(?!\s*(?:[-\u2013/]\s*\d|mm|cm|mg|ml|kg|g\b|%|\u00b0|x\b|h\b|hours?|years?|weeks?|days?"
    r"|months?|cases?|patients?|nuclei|cells|eyes|lesions))"
)
_CUE = (
    r"(?<=\b(?:on|On|of|from|From|since|Since|dated|Dated|until|taken|to|between|by|in|In|date|Date|label"
    r"|seen|performed|acquired|recorded|admitted|discharged)\b[\s:]{1,2}(?:the\s)?)"
)
_EVENT = r"(?!\s+(?:fractures?|h[ae]moglobinuria))"

# With the case of the letters; months that may be written in capitals are in _IN_ANY_CASE.
_AS_WRITTEN = regex.compile(
    "|".join(
        (
            rf"(?:(?<![\w-])|(?<=\b(?:mid|early|late)-)){_ANY},?[\s-]+(?:of\s+)?(?:{_YEAR}|['\u2019]\d{{2}})\b",
            rf"(?<![\w-]){_YEAR}[\s/-]+{_ANY}(?:[\s/-]+{_DAY})?\b",
            rf"(?<![\w-])(?:{_DAY})(?:{_ORDINAL}\s+(?:of\s+)?|\s+){_MONTH}\b{_EVENT}",
            rf"(?<![\w-]){_MONTH}\s+{_DAY}{_ORDINAL}\b{_NO_COUNT}",
            rf"{_CUE}{_SHORT}\s+{_DAY}{_ORDINAL}\b{_NO_COUNT}",
            rf"^{_SHORT}\s+{_DAY}{_ORDINAL}(?=\s*:)|(?<![\w-]){_SHORT}\s+{_DAY}{_ORDINAL}(?=\))",
            rf"(?<=\(){_SHORT}\s+{_DAY}{_ORDINAL}(?=[),;])",
            rf"(?:{_CUE}|(?<=\()){_DAY}{_ORDINAL}\s+{_SHORT}",
        )
    )
)
_IN_ANY_CASE = regex.compile(
    rf"(?<![\w-]){_DAY}{_ORDINAL}\.?(?:\s+(?:of\s+|de\s+)?|[-/.]){_ANYWHERE},?(?:\s+(?:de\s+)?|[-/.])"
    rf"(?:{_YEAR}|['\u2019]?\d{{2}})\b|(?<![\w-]){_ANYWHERE}\s+{_DAY}{_ORDINAL},?\s+{_YEAR}\b"
    rf"|(?<!\w){_DAY}(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec){_YEAR}\b",
    regex.IGNORECASE,
)
_NUMERIC = regex.compile(
    "|".join(
        (
            rf"(?<![\d./-]){_YEAR}([./-]){_NUMBER}\1{_DAY}\b",
            rf"(?<![\d./-])(?:{_DAY}([./-]){_NUMBER}\2|{_NUMBER}([./-]){_DAY}\3){_YEAR}\b",
            # Two digits for the year: only where all parts have two, or after a word such as "on".
            rf"(?<![\d./-])(?:(?=\d\d.\d\d.)|{_CUE})(?:{_DAY}([./]){_NUMBER}\4|{_NUMBER}([./]){_DAY}\5)"
            rf"\d{{2}}\b(?![./-]?\d){_NO_COUNT}",
            rf"(?<![\d./-])(?:(?=\d\d/)|{_CUE}){_NUMBER}/{_YEAR}\b{_NO_COUNT}",
            # As burnt into images: 20180409.
            rf"(?<![\w./-])(?<!(?i:PMID):?\s){_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\b",
        )
    )
)


def find_dates(caption: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of every calendar date."""
    caption = as_in_a_sentence(caption)
    for pattern in (_IN_ANY_CASE, _AS_WRITTEN, _NUMERIC):
        yield from (match.span() for match in pattern.finditer(caption))
