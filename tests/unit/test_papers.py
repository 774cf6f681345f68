"""What of ours stands beside a paper follows from its file, and a wrong file names its key."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from pairdx.plan.configuration import complete, defaults
from pairdx.plan.papers import Paper, papers, problems_of_paper, read_paper
from reporting_samples import papers_numbers
from worlds import Run

REPOSITORY = Path(__file__).parents[2]
PAPER = read_paper(REPOSITORY, "pairdx")
REPRODUCED = Run(
    splits={"own": ["grouped"], "drawn": ["stratified", "grouped"]},
    systems=["clip_zero_shot", "pairdx_clip"],
)


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    """The configuration that nobody has changed."""
    return complete(defaults(REPOSITORY), {})


def changed(**changes: Any) -> Paper:
    return Paper("pairdx", {**PAPER.content, **changes})


def test_the_papers_file_is_right_and_names_what_the_configuration_has(
    config: dict[str, Any],
) -> None:
    assert papers(REPOSITORY) == ["chest_xray", "clip_it", "pairdx"]
    assert list(problems_of_paper(REPOSITORY, config)) == []
    assert list(problems_of_paper(REPOSITORY, {**config, "paper": None})) == []
    assert set(PAPER.datasets) <= set(config["datasets"])
    named = {one.system for one in PAPER.items} - {None}
    assert named <= set(config["systems"])
    values = PAPER.configured(config, config["datasets"]["multicare"])
    stated = {"minimum_age": 18, "modalities": 11, "word_vectors": 300}
    assert values == stated


def test_what_is_not_configured_is_no_number(config: dict[str, Any]) -> None:
    dataset = deepcopy(config["datasets"]["multicare"])
    dataset["curation"]["modalities"]["added"] = None
    del dataset["curation"]["min_age"]
    assert PAPER.configured(config, dataset) == {"modalities": 11, "word_vectors": 300}


def test_systems_are_stated_on_the_papers_datasets_and_split_only() -> None:
    accuracy = PAPER.stated("pairdx_fusion", "drawn", "stratified")["accuracy"]
    assert accuracy["value"] == 0.94
    assert PAPER.stated("pairdx_fusion", "drawn", "grouped") == {}
    assert PAPER.stated("pairdx_fusion", "own", "stratified") == {}
    assert PAPER.stated(None, "drawn", "stratified") == {}
    assert changed(split="grouped").stated("pairdx_clip", "drawn", "grouped")


def test_items_are_labelled_on_the_papers_datasets_and_not_per_system() -> None:
    assert PAPER.dataset(["own", "drawn", "release"]) == "release"
    assert PAPER.dataset(["own"]) is None
    assert PAPER.label("table", "dataset", "drawn") == "Table 3"
    assert PAPER.label("table", "dataset", "own") is None
    assert PAPER.label("table", "comparison", None) == "Table 8"
    assert PAPER.label("figure", "comparison", None) is None
    assert PAPER.label("table", "per_class", "drawn") is None
    titles = {
        "dataset_csv": "Table 3",
        "example_captions_csv": "Table 4",
        "examples_svg": "Figure 2",
    }
    assert PAPER.titles("describe_dataset", "drawn") == titles
    assert PAPER.titles("describe_dataset", "own") == {}


def test_every_item_is_a_target() -> None:
    targets = PAPER.targets()
    assert len(targets) == len(PAPER.content["items"]) == 13
    made = {
        "paper_table_3": "<results>/tables/dataset_drawn.csv",
        "paper_table_5": "<results>/tables/per_class_drawn_stratified_clip_zero_shot.csv",
        "paper_table_8": "<results>/tables/comparison.csv",
        "paper_figure_1": "<results>/figures/rule_graph.svg",
        "paper_figure_8": "<results>/figures/confusion_drawn_stratified_pairdx_clip.svg",
    }
    assert {name: PAPER.file_of(targets[name], REPRODUCED) for name in made} == made


def test_a_target_that_is_not_made_says_which_key_decides_it() -> None:
    targets = PAPER.targets()

    def refused(name: str, run: Run) -> str:
        with pytest.raises(ValueError, match="config key") as caught:
            PAPER.file_of(targets[name], run)
        return str(caught.value)

    assert "systems.pairdx_fusion" in refused("paper_table_7", REPRODUCED)
    no_dataset = replace(REPRODUCED, splits={"own": ["stratified"]})
    assert "multicare, release, drawn" in refused("paper_table_3", no_dataset)
    no_split = replace(REPRODUCED, splits={"drawn": ["grouped"]})
    assert "datasets.drawn.splits" in refused("paper_table_5", no_split)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"split": None}, "key split"),
        ({"datasets": []}, "key datasets"),
        ({"items": {"table_3": {"item": "datasets"}}}, "items.table_3.item: there is no table"),
        ({"items": {"table_5": {"item": "per_class"}}}, "items.table_5.system: is missing"),
        ({"items": {"table_3": {"item": "dataset", "system": "x"}}}, "items.table_3.system"),
        ({"items": {"box_1": {"item": "dataset"}}}, "key items"),
        ({"configured": {"age": {"datasets": "x"}}}, "configured.age: unknown datasets"),
        ({"systems": {"clip_zero_shot": {"accuracy": {"value": 1}}}}, "accuracy: place is missing"),
        ({"systems": {}}, "systems.clip_zero_shot.paper: clip_zero_shot is no system"),
        ({"further": 1}, "unknown further"),
    ],
)
def test_a_wrong_file_is_refused_by_its_key(
    changes: dict[str, Any], sentence: str, tmp_path: Path, config: dict[str, Any]
) -> None:
    (tmp_path / "config/papers").mkdir(parents=True)
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow/schemas").symlink_to(REPOSITORY / "workflow/schemas")
    text = yaml.safe_dump({**papers_numbers(), **changes})
    (tmp_path / "config/papers/pairdx.yaml").write_text(text, encoding="utf-8")
    found = list(problems_of_paper(tmp_path, config))
    assert found
    assert all("config/papers/pairdx.yaml" in one for one in found)
    assert any(sentence in one for one in found), found


def test_an_unknown_paper_is_named(config: dict[str, Any]) -> None:
    (found,) = problems_of_paper(REPOSITORY, {**config, "paper": "pairdix"})
    assert found.startswith("config key paper: config/papers holds no pairdix.yaml; did you mean")
