"""Pictures with a heading above and a caption below, in rows and columns of a page-wide figure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pairdx.reporting.format.glyphs import drawable
from pairdx.reporting.format.theme import PAGE_WIDTH, SMALL, new_figure

# Geometry, in inches.
MARGIN, HEADING, LINE = 0.1, 0.2, 0.135
MOST_INCHES_PER_IMAGE = 2.1
INCHES_PER_CHARACTER = 0.059  # of a caption, on average, at its font size
INCHES_PER_BOLD_CHARACTER = 0.075  # likewise of a heading


@dataclass(frozen=True)
class Picture:
    """One picture and its place.

    Attributes:
        image: uint8 [S, S, 3] RGB.
        heading: Printed bold above it, wrapped to its width; line breaks stay.
        caption: Printed below it, wrapped to its width; line breaks stay.
        row: From 0 at the top.
        column: From 0 at the left.
    """

    image: np.ndarray
    heading: str
    caption: str
    row: int
    column: int


def picture_grid(
    pictures: Sequence[Picture], columns: int, *, title: str, note: str | None = None
) -> Figure:
    """Draw the pictures; to be called with the project's theme in force.

    Args:
        pictures: At least one.
        columns: Pictures side by side.
        title: Title of the figure.
        note: Small print under it.
    """
    side = min(MOST_INCHES_PER_IMAGE, (PAGE_WIDTH - MARGIN) / columns - MARGIN)
    texts = [_wrapped(picture.caption, int(side / INCHES_PER_CHARACTER)) for picture in pictures]
    headings = [
        _wrapped(picture.heading, int(side / INCHES_PER_BOLD_CHARACTER), break_on_hyphens=False)
        for picture in pictures
    ]
    heading = HEADING + LINE * (max(map(len, headings)) - 1)
    row_height = side + heading + LINE * max(map(len, texts)) + MARGIN
    rows = 1 + max(picture.row for picture in pictures)
    figure = new_figure(rows * row_height, title=title, note=note)
    figure.set_layout_engine("none")  # every picture has its place in inches
    total = figure.get_size_inches()[1]
    for picture, above, below in zip(pictures, headings, texts, strict=True):
        left = MARGIN + picture.column * (PAGE_WIDTH - MARGIN) / columns
        bottom = (rows - picture.row) * row_height - heading - side
        box = (left / PAGE_WIDTH, bottom / total, side / PAGE_WIDTH, side / total)
        _draw(figure.add_axes(box), picture.image, "\n".join(above), "\n".join(below))
    return figure


def _wrapped(text: str, characters: int, *, break_on_hyphens: bool = True) -> list[str]:
    return [
        line
        for part in text.split("\n")
        for line in textwrap.wrap(drawable(part), characters, break_on_hyphens=break_on_hyphens)
        or [""]
    ]


def _draw(panel: Axes, image: np.ndarray, heading: str, caption: str) -> None:
    panel.imshow(image)
    panel.set_axis_off()
    above = panel.set_title(heading, loc="left", size=SMALL + 0.5, weight="bold", pad=3)
    above.set_parse_math(False)
    text = panel.annotate(
        caption,
        (0, 0),
        xycoords="axes fraction",
        xytext=(0, -3),
        textcoords="offset points",
        va="top",
        size=SMALL - 0.5,
    )
    # A caption from outside may hold dollar signs: it is text, not a formula.
    text.set_parse_math(False)
