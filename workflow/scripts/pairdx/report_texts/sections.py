"""The sections of a radiology report, and the text that stands for its image.

Headings are known by name, with a colon behind them or alone on their line; a word with a colon
that is none of the names (``Lungs: clear``) is part of its section. Within a line they stand behind
the end of a sentence, or in capitals among small letters. The rules are ours, made with
half of the snippets of ``tests/report_snippets`` and measured on the other
(``docs/chest_xray_texts.md``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pairdx.errors import PairDxError
from pairdx.report_texts.lines import capitals_tell

# What a report's text is where it has none of the sections that are wanted: empty; what stands
# under no heading; or that, and where there is none either, the whole report.
OR_ELSE = ("nothing", "unheaded", "whole")
UNHEADED = "unheaded"
_BOTH = "findings_and_impression"

# A film as the heading of what is seen on it, or as the title of the report.
_FILM = (
    r"(?:(?:AP|PA|LATERAL|LAT|PORTABLE|BEDSIDE|FRONTAL|UPRIGHT|SUPINE|SEMI|ERECT|DECUBITUS"
    r"|SINGLE|ONE|TWO|THREE|[1-4]"
    r"|VIEWS?|CHEST|THORAX|RADIOGRAPHS?|FILMS?|X-?RAYS?|AND|OF|THE|WITH)\b[ \t,&/()-]*)+"
)
_NAMES = {
    _BOTH: r"FINDINGS?\s*(?:AND|[/&,])\s*IMPRESSIONS?|IMPRESSIONS?\s*(?:AND|[/&])\s*FINDINGS?",
    "findings": r"FINDINGS?|OBSERVATIONS?",
    "impression": r"IMPRESSIONS?|CONCLUSIONS?|OPINION|INTERPRETATION|SUMMARY|ASSESSMENT",
    "history": r"INDICATIONS?|REASONS? FOR (?:THIS |THE )?(?:EXAM(?:INATION)?|STUDY)"
    r"|(?:(?:BRIEF |PATIENT )?CLINICAL |PATIENT )?(?:HISTORY|INFORMATION|INDICATIONS?)",
    "technique": r"TECHNIQUES?|PROCEDURE",
    "comparison": r"COMPARISONS?(?: STUD(?:Y|IES)| EXAM(?:INATION)?S?)?|PRIOR STUD(?:Y|IES)",
    "examination": r"(?:TYPE OF )?EXAM(?:INATION)?S?|STUDY",
    "recommendation": r"RECOMMENDATIONS?(?:\(S\))?",
    "notification": r"NOTIFICATIONS?(?:\(S\))?",
    "preliminary": r"WET READ|PRELIMINARY (?:REPORT|READ)"
    r"|PROVISIONAL FINDINGS IMPRESSION(?: \(PFI\))?",
    "addendum": r"(?:FINAL )?ADDENDUM",
}
# These are one paragraph; what follows it without a heading belongs to none.
_BRIEF = ("history", "technique", "comparison", "examination")
# A heading with its colon (before it a date, a time or a blank), or alone on its line.
_HEADING = re.compile(
    r"(?<![\w-])(?:"
    + "|".join(f"(?P<{kind}>{names})" for kind, names in _NAMES.items())
    + r")(?:[ \t]+[\d_][\w.:/ \t]{0,20})?[ \t]*(?P<mark>:|(?=\n|\Z)|(?<=ADDENDUM)(?=[ \t]))",
    re.IGNORECASE,
)
_FILM_HEADING = re.compile(rf"^[ \t]*{_FILM}:(?=\s)", re.MULTILINE)
_TITLE = re.compile(rf"{_FILM}(?:[\d:,./ \t_]|[AP]\.?M\.?)*\Z", re.IGNORECASE)
# Where a report begins or ends among others: a line of its own.
_DIVIDER = re.compile(r"^[ \t]*(?:FINAL REPORT|[-_=*]{10,})[ \t]*$", re.MULTILINE)


def sections(text: str) -> dict[str, str]:
    """Return the sections of a report that have a text, in the order of their first appearance.

    The keys are ``findings``, ``impression`` (also for conclusions), and names of other sections:
    ``examination``, ``history``, ``technique``, ``comparison``, ``recommendation``,
    ``notification``, ``preliminary`` (a wet read), ``addendum``; ``unheaded`` is what stands under
    no heading. What is headed FINDINGS AND IMPRESSION is both. The texts keep their lines, without
    indentation; of two sections with one name, the second stands below the first.
    """
    found: dict[str, list[str]] = {}
    for kind, part in _parts(text):
        if part:
            for name in ("findings", "impression") if kind == _BOTH else (kind,):
                found.setdefault(name, []).append(part)
    return {name: "\n\n".join(parts) for name, parts in found.items()}


def report_text(text: str, wanted: Sequence[str], or_else: str = UNHEADED) -> str:
    """Return the wanted sections of a report as one text, in the order in which they are wanted.

    Args:
        text: A report.
        wanted: Names of sections (see :func:`sections`). A text that is two of them is given once.
        or_else: What is returned where none of them has a text: one of ``OR_ELSE``.

    Raises:
        PairDxError: ``or_else`` is none of them.
    """
    if or_else not in OR_ELSE:
        raise PairDxError(f"or_else is {or_else!r}", remedy=f"use one of {', '.join(OR_ELSE)}")
    found = sections(text)
    parts = dict.fromkeys(found[name] for name in wanted if name in found)
    if parts or or_else == "nothing":
        return "\n\n".join(parts)
    return found.get(UNHEADED, "") or (_tidy(text) if or_else == "whole" else "")


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Yield the kind and the text of each part of a report, in order; texts can be empty."""
    text = "\n".join(line.strip() for line in text.splitlines())
    marks = sorted([*_headings(text), (0, 0, UNHEADED)], key=lambda mark: mark[:2])
    ends = [start for start, _, _ in marks[1:]] + [len(text)]
    for (_, start, kind), end in zip(marks, ends, strict=True):
        body = text[start:end].strip()
        if kind in _BRIEF:
            brief, _, body = body.partition("\n\n")
            yield kind, _tidy(brief)
            kind = UNHEADED
        elif kind == UNHEADED:
            title, _, rest = body.partition("\n\n")
            if _TITLE.match(title):
                yield "examination", _tidy(title)
                body = rest
        yield kind, _tidy(body)


def _headings(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and kind of each heading in a text without indentation."""
    small, tell = text.islower(), capitals_tell(text)
    for match in _HEADING.finditer(text):
        before = text[: match.start()].rstrip(" \t")
        on_new_line = not before or before.endswith("\n")
        after_sentence = not before.strip() or before.rstrip()[-1] in ".!?_)"
        capital = on_new_line and (small or match[0][0].isupper())
        with_colon = match["mark"] == ":"
        in_capitals = with_colon and tell and match[0].isupper()
        if capital or in_capitals or (after_sentence and (with_colon or on_new_line)):
            kind = next(name for name in _NAMES if match[name])
            yield match.start(), match.end(), kind
    for match in _FILM_HEADING.finditer(text):
        yield match.start(), match.end(), "findings"
    for match in _DIVIDER.finditer(text):
        yield match.start(), match.end(), UNHEADED


def _tidy(text: str) -> str:
    """Leave at most one empty line between two others."""
    return re.sub(r"\n{3,}", "\n\n", text.strip())
