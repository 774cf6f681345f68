"""Tables as web pages, and the drawing of the rule graph."""

from __future__ import annotations

import itertools
from pathlib import Path

import pandas as pd

from pairdx.reporting.rule_graph import RuleGraph, draw_rule_graph, read_rule_graph
from pairdx.reporting.webpage import as_html, write_for_reading

DOT = """
digraph snakemake_dag {
    0[label = "all", color = "0.1 0.6 0.85", style="rounded"];
    1[label = "curate_pairs", color = "0.2 0.6 0.85", style="rounded"];
    2[label = "make_split", color = "0.3 0.6 0.85", style="rounded"];
    3[label = "predict", color = "0.4 0.6 0.85", style="rounded"];
    1 -> 2
    2 -> 3
    1 -> 3
    3 -> 3
    3 -> 0
}
"""


def test_captions_with_markup_show_as_they_are() -> None:
    table = pd.DataFrame({"caption": ["<script>alert(1)</script>", "a | b & c 🫀"]})
    page = as_html(table, title="<i>Captions</i>", notes=["<b>note</b>"])
    assert "<script>" not in page
    assert "<b>" not in page
    assert "<i>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "a | b &amp; c 🫀" in page


def test_numbers_are_formatted_by_their_column_and_empty_cells_stay_empty() -> None:
    table = pd.DataFrame({"accuracy": [0.61184, None], "mean_seconds": [0.22649, 12.0]})
    page = as_html(table, title="Numbers")
    assert ">61.2<" in page
    assert ">0.226<" in page
    assert '<td class="number"></td>' in page
    assert "nan" not in page.lower()


def test_the_page_is_written_only_where_one_is_asked_for(tmp_path: Path) -> None:
    table = pd.DataFrame({"pairs": [1]})
    write_for_reading(table, tmp_path / "a.md", title="A")
    write_for_reading(table, tmp_path / "b.md", tmp_path / "b.html", title="B")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.md", "b.html", "b.md"]


def test_the_rule_graph_has_phases_and_no_edge_that_a_path_implies(tmp_path: Path) -> None:
    """Nor one of a rule to itself, as of a training that reads what another one chose."""
    rules = {"curate": "rule curate_pairs:\n", "split": "rule make_split:\n"}
    rules["evaluate"] = "rule score:\n    x\nuse rule score as predict with:\n"
    for phase, text in rules.items():
        (tmp_path / f"{phase}.smk").write_text(text, encoding="utf-8")
    graph = read_rule_graph(DOT, sorted(tmp_path.glob("*.smk")))
    assert list(graph.phases) == ["curate", "split", "evaluate"]
    assert graph.phases["evaluate"] == ["predict"]
    assert graph.edges == [("curate_pairs", "make_split"), ("make_split", "predict")]
    texts = {text.get_text() for text in draw_rule_graph(graph, title="T").axes[0].texts}
    assert {"curate_pairs", "make_split", "predict", "split"} <= texts


def test_no_two_rules_share_a_track_where_their_lines_run() -> None:
    """Who takes files from whom can be read off: one rule's line never runs into another's."""
    rules = [f"rule_{place}" for place in range(6)]
    edges = [(0, 1), (0, 5), (1, 2), (1, 4), (2, 3), (4, 5)]
    graph = RuleGraph({"pack": rules}, [(rules[giver], rules[taker]) for giver, taker in edges])
    axes = draw_rule_graph(graph, title="T").axes[0]
    lines = [line for line in axes.lines if line.get_linestyle() == "-" and line.get_zorder() == 2]
    spans = sorted((line.get_xdata()[0], *line.get_ydata()) for line in lines)
    assert [tuple(span[1:]) for span in spans] == [(0, 5), (1, 4), (2, 3), (4, 5)]
    assert len({span[0] for span in spans}) == 3  # the last one runs where the third has ended
    for (x, _, end), (other, start, _) in itertools.pairwise(spans):
        assert x != other or end < start
    assert sum(len(line.get_xdata()) for line in axes.lines if line.get_marker() == "<") == 6
