"""Figures of curation: the funnel, over all classes and for each, and what subsets share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pairdx.reporting.dataset.curation_tables import NEAR, shared
from pairdx.reporting.format.class_ticks import heading
from pairdx.reporting.format.classes import Names, most_of, title_of, with_remark
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

OUTCOMES = (
    ("kept", "Kept"),
    ("rejected", "Rejected"),
    ("out_of_distribution", "Out of distribution"),
)
NUMBER_COLUMNS = (46, 92, 176)  # right edges, in points beside the funnel's bars
PANELS_PER_ROW = 4
MOST_PANELS = 16  # of classes
HEADING_WIDTH = 1.4  # inches over a panel
NAMES_OF_KINDS = {NEAR: "Near-duplicate image"}
NAME_WIDTH = 1.6  # inches, for the users' own names of what subsets share


@theme()
def funnel(stages: pd.DataFrame, *, title: str, note: str | None = None) -> Figure:
    """Draw what every stage of curation kept and rejected, and what is out of distribution.

    Args:
        stages: What ``funnel_table`` returned: stage, candidates, rejected, out_of_distribution,
            kept.
        title: Title of the figure.
        note: Small print under it.
    """
    figure = new_figure(1.2 + 0.25 * len(stages), title=title, note=note)
    panel = figure.subplots()
    start = np.zeros(len(stages))
    for position, (column, name) in enumerate(OUTCOMES):
        counts = stages[column].to_numpy()
        if column == "out_of_distribution" and not counts.any():
            continue
        label = f"{name} (no system is trained on them)" if position == 2 else name
        bars = panel.barh(range(len(stages)), counts, left=start, height=0.68, label=label)
        hatch_bars(bars, style(position))
        _number_column(panel, counts, NUMBER_COLUMNS[position], name)
        start += counts
    panel.set_yticks(range(len(stages)), [readable(name) for name in stages["stage"]])
    panel.set(ylim=(len(stages) - 0.45, -0.55), xlim=(0, max(1.0, float(start.max()))))
    panel.locator_params(axis="x", nbins=5)
    panel.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    panel.set_xlabel(f"Candidates ({int(start[0]):,} in all)")
    panel.grid(axis="y", visible=False)
    despine(panel)
    legend_below(figure, panel, columns=3)
    return figure


def _number_column(panel: Axes, counts: np.ndarray, edge: float, heading: str) -> None:
    """Write numbers beside the bars: they are read where a bar is too short to be seen."""
    texts = [f"{count:,}" for count in counts]
    for row, text in enumerate([heading, *texts], start=-1):
        panel.annotate(
            text,
            (1, row),
            xycoords=panel.get_yaxis_transform(),
            xytext=(edge, 0),
            textcoords="offset points",
            ha="right",
            va="center_baseline",
            size=SMALL,
            weight="bold" if text == heading else "normal",
            color=FAINT if text == "0" else INK,
            annotation_clip=False,
        )


@theme()
def funnel_per_class(
    left: pd.DataFrame,
    classes: Names,
    out_of_distribution: Sequence[str] = (),
    *,
    title: str,
    note: str | None = None,
) -> Figure:
    """Draw, for each class, the share of its candidates that is left after every stage.

    Args:
        left: What ``funnel_by_class`` returned: stage and one column per class.
        classes: Display names by label, one panel each, in figure order; of many, those of which
            the smallest share is left.
        out_of_distribution: The classes outside the comparison, one panel each, after the others;
            without a panel where there are no candidates.
        title: Title of the figure.
        note: Small print under it.
    """
    every = [*classes, *(name for name in out_of_distribution if left[name].any())]
    stages, before = left.iloc[1:], left.iloc[0]
    lost = {name: -left[name].iloc[-1] / max(1, before[name]) for name in every}
    names = most_of(every, lost, MOST_PANELS)
    which, rest = "of which the smallest share is left", "see tables/funnel_by_class"
    note = with_remark(note, len(names), len(every), which, rest)
    columns = min(PANELS_PER_ROW, len(names))
    rows = -(-len(names) // columns)
    figure = new_figure(0.45 + rows * (0.4 + 0.155 * len(stages)), title=title, note=note)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for panel, name in zip(panels, names, strict=False):
        shares = 100 * stages[name] / max(1, int(before[name]))
        panel.barh(range(len(stages)), shares, height=0.8, color=STYLES[4].colour)
        for row, count in enumerate(stages[name]):
            panel.annotate(f"{count:,}", (3, row), va="center_baseline", size=SMALL)
        outside = "\n(out of distribution)" if name in out_of_distribution else ""
        above = heading(title_of(name, classes), HEADING_WIDTH, BODY + 0.5)
        panel.set_title(f"{above}{outside}", loc="left")
        panel.grid(axis="y", visible=False)
        despine(panel)
    for panel in panels[len(names) :]:
        panel.set_axis_off()
    panels[0].set_yticks(range(len(stages)), [readable(name) for name in stages.iloc[:, 0]])
    panels[0].set(ylim=(len(stages) - 0.45, -0.55), xlim=(0, 105), xticks=(0, 50, 100))
    figure.supxlabel("Share of the class's candidates that is left (%)", size=BODY)
    return figure


@theme()
def leakage(reports: Sequence[Mapping[str, Any]], *, title: str, note: str | None = None) -> Figure:
    """Draw the share of test and validation pairs that share something with training pairs.

    One panel per split. A share of nothing has no bar and says "0"; one that cannot be told,
    because the article, case ... of no pair is known, says "unknown".

    Args:
        reports: leakage.json of every split: ``{"split", "pairs": {subset: n}, "kinds": {kind:
            {"train-validation": {"pairs", "share"}, "train-test": ...}}, "unknown": {kind: n}}``;
            shares are fractions of the later subset.
        title: Title of the figure.
        note: Small print under it.
    """
    kinds = list(dict.fromkeys(kind for report in reports for kind in report["kinds"]))
    height = 0.8 + len(reports) * (0.3 + 0.36 * len(kinds))
    figure = new_figure(height, title=title, note=note)
    panels = figure.subplots(len(reports), 1, sharex=True, squeeze=False)[:, 0]
    for panel, report in zip(panels, reports, strict=True):
        for position, subset in enumerate(("test", "validation")):
            found = [shared(report, kind, f"train-{subset}") for kind in kinds]
            places = np.arange(len(kinds)) + 0.36 * (position - 0.5)
            shares = [100 * one["share"] if one else 0 for one in found]
            label = f"{readable(subset)} pairs that share it with training pairs"
            bars = panel.barh(places, shares, height=0.33, label=label)
            hatch_bars(bars, style(position))
            panel.bar_label(bars, labels=[_share(one) for one in found], size=SMALL, padding=3)
        sizes = ", ".join(f"{count:,} {subset}" for subset, count in report["pairs"].items())
        panel.set_title(f"{readable(report['split'])} split ({sizes} pairs)", loc="left")
        panel.set_yticks(range(len(kinds)), [_name(report, kind) for kind in kinds])
        panel.set(ylim=(len(kinds) - 0.5, -0.5), xlim=(0, 120), xticks=range(0, 101, 20))
        panel.grid(axis="y", visible=False)
        despine(panel)
    panels[-1].set_xlabel("Share of the subset's pairs (%); in brackets: number of pairs")
    legend_below(figure, panels[0], columns=2)
    return figure


def _name(report: Mapping[str, Any], kind: str) -> str:
    name = NAMES_OF_KINDS.get(kind) or heading(f"Same {kind}", NAME_WIDTH, BODY)
    unknown = report.get("unknown", {}).get(kind, 0)
    return f"{name}\n(unknown: {unknown:,} pairs)" if unknown else name


def _share(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "unknown"
    if not found["pairs"]:
        return "0"
    percent = 100 * found["share"]
    return f"{f'{percent:.1f}' if percent >= 0.1 else '< 0.1'} % ({found['pairs']:,})"
