"""Figures of one system: training curves, per-class scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pairdx.reporting.format.class_ticks import (
    column_name,
    fit_side_by_side,
    row_height,
    row_name,
    row_size,
)
from pairdx.reporting.format.classes import MOST_ROWS, Names, most_of, title_of, with_remark
from pairdx.reporting.format.tables import AVERAGES
from pairdx.reporting.format.theme import (
    SMALL,
    despine,
    hatch_bars,
    legend_below,
    new_figure,
    style,
    theme,
)

SCORES = (("precision", "Precision"), ("recall", "Recall"), ("f1", "F1"))
# The style of a curve, and its name in the legend.
CURVES = {"train": (0, "Training"), "validation": (1, "Validation")}
# Columns of training.csv where texts are distilled (models/clip_it/collapse.py), panel by panel.
DISTILLATION = "distillation_loss"
OF_TEXTS = {
    "Distillation loss\n(1 \N{MINUS SIGN} cosine)": {DISTILLATION: (1, "Validation")},
    "Spread of\ntext features": {
        "predicted_text_spread": (2, "Predicted texts, validation"),
        "real_text_spread": (3, "Real texts, validation"),
    },
}
# The same where positive pairs are relaxed (models/clip/relaxed.py).
OF_PAIRS = {
    "Cosine of image\nand text": {"positive_cosine": (1, "Validation")},
    "Share of pairs\nabove the threshold": {"above_threshold": (1, "Validation")},
}


@theme()
def training_curves(
    histories: Sequence[pd.DataFrame],
    *,
    title: str,
    note: str | None = None,
    right: str = "Accuracy (%)",
) -> Figure:
    """Draw loss and accuracy over epochs, training against validation.

    With several seeds, each is a thin line and their mean a thick one. A curve without values (a
    system that has no training accuracy, say) is left out, and so are accuracies where there are
    none. Two smaller panels follow, of validation pairs: where a system learns from texts by
    distillation, the distillation loss, which is part of the loss, and the spread of predicted and
    real text features; where positive pairs are relaxed, their mean cosine and the share of them
    above the threshold.

    Args:
        histories: training.csv of every seed: epoch, train_loss, train_accuracy, validation_loss,
            validation_accuracy; accuracies are fractions of 1; where texts are distilled also
            distillation_loss, predicted_text_spread and real_text_spread, where pairs are relaxed
            positive_cosine and above_threshold.
        title: Title of the figure.
        note: Small print under it.
        right: What the column of accuracies is, in percent.
    """
    distilled = all(DISTILLATION in one for one in histories)
    further = next((one for one in (OF_TEXTS, OF_PAIRS) if _has(histories, one)), {})
    figure = new_figure(2.9 + (1.9 if further else 0.0), title=title, note=note)
    rows = 2 if further else 1
    losses = "Loss, distillation included" if distilled else "Loss"
    upper = {losses: ("loss", 1), right: ("accuracy", 100)}
    names = {
        label: {f"{subset}_{quantity}": look for subset, look in CURVES.items()}
        for label, (quantity, _) in upper.items()
    }
    if not any(one[[*names[right]]].notna().any(axis=None) for one in histories):
        del names[right]
    panels = figure.subplots(rows, 2, squeeze=False, height_ratios=(1.0, 0.6)[:rows])
    for panel, (label, columns) in zip(panels[0], names.items(), strict=False):
        _over_epochs(panel, histories, columns, label, upper[label][1])
    for panel in panels[0, len(names) :]:
        panel.set_visible(False)
    for panel, (label, columns) in zip(panels[1:].flat, further.items(), strict=False):
        _over_epochs(panel, histories, columns, label)
        # From 0: collapsed features have no spread. Above, room for half a marker.
        low, high = panel.get_ylim()
        panel.set_ylim(min(0, low), 1.05 * high)
    legend_below(figure, [panel for panel in panels.flat if panel.get_visible()], columns=2)
    return figure


def _has(
    histories: Sequence[pd.DataFrame], panels: Mapping[str, Mapping[str, tuple[int, str]]]
) -> bool:
    """Whether training.csv of every seed has the columns of these panels."""
    columns = {name for of_panel in panels.values() for name in of_panel}
    return all(columns <= {*one.columns} for one in histories)


def _over_epochs(
    panel: Axes,
    histories: Sequence[pd.DataFrame],
    columns: Mapping[str, tuple[int, str]],
    label: str,
    scale: float = 1,
) -> None:
    """Draw columns of training.csv, each in its style and by its name in the legend."""
    for column, (position, name) in columns.items():
        curves = [one.set_index("epoch")[column].dropna() * scale for one in histories]
        curves = [one for one in curves if len(one)]
        if curves:
            _curve(panel, curves, position, name)
    panel.set(xlabel="Epoch", ylabel=label)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    panel.grid(axis="x", visible=False)
    despine(panel)


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
def per_class_bars(
    report: pd.DataFrame, names: Names, *, title: str, note: str | None = None
) -> Figure:
    """Draw precision, recall and F1 of every class of one system.

    A few classes stand side by side, as bars; more, or those with long names, below each other, as
    points: the :data:`MOST_ROWS` of lowest F1.

    Args:
        report: What ``per_class_report`` returned; undefined values have no bar and say so.
        names: Display names, by label.
        title: Title of the figure.
        note: Small print under it.
    """
    classes = report.iloc[: -len(AVERAGES)]
    titles = [title_of(label, names) for label in classes["class"]]
    if fit_side_by_side(titles):
        return _scores_in_columns(classes, titles, title=title, note=note)
    worst = classes.set_index("class")["f1"].astype("float64").fillna(0)
    shown = most_of(classes["class"], (-worst).to_dict(), MOST_ROWS)
    rest = "see the table of scores per class"
    note = with_remark(note, len(shown), len(classes), "of lowest F1", rest)
    kept = classes["class"].isin(shown).to_numpy()
    titles = [title for title, keep in zip(titles, kept, strict=True) if keep]
    return _scores_in_rows(classes[kept], titles, title=title, note=note)


def _scores_in_columns(classes: pd.DataFrame, titles: Sequence[str], **words: Any) -> Figure:
    figure = new_figure(3.0, **words)
    panel = figure.subplots()
    for position, (column, name) in enumerate(SCORES):
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
        column_name(title, f"(n = {int(support):,})")
        for title, support in zip(titles, classes["support"], strict=True)
    ]
    panel.set_xticks(range(len(classes)), names)
    panel.set(ylim=(0, 108), yticks=range(0, 101, 20), ylabel="Score (%)")
    panel.grid(axis="x", visible=False)
    despine(panel)
    legend_below(figure, panel, columns=3)
    return figure


def _scores_in_rows(classes: pd.DataFrame, titles: Sequence[str], **words: Any) -> Figure:
    rows = len(classes)
    figure = new_figure(0.95 + row_height(rows) * rows, **words)
    panel = figure.subplots()
    for position, (column, name) in enumerate(SCORES):
        look = style(position)
        values = 100 * classes[column].to_numpy(dtype=float)
        places = np.arange(rows) + 0.2 * (position - 1)  # equal scores lie beside each other
        panel.plot(
            values, places, look.marker, color=look.colour, markersize=4, clip_on=False, label=name
        )
    names = [
        row_name(title, f"(n = {int(support):,})")
        for title, support in zip(titles, classes["support"], strict=True)
    ]
    panel.set_yticks(range(rows), names, size=row_size(rows))
    panel.set(xlim=(0, 100), ylim=(rows - 0.5, -0.5), xlabel="Score (%); no point: undefined")
    despine(panel)
    legend_below(figure, panel, columns=3)
    return figure
