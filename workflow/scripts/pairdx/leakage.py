"""How much one subset of a split gives away about another, and how evenly classes are shared."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations
from typing import Any

import pandas as pd

from pairdx.errors import PairDxError
from pairdx.joins import joined
from pairdx.splits import large_groups
from pairdx.subsets import LEAKAGE_KINDS, SUBSETS


def leakage(
    pairs: pd.DataFrame, split: pd.DataFrame, name: str, fractions: Mapping[str, float]
) -> dict[str, Any]:
    """Measure what subsets share, and how far class shares are from the fractions.

    Args:
        pairs: Columns pair_id, label and those of :data:`pairdx.subsets.LEAKAGE_KINDS` ("" where
            unknown).
        split: Columns pair_id, subset, group.
        name: The split's name.
        fractions: Share of each of :data:`pairdx.subsets.SUBSETS` that was asked for.

    Returns:
        A mapping that JSON can hold:

        - split: ``name``; fractions; pairs: ``{subset: n}``.
        - kinds: ``{kind: {"train-validation": {"groups", "pairs", "share"}, ...}}``, for each two
          subsets the number of groups found in both, the pairs of the later subset in such groups,
          and their share of that subset. An unknown value is shared with nothing.
        - unknown: ``{kind: n}``, the pairs whose value is unknown.
        - class_shares: ``{class: {subset: share of the class's pairs}}``.
        - largest_deviation: the largest difference between such a share and the fraction.
        - groups: how many ``all`` and ``large`` (:func:`pairdx.splits.large_groups`), and the pairs
          in the ``largest`` and in all large ones (``pairs_in_large``).
    """
    table = joined(split, pairs, "pair_id", what=f"the split {name} and the pairs")
    sizes = table["subset"].value_counts()
    kinds = {kind: _per_subset(table, column) for kind, column in LEAKAGE_KINDS.items()}
    by_class = _per_subset(table, "label")
    shares = by_class.div(by_class.sum(axis=1), axis=0)
    deviation = shares.sub(pd.Series(fractions), axis=1).abs()
    return {
        "split": name,
        "fractions": {subset: float(fractions[subset]) for subset in SUBSETS},
        "pairs": {subset: int(sizes.get(subset, 0)) for subset in SUBSETS},
        "kinds": {kind: _shared(counts, sizes) for kind, counts in kinds.items()},
        "unknown": {kind: len(table) - int(sum(counts.sum())) for kind, counts in kinds.items()},
        "class_shares": shares.round(6).to_dict(orient="index"),
        "largest_deviation": round(float(deviation.to_numpy().max()), 6),
        "groups": _groups(_counts(table, "group", "label"), fractions),
    }


def _counts(table: pd.DataFrame, column: str, by: str) -> pd.DataFrame:
    """Count the pairs of every known value (rows) in every class or subset (columns)."""
    known = table.loc[table[column].fillna("") != ""]
    return known.groupby([column, by]).size().unstack(fill_value=0)


def _per_subset(table: pd.DataFrame, column: str) -> pd.DataFrame:
    return _counts(table, column, "subset").reindex(columns=SUBSETS, fill_value=0)


def _shared(counts: pd.DataFrame, sizes: pd.Series) -> dict[str, dict[str, float]]:
    """Count, for each two subsets, what both have: ``counts`` holds pairs per value and subset."""
    shared = {}
    for first, second in combinations(SUBSETS, 2):
        hit = counts.loc[(counts[first] > 0) & (counts[second] > 0), second]
        pairs = int(hit.sum())
        share = round(pairs / int(sizes[second]), 6) if pairs else 0.0
        shared[f"{first}-{second}"] = {"groups": len(hit), "pairs": pairs, "share": share}
    return shared


def _groups(counts: pd.DataFrame, fractions: Mapping[str, float]) -> dict[str, int]:
    sizes, large = counts.sum(axis=1), large_groups(counts, fractions)
    return {
        "all": len(counts),
        "largest": int(sizes.max()),
        "large": int(large.sum()),
        "pairs_in_large": int(sizes[large].sum()),
    }


def refuse_leakage(
    report: Mapping[str, Any], *, but_for: Collection[str] = (), kinds_apart: Collection[str] = ()
) -> None:
    """Raise PairDxError if subsets share anything, for a split that promises that they do not.

    Args:
        report: What :func:`leakage` returned.
        but_for: Subsets that may, such as ``train-test``.
        kinds_apart: Kinds of :data:`pairdx.subsets.LEAKAGE_KINDS` that may be shared.
    """
    shared = [
        f"{kind} ({between})"
        for kind, counts in report["kinds"].items()
        for between, count in counts.items()
        if count["groups"] and between not in but_for and kind not in kinds_apart
    ]
    if shared:
        raise PairDxError(
            f"the split {report['split']} shares between its subsets: {', '.join(shared)}",
            remedy="this is a defect of the workflow; please report it with the table of pairs",
        )
