"""Explanations in the plan: a figure per system that can be looked into, from its files alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from .conftest import REPOSITORY, Workflow, overlay, read_plan

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plan")]

MODELS = yaml.safe_load((REPOSITORY / "config/models.yaml").read_text(encoding="utf-8"))["models"]
EXPLAINED = [
    name
    for name, entry in MODELS.items()
    if entry["enabled"] and entry["family"] in ("fusion", "clip")
]


def figures_in(output: str) -> list[str]:
    (files,) = re.findall(r"rule explain_systems:\n.*\n\s+output: (.*)", output)
    return re.findall(r"figures/explanations_(\w+)\.svg", files)


def test_every_system_that_can_be_looked_into_has_a_figure(fresh: Workflow) -> None:
    assert sorted(figures_in(fresh.snakemake("figures", "-n"))) == sorted(EXPLAINED)


def test_a_new_registry_entry_gets_its_figure_without_another_edit(
    fresh: Workflow, tmp_path: Path
) -> None:
    more = {"one_more": MODELS["image_only"], "none": MODELS["mean_colour"]}
    output = fresh.snakemake("figures", "-n", *overlay(tmp_path, {"models": more}))
    assert sorted(figures_in(output)) == sorted([*EXPLAINED, "one_more"])


def test_figures_need_systems_of_the_first_split_and_seed_and_no_predictions(
    fresh: Workflow,
) -> None:
    output = fresh.snakemake("results/pairdx/figures/explanations_pairdx_fusion.svg", "-n")
    (inputs,) = re.findall(r"rule explain_systems:\n\s+input: (.*)", output)
    assert "results/pairdx/stratified/pairdx_fusion/seed1/model.safetensors" in inputs
    assert "/grouped/" not in inputs
    assert "/seed2/" not in inputs
    assert not [rule for rule in read_plan(output) if rule.startswith("predict")]


def test_nobody_chosen_means_no_figures(fresh: Workflow, tmp_path: Path) -> None:
    plan = fresh.plan("all", *overlay(tmp_path, {"explanations": {"per_class": 0}}))
    assert plan["compare_systems"] == 1
    assert "explain_systems" not in plan


def test_named_pairs_are_enough(fresh: Workflow, tmp_path: Path) -> None:
    chosen = {"explanations": {"per_class": 0, "pairs": ["PMC1_a"]}}
    assert fresh.plan("figures", *overlay(tmp_path, chosen))["explain_systems"] == 1
