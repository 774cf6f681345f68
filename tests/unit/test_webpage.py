"""Tables as web pages, and the drawing of the rule graph."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pandas as pd

from pairdx.reporting.format.webpage import as_html, write_for_reading, write_item
from pairdx.reporting.rule_graph import RuleGraph, draw_rule_graph, phases_of, read_rule_graph
from rule_files import REPOSITORY, RULE_FILES, rules_of

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
    4[label = "predict_2", color = "0.4 0.6 0.85", style="rounded"];
    2 -> 4
    3 -> 0
    4 -> 0
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
    rules = {"data/curate": "rule curate_pairs:\n", "data/split": "rule make_split:\n"}
    rules["systems/evaluate"] = (
        "rule score:\n    x\nfor suffix in SHAPES:\n\n    rule:\n        name:\n"
        '            f"predict{suffix}"\n'
    )
    for phase, text in rules.items():
        (tmp_path / phase).parent.mkdir(exist_ok=True)
        (tmp_path / f"{phase}.smk").write_text(text, encoding="utf-8")
    snakefile = tmp_path / "Snakefile"
    includes = [f'include: "{phase}.smk"\n' for phase in rules]
    snakefile.write_text("rule all:\n" + "".join(includes), encoding="utf-8")
    graph = read_rule_graph(DOT, snakefile)
    assert graph.phases == {
        "data/curate": ["curate_pairs"],
        "data/split": ["make_split"],
        "systems/evaluate": ["predict"],  # and predict_2, which is the same rule of other datasets
    }
    assert graph.edges == [("curate_pairs", "make_split"), ("make_split", "predict")]
    texts = {text.get_text() for text in draw_rule_graph(graph, title="T").axes[0].texts}
    assert {"curate_pairs", "make_split", "predict", "data", "systems", "evaluate"} <= texts


def test_every_rule_that_makes_files_has_a_phase_of_its_file() -> None:
    made = {
        rule.name: f"{file.parent.name}/{file.stem}"
        for file in RULE_FILES
        for rule in rules_of(file)
        if rule.base or re.search(r"^ *output:", rule.body, re.M)
    }
    assert {"list_discrepancies", "compare_predictions", "explain_systems"} < {*made}
    phases = phases_of(REPOSITORY / "Snakefile")
    assert {name: phases.get(name) for name in made} == made
    assert [*dict.fromkeys(phase.partition("/")[0] for phase in phases.values())][1:] == [
        *("data", "systems", "analyses", "papers")  # after the targets, which make no files
    ]


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


def test_a_table_goes_to_its_named_outputs_at_its_position(tmp_path: Path) -> None:
    formats = ("csv", "md", "html", "tex")
    output = {
        f"leakage_{suffix}": [str(tmp_path / f"leakage_{split}.{suffix}") for split in "ab"]
        for suffix in formats
    }
    table = pd.DataFrame({"pairs": [1200]})
    shown = table.rename(columns={"pairs": "Pairs"})
    text = write_item(output, "leakage", table, shown, title="Shared", notes=["A note."], at=1)
    assert {path.name for path in tmp_path.iterdir()} == {f"leakage_b.{kind}" for kind in formats}
    assert text == (tmp_path / "leakage_b.md").read_text(encoding="utf-8")
    assert "A note." in text
    assert pd.read_csv(tmp_path / "leakage_b.csv").equals(table)
