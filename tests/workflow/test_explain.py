"""Explanations in the plan: a figure per system that can be looked into, from its files alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from .conftest import REPOSITORY, Workflow, overlay

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plan")]

MODELS = yaml.safe_load((REPOSITORY / "config/models.yaml").read_text())["models"]
EXPLAINED = [
    name
    for name, entry in MODELS.items()
    if entry["enabled"] and entry["family"] in ("fusion", "clip")
]


def figures_in(output: str) -> list[str]:
    return re.findall(r"output: results/\w+/figures/explanations_(\w+)\.svg", output)


def test_every_system_that_can_be_looked_into_has_a_figure(fresh: Workflow) -> None:
    assert sorted(figures_in(fresh.snakemake("figures", "-n"))) == sorted(EXPLAINED)


def test_a_new_registry_entry_gets_its_figure_without_another_edit(
    fresh: Workflow, tmp_path: Path
) -> None:
    more = {"one_more": MODELS["image_only"], "none": MODELS["mean_colour"]}
    output = fresh.snakemake("figures", "-n", *overlay(tmp_path, {"models": more}))
    assert sorted(figures_in(output)) == sorted([*EXPLAINED, "one_more"])


def test_a_figure_needs_the_first_split_and_seed_and_its_own_familys_files(fresh: Workflow) -> None:
    target = "results/pairdx/figures/explanations_pairdx_fusion.svg"
    output = fresh.snakemake(target, "-n")
    (inputs,) = re.findall(r"rule explain_model:\n\s+input: (.*)", output)
    assert "results/pairdx/stratified/pairdx_fusion/seed1/model.safetensors" in inputs
    assert "models/fusion_explanation.py" in inputs
    assert "models/clip" not in inputs
    assert len(re.findall("rule train_on_gpu:", output)) == 1


def test_nobody_chosen_means_no_figures(fresh: Workflow, tmp_path: Path) -> None:
    plan = fresh.plan("all", *overlay(tmp_path, {"explanations": {"per_class": 0}}))
    assert plan["compare_systems"] == 1
    assert "explain_model" not in plan


def test_named_pairs_are_enough(fresh: Workflow, tmp_path: Path) -> None:
    chosen = {"explanations": {"per_class": 0, "pairs": ["PMC1_a"]}}
    assert fresh.plan("figures", *overlay(tmp_path, chosen))["explain_model"] == len(EXPLAINED)
