"""What a folder from outside holds, in one line: a parameter of the rules that read it.

Snakemake looks at the time stamp of the folder itself, which changes below it and in place leave
alone. Names and sizes tell of almost all of them, and are the same in a copy with other time
stamps. What they cannot tell, an image that was changed and is as many bytes long, its checksum
does, wherever an image is read again (:func:`pairdx.packing.encoded_images`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

# What programs leave in folders that they show; so do hidden files, which begin with a dot.
LEFT_BY_PROGRAMS = (b"thumbs.db", b"desktop.ini")
DIGITS = 20


def contents(folder: str) -> str:
    """Count the files of a folder and its sub-folders, their bytes, and digest names and sizes.

    Hidden files and folders are left out. Links are not followed: they count as what they say.

    Returns:
        Such as ``3 files, 1024 bytes, `` and twenty digits of SHA-256; "" where there is no such
        folder, as of a zip file.
    """
    if not Path(folder).is_dir():
        return ""
    number, size, digest = 0, 0, hashlib.sha256()
    for name, length in _files(os.fsencode(folder), b""):
        number, size = number + 1, size + length
        digest.update(b"%b\0%d\0" % (name, length))
    return f"{number} files, {size} bytes, {digest.hexdigest()[:DIGITS]}"


def _files(folder: bytes, below: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield the path below the top, and the size, of every file, in an order of its own."""
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:  # what cannot be looked into is no image, which the reader says
        return
    for entry in entries:
        if entry.name.startswith(b".") or entry.name.lower() in LEFT_BY_PROGRAMS:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path, below + entry.name + b"/")
            continue
        try:
            size = entry.stat(follow_symlinks=False).st_size
        except OSError:  # it went away meanwhile
            continue
        yield below + entry.name, size
