"""PairDxFusion as it is exported (see :mod:`pairdx.models.exported`)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from pairdx.training.batches import as_float_images


class Graph(nn.Module):
    """PairDxFusion from what its branches read to probabilities."""

    def __init__(self, classifier: Any) -> None:
        super().__init__()
        self.network = classifier.network
        self.channels_last = classifier.settings["channels_last"]

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the inputs: ``images``, ``ids`` or both."""
        branches = {"images": self.network.images, "ids": self.network.captions}
        return tuple(name for name, encoder in branches.items() if encoder is not None)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Classify, with the inputs in the order of ``reads``: float32 (B, C)."""
        given = dict(zip(self.reads, inputs, strict=True))
        images = ids = torch.empty(0)
        if "images" in given:
            images = as_float_images(given["images"], channels_last=self.channels_last)
        if "ids" in given:
            ids = given["ids"]
        scores: Tensor = self.network(images, ids)
        return scores.float().softmax(dim=1)
