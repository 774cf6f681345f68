"""ROC curves of one system: a panel per finding."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator

from pairdx.reporting.findings.numbers import FEW_POSITIVES, decimal, listed
from pairdx.reporting.format.class_ticks import heading
from pairdx.reporting.format.classes import Names, most_of, name_of, title_of
from pairdx.reporting.format.theme import (
    FAINT,
    INK,
    PAGE_WIDTH,
    SMALL,
    despine,
    new_figure,
    style,
    theme,
)

COLUMNS, MOST_PANELS = 4, 20
COUNTED = "n: positive test pairs."
PANEL_HEIGHT = 1.75  # inches, with the panel's title
ROOM = PAGE_WIDTH / COLUMNS - 0.35  # inches of a panel's title


@theme()
def roc_curves(
    points: pd.DataFrame, scores: pd.DataFrame, names: Names, *, title: str, note: str | None = None
) -> Figure:
    """Draw the ROC curve of every finding with enough positive test pairs, a curve per seed.

    Args:
        points: What ``roc_points`` returned.
        scores: What ``finding_scores`` returned; of its thresholds the point on the curve is drawn.
        names: Display names of the findings, by label.
        title: Title of the figure.
        note: Small print under it.
    """
    rows = scores.iloc[:-1].set_index("finding")
    drawn = _drawn(rows, points)
    left = _left_out(rows, drawn, names)
    if not drawn:
        return _nothing(title, " ".join([*([note] if note else []), *left]))
    figure_note = " ".join([*([note] if note else []), COUNTED, *left])
    across = min(COLUMNS, len(drawn))
    down = math.ceil(len(drawn) / across)
    figure = new_figure(0.55 + PANEL_HEIGHT * down, title=title, note=figure_note)
    panels = list(figure.subplots(down, COLUMNS, sharex=True, sharey=True, squeeze=False).flat)
    of_finding = dict(list(points.groupby("finding", sort=False)))
    scored = rows.to_dict("index")
    for position, (panel, name) in enumerate(zip(panels, drawn, strict=False)):
        _draw(panel, of_finding[name], scored[name], title_of(name, names))
        _name_axes(panel, position, len(drawn))
    for unused in panels[len(drawn) :]:
        unused.remove()
    marked = bool(rows.loc[drawn, ["sensitivity", "specificity"]].notna().all(axis=1).any())
    handles = _legend(points["seed"].nunique())[: 3 if marked else 2]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, handlelength=2.4)
    return figure


def _drawn(rows: pd.DataFrame, points: pd.DataFrame) -> list[str]:
    """Choose the findings with enough positives, of many those with most."""
    enough = rows[(rows["positives"] >= FEW_POSITIVES) & rows.index.isin(points["finding"])]
    return most_of(enough.index, enough["positives"].to_dict(), MOST_PANELS)


def _left_out(rows: pd.DataFrame, drawn: Sequence[str], names: Names) -> list[str]:
    """Name the findings that have no panel."""
    left = [name_of(label, names) for label in rows.index if label not in drawn]
    if not left:
        return []
    which = f"fewer than {FEW_POSITIVES} positive test pairs, or none without it"
    if len(drawn) == MOST_PANELS:
        which += f", or not among the {MOST_PANELS} with most"
    return [f"Not drawn ({which}): {listed(left)}."]


def _draw(panel: Axes, curves: pd.DataFrame, scores: Mapping[Any, Any], title: str) -> None:
    panel.plot([0, 1], [0, 1], color=FAINT, lw=0.8, zorder=1)
    look, several = style(0), curves["seed"].nunique() > 1
    for _, curve in curves.groupby("seed"):
        panel.plot(
            curve["fpr"],
            curve["tpr"],
            color=look.colour,
            lw=0.9 if several else 1.5,
            alpha=0.75 if several else 1.0,
            zorder=2,
        )
    point = 1 - scores["specificity"], scores["sensitivity"]
    if not np.isnan(point).any():
        panel.plot(*point, marker="o", color=INK, markersize=4, zorder=3, clip_on=False)
    above = heading(title, ROOM, SMALL)
    measured = f"AUROC {decimal(scores['auroc'])}, n = {int(scores['positives']):,}"
    panel.set_title(f"{above}\n{measured}", size=SMALL, pad=3).set_parse_math(False)
    panel.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    panel.set_aspect("equal")


def _name_axes(panel: Axes, position: int, count: int) -> None:
    despine(panel)
    panel.grid(lw=0.5)
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_locator(FixedLocator([0, 0.5, 1]))
    lowest = position + COLUMNS >= count
    panel.tick_params(labelbottom=lowest, length=2, labelsize=SMALL)
    panel.set_xlabel("1 \N{MINUS SIGN} specificity" if lowest else "", size=SMALL)
    panel.set_ylabel("Sensitivity" if position % COLUMNS == 0 else "", size=SMALL)


def _legend(seeds: int) -> list[Line2D]:
    look = style(0)
    each = f"ROC curve, one for each of {seeds} seeds" if seeds > 1 else "ROC curve"
    return [
        Line2D([], [], color=look.colour, lw=1.5, label=each),
        Line2D([], [], color=FAINT, lw=0.8, label="Chance"),
        Line2D(
            *([], []), color=INK, linestyle="none", marker="o", markersize=4,
            label="At the thresholds of the table",
        ),
    ]  # fmt: skip


def _nothing(title: str, note: str) -> Figure:
    """Say that there is no curve, in place of panels."""
    figure = new_figure(0.5, title=title, note=note)
    text = figure.text(0.012, 0.2, "No finding has enough test pairs for a curve.", color=INK)
    text.set_in_layout(False)
    return figure
