"""The dataset that is handed on, and the review of it, through Snakemake itself."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from .conftest import DEMO, Workflow

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]

RELEASE = ("--configfile", "config/demo.yaml", "config/release.yaml", "config/exported.yaml")


def test_the_export_read_as_a_release_gives_the_same_pairs_and_split(demo: Workflow) -> None:
    demo.snakemake("dataset", *DEMO)
    (demo.folder / "config/exported.yaml").write_text(
        "run: exported\n"
        "datasets: {drawn: {enabled: false}, "
        "release: {source: {path: results/demo/drawn/archive/drawn.zip}, "
        "packing: {image_size: 64}}}\n",
        encoding="utf-8",
    )
    demo.snakemake("splits", "dataset", "--profile", "profiles/local", *RELEASE)
    first = demo.folder / "results/demo/drawn"
    again = demo.folder / "results/exported/release"
    columns = ["pair_id", "label", "caption", "sha256", "article_id"]
    pairs = pd.read_parquet(first / "curated/pairs.parquet", columns=columns)
    assert pd.read_parquet(again / "curated/pairs.parquet", columns=columns).equals(pairs)
    ours = pd.read_parquet(first / "stratified/split.parquet")
    published = pd.read_parquet(again / "published/split.parquet")
    assert published["subset"].equals(ours["subset"])


def test_a_decision_of_a_review_reaches_the_pairs_and_a_copy_stays_the_users(
    demo: Workflow, tmp_path: Path
) -> None:
    overlay = "run: reviewed\n"
    config = demo.folder / "config/reviewed.yaml"
    config.write_text(overlay, encoding="utf-8")
    command = ("--profile", "profiles/local", "--configfile", "config/demo.yaml", str(config))
    demo.snakemake("review_sheet", *command)
    results = demo.folder / "results/reviewed/drawn"
    sheet = pd.read_csv(results / "review/sheet.csv", dtype=str, keep_default_na=False)
    images = {path.name for path in (results / "review/images").glob("*.webp")}
    assert set(sheet["file"]) == images

    sheet.loc[0, ["image_decision", "note"]] = ["reject", "a face"]
    sheet.loc[1, ["caption_decision", "caption_edit"]] = ["edit", "A caption of ours."]
    copy = tmp_path / "decided.csv"
    sheet.to_csv(copy, index=False)
    config.write_text(
        f"{overlay}datasets: {{drawn: {{curation: {{review: {{decisions: {copy}}}}}}}}}\n",
        encoding="utf-8",
    )
    demo.snakemake("curated", *command)
    pairs = pd.read_parquet(results / "curated/pairs.parquet").set_index("pair_id")
    rejected = pd.read_parquet(results / "curated/rejected.parquet").set_index("file")
    assert rejected.loc[sheet.loc[0, "file"], "reason"] == "image_rejected"
    assert pairs.loc[sheet.loc[1, "pair_id"], "caption"] == "A caption of ours."
    assert pairs["caption_reviewed"].sum() == 1
    assert copy.read_text(encoding="utf-8") == sheet.to_csv(index=False)
