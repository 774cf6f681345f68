"""Why PairDxFusion decided: Grad-CAM of its ResNet, attention over the caption's words.

Positions are those of the ResNet's last convolutional block (7 x 7 for 224 pixels), as in Selvaraju
et al. (2017, Section 3). Attention weights are computed again from queries and keys, because
PyTorch's scaled_dot_product_attention does not give them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pairdx.models.explained import Explanation, WordAttention
from pairdx.models.explanation import grad_cam, heat_maps, recorded
from pairdx.models.fusion.encoders import CaptionEncoder, visible_words
from pairdx.models.fusion.modes import CrossAttentionFusion
from pairdx.models.fusion.network import FusionNetwork
from pairdx.models.fusion.system import FusionClassifier
from pairdx.models.neural import images_for, network_device
from pairdx.words import OUT_OF_VOCABULARY_ID, PADDING_ID

# What attends to the words.
CAPTION, IMAGE = "the caption's words", "the image"


def explain(classifier: FusionClassifier, image: np.ndarray, caption: str) -> Explanation:
    """Explain the class that is predicted for a uint8 image (S, S, 3) and its caption.

    A system with one branch has no explanation of the other.
    """
    network, settings = classifier.network, classifier.settings
    images, ids = image[None], classifier.tokenise([caption])
    probabilities = classifier.probabilities(images, ids)[0]
    inputs = words = torch.empty(0)
    if network.images is not None:
        inputs = images_for(network, images, settings)
    if ids is not None:
        words = torch.from_numpy(ids).to(network_device(network))
    heat = positions = None
    if network.images is not None:
        predicted = torch.tensor([probabilities.argmax()], device=network_device(network))
        maps = grad_cam(network.images.layer4, lambda: network(inputs, words), predicted)
        heat, positions = heat_maps(maps, len(image))[0], (maps.shape[1], maps.shape[2])
    attention = None
    if ids is not None:
        shares = shares_of_words(network, inputs, words)
        attention = _word_attention(classifier.words(caption), ids[0], shares)
    return Explanation(probabilities, heat, positions, attention)


def shares_of_words(network: FusionNetwork, images: Tensor, ids: Tensor) -> dict[str, Tensor]:
    """Return the share of attention that each word gets, by what attends: float of shape (B, L).

    Shares of a caption's words add up to 1; padding has 0. Of the caption's self-attention it is
    the mean over heads and attending words: with ``masked_mean`` pooling and one head exactly the
    weight with which a word's value enters the caption's vector. Cross-attention fusion adds what
    the image attends to, the mean over heads.

    Args:
        network: A network with a caption encoder.
        images: float32 of shape (B, 3, S, S), in [0, 1]; not looked at without an image encoder.
        ids: int64 word numbers of shape (B, L).
    """
    captions: CaptionEncoder = network.captions  # type: ignore[assignment]
    is_word = (ids != PADDING_ID).float()
    weights = self_attention(captions, ids).mean(dim=1)
    attending = is_word / is_word.sum(dim=1, keepdim=True).clamp(min=1)
    shares = {CAPTION: (attending[:, :, None] * weights).sum(dim=1)}
    if isinstance(network.fusion, CrossAttentionFusion):
        shares[IMAGE] = image_attention(network, images, ids).mean(dim=1)
    return shares


def self_attention(captions: CaptionEncoder, ids: Tensor) -> Tensor:
    """Return the caption encoder's attention weights: float of shape (B, heads, L, L).

    softmax(Q K^T / sqrt(d_k)) over the keys that are words: row i says what word i attends to, and
    adds up to 1; columns of padding are 0, rows of padding mean nothing. A caption without words
    has zeros.

    Args:
        captions: The encoder.
        ids: int64 word numbers of shape (B, L).
    """
    is_word = ids != PADDING_ID
    with torch.no_grad(), recorded(captions.query, captions.key) as outputs:
        captions(ids)
    query, key = (
        output.unflatten(2, (captions.heads, -1)).transpose(1, 2).float() for output in outputs
    )
    scores = query @ key.transpose(2, 3) / query.shape[-1] ** 0.5
    scores = scores.masked_fill(~visible_words(is_word)[:, None, None, :], -torch.inf)
    return scores.softmax(dim=3) * is_word[:, None, None, :]


def image_attention(network: FusionNetwork, images: Tensor, ids: Tensor) -> Tensor:
    """Return what the image attends to in cross-attention fusion: float of shape (B, heads, L).

    Over a caption's words it adds up to 1; padding has 0, as has a caption without words.

    Args:
        network: A network with :class:`CrossAttentionFusion`.
        images: float32 of shape (B, 3, S, S), in [0, 1].
        ids: int64 word numbers of shape (B, L).
    """
    attention: nn.MultiheadAttention = network.fusion.image_to_words  # type: ignore[assignment]
    calls: list[tuple[tuple[Tensor, ...], dict[str, Any]]] = []

    def keep(_layer: nn.Module, inputs: tuple[Tensor, ...], named: dict[str, Any]) -> None:
        calls.append((inputs, named))

    handle = attention.register_forward_pre_hook(keep, with_kwargs=True)
    try:
        with torch.no_grad():
            network(images, ids)
    finally:
        handle.remove()
    ((inputs, named),) = calls
    # The same call again, now for the weights: asked for at once, they would change its rounding.
    named = {**named, "need_weights": True, "average_attn_weights": False}
    with torch.no_grad():
        _, weights = attention(*inputs, **named)
    return weights[:, :, 0] * (ids != PADDING_ID)[:, None, :]


def _word_attention(
    words: Sequence[str], ids: np.ndarray, shares: dict[str, Tensor]
) -> WordAttention:
    read = words[: len(ids)]
    return WordAttention(
        words=tuple(read),
        known=tuple(bool(number != OUT_OF_VOCABULARY_ID) for number in ids[: len(read)]),
        cut=len(words) - len(read),
        shares={name: found[0, : len(read)].cpu().numpy() for name, found in shares.items()},
    )
