"""From an image file's bytes to the square that a deployed system reads, as in training.

The workflow's own decoder and squaring, so that a document is seen as its training pairs were.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from pairdx.image_formats.foreign import Refusal
from pairdx.images import apply_edit, decode
from pairdx.squaring import fit_to_square

# Pixels of an image whose short side is already that of the square, before the rest is cut off.
MOST_PIXELS = 1 << 26


@dataclass(frozen=True)
class Square:
    """An image as a system sees it.

    Attributes:
        pixels: uint8 (S, S, 3), RGB.
        width: Of the image, upright, before it became a square; pixels.
        height: The same.
    """

    pixels: np.ndarray
    width: int
    height: int


def square(content: bytes, size: int, squaring: str, edit: str = "") -> Square | Refusal:
    """Decode an image file and make a square of it.

    Args:
        content: The file's bytes.
        size: Side of the square in pixels.
        squaring: How the rest is dealt with, see :func:`pairdx.squaring.fit_to_square`.
        edit: What a reviewer cuts off or paints over, see :func:`pairdx.images.parse_edit`.

    Returns:
        The square; or the sentence that says why there is none.

    Raises:
        PairDxError: The edit is malformed or does not fit the image.
    """
    image = decode(content)
    if not isinstance(image, Image.Image):
        return image
    edited = apply_edit(image, edit) if edit else image
    short, long = sorted(edited.size)
    if squaring == "crop" and size * size * (long / short) > MOST_PIXELS:
        return Refusal(f"refused: {long} by {short} pixels are a line rather than an image")
    return Square(fit_to_square(edited, size, squaring), *image.size)
