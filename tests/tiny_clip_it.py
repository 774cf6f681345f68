"""Material for the tests of the family clip_it: tiny backbones, a bank of texts and its pairing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import tiny_models as tiny
from pairdx.models.base import FitJob, Pairs
from pairdx.models.clip_it import system as clip_it
from pairdx.models.features import encoder_identity
from pairdx.models.frozen_encoder import load_encoder
from pairdx.models.text_features import TextFeatures, write_text_features
from pairdx.pairing.matches import write_matches

ENCODER = {**tiny.PROBE["encoder"], "squaring": "crop"}
PAIRING = {"name": "nearest", "bank": "reports", "encoder": ENCODER}
# 64 numbers of features, images of 32 pixels, six blocks.
TEST_VIT = {
    "library": "timm", "name": "test_vit", "weights": None, "arguments": {"img_size": 32}
}  # fmt: skip
LORA = {"rank": 2, "alpha": 4, "dropout": 0.0, "targets": ["linear", "embedding", "convolution"]}
BRANCH = {"layers": 1, "hidden": 8, "negative_slope": 0.1, "dimension": 16}
SETTINGS: dict[str, Any] = {
    **tiny.TRAINING,
    "backbone": TEST_VIT,
    "resize_to": None,
    "trains": "head",
    "lora": None,
    "pairing": PAIRING,
    "text_branch": BRANCH,
    "fusion": "late",
    "distil_into": "text_branch",
    "distillation_weight": 1.0,
    "text_encoder": {"trains": "nothing", "lora": None, "detach": True},
    "word_dropout": 0.0,
    "softmax": "single",
    "optimiser": "adam",
    "schedule": "cosine",
    "augmentation": None,
    "keep_epoch": "last",
    "epochs": 1,
}
UNIMODAL = {"pairing": None, "text_branch": None, "fusion": "none"}
TEXTS = [f"{first} {second} seen" for words in tiny.WORDS.values() for first in words[:2]
         for second in words[2:]]  # fmt: skip
TEXT_IDS = [f"text{number}" for number in range(len(TEXTS))]


def write_bank(folder: Path, *pairs: Pairs, dimension: int | None = None) -> dict[str, Path]:
    """Write a bank of twelve texts and matches: every pair has a text of its class.

    Args:
        folder: Where.
        pairs: Those that have a text.
        dimension: Of random features in the place of the encoder's own.
    """
    files = {
        "matches": folder / "matches.parquet",
        "texts": folder / "texts.parquet",
        "text_features": folder / "tiny.safetensors",
    }
    encoder = load_encoder(ENCODER, {}, 5)
    features = encoder.caption_features(encoder.tokenise(TEXTS))
    if dimension is not None:
        features = np.random.default_rng(0).normal(size=(len(TEXTS), dimension))
    identity = encoder_identity(ENCODER, 5, None)
    found = TextFeatures(tuple(TEXT_IDS), features.astype(np.float32), identity, 0.0, 0.0, "cpu")
    write_text_features(files["text_features"], found)
    write_texts(files["texts"])
    table = pd.concat([one.table for one in pairs], ignore_index=True)
    own = [4 * tiny.CLASSES.index(label) + at % 4 for at, label in enumerate(table["label"])]
    matches = pd.DataFrame({"pair_id": table["pair_id"], "text_id": [TEXT_IDS[at] for at in own]})
    matches = matches.assign(rank=1, cosine=np.float32(0.5), chosen=True)
    write_matches(files["matches"], matches)
    return files


def write_texts(path: Path) -> None:
    """Write the bank's texts, in another order than that of their features."""
    table = pd.DataFrame({"text_id": TEXT_IDS, "text": TEXTS, "label": "", "row": 1})
    table["pair_ids"] = [[] for _ in TEXTS]
    table[::-1].to_parquet(path)


def settings(**changes: Any) -> dict[str, Any]:
    """Return settings with some values changed."""
    return tiny.settings(SETTINGS, **changes)


def build(resources: dict[str, Path], seed: int = 1, **changes: Any) -> clip_it.ClipItClassifier:
    """A tiny system."""
    return clip_it.build(settings(**changes), tiny.CLASSES, resources, seed)


def fit(classifier: clip_it.ClipItClassifier, job: FitJob | None = None) -> pd.DataFrame:
    """Train it on seventeen pairs; six validate."""
    return clip_it.fit(classifier, *pairs(), job or FitJob(seed=1))


def pairs() -> tuple[Pairs, Pairs]:
    """The pairs of ``fit``."""
    return tiny.make_pairs(17), tiny.make_pairs(6, seed=1)
