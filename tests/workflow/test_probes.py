"""Changed input and errors in the plan: few jobs, every system, nothing unasked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from .conftest import REPOSITORY, Workflow, overlay, read_plan

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plan")]

CONFIG = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text(encoding="utf-8"))
MODELS = yaml.safe_load((REPOSITORY / "config/models.yaml").read_text(encoding="utf-8"))["models"]
PROBES = "results/pairdx/tables/input_probes.csv"


def test_each_trained_system_that_reads_is_probed_once_per_split(fresh: Workflow) -> None:
    output = fresh.snakemake(PROBES, "-n")
    made = re.findall(r"output: results/pairdx/(\w+)/(\w+)/seed(\d+)/probes\.parquet", output)
    names = [n for n, e in MODELS.items() if e["enabled"] and e["trained"] and e["reads"]]
    first = str(CONFIG["seeds"][0])
    assert sorted(made) == sorted((s, n, first) for s in CONFIG["splits"] for n in names)


def test_all_changes_the_input_of_the_chosen_systems_and_compares_once(all_of_demo: str) -> None:
    plan = read_plan(all_of_demo)
    assert plan["probe_inputs"] == 2
    assert plan["compare_probes"] == plan["compare_predictions"] == 1


def test_a_new_registry_entry_is_probed_and_shown(fresh: Workflow, tmp_path: Path) -> None:
    more = {"models": {"one_more": MODELS["mean_colour"] | {"title": "One more"}}}
    output = fresh.snakemake("all", "-n", *overlay(tmp_path, more))
    assert "grouped/one_more/seed1/probes.parquet" in output
    assert "figures/mistakes_grouped_one_more.svg" in output


def test_without_systems_there_are_no_probes_and_the_table_says_why(
    fresh: Workflow, tmp_path: Path
) -> None:
    none = overlay(tmp_path, {"input_probes": {"systems": []}})
    assert not {"probe_inputs", "compare_probes"} & set(fresh.plan("all", *none))
    assert "no input is changed" in fresh.snakemake(PROBES, "-n", *none, check=False)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"input_probes": {"systems": ["nobody"]}}, "input_probes.systems: nobody"),
        ({"errors": {"compare": ["pairdx_clip", "nobody"]}}, "errors.compare: nobody"),
        ({"input_probes": {"image_corruptions": {"jpeg": [0]}}}, "image_corruptions.jpeg"),
        ({"input_probes": {"image_corruptions": {"melting": [1]}}}, "melting"),
    ],
)
def test_a_wrong_key_is_named(fresh: Workflow, tmp_path: Path, content: dict, named: str) -> None:
    output = fresh.snakemake("all", "-n", *overlay(tmp_path, content), check=False)
    assert "Job stats" not in output
    assert named in output
