"""Pathology for the demo corpus: the seventh image type, which is none of the six classes."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from pairdx.corpus.drawn.images.canvas import (
    Array,
    coordinates,
    lump,
    noise,
    paint,
    ramp,
    texture,
    to_image,
    turned,
    varied,
)

Generator = np.random.Generator


def pathology(rng: Generator, shape: tuple[int, int], subtype: str) -> Image.Image:
    """Draw a stained section under the microscope.

    Args:
        rng: Source of everything that varies.
        shape: Height and width in pixels.
        subtype: h&e, immunostaining, fish or giemsa.
    """
    ground, fibre, nucleus = {
        "h&e": ((0.97, 0.92, 0.95), (0.88, 0.55, 0.74), (0.36, 0.2, 0.52)),
        "immunostaining": ((0.95, 0.94, 0.92), (0.8, 0.78, 0.82), (0.45, 0.27, 0.14)),
        "fish": ((0.01, 0.01, 0.04), (0.03, 0.03, 0.12), (0.15, 0.25, 0.75)),
        "giemsa": ((0.96, 0.93, 0.86), (0.9, 0.68, 0.64), (0.4, 0.18, 0.5)),
    }[subtype]
    x, y = coordinates(rng, shape, 1.5)
    stroma = 0.5 + 0.35 * texture(rng, shape, rng.uniform(2, 5))
    stroma += 0.15 * np.sin(
        rng.uniform(10, 30) * turned(x, y, rng.uniform(0, 3))[0] + 3 * noise(rng, shape, 4)
    )
    picture = ramp(stroma, (varied(rng, fibre, 0.03), varied(rng, fibre, 0.03), ground))
    _cells(rng, picture, varied(rng, nucleus, 0.04), subtype)
    if rng.random() < 0.35:  # glands or vessels
        for _ in range(rng.integers(1, 5)):
            place = (rng.uniform(-0.8, 0.8), rng.uniform(-0.8, 0.8))
            paint(picture, 0.9 * lump(rng, x, y, place, rng.uniform(0.1, 0.3)), ground)
    return to_image(picture)


def _cells(rng: Generator, picture: Array, nucleus: Array, subtype: str) -> None:
    height, width = picture.shape[:2]
    canvas = Image.new("L", (2 * width, 2 * height))
    draw = ImageDraw.Draw(canvas)
    size = rng.uniform(4, 9) if subtype != "giemsa" else rng.uniform(9, 16)
    count = int(rng.uniform(0.15, 0.45) * height * width / size**2)
    crowd = noise(rng, (height, width), 3)
    for x, y, stretch in rng.random((min(count, 500), 3)):
        if crowd[int(y * height), int(x * width)] < -0.4:
            continue
        across, down = size * (0.6 + stretch), size * (1.5 - 0.8 * stretch)
        left, top = 2 * x * width, 2 * y * height
        draw.ellipse(
            (left - across, top - down, left + across, top + down), fill=int(150 + 100 * stretch)
        )
    mask = np.asarray(canvas.reduce(2), np.float32) / 255
    paint(picture, mask, nucleus)
    if subtype == "fish":
        for colour in ((1.0, 0.2, 0.15), (0.2, 1.0, 0.3)):
            signals = (rng.random((height, width), dtype=np.float32) > 0.985) * (mask > 0.5)
            paint(picture, signals.astype(np.float32), colour)
