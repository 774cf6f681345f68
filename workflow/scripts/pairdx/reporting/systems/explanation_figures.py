"""Figures of single decisions: where in the image, and which words of the caption."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pairdx.models.explained import Explanation
from pairdx.reporting.format.classes import Names
from pairdx.reporting.format.text_flow import Placed
from pairdx.reporting.format.theme import FAINT, INK, PAGE_WIDTH, SMALL, new_figure, theme
from pairdx.reporting.systems.explanation_layout import (
    GAP,
    LINE,
    MARGIN,
    WORD_LINE,
    Block,
    ExplainedPair,
    Layout,
    block_of,
    layout_of,
    line_count,
)

BARS = 0.62  # inches: the colour bars with their labels
# Perceptually uniform: brighter is more in the one, darker is more in the other, in greyscale too.
HEAT, WORDS = mpl.colormaps["inferno"], sns.color_palette("mako_r", as_cmap=True)
HEAT_OPACITY = 0.6


@theme()
def explanation_figure(
    pairs: Sequence[ExplainedPair],
    classes: Names,
    *,
    title: str,
    note: str | None = None,
) -> Figure:
    """Draw decisions of one system: image, heat map of the predicted class, attended words.

    Pictures are left out if the system reads no image, words if it has no attention over them;
    then two pairs stand side by side.

    Args:
        pairs: At least one; all explained by the same system.
        classes: Display names by label, in the order of the explained probabilities.
        title: Title of the figure.
        note: Small print under it.
    """
    layout = layout_of(pairs[0].explanation)
    blocks = [block_of(pair, classes, layout) for pair in pairs]
    rows = [blocks[at : at + layout.columns] for at in range(0, len(blocks), layout.columns)]
    headings = [LINE * max(len(block.heading) for block in row) + GAP / 2 for row in rows]
    heights = [
        heading + max(block.body for block in row) + 2 * MARGIN
        for heading, row in zip(headings, rows, strict=True)
    ]
    figure = new_figure(sum(heights) + BARS, title=title, note=note)
    figure.set_layout_engine("none")  # everything has its place in inches
    total = figure.get_size_inches()[1]
    canvas = figure.add_axes((0, 0, 1, 1))
    canvas.set(xlim=(0, PAGE_WIDTH), ylim=(0, total))
    canvas.set_axis_off()
    top = sum(heights) + BARS
    highest = _highest_attention(pairs)
    for row, heading, height in zip(rows, headings, heights, strict=True):
        for column, block in enumerate(row):
            left = MARGIN + column * (layout.width + 2 * MARGIN)
            _heading(canvas, block, left, top)
            _body(canvas, block, layout, (left, top - heading), highest)
        top -= height
    _colour_bars(figure, layout, pairs[0].explanation, highest)
    return figure


def _heading(canvas: Axes, block: Block, left: float, top: float) -> None:
    for number, line in enumerate(block.heading):
        bold = number < block.bold
        _text(canvas, left, top - LINE * number, line, SMALL if bold else SMALL - 1, bold=bold)


def _body(
    canvas: Axes, block: Block, layout: Layout, corner: tuple[float, float], highest: float
) -> None:
    left, top = corner
    explanation = block.pair.explanation
    if explanation.heat is not None:
        _picture(canvas, left, top, layout.side).imshow(block.pair.image)
        beside = left + layout.side + GAP
        _heat(_picture(canvas, beside, top, layout.side), block.pair.image, explanation.heat)
    left += layout.words
    for over, words in block.words:
        for line in over:
            _text(canvas, left, top, line, SMALL - 1)
            top -= LINE
        for placed, value, known in words:
            _word(canvas, (left, top), placed, value / highest, known=known)
        top -= WORD_LINE * line_count([placed for placed, *_ in words])
    for line in block.remark:
        _text(canvas, left, top, line, SMALL - 1)
        top -= LINE


def _text(
    canvas: Axes, left: float, top: float, line: str, size: float, *, bold: bool = False
) -> None:
    weight, colour = ("bold", INK) if bold else ("normal", FAINT)
    text = canvas.text(left, top, line, va="top", size=size, weight=weight, color=colour)
    text.set_parse_math(False)


def _word(
    canvas: Axes, corner: tuple[float, float], placed: Placed, level: float, *, known: bool
) -> None:
    """Draw a word in its box; what comes from outside is text, never a formula."""
    left, top = corner[0] + placed.left, corner[1] - WORD_LINE * placed.line
    colour = WORDS(level)
    box = (left, top - WORD_LINE + 0.02), placed.width, WORD_LINE - 0.02
    canvas.add_patch(Rectangle(*box, facecolor=colour, edgecolor="none"))
    text = canvas.text(
        left + placed.width / 2,
        top - WORD_LINE / 2 + 0.01,
        placed.text,
        ha="center",
        va="center_baseline",
        size=SMALL,
        style="normal" if known else "italic",
        color="white" if np.dot(colour[:3], (0.299, 0.587, 0.114)) < 0.45 else INK,
    )
    text.set_parse_math(False)


def _picture(canvas: Axes, left: float, top: float, side: float) -> Axes:
    figure = canvas.figure
    width, height = figure.get_size_inches()  # type: ignore[union-attr]
    box = (left / width, (top - side) / height, side / width, side / height)
    panel: Axes = figure.add_axes(box)
    panel.set_axis_off()
    return panel


def _heat(panel: Axes, image: np.ndarray, heat: np.ndarray) -> None:
    """Lay the heat over the image without its colours, and mark half of its maximum by a line."""
    panel.imshow(image @ np.array([0.299, 0.587, 0.114]), cmap="gray", vmin=0, vmax=255)
    panel.imshow(heat, cmap=HEAT, vmin=0, vmax=1, alpha=HEAT_OPACITY)
    if heat.min() < 0.5 < heat.max():
        limits = panel.get_xlim(), panel.get_ylim()
        panel.contour(heat, levels=[0.5], colors="white", linewidths=0.8)
        panel.set(xlim=limits[0], ylim=limits[1])
    if heat.max() == 0:
        middle, text = len(heat) / 2, "no position\nspeaks for it"
        panel.text(middle, middle, text, ha="center", va="center", size=SMALL, color="white")


def _highest_attention(pairs: Sequence[ExplainedPair]) -> float:
    """Return where the words' colours end: the highest attention of all, or three times even."""
    found = [pair.explanation.attention for pair in pairs]
    shares = [one for attention in found if attention for one in attention.shares.values()]
    return max([3.0, *(float(len(one) * one.max()) for one in shares if len(one))])


def _colour_bars(figure: Figure, layout: Layout, explanation: Explanation, highest: float) -> None:
    width, height = figure.get_size_inches()
    drawn = []
    if explanation.heat is not None:
        rows, columns = explanation.positions or explanation.heat.shape
        label = f"Evidence for the predicted class (Grad-CAM, {rows} x {columns}\n"
        label += "positions; 1: maximum of the image, line: half)"
        drawn.append((MARGIN, HEAT, 1.0, HEAT_OPACITY, label))
    if explanation.attention is not None:
        label = "Attention to a word (1: the same for all words;\nitalic: without a word vector)"
        drawn.append((MARGIN + layout.words, WORDS, highest, 1.0, label))
    for left, colours, end, opacity, label in drawn:
        box = (left / width, (BARS - 0.16) / height, 2.7 / width, 0.1 / height)
        bar = figure.colorbar(
            ScalarMappable(Normalize(0, end), colours),
            cax=figure.add_axes(box),
            orientation="horizontal",
            alpha=opacity,
        )
        bar.set_label(label, size=SMALL - 0.5, labelpad=1.5)
        bar.ax.tick_params(labelsize=SMALL - 1, length=2, pad=1.5)
        bar.outline.set_linewidth(0.5)
