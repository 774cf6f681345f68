"""Images decoded once: from archives into one array of fixed size on disk.

Decoding a 420-pixel WebP takes several milliseconds, a forward pass less: training that decodes in
every epoch is bound by the decoder. The packed array holds S x S squares of 8-bit RGB, made as the
configuration says: by default as CLIP's own preprocessing makes them; models only normalise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path

import pandas as pd
from PIL import Image

from pairdx.errors import PairDxError
from pairdx.images import apply_edit, decode
from pairdx.logs import progress
from pairdx.packed_images import packed_file
from pairdx.squaring import fit_to_square
from pairdx.stores import DamagedMemberError, open_store

_CURATE_AGAIN = (
    "put the old one back, or run the same command with --forcerun inspect_archive, once: it looks "
    "at all images again"
)


def pack_images(
    pairs: pd.DataFrame,
    archives: Mapping[str, Path],
    path: Path,
    *,
    size: int,
    squaring: str = "crop",
) -> None:
    """Write the images of ``pairs``: uint8 (N, size, size, 3), with the pairs' identifiers.

    Args:
        pairs: Columns ``pair_id``, ``archive`` (a key of ``archives``), ``member`` (a path inside
            it), ``image_edit`` (see :func:`pairdx.images.parse_edit`; "" for none) and those of
            :func:`encoded_images`.
        archives: Where every archive lies, for :func:`pairdx.stores.open_store`.
        path: The ``.npy`` file, made for memory mapping and written whole or not at all.
        size: Side length in pixels.
        squaring: See :func:`pairdx.squaring.fit_to_square`.

    Raises:
        PairDxError: An image that was readable when the pairs were curated is not any more, or is
            another one; an edit does not fit its image; or two pairs have the same identifier.
    """
    with packed_file(path, pairs["pair_id"].tolist(), size) as packed:
        positions = {index: row for row, index in enumerate(pairs.index)}
        done = progress(_images(pairs, archives), "packing images", total=len(pairs))
        for index, image in done:
            packed[positions[index]] = fit_to_square(image, size, squaring)


def encoded_images(
    pairs: pd.DataFrame, archives: Mapping[str, Path]
) -> Iterator[tuple[Hashable, bytes]]:
    """Yield the index and the image file's bytes of every pair, one archive after the other.

    Args:
        pairs: Columns ``archive`` and ``member``; of curated pairs also ``sha256``, with which the
            bytes are compared (0.6 ms per MB).
        archives: Where every archive lies, for :func:`pairdx.stores.open_store`.

    Raises:
        PairDxError: An archive or an image is missing or damaged, or an image was changed.
    """
    sums = pairs["sha256"].to_dict() if "sha256" in pairs else {}
    for name, rows in pairs.groupby("archive", sort=True):
        path = archives[str(name)]
        with open_store(path) as store:
            for index, member in rows["member"].items():
                try:
                    content = store.read(str(member))
                except KeyError as error:
                    raise _unreadable("it is missing", path, member) from error
                except DamagedMemberError as error:
                    raise _unreadable(error, path, member) from error
                if sums and sums[index] != hashlib.sha256(content).hexdigest():
                    raise PairDxError(
                        "an image of a curated pair was changed since curation",
                        where=f"{path}: {member}",
                        remedy=_CURATE_AGAIN,
                    )
                yield index, content


def _images(
    pairs: pd.DataFrame, archives: Mapping[str, Path]
) -> Iterator[tuple[Hashable, Image.Image]]:
    rows = pairs[["archive", "member", "image_edit"]].to_dict("index")
    for index, content in encoded_images(pairs, archives):
        path, member = archives[rows[index]["archive"]], rows[index]["member"]
        image = decode(content)
        if isinstance(image, str):
            raise _unreadable(image, path, member)
        yield index, _edited(image, rows[index]["image_edit"], f"{path}: {member}")


def _edited(image: Image.Image, edit: str, where: str) -> Image.Image:
    try:
        return apply_edit(image, edit)
    except PairDxError as error:
        raise PairDxError(
            f"a reviewer's edit of an image cannot be made: {error.what}",
            where=where,
            remedy="correct it in the review sheet; the archive may have changed since the review",
        ) from error


def _unreadable(reason: object, path: Path, member: str) -> PairDxError:
    return PairDxError(
        f"an image of a curated pair cannot be read ({reason})",
        where=f"{path}: {member}",
        remedy=_CURATE_AGAIN,
    )
