"""The workflow on images that nobody drew: a corpus that PAIRDX_REAL_CORPUS names."""

from __future__ import annotations

import json
import os
from itertools import product
from pathlib import Path

import pandas as pd
import pytest

from .conftest import DEMO, copy_of_workflow

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("real corpus")]

CORPUS = os.environ.get("PAIRDX_REAL_CORPUS")


@pytest.mark.skipif(not CORPUS, reason="PAIRDX_REAL_CORPUS names no corpus")
def test_a_corpus_of_ones_own_runs_to_the_end(tmp_path: Path) -> None:
    workflow = copy_of_workflow(tmp_path)
    settings = ["run=real", "corpus=multicare", f"multicare={{path: {CORPUS}}}"]
    workflow.snakemake("all", *DEMO, "--config", *settings)
    results = tmp_path / "results/real"
    raw = pd.read_csv(Path(str(CORPUS), "captions_and_labels.csv"))
    funnel = pd.read_csv(results / "curated/funnel.csv")
    counted = funnel[funnel["stage"] == "ingest"].set_index("label")["candidates"]
    assert counted.to_dict() == raw["image_type"].value_counts().to_dict()
    pairs = pd.read_parquet(results / "curated/pairs.parquet")
    assert not (pairs["age"] < 18).any()
    comparison = pd.read_csv(results / "tables/comparison.csv")
    systems = ["clip_zero_shot", "biomedclip_zero_shot", "pairdx_clip", "pairdx_fusion"]
    systems += ["tfidf_logistic", "mean_colour"]
    rows = set(zip(comparison["model"], comparison["split"], strict=True))
    assert rows == set(product(systems, ("stratified", "grouped")))
    for split in ("stratified", "grouped"):
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
