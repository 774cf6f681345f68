"""The workflow's own rule graph: a line per rule, a track per rule that others take files from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pairdx.reporting.format.theme import FAINT, INK, PAGE_WIDTH, SMALL, STYLES, new_figure, theme

ROW_HEIGHT = 0.21  # inches
FILES_AT, RULES_AT, TRACKS_AT = 0.72, 1.75, 3.5  # inches from the left edge
COLOURS = [look.colour for look in STYLES]


# Where a Snakefile includes a rule file, and how a rule is named: behind `rule`, or below `name:`.
INCLUDED = re.compile(r'^include: "(.+)"', re.MULTILINE)
NAMED = re.compile(r'^ *(?:use rule \w+ as (\w+)|rule (\w+):|name:\s+f?"(\w+))', re.MULTILINE)
VARIANT = re.compile(r"_\d+$")  # what is put behind a name that stands below `name:`


@dataclass(frozen=True)
class RuleGraph:
    """Rules by phase, and which passes files to which.

    Attributes:
        phases: Names of the rules per phase (folder and rule file: ``data/fetch``), in the order in
            which the Snakefile includes the files, without empty phases.
        edges: (giver, taker) pairs of rules, without those that a longer path implies.
    """

    phases: dict[str, list[str]]
    edges: list[tuple[str, str]]


def phases_of(snakefile: Path) -> dict[str, str]:
    """Return the phase of every rule: its rule file, in the order of the Snakefile's includes.

    Args:
        snakefile: The Snakefile. Rules of its own are targets and have no phase.

    Returns:
        By name as it is written: of a rule in a loop, without what the loop puts behind it.
    """
    phases = {}
    for path in INCLUDED.findall(snakefile.read_text(encoding="utf-8")):
        file = snakefile.parent / path
        phase = f"{file.parent.name}/{file.stem}"
        for names in NAMED.findall(file.read_text(encoding="utf-8")):
            phases["".join(names)] = phase
    return phases


def read_rule_graph(dot: str, snakefile: Path) -> RuleGraph:
    """Read Snakemake's rule graph, and find each rule's phase in the rule files.

    Variants of a rule (``assess_confidence_2``) are drawn as one.

    Args:
        dot: The graph in the DOT language, as ``snakemake --rulegraph dot`` prints it.
        snakefile: The Snakefile that it is of.
    """
    phase_of = phases_of(snakefile)
    found = dict(re.findall(r"(\d+)\s*\[\s*label = \"([^\"\\]+)", dot))
    names = {
        number: name if name in phase_of else VARIANT.sub("", name)
        for number, name in found.items()
    }
    phases: dict[str, list[str]] = {}
    for name, phase in phase_of.items():
        if name in names.values():
            phases.setdefault(phase, []).append(name)
    edges = [
        (names[giver], names[taker])
        for giver, taker in re.findall(r"(\d+) -> (\d+)", dot)
        if {names[giver], names[taker]} <= {*phase_of}
    ]
    return RuleGraph(phases, _reduced(list(dict.fromkeys(edges))))


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
    """Write folders, rule files and rules, and a thin line from each rule to the tracks."""
    folders: list[str] = []
    for number, (phase, rules) in enumerate(graph.phases.items()):
        folder, _, file = phase.partition("/")
        first, last = rows[rules[0]], rows[rules[-1]]
        if number % 2 == 0:
            panel.axhspan(first - 0.5, last + 0.5, color="#f3f3f3", lw=0, zorder=0)
        if folder not in folders:
            folders.append(folder)
            panel.text(0.04, first, folder, va="center", size=SMALL + 1, weight="bold", color=FAINT)
        panel.text(FILES_AT, first, file, va="center", size=SMALL + 0.5, color=FAINT)
        for rule in rules:
            panel.text(RULES_AT, rows[rule], rule, va="center", size=SMALL + 0.5)
            panel.axhline(
                rows[rule], TRACKS_AT / (PAGE_WIDTH - 0.2), color="#cccccc", lw=0.6, zorder=1
            )
