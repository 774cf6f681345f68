"""Calibration and unknown classes in the plan: few jobs, for every system of the registry."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from .conftest import REPOSITORY, Workflow, overlay, read_plan

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plan")]

CONFIG = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text())
MODELS = yaml.safe_load((REPOSITORY / "config/models.yaml").read_text())["models"]
UNKNOWN = {"pack_out_of_distribution", "detect_unknown_class"}


def test_a_new_system_is_calibrated_and_asked_about_the_unknown(
    fresh: Workflow, tmp_path: Path
) -> None:
    """One job per table, one per split for figures; `predict` asks about the unknown class."""
    more = overlay(tmp_path, {"models": {"one_more": MODELS["majority"]}})
    output = fresh.snakemake("all", "-n", *more[:1], "config/demo.yaml", *more[1:])
    cell = "results/demo/grouped/one_more/seed1"
    assert f"{cell}/out_of_distribution.parquet" in output
    table = re.search(r"rule measure_calibration:\n\s+input: (.*)", output)
    assert table
    assert f"{cell}/predictions.parquet" in table[1]
    plan = read_plan(output)
    assert plan["measure_calibration"] == plan["detect_unknown_class"] == 1
    assert plan["pack_out_of_distribution"] == 1
    assert plan["plot_calibration"] == len(CONFIG["splits"])
    asked = re.search(r"rule detect_unknown_class:\n\s+input: (.*)", output)
    assert asked
    assert asked[1].count("/out_of_distribution.parquet") == plan["predict"]


@pytest.mark.parametrize(
    "content",
    [
        {"curation": {"out_of_distribution": []}},
        {"evaluation": {"out_of_distribution_pairs": 0}},
    ],
)
def test_without_unknown_classes_nobody_is_asked_but_the_table_can_be_made(
    fresh: Workflow, tmp_path: Path, content: dict
) -> None:
    """Whoever asks for it gets a table that says so, for which no image is packed."""
    chosen = overlay(tmp_path, content)
    plan = fresh.plan("all", *chosen)
    assert plan["measure_calibration"] == 1
    assert not UNKNOWN & set(plan)
    plan = fresh.plan("results/pairdx/tables/unknown_class.md", *chosen)
    assert set(plan) >= {"predict", "detect_unknown_class"}
    assert "pack_out_of_distribution" not in plan


@pytest.mark.parametrize(
    ("evaluation", "named"),
    [
        ({"abstention": {"coverage": 0}}, "evaluation.abstention.coverage"),
        ({"abstention": {"risk": 5}}, "evaluation.abstention.risk"),
        ({"out_of_distribution_pairs": -1}, "evaluation.out_of_distribution_pairs"),
    ],
)
def test_a_wrong_key_stops_before_the_dag(
    fresh: Workflow, tmp_path: Path, evaluation: dict, named: str
) -> None:
    chosen = overlay(tmp_path, {"evaluation": evaluation})
    fresh.refuses(named, *chosen)
