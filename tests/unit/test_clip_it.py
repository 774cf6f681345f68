"""CLIP-IT's file and configuration: every number has its place, and every cell of its tables."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from pairdx.evaluation.mean_gains import combined_p
from pairdx.plan import outputs
from pairdx.plan.configuration import complete, defaults, merged, read_yaml
from pairdx.plan.papers import Paper, problems_of_paper, read_paper
from pairdx.plan.plan import Plan
from pairdx.plan.start import plan_of
from pairdx.plan.world import PlansWorld
from pairdx.reporting.paper.stated import (
    about_dataset,
    about_grid,
    in_file,
    of_metric,
    papers_runs,
    papers_test_pairs,
    stated_of,
    statements,
)
from pairdx.reporting.systems.comparison import comparison_notes, comparison_table
from plans import Of
from reporting_samples import REGISTRY, cell
from worlds import Run

REPOSITORY = Path(__file__).parents[2]
PAPER = read_paper(REPOSITORY, "clip_it")
OVERLAY = read_yaml(REPOSITORY / "config/clip_it.yaml")
# What its user has to state.
PATHS = """
text_banks:
  tcga_breast: {path: reports.csv, join: {path: patients.csv}}
  tcga_colon: {path: reports.csv, join: {path: patients.csv}}
datasets: {bach: {source: {path: bach}}}
"""


@cache
def plan_with(overlay: str = "{}") -> Plan:
    """Return the plan of the configuration, its paths stated, under a further overlay."""
    stated = merged(merged(OVERLAY, yaml.safe_load(PATHS)), yaml.safe_load(overlay))
    return plan_of(stated, REPOSITORY, [])[0]


# ---------------------------------------------------------------- the paper's file
def test_every_number_has_its_place_and_stands_beside_its_dataset() -> None:
    config = complete(defaults(REPOSITORY), OVERLAY)
    assert list(problems_of_paper(REPOSITORY, config)) == []
    assert all(one.entry["place"] for one in statements(PAPER.content))
    assert PAPER.beside(["crc", "pcam", "own"]) == ["pcam", "crc"]
    tables = [key for key in PAPER.systems if not key.startswith("uni_")]
    assert all(list(PAPER.systems[key]) == ["pcam", "bach", "crc"] for key in tables)
    means = [one for one in statements(PAPER.content) if one.path[-1] == "accuracy"]
    # Six backbones in two columns and two CLIPs in three, each on three datasets; six ablations.
    assert len(means) == 6 * 2 * 3 + 2 * 3 * 3 + 6
    # What is printed is the value, with two digits behind the point.
    for one in means:
        assert one.entry["stated"] == f"{100 * one.value:.2f}%"
        assert one.entry["ours"] == one.entry["metric"] == "balanced_accuracy"


def test_its_combined_p_is_that_of_its_own_means() -> None:
    """The rounded means give 2.57e-5 where 2.65e-5 is printed, which Fisher's test does not."""
    ways: dict[str, list[float]] = {"unimodal": [], "clip_it": []}
    for row in ("uni", "dino_l14", "vit_b16", "vit_s16", "vit_b8", "vit_s8"):
        for dataset in PAPER.datasets:
            for way, means in ways.items():
                stated = stated_of(PAPER.content, f"{row}_{way}", dataset)
                means.append(of_metric(stated, "balanced_accuracy")["value"])
    found = combined_p(ways["clip_it"], ways["unimodal"])
    assert found.means == 18
    assert found.p == pytest.approx(2.57e-5, rel=0.002)
    printed = about_grid(PAPER.content, "table_1")["combined_p"]["value"]
    assert found.p == pytest.approx(printed, rel=0.04)


def test_systems_are_stated_on_the_dataset_that_is_asked_for() -> None:
    accuracy = PAPER.stated("uni_clip_it", "crc", "published")["accuracy"]
    assert (accuracy["value"], accuracy["sd"]) == (0.9592, 0.0007)
    assert PAPER.stated("uni_no_lora", "pcam", "published")["accuracy"]["value"] == 0.9386
    assert PAPER.stated("uni_no_lora", "crc", "published") == {}
    assert PAPER.stated("uni_clip_it", "crc", "grouped") == {}


def test_a_paper_is_as_if_about_one_dataset_and_names_its_keys_in_the_file() -> None:
    about = about_dataset(PAPER.content, "crc")
    assert papers_test_pairs(about) == 7180
    assert papers_test_pairs(about_dataset(PAPER.content, "pcam")) == 32768
    assert papers_test_pairs(about_dataset(PAPER.content, "bach")) == 132
    assert papers_runs(PAPER.content) == 3
    names = {".".join(one.path) for one in statements(about)}
    assert "systems.uni_clip_it.accuracy" in names
    assert not any(name.startswith(("across.", "systems.uni_no_lora")) for name in names)
    whole = about_dataset(PAPER.content, "crc", across=True)
    assert "across.table_1.combined_p" in {".".join(one.path) for one in statements(whole)}
    found = in_file(PAPER.content, "crc", "systems.uni_clip_it.accuracy")
    assert found == "systems.uni_clip_it.crc.accuracy"
    assert in_file(PAPER.content, "crc", "dataset.pairs") == "dataset.crc.pairs"
    assert in_file(PAPER.content, "crc", "across.cost") == "across.cost"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"systems": {"x": {"accuracy": {"value": 1, "place": "T"}}}}, "systems.x.accuracy: with"),
        ({"dataset": {"pcam": {}}}, "key dataset.pcam: pairs, classes"),
        ({"items": {"table_1": {"item": "grid"}}}, "items.table_1.grid: is missing"),
        ({"items": {"table_1": {"item": "comparison", "grid": "x"}}}, "grid: the item is none"),
    ],
)
def test_numbers_under_no_dataset_are_refused(
    changes: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "config/papers").mkdir(parents=True)
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow/schemas").symlink_to(REPOSITORY / "workflow/schemas")
    text = yaml.safe_dump({**PAPER.content, **changes})
    (tmp_path / "config/papers/clip_it.yaml").write_text(text, encoding="utf-8")
    found = list(problems_of_paper(tmp_path, {"paper": "clip_it", "systems": {}}))
    assert any(sentence in one for one in found), found


def test_each_dataset_has_its_own_number_beside_it_in_the_comparison() -> None:
    registry = {"words": {**REGISTRY["words"], "paper": "vit_s16_clip_it"}}
    cells = [cell("words", "published", dataset=name) for name in ("pcam", "crc", "own")]
    places = [("pcam", "published"), ("crc", "published")]
    how: dict[str, Any] = {"paper_cells": places}
    table = comparison_table(cells, registry, PAPER.content, **how, resamples=5, seed=0)
    assert table["paper_accuracy"].tolist()[:2] == [0.9093, 0.9534]
    assert pd.isna(table["paper_accuracy"].iloc[2])
    notes = comparison_notes(table, cells, registry, PAPER.content, **how)
    assert any(note.startswith("Paper: mean of three runs.") for note in notes)


# ---------------------------------------------------------------- its configuration
def test_its_tables_have_a_cell_for_every_backbone_way_and_dataset() -> None:
    plan = plan_with()
    places = plan.grids.places("table_1")
    assert len(places) == 6 * 3 * 3
    gated = [place for place in places if place.left_out is not None]
    assert {place.row for place in gated} == {"uni"}
    assert all("huggingface.co/MahmoodLab/UNI" in str(place.left_out) for place in gated)
    left = {place.row for place in plan.grids.places("table_2") if place.left_out is not None}
    assert left == {"conch"}
    assert {place.dataset for place in plan.grids.places("ablations_open")} == {"pcam"}
    # Five open backbones, three ways, three datasets, three seeds.
    assert len(plan.grids.cells(Of(grid="table_1"))) == 5 * 3 * 3 * 3
    assert plan.published.places == [(name, "published") for name in ("pcam", "bach", "crc")]


def test_the_papers_tables_are_targets() -> None:
    plan = plan_with()
    world = PlansWorld(plan)
    assert plan.paper is not None
    targets = plan.paper.targets()
    without_weights = targets.pop("paper_figure_5")
    assert {name: plan.paper.file_of(one, world) for name, one in targets.items()} == {
        "paper_table_1": "<results>/tables/grid_table_1.csv",
        "paper_table_2": "<results>/tables/grid_table_2.csv",
    }
    with pytest.raises(ValueError, match="besides those of its baseline"):
        plan.paper.file_of(without_weights, world)
    assert plan.published.grid_label(Of(grid="table_2")) == "Table 2"
    assert plan.published.grid_label(Of(grid="same_budget")) is None
    made = outputs.files(world, "table")
    assert "<results>/tables/grid_same_budget.md" in made
    other = Run(splits={"pcam": ["published"]})
    with pytest.raises(ValueError, match="config key grids has none"):
        plan.paper.file_of(targets["paper_table_1"], other)


def test_reports_are_those_of_the_organ_and_epochs_those_of_the_dataset() -> None:
    plan = plan_with()
    banks = {name: plan.privileged.bank_of(name, "reports") for name in plan.datasets}
    assert banks == {"pcam": "tcga_breast", "bach": "tcga_breast", "crc": "tcga_colon"}
    system = plan.systems["vit_s16_clip_it"]
    epochs = {name: system.settings_for(one)["epochs"] for name, one in plan.datasets.items()}
    assert epochs == {"pcam": 5, "crc": 10, "bach": 100}


def test_a_control_differs_from_clip_it_in_texts_alone() -> None:
    """LoRA without texts has the network, adapters, optimiser and budget of CLIP-IT."""
    plan = plan_with()
    for row in ("vit_s16", "dino_l14", "quiltnet"):
        texts, control = plan.systems[f"{row}_clip_it"], plan.systems[f"{row}_lora"]
        different = {key for key, value in texts.settings.items() if control.settings[key] != value}
        assert different == {"pairing", "text_branch", "fusion", "distillation_weight"}
        assert texts.entry["for_dataset"] == control.entry["for_dataset"]


def test_the_controls_of_texts_differ_from_clip_it_in_their_pairing_alone() -> None:
    plan = plan_with()
    compared = plan.systems["vit_s16_clip_it"]
    controls = {"with_other_organ": "tcga_colon", "with_class_prompts": "class_prompts"}
    for name, bank in (controls | {"with_entities": "entities"}).items():
        settings = plan.systems[name].settings
        assert {**settings, "pairing": "reports"} == compared.settings
        assert plan.privileged.bank_of("pcam", settings["pairing"]) == bank
    named = [place.system for place in plan.grids.places("ablations_open")]
    assert {"vit_s16_clip_it", "with_entities", *controls} <= set(named)
    # docs/clip_it.md states both numbers.
    assert len(plan.grids.cells(Of(grid="ablations_open"))) == 51
    assert len([one for one in plan.cells if plan.systems[one.system].trained]) == 213


def test_a_metric_that_a_grid_is_to_have_is_looked_up_by_its_own_name() -> None:
    stated = {"accuracy": {"value": 0.9, "place": "T"}, "texts": {"x": {"value": 1}}}
    assert of_metric(stated, "accuracy")["value"] == 0.9
    assert of_metric(stated, "balanced_accuracy") == {}


def test_what_is_about_one_dataset_is_as_it_was() -> None:
    """PairDx's file has one: its numbers stand under no dataset."""
    pairdx: Paper = read_paper(REPOSITORY, "pairdx")
    assert not pairdx.each
    assert about_dataset(pairdx.content, "release") == pairdx.content
    assert pairdx.beside(["drawn", "release"]) == ["release"]
    assert in_file(pairdx.content, "release", "dataset.pairs") == "dataset.pairs"
