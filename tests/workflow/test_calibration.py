"""Calibration and unknown classes in the plan: few jobs, for every system of the registry."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from .conftest import REPOSITORY, Workflow, overlay, read_plan

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plan")]

CONFIG = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text(encoding="utf-8"))
MODELS = yaml.safe_load((REPOSITORY / "config/models.yaml").read_text(encoding="utf-8"))["models"]


def test_a_new_system_is_calibrated_and_asked_about_the_unknown(
    fresh: Workflow, tmp_path: Path
) -> None:
    """One job for all tables and figures; `predict` asks about the unknown class."""
    # What is trained once more, for the price of leakage, is no row of these tables.
    unpriced = {"leakage_price": {"systems": []}}
    more = overlay(tmp_path, {"models": {"one_more": MODELS["majority"]}} | unpriced)
    output = fresh.snakemake("all", "-n", *more[:1], "config/demo.yaml", *more[1:])
    cell = "results/demo/grouped/one_more/seed1"
    assert f"{cell}/out_of_distribution.parquet" in output
    plan = read_plan(output)
    assert plan["assess_confidence"] == plan["pack_out_of_distribution"] == 1
    (read,) = re.findall(r"rule assess_confidence:\n\s+input: (.*)", output)
    cells = plan["predict"] + plan["predict_untrained"]
    for file in ("predictions.parquet", "out_of_distribution.parquet"):
        assert f"{cell}/{file}" in read
        assert read.count(f"/{file}") == cells


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
    planned = fresh.snakemake("all", "-n", *chosen)
    assert read_plan(planned)["assess_confidence"] == 1
    assert "pack_out_of_distribution" not in read_plan(planned)
    (wanted,) = re.findall(r"rule all:\n\s+input: (.*)", planned)
    assert "unknown_class" not in wanted
    plan = fresh.plan("results/pairdx/tables/unknown_class.md", *chosen)
    assert set(plan) >= {"predict", "assess_confidence"}
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
