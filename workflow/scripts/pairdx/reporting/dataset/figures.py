"""Figures of the dataset: class counts, example images, caption lengths, ages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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


@theme()
def class_counts(
    dataset: pd.DataFrame, splits: Sequence[str], *, title: str, note: str | None = None
) -> Figure:
    """Draw the pairs per class and subset, one panel per split.

    Args:
        dataset: What ``dataset_table`` returned for these splits.
        splits: The splits to draw.
        title: Title of the figure.
        note: Small print under it.
    """
    classes = dataset[dataset["class"] != "total"]
    figure = new_figure(0.75 + 1.95 * len(splits), title=title, note=note)
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
        f"{readable(name).replace(' ', chr(10))}\n({count:,})"
        for name, count in zip(classes["class"], classes["pairs"], strict=True)
    ]
    panels[-1].set_xticks(range(len(classes)), names)
    legend_below(figure, panels[0], columns=len(SUBSETS))
    return figure


@theme()
def example_images(
    examples: Mapping[str, Sequence[tuple[np.ndarray, str]]],
    *,
    title: str,
    note: str | None = None,
    longest_caption: int = 110,
) -> Figure:
    """Draw example images of every class with the start of their captions.

    One example per class gives three classes a row; several give one row per class.

    Args:
        examples: Per class, in figure order: (uint8 [S, S, 3] RGB, caption) of every example.
        title: Title of the figure.
        note: Small print under it, such as the images' source.
        longest_caption: Characters after which a caption is cut.
    """
    several = max(len(group) for group in examples.values())
    columns = 3 if several == 1 else several
    pictures = [
        Picture(
            image,
            f"({chr(ord('A') + position)}) {readable(name)}" if offset == 0 else "",
            shorten(caption, longest_caption),
            *(divmod(position, 3) if several == 1 else (position, offset)),
        )
        for position, (name, group) in enumerate(examples.items())
        for offset, (image, caption) in enumerate(group)
    ]
    return picture_grid(pictures, columns, title=title, note=note)


@theme()
def caption_lengths(
    pairs: pd.DataFrame,
    classes: Sequence[str],
    *,
    title: str,
    note: str | None = None,
    truncation: int | None = None,
) -> Figure:
    """Draw the number of words per caption and class: median, quartiles, 5th and 95th percentile.

    Args:
        pairs: label, caption.
        classes: The classes, in figure order.
        title: Title of the figure.
        note: Small print under it.
        truncation: Words after which a system cuts captions, as a line.
    """
    words = pairs["caption"].str.split().map(len)
    figure = new_figure(0.95 + 0.36 * len(classes), title=title, note=note)
    panel = figure.subplots()
    panel.boxplot(
        [words[pairs["label"] == name].to_numpy() for name in classes],
        positions=range(len(classes)),
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
    panel.set_yticks(range(len(classes)), [readable(name) for name in classes])
    panel.set(xlabel="Words per caption (line: median; box: quartiles; whiskers: 5 % and 95 %)")
    panel.set(xlim=(0, None), ylim=(len(classes) - 0.5, -0.5))
    panel.grid(axis="y", visible=False)
    despine(panel)
    return figure


@theme()
def ages(
    pairs: pd.DataFrame,
    classes: Sequence[str],
    *,
    title: str,
    note: str | None = None,
    youngest: int | None = None,
) -> Figure:
    """Draw the distribution of the patients' ages, one panel per class, as shares of known ages.

    Every pair counts, so that a patient with several images counts several times.

    Args:
        pairs: label, age (years; missing where unknown).
        classes: The classes, in figure order.
        title: Title of the figure.
        note: Small print under it.
        youngest: Years. The first bar starts here, so that an age limit cuts no bar in two.
    """
    years = pd.to_numeric(pairs["age"]).astype("Float64")
    known = years.dropna()
    low = min(float(known.min()) if len(known) else 0.0, np.inf if youngest is None else youngest)
    edges = np.arange(low, (known.max() if len(known) else 100) + YEARS_PER_BAR + 1, YEARS_PER_BAR)
    rows = -(-len(classes) // 3)
    figure = new_figure(0.45 + 1.6 * rows, title=title, note=note)
    panels = figure.subplots(rows, 3, sharex=True, sharey=True, squeeze=False).ravel()
    for panel, name in zip(panels, classes, strict=False):
        _age_histogram(panel, years[pairs["label"] == name], edges, name)
    for panel in panels[len(classes) :]:
        panel.set_axis_off()
    if known.empty:
        panels[0].set(xticks=[], yticks=[])
    figure.supxlabel(f"Age in years ({YEARS_PER_BAR} years per bar)", size=BODY)
    figure.supylabel("Pairs of known age (%)", size=BODY)
    return figure


def _age_histogram(panel: Axes, years: pd.Series, edges: np.ndarray, name: str) -> None:
    known = years.dropna().to_numpy(dtype=float)
    lines = [readable(name), f"unknown: {len(years) - len(known):,} of {len(years):,}"]
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


def _thousands(panel: Axes, axis: str) -> None:
    getattr(panel, f"{axis}axis").set_major_formatter(lambda value, _: f"{value:,.0f}")
