"""The table of what classifying one image costs; and whose cost a configuration compares."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from pairdx.plan.code import SCRIPTS
from pairdx.reporting.paper.stated import read_paper
from pairdx.reporting.systems.inference_cost import (
    inference_for_reading,
    inference_notes,
    inference_table,
)
from plans import Of, plan_with

REGISTRY = {
    name: {"title": title, "trained": True, "stand_in": False}
    for name, title in {"plain": "Plain", "taught": "With texts"}.items()
}
DESCRIBED: list[dict[str, Any]] = [
    {"name": "plain", "way": "unimodal", "against": None},
    {"name": "taught", "way": "taught", "against": "plain"},
    {"name": "both_towers_of_e", "way": "both_towers", "against": "plain", "encoder": "e"}
    | {"random_weights": True},
]
FOUND: dict[str, Any] = {
    "threads": 2,
    "rounds": 3,
    "warm_up": 1,
    "cpu_model": "a processor",
    "systems": {
        "plain": {
            **{"parameters": 10, "flops": 4_000_000_000, "seconds": [0.01, 0.5, 0.02]},
            **dict.fromkeys(("ratio", "ratio_low", "ratio_high")),
        },
        "taught": {
            **{"parameters": 12, "flops": 4_000_002_000, "seconds": [0.03, 0.03, 0.03]},
            **{"ratio": 1.5, "ratio_low": 1.25, "ratio_high": 2.0},
        },
        "both_towers_of_e": {
            **{"parameters": 90, "flops": 40_000_000_000, "seconds": [0.1, 0.1, 0.1]},
            **{"ratio": 5.0, "ratio_low": 4.0, "ratio_high": 6.0},
        },
    },
}
PAPER = read_paper(SCRIPTS.parents[1] / "config/papers/clip_it.yaml")


def test_a_row_is_read_beside_the_one_that_it_is_compared_with() -> None:
    shown = inference_for_reading(inference_table(FOUND, DESCRIBED, {}), DESCRIBED, REGISTRY)
    taught, whole = shown.iloc[1], shown.iloc[2]
    one, more = "GFLOPs, a multiply-add as one", "Difference to it, GFLOPs, a multiply-add as one"
    assert list(taught[["System", one, more]]) == ["With texts", "2.000", "+0.00000100"]
    assert taught["Ratio of times (95 % interval)"] == "1.50 (1.25 to 2.00)"
    assert list(whole[["System", "Compared with"]]) == ["e (random weights), both towers", "Plain"]
    assert list(shown["Milliseconds per image"]) == ["20.00", "30.00", "100.0"]
    assert shown["Ratio of times (95 % interval)"][0] == ""
    assert not [name for name in shown if "Paper" in name]
    notes = inference_notes(FOUND, inference_table(FOUND, DESCRIBED, {}), DESCRIBED, REGISTRY, {})
    assert any(note.startswith("Random weights: e ") for note in notes)


def test_the_papers_numbers_stand_beside_ours() -> None:
    table = inference_table(FOUND, DESCRIBED, PAPER)
    assert table["paper_ratio"].tolist()[1:] == pytest.approx([43.1 / 33.3, 158.5 / 33.3])
    assert table["paper_gmacs"].tolist()[::2] == [17, 505]
    shown = inference_for_reading(table, DESCRIBED, REGISTRY)
    assert list(shown["Paper: difference to unimodal, GFLOPs"]) == ["", "0.001", ""]
    assert shown["Paper: ratio of times"][0] == ""
    assert "A6000" in inference_notes(FOUND, table, DESCRIBED, REGISTRY, PAPER)[-1]
    alone = inference_table(FOUND, DESCRIBED, {})
    assert "A6000" not in inference_notes(FOUND, alone, DESCRIBED, REGISTRY, {})[-1]


def test_of_one_network_the_first_is_priced_beside_the_same_backbone_without_texts() -> None:
    """Own, retrieved and random captions taught one network, which is saved without them."""
    plan = plan_with()
    costs = plan.inference_cost
    plain = "resnet18_image_only"
    assert costs.compared("multicare") == {plain: None, "privileged_own": plain}
    assert costs.encoders("multicare") == {"biomedclip": plain}
    assert costs.names("multicare")[-1] == "both_towers_of_biomedclip"
    files = costs.files(Of(dataset="multicare"))
    assert {name.rpartition("_")[2] for name in files} == {"0", "1", "2"}
    assert "privileged_own/seed1/settings.json" in files["settings_1"]
    assert any("biomedclip" in file for file in files["pretrained_2"])


def test_of_a_grid_each_row_is_compared_with_its_baseline() -> None:
    systems = {
        "plain": "resnet18_image_only",
        "own": "privileged_own",
        "gone": "biomedclip_zero_shot",
    }
    grid = {
        "title": "One",
        "metric": "accuracy",
        "baseline": "plain",
        "columns": {name: name for name in systems},
        "rows": {"resnet18": {"title": "ResNet-18", "systems": systems}},
    }
    costs = plan_with(yaml.safe_dump({"grids": {"one": grid}})).inference_cost
    assert costs.compared("multicare") == {
        "resnet18_image_only": None,
        "privileged_own": "resnet18_image_only",
    }
