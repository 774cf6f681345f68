"""Figures of the dataset: class counts, example images, caption lengths, ages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pairdx.reporting.format.class_ticks import (
    LONGEST,
    MOST_COLUMNS,
    column_name,
    fit_side_by_side,
    heading,
    row_height,
    row_name,
    row_size,
)
from pairdx.reporting.format.classes import MOST_ROWS, Names, most_of, title_of, with_remark
from pairdx.reporting.format.glyphs import drawable_name
from pairdx.reporting.format.labels import readable
from pairdx.reporting.format.picture_grid import Picture, picture_grid
from pairdx.reporting.format.tables import shorten
from pairdx.reporting.format.theme import (
    BODY,
    INK,
    SMALL,
    STYLES,
    despine,
    hatch_bars,
    legend_below,
    new_figure,
    style,
    theme,
)
from pairdx.subsets import SUBSETS

YEARS_PER_BAR = 5  # of the ages' histograms
MOST_EXAMPLES = 20  # classes
FEW_EXAMPLES = 9  # that stand three in a row, and not four
MOST_PANELS = 15  # three in a row
REST = "counted in tables/dataset"


@theme()
def class_counts(
    dataset: pd.DataFrame,
    splits: Sequence[str],
    classes: Names,
    *,
    title: str,
    note: str | None = None,
) -> Figure:
    """Draw the pairs per class and subset, one panel per split.

    A few classes stand side by side; more, or those with long names, below each other, the
    :data:`MOST_ROWS` largest of them.

    Args:
        dataset: What ``dataset_table`` returned for these splits.
        splits: The splits to draw.
        classes: Display names, by label.
        title: Title of the figure.
        note: Small print under it.
    """
    counts = dataset.iloc[:-1]
    titles = [title_of(label, classes) for label in counts["class"]]
    if fit_side_by_side(titles):
        return _counts_in_columns(counts, splits, titles, title=title, note=note)
    shown = most_of(counts["class"], counts.set_index("class")["pairs"].to_dict(), MOST_ROWS)
    note = with_remark(note, len(shown), len(counts), "with most pairs", REST)
    rows = counts[counts["class"].isin(shown)]
    names = [
        row_name(title_of(label, classes), f"({pairs:,})")
        for label, pairs in zip(rows["class"], rows["pairs"], strict=True)
    ]
    return _counts_in_rows(rows, splits, names, title=title, note=note)


def _counts_in_columns(
    classes: pd.DataFrame, splits: Sequence[str], titles: Sequence[str], **words: Any
) -> Figure:
    figure = new_figure(0.75 + 1.95 * len(splits), **words)
    panels = figure.subplots(len(splits), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for panel, split in zip(panels, splits, strict=True):
        for position, subset in enumerate(SUBSETS):
            counts = classes[f"{split}_{subset}"].to_numpy()
            places = np.arange(len(classes)) + 0.29 * (position - 1)
            bars = panel.bar(places, counts, width=0.27, label=readable(subset))
            hatch_bars(bars, style(position))
            panel.bar_label(bars, labels=[f"{count:,}" for count in counts], size=SMALL - 1)
        panel.set_title(f"{readable(split)} split", loc="left")
        panel.set_ylabel("Pairs")
        panel.margins(y=0.14)
        _thousands(panel, "y")
        panel.grid(axis="x", visible=False)
        despine(panel)
    names = [
        column_name(title, f"({count:,})")
        for title, count in zip(titles, classes["pairs"], strict=True)
    ]
    panels[-1].set_xticks(range(len(classes)), names)
    legend_below(figure, panels[0], columns=len(SUBSETS))
    return figure


def _counts_in_rows(
    classes: pd.DataFrame, splits: Sequence[str], names: Sequence[str], **words: Any
) -> Figure:
    rows = len(classes)
    figure = new_figure(1.05 + row_height(rows) * rows, **words)
    panels = figure.subplots(1, len(splits), sharex=True, sharey=True, squeeze=False)[0]
    for panel, split in zip(panels, splits, strict=True):
        start = np.zeros(rows)
        for position, subset in enumerate(SUBSETS):
            counts = classes[f"{split}_{subset}"].to_numpy()
            bars = panel.barh(range(rows), counts, left=start, height=0.7, label=readable(subset))
            hatch_bars(bars, style(position))
            start += counts
        panel.set_title(f"{readable(split)} split", loc="left")
        panel.set_xlabel("Pairs")
        panel.locator_params(axis="x", nbins=4)
        _thousands(panel, "x")
        panel.grid(axis="y", visible=False)
        despine(panel)
    panels[0].set_yticks(range(rows), names, size=row_size(rows))
    panels[0].set_ylim(rows - 0.5, -0.5)
    legend_below(figure, panels[0], columns=len(SUBSETS))
    return figure


def classes_with_examples(pairs: pd.DataFrame, classes: Iterable[str]) -> list[str]:
    """Name the classes of which examples are shown: those with most pairs, if they are many.

    Args:
        pairs: label.
        classes: The classes, in figure order.
    """
    counts = pairs["label"].value_counts()
    known = [label for label in classes if label in counts.index]
    return most_of(known, counts.to_dict(), MOST_EXAMPLES)


@theme()
def example_images(
    examples: Mapping[str, Sequence[tuple[np.ndarray, str]]],
    classes: Names,
    *,
    title: str,
    note: str | None = None,
    longest_caption: int = 110,
) -> Figure:
    """Draw example images of classes with the start of their captions.

    One example per class gives three or four classes a row; several give one row per class.

    Args:
        examples: Per class, in figure order: (uint8 [S, S, 3] RGB, caption) of every example.
        classes: Display names of all classes that have pairs, by label.
        title: Title of the figure.
        note: Small print under it.
        longest_caption: Characters after which a caption is cut.
    """
    several = max(len(group) for group in examples.values())
    in_row = 3 if len(examples) <= FEW_EXAMPLES else 4
    columns = in_row if several == 1 else several
    pictures = [
        Picture(
            image,
            f"({chr(ord('A') + position)}) {drawable_name(title_of(name, classes), LONGEST)}"
            if offset == 0
            else "",
            shorten(caption, longest_caption),
            *(divmod(position, in_row) if several == 1 else (position, offset)),
        )
        for position, (name, group) in enumerate(examples.items())
        for offset, (image, caption) in enumerate(group)
    ]
    note = with_remark(note, len(examples), len(classes), "with most pairs", REST)
    return picture_grid(pictures, columns, title=title, note=note)


@theme()
def caption_lengths(
    pairs: pd.DataFrame,
    classes: Names,
    *,
    title: str,
    note: str | None = None,
    truncation: int | None = None,
) -> Figure:
    """Draw the number of words per caption and class: median, quartiles, 5th and 95th percentile.

    Args:
        pairs: label, caption.
        classes: Display names by label, in figure order.
        title: Title of the figure.
        note: Small print under it.
        truncation: Words after which a system cuts captions, as a line.
    """
    words = pairs["caption"].str.split().map(len)
    shown = _largest(pairs, classes, MOST_ROWS)
    note = with_remark(note, len(shown), len(classes), "with most pairs", REST)
    height = 0.36 if len(shown) <= MOST_COLUMNS else row_height(len(shown))
    figure = new_figure(0.95 + height * len(shown), title=title, note=note)
    panel = figure.subplots()
    panel.boxplot(
        [words[pairs["label"] == name].to_numpy() for name in shown],
        positions=range(len(shown)),
        orientation="horizontal",
        whis=(5, 95),
        showfliers=False,
        widths=0.6,
        patch_artist=True,
        boxprops={"facecolor": STYLES[4].colour, "edgecolor": INK},
        medianprops={"color": INK, "linewidth": 2.0},
    )
    if truncation is not None:
        beyond = 100 * float((words > truncation).mean()) if len(words) else 0.0
        panel.axvline(
            truncation,
            color=STYLES[5].colour,
            lw=1.6,
            linestyle="--",
            label=f"Cut after {truncation} words ({beyond:.0f} % of captions are longer)",
        )
        legend_below(figure, panel, columns=1)
    names = [row_name(title_of(name, classes)) for name in shown]
    panel.set_yticks(range(len(shown)), names, size=row_size(len(shown)))
    panel.set(xlabel="Words per caption (line: median; box: quartiles; whiskers: 5 % and 95 %)")
    panel.set(xlim=(0, None), ylim=(len(shown) - 0.5, -0.5))
    panel.grid(axis="y", visible=False)
    despine(panel)
    return figure


@theme()
def ages(
    pairs: pd.DataFrame,
    classes: Names,
    *,
    title: str,
    note: str | None = None,
    youngest: int | None = None,
) -> Figure:
    """Draw the distribution of the patients' ages, one panel per class, as shares of known ages.

    Every pair counts, so that a patient with several images counts several times.

    Args:
        pairs: label, age (years; missing where unknown).
        classes: Display names by label, in figure order.
        title: Title of the figure.
        note: Small print under it.
        youngest: Years. The first bar starts here, so that an age limit cuts no bar in two.
    """
    years = pd.to_numeric(pairs["age"]).astype("Float64")
    known = years.dropna()
    low = min(float(known.min()) if len(known) else 0.0, np.inf if youngest is None else youngest)
    edges = np.arange(low, (known.max() if len(known) else 100) + YEARS_PER_BAR + 1, YEARS_PER_BAR)
    shown = _largest(pairs, classes, MOST_PANELS)
    note = with_remark(note, len(shown), len(classes), "with most pairs", REST)
    rows = -(-len(shown) // 3)
    figure = new_figure(0.45 + 1.6 * rows, title=title, note=note)
    panels = figure.subplots(rows, 3, sharex=True, sharey=True, squeeze=False).ravel()
    for panel, name in zip(panels, shown, strict=False):
        of_class = years[pairs["label"] == name]
        _age_histogram(panel, of_class, edges, heading(title_of(name, classes), 1.95, SMALL + 0.5))
    for panel in panels[len(shown) :]:
        panel.set_axis_off()
    if known.empty:
        panels[0].set(xticks=[], yticks=[])
    figure.supxlabel(f"Age in years ({YEARS_PER_BAR} years per bar)", size=BODY)
    figure.supylabel("Pairs of known age (%)", size=BODY)
    return figure


def _age_histogram(panel: Axes, years: pd.Series, edges: np.ndarray, name: str) -> None:
    known = years.dropna().to_numpy(dtype=float)
    lines = [name, f"unknown: {len(years) - len(known):,} of {len(years):,}"]
    if len(known):
        shares = np.full(len(known), 100 / len(known))
        panel.hist(known, edges.tolist(), weights=shares, color=STYLES[4].colour, edgecolor="white")
        median = float(np.median(known))
        panel.axvline(median, color=INK, lw=1.6, linestyle="--")
        lines.insert(1, f"median (dashed) {median:g} years")
    else:
        panel.text(0.5, 0.5, "No age is known", ha="center", transform=panel.transAxes)
    panel.set_title("\n".join(lines), loc="left", size=SMALL + 0.5)
    panel.grid(visible=len(known) > 0, axis="y")
    panel.grid(visible=False, axis="x")
    despine(panel)


def _largest(pairs: pd.DataFrame, classes: Names, most: int) -> list[str]:
    """Name the classes with most pairs, in figure order."""
    counts = pairs["label"].value_counts()
    return most_of(classes, {label: int(counts.get(label, 0)) for label in classes}, most)


def _thousands(panel: Axes, axis: str) -> None:
    getattr(panel, f"{axis}axis").set_major_formatter(lambda value, _: f"{value:,.0f}")
