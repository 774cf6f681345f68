"""Draws the images of the demo corpus: seven image types, each with subtypes and its own look.

The looks overlap on purpose. Grey optical coherence tomograms stand beside grey radiology, reddish
skin beside reddish mucosa, tinted charts beside grid paper; some images of every class are printed
in grey. So the mean colour of an image says something about its class, but far from everything.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from pairdx.corpus.drawn.images.canvas import font
from pairdx.corpus.drawn.images.charts import chart
from pairdx.corpus.drawn.images.endoscopy import endoscopy
from pairdx.corpus.drawn.images.eyes import ophthalmic_imaging
from pairdx.corpus.drawn.images.pathology import pathology
from pairdx.corpus.drawn.images.photographs import medical_photograph
from pairdx.corpus.drawn.images.radiology import radiology
from pairdx.corpus.drawn.images.traces import electrography

SMALLEST_SIDE, LARGEST_SIDE = 180, 340

# Soft pictures are drawn smaller than they are stored, which is faster; charts larger, for clean
# lines.
DRAWING_SCALE = {"chart": 1.3, "electrography": 1.0}
SOFT_SCALE = 0.62


class Kind(NamedTuple):
    """What an image shows, in the words of the columns of ``captions_and_labels.csv``."""

    image_type: str
    image_subtype: str
    region: str | None = None
    region_granular: str | None = None
    view: str | None = None


# Kinds of each image type, with how often each is drawn.
KINDS: dict[str, tuple[tuple[float, Kind], ...]] = {
    "radiology": (
        (0.13, Kind("radiology", "ct", "thorax", "thorax", "axial")),
        (0.15, Kind("radiology", "ct", "abdomen", "abdomen", "axial")),
        (0.07, Kind("radiology", "ct", "head", "head", "axial")),
        (0.1, Kind("radiology", "mri", "head", "head", "axial")),
        (0.08, Kind("radiology", "mri", "head", "head", "sagittal")),
        (0.06, Kind("radiology", "mri", "neck", "neck", "sagittal")),
        (0.06, Kind("radiology", "mri", "lower_limb", "knee", "sagittal")),
        (0.12, Kind("radiology", "x_ray", "thorax", "thorax", "frontal")),
        (0.05, Kind("radiology", "x_ray", "upper_limb", "forearm", "frontal")),
        (0.04, Kind("radiology", "x_ray", "lower_limb", "foot", "oblique")),
        (0.08, Kind("radiology", "ultrasound", "abdomen", "abdomen", "ultrasound_view")),
        (0.02, Kind("radiology", "pet", "whole_body", "whole_body", "frontal")),
        (0.02, Kind("radiology", "pet", "thorax", "thorax", "axial")),
        (0.02, Kind("radiology", "scintigraphy", "whole_body", "whole_body", "frontal")),
    ),
    "medical_photograph": (
        (0.5, Kind("medical_photograph", "other_medical_photograph")),
        (0.35, Kind("medical_photograph", "skin_photograph")),
        (0.15, Kind("medical_photograph", "oral_photograph")),
    ),
    "pathology": (
        (0.55, Kind("pathology", "h&e")),
        (0.3, Kind("pathology", "immunostaining")),
        (0.08, Kind("pathology", "fish")),
        (0.07, Kind("pathology", "giemsa")),
    ),
    "chart": ((1.0, Kind("chart", "chart")),),
    "ophthalmic_imaging": (
        (0.32, Kind("ophthalmic_imaging", "fundus_photograph")),
        (0.28, Kind("ophthalmic_imaging", "oct")),
        (0.18, Kind("ophthalmic_imaging", "slit_lamp_photograph")),
        (0.14, Kind("ophthalmic_imaging", "ophthalmic_angiography")),
        (0.08, Kind("ophthalmic_imaging", "autofluorescence")),
    ),
    "endoscopy": (
        (0.52, Kind("endoscopy", "gi_endoscopy")),
        (0.26, Kind("endoscopy", "airway_endoscopy")),
        (0.12, Kind("endoscopy", "arthroscopy")),
        (0.1, Kind("endoscopy", "other_endoscopy")),
    ),
    "electrography": (
        (0.7, Kind("electrography", "ekg")),
        (0.2, Kind("electrography", "eeg")),
        (0.1, Kind("electrography", "emg")),
    ),
}


def choose_kind(rng: np.random.Generator, image_type: str) -> Kind:
    """Choose one of an image type's kinds, by how often each is drawn."""
    weights, kinds = zip(*KINDS[image_type], strict=True)
    return kinds[rng.choice(len(kinds), p=np.array(weights) / sum(weights))]


def draw_image(rng: np.random.Generator, kind: Kind) -> Image.Image:
    """Draw one RGB image of a random size (180 to 340 pixels a side, some of them wide).

    Args:
        rng: Source of everything that varies.
        kind: What to show.
    """
    width, height = _size(rng)
    scale = DRAWING_SCALE.get(kind.image_type, SOFT_SCALE)
    image = _draw(rng, kind, (round(height * scale), round(width * scale)))
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    if rng.random() < 0.07:  # printed in grey
        image = ImageOps.grayscale(image).convert("RGB")
    if kind.image_type not in ("chart", "electrography") and rng.random() < 0.35:
        _mark(rng, image)
    if rng.random() < 0.08:  # cut out of a page with some of its margin
        margin = int(rng.integers(4, 20))
        image = ImageOps.pad(
            image.resize((width - 2 * margin, height - margin)),
            (width, height),
            color=(255, 255, 255),
        )
    return image


def _size(rng: np.random.Generator) -> tuple[int, int]:
    """Return width and height."""
    short = int(rng.integers(SMALLEST_SIDE, 261))
    stretch = rng.uniform(1.4, 1.9) if rng.random() < 0.2 else rng.uniform(1.0, 1.35)
    long = min(LARGEST_SIDE, round(short * stretch))
    return (short, long) if rng.random() < 0.2 else (long, short)


def _draw(rng: np.random.Generator, kind: Kind, shape: tuple[int, int]) -> Image.Image:
    if kind.image_type == "radiology":
        return radiology(rng, shape, kind.image_subtype, kind.region or "", kind.view or "")
    if kind.image_type == "chart":
        return chart(rng, shape)
    brushes = {
        "medical_photograph": medical_photograph,
        "pathology": pathology,
        "ophthalmic_imaging": ophthalmic_imaging,
        "endoscopy": endoscopy,
        "electrography": electrography,
    }
    return brushes[kind.image_type](rng, shape, kind.image_subtype)


def _mark(rng: np.random.Generator, image: Image.Image) -> None:
    """Add what authors add: an arrow, an asterisk, a ring or a panel letter."""
    draw = ImageDraw.Draw(image)
    width, height = image.size
    colour = ((255, 255, 255), (255, 230, 40), (230, 40, 30), (20, 20, 20))[rng.integers(4)]
    x, y = width * rng.uniform(0.3, 0.7), height * rng.uniform(0.3, 0.7)
    kind = rng.integers(4)
    if kind == 0:
        length, angle = rng.uniform(25, 50), rng.uniform(0, 2 * np.pi)
        draw.line(
            (x, y, x + length * np.cos(angle), y + length * np.sin(angle)), fill=colour, width=4
        )
        head = [
            (x + 12 * np.cos(angle + turn), y + 12 * np.sin(angle + turn)) for turn in (-0.5, 0.5)
        ]
        draw.polygon([(x - 3 * np.cos(angle), y - 3 * np.sin(angle)), *head], fill=colour)
    elif kind == 1:
        draw.text((x, y), "*", fill=colour, font=font(34))
    elif kind == 2:
        reach = rng.uniform(15, 40)
        draw.ellipse((x - reach, y - reach, x + reach, y + reach), outline=colour, width=3)
    else:
        corner = (5, 3) if rng.random() < 0.5 else (width - 22, height - 26)
        draw.text(corner, "ABCDEF"[rng.integers(6)], fill=colour, font=font(20))
