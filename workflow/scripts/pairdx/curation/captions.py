"""Captions that say nothing or are broken, and captions that are the same."""

from __future__ import annotations

import re
from collections.abc import Collection

import pandas as pd

from pairdx.curation.readings import plain

_LONG_TAG = (
    r"abbr|body|br|button|center|code|div|em|font|form|h[1-6]|head|hr|html|iframe|img|input|li|link"
    r"|meta|object|ol|script|small|span|strong|style|sub|sup|svg|table|td|th|title|tr|ul|video"
)
# One-letter tags need their closing bracket: "p<i and j>k" is not markup.
MARKUP = re.compile(
    rf"</?(?:{_LONG_TAG})\b|</?[abipqsu](?:\s+[a-z-]+\s*=[^<>]*)?\s*/?>|<!--", re.IGNORECASE
)
# A caption of these words and of single letters and numbers alone refers to a figure, but says
# nothing of it: "Figure 2 (a)", "See text for details", "Click here for additional data file".
_BOILERPLATE = (
    "a additional and are article as available can caption case click continued data detail "
    "details detailed download fig figs figure figures file files for found from full further "
    "here image images in information is legend main more n na no none not of online panel "
    "panels part please pt see seen shown size still supplement supplemental supplementary "
    "supporting text the this to uncaptioned untitled video view website"
)
BOILERPLATE_WORDS = frozenset(_BOILERPLATE.split())
_WORD = re.compile(r"[^\W\d_]+")
PROBLEMS = ("empty", "boilerplate", "markup")


def caption_problem(caption: str, problems: Collection[str] = PROBLEMS) -> tuple[str, str] | None:
    """Find the first thing that makes a caption unusable.

    Args:
        caption: The caption as released.
        problems: Which of :data:`PROBLEMS` to look for.

    Returns:
        The reason (``empty_caption``, ``boilerplate_caption``, ``caption_markup``) and the words
        that gave it, or None.
    """
    shown = plain(caption)
    if "empty" in problems and not shown.strip():
        return "empty_caption", ""
    if "boilerplate" in problems and shown.strip() and is_boilerplate(shown):
        return "boilerplate_caption", caption
    if "markup" in problems and (match := MARKUP.search(shown)):
        return "caption_markup", match.group(0)
    return None


def is_boilerplate(caption: str) -> bool:
    """Say whether a caption holds nothing but :data:`BOILERPLATE_WORDS`, letters and numbers."""
    words = _WORD.findall(caption.casefold())
    return all(len(word) == 1 or word in BOILERPLATE_WORDS for word in words)


def caption_cluster(captions: pd.Series) -> pd.Series:
    """Give captions that differ only in case, white space and forms of letters one common name.

    An empty one has none ("", unknown): nothing in common is known of images without a caption.
    """
    normalised = captions.map(plain).str.casefold().str.split().str.join(" ")
    numbers = pd.util.hash_array(normalised.to_numpy(dtype=object), categorize=False)
    names = pd.Series([f"c{number:016x}" for number in numbers], index=captions.index, dtype=str)
    return names.where(normalised != "", "")
