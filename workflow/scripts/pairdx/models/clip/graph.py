"""A CLIP system as it is exported (see :mod:`pairdx.models.exported`)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from pairdx.training.batches import as_float_images


class Graph(nn.Module):
    """A CLIP system from images to probabilities; the features of its classes are constants."""

    reads = ("images",)
    classes: Tensor

    def __init__(self, classifier: Any) -> None:
        super().__init__()
        self.network = classifier.network
        self.several = self.network.several
        self.channels_last = classifier.settings.get("channels_last", False)
        temperature = classifier.settings["temperature"]
        with torch.no_grad():
            scale = self.network.scale() if temperature is None else 1 / temperature
            self.register_buffer("classes", scale * classifier.class_features().clone())

    def forward(self, *inputs: Tensor) -> Tensor:
        """Classify uint8 images (B, S, S, 3), the only input: float32 (B, C).

        See :meth:`pairdx.models.clip.system.ClipClassifier.probabilities`.
        """
        (images,) = inputs
        floats = as_float_images(images, channels_last=self.channels_last)
        scores = self.network.image_features(floats) @ self.classes.T
        if self.several:
            present, absent = scores.chunk(2, dim=1)
            return (present - absent).sigmoid()
        return scores.softmax(dim=1)
