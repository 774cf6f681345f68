"""All that a system is asked about a pair, answered from one forward pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from pairdx.errors import PairDxError
from pairdx.image_rows import Images
from pairdx.logs import progress
from pairdx.models.base import NO_NUMBERS_REMEDY, Classifier


@dataclass(frozen=True)
class Answers:
    """What a system makes of N pairs.

    Attributes:
        probabilities: Shape (N, C), as :meth:`pairdx.models.base.Classifier.probabilities` returns
            them.
        scores: float32 of shape (N, C), unbounded: what the probabilities are the softmax of. Minus
            infinity where a class's probability is 0. None for a system without scores; detection
            of classes out of distribution by energy needs them.
        image_features: float32 of shape (N, D), rows of length 1: what a system that classifies by
            prompts compares with these. None for all others, and where nobody wants them.
    """

    probabilities: np.ndarray
    scores: np.ndarray | None = None
    image_features: np.ndarray | None = None


@runtime_checkable
class AnsweringClassifier(Protocol):
    """What a classifier may offer besides: more than probabilities, for the price of these."""

    def answers(self, images: np.ndarray, tokens: Any) -> Answers:
        """Answer for uint8 images of shape (B, S, S, 3) and what ``tokenise`` made of B captions.

        The probabilities are those of ``probabilities``, bit for bit.
        """


def ask(
    classifier: Classifier,
    images: Images,
    captions: Sequence[str],
    classes: int,
    batch_size: int,
    *,
    features: bool = False,
) -> Answers:
    """Show a system every pair once.

    Args:
        classifier: Any system of C classes; of one without scores there are probabilities alone.
        images: uint8 of shape (N, S, S, 3); a batch of them at a time is read.
        captions: N captions.
        classes: C.
        batch_size: Pairs at a time.
        features: Whether features of the images are kept.

    Raises:
        PairDxError: There are not as many images as captions, or a probability is not a number.
    """
    if len(images) != len(captions):
        raise PairDxError(
            f"{len(images)} images are packed for {len(captions)} pairs",
            remedy="delete the packed images; they are made again",
        )
    parts: list[Answers] = []
    for start in progress(range(0, len(captions), batch_size), "predicting, batches"):
        rows = slice(start, start + batch_size)
        tokens = classifier.tokenise(captions[rows])
        part = _of_batch(classifier, np.asarray(images[rows]), tokens)
        parts.append(part if features else Answers(part.probabilities, part.scores))
    if not parts:
        return Answers(np.zeros((0, classes), dtype=np.float32))
    found = Answers(
        np.concatenate([part.probabilities for part in parts]),
        _joined([part.scores for part in parts]),
        _joined([part.image_features for part in parts]),
    )
    if not np.isfinite(found.probabilities).all():
        raise PairDxError(
            "the model predicts values that are not numbers", remedy=NO_NUMBERS_REMEDY
        )
    return found


def _of_batch(classifier: Classifier, images: np.ndarray, tokens: Any) -> Answers:
    if isinstance(classifier, AnsweringClassifier):
        return classifier.answers(images, tokens)
    return Answers(classifier.probabilities(images, tokens))


def _joined(parts: Sequence[np.ndarray | None]) -> np.ndarray | None:
    there = [part for part in parts if part is not None]
    return np.concatenate(there) if there else None
