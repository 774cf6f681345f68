"""Tables of findings as the data state them: how often each is true, is not, and is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from pairdx.finding_texts import COLUMN, decode
from pairdx.joins import joined
from pairdx.subsets import SUBSETS

ALL = "all"
COUNTED_ONCE = (
    "Any number of findings can be true of a pair. Here every pair counts once: as the rarest that "
    "is true of it, or as none of them."
)
PREVALENCE = "Prevalence: share of the pairs of which it is known that the finding is true of."


def findings_table(
    pairs: pd.DataFrame, splits: Mapping[str, pd.DataFrame], classes: Sequence[str]
) -> pd.DataFrame:
    """Count every finding in all pairs, and in every subset of every split.

    Args:
        pairs: pair_id, findings.
        splits: Per split: pair_id, subset.
        classes: The findings, in table order.

    Returns:
        split ("" for all pairs), subset (``all`` for those), finding, positive, negative, unknown,
        prevalence (of those known; NaN where nothing is known).
    """
    parts = [_counted(pairs, classes, "", ALL)]
    for split, subsets in splits.items():
        what = f"the split {split} and the pairs"
        placed = joined(subsets, pairs[["pair_id", COLUMN]], "pair_id", what=what)
        for subset in SUBSETS:
            rows = placed[placed["subset"] == subset]
            parts.append(_counted(rows, classes, split, subset))
    return pd.concat(parts, ignore_index=True)


def _counted(pairs: pd.DataFrame, classes: Sequence[str], split: str, subset: str) -> pd.DataFrame:
    truth = decode(pairs[COLUMN], classes)
    positive, negative = (truth == 1).sum(axis=0), (truth == 0).sum(axis=0)
    known = positive + negative
    return pd.DataFrame(
        {
            "split": split,
            "subset": subset,
            "finding": list(classes),
            "positive": positive,
            "negative": negative,
            "unknown": len(truth) - known,
            "prevalence": np.divide(
                positive, known, out=np.full(len(known), np.nan), where=known > 0
            ),
        }
    )
