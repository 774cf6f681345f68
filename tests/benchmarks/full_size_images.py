"""Small images, drawn in a millisecond each, that a perceptual hash tells apart like real ones.

A smooth random field (amplitudes fall with frequency, as in natural images) is laid out as the
image type would be: on a white page, in a disc, in a body, with cells or with traces. They test
how long curation takes and how much memory, and nothing else.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw
from scipy.fft import idctn

FREQUENCIES = 24  # more than the 16 that the perceptual hash looks at
SHORTEST_SIDE, LONGEST_SIDE = 64, 160  # pixels
QUALITY, LOWER_QUALITY = 80, 50

TINTS = {
    "pathology": (205, 150, 195),
    "medical_photograph": (190, 140, 120),
    "ophthalmic_imaging": (170, 90, 50),
    "endoscopy": (190, 95, 80),
}
GREY_SUBTYPES = {"oct", "b_scan", "ophthalmic_angiography", "autofluorescence"}
AMPLITUDES = (1.0 + np.hypot(*np.indices((FREQUENCIES, FREQUENCIES)))) ** -1.4
PLACEHOLDER_SIZE = (1, 1)  # what MultiCaRe stores for an image that its makers could not read


def draw(rng: np.random.Generator, image_type: str, subtype: str) -> Image.Image:
    """Draw one image of a type and subtype of MultiCaRe's taxonomy, of random size."""
    width, height = (int(side) for side in rng.integers(SHORTEST_SIDE, LONGEST_SIDE + 1, 2))
    if image_type in ("chart", "electrography"):
        return _page(rng, width, height, traces=image_type == "electrography")
    tint = None if subtype in GREY_SUBTYPES else TINTS.get(image_type)
    image = _field(rng, width, height, tint)
    if image_type == "pathology":
        _cells(rng, image)
    elif image_type == "medical_photograph":
        _shape(rng, image)
    elif subtype not in ("x_ray", "oct"):
        _leave_a_disc(rng, image)
    return image


def _field(
    rng: np.random.Generator, width: int, height: int, tint: tuple[int, int, int] | None
) -> Image.Image:
    """A smooth random field, grey or around a colour."""
    channels = 1 if tint is None else 2
    spectrum = rng.standard_normal((channels, FREQUENCIES, FREQUENCIES)) * AMPLITUDES
    fields = idctn(spectrum, axes=(1, 2), norm="ortho")
    levels = fields[0] * (45 / fields[0].std())
    if tint is None:
        small = Image.fromarray(_to_bytes(levels + 110))
        return small.resize((width, height), Image.Resampling.BICUBIC).convert("RGB")
    shade = fields[1] * (12 / fields[1].std())
    colour = np.stack([levels + shade, levels, levels - shade], axis=2) + tint
    return Image.fromarray(_to_bytes(colour)).resize((width, height), Image.Resampling.BICUBIC)


def _to_bytes(levels: np.ndarray) -> np.ndarray:
    return np.clip(levels, 0, 255).astype(np.uint8)


def _page(rng: np.random.Generator, width: int, height: int, *, traces: bool) -> Image.Image:
    """A white page with curves, and for a chart also bars and axes."""
    image = Image.new("RGB", (width, height), "white")
    canvas = ImageDraw.Draw(image)
    colours = [tuple(colour) for colour in rng.integers(0, 200, (4, 3)).tolist()]
    if not traces:
        left, bottom = int(rng.integers(4, 16)), height - int(rng.integers(4, 16))
        canvas.line([left, 2, left, bottom, width - 2, bottom], fill="black", width=2)
        edges = np.linspace(left + 2, width - 3, int(rng.integers(3, 9))).astype(int)
        tops = rng.integers(3, bottom - 3, len(edges)).tolist()
        for start, stop, top in zip(edges[:-1].tolist(), edges[1:].tolist(), tops, strict=False):
            canvas.rectangle([start, top, stop - 3, bottom], fill=colours[0])
    for row in range(int(rng.integers(1, 5))):
        points = int(rng.integers(5, 60))
        across = np.linspace(2, width - 2, points)
        walk = np.cumsum(rng.standard_normal(points))
        share = (walk - walk.min()) / np.ptp(walk) * rng.uniform(0.2, 0.6)
        down = 2 + (share + rng.uniform(0, 1 - share.max())) * (height - 4)
        line = np.column_stack([across, down])
        canvas.line(line.ravel().tolist(), fill=colours[row % 4], width=int(rng.integers(1, 4)))
    return image


def _cells(rng: np.random.Generator, image: Image.Image) -> None:
    canvas = ImageDraw.Draw(image)
    number = int(rng.integers(10, 40))
    centres = rng.uniform(0, 1, (number, 2)) * image.size
    for (across, down), radius in zip(centres.tolist(), rng.uniform(1, 5, number), strict=True):
        box = [across - radius, down - radius, across + radius, down + radius]
        canvas.ellipse(box, fill=(90, 60, 130))


def _shape(rng: np.random.Generator, image: Image.Image) -> None:
    """A random four-sided shape, such as a lesion, a cloth or an instrument."""
    corners = rng.uniform(0.05, 0.95, (4, 2)) * image.size
    colour = tuple(rng.integers(20, 235, 3).tolist())
    ImageDraw.Draw(image).polygon(corners.ravel().tolist(), fill=colour)


def _leave_a_disc(rng: np.random.Generator, image: Image.Image) -> None:
    """Blacken everything outside an ellipse: a fundus, a scope's view, a slice of a body."""
    margins = rng.uniform(0, 0.15, 4) * (image.size * 2)
    left, top, right, bottom = margins.tolist()
    mask = Image.new("L", image.size, 255)
    box = [left, top, image.width - right, image.height - bottom]
    ImageDraw.Draw(mask).ellipse(box, fill=0)
    image.paste((0, 0, 0), mask=mask)


def encoded(image: Image.Image, quality: int = QUALITY) -> bytes:
    """Encode as lossy WebP, with the fastest method."""
    stream = io.BytesIO()
    image.save(stream, "WEBP", quality=quality, method=0)
    return stream.getvalue()


def compressed_again(content: bytes) -> bytes:
    """Decode and encode at lower quality: the same picture in other bytes."""
    with Image.open(io.BytesIO(content)) as image:
        return encoded(image, LOWER_QUALITY)


def placeholder() -> bytes:
    """Return the white image of one pixel that stands for an unreadable one."""
    return encoded(Image.new("RGB", PLACEHOLDER_SIZE, "white"))
