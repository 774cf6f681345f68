"""Features of the texts of a bank by a frozen encoder of the CLIP family, computed once and kept.

Reading and writing them needs no PyTorch; the encoder is in :mod:`pairdx.models.frozen_encoder`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pairdx.errors import PairDxError
from pairdx.models.features import rows_of
from pairdx.sealed_tensors import is_none, read_tensors, require_rows, write_tensors

TENSOR, WHAT = "texts", "file of features of texts"


@dataclass(frozen=True)
class TextFeatures:
    """Features of M texts.

    Attributes:
        text_ids: The texts, in the order of the rows.
        texts: float32 of shape (M, D), rows of length 1.
        encoder: :func:`pairdx.models.features.encoder_identity` of what made them.
        cut: Share of the texts that are longer than what the encoder reads of them, 0 to 1.
        seconds: What encoding took.
        device: ``cpu`` or ``cuda``: what they were computed on.
    """

    text_ids: tuple[str, ...]
    texts: np.ndarray
    encoder: Mapping[str, Any]
    cut: float
    seconds: float
    device: str

    def rows(self, text_ids: Sequence[str]) -> np.ndarray:
        """Return the rows of these texts, int64.

        Raises:
            PairDxError: A text has no features.
        """
        return rows_of(text_ids, self.text_ids, "texts")

    def of(self, text_ids: Sequence[str]) -> np.ndarray:
        """Return the features of these texts: float32."""
        return self.texts[self.rows(text_ids)]


def write_text_features(path: Path, features: TextFeatures) -> None:
    """Write features as safetensors, whole or not at all; texts and origin stand in its header."""
    header = {
        "text_ids": json.dumps(features.text_ids),
        "encoder": json.dumps(features.encoder),
        "cut": repr(features.cut),
        "seconds": repr(features.seconds),
        "device": features.device,
    }
    write_tensors(path, {TENSOR: features.texts.astype(np.float32, copy=False)}, header)


def read_text_features(path: Path) -> TextFeatures:
    """Read what :func:`write_text_features` wrote.

    Raises:
        PairDxError: It is no such file, or its features are not numbers, one row per text.
    """
    header, (texts,) = read_tensors(path, [TENSOR], WHAT)
    try:
        text_ids, encoder = json.loads(header["text_ids"]), json.loads(header["encoder"])
        numbers = float(header["cut"]), float(header["seconds"])
    except (KeyError, ValueError) as error:
        raise is_none(path, WHAT, error) from error
    require_rows(path, texts, len(text_ids), "features", "texts")
    return TextFeatures(tuple(text_ids), texts, encoder, *numbers, header.get("device", "cpu"))


def require_same_encoder(images: Mapping[str, Any], texts: Mapping[str, Any]) -> None:
    """Refuse to compare features of two encoders.

    Args:
        images: Identity of the encoder of images.
        texts: Of texts.

    Raises:
        PairDxError: They differ: in weights, settings or seed.
    """
    if images != texts:
        differ = sorted(key for key in {*images, *texts} if images.get(key) != texts.get(key))
        raise PairDxError(
            "features of images and of texts were made by two encoders, which differ in: "
            + ", ".join(differ),
            remedy="delete both files of features, which are made again",
        )
