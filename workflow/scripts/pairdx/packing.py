"""Images decoded once: from archives into one array of fixed size on disk.

Decoding a 420-pixel WebP takes several milliseconds, a forward pass less: training that decodes in
every epoch is bound by the decoder. The packed array holds what CLIP's own preprocessing makes of
an image (short side resized to S with a bicubic filter, centre S x S cut out) as 8-bit RGB; models
only normalise.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
from PIL import Image

from pairdx.errors import PairDxError
from pairdx.files import written_whole
from pairdx.images import decode
from pairdx.logs import progress


def fit_to_square(image: Image.Image, size: int) -> np.ndarray:
    """Resize the short side to ``size`` (bicubic) and cut out the centre: uint8 (size, size, 3).

    The same pixels as OpenAI CLIP's preprocessing before normalisation (torchvision's Resize and
    CenterCrop).
    """
    short = min(image.size)
    width, height = (int(size * side / short) for side in image.size)
    resized = image.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    left, top = round((width - size) / 2), round((height - size) / 2)
    return np.asarray(resized.crop((left, top, left + size, top + size)), dtype=np.uint8)


def pack_images(
    pairs: pd.DataFrame, archives: Mapping[str, Path], path: Path, *, size: int
) -> None:
    """Write the images of ``pairs`` as a NumPy file: uint8 (N, size, size, 3), row i for row i.

    Args:
        pairs: Columns ``pair_id``, ``archive`` (a key of ``archives``) and ``member`` (a path
            inside it).
        archives: The zip file of every archive.
        path: The ``.npy`` file, made for memory mapping and written whole or not at all.
        size: Side length in pixels.

    Raises:
        PairDxError: An image that was readable when the pairs were curated is not any more.
    """
    with written_whole(path) as aside:
        packed = np.lib.format.open_memmap(
            aside, mode="w+", dtype=np.uint8, shape=(len(pairs), size, size, 3)
        )
        positions = pd.Series(range(len(pairs)), index=pairs.index)
        done = progress(_images(pairs, archives), "packing images", total=len(pairs))
        for index, image in done:
            packed[positions[index]] = fit_to_square(image, size)
        packed.flush()


def _images(pairs: pd.DataFrame, archives: Mapping[str, Path]):  # type: ignore[no-untyped-def]
    for name, rows in pairs.groupby("archive", sort=True):
        with ZipFile(archives[str(name)]) as archive:
            for index, member in rows["member"].items():
                image = decode(archive.read(str(member)))
                if isinstance(image, str):
                    raise PairDxError(
                        f"an image of a curated pair cannot be read ({image})",
                        where=f"{archives[str(name)]}: {member}",
                        remedy="the archive changed since curation; run the workflow again",
                    )
                yield index, image
