"""Material for the tests of training and models: a few pairs that can be learned, tiny settings."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.numpy import save_file

from pairdx.files import write_json
from pairdx.models.base import Pairs
from pairdx.packed_images import packed_file
from pairdx.words import random_word_vectors, word_counts

# Networks this small are faster on one thread.
torch.set_num_threads(1)

CLASSES = ("radiology", "endoscopy", "chart")
WORDS = {
    "radiology": ["axial", "ct", "scan", "mass"],
    "endoscopy": ["polyp", "colon", "lumen", "mucosa"],
    "chart": ["curve", "survival", "plot", "axis"],
}
# A validation loss that only a system has that learned: guessing costs ln 3 = 1.10. Losses and not
# accuracies: of a dozen pairs, rounding that a training amplifies may move one or two.
LEARNED = 0.9
COLOURS = {"radiology": (90, 90, 90), "endoscopy": (180, 70, 60), "chart": (230, 230, 240)}

TRAINING: dict[str, Any] = {
    "epochs": 3,
    "batch_size": 8,
    "learning_rate": 0.003,
    "weight_decay": 0.01,
    "weight_decay_on": "all",
    "schedule": "one_cycle",
    "max_grad_norm": 1.0,
    "augmentation": {"flip": 0.5, "rotation_degrees": 10, "brightness": 0.2, "hue": 0.02},
    "precision": "float32",
    "channels_last": False,
}

TINY_CLIP: dict[str, Any] = {
    "embed_dim": 16,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 32, "patch_size": 16, "width": 32, "layers": 1, "head_width": 16},
    "text_cfg": {"context_length": 12, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}

CLIP: dict[str, Any] = {
    **TRAINING,
    "architecture": TINY_CLIP,
    "quick_gelu": True,
    "weights": None,
    "context_length": 12,
    "templates": ["a photo of a {}", "{} image"],
    "class_names": {label: label for label in CLASSES},
    "temperature": None,
    "objective": "contrastive",
    "ignore_duplicate_captions": True,
    "lora": None,
    "weight_decay_on": "matrices",
    "augmentation": None,
}

FUSION: dict[str, Any] = {
    **TRAINING,
    "branches": ["image", "caption"],
    "fusion": "concatenation",
    "image_encoder": "resnet10",
    "weights": None,
    "freeze_image_encoder": False,
    "tokens": 6,
    "attention": {"heads": 1, "dimension": 8},
    "pooling": "masked_mean",
    "hidden": 8,
    "dropout": 0.1,
}

LINEAR: dict[str, Any] = {
    "features": "words",
    "word_ngrams": [1, 2],
    "min_documents": 1,
    "sublinear_counts": True,
    "inverse_regularisation": 10.0,
    "max_iterations": 200,
}

PROBE: dict[str, Any] = {
    "features": "tiny",
    "encoder": {
        "architecture": TINY_CLIP,
        "quick_gelu": True,
        "weights": None,
        "context_length": 12,
    },
    "inputs": ["image"],
    "standardise": True,
    "inverse_regularisation": 1.0,
    "max_iterations": 500,
}


def settings(base: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a copy of the settings with some values changed."""
    return {**deepcopy(base), **changes}


def make_pairs(count: int, *, size: int = 32, seed: int = 0) -> Pairs:
    """Make pairs whose class shows in the colour of the image and in the words of the caption."""
    generator = np.random.default_rng(seed)
    labels = [CLASSES[index % len(CLASSES)] for index in range(count)]
    captions = [" ".join(generator.choice(WORDS[label], 3)) + f" case {seed}" for label in labels]
    noise = generator.normal(0, 30, (count, size, size, 3))
    images = np.array([COLOURS[label] for label in labels])[:, None, None, :] + noise
    table = pd.DataFrame(
        {
            "pair_id": [f"pair{seed}_{index}" for index in range(count)],
            "case_id": [f"case{seed}_{index}" for index in range(count)],
            "caption": captions,
            "label": labels,
        }
    )
    return Pairs(table, np.clip(images, 0, 255).astype(np.uint8), CLASSES)


def write_packed(path: Path, pairs: Pairs) -> None:
    """Write the pairs' images, as the workflow packs them."""
    with packed_file(path, pairs.table["pair_id"].tolist(), pairs.image_size) as pixels:
        pixels[:] = pairs.images[:]


def write_word_vectors(folder: Path, pairs: Pairs, dimension: int = 12) -> dict[str, Path]:
    """Write word vectors and vocabulary for the captions' words, as the workflow packs them."""
    words = list(word_counts(pairs.captions).index)
    resources = {
        "word_vectors": folder / "word_vectors.safetensors",
        "vocabulary": folder / "vocabulary.json",
    }
    save_file({"vectors": random_word_vectors(words, dimension, 1)}, resources["word_vectors"])
    write_json(resources["vocabulary"], {"words": words})
    return resources


def decided(probabilities: np.ndarray) -> np.ndarray:
    """Return the predictions, shape (N,), of (N, C) probabilities that rounding cannot change.

    Computed in other batches or by another processor's code, probabilities differ by about 1e-6.
    """
    ordered = np.sort(probabilities, axis=1)
    assert (ordered[:, -1] - ordered[:, -2]).min() > 1e-3
    return probabilities.argmax(axis=1)
