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
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from pairdx.errors import PairDxError
from pairdx.files import written_whole
from pairdx.models.features import rows_of
from pairdx.seals import fill_seal, header_to_seal, require_sound
from pairdx.storage_errors import storage_error

TENSOR = "texts"
AGAIN = "delete it; it is made again"


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
    with written_whole(path) as aside:
        content = {TENSOR: np.ascontiguousarray(features.texts, dtype=np.float32)}
        save_file(content, aside, header_to_seal(header))
        fill_seal(aside)


def read_text_features(path: Path) -> TextFeatures:
    """Read what :func:`write_text_features` wrote.

    Raises:
        PairDxError: It is no such file, or its features are not numbers, one row per text.
    """
    try:
        require_sound(path)
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            texts = file.get_tensor(TENSOR)
        text_ids, encoder = json.loads(header["text_ids"]), json.loads(header["encoder"])
        numbers = float(header["cut"]), float(header["seconds"])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        if refused := storage_error(error, path):
            raise refused from error
        raise PairDxError(
            f"this is no file of features of texts: {error}", where=path, remedy=AGAIN
        ) from error
    if len(texts) != len(text_ids) or not np.isfinite(texts).all():
        raise PairDxError(
            f"its features are not one row of numbers for each of {len(text_ids)} texts",
            where=path,
            remedy=AGAIN,
        )
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
