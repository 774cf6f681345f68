"""CLIP-IT (Karimian et al., 2025): privileged text distilled into an image classifier.

In training every image has a text, which a pairing chose. What is saved reads images alone: the
network of :mod:`pairdx.models.clip_it.network`, and no text encoder. By its settings the family is
also the ordinary image classifier that CLIP-IT is compared with, and each of its ablations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from pairdx.errors import PairDxError
from pairdx.files import write_json
from pairdx.models.answers import Answers
from pairdx.models.base import SETTINGS_FILE, WEIGHTS_FILE, FitJob, Pairs
from pairdx.models.clip_it.backbones import Facts, build_backbone, facts_of, rebuild_backbone
from pairdx.models.clip_it.collapse import observed_of, spread_of
from pairdx.models.clip_it.network import ClipItNetwork
from pairdx.models.neural import (
    count_parameters,
    fit_network,
    images_for,
    require_image_size,
)
from pairdx.models.sources import (
    named_with_checksum,
    read_settings,
    require_resource,
    weights_file,
)
from pairdx.models.weights import load_strictly, read_weights, save_weights

if TYPE_CHECKING:
    from pairdx.models.clip_it.objective import Distillation
    from pairdx.models.clip_it.paired_texts import PairedTexts

FAMILY = "clip_it"


@dataclass(frozen=True)
class Privileged:
    """What training alone is given: the paired texts, and the files that it was found in."""

    texts: PairedTexts
    resources: Mapping[str, Path]


class ClipItClassifier:
    """CLIP-IT, or the image classifier without texts (see :class:`pairdx.models.base.Classifier`).

    Attributes:
        network: The network.
        facts: What there is to know of its backbone.
        settings: Its settings in config/systems.
        classes: The C labels.
        seed: Of the initial weights.
        sources: Names and checksums of the files that it was built from.
        image_size: Side in pixels of the images it was trained on; None before training.
        trained_parameters: Number of parameters that training moved: all that are not frozen,
            adapters in place of what they are merged into; 0 before training.
        observed: What the predicted texts came to in the epoch that is kept; empty without texts.
        privileged: What training alone is given; None after loading, and without texts.
    """

    def __init__(
        self,
        network: ClipItNetwork,
        facts: Mapping[str, Any],
        settings: Mapping[str, Any],
        classes: Sequence[str],
        seed: int,
        sources: Mapping[str, Mapping[str, str]],
        privileged: Privileged | None = None,
    ) -> None:
        self.network, self.facts, self.settings = network, dict(facts), settings
        self.classes, self.seed, self.sources = tuple(classes), seed, dict(sources)
        self.privileged = privileged
        self.image_size: int | None = None
        self.trained_parameters = 0
        self.observed: dict[str, Any] = {}
        if settings["channels_last"]:
            self.network.to(memory_format=torch.channels_last)
        self.network.eval()

    @property
    def parameters(self) -> int:
        """Number of parameters, frozen ones included; no text encoder's are among them."""
        return count_parameters(self.network)

    def tokenise(self, captions: Sequence[str]) -> None:
        """Return None: captions are not read."""

    def probabilities(self, images: np.ndarray, tokens: None) -> np.ndarray:
        """Classify uint8 images (B, S, S, 3): float32 (B, C).

        One softmax of the scores, whatever the setting ``softmax`` says of training.
        """
        return self.answers(images, tokens).probabilities

    def answers(self, images: np.ndarray, tokens: None) -> Answers:  # noqa: ARG002
        """Return the network's outputs, too, of which the probabilities are the softmax."""
        scores = self._scores(images)
        return Answers(scores.softmax(dim=1).cpu().numpy(), scores.cpu().numpy())

    def _scores(self, images: np.ndarray) -> Tensor:
        if self.image_size is not None:
            require_image_size(images.shape[1], self.image_size)
        require_side(images.shape[1], self.facts["side"], self.settings)
        with torch.inference_mode():
            return self.network(images_for(self.network, images, self.settings)).float()

    def save(self, folder: Path) -> None:
        """Write model.safetensors and settings.json."""
        save_weights(self.network, folder / WEIGHTS_FILE)
        write_json(
            folder / SETTINGS_FILE,
            {
                "family": FAMILY,
                "settings": dict(self.settings),
                "classes": list(self.classes),
                "seed": self.seed,
                "image_size": self.image_size,
                "backbone": self.facts,
                "trained_parameters": self.trained_parameters,
                "sources": self.sources,
            },
        )


def build(
    settings: Mapping[str, Any], classes: Sequence[str], resources: Mapping[str, Path], seed: int
) -> ClipItClassifier:
    """Build the untrained system.

    Args:
        settings: See config/systems.
        classes: The C labels.
        resources: ``weights`` of the backbone, unless they are random; if it learns from texts,
            ``matches``, ``texts`` and ``text_features``, and ``text_encoder``, if that runs in
            training and has weights.
        seed: Of the initial weights.

    Raises:
        PairDxError: A file is missing or does not fit, there is no such backbone, or the settings
            contradict one another.
    """
    chosen = settings["backbone"]
    named = chosen["encoder"]["weights"] if chosen["library"] == "open_clip" else chosen["weights"]
    path = None if named is None else require_resource(resources, "weights")
    backbone = build_backbone(chosen, path, seed)
    sources = {} if path is None else {"weights": named_with_checksum(weights_file(path))}
    privileged = None
    if learns_from_texts(settings):
        from pairdx.models.clip_it.paired_texts import read_paired_texts

        privileged = Privileged(read_paired_texts(resources), dict(resources))
        sources |= privileged.texts.sources()
    network = ClipItNetwork(backbone, settings, len(classes), seed)
    return ClipItClassifier(
        network, facts_of(backbone), settings, classes, seed, sources, privileged
    )


def learns_from_texts(settings: Mapping[str, Any]) -> bool:
    """Say whether texts take part in training: there are some, and their loss has a weight."""
    return settings["pairing"] is not None and settings["distillation_weight"] > 0


def fit(classifier: ClipItClassifier, train: Pairs, validation: Pairs, job: FitJob) -> pd.DataFrame:
    """Train in place; return the rows of training.csv.

    What is trained of the backbone is all of it, adapters, which are merged into its weights at the
    end, or nothing. Where texts take part, their columns stand behind the usual ones.

    Raises:
        PairDxError: Pairs have no texts, or those of another encoder; or see
            :func:`pairdx.training.loop.train`.
    """
    settings = classifier.settings
    require_image_size(validation.image_size, train.image_size)
    require_side(train.image_size, classifier.facts["side"], settings)
    texts = [_positions(classifier, pairs) for pairs in (train, validation)]
    with _trainable(classifier, job.seed, settings.get("resize_to") or train.image_size):
        objective = _objective(classifier, job.seed)
        rows = fit_network(
            objective.module,
            objective,
            settings,
            train,
            validation,
            (texts[0], texts[1]),
            classifier.sources,
            job,
        )
    classifier.network.eval()
    classifier.image_size = train.image_size
    best = settings["keep_epoch"] == "best"
    classifier.observed = observed_of(rows, objective.reference, keep_best=best)
    return rows


def load(folder: Path, resources: Mapping[str, Path]) -> ClipItClassifier:  # noqa: ARG001
    """Load a saved system; it is self-contained, so no resources are read.

    Raises:
        PairDxError: The folder holds no saved CLIP-IT, or its files do not belong together.
    """
    content = read_settings(folder, FAMILY)
    settings, facts = content["settings"], content["backbone"]
    backbone = rebuild_backbone(settings["backbone"], Facts(**facts))
    network = ClipItNetwork(backbone, settings, len(content["classes"]), content["seed"])
    load_strictly(network, read_weights(folder / WEIGHTS_FILE), folder / WEIGHTS_FILE)
    classifier = ClipItClassifier(
        network, facts, settings, content["classes"], content["seed"], content["sources"]
    )
    classifier.image_size = content["image_size"]
    classifier.trained_parameters = content["trained_parameters"]
    return classifier


def require_side(packed: int, side: int | None, settings: Mapping[str, Any]) -> None:
    """Refuse images of another size than a backbone reads that reads one size only.

    Raises:
        PairDxError: The packed images, or what they are resized to, are of another size.
    """
    given = settings.get("resize_to") or packed
    if side is not None and given != side:
        raise PairDxError(
            f"the backbone reads images of {side} pixels, and is given {given}",
            where="systems: … settings: resize_to",
            remedy=f"set resize_to to {side}, or pack images of that size (packing: image_size)",
        )


def _positions(classifier: ClipItClassifier, pairs: Pairs) -> np.ndarray:
    """Return where in the bank the pairs' texts stand, int64 (N, 1); (N, 0) without texts."""
    if classifier.privileged is None:
        return np.zeros((len(pairs), 0), dtype=np.int64)
    return classifier.privileged.texts.positions(pairs.table["pair_id"].tolist())


@contextmanager
def _trainable(classifier: ClipItClassifier, seed: int, side: int) -> Iterator[None]:
    """Choose what is trained of the network inside the block; adapters are merged at its end.

    Args:
        classifier: The system.
        seed: Of adapters.
        side: In pixels, of the images that the backbone is given.
    """
    network, settings = classifier.network, classifier.settings
    adapted = None
    if settings["trains"] == "adapters":
        # peft takes a second to load, which predicting and timing do without.
        from pairdx.models.adapters import adapt_layers, merge_adapters

        if settings["lora"] is None:
            raise PairDxError(
                "adapters are to be trained, and nothing says which",
                where="systems: … settings: lora",
                remedy="state lora, or set trains to head or everything",
            )
        adapted = adapt_layers(
            network.backbone,
            settings["lora"],
            seed,
            encode=lambda: network.backbone(torch.zeros(1, 3, side, side)),
        )
    classifier.trained_parameters = count_parameters(network, trained=True)
    yield
    if adapted is not None:
        merge_adapters(adapted)


def _objective(classifier: ClipItClassifier, seed: int) -> Distillation:
    """Make the objective and all that is in training.

    Args:
        classifier: The system.
        seed: Of adapters and of the projection.
    """
    from pairdx.models.clip_it.objective import Distillation, InTraining

    settings, privileged = classifier.settings, classifier.privileged
    teacher, dimension, reference = None, 0, 0.0
    if privileged is not None:
        from pairdx.models.clip_it.teacher import make_teacher

        teacher = make_teacher(settings, privileged.texts, privileged.resources, seed)
        dimension = privileged.texts.dimension
        # All of the bank, not those that were chosen: where every image has one and the same text,
        # predictions that are all the same have collapsed, too.
        reference = spread_of(torch.from_numpy(privileged.texts.features.texts))
    width = classifier.facts["dimension"]
    return Distillation(
        InTraining(classifier.network, teacher, dimension, width, settings, seed),
        weight=settings["distillation_weight"],
        softmax=settings["softmax"],
        detach=settings["text_encoder"]["detach"],
        reference=reference,
    )
