"""Images in one array of an HDF5 file, given out one by one as image files.

What reads images takes bytes of a known format. BMP is made of a row without loss, the same bytes
for the same pixels whatever the versions of libraries are, and in less time than reading it takes.
h5py is imported when a file is opened, because few data sets come so.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pairdx.errors import PairDxError
from pairdx.storage_errors import is_refusal_of_storage, storage_error

SUFFIXES = (".h5", ".hdf5")
IMAGES = "x"  # the name that data sets for Keras give to their array of images
_CHUNKS_HELD = 64 * 2**20  # bytes: a compressed chunk of many images is unpacked once
_HEADERS = struct.Struct("<2sIHHI IiiHHIIiiII")
_FROM_OUTSIDE = "fetch the file again, or unpack it again; a download may have been cut short"


class Hdf5Images:
    """The images of an open file, by their rows.

    Attributes:
        number: How many there are.
        bytes_each: Length of each as a BMP file.
    """

    def __init__(self, array: Any) -> None:
        self._array = array
        self.number, self._height, self._width = map(int, array.shape[:3])
        self._line = -(-3 * self._width // 4) * 4  # lines of a BMP file end at multiples of 4 bytes
        self.bytes_each = _HEADERS.size + self._height * self._line

    def read(self, row: int) -> bytes:
        """Return an image as a BMP file of 24 bits.

        Raises:
            OSError: The row cannot be read: its part of the file is damaged, or the storage fails.
        """
        return self._as_bmp(self._array[row])

    def _as_bmp(self, pixels: np.ndarray) -> bytes:
        """Write uint8 (H, W, 3) in red, green and blue: from the last line up, blue first."""
        lines = np.zeros((self._height, self._line), dtype=np.uint8)
        lines[:, : 3 * self._width] = pixels[::-1, :, ::-1].reshape(self._height, -1)
        of_file = (b"BM", self.bytes_each, 0, 0, _HEADERS.size)
        of_image = (40, self._width, self._height, 1, 24, 0, lines.size, 2835, 2835, 0, 0)
        return _HEADERS.pack(*of_file, *of_image) + lines.tobytes()


@contextmanager
def open_images(path: Path) -> Iterator[Hdf5Images]:
    """Open an HDF5 file whose array ``x`` is images: uint8 (N, H, W, 3).

    Raises:
        PairDxError: It is missing, not whole, or has no such array.
    """
    with opened(path) as file:
        array = array_of(file, IMAGES, path)
        shape = tuple(array.shape)
        if array.dtype != np.uint8 or len(shape) != 4 or shape[3] != 3 or 0 in shape:
            raise PairDxError(
                f"the array {IMAGES} is no images of 8 bits in red, green and blue: {array.dtype} "
                f"{shape}, where uint8 (images, height, width, 3) is expected",
                where=path,
                remedy="name the file of images of the data set as it was published, or convert "
                "yours",
            )
        yield Hdf5Images(array)


@contextmanager
def opened(
    source: Path | Any, where: object = None, what: str = "an archive of the corpus"
) -> Iterator[Any]:
    """Open an HDF5 file for reading.

    Args:
        source: Its path, or its content as a binary stream.
        where: What messages name as the place, if that is not the path.
        what: How messages call it where it is missing.

    Raises:
        PairDxError: It is missing, or no whole HDF5 file.
    """
    import h5py

    where = where or source
    try:
        # Without a lock: nobody writes it, and some file systems of clusters have none.
        file = h5py.File(source, "r", locking=False, rdcc_nbytes=_CHUNKS_HELD)
    except FileNotFoundError as error:
        raise PairDxError(
            f"{what} is missing",
            where=where,
            remedy="check the dataset's source (path); of a download, start the workflow again: "
            "it fetches what is missing",
        ) from error
    except (OSError, RuntimeError, ValueError) as error:
        if is_refusal_of_storage(error) and (found := storage_error(error, str(where))):
            raise found from error
        raise PairDxError(
            f"this is not a whole HDF5 file: {error}", where=where, remedy=_FROM_OUTSIDE
        ) from error
    with file:
        yield file


def array_of(file: Any, name: str, where: object) -> Any:
    """Return an array of an open file, unread.

    Raises:
        PairDxError: It has none of that name.
    """
    import h5py

    try:
        found = file.get(name)
    except (OSError, KeyError, RuntimeError, ValueError) as error:  # its directory is damaged
        raise PairDxError(
            f"the array {name} cannot be read: {error}", where=where, remedy=_FROM_OUTSIDE
        ) from error
    if not isinstance(found, h5py.Dataset):
        names = ", ".join(map(str, file)) or "nothing"
        group = f"{name} is a group of arrays" if isinstance(found, h5py.Group) else ""
        raise PairDxError(
            f"this HDF5 file has no array {name}; {group or f'it has: {names}'}",
            where=where,
            remedy="put the file of that name there as the data set's makers published it",
        )
    return found
