"""The workflow's own rule graph: a line per rule, a track per rule that others take files from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pairdx.reporting.theme import FAINT, INK, PAGE_WIDTH, SMALL, STYLES, new_figure, theme

# The rule files in the order in which data flows; each is a phase.
PHASES = (
    *("fetch", "curate", "split", "passport", "pack", "features", "train", "evaluate"),
    *("calibration", "probes", "errors", "explain", "texts", "time", "comparisons", "report"),
    *("cost", "paper"),
)
ROW_HEIGHT = 0.21  # inches
RULES_AT, TRACKS_AT = 1.05, 2.85  # inches from the left edge
COLOURS = [look.colour for look in STYLES]


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
        for name in re.findall(
            r"^(?:use rule \w+ as|rule) (\w+)", file.read_text(encoding="utf-8"), re.MULTILINE
        )
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
    """Leave out every edge whose ends a longer path connects (transitive reduction).

    And those of a rule to itself: jobs form no circle, but one training may read another's file.
    """
    edges = [(giver, taker) for giver, taker in edges if giver != taker]
    takers: dict[str, set[str]] = {}
    for giver, taker in edges:
        takers.setdefault(giver, set()).add(taker)

    def reached(rule: str) -> set[str]:
        found, waiting = set[str](), [rule]
        while waiting:
            new = takers.get(waiting.pop(), set()) - found
            found |= new
            waiting += new
        return found

    return [
        (giver, taker)
        for giver, taker in edges
        if not any(taker in reached(other) for other in takers[giver] - {taker})
    ]


@theme()
def draw_rule_graph(graph: RuleGraph, *, title: str) -> Figure:
    """Draw one line per rule, phase after phase, and beside them who takes files from whom.

    No arrow crosses a name: every rule that gives files has a track of its own, from its line (a
    dot) to the lines of the rules that take them (triangles).
    """
    rows = {rule: row for row, rule in enumerate(_listed(graph))}
    tracks = _tracks(graph, rows)
    figure = new_figure(ROW_HEIGHT * (len(rows) + 2.4), title=title)
    panel = figure.subplots()
    panel.set_axis_off()
    panel.set_ylim(len(rows) - 0.4, -0.6)
    panel.set_xlim(0, PAGE_WIDTH - 0.2)
    _write_names(panel, graph, rows)
    width = (PAGE_WIDTH - 0.2 - TRACKS_AT) / (max(tracks.values(), default=0) + 1)
    for giver, track in tracks.items():
        x = TRACKS_AT + width * (track + 0.4)
        taking = [rows[taker] for one, taker in graph.edges if one == giver]
        colour = COLOURS[track % len(COLOURS)]
        ends = [rows[giver], *taking]
        panel.plot([x, x], [min(ends), max(ends)], color=colour, lw=1.3, zorder=2)
        panel.plot(x, rows[giver], "o", color=colour, ms=5, zorder=3)
        panel.plot([x] * len(taking), taking, "<", mfc="white", mec=colour, ms=5.5, zorder=3)
    marks = [
        Line2D([], [], color=INK, marker="o", ms=5, lw=1.3, label="passes files on"),
        Line2D([], [], color=INK, marker="<", ms=5.5, mfc="white", lw=1.3, label="takes them"),
    ]
    figure.legend(handles=marks, loc="outside lower center", ncols=2, handlelength=2.8)
    return figure


def _listed(graph: RuleGraph) -> list[str]:
    """List the rules phase by phase."""
    return [rule for rules in graph.phases.values() for rule in rules]


def _tracks(graph: RuleGraph, rows: Mapping[str, int]) -> dict[str, int]:
    """Give each rule that others take files from a track: the first that is free where it runs."""
    spans: dict[str, list[int]] = {}
    for giver, taker in graph.edges:
        spans.setdefault(giver, [rows[giver]]).append(rows[taker])
    tracks: dict[str, int] = {}
    ends: list[int] = []  # of every track: the last line that it reaches
    for giver in sorted(spans, key=lambda rule: min(spans[rule])):
        first, last = min(spans[giver]), max(spans[giver])
        free = [track for track, end in enumerate(ends) if end < first]
        track = free[0] if free else len(ends)
        ends[track : track + 1] = [last]
        tracks[giver] = track
    return tracks


def _write_names(panel: Axes, graph: RuleGraph, rows: Mapping[str, int]) -> None:
    """Write phases and rules, and a thin line from each rule to the tracks."""
    for number, (phase, rules) in enumerate(graph.phases.items()):
        first, last = rows[rules[0]], rows[rules[-1]]
        if number % 2 == 0:
            panel.axhspan(first - 0.5, last + 0.5, color="#f3f3f3", lw=0, zorder=0)
        panel.text(0.04, first, phase, va="center", size=SMALL + 1, weight="bold", color=FAINT)
        for rule in rules:
            panel.text(RULES_AT, rows[rule], rule, va="center", size=SMALL + 0.5)
            panel.axhline(
                rows[rule], TRACKS_AT / (PAGE_WIDTH - 0.2), color="#cccccc", lw=0.6, zorder=1
            )
