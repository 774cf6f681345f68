"""The differences of a grid: every way against the baseline, row by row, on every dataset."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pairdx.reporting.format.labels import Datasets
from pairdx.reporting.format.theme import INK, despine, legend_below, new_figure, style, theme
from pairdx.reporting.systems.grid_notes import size_of
from pairdx.reporting.systems.grids import Registry, place_title, row_titles

ACROSS = 3  # panels side by side
HEADING_WIDTH = {1: 60, 2: 34, 3: 26}
NAME_WIDTH = 24
LINE = 0.16  # inches of a further line of a heading


@theme()
def grid_differences(
    table: pd.DataFrame,
    grid: Mapping[str, Any],
    datasets: Datasets,
    registry: Registry,
    *,
    metric: str,
    title: str,
    note: str | None = None,
    papers: str = "Paper",
    scale: float = 100,
    level: float = 0.95,
) -> Figure:
    """Draw, per dataset and split, how much every way differs from the baseline, with intervals.

    Backbones of which nothing was run and nothing is stated are left out.

    Args:
        table: What ``grid_table`` returned.
        grid: Titles of its columns and rows, and the baseline.
        datasets: title of every dataset.
        registry: trained and stand_in of every system that was run.
        metric: Title of what differs.
        title: Title of the figure.
        note: Small print under it.
        papers: What the legend says of the paper's markers.
        scale: What a difference is multiplied by: 100 of a share.
        level: Coverage of the intervals.
    """
    places = list(dict.fromkeys(zip(table["dataset"], table["split"], strict=True)))
    ways = [name for name in grid["columns"] if name != grid["baseline"]]
    shown = table[table[[one for one in ("mean", "paper") if one in table]].notna().any(axis=1)]
    rows = [row for row in grid["rows"] if row in set(shown["row"])] or list(grid["rows"])
    table = table[table["row"].isin(rows)]
    across = max(1, min(len(places), ACROSS))
    down = max(1, -(-len(places) // across))
    height = (0.22 + 0.17 * max(1, len(ways))) * len(rows) + 0.45
    headings = [_heading(table, place, datasets, HEADING_WIDTH[across]) for place in places]
    height += LINE * max((heading.count("\n") for heading in headings), default=0)
    figure = new_figure(1.05 + down * height, title=title, note=note)
    panels = figure.subplots(down, across, squeeze=False, sharey=True)
    for panel, (dataset, split), heading in zip(panels.flat, places, headings, strict=False):
        own = table[(table["dataset"] == dataset) & (table["split"] == split)]
        for position, way in enumerate(ways):
            offset = 0.0 if len(ways) < 2 else 0.44 * (position / (len(ways) - 1) - 0.5)
            _draw(panel, own[own["column"] == way], rows, offset, scale, position, grid, papers)
        panel.set_title(heading, loc="left").set_parse_math(False)
        _frame(panel, len(rows), grid, metric, level, in_points=scale == 100)
    for unused in panels.flat[len(places) :]:
        unused.set_visible(False)
    titles = row_titles(table, grid, registry)
    names = [textwrap.fill(titles[row], NAME_WIDTH, break_on_hyphens=False) for row in rows]
    panels[0, 0].set_yticks(range(len(rows)), names)
    panels[0, 0].set_ylim(len(rows) - 0.5, -0.5)
    for label in panels[0, 0].get_yticklabels():
        label.set_parse_math(False)
    legend_below(figure, list(panels.flat[: len(places)]), columns=2)
    return figure


def _heading(table: pd.DataFrame, place: tuple[str, str], datasets: Datasets, width: int) -> str:
    """Name dataset and split, and on lines of their own how many seeds and cases were run."""
    here = (table["dataset"] == place[0]) & (table["split"] == place[1])
    run = table[here & table["mean"].notna()]
    parts = [place_title(*place, datasets), *([size_of(run)] if len(run) else [])]
    return "\n".join(textwrap.fill(part, width, break_on_hyphens=False) for part in parts)


def _draw(
    panel: Axes,
    rows: pd.DataFrame,
    names: Sequence[str],
    offset: float,
    scale: float,
    position: int,
    grid: Mapping[str, Any],
    papers: str,
) -> None:
    """Draw one way: ours with its interval, and the paper's difference as an outline."""
    heights = rows["row"].map(names.index).to_numpy(dtype=float) + offset
    value = scale * rows["difference"].to_numpy(dtype=float)
    bounds = scale * rows[["difference_low", "difference_high"]].to_numpy(dtype=float)
    look, known = style(position), ~np.isnan(value)
    reach = np.nan_to_num(np.abs(bounds - value[:, None])).T
    if known.any():
        way = grid["columns"][rows["column"].iloc[0]]
        panel.errorbar(
            value[known], heights[known], xerr=reach[:, known], fmt=look.marker, color=look.colour,
            markersize=4.5, capsize=2.5, lw=1.3, label=way,
        )  # fmt: skip
    if "paper_difference" not in rows:
        return
    theirs = scale * rows["paper_difference"].to_numpy(dtype=float)
    stated = ~np.isnan(theirs)
    if stated.any():
        panel.plot(
            theirs[stated], heights[stated], linestyle="none", marker="D", markersize=7.5,
            markerfacecolor="none", markeredgecolor=INK, markeredgewidth=1.1, label=papers,
        )  # fmt: skip


def _frame(
    panel: Axes, rows: int, grid: Mapping[str, Any], metric: str, level: float, *, in_points: bool
) -> None:
    panel.axvline(0, color=INK, lw=1.0, linestyle="--", zorder=1)
    baseline = textwrap.shorten(grid["columns"][grid["baseline"]], 24, placeholder=" …")
    unit = "points, " if in_points else ""
    panel.set_xlabel(f"{metric}, difference\nto {baseline}\n({unit}{100 * level:g} % interval)")
    panel.xaxis.label.set_parse_math(False)
    panel.grid(axis="y", visible=False)
    for between in np.arange(0.5, rows - 1):
        panel.axhline(between, color="#eeeeee", lw=0.8, zorder=0)
    despine(panel, left=True)
