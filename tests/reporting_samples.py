"""Small results of three made-up systems, for the tests of tables and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from pairdx.evaluation.metrics import evaluate
from pairdx.models.explained import Explanation, WordAttention
from pairdx.reporting.format.tables import dataset_table
from pairdx.reporting.systems.comparison import Cell
from pairdx.reporting.systems.explanation_layout import ExplainedPair
from pairdx.tasks.single_label.task import TASK

CLASSES = ("radiology", "medical_photograph", "chart")
NAMES = {label: label.replace("_", " ") for label in CLASSES}
ROOT = Path(__file__).parents[1]
REGISTRY: dict[str, dict[str, Any]] = {
    "biomedclip": {"title": "BiomedCLIP, zero-shot", "paper": "biomedclip_zero_shot"},
    "fusion": {"title": "PairDxFusion", "trained": True, "paper": "pairdx_fusion"},
    "words": {"title": "Words only", "trained": True, "paper": None},
}
DATASETS: dict[str, dict[str, Any]] = {
    "multicare": {"title": "MultiCaRe 2.0, curated as PairDx", "drawn": False},
    "drawn": {"title": "Drawn dataset", "drawn": True},
}
# What the paper's numbers stand beside.
PAPER_CELL = ("multicare", "stratified")
TIMING = {
    "runtime": "PyTorch",
    "batch_size": 1,
    "pairs": 40,
    "threads": 2,
    "p50": 0.1,
    "p95": 0.2,
    "mean": 0.12,
    "stages": {"decode": 0.02, "preprocess": 0.03, "text": 0.0, "forward": 0.07},
    "cpu_model": "Some CPU",
    "deployment": [
        {
            "runtime": runtime,
            "batch_size": size,
            "p50": mean,
            "p95": mean,
            "mean": mean,
            "stages": {"decode": 0.02, "preprocess": 0.01, "text": 0.0, "forward": mean - 0.03},
        }
        for runtime, size, mean in (
            *(("PyTorch", 8, 0.05), ("PyTorch", 32, 0.06)),
            *(("ONNX Runtime", 1, 0.08), ("ONNX Runtime", 8, 0.04)),
        )
    ],
}


def papers_numbers() -> dict[str, Any]:
    """The content of the paper's file."""
    return yaml.safe_load((ROOT / "config" / "papers" / "pairdx.yaml").read_text(encoding="utf-8"))


def predictions(seed: int, correct: float = 0.7) -> pd.DataFrame:
    """Predictions on 60 fixed pairs of 30 cases, right with the given probability."""
    truth = np.arange(60) % len(CLASSES)
    generator = np.random.default_rng(seed)
    wrong = generator.random(60) > correct
    predicted = (truth + wrong * generator.integers(1, len(CLASSES), 60)) % len(CLASSES)
    table = pd.DataFrame(
        {
            "pair_id": [f"pair_{row:02d}" for row in range(60)],
            "case_id": [f"case_{row // 2:02d}" for row in range(60)],
            "subset": "test",
            "label": [CLASSES[index] for index in truth],
            "predicted": [CLASSES[index] for index in predicted],
        }
    )
    for index, name in enumerate(CLASSES):
        table[f"p_{name}"] = np.where(predicted == index, 0.6, 0.2).astype(np.float32)
    return table


def metrics_of(table: pd.DataFrame) -> dict[str, Any]:
    """The content of metrics.json for these predictions."""
    return evaluate(TASK, table, CLASSES, resamples=20, seed=0)


def cell(
    system: str, split: str, seeds: int = 1, *, dataset: str = "multicare", **more: Any
) -> Cell:
    """The results of one system with so many seeds."""
    tables = [predictions(seed) for seed in range(seeds)]
    passports = [
        {"device": {"kind": "cpu", "name": "Some CPU"}, "parameters": 1234, "stand_in": False}
    ] * seeds
    metrics = [metrics_of(table) for table in tables]
    return Cell(dataset, system, split, tables, metrics, passports, **more)


def three_systems(dataset: str = "multicare") -> list[Cell]:
    """Three systems on two splits of a dataset, given out of registry order."""
    history = pd.DataFrame({"epoch": [1, 2], "seconds": [30.0, 20.0]})
    on = {"dataset": dataset}
    return [
        cell("fusion", "stratified", 2, training=[history, history * 2], timing=TIMING, **on),
        cell("fusion", "grouped", 2, training=[history, history], timing=TIMING, **on),
        cell("words", "stratified", training=[history], **on),
        cell("biomedclip", "stratified", timing=TIMING, **on),
        cell("biomedclip", "grouped", timing=TIMING, **on),
    ]


def pairs_table() -> pd.DataFrame:
    """Thirty pairs, ten of each class."""
    names = [f"pair_{row:02d}" for row in range(30)]
    return pd.DataFrame(
        {
            "pair_id": names,
            "label": [CLASSES[row % 3] for row in range(30)],
            "subtype": "ct",
            "age": pd.array([None, *range(18, 47)], dtype="Int64"),
            "caption": [f"caption {row} $x_{{ " + "word " * row for row in range(30)],
            "article_id": "PMC1",
            "licence": "CC BY",
        }
    )


def dataset_of(pairs: pd.DataFrame) -> pd.DataFrame:
    """The table of pairs per class and subset, of two splits."""
    subsets = ["train"] * 20 + ["validation"] * 4 + ["test"] * 6
    split = pd.DataFrame({"pair_id": pairs["pair_id"], "subset": subsets})
    return dataset_table(pairs, {"stratified": split, "grouped": split.iloc[::-1]}, CLASSES)


def funnel_of_two_stages() -> pd.DataFrame:
    """A curation funnel of two classes."""
    return pd.DataFrame(
        {
            "stage": ["age", "age", "balance", "balance"],
            "label": ["chart", "radiology"] * 2,
            "candidates": [10, 30, 8, 22],
            "rejected": [2, 8, 0, 12],
            "out_of_distribution": [0, 0, 0, 1],
            "kept": [8, 22, 8, 9],
        }
    )


# Candidates per class in MultiCaRe 2.x, and what the largest figures have to hold.
FULL_SCALE = {
    "radiology": 65640,
    "endoscopy": 3356,
    "medical_photograph": 24822,
    "ophthalmic_imaging": 3818,
    "electrography": 1974,
    "chart": 4877,
}
OUT_OF_DISTRIBUTION = {"pathology": 26304}
STAGES = [
    *("ingest", "class", "age", "licence", "caption", "identifiers", "subset", "archive", "image"),
    *("duplicates", "review", "balance"),
]


def full_scale_funnel() -> pd.DataFrame:
    """A curation funnel of 130,791 candidates: twelve stages, which reject 2 % each."""
    rows = []
    for label, count in [*FULL_SCALE.items(), *OUT_OF_DISTRIBUTION.items(), ("sketch", 4)]:
        left = count
        for stage in STAGES:
            rejected = left if (stage, label) == ("class", "sketch") else left // 50
            aside = left - rejected if stage == "balance" and label in OUT_OF_DISTRIBUTION else 0
            kept = left - rejected - aside
            rows.append([stage, label, left, rejected, aside, kept])
            left = kept
    columns = ["stage", "label", "candidates", "rejected", "out_of_distribution", "kept"]
    table = pd.DataFrame(rows, columns=columns)
    order = table["stage"].map(STAGES.index)
    return table.loc[order.sort_values(kind="stable").index].reset_index(drop=True)


def full_scale_pairs() -> pd.DataFrame:
    """Label and age of 22,665 pairs; every tenth age is unknown, and all of charts."""
    places = np.arange(22665)
    labels = np.array(list(FULL_SCALE))[places % len(FULL_SCALE)]
    years = pd.Series(18 + places * 7 % 83, dtype="Int64")
    return pd.DataFrame(
        {"label": labels, "age": years.mask((places % 10 == 0) | (labels == "chart"))}
    )


def leakage_reports() -> list[dict[str, Any]]:
    """What leakage.json holds of a split that leaks in every measure and of one that does not."""
    sizes = {"train": 15865, "validation": 3400, "test": 3400}
    kinds = ("article", "case", "figure", "caption", "near_duplicate_image")
    shares = {"stratified": (1.0, 0.862, 0.613, 0.4021, 1 / 3400), "grouped": (0.0,) * 5}
    return [
        {
            "split": split,
            "pairs": sizes,
            "kinds": {
                kind: {
                    f"{first}-{second}": {
                        "groups": round(share * 100),
                        "pairs": round(share * sizes[second]),
                        "share": round(share, 6),
                    }
                    for first, second in [
                        ("train", "validation"),
                        ("train", "test"),
                        ("validation", "test"),
                    ]
                }
                for kind, share in zip(kinds, of_split, strict=True)
            },
        }
        for split, of_split in shares.items()
    ]


def history_of(validation_loss: list[float], validation_accuracy: list[float]) -> pd.DataFrame:
    """What the learning-rate search reads of training.csv; every epoch took ten seconds."""
    return pd.DataFrame(
        {
            "epoch": range(1, len(validation_loss) + 1),
            "train_loss": 0.5,
            "validation_loss": validation_loss,
            "validation_accuracy": validation_accuracy,
            "seconds": 10.0,
        }
    )


def systems_with_costs(names: list[str], untrained: int) -> pd.DataFrame:
    """What the figure reads of comparison.csv; half of the accuracies lie within two points."""
    place = np.arange(len(names))
    accuracy = np.where(place % 2, 0.92 + place / 1000, 0.3 + place / 30)
    table = pd.DataFrame(
        {
            "system": names,
            "accuracy": accuracy,
            "accuracy_low": accuracy - 0.02,
            "accuracy_high": accuracy + 0.01,
            "train_seconds": np.where(place < untrained, np.nan, 900.0 + 10 * place),
            "seconds_per_image": 0.01 + 0.0005 * place,
        }
    )
    in_paper = place == len(names) - 1
    for name, value in (("accuracy", 0.94), ("train_seconds", 1075), ("seconds_per_image", 0.188)):
        table[f"paper_{name}"] = np.where(in_paper, value, np.nan)
    table.loc[place < untrained, "paper_train_seconds"] = np.nan
    return table


def explained_pair(
    caption: str | None,
    *,
    heat: float | None = 1.0,
    cut: int = 0,
    by: int = 1,
    name: str = "PMC1_a",
) -> ExplainedPair:
    """What a system made of a chart; ``heat`` is the map's maximum, ``by`` the kinds of attention.

    Args:
        caption: None for a system that reads no captions.
        heat: None for a system that reads no images.
        cut: Words of the caption that are not read.
        by: How many sorts of attention there are.
        name: The pair's name.
    """
    attention = None
    if caption is not None:
        words = tuple(caption.split())
        raw = np.arange(1, len(words) + 1, dtype=np.float32)
        shares = dict.fromkeys(("the caption's words", "the image")[:by], raw / max(1, raw.sum()))
        attention = WordAttention(words, tuple(len(word) > 2 for word in words), cut, shares)
    ramp = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    explanation = Explanation(
        np.array([0.25, 0.6, 0.15], dtype=np.float32),
        None if heat is None else heat * ramp,
        None if heat is None else (4, 4),
        attention,
    )
    image = np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3)
    return ExplainedPair(name, "test", "chart", image, explanation)
