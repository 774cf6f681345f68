"""Seconds per image of a classifier on a CPU, from file bytes to probabilities, one at a time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
from PIL import Image

from pairdx.errors import PairDxError
from pairdx.images import apply_edit, decode
from pairdx.machine import cpu_model
from pairdx.packing import fit_to_square

STAGES = ("decode", "preprocess", "text", "forward")
PROTOCOL = (
    "One image at a time on the CPU, from the file's bytes in memory to class probabilities: "
    "decode (bytes to RGB), preprocess (resize and centre crop), text (tokenise the caption), "
    "forward (normalise, encode, classify). Loading the model, building class prompts, reading the "
    "disk and a reviewer's edits of images (crops, masks) are not included. The first images are "
    "run once beforehand and not counted."
)


class TimedClassifier(Protocol):
    """What timing needs of a classifier: a part of ``pairdx.models.base.Classifier``."""

    def tokenise(self, captions: Sequence[str]) -> Any:
        """Turn captions into what ``probabilities`` reads."""

    def probabilities(self, images: np.ndarray, tokens: Any) -> np.ndarray:
        """Classify uint8 [B, S, S, 3] images: float32 [B, C]."""


def time_classifier(
    classifier: TimedClassifier,
    encoded_images: Sequence[bytes],
    captions: Sequence[str],
    edits: Sequence[str],
    *,
    image_size: int,
    threads: int,
    warm_up: int,
    preprocess: Callable[[Image.Image, int], np.ndarray] = fit_to_square,
) -> dict[str, Any]:
    """Time every stage of classifying each pair, batch size 1.

    Args:
        classifier: The classifier, on the CPU.
        encoded_images: The image files' bytes.
        captions: One caption per image.
        edits: One per image, see :func:`pairdx.images.parse_edit`; "" for none. What is classified
            is the edited image; making it is no work of a classifier's and is not counted.
        image_size: Side S of the square that the classifier reads, in pixels.
        threads: Threads that torch may use meanwhile.
        warm_up: How many of the first pairs to run once beforehand without counting them.
        preprocess: Makes the square, uint8 [S, S, 3], of an RGB image.

    Returns:
        The content of timing/{model}.json; p50, p95, mean and the means of the stages are seconds
        per image, and the stages add up to the mean.

    Raises:
        PairDxError: There are no pairs, not one caption and edit per image, an image cannot be
            decoded, or an edit does not fit its image.
    """
    if not encoded_images or {len(captions), len(edits)} != {len(encoded_images)}:
        raise PairDxError(
            "timing needs at least one image and one caption and edit per image",
            where=f"{len(encoded_images)} images, {len(captions)} captions, {len(edits)} edits",
        )
    pairs = list(zip(encoded_images, captions, edits, strict=True))
    with _torch_threads(threads):
        for pair in pairs[:warm_up]:
            _seconds_per_stage(classifier, *pair, image_size, preprocess)
        seconds = np.array(
            [_seconds_per_stage(classifier, *pair, image_size, preprocess) for pair in pairs]
        )
    totals = seconds.sum(axis=1)
    return {
        "protocol": PROTOCOL,
        "batch_size": 1,
        "threads": threads,
        "pairs": len(pairs),
        "warm_up": min(warm_up, len(pairs)),
        "p50": float(np.quantile(totals, 0.50)),
        "p95": float(np.quantile(totals, 0.95)),
        "mean": float(totals.mean()),
        "stages": dict(zip(STAGES, seconds.mean(axis=0).tolist(), strict=True)),
        "cpu_model": cpu_model(),
    }


def _seconds_per_stage(
    classifier: TimedClassifier,
    content: bytes,
    caption: str,
    edit: str,
    image_size: int,
    preprocess: Callable[[Image.Image, int], np.ndarray],
) -> list[float]:
    """Classify one pair and return the seconds of each of ``STAGES``."""
    start = time.perf_counter()
    image = decode(content)
    decoding = time.perf_counter() - start
    if isinstance(image, str):
        raise PairDxError(f"an image chosen for timing cannot be read ({image})")
    image = apply_edit(image, edit)
    ticks = [time.perf_counter()]
    square = preprocess(image, image_size)
    ticks.append(time.perf_counter())
    tokens = classifier.tokenise([caption])
    ticks.append(time.perf_counter())
    classifier.probabilities(square[np.newaxis], tokens)
    ticks.append(time.perf_counter())
    return [decoding, *np.diff(ticks).tolist()]


@contextmanager
def _torch_threads(threads: int) -> Iterator[None]:
    """Limit PyTorch's threads, if the classifier loaded it: those without a network do not."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
