"""Which pairs' decisions are explained: the same ones for every system."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from pairdx.errors import PairDxError
from pairdx.joins import joined
from pairdx.reporting.format.tables import example_pairs


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
        return example_pairs(test, classes, per_class=per_class, seed=seed)
    rows = pd.Series(pairs.index, index=pairs["pair_id"])
    missing = [name for name in named if name not in rows.index]
    if missing:
        raise PairDxError(
            f"there is no pair {missing[0]!r} among the curated pairs",
            where="explanations: pairs",
            remedy="take names from the column pair_id of curated/pairs.parquet",
        )
    return pairs.loc[rows[list(named)]]
