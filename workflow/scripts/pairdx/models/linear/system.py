"""Baselines without a network: caption words, mean colour, or nothing at all (scikit-learn).

They are not the paper's. MultiCaRe's captions often name the modality and its labels come from the
pixels alone, so what a few words or one colour can do is the yardstick for the networks.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import load_file
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from pairdx.errors import PairDxError
from pairdx.files import read_json, write_json
from pairdx.image_rows import Images
from pairdx.models.answers import Answers
from pairdx.models.base import SETTINGS_FILE, WEIGHTS_FILE, FitJob, Pairs, predict
from pairdx.models.logistic import class_probabilities, class_scores
from pairdx.sealed_tensors import write_tensors
from pairdx.seals import require_sound
from pairdx.training.history import COLUMNS

FAMILY = "linear"
FEATURES = ("words", "mean_colour", "none")
PREDICTION_BATCH = 512


class LinearClassifier:
    """A linear baseline (see :class:`pairdx.models.base.Classifier`).

    Attributes:
        settings: Its settings in config/systems.
        classes: The C labels.
        model: Logistic regression; unused for the features ``none``.
        shares: The classes' shares among the training pairs, float64 (C,), for ``none``.
        vectoriser: TF-IDF of the caption's words, for the features ``words``.
        scaler: Standardisation of the mean colour, for the features ``mean_colour``.
        chosen: Which strength of regularisation was chosen on validation pairs, and what it reached
            there (:func:`pairdx.models.regression.fit_and_choose`); empty where nothing is chosen.
        fitted: Whether it was trained.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        classes: Sequence[str],
        vocabulary: Sequence[str] | None = None,
    ) -> None:
        features = settings["features"]
        if features not in FEATURES:
            raise PairDxError(
                f"there are no features {features!r}",
                where="systems: … settings: features",
                remedy=f"use {', '.join(FEATURES)}",
            )
        self.settings, self.classes, self.features = settings, tuple(classes), features
        self.fitted = False
        self.shares: np.ndarray | None = None
        self.model: Any = None
        self.vectoriser: Any = None
        self.scaler: Any = None
        self.chosen: dict[str, float] = {}
        if features == "none":
            return
        # Not at the head: scikit-learn, which predicting by shares of classes does without.
        from pairdx.models.regression import logistic_regression, standardisation, tfidf

        self.model = logistic_regression(settings)
        if features == "words":
            self.vectoriser = tfidf(settings, vocabulary)
        else:
            self.scaler = standardisation()

    @property
    def parameters(self) -> int:
        """Number of fitted numbers; 0 before training."""
        return sum(array.size for array in self._arrays().values()) if self.fitted else 0

    @property
    def trained_parameters(self) -> int:
        """All of them."""
        return self.parameters

    def tokenise(self, captions: Sequence[str]) -> Any:
        """Turn B captions into a sparse TF-IDF matrix, (B, words); None if none are read."""
        if self.vectoriser is None:
            return None
        self._require_fitted()
        return self.vectoriser.transform(captions)

    def probabilities(self, images: np.ndarray, tokens: Any) -> np.ndarray:
        """Classify uint8 images (B, S, S, 3) or their captions' matrix: float32 (B, C)."""
        self._require_fitted()
        if self.shares is not None:
            return np.tile(self.shares.astype(np.float32), (len(images), 1))
        return class_probabilities(self.model, self._inputs(images, tokens), len(self.classes))

    def answers(self, images: np.ndarray, tokens: Any) -> Answers:
        """Return the regression's decision values, too; shares of classes have none."""
        if self.model is None:
            return Answers(self.probabilities(images, tokens))
        self._require_fitted()
        inputs, classes = self._inputs(images, tokens), len(self.classes)
        return Answers(
            class_probabilities(self.model, inputs, classes),
            class_scores(self.model, inputs, classes),
        )

    def save(self, folder: Path) -> None:
        """Write model.safetensors (all fitted numbers) and settings.json (with the vocabulary)."""
        self._require_fitted()
        write_tensors(folder / WEIGHTS_FILE, self._arrays())
        content = {
            "family": FAMILY,
            "settings": dict(self.settings),
            "classes": list(self.classes),
            "chosen": self.chosen,
        }
        if self.vectoriser is not None:
            content["vocabulary"] = self.vectoriser.get_feature_names_out().tolist()
        write_json(folder / SETTINGS_FILE, content)

    def _inputs(self, images: np.ndarray, tokens: Any) -> Any:
        return tokens if self.scaler is None else self.scaler.transform(mean_colours(images))

    def _arrays(self) -> dict[str, np.ndarray]:
        if self.shares is not None:
            return {"shares": self.shares}
        arrays = {
            "classes": self.model.classes_,
            "coefficients": self.model.coef_,
            "intercept": self.model.intercept_,
        }
        if self.vectoriser is not None:
            arrays["inverse_document_frequency"] = self.vectoriser.idf_
        if self.scaler is not None:
            arrays |= {"mean": self.scaler.mean_, "scale": self.scaler.scale_}
        return arrays

    def _require_fitted(self) -> None:
        if not self.fitted:
            raise PairDxError("the model was not trained yet", where=f"linear: {self.features}")


def mean_colours(images: Images) -> np.ndarray:
    """Return the mean red, green and blue of uint8 images (N, S, S, 3): float64 (N, 3), 0 to 1."""
    found = np.empty((len(images), 3))
    for start in range(0, len(images), PREDICTION_BATCH):
        rows = slice(start, start + PREDICTION_BATCH)
        images[rows].mean(axis=(1, 2), dtype=np.float64, out=found[rows])
    return found / 255


def build(
    settings: Mapping[str, Any],
    classes: Sequence[str],
    resources: Mapping[str, Path],  # noqa: ARG001 - the protocol's argument; nothing is read
    seed: int,  # noqa: ARG001 - nothing here is random
) -> LinearClassifier:
    """Build the untrained baseline.

    Raises:
        PairDxError: There are no such features.
    """
    return LinearClassifier(settings, classes)


def fits_images(settings: Mapping[str, Any]) -> bool:
    """Say whether training looks at images: for their mean colour alone."""
    return bool(settings["features"] == "mean_colour")


def fit(classifier: LinearClassifier, train: Pairs, validation: Pairs, job: FitJob) -> pd.DataFrame:
    """Fit in place; return one row of training.csv, whose losses are mean log losses.

    Its time is that of all strengths of regularisation that are tried.

    ``data_seconds`` is the time spent making features; there is no learning rate.

    Raises:
        PairDxError: The training pairs are of one class only, or have no words.
    """
    # Not at the head, as above; and not where time is taken.
    from pairdx.models.regression import fit_and_choose, loss_and_accuracy

    with threadpool_limits(job.threads):
        started = time.perf_counter()
        inputs = _fitted_features(classifier, train)
        data_seconds = time.perf_counter() - started
        if classifier.model is None:
            counts = np.bincount(train.labels, minlength=len(classifier.classes))
            classifier.shares = counts / counts.sum()
        elif len(np.unique(train.labels)) < 2:
            raise PairDxError("all training pairs are of one class", where="the split")
        else:
            fits = (inputs, train.labels), (_features(classifier, validation), validation.labels)
            classifier.model, classifier.chosen = fit_and_choose(
                classifier.settings, *fits, len(classifier.classes)
            )
        classifier.fitted = True
        seconds = time.perf_counter() - started
        row: dict[str, Any] = dict.fromkeys(COLUMNS)
        row |= {
            "epoch": 1,
            "data_seconds": data_seconds,
            "samples_per_second": len(train) / seconds,
        }
        for subset, pairs in (("train", train), ("validation", validation)):
            probabilities = predict(classifier, pairs, PREDICTION_BATCH)
            loss, accuracy = loss_and_accuracy(pairs.labels, probabilities)
            row |= {f"{subset}_loss": loss, f"{subset}_accuracy": accuracy}
        row["seconds"] = time.perf_counter() - started
    return pd.DataFrame([row], columns=COLUMNS)


def load(folder: Path, resources: Mapping[str, Path]) -> LinearClassifier:  # noqa: ARG001
    """Load a saved baseline; it is self-contained, so no resources are read.

    Raises:
        PairDxError: The folder holds no saved baseline.
    """
    content = read_json(folder / SETTINGS_FILE)
    if not isinstance(content, dict) or content.get("family") != FAMILY:
        raise PairDxError("this is no saved linear model", where=folder / SETTINGS_FILE)
    classifier = LinearClassifier(
        content["settings"], content["classes"], content.get("vocabulary")
    )
    classifier.chosen = content.get("chosen", {})
    require_sound(folder / WEIGHTS_FILE)
    arrays = load_file(folder / WEIGHTS_FILE)
    if classifier.model is None:
        classifier.shares = arrays["shares"]
    else:
        model = classifier.model
        model.classes_ = arrays["classes"]
        model.coef_, model.intercept_ = arrays["coefficients"], arrays["intercept"]
        model.n_features_in_ = model.coef_.shape[1]
    if classifier.vectoriser is not None:
        classifier.vectoriser.idf_ = arrays["inverse_document_frequency"]
    if classifier.scaler is not None:
        classifier.scaler.mean_, classifier.scaler.scale_ = arrays["mean"], arrays["scale"]
        classifier.scaler.var_, classifier.scaler.n_features_in_ = arrays["scale"] ** 2, 3
    classifier.fitted = True
    return classifier


def _fitted_features(classifier: LinearClassifier, train: Pairs) -> Any:
    if classifier.vectoriser is not None:
        try:
            return classifier.vectoriser.fit_transform(train.captions)
        except ValueError as error:
            raise PairDxError(
                f"no words are left to train on: {error}",
                where="systems: … settings: min_documents",
                remedy="lower min_documents, or use captions with words",
            ) from error
    if classifier.scaler is not None:
        return classifier.scaler.fit_transform(mean_colours(train.images))
    return None


def _features(classifier: LinearClassifier, pairs: Pairs) -> Any:
    """Make features of other pairs, once those of the training pairs were fitted."""
    if classifier.vectoriser is not None:
        return classifier.vectoriser.transform(pairs.captions)
    return classifier.scaler.transform(mean_colours(pairs.images))
