"""Training, validation and test subsets, and how much one gives away about another.

``stratified`` is the paper's split (70/15/15 within each class, Section 3.1). It puts panels of one
figure and images of one patient on both sides. ``grouped`` keeps whole everything that belongs
together: article, case, near-duplicate images, identical captions.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from pairdx.curation.duplicates import clusters, same_value_links
from pairdx.errors import PairDxError
from pairdx.ordering import seeded_rank

SUBSETS = ("train", "validation", "test")
# What may be shared between subsets, and the column of the pairs that tells.
LEAKAGE_KINDS = {
    "article": "article_id",
    "case": "case_id",
    "figure": "figure_id",
    "caption": "caption_cluster",
    "near_duplicate_image": "duplicate_cluster",
}
GROUPING_COLUMNS = ("article_id", "case_id", "figure_id", "duplicate_cluster", "caption_cluster")


def stratified(pairs: pd.DataFrame, fractions: Mapping[str, float], seed: int) -> pd.DataFrame:
    """Split every class by the same fractions; each pair is its own group.

    Args:
        pairs: Columns pair_id and label.
        fractions: Share of each of :data:`SUBSETS`; their sum is 1.
        seed: Seed of the split.

    Returns:
        Columns pair_id, subset, group, in the order of ``pairs``. A class of n pairs gets n times
        the fraction, rounded by largest remainder, so that subsets differ from the fractions by
        less than one pair a class.
    """
    rank = seeded_rank(pairs["pair_id"], seed, "split").set_axis(pairs.index)
    subset = pd.Series("", index=pairs.index)
    for _, members in rank.groupby(pairs["label"]):
        ordered = members.sort_values().index
        sizes = _apportion(len(ordered), [fractions[name] for name in SUBSETS])
        subset[ordered] = np.repeat(SUBSETS, sizes)
    return pd.DataFrame({"pair_id": pairs["pair_id"], "subset": subset, "group": pairs["pair_id"]})


def _apportion(total: int, fractions: list[float]) -> list[int]:
    exact = np.array(fractions) * total
    sizes = np.floor(exact + 1e-9).astype(int)
    by_remainder = np.argsort(-(exact - sizes), kind="stable")
    sizes[by_remainder[: total - sizes.sum()]] += 1
    return [int(size) for size in sizes]


def grouped(pairs: pd.DataFrame, fractions: Mapping[str, float], seed: int) -> pd.DataFrame:
    """Split so that no group is on two sides, and class shares are as close as groups allow.

    A group is a connected component of pairs that share an article, a case, a figure, a duplicate
    cluster or a caption cluster. Groups are placed one by one, the largest first and equals in
    seeded order, each where it leaves the class counts closest to their targets (least squares,
    relative to the class's size).

    Args:
        pairs: Columns pair_id, label and those of :data:`GROUPING_COLUMNS`.
        fractions: Share of each of :data:`SUBSETS`; their sum is 1.
        seed: Seed of the split.

    Returns:
        Columns pair_id, subset, group (the group's first pair_id), in the order of ``pairs``.
    """
    names = pairs["pair_id"]
    links = np.concatenate([same_value_links(pairs[column]) for column in GROUPING_COLUMNS])
    group = clusters(links, names)
    counts = pd.crosstab(group, pairs["label"])
    rank = seeded_rank(counts.index, seed, "split").set_axis(counts.index)
    order = pd.DataFrame({"size": -counts.sum(axis=1), "rank": rank}).sort_values(["size", "rank"])
    home = _place_groups(counts.loc[order.index], [fractions[name] for name in SUBSETS])
    return pd.DataFrame({"pair_id": names, "subset": group.map(home), "group": group})


def _place_groups(counts: pd.DataFrame, fractions: list[float]) -> dict[str, str]:
    totals = counts.sum(axis=0).to_numpy(dtype=float)
    # Room that is left, as a share of each class's target: a small test set fills as fast as a
    # large training set.
    target = np.outer(fractions, totals)
    weight = 1 / np.maximum(target, 1)
    filled = np.zeros_like(target)
    home = {}
    for name, sizes in zip(counts.index, counts.to_numpy(dtype=float), strict=True):
        before = ((filled - target) ** 2 * weight).sum(axis=1)
        after = ((filled + sizes - target) ** 2 * weight).sum(axis=1)
        best = int(np.argmin(after - before))
        filled[best] += sizes
        home[str(name)] = SUBSETS[best]
    return home


METHODS = {"stratified": stratified, "grouped": grouped}
WITHOUT_LEAKAGE = ("grouped",)


def check_subsets(pairs: pd.DataFrame, split: pd.DataFrame) -> None:
    """Refuse a split that a model cannot be trained and tested on.

    Raises:
        PairDxError: A subset is empty, or a class has no training pair.
    """
    subsets = split.merge(pairs[["pair_id", "label"]], on="pair_id", validate="one_to_one")
    counts = pd.crosstab(subsets["label"], subsets["subset"]).reindex(columns=SUBSETS, fill_value=0)
    empty = [name for name in SUBSETS if counts[name].sum() == 0]
    untrained = counts.index[counts["train"] == 0].tolist()
    if empty or untrained:
        raise PairDxError(
            f"this split cannot be used: subsets without pairs {empty}, "
            f"classes without training pairs {untrained}",
            remedy="the corpus is too small for six classes and three subsets; use more pairs",
        )


def leakage(pairs: pd.DataFrame, split: pd.DataFrame, name: str) -> dict[str, Any]:
    """Measure what subsets share: articles, cases, figures, captions, near-duplicate images.

    Returns:
        ``{"split", "pairs": {subset: n}, "kinds": {kind: {"train-validation": counts, ...}}}`` with
        counts ``{"groups", "pairs", "share"}`` for each two subsets: the number of groups found in
        both, the pairs of the later subset in such groups, and their share of that subset.
    """
    table = pairs.merge(split[["pair_id", "subset"]], on="pair_id", validate="one_to_one")
    sizes = table["subset"].value_counts()
    kinds = {
        kind: {
            f"{first}-{second}": _shared(table, column, first, second)
            for first, second in combinations(SUBSETS, 2)
        }
        for kind, column in LEAKAGE_KINDS.items()
    }
    counts = {subset: int(sizes.get(subset, 0)) for subset in SUBSETS}
    return {"split": name, "pairs": counts, "kinds": kinds}


def _shared(table: pd.DataFrame, column: str, first: str, second: str) -> dict[str, float]:
    known = set(table.loc[table["subset"] == first, column])
    later = table.loc[table["subset"] == second, column]
    hit = later[later.isin(known)]
    share = len(hit) / len(later) if len(later) else 0.0
    return {"groups": int(hit.nunique()), "pairs": len(hit), "share": round(share, 6)}


def refuse_leakage(report: Mapping[str, Any]) -> None:
    """Raise PairDxError if subsets share anything, for a split that promises that they do not."""
    shared = [
        f"{kind} ({between})"
        for kind, counts in report["kinds"].items()
        for between, count in counts.items()
        if count["groups"]
    ]
    if shared:
        raise PairDxError(
            f"the split {report['split']} shares between its subsets: {', '.join(shared)}",
            remedy="this is a defect of the workflow; please report it with the table of pairs",
        )
