"""Endoscopy for the demo corpus."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from pairdx.corpus.drawn.images.canvas import (
    BLACK,
    Array,
    branches,
    coordinates,
    edge,
    font,
    lump,
    noise,
    paint,
    ramp,
    texture,
    to_image,
    varied,
)

Generator = np.random.Generator

# Dark to light, the colours that the wall of a hollow organ takes with depth.
MUCOSA = {
    "gi_endoscopy": (
        (0.10, 0.02, 0.01),
        (0.55, 0.18, 0.12),
        (0.85, 0.45, 0.33),
        (0.98, 0.78, 0.62),
    ),
    "airway_endoscopy": (
        (0.08, 0.01, 0.02),
        (0.5, 0.16, 0.16),
        (0.82, 0.5, 0.46),
        (0.97, 0.82, 0.78),
    ),
    "arthroscopy": ((0.12, 0.09, 0.07), (0.55, 0.45, 0.36), (0.85, 0.78, 0.68), (0.98, 0.97, 0.94)),
    "other_endoscopy": ((0.14, 0.03, 0.02), (0.6, 0.25, 0.15), (0.9, 0.6, 0.38), (1.0, 0.85, 0.62)),
}
NARROW_BAND = ((0.02, 0.05, 0.05), (0.25, 0.3, 0.24), (0.45, 0.62, 0.55), (0.8, 0.92, 0.86))


def endoscopy(rng: Generator, shape: tuple[int, int], subtype: str) -> Image.Image:
    """Draw the view through an endoscope: a lit wall, folds, a dark way ahead and wet highlights.

    Args:
        rng: Source of everything that varies.
        shape: Height and width in pixels.
        subtype: gi_endoscopy, airway_endoscopy, arthroscopy or other_endoscopy.
    """
    x, y = coordinates(rng, shape, 1.5)
    light = _cavity(rng, x, y, subtype)
    narrow = subtype != "arthroscopy" and rng.random() < 0.13
    stops = NARROW_BAND if narrow else MUCOSA[subtype]
    picture = ramp(light, [varied(rng, stop, 0.035) for stop in stops])
    if subtype != "arthroscopy":
        stems = [((rng.uniform(-1, 1), rng.uniform(-1, 1)), rng.uniform(0, 7)) for _ in range(2)]
        vessels = branches(rng, shape, stems, 0.014) * rng.uniform(0.1, 0.45)
        paint(picture, vessels * (light > 0.3), (0.25, 0.2, 0.15) if narrow else (0.5, 0.08, 0.06))
    _lesion(rng, x, y, picture)
    shine = noise(rng, shape, rng.uniform(10, 26)) + 0.6 * noise(rng, shape, 3)
    paint(picture, edge(rng.uniform(2.8, 3.8) - shine, 0.3) * (light > 0.35), (1.0, 0.98, 0.94))
    return _through_the_scope(rng, picture)


def _cavity(rng: Generator, x: Array, y: Array, subtype: str) -> Array:
    """Return how much light comes back, 0 (deep) to 1 (near)."""
    shape = (x.shape[0], x.shape[1])
    bumps = texture(rng, shape, rng.uniform(2, 4))
    if subtype == "arthroscopy":
        light = 0.6 + 0.22 * bumps
        gap = np.abs(y - 0.25 * x**2 + 0.12 * noise(rng, shape, 2) - rng.uniform(-0.3, 0.3))
        return np.clip(light * (1 - 0.85 * edge(gap / rng.uniform(0.08, 0.2), 0.8)), 0, 1)
    light = np.full(shape, 0.72, np.float32) + 0.1 * bumps
    holes = 2 if subtype == "airway_endoscopy" and rng.random() < 0.7 else 1
    spread = rng.uniform(0.28, 0.45)
    for hole in range(holes):
        away = spread * (2 * hole - 1) if holes == 2 else rng.normal(0, 0.3)
        depth = np.hypot((x - away) * rng.uniform(0.8, 1.2), y - rng.normal(0, 0.2)) + 0.05 * bumps
        light -= rng.uniform(0.65, 0.95) * np.exp(-((depth / rng.uniform(0.2, 0.42)) ** 2))
        if holes == 1:
            folds = rng.uniform(4, 9) * np.log(depth.clip(0.05)) + rng.uniform(0, 6) + 0.5 * bumps
            light += rng.uniform(0.04, 0.16) * np.sign(np.sin(folds)) * np.abs(np.sin(folds)) ** 0.6
    return np.clip(light, 0, 1)


def _lesion(rng: Generator, x: Array, y: Array, picture: Array) -> None:
    if rng.random() < 0.5:
        return
    place = (rng.uniform(-0.55, 0.55), rng.uniform(-0.55, 0.55))
    radius = rng.uniform(0.12, 0.34)
    kind = rng.integers(3)
    if kind == 0:  # a polyp: lit from one side, with a shadow behind it
        paint(
            picture, 0.5 * lump(rng, x, y, (place[0] + 0.05, place[1] + 0.05), radius * 1.15), BLACK
        )
        shade = np.clip(
            1 - np.hypot(x - place[0] + radius / 3, y - place[1] + radius / 3) / radius, 0, 1
        )
        colour = varied(rng, (0.8, 0.32, 0.27), 0.07)
        paint(picture, lump(rng, x, y, place, radius, 0.1), colour + 0.35 * shade[..., None])
    elif kind == 1:  # an ulcer with a pale floor and a red rim
        paint(picture, 0.8 * lump(rng, x, y, place, radius * 1.3), (0.65, 0.1, 0.08))
        paint(picture, lump(rng, x, y, place, radius), varied(rng, (0.92, 0.85, 0.66), 0.05))
    else:  # blood
        paint(picture, 0.85 * lump(rng, x, y, place, radius * 1.3, 0.6), (0.42, 0.02, 0.02))


def _through_the_scope(rng: Generator, picture: Array) -> Image.Image:
    """Cut the picture to an endoscope's round, octagonal or cornered field; add screen text."""
    shape = picture.shape[:2]
    x, y = coordinates(rng, (shape[0], shape[1]))
    kind = rng.integers(4)
    if kind == 0:
        away = np.hypot(x, y)
    elif kind == 1:
        away = np.maximum(np.maximum(np.abs(x), np.abs(y)), (np.abs(x) + np.abs(y)) / 1.45)
    else:
        away = np.maximum(np.abs(x) / 1.3, np.abs(y)) * (0.95 if kind == 2 else 0.6)
    picture *= (1 - 0.35 * np.clip(away, 0, 1.2) ** 3)[..., None]
    paint(picture, 1 - edge(away / rng.uniform(0.88, 1.05), 0.02), BLACK)
    image = to_image(picture)
    if kind < 3 and rng.random() < 0.3:
        draw = ImageDraw.Draw(image)
        words = ("Gr: N", "Eh: A5", "Ce: 0", "Zoom x1.0", "Cm: 1", "SCOPE")
        for line in range(rng.integers(2, 5)):
            text = words[rng.integers(len(words))]
            draw.text((3, 6 + 12 * line), text, fill=(220, 220, 220), font=font(9))
    return image
