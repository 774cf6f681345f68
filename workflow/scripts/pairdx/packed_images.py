"""The file of packed images: many squares of one size, each tied to its pair by a name.

It is NumPy's, with two lines of text behind the array, which NumPy does not look at: the pairs that
the rows belong to, as a JSON list of their names, and a checksum of all of it
(:mod:`pairdx.seals`). Rows are found by these names: a table of pairs may be in another order, or
have some of them only. A dataset may have files of several sizes.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from pairdx.errors import PairDxError
from pairdx.files import written_whole
from pairdx.image_rows import ImageRows
from pairdx.seals import append_seal, damaged, has_sound_last_line

PAIR_IDS = b"pairdx_pair_ids:"


@contextmanager
def packed_file(path: Path, pair_ids: Sequence[str], size: int) -> Iterator[np.ndarray]:
    """Make a file of packed images, whose pixels are filled in inside the block.

    Args:
        path: The file, written whole or not at all.
        pair_ids: N pairs, in the order of the rows.
        size: Side length in pixels.

    Yields:
        uint8 (N, size, size, 3): a memory map to write to.

    Raises:
        PairDxError: Two pairs have the same identifier.
    """
    name, often = Counter(pair_ids).most_common(1)[0] if pair_ids else ("", 0)
    if often > 1:
        raise PairDxError(
            f"{often} pairs are called {name!r}, so that nobody could tell their images apart",
            where=path,
            remedy="give every pair a name of its own in the table of pairs",
        )
    with written_whole(path) as aside:
        packed = np.lib.format.open_memmap(
            aside, mode="w+", dtype=np.uint8, shape=(len(pair_ids), size, size, 3)
        )
        _claim_room(aside)
        yield packed
        packed.flush()
        with aside.open("ab") as file:
            file.write(b"\n" + PAIR_IDS + json.dumps(list(pair_ids)).encode())
        append_seal(aside)


@dataclass(frozen=True, eq=False)
class PackedImages:
    """A file of packed images: no pixel is in memory before its row is asked for.

    Attributes:
        path: The file.
        pixels: uint8 (N, S, S, 3), a read-only memory map.
        pair_ids: The N pairs, in the order of the rows.
    """

    path: Path
    pixels: np.ndarray
    pair_ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.pair_ids)

    @property
    def size(self) -> int:
        """Side of the images in pixels."""
        return int(self.pixels.shape[1])

    def of_pairs(self, pair_ids: Sequence[str]) -> ImageRows:
        """Return the images of these pairs, in their order; no pixel is read yet.

        Raises:
            PairDxError: The image of a pair is not packed.
        """
        missing = [name for name in pair_ids if name not in self._rows]
        if missing:
            raise PairDxError(
                f"the images of {len(missing)} of {len(pair_ids)} pairs are not packed, such as "
                f"that of {missing[0]!r}",
                where=self.path,
                remedy=_made_again(self.path),
            )
        rows = np.array([self._rows[name] for name in pair_ids], dtype=np.int64)
        return ImageRows(self.pixels, rows)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.pair_ids)}


def open_packed(path: str | Path, *, checked: bool = True) -> PackedImages:
    """Open packed images.

    Args:
        path: The file.
        checked: Whether all of it is read once, for its checksum. Whoever draws a few of the images
            can do without.

    Raises:
        PairDxError: The file is not as it was written, or of an earlier format, without the pairs.
    """
    path = Path(path)
    status = path.stat()
    return _open_packed(path, status.st_size, status.st_mtime_ns, checked)


@cache
def _open_packed(path: Path, size: int, _: int, checked: bool) -> PackedImages:
    try:
        packed = np.load(path, mmap_mode="r")
        end = packed.offset + packed.nbytes
    except OSError:
        raise
    except Exception as error:  # NumPy reads the header as Python, and says of it what Python says
        raise damaged(path) from error
    # Without a last line it may be whole: of an earlier format.
    if checked and size != end and not has_sound_last_line(path):
        raise damaged(path)
    pair_ids = _pair_ids(path, end)
    if pair_ids is None:
        raise PairDxError(
            "this file does not say which pairs its images belong to: it is of an earlier format",
            where=path,
            remedy=_made_again(path),
        )
    if packed.ndim != 4 or packed.dtype != np.uint8 or len(packed) != len(pair_ids):
        raise damaged(path)
    return PackedImages(path, np.asarray(packed), pair_ids)


def _pair_ids(path: Path, end: int) -> tuple[str, ...] | None:
    """Read the pairs behind the array, which ends at ``end``; None where none are named."""
    with path.open("rb") as file:
        file.seek(end)
        lines = [line for line in file.read().split(b"\n") if line.startswith(PAIR_IDS)]
    if not lines:
        return None
    try:
        return tuple(json.loads(lines[0].removeprefix(PAIR_IDS)))
    except (ValueError, TypeError) as error:
        raise damaged(path) from error


def _claim_room(path: Path) -> None:
    """Claim all of a mapped file's room at once: a disk that fills up later would kill the process.

    Raises:
        OSError: There is no room for it.
    """
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def _made_again(path: Path) -> str:
    return f"delete {path.parent.name}/{path.name} of the dataset; it is made again"
