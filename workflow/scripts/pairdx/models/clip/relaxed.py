"""The contrastive objective with relaxed positive pairs: a reconstruction.

It is ours in its form; the exact one of Jang et al. is not public (see
:mod:`pairdx.models.clip.relaxation`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import numpy as np
import torch
from torch import Tensor

from pairdx.logs import logger
from pairdx.models.clip.objectives import ClipNetwork, Contrastive, contrastive_loss
from pairdx.models.clip.relaxation import Relaxation
from pairdx.training.batches import Batch
from pairdx.training.distributed import current_team

# What training.csv says of validation pairs besides, in the order of its columns.
OBSERVED = ("positive_cosine", "above_threshold")


class RelaxedContrastive(Contrastive):
    """Align images with their texts, and ask less of pairs that are aligned well enough.

    Relaxed in training only: the loss of validation pairs is the plain one, so that losses of
    systems compare. A threshold that is a quantile is measured once, before the first step, and is
    a buffer of the network, so that a training that goes on after an interruption keeps it.
    """

    def __init__(
        self, network: ClipNetwork, relaxation: Relaxation, *, ignore_duplicate_captions: bool
    ) -> None:
        super().__init__(network, ignore_duplicate_captions=ignore_duplicate_captions)
        self.relaxation = relaxation
        start = torch.tensor(relaxation.threshold or 0.0, dtype=torch.float32)
        network.register_buffer("positive_threshold", start)
        self._watch()

    @property
    def threshold(self) -> Tensor:
        """The cosine above which pairs are relaxed: a scalar, where the network is."""
        return cast("Tensor", self.network.positive_threshold)

    def begin(self, training: Iterable[Batch]) -> None:
        """Measure the threshold, if it is a quantile of the cosines of the training pairs."""
        quantile = self.relaxation.quantile
        if quantile is None:
            return
        team = current_team()
        measured = self._cosines(training) if team.leads else None
        cosines = team.from_leader(measured)
        self.threshold.fill_(float(np.quantile(cosines, quantile)))
        logger.info(
            "positive pairs are relaxed above a cosine of %.4f: the quantile %g of %d training "
            "pairs before training, whose cosines are %.4f to %.4f",
            *(float(self.threshold), quantile, len(cosines), cosines.min(), cosines.max()),
        )

    def _cosines(self, training: Iterable[Batch]) -> np.ndarray:
        network = self.network
        found = [
            _pairwise(network.image_features(batch.images), network.text_features(batch.texts))
            for batch in training
        ]
        return torch.cat(found).double().cpu().numpy()

    def _watch(self) -> None:
        self.seen: list[Tensor] = []

    def prepare(self) -> None:
        """Encode the prompts for the coming pass, and forget what the last one showed."""
        super().prepare()
        self._watch()

    def loss(self, images: Tensor, texts: Tensor, same: Tensor | None) -> Tensor:
        """Return the relaxed loss in training, and the plain one otherwise."""
        if not self.network.training:
            self.seen.append(_pairwise(images, texts))
            return super().loss(images, texts, same)
        how = (self.relaxation, self.threshold)
        return contrastive_loss(images, texts, self.network.scale(), same, how)

    def observed(self) -> dict[str, float]:
        """Return the mean cosine of validation pairs, and the share above the threshold."""
        if not self.relaxation.has_threshold:
            return {}
        cosines = torch.cat(self.seen)
        values = cosines.double().mean(), (cosines > self.threshold).double().mean()
        return dict(zip(OBSERVED, map(float, values), strict=True))


def _pairwise(images: Tensor, texts: Tensor) -> Tensor:
    """Return the cosine of each row of length 1 with the same row of the other: float32 (B,)."""
    with torch.autocast(images.device.type, enabled=False):
        return (images.float() * texts.float()).sum(dim=1)
