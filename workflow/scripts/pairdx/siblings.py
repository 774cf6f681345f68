"""The split that prices leakage: the grouped one, with siblings of its test pairs in training.

Siblings are pairs of one group (:func:`pairdx.splits.grouped`): they share an article, a case, a
figure, a near-duplicate image or a caption, directly or through others. Of every group of the
grouped split's test subset about half of the pairs move to training, and as many training pairs of
the same class leave it. So two trainings can be compared on one test set, the half that stayed: on
the grouped split, without its siblings, and on this one, with them, on equally many pairs of every
class. Nothing else differs: validation is the same, and shares nothing with either; what is chosen
on it is chosen once, without siblings (choice_without_siblings in workflow/rules/systems.smk).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pairdx.ordering import seeded_rank
from pairdx.splits import grouped

WITH_SIBLINGS = "with_siblings"


def with_siblings(pairs: pd.DataFrame, fractions: Mapping[str, float], seed: int) -> pd.DataFrame:
    """Move siblings of test pairs into training, in exchange for as many pairs of each class.

    Of a group of k test pairs the k // 2 of the highest seeded places move. Pairs that make room
    are the first of their class by seeded places; they are in no subset of this split. A class that
    has fewer training pairs than siblings exchanges as many as it has.

    Args:
        pairs: Columns pair_id, label and those of :data:`pairdx.splits.GROUPING_COLUMNS`.
        fractions: Share of each of :data:`pairdx.subsets.SUBSETS`.
        seed: Seed of the grouped split, and of these choices.

    Returns:
        Columns pair_id, subset, group, in the order of ``pairs``, of all pairs but those that made
        room. Training has as many pairs of every class as in the grouped split, validation is the
        grouped split's, and test holds a part of its test pairs.
    """
    table = grouped(pairs, fractions, seed)
    table["label"] = pairs["label"].to_numpy()
    table["place"] = seeded_rank(table["pair_id"], seed, "siblings").to_numpy()
    test = table[table["subset"] == "test"].sort_values("place")
    of_group = test.groupby("group")["pair_id"]
    moves = test[of_group.cumcount() >= np.ceil(of_group.transform("size") / 2)]
    train = table[table["subset"] == "train"].sort_values("place")
    room = train["label"].value_counts()
    moves = moves[moves.groupby("label").cumcount() < moves["label"].map(room).fillna(0)]
    wanted = train["label"].map(moves["label"].value_counts()).fillna(0)
    leave = train.index[train.groupby("label").cumcount() < wanted]
    table.loc[moves.index, "subset"] = "train"
    return table.drop(index=leave)[["pair_id", "subset", "group"]]
