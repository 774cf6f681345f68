"""Figures of one system: training curves, per-class scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pairdx.reporting.format.labels import readable
from pairdx.reporting.format.theme import (
    SMALL,
    despine,
    hatch_bars,
    legend_below,
    new_figure,
    style,
    theme,
)

CURVES = (("train", "Training"), ("validation", "Validation"))


@theme()
def training_curves(
    histories: Sequence[pd.DataFrame], *, title: str, note: str | None = None
) -> Figure:
    """Draw loss and accuracy over epochs, training against validation.

    With several seeds, each is a thin line and their mean a thick one. A curve without values (a
    system that has no training accuracy, say) is left out.

    Args:
        histories: training.csv of every seed: epoch, train_loss, train_accuracy, validation_loss,
            validation_accuracy; accuracies are fractions of 1.
        title: Title of the figure.
        note: Small print under it.
    """
    figure = new_figure(2.9, title=title, note=note)
    panels = figure.subplots(1, 2)
    for panel, quantity, scale, label in zip(
        panels, ("loss", "accuracy"), (1, 100), ("Loss", "Accuracy (%)"), strict=True
    ):
        for position, (subset, name) in enumerate(CURVES):
            column = f"{subset}_{quantity}"
            curves = [one.set_index("epoch")[column].dropna() * scale for one in histories]
            curves = [one for one in curves if len(one)]
            if curves:
                _curve(panel, curves, position, name)
        panel.set(xlabel="Epoch", ylabel=label)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        panel.grid(axis="x", visible=False)
        despine(panel)
    with_most = max(panels, key=lambda panel: len(panel.get_legend_handles_labels()[0]))
    legend_below(figure, with_most, columns=2)
    return figure


def _curve(panel: Axes, curves: Sequence[pd.Series], position: int, name: str) -> None:
    look = style(position)
    if len(curves) > 1:
        name = f"{name} (mean of {len(curves)} seeds; thin: each)"
        for one in curves:
            panel.plot(one.index, one, color=look.colour, linestyle=look.line, lw=0.7, alpha=0.6)
    mean = pd.concat(curves, axis=1).mean(axis=1)
    panel.plot(
        mean.index,
        mean,
        color=look.colour,
        linestyle=look.line,
        marker=look.marker,
        markersize=3.5,
        markevery=max(1, len(mean) // 12),
        lw=1.6,
        label=name,
    )


@theme()
def per_class_bars(report: pd.DataFrame, *, title: str, note: str | None = None) -> Figure:
    """Draw precision, recall and F1 of every class of one system.

    Args:
        report: What ``per_class_report`` returned; undefined values have no bar and say so.
        title: Title of the figure.
        note: Small print under it.
    """
    averages = ("accuracy", "macro average", "weighted average")
    classes = report[~report["class"].isin(averages)]
    figure = new_figure(3.0, title=title, note=note)
    panel = figure.subplots()
    scores = (("precision", "Precision"), ("recall", "Recall"), ("f1", "F1"))
    for position, (column, name) in enumerate(scores):
        places = np.arange(len(classes)) + 0.27 * (position - 1)
        values = 100 * classes[column].to_numpy(dtype=float)
        bars = panel.bar(places, np.nan_to_num(values), width=0.25, label=name)
        hatch_bars(bars, style(position))
        for place, value in zip(places, values, strict=True):
            text = "none" if np.isnan(value) else f"{value:.0f}"
            panel.annotate(
                text,
                (place, np.nan_to_num(value)),
                xytext=(0, 1.5),
                textcoords="offset points",
                ha="center",
                va="bottom",
                size=SMALL - 1,
                rotation=90 if text == "none" else 0,
            )
    names = [
        f"{readable(name).replace(' ', chr(10))}\n(n = {int(support):,})"
        for name, support in zip(classes["class"], classes["support"], strict=True)
    ]
    panel.set_xticks(range(len(classes)), names)
    panel.set(ylim=(0, 108), yticks=range(0, 101, 20), ylabel="Score (%)")
    panel.grid(axis="x", visible=False)
    despine(panel)
    legend_below(figure, panel, columns=3)
    return figure
