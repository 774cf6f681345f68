"""PairDxFusion's parts: each job depends on the files that its branches read, and on no others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .conftest import DEMO, Workflow

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plan")]

WORDS, IMAGENET = "packed/word_vectors.safetensors", "resources/weights/resnet18"


def inputs_of(workflow: Workflow, model: str, *arguments: str) -> dict[str, str]:
    """What each rule that builds or loads the system reads, in a dry run."""
    targets = [f"results/pairdx/stratified/{model}/seed1/predictions.parquet"]
    targets += [f"results/pairdx/timing/{model}.json"]
    output = workflow.snakemake(*targets, "-n", *arguments)
    return dict(re.findall(r"rule (train_on_gpu|predict|time_model):\n\s+input: (.*)", output))


@pytest.mark.parametrize(
    ("model", "words", "imagenet"),
    [
        ("pairdx_fusion", True, True),
        ("image_only", False, True),
        ("text_only", True, False),
    ],
)
def test_a_branch_that_is_not_built_needs_no_file(
    fresh: Workflow, model: str, words: bool, imagenet: bool
) -> None:
    found = inputs_of(fresh, model)
    assert set(found) == {"train_on_gpu", "predict", "time_model"}
    for rule, inputs in found.items():
        assert (WORDS in inputs) == words, rule
        assert (IMAGENET in inputs) == imagenet, rule


def test_other_ways_to_fuse_are_one_switch_away(fresh: Workflow, tmp_path: Path) -> None:
    """Off, unless somebody asks for them; in the demo, too."""
    names = ("pairdx_fusion_gated", "pairdx_fusion_cross_attention")
    overlay = tmp_path / "variants.yaml"
    overlay.write_text(
        "models:\n" + "".join(f"  {name}: {{enabled: true}}\n" for name in names), encoding="utf-8"
    )
    without = fresh.snakemake("trained", "-n", *DEMO)
    switched_on = fresh.snakemake("trained", "-n", *DEMO, str(overlay))
    for name in names:
        weights = f"results/demo/stratified/{name}/seed1/model.safetensors"
        assert weights not in without
        assert weights in switched_on


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("models={image_only: {settings: {branches: [caption]}}}", "image_only.settings.branches"),
        ("models={image_only: {settings: {branches: []}}}", "image_only.settings.branches"),
        (
            "models={image_only: {settings: {fusion: gated, fusion_dimension: 8}}}",
            "settings.fusion",
        ),
        ("models={pairdx_fusion: {settings: {fusion: null}}}", "pairdx_fusion.settings.fusion"),
        (
            "models={pairdx_fusion: {settings: {fusion: gated}}}",
            "settings: fusion_dimension is missing",
        ),
        ("models={pairdx_fusion: {settings: {fusion: sum}}}", "pairdx_fusion.settings.fusion"),
        ("models={text_only: {settings: {weights: resnet18}}}", "text_only.settings.weights"),
        # What is timed and probed hangs on it.
        ("models={tfidf_logistic: {reads: [image, caption]}}", "tfidf_logistic.reads"),
        ("models={clip_zero_shot: {reads: [caption]}}", "clip_zero_shot.reads"),
    ],
)
def test_contradictory_branches_stop_before_the_dag_and_name_the_key(
    fresh: Workflow, setting: str, named: str
) -> None:
    fresh.refuses(named, "--config", setting)
