"""The workflow on images that nobody drew: a corpus that PAIRDX_REAL_CORPUS names."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from .conftest import DEMO, REPOSITORY, copy_of_workflow

# With the SLURM tests, after which it starts: on two workers they take as long as the demo.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("beside the demo")]

CORPUS = os.environ.get("PAIRDX_REAL_CORPUS")


REGISTRY = yaml.safe_load((REPOSITORY / "config/models.yaml").read_text())["models"]
# One that reads images, one captions, one both: what is tabulated and drawn of them is looked at.
SYSTEMS = ("pairdx_clip", "pairdx_fusion", "tfidf_logistic")
SPLITS = ("stratified", "grouped")


def overlay(enabled: Collection[str], **content: Any) -> str:
    """The configuration of a run of these systems; networks are trained for two epochs."""
    models: dict[str, Any] = {name: {"enabled": name in enabled} for name in REGISTRY}
    for name, entry in REGISTRY.items():
        if entry["network"] and entry["trained"]:
            models[name]["settings"] = {"epochs": 2}
    return yaml.safe_dump({"run": "real", "models": models, **content})


@pytest.mark.skipif(not CORPUS, reason="PAIRDX_REAL_CORPUS names no corpus")
def test_a_corpus_of_ones_own_runs_to_the_end(tmp_path: Path) -> None:
    workflow = copy_of_workflow(tmp_path)
    (tmp_path / "config/real.yaml").write_text(overlay(SYSTEMS))
    settings = ["corpus=multicare", f"multicare={{path: {CORPUS}}}"]
    workflow.snakemake("all", *DEMO, "config/real.yaml", "--config", *settings)
    results = tmp_path / "results/real"
    raw = pd.read_csv(Path(str(CORPUS), "captions_and_labels.csv"))
    funnel = pd.read_csv(results / "curated/funnel.csv")
    counted = funnel[funnel["stage"] == "ingest"].set_index("label")["candidates"]
    assert counted.to_dict() == raw["image_type"].value_counts().to_dict()
    pairs = pd.read_parquet(results / "curated/pairs.parquet")
    assert not (pairs["age"] < 18).any()
    comparison = pd.read_csv(results / "tables/comparison.csv")
    rows = set(zip(comparison["model"], comparison["split"], strict=True))
    assert rows == set(product(SYSTEMS, SPLITS))
    for split in SPLITS:
        subsets = pd.read_parquet(results / split / "split.parquet")
        assert sorted(subsets["pair_id"]) == sorted(pairs["pair_id"])
        shared = _articles_in_both(pairs, subsets, "train", "test")
        report = json.loads((results / split / "leakage.json").read_text())
        assert report["kinds"]["article"]["train-test"]["groups"] == len(shared)
        assert (split == "stratified") == bool(shared)
    assert (results / "dataset/datasheet.md").is_file()

    # Every system of the registry, those too that are switched off: trained and evaluated.
    (tmp_path / "config/all.yaml").write_text(overlay(REGISTRY, splits=["stratified"]))
    workflow.snakemake("evaluated", *DEMO, "config/all.yaml", "--config", *settings)
    test = _test_pairs(results)
    for name in REGISTRY:
        folder = results / "stratified" / name / "seed1"
        metrics = json.loads((folder / "metrics.json").read_text())
        assert metrics["pairs"] == sum(map(sum, metrics["confusion"])) == test, name
        assert (folder / "model.safetensors").is_file() == REGISTRY[name]["trained"], name


def _test_pairs(results: Path) -> int:
    return int((pd.read_parquet(results / "stratified/split.parquet")["subset"] == "test").sum())


def _articles_in_both(pairs: pd.DataFrame, split: pd.DataFrame, one: str, other: str) -> set[str]:
    subset = pairs["pair_id"].map(split.set_index("pair_id")["subset"])
    articles = pairs["file"].str.split("_").str[0]  # not the column that the report reads
    return set(articles[subset == one]) & set(articles[subset == other])
