"""Images of which only the rows that are asked for are read, or changed.

A subset of packed images is such: a file of gigabytes and the numbers of some of its rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

RowNumbers = NDArray[np.int64]


class Images(Protocol):
    """N square images: uint8 (N, S, S, 3), RGB. A NumPy array or a memory map is one, too."""

    @property
    def shape(self) -> tuple[int, ...]:
        """N, S, S, 3."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint8."""

    def __len__(self) -> int:
        """N."""

    def __getitem__(self, rows: slice | RowNumbers, /) -> np.ndarray:
        """Return the images at B rows: uint8 (B, S, S, 3), not to be written to."""


class _NoArray:
    """What NumPy must not make an array of by itself, for that takes the memory of all images."""

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse.

        Raises:
            TypeError: Always.
        """
        raise TypeError("images are read by rows; write [:] where all of them are to be in memory")


class ImageRows(_NoArray):
    """Some rows of images, any of them and in any order, none of which is in memory yet.

    Asked for rows by a slice or by numbers, it gives a copy of these alone.

    Args:
        images: What the rows are of.
        rows: int64 of shape (N,), their numbers there.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, images: Images, rows: RowNumbers) -> None:
        # Of rows of rows, only the numbers are kept.
        self._images: Images = images._images if isinstance(images, ImageRows) else images
        self._rows: RowNumbers = images._rows[rows] if isinstance(images, ImageRows) else rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, rows: slice | RowNumbers) -> np.ndarray:
        return self._images[self._rows[rows]]

    @property
    def shape(self) -> tuple[int, ...]:
        """N, S, S, 3."""
        return (len(self._rows), *self._images.shape[1:])


class ChangedImages(_NoArray):
    """Images that are changed when they are asked for.

    Args:
        images: N images; left as they are.
        change: From uint8 (B, S, S, 3) and the numbers of these rows to uint8 (B, S, S, 3). What it
            makes of an image does not depend on the others, so that batches change nothing.
    """

    dtype = np.dtype(np.uint8)

    def __init__(
        self, images: Images, change: Callable[[np.ndarray, RowNumbers], np.ndarray]
    ) -> None:
        self._images, self._change = images, change

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, rows: slice | RowNumbers) -> np.ndarray:
        return self._change(self._images[rows], np.arange(len(self))[rows])

    @property
    def shape(self) -> tuple[int, ...]:
        """N, S, S, 3."""
        return self._images.shape
