"""What systems say of findings and how often these are true: a panel per system."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from pairdx.reporting.findings.numbers import decimal
from pairdx.reporting.findings.places import NAMED, Facts, Registry
from pairdx.reporting.format.class_ticks import row_height, row_name, row_size
from pairdx.reporting.format.classes import Names, most_of, title_of
from pairdx.reporting.format.labels import readable, system_title
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

TITLE = "Probabilities of findings, and how often they are true"
PANELS, MOST_PANELS, MOST_ROWS = 3, 9, 20
HEADING_WIDTHS = {1: 70, 2: 36, 3: 24}  # characters per line, by panels in a row
LINE = 0.15  # inches per line of a heading
PLACE = [name for name in NAMED if name != "system"]


@theme()
def probabilities_and_shares(
    table: pd.DataFrame, facts: Facts, registry: Registry, *, note: str | None = None
) -> Figure:
    """Draw the mean probability of each finding beside the share that has it.

    Of the test pairs at home, or where nothing is known of these, of the first others.

    Args:
        table: What ``calibration_table`` returned.
        facts: title and classes of datasets.
        registry: Every system.
        note: Small print under the title.
    """
    known = table[table["base_rate"].notna()]
    if known.empty:
        return _nothing(note)
    at_home = known[known["dataset"] == known["other"]]
    first = (known if at_home.empty else at_home).iloc[0]
    named = {name: str(first[name]) for name in PLACE}
    own = known[(known[PLACE] == pd.Series(named)).all(axis=1)]
    systems = list(own["system"].unique())[:MOST_PANELS]
    names: Names = facts["datasets"][named["other"]]["classes"]
    shares = own.groupby("finding", sort=False)["base_rate"].first()
    findings = most_of(shares.index, shares.to_dict(), MOST_ROWS)
    remarks = _remarks(known, own, (systems, findings))
    figure, panels = _panels(
        _heading_note(named, facts, [*([note] if note else []), *remarks]),
        [system_title(name, registry) for name in systems],
        len(findings),
    )
    for panel, system in zip(panels, systems, strict=True):
        rows = own[own["system"] == system].set_index("finding").loc[findings]
        _draw(panel, rows)
    titles = [row_name(title_of(name, names)) for name in findings]
    panels[0].set_yticks(range(len(findings)), titles, size=row_size(len(findings)))
    panels[0].set_ylim(len(findings) - 0.5, -0.5)
    legend_below(figure, panels[0], columns=2)
    return figure


def _heading_note(named: Mapping[str, str], facts: Facts, notes: Sequence[str]) -> str:
    titles = {name: one["title"] for name, one in facts["datasets"].items()}
    where = (
        f"Test pairs of {titles[named['other']]}, {readable(named['split_there']).lower()} split."
    )
    if named["other"] != named["dataset"]:
        where += f" Systems of {titles[named['dataset']]}."
    return " ".join([where, *notes])


def _remarks(
    known: pd.DataFrame, own: pd.DataFrame, shown: tuple[Sequence[str], Sequence[str]]
) -> list[str]:
    """Say what is not drawn."""
    systems, findings = shown
    found = []
    if (rest := own["system"].nunique() - len(systems)) > 0:
        found.append(f"Not drawn: {rest} more systems.")
    if (rest := own["finding"].nunique() - len(findings)) > 0:
        found.append(f"Not drawn: {rest} rarer findings.")
    if len(known.groupby(PLACE)) > 1:
        found.append("Other test pairs are in the table.")
    return found


def _panels(note: str, titles: Sequence[str], rows: int) -> tuple[Figure, list[Axes]]:
    across = min(len(titles), PANELS)
    down = math.ceil(len(titles) / across)
    headings = [
        textwrap.fill(title, HEADING_WIDTHS[across], break_on_hyphens=False) for title in titles
    ]
    lines = 1 + max(text.count("\n") + 1 for text in headings)
    each = max(0.8, row_height(rows) * rows) + LINE * lines + 0.4
    figure = new_figure(0.4 + down * each, title=TITLE, note=note)
    panels = list(figure.subplots(down, across, squeeze=False, sharey=True, sharex=True).flat)
    for panel, text in zip(panels, headings, strict=False):
        panel.set_title(text, loc="left", size=SMALL).set_parse_math(False)
    for unused in panels[len(titles) :]:
        unused.set_visible(False)
    for position, panel in enumerate(panels[: len(titles)]):
        if position + across >= len(titles):
            panel.set_xlabel("Share or probability", size=SMALL)
            panel.tick_params(labelbottom=True)
    return figure, panels[: len(titles)]


def _draw(panel: Axes, rows: pd.DataFrame) -> None:
    said, true = style(0), style(1)
    for height, (share, mean) in enumerate(
        zip(rows["base_rate"], rows["mean_probability"], strict=True)
    ):
        panel.plot([share, mean], [height, height], color=FAINT, lw=0.9, zorder=1)
    places = range(len(rows))
    panel.plot(
        rows["base_rate"], places, linestyle="none", marker=true.marker, color=true.colour,
        markersize=4.5, clip_on=False, label="Share of the test pairs that have it",
    )  # fmt: skip
    panel.plot(
        rows["mean_probability"], places, linestyle="none", marker=said.marker, color=said.colour,
        markersize=4.5, clip_on=False, label="Mean probability",
    )  # fmt: skip
    error = decimal(float(rows["ece"].mean()))
    panel.set_title(
        f"{panel.get_title(loc='left')}\nCalibration error {error}", loc="left", size=SMALL
    )
    panel.set(xlim=(-0.02, 1.02))
    panel.xaxis.set_major_locator(FixedLocator([0, 0.5, 1]))
    panel.tick_params(axis="x", labelsize=SMALL)
    panel.grid(axis="y", visible=False)
    despine(panel, left=True)


def _nothing(note: str | None) -> Figure:
    figure = new_figure(0.5, title=TITLE, note=note)
    text = figure.text(0.012, 0.2, "Nobody knows of any finding of these test pairs.", color=INK)
    text.set_in_layout(False)
    return figure
