"""Reads a drawn corpus back from its files alone."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from PIL import Image

ARCHIVES = ("PMC1", "PMC2")
SIX = {
    "radiology",
    "endoscopy",
    "medical_photograph",
    "ophthalmic_imaging",
    "electrography",
    "chart",
}


class Corpus:
    """A drawn corpus, read back from its files alone."""

    def __init__(self, folder: Path, archives: tuple[str, ...] = ARCHIVES) -> None:
        self.rows = pd.read_csv(folder / "captions_and_labels.csv", keep_default_na=False)
        self.rows = self.rows.set_index("file", drop=False)
        self.cases = pq.read_table(folder / "cases.parquet")
        self.metadata = pq.read_table(folder / "metadata.parquet")
        self.manifest: dict[str, Any] = json.loads(
            (folder / "manifest.json").read_text(encoding="utf-8")
        )
        self.members: dict[str, bytes] = {}
        for archive in archives:
            with zipfile.ZipFile(folder / f"{archive}.zip") as opened:
                self.members |= {name: opened.read(name) for name in opened.namelist()}
        self.problems = {entry["file"]: entry["problem"] for entry in self.manifest["planted"]}
        self.patients = {
            case["case_id"]: case for article in self.cases.to_pylist() for case in article["cases"]
        }

    def image(self, file: str) -> bytes:
        """Return the bytes of an image by the raw layout's path rule."""
        return self.members[f"{file[:4]}/{file[:5]}/{file}"]

    def planted(self, *problems: str) -> list[dict[str, Any]]:
        """Return the manifest's entries of some problems."""
        return [entry for entry in self.manifest["planted"] if entry["problem"] in problems]

    def clean(self) -> pd.DataFrame:
        """Return the rows in which nothing is planted."""
        return self.rows[~self.rows["file"].isin(self.problems)]


def opened(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGB")
