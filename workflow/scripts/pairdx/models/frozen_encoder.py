"""A frozen encoder of the CLIP family, which turns images and captions into features."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from pairdx.errors import PairDxError
from pairdx.image_rows import Images
from pairdx.logs import logger, progress
from pairdx.models.clip.loading import ClipParts, build_clip
from pairdx.models.clip.objectives import ClipNetwork
from pairdx.models.clip.weights import load_clip_weights
from pairdx.models.features import Features, encoder_identity, encoder_source
from pairdx.models.neural import (
    Normalise,
    count_parameters,
    images_for,
    network_device,
    require_image_size,
)
from pairdx.models.sources import require_resource, weights_file
from pairdx.models.text_features import TextFeatures
from pairdx.training.device import reproducible, synchronise, torch_device

NO_PROMPTS: list[torch.Tensor] = []


class FrozenEncoder:
    """An encoder of the CLIP family that is never trained.

    Attributes:
        settings: ``architecture``, ``quick_gelu``, ``weights``, ``context_length``.
        seed: Of the weights, which counts where none were given.
        resources: ``weights``, unless they are random.
    """

    def __init__(
        self,
        parts: ClipParts,
        settings: Mapping[str, Any],
        seed: int,
        resources: Mapping[str, Path],
    ) -> None:
        self.parts, self.settings = parts, dict(settings)
        self.seed, self.resources = seed, resources
        normalise = Normalise(parts.mean, parts.std)
        self.network = ClipNetwork(parts.clip, normalise, NO_PROMPTS).eval().requires_grad_(False)

    def identity(self) -> dict[str, Any]:
        """Return what decides the features, as JSON keeps it."""
        source = encoder_source(self.settings, self.resources)
        return encoder_identity(self.settings, self.seed, source)

    def parameters(self) -> dict[str, int]:
        """Count the parameters that encode images, and captions: keys ``image``, ``caption``."""
        both, images = count_parameters(self.parts.clip), count_parameters(self.network.clip.visual)
        return {"image": images, "caption": both - images}

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


def load_encoder(
    settings: Mapping[str, Any], resources: Mapping[str, Path], seed: int
) -> FrozenEncoder:
    """Build an encoder, with its pretrained weights unless the setting ``weights`` is null.

    Args:
        settings: An entry of ``feature_extractors`` in config/systems.
        resources: ``weights``: an open_clip state dict or a model folder
            (see :func:`pairdx.models.clip.loading.build_clip`).
        seed: Of random weights.

    Raises:
        PairDxError: A file is missing, holds code or does not fit the architecture.
    """
    if settings["weights"] is None:
        return FrozenEncoder(build_clip(settings, None, seed), settings, seed, {})
    path = require_resource(resources, "weights")
    parts = build_clip(settings, path if path.is_dir() else None, seed)
    load_clip_weights(parts, weights_file(path))
    return FrozenEncoder(parts, settings, seed, resources)


def extract_features(
    encoder: FrozenEncoder,
    pair_ids: Sequence[str],
    images: Images,
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
        images: uint8 of shape (N, S, S, 3), row i for pair i; a batch of them at a time is read.
        captions: N captions; where all are empty, none is encoded, and their features are 0.
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
    with reproducible(target, threads), _exact():
        encoder.network.to(target)
        started = time.perf_counter()
        of_images = [encoder.image_features(images[rows]) for rows in _batches(images, batch_size)]
        synchronise(target)
        between = time.perf_counter()
        of_captions = [
            encoder.caption_features(encoder.tokenise(distinct[rows]))
            for rows in (_batches(distinct, batch_size) if any(captions) else [])
        ]
        synchronise(target)
        seconds = {"image": between - started, "caption": time.perf_counter() - between}
        encoder.network.to("cpu")
    image = np.concatenate(of_images)
    caption = np.concatenate(of_captions)[inverse] if of_captions else np.zeros_like(image)
    if not (np.isfinite(image).all() and np.isfinite(caption).all()):
        raise PairDxError("features are not numbers", remedy="the encoder's weights are damaged")
    return Features(
        tuple(pair_ids),
        image,
        caption,
        encoder.identity(),
        encoder.parameters(),
        seconds,
        device,
    )


def encode_texts(
    encoder: FrozenEncoder,
    text_ids: Sequence[str],
    texts: Sequence[str],
    *,
    batch_size: int,
    device: str,
    threads: int,
) -> TextFeatures:
    """Encode the texts of a bank in batches; what is longer than the encoder reads is counted.

    Args:
        encoder: It is moved to the device and left on the CPU.
        text_ids: M texts.
        texts: What they say.
        batch_size: Texts at a time.
        device: ``cpu`` or ``cuda``.
        threads: CPU threads.

    Raises:
        PairDxError: There is no such device, or a feature is not a number.
    """
    target, context = torch_device(device), encoder.settings["context_length"]
    found, cut = [], 0
    with reproducible(target, threads), _exact():
        encoder.network.to(target)
        started = time.perf_counter()
        for rows in _batches(texts, batch_size):
            batch = list(texts[rows])
            cut += sum(count > context for count in encoder.parts.token_counts(batch))
            found.append(encoder.caption_features(encoder.tokenise(batch)))
        synchronise(target)
        seconds = time.perf_counter() - started
        encoder.network.to("cpu")
    features = np.concatenate(found)
    if not np.isfinite(features).all():
        raise PairDxError("features are not numbers", remedy="the encoder's weights are damaged")
    if cut:
        logger.warning(
            "%d of %d texts are longer than the %d tokens that the encoder reads: what stands "
            "behind them counts for nothing",
            *(cut, len(texts), context),
        )
    share = cut / len(texts)
    return TextFeatures(tuple(text_ids), features, encoder.identity(), share, seconds, device)


def _exact() -> Any:
    """The CPU predicts: a GPU's shortened convolutions (TF32) would give other features than it."""
    return torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)


def _batches(items: Any, batch_size: int) -> Any:
    starts = range(0, len(items), batch_size)
    return progress(
        [slice(start, start + batch_size) for start in starts], "extracting features, batches"
    )
