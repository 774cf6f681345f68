"""Of the check before training: what was read, what was not, and what the data do not tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pairdx.reporting.format.labels import readable
from pairdx.reporting.format.sections import Block, Doubt, Section

# What a source may not tell, and what that means for the run.
LACKING = {
    "captions": "There are no captions: screens of captions and identifiers apply to nothing, and "
    "systems that read captions are left out.",
    "ages": "Ages are not known: nobody is screened by them.",
    "modalities": "Modalities are not known: every class is taken as a whole.",
    "licences": "Licences are not known: nothing is left out for them.",
    "subsets": "There is no split that comes with the data.",
    "groups": "What belongs together (patients, cases) is not known: every document stands alone, "
    "and the grouped split keeps only copies together.",
}
# Of these, what changes what the numbers of a run mean.
WORTH_A_LOOK = ("groups",)
# And what changes nothing but the datasheet.
OF_THE_DATASHEET = ("caption_labels", "sexes")
# Columns that are worth naming, by what data without them lack.
WORTH_NAMING = {
    "groups": "name patients or cases (`group`)",
    "captions": "hold text (`caption`)",
}
# Before the path of an image that states no group: its own (corpus/table/groups.py).
ALONE = "image "
MOST_COLUMNS = 20
MANY_EMPTY = 0.05  # share of rows without a caption from which it is worth a look


def reading_section(
    pairs: pd.DataFrame,
    others: pd.DataFrame,
    rejected: pd.DataFrame,
    funnel: pd.DataFrame,
    as_read: Mapping[str, Any],
    facts: Mapping[str, Any],
) -> Section:
    """Say how many rows were read and kept, what the table does not tell, and what is not read.

    Args:
        pairs: member and the columns of ``grouped_by``.
        others: Pairs of classes out of distribution.
        rejected: reason.
        funnel: stage, candidates.
        as_read: ``other_columns``, ``rows_in_cells``, ``untold_ages``, as far as the reader says.
        facts: ``lacks``, ``grouped_by``, ``min_age``, ``unknown_age``.
    """
    stages = funnel["stage"]
    rows = int(funnel.loc[stages == stages.iloc[0], "candidates"].sum())
    aside = (
        f" Of classes out of distribution: {len(others):,}; no system is trained on them."
        if len(others)
        else ""
    )
    blocks: list[Block] = [
        f"Rows that were read: {rows:,}. Kept as pairs: {len(pairs):,}. Rejected: "
        f"{len(rejected):,}.{aside}",
        _groups_known(pairs, facts),
    ]
    for key, reason in facts["lacks"].items():
        if key in OF_THE_DATASHEET:
            continue
        meaning = LACKING.get(key, f"{readable(key)} are not known.")
        text = f"{meaning} The reason: {reason}."
        blocks.append(Doubt(text) if key in WORTH_A_LOOK else text)
    blocks += _of_columns(as_read.get("other_columns", []), facts["lacks"])
    blocks += _of_cells(as_read, facts)
    blocks += _without_captions(int((rejected["reason"] == "empty_caption").sum()), rows)
    return Section("What was read", blocks)


def _groups_known(pairs: pd.DataFrame, facts: Mapping[str, Any]) -> str:
    found = [
        _counted(pairs[column].fillna(""), ALONE + pairs["member"], words)
        for column, words in facts["grouped_by"].items()
    ]
    groups = f" Groups of what belongs together: {', '.join(found)}." if found else ""
    return f"Images of pairs: {len(pairs):,}.{groups}"


def _counted(groups: pd.Series, alone: pd.Series, words: str) -> str:
    """Count groups, and images that count as one because they state none."""
    lone = groups == alone
    text = f"{groups[(groups != '') & ~lone].nunique():,} by {words}"
    return f"{text} (and {lone.sum():,} images that state none)" if lone.any() else text


def _of_columns(names: Sequence[str], lacks: Mapping[str, str]) -> list[Block]:
    """Name the columns of the table that are not read; one of them may tell what is lacking."""
    if not names:
        return []
    more = f" and {len(names) - MOST_COLUMNS} more" if len(names) > MOST_COLUMNS else ""
    text = f"Columns of the table that are not read: {', '.join(names[:MOST_COLUMNS])}{more}."
    asked = [words for what, words in WORTH_NAMING.items() if what in lacks]
    if not asked:
        return [text]
    question = f"Does one of them {', or '.join(asked)}?"
    return [Doubt(f"{text} {question} If so, name it below the config key source.columns.")]


def _of_cells(as_read: Mapping[str, Any], facts: Mapping[str, Any]) -> list[Block]:
    """Say of cells that cannot mean what they seem to; the log has an example of each."""
    blocks: list[Block] = []
    if number := as_read.get("rows_in_cells", 0):
        blocks.append(
            Doubt(
                f"Cells that hold what looks like further rows: {number:,}. These rows are not "
                "read. A quotation mark stands at the start of a cell there, and is not doubled; "
                "the log of ingest_tables names the first."
            )
        )
    if number := as_read.get("untold_ages", 0):
        kept = "kept" if facts["unknown_age"] == "keep" else "rejected"
        text = (
            f"Cells of the column of ages that tell no age: {number:,}. They count as not known, "
            f"and such rows are {kept} (config key curation.unknown_age); the log of ingest_tables "
            "has an example."
        )
        blocks.append(Doubt(text) if facts["min_age"] > 0 else text)
    return blocks


def _without_captions(number: int, rows: int) -> list[Block]:
    if not number:
        return []
    text = (
        f"Rows that are rejected for an empty caption: {number:,} of {rows:,}, also for systems "
        "that read images only. `caption_problems: []` below the config key curation keeps them "
        "(and systems that read captions then read nothing there); where few have one, `caption: "
        "null` below source.columns leaves captions out, and with them the systems that read them."
    )
    return [Doubt(text) if number >= MANY_EMPTY * rows else text]
