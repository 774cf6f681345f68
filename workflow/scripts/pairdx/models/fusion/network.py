"""The network of PairDxFusion (paper, Section 3.5), whole or with one of its branches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from pairdx.models.fusion.encoders import CaptionEncoder
from pairdx.models.fusion.modes import Fusion

if TYPE_CHECKING:
    from pairdx.models.fusion.images import ImageEncoder


class FusionNetwork(nn.Module):
    """What is made of image and caption, joined and classified by two fully connected layers.

    Linear, batch normalisation, ReLU, dropout, linear: the paper names these parts and states
    neither their order, nor the width, nor the share dropped. A network with one encoder, which is
    not the paper's, classifies that encoder's vector by the same layers.

    Args:
        images: The image encoder; None for a network that reads captions alone.
        captions: The caption encoder; None for a network that reads images alone.
        fusion: Joins what the encoders make.
        hidden: Width of the hidden layer.
        dropout: Share of the hidden layer dropped in training.
        classes: Number of classes C.
        normalise: Turns images in [0, 1] into what the image encoder was trained on.
        freeze_images: Leave the image encoder as it is, its batch statistics included.
    """

    def __init__(
        self,
        images: ImageEncoder | None,
        captions: CaptionEncoder | None,
        fusion: Fusion,
        *,
        hidden: int,
        dropout: float,
        classes: int,
        normalise: nn.Module,
        freeze_images: bool,
    ) -> None:
        super().__init__()
        self.images, self.captions, self.normalise = images, captions, normalise
        self.fusion = fusion
        self.classify = nn.Sequential(
            nn.Linear(fusion.dimension, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, classes),
        )
        self.freeze_images = freeze_images
        if images is not None and freeze_images:
            images.requires_grad_(requires_grad=False)

    def train(self, mode: bool = True) -> FusionNetwork:
        """Switch to training; a frozen image encoder stays in evaluation mode."""
        super().train(mode)
        if self.images is not None and self.freeze_images:
            self.images.eval()
        return self

    def forward(self, images: Tensor, ids: Tensor) -> Tensor:
        """Classify images and captions; what the network has no encoder for is not looked at.

        Args:
            images: float32 of shape (B, 3, S, S), in [0, 1].
            ids: int64 word numbers of shape (B, L).

        Returns:
            Class scores (logits) of shape (B, C).
        """
        image = None if self.images is None else self.images.features(self.normalise(images))
        caption = None if self.captions is None else self.captions.features(ids)
        scores: Tensor = self.classify(self.fusion(image, caption))
        return scores
