"""Small multiples over all systems: reliability diagrams and risk-coverage curves."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator
from numpy.typing import NDArray

from pairdx.evaluation.abstention import risk_by_coverage
from pairdx.evaluation.calibration import Calibration, calibration_error, reliability
from pairdx.reporting.format.theme import FAINT, INK, SMALL, despine, new_figure, style, theme

PANEL_HEIGHT = 1.72  # inches, with the panel's title
# What is drawn of a system, and the position of its style.
STATES = (("before", "As predicted", 1), ("after", "After temperature scaling", 0))
RISK_TICKS = (0, 1, 3, 10, 30, 100)
SMALLEST, PER_PERCENT = 6, 0.7  # areas of marks in square points

Cells = Mapping[str, Sequence[Calibration]]


@theme()
def reliability_diagrams(
    cells: Cells, titles: Mapping[str, str], *, title: str, note: str | None = None
) -> Figure:
    """Draw accuracy over confidence, one panel per system, before and after temperature scaling.

    One mark per confidence bin that has pairs, of all seeds together; its area grows with the bin's
    share of the pairs. On the diagonal, confidence and accuracy are equal.

    Args:
        cells: Every seed's calibration, by system, in the order of the panels.
        titles: Title per system.
        title: Title of the figure.
        note: Small print under it.
    """
    figure, panels = _grid(len(cells), "Confidence (%)", "Accuracy (%)", title, note)
    for panel, (system, seeds) in zip(panels, cells.items(), strict=True):
        panel.plot([0, 100], [0, 100], color=FAINT, lw=0.8, zorder=1)
        errors = []
        for state, _, position in STATES:
            reads = [getattr(seed, state) for seed in seeds]
            _marks(panel, 100 * reliability(reads).to_numpy(), position, hollow=state == "before")
            errors.append(100 * np.mean([calibration_error(read) for read in reads]))
        temperature = np.mean([seed.temperature for seed in seeds])
        measured = f"T {temperature:.2f}, ECE {errors[0]:.1f} → {errors[1]:.1f} %"
        _panel_title(panel, titles[system], measured)
        panel.set(xlim=(-4, 104), ylim=(-4, 104))
        panel.xaxis.set_major_locator(MultipleLocator(50))
        panel.yaxis.set_major_locator(MultipleLocator(50))
    handles = [
        _handle(position, label, hollow=state == "before") for state, label, position in STATES
    ]
    handles.append(Line2D([], [], color=FAINT, lw=0.8, label="Confidence = accuracy"))
    figure.legend(handles=handles, loc="outside lower center", ncols=3, handlelength=2.8)
    return figure


def _marks(panel: Axes, bins: NDArray[np.float64], position: int, *, hollow: bool) -> None:
    """Draw confidence, accuracy and share of bins, float64 [bins, 3] in percent."""
    look = style(position)
    panel.plot(bins[:, 0], bins[:, 1], color=look.colour, linestyle=look.line, lw=0.7, zorder=2)
    panel.scatter(
        bins[:, 0],
        bins[:, 1],
        s=SMALLEST + PER_PERCENT * bins[:, 2],
        marker=look.marker,
        edgecolors=look.colour,
        facecolors="white" if hollow else look.colour,
        linewidths=0.9,
        zorder=3 if hollow else 4,
        clip_on=False,
    )


def _handle(position: int, label: str, *, hollow: bool) -> Line2D:
    look = style(position)
    return Line2D(
        [],
        [],
        color=look.colour,
        linestyle=look.line,  # type: ignore[arg-type]
        marker=look.marker,
        markersize=5,
        markerfacecolor="white" if hollow else look.colour,
        lw=1.0,
        label=label,
    )


@theme()
def risk_coverage_curves(
    cells: Cells,
    titles: Mapping[str, str],
    *,
    coverage: float,
    risk: float,
    chosen: Mapping[str, tuple[float, float]],
    title: str,
    note: str | None = None,
) -> Figure:
    """Draw the risk over the coverage, one panel per system, the other systems faint behind it.

    The mean over seeds, by confidence as predicted. A curve read off the test pairs chooses no
    threshold: where the one that validation pairs chose leads to on the test pairs is marked.

    Args:
        cells: Every seed's calibration, by system, in the order of the panels.
        titles: Title per system.
        coverage: Where each panel states the risk, a share of the pairs.
        risk: The risk that the threshold keeps on the validation pairs.
        chosen: Coverage and risk of the test pairs above that threshold, by system; NaN where
            nothing is answered.
        title: Title of the figure.
        note: Small print under it.
    """
    curves = {system: _mean_curve(seeds) for system, seeds in cells.items()}
    figure, panels = _grid(len(cells), "Coverage (%)", "Risk (%)", title, note)
    look = style(0)
    for panel, (system, (covered, risks)) in zip(panels, curves.items(), strict=True):
        for other, (x, y) in curves.items():
            if other != system:
                panel.plot(100 * x, 100 * y, color="#c8c8c8", lw=0.7, zorder=1)
        panel.axvline(100 * coverage, color=FAINT, lw=0.8, linestyle=":", zorder=2)
        panel.plot(100 * covered, 100 * risks, color=look.colour, lw=1.8, zorder=3)
        at = float(np.interp(coverage, covered, risks))
        panel.plot(100 * coverage, 100 * at, marker=look.marker, color=INK, markersize=4, zorder=4)
        there = [100 * share for share in chosen[system]]
        panel.plot(
            *there, marker="o", color=INK, markersize=6, fillstyle="none", zorder=5, clip_on=False
        )
        _panel_title(
            panel,
            titles[system],
            f"{100 * coverage:g} %: {100 * at:.1f}, all: {100 * risks[-1]:.1f} %",
        )
        panel.set(xlim=(0, 102), ylim=(0, 105))
        # Linear up to 1 %, then logarithmic: good systems and bad ones are seen side by side.
        panel.set_yscale("symlog", linthresh=1, linscale=0.5)
        panel.set_yticks(RISK_TICKS, map(str, RISK_TICKS))
        panel.minorticks_off()
        panel.xaxis.set_major_locator(MultipleLocator(50))
    handles = [
        Line2D([], [], color=look.colour, lw=1.8, label="Risk of the system named above"),
        Line2D([], [], color="#c8c8c8", lw=0.9, label="Other systems"),
        Line2D(
            [], [], color=INK, linestyle="none", marker=look.marker, markersize=4,
            label=f"{100 * coverage:g} % coverage",
        ),
        Line2D(
            [], [], color=INK, linestyle="none", marker="o", markersize=6, fillstyle="none",
            label=f"Above the confidence of {100 * risk:g} % risk on validation pairs",
        ),
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=2, handlelength=2.4)
    return figure


def _mean_curve(seeds: Sequence[Calibration]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    curves = [risk_by_coverage(seed.before.confidence, seed.before.correct) for seed in seeds]
    return curves[0][0], np.mean([risk for _, risk in curves], axis=0)


def _grid(
    count: int, x_label: str, y_label: str, title: str, note: str | None
) -> tuple[Figure, list[Axes]]:
    """Make one panel per system with common axes; the last row may have fewer."""
    columns = 3 if count <= 6 else 4
    rows = math.ceil(count / columns)
    figure = new_figure(0.65 + PANEL_HEIGHT * rows, title=title, note=note)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    panels = list(grid.flat)
    for position, panel in enumerate(panels):
        despine(panel)
        panel.grid(lw=0.5)
        # The lowest panel of a column carries its numbers, in whichever row it is.
        lowest = position + columns >= count
        panel.tick_params(labelbottom=lowest, length=2, labelsize=SMALL)
        panel.set_xlabel(x_label if lowest else "", size=SMALL)
        panel.set_ylabel(y_label if position % columns == 0 else "", size=SMALL)
        if position >= count:
            panel.remove()
    return figure, panels[:count]


def _panel_title(panel: Axes, name: str, measured: str) -> None:
    above = textwrap.fill(name, 26, break_on_hyphens=False)
    text = panel.set_title(f"{above}\n{measured}", size=SMALL, pad=3)
    text.set_parse_math(False)
