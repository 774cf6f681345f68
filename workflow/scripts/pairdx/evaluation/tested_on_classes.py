"""What systems call the pairs of another dataset, class by class of that dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pairdx.evaluation.tested_on import Chosen, confidence_of
from pairdx.tasks.single_label.rows import same_pairs


def answers_by_class(
    there: Sequence[pd.DataFrame],
    classes: Sequence[str],
    classes_there: Sequence[str],
    matched: Mapping[str, str],
    chosen: Sequence[Chosen],
) -> list[dict[str, Any]]:
    """Say what one system calls the pairs of each class there: rows of tested_on_classes.csv.

    Args:
        there: tested_on/{other}/predictions.parquet of every seed.
        classes: The system's classes.
        classes_there: Those of the other dataset.
        matched: Label there of each class that both have.
        chosen: What the validation pairs at home chose, of every seed.

    Returns:
        class_there, class_here, pairs, share_right, most_frequent_answer, answer_share,
        mean_confidence, share_answered (above the threshold at home) and share_named (how many of
        all pairs there are given the answer class_here); means over seeds. A row per class there,
        then one, without pairs, per class here that is not there; None where there is nothing.
    """
    rows = same_pairs(there, "test", of_what="seeds")
    each = [
        one.assign(confidence=confidence_of(one, classes), limit=at_home.threshold)
        for one, at_home in zip(rows, chosen, strict=True)
    ]
    whole = pd.concat(each, ignore_index=True)
    named = whole["predicted"].value_counts(normalize=True)
    here = {meant: label for label, meant in matched.items()}
    found = [
        _of_class(whole[whole["label_there"] == name], name, here.get(name), len(rows))
        for name in classes_there
    ]
    empty = whole.iloc[:0]
    found += [_of_class(empty, None, name, 1) for name in classes if name not in matched]
    for row in found:
        label = row["class_here"]
        row["share_named"] = None if label is None else float(named.get(label, 0.0))
    return found


def _of_class(
    rows: pd.DataFrame, there: str | None, here: str | None, seeds: int
) -> dict[str, Any]:
    answers = rows["predicted"].value_counts()
    some = len(rows) > 0
    return {
        "class_there": there,
        "class_here": here,
        "pairs": len(rows) // seeds,
        "share_right": float((rows["predicted"] == here).mean()) if some and here else None,
        "most_frequent_answer": str(answers.index[0]) if some else None,
        "answer_share": float(answers.iloc[0] / len(rows)) if some else None,
        "mean_confidence": float(rows["confidence"].mean()) if some else None,
        "share_answered": float((rows["confidence"] >= rows["limit"]).mean()) if some else None,
    }
