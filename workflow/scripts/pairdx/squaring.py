"""How images become squares of one size, as the configuration's ``packing.squaring`` says.

Apart from packing.py, which reads archives: what a model says of its images needs none of that, and
a reader that is edited trains nothing anew.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

PAD_COLOUR = (128, 128, 128)  # close to what normalisation makes zero


def fit_to_square(image: Image.Image, size: int, squaring: str = "crop") -> np.ndarray:
    """Make a square of an image, with a bicubic filter: uint8 (size, size, 3).

    Each way gives the pixels that open_clip's preprocessing of the name in brackets gives before
    normalisation; OpenAI's CLIP has the first.

    Args:
        image: Any image.
        size: Side of the square in pixels.
        squaring: ``crop``: resize the short side, cut out the centre (shortest). ``squash``: resize
            both sides, shapes change (squash). ``pad``: resize the long side, mid-grey beside it
            (longest, with this colour to fill).
    """
    if image.mode != "RGB":  # a conversion of RGB to RGB is a copy
        image = image.convert("RGB")
    if squaring == "squash":
        return np.asarray(image.resize((size, size), Image.Resampling.BICUBIC), dtype=np.uint8)
    if squaring == "pad":
        longest = max(image.size)
        width, height = (max(1, round(side / (longest / size))) for side in image.size)
        square = Image.new("RGB", (size, size), PAD_COLOUR)
        resized = image.resize((width, height), Image.Resampling.BICUBIC)
        square.paste(resized, ((size - width) // 2, (size - height) // 2))
        return np.asarray(square, dtype=np.uint8)
    short = min(image.size)
    width, height = (int(size * side / short) for side in image.size)
    # Not with `box`, the square's alone: Pillow keeps its corners in float32, and a quarter of the
    # time of this step would cost other pixels in three of four images.
    resized = image.resize((width, height), Image.Resampling.BICUBIC)
    left, top = round((width - size) / 2), round((height - size) / 2)
    return np.asarray(resized.crop((left, top, left + size, top + size)), dtype=np.uint8)
