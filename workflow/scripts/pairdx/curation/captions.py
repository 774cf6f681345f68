"""What a caption may not contain: markup, and the identifiers that the paper's filter excludes.

The paper names "names, dates, IDs" (Section 3.1) and no method; the patterns here are ours. They
look for identifiers in their usual company (a title before a name, a word such as MRN before a
number), because case reports are full of capitalised words and numbers that identify nobody (Gram
stain, T1, Parkinson).
"""

from __future__ import annotations

import re
from collections.abc import Collection

import pandas as pd

_MONTH = (
    r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?|July?"
    r"|Aug(?:ust|\.)?|Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
)
_YEAR = r"(?:19|20)\d{2}"
_LONG_TAG = (
    r"abbr|body|br|button|center|code|div|em|font|form|h[1-6]|head|hr|html|iframe|img|input|li|link"
    r"|meta|object|ol|script|small|span|strong|style|sub|sup|svg|table|td|th|title|tr|ul|video"
)

PATTERNS: dict[str, re.Pattern[str]] = {
    # one-letter tags need their closing bracket: "p<i and j>k" is not markup
    "markup": re.compile(
        rf"</?(?:{_LONG_TAG})\b|</?[abipqsu](?:\s+[a-z-]+\s*=[^>]*)?\s*/?>|<!--", re.IGNORECASE
    ),
    "name": re.compile(
        r"\b(?:Dr|Mr|Mrs|Ms|Miss|Prof|Professor|Doctor|Sir|Madam)\.?\s+"
        r"(?:[A-Z]\.\s*)*[A-Z][\w'\N{RIGHT SINGLE QUOTATION MARK}-]+"
    ),
    "date": re.compile(
        rf"\b\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH},?\s+{_YEAR}\b"
        rf"|\b{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+{_YEAR}\b"
        rf"|\b{_MONTH},?\s+{_YEAR}\b"
        rf"|\b\d{{1,2}}([./-])\d{{1,2}}\1(?:{_YEAR}|\d{{2}})\b"
        rf"|\b{_YEAR}([./-])\d{{1,2}}\2\d{{1,2}}\b"
    ),
    "record_number": re.compile(
        r"\b(?:MRN|(?:medical\s+)?record\s+(?:number|no\b)|patient(?:'s)?\s+(?:ID|number|no\b)"
        r"|hospital\s+(?:ID|number|no\b)"
        r"|accession(?:\s+(?:number|no\b))?|(?:study|case|specimen)\s+ID)[\s.:#-]*[A-Z]{0,4}[-\s]?\d{4,}",
        re.IGNORECASE,
    ),
    "email": re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b"),
}
PROBLEMS = ("empty", *PATTERNS)


def caption_problem(caption: str, problems: Collection[str] = PROBLEMS) -> tuple[str, str] | None:
    """Find the first thing that excludes a caption.

    Args:
        caption: The caption as released.
        problems: Which of :data:`PROBLEMS` to look for.

    Returns:
        The reason (``empty_caption``, ``caption_name``, ``caption_date``, ...) and the words that
        gave it, or None.
    """
    if "empty" in problems and not caption.strip():
        return "empty_caption", ""
    for problem, pattern in PATTERNS.items():
        if problem in problems and (match := pattern.search(caption)):
            return f"caption_{problem}", match.group(0)
    return None


def caption_cluster(captions: pd.Series) -> pd.Series:
    """Give captions that differ only in case and white space one common name."""
    normalised = captions.str.casefold().str.split().str.join(" ")
    numbers = pd.util.hash_array(normalised.to_numpy(dtype=object), categorize=False)
    return pd.Series([f"c{number:016x}" for number in numbers], index=captions.index)
