"""PairDxFusion: a ResNet and word vectors with self-attention, fused (paper, Section 3.5).

The setting ``branches`` says which of the two are built. With one, the same classifier reads that
branch alone (not in the paper): what image and caption are worth without each other.

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

from pairdx.errors import PairDxError
from pairdx.files import read_json, write_json
from pairdx.models.answers import Answers
from pairdx.models.base import SETTINGS_FILE, WEIGHTS_FILE, FitJob, Pairs
from pairdx.models.fusion.encoders import CaptionEncoder
from pairdx.models.fusion.modes import fusion_mode
from pairdx.models.fusion.network import FusionNetwork
from pairdx.models.neural import (
    count_parameters,
    fit_network,
    images_for,
    network_device,
    require_image_size,
)
from pairdx.models.sources import named_with_checksum, read_settings, require_resource
from pairdx.models.weights import (
    load_strictly,
    read_weights,
    require_finite_weights,
    save_weights,
)
from pairdx.training.batches import Batch
from pairdx.training.optimisation import Objective
from pairdx.training.randomness import seeded
from pairdx.words import (
    FIRST_WORD_ID,
    further_word_vectors,
    read_words,
    word_ids,
    word_numbers,
)

FAMILY = "fusion"
BRANCHES = ("image", "caption")
WORD_VECTORS = "captions.words.weight"
RANDOM = "random"  # config key word_vectors.source: stand-ins
# What the settings that older saved systems lack were then, without a choice.
SETTINGS_OF_OLD = {"branches": BRANCHES, "fusion": "concatenation"}


class FusionClassifier:
    """PairDxFusion (see :class:`pairdx.models.base.Classifier`).

    Attributes:
        network: The network.
        settings: Its settings in config/systems.
        classes: The C labels.
        vocabulary: The words, in the order of the word vectors from row 2 on; none if captions are
            not read.
        sources: Names and checksums of the files that it was built from.
        image_size: Side in pixels of the images it was trained on; None before training, and if
            images are not read.
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

    @property
    def trained_parameters(self) -> int:
        """Number of parameters that are not frozen."""
        return count_parameters(self.network, trained=True)

    def tokenise(self, captions: Sequence[str]) -> np.ndarray | None:
        """Turn B captions into word numbers, int64 of shape (B, tokens); None if none are read."""
        if self.network.captions is None:
            return None
        return word_ids(captions, self._numbers, self.settings["tokens"])

    def words(self, caption: str) -> list[str]:
        """Return the words that ``tokenise`` numbers, beyond the last that is read, too."""
        return read_words(caption, self._numbers)

    def add_words(self, resources: Mapping[str, Path]) -> int:
        """Know the words of another dataset, too (:class:`pairdx.models.base.WordClassifier`).

        Words that are known keep their vectors, and the new ones have those of the same source:
        what the system would have read, had its vocabulary been of both datasets.
        """
        if self.network.captions is None:
            return 0
        vectors, vocabulary, source = _read_words(resources)
        rows = word_numbers(vocabulary)
        new = [word for word in vocabulary if word not in self._numbers]
        added = vectors[[rows[word] for word in new]]
        if source == RANDOM:
            added = torch.from_numpy(further_word_vectors(new, vectors.shape[1]))
        try:
            self.network.captions.add_words(added)
        except PairDxError as error:
            raise PairDxError(
                error.what, where=resources["word_vectors"], remedy=error.remedy
            ) from error
        self.vocabulary += new
        self._numbers = word_numbers(self.vocabulary)
        return len(new)

    def probabilities(self, images: np.ndarray, tokens: np.ndarray | None) -> np.ndarray:
        """Classify uint8 images (B, S, S, 3) with word numbers (B, tokens): float32 (B, C)."""
        return self.answers(images, tokens).probabilities

    def answers(self, images: np.ndarray, tokens: np.ndarray | None) -> Answers:
        """Return the network's outputs, too, of which the probabilities are the softmax."""
        scores = self._scores(images, tokens)
        return Answers(scores.softmax(dim=1).cpu().numpy(), scores.cpu().numpy())

    def _scores(self, images: np.ndarray, tokens: np.ndarray | None) -> Tensor:
        if self.image_size is not None:
            require_image_size(images.shape[1], self.image_size)
        # Images that are not read are not made ready either: that would take longer than the rest.
        inputs = ids = torch.empty(0)
        with torch.inference_mode():
            if self.network.images is not None:
                inputs = images_for(self.network, images, self.settings)
            if tokens is not None:
                ids = torch.from_numpy(tokens).to(network_device(self.network))
            return self.network(inputs, ids).float()

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
        settings: See config/systems. ``weights`` null leaves the image encoder random.
        classes: The C labels.
        resources: If captions are read, ``word_vectors`` (safetensors, tensor ``vectors``) and
            ``vocabulary`` (JSON, key ``words``); if images are read and the setting ``weights`` is
            not null, ``weights`` (a state dict with torchvision's names; its last layer is left
            out).
        seed: Of the initial weights.

    Raises:
        PairDxError: A file is missing or does not fit, or the settings contradict each other.
    """
    sources: dict[str, Mapping[str, str]] = {}
    vectors: Tensor | None = None
    vocabulary: list[str] = []
    if "caption" in settings["branches"]:
        vectors, vocabulary, _ = _read_words(resources)
        sources["word_vectors"] = named_with_checksum(require_resource(resources, "word_vectors"))
    with seeded(torch.device("cpu"), "build", seed):
        network = _network(settings, vectors, len(classes))
    if network.images is not None and settings["weights"] is not None:
        path = require_resource(resources, "weights")
        sources["weights"] = named_with_checksum(path)
        kept = {
            name: tensor
            for name, tensor in read_weights(path).items()
            if not name.startswith("fc.")
        }
        load_strictly(network.images, kept, path)
    return FusionClassifier(network, settings, classes, vocabulary, sources)


def fits_images(settings: Mapping[str, Any]) -> bool:
    """Say whether training looks at images: where there is a branch for them."""
    return "image" in settings["branches"]


def fit(classifier: FusionClassifier, train: Pairs, validation: Pairs, job: FitJob) -> pd.DataFrame:
    """Train in place with cross-entropy; return the rows of training.csv.

    Raises:
        PairDxError: See :func:`pairdx.training.loop.train`.
    """
    reads_images = classifier.network.images is not None
    settings = classifier.settings
    if reads_images:
        require_image_size(validation.image_size, train.image_size)
    else:  # there is nothing to change at random
        settings = {**settings, "augmentation": None}
    rows = fit_network(
        classifier.network,
        _CrossEntropy(classifier.network),
        settings,
        train,
        validation,
        (_texts(classifier, train), _texts(classifier, validation)),
        classifier.sources,
        job,
    )
    classifier.image_size = train.image_size if reads_images else None
    return rows


def load(folder: Path, resources: Mapping[str, Path]) -> FusionClassifier:  # noqa: ARG001
    """Load a saved system; it is self-contained, so no resources are read.

    Raises:
        PairDxError: The folder holds no saved PairDxFusion, or its files do not belong together.
    """
    content = read_settings(folder, FAMILY)
    settings = {**SETTINGS_OF_OLD, **content["settings"]}
    weights = read_weights(folder / WEIGHTS_FILE)
    vectors = None
    if "caption" in settings["branches"]:
        if WORD_VECTORS not in weights:
            raise PairDxError("the word vectors are missing", where=folder / WEIGHTS_FILE)
        vectors = torch.zeros_like(weights[WORD_VECTORS])
        _require_matching(vectors, content["vocabulary"], folder)
    network = _network(settings, vectors, len(content["classes"]))
    load_strictly(network, weights, folder / WEIGHTS_FILE)
    return FusionClassifier(
        network,
        settings,
        content["classes"],
        content["vocabulary"],
        content["sources"],
        content["image_size"],
    )


def _network(settings: Mapping[str, Any], vectors: Tensor | None, classes: int) -> FusionNetwork:
    """Build the network; ``vectors``, the word vectors, are None if captions are not read."""
    if not settings["branches"] or set(settings["branches"]) - set(BRANCHES):
        raise PairDxError(
            f"there are no branches {list(settings['branches'])}",
            where="systems: … settings: branches",
            remedy=f"name one or both of {', '.join(BRANCHES)}",
        )
    images = captions = None
    normalise: nn.Module = nn.Identity()
    if "image" in settings["branches"]:
        # Not at the head: torchvision, which a system that reads captions alone does without.
        from pairdx.models.fusion.images import image_encoder, imagenet_normalisation

        images, normalise = image_encoder(settings["image_encoder"]), imagenet_normalisation()
    if vectors is not None:
        captions = CaptionEncoder(
            vectors,
            dimension=settings["attention"]["dimension"],
            heads=settings["attention"]["heads"],
            pooling=settings["pooling"],
        )
    return FusionNetwork(
        images,
        captions,
        fusion_mode(settings, images, captions),
        hidden=settings["hidden"],
        dropout=settings["dropout"],
        classes=classes,
        normalise=normalise,
        freeze_images=settings["freeze_image_encoder"],
    )


def _texts(classifier: FusionClassifier, pairs: Pairs) -> np.ndarray:
    """Return the pairs' word numbers, int64 (N, tokens), or (N, 0) if captions are not read."""
    ids = classifier.tokenise(pairs.captions)
    return np.zeros((len(pairs), 0), dtype=np.int64) if ids is None else ids


def _read_words(resources: Mapping[str, Path]) -> tuple[Tensor, list[str], str]:
    """Return vectors, words, and where the vectors are from."""
    path = require_resource(resources, "word_vectors")
    tensors = read_weights(path)
    if "vectors" not in tensors or tensors["vectors"].ndim != 2:
        raise PairDxError("this file has no matrix called `vectors`", where=path)
    require_finite_weights(tensors, path)
    content = read_json(require_resource(resources, "vocabulary"))
    _require_matching(tensors["vectors"], content["words"], path)
    return tensors["vectors"].float(), content["words"], content.get("source", "")


def _require_matching(vectors: Tensor, vocabulary: Sequence[str], where: Path) -> None:
    if len(vectors) != FIRST_WORD_ID + len(vocabulary):
        raise PairDxError(
            f"{len(vectors)} word vectors do not fit a vocabulary of {len(vocabulary)} words "
            f"and the {FIRST_WORD_ID} rows before it",
            where=where,
            remedy="build the word vectors and the vocabulary again, together",
        )
