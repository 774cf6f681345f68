"""Chest X-rays, as tiny files in each official layout and as real ones: from files to tables.

Real ones are a test of code on real files: the network that looks at them is small and random.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import average_precision_score, roc_auc_score

import chest_files
from pairdx.deployment.folder import read_folder
from pairdx.finding_texts import decode
from plans import DEFAULTS

from .conftest import REAL_DATA, Workflow, copy_of_workflow, read_plan

# Behind the demo: on two workers, the other groups take longer.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("beside the demo")]

SIZE = 32
PROFILE = ("--profile", "profiles/local", "--configfile")
# CLIP's shape, small.
CLIP = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": SIZE, "patch_size": 8, "width": 32, "layers": 1, "head_width": 16},
    "text_cfg": {"context_length": 48, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}
SMALL = {"architecture": CLIP, "quick_gelu": False, "weights": None, "context_length": 48}
TRAINED = {"epochs": 2, "batch_size": 8, "precision": "float32"}
WAYS = ("untuned", "plain", "both")
TESTS = ("chexpert", "chestxray14", "padchest", "vindr_cxr", "open_i")
TABLES = "results/chest_xray/tables"
TARGETS = tuple(
    f"{TABLES}/{name}.csv"
    for name in (
        *("grid_tuning", "grid_parts", "competition", "findings_comparison"),
        *("findings_by_test_set", "findings_tests_mimic_cxr"),
    )
)


def small(way: str) -> dict[str, Any]:
    """One of the configuration's systems with a small network."""
    trained = {} if way == "untuned" else TRAINED
    return {"enabled": True, "stand_in": True, "settings": SMALL | trained}


def overlay(folder: Path) -> dict[str, Any]:
    """Name the tiny files, and make everything small."""
    whole = yaml.safe_load((folder / "config/chest_xray.yaml").read_text(encoding="utf-8"))
    off = {name: {"enabled": False} for name in {**whole["systems"], **DEFAULTS["systems"]}}
    writers = {
        "mimic_cxr": chest_files.write_mimic_cxr,
        "chexpert": chest_files.write_chexpert,
        "chestxray14": chest_files.write_chestxray14,
        "padchest": chest_files.write_padchest,
        "vindr_cxr": chest_files.write_vindr_cxr,
        "open_i": chest_files.write_open_i,
    }
    return {
        "seeds": [0, 1],
        "device": "cpu",
        "datasets": {
            name: {
                "enabled": True,
                "source": {"path": str(write(folder / name)), "parts": 1},
                "packing": {"image_size": SIZE},
                "tested_on": {"open_i": {}} if name == "mimic_cxr" else {},
            }
            for name, write in writers.items()
        },
        "systems": off | {f"chest_clip_{way}": small(way) for way in WAYS},
        "evaluation": {"bootstrap_resamples": 50},
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A copy in which the tables of the configuration were made."""
    workflow = copy_of_workflow(tmp_path_factory.mktemp("chest_xray"), forks_jobs=True)
    content = yaml.safe_dump(overlay(workflow.folder))
    (workflow.folder / "tiny.yaml").write_text(content, encoding="utf-8")
    workflow.snakemake(*TARGETS, *PROFILE, "config/chest_xray.yaml", "tiny.yaml")
    return workflow


@pytest.fixture(scope="module")
def results(run: Workflow) -> Path:
    """What was made."""
    return run.folder / "results/chest_xray"


def test_every_way_of_tuning_stands_on_every_test_set_and_in_the_mean(results: Path) -> None:
    table = pd.read_csv(results / "tables/grid_tuning.csv")
    made = table[(table["row"] == "clip") & table["mean"].notna()]
    places = ["mimic_cxr", *(f"mimic_cxr/{name}" for name in TESTS), "mimic_cxr/(mean)"]
    assert set(zip(made["dataset"], made["column"], strict=True)) == {
        (place, way) for place in places for way in WAYS
    }
    for way, of_way in made.groupby("column"):
        each = of_way[of_way["dataset"] != "mimic_cxr/(mean)"]
        mean = of_way.loc[of_way["dataset"] == "mimic_cxr/(mean)", "mean"].item()
        assert mean == pytest.approx(each["mean"].mean()), way
    shown = (results / "tables/grid_tuning.md").read_text(encoding="utf-8")
    assert "Mean of the test sets" in shown
    assert "reconstruction of Jang et al." in shown
    assert "4.3 %" in shown
    assert not set(table["row"]) - {"clip", "biomedclip", "chexzero", "(mean)"}


def test_a_system_of_several_findings_is_deployed_with_a_threshold_of_each(run: Workflow) -> None:
    """None for a finding that no validation pair gives ground for; there is no temperature."""
    path = "results/chest_xray/mimic_cxr/published/chest_clip_both/seed0/deployed"
    run.snakemake(path, *PROFILE, "config/chest_xray.yaml", "tiny.yaml")
    facts = read_folder(run.folder / path).facts
    assert (facts["temperature"], facts["threshold"], facts["risk"]) == (None, None, None)
    thresholds = facts["thresholds"]
    assert [*thresholds] == [label for label, _ in facts["classes"]]
    assert {one is None for one in thresholds.values()} == {True, False}
    assert all(0 < one < 1 for one in thresholds.values() if one is not None)


def test_a_system_is_asked_elsewhere_in_the_words_of_the_other_data(results: Path) -> None:
    folder = results / "mimic_cxr/published/chest_clip_both/seed0"
    there = pd.read_parquet(folder / "tested_on/chestxray14/predictions.parquet")
    here = pd.read_parquet(folder / "predictions.parquet")
    assert "p_Infiltration" in there
    assert "p_Infiltration" not in here
    assert set(there["subset"]) == {"validation", "test"}


def test_scores_are_those_of_scikit_learn_and_absent_findings_are_empty(results: Path) -> None:
    folder = results / "mimic_cxr/published/chest_clip_untuned/seed0/tested_on/chestxray14"
    rows = pd.read_parquet(folder / "predictions.parquet")
    test = rows[rows["subset"] == "test"]
    classes = [name.removeprefix("p_") for name in rows.columns if name.startswith("p_")]
    truth = decode(test["findings"], classes)
    areas, precisions = [], []
    for at, name in enumerate(classes):
        if 0 < truth[:, at].sum() < len(test):
            areas.append(roc_auc_score(truth[:, at], test[f"p_{name}"]))
            precisions.append(average_precision_score(truth[:, at], test[f"p_{name}"]))
    assert 0 < len(areas) < len(classes)  # the tiny files show five of the fourteen
    table = pd.read_csv(results / "tables/findings_comparison.csv")
    row = table[(table["system"] == "chest_clip_untuned") & (table["other"] == "chestxray14")]
    assert row["macro_auroc"].item() == pytest.approx(np.mean(areas))
    assert row["macro_average_precision"].item() == pytest.approx(np.mean(precisions))


def test_five_findings_stand_beside_radiologists(results: Path) -> None:
    table = pd.read_csv(results / "tables/competition.csv")
    published = table[table["system"].isna()].set_index("entrant")
    assert published.loc["radiologists", ["f1", "mcc"]].tolist() == [0.619, 0.53]
    assert set(table["system"].dropna()) == {f"chest_clip_{way}" for way in WAYS}


def test_what_makes_no_sense_of_several_findings_says_so(run: Workflow) -> None:
    said = run.snakemake(
        "results/chest_xray/tables/tested_on.csv",
        *(*PROFILE, "config/chest_xray.yaml", "tiny.yaml"),
        check=False,
    )
    assert "tested_on applies to the task of no dataset that runs with a system" in said


def test_on_a_cluster_the_whole_configuration_is_planned(run: Workflow) -> None:
    arguments = ("all", "--profile", "profiles/slurm", "--configfile", "config/chest_xray.yaml")
    jobs = read_plan(run.snakemake(*arguments, "tiny.yaml", "-n", "--config", "device=cuda"))
    assert jobs["train_on_gpu"] == jobs["predict"] == 2 * (len(WAYS) - 1)
    assert "train_on_cpu" not in jobs


@pytest.mark.skipif(REAL_DATA is None, reason="PAIRDX_REAL_DATA names no folder")
def test_real_chest_x_rays_come_to_a_table_of_findings_and_roc_curves(tmp_path: Path) -> None:
    workflow = copy_of_workflow(tmp_path, forks_jobs=True)
    real = Path(str(REAL_DATA), "real_cxr")
    source = chest_files.write_real_chestxray14(real, workflow.folder / "nih")
    frequent = [name for name, count in chest_files.positives(real).items() if count >= 10]
    frequent.remove("No Finding")
    system = {"family": "clip", "title": "Small", "trained": False, "random": False}
    system |= {"stand_in": True, "paper": None, "enabled": True}
    system["settings"] = SMALL | {"templates": ["{}"], "temperature": None}
    content = {
        "run": "real",
        "paper": None,
        "device": "cpu",
        "datasets": {
            "multicare": {"enabled": False},
            "chestxray14": {
                "enabled": True,
                "source": {"path": str(source)},
                "classes": {name: None for name in DEFAULTS_OF_NIH if name not in frequent},
                "packing": {"image_size": SIZE},
            },
        },
        "systems": {name: {"enabled": False} for name in DEFAULTS["systems"]} | {"small": system},
        "grids": {"privileged_captions": None},
        "evaluation": {"bootstrap_resamples": 50},
    }
    (workflow.folder / "real.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    cell = "chestxray14_published_small"
    wanted = (f"results/real/tables/findings_{cell}.csv", f"results/real/figures/roc_{cell}.png")
    workflow.snakemake(*wanted, *PROFILE, "real.yaml")
    table = pd.read_csv(workflow.folder / wanted[0]).set_index("finding")
    assert set(table.index) == {*frequent, "macro"}
    assert table.loc[frequent, "auroc"].between(0, 1).all()
    pairs = pd.read_parquet(workflow.folder / "results/real/chestxray14/curated/pairs.parquet")
    assert len(pairs) == 260
    assert pairs["case_id"].nunique() == 171


DEFAULTS_OF_NIH = tuple(DEFAULTS["datasets"]["chestxray14"]["classes"])
