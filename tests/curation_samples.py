"""A small table of candidates, what archives say of them, and their curation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pairdx.curation.identifiers import KINDS
from pairdx.curation.pairs import Curated, curate
from pairdx.curation.review import read_decisions
from pairdx.curation.tables import screen_tables

CLASSES = ["radiology", "chart"]
SETTINGS = {
    "classes": CLASSES,
    "out_of_distribution": ["pathology"],
    "min_age": 18,
    "unknown_age": "reject",
    "licences": None,
    "modalities": {
        "radiology": {"label": "radiology"},
        "chart_images": {"label": "chart"},
        "pathology": {"label": "pathology"},
    },
    "caption_problems": ["empty", "boilerplate", "markup"],
    "identifiers": dict.fromkeys(KINDS, "reject"),
    "duplicates": {"exact": "remove", "near": "remove", "max_distance_bits": 10},
    "balance": {"total": 25, "per_class_cap": None},
}


def candidates(labels: list[str], ages: list[int | None]) -> pd.DataFrame:
    names = [f"PMC1{number:04d}_f_a_1_1" for number in range(len(labels))]
    return pd.DataFrame(
        {
            "row": range(len(labels)),
            "file": [f"{name}.webp" for name in names],
            "pair_id": names,
            "article_id": names,
            "case_id": names,
            "figure_id": names,
            "caption": [f"Finding number {number}." for number in range(len(labels))],
            "label": labels,
            "subtype": "",
            "licence": "CC BY",
            "archive": "PMC1",
            "member": names,
            "age": pd.array(ages, dtype="Int64"),
            "sex": "",
            "year": "",
            "text_labels": "",
            "published_subset": "",
            "malformed": "",
        }
    )


def facts_of(table: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    hashes = [generator.bytes(32).hex() for _ in range(len(table))]
    of_file = {"image_format": "WEBP", "beside_pixels": ""}
    sound = of_file | {"width": 300, "height": 300, "stage": "", "reason": "", "detail": ""}
    return pd.DataFrame({"row": table["row"], "sha256": hashes, "perceptual_hash": hashes} | sound)


def curated(
    table: pd.DataFrame,
    facts: pd.DataFrame | None = None,
    *,
    decisions: pd.DataFrame | None = None,
    **changes: object,
) -> Curated:
    configuration = SETTINGS | changes
    screening = screen_tables(table, configuration, subset=None, seed=1)
    facts = facts_of(table) if facts is None else facts
    own = facts[facts["row"].isin(screening.candidates["row"])]
    counts = table["label"].value_counts()
    return curate(
        screening.candidates,
        screening.rejected,
        own,
        configuration,
        decisions=read_decisions(None) if decisions is None else decisions,
        counts=counts,
        seed=1,
    )
