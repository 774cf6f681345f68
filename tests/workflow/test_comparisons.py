"""The comparisons appear for what is configured, and for every entry of the registry."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from .conftest import DEMO, REPOSITORY, Workflow, read_plan

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plan")]

MODELS = yaml.safe_load((REPOSITORY / "config/models.yaml").read_text(encoding="utf-8"))["models"]


def test_the_splits_effect_needs_both_splits(
    fresh: Workflow, tmp_path: Path, all_of_demo: str
) -> None:
    assert read_plan(all_of_demo)["compare_predictions"] == 1
    assert "tables/split_effect.csv" in all_of_demo
    overlay = tmp_path / "one_split.yaml"
    overlay.write_text("splits: [grouped]", encoding="utf-8")
    planned = fresh.snakemake("all", "-n", *DEMO, str(overlay))
    assert read_plan(planned)["compare_predictions"] == 1
    assert "split_effect" not in planned
    target = "results/demo/tables/split_effect.csv"
    output = fresh.snakemake(target, *DEMO, str(overlay), "-n", check=False)
    assert "config key splits lacks one" in output


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("splits: [stratified]", "the price of leakage needs the split grouped"),
        ("leakage_price: {systems: []}", "leakage_price.systems names no enabled system"),
        ("leakage_price: {systems: [clip_zero_shot, mean_colour]}\n"
         "models: {mean_colour: {enabled: false}}", "names no enabled system that is trained"),
    ],
)  # fmt: skip
def test_where_nothing_is_priced_nothing_more_is_trained_and_who_asks_is_told(
    fresh: Workflow, tmp_path: Path, all_of_demo: str, settings: str, said: str
) -> None:
    assert "results/demo/with_siblings/tfidf_logistic/seed1/predictions.parquet" in all_of_demo
    overlay = tmp_path / "unpriced.yaml"
    overlay.write_text(settings, encoding="utf-8")
    planned = fresh.snakemake("all", "-n", *DEMO, str(overlay))
    assert "with_siblings" not in planned
    assert said in fresh.snakemake("leakage_price", "-n", *DEMO, str(overlay), check=False)


def test_a_system_that_is_none_cannot_be_priced(fresh: Workflow) -> None:
    fresh.refuses("leakage_price.systems", "--config", "leakage_price={systems: [pairdx_clop]}")


def test_one_system_alone_disagrees_with_nobody(fresh: Workflow, tmp_path: Path) -> None:
    """Nothing is promised that no job writes, and whoever asks by name is told why."""
    overlay = tmp_path / "one.yaml"
    models = {name: {"enabled": name == "tfidf_logistic"} for name in MODELS}
    overlay.write_text(yaml.safe_dump({"models": models}), encoding="utf-8")
    planned = fresh.snakemake("all", "-n", *DEMO, str(overlay))
    assert read_plan(planned)["compare_predictions"] == 1
    assert "disagreements" not in planned
    target = "results/demo/tables/disagreements_grouped.csv"
    assert "enables one only" in fresh.snakemake(target, *DEMO, str(overlay), "-n", check=False)


def test_a_new_registry_entry_is_compared_without_another_edit(
    fresh: Workflow, tmp_path: Path
) -> None:
    overlay = tmp_path / "more.yaml"
    entry = MODELS["majority"] | {"title": "One more", "enabled": True}
    overlay.write_text(yaml.safe_dump({"models": {"one_more": entry}}), encoding="utf-8")
    targets = [f"results/demo/tables/{name}.csv" for name in ("system_tests", "split_effect")]
    output = fresh.snakemake(*targets, *DEMO, str(overlay), "-n")
    job = output.split("rule compare_predictions:")[1].split("output:")[0]
    for split in ("stratified", "grouped"):
        assert f"results/demo/{split}/one_more/seed1/predictions.parquet" in job
