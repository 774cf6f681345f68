"""Every table and figure is declared once, and what follows from that is whole."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from pairdx.plan.declared import ITEMS, SYSTEM
from pairdx.plan.outputs import (
    RULE_WILDCARDS,
    SHOWN,
    SUFFIXES,
    Placed,
    files,
    outputs,
    reasons,
    shapes,
)
from worlds import ALL_ASKED, ANALYSES, OF_ONE_LABEL, OF_SEVERAL_LABELS, Run

REPOSITORY = Path(__file__).parents[2]


def made(run: Run, rule: str, dataset: str | None = None) -> list[Placed]:
    """Every output of a rule."""
    found: list[Placed] = []
    for output in outputs(run, rule, dataset).values():
        found += output if isinstance(output, list) else [output]
    return found


TWO = Run(splits={"one": ["stratified", "grouped"], "two": ["grouped"], "three": ["grouped"]})


def test_every_item_has_a_caption_and_every_caption_an_item() -> None:
    there = {path.name for path in (REPOSITORY / "workflow/report").glob("*.rst")}
    assert {item.caption_file for item in ITEMS} == there - {"workflow.rst"}


def test_no_two_items_write_one_file_or_have_one_name() -> None:
    assert max(Counter((item.kind, item.key) for item in ITEMS).values()) == 1
    for rule in {item.rule for item in ITEMS}:
        paths = [one.path for one in made(TWO, rule, "one")]
        assert len(paths) == len(set(paths)) > 0, rule
    listed = files(TWO, "table") + files(TWO, "figure") + files(TWO, "page")
    assert len(listed) == len(set(listed)) > 100
    assert "<results>/two/check/check.md" in listed
    assert "<results>/two/archive/datasheet.md" in listed


def test_items_belong_to_analyses_that_a_task_has_and_are_left_out_where_it_lacks_them() -> None:
    assert {item.analysis for item in ITEMS if item.analysis} <= {*ANALYSES}
    run = Run(analyses=[name for name in ANALYSES if name != "calibration"])
    every, without = files(Run(), "figure"), files(run, "figure")
    keys = {path.split("/")[-1].split("_one")[0] for path in {*every} - {*without}}
    assert keys == {"reliability", "risk_coverage"}
    reason = "config key datasets.one.task: calibration does not apply to this task"
    assert reasons(run)["calibration_one"] == reason


def test_a_task_has_its_own_items_and_none_of_the_other() -> None:
    """But for those that are about data and cost."""
    of_one, of_several = (Run(analyses=of) for of in (OF_ONE_LABEL, OF_SEVERAL_LABELS))
    kinds = ("table", "figure")
    tables, others = (
        {path for kind in kinds for path in files(run, kind)} for run in (of_one, of_several)
    )
    assert "<results>/tables/comparison.csv" in tables - others
    assert "<results>/tables/findings_comparison.csv" in others - tables
    assert "<results>/figures/findings_training_one_grouped_net.svg" in others - tables
    assert {"<results>/tables/cost.csv", "<results>/tables/funnel_one.csv"} <= tables & others
    for name in ("comparison", "accuracy_against_cost", "discrepancies", "seeds", "tested_on"):
        assert "applies to the task of no dataset" in reasons(of_several)[name]
    assert shapes(of_several, "compare_systems") == shapes(of_one, "compare_findings") == []
    assert not outputs(of_several, "report_system", "one")
    assert not outputs(of_one, "report_findings", "one")


def test_all_makes_what_rules_make_but_for_the_page_of_a_table() -> None:
    """Filled with every dataset, split and system, the outputs of all rules are the lists."""
    found: set[str] = set()
    pages = {item.rule for item in ITEMS if item.kind == "page"}
    for rule in {item.rule for item in ITEMS} - {"choose_learning_rate", *pages}:
        for _, datasets in shapes(TWO, rule):
            for dataset in datasets or [None]:
                for path in (one.path for one in made(TWO, rule, dataset)):
                    found |= {
                        path.format(dataset=dataset, split=split, system=system, grid="backbones")
                        for split in (TWO.splits_of(dataset) if dataset else [""])
                        for system in ("net", "words")
                    }
    curves = {path for path in found if "training_" in path and "_words." in path}
    listed = set(files(TWO, "table") + files(TWO, "figure"))
    assert found - curves - listed == {path for path in found if path.endswith(".html")}
    assert not listed - found


@pytest.mark.parametrize(
    ("rule", "name", "item"),
    [
        ("compare_systems", "comparison_html", "1. Comparison of all systems (table)"),
        ("draw_rule_graph", "rule_graph_svg", "5. Rules of the workflow (figure)"),
        ("write_datasheet", "datasheet_html", "1. Datasheet"),
        ("check_documents_of_dataset", "check_html", "2. Check before training"),
        ("describe_dataset", "dataset_html", "3. Pairs per class (Table 3)"),
        ("describe_dataset", "ages_svg", "9. Ages of the patients (figure)"),
        ("describe_curation", "funnel_by_class_svg", "3. Funnel by class (figure)"),
        ("report_system", "training_svg", "4. Training curves (figure)"),
        ("choose_learning_rate", "learning_rate_search_html", "7. Learning-rate search (table)"),
        ("compare_predictions", "prompt_sensitivity_html", "Accuracy by prompt template (table)"),
    ],
)
def test_labels_are_numbered_in_reading_order(rule: str, name: str, item: str) -> None:
    placed = outputs(Run(), rule, "one")[name]
    assert isinstance(placed, Placed)
    assert placed.place
    labels = placed.place.labels
    wildcards = SimpleNamespace(dataset="one", split="grouped", system="net")
    assert (labels(wildcards) if callable(labels) else labels)["item"] == item
    assert callable(labels) == (rule in RULE_WILDCARDS)


def test_what_is_about_a_system_stands_under_its_title_with_its_split() -> None:
    wildcards = SimpleNamespace(dataset="two", split="grouped", system="words")
    found = {}
    for run in (Run(splits={"two": ["grouped"]}), TWO):
        placed = outputs(run, "report_system", "two")
        for name in ("per_class_html", "mistakes_svg"):
            place = placed[name].place  # type: ignore[union-attr]
            assert place
            assert callable(place.labels)
            found[name, len(run.datasets)] = place.labels(wildcards)
        subcategory = placed["per_class_html"].place.subcategory  # type: ignore[union-attr]
        assert callable(subcategory)
        assert subcategory(wildcards) == "Words"
    several = {"split": "grouped", "dataset": "Data two"}
    assert found["per_class_html", 1] == {
        "item": "1. Scores per class (table)",
        "split": "grouped",
    }
    assert found["per_class_html", 3] == {"item": "1. Scores per class (table)", **several}
    assert found["mistakes_svg", 1] == {"system": "Words", "split": "grouped"}
    assert found["mistakes_svg", 3] == {"system": "Words", **several}


def test_one_job_makes_lists_per_split_and_per_system() -> None:
    confidence = outputs(Run(), "assess_confidence", "one")
    reliability = confidence["reliability_svg"]
    assert isinstance(reliability, list)
    assert [one.path for one in reliability] == [
        "<results>/figures/reliability_{dataset}_stratified.svg",
        "<results>/figures/reliability_{dataset}_grouped.svg",
    ]
    wildcards = SimpleNamespace(dataset="one")
    splits = [one.place.labels(wildcards)["split"] for one in reliability]  # type: ignore[union-attr, operator]
    assert splits == ["stratified", "grouped"]
    explained = outputs(Run(), "explain_systems", "one")["explanations_png"]
    assert isinstance(explained, list)
    assert [(one.path, one.place) for one in explained] == [
        ("<results>/figures/explanations_{dataset}_net.png", None),
        ("<results>/figures/explanations_{dataset}_words.png", None),
    ]
    assert "training_svg" not in outputs(Run(), "report_system", "one", without=["training"])


def test_datasets_with_the_same_outputs_share_a_rule() -> None:
    assert shapes(TWO, "compare_predictions") == [("", ["one"]), ("_2", ["two", "three"])]
    assert shapes(TWO, "price_leakage") == [("", ["one", "two", "three"])]
    assert shapes(TWO, "compare_systems") == [("", [])]
    nobody = replace(TWO, asked={**ALL_ASKED, "input_probes": []}, search=None)
    assert shapes(nobody, "compare_input_probes") == []
    assert shapes(nobody, "choose_learning_rate") == []


def test_what_is_left_out_has_a_reason_that_names_the_key() -> None:
    nothing = Run(
        splits={"closed": ["stratified"]},
        systems=["words"],
        asked={},
        search=None,
        paper=None,
        paper_dataset=None,
    )
    found = reasons(nothing)
    keys = {
        "discrepancies": "config key paper is null",
        "texts_closed": "config key systems",
        "learning_rate_search": "config key learning_rate_search is null",
        "leakage_price_closed": "config key datasets.closed.splits",
        "split_effect_closed": "config key datasets.closed.splits lacks one",
        "out_of_distribution_closed": "config key datasets.closed.out_of_distribution",
        "text_gives_away_closed": "config key input_probes",
        "robustness_closed": "config key input_probes",
        "input_probes_closed": "config key input_probes",
        "prompt_sensitivity_closed": "config key prompt_sensitivity.templates",
        "disagreements_closed_stratified": "config key systems enables one only",
        **dict.fromkeys(("pairings_closed", "complementarity_closed"), "no system learns"),
        "pairing_cosines_closed_stratified": "config key systems enables none with a pairing",
        "text_matches_closed_stratified": "config key systems enables none with a pairing",
        "finding_prompts_closed": "config key prompt_sensitivity.trained",
        "inference_cost_closed": "config key grids",
    }
    assert set(found) == set(keys)
    assert [name for name, key in keys.items() if key not in found[name]] == []
    listed = {Path(path).stem for kind in ("table", "figure") for path in files(nothing, kind)}
    assert not listed & set(found)
    assert reasons(Run()) == {}
    assert "none of the datasets" in reasons(replace(Run(), paper_dataset=None))["discrepancies"]


def test_what_is_about_captions_or_ages_is_left_out_where_there_are_none() -> None:
    lacking = replace(Run(), missing={"captions": "nobody wrote any", "ages": "no column"})
    found = reasons(lacking)
    captions = {"example_captions", "caption_lengths", "texts", "identifiers", "masked_captions"}
    assert set(found) == {f"{key}_one" for key in (*captions, "text_gives_away", "ages")}
    assert found["texts_one"] == "the dataset one has no captions: nobody wrote any"
    assert found["ages_one"] == "the dataset one has no ages: no column"
    assert "ages_svg" not in outputs(lacking, "describe_dataset", "one")


def test_scripts_write_what_is_declared_of_their_rule_and_nothing_else() -> None:
    """By the keys in their text: a misspelt one would fail at the end of a long job only."""
    rules = {item.rule for item in ITEMS}
    for rule in rules - {item.rule for item in ITEMS if item.kind == "page"}:
        text = (REPOSITORY / f"workflow/scripts/{rule}.py").read_text(encoding="utf-8")
        tables = r'\b(?:write_item\(\s*[\w.]+,\s*|write\()"(\w+)"'
        written = {("table", key) for key in re.findall(tables, text)}
        written |= {("figure", key) for key in re.findall(r'save_item\([\w.]+, "(\w+)"', text)}
        assert written == {(item.kind, item.key) for item in ITEMS if item.rule == rule}, rule


def test_every_kind_shows_one_of_its_formats() -> None:
    assert all(SHOWN[item.kind] in SUFFIXES[item.kind] for item in ITEMS)
    about_systems = [item for item in ITEMS if item.subcategory == SYSTEM]
    assert {"per_class", "learning_rate_search"} <= {item.key for item in about_systems}
