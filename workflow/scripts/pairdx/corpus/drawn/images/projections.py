"""Films, ultrasound and nuclear medicine for the demo corpus."""

from __future__ import annotations

import numpy as np

from pairdx.corpus.drawn.images.canvas import (
    WHITE,
    Array,
    coordinates,
    edge,
    lump,
    noise,
    oval,
    paint,
    ramp,
    texture,
    varied,
)

Generator = np.random.Generator

HOT = ((0, 0, 0), (0.6, 0.05, 0.0), (1.0, 0.55, 0.0), (1.0, 1.0, 0.85))
RAINBOW = ((0, 0, 0.2), (0, 0.3, 1), (0, 0.9, 0.5), (1, 0.9, 0), (1, 0.1, 0))


def x_ray(rng: Generator, shape: tuple[int, int], region: str) -> Array:
    """Return a chest film, or the bones of a limb or the pelvis, as a grey field."""
    if region in ("upper_limb", "lower_limb", "pelvis"):
        return _bones(rng, shape)
    x, y = coordinates(rng, shape, 0.08)
    scan = 0.62 + 0.1 * noise(rng, shape, 2) - 0.12 * np.abs(x)
    spread = rng.uniform(0.38, 0.46)
    count, slope = rng.uniform(11, 16), rng.uniform(0.35, 0.9)
    rib = np.sin(
        count * (y + slope * (np.abs(x) - 0.45) ** 2 + 0.25 * np.abs(x)) + rng.uniform(0, 6)
    )
    for side in (-1, 1):
        centre = (side * spread, rng.uniform(-0.12, 0.0))
        lung = oval(
            x, y, centre, (rng.uniform(0.26, 0.36), rng.uniform(0.55, 0.7)), side * 0.12, 0.3
        )
        paint(scan, lung * 0.9, 0.2 + 0.07 * np.clip(rib, -0.2, 1) + 0.04 * texture(rng, shape, 8))
        if rng.random() < 0.35:
            spot = (centre[0] + rng.normal(0, 0.1), rng.uniform(-0.4, 0.4))
            paint(scan, lung * 0.7 * lump(rng, x, y, spot, rng.uniform(0.15, 0.4), 0.5), 0.65)
    paint(scan, 0.8 * edge(np.abs(x) / 0.14, 0.5), 0.72 + 0.05 * np.sin(20 * y))
    paint(
        scan,
        0.85 * oval(x, y, (rng.uniform(0.08, 0.2), 0.28), (rng.uniform(0.25, 0.42), 0.3), 0.4, 0.2),
        0.78,
    )
    paint(scan, 0.8 * edge((0.75 - y + 0.35 * (np.abs(x) - spread) ** 2 * 4) / 0.25, 0.5), 0.8)
    paint(scan, edge(np.abs(y + 0.72 - 0.3 * np.abs(x)) / 0.045, 0.6) * (np.abs(x) > 0.12), 0.75)
    return scan


def _bones(rng: Generator, shape: tuple[int, int]) -> Array:
    x, y = coordinates(rng, shape, 0.7)
    scan = np.full(shape, rng.uniform(0.03, 0.12), np.float32)
    count = int(rng.integers(1, 5))
    limb = rng.uniform(0.35, 0.5) + 0.11 * count
    wobble = 0.1 * noise(rng, shape, 2)
    paint(scan, edge(np.abs(x + wobble) / limb, 0.12), 0.33 + 0.05 * noise(rng, shape, 6))
    crack = rng.uniform(-0.5, 0.5)
    for place in np.linspace(-0.28 * (count - 1), 0.28 * (count - 1), count):
        axis = x - place - rng.normal(0, 0.04) * y + wobble / 3
        ends = rng.uniform(-1.0, -0.2), rng.uniform(0.2, 1.0)
        shaft = rng.uniform(0.07, 0.11) * (1.4 if count == 1 else 1)
        flare = sum(np.exp(-(((y - end) / 0.18) ** 2)) for end in ends)
        broad = shaft * (1 + rng.uniform(0.5, 1.0) * flare)
        for distance, grey in ((1.0, 0.88), (0.7, 0.62)):
            paint(scan, edge(np.abs(axis) / (broad * distance), 0.3), grey)
        for end in ends:
            paint(
                scan,
                edge(np.abs(y - end + axis**2) / 0.02, 0.8) * edge(np.abs(axis) / broad, 0.2),
                0.3,
            )
        if rng.random() < 0.4:
            paint(
                scan,
                edge(np.abs(y - crack - 0.6 * axis) / 0.025, 0.7) * edge(np.abs(axis) / broad, 0.2),
                0.3,
            )
    if rng.random() < 0.3:
        paint(
            scan,
            edge(np.abs(x) / 0.05, 0.2) * edge(np.abs(y - crack) / rng.uniform(0.2, 0.5), 0.05),
            1.0,
        )
    return scan


def ultrasound(rng: Generator, shape: tuple[int, int]) -> Array:
    """Return the picture of a fan or a block of speckled echoes, at times with colour Doppler."""
    x, y = coordinates(rng, shape, 0.05)
    apex = rng.uniform(-1.5, -0.95)
    depth, angle = np.hypot(x, y - apex), np.arctan2(x, y - apex)
    linear = rng.random() < 0.25
    if linear:
        fan = edge(np.abs(x) / 0.85, 0.02) * edge(np.abs(y) / 0.8, 0.02)
        depth = y + 1.2
    else:
        fan = edge(np.abs(angle) / rng.uniform(0.45, 0.75), 0.03)
        fan *= edge(depth / rng.uniform(1.8, 2.1), 0.02) * (depth > rng.uniform(0.15, 0.5))
    layers = 0.12 * np.sin(rng.uniform(8, 16) * depth + 1.5 * noise(rng, shape, 3))
    echo = 0.36 + layers + 0.12 * texture(rng, shape, 5) - 0.1 * (depth - 1)
    for _ in range(rng.integers(1, 4)):
        place = (rng.uniform(-0.45, 0.45), rng.uniform(-0.35, 0.6))
        cyst = lump(rng, x, y, place, rng.uniform(0.12, 0.38), 0.12)
        paint(echo, cyst, rng.choice([0.03, 0.05, 0.62]))
    echo = echo * (0.75 + 0.45 * np.abs(rng.standard_normal(shape, dtype=np.float32)))
    picture = ramp(echo * fan * rng.uniform(0.8, 1.2), ((0, 0, 0), varied(rng, WHITE, 0.04)))
    if rng.random() < 0.3:  # colour Doppler
        flow = noise(rng, shape, 5)
        box = (
            oval(x, y, (rng.uniform(-0.3, 0.3), rng.uniform(-0.1, 0.4)), (0.3, 0.25), 0, 0.02) * fan
        )
        paint(picture, box * (flow > 0.45), (0.9, 0.25, 0.1))
        paint(picture, box * (flow < -0.45), (0.1, 0.3, 0.9))
    return picture


def uptake(rng: Generator, shape: tuple[int, int], region: str) -> Array:
    """Return the picture of a tracer in a whole body or in one section of it."""
    x, y = coordinates(rng, shape, 0.1)
    if region == "whole_body":
        figures: Array = np.zeros(shape, np.float32)
        for centre in (-0.5, 0.5) if rng.random() < 0.5 else (rng.normal(0, 0.1),):
            figures += _figure(rng, x - centre, y)
        signal = figures
    else:
        radius = np.hypot(x / 0.85, y / rng.uniform(0.6, 0.85)) + 0.05 * noise(rng, shape, 3)
        signal = edge(radius, 0.1) * (0.28 + 0.14 * texture(rng, shape, 5))
        signal += 0.25 * edge(np.abs(radius - 0.85) / 0.12, 0.8)
    body = np.clip(4 * signal, 0, 1)
    for _ in range(rng.integers(2, 7)):
        place = (rng.normal(0, 0.35), rng.normal(0, 0.35))
        signal += rng.uniform(0.3, 0.8) * body * lump(rng, x, y, place, rng.uniform(0.05, 0.18))
    signal += (
        0.09 * rng.standard_normal(shape, dtype=np.float32) * np.sqrt(np.clip(signal, 0.02, 1))
    )
    palettes = (
        ((1, 1, 1), (0, 0, 0)),
        ((1, 1, 1), (0, 0, 0)),
        ((0, 0, 0), (1, 1, 1)),
        HOT,
        RAINBOW,
    )
    return ramp(signal, palettes[int(rng.integers(len(palettes)))])


def _figure(rng: Generator, x: Array, y: Array) -> Array:
    """Return the faint outline of a standing person with a brighter brain and bladder."""
    signal = 0.25 * oval(x, y, (0, -0.75), (0.12, 0.16)) + 0.22 * oval(
        x, y, (0, -0.2), (0.24, 0.45)
    )
    for side in (-1, 1):
        signal += 0.18 * oval(x, y, (side * 0.12, 0.55), (0.09, 0.5)) + 0.14 * oval(
            x, y, (side * 0.32, -0.15), (0.06, 0.42), side * 0.15
        )
    signal += rng.uniform(0.2, 0.6) * oval(x, y, (0, -0.78), (0.08, 0.09))
    return signal + 0.6 * oval(x, y, (0, 0.17), (0.06, 0.05))
