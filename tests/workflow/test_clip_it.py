"""CLIP-IT's configuration on tiny files in each official format: from raw files to its table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from safetensors import safe_open

from histology_files import write_bach, write_crc, write_pcam
from plans import DEFAULTS

from .conftest import Workflow, copy_of_workflow, read_plan

# Behind the demo: on two workers, the other groups take longer.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("beside the demo")]

SIZE = 32
ORGANS = {"BRCA": "invasive ductal carcinoma of the breast", "COAD": "colonic mucosa"}
PROFILE = ("--profile", "profiles/local", "--configfile", "config/clip_it.yaml")
# CLIP's shape, small.
CLIP = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": SIZE, "patch_size": 8, "width": 32, "layers": 1, "head_width": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}
# Its features have 96 numbers.
BACKBONE = {"library": "timm", "name": "test_resnet", "weights": None, "arguments": {}}
FEATURES = 96
SYSTEMS = ("vit_s16_probe", "vit_s16_lora", "vit_s16_clip_it")
# On one dataset: the paper's second table, and two ablations.
TOWERS = ("quiltnet_vision", "quiltnet_contrastive", "quiltnet_clip_it")
ABLATIONS = ("with_trained_text", "with_random_text")
TARGETS = ("paper_table_1", "paper_table_2", "results/clip_it/tables/grid_ablations_open.csv")


def small(name: str) -> dict[str, Any]:
    """One of the configuration's systems with a small network and few epochs."""
    settings: dict[str, Any] = {"precision": "float32", "batch_size": 16}
    if name == "quiltnet_contrastive":
        settings |= {"architecture": CLIP, "weights": None, "context_length": 16}
    elif name not in TOWERS:
        settings["backbone"] = BACKBONE
    if name.endswith("clip_it") or name in ABLATIONS:
        settings["text_branch"] = {"dimension": 32, "hidden": 16}
    epochs = {dataset: {"epochs": 2} for dataset in ("pcam", "crc", "bach")}
    only = {} if name in SYSTEMS else {"datasets": ["pcam"]}
    return {"enabled": True, "settings": settings, "for_dataset": epochs, **only}


def overlay(folder: Path) -> dict[str, Any]:
    """Name the tiny files, and make everything small."""
    whole = yaml.safe_load((folder / "config/clip_it.yaml").read_text(encoding="utf-8"))
    off = {name: {"enabled": False} for name in {**whole["systems"], **DEFAULTS["systems"]}}
    sources = {
        "pcam": {"path": str(write_pcam(folder / "pcam", {"train": 24, "valid": 8, "test": 12}))},
        "crc": {"path": str(write_crc(folder / "crc", train=5))},
        "bach": {"path": str(write_bach(folder / "bach"))},
    }
    packing = {"packing": {"image_size": SIZE}}
    reports = {"path": "reports.csv", "join": {"path": "patients.csv"}}
    classifier = {"epochs": 2, "for_dataset": {name: {"epochs": 2} for name in sources}}
    return {
        "seeds": [0],
        "device": "cpu",
        "datasets": {name: {"source": source} | packing for name, source in sources.items()},
        "text_banks": {"tcga_breast": reports, "tcga_colon": reports},
        "pairings": {"reports": {"classifier": classifier}},
        "feature_extractors": {
            "quiltnet": {"architecture": CLIP, "weights": None, "context_length": 16}
        },
        "systems": off | {name: small(name) for name in (*SYSTEMS, *TOWERS, *ABLATIONS)},
        "evaluation": {"bootstrap_resamples": 50},
    }


def write_reports(folder: Path) -> None:
    """Write the reports of three patients of either organ, and the table that tells the organ."""
    patients, reports = [], []
    for number, (project, words) in enumerate(ORGANS.items()):
        for one in range(3):
            patient = f"TCGA-A{number}-{one:04d}"
            text = f"DIAGNOSIS: {words}, grade {one}. ___ [REDACTED] 1.{one} cm <b>margins</b>."
            patients.append([patient, project])
            reports.append([f"{patient}.0A1B-{number}{one}", text])
    reports.append(["TCGA-A0-0000.FFFF", ""])
    columns = ["patient_id", "cancer_type"]
    pd.DataFrame(patients, columns=columns).to_csv(folder / "patients.csv", index=False)
    table = pd.DataFrame(reports, columns=["patient_filename", "text"])
    table.to_csv(folder / "reports.csv", index=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A copy in which the paper's tables were asked for, and the ablations."""
    workflow = copy_of_workflow(tmp_path_factory.mktemp("clip_it"), forks_jobs=True)
    write_reports(workflow.folder)
    content = yaml.safe_dump(overlay(workflow.folder))
    (workflow.folder / "tiny.yaml").write_text(content, encoding="utf-8")
    workflow.snakemake(*TARGETS, *PROFILE, "tiny.yaml")
    return workflow


@pytest.fixture(scope="module")
def results(run: Workflow) -> Path:
    """What was made."""
    return run.folder / "results/clip_it"


def test_the_papers_table_has_a_cell_for_every_dataset_and_way_that_runs(results: Path) -> None:
    table = pd.read_csv(results / "tables/grid_table_1.csv")
    made = table.dropna(subset="mean")
    cells = set(zip(made["row"], made["dataset"], made["column"], strict=True))
    ways = ("unimodal", "lora", "clip_it")
    assert cells == {("vit_s16", data, way) for data in ("pcam", "crc", "bach") for way in ways}
    assert (made["seeds"] == 1).all()
    assert made["mean"].between(0, 1).all()
    rest = table[table["mean"].isna()]
    assert set(rest["row"]) >= {"uni", "dino_l14"}
    for name, wanted in {
        "table_2": {"quiltnet"},
        "ablations_open": {"trained_text", "random_text"},
    }.items():
        table = pd.read_csv(results / f"tables/grid_{name}.csv")
        changed = table[table["column"] != "whole"].dropna(subset="mean")
        assert set(changed["row"]) >= wanted, name


def test_official_splits_are_kept_whole(results: Path) -> None:
    counted = {"pcam": (24, 8, 12), "bach": (28, 8, 16), "crc": (36, 9, 18)}
    for name, wanted in counted.items():
        subsets = pd.read_parquet(results / name / "published/split.parquet")["subset"]
        found = tuple((subsets == one).sum() for one in ("train", "validation", "test"))
        assert found == wanted, name


def test_each_organ_has_its_own_reports(results: Path) -> None:
    for name, bank in {"pcam": "breast", "bach": "breast", "crc": "colon"}.items():
        texts = pd.read_parquet(results / name / f"text_banks/tcga_{bank}/texts.parquet")
        assert texts["text"].str.contains("mucosa").all() == (bank == "colon")
        assert not texts["text"].str.contains("REDACTED|___").any()
        matches = pd.read_parquet(results / name / "published/pairings/reports/matches.parquet")
        assert set(matches["text_id"]) <= set(texts["text_id"])
        split = pd.read_parquet(results / name / "published/split.parquet")
        assert sorted(matches.loc[matches["chosen"], "pair_id"]) == sorted(split["pair_id"])


def test_the_saved_model_holds_no_text_encoder(results: Path) -> None:
    folders = {one: results / "pcam/published" / one / "seed0" for one in SYSTEMS}
    sizes = {}
    for name, folder in folders.items():
        with safe_open(folder / "model.safetensors", framework="numpy") as file:
            shapes = [file.get_slice(key).get_shape() for key in file.keys()]  # noqa: SIM118
        sizes[name] = sum(int(np.prod(shape)) for shape in shapes)
    # h_d, h_t (two layers) and g
    layers = [(FEATURES, 32), (32, 16), (16, 2), (4, 2)]
    added = sum(before * after + after for before, after in layers)
    assert sizes["vit_s16_clip_it"] - sizes["vit_s16_lora"] == added


def test_on_a_cluster_the_whole_configuration_is_planned(run: Workflow) -> None:
    arguments = ("all", "--profile", "profiles/slurm", "--configfile", "config/clip_it.yaml")
    jobs = read_plan(run.snakemake(*arguments, "tiny.yaml", "-n", "--config", "device=cuda"))
    trainings = len(SYSTEMS) * 3 + len(TOWERS) + len(ABLATIONS)
    assert jobs["train_on_gpu"] == jobs["predict"] == trainings
    assert "train_on_cpu" not in jobs
    assert (jobs["encode_text_bank_on_gpu"], jobs["pair_texts"]) == (3, 4)
