"""Of the check before training: captions that name a class, so that the text gives it away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pairdx.curation.readings import readings
from pairdx.evaluation.caption_changes import word_pattern
from pairdx.ordering import seeded_rank
from pairdx.reporting.format.sections import Block, Doubt, Section

TITLE = "Captions that name a class"
MOST_ROWS = 40
MOST_SEARCHES = 1_000_000  # captions times classes: seconds
GIVEN_AWAY = 0.5  # share of captions from which it is worth a look


def captions_section(pairs: pd.DataFrame, facts: Mapping[str, Any]) -> Section:
    """Count the captions that name a class: the text then gives the label away.

    Args:
        pairs: pair_id, label, caption.
        facts: ``classes``, ``class_words``, ``lacks``.
    """
    if "captions" in facts["lacks"] or pairs.empty:
        return Section(TITLE, [])
    every, most = len(pairs), MOST_SEARCHES // len(facts["classes"])
    if every > most:
        rank = seeded_rank(pairs["pair_id"], 1, TITLE).set_axis(pairs.index)
        pairs = pairs.loc[rank.nsmallest(most).index]
    table = _by_class(pairs, facts)
    own, looked_at = int(table["own"].sum()), len(pairs)
    text = (
        "Captions that hold the label, the whole display name or one of the class_words of their "
        f"own class: {own:,} of {looked_at:,}. A system that reads captions can take the answer "
        "from there; input_probes measures how far it does. Other words that tell the class (ECG, "
        "retina ...) are found where the config key class_words names them."
    )
    shares = {
        "name_their_class_share": table["own"] / table["captions"],
        "name_another_class_share": table["other"] / table["captions"],
    }
    shown = table[["class", "captions"]].assign(**shares)[:MOST_ROWS]
    blocks: list[Block] = [Doubt(text) if own >= GIVEN_AWAY * looked_at else text, shown]
    if len(table) > MOST_ROWS:
        blocks.append(f"These are the first {MOST_ROWS} of {len(table):,} classes.")
    if every > looked_at:
        blocks.append(f"Of {every:,} captions these were drawn by chance.")
    return Section(TITLE, blocks)


def _by_class(pairs: pd.DataFrame, facts: Mapping[str, Any]) -> pd.DataFrame:
    """Count the captions of every class that has any, and those that name it or another."""
    names = facts["classes"]
    naming = captions_naming(pairs["caption"], names, facts["class_words"])
    both = list(zip(pairs["label"], naming, strict=True))
    counts = pd.DataFrame(
        {
            "label": pairs["label"].to_numpy(),
            "captions": 1,
            "own": [int(label in found) for label, found in both],
            "other": [int(bool(found - {label})) for label, found in both],
        }
    )
    table = counts.groupby("label").sum().reindex(list(names)).dropna().reset_index()
    return table.assign(**{"class": table["label"].map(names)}).astype(
        {"captions": "int64", "own": "int64", "other": "int64"}
    )


def captions_naming(
    captions: pd.Series, names: Mapping[str, str], words: Mapping[str, Any]
) -> pd.Series:
    """Return for every caption the labels of the classes that it names.

    A class is named by its label, its display name or one of its words, found as the input probes
    find them.
    """
    patterns = {
        label: word_pattern([label, shown, *(words.get(label) or [])])
        for label, shown in names.items()
    }

    def named(caption: str) -> set[str]:
        texts = [copy.text for copy in readings(caption)]
        return {
            label
            for label, pattern in patterns.items()
            if pattern is not None and any(pattern.search(text) for text in texts)
        }

    return captions.fillna("").map(named)
