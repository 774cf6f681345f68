"""Cross-sections for the demo corpus: CT and MRI of head, spine, joints, thorax and abdomen."""

from __future__ import annotations

import numpy as np

from pairdx.corpus.drawn.images.canvas import (
    Array,
    coordinates,
    edge,
    lump,
    noise,
    oval,
    paint,
    texture,
)

Generator = np.random.Generator


def cross_section(
    rng: Generator, shape: tuple[int, int], subtype: str, region: str, view: str
) -> Array:
    """Return one CT or MRI slice as a grey field; the arguments are those of ``radiology``."""
    if region in ("head", "neck"):
        draw = _spine if region == "neck" else _sagittal_head if view == "sagittal" else _axial_head
        return draw(rng, shape, subtype)
    if region in ("upper_limb", "lower_limb"):
        return _joint(rng, shape, subtype)
    draw = _thorax if region == "thorax" else _abdomen
    return draw(rng, shape, subtype)


def _axial_head(rng: Generator, shape: tuple[int, int], subtype: str) -> Array:
    x, y = coordinates(rng, shape, 0.2)
    scan = np.zeros(shape, np.float32)
    wide, tall = rng.uniform(0.62, 0.74), rng.uniform(0.76, 0.9)
    radius = np.hypot(x / wide, y / tall) + 0.04 * noise(rng, shape, 4)
    bone = rng.uniform(0.9, 1.0) if subtype == "ct" else 0.06
    scalp, brain = (
        (0.3, rng.uniform(0.35, 0.5)) if subtype == "ct" else (0.75, rng.uniform(0.3, 0.6))
    )
    fluid = brain - 0.22 if subtype == "ct" or rng.random() < 0.5 else brain + 0.35
    for distance, grey in ((1.0, scalp), (0.94, bone), (0.86, brain)):
        paint(scan, edge(radius / distance, 0.03), grey)
    inside = edge(radius / 0.84, 0.05)
    folds = np.sin(rng.uniform(7, 11) * texture(rng, shape, rng.uniform(4, 6)))
    scan += inside * (0.05 if subtype == "ct" else 0.13) * folds
    paint(scan, inside * edge(np.abs(x + 0.02 * noise(rng, shape, 5)) / 0.018, 0.6), fluid)
    spread, length = rng.uniform(0.1, 0.2), rng.uniform(0.18, 0.34)
    for side in (-1, 1):
        for up in (-1, 1):
            centre = (side * spread, up * length * 0.8 + rng.normal(0, 0.03))
            paint(scan, oval(x, y, centre, (0.07, length), side * up * 0.45), fluid)
    if rng.random() < 0.55:
        place = (rng.uniform(-0.4, 0.4), rng.uniform(-0.5, 0.5))
        grey = brain + rng.choice([-0.25, 0.3, 0.45])
        paint(scan, inside * lump(rng, x, y, place, rng.uniform(0.1, 0.28)), grey)
    return scan


def _sagittal_head(rng: Generator, shape: tuple[int, int], subtype: str) -> Array:
    x, y = coordinates(rng, shape, 0.2)
    x = x if rng.random() < 0.8 else -x
    scan = np.zeros(shape, np.float32)
    soft = rng.uniform(0.3, 0.5)
    paint(scan, oval(x, y, (0.0, 0.85), (0.35, 0.7), rng.uniform(-0.1, 0.2)), soft)  # neck
    paint(scan, oval(x, y, (-0.55, 0.45), (0.3, 0.5), -0.4), soft * 1.1)  # face
    radius = np.hypot(x / 0.82, (y + 0.2) / 0.68) + 0.04 * noise(rng, shape, 4)
    for distance, grey in ((1.0, 0.7), (0.94, 0.08 if subtype == "mri" else 0.95), (0.87, soft)):
        paint(scan, edge(radius / distance, 0.03), grey)
    scan += edge(radius / 0.84, 0.05) * 0.15 * np.sin(10 * texture(rng, shape, rng.uniform(4, 6)))
    bow = np.abs(np.hypot(x / 0.36, (y + 0.06) / 0.24) - 1)
    paint(scan, edge(bow / 0.14, 0.3) * (y < 0.02), soft + 0.25)  # corpus callosum
    paint(scan, oval(x, y, (0.42, 0.24), (0.22, 0.18)), soft + 0.12 * np.sin(24 * x))  # cerebellum
    paint(scan, oval(x, y, (0.12, 0.35), (0.1, 0.34), 0.15), soft + 0.15)  # brain stem
    if rng.random() < 0.5:
        place = (rng.uniform(-0.4, 0.4), rng.uniform(-0.55, 0.2))
        paint(scan, lump(rng, x, y, place, rng.uniform(0.08, 0.2)), rng.choice([0.05, 0.9]))
    return scan


def _spine(rng: Generator, shape: tuple[int, int], subtype: str) -> Array:
    x, y = coordinates(rng, shape, 0.2)
    scan = 0.25 + 0.1 * texture(rng, shape, 4)
    bend = (
        rng.uniform(-0.25, 0.25) * y**2
        + 0.06 * np.sin(2.5 * y + rng.uniform(0, 6))
        + rng.uniform(-0.3, 0.1)
    )
    height = rng.uniform(0.24, 0.4)
    phase = (y / height + rng.uniform(0, 1)) % 1
    bone = 0.85 if subtype == "ct" else rng.uniform(0.45, 0.8)
    paint(scan, edge(np.abs(x - bend) / 0.2, 0.15), 0.2)
    paint(scan, edge(np.abs(x - bend) / 0.18, 0.15) * edge(np.abs(phase - 0.5) / 0.36, 0.15), bone)
    paint(scan, edge(np.abs(x - bend - 0.33) / 0.1, 0.2), 0.85 if rng.random() < 0.5 else 0.1)
    paint(scan, edge(np.abs(x - bend - 0.33) / 0.05, 0.3), 0.5)
    paint(scan, edge((x - bend + 0.75) / 0.15, 0.4) * (x - bend < -0.5), 0.05)
    scan += 0.06 * texture(rng, shape, 9)
    return scan * edge(np.abs(x) / rng.uniform(0.9, 1.3), 0.2)


def _joint(rng: Generator, shape: tuple[int, int], subtype: str) -> Array:
    x, y = coordinates(rng, shape, 0.3)
    scan = np.zeros(shape, np.float32)
    paint(scan, edge((np.abs(x) + 0.07 * noise(rng, shape, 3)) / rng.uniform(0.55, 0.8), 0.1), 0.35)
    scan *= 1 + 0.3 * texture(rng, shape, 6)
    gap, bone = rng.uniform(-0.2, 0.2), rng.uniform(0.6, 0.9)
    for side in (-1, 1):
        shaft = rng.uniform(0.16, 0.24)
        flare = shaft + 0.28 * np.exp(-(((y - gap) / 0.3) ** 2))
        mask = edge(np.abs(x + rng.normal(0, 0.02)) / flare, 0.08) * (side * (y - gap) > 0.05)
        paint(scan, mask, bone * (1 + 0.12 * noise(rng, shape, 12)))
        if subtype == "ct":
            paint(scan, mask * edge(np.abs(x) / (flare * 0.75), 0.2), bone * 0.7)
    paint(scan, oval(x, y, (-0.55, gap), (0.13, 0.22)), bone)
    if rng.random() < 0.6:
        paint(scan, lump(rng, x, y, (rng.uniform(-0.3, 0.3), gap + rng.normal(0, 0.25)), 0.2), 0.95)
    return scan


def _body(
    rng: Generator, shape: tuple[int, int], subtype: str
) -> tuple[Array, Array, Array, Array, Array]:
    x, y = coordinates(rng, shape, 0.12)
    scan = np.full(shape, rng.choice([0.0, 0.02, 0.06]), np.float32)
    radius = np.hypot(x / rng.uniform(0.85, 1.05), y / rng.uniform(0.62, 0.78))
    radius += 0.04 * noise(rng, shape, 3)
    fat, soft = (0.2, 0.48) if subtype == "ct" else (0.8, rng.uniform(0.2, 0.4))
    paint(scan, edge(radius, 0.03), fat)
    paint(scan, edge(radius / rng.uniform(0.84, 0.93), 0.05), soft)
    scan += 0.04 * edge(radius, 0.05) * texture(rng, shape, 7)
    back = rng.uniform(0.36, 0.46)
    bone = 0.92 if subtype == "ct" else soft + 0.2
    paint(scan, oval(x, y, (0, back), (0.15, 0.12)), bone)
    paint(scan, oval(x, y, (0, back + 0.2), (0.05, 0.16)), bone)
    if subtype == "ct":
        paint(scan, oval(x, y, (0, back + 0.1), (0.06, 0.05)), soft)
    return scan, x, y, radius, np.full(shape, soft, np.float32)


def _thorax(rng: Generator, shape: tuple[int, int], subtype: str) -> Array:
    scan, x, y, radius, soft = _body(rng, shape, subtype)
    bone = 0.95 if subtype == "ct" else 0.6
    ribs = edge(np.abs(radius - 0.8) / 0.035, 0.5)
    ribs *= np.sin(rng.uniform(9, 13) * np.arctan2(y, x) + rng.uniform(0, 6)) > 0.35
    paint(scan, ribs, bone)
    vessels = np.clip(noise(rng, shape, 22) - 1.0, 0, 1)
    for side in (-1, 1):
        centre = (side * rng.uniform(0.36, 0.46), rng.uniform(-0.08, 0.05))
        radii = (rng.uniform(0.24, 0.34), rng.uniform(0.36, 0.46))
        lung = oval(x, y, centre, radii, side * rng.uniform(0, 0.3), 0.08)
        paint(scan, lung, 0.06 + 0.7 * vessels)
        if rng.random() < 0.5:
            spot = (centre[0] + rng.uniform(-0.15, 0.15), centre[1] + rng.uniform(-0.25, 0.25))
            paint(
                scan,
                lung * lump(rng, x, y, spot, rng.uniform(0.07, 0.24), 0.5),
                rng.uniform(0.4, 0.7),
            )
    heart = oval(x, y, (rng.uniform(0.02, 0.16), rng.uniform(-0.22, -0.05)), (0.24, 0.2), 0.5)
    contrast = rng.choice([0.05, 0.3])
    paint(scan, heart, soft + contrast)
    paint(scan, oval(x, y, (-0.08, 0.22), (0.09, 0.09)), soft + contrast)
    return scan


def _abdomen(rng: Generator, shape: tuple[int, int], subtype: str) -> Array:
    scan, x, y, radius, soft = _body(rng, shape, subtype)
    level = float(soft[0, 0])
    inside = edge(radius / 0.82, 0.1)
    paint(scan, inside, 0.25 + 0.08 * texture(rng, shape, 6))
    if rng.random() < 0.7:
        liver = lump(rng, x, y, (-0.42, rng.uniform(-0.15, 0.0)), rng.uniform(0.38, 0.5), 0.12)
        paint(scan, liver * inside, level + 0.12 + 0.03 * noise(rng, shape, 16))
        paint(
            scan, lump(rng, x, y, (0.52, 0.12), rng.uniform(0.14, 0.22), 0.1) * inside, level + 0.15
        )
    for side in (-1, 1):
        kidney = (side * rng.uniform(0.32, 0.42), rng.uniform(0.25, 0.36))
        paint(scan, oval(x, y, kidney, (0.13, 0.17), side * 0.3), level + rng.uniform(0.1, 0.4))
        paint(scan, oval(x, y, (kidney[0] - side * 0.05, kidney[1]), (0.05, 0.07)), 0.25)
    for _ in range(rng.integers(3, 8)):
        place = (rng.uniform(-0.25, 0.6), rng.uniform(-0.45, 0.15))
        size = rng.uniform(0.06, 0.16)
        paint(scan, inside * lump(rng, x, y, place, size), level + 0.05)
        paint(scan, inside * lump(rng, x, y, place, size * 0.6), rng.choice([0.03, 0.3, 0.85]))
    paint(scan, oval(x, y, (0.05, 0.24), (0.06, 0.06)), level + 0.3)
    if rng.random() < 0.5:
        place = (rng.uniform(-0.5, 0.5), rng.uniform(-0.3, 0.2))
        paint(
            scan,
            inside * lump(rng, x, y, place, rng.uniform(0.12, 0.3), 0.15),
            rng.uniform(0.15, 0.75),
        )
    return scan
