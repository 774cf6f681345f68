"""Image bytes from outside, decoded without trusting them, and a reviewer's edits of images."""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, UnidentifiedImageError

from pairdx.errors import PairDxError

READABLE_FORMATS = ("WEBP", "JPEG", "PNG")
MASK_COLOUR = (128, 128, 128)

Box = tuple[int, int, int, int]


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


@dataclass(frozen=True)
class Edit:
    """What is cut off or painted over, in pixels of the raw image: left, top, right, bottom.

    Attributes:
        crop: What is kept; None for all.
        masks: What is painted over.
    """

    crop: Box | None = None
    masks: tuple[Box, ...] = ()


def parse_edit(text: str, size: tuple[int, int] | None = None) -> Edit:
    """Read an edit such as ``crop 10 20 300 400; mask 0 0 50 50``, or "" for none.

    Steps are separated by semicolons: at most one crop, which stands first, and any number of
    masks. Each names left, top, right and bottom in pixels of the raw image, right and bottom
    excluded; a mask counts from the raw image's corner even where the image is cropped.

    Args:
        text: The edit.
        size: Width and height of the raw image, to refuse boxes outside it; None if not known.

    Raises:
        PairDxError: The text is not in this form, or a box is empty or outside the image.
    """
    crop, masks = None, []
    for place, step in enumerate(text.split(";") if text.strip() else []):
        found = re.fullmatch(r"(crop|mask)((?:\s+[0-9]{1,9}){4})", step.strip())
        if found is None:
            raise PairDxError(
                f"`{step.strip()}` is no edit of an image: write `crop` or `mask` and left, top, "
                "right, bottom in whole pixels, steps separated by `;`"
            )
        left, top, right, bottom = box = _box(found[2])
        if left >= right or top >= bottom:
            raise PairDxError(f"the box of `{step.strip()}` is empty: left, top, right, bottom")
        if size is not None and (right > size[0] or bottom > size[1]):
            raise PairDxError(
                f"the box of `{step.strip()}` is not inside the image of {size[0]} x {size[1]} "
                "pixels"
            )
        if found[1] == "mask":
            masks.append(box)
        elif place == 0:
            crop = box
        else:
            raise PairDxError(f"`{text}` has a crop that does not stand first; there can be one")
    return Edit(crop, tuple(masks))


def _box(numbers: str) -> Box:
    left, top, right, bottom = map(int, numbers.split())
    return left, top, right, bottom


def apply_edit(image: Image.Image, edit: str) -> Image.Image:
    """Paint an edit's masks in mid-grey and cut out its crop; the given image stays as it is.

    Args:
        image: RGB, as :func:`decode` gives it.
        edit: As :func:`parse_edit` reads it.

    Returns:
        RGB, of the size of the crop if there is one; the image itself where the edit is "".

    Raises:
        PairDxError: The edit is malformed or does not fit the image.
    """
    parsed = parse_edit(edit, image.size)
    if parsed.masks:
        image = image.copy()
    for box in parsed.masks:
        image.paste(MASK_COLOUR, box)
    return image if parsed.crop is None else image.crop(parsed.crop)
