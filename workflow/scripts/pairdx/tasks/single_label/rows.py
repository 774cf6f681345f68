"""What a row of predictions holds: one label per pair, and one probability per class.

A module that is a :class:`pairdx.tasks.rows.Rows`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pairdx.errors import PairDxError
from pairdx.tasks.rows import case_indices, subset_rows

# Probabilities are stored as float32: their sum and their largest value are exact to about this.
ROUNDING_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Predictions:
    """The pairs of one subset, in order of ``pair_id``; N pairs, C classes.

    Attributes:
        truth: int64 [N], index of the true class.
        predicted: int64 [N], index of the predicted class.
        probabilities: float64 [N, C], each row sums to 1.
        case: int64 [N], index of the pair's case, 0 to ``cases`` - 1.
        cases: Number of cases.
    """

    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    case: NDArray[np.int64]
    cases: int

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def correct(self) -> NDArray[np.float64]:
        """1.0 where the predicted class is the true one, else 0.0; float64 [N]."""
        return (self.truth == self.predicted).astype(np.float64)

    @property
    def confidence(self) -> NDArray[np.float64]:
        """The probability of the most probable class; float64 [N]."""
        return self.probabilities.max(axis=1)

    @property
    def squared_distance(self) -> NDArray[np.float64]:
        """Squared distance of the probabilities to the one-hot true class; float64 [N], 0 to 2."""
        one_hot = np.eye(self.probabilities.shape[1])[self.truth]
        squares = np.square(self.probabilities - one_hot)
        return np.asarray(squares.sum(axis=1), dtype=np.float64)

    def present(self) -> NDArray[np.int64]:
        """Indices of the classes that at least one pair truly belongs to, in class order."""
        return np.unique(self.truth)


def columns(classes: Sequence[str]) -> list[str]:
    """Name the columns in order: pair_id, case_id, subset, label, predicted, ``p_<class>`` each."""
    return ["pair_id", "case_id", "subset", "label", "predicted", *_of_probabilities(classes)]


def _of_probabilities(classes: Sequence[str]) -> list[str]:
    return [f"p_{name}" for name in classes]


def predicted_rows(
    pairs: pd.DataFrame,
    probabilities: NDArray[np.float32],
    classes: Sequence[str],
    *,
    subset: str,
) -> pd.DataFrame:
    """Make the rows of N pairs; the predicted class is the first of the most probable.

    Args:
        pairs: pair_id, case_id and label.
        probabilities: float32 [N, C], rows add up to 1.
        classes: The C classes.
        subset: Which one the pairs are.

    Returns:
        One row per pair, with the columns that :func:`columns` names.
    """
    table = pairs[["pair_id", "case_id", "label"]].copy()
    table.insert(2, "subset", subset)
    table["predicted"] = [classes[best] for best in probabilities.argmax(axis=1)]
    given = pd.DataFrame(probabilities, index=table.index, columns=_of_probabilities(classes))
    return pd.concat([table, given], axis=1)


def told(table: pd.DataFrame) -> str:
    """Return the accuracy of predictions, for the log."""
    return f"accuracy {(table['label'] == table['predicted']).mean():.4f}"


def same_pairs(tables: Sequence[pd.DataFrame], subset: str, *, of_what: str) -> list[pd.DataFrame]:
    """Return the rows of one subset of several tables, row by row about the same pairs.

    Args:
        tables: Predictions tables.
        subset: Which rows to take.
        of_what: What the tables belong to, for the error: seeds or systems.

    Raises:
        PairDxError: They are over different pairs, cases or labels.
    """
    rows = [subset_rows(table, subset) for table in tables]
    keys = ["pair_id", "case_id", "label"]
    if not all(one[keys].equals(rows[0][keys]) for one in rows):
        raise PairDxError(
            f"the predictions of different {of_what} are over different pairs, cases or labels",
            remedy=f"delete predictions.parquet of these {of_what} and start again: the split "
            "changed in between",
        )
    return rows


def comparable(reads: Sequence[Predictions]) -> list[Predictions]:
    """Return the reads as they are: a metric of the same pairs is over the same classes."""
    return list(reads)


def correctness(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return 1.0 for every row whose predicted class is the true one, else 0.0; float64 [N]."""
    return np.asarray(rows["label"] == rows["predicted"], dtype=np.float64)


def read_predictions(
    table: pd.DataFrame, classes: Sequence[str], *, subset: str = "test"
) -> Predictions:
    """Check the rows of one subset and turn them into arrays.

    Args:
        table: pair_id, case_id, subset, label, predicted and one ``p_<class>`` per class.
        classes: The classes, in the order of the confusion matrix.
        subset: Which rows to read.

    Raises:
        PairDxError: A column is missing, the subset is empty, a label is not one of ``classes``,
            the probabilities are not a distribution, or ``predicted`` is not the most probable
            class.
    """
    missing = [column for column in columns(classes) if column not in table.columns]
    if missing:
        raise PairDxError(f"the predictions lack the columns {', '.join(missing)}")
    rows = subset_rows(table, subset)
    truth = _class_indices(rows, "label", classes)
    predicted = _class_indices(rows, "predicted", classes)
    probabilities = rows[_of_probabilities(classes)].to_numpy(dtype=np.float64)
    _check_probabilities(rows, probabilities, predicted)
    return Predictions(truth, predicted, probabilities, *case_indices(rows))


def _class_indices(rows: pd.DataFrame, column: str, classes: Sequence[str]) -> NDArray[np.int64]:
    indices = pd.Index(list(classes)).get_indexer(pd.Index(rows[column]))
    unknown = np.flatnonzero(indices < 0)
    if unknown.size:
        first = rows.iloc[int(unknown[0])]
        raise PairDxError(
            f"'{first[column]}' in the column '{column}' is not one of the classes "
            f"({', '.join(classes)})",
            where=f"pair_id {first['pair_id']}",
        )
    return indices.astype(np.int64)


def _check_probabilities(
    rows: pd.DataFrame, probabilities: NDArray[np.float64], predicted: NDArray[np.int64]
) -> None:
    finite = np.isfinite(probabilities).all(axis=1) & (probabilities >= 0).all(axis=1)
    sums_to_one = np.abs(probabilities.sum(axis=1) - 1) <= ROUNDING_TOLERANCE
    of_predicted = probabilities[np.arange(len(predicted)), predicted]
    most_probable = of_predicted >= probabilities.max(axis=1) - ROUNDING_TOLERANCE
    for holds, problem in (
        (finite & sums_to_one, "the probabilities of a pair are not a distribution that sums to 1"),
        (most_probable, "the predicted class of a pair is not its most probable class"),
    ):
        if not holds.all():
            first = int(np.flatnonzero(~holds)[0])
            raise PairDxError(problem, where=f"pair_id {rows['pair_id'].iloc[first]}")
