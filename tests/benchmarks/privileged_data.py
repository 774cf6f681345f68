"""What the benchmark of privileged text draws: images, labels, texts; and the encoder that pairs.

See :mod:`benchmarks.privileged_text`, which says why they are drawn so. Whoever imports this has
put the library into Python's path.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pairdx.models.base import FitJob, Pairs
from pairdx.models.clip import system as clip
from pairdx.models.features import Features
from pairdx.models.frozen_encoder import (
    FrozenEncoder,
    encode_texts,
    extract_features,
    load_encoder,
)
from pairdx.models.text_features import write_text_features
from pairdx.pairing.bank import bank_of, write_bank
from pairdx.pairing.matches import write_matches
from pairdx.pairing.matching import candidates_of, choose_texts

CLASSES = ("low grade", "high grade")
SIGNS = ("mitoses", "necrosis", "invasion", "atypia", "bleeding", "fibrosis")
DECISIVE = 5  # of the signs: the class is high grade where more than half of these are there
BESIDES = ("tuesday", "courier", "formalin", "left")  # what no image shows
WORDS = (*SIGNS, *BESIDES)
SIZE, TILE = 32, 8  # pixels of an image, and of the pattern that it repeats
NUISANCES = 24
SAYS, NOTHING = "texts name signs", "texts name no sign"
CONTEXT = 24
ENCODER: dict[str, Any] = {
    "architecture": {
        "embed_dim": 32,
        "quick_gelu": False,
        "vision_cfg": {
            **{"image_size": SIZE, "patch_size": TILE},
            **{"width": 64, "layers": 1, "head_width": 32},
        },
        "text_cfg": {
            **{"context_length": CONTEXT, "vocab_size": 49408},
            **{"width": 32, "heads": 2, "layers": 1},
        },
    },
    "quick_gelu": False,
    "context_length": CONTEXT,
}
LOOP: dict[str, Any] = {
    "weight_decay_on": "matrices",
    "augmentation": None,
    "precision": "float32",
    "channels_last": False,
}
LABEL_OF_SIGNS = np.array(CLASSES)


class World:
    """Images, texts and labels that are drawn as the arguments say."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        patterns = np.random.default_rng(7).choice(
            [-1.0, 1.0], (len(SIGNS) + NUISANCES, TILE, TILE, 3)
        )
        self.signs, self.nuisances = patterns[: len(SIGNS)], patterns[len(SIGNS) :]

    def pairs(self, name: str, seed: int, count: int, *, wrong: float = 0.0) -> Pairs:
        """Draw pairs; the caption names the signs, and only the encoder's training reads it.

        Args:
            name: Stands before their numbers.
            seed: Of the draws.
            count: How many.
            wrong: Share of labels that are of the other class.
        """
        generator, options = np.random.default_rng(seed), self.options
        shown = generator.random((count, len(WORDS))) < 0.5
        high = shown[:, :DECISIVE].sum(axis=1) > DECISIVE / 2
        labels = LABEL_OF_SIGNS[(high ^ (generator.random(count) < wrong)).astype(int)]
        strengths = generator.normal(size=(count, NUISANCES))
        tile = options.sign * np.tensordot(shown[:, : len(SIGNS)] - 0.5, self.signs, 1)
        tile += options.nuisance * np.tensordot(strengths, self.nuisances, 1)
        images = 0.5 + np.tile(tile, (1, SIZE // TILE, SIZE // TILE, 1))
        images += options.noise * generator.normal(size=images.shape)
        names = [f"{name}_{at}" for at in range(count)]
        captions = [sentence(WORDS, row) for row in shown]
        table = pd.DataFrame(
            {"pair_id": names, "case_id": names, "caption": captions, "label": labels}
        )
        return Pairs(table, np.clip(255 * images, 0, 255).astype(np.uint8), CLASSES)

    def bank(self, says: str) -> list[str]:
        """Draw the texts of a bank, independently of all images."""
        words = WORDS if says == SAYS else BESIDES
        drawn = np.random.default_rng(9).random((self.options.texts, len(words))) < 0.5
        return [sentence(words, row) for row in drawn]


def sentence(words: Sequence[str], named: np.ndarray) -> str:
    """Name some of the words."""
    return "report: " + (
        " and ".join(np.array(words)[named]) if named.any() else "nothing to report"
    )


def train_encoder(world: World, folder: Path) -> FrozenEncoder:
    """Train a CLIP model on other images with their captions, and load it as pairings do."""
    options = world.options
    settings = {
        **{**LOOP, **ENCODER, "weights": None, "templates": ["{}"], "temperature": None},
        **{"class_names": dict(zip(CLASSES, CLASSES, strict=True)), "objective": "contrastive"},
        **{"ignore_duplicate_captions": True, "lora": None, "batch_size": 128},
        **{"epochs": options.encoder_epochs, "learning_rate": 0.003, "weight_decay": 0.01},
        **{"schedule": "one_cycle", "max_grad_norm": 1.0},
    }
    classifier = clip.build(settings, CLASSES, {}, 1)
    train = world.pairs("other", 100, options.encoder_pairs)
    validation = world.pairs("another", 101, 256)
    clip.fit(classifier, train, validation, FitJob(seed=1, threads=options.threads))
    classifier.save(folder)
    weights = {"weights": folder / "model.safetensors"}
    return load_encoder({**ENCODER, "weights": "given"}, weights, 1)


class Bank:
    """A bank with the features of its texts, as files."""

    def __init__(self, texts: Sequence[str], encoder: FrozenEncoder, folder: Path) -> None:
        folder.mkdir(parents=True)
        found = pd.DataFrame(
            {
                "text_id": [f"text_{at}" for at in range(len(texts))],
                **{"text": texts, "label": "", "row": range(1, len(texts) + 1)},
                "pair_ids": [[] for _ in texts],
            }
        )
        bank = bank_of(found, where="drawn")
        self.folder, self.table = folder, bank.texts
        self.files = {
            "texts": folder / "texts.parquet",
            "text_features": folder / "features.safetensors",
        }
        others = (folder / "rejected.parquet", folder / "bank.json")
        write_bank(bank, *map(str, (self.files["texts"], *others)))
        self.features = encode_texts(
            encoder,
            self.table["text_id"].tolist(),
            self.table["text"].tolist(),
            batch_size=256,
            device="cpu",
            threads=1,
        )
        write_text_features(self.files["text_features"], self.features)

    def pair(self, pairs: pd.DataFrame, images: Features, choose: str, seed: int) -> pd.DataFrame:
        """Choose texts by the pairing's own code; write and return the matches."""
        subsets = pairs.set_index("pair_id")["subset"]
        candidates = candidates_of(self.table, self.features.texts, pairs, subsets)
        how = {"choose": choose, "rank": 1, "keep": 1, "seed": seed}
        matches = choose_texts(how, pairs, images.image, candidates)
        write_matches(self.folder / f"{choose}_{seed}.parquet", matches)
        return matches


def features_of(encoder: FrozenEncoder, pairs: Sequence[Pairs]) -> Features:
    """Encode images; no caption is looked at."""
    names = [name for one in pairs for name in one.table["pair_id"]]
    images = np.concatenate([np.asarray(one.images[:]) for one in pairs])
    none = [""] * len(names)
    return extract_features(encoder, names, images, none, batch_size=256, device="cpu", threads=1)


def told(matches: pd.DataFrame, bank: Bank, pairs: Sequence[Pairs]) -> float:
    """Return the share of signs of which the paired text says what the image's caption says."""
    texts = bank.table.set_index("text_id")["text"]
    captions = pd.concat([one.table for one in pairs]).set_index("pair_id")["caption"]
    paired = matches["text_id"].map(texts).str.split()
    true = matches["pair_id"].map(captions).str.split()
    agreed = [
        (sign in one) == (sign in other)
        for one, other in zip(paired, true, strict=True)
        for sign in SIGNS
    ]
    return float(np.mean(agreed))
