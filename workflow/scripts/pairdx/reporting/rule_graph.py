"""The workflow's own rule graph, drawn with one column per phase."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch

from pairdx.reporting.theme import FAINT, INK, SMALL, new_figure, theme

# The rule files in the order in which data flows; each is a phase.
PHASES = (
    *("fetch", "curate", "split", "passport", "pack", "features", "train", "evaluate"),
    *("calibration", "probes", "errors", "explain", "texts", "time", "comparisons", "report"),
    *("cost", "paper"),
)
# Where a phase's only rule stands, as a share of the width: off the lines between other phases.
ASIDE = {"split": 0.1, "features": 0.33, "explain": 0.37, "time": 0.9, "passport": 0.62}


@dataclass(frozen=True)
class RuleGraph:
    """Rules by phase, and which passes files to which.

    Attributes:
        phases: Names of the rules per phase, in the order of :data:`PHASES`, without empty phases.
        edges: (giver, taker) pairs of rules, without those that a longer path implies.
    """

    phases: dict[str, list[str]]
    edges: list[tuple[str, str]]


def read_rule_graph(dot: str, rule_files: Sequence[Path]) -> RuleGraph:
    """Read Snakemake's rule graph, and find each rule's phase in the rule files.

    Args:
        dot: The graph in the DOT language, as ``snakemake --rulegraph dot`` prints it.
        rule_files: ``fetch.smk``, ``curate.smk`` and so on.
    """
    phase_of = {
        name: file.stem
        for file in rule_files
        for name in re.findall(r"^(?:use rule \w+ as|rule) (\w+)", file.read_text(), re.MULTILINE)
    }
    names = dict(re.findall(r"(\d+)\s*\[\s*label = \"([^\"\\]+)", dot))
    drawn = [
        name
        for name in names.values()
        if phase_of.get(name) in PHASES and name != "draw_rule_graph"
    ]
    phases = {
        phase: [name for name in phase_of if name in drawn and phase_of[name] == phase]
        for phase in PHASES
    }
    edges = [
        (names[giver], names[taker])
        for giver, taker in re.findall(r"(\d+) -> (\d+)", dot)
        if names[giver] in drawn and names[taker] in drawn
    ]
    return RuleGraph({phase: rules for phase, rules in phases.items() if rules}, _reduced(edges))


def _reduced(edges: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Leave out every edge whose ends a longer path connects (transitive reduction)."""
    takers: dict[str, set[str]] = {}
    for giver, taker in edges:
        takers.setdefault(giver, set()).add(taker)

    def reached(rule: str) -> set[str]:
        direct = takers.get(rule, set())
        return direct.union(*(reached(taker) for taker in direct))

    return [
        (giver, taker)
        for giver, taker in edges
        if not any(taker in reached(other) for other in takers[giver] - {taker})
    ]


@theme()
def draw_rule_graph(graph: RuleGraph, *, title: str) -> Figure:
    """Draw one row per phase, top to bottom, its rules side by side, and an arrow per edge."""
    width = max(len(rules) for rules in graph.phases.values())
    figure = new_figure(0.72 * len(graph.phases), title=title)
    panel = figure.subplots()
    panel.set_axis_off()
    panel.set_xlim(-0.75, width)
    panel.set_ylim(len(graph.phases) - 0.45, -0.55)
    boxes = {}
    for row, (phase, rules) in enumerate(graph.phases.items()):
        panel.text(-0.72, row, phase, va="center", size=SMALL + 1, weight="bold", color=FAINT)
        for column, rule in enumerate(rules):
            share = ASIDE.get(phase, 0.5) if len(rules) == 1 else (column + 0.5) / len(rules)
            boxes[rule] = _box(panel, rule, share * width, row)
    for giver, taker in graph.edges:
        (start, giving), (end, taking) = boxes[giver], boxes[taker]
        arrow = FancyArrowPatch(
            start, end, patchA=giving, patchB=taking, arrowstyle="-|>", mutation_scale=8,
            shrinkA=1, shrinkB=1, color=FAINT, lw=1.0, zorder=1,
        )  # fmt: skip
        panel.add_patch(arrow)
    return figure


def _box(panel: Axes, rule: str, x: float, y: float) -> tuple[tuple[float, float], Patch]:
    """Draw a rule's box and return its centre and outline."""
    box = FancyBboxPatch(
        (x - 0.42, y - 0.21), 0.84, 0.42,
        boxstyle="round,pad=0.02", facecolor="white", edgecolor=INK, lw=0.9, zorder=2,
    )  # fmt: skip
    panel.add_patch(box)
    panel.text(
        x,
        y,
        _in_two_lines(rule) if len(rule) > 13 else rule,
        ha="center",
        va="center",
        size=SMALL - 0.5,
        zorder=3,
    )
    return (x, y), box


def _in_two_lines(rule: str) -> str:
    """Break a rule's name at the underscore nearest its middle."""
    breaks = [place for place, character in enumerate(rule) if character == "_"]
    middle = min(breaks, key=lambda place: abs(place - len(rule) / 2))
    return f"{rule[:middle]}\n{rule[middle + 1 :]}"
