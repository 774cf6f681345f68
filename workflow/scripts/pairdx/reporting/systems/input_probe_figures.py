"""Figures of changed input: what the text gives away, and accuracy on damaged input."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pairdx.evaluation.caption_changes import CAPTION_AXES
from pairdx.evaluation.corruptions import CORRUPTIONS
from pairdx.evaluation.input_probes import GIVEN_AWAY, UNCHANGED, axis_of
from pairdx.reporting.format.labels import readable
from pairdx.reporting.format.theme import (
    BODY,
    FAINT,
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
from pairdx.reporting.systems.input_probe_tables import probe_name

COLUMNS = 3  # panels side by side
INCHES_PER_BAR = 0.15


@theme()
def text_gives_away(
    table: pd.DataFrame,
    titles: Mapping[str, str],
    majority_shares: Mapping[str, float],
    *,
    title: str,
    note: str | None = None,
) -> Figure:
    """Draw every system's accuracy with one of its inputs blanked, swapped or masked, by split.

    Args:
        table: tables/input_probes.csv.
        titles: Title per system, in figure order.
        majority_shares: Per split, the share of the most frequent class of these pairs.
        title: Title of the figure.
        note: Small print under it.
    """
    splits = list(dict.fromkeys(table["split"]))
    systems = [name for name in titles if name in set(table["system"])]
    per_split = INCHES_PER_BAR * (len(GIVEN_AWAY) + 1) * len(systems) + 0.55
    figure = new_figure(per_split * len(splits) + 0.7, title=title, note=note)
    panels = figure.subplots(len(splits), 1, sharex=True, squeeze=False)[:, 0]
    for panel, split in zip(panels, splits, strict=True):
        rows = table[table["split"] == split]
        for position, probe in enumerate(GIVEN_AWAY):
            _probe_bars(panel, rows[rows["probe"] == probe], systems, position, probe)
        share = 100 * majority_shares[split]
        label = "Share of the most frequent class"
        panel.axvline(share, color=INK, lw=1.1, linestyle="--", zorder=3, label=label)
        names = [textwrap.fill(titles[name], 30, break_on_hyphens=False) for name in systems]
        panel.set_yticks(range(len(systems)), names)
        panel.set(xlim=(0, 101.5), ylim=(len(systems) - 0.5, -0.5))
        panel.set_title(f"{readable(split)} split", loc="left")
        panel.grid(axis="y", visible=False)
        despine(panel, left=True)
    panels[-1].set_xlabel("Test accuracy (%), with 95 % interval")
    legend_below(figure, panels[0], columns=3)
    return figure


def _probe_bars(
    panel: Axes, rows: pd.DataFrame, systems: Sequence[str], position: int, probe: str
) -> None:
    """Draw one probe's bar of every system; where a system does not read the input, say so."""
    thickness = 1 / (len(GIVEN_AWAY) + 1)
    offset = thickness * (position - (len(GIVEN_AWAY) - 1) / 2)
    by_system = rows.set_index("system").reindex(list(systems))
    values = 100 * by_system[["accuracy", "accuracy_low", "accuracy_high"]].to_numpy(dtype=float)
    heights = np.arange(len(systems)) + offset
    look = style(position)
    bars = panel.barh(
        heights, np.nan_to_num(values[:, 0]), height=0.9 * thickness, label=probe_name(probe)
    )
    hatch_bars(bars, look)
    reach = np.nan_to_num(np.abs(values[:, 1:] - values[:, :1])).T
    known = ~np.isnan(values[:, 0])
    panel.errorbar(
        values[known, 0], heights[known], xerr=reach[:, known], fmt="none", ecolor=INK, lw=0.9,
        capsize=1.5,
    )  # fmt: skip
    for height in heights[~known]:
        text = f"{probe_name(probe).split()[0].lower()} is not read"
        panel.text(0.6, height, text, va="center", size=SMALL - 1.5, color=FAINT)


@theme()
def robustness(
    table: pd.DataFrame,
    titles: Mapping[str, str],
    image_size: int,
    *,
    title: str,
    note: str | None = None,
) -> Figure:
    """Draw accuracy over the levels of every kind of damage, one line per system.

    Args:
        table: tables/input_probes.csv.
        titles: Title per system, in figure order; the order decides a line's looks.
        image_size: Side of the undamaged images in pixels.
        title: Title of the figure.
        note: Small print under it.
    """
    kinds = [kind for kind in (*CORRUPTIONS, *CAPTION_AXES) if kind in set(table["probe"])]
    splits = list(dict.fromkeys(table["split"]))
    systems = [name for name in titles if name in set(table["system"])]
    blocks = max(1, -(-len(kinds) // COLUMNS))
    rows = blocks * len(splits)
    height = 1.75 + 0.14 * (len(splits) > 1)
    figure = new_figure(height * rows + 0.3 + 0.17 * len(systems), title=title, note=note)
    panels = figure.subplots(rows, COLUMNS, sharey=True, squeeze=False)
    handles: dict[str, Artist] = {}
    for position, (split, kind) in enumerate((s, k) for s in splits for k in kinds):
        row, column = divmod(position % len(kinds), COLUMNS)
        panel = panels[row + blocks * (position // len(kinds)), column]
        _curves(panel, table[table["split"] == split], kind, systems, image_size)
        name = f"{readable(split)}: {axis_of(kind)}" if len(splits) > 1 else axis_of(kind)
        panel.set_title(textwrap.fill(name, 30, break_on_hyphens=False), loc="left", size=BODY)
        drawn = panel.get_legend_handles_labels()
        handles |= dict(zip(drawn[1], drawn[0], strict=True))
    for panel in panels.ravel():
        panel.axison = bool(panel.lines)
    for panel in panels[:, 0]:
        panel.set_ylabel("Test accuracy (%)")
    if not kinds:
        panels[0, 0].text(0.0, 0.5, "No damage to images or captions is configured.")
    names = [name for name in systems if name in handles]
    figure.legend(
        [handles[name] for name in names],
        [titles[name] for name in names],
        loc="outside lower center",
        ncols=1 if max(map(len, titles.values())) > 50 else 2,
        handlelength=3.2,
    )
    return figure


def _curves(
    panel: Axes, rows: pd.DataFrame, kind: str, systems: Sequence[str], image_size: int
) -> None:
    unchanged, percent = _unchanged(kind, image_size), kind in CAPTION_AXES
    found = sorted(set(rows.loc[rows["probe"] == kind, "level"]) | {unchanged})
    # From unchanged to worst; brightness has its unchanged level in between.
    levels = found[::-1] if unchanged == found[-1] else found
    for position, system in enumerate(systems):
        of_system = rows[rows["system"] == system]
        damaged = of_system[of_system["probe"] == kind].set_index("level")
        if damaged.empty:
            continue
        start = (
            of_system[of_system["probe"] == UNCHANGED].assign(level=unchanged).set_index("level")
        )
        line = pd.concat([start, damaged[~damaged.index.isin([unchanged])]]).loc[levels]
        _line(panel, line, position, system)
    labels = [f"{100 * level:g} %" if percent else f"{level:g}" for level in levels]
    labels[levels.index(unchanged)] = "as is"
    panel.set_xticks(range(len(levels)), labels)
    panel.margins(x=0.07)
    panel.set(ylim=(0, 102), yticks=range(0, 101, 25))
    panel.grid(axis="x", visible=False)
    despine(panel)


def _line(panel: Axes, line: pd.DataFrame, position: int, system: str) -> None:
    look, places = style(position), np.arange(len(line))
    values = 100 * line[["accuracy", "accuracy_low", "accuracy_high"]].to_numpy(dtype=float)
    panel.fill_between(places, values[:, 1], values[:, 2], color=look.colour, alpha=0.13, lw=0)
    panel.plot(
        places,
        values[:, 0],
        color=look.colour,
        marker=look.marker,
        # After the last style they start again: hollow markers then tell the lines apart.
        markerfacecolor=look.colour if position < len(STYLES) else "white",
        linestyle=look.line,
        markersize=4,
        lw=1.4,
        label=system,
    )


def _unchanged(kind: str, image_size: int) -> float:
    if kind not in CORRUPTIONS:
        return 0.0
    level = CORRUPTIONS[kind].unchanged
    return float(image_size if level is None else level)
