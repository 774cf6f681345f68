"""Figures of texts that images are paired with: how similar they are, and some to look at."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pairdx.reporting.dataset.match_tables import MOST
from pairdx.reporting.dataset.pairing_tables import Entry, how_chosen
from pairdx.reporting.format.glyphs import drawable_name, no_formula
from pairdx.reporting.format.labels import encoder_title, readable
from pairdx.reporting.format.markdown import with_minus
from pairdx.reporting.format.picture_grid import Picture, picture_grid
from pairdx.reporting.format.tables import shorten
from pairdx.reporting.format.text_flow import wrap
from pairdx.reporting.format.theme import (
    INK,
    SMALL,
    STYLES,
    despine,
    legend_below,
    new_figure,
    theme,
)

BARS = 40
ROOM = 6.0  # inches of headings side by side
LINE = 0.15  # inches of one line of them
COLUMNS = 4  # pictures side by side: as many most as least similar
OF_EACH = COLUMNS // 2
MOST_PAIRINGS = 8  # with pictures; the table has all
LONGEST_BEGINNING = 130  # characters of a text below a picture
UP, DOWN = "\N{BLACK UP-POINTING TRIANGLE}", "\N{BLACK DOWN-POINTING TRIANGLE}"
SHEET_NOTE = (
    f"Training pairs with the cosine of image and text: {UP} the texts that fit an image best, "
    f"{DOWN} those that fit one worst. Each text stands once, with its best or worst image, while "
    "there are enough: other images may lie between two."
)
LOOKS = {"train": (STYLES[4], "-"), "validation": (STYLES[5], "--"), "test": (STYLES[6], ":")}


@theme()
def cosine_histograms(
    cosines: Mapping[str, pd.DataFrame],
    pairings: Mapping[str, Entry],
    *,
    title: str,
    note: str | None = None,
) -> Figure:
    """Draw how similar images and their chosen texts are, one panel per pairing, by subset.

    Args:
        cosines: By pairing, in figure order: subset, cosine of every pair.
        pairings: ``choose``, ``rank``, ``bank``, ``encoder``, ``random_weights``, by name.
        title: Title of the figure.
        note: Small print under it.
    """
    values = np.concatenate([one["cosine"].to_numpy(dtype=float) for one in cosines.values()])
    reach = max(float(np.ptp(values)), 0.02)
    edges = np.linspace(values.min() - 0.02 * reach, values.min() + 1.02 * reach, BARS + 1)
    columns = 1 if len(cosines) <= 3 else 2
    rows = -(-len(cosines) // columns)
    headings = {
        name: _heading(name, pairings[name], table, ROOM / columns)
        for name, table in cosines.items()
    }
    most = max(map(len, headings.values()))
    figure = new_figure((1.05 + LINE * most) * rows + 0.6, title=title, note=note)
    panels = figure.subplots(rows, columns, sharex=True, squeeze=False).ravel()
    for panel, (name, table) in zip(panels, cosines.items(), strict=False):
        _histogram(panel, table, edges)
        panel.set_title("\n".join(headings[name]), loc="left", size=SMALL + 0.5)
    for panel in panels[len(cosines) :]:
        panel.set_axis_off()
    for panel in panels[max(0, len(cosines) - columns) : len(cosines)]:
        panel.set_xlabel("Cosine of image and text")
        panel.tick_params(labelbottom=True)
    figure.supylabel("Pairs of the subset (%)", size=SMALL + 1)
    legend_below(figure, panels[0], columns=len(LOOKS) + 1)
    return figure


def _heading(name: str, entry: Entry, table: pd.DataFrame, room: float) -> list[str]:
    """Say in lines of at most ``room`` inches what a pairing is, and its mean cosine."""
    mean = table.loc[table["subset"] == "train", "cosine"].astype(float).mean()
    words = (
        f"{readable(name)}: every image gets {how_chosen(entry)}",
        f"Bank: {entry['bank']}; encoder: {encoder_title(entry)}",
        f"Mean of training pairs: {with_minus(f'{mean:.3f}')}",
    )
    lines = [line for one in words for line in wrap(drawable_name(one), room, SMALL + 0.5)]
    return [no_formula(line) for line in lines]


def _histogram(panel: Axes, table: pd.DataFrame, edges: np.ndarray) -> None:
    for subset, (look, line) in LOOKS.items():
        found = table.loc[table["subset"] == subset, "cosine"].to_numpy(dtype=float)
        if not len(found):
            continue
        weights = np.full(len(found), 100 / len(found))
        if subset == "train":
            panel.hist(
                found, edges.tolist(), weights=weights, color=look.colour, label="Training pairs"
            )
            mean = float(found.mean())
            panel.axvline(mean, color=INK, lw=1.2, linestyle="-", label="Mean of training pairs")
        else:
            panel.hist(
                found, edges.tolist(), weights=weights, histtype="step", linestyle=line, lw=1.4,
                color=look.colour, label=f"{readable(subset)} pairs",
            )  # fmt: skip
    panel.set_xlim(edges[0], edges[-1])
    panel.margins(y=0.12)
    panel.locator_params(axis="y", nbins=4)
    panel.grid(visible=False, axis="x")
    despine(panel)


@theme()
def match_sheet(
    matches: pd.DataFrame,
    images: np.ndarray,
    *,
    title: str,
    note: str | None = None,
) -> Figure:
    """Draw images above the beginnings of the texts that are most, and least, similar to them.

    Args:
        matches: pairing, match, cosine, text; one row per picture, pairing by pairing, the most
            similar first.
        images: uint8 [N, S, S, 3] RGB, one per row.
        title: Title of the figure.
        note: Small print under it, behind what is shown.
    """
    names = list(dict.fromkeys(matches["pairing"]))
    said = [SHEET_NOTE]
    if any(shorten(text, LONGEST_BEGINNING).endswith(" …") for text in matches["text"]):
        said.append("Long texts are cut.")
    if len(names) > MOST_PAIRINGS:
        said.append(
            f"Shown: the first {MOST_PAIRINGS} of {len(names)} pairings; the table has all."
        )
    note = " ".join([*said, *([note] if note else [])])
    pictures, places = [], dict.fromkeys(names, 0)
    for row, image in zip(matches.to_dict("records"), images, strict=True):
        line = names.index(row["pairing"])
        if line >= MOST_PAIRINGS:
            continue
        column = places[row["pairing"]]
        places[row["pairing"]] += 1
        sign = UP if row["match"] == MOST else DOWN
        name = readable(row["pairing"]) if column == 0 else ""
        above = f"{name}\n{sign} {with_minus(format(row['cosine'], '.3f'))}"
        below = shorten(row["text"], LONGEST_BEGINNING)
        pictures.append(Picture(image, above, below, line, column))
    return picture_grid(pictures, COLUMNS, title=title, note=note)
