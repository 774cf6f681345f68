"""What a row of predictions holds: what is known of the findings, and a probability of each.

A module that is a :class:`pairdx.tasks.rows.Rows`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pairdx import finding_texts
from pairdx.errors import PairDxError
from pairdx.tasks.multi_label.thresholds import THRESHOLDS_FROM, choose_thresholds
from pairdx.tasks.rows import case_indices, subset_rows

Array = NDArray[np.float64]
KEYS = ("pair_id", "case_id", finding_texts.COLUMN)


@dataclass(frozen=True)
class Findings:
    """The pairs of one subset, in order of ``pair_id``; N pairs, C findings.

    Attributes:
        truth: float64 [N, C], 1 true, 0 not, NaN unknown.
        probabilities: float64 [N, C], each 0 to 1; those of a pair need not add up to 1.
        thresholds: float64 [C], the probability from which each is called true, chosen on the
            validation pairs; NaN where these are no ground to choose by.
        validation_positives: int64 [C], of how many validation pairs each is true.
        case: int64 [N], index of the pair's case (its patient), 0 to ``cases`` - 1.
        cases: Number of cases.
    """

    truth: Array
    probabilities: Array
    thresholds: Array
    validation_positives: NDArray[np.int64]
    case: NDArray[np.int64]
    cases: int

    def __len__(self) -> int:
        return len(self.truth)

    @cached_property
    def positive(self) -> Array:
        """1.0 where a finding is true, else 0.0; float64 [N, C]."""
        return (self.truth == 1).astype(np.float64)

    @cached_property
    def negative(self) -> Array:
        """1.0 where a finding is known not to be there, else 0.0; float64 [N, C]."""
        return (self.truth == 0).astype(np.float64)

    @cached_property
    def called(self) -> Array:
        """1.0 where the probability reaches the threshold, else 0.0; float64 [N, C]."""
        return (self.probabilities >= self.thresholds).astype(np.float64)

    @cached_property
    def counted(self) -> NDArray[np.bool_]:
        """Which findings count in averages: those both true and not of some pair; bool [C]."""
        return np.asarray((self.truth == 1).any(axis=0) & (self.truth == 0).any(axis=0))


def columns(classes: Sequence[str]) -> list[str]:
    """Name the columns in order: pair_id, case_id, subset, findings, ``p_<class>`` each."""
    return ["pair_id", "case_id", "subset", finding_texts.COLUMN, *of_probabilities(classes)]


def of_probabilities(classes: Sequence[str]) -> list[str]:
    """Name the columns of probabilities, in the order of the classes."""
    return [f"p_{name}" for name in classes]


def predicted_rows(
    pairs: pd.DataFrame,
    probabilities: NDArray[np.float32] | Array,
    classes: Sequence[str],
    *,
    subset: str,
) -> pd.DataFrame:
    """Make the rows of N pairs.

    Args:
        pairs: pair_id, case_id and findings.
        probabilities: float32 or float64 [N, C], each 0 to 1.
        classes: The C findings.
        subset: Which one the pairs are.

    Returns:
        One row per pair, with the columns that :func:`columns` names.
    """
    table = pairs[[*KEYS]].copy()
    table.insert(2, "subset", subset)
    given = pd.DataFrame(probabilities, index=table.index, columns=of_probabilities(classes))
    return pd.concat([table, given], axis=1)


def told(table: pd.DataFrame) -> str:
    """Count the pairs of predictions of which any finding is true, for the log."""
    known = table[finding_texts.COLUMN].str.split(finding_texts.SEPARATOR)
    true = [any(name and not name.endswith(finding_texts.UNKNOWN) for name in one) for one in known]
    return f"{sum(true)} of them with a finding"


def same_pairs(tables: Sequence[pd.DataFrame], subset: str, *, of_what: str) -> list[pd.DataFrame]:
    """Return the rows of one subset of several tables, row by row about the same pairs.

    Args:
        tables: Predictions tables.
        subset: Which rows to take.
        of_what: What the tables belong to, for the error: seeds or systems.

    Raises:
        PairDxError: They are over different pairs, cases or findings.
    """
    rows = [subset_rows(table, subset) for table in tables]
    keys = [*KEYS]
    if not all(one[keys].equals(rows[0][keys]) for one in rows):
        raise PairDxError(
            f"the predictions of different {of_what} are over different pairs, cases or findings",
            remedy=f"delete predictions.parquet of these {of_what} and start again: the split "
            "changed in between",
        )
    return rows


def comparable(reads: Sequence[Findings]) -> list[Findings]:
    """Return reads about the same pairs with thresholds for the same findings.

    A finding that one of them has no threshold for is left without in all: their averages of F1
    and MCC would else be over different findings.
    """
    undecided = np.isnan([read.thresholds for read in reads]).any(axis=0)
    return [
        replace(read, thresholds=np.where(undecided, np.nan, read.thresholds)) for read in reads
    ]


def read_predictions(
    table: pd.DataFrame, classes: Sequence[str], *, subset: str = "test"
) -> Findings:
    """Check the rows of one subset and turn them into arrays; thresholds are from validation.

    Args:
        table: pair_id, case_id, subset, findings and one ``p_<class>`` per class. Its validation
            rows decide the thresholds, whichever subset is read; without any there are none.
        classes: The findings.
        subset: Which rows to read.

    Raises:
        PairDxError: A column is missing, the subset is empty, a finding is not one of ``classes``,
            or a probability is not from 0 to 1.
    """
    missing = [column for column in columns(classes) if column not in table.columns]
    if missing:
        raise PairDxError(f"the predictions lack the columns {', '.join(missing)}")
    rows = subset_rows(table, subset)
    truth, probabilities = _arrays(rows, classes)
    validation = table.loc[table["subset"] == THRESHOLDS_FROM]
    thresholds, positives = np.full(len(classes), np.nan), np.zeros(len(classes), dtype=np.int64)
    if len(validation):
        known, scores = _arrays(subset_rows(table, THRESHOLDS_FROM), classes)
        thresholds, positives = choose_thresholds(known, scores), (known == 1).sum(axis=0)
    return Findings(truth, probabilities, thresholds, positives, *case_indices(rows))


def _arrays(rows: pd.DataFrame, classes: Sequence[str]) -> tuple[Array, Array]:
    """Return truth and probabilities of some rows: float64 [N, C] both."""
    texts = rows[finding_texts.COLUMN]
    written = texts.map(lambda text: isinstance(text, str))
    if not written.all():
        first = rows.loc[~written, "pair_id"].iloc[0]
        raise PairDxError("a pair has no text of its findings", where=f"pair_id {first}")
    probabilities = rows[of_probabilities(classes)].to_numpy(dtype=np.float64)
    holds = ((probabilities >= 0) & (probabilities <= 1)).all(axis=1)  # NaN is neither
    if not holds.all():
        first = rows["pair_id"].iloc[int(np.flatnonzero(~holds)[0])]
        raise PairDxError(
            "a probability of a pair is not a number from 0 to 1", where=f"pair_id {first}"
        )
    return finding_texts.decode(texts, classes), probabilities
