"""Accuracy at home and on another dataset's test pairs, side by side, and the drop."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pairdx.reporting.format.labels import Datasets, readable
from pairdx.reporting.format.markdown import percent
from pairdx.reporting.format.theme import (
    FAINT,
    SMALL,
    despine,
    legend_below,
    new_figure,
    style,
    theme,
)

TITLE = "Accuracy at home and on another dataset"
OF_DROPS = "Drop: points of accuracy lost; bold where its interval leaves out 0."
NAME_WIDTH = 34  # characters per line of a system's title
# Characters per line of a panel's heading, by how many panels stand in a row.
HEADING_WIDTHS = {1: 70, 2: 34, 3: 22}
LINE = 0.16  # inches per line of a heading
OFFSET = 0.14  # between the two markers of a system
SIDES = (("home", "At home"), ("there", "On the other dataset"))


@theme()
def home_and_there(
    table: pd.DataFrame,
    titles: Mapping[str, str],
    datasets: Datasets,
    *,
    note: str | None = None,
    level: float = 0.95,
) -> Figure:
    """Draw both accuracies with their intervals per system: a row of panels per two datasets.

    Args:
        table: tables/tested_on.csv.
        titles: Title per system.
        datasets: title of every dataset.
        note: Small print under the heading.
        level: Coverage of the intervals.
    """
    systems = [name for name in titles if name in set(table["system"])]
    directions = [
        list(rows.groupby("split", sort=False))
        for _, rows in table.groupby(["dataset", "other"], sort=False)
    ]
    across = max(map(len, directions))
    width = HEADING_WIDTHS[min(across, max(HEADING_WIDTHS))]
    headings = [[_heading(rows, datasets, width) for _, rows in each] for each in directions]
    lines = sum(max(text.count("\n") + 1 for text in each) for each in headings)
    height = (0.34 * len(systems) + 0.55) * len(directions) + LINE * lines + 0.5
    figure = new_figure(height, title=TITLE, note=" ".join([*([note] if note else []), OF_DROPS]))
    panels = figure.subplots(len(directions), across, squeeze=False, sharey=True, sharex=True)
    for row, each, texts in zip(panels, directions, headings, strict=True):
        for panel, (_, rows), text in zip(row, each, texts, strict=False):
            _draw(panel, rows, systems, level)
            panel.set_title(text, loc="left").set_parse_math(False)
        for unused in row[len(each) :]:
            unused.set_visible(False)
    _name_axes(panels, [titles[name] for name in systems])
    legend_below(figure, [panel for panel in panels.flat if panel.get_visible()], columns=2)
    return figure


def _name_axes(panels: np.ndarray, titles: Sequence[str]) -> None:
    """Write the systems' titles beside the first panel, and the unit below the lowest ones."""
    shown = [textwrap.fill(title, NAME_WIDTH, break_on_hyphens=False) for title in titles]
    panels[0, 0].set_yticks(range(len(titles)), shown)
    panels[0, 0].set_ylim(len(titles) - 0.5, -0.5)
    for column in panels.T:
        lowest = [panel for panel in column if panel.get_visible()][-1]
        lowest.set_xlabel("Test accuracy (%)")
        lowest.tick_params(labelbottom=True)


def _heading(rows: pd.DataFrame, datasets: Datasets, width: int) -> str:
    first = rows.iloc[0]
    here, there = (str(datasets[first[name]]["title"]) for name in ("dataset", "other"))
    split = readable(first["split"]) + " split"
    if first["split_there"] != first["split"]:
        split += f", there {first['split_there']}"
    parts = [f"Trained on {here}", f"tested on {there}", split]
    return "\n".join(textwrap.fill(part, width, break_on_hyphens=False) for part in parts)


def _draw(panel: Axes, rows: pd.DataFrame, systems: Sequence[str], level: float) -> None:
    """Draw one direction and split: a row per system, two markers, and the drop at the right."""
    heights = rows["system"].map(systems.index).to_numpy(dtype=float)
    values = {side: 100 * rows[f"{side}_accuracy"].to_numpy(dtype=float) for side, _ in SIDES}
    ends = [values[side] for side, _ in SIDES]
    for height, home, there in zip(heights, *ends, strict=True):
        panel.plot([home, there], [height - OFFSET, height + OFFSET], color=FAINT, lw=0.9, zorder=1)
    for position, (side, name) in enumerate(SIDES):
        bounds = 100 * rows[[f"{side}_accuracy_low", f"{side}_accuracy_high"]].to_numpy(dtype=float)
        look = style(position)
        panel.errorbar(
            values[side],
            heights + OFFSET * (2 * position - 1),
            xerr=np.nan_to_num(np.abs(bounds - values[side][:, None])).T,
            fmt=look.marker,
            color=look.colour,
            markersize=4.5,
            capsize=2,
            lw=1.3,
            label=f"{name} ({100 * level:g} % interval)",
        )
    _write_drops(panel, rows, heights)
    panel.set(xlim=(0, 101.5))
    panel.grid(axis="y", visible=False)
    for between in np.arange(0.5, len(systems) - 1):
        panel.axhline(between, color="#eeeeee", lw=0.8, zorder=0)
    despine(panel, left=True)


def _write_drops(panel: Axes, rows: pd.DataFrame, heights: np.ndarray) -> None:
    """Write the drop in points beside each system; bold where its interval leaves out 0."""
    place = panel.get_yaxis_transform()
    panel.text(1.02, 1.0, "Drop", transform=panel.transAxes, size=SMALL, va="bottom", color=FAINT)
    columns = rows[["drop", "drop_low", "drop_high"]].to_numpy(dtype=float)
    for height, (drop, low, high) in zip(heights, columns, strict=True):
        if np.isnan(drop):
            continue
        sure = low > 0 or high < 0
        panel.text(
            x=1.02,
            y=height,
            s=percent(drop),
            transform=place,
            size=SMALL,
            va="center",
            weight="bold" if sure else "normal",
        )
