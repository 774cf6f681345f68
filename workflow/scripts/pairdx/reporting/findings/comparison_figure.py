"""Macro AUROC of all systems, a panel per dataset that they are tested on."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pairdx.reporting.findings.places import Facts, Registry, once
from pairdx.reporting.format.labels import readable, system_title
from pairdx.reporting.format.theme import (
    FAINT,
    INK,
    despine,
    legend_below,
    new_figure,
    style,
    theme,
)

TITLE = "Macro AUROC of findings"
PANELS = 3  # in a row
NAME_WIDTH = 34  # characters per line of a system's title
HEADING_WIDTHS = {1: 70, 2: 40, 3: 24}  # characters per line, by panels in a row
LINE = 0.16  # inches per line
CHANCE = 0.5
Row = tuple[str, str]  # system, and the dataset that it is trained on, if any


@theme()
def findings_comparison(
    table: pd.DataFrame, facts: Facts, registry: Registry, *, note: str | None = None
) -> Figure:
    """Draw the means over seeds with intervals, and ensembles, a row per system.

    Args:
        table: What ``comparison_table`` returned.
        facts: What is known of datasets.
        registry: Every system.
        note: Small print under the title.
    """
    known = table[table["macro_auroc"].notna()]
    without = table.loc[table["macro_auroc"].isna(), "other"].unique()
    left = [name for name in without if name not in set(known["other"])]
    note = " ".join([*([note] if note else []), *_without_labels(left, facts)]) or None
    if known.empty:
        return _nothing(note)
    known = once(known, registry)
    known = known.assign(home=_homes(known, registry))
    rows = list(dict.fromkeys(zip(known["system"], known["home"], strict=True)))
    rows.sort(key=lambda row: [*registry].index(row[0]))
    names = _row_names(rows, facts, registry)
    places = list(known.groupby(["other", "split_there"], sort=False))
    across = min(len(places), PANELS)
    down = math.ceil(len(places) / across)
    headings = [_heading(own, facts, HEADING_WIDTHS[across]) for _, own in places]
    lines = max(text.count("\n") + 1 for text in headings)
    heights = [0.1 + LINE * (name.count("\n") + 1) for name in names]
    each = sum(max(0.3, height) for height in heights) + LINE * lines + 0.45
    figure = new_figure(0.5 + down * each, title=TITLE, note=note)
    panels = figure.subplots(down, across, squeeze=False, sharey=True, sharex=True)
    for panel, (_, own), text in zip(panels.flat, places, headings, strict=False):
        _draw(panel, own, rows)
        panel.set_title(text, loc="left").set_parse_math(False)
    for unused in panels.flat[len(places) :]:
        unused.set_visible(False)
    _name_axes(panels, names, len(places))
    legend_below(figure, [*panels.flat][: len(places)], columns=3)
    return figure


def _homes(table: pd.DataFrame, registry: Registry) -> list[str]:
    """Name what each row's system is trained on; nothing for one that is not trained."""
    pairs = zip(table["system"], table["dataset"], strict=True)
    return [home if registry[system].get("trained") else "" for system, home in pairs]


def _row_names(rows: Sequence[Row], facts: Facts, registry: Registry) -> list[str]:
    """Name rows by system and, where these are of several datasets, by what they are trained on."""
    several = len({home for _, home in rows if home}) > 1
    texts = []
    for system, home in rows:
        where = f", trained on {facts['datasets'][home]['title']}" if home and several else ""
        title = system_title(system, registry) + where
        texts.append(textwrap.fill(title, NAME_WIDTH, break_on_hyphens=False))
    return texts


def _heading(own: pd.DataFrame, facts: Facts, width: int) -> str:
    other, split = own["other"].iloc[0], own["split_there"].iloc[0]
    parts = [f"Tested on {facts['datasets'][other]['title']}", f"{readable(split)} split"]
    return "\n".join(textwrap.fill(part, width, break_on_hyphens=False) for part in parts)


def _without_labels(
    names: Sequence[str], facts: Mapping[str, Mapping[str, Mapping[str, str]]]
) -> list[str]:
    titles = [str(facts["datasets"][name]["title"]) for name in names]
    return [f"Not drawn, because no finding counts there: {', '.join(titles)}."] if titles else []


def _draw(panel: Axes, own: pd.DataFrame, rows: Sequence[Row]) -> None:
    heights = np.array(
        [rows.index(row) for row in zip(own["system"], own["home"], strict=True)], dtype=float
    )
    offsets = _offsets(heights)
    look, value = style(0), own["macro_auroc"].to_numpy(dtype=float)
    bounds = own[["macro_auroc_low", "macro_auroc_high"]].to_numpy(dtype=float)
    panel.errorbar(
        value,
        heights + offsets,
        xerr=np.nan_to_num(np.abs(bounds - value[:, None])).T,
        fmt=look.marker,
        color=look.colour,
        markersize=5,
        capsize=2.5,
        lw=1.4,
        label="Mean over seeds (95 % interval)",
    )
    whole = own["ensemble_auroc"].to_numpy(dtype=float)
    if not np.isnan(whole).all():
        panel.plot(
            whole,
            heights + offsets,
            linestyle="none",
            marker="D",
            markersize=7.5,
            markerfacecolor="none",
            markeredgecolor=INK,
            label="Ensemble of the seeds",
        )
    panel.axvline(CHANCE, color=FAINT, lw=1.1, linestyle="--", zorder=1, label="Chance")
    panel.grid(axis="y", visible=False)
    for between in np.arange(0.5, len(rows) - 1):
        panel.axhline(between, color="#eeeeee", lw=0.8, zorder=0)
    despine(panel, left=True)


def _offsets(heights: np.ndarray) -> np.ndarray:
    """Move what shares a row apart: systems of several splits, asked about the same pairs."""
    offsets = np.zeros(len(heights))
    for height in np.unique(heights):
        same = np.flatnonzero(heights == height)
        offsets[same] = np.linspace(-0.18, 0.18, len(same)) if len(same) > 1 else 0.0
    return offsets


def _name_axes(panels: np.ndarray, names: Sequence[str], count: int) -> None:
    first = panels[0, 0]
    first.set_yticks(range(len(names)), names)
    for label in first.get_yticklabels():
        label.set_parse_math(False)
    first.set_ylim(len(names) - 0.5, -0.5)
    low, high = first.get_xlim()
    first.set_xlim(min(low, CHANCE - 0.02), min(high, 1.005))
    for position, panel in enumerate(panels.flat[:count]):
        if position + panels.shape[1] >= count:
            panel.set_xlabel("Macro AUROC")
            panel.tick_params(labelbottom=True)


def _nothing(note: str | None) -> Figure:
    """Say that there is nothing to draw, in place of panels."""
    figure = new_figure(0.5, title=TITLE, note=note)
    figure.text(
        0.012, 0.2, "Nobody knows of any finding of these test pairs.", color=INK
    ).set_in_layout(False)
    return figure
