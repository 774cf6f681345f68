"""How the parts of a datasheet are written: tables under headings, shares, what is not known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pairdx.reporting.format.markdown import as_markdown, escape, percent


def subtable(table: pd.DataFrame, title: str, *notes: str) -> str:
    """Write a table under a heading of the third level."""
    return "##" + as_markdown(table, title=title, notes=notes)


# How a sentence begins that says what is not known; the reason follows.
_LACKING = {
    "captions": "There are no captions, and none were screened or searched for identifiers",
    "ages": "No ages are known, and none were screened",
    "modalities": "Parts of classes are not told apart",
    "licences": "No licences are known",
    "groups": "What belongs together is not known but for copies, and every image counts as one",
}


def lacking_sentence(facts: Mapping[str, Any], what: str) -> str:
    """Say that the data do not tell something, and why; nothing where they do."""
    reason = facts["lacks"].get(what)
    return f"{_LACKING[what]}: {escape(reason)}." if reason else ""


def part_of(part: int, whole: int) -> str:
    """Write a part of a whole, with its share in percent."""
    return f"{part:,} of {whole:,} ({percent(part / max(1, whole))} %)"
