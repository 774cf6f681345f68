"""Figures of the tests between systems and of the split's effect."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pairdx.reporting.format.labels import readable
from pairdx.reporting.format.theme import (
    FAINT,
    INK,
    SMALL,
    despine,
    legend_below,
    new_figure,
    style,
    theme,
)

MINUS = "\N{MINUS SIGN}"
MANY = 8  # with more systems a matrix is drawn smaller, so that two still fit on a page


@theme()
def difference_matrix(
    tests: pd.DataFrame,
    titles: Mapping[str, str],
    splits: Sequence[str],
    *,
    title: str,
    note: str | None = None,
    significance: float = 0.05,
) -> Figure:
    """Draw, per split, how many points more the row's system has than the column's.

    Differences that the corrected bootstrap test shows between the two trained classifiers are
    shaded, bold and marked with an asterisk, so that the figure can be read without colour; signs
    are written. A dagger marks those that the corrected test shows between the methods.

    Args:
        tests: tables/system_tests.csv.
        titles: Title per system, in the order of rows and columns.
        splits: The splits, one panel each.
        title: Title of the figure.
        note: Small print under it.
        significance: Corrected p-values below it are marked.
    """
    row = 0.26 if len(titles) > MANY else 0.36
    height = len(splits) * (0.5 + row * max(2, len(titles)))
    figure = new_figure(height, title=title, note=note)
    panels = figure.subplots(len(splits), 1, squeeze=False)[:, 0]
    reach = 100 * float(tests["difference"].abs().max()) if len(tests) else 1.0
    for panel, split in zip(panels, splits, strict=True):
        rows = tests[tests["split"] == split]
        points, shown, methods = _matrices(rows, list(titles), significance)
        _draw_matrix(panel, points, shown, methods, list(titles.values()), max(reach, 1.0))
        panel.set_title(f"{readable(split)} split", loc="left")
    return figure


def _matrices(
    rows: pd.DataFrame, systems: Sequence[str], significance: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return row minus column in points (NaN on the diagonal), and where the two tests show it."""
    points = np.full((len(systems), len(systems)), np.nan)
    shown, methods = np.zeros((2, *points.shape), dtype=bool)
    for a, b, difference, p, p_method in rows[
        ["system_a", "system_b", "difference", "p_bootstrap_holm", "p_method_holm"]
    ].itertuples(index=False):
        first, second = systems.index(a), systems.index(b)
        points[first, second], points[second, first] = 100 * difference, -100 * difference
        shown[first, second] = shown[second, first] = p < significance
        methods[first, second] = methods[second, first] = p_method < significance
    return points, shown, methods


def _draw_matrix(
    panel: Axes,
    points: NDArray[np.float64],
    shown: NDArray[np.bool_],
    methods: NDArray[np.bool_],
    titles: Sequence[str],
    reach: float,
) -> None:
    many = len(titles) > MANY
    numbers = [str(place + 1) for place in range(len(titles))]
    sns.heatmap(
        points,
        mask=~shown,
        # The palest and the darkest ends are left out: text stays legible on every cell.
        cmap=sns.diverging_palette(35, 250, s=75, l=62, as_cmap=True),
        vmin=-reach,
        vmax=reach,
        cbar=False,
        linewidths=0.6,
        linecolor="#cccccc",
        xticklabels=numbers,
        yticklabels=[
            _wrapped(f"{number}  {name}") for name, number in zip(titles, numbers, strict=True)
        ],
        ax=panel,
    )
    for row, column in zip(*np.nonzero(~np.isnan(points)), strict=True):
        marked = bool(shown[row, column])
        marks = ("*" if marked else "") + ("\N{DAGGER}" if methods[row, column] else "")
        text = panel.text(
            column + 0.5,
            row + 0.5,
            _signed(points[row, column], short=many) + (f"\n{marks}" if marks else ""),
            ha="center",
            va="center",
            size=SMALL - 0.8 if many else SMALL + 0.5,
            linespacing=0.7 if many else 0.9,
            weight="bold" if marked else "normal",
            color=INK if marked else FAINT,
        )
        text.set_parse_math(False)
    for place in range(len(titles)):
        panel.fill_between([place, place + 1], place, place + 1, color="#eeeeee", lw=0)
    panel.set_frame_on(True)
    panel.tick_params(axis="both", rotation=0, length=0, labelsize=SMALL - 0.5 if many else SMALL)
    panel.tick_params(axis="x", labeltop=True, labelbottom=False)
    panel.grid(visible=False)


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 34, break_on_hyphens=False)


def _signed(points: float, *, short: bool) -> str:
    """Write points with their sign, to a tenth; if short, to a whole one from 10 points on."""
    written = f"{abs(points):.1f}"
    if float(written) == 0:
        return written
    if short and float(written) >= 10:
        written = f"{abs(points):.0f}"
    return f"{'+' if points > 0 else MINUS}{written}"


@theme()
def split_effect(
    effect: pd.DataFrame,
    titles: Mapping[str, str],
    *,
    title: str,
    note: str | None = None,
    level: float = 0.95,
) -> Figure:
    """Draw each system's accuracy on both splits, and beside it their difference with interval.

    Args:
        effect: tables/split_effect.csv.
        titles: Title per system.
        title: Title of the figure.
        note: Small print under it.
        level: Coverage of the intervals.
    """
    heights = np.arange(len(effect))
    figure = new_figure(1.0 + 0.36 * len(effect), title=title, note=note)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1, 1))
    sides = [100 * effect[f"{name}_accuracy"].to_numpy() for name in ("stratified", "grouped")]
    left.hlines(heights, *sides, color=FAINT, lw=1.2, zorder=1)
    for position, (name, values) in enumerate(zip(("Stratified", "Grouped"), sides, strict=True)):
        look = style(position)
        # The second is a larger outline, so that both show where they coincide.
        left.plot(
            values, heights, linestyle="none", marker=look.marker, color=look.colour,
            markersize=(4.5, 7.5)[position], fillstyle=("full", "none")[position],
            markeredgewidth=1.4, label=f"{name} split",
        )  # fmt: skip
    left.set(xlim=(0, 101.5), xlabel="Test accuracy (%)")
    names = [_wrapped(titles[name]) for name in effect["system"]]
    left.set_yticks(heights, names)
    left.set_ylim(len(effect) - 0.5, -0.5)
    _differences(right, effect, heights, level)
    for panel in (left, right):
        panel.grid(axis="y", visible=False)
        for between in heights[1:] - 0.5:
            panel.axhline(between, color="#eeeeee", lw=0.8, zorder=0)
        despine(panel, left=True)
    legend_below(figure, left, columns=2)
    return figure


def _differences(
    panel: Axes, effect: pd.DataFrame, heights: NDArray[np.int64], level: float
) -> None:
    value = 100 * effect["difference"].to_numpy(dtype=float)
    bounds = 100 * effect[["difference_low", "difference_high"]].to_numpy(dtype=float)
    reach = np.nan_to_num(np.abs(bounds - value[:, None])).T
    look = style(2)
    panel.axvline(0, color=INK, lw=1.0, linestyle="--", zorder=1)
    panel.errorbar(
        value, heights, xerr=reach, fmt=look.marker, color=look.colour, markersize=5.5,
        capsize=2.5, lw=1.4,
    )  # fmt: skip
    panel.set_xlabel(f"Stratified minus grouped\n(points, {100 * level:g} % interval)")
    panel.tick_params(axis="y", labelleft=False)
