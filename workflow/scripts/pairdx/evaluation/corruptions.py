"""Graded damage to images: compression, blur, noise, brightness, rotation, resolution.

How far accuracy falls when images are worse than those of the training set; not in the paper. The
kinds are those of Hendrycks and Dietterich (2019, "Benchmarking neural network robustness to common
corruptions"), as far as figures in articles meet them; the levels are ours.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from pairdx.errors import PairDxError
from pairdx.ordering import seeded_rank

ImageArray = NDArray[np.uint8]
Damage = Callable[[ImageArray, float, np.random.Generator], ImageArray]

HIGHEST_JPEG_QUALITY = 95  # above it Pillow no longer compresses


@dataclass(frozen=True)
class Corruption:
    """One kind of damage.

    Attributes:
        damage: From uint8 RGB (S, S, 3), a level and a random generator to uint8 RGB (S, S, 3).
        unchanged: The level that leaves images as they are; None for the image's own side in
            pixels.
        axis: What a level is, with its unit, for tables and figures.
    """

    damage: Damage
    unchanged: float | None
    axis: str


def jpeg(image: ImageArray, quality: float, _: np.random.Generator) -> ImageArray:
    """Compress as JPEG of quality 1 to 95 (Pillow's scale) and decode; 100 is no compression."""
    if quality > HIGHEST_JPEG_QUALITY:
        return image
    file = io.BytesIO()
    Image.fromarray(image).save(file, format="JPEG", quality=round(quality))
    return np.asarray(Image.open(file, formats=("JPEG",)))


def blur(image: ImageArray, sigma: float, _: np.random.Generator) -> ImageArray:
    """Blur with a Gaussian of ``sigma`` pixels."""
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(sigma)))


def noise(image: ImageArray, sigma: float, generator: np.random.Generator) -> ImageArray:
    """Add Gaussian noise of ``sigma`` grey levels (of 255) to every pixel and channel."""
    drawn = sigma * generator.standard_normal(image.shape, dtype=np.float32)
    return np.clip(np.rint(image + drawn), 0, 255).astype(np.uint8)


def brightness(image: ImageArray, factor: float, _: np.random.Generator) -> ImageArray:
    """Multiply every value by ``factor``, cut off at white."""
    return np.asarray(ImageEnhance.Brightness(Image.fromarray(image)).enhance(factor))


def rotation(image: ImageArray, degrees: float, _: np.random.Generator) -> ImageArray:
    """Turn counter-clockwise about the centre; corners become black, as in augmentation."""
    turned = Image.fromarray(image).rotate(degrees, resample=Image.Resampling.BILINEAR)
    return np.asarray(turned)


def resolution(image: ImageArray, side: float, _: np.random.Generator) -> ImageArray:
    """Shrink to ``side`` pixels a side and enlarge again (bicubic); never above its own size."""
    own, small = image.shape[0], round(side)
    if small >= own:
        return image
    shrunk = Image.fromarray(image).resize((small, small), Image.Resampling.BICUBIC)
    return np.asarray(shrunk.resize((own, own), Image.Resampling.BICUBIC))


CORRUPTIONS = {
    "jpeg": Corruption(jpeg, 100, "JPEG quality"),
    "blur": Corruption(blur, 0, "Blur, sigma in pixels"),
    "noise": Corruption(noise, 0, "Noise, sigma in grey levels"),
    "brightness": Corruption(brightness, 1, "Brightness, factor"),
    "rotation": Corruption(rotation, 0, "Rotation, degrees"),
    "resolution": Corruption(resolution, None, "Resolution, pixels a side"),
}


def pair_generator(pair_id: str, seed: int, purpose: str) -> np.random.Generator:
    """Return a random generator that belongs to one pair: the same whatever other pairs there are.

    Args:
        pair_id: Name of the pair.
        seed: Of the random choices.
        purpose: What is drawn. All levels of a kind of damage share it, so that a higher level
            adds to the damage of a lower one.
    """
    return np.random.default_rng(int(seeded_rank([pair_id], seed, purpose).iloc[0]))


def corrupt(
    images: ImageArray, pair_ids: list[str], kind: str, level: float, seed: int
) -> ImageArray:
    """Damage N images, each in its own way where damage is random.

    Args:
        images: uint8 RGB of shape (N, S, S, 3); left as they are.
        pair_ids: The N pairs.
        kind: A key of :data:`CORRUPTIONS`.
        level: See the function of that name.
        seed: Of random damage.

    Returns:
        uint8 RGB of shape (N, S, S, 3).

    Raises:
        PairDxError: There is no such kind.
    """
    if kind not in CORRUPTIONS:
        raise PairDxError(
            f"there is no corruption {kind!r} of images",
            where="config key input_probes.image_corruptions",
            remedy=f"use {', '.join(CORRUPTIONS)}",
        )
    damage = CORRUPTIONS[kind].damage
    damaged = np.empty_like(images)
    for row, (image, pair_id) in enumerate(zip(images, pair_ids, strict=True)):
        damaged[row] = damage(np.asarray(image), level, pair_generator(pair_id, seed, kind))
    return damaged
