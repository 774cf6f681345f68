"""Image bytes from outside, decoded without trusting them."""

from __future__ import annotations

import io
import warnings

import numpy as np
from PIL import Image, UnidentifiedImageError

READABLE_FORMATS = ("WEBP", "JPEG", "PNG")


def decode(content: bytes) -> Image.Image | str:
    """Decode an image to RGB, over white where it is transparent.

    Images of more pixels than Pillow's limit (about 89 million), which may be decompression bombs,
    and images of more than 8 bits per channel, whose meaning is not known, are not decoded.

    Returns:
        The image, or, where it cannot be decoded, one sentence that says why.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=READABLE_FORMATS)
            if image.mode.startswith(("I", "F")):
                return "more than 8 bits per channel; convert it to 8 bits first"
            image.load()
    except UnidentifiedImageError:
        return f"not a {', '.join(READABLE_FORMATS)} image"
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        return f"damaged image: {error}"
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        return f"refused: {error}"
    return _over_white(image)


def _over_white(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        background = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(background, rgba).convert("RGB")
    return image.convert("RGB")


def grey_level_spread(image: Image.Image) -> float:
    """Return the standard deviation of the grey levels, from 0 (one colour) to about 127."""
    return float(np.asarray(image.convert("L"), dtype=np.float32).std())
