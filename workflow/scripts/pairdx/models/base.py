"""What every family of systems is to the rest of the library.

A family is a folder of this package, and nothing else names it but the entries of its systems:

``description.py``
    What planning asks of it (:class:`pairdx.plan.descriptions.Family`): standard library only.
``settings.schema.yaml``
    What the settings of its systems may be (:mod:`pairdx.plan.schemas`).
``system.py``
    Builds, fits and loads its systems, by the functions below.
``explanation.py``, if its description says EXPLAINED
    ``explain(classifier, image, caption)`` (:class:`pairdx.models.explanation.Explainer`).
``graph.py``, if its description says EXPORTED
    ``Graph(classifier)``, the network for ONNX Runtime (:func:`pairdx.models.exported.graph`).

``system.py`` has three functions:

``build(settings, classes, resources, seed) -> Classifier``
    The system before any training. ``resources`` holds the files it needs, by name (``weights``,
    ``word_vectors``, ``vocabulary``).
``fit(classifier, train, validation, job) -> DataFrame``
    Train it in place; the rows of training.csv.
``load(folder, resources) -> Classifier``
    The system as :meth:`Classifier.save` left it.

and may have a fourth:

``fits_images(settings) -> bool``
    Whether ``fit`` looks at images; without it, it does. Where it does not, their file is not even
    opened: time and memory of a training are those of what it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from pairdx import finding_texts
from pairdx.errors import PairDxError
from pairdx.image_rows import ImageRows, Images, RowNumbers
from pairdx.logs import progress

SETTINGS_FILE = "settings.json"
WEIGHTS_FILE = "model.safetensors"
# Weights are looked at when they are read and when a training ends; their size is not.
NO_NUMBERS_REMEDY = (
    "look for numbers of extreme size in the files that it is made from; if it was trained here "
    "and its losses in training.csv grow, lower its learning_rate"
)


@dataclass(frozen=True)
class Pairs:
    """N image-caption pairs, whose images are read when their rows are asked for.

    Attributes:
        table: Columns pair_id, case_id, caption and label, with the index 0 to N - 1; of several
            labels per pair also findings (:mod:`pairdx.finding_texts`).
        images: uint8 of shape (N, S, S, 3), RGB; row i belongs to row i of the table. Of packed
            ones no more is in memory than what was asked for last. S is 0 where images are not
            read.
        classes: The labels, in the order of every table and figure.

    Raises:
        PairDxError: The images do not fit the table, or a label is not among the classes.
    """

    table: pd.DataFrame
    images: Images
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        shape = self.images.shape
        square = len(shape) == 4 and shape[1] == shape[2] and shape[3] == 3
        if not square or shape[0] != len(self.table) or self.images.dtype != np.uint8:
            raise PairDxError(
                f"images of shape {shape} and type {self.images.dtype} do not fit "
                f"{len(self.table)} pairs; uint8 of shape (pairs, S, S, 3) does",
                remedy="delete the packed images of the dataset; they are made again",
            )
        unknown = sorted(set(self.table["label"]) - set(self.classes))
        if unknown and not self.several:
            raise PairDxError(f"the label {unknown[0]!r} is not among the classes {self.classes}")

    def __len__(self) -> int:
        return len(self.table)

    def at(self, rows: RowNumbers) -> Pairs:
        """Return the pairs at some rows, whose images are not read yet."""
        table = self.table.iloc[rows].reset_index(drop=True)
        return Pairs(table, ImageRows(self.images, rows), self.classes)

    @property
    def captions(self) -> list[str]:
        """The N captions."""
        return self.table["caption"].tolist()

    @property
    def several(self) -> bool:
        """Whether any number of classes can be true of a pair."""
        return finding_texts.COLUMN in self.table

    @property
    def findings(self) -> np.ndarray:
        """What is known of each of several classes, float32 (N, C): 1, 0, or NaN for unknown."""
        texts = self.table[finding_texts.COLUMN]
        return finding_texts.decode(texts, self.classes).astype(np.float32)

    @property
    def labels(self) -> np.ndarray:
        """The N labels as positions in ``classes``, int64."""
        positions = {name: position for position, name in enumerate(self.classes)}
        return self.table["label"].map(positions).to_numpy(dtype=np.int64)

    @property
    def image_size(self) -> int:
        """Side of the images in pixels."""
        return int(self.images.shape[1])


@dataclass(frozen=True)
class FitJob:
    """The circumstances of a training job: what does not belong to the system itself.

    Attributes:
        seed: Of everything random in training.
        device: ``cpu`` or ``cuda``.
        state_folder: Where training state is kept, so that an interrupted job goes on; or None.
        threads: CPU threads.
        loader_workers: Processes that gather batches ahead where images stay in main memory.
        checkpoint_minutes: See :func:`pairdx.training.loop.train`.
        after_epoch: Called with each epoch's row of training.csv.
    """

    seed: int
    device: str = "cpu"
    state_folder: Path | None = None
    threads: int = 1
    loader_workers: int = 0
    checkpoint_minutes: float | None = None
    after_epoch: Callable[[Mapping[str, float]], None] | None = None


class Classifier(Protocol):
    """A system that gives every image-caption pair one probability per class."""

    @property
    def parameters(self) -> int:
        """Number of parameters, frozen ones included."""

    @property
    def trained_parameters(self) -> int:
        """Number of those that training moves, or has moved; 0 for an untrained system."""

    def tokenise(self, captions: Sequence[str]) -> Any:
        """Turn B captions into what ``probabilities`` reads: the text stage alone, on the CPU.

        None for a system that reads no caption.
        """

    def probabilities(self, images: np.ndarray, tokens: Any) -> np.ndarray:
        """Classify uint8 images of shape (B, S, S, 3): float32 of shape (B, C), rows add up to 1.

        Of several labels per pair each is a probability of its own: float64, 0 to 1.
        Normalisation is included. Computed where the weights are: the CPU, unless moved.
        """

    def save(self, folder: Path) -> None:
        """Write settings.json, and model.safetensors if the system was trained."""


@runtime_checkable
class ChoosingClassifier(Protocol):
    """What a classifier has besides of which training chooses a setting on validation pairs."""

    chosen: Mapping[str, float]


@runtime_checkable
class ObservingClassifier(Protocol):
    """What a classifier has besides that watches something of its own while it is trained.

    Attributes:
        observed: What it came to, for the passport; with ``warning``, a sentence, if it is amiss.
    """

    observed: Mapping[str, Any]


@runtime_checkable
class FindingClassifier(Protocol):
    """What a classifier offers besides that can be asked about findings of other datasets."""

    def about(self, classes: Sequence[str], settings: Mapping[str, Any]) -> Classifier:
        """Return the same system, asked about other classes.

        Args:
            classes: The findings.
            settings: What it would be built from on the dataset that has them.
        """


@runtime_checkable
class WordClassifier(Protocol):
    """What a classifier may offer whose words have vectors that training does not move.

    Words that only another dataset has can then be added after training, and change nothing else.
    """

    def add_words(self, resources: Mapping[str, Path]) -> int:
        """Know the words of another dataset, too; return how many are new.

        Args:
            resources: ``word_vectors`` and ``vocabulary`` of that dataset.

        Raises:
            PairDxError: A file is missing, damaged or of another dimension.
        """


def predict(classifier: Classifier, pairs: Pairs, batch_size: int) -> np.ndarray:
    """Return the class probabilities of all pairs, (N, C): see :meth:`Classifier.probabilities`.

    Raises:
        PairDxError: A probability is not a number.
    """
    return predict_of(classifier, pairs.images, pairs.captions, len(pairs.classes), batch_size)


def predict_of(
    classifier: Classifier, images: Images, captions: Sequence[str], classes: int, batch_size: int
) -> np.ndarray:
    """Return the same of images and captions whose classes need not be the classifier's.

    Args:
        classifier: A system of C classes.
        images: uint8 of shape (N, S, S, 3); a batch of them at a time is read.
        captions: N captions.
        classes: C.
        batch_size: Pairs at a time.

    Raises:
        PairDxError: A probability is not a number.
    """
    parts = [np.zeros((0, classes), dtype=np.float32)]
    starts = range(0, len(captions), batch_size)
    for start in progress(starts, "predicting, batches"):
        rows = slice(start, start + batch_size)
        tokens = classifier.tokenise(captions[rows])
        parts.append(classifier.probabilities(np.asarray(images[rows]), tokens))
    found = np.concatenate(parts)
    if not np.isfinite(found).all():
        raise PairDxError(
            "the model predicts values that are not numbers",
            remedy=NO_NUMBERS_REMEDY,
        )
    return found
