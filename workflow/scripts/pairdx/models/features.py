"""Features of images and captions by a frozen encoder of the CLIP family, computed once and kept.

They are what a probe is trained on (see :mod:`pairdx.models.linear_probe.system`). A features
file says which encoder made it and of which pairs, so that it cannot be taken for another's.
Reading and writing it needs no PyTorch; the encoder is in
:mod:`pairdx.models.frozen_encoder`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pairdx.errors import PairDxError
from pairdx.models.sources import named_with_checksum, require_resource, weights_file
from pairdx.sealed_tensors import is_none, read_tensors, require_rows, write_tensors

INPUTS = ("image", "caption")
WHAT = "features file"


@dataclass(frozen=True)
class Features:
    """Features of N pairs.

    Attributes:
        pair_ids: The pairs, in the order of the rows.
        image: float32 of shape (N, D), rows of length 1.
        caption: float32 of shape (N, D), rows of length 1.
        encoder: :func:`encoder_identity` of what made them.
        parameters: Numbers of parameters that encode images, and captions: keys ``image`` and
            ``caption``. None is part of both.
        seconds: What encoding all images, and all captions, took: keys ``image`` and ``caption``.
        device: ``cpu`` or ``cuda``: what they were computed on.
    """

    pair_ids: tuple[str, ...]
    image: np.ndarray
    caption: np.ndarray
    encoder: Mapping[str, Any]
    parameters: Mapping[str, int]
    seconds: Mapping[str, float]
    device: str

    def rows(self, pair_ids: Sequence[str]) -> np.ndarray:
        """Return the rows of these pairs, int64.

        Raises:
            PairDxError: A pair has no features.
        """
        return rows_of(pair_ids, self.pair_ids, "pairs")

    def of(self, inputs: Sequence[str], pair_ids: Sequence[str]) -> np.ndarray:
        """Return the features of these pairs, those of several inputs side by side: float32."""
        rows = self.rows(pair_ids)
        return np.concatenate([getattr(self, name)[rows] for name in inputs], axis=1)


def rows_of(wanted: Sequence[str], names: Sequence[str], what: str) -> np.ndarray:
    """Return where each of ``wanted`` stands among ``names``, int64.

    Raises:
        PairDxError: One is not among them; ``what`` says of what kind they are.
    """
    positions = {name: row for row, name in enumerate(names)}
    missing = [name for name in wanted if name not in positions]
    if missing:
        raise PairDxError(
            f"{len(missing)} {what} have no features, {missing[0]!r} among them",
            remedy=f"delete the file of features of the {what}; it is made again",
        )
    return np.array([positions[name] for name in wanted], dtype=np.int64)


def encoder_source(
    settings: Mapping[str, Any], resources: Mapping[str, Path]
) -> dict[str, str] | None:
    """Return name and checksum of an encoder's weights file; None where its weights are random.

    Args:
        settings: An entry of ``feature_extractors`` in config/systems.
        resources: ``weights``: an open_clip state dict or a model folder.

    Raises:
        PairDxError: The file is missing.
    """
    if settings["weights"] is None:
        return None
    return named_with_checksum(weights_file(require_resource(resources, "weights")))


def encoder_identity(
    settings: Mapping[str, Any], seed: int, source: Mapping[str, str] | None
) -> dict[str, Any]:
    """Return what decides an encoder's features, as JSON keeps it.

    Args:
        settings: ``architecture``, ``quick_gelu``, ``weights``, ``context_length``.
        seed: Of the weights, which counts where they are random.
        source: :func:`encoder_source`.
    """
    content = {
        "settings": dict(settings),
        "seed": seed if source is None else None,
        "weights": source,
    }
    return dict(json.loads(json.dumps(content)))


def write_features(path: Path, features: Features) -> None:
    """Write features as safetensors, whole or not at all; pairs and origin stand in its header."""
    header = {
        "pair_ids": json.dumps(features.pair_ids),
        "encoder": json.dumps(features.encoder),
        "parameters": json.dumps(features.parameters),
        "seconds": json.dumps(features.seconds),
        "device": features.device,
    }
    write_tensors(path, {"image": features.image, "caption": features.caption}, header)


def read_features(path: Path) -> Features:
    """Read what :func:`write_features` wrote.

    Raises:
        PairDxError: It is no features file, or its features are not numbers, one row per pair.
    """
    header, (image, caption) = read_tensors(path, INPUTS, WHAT)
    try:
        pair_ids, encoder, parameters, seconds = (
            json.loads(header[name]) for name in ("pair_ids", "encoder", "parameters", "seconds")
        )
    except (KeyError, json.JSONDecodeError) as error:
        raise is_none(path, WHAT, error) from error
    for name, found in zip(INPUTS, (image, caption), strict=True):
        require_rows(path, found, len(pair_ids), f"{name} features", "pairs")
    device = header.get("device", "cpu")
    return Features(tuple(pair_ids), image, caption, encoder, parameters, seconds, device)
