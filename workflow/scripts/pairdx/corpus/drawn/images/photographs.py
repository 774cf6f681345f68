"""Medical photographs for the demo corpus."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from pairdx.corpus.drawn.images.canvas import (
    WHITE,
    Array,
    coordinates,
    edge,
    font,
    ink,
    lump,
    noise,
    oval,
    paint,
    ramp,
    texture,
    to_image,
    varied,
)

Generator = np.random.Generator

SKIN = (
    (0.97, 0.80, 0.70),
    (0.93, 0.68, 0.55),
    (0.82, 0.58, 0.42),
    (0.60, 0.40, 0.28),
    (0.36, 0.23, 0.17),
)
BACKDROP = (
    (0.12, 0.35, 0.55),
    (0.1, 0.45, 0.38),
    (0.03, 0.03, 0.03),
    (0.92, 0.92, 0.92),
    (0.35, 0.55, 0.75),
)
LESION = (
    (0.72, 0.2, 0.18),
    (0.85, 0.4, 0.38),
    (0.3, 0.17, 0.1),
    (0.16, 0.1, 0.1),
    (0.9, 0.82, 0.55),
    (0.5, 0.15, 0.35),
)


def medical_photograph(rng: Generator, shape: tuple[int, int], subtype: str) -> Image.Image:
    """Draw a clinical photograph.

    Args:
        rng: Source of everything that varies.
        shape: Height and width in pixels.
        subtype: skin_photograph, oral_photograph or other_medical_photograph (a limb or a
            specimen on a drape).
    """
    if subtype == "oral_photograph":
        return to_image(_mouth(rng, shape))
    x, y = coordinates(rng, shape, 1.5)
    tone = varied(rng, SKIN[rng.choice(5, p=(0.3, 0.3, 0.2, 0.12, 0.08))], 0.03)
    picture = _skin(rng, shape, tone)
    if subtype == "other_medical_photograph":
        outline = _specimen(rng, x, y, picture) if rng.random() < 0.3 else _limb(rng, x, y, picture)
    else:
        outline = np.ones(shape, np.float32)
        if rng.random() < 0.4:
            _hairs(rng, shape, picture)
    _lesions(rng, x, y, picture, outline)
    if subtype == "skin_photograph" and rng.random() < 0.25:  # a dermatoscope's round field
        paint(
            picture,
            1 - edge(np.hypot(x, y) / rng.uniform(0.85, 1.1), 0.25),
            rng.choice([0.02, 0.95]),
        )
    image = to_image(picture * rng.uniform(0.85, 1.08))
    if rng.random() < 0.25:
        _ruler(rng, image)
    return image


def _skin(rng: Generator, shape: tuple[int, int], tone: Array) -> Array:
    shade = 0.72 + 0.1 * texture(rng, shape, rng.uniform(1.5, 3)) + 0.03 * noise(rng, shape, 45)
    return ramp(shade, (tone * 0.25, tone * 0.72, np.minimum(tone * 1.12, 1)))


def _limb(rng: Generator, x: Array, y: Array, picture: Array) -> Array:
    """Lay a limb, with fingers or toes at times, on a drape; return where the skin is."""
    shape = (x.shape[0], x.shape[1])
    wide = rng.uniform(0.3, 0.62) + rng.uniform(-0.15, 0.15) * y + 0.04 * noise(rng, shape, 3)
    skin = edge(np.abs(x) / wide, 0.06)
    shadow = np.sqrt(np.clip(1 - (x / wide) ** 2, 0.05, 1))
    if rng.random() < 0.4:
        skin *= y < rng.uniform(0.0, 0.3)
        for finger in range(rng.integers(3, 6)):
            place = (rng.uniform(-0.05, 0.05) + 0.24 * finger - 0.48, rng.uniform(0.2, 0.45))
            part = oval(x, y, place, (0.11, rng.uniform(0.4, 0.6)), rng.normal(0, 0.12))
            skin = np.maximum(skin, part)
            paint(
                picture,
                0.5 * part * edge(np.abs(np.abs(x - place[0]) - 0.11) / 0.025, 0.8),
                picture * 0.5,
            )
            nail = oval(x, y, (place[0], place[1] + 0.38), (0.06, 0.08))
            paint(picture, 0.6 * nail, (0.95, 0.78, 0.75))
    picture *= (0.45 + 0.55 * shadow)[..., None]
    folds = 0.75 + 0.12 * texture(rng, shape, rng.uniform(2, 5))
    drape = varied(rng, BACKDROP[rng.integers(5)], 0.05)
    paint(picture, 1 - skin, folds[..., None] * drape.astype(np.float32))
    return skin


def _specimen(rng: Generator, x: Array, y: Array, picture: Array) -> Array:
    """Lay a resected specimen on a drape; return where it is."""
    shape = (x.shape[0], x.shape[1])
    piece = lump(rng, x, y, (rng.normal(0, 0.1), rng.normal(0, 0.1)), rng.uniform(0.5, 0.8), 0.2)
    flesh = ramp(
        0.5 + 0.2 * texture(rng, shape, 5),
        ((0.25, 0.04, 0.04), varied(rng, (0.65, 0.28, 0.22), 0.08), (0.95, 0.8, 0.6)),
    )
    drape = varied(rng, BACKDROP[rng.integers(5)], 0.05).astype(np.float32)
    picture[...] = (0.8 + 0.06 * texture(rng, shape, 3))[..., None] * drape
    paint(picture, piece, flesh)
    return piece


def _hairs(rng: Generator, shape: tuple[int, int], picture: Array) -> None:
    canvas = Image.new("L", (shape[1], shape[0]))
    draw = ImageDraw.Draw(canvas)
    lean = rng.uniform(0, np.pi)
    for _ in range(rng.integers(10, 50)):
        x, y = rng.uniform(0, shape[1]), rng.uniform(0, shape[0])
        angle, length = lean + rng.normal(0, 0.4), rng.uniform(12, 45)
        bend = (x + length / 2 * np.cos(angle + 0.3), y + length / 2 * np.sin(angle + 0.3))
        end = (x + length * np.cos(angle), y + length * np.sin(angle))
        draw.line([(x, y), bend, end], fill=170)
    paint(picture, np.asarray(canvas, np.float32) / 255, (0.12, 0.08, 0.06))


def _lesions(rng: Generator, x: Array, y: Array, picture: Array, outline: Array) -> None:
    shape = (x.shape[0], x.shape[1])
    colour = varied(rng, LESION[rng.integers(len(LESION))], 0.06)
    kind = rng.integers(4)
    if kind == 0:  # a rash: many small spots
        spots = edge(2.0 - noise(rng, shape, rng.uniform(8, 16)), 0.4)
        paint(
            picture,
            0.6 * spots * outline * edge(np.hypot(x, y) / rng.uniform(0.5, 1.2), 0.8),
            colour,
        )
        return
    for _ in range(1 if kind < 3 else rng.integers(2, 7)):
        place = (rng.uniform(-0.35, 0.35), rng.uniform(-0.45, 0.45))
        size = rng.uniform(0.18, 0.5) if kind < 3 else rng.uniform(0.06, 0.18)
        if rng.random() < 0.6:  # inflamed skin around it
            paint(picture, 0.35 * outline * lump(rng, x, y, place, size * 1.5), (0.8, 0.25, 0.22))
        mask = lump(rng, x, y, place, size, 0.4) * outline
        mottled = 1 + 0.3 * noise(rng, shape, rng.uniform(9, 20))
        paint(picture, 0.85 * mask, mottled[..., None] * colour.astype(np.float32))
        if kind == 2:  # a crust, or necrosis, in its centre
            paint(
                picture, 0.9 * outline * lump(rng, x, y, place, size * 0.5, 0.5), (0.2, 0.13, 0.1)
            )


def _mouth(rng: Generator, shape: tuple[int, int]) -> Array:
    x, y = coordinates(rng, shape, 0.2)
    tissue = 0.55 + 0.14 * texture(rng, shape, 3)
    lip = varied(rng, (0.85, 0.45, 0.42), 0.06)
    picture = ramp(tissue, ((0.3, 0.06, 0.06), lip, (1.0, 0.8, 0.76)))
    gape = rng.uniform(0.35, 0.75)
    bow = y + rng.uniform(-0.1, 0.3) * x**2
    paint(picture, oval(x, bow, (0, 0.1), (1.0, gape), 0, 0.1), (0.25, 0.05, 0.05))
    if rng.random() < 0.75:  # tongue or floor of the mouth
        tongue = ramp(
            0.6 + 0.12 * noise(rng, shape, 20),
            ((0.5, 0.15, 0.15), varied(rng, (0.92, 0.55, 0.55), 0.05)),
        )
        paint(picture, oval(x, y, (rng.normal(0, 0.1), 0.4), (0.65, gape * 0.75)), tongue)
    width = rng.uniform(0.2, 0.34)
    for row, level in enumerate((0.1 - gape * 0.8, 0.15 + gape * 0.85)):
        if row and rng.random() < 0.5:
            continue
        column = (x / width + rng.uniform(0, 1)) % 1
        tooth = edge(np.abs(column - 0.5) / 0.47, 0.1) * edge(
            np.abs(bow - level) / rng.uniform(0.14, 0.24), 0.3
        )
        paint(picture, tooth * edge(np.abs(x) / 1.1, 0.1), varied(rng, (0.95, 0.91, 0.78), 0.03))
    place = (rng.uniform(-0.5, 0.5), rng.uniform(-0.2, 0.5))
    colour = ((0.95, 0.92, 0.86), (0.6, 0.05, 0.08), (0.3, 0.1, 0.25))[rng.integers(3)]
    paint(picture, 0.85 * lump(rng, x, y, place, rng.uniform(0.12, 0.32), 0.5), colour)
    paint(picture, edge(3.0 - noise(rng, shape, 18), 0.3) * 0.8, WHITE)
    return picture


def _ruler(rng: Generator, image: Image.Image) -> None:
    """Lay a paper ruler along one edge of the photograph."""
    draw = ImageDraw.Draw(image)
    width, height = image.size
    thick, step = int(rng.integers(14, 26)), int(rng.integers(5, 10))
    top = int(rng.choice([0, height - thick]))
    draw.rectangle((0, top, width, top + thick), fill=ink(varied(rng, (0.93, 0.92, 0.85), 0.03)))
    for mark, place in enumerate(range(4, width, step)):
        draw.line(
            (place, top, place, top + (thick // 2 if mark % 5 == 0 else thick // 4)),
            fill=(20, 20, 20),
        )
        if mark % 10 == 0:
            draw.text(
                (place + 1, top + thick // 2 - 2), str(mark // 10), fill=(20, 20, 20), font=font(8)
            )
