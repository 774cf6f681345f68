"""CLIP and BiomedCLIP: zero-shot, fine-tuned (paper, Sections 3.3 and 3.4), or tuned by LoRA.

Every system of this family predicts by class prompts: the class whose prompts' features are most
similar to the image's. Captions serve training only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from pairdx.errors import PairDxError
from pairdx.files import write_json
from pairdx.logs import logger
from pairdx.models.answers import Answers
from pairdx.models.base import SETTINGS_FILE, WEIGHTS_FILE, FitJob, Pairs
from pairdx.models.clip.loading import ClipParts, build_clip
from pairdx.models.clip.objectives import ClassContrastive, ClipNetwork, Contrastive, Prompts
from pairdx.models.clip.prompts import prompt_tokens
from pairdx.models.clip.relaxation import Relaxation
from pairdx.models.clip.relaxed import RelaxedContrastive
from pairdx.models.clip.sentence_draws import DrawnSentences
from pairdx.models.clip.weights import load_clip_weights, save_clip_weights
from pairdx.models.neural import (
    Normalise,
    count_parameters,
    fit_network,
    images_for,
    require_image_size,
)
from pairdx.models.sources import (
    named_with_checksum,
    read_settings,
    require_resource,
    require_same_file,
    weights_file,
)
from pairdx.training.batches import TextsByEpoch
from pairdx.training.optimisation import Objective

FAMILY = "clip"
OBJECTIVES = ("contrastive", "prompts", "class_contrastive")


class ClipClassifier:
    """A CLIP model as a classifier (see :class:`pairdx.models.base.Classifier`).

    Attributes:
        network: The model with its prompts.
        settings: Its settings in config/systems.
        classes: The C labels.
        seed: Of the initial weights, which count where no weights were given.
        source: Name and checksum of the weights file, or None.
        trained: Whether the weights are the result of training here.
        trained_parameters: Number of parameters that training moved: those of both encoders, or of
            the adapters that are merged into them; 0 before training.
        observed: What training came to besides: the threshold of relaxed pairs, and how many
            sentences there are to draw from. Empty without either.
    """

    def __init__(
        self,
        parts: ClipParts,
        settings: Mapping[str, Any],
        classes: Sequence[str],
        seed: int,
        source: Mapping[str, str] | None,
    ) -> None:
        self.parts, self.settings, self.classes = parts, settings, tuple(classes)
        self.seed, self.source = seed, source
        self.trained, self.trained_parameters = False, 0
        self.observed: dict[str, Any] = {}
        self.network = ClipNetwork(
            parts.clip,
            Normalise(parts.mean, parts.std),
            prompt_tokens(settings, classes, parts),
            several=settings.get("several", False),
        ).eval()
        self._class_features: Tensor | None = None

    @property
    def parameters(self) -> int:
        """Number of parameters of both encoders."""
        return count_parameters(self.network)

    def tokenise(self, captions: Sequence[str]) -> None:
        """Return None: captions are not read when images are classified by class prompts."""

    def probabilities(self, images: np.ndarray, tokens: None) -> np.ndarray:
        """Classify uint8 images (B, S, S, 3): softmax(similarity / temperature), float32 (B, C).

        Paper, Section 3.3, Equations 1 to 3. The class features are computed once and kept. Of
        several labels per pair the softmax is over the two kinds of prompts of each class: rows do
        not add up to 1.
        """
        return self.answers(images, tokens).probabilities

    def answers(self, images: np.ndarray, tokens: None) -> Answers:  # noqa: ARG002
        """Return the scores, similarity / temperature, and the features of the images, too.

        Of several labels per pair there are no scores: probabilities are not the softmax of C.
        """
        features = self.image_features(images)
        scaled = self._scaled(features, self.class_features())
        scores = None if self.network.several else scaled.cpu().numpy()
        return Answers(self._probabilities(scaled), scores, features.cpu().numpy())

    def image_features(self, images: np.ndarray) -> Tensor:
        """Encode uint8 images (B, S, S, 3): float32 (B, D), rows of length 1."""
        require_image_size(images.shape[1], self.parts.image_size)
        with torch.inference_mode():
            return self.network.image_features(images_for(self.network, images, self.settings))

    def compare(self, images: Tensor, classes: Tensor) -> np.ndarray:
        """Turn features of images (B, D) and classes (C, D) into probabilities, float32 (B, C).

        Of several labels per pair those of classes are (2 C, D), positive prompts first, and
        probabilities float64: in single precision a learned temperature makes the surest ones 1.
        """
        return self._probabilities(self._scaled(images, classes))

    def class_features(self) -> Tensor:
        """Return the features of the classes' prompts: float32 (C, D), of length 1.

        Of several labels per pair (2 C, D): see :class:`pairdx.models.clip.objectives.ClipNetwork`.
        """
        if self._class_features is None:
            with torch.inference_mode():
                self._class_features = self.network.class_features()
        return self._class_features

    def about(self, classes: Sequence[str], settings: Mapping[str, Any]) -> ClipClassifier:
        """Return the same model, asked about the findings of another dataset.

        Args:
            classes: The findings.
            settings: What the system would be built from there: their ``class_names`` and
                ``finding_prompts`` are taken.
        """
        asked = {key: settings[key] for key in ("class_names", "finding_prompts")}
        settings = {**self.settings, **asked, "several": True}
        other = ClipClassifier(self.parts, settings, classes, self.seed, self.source)
        other.trained, other.trained_parameters = self.trained, self.trained_parameters
        return other

    def truncated_share(self, captions: Sequence[str]) -> float:
        """Return the share of captions that are cut because they have too many tokens, 0 to 1."""
        counts = self.parts.token_counts(list(captions))
        return float(np.mean(np.array(counts) > self.settings["context_length"]))

    def save(self, folder: Path) -> None:
        """Write settings.json and, if trained, model.safetensors (an open_clip state dict)."""
        if self.trained:
            save_clip_weights(self.parts, folder / WEIGHTS_FILE)
        write_json(
            folder / SETTINGS_FILE,
            {
                "family": FAMILY,
                "settings": dict(self.settings),
                "classes": list(self.classes),
                "trained": self.trained,
                "trained_parameters": self.trained_parameters,
                "seed": self.seed,
                "quick_gelu": self.parts.quick_gelu,
                "weights": self.source,
            },
        )

    def _probabilities(self, scaled: Tensor) -> np.ndarray:
        if self.network.several:
            return scaled.cpu().double().sigmoid().numpy()
        return scaled.softmax(dim=1).cpu().numpy()

    def _scaled(self, images: Tensor, classes: Tensor) -> Tensor:
        with torch.inference_mode():
            return self._scale() * self.network.class_scores(images, classes)

    def _scale(self) -> Tensor | float:
        temperature = self.settings["temperature"]
        return self.network.scale() if temperature is None else 1 / temperature


def build(
    settings: Mapping[str, Any], classes: Sequence[str], resources: Mapping[str, Path], seed: int
) -> ClipClassifier:
    """Build the system, with its pretrained weights unless the setting ``weights`` is null.

    Args:
        settings: See config/systems.
        classes: The C labels.
        resources: ``weights``: an open_clip state dict (.safetensors, .bin, .pt) or a model folder
            (see :func:`pairdx.models.clip.loading.build_clip`).
        seed: Of random weights.

    Raises:
        PairDxError: A file is missing, holds code or does not fit the architecture.
    """
    if settings["weights"] is None:
        return ClipClassifier(build_clip(settings, None, seed), settings, classes, seed, None)
    path = require_resource(resources, "weights")
    parts = build_clip(settings, path if path.is_dir() else None, seed)
    file = weights_file(path)
    load_clip_weights(parts, file)
    return ClipClassifier(parts, settings, classes, seed, named_with_checksum(file))


def fit(classifier: ClipClassifier, train: Pairs, validation: Pairs, job: FitJob) -> pd.DataFrame:
    """Fine-tune in place; return the rows of training.csv.

    All parameters of both encoders are trained, or, with the setting ``lora``, adapters of some
    layers, which are merged into the weights at the end.

    Raises:
        PairDxError: The settings name no objective or no layers to adapt; or see
            :func:`pairdx.training.loop.train`.
    """
    for pairs in (train, validation):
        require_image_size(pairs.image_size, classifier.parts.image_size)
    objective = _objective(classifier)
    reads_captions = isinstance(objective, Contrastive)
    if reads_captions:
        logger.info(
            "%.1f %% of the training captions are longer than %d tokens and are cut",
            100 * classifier.truncated_share(train.captions),
            classifier.settings["context_length"],
        )
    texts = (
        _training_texts(classifier, train, reads_captions, job.seed),
        _caption_tokens(classifier, validation, reads_captions),
    )
    with _trainable(classifier, job.seed):
        rows = fit_network(
            classifier.network,
            objective,
            classifier.settings,
            train,
            validation,
            texts,
            {"weights": classifier.source},
            job,
        )
    classifier.trained = True
    classifier._class_features = None
    if isinstance(objective, RelaxedContrastive) and objective.relaxation.has_threshold:
        classifier.observed["positive_threshold"] = float(objective.threshold)
    return rows


def load(folder: Path, resources: Mapping[str, Path]) -> ClipClassifier:
    """Load a saved system.

    An untrained one reads its pretrained weights again, from ``resources``; a trained one reads
    only its architecture from there, if that came from a model folder.

    Raises:
        PairDxError: The folder holds no saved CLIP, the weights are not those it was made with, or
            the architecture is not the one it was saved with.
    """
    content = read_settings(folder, FAMILY)
    settings, source = content["settings"], content["weights"]
    settings = {**settings, "quick_gelu": content["quick_gelu"]}
    if content["trained"]:
        model_folder = None
        if settings["architecture"] is None:
            model_folder = require_resource(resources, "weights")
        parts = build_clip(settings, model_folder, content["seed"])
        load_clip_weights(parts, folder / WEIGHTS_FILE)
        classifier = ClipClassifier(parts, settings, content["classes"], content["seed"], source)
        classifier.trained, classifier.trained_parameters = True, content["trained_parameters"]
    else:
        if source is not None:
            require_same_file(weights_file(require_resource(resources, "weights")), source)
        classifier = build(settings, content["classes"], resources, content["seed"])
    classifier.class_features()
    return classifier


def _objective(classifier: ClipClassifier) -> Objective:
    settings = classifier.settings
    name = settings.get("objective")
    if name == "contrastive":
        relaxation = Relaxation.of(settings.get("relaxation"))
        spared = settings["ignore_duplicate_captions"]
        if relaxation is not None:
            return RelaxedContrastive(
                classifier.network, relaxation, ignore_duplicate_captions=spared
            )
        return Contrastive(classifier.network, ignore_duplicate_captions=spared)
    if name == "prompts":
        return Prompts(classifier.network)
    if name == "class_contrastive":
        return ClassContrastive(
            classifier.network,
            temperature=settings.get("loss_temperature"),
            ignore_duplicates=settings["ignore_duplicate_captions"],
        )
    raise PairDxError(
        f"there is no objective {name!r} to fine-tune CLIP with",
        where="systems: … settings: objective",
        remedy=f"use {' or '.join(OBJECTIVES)}, or set the system's `trained` to false",
    )


@contextmanager
def _trainable(classifier: ClipClassifier, seed: int) -> Iterator[None]:
    """Choose the parameters that are trained inside the block: all of them, or adapters."""
    network, lora = classifier.network, classifier.settings["lora"]
    adapted = None
    if lora is not None:
        # peft takes a second to load, which predicting and timing do without.
        from pairdx.models.clip.adapters import adapt, merge

        adapted = adapt(classifier.parts, lora, seed)
    classifier.trained_parameters = count_parameters(network, trained=True)
    yield
    if adapted is not None:
        merge(adapted)


def _caption_tokens(classifier: ClipClassifier, pairs: Pairs, wanted: bool) -> np.ndarray:
    if not wanted:
        return np.zeros((len(pairs), 0), dtype=np.int64)
    return classifier.parts.tokenise(pairs.captions).numpy()


def _training_texts(
    classifier: ClipClassifier, pairs: Pairs, wanted: bool, seed: int
) -> np.ndarray | TextsByEpoch:
    """Return what training reads: the captions, or sentences of them, drawn in every epoch."""
    sampling = classifier.settings.get("sentence_sampling")
    if not wanted or sampling is None:
        return _caption_tokens(classifier, pairs, wanted)
    drawn = DrawnSentences(pairs.captions, classifier.parts.tokenise, sampling, seed)
    counts = drawn.counts()
    found = {"median": float(np.median(counts)), "at_most_one": float(np.mean(counts <= 1))}
    classifier.observed["sentences_per_text"] = found
    logger.info(
        "sentences of the training captions are drawn in every epoch: %g per caption (median), "
        "%.1f %% of the captions have one at most",
        *(found["median"], 100 * found["at_most_one"]),
    )
    return drawn
