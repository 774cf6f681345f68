"""Eight curated pairs with images, split and record of curation, for tests of the passport."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pandas as pd
from PIL import Image

from pairdx.corpus.multicare.description import TEXTS

CLASSES = ["radiology", "medical_photograph", "chart"]
WIDTH, HEIGHT = 40, 30
EDIT = "crop 5 4 35 28; mask 0 0 20 20"
FACTS: dict[str, Any] = {
    "title": "PairDx (run test)",
    "texts": TEXTS,
    "drawn": False,
    "articles": True,
    "grouped_by": {"article_id": "article", "case_id": "case", "figure_id": "figure"},
    "lacks": {},
    "follows": "It follows PairDx.",
    "record": "14994046",
    "url": "https://zenodo.org/records/14994046",
    "archives": ["PMC1", "PMC2"],
    "classes": {label: label.replace("_", " ") for label in CLASSES},
    "split": "stratified",
    "version": "0.1.0",
    "min_age": 18,
    "unknown_age": "keep",
    "identifiers": {"name": "reject", "date": "mask", "url": "keep"},
    "tokens": 4,
    "tokens_of": "PairDxFusion",
    "versions": {"Workflow": "0.1.0"},
}


def pairs_table() -> pd.DataFrame:
    """Eight pairs of two archives, out of alphabetical order; the fourth image was edited."""
    numbers = [7, 2, 5, 1, 8, 3, 6, 4]
    names = [f"PMC{1 + number // 5}000000{number}_fig1" for number in numbers]
    cases = [f"{name.split('_')[0]}_01" for name in names]
    cases[1] = cases[0]
    return pd.DataFrame(
        {
            "pair_id": names,
            "file": [f"{name}.webp" for name in names],
            "article_id": [case.split("_")[0] for case in cases],
            "case_id": cases,
            "figure_id": names,
            "caption": [
                "Chest CT, axial.",
                'A "quoted" word,\nand a new line; fièvre',
                "Seen on [date] <script>alert(1)</script> | `b`",
                "Skin of the arm",
                "Skin of the arm",
                "=1+1",
                "A survival curve\rof two groups and more words",
                "None",
            ],
            "label": [
                *("radiology", "radiology", "radiology"),
                *("medical_photograph", "medical_photograph", "chart", "chart", "chart"),
            ],
            "subtype": ["ct", "mri", "ct", "skin_photograph", "", "chart", "chart", "chart"],
            "age": pd.array([34, 34, pd.NA, 18, 77, 51, 60, 41], dtype="Int64"),
            "sex": ["Male", "Male", "", "Female", "Female", "Male", "Female", ""],
            "licence": ["CC BY", "CC BY", "CC BY-NC", "CC BY-NC-ND", "CC0", "", "CC BY", "CC BY"],
            "year": ["2019", "2019", "", "2020", "2021", "Jan ", "1999", "2024"],
            "sha256": [hashlib.sha256(image_bytes(row)).hexdigest() for row in range(8)],
            "image_format": "WEBP",
            "beside_pixels": "",
            "perceptual_hash": [f"{number:064x}" for number in numbers],
            "width": pd.array([WIDTH] * 8, dtype="Int64"),
            "height": pd.array([HEIGHT] * 8, dtype="Int64"),
            "archive": [name[:4] for name in names],
            "member": [f"{name[:4]}/{name[:5]}/{name}.webp" for name in names],
            "duplicate_cluster": ["a", "b", "c", "d", "d", "f", "g", "h"],
            "caption_cluster": ["a", "b", "c", "d", "d", "f", "g", "h"],
            "text_labels": [
                *("ct;axial", "chart;axial", "", "medical_photograph;mri", "arm"),
                *("pathology", "chart", "h&e"),
            ],
            "masked": ["", "", "date;url", "", "", "", "date", ""],
            "caption_reviewed": [True, *[False] * 7],
            "image_reviewed": [False, False, False, True, False, False, False, False],
            "image_edit": ["", "", "", EDIT, "", "", "", ""],
            "published_subset": "",
        }
    )


def split_table(pairs: pd.DataFrame) -> pd.DataFrame:
    """A split of the pairs, in another order than theirs."""
    subsets = ["train", "train", "test", "train", "validation", "train", "test", "train"]
    table = pd.DataFrame({"pair_id": pairs["pair_id"], "subset": subsets})
    return table.assign(group=table["pair_id"]).iloc[::-1]


def image_bytes(number: int) -> bytes:
    """An image of a colour ramp, different for each number."""
    ramp = np.arange(WIDTH * HEIGHT * 3, dtype=np.uint32).reshape(HEIGHT, WIDTH, 3) * (number + 1)
    stream = io.BytesIO()
    Image.fromarray((ramp % 251).astype(np.uint8)).save(stream, "WEBP", quality=80)
    return stream.getvalue()


def write_archives(pairs: pd.DataFrame, folder: Path) -> dict[str, Path]:
    """Write the archives that the pairs name; return where each lies."""
    paths = {}
    for archive, rows in pairs.groupby("archive"):
        paths[str(archive)] = folder / f"{archive}.zip"
        with ZipFile(paths[str(archive)], "w") as opened:
            for row, member in rows["member"].items():
                opened.writestr(str(member), image_bytes(int(str(row))))
    return paths
