"""The network of PairDxFusion (paper, Section 3.5)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import ResNet, resnet18
from torchvision.models.resnet import BasicBlock

from pairdx.errors import PairDxError
from pairdx.words import PADDING_ID

IMAGE_ENCODERS = ("resnet18", "resnet10")
POOLINGS = ("masked_mean", "max")
IMAGE_DIMENSION = 512


def image_encoder(name: str) -> ResNet:
    """Build a randomly initialised ResNet without its last layer: images to 512 numbers each.

    ``resnet18`` is the paper's; ``resnet10`` has one block per stage instead of two (demo).
    """
    if name == "resnet18":
        network = resnet18(weights=None)
    elif name == "resnet10":
        network = ResNet(BasicBlock, [1, 1, 1, 1])
    else:
        raise PairDxError(
            f"there is no image encoder {name!r}",
            where="models: … settings: image_encoder",
            remedy=f"use {' or '.join(IMAGE_ENCODERS)}",
        )
    # The last convolutional block has 512 channels; global average pooling is part of the ResNet.
    network.fc = nn.Identity()
    return network


class CaptionEncoder(nn.Module):
    """Word numbers to one vector per caption: frozen word vectors, self-attention, pooling.

    Attention is softmax(Q K^T / sqrt(d_k)) V, with Q, K and V linear in the word vectors (paper,
    Section 3.5; it shows one head and states neither d_k, nor the pooling, nor how padding is
    treated). Padding is never attended to and never pooled, so it changes nothing. A caption
    without words gives zeros.

    Args:
        vectors: float32 of shape (V, d): the word vectors; row 0 is padding.
        dimension: Length of Q, K, V and of the result, a multiple of ``heads``.
        heads: Number of attention heads; each has dimension / heads numbers.
        pooling: ``masked_mean`` or ``max`` over a caption's words.
    """

    def __init__(self, vectors: Tensor, *, dimension: int, heads: int, pooling: str) -> None:
        super().__init__()
        if heads < 1 or dimension % heads:
            raise PairDxError(
                f"{dimension} numbers cannot be divided among {heads} attention heads",
                where="models: … settings: attention",
                remedy="make dimension a multiple of heads",
            )
        if pooling not in POOLINGS:
            raise PairDxError(
                f"there is no pooling {pooling!r}",
                where="models: … settings: pooling",
                remedy=f"use {' or '.join(POOLINGS)}",
            )
        self.heads, self.pooling = heads, pooling
        self.words = nn.Embedding.from_pretrained(vectors, freeze=True, padding_idx=PADDING_ID)
        self.query = nn.Linear(vectors.shape[1], dimension)
        self.key = nn.Linear(vectors.shape[1], dimension)
        self.value = nn.Linear(vectors.shape[1], dimension)

    def forward(self, ids: Tensor) -> Tensor:
        """Encode int64 word numbers of shape (B, L): float of shape (B, dimension)."""
        is_word = ids != PADDING_ID
        words = self.words(ids)
        query, key, value = (
            self._by_head(project(words)) for project in (self.query, self.key, self.value)
        )
        # A row without any word may look at its padding: a softmax over nothing would be NaN, and
        # the pooling below leaves the row out anyway.
        visible = is_word | ~is_word.any(dim=1, keepdim=True)
        attended = F.scaled_dot_product_attention(
            query, key, value, attn_mask=visible[:, None, None, :]
        )
        attended = attended.transpose(1, 2).flatten(start_dim=2)
        return self._pool(attended, is_word.unsqueeze(2))

    def _by_head(self, projected: Tensor) -> Tensor:
        """(B, L, dimension) to (B, heads, L, dimension / heads)."""
        return projected.unflatten(2, (self.heads, -1)).transpose(1, 2)

    def _pool(self, attended: Tensor, is_word: Tensor) -> Tensor:
        if self.pooling == "masked_mean":
            count = is_word.sum(dim=1).clamp(min=1)
            return attended.masked_fill(~is_word, 0.0).sum(dim=1) / count
        largest = attended.masked_fill(~is_word, torch.finfo(attended.dtype).min).amax(dim=1)
        return largest.masked_fill(~is_word.any(dim=1), 0.0)


class FusionNetwork(nn.Module):
    """Image and caption vectors, concatenated and classified by two fully connected layers.

    Linear, batch normalisation, ReLU, dropout, linear: the paper names these parts and states
    neither their order, nor the width, nor the share dropped.

    Args:
        images: The image encoder, with 512 outputs.
        captions: The caption encoder, with ``caption_dimension`` outputs.
        caption_dimension: See ``captions``.
        hidden: Width of the hidden layer.
        dropout: Share of the hidden layer dropped in training.
        classes: Number of classes C.
        normalise: Turns images in [0, 1] into what the image encoder was trained on.
        freeze_images: Leave the image encoder as it is, its batch statistics included.
    """

    def __init__(
        self,
        images: nn.Module,
        captions: nn.Module,
        *,
        caption_dimension: int,
        hidden: int,
        dropout: float,
        classes: int,
        normalise: nn.Module,
        freeze_images: bool,
    ) -> None:
        super().__init__()
        self.images, self.captions, self.normalise = images, captions, normalise
        self.classify = nn.Sequential(
            nn.Linear(IMAGE_DIMENSION + caption_dimension, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, classes),
        )
        self.freeze_images = freeze_images
        if freeze_images:
            images.requires_grad_(requires_grad=False)

    def train(self, mode: bool = True) -> FusionNetwork:
        """Switch to training; a frozen image encoder stays in evaluation mode."""
        super().train(mode)
        if self.freeze_images:
            self.images.eval()
        return self

    def forward(self, images: Tensor, ids: Tensor) -> Tensor:
        """Classify images and captions.

        Args:
            images: float32 of shape (B, 3, S, S), in [0, 1].
            ids: int64 word numbers of shape (B, L).

        Returns:
            Class scores (logits) of shape (B, C).
        """
        image_vectors = self.images(self.normalise(images))
        caption_vectors = self.captions(ids)
        scores: Tensor = self.classify(torch.cat([image_vectors, caption_vectors], dim=1))
        return scores
