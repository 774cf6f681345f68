"""A checksum inside a file that the workflow reads back, over all of its bytes.

Storage returns other bytes now and then, and formats say nothing: a flipped bit of a weight or a
pixel is another weight, and a zip file's own checksums leave out its directory, in which one bit
decides how a part is read. The checksum is taken with its own 64 digits as zeros. It stands in a
last line of its own, after the end of what the format reads (NumPy, PyTorch), or in the header of a
safetensors file, or in the footer of a Parquet file.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from pairdx.errors import PairDxError

NAME = "pairdx_sha256"
_ZEROS = b"0" * 64
_LAST_LINE = re.compile(rb"\npairdx_sha256:([0-9a-f]{64})\n")
_LAST_LINE_BYTES = len(f"\n{NAME}:\n") + len(_ZEROS)
_IN_HEADER = re.compile(rb'"pairdx_sha256":"([0-9a-f]{64})"')
# A length stands between the two.
_IN_FOOTER = re.compile(rb"pairdx_sha256[^0-9a-f]{1,3}([0-9a-f]{64})", re.DOTALL)
_LARGEST_HEADER = 100_000_000  # bytes, the limit of safetensors
_MEBIBYTE = 2**20


def append_seal(path: Path) -> None:
    """Add a last line with the checksum to a finished file."""
    with path.open("r+b") as file:
        at = file.seek(0, os.SEEK_END) + len(f"\n{NAME}:")
        file.write(f"\n{NAME}:".encode() + _ZEROS + b"\n")
        _fill(file, at)


def has_sound_last_line(path: Path) -> bool:
    """Say whether a file ends with the checksum of what is in it."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - _LAST_LINE_BYTES, 0))
        found = _LAST_LINE.fullmatch(file.read())
        at = size - len(_ZEROS) - 1
        return found is not None and found[1] == _checksum(file, at)


def header_to_seal(header: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the header with which a safetensors file is written that :func:`fill_seal` seals."""
    return {**(header or {}), NAME: _ZEROS.decode()}


def fill_footer_seal(path: Path) -> None:
    """Write the checksum into the footer of a Parquet file.

    Raises:
        ValueError: It was not written with :func:`header_to_seal`.
    """
    with path.open("r+b") as file:
        at = _place(file)
        if at is None:
            raise ValueError(f"{path} has no place for a checksum")
        _fill(file, at)


def fill_seal(path: Path) -> None:
    """Write the checksum into the header of a safetensors file.

    The header's entries are put in order first: the library writes them in another one each time,
    and equal content shall make equal files.

    Raises:
        ValueError: It was not written with :func:`header_to_seal`.
    """
    with path.open("r+b") as file:
        before = _header(file)[8:]
        content = json.loads(before)
        if NAME not in content.get("__metadata__", {}):
            raise ValueError(f"{path} has no place for a checksum")
        content["__metadata__"] = dict(sorted(content["__metadata__"].items()))
        after = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        if len(after) > len(before):
            raise ValueError(f"the header of {path} cannot be put in order")
        file.seek(8)
        file.write(after.ljust(len(before)))
        place = _IN_HEADER.search(after)
        assert place is not None  # noqa: S101 - it was just written
        _fill(file, 8 + place.start(1))


def require_sound(path: Path) -> None:
    """Refuse a safetensors or Parquet file whose checksum is not that of its content.

    A file without a checksum is one from outside, and left to its reader.

    Raises:
        PairDxError: The file is damaged.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        at = _place(file)
        if at is None:
            return
        file.seek(at)
        if file.read(len(_ZEROS)) != _checksum(file, at):
            raise damaged(path)


def damaged(path: Path) -> PairDxError:
    """Say that a file of the workflow's own is damaged."""
    return PairDxError(
        "this file is damaged: its checksum is not that of its content",
        where=path,
        remedy="delete it and start again, which makes it anew; the storage may be failing",
    )


def _place(file: IO[bytes]) -> int | None:
    """Return where the checksum stands in a safetensors or Parquet file; None if it has none."""
    file.seek(0)
    if file.read(4) != b"PAR1":
        file.seek(0)
        found = _IN_HEADER.search(_header(file))
        return None if found is None else found.start(1)
    end = file.seek(0, os.SEEK_END) - 8
    file.seek(max(end, 0))
    begin = max(end - int.from_bytes(file.read(4), "little"), 0)
    file.seek(begin)
    found = _IN_FOOTER.search(file.read())
    return None if found is None else begin + found.start(1)


def _header(file: IO[bytes]) -> bytes:
    """Return the length and the header of a safetensors file, as far as they are there."""
    length = file.read(8)
    return length + file.read(min(int.from_bytes(length, "little"), _LARGEST_HEADER))


def _fill(file: IO[bytes], at: int) -> None:
    checksum = _checksum(file, at)
    file.seek(at)
    file.write(checksum)


def _checksum(file: IO[bytes], at: int) -> bytes:
    """Return the SHA-256 of a file with zeros at the place of the checksum, as 64 digits."""
    file.seek(0)
    content = hashlib.sha256()
    left = at
    while left and (piece := file.read(min(left, _MEBIBYTE))):
        content.update(piece)
        left -= len(piece)
    file.seek(at + len(_ZEROS))
    content.update(_ZEROS)
    while piece := file.read(_MEBIBYTE):
        content.update(piece)
    return content.hexdigest().encode()
