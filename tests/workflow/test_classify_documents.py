"""New documents through Snakemake, in shards, as users ask for them: a table in, a table out."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from deployed_samples import seal, write_deployed

from .conftest import DEMO, Workflow, copy_of_workflow, overlay_file

pytestmark = pytest.mark.slow
DOCUMENTS = 7


def write_documents(folder: Path) -> Path:
    """Write a table of documents, one without a caption and one that is no image."""
    (folder / "images").mkdir()
    colours = np.random.default_rng(1).integers(0, 256, (DOCUMENTS, 9, 12, 3), dtype=np.uint8)
    for number, pixels in enumerate(colours):
        Image.fromarray(pixels).save(folder / f"images/{number}.png")
    (folder / "images/3.png").write_bytes(b"PK\x03\x04 no image")
    with (folder / "new.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["scan", "text"])
        for number in range(DOCUMENTS):
            writer.writerow([f"{number}.png", "" if number == 5 else "axial ct, =brain"])
    return folder / "new.csv"


def test_a_table_goes_in_and_a_table_comes_out_whatever_the_number_of_shards(
    tmp_path: Path,
) -> None:
    (tmp_path / "workflow").mkdir()
    workflow = copy_of_workflow(tmp_path / "workflow")
    system = write_deployed(tmp_path / "system", reads=("image", "caption"))
    entry = {
        "folder": str(system),
        "table": str(write_documents(tmp_path)),
        "images": str(tmp_path / "images"),
        "image_column": "scan",
        "caption_column": "text",
    }
    documents = {"whole": entry, "cut": {**entry, "shards": 2, "format": "csv"}}
    file = overlay_file(tmp_path, documents_to_classify=documents)
    workflow.snakemake("classify_documents", *DEMO, file)

    folder = workflow.folder / "results/demo/classified"
    whole = pd.read_parquet(folder / "whole.parquet")
    assert whole["file"].tolist() == [f"{number}.png" for number in range(DOCUMENTS)]
    assert whole.index[whole["problem"] != ""].tolist() == [3, 5]
    assert whole["predicted"].isna().tolist() == [at in (3, 5) for at in range(DOCUMENTS)]
    first = (tmp_path / "images/0.png").read_bytes()
    assert whole.loc[0, "sha256"] == hashlib.sha256(first).hexdigest()
    cut = pd.read_csv(folder / "cut.csv", encoding="utf-8-sig", keep_default_na=False)
    assert cut["file"].tolist() == whole["file"].tolist()
    assert cut["predicted"].tolist() == whole["predicted"].fillna("").tolist()
    numbers = pd.to_numeric(cut["p_ct"])
    assert np.array_equal(numbers, whole["p_ct"], equal_nan=True)

    assert workflow.plan("classify_documents", *DEMO, file) == {}
    # Another system, in the same place: its answers are others.
    (system / "README.md").write_text("# Another\n", encoding="utf-8")
    seal(system)
    assert workflow.plan("classify_documents", *DEMO, file)["classify_shard"] == 3


def test_whoever_names_no_documents_is_told_the_key(fresh: Workflow) -> None:
    output = fresh.snakemake("classify_documents", "-n", *DEMO, check=False)
    assert "config key documents_to_classify: it names no documents" in output
