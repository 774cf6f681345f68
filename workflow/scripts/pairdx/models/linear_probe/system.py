"""Probes: logistic regression on the features of a frozen encoder (scikit-learn).

They are not the paper's. They say how much of a fine-tuned system's accuracy its encoder had from
the start: linear probes read the image (Radford et al., 2021, Section 3.2, on CLIP), early fusion
the image's and the caption's features side by side, joined before anything is classified.

Training reads the features that were computed once for all pairs
(:mod:`pairdx.models.features`), and needs neither the encoder nor PyTorch; a saved
probe classifies images and captions themselves, with the encoder that made the features.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from safetensors import SafetensorError
from safetensors.numpy import load_file
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from pairdx.errors import PairDxError
from pairdx.files import write_json
from pairdx.logs import logger
from pairdx.models.answers import Answers
from pairdx.models.base import SETTINGS_FILE, WEIGHTS_FILE, FitJob, Pairs
from pairdx.models.features import (
    INPUTS,
    Features,
    encoder_identity,
    encoder_source,
    read_features,
)
from pairdx.models.logistic import class_probabilities, class_scores
from pairdx.models.regression import fit_on_features, logistic_regression, loss_and_accuracy
from pairdx.models.sources import (
    read_settings,
    require_resource,
    require_same_file,
    weights_file,
)
from pairdx.sealed_tensors import write_tensors
from pairdx.seals import require_sound
from pairdx.storage_errors import storage_error
from pairdx.training.history import COLUMNS

if TYPE_CHECKING:
    from pairdx.models.frozen_encoder import FrozenEncoder

FAMILY = "linear_probe"


class LinearProbeClassifier:
    """A probe (see :class:`pairdx.models.base.Classifier`).

    Attributes:
        settings: Its settings in config/systems, with the description of the encoder.
        classes: The C labels.
        resources: ``features``, which training reads, and ``weights`` of the encoder.
        seed: Of an encoder's random weights.
        source: Name and checksum of the encoder's weights file; None where they are random.
        inputs: ``image``, ``caption``, or both, in the order of the features.
        model: Logistic regression on the features as the encoder gives them.
        chosen: Which strength of regularisation was chosen on validation pairs, and what it reached
            there (:func:`pairdx.models.regression.fit_on_features`); empty before training.
        fitted: Whether it was trained.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        classes: Sequence[str],
        resources: Mapping[str, Path],
        seed: int,
    ) -> None:
        self.inputs = tuple(settings["inputs"])
        if not self.inputs or set(self.inputs) - set(INPUTS):
            raise PairDxError(
                f"a probe cannot read {list(self.inputs)}",
                where="systems: … settings: inputs",
                remedy=f"use one or both of {', '.join(INPUTS)}",
            )
        self.settings, self.classes = settings, tuple(classes)
        self.resources, self.seed = resources, seed
        self.source = encoder_source(settings["encoder"], resources)
        self.model, self.fitted = logistic_regression(settings), False
        self.chosen: dict[str, float] = {}
        self._encoder_parameters: Mapping[str, int] | None = None

    @cached_property
    def encoder(self) -> FrozenEncoder:
        """What makes features of images and captions; built when first asked for.

        Raises:
            PairDxError: See :func:`pairdx.models.frozen_encoder.load_encoder`.
        """
        # Not at the head: PyTorch and open_clip, which training does without.
        from pairdx.models.frozen_encoder import load_encoder

        return load_encoder(self.settings["encoder"], self.resources, self.seed)

    @property
    def parameters(self) -> int:
        """Number of parameters: of the encoders that it reads with, and of its own."""
        of_encoder = self._encoder_parameters or self.encoder.parameters()
        return sum(of_encoder[name] for name in self.inputs) + self.trained_parameters

    @property
    def trained_parameters(self) -> int:
        """Number of parameters of the regression; the encoders' are never trained."""
        return self.model.coef_.size + self.model.intercept_.size if self.fitted else 0

    def tokenise(self, captions: Sequence[str]) -> np.ndarray | None:
        """Turn B captions into the encoder's tokens, int64 (B, L); None if none are read."""
        return self.encoder.tokenise(captions) if "caption" in self.inputs else None

    def probabilities(self, images: np.ndarray, tokens: Any) -> np.ndarray:
        """Classify uint8 images (B, S, S, 3) and int64 tokens (B, L): float32 (B, C).

        Raises:
            PairDxError: The probe was not trained, or the images are not of the encoder's size.
        """
        return self.of_features(self._features(images, tokens))

    def answers(self, images: np.ndarray, tokens: Any) -> Answers:
        """Return the regression's decision values, too, from the same features.

        Raises:
            PairDxError: The probe was not trained, or the images are not of the encoder's size.
        """
        self._require_fitted()
        features = self._features(images, tokens)
        scores = class_scores(self.model, features.astype(np.float64), len(self.classes))
        return Answers(self.of_features(features), scores)

    def of_features(self, features: np.ndarray) -> np.ndarray:
        """Classify features, float32 (B, D) or those of both inputs (B, 2 D): float32 (B, C)."""
        self._require_fitted()
        return class_probabilities(self.model, features.astype(np.float64), len(self.classes))

    def save(self, folder: Path) -> None:
        """Write model.safetensors (the regression) and settings.json (which names the encoder)."""
        self._require_fitted()
        arrays = {
            "classes": self.model.classes_,
            "coefficients": self.model.coef_,
            "intercept": self.model.intercept_,
        }
        write_tensors(folder / WEIGHTS_FILE, arrays)
        write_json(
            folder / SETTINGS_FILE,
            {
                "family": FAMILY,
                "settings": dict(self.settings),
                "classes": list(self.classes),
                "seed": self.seed,
                "weights": self.source,
                "chosen": self.chosen,
            },
        )

    def _features(self, images: np.ndarray, tokens: Any) -> np.ndarray:
        made = {
            "image": lambda: self.encoder.image_features(images),
            "caption": lambda: self.encoder.caption_features(tokens),
        }
        return np.concatenate([made[name]() for name in self.inputs], axis=1)

    def kept_features(self) -> Features:
        """Read the features of all pairs, which its own encoder must have made.

        Raises:
            PairDxError: There is no features file, or it is another encoder's.
        """
        if "features" not in self.resources:
            raise PairDxError("a probe is trained on a features file, and none was given")
        path = self.resources["features"]
        features = read_features(path)
        if features.encoder != encoder_identity(self.settings["encoder"], self.seed, self.source):
            raise PairDxError(
                "these features were made by another encoder than the probe's",
                where=path,
                remedy="delete the file; it is made again",
            )
        self._encoder_parameters = features.parameters
        return features

    def _require_fitted(self) -> None:
        if not self.fitted:
            raise PairDxError("the model was not trained yet", where=f"{FAMILY}: {self.inputs}")


def build(
    settings: Mapping[str, Any], classes: Sequence[str], resources: Mapping[str, Path], seed: int
) -> LinearProbeClassifier:
    """Build the untrained probe; its encoder is built when it is first used.

    Args:
        settings: See config/systems; ``encoder`` is the entry of ``feature_extractors`` that
            the key ``features`` names.
        classes: The C labels.
        resources: ``features``, which training reads, and ``weights`` of the encoder
            (see :func:`pairdx.models.frozen_encoder.load_encoder`).
        seed: Of an encoder's random weights.

    Raises:
        PairDxError: The weights file is missing, or the inputs are neither image nor caption.
    """
    return LinearProbeClassifier(settings, classes, resources, seed)


def fits_images(settings: Mapping[str, Any]) -> bool:  # noqa: ARG001 - the protocol's argument
    """Say that training looks at no image: it reads the features that were made of them."""
    return False


def fit(
    classifier: LinearProbeClassifier, train: Pairs, validation: Pairs, job: FitJob
) -> pd.DataFrame:
    """Fit in place on the kept features; return one row of training.csv with mean log losses.

    Its time is that of all strengths of regularisation that are tried.

    ``data_seconds`` (part of ``seconds``) is reading the features, and these pairs' share of the
    time that it took to compute them, on whatever device: without it a probe would seem free.

    Raises:
        PairDxError: There is no features file, it is another encoder's or lacks a pair, or all
            training pairs are of one class.
    """
    if len(np.unique(train.labels)) < 2:
        raise PairDxError("all training pairs are of one class", where="the split")
    with threadpool_limits(job.threads):
        started = time.perf_counter()
        features = classifier.kept_features()
        learned, tried = (
            (features.of(classifier.inputs, pairs.table["pair_id"].tolist()), pairs.labels)
            for pairs in (train, validation)
        )
        reading_seconds = time.perf_counter() - started
        classifier.model, classifier.chosen = fit_on_features(
            classifier.settings, learned, tried, len(classifier.classes)
        )
        classifier.fitted = True
        fitting_seconds = time.perf_counter() - started - reading_seconds
        row: dict[str, Any] = dict.fromkeys(COLUMNS)
        for subset, pairs in (("train", train), ("validation", validation)):
            loss, accuracy = _loss_and_accuracy(classifier, features, pairs)
            row |= {f"{subset}_loss": loss, f"{subset}_accuracy": accuracy}
        seconds = time.perf_counter() - started
    encoding = sum(features.seconds[name] for name in classifier.inputs) / len(features.pair_ids)
    data_seconds = reading_seconds + encoding * len(train)
    logger.info(
        "fitted in %.2f s; computing the features (on %s) took %.4f s per pair",
        fitting_seconds,
        features.device,
        encoding,
    )
    row |= {
        "epoch": 1,
        "seconds": seconds + encoding * (len(train) + len(validation)),
        "data_seconds": data_seconds,
        "samples_per_second": len(train) / (data_seconds + fitting_seconds),
    }
    return pd.DataFrame([row], columns=COLUMNS)


def load(folder: Path, resources: Mapping[str, Path]) -> LinearProbeClassifier:
    """Load a saved probe, and its encoder from ``resources``.

    Raises:
        PairDxError: The folder holds no saved probe, or the encoder's weights are not those that
            made its features.
    """
    content = read_settings(folder, FAMILY)
    if content["weights"] is not None:
        require_same_file(weights_file(require_resource(resources, "weights")), content["weights"])
    classifier = build(content["settings"], content["classes"], resources, content["seed"])
    classifier.chosen = content.get("chosen", {})
    _ = classifier.encoder  # now, so that weights that do not fit are no surprise later
    try:
        require_sound(folder / WEIGHTS_FILE)
        arrays = load_file(folder / WEIGHTS_FILE)
        model = classifier.model
        model.classes_ = arrays["classes"]
        model.coef_, model.intercept_ = arrays["coefficients"], arrays["intercept"]
    except (SafetensorError, OSError, KeyError) as error:
        if refused := storage_error(error, folder / WEIGHTS_FILE):
            raise refused from error
        raise PairDxError(
            f"this is no saved probe: {error}", where=folder / WEIGHTS_FILE
        ) from error
    model.n_features_in_ = model.coef_.shape[1]
    classifier.fitted = True
    return classifier


def _loss_and_accuracy(
    classifier: LinearProbeClassifier, features: Features, pairs: Pairs
) -> tuple[float, float]:
    inputs = features.of(classifier.inputs, pairs.table["pair_id"].tolist())
    return loss_and_accuracy(pairs.labels, classifier.of_features(inputs))
