"""Electrography for the demo corpus: traces of the heart, brain and muscles."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from pairdx.corpus.drawn.images.canvas import (
    BLACK,
    Colour,
    font,
    ink,
    noise,
    to_image,
    varied,
)

Generator = np.random.Generator
Curve = npt.NDArray[np.float64]

GRID = (
    ((1.0, 0.93, 0.93), (0.95, 0.68, 0.68)),
    ((1.0, 0.88, 0.86), (0.9, 0.55, 0.55)),
    ((0.99, 0.97, 0.93), (0.9, 0.72, 0.6)),
    ((0.92, 0.98, 0.92), (0.6, 0.8, 0.62)),
    ((1.0, 1.0, 1.0), (0.82, 0.82, 0.82)),
    ((1.0, 1.0, 1.0), None),
)
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "Fp1", "C3", "O2")
SCREEN_PENS = ((0.1, 0.9, 0.3), (0.95, 0.85, 0.2))
PAPER_PENS = (BLACK, BLACK, (0.1, 0.12, 0.4), (0.3, 0.05, 0.05))


def electrography(rng: Generator, shape: tuple[int, int], subtype: str) -> Image.Image:
    """Draw traces of the heart, brain or muscle.

    Args:
        rng: Source of everything that varies.
        shape: Height and width in pixels.
        subtype: ekg (heartbeats on grid paper or a monitor), eeg (many rows) or emg (bursts).
    """
    height, width = shape
    monitor = rng.random() < (0.12 if subtype == "ekg" else 0.06)
    plain = subtype != "ekg" and rng.random() < 0.7
    paper, lines = GRID[-1 if plain else rng.integers(len(GRID))]
    sheet = (0.01, 0.02, 0.03) if monitor else varied(rng, paper, 0.02)
    image = Image.new("RGB", (width, height), ink(sheet))
    draw = ImageDraw.Draw(image)
    if lines is not None and not monitor:
        _grid(rng, draw, shape, lines)
    rows = int(rng.integers(7, 17)) if subtype == "eeg" else int(rng.integers(1, 7))
    pens = SCREEN_PENS if monitor else PAPER_PENS
    pen = ink(pens[rng.integers(len(pens))])
    signal = {"ekg": _heartbeats, "eeg": _brain_waves, "emg": _bursts}[subtype]
    style = rng.random(6)
    thick, label = int(rng.integers(1, 3)), rng.random() < 0.6
    for row in range(rows):
        level = height * (row + 0.5 + rng.normal(0, 0.04)) / rows
        reach = height / rows * rng.uniform(0.35, 0.6)
        curve = signal(rng, width, style)
        points = [(x, level - reach * float(value)) for x, value in enumerate(curve)]
        draw.line(points, fill=pen, width=thick)
        if label:
            name = LEADS[rng.integers(len(LEADS))]
            draw.text((2, level - reach * 0.9), name, fill=pen, font=font(10))
    return image if monitor or rng.random() < 0.6 else _photographed(rng, image)


def _grid(
    rng: Generator, draw: ImageDraw.ImageDraw, shape: tuple[int, int], colour: Colour
) -> None:
    step, faint = rng.uniform(4, 8), ink([(value + 1) / 2 for value in colour])
    for small in (True, False):
        pitch = step if small else step * 5
        pen = faint if small else ink(colour)
        for x in np.arange(rng.uniform(0, pitch), shape[1], pitch):
            draw.line((x, 0, x, shape[0]), fill=pen)
        for y in np.arange(rng.uniform(0, pitch), shape[0], pitch):
            draw.line((0, y, shape[1], y), fill=pen)


def _heartbeats(rng: Generator, width: int, style: Curve) -> Curve:
    """Return one lead: P, QRS and T waves at a regular, or at times irregular, rhythm."""
    x = np.arange(width, dtype=np.float64)
    period = 18 + 60 * style[0]
    beats = np.arange(-period, width + period, period) + rng.uniform(0, period)
    if style[1] < 0.3:
        beats = beats + rng.normal(0, period * 0.15, beats.size)
    scale = np.where(rng.random() < 0.2, -1, 1) * rng.uniform(0.5, 1.0)
    phase = (x[:, None] - beats) / period
    waves = (
        (-0.18, 0.035, 0.13),
        (-0.03, 0.012, -0.15),
        (0.0, 0.018, 1.0),
        (0.035, 0.015, rng.uniform(-0.5, -0.1)),
        (0.28, 0.06, rng.uniform(-0.25, 0.4)),
    )
    curve = sum(
        size * np.exp(-(((phase - centre) / broad) ** 2 / 2)) for centre, broad, size in waves
    )
    drift = 0.08 * np.sin(x / rng.uniform(20, 80)) + rng.normal(0, 0.015 + 0.03 * style[2], width)
    return np.asarray(scale * np.sum(curve, axis=1) + drift)


def _brain_waves(rng: Generator, width: int, style: Curve) -> Curve:
    """Return one channel: a mixture of rhythms, with spike-and-wave discharges at times."""
    x = np.arange(width, dtype=np.float64)
    curve = rng.normal(0, 0.12, width)
    for speed in (0.05, 0.15, 0.4 + 0.5 * style[3], 1.1):
        curve += rng.uniform(0.05, 0.28) * np.sin(
            speed * x * rng.uniform(0.8, 1.2) + rng.uniform(0, 6)
        )
    if style[4] < 0.5:
        seizure = 1 / (1 + np.exp(-(x / width - style[5] * 0.7) * 30))
        curve += seizure * 0.9 * np.abs(np.sin(x * (0.1 + 0.15 * style[0]))) ** 6 - 0.3 * seizure
    return curve


def _bursts(rng: Generator, width: int, style: Curve) -> Curve:
    """Return the discharge of motor units: noise whose strength comes and goes."""
    x = np.arange(width, dtype=np.float64)
    strength = np.clip(np.sin(x / (8 + 50 * style[0]) + rng.uniform(0, 6)), 0.04, 1) ** (
        1 + 3 * style[1]
    )
    return np.asarray(strength * rng.normal(0, 0.45, width))


def _photographed(rng: Generator, image: Image.Image) -> Image.Image:
    """Return the sheet as a hand-held photograph has it: turned, unevenly lit, a little blurred."""
    width, height = image.size
    turned = image.rotate(
        rng.normal(0, 4),
        Image.Resampling.BILINEAR,
        fillcolor=ink(varied(rng, (0.45, 0.38, 0.33), 0.15)),
    )
    light = 0.86 + 0.1 * noise(rng, (height, width), 2)
    lit = (
        np.asarray(turned, np.float32)
        / 255
        * light[..., None]
        * varied(rng, (0.98, 0.95, 0.9), 0.03)
    )
    return to_image(lit.astype(np.float32)).filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.8)))
