"""What a task offers to the rest of the library, and how its metrics are declared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from pairdx.tasks.rows import Read, Rows

Array = NDArray[np.float64]
Chosen = NDArray[np.bool_]
ReadT = TypeVar("ReadT", bound=Read)
WeighedT = TypeVar("WeighedT")


@dataclass(frozen=True)
class Metric(Generic[ReadT, WeighedT]):
    """One number about all pairs of a subset, declared once.

    metrics.json, the table of seeds and their intervals follow from it.

    Attributes:
        name: Its key in metrics.json.
        title: How tables call it, without a unit.
        larger_is_better: Whether a system with more of it is the better one.
        under_weights: Its value under R weightings of the pairs, float64 [R]; NaN where it is
            undefined. Under weights of one it is the value; under the counts of a resample, that of
            the resample.
        shares: Of a share of pairs, or an average of shares: per share the pairs that it is over,
            bool [N]; where these have two sides (of AUROC: the positives and the negatives), both.
            Its interval is then a score interval. None: it is no share, and its interval is that of
            percentiles of the bootstrap.
        percent: Whether tables show it in percent.
        decimals: Decimals that tables show.
        note: What a reader of the table has to know about it.
    """

    name: str
    title: str
    larger_is_better: bool
    under_weights: Callable[[WeighedT], Array]
    shares: Callable[[ReadT], Sequence[tuple[Chosen, ...]]] | None
    percent: bool = False
    decimals: int = 3
    note: str = ""

    @property
    def heading(self) -> str:
        """Title and unit."""
        return f"{self.title}, %" if self.percent else self.title

    def written(self, value: float) -> str:
        """Write a value for reading, in the unit of :attr:`heading`."""
        shown = round(100 * value if self.percent else value, self.decimals)
        return f"{shown + 0.0:.{self.decimals}f}"  # no minus zero


@dataclass(frozen=True)
class ClassScore(Generic[ReadT, WeighedT]):
    """One number per class, with an interval.

    Attributes:
        name: Its key under each class in metrics.json.
        under_weights: Its values under R weightings of the pairs, float64 [R, C]; NaN where it is
            undefined.
        pairs: The pairs that the share is over, bool [N], of the class at a position. Its interval
            is then a score interval. None: it is no share, and its interval is that of percentiles
            of the bootstrap.
    """

    name: str
    under_weights: Callable[[WeighedT], Array]
    pairs: Callable[[ReadT, int], Chosen] | None


class Task(Protocol[ReadT, WeighedT]):
    """What a task must offer so that its predictions are written, read and evaluated."""

    @property
    def name(self) -> str:
        """The name of its folder."""

    @property
    def analyses(self) -> tuple[str, ...]:
        """Names of what can be made of its predictions."""

    @property
    def rows(self) -> Rows[ReadT]:
        """What a row of predictions holds."""

    @property
    def metrics(self) -> Sequence[Metric[ReadT, WeighedT]]:
        """What is computed of a subset, in the order of the tables."""

    @property
    def class_scores(self) -> Sequence[ClassScore[ReadT, WeighedT]]:
        """What is computed of every class."""

    def weighed(self, read: ReadT, weights: Array) -> WeighedT:
        """Put weights, float64 [R, N], on the pairs: what the metrics are functions of."""

    def support(self, read: ReadT) -> list[int]:
        """Count the pairs that each class is true of."""

    def details(self, read: ReadT) -> dict[str, Any]:
        """Return what metrics.json holds besides, JSON-ready."""
