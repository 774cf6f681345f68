"""Image files to measure on: real ones where there are any, else drawn ones of usual widths."""

from __future__ import annotations

import io
from itertools import chain, zip_longest
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from PIL import Image

WIDTHS = (340, 630)  # pixels; MultiCaRe's images typically
WEBP_QUALITY = 80
REAL = "real_corpus"  # folder of zip files of WebP files


def image_files(real_data: Path | None, count: int) -> tuple[list[bytes], str]:
    """Return so many image files, and what they are in words.

    Args:
        real_data: Folder of real files, or None.
        count: How many; where there are fewer real ones, they are repeated.
    """
    found = real_files(real_data / REAL, count) if real_data else []
    if found:
        repeated = (found * -(-count // len(found)))[:count]
        return repeated, f"{len(set(repeated))} real WebP files"
    drawn = drawn_files(count)
    return drawn, f"{count} drawn WebP files {WIDTHS[0]} to {WIDTHS[1]} pixels wide and high"


def real_files(folder: Path, count: int) -> list[bytes]:
    """Return WebP files from a folder of zip files, in turns: no file says much for all of them."""
    archives = []
    for path in sorted(folder.glob("*.zip")):
        with ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".webp")][:count]
            archives.append([archive.read(name) for name in names])
    in_turns = chain.from_iterable(zip_longest(*archives))
    return [content for content in in_turns if content is not None][:count]


def drawn_files(count: int, widths: tuple[int, int] = WIDTHS) -> list[bytes]:
    """Draw smooth random pictures with some grain, as WebP files of MultiCaRe's usual widths.

    Args:
        count: How many.
        widths: The smallest side in pixels, and one more than the largest.
    """
    rng = np.random.default_rng(1)
    files = []
    for _ in range(count):
        width, height = (int(side) for side in rng.integers(*widths, 2))
        coarse = Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), dtype=float)
        grain = rng.normal(0, 6, (height, width, 1))
        stream = io.BytesIO()
        picture = Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8))
        picture.save(stream, format="WEBP", quality=WEBP_QUALITY)
        files.append(stream.getvalue())
    return files
