"""Deployable systems at their full size, with random weights, and the folders they are deployed in.

What a weight is changes no time: networks are those of config/systems, their files are drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from benchmarks.paper_scale import CLASSES
from benchmarks.suite.part import REPOSITORY
from pairdx.files import write_json
from pairdx.models.exported import exported_program, graph
from pairdx.models.registry import family
from pairdx.plan.configuration import complete, defaults
from pairdx.plan.descriptions import families
from pairdx.words import random_word_vectors

IMAGE_SIZE = 224  # pixels
WORDS = 9_000  # about as many as the paper's captions have
WORD_DIMENSION = 300
SYSTEMS = ("pairdx_fusion", "clip_zero_shot", "resnet18_image_only")


@dataclass(frozen=True)
class FullSize:
    """A system with random weights.

    Attributes:
        name: Its key in config/systems.
        title: What it is called in tables.
        family: Its family.
        settings: What it was built from.
        classifier: The system (see :class:`pairdx.models.base.Classifier`).
    """

    name: str
    title: str
    family: str
    settings: Mapping[str, Any]
    classifier: Any

    @property
    def reads_captions(self) -> bool:
        """Whether it reads a caption when it classifies."""
        return self.classifier.tokenise(["a word"]) is not None


def registry(name: str) -> dict[str, Any]:
    """Return a system's entry in config/systems, with the settings that it is built from."""
    config = complete(defaults(REPOSITORY), {})
    entry, classes = config["systems"][name], {label: label for label in CLASSES}
    of_dataset = {"squaring": "crop", "class_names": classes}
    described = families()[entry["family"]]
    return {**entry, "settings": described.build_settings(entry["settings"], config, of_dataset)}


def full_size(name: str, folder: Path) -> FullSize:
    """Build a system as config/systems has it, but for its weights.

    Args:
        name: Its key.
        folder: Where drawn word vectors are written.
    """
    entry = registry(name)
    settings = _without_weights(entry["settings"])
    classifier = family(entry["family"]).build(settings, CLASSES, word_files(folder), 1)
    return FullSize(name, entry["title"], entry["family"], settings, classifier)


def _without_weights(settings: Mapping[str, Any]) -> dict[str, Any]:
    changed = {**settings, "weights": None}
    if "backbone" in settings:
        changed["backbone"] = {**settings["backbone"], "weights": None}
    return changed


def word_files(folder: Path) -> dict[str, Path]:
    """Draw vectors of :data:`WORDS` words, unless the folder has them."""
    files = {
        "word_vectors": folder / "word_vectors.safetensors",
        "vocabulary": folder / "vocabulary.json",
    }
    if not files["vocabulary"].is_file():
        words = [f"word{number}" for number in range(WORDS)]
        save_file({"vectors": random_word_vectors(words, WORD_DIMENSION, 1)}, files["word_vectors"])
        write_json(files["vocabulary"], {"words": words, "source": "random"})
    return files


def captions(count: int, words: int = 30) -> list[str]:
    """Draw captions of so many of the words."""
    rng = np.random.default_rng(5)
    return [" ".join(f"word{at}" for at in rng.integers(0, WORDS, words)) for _ in range(count)]


def deploy(system: FullSize, folder: Path) -> Path:
    """Write what the runtime half reads of a deployed folder: graph, facts, words, checksums.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True)
    images = np.zeros((2, IMAGE_SIZE, IMAGE_SIZE, 3), dtype=np.uint8)
    tokens = system.classifier.tokenise(captions(2))
    program = exported_program(graph(system.family, system.classifier), images, tokens)
    program.save(str(folder / "model.onnx"))
    if tokens is not None:
        write_json(folder / "vocabulary.json", {"words": list(system.classifier.vocabulary)})
    write_json(folder / "deployment.json", _facts(system, tokens))
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(folder.iterdir())
    ]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
    return folder


def _facts(system: FullSize, tokens: np.ndarray | None) -> dict[str, Any]:
    text = None
    if tokens is not None:
        text = {"tokeniser": "words", "tokens": tokens.shape[1], "vocabulary": "vocabulary.json"}
    return {
        "format": 1,
        "system": system.name,
        "title": system.title,
        "family": system.family,
        "stand_in": True,
        "dataset": "drawn",
        "dataset_title": "Drawn",
        "split": "grouped",
        "seed": 1,
        "task": "single_label",
        "classes": [[label, label] for label in CLASSES],
        "reads": ["image", "caption"] if text else ["image"],
        "image": {"size": IMAGE_SIZE, "squaring": "crop"},
        "text": text,
        "temperature": 1.0,
        "threshold": 0.5,
        "risk": 0.05,
        "coverage": 1.0,
        "thresholds": None,
        "validation_pairs": 0,
        "versions": {"onnx opset": 18, "pairdx code": "0" * 20},
    }
