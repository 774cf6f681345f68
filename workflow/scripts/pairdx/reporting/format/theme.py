"""One look for all figures: page width, readable without colour, reproducible to the byte."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure

from pairdx.files import written_whole
from pairdx.reporting.format.glyphs import families
from pairdx.reporting.format.outputs import path_in

PAGE_WIDTH = 6.9  # inches: the text width of an A4 page
DOTS_PER_INCH = 200
BODY, SMALL, TITLE = 8.5, 7.5, 10.0  # font sizes in points
INK, FAINT = "#222222", "#707070"

_SETTINGS: dict[Any, Any] = {
    # seaborn's style "whitegrid", spelled out: importing seaborn takes a second, above all for
    # scipy.stats, and most figures need nothing else of it.
    **dict.fromkeys(("figure.facecolor", "axes.facecolor"), "white"),
    **dict.fromkeys(("axes.grid", "axes.axisbelow", "patch.force_edgecolor"), True),
    **dict.fromkeys(("xtick.bottom", "xtick.top", "ytick.left", "ytick.right"), False),
    **{f"axes.spines.{side}": True for side in ("left", "bottom", "right", "top")},
    **dict.fromkeys(("xtick.direction", "ytick.direction"), "out"),
    "grid.linestyle": "-",
    "lines.solid_capstyle": "round",
    "patch.edgecolor": "white",
    # The project's own.
    # The first comes with matplotlib, so that every machine draws the same; others draw what it
    # lacks.
    "font.family": families(),
    "font.size": BODY,
    "axes.titlesize": BODY + 0.5,
    "axes.labelsize": BODY,
    "xtick.labelsize": SMALL + 0.5,
    "ytick.labelsize": SMALL + 0.5,
    "legend.fontsize": SMALL + 0.5,
    "legend.frameon": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": "#dddddd",
    "hatch.linewidth": 0.6,
    "hatch.color": "white",
    "axes.formatter.useoffset": False,
    "savefig.dpi": DOTS_PER_INCH,
    "svg.hashsalt": "pairdx",  # element names in an SVG are random otherwise
}


@dataclass(frozen=True)
class Style:
    """How one series looks; any one of colour, marker, line and hatch tells it from the others."""

    colour: str
    marker: str
    line: str
    hatch: str


# The colour-blind safe palette of Okabe and Ito (its yellow is too light for lines: grey stands in
# for it); neighbours differ in lightness too.
STYLES = (
    Style("#0072b2", "o", "-", ""),
    Style("#e69f00", "s", "--", "///"),
    Style("#009e73", "^", "-.", "..."),
    Style("#cc79a7", "D", ":", "xxx"),
    Style("#56b4e9", "v", "-", "\\\\\\"),
    Style("#d55e00", "P", "--", "ooo"),
    Style("#222222", "X", "-.", "|||"),
    Style("#999999", "*", ":", "+++"),
)


def style(position: int) -> Style:
    """Return the style of the series at this position; after the last, they start again."""
    return STYLES[position % len(STYLES)]


@contextmanager
def theme() -> Iterator[None]:
    """Draw with the project's look inside the block (or the decorated function), and only there."""
    with mpl.rc_context(_SETTINGS):
        yield


def new_figure(height: float, *, title: str, note: str | None = None) -> Figure:
    """Make an empty page-width figure under a heading.

    Args:
        height: Height in inches of what is drawn; the heading comes on top of it.
        title: Printed bold at the upper left.
        note: Printed small under the title: what a reader has to know about the numbers.
    """
    lines = [
        (line, TITLE, "bold", INK) for line in textwrap.wrap(title, 72, break_on_hyphens=False)
    ]
    lines += [
        (line, SMALL, "normal", FAINT)
        for line in textwrap.wrap(note or "", 108, break_on_hyphens=False)
    ]
    heading = sum(1.4 * size / 72 for _, size, _, _ in lines) + 0.14
    total = height + heading
    figure = Figure(figsize=(PAGE_WIDTH, total), layout="constrained", facecolor="white")
    figure.get_layout_engine().set(  # type: ignore[union-attr, call-arg]
        rect=(0, 0, 1, height / total), w_pad=0.06, h_pad=0.05
    )
    top = total - 0.06
    for line, size, weight, colour in lines:
        text = figure.text(
            0.08 / PAGE_WIDTH, top / total, line, va="top", size=size, weight=weight, color=colour
        )
        text.set_parse_math(False)
        text.set_in_layout(False)
        top -= 1.4 * size / 72
    return figure


def legend_below(figure: Figure, panels: Axes | Sequence[Axes], *, columns: int) -> None:
    """Put the legend of a panel, or of several with every label once, under the whole figure."""
    shown: dict[str, Any] = {}
    for panel in [panels] if isinstance(panels, Axes) else panels:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            shown.setdefault(label, handle)
    # matplotlib lists lines first; what carries intervals is the figure's subject.
    order = sorted(shown, key=lambda label: not isinstance(shown[label], ErrorbarContainer))
    figure.legend(
        [shown[label] for label in order],
        order,
        loc="outside lower center",
        ncols=columns,
        handlelength=2.8,
    )


def despine(panel: Axes, *, left: bool = False) -> None:
    """Take away the upper and the right line of a panel's frame, and if so wished the left one."""
    panel.spines[["top", "right", *(["left"] if left else [])]].set_visible(False)


def hatch_bars(bars: BarContainer, look: Style) -> None:
    """Fill bars with a series' colour and hatch."""
    for bar in bars:
        bar.set(facecolor=look.colour, hatch=look.hatch, edgecolor="white", linewidth=0.6)


def save(figure: Figure, svg_path: str | Path, png_path: str | Path) -> None:
    """Save a figure as SVG and as PNG (200 dots per inch), each written whole or not at all."""
    with theme():
        with written_whole(svg_path) as aside:
            figure.savefig(aside, format="svg", metadata={"Date": None})
        with written_whole(png_path) as aside:
            figure.savefig(aside, format="png", metadata={"Software": None})


def save_item(output: Any, key: str, figure: Figure, at: int | None = None) -> None:
    """Save a figure to all of its outputs.

    Args:
        output: ``snakemake.output``.
        key: The figure's key, such as ``funnel``.
        figure: The figure.
        at: Position, where one job draws it for several splits or systems.
    """
    save(figure, path_in(output, key, "svg", at), path_in(output, key, "png", at))
