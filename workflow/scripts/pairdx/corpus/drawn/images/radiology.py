"""Radiology for the demo corpus: chooses the kind of scan and gives it the look of its display."""

from __future__ import annotations

import numpy as np
from PIL import Image

from pairdx.corpus.drawn.images.canvas import ramp, to_image
from pairdx.corpus.drawn.images.projections import ultrasound, uptake, x_ray
from pairdx.corpus.drawn.images.slices import cross_section

Generator = np.random.Generator

TINTS = ((0.55, 0.8, 1.0), (1.0, 0.86, 0.66), (0.7, 1.0, 0.85))


def radiology(
    rng: Generator, shape: tuple[int, int], subtype: str, region: str, view: str
) -> Image.Image:
    """Draw one radiological image.

    Args:
        rng: Source of everything that varies.
        shape: Height and width in pixels.
        subtype: ct, mri, x_ray, ultrasound, pet or scintigraphy.
        region: The body region, as in the column ``radiology_region``.
        view: The view, as in the column ``radiology_view``.
    """
    if subtype == "ultrasound":
        return to_image(ultrasound(rng, shape))
    if subtype in ("pet", "scintigraphy"):
        return to_image(uptake(rng, shape, region))
    scan = (
        x_ray(rng, shape, region)
        if subtype == "x_ray"
        else cross_section(rng, shape, subtype, region, view)
    )
    scan = scan * rng.uniform(0.75, 1.2) + rng.uniform(-0.05, 0.08)
    scan += 0.03 * rng.standard_normal(shape, dtype=np.float32)
    if subtype == "x_ray" and rng.random() < 0.1:
        scan = 1 - scan
    if rng.random() < 0.12:  # a photograph of a tinted screen
        return to_image(ramp(scan, ((0.02, 0.03, 0.06), TINTS[rng.integers(3)])))
    return to_image(scan)
