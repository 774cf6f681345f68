"""Adapters of a CLIP model (see :mod:`pairdx.models.adapters`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from peft import LoraModel

from pairdx.models.adapters import adapt_layers, merge_adapters
from pairdx.models.clip.loading import ClipParts


def adapt(parts: ClipParts, lora: Mapping[str, Any], seed: int) -> LoraModel:
    """Freeze an open_clip model and put trainable adapters into it, in place.

    Args:
        parts: The model, on the CPU.
        lora: ``rank``, ``alpha``, ``dropout`` and ``targets``
            (:func:`pairdx.models.adapters.adapt_layers`); linear layers only. And
            ``train_logit_scale``, whether the temperature is trained as well.
        seed: Of the adapters' first factors.

    Raises:
        PairDxError: The model has no such layer, or one of them cannot be adapted.
    """
    clip: Any = parts.clip

    def encode() -> None:
        clip.encode_image(torch.zeros(1, 3, parts.image_size, parts.image_size))
        clip.encode_text(parts.tokenise([""]))

    adapted = adapt_layers(
        clip, lora, seed, encode=encode, kinds=("linear",), who="neither encoder"
    )
    clip.logit_scale.requires_grad_(lora["train_logit_scale"])
    return adapted


def merge(adapted: LoraModel) -> None:
    """Add the adapters to the weights and remove them: an ordinary open_clip model remains."""
    merge_adapters(adapted)
