"""Features of images and captions by a frozen encoder of the CLIP family, computed once and kept.

They are what a probe is trained on (see :mod:`pairdx.models.probe`). A features file says which
encoder made it and of which pairs, so that it cannot be taken for another's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from pairdx.errors import PairDxError
from pairdx.files import written_whole
from pairdx.logs import progress
from pairdx.models.clip_loading import ClipParts, build_clip
from pairdx.models.clip_objectives import ClipNetwork
from pairdx.models.clip_weights import load_clip_weights, weights_file
from pairdx.models.neural import (
    Normalise,
    count_parameters,
    images_for,
    named_with_checksum,
    network_device,
    require_image_size,
    require_resource,
)
from pairdx.training.device import reproducible, synchronise, torch_device

INPUTS = ("image", "caption")
NO_PROMPTS = (0, 0, 1)


class FrozenEncoder:
    """An encoder of the CLIP family that is never trained.

    Attributes:
        settings: ``architecture``, ``quick_gelu``, ``weights``, ``context_length``.
        seed: Of the weights, which counts where none were given.
        source: Name and checksum of the weights file, or None.
    """

    def __init__(
        self,
        parts: ClipParts,
        settings: Mapping[str, Any],
        seed: int,
        source: Mapping[str, str] | None,
    ) -> None:
        self.parts, self.settings, self.seed, self.source = parts, dict(settings), seed, source
        normalise = Normalise(parts.mean, parts.std)
        prompts = torch.zeros(NO_PROMPTS, dtype=torch.int64)
        self.network = ClipNetwork(parts.clip, normalise, prompts).eval().requires_grad_(False)

    def identity(self) -> dict[str, Any]:
        """Return what decides the features, as JSON keeps it."""
        seed = self.seed if self.source is None else None
        content = {"settings": self.settings, "seed": seed, "weights": self.source}
        return dict(json.loads(json.dumps(content)))

    def parameters(self, inputs: Sequence[str]) -> int:
        """Count the parameters that encode ``inputs`` (``image``, ``caption``)."""
        both, images = count_parameters(self.parts.clip), count_parameters(self.network.clip.visual)
        return {"image": images, "caption": both - images}[inputs[0]] if len(inputs) == 1 else both

    def tokenise(self, captions: Sequence[str]) -> np.ndarray:
        """Turn B captions into int64 tokens (B, context_length), cut or padded."""
        return self.parts.tokenise(list(captions)).numpy()

    def image_features(self, images: np.ndarray) -> np.ndarray:
        """Encode uint8 images (B, S, S, 3): float32 (B, D), rows of length 1.

        Raises:
            PairDxError: The images are not of the encoder's size.
        """
        require_image_size(images.shape[1], self.parts.image_size)
        with torch.inference_mode():
            found = self.network.image_features(images_for(self.network, images, self.settings))
            return found.cpu().numpy()

    def caption_features(self, tokens: np.ndarray) -> np.ndarray:
        """Encode int64 tokens (B, context_length): float32 (B, D), rows of length 1."""
        with torch.inference_mode():
            on_device = torch.from_numpy(tokens).to(network_device(self.network))
            return self.network.text_features(on_device).cpu().numpy()


@dataclass(frozen=True)
class Features:
    """Features of N pairs.

    Attributes:
        pair_ids: The pairs, in the order of the rows.
        image: float32 of shape (N, D), rows of length 1.
        caption: float32 of shape (N, D), rows of length 1.
        encoder: :meth:`FrozenEncoder.identity` of what made them.
        seconds: What encoding all images, and all captions, took: keys ``image`` and ``caption``.
        device: ``cpu`` or ``cuda``: what they were computed on.
    """

    pair_ids: tuple[str, ...]
    image: np.ndarray
    caption: np.ndarray
    encoder: Mapping[str, Any]
    seconds: Mapping[str, float]
    device: str

    def rows(self, pair_ids: Sequence[str]) -> np.ndarray:
        """Return the rows of these pairs, int64.

        Raises:
            PairDxError: A pair has no features.
        """
        positions = {name: row for row, name in enumerate(self.pair_ids)}
        missing = [name for name in pair_ids if name not in positions]
        if missing:
            raise PairDxError(
                f"{len(missing)} pairs have no features, {missing[0]!r} among them",
                remedy="delete the features file; it is made again from the curated pairs",
            )
        return np.array([positions[name] for name in pair_ids], dtype=np.int64)

    def of(self, inputs: Sequence[str], pair_ids: Sequence[str]) -> np.ndarray:
        """Return the features of these pairs, those of several inputs side by side: float32."""
        rows = self.rows(pair_ids)
        return np.concatenate([getattr(self, name)[rows] for name in inputs], axis=1)


def load_encoder(
    settings: Mapping[str, Any], resources: Mapping[str, Path], seed: int
) -> FrozenEncoder:
    """Build an encoder, with its pretrained weights unless the setting ``weights`` is null.

    Args:
        settings: An entry of ``feature_extractors`` in config/models.yaml.
        resources: ``weights``: an open_clip state dict or a model folder
            (see :func:`pairdx.models.clip_loading.build_clip`).
        seed: Of random weights.

    Raises:
        PairDxError: A file is missing, holds code or does not fit the architecture.
    """
    if settings["weights"] is None:
        return FrozenEncoder(build_clip(settings, None, seed), settings, seed, None)
    path = require_resource(resources, "weights")
    parts = build_clip(settings, path if path.is_dir() else None, seed)
    file = weights_file(path)
    load_clip_weights(parts, file)
    return FrozenEncoder(parts, settings, seed, named_with_checksum(file))


def extract_features(
    encoder: FrozenEncoder,
    pair_ids: Sequence[str],
    images: np.ndarray,
    captions: Sequence[str],
    *,
    batch_size: int,
    device: str,
    threads: int,
) -> Features:
    """Encode all images and captions in batches; equal captions are encoded once.

    Args:
        encoder: It is moved to the device and left on the CPU.
        pair_ids: N pairs.
        images: uint8 of shape (N, S, S, 3), row i for pair i; may be a memory map.
        captions: N captions.
        batch_size: Images, or captions, at a time.
        device: ``cpu`` or ``cuda``.
        threads: CPU threads.

    Raises:
        PairDxError: There are not as many images as pairs, or not of the encoder's size; there is
            no such device; or a feature is not a number.
    """
    if not len(pair_ids) == len(images) == len(captions):
        raise PairDxError(
            f"{len(images)} images are packed for {len(pair_ids)} pairs",
            remedy="delete the packed images; they are made again",
        )
    target = torch_device(device)
    inverse, distinct = pd.factorize(pd.Series(captions, dtype=object))
    # The CPU predicts: a GPU's shortened convolutions (TF32) would give other features than it.
    exact = torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
    with reproducible(target, threads), exact:
        encoder.network.to(target)
        started = time.perf_counter()
        of_images = [encoder.image_features(images[rows]) for rows in _batches(images, batch_size)]
        synchronise(target)
        between = time.perf_counter()
        of_captions = [
            encoder.caption_features(encoder.tokenise(distinct[rows]))
            for rows in _batches(distinct, batch_size)
        ]
        synchronise(target)
        seconds = {"image": between - started, "caption": time.perf_counter() - between}
        encoder.network.to("cpu")
    image, caption = np.concatenate(of_images), np.concatenate(of_captions)[inverse]
    if not (np.isfinite(image).all() and np.isfinite(caption).all()):
        raise PairDxError("features are not numbers", remedy="the encoder's weights are damaged")
    return Features(tuple(pair_ids), image, caption, encoder.identity(), seconds, device)


def write_features(path: Path, features: Features) -> None:
    """Write features as safetensors, whole or not at all; pairs and origin stand in its header."""
    header = {
        "pair_ids": json.dumps(features.pair_ids),
        "encoder": json.dumps(features.encoder),
        "seconds": json.dumps(features.seconds),
        "device": features.device,
    }
    tensors = {"image": features.image, "caption": features.caption}
    with written_whole(path) as aside:
        save_file({name: np.ascontiguousarray(tensors[name]) for name in INPUTS}, aside, header)


def read_features(path: Path) -> Features:
    """Read what :func:`write_features` wrote.

    Raises:
        PairDxError: It is no features file.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            image, caption = (file.get_tensor(name) for name in INPUTS)
        pair_ids, encoder, seconds = (
            json.loads(header[name]) for name in ("pair_ids", "encoder", "seconds")
        )
    except (SafetensorError, OSError, KeyError, json.JSONDecodeError) as error:
        raise PairDxError(
            f"this is no features file: {error}", where=path, remedy="delete it; it is made again"
        ) from error
    return Features(tuple(pair_ids), image, caption, encoder, seconds, header.get("device", "cpu"))


def _batches(items: Any, batch_size: int) -> Any:
    starts = range(0, len(items), batch_size)
    return progress(
        [slice(start, start + batch_size) for start in starts], "extracting features, batches"
    )
