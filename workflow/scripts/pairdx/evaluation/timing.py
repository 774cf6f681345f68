"""Seconds per image of a classifier on a CPU, from file bytes to probabilities."""

from __future__ import annotations

import itertools
import math
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from PIL import Image
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from pairdx.errors import PairDxError
from pairdx.images import apply_edit, decode
from pairdx.machine import cpu_model
from pairdx.squaring import fit_to_square

STAGES = ("decode", "preprocess", "text", "forward")
PROTOCOL = (
    "One image at a time on the CPU, from the file's bytes in memory to class probabilities: "
    "decode (bytes to RGB), preprocess (resize to a square), text (tokenise the caption), "
    "forward (normalise, encode, classify). Only the stages of what a system reads are run and "
    "counted: without images nothing is decoded and resized, without captions nothing tokenised, "
    "and these stages are empty. Loading the model, building class prompts, reading the "
    "disk and a reviewer's edits of images (crops, masks) are not included. The first images are "
    "run once beforehand and not counted. Rows of ONNX Runtime time the same network, exported, on "
    "the same images and threads; exporting it and opening its session are not included."
)
BATCHES = (
    "Larger batches: seconds of a batch divided by its images; images are decoded and squared one "
    "by one, captions tokenised and pairs classified together. Percentiles are over batches, all "
    "of them full: the last is filled up with the first pairs."
)
# Of a runtime that the classifier could not be exported to.
NOT_MEASURED: dict[str, Any] = {
    **dict.fromkeys(("p50", "p95", "mean")),
    "stages": dict.fromkeys(STAGES),
}


class TimedClassifier(Protocol):
    """What timing needs of a classifier: a part of ``pairdx.models.base.Classifier``."""

    def tokenise(self, captions: Sequence[str]) -> Any:
        """Turn captions into what ``probabilities`` reads."""

    def probabilities(self, images: np.ndarray, tokens: Any) -> np.ndarray:
        """Classify uint8 [B, S, S, 3] images: float32 [B, C]."""


@dataclass(frozen=True)
class _Timing:
    """What is timed, and how: see :func:`time_classifier`."""

    classifier: TimedClassifier
    pairs: Sequence[tuple[bytes, str, str]]
    image_size: int
    warm_up: int
    preprocess: Callable[[Image.Image, int], np.ndarray]
    reads: Collection[str]

    def of_batches(self, size: int) -> dict[str, Any]:
        """Time all pairs in full batches; the last is filled up with the first pairs."""
        count = math.ceil(len(self.pairs) / size)
        filled = list(itertools.islice(itertools.cycle(self.pairs), count * size))
        batches = [filled[start : start + size] for start in range(0, len(filled), size)]
        for batch in batches[: math.ceil(self.warm_up / size)]:
            self._seconds_per_stage(batch)
        rows = [self._seconds_per_stage(batch) for batch in batches]
        # What is not read is NaN in every row, and None in the end: JSON knows no NaN.
        seconds = np.array(rows, dtype=np.float64) / size
        totals = np.nansum(seconds, axis=1)
        means = [None if np.isnan(mean) else float(mean) for mean in seconds.mean(axis=0)]
        return {
            "p50": float(np.quantile(totals, 0.50)),
            "p95": float(np.quantile(totals, 0.95)),
            "mean": float(totals.mean()),
            "stages": dict(zip(STAGES, means, strict=True)),
        }

    def _seconds_per_stage(self, batch: Sequence[tuple[bytes, str, str]]) -> list[float | None]:
        """Classify one batch and return the seconds of each of ``STAGES``; None: not run."""
        squares, *of_images = self._read_images(batch)
        tokens, of_text = None, None
        if "caption" in self.reads:
            start = time.perf_counter()
            tokens = self.classifier.tokenise([caption for _, caption, _ in batch])
            of_text = time.perf_counter() - start
        start = time.perf_counter()
        self.classifier.probabilities(squares, tokens)
        return [*of_images, of_text, time.perf_counter() - start]

    def _read_images(
        self, batch: Sequence[tuple[bytes, str, str]]
    ) -> tuple[np.ndarray, float | None, float | None]:
        """Return the squares, uint8 [B, S, S, 3], and the seconds of decoding and of squaring."""
        if "image" not in self.reads:
            # Their number is all that such a classifier asks of images; these take no memory.
            size = self.image_size
            return np.broadcast_to(np.uint8(0), (len(batch), size, size, 3)), None, None
        images, decoding = [], 0.0
        for content, _, edit in batch:
            start = time.perf_counter()
            image = decode(content)
            decoding += time.perf_counter() - start
            if isinstance(image, str):
                raise PairDxError(f"an image chosen for timing cannot be read ({image})")
            images.append(apply_edit(image, edit))
        start = time.perf_counter()
        squares = np.stack([self.preprocess(image, self.image_size) for image in images])
        return squares, decoding, time.perf_counter() - start


def time_classifier(
    classifier: TimedClassifier,
    encoded_images: Sequence[bytes],
    captions: Sequence[str],
    edits: Sequence[str],
    *,
    reads: Collection[str],
    image_size: int,
    threads: int,
    warm_up: int,
    batch_sizes: Sequence[int] = (),
    runtime: str = "PyTorch",
    exported: Mapping[str, TimedClassifier | None] | None = None,
    preprocess: Callable[[Image.Image, int], np.ndarray] = fit_to_square,
) -> dict[str, Any]:
    """Time every stage of classifying each pair: batch size 1, then batches as in deployment.

    Args:
        classifier: The classifier, on the CPU.
        encoded_images: The image files' bytes.
        captions: One caption per image.
        edits: One per image, see :func:`pairdx.images.parse_edit`; "" for none. What is classified
            is the edited image; making it is no work of a classifier's and is not counted.
        reads: What the classifier reads: ``image``, ``caption``, both or neither. Only their stages
            are run and counted.
        image_size: Side S of the square that the classifier reads, in pixels.
        threads: Threads that torch and the linear algebra libraries may use meanwhile.
        warm_up: How many of the first pairs to run once beforehand without counting them; in
            batches, the batches that hold them.
        batch_sizes: Further batch sizes to time, each over all pairs. The paper has none.
        runtime: Name of what computes the classifier's forward stage.
        exported: The same classifier in other runtimes, by their names; timed one by one and in the
            same batches. None where the export failed: its values are None. Not in the paper.
        preprocess: Makes the square, uint8 [S, S, 3], of an RGB image.

    Returns:
        The content of timing/{system}.json; p50, p95, mean and the means of the stages are seconds
        per image, and the stages add up to the mean; a stage of what is not read is None.
        ``deployment`` lists the same by runtime and batch size, with percentiles over batches.

    Raises:
        PairDxError: There are no pairs, not one caption and edit per image, an image cannot be
            decoded, or an edit does not fit its image (both only where images are read).
    """
    if not encoded_images or {len(captions), len(edits)} != {len(encoded_images)}:
        raise PairDxError(
            "timing needs at least one image and one caption and edit per image",
            where=f"{len(encoded_images)} images, {len(captions)} captions, {len(edits)} edits",
        )
    pairs = list(zip(encoded_images, captions, edits, strict=True))
    with limited_threads(threads):
        measured = []
        for name, one in {runtime: classifier, **(exported or {})}.items():
            timing = one and _Timing(one, pairs, image_size, warm_up, preprocess, reads)
            for size in (1, *batch_sizes):
                seconds = timing.of_batches(size) if timing else NOT_MEASURED
                measured.append({"runtime": name, "batch_size": size, **seconds})
    single, *deployment = measured
    return {
        "protocol": PROTOCOL,
        "threads": threads,
        "pairs": len(pairs),
        "warm_up": min(warm_up, len(pairs)),
        **single,
        "cpu_model": cpu_model(),
        "deployment": deployment,
    }


@contextmanager
def limited_threads(threads: int) -> Iterator[None]:
    """Limit the threads of PyTorch, if the classifier loaded it, and of BLAS and OpenMP.

    NumPy and scikit-learn take every core otherwise, and baselines would be timed on more of them
    than networks.
    """
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else None
    if torch:
        torch.set_num_threads(threads)
    try:
        with threadpool_limits(limits=threads):
            yield
    finally:
        if torch:
            torch.set_num_threads(before)
