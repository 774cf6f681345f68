"""Figure of a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from pairdx.reporting.format.labels import readable
from pairdx.reporting.format.theme import SMALL, new_figure, theme


@theme()
def confusion_matrix(
    confusion: Sequence[Sequence[int]],
    classes: Sequence[str],
    *,
    title: str,
    note: str | None = None,
) -> Figure:
    """Draw a confusion matrix: counts, and each row's shares as shading.

    Args:
        confusion: Rows are true classes, columns predicted classes, in the order of ``classes``.
        classes: The classes.
        title: Title of the figure.
        note: Small print under it.
    """
    counts = np.asarray(confusion, dtype=np.int64)
    rows = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, rows, out=np.zeros(counts.shape), where=rows > 0)
    written = [
        [
            f"{count:,}\n{100 * share:.1f} %" if total else "no pairs"
            for count, share in zip(row, row_shares, strict=True)
        ]
        for row, row_shares, total in zip(counts, shares, rows[:, 0], strict=True)
    ]
    figure = new_figure(5.2, title=title, note=note)
    panel = figure.subplots()
    sns.heatmap(
        100 * shares,
        annot=np.array(written),
        fmt="",
        cmap="Blues",
        vmin=0,
        vmax=100,
        linewidths=0.8,
        linecolor="white",
        annot_kws={"size": SMALL + 0.5},
        cbar_kws={"label": "Share of the true class (%)", "pad": 0.02, "aspect": 35},
        xticklabels=[readable(name).replace(" ", "\n") for name in classes],
        yticklabels=[
            f"{readable(name)}\n(n = {total:,})"
            for name, total in zip(classes, rows[:, 0], strict=True)
        ],
        ax=panel,
    )
    panel.set(xlabel="Predicted class", ylabel="True class")
    panel.tick_params(axis="both", rotation=0, length=0)
    return figure
