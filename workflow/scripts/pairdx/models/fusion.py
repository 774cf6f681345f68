"""PairDxFusion: a ResNet and word vectors with self-attention, fused (paper, Section 3.5).

A saved system is self-contained: the word vectors lie in model.safetensors, the vocabulary in
settings.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import ResNet18_Weights

from pairdx.errors import PairDxError
from pairdx.files import read_json, write_json
from pairdx.models.base import SETTINGS_FILE, WEIGHTS_FILE, FitJob, Pairs
from pairdx.models.fusion_network import CaptionEncoder, FusionNetwork, image_encoder
from pairdx.models.neural import (
    Normalise,
    count_parameters,
    fit_network,
    images_for,
    named_with_checksum,
    read_settings,
    require_image_size,
    require_resource,
)
from pairdx.models.weights import load_strictly, read_weights, save_weights
from pairdx.training.batches import Batch
from pairdx.training.objective import Objective
from pairdx.training.randomness import seeded
from pairdx.words import FIRST_WORD_ID, word_ids, word_numbers

FAMILY = "fusion"


class FusionClassifier:
    """PairDxFusion (see :class:`pairdx.models.base.Classifier`).

    Attributes:
        network: The network.
        settings: Its settings in config/models.yaml.
        classes: The C labels.
        vocabulary: The words, in the order of the word vectors from row 2 on.
        sources: Names and checksums of the files that it was built from.
        image_size: Side in pixels of the images it was trained on; None before training.
    """

    def __init__(
        self,
        network: FusionNetwork,
        settings: Mapping[str, Any],
        classes: Sequence[str],
        vocabulary: Sequence[str],
        sources: Mapping[str, Mapping[str, str]],
        image_size: int | None = None,
    ) -> None:
        self.network, self.settings = network, settings
        self.classes, self.vocabulary = tuple(classes), list(vocabulary)
        self._numbers = word_numbers(self.vocabulary)
        self.sources, self.image_size = dict(sources), image_size
        if settings["channels_last"]:
            self.network.to(memory_format=torch.channels_last)
        self.network.eval()

    @property
    def parameters(self) -> int:
        """Number of parameters, the frozen word vectors included."""
        return count_parameters(self.network)

    def tokenise(self, captions: Sequence[str]) -> np.ndarray:
        """Turn B captions into word numbers, int64 of shape (B, tokens)."""
        return word_ids(captions, self._numbers, self.settings["tokens"])

    def probabilities(self, images: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """Classify uint8 images (B, S, S, 3) with word numbers (B, tokens): float32 (B, C)."""
        if self.image_size is not None:
            require_image_size(images.shape[1], self.image_size)
        with torch.inference_mode():
            inputs = images_for(self.network, images, self.settings)
            scores = self.network(inputs, torch.from_numpy(tokens).to(inputs.device))
            return scores.float().softmax(dim=1).cpu().numpy()

    def save(self, folder: Path) -> None:
        """Write model.safetensors and settings.json."""
        save_weights(self.network, folder / WEIGHTS_FILE)
        write_json(
            folder / SETTINGS_FILE,
            {
                "family": FAMILY,
                "settings": dict(self.settings),
                "classes": list(self.classes),
                "image_size": self.image_size,
                "sources": self.sources,
                "vocabulary": self.vocabulary,
            },
        )


class _CrossEntropy(Objective):
    """Cross-entropy of the class scores against the labels."""

    def __init__(self, network: FusionNetwork) -> None:
        self.network = network

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        scores = self.network(batch.images, batch.texts).float()
        return F.cross_entropy(scores, batch.labels), scores


def build(
    settings: Mapping[str, Any], classes: Sequence[str], resources: Mapping[str, Path], seed: int
) -> FusionClassifier:
    """Build the untrained system.

    Args:
        settings: See config/models.yaml. ``weights`` null leaves the image encoder random.
        classes: The C labels.
        resources: ``word_vectors`` (safetensors, tensor ``vectors``), ``vocabulary`` (JSON, key
            ``words``) and, unless the setting ``weights`` is null, ``weights`` (a state dict with
            torchvision's names; its last layer is left out).
        seed: Of the initial weights.

    Raises:
        PairDxError: A file is missing or does not fit.
    """
    vectors, vocabulary = _read_words(resources)
    sources = {"word_vectors": named_with_checksum(require_resource(resources, "word_vectors"))}
    with seeded(torch.device("cpu"), "build", seed):
        network = _network(settings, vectors, len(classes))
    if settings["weights"] is not None:
        path = require_resource(resources, "weights")
        sources["weights"] = named_with_checksum(path)
        kept = {
            name: tensor
            for name, tensor in read_weights(path).items()
            if not name.startswith("fc.")
        }
        load_strictly(network.images, kept, path)
    return FusionClassifier(network, settings, classes, vocabulary, sources)


def fit(classifier: FusionClassifier, train: Pairs, validation: Pairs, job: FitJob) -> pd.DataFrame:
    """Train in place with cross-entropy; return the rows of training.csv.

    Raises:
        PairDxError: See :func:`pairdx.training.loop.train`.
    """
    require_image_size(validation.image_size, train.image_size)
    rows = fit_network(
        classifier.network,
        _CrossEntropy(classifier.network),
        classifier.settings,
        train,
        validation,
        (classifier.tokenise(train.captions), classifier.tokenise(validation.captions)),
        classifier.sources,
        job,
    )
    classifier.image_size = train.image_size
    return rows


def load(folder: Path, resources: Mapping[str, Path]) -> FusionClassifier:  # noqa: ARG001
    """Load a saved system; it is self-contained, so no resources are read.

    Raises:
        PairDxError: The folder holds no saved PairDxFusion, or its files do not belong together.
    """
    content = read_settings(folder, FAMILY)
    weights = read_weights(folder / WEIGHTS_FILE)
    vectors = weights.get("captions.words.weight")
    if vectors is None:
        raise PairDxError("the word vectors are missing", where=folder / WEIGHTS_FILE)
    _require_matching(vectors, content["vocabulary"], folder)
    network = _network(content["settings"], torch.zeros_like(vectors), len(content["classes"]))
    load_strictly(network, weights, folder / WEIGHTS_FILE)
    return FusionClassifier(
        network,
        content["settings"],
        content["classes"],
        content["vocabulary"],
        content["sources"],
        content["image_size"],
    )


def _network(settings: Mapping[str, Any], vectors: Tensor, classes: int) -> FusionNetwork:
    attention = settings["attention"]
    # The mean and standard deviation of ImageNet (paper, Section 3.2), as torchvision states them.
    preset = ResNet18_Weights.IMAGENET1K_V1.transforms()
    images: nn.Module = image_encoder(settings["image_encoder"])
    return FusionNetwork(
        images,
        CaptionEncoder(
            vectors,
            dimension=attention["dimension"],
            heads=attention["heads"],
            pooling=settings["pooling"],
        ),
        caption_dimension=attention["dimension"],
        hidden=settings["hidden"],
        dropout=settings["dropout"],
        classes=classes,
        normalise=Normalise(preset.mean, preset.std),
        freeze_images=settings["freeze_image_encoder"],
    )


def _read_words(resources: Mapping[str, Path]) -> tuple[Tensor, list[str]]:
    path = require_resource(resources, "word_vectors")
    tensors = read_weights(path)
    if "vectors" not in tensors or tensors["vectors"].ndim != 2:
        raise PairDxError("this file has no matrix called `vectors`", where=path)
    vocabulary = read_json(require_resource(resources, "vocabulary"))["words"]
    _require_matching(tensors["vectors"], vocabulary, path)
    return tensors["vectors"].float(), vocabulary


def _require_matching(vectors: Tensor, vocabulary: Sequence[str], where: Path) -> None:
    if len(vectors) != FIRST_WORD_ID + len(vocabulary):
        raise PairDxError(
            f"{len(vectors)} word vectors do not fit a vocabulary of {len(vocabulary)} words "
            f"and the {FIRST_WORD_ID} rows before it",
            where=where,
            remedy="build the word vectors and the vocabulary again, together",
        )
