"""Whether an exported network answers as its system does: on real pairs, and from their files."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pairdx.deployment.answers import calibrated
from pairdx.deployment.export.comparisons import (
    LEAST_AGREEMENT,
    REMEDY,
    compare_calibrated,
    compare_classes,
    of_predictions,
    require_near,
    tolerance_at,
)
from pairdx.deployment.folder import DeployedFolder
from pairdx.deployment.preprocessing import Square, square
from pairdx.deployment.session import load
from pairdx.errors import PairDxError
from pairdx.image_rows import Images
from pairdx.logs import logger
from pairdx.models.base import Classifier
from pairdx.models.exported import (
    TOLERANCE,
    Difference,
    ExportedClassifier,
    both_answers,
    difference,
)
from pairdx.ordering import seeded_rank
from pairdx.packing import encoded_images
from pairdx.words import word_ids, word_numbers

FILES = 32  # pairs that are read from their files, at most
ODD = 7  # a batch of another size than all the others
PACKAGES = ("onnxruntime", "numpy", "pillow")  # that the folder needs where it is used


@dataclass(frozen=True)
class Sample:
    """Validation pairs that an export is looked at on.

    Attributes:
        table: The pairs: pair_id, caption, archive, member, sha256, image_edit.
        images: Their packed images, uint8 (N, S, S, 3).
        archives: Where every archive lies.
        predictions: predictions.parquet of the system: pair_id, subset, ``p_<label>``.
    """

    table: pd.DataFrame
    images: Images
    archives: Mapping[str, Path]
    predictions: pd.DataFrame

    @property
    def captions(self) -> list[str]:
        """Their captions."""
        found: list[str] = self.table["caption"].tolist()
        return found


def chosen_rows(pair_ids: Sequence[str], most: int) -> np.ndarray:
    """Choose pairs, the same for every system: int64, positions of at most so many, ascending."""
    rank = seeded_rank(pair_ids, 0, "deployment").to_numpy()
    return np.sort(np.argsort(rank, kind="stable")[:most])


def verify(
    folder: DeployedFolder,
    classifier: Classifier,
    exported: ExportedClassifier,
    sample: Sample,
    threads: int,
) -> dict[str, Any]:
    """Compare an exported network with its system, and what the folder makes of files with both.

    The system is asked anew, and what it answered in the run is read by the names of the classes:
    no comparison of two networks would show that these are named in another order.

    Args:
        folder: The deployed folder: network, facts and vocabulary are in it.
        classifier: The system, in PyTorch.
        exported: Its exported network, in ONNX Runtime.
        sample: Validation pairs; at least one.
        threads: Threads that ONNX Runtime may use.

    Returns:
        verification.json.

    Raises:
        PairDxError: They differ by more than rounding.
    """
    compare_classes(classifier, folder)
    _compare_words(classifier, sample.captions, folder)
    expected, found = both_answers(classifier, exported, sample.images[:], sample.captions)
    compared = difference(expected, found, _thresholds(folder.facts))
    if said := compared.problem(least_agreement=LEAST_AGREEMENT):
        raise PairDxError(f"the exported network is not the system: {said}", remedy=REMEDY)
    answered = compare_calibrated(expected, found, folder.facts)
    before = of_predictions(folder, sample.predictions, sample.table["pair_id"], found)
    batches = _of_other_batches(exported, sample, found)
    files = _of_files(folder, found, sample, threads) if folder.reads_images else None
    logger.info(
        "%d pairs: largest difference from PyTorch %.2g, %.2f %% of decisions the same, %d ties; "
        "largest difference from the run's predictions %.2g, from %d files %s; calibrated: %s",
        *(compared.pairs, compared.largest, 100 * compared.agreement, compared.ties),
        *(before, *((0, None) if files is None else files), answered),
    )
    others = {
        "calibrated": answered,
        "largest_difference_from_predictions": before,
        "largest_difference_between_batches": batches,
    }
    return _record(compared, others, files)


def _record(
    compared: Difference, others: Mapping[str, Any], files: tuple[int, float] | None
) -> dict[str, Any]:
    count, from_files = (0, None) if files is None else files
    return {
        "pairs": compared.pairs,
        "largest_difference": compared.largest,
        "tolerance": TOLERANCE,
        "agreement": compared.agreement,
        "least_agreement": LEAST_AGREEMENT,
        "ties": compared.ties,
        **others,
        "files": count,
        "largest_difference_from_files": from_files,
        "runtime": {
            "python": platform.python_version(),
            **{name: version(name) for name in PACKAGES},
        },
    }


def _thresholds(facts: Mapping[str, Any]) -> np.ndarray | None:
    if facts["thresholds"] is None:
        return None
    each = [facts["thresholds"][label] for label, _ in facts["classes"]]
    return np.array([np.nan if one is None else one for one in each], dtype=np.float64)


def _compare_words(classifier: Classifier, captions: Sequence[str], folder: DeployedFolder) -> None:
    """Compare what the folder's vocabulary makes of captions with what the system makes of them."""
    if folder.facts["text"] is None:
        return
    ids = word_ids(captions, word_numbers(folder.words()), folder.facts["text"]["tokens"])
    if not np.array_equal(ids, classifier.tokenise(captions)):
        raise PairDxError("the folder's words are not those of the system", remedy=REMEDY)


def _of_other_batches(exported: ExportedClassifier, sample: Sample, found: np.ndarray) -> float:
    """Return by how much pairs differ that are classified alone, and in an odd batch."""

    def answers(rows: slice) -> np.ndarray:
        tokens = exported.tokenise(sample.captions[rows])
        return exported.probabilities(sample.images[rows], tokens)

    last = min(ODD, len(found))
    alone = np.concatenate([answers(slice(row, row + 1)) for row in range(last)])
    together = answers(slice(0, last))
    largest = max(float(np.abs(one - found[:last]).max()) for one in (alone, together))
    require_near(largest, "in batches of 1 and of an odd number its probabilities are others")
    return largest


def _of_files(
    folder: DeployedFolder, found: np.ndarray, sample: Sample, threads: int
) -> tuple[int, float]:
    """Read the first pairs from their files and classify them, as who is given the folder does.

    Their squares have to be those that were packed, pixel by pixel.

    Args:
        folder: The deployed folder.
        found: What the network makes of all pairs' packed images, (N, C).
        sample: The pairs.
        threads: Threads that ONNX Runtime may use.

    Returns:
        How many pairs, and how much their calibrated probabilities differ from the packed images'.
    """
    pixels = _from_files(folder.facts["image"], sample)
    pairs = zip(pixels, sample.images[: len(pixels)], strict=True)
    if others := [row for row, (read, one) in enumerate(pairs) if not np.array_equal(read, one)]:
        raise PairDxError(
            f"{len(others)} of {len(pixels)} files give other pixels than the packed images have",
            where=sample.table["member"].iloc[others[0]],
            remedy=REMEDY,
        )
    read = load(folder, threads=threads).classify(pixels, sample.captions[:FILES])
    packed = calibrated(found[:FILES], folder.facts["temperature"])
    largest = float(np.abs(packed - read).max())
    said = "files give other probabilities than the packed images made of them"
    require_near(largest, said, tolerance_at(folder.facts["temperature"]))
    return len(pixels), largest


def _from_files(image: Mapping[str, Any], sample: Sample) -> np.ndarray:
    """Make squares of the first pairs' files, with what a reviewer cut off: uint8 (F, S, S, 3)."""
    few = sample.table.iloc[:FILES]
    pixels = np.zeros((len(few), image["size"], image["size"], 3), dtype=np.uint8)
    at = {index: row for row, index in enumerate(few.index)}
    for index, content in encoded_images(few, sample.archives):
        edit = str(few.at[index, "image_edit"])
        made = square(content, image["size"], image["squaring"], edit)
        if not isinstance(made, Square):
            where = few.at[index, "member"]
            raise PairDxError(f"an image of a curated pair is not read: {made}", where=where)
        pixels[at[index]] = made.pixels
    return pixels
