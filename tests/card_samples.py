"""Facts of model cards for tests: small tables, and what files and configuration would tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pairdx.deployment.export.card import CardFacts, card_facts
from pairdx.models.library_weights import LibraryWeights

CLASSES = {"ct": "CT scan", "chart": "chart", "x_ray": "X-ray"}
SUBSETS = {"train": 60, "validation": 40, "test": 50}
TEXTS = {
    "source": "Pictures of a test", "labels": "Nobody labelled them.",
    "patients": "Nobody is shown.", "classes": "classes are made up",
    "licences": "Each picture keeps its own.", "citation": "Somebody. A paper. 2025.",
}  # fmt: skip
TOLD: dict[str, Any] = {
    "texts": TEXTS, "drawn": False, "articles": False, "lacks": {}, "classes": CLASSES,
    "grouped_by": {"article_id": "patient", "figure_id": "study"}, "language": "en",
    "system": {"title": "Ours", "trained": True, "stand_in": False, "random": True, "paper": None},
    "learns_from": ["image"], "bank": None, "word_vectors": None,
    "pretrained": {"name": "resnet18", "source": "somewhere/resnet"},
    "out_of_distribution": ["pathology"], "min_age": 18, "curation": {"min_age": 18},
    "resamples": 20, "seed": 1,
}  # fmt: skip
DEPLOYMENT: dict[str, Any] = {
    "format": 1, "system": "ours", "title": "Ours", "family": "fusion", "stand_in": False,
    "dataset": "ours_data", "dataset_title": "Our data", "split": "grouped", "seed": 1,
    "task": "single_label", "classes": [*map(list, CLASSES.items())], "reads": ["image"],
    "image": {"size": 64, "squaring": "crop"}, "text": None, "temperature": 1.5,
    "threshold": 0.6, "risk": 0.05, "coverage": 0.4, "thresholds": None, "validation_pairs": 40,
    "versions": {},
}  # fmt: skip
PASSPORT: dict[str, Any] = {
    "settings": {"epochs": 3, "class_names": CLASSES, "long": "x" * 500}, "seed": 1,
    "parameters": 1234567, "trained_parameters": 4321, "stand_in": False, "processes": 1,
    "threads": 1, "device": {"kind": "cuda", "name": "A chip"}, "wall_seconds": 61.2,
    "energy_joules": 7200.0, "host": {"name": "a-machine-of-ours"},
    "versions": {"python": "3.11", "torch": "2.15", "cuda": None},
    "git": {"revision": "0123456789abcdef", "dirty": False},
}  # fmt: skip
VERIFICATION: dict[str, Any] = {
    "pairs": 40, "largest_difference": 2e-7, "tolerance": 1e-4, "agreement": 1.0,
    "least_agreement": 0.999, "ties": 0, "files": 32, "largest_difference_from_files": 1e-7,
    "largest_difference_from_predictions": 3e-7, "largest_difference_between_batches": 1e-7,
    "calibrated": {"largest_difference": 4e-7, "tolerance": 1e-4, "agreement": 1.0,
                   "near_threshold": 2, "hair": 1e-5},
    "runtime": {"onnxruntime": "1.2"},
}  # fmt: skip


def pairs_of(labels: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return pairs and their split: each of a patient of its own."""
    subsets = [name for name, count in SUBSETS.items() for _ in range(count)]
    names = [f"{subset}_{at:03d}" for at, subset in enumerate(subsets)]
    pairs = pd.DataFrame({"pair_id": names})
    pairs["label"] = [labels[at % len(labels)] for at in range(len(names))]
    pairs["subtype"] = ["", "a kind", "*other*_kind"] * (len(names) // 3)
    pairs["licence"] = ["CC BY", "CC BY-NC"] * (len(names) // 2)
    for column in ("article_id", "case_id", "figure_id", "duplicate_cluster", "caption_cluster"):
        pairs[column] = names
    return pairs, pd.DataFrame({"pair_id": names, "subset": subsets})


def predictions_of(pairs: pd.DataFrame, split: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Predictions of the validation and test pairs, most of them right."""
    chosen = pairs[split["subset"] != "train"].reset_index(drop=True)
    truth = np.array([list(labels).index(label) for label in chosen["label"]])
    scores = np.random.default_rng(5).normal(size=(len(chosen), len(labels)))
    scores[np.arange(len(chosen)), truth] += 2
    found = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    table = chosen[["pair_id", "case_id", "label"]].assign(
        subset=split["subset"][split["subset"] != "train"].to_numpy(),
        predicted=[labels[at] for at in found.argmax(axis=1)],
    )
    columns = [f"p_{label}" for label in labels]
    return pd.concat([table, pd.DataFrame(found.astype(np.float32), columns=columns)], axis=1)


def facts(
    *,
    names: Mapping[str, str] = CLASSES,
    told: Mapping[str, Any] | None = None,
    weights: LibraryWeights | None = None,
    pairs: pd.DataFrame | None = None,
    others: pd.DataFrame | None = None,
    **deployment: Any,
) -> CardFacts:
    """Return the facts of a card, with some of them changed."""
    labels = list(names)
    made, split = pairs_of(labels)
    pairs = made if pairs is None else pairs
    return card_facts(
        deployment={**DEPLOYMENT, "classes": [*map(list, names.items())], **deployment},
        passport=PASSPORT,
        verification=VERIFICATION,
        predictions=predictions_of(pairs, split, labels),
        pairs=pairs,
        split=split,
        told={**TOLD, "classes": dict(names), **(told or {})},
        weights=weights,
        files={"model.onnx": 12_345_678, "deployment.json": 900},
        others=others,
    )
