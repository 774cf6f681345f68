"""Ophthalmic imaging for the demo corpus."""

from __future__ import annotations

import numpy as np
from PIL import Image

from pairdx.corpus.drawn.images.canvas import (
    BLACK,
    WHITE,
    Array,
    Colour,
    branches,
    coordinates,
    edge,
    lump,
    noise,
    oval,
    paint,
    ramp,
    texture,
    to_image,
    turned,
    varied,
)

Generator = np.random.Generator

GREY = {percent: (percent / 100,) * 3 for percent in (5, 10, 75, 95)}
IRIS = (
    ((0.16, 0.09, 0.04), (0.45, 0.28, 0.14)),
    ((0.12, 0.2, 0.3), (0.45, 0.6, 0.7)),
    ((0.1, 0.15, 0.08), (0.4, 0.45, 0.25)),
)


def ophthalmic_imaging(rng: Generator, shape: tuple[int, int], subtype: str) -> Image.Image:
    """Draw an image of the eye.

    Args:
        rng: Source of everything that varies.
        shape: Height and width in pixels.
        subtype: fundus_photograph, ophthalmic_angiography, autofluorescence, oct or
            slit_lamp_photograph.
    """
    if subtype == "oct":
        return to_image(_layers(rng, shape))
    if subtype == "slit_lamp_photograph":
        return to_image(_front_of_the_eye(rng, shape))
    return to_image(_fundus(rng, shape, subtype))


def _fundus(rng: Generator, shape: tuple[int, int], subtype: str) -> Array:
    x, y = coordinates(rng, shape, 0.25)
    zoom = rng.uniform(0.75, 1.15)
    x, y = x * zoom, y * zoom
    side = rng.choice([-1.0, 1.0])
    disc = (side * rng.uniform(0.25, 0.6), rng.normal(0, 0.08))
    vessels = _retinal_vessels(rng, np.hypot(x - disc[0], y - disc[1]), side)
    light = 0.62 + 0.12 * texture(rng, shape, rng.uniform(2, 4)) - 0.2 * np.hypot(x, y) ** 2
    light -= 0.22 * np.exp(-(((x + 0.25 * side) ** 2 + y**2) / 0.03))  # macula
    picture, optic, vessel, marks = _retina(rng, light, subtype)
    paint(picture, oval(x, y, disc, (0.13, 0.155), 0, 0.25), optic)
    paint(picture, vessels * 0.85, vessel)
    for colour, size in marks:
        for _ in range(rng.integers(0, 9)):
            place = (rng.normal(-0.2 * side, 0.35), rng.normal(0, 0.35))
            paint(picture, 0.85 * lump(rng, x, y, place, size * rng.uniform(0.2, 1.0), 0.5), colour)
    cut = np.maximum(np.hypot(x, y), np.abs(y) * rng.uniform(1.0, 1.25))
    paint(picture, 1 - edge(cut / rng.uniform(0.88, 1.1), 0.03), BLACK)
    return picture


def _retina(
    rng: Generator, light: Array, subtype: str
) -> tuple[Array, Colour, Colour, list[tuple[Colour, float]]]:
    """Return the ground, the colours of disc and vessels, and the colour and size of marks."""
    if subtype == "ophthalmic_angiography":
        picture = ramp(light * rng.uniform(0.5, 0.9), (BLACK, varied(rng, WHITE, 0.03)))
        return picture, GREY[75], GREY[95], [(GREY[95], 0.15), (GREY[5], 0.12)]
    if subtype == "autofluorescence":
        picture = ramp(light * rng.uniform(0.5, 0.9), (BLACK, varied(rng, WHITE, 0.03)))
        return picture, GREY[5], GREY[10], [(GREY[95], 0.1), (GREY[5], 0.12)]
    if rng.random() < 0.15:  # red-free light
        picture = ramp(light, (BLACK, (0.2, 0.45, 0.25), (0.6, 0.85, 0.6)))
        return picture, (0.8, 1.0, 0.8), (0.03, 0.1, 0.04), [((0.8, 0.95, 0.8), 0.08)]
    colours = ((0.25, 0.05, 0.02), (0.75, 0.32, 0.12), (1.0, 0.72, 0.4))
    picture = ramp(light, [varied(rng, colour, 0.06) for colour in colours])
    marks: list[tuple[Colour, float]] = [((0.98, 0.9, 0.55), 0.08), ((0.4, 0.03, 0.02), 0.1)]
    return picture, varied(rng, (1.0, 0.88, 0.6), 0.04), (0.4, 0.06, 0.03), marks


def _retinal_vessels(rng: Generator, from_disc: Array, side: float) -> Array:
    """Return the arcades that leave the optic disc, the place where ``from_disc`` is smallest."""
    height, width = from_disc.shape
    row, column = divmod(int(from_disc.argmin()), width)
    short = min(height, width)
    place = ((2 * column - width) / short, (2 * row - height) / short)
    toward = 0.0 if side < 0 else np.pi
    headings = [toward + sign * rng.uniform(0.7, 1.4) for sign in (-1, 1)]
    headings += [toward + np.pi + sign * rng.uniform(0.3, 1.2) for sign in (-1, 1)]
    stems = [(place, float(heading)) for heading in headings]
    return branches(rng, (height, width), stems, rng.uniform(0.014, 0.022))


def _layers(rng: Generator, shape: tuple[int, int]) -> Array:
    """Return an optical coherence tomogram: bright and dark layers that dip at the fovea."""
    x, y = coordinates(rng, shape, 0.12)
    place, pit = rng.uniform(-0.5, 0.5), rng.uniform(0.0, 0.22)
    bow = rng.uniform(-0.15, 0.25) * x**2
    top = rng.uniform(-0.45, -0.1) + bow + pit * np.exp(-(((x - place) / 0.22) ** 2))
    bottom = rng.uniform(0.1, 0.35) + bow + 0.04 * noise(rng, shape, 4)
    if rng.random() < 0.5:  # fluid lifts the layers
        bump = rng.uniform(0.1, 0.3) * np.exp(-(((x - rng.uniform(-0.6, 0.6)) / 0.25) ** 2))
        top, bottom = top - bump, bottom - bump * rng.uniform(0, 1)
    depth = (y - top) / np.maximum(bottom - top, 0.05)
    stops = (-0.3, -0.02, 0.03, 0.2, 0.25, 0.5, 0.55, 0.72, 0.76, 0.88, 0.92, 1.02, 1.08, 1.8, 2.6)
    greys = (0.06, 0.06, 0.75, 0.6, 0.4, 0.5, 0.28, 0.2, 0.4, 0.2, 0.9, 0.95, 0.55, 0.2, 0.05)
    signal = np.interp(depth, stops, greys).astype(np.float32)
    for _ in range(rng.integers(0, 4)):
        paint(
            signal, lump(rng, x, y, (place + rng.normal(0, 0.2), (rng.normal(0, 0.12))), 0.1), 0.06
        )
    signal *= 0.8 + 0.25 * noise(rng, shape, 10)
    signal += 0.09 * rng.standard_normal(shape, dtype=np.float32)
    palettes = (
        (BLACK, WHITE),
        (BLACK, WHITE),
        (WHITE, BLACK),
        (BLACK, (0, 0.4, 0.9), (0.2, 1, 0.4), (1, 0.2, 0)),
    )
    return ramp(signal * rng.uniform(0.7, 1.1), palettes[rng.integers(4)])


def _front_of_the_eye(rng: Generator, shape: tuple[int, int]) -> Array:
    """Return a slit-lamp photograph: iris, pupil, sclera with vessels, lids and a beam of light."""
    x, y = coordinates(rng, shape, 0.15)
    zoom = rng.uniform(0.7, 1.1)
    x, y = x * zoom, y * zoom
    lids = varied(rng, (0.95, 0.72, 0.6), 0.06)
    picture = ramp(0.6 + 0.12 * texture(rng, shape, 3), ((0.25, 0.12, 0.08), lids))
    open_eye = oval(x, y, (0, 0), (1.25, rng.uniform(0.55, 0.85)), 0, 0.1)
    paint(picture, open_eye, varied(rng, (0.88, 0.78, 0.74), 0.04))
    stems = [((side * 1.1, rng.uniform(-0.3, 0.3)), np.pi * (side > 0)) for side in (-1, 1) * 3]
    paint(picture, open_eye * branches(rng, shape, stems, 0.012) * 0.8, (0.75, 0.12, 0.1))
    x, y = x - rng.normal(0, 0.15), y - rng.normal(0, 0.08)
    _iris(rng, x, y, picture, open_eye)
    if rng.random() < 0.5:  # an opacity
        place = (rng.normal(0, 0.2), rng.normal(0, 0.1))
        cloud = lump(rng, x, y, place, rng.uniform(0.1, 0.4))
        paint(picture, 0.75 * cloud, (0.85, 0.86, 0.84))
    if rng.random() < 0.6:
        across, _ = turned(x, y, rng.normal(0, 0.15))
        away = np.abs(across - rng.uniform(-0.3, 0.3) - 0.12 * y**2)
        beam = edge(away / rng.uniform(0.02, 0.06), 0.6)
        paint(picture, 0.8 * beam * open_eye, (0.9, 0.97, 1.0))
    paint(picture, oval(x, y, (0.12, -0.12), (0.05, 0.05)), WHITE)
    return picture * rng.choice([1.0, 0.9, 0.6])


def _iris(rng: Generator, x: Array, y: Array, picture: Array, open_eye: Array) -> None:
    shape = (x.shape[0], x.shape[1])
    spokes = np.sin(rng.integers(25, 60) * np.arctan2(y, x) + 2 * noise(rng, shape, 8))
    radius, pupil = rng.uniform(0.42, 0.58), rng.uniform(0.12, 0.3)
    colours = ramp(0.5 + 0.3 * spokes, IRIS[rng.integers(len(IRIS))])
    paint(picture, open_eye * oval(x, y, (0, 0), (radius, radius)), colours)
    paint(picture, oval(x, y, (0, 0), (pupil, pupil)), (0.03, 0.02, 0.02))
