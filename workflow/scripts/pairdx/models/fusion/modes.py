"""How PairDxFusion joins what it made of the image and of the caption.

The paper concatenates (Section 3.5) and names attention-based fusion as future work (Section 6);
the gate and the cross-attention below, and their widths, are not stated by the paper. In the
formulas x is an image's vector (512 numbers), c its caption's vector (d numbers), [a; b] is
concatenation, and every W comes with a bias.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from pairdx.errors import PairDxError
from pairdx.models.fusion.encoders import (
    IMAGE_DIMENSION,
    CaptionEncoder,
    CaptionFeatures,
    ImageFeatures,
    pool_words,
    require_divisible,
    visible_words,
)

if TYPE_CHECKING:
    from pairdx.models.fusion.images import ImageEncoder

MODES = ("concatenation", "gated", "cross_attention")


class Fusion(nn.Module):
    """Joins the features of B images and of their captions.

    ``forward(images, captions)`` takes :class:`ImageFeatures` and :class:`CaptionFeatures` and
    returns float of shape (B, dimension).

    Args:
        dimension: Length of the result.
    """

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.dimension = dimension


class Concatenation(Fusion):
    """[x; c] (paper, Section 3.5); of a network with one branch, its vector. It learns nothing."""

    def forward(self, images: ImageFeatures | None, captions: CaptionFeatures | None) -> Tensor:
        """Join B pairs: float of shape (B, 512 + d), or without the part that is not there."""
        parts = [made.vectors for made in (images, captions) if made is not None]
        return torch.cat(parts, dim=1)


class GatedFusion(Fusion):
    """A gate that weighs the image against the caption, number by number.

    z = sigmoid(W_z [x; c]),  h = z * tanh(W_x x) + (1 - z) * tanh(W_c c): the gated multimodal unit
    of Arevalo et al. (2017, Section 3). tanh brings both sides to the same range, so that z weighs
    them and not their scales. A caption without words enters as the constant tanh(bias).

    Args:
        caption_dimension: d.
        dimension: Length of z and h. Not stated by the paper.
    """

    def __init__(self, caption_dimension: int, dimension: int) -> None:
        super().__init__(dimension)
        self.image = nn.Linear(IMAGE_DIMENSION, dimension)
        self.caption = nn.Linear(caption_dimension, dimension)
        self.gate = nn.Linear(IMAGE_DIMENSION + caption_dimension, dimension)

    def forward(self, images: ImageFeatures, captions: CaptionFeatures) -> Tensor:
        """Join B pairs: float of shape (B, dimension)."""
        gate = self.gate(torch.cat([images.vectors, captions.vectors], dim=1)).sigmoid()
        image, caption = self.image(images.vectors).tanh(), self.caption(captions.vectors).tanh()
        return gate * image + (1 - gate) * caption


class CrossAttentionFusion(Fusion):
    """Each word looks at the image's positions, and the image looks at the words.

    With X the image's positions (P, 512) and E the caption's words after their self-attention
    (L, d), brought to one length D:

    P = X W_x,  T = E W_t,  g = mean of P's rows
    u = LayerNorm(g + attention(g, T, T))
    V = LayerNorm(T + attention(T, P, P)),  v = pooling of V's rows that are words
    h = [u; v]

    where attention(Q, K, V) = softmax(Q K^T / sqrt(d_k)) V over learned projections of the three
    (multi-head: Vaswani et al., 2017, Section 3.2), and sum and LayerNorm are theirs too (Section
    3.1). Both directions side by side are ViLBERT's co-attention (Lu et al., 2019, Section 2.1)
    without its feed-forward layers. Thanks to the sums the image reaches h even where the caption
    has no word: then attention(g, T, T) = 0 and v = 0. Padding is neither attended to nor pooled.

    Args:
        caption_dimension: d.
        dimension: D, a multiple of ``heads``. Not stated by the paper.
        heads: Attention heads of both directions. Not stated by the paper.
        pooling: ``masked_mean`` or ``max``, as in the caption encoder.

    Raises:
        PairDxError: The heads do not divide the dimension.
    """

    def __init__(self, caption_dimension: int, dimension: int, heads: int, pooling: str) -> None:
        super().__init__(2 * dimension)
        require_divisible(dimension, heads, "fusion_dimension")
        self.pooling = pooling
        self.positions = nn.Linear(IMAGE_DIMENSION, dimension)
        self.words = nn.Linear(caption_dimension, dimension)
        self.image_to_words = nn.MultiheadAttention(dimension, heads, batch_first=True)
        self.words_to_image = nn.MultiheadAttention(dimension, heads, batch_first=True)
        self.image_norm, self.words_norm = nn.LayerNorm(dimension), nn.LayerNorm(dimension)

    def forward(self, images: ImageFeatures, captions: CaptionFeatures) -> Tensor:
        """Join B pairs: float of shape (B, 2 dimension)."""
        positions, words = self.positions(images.positions), self.words(captions.words)
        image = positions.mean(dim=1, keepdim=True)
        hidden = ~visible_words(captions.is_word)
        seen, _ = self.image_to_words(
            image, words, words, key_padding_mask=hidden, need_weights=False
        )
        seen = seen.masked_fill(~captions.is_word.any(dim=1)[:, None, None], 0.0)
        shown, _ = self.words_to_image(words, positions, positions, need_weights=False)
        caption = pool_words(self.words_norm(words + shown), captions.is_word, self.pooling)
        return torch.cat([self.image_norm(image + seen).squeeze(1), caption], dim=1)


def fusion_mode(
    settings: Mapping[str, Any], images: ImageEncoder | None, captions: CaptionEncoder | None
) -> Fusion:
    """Build the mode that the setting ``fusion`` names, null for a network with one branch.

    Args:
        settings: ``fusion``; ``fusion_dimension`` for ``gated`` and ``cross_attention``; for the
            latter ``attention.heads`` and ``pooling``, too.
        images: The image encoder, if there is one.
        captions: The caption encoder, if there is one.

    Raises:
        PairDxError: There is no such mode, it does not go with the branches, or its width is
            missing or does not fit.
    """
    name = settings["fusion"]
    if images is None or captions is None:
        if name is not None:
            raise PairDxError(
                f"{name} needs an image and a caption, and the model has one branch",
                where="systems: … settings: fusion",
                remedy="set it to null, or name both in branches",
            )
        return Concatenation(IMAGE_DIMENSION if captions is None else captions.dimension)
    if name == "concatenation":
        return Concatenation(IMAGE_DIMENSION + captions.dimension)
    if name not in MODES:
        raise PairDxError(
            f"there is no fusion {name!r}",
            where="systems: … settings: fusion",
            remedy=f"use {' or '.join(MODES)}",
        )
    dimension = settings.get("fusion_dimension")
    if dimension is None:
        raise PairDxError(
            f"the width of {name} fusion is missing",
            where="systems: … settings: fusion_dimension",
            remedy="state one, as pairdx_fusion_gated in config/systems does",
        )
    if name == "gated":
        return GatedFusion(captions.dimension, dimension)
    heads = settings["attention"]["heads"]
    return CrossAttentionFusion(captions.dimension, dimension, heads, settings["pooling"])
