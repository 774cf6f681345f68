"""Which pairs' decisions are explained: the same ones for every system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pairdx.errors import PairDxError
from pairdx.joins import joined
from pairdx.ordering import seeded_rank
from pairdx.reporting.format.tables import example_pairs

MOST_PAIRS = 60  # in a figure, unless they are named


def explained_classes(classes: Sequence[str], *, per_class: int, seed: int) -> list[str]:
    """Name the classes of which pairs are explained: of many some, by the seed, in their order."""
    labels = pd.Series(list(classes))
    most = max(1, MOST_PAIRS // max(1, per_class))
    rank = seeded_rank(labels, seed, "explained classes").set_axis(labels.index)
    return labels.loc[sorted(rank.sort_values(kind="stable").index[:most])].tolist()


def of_some_classes(classes: Sequence[str], chosen: Mapping[str, Any]) -> str | None:
    """Say that pairs of some classes only are explained; None where it is all of them.

    Args:
        classes: The classes.
        chosen: The section ``explanations`` of the configuration.
    """
    per_class, seed = chosen["per_class"], chosen["seed"]
    some = explained_classes(classes, per_class=per_class, seed=seed)
    if chosen["pairs"] or len(some) == len(classes):
        return None
    return f"Pairs of {len(some):,} of the {len(classes):,} classes, at random."


def choose_pairs(
    pairs: pd.DataFrame,
    split: pd.DataFrame,
    classes: Sequence[str],
    *,
    named: Sequence[str],
    per_class: int,
    seed: int,
) -> pd.DataFrame:
    """Choose the named pairs, in their order; if none is named, random test pairs of each class.

    Args:
        pairs: pair_id, label and any other columns.
        split: pair_id, subset.
        classes: The classes, in figure order.
        named: Values of pair_id, of any subset.
        per_class: How many test pairs of each class; all where there are fewer.
        seed: The random choice is a function of the seed and the pairs' names.

    Returns:
        Rows of ``pairs`` with their index kept, and their ``subset``.

    Raises:
        PairDxError: There is no pair of that name.
    """
    what = "the split and the pairs"
    subsets = joined(split, pairs[["pair_id"]], "pair_id", what=what).set_index("pair_id")["subset"]
    pairs = pairs.assign(subset=pairs["pair_id"].map(subsets))
    if not named:
        test = pairs[pairs["subset"] == "test"]
        some = explained_classes(classes, per_class=per_class, seed=seed)
        return example_pairs(test, some, per_class=per_class, seed=seed)
    rows = pd.Series(pairs.index, index=pairs["pair_id"])
    missing = [name for name in named if name not in rows.index]
    if missing:
        raise PairDxError(
            f"there is no pair {missing[0]!r} among the curated pairs",
            where="explanations: pairs",
            remedy="take names from the column pair_id of curated/pairs.parquet",
        )
    return pairs.loc[rows[list(named)]]
