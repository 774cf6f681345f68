"""Of the check before training: copies, and rows that contradict one another about one image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pairdx.reporting.format.sections import Block, Doubt, Section

MOST_EXAMPLES = 10
Names = Mapping[str, str]
REPEATED = "repeated_row"
DIFFERING_COPIES = (
    "Copies with another label than their original: {:,}. One of the two labels is wrong, or the "
    "classes overlap: look at these first."
)
DIFFERING_ROWS = (
    "Rows that name the image, or have the identifier, of an earlier row and state another label: "
    "{:,}. The earlier row alone counts. One of the two labels is wrong, the classes overlap, or "
    "two documents got one identifier: look at these, too."
)


def duplicates_section(
    rejected: pd.DataFrame, pairs: pd.DataFrame, others: pd.DataFrame, facts: Mapping[str, Any]
) -> Section:
    """Count copies, removed or kept, and show those whose labels differ.

    Args:
        rejected: pair_id, member, label, stage, reason, detail (``of PAIR``: its original).
        pairs: pair_id, member, label, duplicate_cluster, caption_cluster.
        others: The same of classes out of distribution.
        facts: ``classes``, ``lacks``.
    """
    removed = rejected[rejected["stage"] == "duplicates"]
    counts = removed["reason"].value_counts()
    exact, near = (int(counts.get(f"{kind}_duplicate", 0)) for kind in ("exact", "near"))
    kept = int(pairs["duplicate_cluster"].duplicated().sum())
    blocks: list[Block] = [
        f"Copies taken out: {exact:,} of the same bytes, {near:,} that look nearly the same. "
        f"Copies kept among the pairs: {kept:,} (the grouped split keeps them together)."
    ]
    repeated = rejected[rejected["reason"] == REPEATED]
    single = rejected[rejected["reason"] != REPEATED]
    known = pd.concat([pairs, others, single])[["pair_id", "member", "label"]]
    conflicts = pd.concat(
        [_removed_conflicts(removed, known), _kept_conflicts(pairs, known)], ignore_index=True
    )
    blocks += _shown(conflicts, DIFFERING_COPIES, facts["classes"])
    again = _conflicts(repeated.assign(original=repeated["pair_id"]), known)
    again = again.rename(columns={"copy_of": "earlier_row"})
    blocks += _shown(again, DIFFERING_ROWS, facts["classes"])
    if "captions" not in facts["lacks"]:
        blocks += _same_captions(pairs)
    return Section("Copies and near duplicates", blocks)


def _shown(conflicts: pd.DataFrame, text: str, names: Names) -> list[Block]:
    if conflicts.empty:
        return []
    shown = conflicts.iloc[:MOST_EXAMPLES]
    written = {
        column: [names.get(one, one) for one in shown[column]] for column in ("label", "its_label")
    }
    return [
        Doubt(text.format(len(conflicts))),
        shown.assign(**written),
    ]


def _removed_conflicts(removed: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    originals = removed["detail"].astype(str).str.removeprefix("of ")
    return _conflicts(removed.assign(original=originals), known)


def _kept_conflicts(pairs: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    copies = pairs[pairs["duplicate_cluster"] != pairs["pair_id"]]
    return _conflicts(copies.assign(original=copies["duplicate_cluster"]), known)


def _conflicts(copies: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Return the copies whose original has another label: image, label, copy_of, its_label."""
    first = known.drop_duplicates("pair_id").set_index("pair_id")
    found = copies[["member", "label"]].rename(columns={"member": "image"})
    found = found.assign(
        copy_of=copies["original"].map(first["member"]),
        its_label=copies["original"].map(first["label"]),
    )
    return found[found["its_label"].notna() & (found["its_label"] != found["label"])]


def _same_captions(pairs: pd.DataFrame) -> list[Block]:
    known = pairs[pairs["caption_cluster"].fillna("") != ""]
    groups = known.groupby("caption_cluster")["label"]
    spanning = int((groups.nunique() > 1).sum())
    if not spanning:
        return []
    return [
        f"Captions that stand word for word in several classes: {spanning:,}. Of these, the "
        "caption alone cannot tell the class."
    ]
