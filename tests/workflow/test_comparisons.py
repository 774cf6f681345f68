"""The comparisons appear for what is configured, and for every entry of the registry."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from .conftest import DEMO, REPOSITORY, Workflow, read_plan

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plan")]

MODELS = yaml.safe_load((REPOSITORY / "config/models.yaml").read_text())["models"]


def test_the_splits_effect_needs_both_splits(
    fresh: Workflow, tmp_path: Path, all_of_demo: str
) -> None:
    assert read_plan(all_of_demo)["compare_splits"] == 1
    overlay = tmp_path / "one_split.yaml"
    overlay.write_text("splits: [grouped]")
    plan = fresh.plan("all", *DEMO, str(overlay))
    assert plan["compare_pairs_of_systems"] == 1
    assert "compare_splits" not in plan
    target = "results/demo/tables/split_effect.csv"
    output = fresh.snakemake(target, *DEMO, str(overlay), "-n", check=False)
    assert "config key splits lacks one" in output


def test_a_new_registry_entry_is_compared_without_another_edit(
    fresh: Workflow, tmp_path: Path
) -> None:
    overlay = tmp_path / "more.yaml"
    entry = MODELS["majority"] | {"title": "One more", "enabled": True}
    overlay.write_text(yaml.safe_dump({"models": {"one_more": entry}}))
    targets = [f"results/demo/tables/{name}.csv" for name in ("system_tests", "split_effect")]
    output = fresh.snakemake(*targets, *DEMO, str(overlay), "-n")
    for rule in ("compare_pairs_of_systems", "compare_splits"):
        job = output.split(f"rule {rule}:")[1].split("output:")[0]
        for split in ("stratified", "grouped"):
            assert f"results/demo/{split}/one_more/seed1/predictions.parquet" in job


def test_tests_compare_first_seeds_and_the_splits_effect_all(
    fresh: Workflow, tmp_path: Path
) -> None:
    overlay = tmp_path / "seeds.yaml"
    overlay.write_text("seeds: [4, 5]")
    targets = [f"results/demo/tables/{name}.csv" for name in ("system_tests", "split_effect")]
    output = fresh.snakemake(*targets, *DEMO, str(overlay), "-n")
    used = {
        rule: output.split(f"rule {rule}:")[1].split("output:")[0]
        for rule in ("compare_pairs_of_systems", "compare_splits")
    }
    second = "results/demo/grouped/pairdx_fusion/seed5/predictions.parquet"
    assert second not in used["compare_pairs_of_systems"]
    assert second in used["compare_splits"]
