"""Accuracy against cost, with the points of the paper beside them where there is one."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from pairdx.reporting.format.placement import Placement, place_labels
from pairdx.reporting.format.theme import FAINT, INK, SMALL, despine, new_figure, style, theme

# What each panel is drawn against: the column of the comparison, and the label of its axis.
COSTS = (("train_seconds", "Training (s)"), ("seconds_per_image", "CPU time per image (s)"))
_OF_PAPER = ("paper_accuracy", *(f"paper_{column}" for column, _ in COSTS))
OUR_MARKER, PAPER_MARKER = 4.5, 6.5  # sizes in points
NAME_WIDTH = 44  # characters per line of the legend
LINE = 1.45 * (SMALL + 0.5) / 72  # inches per line of the legend


@theme()
def accuracy_against_cost(
    comparison: pd.DataFrame,
    titles: Mapping[str, str],
    *,
    title: str,
    note: str | None = None,
    papers: str = "Paper",
    level: float = 0.95,
) -> Figure:
    """Draw accuracy with its interval against training time and against CPU time per image.

    Systems are numbered, and the numbers stand off each other; the legend names them. Systems that
    are not trained stand at the left of the first panel, which is left out if none is trained.

    Args:
        comparison: The rows of tables/comparison.csv of one dataset and split.
        titles: Title per system.
        title: Title of the figure.
        note: Small print under it.
        papers: What the legend says of the paper's points.
        level: Coverage of the intervals.
    """
    # As if the paper stated nothing, where the comparison has no columns of one.
    systems = comparison.reset_index(drop=True).reindex(
        columns=list(dict.fromkeys([*comparison, *_OF_PAPER]))
    )
    names = [
        textwrap.fill(titles[name], NAME_WIDTH, break_on_hyphens=False)
        for name in systems["system"]
    ]
    paper = any(_known(systems, f"paper_{column}").any() for column, _ in COSTS)
    handles, labels = _legend(names, level, papers if paper else None)
    lines = sum(1 + label.count("\n") for label in labels)
    figure = new_figure(3.1 + LINE * (lines / 2 + 1), title=title, note=note)
    costs = [cost for cost in COSTS if systems[cost[0]].notna().any()]
    panels = figure.subplots(1, len(costs), sharey=True, squeeze=False)[0]
    points = [
        _draw(panel, systems, column, label)
        for panel, (column, label) in zip(panels, costs, strict=True)
    ]
    panels[0].set_ylabel("Test accuracy (%)")
    legend = figure.legend(
        handles, labels, loc="outside lower center", ncols=2, handlelength=2.2, columnspacing=1.5
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
    for panel, placements in zip(panels, points, strict=True):
        place_labels(figure, panel, placements)
    return figure


def _known(systems: pd.DataFrame, column: str) -> pd.Series:
    """Where the paper states an accuracy and this cost too, or we measured it."""
    accuracy = "paper_accuracy" if column.startswith("paper_") else "accuracy"
    return systems[column].notna() & systems[accuracy].notna()


def _draw(panel: Axes, systems: pd.DataFrame, column: str, label: str) -> list[Placement]:
    """Draw one panel; return where each number belongs."""
    both = pd.concat([systems[column], systems[f"paper_{column}"]])
    aside = _scale(panel, both[both > 0], aside=bool(systems[column].isna().any()))
    look = style(0)
    places = systems[column].fillna(aside).to_numpy(dtype=float)
    values = 100 * systems["accuracy"].to_numpy(dtype=float)
    bounds = 100 * systems[["accuracy_low", "accuracy_high"]].to_numpy(dtype=float)
    reach = np.nan_to_num(np.abs(bounds - values[:, None])).T
    panel.errorbar(
        places, values, yerr=reach, fmt="o", color=look.colour, markersize=OUR_MARKER, capsize=2.5,
        lw=1.1, zorder=3,
    )  # fmt: skip
    stated = _known(systems, f"paper_{column}")
    theirs = systems.loc[stated, [f"paper_{column}", "paper_accuracy"]].to_numpy(dtype=float)
    panel.plot(theirs[:, 0], 100 * theirs[:, 1], **_paper_marker(), zorder=4)
    panel.set(xlabel=label)
    panel.margins(y=0.08)
    panel.grid(axis="x", visible=False)
    despine(panel)
    ours = [
        Placement(str(row + 1), place, value, low, high)
        for row, (place, value, low, high) in enumerate(
            zip(places, values, values - reach[0], values + reach[1], strict=True)
        )
    ]
    # Several systems may be readings of one of the paper's, and share its point.
    numbers: dict[tuple[float, float], list[str]] = {}
    for row, (place, value) in zip(np.flatnonzero(stated), theirs.tolist(), strict=True):
        numbers.setdefault((place, value), []).append(str(row + 1))
    return ours + [
        Placement(", ".join(names), place, 100 * value, 100 * value, 100 * value)
        for (place, value), names in numbers.items()
    ]


def _scale(panel: Axes, costs: pd.Series, *, aside: bool) -> float:
    """Make the axis logarithmic around the costs; return where systems without one stand."""
    low, high = math.log10(costs.min()), math.log10(costs.max())
    margin = 0.08 * max(high - low, 0.5)
    strip = 3 * margin if aside else 0.0
    panel.set_xscale("log")
    panel.set_xlim(10 ** (low - margin - strip), 10 ** (high + margin))
    ticks = _ticks(low - margin, high + margin)
    written = [f"{tick:,.12g}" for tick in ticks]
    place = 10 ** (low - margin - strip / 2)
    if aside:
        panel.axvline(10 ** (low - margin), color=FAINT, lw=0.8, linestyle=":", zorder=1)
        ticks, written = [place, *ticks], ["none", *written]
    panel.xaxis.set_major_locator(FixedLocator(ticks))
    panel.xaxis.set_major_formatter(FixedFormatter(written))
    panel.xaxis.set_minor_locator(NullLocator())
    return place


def _ticks(low: float, high: float) -> list[float]:
    """Return the powers of ten between two exponents, and 2 and 5 times them on short axes.

    Where these are fewer than two, as from 0.0023 to 0.0042, round numbers of equal distance.
    """
    steps = (1,) if high - low > 2.2 else (1, 2, 5)
    every = max(1, math.ceil((high - low) / 5))
    powers = range(math.floor(low), math.ceil(high) + 1)
    ticks = [step * 10.0**power for power in powers if power % every == 0 for step in steps]
    found = [tick for tick in ticks if low <= math.log10(tick) <= high]
    if len(found) > 1:
        return found
    linear = MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]).tick_values(10**low, 10**high)
    return [float(tick) for tick in linear if tick > 0 and low <= math.log10(tick) <= high]


def _legend(
    names: Sequence[str], level: float, paper: str | None
) -> tuple[list[Line2D], list[str]]:
    """Return handles and labels: what markers mean, then the numbers."""
    handles = [
        Line2D([], [], marker="o", color=style(0).colour, markersize=OUR_MARKER, linestyle="-"),
        *([Line2D([], [], **_paper_marker())] if paper else []),
        *(
            Line2D([], [], marker=f"${number}$", color=INK, markersize=3.5 + 2 * len(str(number)),
                   markeredgewidth=0.2, linestyle="none")
            for number in range(1, len(names) + 1)
        ),
    ]  # fmt: skip
    labels = [f"This run ({100 * level:g} % interval)"]
    labels += [paper] if paper else []
    return handles, [*labels, *names]


def _paper_marker() -> dict[str, Any]:
    return {
        "linestyle": "none",
        "marker": "D",
        "markersize": PAPER_MARKER,
        "markerfacecolor": "none",
        "markeredgecolor": INK,
        "markeredgewidth": 1.1,
    }
