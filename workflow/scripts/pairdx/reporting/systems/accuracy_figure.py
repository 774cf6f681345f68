"""The accuracy of all systems on all datasets and splits, beside the paper's."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pairdx.reporting.format.labels import Datasets, readable
from pairdx.reporting.format.theme import (
    FAINT,
    INK,
    despine,
    legend_below,
    new_figure,
    style,
    theme,
)

PANELS = 3  # in a row
NAME_WIDTH = 34  # characters per line of a system's title
# Characters per line of a panel's heading, by how many panels stand in a row.
HEADING_WIDTHS = {1: 90, 2: 40, 3: 25}
LINE = 0.16  # inches per line of a heading
NO_BREAK = "\N{NO-BREAK SPACE}"


@theme()
def accuracy_comparison(
    comparison: pd.DataFrame,
    titles: Mapping[str, str],
    majority_shares: Mapping[tuple[str, str], float],
    datasets: Datasets,
    *,
    title: str,
    note: str | None = None,
    papers: str = "Paper",
    level: float = 0.95,
) -> Figure:
    """Draw accuracy with its interval per system and split, beside the paper's.

    Several datasets have a panel each, with the same systems at the same heights.

    Args:
        comparison: tables/comparison.csv.
        titles: Title per system.
        majority_shares: Per dataset and split, the share of the most frequent class of the test
            set.
        datasets: title of every dataset.
        title: Title of the figure.
        note: Small print under it.
        papers: What the legend says of the paper's markers.
        level: Coverage of the intervals.
    """
    systems = [name for name in titles if name in set(comparison["system"])]
    splits = list(dict.fromkeys(comparison["split"]))
    names = list(dict.fromkeys(comparison["dataset"]))
    shares = {name: _shares_of(name, splits, majority_shares) for name in names}
    headings = _headings(names, datasets, shares) if len(names) > 1 else [""]
    across = min(len(names), PANELS)
    down = -(-len(names) // across)
    lines = max(heading.count("\n") + 1 for heading in headings) if len(names) > 1 else 0
    each = 0.42 * len(systems) + LINE * lines + (0.4 if down > 1 else 0)
    figure = new_figure(1.15 + down * each, title=title, note=note)
    panels = figure.subplots(down, across, squeeze=False, sharey=True)
    for panel, name, heading in zip(panels.flat, names, headings, strict=False):
        rows = comparison[comparison["dataset"] == name]
        _draw(panel, rows, systems, splits, level, papers)
        _majority_lines(panel, shares[name], named=len(names) == 1)
        panel.set_title(heading, loc="left").set_parse_math(False)
    for unused in panels.flat[len(names) :]:
        unused.set_visible(False)
    shown = [textwrap.fill(titles[name], NAME_WIDTH, break_on_hyphens=False) for name in systems]
    panels[0, 0].set_yticks(range(len(systems)), shown)
    panels[0, 0].set_ylim(len(systems) - 0.5, -0.5)
    legend_below(figure, list(panels.flat[: len(names)]), columns=2)
    return figure


def _headings(
    names: Sequence[str], datasets: Datasets, shares: Mapping[str, Mapping[float, Sequence[str]]]
) -> list[str]:
    """Say above each panel which dataset it is about, and what its lines are."""
    width = HEADING_WIDTHS[min(len(names), PANELS)]
    headings = []
    for name in names:
        each = shares[name]
        lines = ", ".join(
            f"{share:.1f}{NO_BREAK}%"
            + (f"{NO_BREAK}({' and '.join(same)})" if len(each) > 1 else "")
            for share, same in each.items()
        )
        title = str(datasets[name]["title"])
        parts = [title, *([f"Most frequent class: {lines}"] if each else [])]
        headings.append(
            "\n".join(textwrap.fill(part, width, break_on_hyphens=False) for part in parts)
        )
    return headings


def _draw(
    panel: Axes,
    rows: pd.DataFrame,
    systems: Sequence[str],
    splits: Sequence[str],
    level: float,
    papers: str,
) -> None:
    """Draw one dataset: a row per system, a marker per split."""
    offsets = np.linspace(-0.2, 0.2, len(splits)) if len(splits) > 1 else np.zeros(1)
    for position, split in enumerate(splits):
        own = rows[rows["split"] == split]
        if own.empty:
            continue
        heights = own["system"].map(systems.index) + offsets[position]
        look = style(position)
        value = 100 * own["accuracy"].to_numpy(dtype=float)
        bounds = 100 * own[["accuracy_low", "accuracy_high"]].to_numpy(dtype=float)
        reach = np.nan_to_num(np.abs(bounds - value[:, None])).T
        panel.errorbar(
            value,
            heights,
            xerr=reach,
            fmt=look.marker,
            color=look.colour,
            markersize=5,
            capsize=2.5,
            lw=1.4,
            label=f"{readable(split)} split ({100 * level:g} % interval)",
        )
        if "paper_accuracy" in own:
            _paper_markers(panel, own, heights, papers)
    panel.set(xlim=(0, 101.5), xlabel="Test accuracy (%)")
    panel.grid(axis="y", visible=False)
    for between in np.arange(0.5, len(systems) - 1):
        panel.axhline(between, color="#eeeeee", lw=0.8, zorder=0)
    despine(panel, left=True)


def _paper_markers(panel: Axes, rows: pd.DataFrame, heights: pd.Series, label: str) -> None:
    stated = rows["paper_accuracy"].notna()
    if stated.any():
        panel.plot(
            100 * rows.loc[stated, "paper_accuracy"].to_numpy(dtype=float),
            heights[stated],
            linestyle="none",
            marker="D",
            markersize=8,
            markerfacecolor="none",
            markeredgecolor=INK,
            markeredgewidth=1.1,
            label=label,
        )


def _shares_of(
    dataset: str, splits: Sequence[str], majority_shares: Mapping[tuple[str, str], float]
) -> dict[float, list[str]]:
    """Return the splits of a dataset by the percentage that they show."""
    shares: dict[float, list[str]] = {}
    for split in splits:
        if (dataset, split) in majority_shares:
            share = round(100 * majority_shares[dataset, split], 1)
            shares.setdefault(share, []).append(split)
    return shares


def _majority_lines(panel: Axes, shares: Mapping[float, Sequence[str]], *, named: bool) -> None:
    """Draw one line where all splits show the same percentage, else one per split.

    Args:
        panel: Where to.
        shares: Splits by percentage.
        named: Whether the legend says the percentages; else a heading does.
    """
    for position, (share, same) in enumerate(shares.items()):
        which = "" if len(shares) == 1 else f" ({', '.join(same)})"
        panel.axvline(
            share,
            color=FAINT,
            lw=1.1,
            linestyle=("--", ":", "-.")[position % 3],
            zorder=1,
            label=f"Most frequent class{which}" + (f": {share:.1f} %" if named else ""),
        )
