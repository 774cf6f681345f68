"""The rows of predictions, as far as they are the same whatever the task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pairdx.errors import PairDxError

ReadT = TypeVar("ReadT")


class Read(Protocol):
    """The pairs of one subset as arrays; what a task has of each besides is its own."""

    @property
    def case(self) -> NDArray[np.int64]:
        """Index of each pair's case, int64 [N], 0 to ``cases`` - 1."""

    @property
    def cases(self) -> int:
        """Number of cases."""

    def __len__(self) -> int:
        """Number of pairs."""


class Rows(Protocol[ReadT]):
    """What a row of a task's predictions holds: the module ``rows`` of its folder."""

    def columns(self, classes: Sequence[str]) -> list[str]:
        """Name the columns, in the order in which they are written."""

    def predicted_rows(
        self,
        pairs: pd.DataFrame,
        probabilities: NDArray[np.float32],
        classes: Sequence[str],
        *,
        subset: str,
    ) -> pd.DataFrame:
        """Make the rows of N pairs from their table and probabilities, float32 [N, C]."""

    def read_predictions(
        self, table: pd.DataFrame, classes: Sequence[str], *, subset: str = "test"
    ) -> ReadT:
        """Check the rows of one subset and turn them into arrays."""

    def told(self, table: pd.DataFrame) -> str:
        """Say in a few words for the log what rows of predictions come to."""

    def same_pairs(
        self, tables: Sequence[pd.DataFrame], subset: str, *, of_what: str
    ) -> list[pd.DataFrame]:
        """Return the rows of one subset of several tables, row by row about the same pairs."""

    def comparable(self, reads: Sequence[ReadT]) -> list[ReadT]:
        """Return reads about the same pairs, so that a metric is over the same in each."""


def subset_rows(table: pd.DataFrame, subset: str) -> pd.DataFrame:
    """Return the rows of one subset in order of ``pair_id``.

    Raises:
        PairDxError: There are none, or a ``pair_id`` appears twice.
    """
    rows = table.loc[table["subset"] == subset].sort_values("pair_id", ignore_index=True)
    if rows.empty:
        raise PairDxError(f"the predictions hold no pair of the subset '{subset}'")
    repeated = rows.loc[rows["pair_id"].duplicated(), "pair_id"]
    if not repeated.empty:
        raise PairDxError("a pair was predicted twice", where=f"pair_id {repeated.iloc[0]}")
    return rows


def case_indices(rows: pd.DataFrame) -> tuple[NDArray[np.int64], int]:
    """Number the cases in order of case_id: each pair's, int64 [N], and how many there are.

    Raises:
        PairDxError: A pair has no case_id.
    """
    case, names = pd.factorize(rows["case_id"], sort=True)
    if (case < 0).any():
        raise PairDxError(
            "a pair has no case_id", where=f"pair_id {rows['pair_id'].iloc[int(case.argmin())]}"
        )
    return case.astype(np.int64), len(names)
