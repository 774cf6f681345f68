"""Figure of a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pairdx.reporting.format.class_ticks import (
    MOST_COLUMNS,
    column_name,
    fit_side_by_side,
    row_name,
)
from pairdx.reporting.format.classes import MOST_ROWS, Names, title_of, with_remark
from pairdx.reporting.format.theme import SMALL, new_figure, theme

MOST_WITH_COUNTS = 16  # classes whose cells hold a number
ROOM = 1.7  # inches of a name, of more classes than stand side by side


@theme()
def confusion_matrix(
    confusion: Sequence[Sequence[int]],
    classes: Names,
    *,
    title: str,
    note: str | None = None,
) -> Figure:
    """Draw a confusion matrix: each row's shares as shading, and numbers where they fit.

    Of more than :data:`MOST_ROWS` classes, those that are confused most.

    Args:
        confusion: Rows are true classes, columns predicted classes, in the order of ``classes``.
        classes: Display names, by label.
        title: Title of the figure.
        note: Small print under it.
    """
    counts = np.asarray(confusion, dtype=np.int64)
    titles = [title_of(label, classes) for label in classes]
    shown = _most_confused(counts)
    rest = "see metrics.json; shares are of all pairs of a class"
    note = with_remark(note, len(shown), len(titles), "that are confused most", rest)
    rows = counts.sum(axis=1)
    shares = np.divide(counts, rows[:, None], out=np.zeros(counts.shape), where=rows[:, None] > 0)
    titles, rows = [titles[at] for at in shown], rows[shown]
    counts, shares = counts[np.ix_(shown, shown)], shares[np.ix_(shown, shown)]
    few = fit_side_by_side(titles)
    figure = new_figure(5.2 if few else 6.3, title=title, note=note)
    panel = figure.subplots()
    sns.heatmap(
        100 * shares,
        annot=_written(counts, shares, rows),
        fmt="",
        cmap="Blues",
        vmin=0,
        vmax=100,
        linewidths=0.8 if len(shown) <= MOST_WITH_COUNTS else 0.2,
        linecolor="white",
        annot_kws={"size": SMALL + 0.5 if len(shown) <= MOST_COLUMNS else SMALL - 1},
        cbar_kws={"label": "Share of the true class (%)", "pad": 0.02, "aspect": 35},
        **_ticks(titles, rows, few=few),
        ax=panel,
    )
    _name(panel, len(shown), few=few)
    return figure


def _most_confused(counts: NDArray[np.int64]) -> list[int]:
    """Return the places of the classes with most wrong predictions, in order; all of not many."""
    wrong = counts - np.diag(np.diag(counts))
    worth = wrong.sum(axis=0) + wrong.sum(axis=1)
    ranked = np.argsort(-worth, kind="stable")[:MOST_ROWS]
    return sorted(ranked.tolist())


def _written(
    counts: NDArray[np.int64], shares: NDArray[np.float64], rows: NDArray[np.int64]
) -> Any:
    """Write count and share, of many classes the count alone, of more nothing."""
    if len(rows) > MOST_WITH_COUNTS:
        return False
    many = len(rows) > MOST_COLUMNS
    return np.array(
        [
            [
                (f"{count:,}" if many else f"{count:,}\n{100 * share:.1f} %")
                if total
                else ("" if many else "no pairs")
                for count, share in zip(row, row_shares, strict=True)
            ]
            for row, row_shares, total in zip(counts, shares, rows, strict=True)
        ]
    )


def _ticks(titles: Sequence[str], rows: NDArray[np.int64], *, few: bool) -> dict[str, list[str]]:
    if few:
        return {
            "xticklabels": [column_name(title) for title in titles],
            "yticklabels": [
                f"{row_name(title)}\n(n = {total:,})"
                for title, total in zip(titles, rows, strict=True)
            ],
        }
    return {
        "xticklabels": [row_name(title, room=ROOM) for title in titles],
        "yticklabels": [
            row_name(title, f"({total:,})", ROOM) for title, total in zip(titles, rows, strict=True)
        ],
    }


def _name(panel: Axes, classes: int, *, few: bool) -> None:
    panel.set(xlabel="Predicted class", ylabel="True class")
    panel.tick_params(axis="both", rotation=0, length=0)
    if not few:
        panel.tick_params(axis="x", rotation=90)
        panel.set_ylabel("True class (pairs)")
        size = SMALL + 0.5 if classes <= MOST_WITH_COUNTS else SMALL - 1.5
        panel.tick_params(axis="both", labelsize=size)
