"""PairDxFusion's caption encoder, self-attention over word vectors (paper, Section 3.5).

And what both of its encoders give; the image encoder is in :mod:`pairdx.models.fusion.images`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pairdx.errors import PairDxError
from pairdx.words import PADDING_ID

POOLINGS = ("masked_mean", "max")
IMAGE_DIMENSION = 512


@dataclass(frozen=True)
class ImageFeatures:
    """What is made of B images.

    Attributes:
        vectors: float of shape (B, 512), the mean over an image's positions.
        positions: float of shape (B, P, 512), the output of the last convolutional block; P is 49
            (7 x 7) for images of 224 pixels.
    """

    vectors: Tensor
    positions: Tensor


@dataclass(frozen=True)
class CaptionFeatures:
    """What is made of B captions of L words or fewer.

    Attributes:
        vectors: float of shape (B, d), pooled over a caption's words; zeros without any word.
        words: float of shape (B, L, d); rows that are padding mean nothing.
        is_word: bool of shape (B, L), False where a caption is padded.
    """

    vectors: Tensor
    words: Tensor
    is_word: Tensor


def visible_words(is_word: Tensor) -> Tensor:
    """Return what attention may look at, bool (B, L): words, or all padding where there are none.

    A softmax over nothing would be NaN, in its gradient too; what is made of a caption without
    words has to be left out afterwards.
    """
    return is_word | ~is_word.any(dim=1, keepdim=True)


def pool_words(words: Tensor, is_word: Tensor, pooling: str) -> Tensor:
    """Pool (B, L, d) over each caption's words (bool, (B, L)) to (B, d); zeros without any word.

    Args:
        words: One row per word.
        is_word: False where a caption is padded; those rows do not count.
        pooling: ``masked_mean`` or ``max``.
    """
    is_word = is_word.unsqueeze(2)
    if pooling == "masked_mean":
        count = is_word.sum(dim=1).clamp(min=1)
        return words.masked_fill(~is_word, 0.0).sum(dim=1) / count
    largest = words.masked_fill(~is_word, torch.finfo(words.dtype).min).amax(dim=1)
    return largest.masked_fill(~is_word.any(dim=1), 0.0)


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
        require_divisible(dimension, heads, "attention")
        if pooling not in POOLINGS:
            raise PairDxError(
                f"there is no pooling {pooling!r}",
                where="systems: … settings: pooling",
                remedy=f"use {' or '.join(POOLINGS)}",
            )
        self.dimension, self.heads, self.pooling = dimension, heads, pooling
        self.words = nn.Embedding.from_pretrained(vectors, freeze=True, padding_idx=PADDING_ID)
        self.query = nn.Linear(vectors.shape[1], dimension)
        self.key = nn.Linear(vectors.shape[1], dimension)
        self.value = nn.Linear(vectors.shape[1], dimension)

    def forward(self, ids: Tensor) -> Tensor:
        """Encode int64 word numbers of shape (B, L): float of shape (B, dimension)."""
        return self.features(ids).vectors

    def features(self, ids: Tensor) -> CaptionFeatures:
        """Encode int64 word numbers of shape (B, L), every word and every caption."""
        is_word = ids != PADDING_ID
        words = self.words(ids)
        query, key, value = (
            self._by_head(project(words)) for project in (self.query, self.key, self.value)
        )
        attended = F.scaled_dot_product_attention(
            query, key, value, attn_mask=visible_words(is_word)[:, None, None, :]
        )
        attended = attended.transpose(1, 2).flatten(start_dim=2)
        return CaptionFeatures(pool_words(attended, is_word, self.pooling), attended, is_word)

    def add_words(self, vectors: Tensor) -> None:
        """Put further words' vectors, float of shape (W, d), behind those that are there.

        Raises:
            PairDxError: Their d is another.
        """
        known = self.words.weight
        if vectors.shape[1] != known.shape[1]:
            raise PairDxError(
                f"vectors of {vectors.shape[1]} numbers do not fit words of {known.shape[1]}",
                remedy="build word vectors of one dimension for both datasets",
            )
        rows = torch.cat([known.detach(), vectors.to(known)])
        self.words = nn.Embedding.from_pretrained(rows, freeze=True, padding_idx=PADDING_ID)

    def _by_head(self, projected: Tensor) -> Tensor:
        """(B, L, dimension) to (B, heads, L, dimension / heads)."""
        return projected.unflatten(2, (self.heads, -1)).transpose(1, 2)


def require_divisible(dimension: int, heads: int, key: str) -> None:
    """Refuse a number of attention heads that does not divide the dimension under ``key``.

    Raises:
        PairDxError: It does not.
    """
    if heads < 1 or dimension % heads:
        raise PairDxError(
            f"{dimension} numbers cannot be divided among {heads} attention heads",
            where=f"systems: … settings: {key}",
            remedy="make the dimension a multiple of attention.heads",
        )
