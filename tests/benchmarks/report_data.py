"""What the benchmark of drawn sentences draws: images with findings, and reports of them.

See :mod:`benchmarks.sentence_sampling`, which says why they are drawn so. Whoever imports this has
put the library into Python's path.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pairdx import finding_texts
from pairdx.models.base import FitJob, Pairs
from pairdx.models.clip import system as clip

# With the share of images that have each.
FINDINGS = {
    "edema": 0.30,
    "pleural effusion": 0.30,
    "atelectasis": 0.25,
    "cardiomegaly": 0.20,
    "consolidation": 0.15,
    "lung nodule": 0.10,
    "pneumothorax": 0.08,
    "rib fracture": 0.05,
}
CLASSES = tuple(FINDINGS)
# What images without reports show, which the first training is about.
THINGS = (
    *("cat", "dog", "bicycle", "house", "tree", "boat", "apple", "chair", "bird", "train"),
    *("clock", "flower"),
)
OFTEN = [0.2] * len(THINGS) + [0.0] * len(FINDINGS)
PRESENT = (
    "There is {}.",
    "Findings are consistent with {}.",
    "The image shows {}.",
    "Signs of {} are noted.",
    "{} is seen.",
)
ABSENT = (
    "No {}.",
    "There is no {}.",
    "No evidence of {} is seen.",
    "{} is not seen.",
    "Negative for {}.",
)
BESIDES = (
    "Comparison is made with the prior study.",
    "A single frontal view was obtained.",
    "The patient is rotated to the left.",
    "Clinical history of cough and fever.",
    "The tip of the central line is unchanged.",
    "Sternal wires are intact.",
    "Degenerative changes of the spine are stable.",
    "Results were discussed with the team.",
    "Clinical correlation is recommended.",
    "The study is limited by motion.",
    "Lung volumes are low.",
    "Surgical clips project over the abdomen.",
)
PROMPTS = {"positive": ["{}"], "negative": ["no {}"]}  # those of CheXzero
SIZE, TILE = 32, 8  # pixels of an image, and of the pattern that it repeats
NUISANCES = 24
CONTEXT = 77
LOOP: dict[str, Any] = {
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
    **{"quick_gelu": False, "context_length": CONTEXT, "templates": ["{}"], "temperature": None},
    **{"objective": "contrastive", "ignore_duplicate_captions": True, "lora": None},
    **{"weight_decay": 0.01, "weight_decay_on": "matrices", "max_grad_norm": 1.0},
    **{"augmentation": None, "precision": "float32", "channels_last": False, "compile": False},
    **{"schedule": "one_cycle", "keep_epoch": "last", "early_stopping_patience": None},
}


class World:
    """Images and reports that are drawn as the arguments say."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        patterns = np.random.default_rng(7).choice(
            [-1.0, 1.0], (len(CLASSES) + len(THINGS) + NUISANCES, TILE, TILE, 3)
        )
        self.findings, self.things, self.nuisances = np.split(
            patterns, [len(CLASSES), len(CLASSES) + len(THINGS)]
        )

    def pairs(self, name: str, seed: int, count: int) -> Pairs:
        """Draw images with findings, and reports of them."""
        generator = np.random.default_rng(seed)
        shown = generator.random((count, len(CLASSES))) < np.array(list(FINDINGS.values()))
        reports = [report(row, self.options, generator) for row in shown]
        known = [
            finding_texts.encode(dict(zip(CLASSES, map(bool, row), strict=True)), CLASSES)
            for row in shown
        ]
        images = self._images(shown - 0.0, self.findings, generator)
        table = _table(name, reports).assign(label="", findings=known)
        return Pairs(table, images, CLASSES)

    def others(self, seed: int, count: int) -> Pairs:
        """Draw what the first training reads: images of things, and a few of findings.

        Captions name all that is shown.
        """
        generator, patterns = np.random.default_rng(seed), [*self.things, *self.findings]
        medical = generator.random((count, 1)) < self.options.seen
        often = np.where(medical, [0.0] * len(THINGS) + list(FINDINGS.values()), [*OFTEN])
        shown = generator.random(often.shape) < often
        names = np.array([f"a {thing}" for thing in THINGS] + list(CLASSES))
        captions = [
            f"{'an x-ray with' if one else 'a photo of'} {' and '.join(names[row]) or 'nothing'}"
            for one, row in zip(medical[:, 0], shown, strict=True)
        ]
        images = self._images(shown - 0.0, np.array(patterns), generator)
        return Pairs(_table("other", captions).assign(label=THINGS[0]), images, THINGS)

    def _images(
        self, shown: np.ndarray, patterns: np.ndarray, generator: np.random.Generator
    ) -> np.ndarray:
        options = self.options
        strengths = generator.normal(size=(len(shown), NUISANCES))
        tile = options.sign * np.tensordot(shown, patterns, 1)
        tile += options.nuisance * np.tensordot(strengths, self.nuisances, 1)
        images = 0.5 + np.tile(tile, (1, SIZE // TILE, SIZE // TILE, 1))
        images += options.noise * generator.normal(size=images.shape)
        return np.clip(255 * images, 0, 255).astype(np.uint8)


def report(shown: np.ndarray, options: argparse.Namespace, generator: np.random.Generator) -> str:
    """Write what a report tells of an image: some findings, some that are absent, and the rest."""
    told: list[str] = []
    for finding, there in zip(CLASSES, shown, strict=True):
        if generator.random() < (options.told if there else options.denied):
            template = str(generator.choice(PRESENT if there else ABSENT))
            sentence = template.format(finding)
            told.append(sentence[0].upper() + sentence[1:])
    told += generator.choice(BESIDES, options.besides, replace=False).tolist()
    return " ".join(generator.permutation(told).tolist())


def _table(name: str, captions: Sequence[str]) -> pd.DataFrame:
    names = [f"{name}_{at}" for at in range(len(captions))]
    return pd.DataFrame({"pair_id": names, "case_id": names, "caption": captions})


def train_base(world: World, folder: Path) -> Path:
    """Train a CLIP model on images of things, from random weights; return its weights."""
    options = world.options
    settings = {
        **{**LOOP, "weights": None, "class_names": {thing: thing for thing in THINGS}},
        **{"batch_size": 128, "epochs": options.base_epochs, "learning_rate": 0.003},
    }
    classifier = clip.build(settings, THINGS, {}, 1)
    train, validation = world.others(100, options.base_pairs), world.others(101, 256)
    clip.fit(classifier, train, validation, FitJob(seed=1, threads=options.threads))
    classifier.save(folder)
    return folder / "model.safetensors"
