"""How sure a system is of images, of known classes or not: highest probability and energy.

The pairs need no label among the classes: they may be of a class that no system was trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import logsumexp, softmax

from pairdx.errors import PairDxError
from pairdx.image_rows import Images
from pairdx.logs import progress
from pairdx.models.base import NO_NUMBERS_REMEDY, Classifier, Pairs, ScoringClassifier

# What the column `subset` of out_of_distribution.parquet says.
VALIDATION, KNOWN, OUT_OF_DISTRIBUTION = "validation", "test", "out_of_distribution"


@dataclass(frozen=True)
class Sureness:
    """How sure a system is of N pairs.

    Attributes:
        predicted: int64 [N], position of the most probable class.
        max_probability: float64 [N], its probability (Hendrycks and Gimpel 2017).
        energy: float64 [N], minus the logarithm of the sum of exp(score) over the classes (Liu et
            al. 2020, Equation 4 with temperature 1); NaN for a system without scores. High where
            no class scores high.
    """

    predicted: np.ndarray
    max_probability: np.ndarray
    energy: np.ndarray


def sureness(
    classifier: Classifier, images: Images, captions: Sequence[str], batch_size: int
) -> Sureness:
    """Compute how sure a system is of every pair.

    The probabilities of a system with scores are their softmax in double precision: single
    precision would make all of the surest pairs equal.

    Args:
        classifier: Any system.
        images: uint8 of shape (N, S, S, 3); a batch of them at a time is read.
        captions: N captions.
        batch_size: Pairs at a time.

    Raises:
        PairDxError: There are not as many images as captions, or a value is not a number.
    """
    if len(images) != len(captions):
        raise PairDxError(
            f"{len(images)} images are packed for {len(captions)} pairs",
            remedy="delete the packed images; they are made again",
        )
    starts = progress(range(0, len(images), batch_size), "scoring, batches")
    parts = [
        _of_batch(
            classifier, np.asarray(images[start : start + batch_size]),
            captions[start : start + batch_size],
        )
        for start in starts
    ]  # fmt: skip
    if not parts:
        return Sureness(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
    predicted, highest, energy = (np.concatenate(column) for column in zip(*parts, strict=True))
    if not np.isfinite(highest).all() or np.isinf(energy).any():
        raise PairDxError(
            "the model's scores are not finite numbers",
            remedy=NO_NUMBERS_REMEDY,
        )
    return Sureness(predicted, highest, energy)


def known_and_out_of_distribution(
    classifier: Classifier,
    validation: Pairs,
    known: Pairs,
    outside: pd.DataFrame,
    images: Images,
    batch_size: int,
) -> pd.DataFrame:
    """Ask a system about pairs of classes that it was not trained on, and about known ones.

    Args:
        classifier: Any system.
        validation: The validation pairs, which choose from where on a pair passes for known.
        known: The test pairs.
        outside: N pairs of other classes, with the columns pair_id, case_id, label and caption.
        images: Theirs, uint8 of shape (N, S, S, 3); a batch of them at a time is read.
        batch_size: Pairs at a time.

    Returns:
        out_of_distribution.parquet: one row per pair, with pair_id, case_id, label, subset
        (``validation``, ``test`` or ``out_of_distribution``), predicted (what it is taken for),
        max_probability and energy. No rows where there are no pairs of other classes: there is
        nothing to tell the known ones from.

    Raises:
        PairDxError: There are not as many images as pairs, or a score is not a number.
    """
    asked = [(OUT_OF_DISTRIBUTION, outside, images)]
    if len(outside):
        asked[:0] = [
            (subset, pairs.table, pairs.images)
            for subset, pairs in ((VALIDATION, validation), (KNOWN, known))
        ]
    tables = []
    for subset, pairs, packed in asked:
        found = sureness(classifier, packed, pairs["caption"].tolist(), batch_size)
        tables.append(
            pairs[["pair_id", "case_id", "label"]].assign(
                subset=subset,
                predicted=np.array(known.classes, dtype=object)[found.predicted],
                max_probability=found.max_probability,
                energy=found.energy,
            )
        )
    return pd.concat(tables, ignore_index=True)


def _of_batch(
    classifier: Classifier, images: np.ndarray, captions: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    tokens = classifier.tokenise(captions)
    scores = (
        classifier.scores(images, tokens) if isinstance(classifier, ScoringClassifier) else None
    )
    if scores is None:
        probabilities = classifier.probabilities(images, tokens).astype(np.float64)
        energy = np.full(len(images), np.nan)
    else:
        probabilities = softmax(scores.astype(np.float64), axis=1)
        energy = -logsumexp(scores.astype(np.float64), axis=1)
    return probabilities.argmax(axis=1), probabilities.max(axis=1), energy
