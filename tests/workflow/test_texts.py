"""Prompts and captions in the plan: one job per zero-shot system and split, and no training."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from .conftest import REPOSITORY, Workflow, overlay, read_plan

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plan")]

CONFIG = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text(encoding="utf-8"))
MODELS = yaml.safe_load((REPOSITORY / "config/models.yaml").read_text(encoding="utf-8"))["models"]
CLIP = {n: e for n, e in MODELS.items() if e["family"] == "clip" and e["enabled"]}
ZERO_SHOT = [name for name, entry in CLIP.items() if not entry["trained"]]
PROMPTS = "results/pairdx/tables/prompt_sensitivity.csv"
TEXTS = "results/pairdx/tables/texts.csv"


def prompted(output: str) -> list[tuple[str, str]]:
    """Split and system of every file of predictions by prompts that the table reads."""
    (inputs,) = re.findall(r"rule compare_predictions:\n\s+input: (.*)", output)
    return sorted(re.findall(r"results/pairdx/(\w+)/(\w+)/seed\d+/prompts\.parquet", inputs))


def test_prompts_are_varied_once_per_zero_shot_system_and_split(fresh: Workflow) -> None:
    """By the job that predicts: the images are encoded there anyway."""
    output = fresh.snakemake(PROMPTS, "-n")
    assert prompted(output) == sorted((s, name) for s in CONFIG["splits"] for name in ZERO_SHOT)


def test_captions_are_described_without_training_weights_or_images(fresh: Workflow) -> None:
    output = fresh.snakemake(TEXTS, "-n")
    plan = read_plan(output)
    assert plan["describe_texts"] == 1
    used = {"download_multicare", "download_hub_weights", "download_glove", "extract_glove"}
    used |= {"ingest_tables", "inspect_archive", "curate_pairs", "build_word_vectors"}
    assert set(plan) == used | {"describe_texts"}
    assert "open_clip_pytorch_model.bin" not in output


def test_prompts_of_trained_systems_are_varied_if_asked_for(
    fresh: Workflow, tmp_path: Path
) -> None:
    chosen = overlay(tmp_path, {"prompt_sensitivity": {"trained": True}})
    runs = sum(len(CONFIG["seeds"]) if entry["random"] else 1 for entry in CLIP.values())
    found = prompted(fresh.snakemake(PROMPTS, "-n", *chosen))
    assert len(found) == runs * len(CONFIG["splits"])
    assert {name for _, name in found} == set(CLIP)


@pytest.mark.parametrize(
    "content",
    [
        {"prompt_sensitivity": {"templates": []}},
        {"models": {name: {"enabled": False} for name in ZERO_SHOT}},
    ],
)
def test_where_no_prompt_is_varied_the_rest_can_be_made_and_the_table_says_why(
    fresh: Workflow, tmp_path: Path, content: dict
) -> None:
    chosen = overlay(tmp_path, content)
    planned = fresh.snakemake("tables", "-n", *chosen)
    assert read_plan(planned)["compare_predictions"] == 1
    assert "tables/prompt_sensitivity" not in planned
    output = fresh.snakemake(PROMPTS, "-n", *chosen, check=False)
    assert "no prompts are varied" in output


def test_systems_that_read_no_text_alone_need_no_table_of_texts(
    fresh: Workflow, tmp_path: Path
) -> None:
    off = {name: {"enabled": False} for name in MODELS if name != "mean_colour"}
    plan = fresh.plan("all", *overlay(tmp_path, {"models": off}))
    assert plan["compare_systems"] == 1
    assert "describe_texts" not in plan


def test_a_probe_reads_captions_with_its_encoders_tokeniser(
    fresh: Workflow, tmp_path: Path
) -> None:
    """The table needs BiomedCLIP's small files even where only a probe uses BiomedCLIP."""
    models = {name: {"enabled": name == "early_fusion_probe"} for name in MODELS}
    models["early_fusion_probe"] |= {"settings": {"features": "biomedclip"}}
    output = fresh.snakemake(TEXTS, "-n", *overlay(tmp_path, {"models": models}))
    block = re.search(r"rule describe_texts:\n\s+input: (.*)", output)
    assert block
    assert "resources/weights/biomedclip/tokenizer.json" in block[1]
    assert "vocabulary.json" not in block[1]


def test_both_tables_belong_to_all(all_of_demo: str) -> None:
    assert read_plan(all_of_demo)["describe_texts"] == 1
    assert "tables/prompt_sensitivity.csv" in all_of_demo


@pytest.mark.parametrize("template", ["a photo", "a {} and a {}", "a {name}"])
@pytest.mark.parametrize("section", ["prompt_sensitivity", "models"])
def test_a_template_without_one_place_for_the_class_is_a_config_error(
    fresh: Workflow, tmp_path: Path, template: str, section: str
) -> None:
    """Both of ours and of a system's own; a brace too many would end in Python's own error."""
    chosen = {"templates": [template]}
    if section == "models":
        chosen = {"pairdx_clip": {"settings": chosen}}
    fresh.refuses("templates.0", *overlay(tmp_path, {section: chosen}))
