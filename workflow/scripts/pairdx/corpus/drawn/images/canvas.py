"""Brushes that the demo corpus is drawn with: soft masks, smooth noise, colour ramps, strokes.

Arrays are float32. A *grey* field has shape [height, width], a *picture* [height, width, 3] (RGB);
both hold values of 0 to 1, and may overshoot until :func:`to_image` clips them. All randomness
comes from the generator that is passed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Array = npt.NDArray[Any]  # of floats; mostly float32
Colour = Sequence[float] | Array
Point = tuple[float, float]

BLACK, WHITE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


def coordinates(
    rng: np.random.Generator, shape: tuple[int, int], tilt: float = 0.0
) -> tuple[Array, Array]:
    """Return x and y of every pixel: the shorter side spans -1 to 1 before a random placement.

    Args:
        rng: Source of the shift, zoom and turn.
        shape: Height and width in pixels.
        tilt: Standard deviation of the turn, in radians.
    """
    height, width = shape
    short = min(height, width)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x = (2 * x - width) / short
    y = (2 * y - height) / short
    zoom = rng.uniform(0.85, 1.25)
    x = (x - rng.normal(0, 0.09)) * zoom * rng.uniform(0.92, 1.08)
    y = (y - rng.normal(0, 0.09)) * zoom
    return turned(x, y, rng.normal(0, tilt) if tilt else 0.0)


def turned(x: Array, y: Array, angle: float) -> tuple[Array, Array]:
    """Turn coordinates by an angle in radians."""
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return x * cosine + y * sine, y * cosine - x * sine


def noise(rng: np.random.Generator, shape: tuple[int, int], cells: float) -> Array:
    """Return smooth noise, about standard normal, with ``cells`` bumps along the shorter side."""
    height, width = shape
    scale = cells / min(height, width)
    rows, columns = max(2, round(height * scale)), max(2, round(width * scale))
    coarse = rng.standard_normal((rows, columns), dtype=np.float32)
    if (rows, columns) == shape:
        return coarse
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def texture(rng: np.random.Generator, shape: tuple[int, int], cells: float) -> Array:
    """Return noise of three scales, each twice as fine and half as strong as the one before."""
    return sum(
        (noise(rng, shape, cells * 2**step) / 2**step for step in range(3)),
        np.zeros(shape, np.float32),
    )


def oval(
    x: Array, y: Array, centre: Point, radii: Point, angle: float = 0.0, soft: float = 0.06
) -> Array:
    """Return a mask: 1 inside an ellipse, 0 outside; ``soft`` is the edge's width in radii."""
    u, v = x - centre[0], y - centre[1]
    if angle:
        u, v = turned(u, v, angle)
    return edge(np.hypot(u / radii[0], v / radii[1]), soft)


def edge(distance: Array, soft: float) -> Array:
    """Return a mask that falls from 1 to 0 around ``distance`` 1, over a width of ``soft``."""
    return np.clip((1 - distance) / soft + 0.5, 0, 1)


def lump(
    rng: np.random.Generator, x: Array, y: Array, centre: Point, radius: float, rough: float = 0.25
) -> Array:
    """Return the mask of an irregular patch, such as a lesion, an organ or a gas bubble."""
    u, v = turned(x - centre[0], y - centre[1], rng.uniform(0, np.pi))
    stretch = rng.uniform(0.65, 1.0)
    distance = np.hypot(u / radius, v / (radius * stretch))
    cells = min(12.0, 2.5 / max(radius, 0.1))
    return edge(distance + rough * noise(rng, x.shape, cells), min(0.25, 0.05 / radius))


def paint(picture: Array, mask: Array, colour: Colour | Array | float) -> None:
    """Lay a colour, a field or a grey value over ``picture``, in place, where the mask is 1."""
    cover = mask[..., None] if picture.ndim == 3 else mask
    picture += cover * (np.asarray(colour, np.float32) - picture)


def ramp(grey: Array, colours: Sequence[Colour]) -> Array:
    """Turn grey values into a picture: 0 becomes the first colour, 1 the last, in equal steps."""
    stops = np.linspace(0, 1, len(colours))
    channels = [
        np.interp(grey, stops, [colour[channel] for colour in colours]) for channel in range(3)
    ]
    return np.stack(channels, axis=-1).astype(np.float32)


def varied(rng: np.random.Generator, colour: Colour, spread: float) -> Array:
    """Return a colour near the given one: brightness and each channel are moved a little."""
    return np.clip(np.asarray(colour) + rng.normal(0, spread) + rng.normal(0, spread / 2, 3), 0, 1)


def to_image(picture: Array) -> Image.Image:
    """Return an RGB image of a picture or a grey field."""
    pixels = np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels).convert("RGB")


def ink(colour: Colour) -> tuple[int, int, int]:
    """Return a colour of 0 to 1 as Pillow's whole numbers of 0 to 255."""
    red, green, blue = (round(255 * min(max(float(value), 0.0), 1.0)) for value in colour)
    return red, green, blue


def branches(
    rng: np.random.Generator,
    shape: tuple[int, int],
    roots: Sequence[tuple[Point, float]],
    width: float,
) -> Array:
    """Return a mask of branching vessels.

    Args:
        rng: Source of the turns and forks.
        shape: Height and width in pixels.
        roots: Starting point (the shorter side spans -1 to 1) and heading (radians) of each stem.
        width: Width of a stem in parts of the shorter side.
    """
    height, across = shape
    short = min(shape)
    canvas = Image.new("L", (2 * across, 2 * height))
    draw = ImageDraw.Draw(canvas)
    pending = [(point, heading, width) for point, heading in roots]
    while pending:
        (x, y), heading, thick = pending.pop()
        points = [(x, y)]
        bend = rng.normal(0, 0.05)
        for step in rng.normal(0, 0.14, rng.integers(5, 11)):
            heading += step + bend
            x, y = x + 0.11 * np.cos(heading), y + 0.11 * np.sin(heading)
            points.append((x, y))
        pixels = [(px * short + across, py * short + height) for px, py in points]
        draw.line(pixels, fill=255, width=max(1, round(2 * thick * short)), joint="curve")
        if thick > 0.006 and abs(x) < 2 and abs(y) < 2:
            turn = rng.uniform(0.25, 0.7)
            pending += [
                ((x, y), heading + turn, thick * 0.72),
                ((x, y), heading - turn, thick * 0.72),
            ]
    return np.asarray(canvas.reduce(2), np.float32) / 255


@lru_cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font that comes with Pillow, in pixels."""
    return ImageFont.load_default(size)
