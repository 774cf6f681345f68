"""Single pairs behind the numbers: confident mistakes, and where two systems disagree.

The paper (Section 5) examined pairs that PairDxCLIP and PairDxFusion predict differently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from pairdx.errors import PairDxError
from pairdx.evaluation.accuracy import accuracy_over_seeds
from pairdx.tasks.rows import subset_rows
from pairdx.tasks.single_label.rows import read_predictions

NEITHER = "neither"
BOTH = "both"


def with_confidence(predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return the test rows with the probability of the predicted class.

    Args:
        predictions: pair_id, case_id, subset, label, predicted and one ``p_<class>`` per class.
        classes: The classes.

    Returns:
        pair_id, case_id, label, predicted, confidence (float64, 0 to 1), in order of ``pair_id``.

    Raises:
        PairDxError: The table is not a predictions table (see ``read_predictions``).
    """
    confidence = read_predictions(predictions, classes).confidence
    rows = subset_rows(predictions, "test")[["pair_id", "case_id", "label", "predicted"]]
    return rows.assign(confidence=confidence)


def confident_mistakes(
    predictions: pd.DataFrame, classes: Sequence[str], count: int
) -> pd.DataFrame:
    """Return the ``count`` wrong predictions of highest confidence; fewer where there are fewer.

    Args and returned columns are those of :func:`with_confidence`; the most confident stands first,
    ties in order of ``pair_id``.
    """
    rows = with_confidence(predictions, classes)
    wrong = rows[rows["label"] != rows["predicted"]]
    ordered = wrong.sort_values(["confidence", "pair_id"], ascending=[False, True])
    return ordered.head(count).reset_index(drop=True)


def best_two(predictions: Mapping[str, Sequence[pd.DataFrame]]) -> list[str]:
    """Name the two systems of highest validation accuracy, the better first; ties in their order.

    Args:
        predictions: predictions.parquet of every seed, by system. Test pairs play no part.

    Raises:
        PairDxError: There are fewer than two systems.
    """
    if len(predictions) < 2:
        raise PairDxError(
            "two systems are needed to compare their errors",
            where="config key systems",
            remedy="enable another one",
        )
    accuracy = {
        name: accuracy_over_seeds(tables, resamples=0, seed=0, subset="validation")["value"]
        for name, tables in predictions.items()
    }
    return sorted(accuracy, key=lambda name: -accuracy[name])[:2]


def side_by_side(predictions: Mapping[str, pd.DataFrame], classes: Sequence[str]) -> pd.DataFrame:
    """Set the test predictions of two systems side by side.

    Args:
        predictions: predictions.parquet of two systems by name, over the same pairs.
        classes: The classes.

    Returns:
        pair_id, case_id, label, ``{name}_predicted`` and ``{name}_confidence`` of both, and
        ``right``: the name of the one that is right, ``both`` or ``neither``.

    Raises:
        PairDxError: A table is not a predictions table, or they are over different pairs.
    """
    names = list(predictions)
    tables = [with_confidence(table, classes) for table in predictions.values()]
    keys = [table[["pair_id", "case_id", "label"]] for table in tables]
    if not keys[0].equals(keys[1]):
        raise PairDxError("two systems are to be compared that predicted different pairs")
    found = keys[0].copy()
    hits = []
    for name, table in zip(names, tables, strict=True):
        found[f"{name}_predicted"] = table["predicted"]
        found[f"{name}_confidence"] = table["confidence"]
        hits.append(table["predicted"] == found["label"])
    found["right"] = NEITHER
    found.loc[hits[0], "right"] = names[0]
    found.loc[hits[1], "right"] = names[1]
    found.loc[hits[0] & hits[1], "right"] = BOTH
    return found


def disagreements(both: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the rows in which the two systems predict different classes, surest first.

    A pair counts as sure as the less confident of the two; ties stand in order of ``pair_id``.

    Args:
        both: What :func:`side_by_side` returned.
        names: What the two are called.
    """
    differ = both[both[f"{names[0]}_predicted"] != both[f"{names[1]}_predicted"]]
    sure = differ[[f"{name}_confidence" for name in names]].min(axis=1)
    ordered = differ.assign(sure=sure).sort_values(["sure", "pair_id"], ascending=[False, True])
    return ordered.drop(columns="sure").reset_index(drop=True)
