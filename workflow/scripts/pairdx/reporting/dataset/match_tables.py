"""Single matches of texts and images: those that fit best and worst, to be looked at."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from pairdx.joins import joined
from pairdx.reporting.dataset.pairing_tables import (
    LICENCE_NOTE,
    Entry,
    Paired,
    Source,
    random_weights_note,
)
from pairdx.reporting.format.classes import Names, title_of
from pairdx.reporting.format.labels import encoder_title, readable
from pairdx.reporting.format.markdown import with_minus
from pairdx.reporting.format.tables import DRAWN_NOTE

MATCHES_TITLE = "Most and least similar texts, {split} split"
LISTED = 5  # most similar, and least similar, matches of a pairing in the table
LONGEST_IN_TABLE = 3000  # characters of a text for reading; the CSV file has it whole
MOST, LEAST = "most similar", "least similar"


def extremes(chosen: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the most and the least similar matches, each text once as far as there are enough.

    A text stands with the image that it fits best, or worst: between the rows of different texts
    there may be pairs of one of them that are more, or less, similar.

    Args:
        chosen: pair_id, text_id, cosine; one row per pair.
        count: How many of each at most; no match is both.

    Returns:
        The columns, and ``match``: ``most similar`` or ``least similar``; each from the highest
        cosine to the lowest.
    """
    ordered = chosen.sort_values(["cosine", "pair_id"], ascending=[False, True])
    most = _each_text_once(ordered, min(count, (len(ordered) + 1) // 2))
    rest = ordered[~ordered["pair_id"].isin(most["pair_id"])][::-1]
    least = _each_text_once(rest, min(count, len(rest)))
    parts = [most.assign(match=MOST), least.assign(match=LEAST)]
    ranked = [part.sort_values(["cosine", "pair_id"], ascending=[False, True]) for part in parts]
    return pd.concat(ranked, ignore_index=True)


def _each_text_once(ordered: pd.DataFrame, count: int) -> pd.DataFrame:
    first = ordered.drop_duplicates("text_id")
    others = ordered[~ordered["pair_id"].isin(first["pair_id"])]
    return pd.concat([first, others]).head(count)


def match_table(
    paired: Mapping[str, Paired],
    sources: Mapping[str, Source],
    pairs: pd.DataFrame,
    split: pd.DataFrame,
    count: int,
) -> pd.DataFrame:
    """List the most and least similar texts of training pairs, for every pairing of a split.

    Args:
        paired: By pairing.
        sources: By pairing.
        pairs: pair_id, label.
        split: pair_id, subset.
        count: How many of each.

    Returns:
        pairing, match, cosine, pair_id, label, text_id, text (whole).
    """
    trained_on = set(split.loc[split["subset"] == "train", "pair_id"])
    tables = []
    for name, one in paired.items():
        chosen = one.matches[one.matches["chosen"] & one.matches["pair_id"].isin(trained_on)]
        found = extremes(chosen[["pair_id", "text_id", "cosine"]], count)
        found = joined(found, pairs[["pair_id", "label"]], "pair_id", what="matches and pairs")
        texts = sources[name].texts.set_index("text_id")["text"]
        found["text"] = texts.reindex(found["text_id"]).to_numpy()
        found["pairing"] = name
        tables.append(found)
    columns = ["pairing", "match", "cosine", "pair_id", "label", "text_id", "text"]
    return pd.concat(tables, ignore_index=True)[columns]


def matches_for_reading(
    table: pd.DataFrame, classes: Names, pairings: Mapping[str, Entry]
) -> pd.DataFrame:
    """Write single matches as text; very long texts are cut, and say so.

    Args:
        table: What :func:`match_table` returned.
        classes: Display names, by label.
        pairings: ``encoder`` and ``random_weights``, by name.
    """
    return pd.DataFrame(
        {
            "Pairing": [readable(name) for name in table["pairing"]],
            "Encoder": [encoder_title(pairings[name]) for name in table["pairing"]],
            "Match": table["match"],
            "Cosine": [with_minus(f"{cosine:.3f}") for cosine in table["cosine"]],
            "Pair": table["pair_id"],
            "Class": [title_of(label, classes) for label in table["label"]],
            "Text": [_cut(text) for text in table["text"]],
        }
    )


def _cut(text: str) -> str:
    if len(text) <= LONGEST_IN_TABLE:
        return text
    return f"{text[:LONGEST_IN_TABLE]} … ({len(text):,} characters in all)"


def match_notes(pairings: Mapping[str, Entry], *, drawn: bool) -> list[str]:
    """Say what is listed, and in which order.

    Args:
        pairings: ``encoder`` and ``random_weights``, by name.
        drawn: Whether the workflow drew images and captions itself.
    """
    return [
        *random_weights_note(pairings.values()),
        f"Of each pairing, {LISTED} texts of training pairs with the image that they fit best "
        f"(most similar), and {LISTED} with the one that they fit worst (least similar), by "
        "cosine. Each text stands once as far as there are enough: other images of the same text "
        "may lie between two rows. The CSV file has all texts whole.",
        DRAWN_NOTE if drawn else LICENCE_NOTE,
    ]
