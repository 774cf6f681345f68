"""The workflow on images that nobody drew: a corpus that PAIRDX_REAL_CORPUS names."""

from __future__ import annotations

import json
import os
from itertools import product
from pathlib import Path

import pandas as pd
import pytest
import yaml

from .conftest import DEMO, REPOSITORY, copy_of_workflow

# With the SLURM tests, after which it starts: on two workers they take as long as the demo.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("beside the demo")]

CORPUS = os.environ.get("PAIRDX_REAL_CORPUS")


# One that reads images, one captions, one both; the others run in the demo.
SYSTEMS = ("pairdx_clip", "pairdx_fusion", "tfidf_logistic")
SPLITS = ("stratified", "grouped")


def overlay() -> str:
    """The configuration that leaves out every other system."""
    registry = yaml.safe_load((REPOSITORY / "config/models.yaml").read_text())["models"]
    others = {name: {"enabled": False} for name in registry if name not in SYSTEMS}
    return yaml.safe_dump({"run": "real", "models": others})


@pytest.mark.skipif(not CORPUS, reason="PAIRDX_REAL_CORPUS names no corpus")
def test_a_corpus_of_ones_own_runs_to_the_end(tmp_path: Path) -> None:
    workflow = copy_of_workflow(tmp_path)
    (tmp_path / "config/real.yaml").write_text(overlay())
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


def _articles_in_both(pairs: pd.DataFrame, split: pd.DataFrame, one: str, other: str) -> set[str]:
    subset = pairs["pair_id"].map(split.set_index("pair_id")["subset"])
    articles = pairs["file"].str.split("_").str[0]  # not the column that the report reads
    return set(articles[subset == one]) & set(articles[subset == other])
