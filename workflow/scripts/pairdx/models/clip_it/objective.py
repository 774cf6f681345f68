"""What CLIP-IT is trained for: cross-entropy, and predicted features like those of real texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pairdx.errors import PairDxError
from pairdx.logs import logger
from pairdx.models.clip_it.collapse import OBSERVED, Spread, is_collapsed
from pairdx.models.clip_it.network import ClipItNetwork, Seen
from pairdx.models.clip_it.teacher import Teacher
from pairdx.training.batches import Batch
from pairdx.training.optimisation import Objective
from pairdx.training.randomness import seeded


class InTraining(nn.Module):
    """All that is in training: the network, which is kept, and the text side, which is not.

    Args:
        network: What classifies.
        teacher: What tells the features of real texts; None without distillation.
        dimension: Their length T; 0 without.
        settings: ``distil_into``: ``text_branch``, or ``image_embedding``: then the features of
            the image themselves become like those of its text, by a linear projection only where
            their lengths differ.
        seed: Of that projection.
    """

    def __init__(
        self,
        network: ClipItNetwork,
        teacher: Teacher | None,
        dimension: int,
        width: int,
        settings: Mapping[str, Any],
        seed: int,
    ) -> None:
        super().__init__()
        self.network, self.teacher = network, teacher
        self.into_image = settings["distil_into"] == "image_embedding"
        self.project: nn.Module | None = None
        if teacher is None:
            return
        if not self.into_image:
            _require_branch(settings["text_branch"], dimension)
        elif width != dimension:
            with seeded(torch.device("cpu"), "projection", seed):
                self.project = nn.Linear(width, dimension)

    def predicted(self, seen: Seen) -> Tensor:
        """Return what is to be like the features of the texts: float (B, T)."""
        if not self.into_image:
            return cast("Tensor", seen.text)  # there is a text branch, as was seen to above
        return seen.image if self.project is None else self.project(seen.image)


class Distillation(Objective):
    """Cross-entropy + weight x mean(1 - cos(text, predicted text)), in float32.

    The real texts teach by the second term alone: they are never classified.

    Args:
        module: The network and its teacher.
        weight: Lambda; 0 without a teacher.
        softmax: ``single``: cross-entropy of the scores. ``double``: cross-entropy takes the
            softmax of what is a softmax already, as the authors' code does.
        detach: Whether features of real texts are targets only. Without, an encoder with adapters
            learns to be predictable, too.
        reference: Spread of the frozen features of all texts of the bank, each once.
    """

    def __init__(
        self,
        module: InTraining,
        *,
        weight: float,
        softmax: str,
        detach: bool,
        reference: float = 0.0,
    ) -> None:
        if softmax not in ("single", "double"):
            raise PairDxError(
                f"there is no softmax {softmax!r}",
                where="systems: … settings: softmax",
                remedy="use single or double",
            )
        self.module, self.weight, self.reference = module, weight, reference
        self.twice, self.detach = softmax == "double", detach
        self._watch()

    def _watch(self) -> None:
        self.predicted, self.real, self.distances = Spread(), Spread(), Spread()

    def prepare(self) -> None:
        """Forget what the last pass showed."""
        self._watch()

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss and the scores; outside training, look at the predicted texts as well."""
        seen = self.module.network.see(batch.images)
        scores = seen.scores.float()
        loss = classification_loss(scores, batch.labels, twice=self.twice)
        if self.module.teacher is None:
            return loss, scores
        real = self.module.teacher(batch.texts[:, 0])
        predicted = self.module.predicted(seen).float()
        distances = text_distances(predicted, real.detach() if self.detach else real)
        if not self.module.training:
            self.predicted.add(predicted)
            self.real.add(real)
            self.distances.add_plain(distances)
        return loss + self.weight * distances.mean(), scores

    def observed(self) -> dict[str, float]:
        """Return the loss and spreads of the validation pass, and warn of collapse."""
        if self.module.teacher is None:
            return {}
        predicted = self.predicted
        values = self.distances.mean, predicted.spread, predicted.cosine, self.real.spread
        logger.info(
            "predicted texts: %.3f from the real ones (1 - cosine), spread %.4f, cosine with one "
            "another %.3f; spread of the real ones %.4f, of the bank's features %.4f",
            *values,
            self.reference,
        )
        if is_collapsed(predicted.spread, self.reference):
            logger.warning("the predicted texts are nearly the same for all images (collapse)")
        return dict(zip(OBSERVED, values, strict=True))


def classification_loss(scores: Tensor, labels: Tensor, *, twice: bool) -> Tensor:
    """Return the mean cross-entropy of scores (B, C), after one softmax or two."""
    return F.cross_entropy(scores.softmax(dim=1) if twice else scores, labels)


def text_distances(predicted: Tensor, real: Tensor) -> Tensor:
    """Return 1 - cosine of rows (B, T) and (B, T): (B,), in float32 whatever the precision."""
    with torch.autocast(predicted.device.type, enabled=False):
        return 1 - F.cosine_similarity(predicted.float(), real.float(), dim=1)


def _require_branch(branch: Mapping[str, Any] | None, dimension: int) -> None:
    """Refuse to distil into what is not there, or is of another length."""
    if branch is None:
        raise PairDxError(
            "there is no text branch that features of texts could be distilled into",
            where="systems: … settings: distil_into",
            remedy="state text_branch, or use image_embedding",
        )
    if branch["dimension"] != dimension:
        raise PairDxError(
            f"features of texts are {dimension} numbers, and the text branch predicts "
            f"{branch['dimension']}",
            where="systems: … settings: text_branch: dimension",
            remedy=f"set it to {dimension}, or use a pairing whose encoder gives "
            f"{branch['dimension']}",
        )
