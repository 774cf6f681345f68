"""CLIP-IT as it is exported (see :mod:`pairdx.models.exported`)."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from pairdx.training.batches import as_float_images


class Graph(nn.Module):
    """CLIP-IT from images to probabilities."""

    reads = ("images",)

    def __init__(self, classifier: Any) -> None:
        super().__init__()
        self.network = classifier.network
        self.channels_last = classifier.settings["channels_last"]

    def forward(self, *inputs: Tensor) -> Tensor:
        """Classify uint8 images (B, S, S, 3), the only input: float32 (B, C)."""
        (images,) = inputs
        scores: Tensor = self.network(as_float_images(images, channels_last=self.channels_last))
        return scores.float().softmax(dim=1)
